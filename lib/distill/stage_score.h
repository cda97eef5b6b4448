/*
 * stage_score - the second stage of a run: scored runs of all evidence.
 *
 * Each file below data/evidence has its mirror below data/scored-runs.  What has
 * a scored run there under its sig_hash and LH_SCORER_VERSION is not scored
 * again; the rest is, in order, on run->how.jobs threads, and the mirror grows
 * by all of it or by nothing.  A record that is no evidence is skipped, told,
 * and is a fault of the stage.
 *
 * Errors:  LH_ECORRUPT: a line of a mirror is no scored run.
 */
#ifndef LH_STAGE_SCORE_H
#define LH_STAGE_SCORE_H

#include "score.h"
#include "stage.h"

/* What one file of evidence came to: read = written + skipped + deduped. */
struct lh_score_file {
	const char *evidence, *scored;	/* paths in the root */
	uint64_t read, written, skipped, deduped;
	uint64_t by[LH_CATEGORIES];	/* of those written */
};

/* Who wants to be told, on the calling thread, in order of path and line. */
struct lh_score_watch {
	void (*bad)(void *ctx, const char *evidence, uint64_t line, const char *why);
	int (*file)(void *ctx, const struct lh_score_file *f, struct lh_err *err);
	void *ctx;
};

/* lh_stage_score with somebody to tell. */
int lh_stage_score_watched(struct lh_run *run, struct lh_stage_result *res, const struct lh_score_watch *watch, struct lh_err *err);

/* The mirror of a file of evidence; freed by the caller. */
char *lh_score_mirror(const char *evidence, struct lh_err *err);

#endif
