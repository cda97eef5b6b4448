/*
 * index_words.c - search by words: the text of a row, made from its metadata, the
 * inverted index of these texts, and queries of it.
 */
#include "index_tools.h"
#include "index_words.h"
#include "searcher.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/value.h"

/* ---- the text of a row ---- */

struct text_maker {
	const struct lh_index_params *p;
	struct lh_template *template;
	struct lh_record scan;
	struct lh_buf copy;	/* of the metadata, since the scanner reads past the end */
	struct lh_buf text, piece;
};

static int text_maker_init(struct text_maker *m, const struct lh_index_params *p,
			   struct lh_err *err)
{
	*m = (struct text_maker){ .p = p };
	if (p->lexical != LH_LEXICAL_TEMPLATE)
		return 0;
	m->template = lh_template_new(p->lexical_of, err);
	return m->template ? 0 : lh_err_prefix(err, "parameters: lexical template");
}

static void add_string(struct text_maker *m, const struct lh_value *v)
{
	struct lh_str s;

	lh_buf_reset(&m->piece);
	lh_value_str(v, &m->piece, &s);
	lh_buf_add(&m->text, s.p, s.n);
	lh_buf_putc(&m->text, '\n');
}

/* Add every string in a value, at any depth; the scanner limits the depth. */
static int add_strings(struct text_maker *m, const struct lh_value *v, struct lh_err *err)
{
	struct lh_iter it;

	if (v->type == LH_STRING) {
		add_string(m, v);
		return 0;
	}
	if (v->type != LH_OBJECT && v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (add_strings(m, &it.val, err) < 0)
			return -1;
	return 0;
}

static int render_text(struct text_maker *m, struct lh_err *err)
{
	struct lh_value all, one;

	if (lh_json_parse(&m->scan, m->copy.p, m->copy.len, &all, err) < 0)
		return -1;
	if (m->template && all.type == LH_OBJECT)
		return lh_record_parse(&m->scan, all.p, all.n, err) < 0 ? -1 :
			       lh_template_render(m->template, &m->scan, &m->text, err);
	if (!m->template && all.type == LH_OBJECT &&
	    lh_value_at(&all, m->p->lexical_of, strlen(m->p->lexical_of), &one) &&
	    one.type == LH_STRING) {
		add_string(m, &one);
		return 0;
	}
	return m->template ? 0 : add_strings(m, &all, err);
}

/* Make the text of a row from its metadata; valid until the next call. */
static int make_text(struct text_maker *m, struct lh_str meta, struct lh_str *text,
		     struct lh_err *err)
{
	lh_buf_reset(&m->text);
	lh_buf_reset(&m->copy);
	lh_buf_add(&m->copy, meta.p, meta.n);
	if (meta.n && render_text(m, err) < 0) {
		if (err->code == LH_EDATA)
			err->code = LH_ECORRUPT;	/* it was valid when it was stored */
		return lh_err_prefix(err, "metadata");
	}
	*text = (struct lh_str){ m->text.len ? m->text.p : "", m->text.len };
	return 0;
}

int lh_index_lexical_build(const struct lh_index_params *p,
			   struct lh_str (*meta)(const void *ctx, uint64_t row), const void *ctx,
			   uint64_t rows, struct lh_lexical_build *b, struct lh_lexical *out,
			   struct lh_err *err)
{
	struct lh_str text = { "", 0 };
	struct text_maker m;
	uint64_t row;
	int rc = text_maker_init(&m, p, err);

	for (row = 0; rc == 0 && row < rows; row++) {
		rc = make_text(&m, meta(ctx, row), &text, err);
		if (rc == 0)
			rc = lh_lexical_build_add(b, text.p, text.n, err);
		if (rc < 0)
			lh_err_prefix(err, "row %llu", (unsigned long long)row);
	}
	lh_template_free(m.template);
	lh_record_free(&m.scan);
	lh_buf_free(&m.copy);
	lh_buf_free(&m.text);
	lh_buf_free(&m.piece);
	return rc < 0 ? -1 : lh_lexical_build_finish(b, out, err);
}

/* ---- queries ---- */

struct lh_index_words {
	const struct lh_index *ix;
	struct lh_lexical_build *pending;	/* NULL: no pending rows */
	struct lh_lexical pending_index;		/* of pending */
	struct lh_lexical_query q;
	struct lh_lexical_hit *hit;
	size_t cap;
	struct lh_query *query;		/* being answered */
	struct lh_query counted;	/* whose rows' words count; without filter_cache: all */
	struct lh_lexical_counts counts;
};

static struct lh_str pending_meta(const void *ctx, uint64_t i)
{
	const struct lh_pending *p = &((const struct lh_index *)ctx)->pending[i];

	return p->dead ? (struct lh_str){ "", 0 } : p->meta;
}

static int read_pending(struct lh_index_words *w, struct lh_err *err)
{
	w->pending = lh_lexical_build_new();
	return lh_index_lexical_build(&w->ix->params, pending_meta, w->ix, w->ix->n_pending,
				      w->pending, &w->pending_index, err);
}

struct lh_index_words *lh_index_words_new(const struct lh_index *ix, struct lh_err *err)
{
	struct lh_index_words *w;

	if (!ix->params.lexical) {
		lh_err_set(err, LH_EUSAGE,
			   "the index has no words to search by: build it with lh-index build "
			   "--lexical");
		return NULL;
	}
	w = lh_calloc(1, sizeof *w);
	w->ix = ix;
	if (ix->n_pending && read_pending(w, err) < 0) {
		lh_index_words_free(w);
		return NULL;
	}
	return w;
}

void lh_index_words_free(struct lh_index_words *w)
{
	if (!w)
		return;
	lh_lexical_query_free(&w->q);
	lh_lexical_build_free(w->pending);
	free(w->hit);
	free(w);
}

static int allow(void *ctx, uint64_t row, struct lh_err *err)
{
	struct lh_index_words *w = ctx;
	struct lh_query *q = w->query;
	struct lh_row r;
	int rc;

	if (lh_walk_excluded(q, row))
		return 0;
	if (!q->allow)
		return lh_index_row(w->ix, row, &r, err);
	rc = lh_filter_cache_allows(q, row, err);
	q->dropped += rc == 0 && (row >= w->ix->rows || !lh_index_hidden(w->ix, row));
	return rc;
}

static int is_counted(void *ctx, uint64_t row, struct lh_err *err)
{
	const struct lh_index_words *w = ctx;

	return lh_filter_cache_allows(&w->counted, row, err);
}

/* Set the parts that are searched as one; return their number. */
static size_t parts_of(const struct lh_index_words *w, const struct lh_lexical *part[2])
{
	part[0] = &w->ix->lexical;
	part[1] = &w->pending_index;
	return w->pending ? 2 : 1;
}

int lh_index_words_of(struct lh_index_words *w, const struct lh_query *rows, struct lh_err *err)
{
	const bool same = w->counted.filter_cache == rows->filter_cache;
	const struct lh_lexical *part[2];

	w->counted = *rows;
	w->counts.is = is_counted;
	w->counts.ctx = w;
	if (same || !rows->filter_cache)
		return 0;
	if (lh_lexical_count(&w->counts, part, parts_of(w, part), err) == 0)
		return 0;
	w->counted.filter_cache = NULL;
	return -1;
}

static int by_id(void *ctx, uint64_t a, uint64_t b)
{
	const struct lh_index_words *w = ctx;

	return lh_walk_id_cmp(w->ix, (uint32_t)a, (uint32_t)b);
}

long lh_index_words_search(struct lh_index_words *w, struct lh_query *q, struct lh_str text,
			   struct lh_index_words_hit *out, struct lh_err *err)
{
	const struct lh_lexical *part[2];
	const size_t parts = parts_of(w, part);
	struct lh_lexical_rows rows = { allow, by_id, w };
	uint64_t all = lh_index_rows(w->ix);
	size_t k = q->k < all ? q->k : all;
	long i, n;

	q->dropped = 0;
	w->query = q;
	lh_grow(&w->hit, &w->cap, k, sizeof *w->hit);
	w->q.of = w->counted.filter_cache ? &w->counts : NULL;
	if (lh_lexical_query_set(&w->q, text.p, text.n, part, parts, err) < 0)
		return -1;
	n = lh_lexical_search(&w->q, k, &rows, w->hit, err);
	for (i = 0; i < n; i++)
		out[i] = (struct lh_index_words_hit){ w->hit[i].score, w->hit[i].row };
	return n;
}

double lh_index_words_most(const struct lh_index_words *w)
{
	return w->q.most;
}
