/* lexical.c - read an inverted index, with every step checked, and search it.  See lexical.h. */
#include "lexical.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/bits.h"
#include "base/mem.h"
#include "base/table.h"

/* ---- reading ---- */

int lh_lexical_open(struct lh_lexical *ix, uint64_t rows, const struct lh_str run[4])
{
	uint64_t left = run[1].n - sizeof ix->head;

	if (run[0].n != 4 * rows)
		return LH_LEXICAL_BAD_LENGTHS;
	if (run[1].n < sizeof ix->head + sizeof *ix->term || left % sizeof *ix->term)
		return LH_LEXICAL_BAD_TERMS;
	*ix = (struct lh_lexical){
		.rows = rows,
		.length = (const void *)run[0].p,
		.term = (const void *)(run[1].p + sizeof ix->head),
		.terms = left / sizeof *ix->term - 1,
		.texts = run[2].p,
		.texts_n = run[2].n,
		.postings = (const void *)run[3].p,
		.postings_n = run[3].n,
	};
	memcpy(&ix->head, run[1].p, sizeof ix->head);
	return LH_LEXICAL_GOOD;
}

/* Read a term by its number; false when its offsets are damaged. */
static bool read_term(const struct lh_lexical *ix, uint64_t i, struct lh_str *text)
{
	uint32_t at = lh_once32(&ix->term[i].text), end = lh_once32(&ix->term[i + 1].text);

	if (at > end || end > ix->texts_n)
		return false;
	*text = (struct lh_str){ ix->texts + at, end - at };
	return true;
}

