/*
 * remote.c - engines that embed many texts per call, services above all, behind a cache in memory
 * and one in a file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vector/distance.h"
#include "base/mem.h"
#include "cache.h"
#include "embed.h"
#include "lru.h"
#include "model/http.h"
#include "service.h"

/* ---- the texts of a batch of records, and the thread that works on it ---- */

#define NOWHERE SIZE_MAX

struct item {			/* a text */
	unsigned char key[32];
	struct model *model;
	const char *p;		/* NULL: at off in w->scratch */
	size_t off, n;
	size_t first;		/* the first item equal to this one */
	bool wanted;		/* it is that one, and not in memory */
	size_t at, dimension;	/* its vector in w->vectors; NOWHERE: none yet */
	struct lh_str trace;	/* for the request; n = 0: none */
	size_t why;		/* number of its error, from 1 */
	bool cut;		/* its vector is that of its beginning, and is not cached */
};

struct task {			/* a record */
	struct request rq;
	struct lh_err *bad;	/* the error of its rejection, or NULL */
	struct model *model;
	size_t first, n;	/* its items */
};

struct remote {
	struct embed *e;
	struct lh_lru *cache;	/* NULL: none */
	struct cache *file;	/* NULL: none */
	struct models models;
};

struct worker {
	struct remote *r;
	const struct embed *e;	/* with the present model */
	void *engine;
	struct task *task;
	size_t n_tasks;
	struct lh_buf items, table, texts, scratch, vectors, entries;
	struct lh_buf called;	/* the items of one call: size_t each */
	struct lh_buf traces;	/* ids that had escapes; does not move */
	struct lh_buf errors;	/* of texts: struct lh_err each */
	struct lh_buf said;	/* of one answer, as JSON */
};

static inline struct item *item(struct worker *w, size_t i)
{
	return (struct item *)w->items.p + i;
}

static inline size_t n_items(const struct worker *w)
{
	return w->items.len / sizeof(struct item);
}

/* Store an error; returns its number, from 1. */
size_t note(struct worker *w, const struct lh_err *why);

/* ---- the vectors of the texts of a batch ---- */

/*
 * The first of equal texts is found in a cache, or is sent to the service, at most --batch in one
 * call, which has one model and one request id.
 *
 * One text may fail: its vector is all zero, or, with --on-error emit, its call failed.
 */

/* Set the vector of an item, stored at offset at. */
static void found(struct worker *w, struct item *it, size_t at, size_t bytes)
{
	it->at = at;
	it->dimension = bytes / sizeof(float);
	if (!w->r->e->raw)
		lh_vec_unit((float *)(w->vectors.p + at), it->dimension);
}

static void look_up(struct worker *w, struct item *it)
{
	size_t at = w->vectors.len;

	it->wanted = !w->r->cache || !lh_lru_get(w->r->cache, it->key, &w->vectors);
	if (!it->wanted)
		found(w, it, at, w->vectors.len - at);
}

/* Link equal items to the first of them, and look that up in the cache. */
static void resolve(struct worker *w)
{
	size_t n = n_items(w), size = 64, i, slot;
	uint32_t *table;

	while (size < 2 * n)
		size *= 2;
	lh_buf_reset(&w->table);
	table = (uint32_t *)lh_buf_room(&w->table, size * sizeof *table);
	memset(table, 0xff, size * sizeof *table);
	for (i = 0; i < n; i++) {
		struct item *it = item(w, i);

		if (it->why)
			continue;
		memcpy(&slot, it->key, sizeof slot);
		for (slot &= size - 1; table[slot] != UINT32_MAX; slot = (slot + 1) & (size - 1))
			if (!memcmp(item(w, table[slot])->key, it->key, 32))
				break;
		if (table[slot] != UINT32_MAX) {
			it->first = table[slot];
			continue;
		}
		table[slot] = (uint32_t)i;
		look_up(w, it);
	}
}

static bool is_missing(const struct item *it)
{
	return it->wanted && it->at == NOWHERE && !it->why;
}

/* Return whether an item can be in the same call as the first. */
static bool is_wanted(const struct item *it, const struct item *first)
{
	return is_missing(it) && it->model == first->model && it->trace.n == first->trace.n &&
	       (!it->trace.n || !memcmp(it->trace.p, first->trace.p, it->trace.n));
}

/* Return whether a vector is zero.  It has no direction: a service should not return
 * it, and nothing can be found by it. */
static bool is_zero(const char *p, size_t bytes)
{
	const float *v = (const float *)(const void *)p;
	size_t i;

	for (i = 0; i < bytes / sizeof *v; i++)
		if (v[i] != 0)
			return false;
	return true;
}

/* Return whether a vector of the file has the dimension that the model has now. */
static bool fits(struct model *m, size_t dimension)
{
	size_t known = 0;

	if (atomic_compare_exchange_strong(&m->dimension, &known, dimension))
		atomic_store(&m->from_file, true);
	return !known || known == dimension;
}

static int take_from_file(struct worker *w, struct item *it, struct lh_err *err)
{
	size_t at = w->vectors.len, bytes;
	int more = cache_get(w->r->file, it->key, &w->vectors, err);

	if (more <= 0)
		return more;
	bytes = w->vectors.len - at;
	if (is_zero(w->vectors.p + at, bytes) || !fits(it->model, bytes / sizeof(float))) {
		w->vectors.len = at;
		return 0;
	}
	if (w->r->cache)
		lh_lru_put(w->r->cache, it->key, w->vectors.p + at, bytes);
	found(w, it, at, bytes);
	return 0;
}

