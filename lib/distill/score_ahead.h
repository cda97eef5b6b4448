/*
 * score_ahead - evidence that is scored while it is collected; not
 * installed.
 *
 * When the score stage follows in the same run, collect holds in its hands what
 * score would read again a moment later.  So a file of evidence that begins,
 * and has no mirror yet, gets one on the way: a temporary file until the score
 * stage comes to that evidence, finds that it still is what was scored, by its
 * hash, and that there still is no mirror, and commits this one.  Evidence that
 * somebody changed or scored meanwhile is read and scored like any other, and
 * what was scored ahead is dropped.
 *
 *     lh_ahead_open(&a, run, evidence, err);          a NULL: this file cannot be
 *     lh_ahead_line(a, category, scored, n, err);     each, in order
 *     lh_ahead_done(a, err);                          the evidence is committed
 *     ...
 *     if (lh_ahead_take(run, &file, &mirror, err) > 0)        settle, commit, close mirror
 *
 * Owner:   the run has them (lh_ahead_free), and holds them until it is closed.
 * Threads: one thread per run.
 */
#ifndef LH_SCORE_AHEAD_H
#define LH_SCORE_AHEAD_H

#include "stage_score.h"

struct lh_ahead;

int lh_ahead_open(struct lh_ahead **a, struct lh_run *run, const char *evidence, struct lh_err *err);
int lh_ahead_line(struct lh_ahead *a, enum lh_category category, const char *line, size_t n, struct lh_err *err);
int lh_ahead_done(struct lh_ahead *a, struct lh_err *err);

/* Was the evidence of f scored ahead?  1, with f's counts and its mirror, which
 * is the caller's from then on; 0, or -1. */
int lh_ahead_take(struct lh_run *run, struct lh_score_file *f, struct lh_append **mirror, struct lh_err *err);

void lh_ahead_free(struct lh_ahead *all);	/* NULL is fine */

#endif
