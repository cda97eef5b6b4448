/*
 * stage_export - the last three stages of a run: samples out of scored runs.
 *
 * Scored runs are read in the order of their paths and lines, each joined with
 * its evidence, and become a sample in the exporter's file or a row in its
 * quarantine.  What stands there already is counted and not written again, so a
 * run repeated counts as it did and changes nothing.  Preference samples are
 * made when all was read.
 *
 * Before the stage has passed, it reads its whole file again (lh_export_check)
 * and trusts nothing that it knew while writing.
 *
 * Memory:  32 to 48 bytes for each record, as many for each sample while its
 *          file is read again, 60 and the task id for each record that may be
 *          one side of a pair; never the texts.
 * Errors:  LH_ECORRUPT: records read and accounted for differ in number.
 */
#ifndef LH_STAGE_EXPORT_H
#define LH_STAGE_EXPORT_H

#include "quarantine.h"
#include "stage.h"

/* All three with their defaults in one pass, which reads everything once; res
 * has LH_EXPORTERS results, to be given to lh_stage_done also after an error. */
int lh_stage_exports(struct lh_run *run, struct lh_stage_result res[LH_EXPORTERS], struct lh_err *err);

/* What else is known of a record, beside its quarantine: it became a sample in
 * this run; by its score, apart from the gates, it must not. */
static inline uint64_t lh_export_made(enum lh_exporter x)
{
	return 1ull << (LH_QUARANTINE_BITS + (unsigned)x);
}

static inline uint64_t lh_export_unsafe(enum lh_exporter x)
{
	return 1ull << (LH_QUARANTINE_BITS + LH_EXPORTERS + (unsigned)x);
}

/* The ids of a run's samples, in the order in which they were made; freed by
 * the caller. */
struct lh_export_ids {
	struct lh_key *id;
	size_t n, cap;
};

/* An id of ours as it is, any other hashed. */
struct lh_key lh_export_id(const char *id, size_t n);

/*
 * Read an exporter's file again: every line must be a sample by its schema, of a
 * category that is safe, with an id of its own, and not made of a record that is
 * known to be unsafe, whatever it says; every id in due must be there.  Each fault is told
 * to res (lh_stage_fault), the first LH_EXPORT_FAULTS in full.  -1 only when the
 * file cannot be read.
 */
#define LH_EXPORT_FAULTS 20
int lh_export_check(const struct lh_root *root, enum lh_exporter x, const struct lh_keymap *known,
			   const struct lh_export_ids *due, struct lh_stage_result *res, struct lh_err *err);

#endif
