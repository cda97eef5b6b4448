/* best.c - a heap of the best rows, the worst of them first.  See best.h. */
#include "best.h"

#include <stdlib.h>

#include "base/mem.h"

int lh_best_begin(struct lh_best *b, size_t k, const struct lh_lexical_rows *rows,
		  struct lh_err *err)
{
	b->rows = rows;
	b->keep = k;
	b->held = 0;
	return lh_grow(&b->heap, &b->cap, k, sizeof *b->heap, err);
}

static bool worse(const struct lh_best *b, const struct lh_lexical_hit *x,
		  const struct lh_lexical_hit *y)
{
	if (x->score != y->score)
		return x->score < y->score;
	return b->rows->order(b->rows->ctx, x->row, y->row) > 0;
}

static void sink(const struct lh_best *b, size_t i, size_t n, struct lh_lexical_hit hit)
{
	struct lh_lexical_hit *h = b->heap;
	size_t kid;

	while ((kid = 2 * i + 1) < n) {
		if (kid + 1 < n && worse(b, &h[kid + 1], &h[kid]))
			kid++;
		if (!worse(b, &h[kid], &hit))
			break;
		h[i] = h[kid];
		i = kid;
	}
	h[i] = hit;
}

int lh_best_offer(struct lh_best *b, uint64_t row, double score, struct lh_err *err)
{
	struct lh_lexical_hit hit = { score, row }, *h = b->heap;
	size_t i, up;
	int rc;

	if (b->held == b->keep && !worse(b, &h[0], &hit))
		return 0;
	rc = b->rows->allow(b->rows->ctx, row, err);
	if (rc <= 0)
		return rc;
	if (b->held == b->keep) {
		sink(b, 0, b->held, hit);
		return 0;
	}
	for (i = b->held++; i && worse(b, &hit, &h[up = (i - 1) / 2]); i = up)
		h[i] = h[up];
	h[i] = hit;
	return 0;
}

long lh_best_take(struct lh_best *b, struct lh_lexical_hit *out)
{
	size_t i;

	for (i = b->held; i--; ) {
		out[i] = b->heap[0];
		sink(b, 0, i, b->heap[i]);
	}
	return (long)b->held;
}

void lh_best_free(struct lh_best *b)
{
	free(b->heap);
	*b = (struct lh_best){ .heap = NULL };
}
