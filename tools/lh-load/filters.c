/* filters.c - requests to filters, without a server.  See client.h. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "serve/pool.h"
#include "serve/body.h"
#include "serve/routes.h"
#include "base/time.h"

#define WAIT 20			/* milliseconds */
#define END_SECONDS 5

struct filter {			/* routes with the same command share one */
	char **run;
	struct lh_pool *pool;
};

struct asking {
	struct lh_ask ask;
	struct filters *f;
	uint64_t from;
	bool own_status;	/* the body has a member that is called as the status is */
	unsigned status;	/* of a request that was refused, reported by the next turn */
	struct lh_buf body;
};

struct filters {
	struct filters_how how;
	struct lh_loop loop;
	struct lh_routes routes;
	struct filter *filter;
	size_t n, cap;
	struct lh_record body;
	struct lh_buf members;
	struct asking *asking;
	size_t *failed, n_failed;
	char last_words[400];
	bool lost;		/* a process ended before it answered */
};

static void finish(struct asking *a, struct answer *answer)
{
	answer->from = a->from;
	answer->to = client_clock();
	a->f->how.done(a->f->how.ctx, (size_t)(a - a->f->asking), answer);
}

static void on_answer(struct lh_ask *ask, enum lh_asked how, const struct lh_record *rec)
{
	struct asking *a = (struct asking *)((char *)ask - offsetof(struct asking, ask));
	LH_SCOPED(lh_answer_free) struct lh_answer read = { .status = 0 };
	struct answer answer = { .status = 0 };

	a->f->lost |= how == LH_ASKED_GONE;
	if (how != LH_ASKED_ANSWERED) {
		answer.fault = how == LH_ASKED_LATE ? "timed out"
			: how == LH_ASKED_GONE ? "the filter ended before it answered"
					       : "the filter is down";
	} else {
		lh_answer_read(rec, a->own_status, &read);
		answer.status = read.status;
		answer.body = read.status == 204 ? (struct lh_str){ NULL, 0 } : read.body;
		answer.bytes = answer.body.n;
	}
	finish(a, &answer);
}

/* ---- sending ---- */

static void ended(void *filters, const char *text)
{
	struct filters *f = filters;

	snprintf(f->last_words, sizeof f->last_words, "%s", text);
}

static struct lh_pool *find_pool(struct filters *f, const struct lh_route *r, struct lh_err *err)
{
	struct lh_pool *pool;
	size_t i;

	for (i = 0; i < f->n; i++)
		if (lh_argv_same(f->filter[i].run, r->run))
			return f->filter[i].pool;
	lh_grow(&f->filter, &f->cap, f->n + 1, sizeof *f->filter);
	pool = lh_pool_new(&(struct lh_pool_how){
		.argv = r->run, .keys = lh_route_keys(r->run[0]),
		.processes = (unsigned)r->limits.pool, .depth = (unsigned)r->limits.depth,
		.loop = &f->loop, .ended = ended, .owner = f }, err);
	if (pool)
		f->filter[f->n++] = (struct filter){ r->run, pool };
	return pool;
}

/* Write the line for the filter of the route. */
static int make_line(struct asking *a, const struct lh_route *r, const struct lh_route_path *path,
		     struct lh_str body, struct lh_err *err)
{
	bool empty = !strcmp(r->method, "GET") || !strcmp(r->method, "DELETE");
	struct lh_record *rec = body.n ? &a->f->body : NULL;
	struct lh_buf *members = &a->f->members;

	lh_buf_reset(members);
	lh_buf_reset(&a->ask.line);
	if (lh_route_members(r, path, 0, members, err) < 0)
		return -1;
	if (!rec && !empty)
		return lh_err_set(err, LH_EDATA, "the body is empty: expected a JSON object");
	if (rec && lh_record_parse(rec, body.p, body.n, err) < 0)
		return -1;
	a->own_status = rec && lh_body_has_status(rec);
	if (lh_repack(rec, (struct lh_str){ members->p, members->len }, &a->ask.line, err) < 0)
		return -1;
	lh_buf_putc(&a->ask.line, '\n');
	return 0;
}

static int ask(struct asking *a, const char *method, struct lh_str address, struct lh_str body,
	       struct lh_err *err)
{
	struct lh_route_path path = { .n = 0 };
	const struct lh_route *r = NULL;
	struct lh_pool *pool = NULL;
	int rc = lh_route_path_read(&path, address, err);

