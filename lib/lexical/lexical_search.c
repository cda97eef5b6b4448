/* lexical_search.c - the rows that answer a text best.  See lexical.h. */
#include "lexical.h"

#include <math.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/mem.h"

#define WINDOW 2048	/* rows: their sums stay in the first-level cache */
#define SLACK (1 + 1e-9)	/* of a bound, which is summed in another order */

struct lh_lexical_asked {
	struct lh_lexical_cursor at;
	int64_t term[LH_LEXICAL_PARTS];	/* its number there, or -1 */
	uint32_t times, number;	/* in the text; which word of it */
	double weight;		/* no row gets more by this term */
	double upto;		/* by this and all before it */
};

/* ---- the text ---- */

/* Every word of the text with how often it stands there. */
static int gather(struct lh_lexical_question *q, struct lh_intern *known, const char *text,
		  size_t n, struct lh_err *err)
{
	struct lh_term_iterator words;
	struct lh_str word;
	uint32_t i;

	lh_term_iterator_init(&words, text, n);
	while (lh_term_iterator_next(&words, &word)) {
		if (known->n == LH_LEXICAL_ASKED && lh_idmap_find(&known->map, word.p, word.n) < 0)
			break;
		if (lh_intern_add(known, word.p, word.n, &i, err) < 0 ||
		    lh_grow(&q->asked, &q->cap, known->n, sizeof *q->asked, err) < 0)
			return -1;
		if (i == q->n) {
			q->asked[q->n].times = 0;
			q->asked[q->n++].number = i;
		}
		q->asked[i].times++;
	}
	return 0;
}

/* What the term brings where it stands often in a short row.  ln(1 + (N - n +
 * 0.5) / (n + 0.5)) is ln((N + 1) / (n + 0.5)). */
