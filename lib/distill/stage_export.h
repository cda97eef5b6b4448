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
#ifndef LH_STAGE_EXPORT_H
#define LH_STAGE_EXPORT_H

#include "quarantine.h"
#include "stage.h"

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

#endif