int64_t lh_lexical_find(const struct lh_lexical *ix, struct lh_str text)
{
	uint64_t lo = 0, hi = ix->terms, mid;
	struct lh_str is;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (!read_term(ix, mid, &is))
			return -1;
		c = lh_str_cmp(text, is);
		if (!c)
			return (int64_t)mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

static int lh_lexical_next_block(struct lh_lexical_cursor *c);

/* ---- postings ---- */

int lh_lexical_begin(struct lh_lexical_cursor *c, const struct lh_lexical *ix, uint64_t term)
{
	const struct lh_lexical_term *t = &ix->term[term];
	uint64_t at = lh_once64(&t->postings), end = lh_once64(&t[1].postings), table = 0;
	uint32_t rows = lh_once32(&t->rows), blocks;

	if (at > end || end > ix->postings_n || !rows || rows > ix->rows)
		return -1;
	blocks = (rows - 1) / LH_LEXICAL_BLOCK + 1;
	if (blocks > 1)
		table = blocks * sizeof(struct lh_lexical_skip);
	if (table > end - at)
		return -1;
	c->ix = ix;
	c->table = table ? ix->postings + at : NULL;
	c->p = ix->postings + at + table;
	c->end = ix->postings + end;
	c->block = c->before = c->at = c->n = 0;
	c->blocks = blocks;
	c->left = rows;
	return lh_lexical_next_block(c);
}

/* Read a number of at most 33 bits; false when it is longer or reaches past the end. */
static inline bool get_number(const unsigned char **p, const unsigned char *end, uint64_t *out)
{
	uint64_t v = 0;
	unsigned shift;

	for (shift = 0; shift < 35 && *p < end; shift += 7) {
		unsigned char b = *(*p)++;

		v |= (uint64_t)(b & 127) << shift;
		if (b < 128) {
			*out = v;
			return true;
		}
	}
	return false;
}

static int lh_lexical_next_block(struct lh_lexical_cursor *c)
{
	uint32_t i, n = c->left < LH_LEXICAL_BLOCK ? c->left : LH_LEXICAL_BLOCK;
	const unsigned char *p = c->p;
	uint64_t after = c->before, step, times;

	c->at = c->n = 0;
	for (i = 0; i < n; i++) {
		if (!get_number(&p, c->end, &step))
			return -1;
		after += (step >> 1) + 1;
		times = 1;
		if ((step & 1) && !get_number(&p, c->end, &times))
			return -1;
		if (after > c->ix->rows || !times || times > UINT32_MAX)
			return -1;
		c->row[i] = (uint32_t)after - 1;
		c->times[i] = (uint32_t)times;
	}
	c->p = p;
	c->n = n;
	c->left -= n;
	c->block++;
	c->before = (uint32_t)after;
	return n > 0;
}

static struct lh_lexical_skip block_skip(const struct lh_lexical_cursor *c, uint32_t block)
{
	struct lh_lexical_skip s;

	memcpy(&s, c->table + block * sizeof s, sizeof s);
	return s;
}

/* Move to the block that may hold the row, if that is not the next one. */
static int skip_to(struct lh_lexical_cursor *c, uint32_t row)
{
	const unsigned char *begin = c->table + c->blocks * sizeof(struct lh_lexical_skip);
	uint32_t lo = c->block, hi = c->blocks - 1, mid;
	struct lh_lexical_skip s;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (block_skip(c, mid).row < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->block)
		return 0;
	s = block_skip(c, lo - 1);
	if (s.row >= c->ix->rows || s.row < c->before || s.end > (size_t)(c->end - begin))
		return -1;
	c->left -= (lo - c->block) * LH_LEXICAL_BLOCK;
	c->block = lo;
	c->before = s.row + 1;
	c->p = begin + s.end;
	return 0;
}

int lh_lexical_seek(struct lh_lexical_cursor *c, uint32_t row)
{
	int rc;

	while (c->n && c->row[c->n - 1] < row) {
		if (c->table && c->block < c->blocks && skip_to(c, row) < 0)
			return -1;
		rc = lh_lexical_next_block(c);
		if (rc <= 0)
			return rc;
	}
	while (c->at < c->n && c->row[c->at] < row)
		c->at++;
	return c->at < c->n;
}

/* ---- checking ---- */

struct check {
	const struct lh_lexical *ix;
	void (*damage)(void *ctx, int run, const char *text);
	void *ctx;
	uint32_t *words;	/* of each row, counted from the postings */
};

LH_PRINTF(3, 4)
static void report(const struct check *c, int run, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->damage(c->ctx, run, text);
}

/* Check the postings of a term, all of them. */
static bool check_postings(struct check *c, uint64_t term)
{
	struct lh_lexical_cursor at;
	uint32_t i;
	int rc;

	for (rc = lh_lexical_begin(&at, c->ix, term); rc > 0; rc = lh_lexical_next_block(&at)) {
		if (at.table) {
			struct lh_lexical_skip s = block_skip(&at, at.block - 1);

			if (s.row != at.before - 1 ||
			    at.p != at.table + at.blocks * sizeof s + s.end)
				return false;
		}
		for (i = 0; i < at.n; i++)
			if (__builtin_add_overflow(c->words[at.row[i]], at.times[i],
						   &c->words[at.row[i]]))
				return false;
	}
	return rc == 0 && at.p == at.end;
}

static void check_terms(struct check *c)
{
	const struct lh_lexical *ix = c->ix;
	const struct lh_lexical_term *end = &ix->term[ix->terms];
	struct lh_str before = { "", 0 }, text;
	uint64_t i;

	if (ix->term->text || ix->term->postings)
		report(c, 1, "the first term does not begin at 0");
	for (i = 0; i < ix->terms; i++, before = text) {
		if (!read_term(ix, i, &text)) {
			report(c, 1, "term %llu: its place is wrong", (unsigned long long)i);
			return;
		}
		if (lh_str_cmp(before, text) >= 0)
			report(c, 2, "term %llu: not in order", (unsigned long long)i);
		else if (!lh_utf8_valid(text.p, text.n))
			report(c, 2, "term %llu: not UTF-8", (unsigned long long)i);
		if (!check_postings(c, i))
			report(c, 3, "term %llu: its postings are wrong", (unsigned long long)i);
	}
	if (end->rows || end->text != ix->texts_n || end->postings != ix->postings_n)
		report(c, 1, "the end is wrong");
}

void lh_lexical_verify(const struct lh_lexical *ix,
		       void (*damage)(void *ctx, int run, const char *text), void *ctx)
{
	struct check c = { .ix = ix, .damage = damage, .ctx = ctx };
	uint64_t row, words = 0, rows = 0;

	c.words = lh_calloc(ix->rows, sizeof *c.words);
	check_terms(&c);
	for (row = 0; row < ix->rows; row++) {
		words += ix->length[row];
		rows += ix->length[row] > 0;
		if (ix->length[row] != c.words[row])
			report(&c, 0, "row %llu: %u words, its terms have %u",
			       (unsigned long long)row, ix->length[row], c.words[row]);
	}
	if (words != ix->head.words || rows != ix->head.rows)
		report(&c, 1, "the sums are wrong");
	free(c.words);
}

/* ---- the rows that match a text best ---- */

#define WINDOW 2048	/* rows: their sums fit the first-level cache */
#define SLACK (1 + 1e-9)	/* of a bound, which is summed in another order */

struct lh_lexical_query_term {
	struct lh_lexical_cursor at;
	int64_t number_in[LH_LEXICAL_PARTS];	/* number of the term in each part, or -1 */
	uint32_t times, number;	/* count in the query; place among its words */
	double weight;		/* most that it can add to a row */
	double max_sum;		/* most that it and all terms before it can add */
};

/* ---- the query ---- */

/* Collect the different words of the text, and count them. */
static int collect_words(struct lh_lexical_query *q, struct lh_intern *known, const char *text,
			 size_t n, struct lh_err *err)
{
	struct lh_term_iterator words;
	struct lh_str word;
	uint32_t i;

	lh_term_iterator_init(&words, text, n);
	while (lh_term_iterator_next(&words, &word)) {
		if (known->n == LH_LEXICAL_QUERY_WORDS &&
		    lh_intern_find(known, word.p, word.n) < 0)
			break;
		if (lh_intern_add(known, word.p, word.n, &i, err) < 0)
			return -1;
		lh_grow(&q->term, &q->cap, known->n, sizeof *q->term);
		if (i == q->n) {
			q->term[q->n].times = 0;
			q->term[q->n++].number = i;
		}
		q->term[i].times++;
	}
	return 0;
}

/* Return the most that a term can add: in a short row with many occurrences.  ln(1 + (N
 * - n + 0.5) / (n + 0.5)) is ln((N + 1) / (n + 0.5)). */
static double term_weight(double rows, double having, uint32_t times)
{
	double idf = log((rows + 1) / (having + 0.5));

	return idf > 0 ? idf * times * (LH_LEXICAL_K1 + 1) : 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct lh_lexical_query_term *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

int lh_lexical_count(struct lh_lexical_counts *c, const struct lh_lexical *const *parts,
		     size_t n_parts, struct lh_err *err)
{
	uint64_t row, before = 0;
	size_t p;
	int rc;

	c->rows = c->words = 0;
	for (p = 0; p < n_parts; before += parts[p++]->rows)
		for (row = 0; row < parts[p]->rows; row++) {
			rc = parts[p]->length[row] ? c->is(c->ctx, before + row, err) : 0;
			if (rc < 0)
				return -1;
			c->rows += rc;
			c->words += rc ? parts[p]->length[row] : 0;
		}
	return 0;
}

/* Return how many of the rows that count have a term of part p, or -1. */
static double count_having(const struct lh_lexical_query *q, size_t p, uint64_t term,
			   struct lh_err *err)
{
	const struct lh_lexical_counts *of = q->of;
	struct lh_lexical_cursor c;
	const uint64_t before = p ? q->part[0]->rows : 0;
	double n = 0;
	int rc, more;

	if (!of)
		return q->part[p]->term[term].rows;
	for (more = lh_lexical_begin(&c, q->part[p], term); more > 0;
	     more = lh_lexical_next_block(&c))
		for (; c.at < c.n; c.at++, n += rc) {
			rc = of->is(of->ctx, before + c.row[c.at], err);
			if (rc < 0)
				return -1;
		}
	return more < 0 ? lh_err_set(err, LH_ECORRUPT, "postings: those of term %llu are damaged",
				     (unsigned long long)term) : n;
}

/* Drop the terms that no row that counts has. */
static int find_terms(struct lh_lexical_query *q, const struct lh_intern *known,
		      struct lh_err *err)
{
	const struct lh_lexical_counts *of = q->of;
	double rows = of ? of->rows : 0, words = of ? of->words : 0, having, here;
	size_t i, p, n = 0;

	for (p = 0; !of && p < q->parts; p++) {
		rows += (double)q->part[p]->head.rows;
		words += (double)q->part[p]->head.words;
	}
	q->mean = rows > 0 && words > 0 ? words / rows : 1;
	q->most = 0;
	for (i = 0; i < q->n; i++) {
		struct lh_lexical_query_term a = q->term[i];

		for (having = 0, p = 0; p < q->parts; p++) {
			a.number_in[p] = lh_lexical_find(q->part[p],
							 lh_intern_text(known, a.number));
			here = a.number_in[p] < 0 ? 0
			       : count_having(q, p, (uint64_t)a.number_in[p], err);
			if (here < 0)
				return -1;
			having += here;
		}
		a.weight = term_weight(rows, having, a.times);
		q->most += a.weight;
		if (having > 0)
			q->term[n++] = a;
	}
	q->n = n;
	if (n)
		qsort(q->term, n, sizeof *q->term, by_weight);
	return 0;
}

int lh_lexical_query_set(struct lh_lexical_query *q, const char *text, size_t n,
			 const struct lh_lexical *const *parts, size_t n_parts, struct lh_err *err)
{
	LH_SCOPED(lh_intern_free) struct lh_intern known = { .n = 0 };
	int rc;

	q->n = 0;
	q->parts = n_parts;
	memcpy(q->part, parts, n_parts * sizeof *parts);
	rc = collect_words(q, &known, text, n, err);
	return rc ? rc : find_terms(q, &known, err);
}

void lh_lexical_query_free(struct lh_lexical_query *q)
{
	free(q->term);
	free(q->heap);
	free(q->sum);
	free(q->met);
	*q = (struct lh_lexical_query){ .parts = 0 };
}

/* ---- the best rows so far ---- */

struct top {
	struct lh_lexical_query *q;
	const struct lh_lexical_rows *rows;
	struct lh_err *err;
	const struct lh_lexical *ix;	/* the current part */
	size_t part;
	uint64_t before;		/* rows of the parts before it */
	size_t first;			/* terms before it are only looked up */
	double short_row, a_word;	/* terms of K1 * (1 - B + B * l / L) */
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

static int add_candidate(const struct top *t, uint64_t row, double score)
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

/* Return whether a row with at most that score can be left out. */
static inline bool is_too_low(const struct top *t, double score)
{
	return t->q->held == t->q->keep && score * SLACK < t->q->heap[0].score;
}

/* ---- rows ---- */

static int damaged(const struct top *t, const struct lh_lexical_query_term *a)
{
	return lh_err_set(t->err, LH_ECORRUPT, "postings: those of term %lld are damaged",
			  (long long)a->number_in[t->part]);
}

static inline double score(const struct top *t, const struct lh_lexical_query_term *a)
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
		struct lh_lexical_query_term *a = &t->q->term[i];

		a->at.n = 0;
		if (a->number_in[t->part] >= 0) {
			if (lh_lexical_begin(&a->at, t->ix, (uint64_t)a->number_in[t->part]) < 0)
				return damaged(t, a);
			upto += a->weight;
		}
		a->max_sum = upto;
	}
	return 0;
}

/* Find the first row of the terms that are not only looked up; false when they have no
 * more rows. */
static bool next_row(struct top *t, uint32_t *row)
{
	bool any = false;
	size_t i;

	while (t->first < t->q->n && is_too_low(t, t->q->term[t->first].max_sum))
		t->first++;
	for (i = t->first; i < t->q->n; i++) {
		const struct lh_lexical_cursor *c = &t->q->term[i].at;

		if (c->n && (!any || c->row[c->at] < *row)) {
			*row = c->row[c->at];
			any = true;
		}
	}
	return any;
}

/* Add a term's contributions to the rows of a window. */
static int sum_term(struct top *t, struct lh_lexical_query_term *a, uint32_t base)
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

/* Add the terms that are only looked up, as long as the row may be good enough. */
static int finish_row(struct top *t, uint32_t row, double sum)
{
	size_t i;
	int rc;

	for (i = t->first; i--; ) {
		struct lh_lexical_query_term *a = &t->q->term[i];

		if (is_too_low(t, sum + a->max_sum))
			return 0;
		rc = a->at.n ? lh_lexical_seek(&a->at, row) : 0;
		if (rc < 0)
			return damaged(t, a);
		if (rc && a->at.row[a->at.at] == row)
			sum += score(t, a);
	}
	return add_candidate(t, t->before + row, sum);
}

/* Sums go from the term of most weight down, whichever terms are only looked up, so
 * that a score does not depend on the other results. */
static int scan_window(struct top *t, uint32_t base)
{
	size_t i, w;

	for (i = t->q->n; i-- > t->first; )
		if (sum_term(t, &t->q->term[i], base) < 0)
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

/* Clear the state that a window interrupted by an error may have left. */
static void prepare_search(struct lh_lexical_query *q, size_t k)
{
	q->keep = k;
	q->held = 0;
	if (!q->sum)
		q->sum = lh_calloc(WINDOW, sizeof *q->sum);
	if (!q->met)
		q->met = lh_calloc(WINDOW / 64, sizeof *q->met);
	memset(q->sum, 0, WINDOW * sizeof *q->sum);
	memset(q->met, 0, WINDOW / 8);
	lh_grow(&q->heap, &q->cap_heap, k, sizeof *q->heap);
}

long lh_lexical_search(struct lh_lexical_query *q, size_t k, const struct lh_lexical_rows *rows,
		       struct lh_lexical_hit *out, struct lh_err *err)
{
	struct top t = { .q = q, .rows = rows, .err = err };
	size_t i;

	if (!k || !q->n)
		return 0;
	prepare_search(q, k);
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
