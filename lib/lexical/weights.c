/* weights.c - build, read and check an inverted index of weighted terms.  See weights.h. */
#include "weights.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/mem.h"
#include "base/table.h"
#include "json/value.h"

static uint32_t blocks_of(uint32_t n)
{
	return n / LH_WEIGHTS_BLOCK + (n % LH_WEIGHTS_BLOCK > 0);
}

static uint64_t bytes_of(uint32_t n)
{
	return 4 * (uint64_t)blocks_of(n) + 8 * (uint64_t)n;
}

/* ---- building ---- */

struct weight {
	uint32_t term;
	float weight;
};

struct lh_weights_build {
	struct lh_intern terms;
	uint32_t *rows_of;		/* each term */
	size_t cap;
	struct lh_growable all;		/* struct weight of each row, one row after the other */
	struct lh_growable end;		/* u64: how many weights all rows up to this have */
	uint64_t rows;
	struct lh_buf key, entries;	/* scratch; the terms */
	struct lh_growable texts, postings;
};

struct lh_weights_build *lh_weights_build_new(struct lh_err *err)
{
	return lh_calloc(1, sizeof(struct lh_weights_build), err);
}

void lh_weights_build_free(struct lh_weights_build *b)
{
	if (!b)
		return;
	lh_intern_free(&b->terms);
	lh_growable_free(&b->all);
	lh_growable_free(&b->end);
	lh_growable_free(&b->texts);
	lh_growable_free(&b->postings);
	lh_buf_free(&b->key);
	lh_buf_free(&b->entries);
	free(b->rows_of);
	free(b);
}

static int add_weight(struct lh_weights_build *b, const struct lh_value *key, float weight,
		      struct lh_err *err)
{
	struct weight one = { .weight = weight };
	size_t known = b->terms.n;
	struct lh_str term;

	lh_buf_reset(&b->key);
	if (lh_value_str(key, &b->key, &term, err) < 0 ||
	    lh_intern_add(&b->terms, term.p, term.n, &one.term, err) < 0 ||
	    lh_grow(&b->rows_of, &b->cap, known + 1, sizeof *b->rows_of, err) < 0)
		return -1;
	if (one.term == known)
		b->rows_of[known] = 0;
	b->rows_of[one.term]++;
	return lh_growable_add(&b->all, &one, sizeof one, err);
}

/* Check the weights of a row, and add them to b, unless it is NULL. */
static int each_weight(struct lh_weights_build *b, const struct lh_value *v, struct lh_err *err)
{
	struct lh_iter it;

	if (!v->p || v->type == LH_NULL)
		return 0;
	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "it must be an object of weights");
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		double weight = it.val.type == LH_NUMBER ? lh_value_f64(&it.val) : -1;

		if (!(weight >= 0) || (float)weight > __FLT_MAX__)
			return lh_err_set(err, LH_EDATA,
					  "the weight of %.*s must be a number from 0 to 3.4e38",
					  (int)(it.key.n < 100 ? it.key.n : 100), it.key.p);
		if (b && (float)weight > 0 && add_weight(b, &it.key, (float)weight, err) < 0)
			return -1;
	}
	return 0;
}

int lh_weights_check(const struct lh_value *v, struct lh_err *err)
{
	return each_weight(NULL, v, err);
}

int lh_weights_build_add(struct lh_weights_build *b, const struct lh_value *v,
			 struct lh_err *err)
{
	uint64_t end;

	if (b->rows >= UINT32_MAX - 1)
		return lh_err_set(err, LH_EDATA, "more than %u rows", UINT32_MAX - 1);
	if (each_weight(b, v, err) < 0)
		return -1;
	b->rows++;
	end = b->all.n / sizeof(struct weight);
	return lh_growable_add(&b->end, &end, sizeof end, err);
}

static int by_text(const void *a, const void *b, void *ctx)
{
	return lh_str_cmp(lh_intern_text(ctx, *(const uint32_t *)a),
			  lh_intern_text(ctx, *(const uint32_t *)b));
}

/* Write the table and the texts of the terms; *at is set to where the postings of each begin. */
static int write_terms(struct lh_weights_build *b, uint64_t *at, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) uint32_t *order = lh_calloc(b->terms.n + 1, sizeof *order, err);
	struct lh_lexical_term t = { 0 };
	uint32_t i;

	if (!order)
		return -1;
	for (i = 0; i < b->terms.n; i++)
		order[i] = i;
	qsort_r(order, b->terms.n, sizeof *order, by_text, &b->terms);
	for (i = 0; i < b->terms.n; i++) {
		struct lh_str text = lh_intern_text(&b->terms, order[i]);

		if (b->texts.n + text.n > UINT32_MAX)
			return lh_err_set(err, LH_EDATA, "different terms of more than 4 GiB");
		t.text = (uint32_t)b->texts.n;
		t.rows = b->rows_of[order[i]];
		at[order[i]] = t.postings;
		lh_buf_add(&b->entries, &t, sizeof t);
		t.postings += bytes_of(t.rows);
		if (lh_growable_add(&b->texts, text.p, text.n, err) < 0)
			return -1;
	}
	t.text = (uint32_t)b->texts.n;
	t.rows = 0;
	lh_buf_add(&b->entries, &t, sizeof t);
	return lh_buf_check(&b->entries, err) < 0 ? -1 :
		       lh_growable_room(&b->postings, t.postings, err);
}

