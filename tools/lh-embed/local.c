/*
 * local.c - engines in this process: from text to output, one vector at a time.
 *
 * They have no cache: a vector is made in about the time of a look-up by SHA-256.  So
 * every text counts as a miss.
 */
#include "request.h"

#include <stdlib.h>

#include "base/mem.h"

struct worker {
	struct embed *run, *e;	/* run counts; e embeds */
	void *engine;
	struct relay *relay;	/* or NULL: the engine is in this process */
	struct lh_buf scratch;	/* unescaped and rendered texts */
	struct lh_buf trace, errors;
	float *v;
	unsigned long long texts;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	if (w->engine)
		w->e->engine->close(w->engine);
	relay_free(w->relay);
	atomic_fetch_add(&w->run->texts, w->texts);
	atomic_fetch_add(&w->run->misses, w->texts);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->trace);
	lh_buf_free(&w->errors);
	free(w->v);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct held *held = ctx;
	struct embed *e = &held->e;
	struct worker *w = context;

	w->run = held->hold->run;
	w->e = e;
	if (!e->engine->one) {
		w->relay = relay_new(held);
		return 0;
	}
	w->v = lh_calloc(e->dimension, sizeof *w->v);
	w->engine = e->engine->open(e, err);
	return w->engine ? 0 : -1;
}

/* These engines have one model each; a request for another is refused. */
static int check_model(const struct request *rq, struct lh_err *err)
{
	const char *model = rq->e->model;

	if (!rq->model.p || lh_value_is(&rq->model, model, strlen(model)))
		return 0;
	return lh_err_set(err, LH_EDATA, "\"model\" is %.*s, but this engine makes \"%s\"",
			  (int)(rq->model.n < 200 ? rq->model.n : 200), rq->model.p, model);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;
	struct request rq;
	struct lh_str text;
	int more;

	if (w->relay)
		return relay_ask(w->relay, rec, out, err);
	lh_buf_reset(&w->trace);
	lh_buf_reset(&w->errors);
	if (request_open(&rq, w->e, rec, &w->trace, err) < 0 || check_model(&rq, err) < 0)
		return -1;
	if (rq.op) {
		answer_stats(out, w->run, 0, 0, 0);
		return 0;
	}
	answer_open(out, &rq);
	while (lh_buf_reset(&w->scratch), (more = request_next(&rq, &w->scratch, &text, err)) > 0) {
		if (more == 2) {
			answer_error(&rq, err, &w->errors);
			continue;
		}
		if (w->e->engine->one(w->engine, text.p, text.n, w->v, err) < 0)
			return rq.many ? lh_err_prefix(err, "text %zu", rq.read) : -1;
		answer_vector(out, &rq, w->v, w->e->dimension);
		w->texts++;
	}
	if (more < 0)
		return -1;
	answer_close(&rq, w->e->dimension, w->e->model, &w->errors);
	return 0;
}

int local_run(struct embed *e)
{
	struct hold hold = { .run = e };
	struct lh_held *held = hold_open(&hold, &e->tool->err);
	int rc = held ? lh_records_run(e->tool, &(struct lh_flow){
		.map = on_record, .held = held,
		.shard = e->shard, .shard_key = e->id_field,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free }) : -1;

	lh_held_close(held);
	return rc;
}