/* Look in the file for what is not in memory. */
static int look_in_file(struct worker *w, struct lh_err *err)
{
	size_t i;
	int rc = 0;

	if (!w->r->file)
		return 0;
	for (i = 0; i < n_items(w) && rc == 0; i++)
		if (is_missing(item(w, i)))
			rc = take_from_file(w, item(w, i), err);
	return rc;
}

/* Return a called item. */
static struct item *called(struct worker *w, size_t i)
{
	return item(w, ((const size_t *)(const void *)w->called.p)[i]);
}

static size_t n_called(const struct worker *w)
{
	return w->called.len / sizeof(size_t);
}

/* Cache the vectors of the called items, stored from offset from on. */
static void keep_vectors(struct worker *w, size_t from, size_t each)
{
	size_t i;

	lh_buf_reset(&w->entries);
	for (i = 0; i < n_called(w); i++, from += each) {
		struct item *it = called(w, i);
		struct cache_entry e = { it->key, w->vectors.p + from, each };

		if (it->why || it->cut || is_zero(e.p, each))
			continue;
		if (w->r->cache)
			lh_lru_put(w->r->cache, e.key, e.p, e.n);
		lh_buf_add(&w->entries, &e, sizeof e);
	}
	if (w->r->file)
		cache_put(w->r->file, (const struct cache_entry *)w->entries.p,
			  w->entries.len / sizeof(struct cache_entry));
}

/* Store the error of a text whose vector is zero. */
static size_t note_zero(struct worker *w)
{
	struct lh_err why;
	char url[400];

	if (w->r->e->url)
		lh_http_mask(w->r->e->url, url, sizeof url);
	else
		snprintf(url, sizeof url, "%.399s", w->e->model);
	lh_err_data(&why, 502, "%s: the vector of this text is all zero", url);
	return note(w, &why);
}

/* Distribute the vectors at offset from to the called items. */
static void hand_out(struct worker *w, size_t from, size_t each)
{
	size_t i, zero = 0;

	for (i = 0; i < n_called(w); i++, from += each) {
		struct item *it = called(w, i);

		if (it->why)
			continue;
		if (is_zero(w->vectors.p + from, each)) {
			if (!zero)
				zero = note_zero(w);
			it->why = zero;
			continue;
		}
		found(w, it, from, each);
	}
}

/* Handle a failed call: with --on-error emit its items fail and the run goes on. */
static int call_failed(struct worker *w, struct lh_err *err)
{
	size_t i, why;

	if (!lh_records_rejects(w->r->e->tool, err))
		return -1;
	why = note(w, err);
	for (i = 0; i < n_called(w); i++)
		if (!called(w, i)->why)
			called(w, i)->why = why;
	return 0;
}

static void text_refused(void *worker, size_t i, const struct lh_err *err)
{
	struct worker *w = worker;

	called(w, i)->why = note(w, err);
}

static void text_cut(void *worker, size_t i)
{
	called(worker, i)->cut = true;
}

/* Gather the texts of one call: the wanted items of one model and request id, from i on. */
static void gather_call(struct worker *w, size_t i)
{
	const struct item first = *item(w, i);
	size_t most = w->r->e->batch;

	lh_buf_reset(&w->texts);
	lh_buf_reset(&w->called);
	for (; i < n_items(w) && n_called(w) < most; i++) {
		const struct item *it = item(w, i);
		struct lh_str text = { it->p ? it->p : w->scratch.p + it->off, it->n };

		if (!is_wanted(it, &first))
			continue;
		lh_buf_add(&w->texts, &text, sizeof text);
		lh_buf_add(&w->called, &i, sizeof i);
	}
}

/* Make one call, whose first item is i. */
static int call(struct worker *w, size_t i, struct lh_err *err)
{
	struct embed *e = w->r->e;
	size_t from = w->vectors.len, each;
	struct call c = { .model = item(w, i)->model, .trace = item(w, i)->trace,
			  .refused = text_refused, .cut = text_cut, .ctx = w };

	gather_call(w, i);
	c.text = (const struct lh_str *)(const void *)w->texts.p;
	c.n = n_called(w);
	if (e->engine->many(w->engine, &c, &w->vectors, err) < 0) {
		w->vectors.len = from;
		return call_failed(w, err);
	}
	atomic_fetch_add(&e->misses, c.n);
	each = (w->vectors.len - from) / c.n;
	keep_vectors(w, from, each);
	hand_out(w, from, each);
	return 0;
}

static int fetch_missing(struct worker *w, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < n_items(w); i++)
		if (is_missing(item(w, i)) && call(w, i, err) < 0)
			return -1;
	return 0;
}

/* Get the vectors of all items: from the caches, or by calls.  An item that fails by itself gets
 * its error in `why`; -1 with *err ends the run. */
static int fetch(struct worker *w, struct lh_err *err)
{
	resolve(w);
	return look_in_file(w, err) < 0 ? -1 : fetch_missing(w, err);
}

/* ---- batches ---- */

/*
 * A batch of records becomes a list of texts, whose vectors fetch() gets.  Then the records are
 * answered in order, up to the first whose texts are not all there.  If one text fails, only its
 * record is rejected, and the others go on.
 */

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
		return lh_err_data(err, t->rq.dialect ? 404 : 400,
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

		answer_op(b->out, &t->rq, NULL, texts > misses ? texts - misses : 0, misses,
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
			.context_size = sizeof(struct worker), .context_init = worker_init,
			.context_free = worker_free });
	lh_held_close(held);
	models_free(&r.models);
	cache_close(r.file);
	lh_lru_free(r.cache);
	return rc;
}