static double weigh(double rows, double having, uint32_t times)
{
	double idf = log((rows + 1) / (having + 0.5));

	return idf > 0 ? idf * times * (LH_LEXICAL_K1 + 1) : 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct lh_lexical_asked *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Keep the terms that some part has. */
static void look_up(struct lh_lexical_question *q, const struct lh_intern *known)
{
	double rows = 0, words = 0, having;
	size_t i, p, n = 0;

	for (p = 0; p < q->parts; p++) {
		rows += (double)q->part[p]->head.rows;
		words += (double)q->part[p]->head.words;
	}
	q->mean = rows > 0 && words > 0 ? words / rows : 1;
	for (i = 0; i < q->n; i++) {
		struct lh_lexical_asked a = q->asked[i];

		for (having = 0, p = 0; p < q->parts; p++) {
			a.term[p] = lh_lexical_find(q->part[p], lh_intern_text(known, a.number));
			if (a.term[p] >= 0)
				having += q->part[p]->term[a.term[p]].rows;
		}
		a.weight = weigh(rows, having, a.times);
		if (having > 0)
			q->asked[n++] = a;
	}
	q->n = n;
	if (n)
		qsort(q->asked, n, sizeof *q->asked, by_weight);
}

int lh_lexical_ask(struct lh_lexical_question *q, const char *text, size_t n,
		   const struct lh_lexical *const *parts, size_t n_parts, struct lh_err *err)
{
	struct lh_intern known;
	int rc;

	q->n = 0;
	q->parts = n_parts;
	memcpy(q->part, parts, n_parts * sizeof *parts);
	lh_intern_init(&known);
	rc = gather(q, &known, text, n, err);
	if (rc == 0)
		look_up(q, &known);
	lh_intern_free(&known);
	return rc;
}

void lh_lexical_question_free(struct lh_lexical_question *q)
{
	free(q->asked);
	free(q->heap);
	free(q->sum);
	free(q->met);
	*q = (struct lh_lexical_question){ .parts = 0 };
}

/* ---- the best so far ---- */

struct top {
	struct lh_lexical_question *q;
	const struct lh_lexical_rows *rows;
	struct lh_err *err;
	const struct lh_lexical *ix;	/* the part at hand */
	size_t part;
	uint64_t before;		/* rows of the parts before it */
	size_t first;			/* terms before it are only looked up */
	double short_row, a_word;	/* of K1 * (1 - B + B * l / L) */
};

static bool worse(const struct top *t, const struct lh_lexical_hit *a,
		  const struct lh_lexical_hit *b)
{
	if (a->score != b->score)
		return a->score < b->score;
	return t->rows->order(t->rows->ctx, a->row, b->row) > 0;
}

static void sink(const struct top *t, size_t i, size_t n, struct lh_lexical_hit hit)
{
	struct lh_lexical_hit *h = t->q->heap;
	size_t kid;

	while ((kid = 2 * i + 1) < n) {
		if (kid + 1 < n && worse(t, &h[kid + 1], &h[kid]))
			kid++;
		if (!worse(t, &h[kid], &hit))
			break;
		h[i] = h[kid];
		i = kid;
	}
	h[i] = hit;
}

static int offer(const struct top *t, uint64_t row, double score)
{
	struct lh_lexical_hit hit = { score, row }, *h = t->q->heap;
	size_t i, up;
	int rc;

	if (t->q->held == t->q->keep && !worse(t, &h[0], &hit))
		return 0;
	rc = t->rows->allow(t->rows->ctx, row, t->err);
	if (rc <= 0)
		return rc;
	if (t->q->held == t->q->keep) {
		sink(t, 0, t->q->held, hit);
		return 0;
	}
	for (i = t->q->held++; i && worse(t, &hit, &h[up = (i - 1) / 2]); i = up)
		h[i] = h[up];
	h[i] = hit;
	return 0;
}

/* Can a row with at most that score be left out? */
static inline bool too_little(const struct top *t, double score)
{
	return t->q->held == t->q->keep && score * SLACK < t->q->heap[0].score;
}

/* ---- rows ---- */

static int damaged(const struct top *t, const struct lh_lexical_asked *a)
{
	return lh_err_set(t->err, LH_ECORRUPT, "postings: those of term %lld are damaged",
			  (long long)a->term[t->part]);
}

static inline double score(const struct top *t, const struct lh_lexical_asked *a)
{
	double times = a->at.times[a->at.at];

	return a->weight * times /
	       (times + t->short_row + t->a_word * t->ix->length[a->at.row[a->at.at]]);
}

static int begin_part(struct top *t)
{
	double upto = 0;
	size_t i;

	t->first = 0;
	for (i = 0; i < t->q->n; i++) {
		struct lh_lexical_asked *a = &t->q->asked[i];

		a->at.n = 0;
		if (a->term[t->part] >= 0) {
			if (lh_lexical_begin(&a->at, t->ix, (uint64_t)a->term[t->part]) < 0)
				return damaged(t, a);
			upto += a->weight;
		}
		a->upto = upto;
	}
	return 0;
}

/* The first row that a term which counts has; false when none has any more. */
static bool next_row(struct top *t, uint32_t *row)
{
	bool any = false;
	size_t i;

	while (t->first < t->q->n && too_little(t, t->q->asked[t->first].upto))
		t->first++;
	for (i = t->first; i < t->q->n; i++) {
		const struct lh_lexical_cursor *c = &t->q->asked[i].at;

		if (c->n && (!any || c->row[c->at] < *row)) {
			*row = c->row[c->at];
			any = true;
		}
	}
	return any;
}

/* What a term brings to the rows of a window. */
static int sum_term(struct top *t, struct lh_lexical_asked *a, uint32_t base)
{
	struct lh_lexical_cursor *c = &a->at;
	uint32_t to;

	while (c->n) {
		for (; c->at < c->n && (to = c->row[c->at] - base) < WINDOW; c->at++) {
			t->q->sum[to] += score(t, a);
			t->q->met[to / 64] |= UINT64_C(1) << (to % 64);
		}
		if (c->at < c->n)
			break;
		if (lh_lexical_next_block(c) < 0)
			return damaged(t, a);
	}
	return 0;
}

/* Add what the terms that were left out bring, as long as it may be enough. */
static int finish_row(struct top *t, uint32_t row, double sum)
{
	size_t i;
	int rc;

	for (i = t->first; i--; ) {
		struct lh_lexical_asked *a = &t->q->asked[i];

		if (too_little(t, sum + a->upto))
			return 0;
		rc = a->at.n ? lh_lexical_seek(&a->at, row) : 0;
		if (rc < 0)
			return damaged(t, a);
		if (rc && a->at.row[a->at.at] == row)
			sum += score(t, a);
	}
	return offer(t, t->before + row, sum);
}

/* Sums go from the weightiest term down, whichever are left out: a score does
 * not depend on what else was found. */
static int scan_window(struct top *t, uint32_t base)
{
	size_t i, w;

	for (i = t->q->n; i-- > t->first; )
		if (sum_term(t, &t->q->asked[i], base) < 0)
			return -1;
	for (w = 0; w < WINDOW / 64; w++) {
		uint64_t met = t->q->met[w];

		t->q->met[w] = 0;
		for (; met; met &= met - 1) {
			uint32_t at = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(met);
			double sum = t->q->sum[at];

			t->q->sum[at] = 0;
			if (finish_row(t, base + at, sum) < 0)
				return -1;
		}
	}
	return 0;
}

static int scan_part(struct top *t)
{
	uint32_t row = 0;

	if (begin_part(t) < 0)
		return -1;
	while (next_row(t, &row))
		if (scan_window(t, row) < 0)
			return -1;
	return 0;
}

/* A window that an error cut off must not show in the next question. */
static int ready(struct lh_lexical_question *q, size_t k, struct lh_err *err)
{
	q->keep = k;
	q->held = 0;
	if (!q->sum)
		q->sum = lh_calloc(WINDOW, sizeof *q->sum, err);
	if (!q->met)
		q->met = lh_calloc(WINDOW / 64, sizeof *q->met, err);
	if (!q->sum || !q->met)
		return -1;
	memset(q->sum, 0, WINDOW * sizeof *q->sum);
	memset(q->met, 0, WINDOW / 8);
	return lh_grow(&q->heap, &q->cap_heap, k, sizeof *q->heap, err);
}

long lh_lexical_top(struct lh_lexical_question *q, size_t k, const struct lh_lexical_rows *rows,
		    struct lh_lexical_hit *out, struct lh_err *err)
{
	struct top t = { .q = q, .rows = rows, .err = err };
	size_t i;

	if (!k || !q->n)
		return 0;
	if (ready(q, k, err) < 0)
		return -1;
	t.short_row = LH_LEXICAL_K1 * (1 - LH_LEXICAL_B);
	t.a_word = LH_LEXICAL_K1 * LH_LEXICAL_B / q->mean;
	for (t.part = 0; t.part < q->parts; t.part++) {
		t.ix = q->part[t.part];
		if (scan_part(&t) < 0)
			return -1;
		t.before += t.ix->rows;
	}
	for (i = q->held; i--; ) {
		out[i] = q->heap[0];
		sink(&t, 0, i, q->heap[i]);
	}
	return (long)q->held;
}
