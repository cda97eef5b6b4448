/* reread.c - the best results of a file that a model has not read whole, in its order.  See
 * search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/value.h"
#include "search.h"

#define BY_MODEL 0.7		/* weight of the model, as of its vectors in hybrid.c; the rest is
				 * the score by words and spelling */
#define TEXT_MOST 8192		/* bytes of a text that the model is sent, more than it reads */

/* Append every string of a value, as the words of the index were taken. */
static void add_strings(const struct lh_value *v, struct lh_buf *scratch, struct lh_buf *to)
{
	struct lh_iter it;
	struct lh_str s;

	if (v->type == LH_STRING) {
		lh_buf_reset(scratch);
		lh_value_str(v, scratch, &s);
		lh_buf_add(to, s.p, s.n);
		lh_buf_puts(to, s.n ? "\n" : "");
	}
	if (v->type == LH_ARRAY || v->type == LH_OBJECT)
		for (lh_iter_init(&it, v); lh_iter_next(&it); )
			if (to->len < TEXT_MOST)
				add_strings(&it.val, scratch, to);
}

/* Make the text of a result: its passage, or all of its strings. */
static int make_text(struct worker *w, const struct result *f, struct lh_buf *to,
		     struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 }, copy = { 0 };
	struct lh_str passage;
	struct lh_value v;

	passage_in(w, f->row.meta, &passage);
	lh_buf_add(&copy, passage.n ? passage.p : f->row.meta.p,
		   passage.n ? passage.n : f->row.meta.n);
	if (copy.len && lh_json_parse(&w->scan, copy.p, copy.len, &v, err) < 0)
		return damaged_row(f->seat, f->number, "metadata is not JSON", err);
	if (copy.len)
		add_strings(&v, &scratch, to);
	return 0;
}

/* Set the distances of the results from the query, by the model. */
static int measure(struct worker *w, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_buf *text = lh_calloc(w->n_found, sizeof *text);
	LH_SCOPED(lh_free_local) struct lh_str *of = lh_calloc(w->n_found + 1, sizeof *of);
	LH_SCOPED(lh_buf_free) struct lh_buf vectors = { 0 };
	const float *v;
	uint32_t n = 0, j;
	size_t i;
	int rc = 0;

	of[0] = w->reader.q.text;
	for (i = 0; !rc && i < w->n_found; i++) {
		rc = make_text(w, &w->found[i], &text[i], err);
		of[i + 1] = (struct lh_str){ text[i].p, text[i].len };
	}
	if (!rc)
		rc = lh_embedder_embed(w->model, of, w->n_found + 1, &vectors, &n, err);
	v = (const float *)(const void *)vectors.p;
	for (i = 0; !rc && i < w->n_found; i++) {
		double sum = 0;

		for (j = 0; j < n; j++)
			sum += (double)v[j] * (double)v[(i + 1) * n + j];
		w->found[i].distance = (float)(1 - sum);
	}
	for (i = 0; i < w->n_found; i++)
		lh_buf_free(&text[i]);
	return rc;
}

static int best_first(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return lh_str_cmp(x->row.id, y->row.id);
}

int reread(struct worker *w, struct lh_err *err)
{
	size_t i;

	if (!w->n_found || !w->reader.q.text.n)
		return 0;
	if (!w->model)
		w->model = lh_embedder_new(&(struct lh_embedder_options){
			.engine = "gguf", .url = w->run->set->reader, .truncate = true,
			.jobs = w->run->tool->jobs }, err);
	if (!w->model || measure(w, err) < 0) {
		if (err->code == LH_EINTR)
			return -1;
		if (!w->model_failed)
			lh_tool_message(w->run->tool, "the model is not used: %s", err->msg);
		w->model_failed = true;
		*err = (struct lh_err){ 0 };
		return 0;
	}
	for (i = 0; i < w->n_found; i++) {
		struct result *f = &w->found[i];

		f->score = BY_MODEL * (1 - (double)f->distance) + (1 - BY_MODEL) * f->score;
	}
	qsort(w->found, w->n_found, sizeof *w->found, best_first);
	return 0;
}
