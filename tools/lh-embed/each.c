/*
 * each.c - engine gguf with a model that has no pooling: each token of a text has a vector.
 *
 * Records are answered by all threads, each by itself: nothing is cached, and texts are not put
 * together.
 */
#include "gguf.h"

#include <stdlib.h>

#include "base/mem.h"
#include "request.h"
#include <lh/distance.h>

struct worker {
	struct embed *run;
	const struct embed *e;
	struct lh_encoder_work *work;
	struct lh_token_list tokens;
	struct lh_buf text, trace, scratch, vectors;
	unsigned long long texts, cut;
};

static void worker_free(void *worker)
{
	struct worker *w = worker;

	atomic_fetch_add(&w->run->texts, w->texts);
	atomic_fetch_add(&w->run->misses, w->texts);
	atomic_fetch_add(&w->run->cut, w->cut);
	lh_encoder_work_free(w->work);
	lh_token_list_free(&w->tokens);
	lh_buf_free(&w->text);
	lh_buf_free(&w->trace);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->vectors);
}

static int worker_init(void *worker, void *state, struct lh_err *err)
{
	struct held *held = state;
	struct worker *w = worker;

	(void)err;
	w->run = held->hold->run;
	w->e = &held->e;
	w->work = lh_encoder_work_new(w->e->gguf->model.encoder);
	return 0;
}

static int answer(struct worker *w, struct request *rq, struct lh_buf *out, struct lh_err *err)
{
	const struct embed *e = w->e;
	size_t width = e->gguf->info.width, n = w->tokens.n;
	float *v;
	size_t i;

	lh_buf_reset(&w->vectors);
	v = (float *)(void *)lh_buf_room(&w->vectors, n * width * sizeof *v);
	if (lh_encoder_run(w->work, &w->tokens, 1, v, err) < 0)
		return -1;
	for (i = 0; !e->raw && i < n; i++)
		if (!lh_vec_unit(v + i * width, e->dimension))
			return lh_err_data(err, 502, "the vector of token %zu is all zero", i + 1);
	answer_open(out, rq);
	for (i = 0; i < n; i++)
		answer_vector(out, rq, v + i * width, e->dimension);
	answer_close(rq, e->dimension, e->model, &(struct lh_buf){ 0 });
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	struct request rq;
	struct lh_str text;
	int cut;

	lh_buf_reset(&w->text);
	lh_buf_reset(&w->trace);
	if (request_open(&rq, w->e, rec, &w->trace, err) < 0)
		return -1;
	if (rq.many)
		return lh_err_set(err, LH_EDATA, "%s has no pooling: it takes records with a text "
				  "alone", w->e->gguf->model.found.path);
	if (request_next(&rq, &w->text, &text, err) < 0)
		return -1;
	cut = gguf_tokens(w->e, text, false, &w->scratch, &w->tokens, err);
	if (cut < 0 || answer(w, &rq, out, err) < 0)
		return -1;
	w->texts++;
	w->cut += cut > 0;
	return 0;
}

int each_run(struct embed *e)
{
	struct hold hold = { .run = e };
	struct lh_held *held;
	int rc;

	e->tool->jobs = e->threads;
	held = hold_open(&hold, &e->tool->err);
	rc = held ? lh_records_run(e->tool, &(struct lh_flow){
		.map = on_record, .held = held, .shard = e->shard, .shard_key = e->id_field,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free }) : -1;
	lh_held_close(held);
	return rc;
}
