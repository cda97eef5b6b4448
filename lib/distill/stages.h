/*
 * stages - run one of the five stages of a distillation in a run (stage.h): collect, score,
 * and the three exports; and do so in the parts of a run that is divided.
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

/* The counts of one source; read is the sum of the others.  In a divided run they are of
 * the rows of the shard. */
struct lh_collected {
	bool present;
	uint64_t read, written, skipped, deduped;
	struct lh_file_digest digest;	/* of the source as it was read; its records are the rows
					   of all shards */
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

/* Append the counts of the sources that were read, a line of JSON each. */
void lh_collect_print(const struct lh_run *run, const struct lh_collect *c, struct lh_buf *out);

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

/* The same without the receipt. */
int lh_score_files(struct lh_run *run, struct lh_stage_result *res,
		   const struct lh_score_watch *watch, struct lh_err *err);

/*
 * Add scored runs that were made elsewhere to a mirror; one of a sig_hash on file is left
 * out.  The commit adds them to the counts of the stage.
 */
struct lh_score_mirrored;
struct lh_score_mirrored *lh_score_mirror_open(struct lh_run *run, const char *scored,
					       struct lh_err *err);
int lh_score_mirror_add(struct lh_score_mirrored *m, const struct lh_scored *scored, const char *p,
			size_t n, struct lh_err *err);
int lh_score_mirror_commit(struct lh_score_mirrored *m, struct lh_stage_result *res,
			   struct lh_err *err);
void lh_score_mirror_close(struct lh_score_mirrored *m);	/* NULL is allowed */

/* Return the mirror of a file of evidence; the caller frees it. */
char *lh_score_mirror(const char *evidence, struct lh_err *err);

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

/* Return an id in the form of lh_sample_id as its digits, any other hashed. */
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

/*
 * part - a run that is divided: its parts, and how they are joined.
 *
 * Each process of a divided run does the rows of one shard (struct lh_run_how), and
 * writes them into a folder of the root that the sources are in:
 *
 *     shards/<run_id>/<I>-of-<N>/            a part, laid out as a root
 *     shards/<run_id>/<I>-of-<N>/part.json   written last: a part with it is complete
 *     shards/<run_id>/recorded_at            the time of the run, if no option has it
 *
 * part.json has what the part is of, the digests of the sources as they were read and
 * those of the part's files, and a hash of itself.  A part that is made again is emptied
 * first.  A row goes by its sig_hash; a row without one by its line, as in base/xxh3.h.
 *
 * lh_parts_open locks all parts of a run and checks them: each of 0 to N-1 is there once,
 * complete and unchanged; they are of the same run, job and time; and the sources are
 * still those that they have read.  Then lh_stage_join_collect and lh_stage_join_score do
 * in the root what lh_stage_collect and lh_stage_score would do, with the same bytes, but
 * take evidence and scored runs from the parts: these are merged by their lines, which
 * reads each part once.  A row that is on file is not appended, so that a join that was
 * killed is completed by the next.
 *
 *     parts = lh_parts_open(run, &tool.err);
 *     rc = parts ? lh_stage_join_collect(run, parts, &res, &how, &tool.err) : -1;
 *     ...
 *     lh_parts_close(parts);
 *
 * Memory:  for each part a window of a file; as in stage.h.  A descriptor or two
 *          for each part.
 * Errors:  0, or -1 (NULL) with *err, which names the part.  LH_ECORRUPT: a part is
 *          missing, or of something else, or was changed.
 */

#define LH_PART_SHARDS "shards"
#define LH_PART_FILE "part.json"

enum lh_part_job { LH_PART_MATERIALIZE, LH_PART_DISTILL };

/* Complete the part that run has made: write part.json, and append it to out. */
int lh_part_finish(struct lh_run *run, enum lh_part_job job, const struct lh_collect *how,
		   struct lh_buf *out, struct lh_err *err);

struct lh_parts;

/* Open the parts of the run in its root.  The run gets their recorded_at; it is an error
 * if its options say another. */
struct lh_parts *lh_parts_open(struct lh_run *run, struct lh_err *err);
void lh_parts_close(struct lh_parts *parts);	/* NULL is allowed */

enum lh_part_job lh_parts_job(const struct lh_parts *parts);

/* Collect what the parts have collected; how is filled as by lh_stage_collect, with the
 * dedup and the sources of the parts. */
int lh_stage_join_collect(struct lh_run *run, const struct lh_parts *parts,
			  struct lh_stage_result *res, struct lh_collect *how, struct lh_err *err);

/* Score the evidence that is on file before the parts are collected, as a run would: its
 * scored runs come first.  This begins the stage that lh_stage_join_score ends. */
int lh_stage_join_begin(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err);

/* Add the scored runs of the parts to those on file. */
int lh_stage_join_score(struct lh_run *run, const struct lh_parts *parts,
			struct lh_stage_result *res, struct lh_err *err);

/* Copy the receipts of the parts to the reports of the run: shards/<I>-of-<N>/. */
int lh_parts_keep(struct lh_run *run, const struct lh_parts *parts, struct lh_err *err);

#endif
