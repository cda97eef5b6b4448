/* rerank.c - results in the order of a cross-encoder.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/value.h"
#include "search.h"

#define DEPTH 100

struct reranking {			/* the texts of results, and their scores */
	struct lh_buf texts, metadata;
	struct lh_record scan;
	struct lh_str *text;
	double *score;
	size_t *order, cap[4];
	struct result *found;		/* as they were found */
};

int rerank_open(struct run *run, struct settings *set)
{
	struct lh_tool *tool = run->tool;

	if (!set->rerank && !set->rerank_url) {
		if (set->rerank_depth || set->rerank_field)
			return lh_tool_usage(tool, "--rerank-%s: needs --rerank or --rerank-url",
					     set->rerank_depth ? "depth" : "field");
		return 0;
	}
	if (!set->rerank_depth)
		set->rerank_depth = DEPTH;
	if (!set->rerank_field)
		set->rerank_field = "text";
	run->reranker = lh_reranker_new(&(struct lh_reranker_how){
		.model = set->rerank, .url = set->rerank_url, .threads = tool->jobs,
		.timeout = LH_RERANK_TIMEOUT, .retries = LH_RERANK_RETRIES }, &tool->err);
	if (run->reranker)
		return 0;
	return lh_err_prefix(&tool->err, set->rerank_url ? "--rerank-url" : "--rerank");
}

void reranking_free(struct reranking *s)
{
	if (!s)
		return;
	lh_buf_free(&s->texts);
	lh_buf_free(&s->metadata);
	lh_record_free(&s->scan);
	free(s->text);
	free(s->score);
	free(s->order);
	free(s->found);
	free(s);
}

static void make_room(struct reranking *s, size_t n)
{
	lh_grow(&s->text, &s->cap[0], n, sizeof *s->text);
	lh_grow(&s->score, &s->cap[1], n, sizeof *s->score);
	lh_grow(&s->order, &s->cap[2], n, sizeof *s->order);
	lh_grow(&s->found, &s->cap[3], n, sizeof *s->found);
}

/* Append the text of a result, from a copy of its metadata, to s->texts; *n: its bytes. */
static int add_text(const struct worker *w, struct reranking *s, const struct result *f, size_t *n,
		    struct lh_err *err)
{
	const char *field = w->run->set->rerank_field;
	LH_SCOPED(lh_buf_free) struct lh_buf unescaped = { 0 };
	struct lh_value all, v;
	struct lh_str text;

	lh_buf_reset(&s->metadata);
	lh_buf_add(&s->metadata, f->row.meta.p, f->row.meta.n);
	if (f->row.meta.n &&
	    lh_json_parse(&s->scan, s->metadata.p, s->metadata.len, &all, err) < 0)
		return damaged_row(f->seat, f->number, "metadata is not JSON", err);
	if (!f->row.meta.n || !lh_value_at(&all, field, strlen(field), &v) || v.type != LH_STRING)
		return lh_err_data(err, 500, "corpus \"%s\": the metadata of \"%.*s\" has no "
				   "string \"%s\" (--rerank-field)", f->seat->name->text,
				   (int)f->row.id.n, f->row.id.p, field);
	lh_value_str(&v, &unescaped, &text);
	lh_buf_add(&s->texts, text.p, text.n);
	*n = text.n;
	return 0;
}

static int read_texts(const struct worker *w, struct reranking *s, struct lh_err *err)
{
	const char *p;

	lh_buf_reset(&s->texts);
	make_room(s, w->n_found);
	for (size_t i = 0; i < w->n_found; i++)
		if (add_text(w, s, &w->found[i], &s->text[i].n, err) < 0)
			return -1;
	p = s->texts.p;		/* it does not move any more */
	for (size_t i = 0; i < w->n_found; p += s->text[i++].n)
		s->text[i].p = p;
	return 0;
}

int rerank(struct worker *w, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	struct reranking *s = w->reranking;

	if (!s)
		s = w->reranking = lh_calloc(1, sizeof *s);
	if (!s || read_texts(w, s, err) < 0 ||
	    lh_reranker_score(w->run->reranker, &(struct lh_rerank_ask){
		    .query = q->text, .text = s->text, .n = w->n_found, .trace = q->trace },
			      s->score, err) < 0)
		return -1;
	lh_rerank_order(s->score, w->n_found, s->order);
	if (w->n_found)
		memcpy(s->found, w->found, w->n_found * sizeof *s->found);
	for (size_t i = 0; i < w->n_found; i++) {
		w->found[i] = s->found[s->order[i]];
		w->found[i].rerank = s->score[s->order[i]];
	}
	return 0;
}
