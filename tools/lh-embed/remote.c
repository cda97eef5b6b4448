/*
 * remote.c - engines that embed many texts per call, services above all, behind a cache
 * in memory and one in a file.
 *
 * A batch of records becomes a list of texts, whose vectors fetch.c gets.  Then the records are
 * answered in order, up to the first whose texts are not all there.  If one text fails, only its
 * record is rejected, and the others go on.
 */
#include "remote.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/http.h"

static void worker_free(void *arg)
{
	struct worker *w = arg;

	if (w->engine)
		w->r->e->engine->close(w->engine);
	lh_buf_free(&w->items);
	lh_buf_free(&w->table);
	lh_buf_free(&w->texts);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->vectors);
	lh_buf_free(&w->entries);
	lh_buf_free(&w->called);
	lh_buf_free(&w->traces);
	lh_buf_free(&w->errors);
	lh_buf_free(&w->said);
	free(w->task);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct held *held = ctx;
	struct remote *r = held->hold->remote;
	struct worker *w = context;

	w->r = r;
	w->e = &held->e;
	w->task = lh_calloc(r->e->batch, sizeof *w->task);
	w->engine = r->e->engine->open(&held->e, err);
	return w->engine ? 0 : -1;
}

static int model_of(struct worker *w, struct task *t, struct lh_err *err)
{
	const struct embed *e = w->e;
	struct lh_str own = { e->model, strlen(e->model) }, name = own;

	if (t->rq.model.p)
		lh_value_str(&t->rq.model, &w->scratch, &name);
	if (memchr(name.p, '\0', name.n))
		return lh_err_set(err, LH_EDATA, "\"model\" must not hold NUL");
	if (t->rq.model.p && e->engine->knows && !e->engine->knows(e, name))
		return lh_err_set(err, LH_EDATA,
				  "\"model\" is \"%.*s\", but this engine makes \"%s\"",
				  (int)(name.n < 200 ? name.n : 200), name.p, e->model);
	if (e->engine->knows)
		name = own;
	t->model = models_find(&w->r->models, name.p, name.n);
	return 0;
}

static void add_item(struct worker *w, struct task *t, const struct lh_str *text)
{
	const char *scratch = w->scratch.p;
	struct item it = { .model = t->model,
			   .p = text->p,
			   .n = text->n,
			   .first = n_items(w),
			   .at = NOWHERE,
			   .trace = t->rq.trace };

	/* The scratch may still move, so texts in it are stored as offsets. */
	if (scratch && text->p >= scratch && text->p < scratch + w->scratch.len) {
		it.p = NULL;
		it.off = (size_t)(text->p - scratch);
	}
	lh_lru_key(t->model->space, text->p, text->n, it.key);
	lh_buf_add(&w->items, &it, sizeof it);
}

size_t note(struct worker *w, const struct lh_err *why)
{
	lh_buf_add(&w->errors, why, sizeof *why);
	return w->errors.len / sizeof *why;
}

/* Return the error of that number. */
static const struct lh_err *noted(const struct worker *w, size_t number)
{
	return (const struct lh_err *)(const void *)w->errors.p + number - 1;
}

/* Store the place and error of a value in a partial request that is not a text. */
static void add_bad(struct worker *w, struct task *t, const struct lh_err *why)
{
	struct item it = {
		.model = t->model, .first = n_items(w), .at = NOWHERE, .why = note(w, why)
	};

	lh_buf_add(&w->items, &it, sizeof it);
}

static int gather_texts(struct worker *w, struct task *t, const struct lh_record *rec,
			struct lh_err *err)
{
	struct lh_str text;
	int more;

	if (request_open(&t->rq, w->r->e, rec, &w->traces, err) < 0 || model_of(w, t, err) < 0)
		return -1;
	while ((more = request_next(&t->rq, &w->scratch, &text, err)) > 0)
		if (more == 2)
			add_bad(w, t, err);
		else
			add_item(w, t, &text);
	t->n = n_items(w) - t->first;
	return more;
}

static void room_for_traces(struct worker *w, const struct lh_batch *b)
{
	const struct lh_value *v;
	size_t i, bytes = 0;

	w->n_tasks = 0;
	for (i = 0; i < b->n; i++) {
		v = lh_record_get(b->rec[i], "trace_id");
		bytes += v && v->escaped ? v->n : 0;
	}
	lh_buf_reset(&w->traces);
	lh_buf_room(&w->traces, bytes);
}

