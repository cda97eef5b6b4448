/*
 * fetch.c - the vectors of the texts of a batch.  See remote.h.
 *
 * The first of equal texts is found in a cache, or is being fetched by another thread, or is
 * sent to the service, at most --batch in one call.  A call has one model and one request id, so
 * that what is sent does not depend on -j.
 *
 * One text may fail: its vector is all zero, or, with --on-error emit, its call failed.
 */
#include "remote.h"

#include <stdio.h>

#include "model/http.h"
#include <lh/distance.h>

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
	enum lh_lru_claim rc = LH_LRU_ALONE;

	if (w->r->cache)
		rc = lh_lru_claim(w->r->cache, it->key, &w->vectors);
	if (rc == LH_LRU_HIT)
		found(w, it, at, w->vectors.len - at);
	it->ours = rc == LH_LRU_MINE || rc == LH_LRU_ALONE;
	it->promised = rc == LH_LRU_MINE;
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
	return it->ours && it->at == NOWHERE && !it->why;
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

/* Look in the file for what this thread is to fetch. */
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
		it->promised = false;
		lh_buf_add(&w->entries, &e, sizeof e);
	}
	if (w->r->file)
		cache_put(w->r->file, (const struct cache_entry *)w->entries.p,
			  w->entries.len / sizeof(struct cache_entry));
}

/* Wake the threads that wait for an item that is not stored.  Where this thread waited for it
 * itself, in vain, another may have promised it by now: that promise is not this thread's. */
static void take_back(struct worker *w, struct item *it)
{
	if (it->promised)
		lh_lru_drop(w->r->cache, it->key);
	it->promised = false;
}

/* Set an item to failed, for those that wait for it too. */
static void give_up(struct worker *w, struct item *it, size_t why)
{
	it->why = why;
	take_back(w, it);
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
			give_up(w, it, zero);
			continue;
		}
		found(w, it, from, each);
		if (it->cut)
			take_back(w, it);
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
			give_up(w, called(w, i), why);
	return 0;
}

static void text_refused(void *worker, size_t i, const struct lh_err *err)
{
	struct worker *w = worker;

	give_up(w, called(w, i), note(w, err));
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

static int fetch_ours(struct worker *w, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < n_items(w); i++)
		if (is_missing(item(w, i)) && call(w, i, err) < 0)
			return -1;
	return 0;
}

/* Return whether a call has failed in any thread, with *err. */
static bool has_failed(struct remote *r, struct lh_err *err)
{
	bool failed;

	pthread_mutex_lock(&r->lock);
	failed = r->failure.code != LH_OK;
	if (failed)
		*err = r->failure;
	pthread_mutex_unlock(&r->lock);
	return failed;
}

/* Wait for a text that another thread fetches.  Of those that have waited in vain one makes
 * the call, at once: two threads that wait while others wait for them would wait for ever. */
static int wait_for(struct worker *w, size_t i, struct lh_err *err)
{
	struct item *it = item(w, i);
	size_t at;

	while (it->at == NOWHERE && !it->why) {
		at = w->vectors.len;
		if (lh_lru_wait(w->r->cache, it->key, &w->vectors))
			found(w, it, at, w->vectors.len - at);
		else if (has_failed(w->r, err))
			return -1;
		else
			look_up(w, it);
		if (is_missing(it) && call(w, i, err) < 0)
			return -1;
	}
	return 0;
}

static int wait_for_theirs(struct worker *w, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < n_items(w); i++)
		if (item(w, i)->first == i && wait_for(w, i, err) < 0)
			return -1;
	return 0;
}

int fetch(struct worker *w, struct lh_err *err)
{
	int rc;

	resolve(w);
	rc = look_in_file(w, err);
	if (!rc)
		rc = fetch_ours(w, err);
	if (!rc)
		rc = wait_for_theirs(w, err);
	if (rc < 0) {
		/* After a failure: wake the threads that wait for this one. */
		size_t i;

		pthread_mutex_lock(&w->r->lock);
		if (!w->r->failure.code)
			w->r->failure = *err;
		pthread_mutex_unlock(&w->r->lock);
		for (i = 0; i < n_items(w); i++)
			if (is_missing(item(w, i)))
				take_back(w, item(w, i));
	}
	return rc;
}