	if (!rc) {
		r = lh_routes_find(&a->f->routes, method, &path, 0);
		if (!r || !r->run)
			rc = lh_err_data(err, 404, "no filter answers this route");
	}
	if (!rc)
		pool = find_pool(a->f, r, err);
	if (!rc)
		rc = pool ? make_line(a, r, &path, body, err) : -1;
	if (!rc) {
		a->ask.read = r->read;
		if (lh_pool_ask(pool, &a->ask) < 0)
			rc = lh_err_data(err, 503, "the filter is down");
	}
	lh_route_path_free(&path);
	return rc;
}

void filters_send(struct filters *f, size_t slot, const char *method, struct lh_str address,
		  struct lh_str body)
{
	struct asking *a = &f->asking[slot];
	struct lh_err err = { .code = LH_OK };

	a->from = client_clock();
	a->ask.timeout = f->how.timeout;
	a->ask.answered = on_answer;
	if (ask(a, method, address, body, &err) < 0) {
		/* Refuse a request as lh-serve does, from the next turn, so that done is
		 * never called by filters_send. */
		a->status = lh_err_status(&err);
		lh_buf_reset(&a->body);
		lh_answer_error(&a->body, err.msg);
		a->f->failed[a->f->n_failed++] = (size_t)(a - a->f->asking);
	}
}

static void tick(struct filters *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		lh_pool_tick(f->filter[i].pool);
}

int filters_turn(struct filters *f, struct lh_err *err)
{
	size_t i, n;
	struct asking *a;
	struct answer answer;

	tick(f);
	if (lh_loop_wait(&f->loop, f->n_failed ? 0 : WAIT, err) < 0)
		return -1;
	n = f->n_failed;
	for (i = 0; i < n; i++) {
		a = &f->asking[f->failed[i]];
		answer = (struct answer){ .status = a->status, .bytes = a->body.len,
					  .body = { a->body.p, a->body.len } };
		finish(a, &answer);
	}
	memmove(f->failed, f->failed + n, (f->n_failed - n) * sizeof *f->failed);
	f->n_failed -= n;
	return 0;
}

/* ---- beginning and end ---- */

struct filters *filters_open(const struct filters_how *how, struct lh_err *err)
{
	struct filters *f = lh_calloc(1, sizeof *f);
	size_t i;

	f->how = *how;
	f->loop.fd = -1;
	f->asking = lh_calloc(how->slots, sizeof *f->asking);
	f->failed = lh_calloc(2 * how->slots, sizeof *f->failed);
	if (lh_loop_open(&f->loop, err) < 0 ||
	    lh_routes_built_in(&f->routes, how->folder, err) < 0) {
		filters_close(f);
		return NULL;
	}
	for (i = 0; i < how->slots; i++)
		f->asking[i].f = f;
	return f;
}

/* Let the processes end by themselves, unless a signal came. */
static void let_end(struct filters *f)
{
	double until = lh_time_monotonic() + END_SECONDS;
	struct lh_err err;
	size_t i, open;

	for (i = 0; i < f->n; i++)
		lh_pool_retire(f->filter[i].pool);
	do {
		tick(f);
		for (open = i = 0; i < f->n; i++)
			open += !lh_pool_over(f->filter[i].pool);
	} while (open && !lh_signal_pending() && lh_time_monotonic() < until &&
		 lh_loop_wait(&f->loop, WAIT, &err) == 0);
}

static void ignore_answer(void *ctx, size_t slot, const struct answer *a)
{
	(void)ctx;
	(void)slot;
	(void)a;
}

/* The end of a process is seen before its status is there. */
const char *filters_last_words(struct filters *f)
{
	f->how.done = ignore_answer;
	if (f->lost)
		let_end(f);
	return f->last_words;
}

void filters_close(struct filters *f)
{
	size_t i;

	if (!f)
		return;
	f->how.done = ignore_answer;
	let_end(f);
	for (i = 0; i < f->n; i++)
		lh_pool_free(f->filter[i].pool);
	for (i = 0; f->asking && i < f->how.slots; i++) {
		lh_buf_free(&f->asking[i].ask.line);
		lh_buf_free(&f->asking[i].body);
	}
	if (f->loop.fd >= 0)
		lh_loop_close(&f->loop);
	lh_routes_free(&f->routes);
	lh_record_free(&f->body);
	lh_buf_free(&f->members);
	free(f->filter);
	free(f->asking);
	free(f->failed);
	free(f);
}
