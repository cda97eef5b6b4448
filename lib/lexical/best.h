/*
 * best - the rows with the best scores so far, of a search that goes through many.
 *
 *     lh_best_begin(&b, 10, rows, err);
 *     if (!lh_best_is_low(&b, bound))
 *             lh_best_offer(&b, row, score, err);
 *     n = lh_best_take(&b, hits);
 *     lh_best_free(&b);
 *
 * A zeroed struct is empty; it can be begun again and again.  Rows with equal scores are in the
 * order of lh_lexical_rows.
 */
#ifndef LH_BEST_H
#define LH_BEST_H

#include "lexical.h"

#define LH_BEST_SLACK (1 + 1e-9)	/* of a bound, which is summed in another order */

int lh_best_begin(struct lh_best *b, size_t k, const struct lh_lexical_rows *rows,
		  struct lh_err *err);
/* Add a row, if it is allowed and better than the worst of k. */
int lh_best_offer(struct lh_best *b, uint64_t row, double score, struct lh_err *err);
/* Write the rows to out, best first, and return their number. */
long lh_best_take(struct lh_best *b, struct lh_lexical_hit *out);
void lh_best_free(struct lh_best *b);

/* Return whether a row with at most that score can be left out. */
static inline bool lh_best_is_low(const struct lh_best *b, double score)
{
	return b->held == b->keep && score * LH_BEST_SLACK < b->heap[0].score;
}

#endif