/* Read the records.  After a failure the tasks so far are complete. */
static int gather(struct worker *w, const struct lh_batch *b, struct lh_err *err)
{
	room_for_traces(w, b);
	lh_buf_reset(&w->errors);
	lh_buf_reset(&w->items);
	lh_buf_reset(&w->scratch);
	lh_buf_reset(&w->vectors);
	for (w->n_tasks = 0; w->n_tasks < b->n; ) {
		struct task *t = &w->task[w->n_tasks++];

		memset(t, 0, sizeof *t);
		t->first = n_items(w);
		if (gather_texts(w, t, b->rec[w->n_tasks - 1], err) == 0)
			continue;
		w->items.len = t->first * sizeof(struct item);
		if (err->code != LH_EDATA) {
			w->n_tasks--;
			return -1;
		}
		t->bad = lh_calloc(1, sizeof *t->bad);
		*t->bad = *err;
	}
	return 0;
}

/* Return whether all texts are done, or failed; *why is the error of the record. */
static bool is_settled(struct worker *w, const struct task *t, size_t *why)
{
	size_t i;

	*why = 0;
	for (i = t->first; i < t->first + t->n; i++) {
		const struct item *it = item(w, item(w, i)->first);

		if (it->at == NOWHERE && !it->why)
			return false;
		if (it->why && !*why && !t->rq.partial)
			*why = it->why;
	}
	return true;
}

static void answer(struct worker *w, struct task *t, struct lh_buf *out)
{
	size_t i, dimension = 0;

	lh_buf_reset(&w->said);
	answer_open(out, &t->rq);
	for (i = t->first; i < t->first + t->n; i++) {
		const struct item *it = item(w, item(w, i)->first);

		if (it->why) {
			answer_error(&t->rq, noted(w, it->why), &w->said);
			if (noted(w, it->why)->code == LH_ENET)
				lh_tool_record_failed(w->r->e->tool);
			continue;
		}
		dimension = it->dimension;
		if (it->cut)
			atomic_fetch_add(&w->r->e->cut, 1);
		answer_vector(out, &t->rq, (const float *)(w->vectors.p + it->at), dimension);
	}
	answer_close(&t->rq, dimension, t->model->name, &w->said);
	if (w->said.failed)
		out->failed = w->said.failed;
	atomic_fetch_add(&w->r->e->texts, t->n);
}

/* Answer a record; false when its texts are not done, which ends the run. */
static bool settle_task(struct worker *w, struct lh_batch *b, struct task *t)
{
	size_t why = 0;

	if (!t->bad && !is_settled(w, t, &why))
		return false;
	if (t->bad || why) {
		if (t->bad) {
			lh_batch_reject(b, t->bad);
		} else {
			/* Reject a record for the error of that number. An engine that
			 * judges texts one by one does not know which of the request it is. */
			struct lh_err err = *noted(w, why);
			size_t i = t->first;

			while (item(w, item(w, i)->first)->why != why)
				i++;
			if (t->rq.many && w->e->engine->knows)
				lh_err_prefix(&err, "text %zu", i - t->first + 1);
			lh_batch_reject(b, &err);
		}
		return true;
	}
	if (t->rq.op) {
		uint64_t texts = atomic_load(&w->r->e->texts);
		uint64_t misses = atomic_load(&w->r->e->misses);

		answer_stats(b->out, w->r->e, texts > misses ? texts - misses : 0, misses,
			     w->r->cache ? lh_lru_count(w->r->cache) : 0);
	} else {
		answer(w, t, b->out);
	}
	lh_batch_accept(b);
	return true;
}

static int on_batch(struct lh_batch *b, void *arg, struct lh_err *err)
{
	struct worker *w = arg;
	size_t i;
	int rc = gather(w, b, err);

	if (!rc)
		rc = fetch(w, err);
	for (i = 0; i < w->n_tasks && settle_task(w, b, &w->task[i]); i++)
		;
	for (i = 0; i < w->n_tasks; i++)
		free(w->task[i].bad);
	return rc;
}

int remote_run(struct embed *e)
{
	struct remote r = { .e = e };
	struct hold hold = { .run = e, .remote = &r };
	struct lh_held *held = NULL;
	int rc = 0;

	pthread_mutex_init(&r.lock, NULL);
	models_init(&r.models, e);
	if (e->cache_size)
		r.cache = lh_lru_new(e->cache_size);
	if (e->cache) {
		r.file = cache_open(e->tool, e->cache, e->cache_max, &e->tool->err);
		rc = r.file ? 0 : -1;
	}
	if (!rc)
		rc = (held = hold_open(&hold, &e->tool->err)) ? 0 : -1;
	if (!rc)
		rc = lh_records_run(e->tool, &(struct lh_flow){
			.batch = on_batch, .batch_max = e->batch, .held = held,
			.shard = e->shard, .shard_key = e->id_field,
			.context_size = sizeof(struct worker), .context_init = worker_init,
			.context_free = worker_free });
	lh_held_close(held);
	models_free(&r.models);
	cache_close(r.file);
	lh_lru_free(r.cache);
	pthread_mutex_destroy(&r.lock);
	return rc;
}
