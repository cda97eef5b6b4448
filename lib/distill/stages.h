/*
 * stages - run one of the five stages of a distillation in a run (stage.h): collect, score,
 * and the three exports.
 */
#ifndef LH_STAGES_H
#define LH_STAGES_H

#include "evidence.h"
#include "receipt.h"
#include "sample.h"
#include "score.h"
#include "stage.h"

/*
 * stage_collect - collect the sources of a root as evidence.
 *
 * Source by source, in the order of enum lh_stream: the sig_hashes on file are read
 * first, then the source's rows are converted on all threads and appended in order
 * to the evidence of the run's day.  A source's evidence is committed when all of
 * it was read, the skips when every source was; a run that died in between is
 * completed by the next, which finds the rows on file.
 *
 * Memory: as in base/table.h for each row on file of one source and for each skip
 *         on file, and the blocks in progress.
 */

enum lh_dedup {
	LH_DEDUP_ALL,		/* a row is known if its evidence is on file, of any day */
	LH_DEDUP_DAY,		/* ... of the run's day */
};

/* The counts of one source; read is the sum of the others. */
struct lh_collected {
	bool present;
	uint64_t read, written, skipped, deduped;
	struct lh_file_digest digest;	/* of the source as it was read */
};

struct lh_collect {
	int dedup;
	unsigned sources;	/* set of the streams to read; 0: all */
	uint64_t max_line;	/* a longer line is a skip; 0: the default of --max-line */
	/* Called for each skipped row, with its reasons as a JSON array; or NULL. */
	void (*skipped)(void *ctx, enum lh_stream stream, uint64_t line, const char *reasons,
			size_t n);
	void *ctx;

	/* set by the stage: */
	struct lh_collected of[LH_STREAMS], all;
	char output[64];	/* the folder of the run's evidence, relative to the root */
};

/*
 * stage_score - the second stage of a run: score all evidence.
 *
 * Each file below data/evidence has its mirror below data/scored-runs.  A record
 * that has a scored run there under its sig_hash and LH_SCORER_VERSION is not
 * scored again; the others are, in order, on run->how.jobs threads, and the mirror
 * grows by all of it or by nothing.  A record that is not evidence is skipped,
 * reported, and a fault of the stage.
 *
 * Errors:  LH_ECORRUPT: a line of a mirror is not a scored run.
 */

/* The counts of one file of evidence: read = written + skipped + deduped. */
struct lh_score_file {
	const char *evidence, *scored;	/* paths in the root */
	uint64_t read, written, skipped, deduped;
	uint64_t by[LH_CATEGORIES];	/* of those written */
};

/* Callbacks on the calling thread, in order of path and line. */
struct lh_score_watch {
	void (*bad)(void *ctx, const char *evidence, uint64_t line, const char *why);
	int (*file)(void *ctx, const struct lh_score_file *f, struct lh_err *err);
	void *ctx;
};

/* Do lh_stage_score with callbacks. */
int lh_stage_score_watched(struct lh_run *run, struct lh_stage_result *res,
			   const struct lh_score_watch *watch, struct lh_err *err);

/* Return the mirror of a file of evidence; the caller frees it. */
char *lh_score_mirror(const char *evidence);

/*
 * stage_export - the last three stages of a run: make samples of scored runs.
 *
 * Scored runs are read in the order of their paths and lines, each joined with its
 * evidence, and become a sample in the exporter's file or a row in its quarantine.
 * A sample on file already is counted and not written again, so a repeated run has
 * the same counts and changes nothing.  Preference samples are made after
 * everything was read.
 *
 * Before the stage has passed, it reads its whole file again (lh_export_check) and
 * uses no decision made while writing.
 *
 * Memory:  36 to 60 bytes for each record, as many for each sample while its file is
 *          verified, 60 and the task id for each record that may be one side of a pair;
 *          never the texts.
 * Errors:  LH_ECORRUPT: the numbers of records read and accounted for differ.
 */

/* Run all three with their defaults in one pass, which reads everything once; res
 * has LH_EXPORTERS results, which must be given to lh_stage_done also after an
 * error. */
int lh_stage_exports(struct lh_run *run, struct lh_stage_result res[LH_EXPORTERS],
		     struct lh_err *err);

/* Further bits of a record's key, after those of its quarantine: it became a sample
 * in this run; its scores, without the gates, forbid it. */
static inline uint64_t lh_export_made(enum lh_exporter x)
{
	return 1ull << (LH_QUARANTINE_BITS + (unsigned)x);
}

static inline uint64_t lh_export_unsafe(enum lh_exporter x)
{
	return 1ull << (LH_QUARANTINE_BITS + LH_EXPORTERS + (unsigned)x);
}

/* The ids of a run's samples, in order of their making; the caller frees them. */
struct lh_export_ids {
	struct lh_key *id;
	size_t n, cap;
};

/* Return an id in the form of a sample's as its digits, any other hashed. */
struct lh_key lh_export_id(const char *id, size_t n);

/*
 * Verify an exporter's file: every line must be a sample by its schema, of a safe
 * category, with a unique id, and not made of a record known to be unsafe, whatever
 * its category; every id in due must be there.  Each fault is reported to res
 * (lh_stage_fault), the first LH_EXPORT_FAULTS in full.  -1 only if the file cannot
 * be read.
 */
#define LH_EXPORT_FAULTS 20
int lh_export_check(const struct lh_root *root, enum lh_exporter x, const struct lh_map *known,
		    const struct lh_export_ids *due, struct lh_stage_result *res,
		    struct lh_err *err);

#endif
