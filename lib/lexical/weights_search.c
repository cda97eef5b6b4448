/* weights_search.c - find the rows with the highest sums of weights.  See weights.h. */
#include "weights.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/mem.h"
#include "best.h"

#define WINDOW 1024	/* rows: their sums fit the first-level cache */

/* A term of the query; in the order of the sum, backwards. */
struct lh_weights_cursor {
	struct lh_weights_postings p;
	int64_t term;		/* its number in the part, or -1 */
	double weight;		/* in the query */
	double most;		/* that it and all terms before it add to a row of the window */
	uint32_t at;		/* the next posting; p.n: none */
};

struct scan {
	struct lh_weights_search *s;
	const struct lh_weights *ix;
	struct lh_err *err;
	uint64_t before;	/* rows of the parts before it */
	size_t first;		/* terms before it are only looked up */
};

static int damaged(const struct scan *c, const struct lh_weights_cursor *a)
{
	return lh_err_set(c->err, LH_ECORRUPT, "weights: those of term %lld are damaged",
			  (long long)a->term);
}

static int64_t find(const struct lh_weights *ix, struct lh_str text)
{
	struct lh_lexical as = { .term = ix->term, .terms = ix->terms, .texts = ix->texts,
				 .texts_n = ix->texts_n };

	return lh_lexical_find(&as, text);
}