/* Distribute the weights of all rows, in their order, to the postings of their terms. */
static void write_postings(struct lh_weights_build *b, const uint64_t *at, uint32_t *done)
{
	const struct weight *w = (const void *)b->all.p;
	const uint64_t *end = (const void *)b->end.p;
	uint64_t row, i = 0;

	for (row = 0; row < b->rows; row++)
		for (; i < end[row]; i++) {
			uint32_t n = b->rows_of[w[i].term], k = done[w[i].term]++;
			float *most = (void *)(b->postings.p + at[w[i].term]);
			uint32_t *rows = (uint32_t *)(void *)(most + blocks_of(n));

			rows[k] = (uint32_t)row;
			memcpy(&rows[n + k], &w[i].weight, 4);
			most += k / LH_WEIGHTS_BLOCK;
			*most = *most > w[i].weight ? *most : w[i].weight;
		}
}

int lh_weights_build_finish(struct lh_weights_build *b, struct lh_weights *ix, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) uint64_t *at = lh_calloc(b->terms.n + 1, sizeof *at, err);
	LH_SCOPED(lh_free_local) uint32_t *done = lh_calloc(b->terms.n + 1, sizeof *done, err);

	if (!at || !done || write_terms(b, at, err) < 0)
		return -1;
	write_postings(b, at, done);
	lh_growable_free(&b->all);
	*ix = (struct lh_weights){
		.rows = b->rows, .term = (const void *)b->entries.p, .terms = b->terms.n,
		.texts = b->texts.p, .texts_n = b->texts.n, .postings = (const void *)b->postings.p,
	};
	ix->postings_n = ix->term[ix->terms].postings;
	return 0;
}

/* ---- reading ---- */

bool lh_weights_open(struct lh_weights *ix, uint64_t rows, const struct lh_str run[3])
{
	if (run[0].n < sizeof *ix->term || run[0].n % sizeof *ix->term)
		return false;
	*ix = (struct lh_weights){
		.rows = rows, .term = (const void *)run[0].p,
		.terms = run[0].n / sizeof *ix->term - 1,
		.texts = run[1].p, .texts_n = run[1].n,
		.postings = (const void *)run[2].p, .postings_n = run[2].n,
	};
	return true;
}

bool lh_weights_postings(const struct lh_weights *ix, uint64_t term,
			 struct lh_weights_postings *out)
{
	const struct lh_lexical_term *t = &ix->term[term];
	uint64_t at = lh_once64(&t->postings), end = lh_once64(&t[1].postings);
	uint32_t n = lh_once32(&t->rows);

	if (at > end || end > ix->postings_n || at % 4 || !n || n > ix->rows ||
	    end - at != bytes_of(n))
		return false;
	out->most = (const void *)(ix->postings + at);
	out->row = (const void *)(out->most + blocks_of(n));
	out->weight = (const void *)(out->row + n);
	out->n = n;
	return true;
}

/* ---- checking ---- */

static bool check_postings(const struct lh_weights *ix, uint64_t term)
{
	struct lh_weights_postings p;
	uint64_t after = 0;
	float most = 0;
	uint32_t i;

	if (!lh_weights_postings(ix, term, &p))
		return false;
	for (i = 0; i < p.n; i++) {
		if (p.row[i] < after || p.row[i] >= ix->rows || !(p.weight[i] > 0))
			return false;
		after = (uint64_t)p.row[i] + 1;
		most = i % LH_WEIGHTS_BLOCK && most > p.weight[i] ? most : p.weight[i];
		if ((i % LH_WEIGHTS_BLOCK == LH_WEIGHTS_BLOCK - 1 || i == p.n - 1) &&
		    !(p.most[i / LH_WEIGHTS_BLOCK] == most && most <= __FLT_MAX__))
			return false;
	}
	return true;
}

void lh_weights_verify(const struct lh_weights *ix,
		       void (*damage)(void *ctx, int run, const char *text), void *ctx)
{
	const struct lh_lexical_term *end = &ix->term[ix->terms];
	struct lh_str before = { NULL, 0 }, text;
	char why[100];
	uint64_t i;

	for (i = 0; i < ix->terms; i++, before = text) {
		uint32_t at = ix->term[i].text, to = ix->term[i + 1].text;

		if (at > to || to > ix->texts_n) {
			snprintf(why, sizeof why, "term %llu: its place is wrong",
				 (unsigned long long)i);
			damage(ctx, 0, why);
			return;
		}
		text = (struct lh_str){ ix->texts + at, to - at };
		if ((i && lh_str_cmp(before, text) >= 0) || !lh_utf8_valid(text.p, text.n)) {
			snprintf(why, sizeof why, "term %llu: not in order, or not UTF-8",
				 (unsigned long long)i);
			damage(ctx, 1, why);
		}
		if (!check_postings(ix, i)) {
			snprintf(why, sizeof why, "term %llu: its weights are wrong",
				 (unsigned long long)i);
			damage(ctx, 2, why);
		}
	}
	if (ix->term->text || ix->term->postings || end->rows || end->text != ix->texts_n ||
	    end->postings != ix->postings_n)
		damage(ctx, 0, "the beginning or end is wrong");
}
