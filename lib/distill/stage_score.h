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
#ifndef LH_STAGE_SCORE_H
#define LH_STAGE_SCORE_H

#include "score.h"
#include "stage.h"

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

#endif