/* Move to the first posting at or after row, by steps that double. */
static void seek(struct lh_weights_cursor *a, uint64_t row)
{
	uint32_t lo = a->at, hi, step = 1;

	if (lo >= a->p.n || lh_once32(&a->p.row[lo]) >= row)
		return;
	while (step < a->p.n - lo && lh_once32(&a->p.row[lo + step]) < row) {
		lo += step;
		step *= 2;
	}
	hi = step < a->p.n - lo ? lo + step : a->p.n;
	for (lo++; lo < hi; ) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (lh_once32(&a->p.row[mid]) < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	a->at = lo;
}

/* Read what the current posting adds; false if it is damaged. */
static inline bool share(const struct lh_weights_cursor *a, double *to)
{
	float w = a->p.weight[a->at];

	*to = a->weight * (double)w;
	return w > 0 && w <= a->p.most[a->at / LH_WEIGHTS_BLOCK] && w <= __FLT_MAX__;
}

/* Return the most that a term adds to a row before end. */
static double most_before(const struct lh_weights_cursor *a, uint64_t end)
{
	uint32_t i = a->at;
	float most = 0, is;

	for (; i < a->p.n && lh_once32(&a->p.row[i]) < end;
	     i = (i / LH_WEIGHTS_BLOCK + 1) * LH_WEIGHTS_BLOCK) {
		is = a->p.most[i / LH_WEIGHTS_BLOCK];
		most = most > is ? most : is;
	}
	return a->weight * (double)most;
}

/* Move *base to the next row that any term has, and find which terms can bring a row of the
 * window that begins there among the best: 1, 0 at the end, -1. */
static int begin_window(struct scan *c, uint64_t *base)
{
	struct lh_weights_search *s = c->s;
	uint64_t next = UINT64_MAX, row;
	double most = 0;
	size_t i;

	for (i = 0; i < s->n; i++) {
		struct lh_weights_cursor *a = &s->at[i];

		seek(a, *base);
		if (a->at >= a->p.n)
			continue;
		row = lh_once32(&a->p.row[a->at]);
		if (row < *base || row >= c->ix->rows)
			return damaged(c, a);
		next = next < row ? next : row;
	}
	if (next == UINT64_MAX)
		return 0;
	*base = next;
	for (c->first = i = 0; i < s->n; i++) {
		most += most_before(&s->at[i], next + WINDOW);
		s->at[i].most = most;
		if (lh_best_is_low(&s->best, most))
			c->first = i + 1;
	}
	return 1;
}

/* Add a term's shares to the sums of the rows of a window. */
static int sum_term(struct scan *c, struct lh_weights_cursor *a, uint64_t base)
{
	double add;

	for (; a->at < a->p.n; a->at++) {
		uint32_t row = lh_once32(&a->p.row[a->at]);
		uint64_t to = row - base;

		if (to >= WINDOW)
			return row < base ? damaged(c, a) : 0;
		if (row >= c->ix->rows || !share(a, &add))
			return damaged(c, a);
		c->s->sum[to] += add;
		c->s->met[to / 64] |= UINT64_C(1) << (to % 64);
	}
	return 0;
}

/* Add the terms that are only looked up, as long as the row may be good enough. */
static int finish_row(struct scan *c, uint64_t row, double sum)
{
	double add;
	size_t i;

	for (i = c->first; i--; ) {
		struct lh_weights_cursor *a = &c->s->at[i];

		if (lh_best_is_low(&c->s->best, sum + a->most))
			return 0;
		seek(a, row);
		if (a->at >= a->p.n || lh_once32(&a->p.row[a->at]) != row)
			continue;
		if (!share(a, &add))
			return damaged(c, a);
		sum += add;
	}
	return sum > 0 ? lh_best_offer(&c->s->best, c->before + row, sum, c->err) : 0;
}

static int scan_window(struct scan *c, uint64_t base)
{
	struct lh_weights_search *s = c->s;
	size_t i, w;

	for (i = s->n; i-- > c->first; )
		if (sum_term(c, &s->at[i], base) < 0)
			return -1;
	for (w = 0; w < WINDOW / 64 && c->first < s->n; w++) {
		uint64_t met = s->met[w];

		s->met[w] = 0;
		for (; met; met &= met - 1) {
			size_t at = 64 * w + (size_t)__builtin_ctzll(met);
			double sum = s->sum[at];

			s->sum[at] = 0;
			if (finish_row(c, base + at, sum) < 0)
				return -1;
		}
	}
	return 0;
}

static int scan_part(struct scan *c, const struct lh_weighted *term, size_t n)
{
	struct lh_weights_search *s = c->s;
	uint64_t base = 0;
	int rc;

	for (s->n = 0; n--; ) {
		struct lh_weights_cursor a = { .weight = term[n].weight };

		a.term = find(c->ix, term[n].term);
		if (a.term < 0)
			continue;
		if (!lh_weights_postings(c->ix, (uint64_t)a.term, &a.p))
			return damaged(c, &a);
		s->at[s->n++] = a;
	}
	for (; (rc = begin_window(c, &base)) > 0; base += WINDOW)
		if (scan_window(c, base) < 0)
			return -1;
	return rc;
}

/* Clear the state that a window interrupted by an error may have left. */
static int prepare(struct lh_weights_search *s, size_t terms, struct lh_err *err)
{
	if (!s->sum)
		s->sum = lh_calloc(WINDOW, sizeof *s->sum, err);
	if (!s->met)
		s->met = lh_calloc(WINDOW / 64, sizeof *s->met, err);
	if (!s->sum || !s->met)
		return -1;
	memset(s->sum, 0, WINDOW * sizeof *s->sum);
	memset(s->met, 0, WINDOW / 8);
	return lh_grow(&s->at, &s->cap, terms, sizeof *s->at, err);
}

static int by_weight(const void *a, const void *b)
{
	const struct lh_weighted *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return lh_str_cmp(x->term, y->term);
}

long lh_weights_search(struct lh_weights_search *s, struct lh_weighted *term, size_t n,
		       const struct lh_weights *const *part, size_t parts, size_t k,
		       const struct lh_lexical_rows *rows, struct lh_lexical_hit *out,
		       struct lh_err *err)
{
	struct scan c = { .s = s, .err = err };
	size_t i;

	if (!k || !n)
		return 0;
	if (prepare(s, n, err) < 0 || lh_best_begin(&s->best, k, rows, err) < 0)
		return -1;
	qsort(term, n, sizeof *term, by_weight);
	for (i = 0; i < parts; i++) {
		c.ix = part[i];
		if (scan_part(&c, term, n) < 0)
			return -1;
		c.before += c.ix->rows;
	}
	return lh_best_take(&s->best, out);
}

void lh_weights_search_free(struct lh_weights_search *s)
{
	free(s->at);
	lh_best_free(&s->best);
	free(s->sum);
	free(s->met);
	*s = (struct lh_weights_search){ .at = NULL };
}
