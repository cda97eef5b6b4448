/*
 * mix.c - workers that run scenarios, drawn by weight, and judge the answers of a server, or of its
 * filters over the same state.  See load.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "base/time.h"
#include "base/utf8.h"
#include "client.h"
#include "json/value.h"
#include "json/write.h"
#include "load.h"
#include "scenario.h"
#include "serve/body.h"
#include "serve/pool.h"
#include "serve/routes.h"
#include "tool/records.h"

/* ---- requests to filters, without a server ---- */

/*
 * The folder is a state of lh-serve.  A filter is started when its first request comes, with
 * as many processes as lh-serve has; routes with the same command share them.
 */

#define WAIT 20			/* milliseconds */
#define END_SECONDS 5

struct filters_how {
	const char *folder;
	size_t slots;
	double timeout;		/* seconds */
	void (*done)(void *ctx, size_t slot, const struct answer *a);
	void *ctx;
};

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

static void on_line(struct lh_ask *ask, enum lh_asked how, const struct lh_record *rec)
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

/* Send a request in a slot that has none.  address is a path, possibly with a query.  A
 * failure is reported to done, later. */
static void filters_send(struct filters *f, size_t slot, const char *method, struct lh_str address,
		  struct lh_str body)
{
	struct asking *a = &f->asking[slot];
	struct lh_err err = { .code = LH_OK };

	a->from = client_clock();
	a->ask.timeout = f->how.timeout;
	a->ask.answered = on_line;
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

/* Wait for answers, at most 20 ms, and handle them. */
static int filters_turn(struct filters *f, struct lh_err *err)
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

/* Return the last thing that a process said when it ended by itself, or "".  To be called when
 * all requests are done.  The end of a process is seen before its status is there, so that the
 * others are ended, too, if one was lost. */
static const char *filters_last_words(struct filters *f)
{
	f->how.done = ignore_answer;
	if (f->lost)
		let_end(f);
	return f->last_words;
}

/* End the processes; those of a filter that does not end in five seconds are killed. */
static void filters_close(struct filters *f)
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

static struct filters *filters_open(const struct filters_how *how, struct lh_err *err)
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

/* ---- the answer of a step ---- */

/* Errors: 0, or -1 with LH_EDATA and the reason in words: the run failed. */

struct judge {			/* memory for it; zeroed: empty */
	struct lh_record answer, operand;
	struct lh_buf text;
};

#define SHOWN_MAX 200

static void judge_free(struct judge *j)
{
	lh_record_free(&j->answer);
	lh_record_free(&j->operand);
	lh_buf_free(&j->text);
}

/* Return the beginning of a text, cut between characters. */
static int shown(const char *p, size_t n)
{
	return (int)lh_utf8_head((struct lh_str){ p, n }, SHOWN_MAX).n;
}

static int judge_status(const struct step *step, const struct answer *a, struct lh_err *err)
{
	char want[24] = "2xx";

	if (a->fault)
		return lh_err_set(err, LH_EDATA, "%s", a->fault);
	if (step->status ? a->status == step->status : a->status / 100 == 2)
		return 0;
	if (step->status)
		snprintf(want, sizeof want, "%u", step->status);
	return lh_err_set(err, LH_EDATA, "status is %u, expected %s: %.*s", a->status, want,
			  shown(a->body.p, a->body.n), a->body.n ? a->body.p : "");
}

/* ---- conditions ---- */

/* A condition on the values of a path. */
struct check {
	const struct expected *e;
	const struct condition *c;
	const struct lh_value *operand;
	struct lh_err *err;
};

static bool in_range(const struct condition *c, const struct lh_value *v,
		     const struct lh_value *operand)
{
	double is;

	if ((v->type != LH_NUMBER && v->type != LH_ARRAY) || operand->type != LH_NUMBER)
		return false;
	is = v->type == LH_ARRAY ? (double)lh_value_count(v) : lh_value_f64(v);
	return c->op == OP_MIN ? is >= lh_value_f64(operand) : is <= lh_value_f64(operand);
}

/* Return whether an array has the value. */
static bool has(const struct lh_value *array, const struct lh_value *v)
{
	struct lh_iter it;

	for (lh_iter_init(&it, array); lh_iter_next(&it); )
		if (lh_value_equal(&it.val, v))
			return true;
	return false;
}

/* Return whether a value, or the elements of an array, are not in the operand. */
static bool none_of(const struct lh_value *v, const struct lh_value *operand)
{
	struct lh_iter it;

	if (operand->type != LH_ARRAY)
		return false;
	if (v->type != LH_ARRAY)
		return !has(operand, v);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (has(operand, &it.val))
			return false;
	return true;
}

static bool matches(const struct condition *c, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s = { v->p, v->n };

	if (v->type == LH_STRING)
		lh_value_str(v, &text, &s);
	if (text.p != s.p)
		lh_buf_add(&text, s.p, s.n);
	lh_buf_putc(&text, '\0');
	return regexec(&c->regex, text.p, 0, NULL, 0) == 0;
}

/* Return 1 if the condition holds, 0, or -1. */
static int holds(const struct check *k, const struct lh_value *v)
{
	switch (k->c->op) {
	case OP_EQ:
	case OP_SAME_AS:
		return lh_value_equal(v, k->operand);
	case OP_NE:
		return !lh_value_equal(v, k->operand);
	case OP_NONE_OF:
		return none_of(v, k->operand);
	case OP_MATCHES:
		return matches(k->c, v);
	default:
		return in_range(k->c, v, k->operand);
	}
}

static int check_value(void *ctx, const struct lh_value *v)
{
	const struct check *k = ctx;
	int rc = holds(k, v);

	if (rc > 0)
		return 0;
	if (!rc)
		lh_err_set(k->err, LH_EDATA, "%.*s is %.*s, expected {\"%s\":%.*s}",
			   shown(k->e->text.p, k->e->text.n), k->e->text.p, shown(v->p, v->n), v->p,
			   op_names[k->c->op], shown(k->operand->p, k->operand->n), k->operand->p);
	return -1;
}

/* Set *operand to the operand of a condition, with the values of the variables. */
static int fill_operand(struct judge *j, const struct condition *c, const struct lh_value *variable,
			struct lh_value *operand, struct lh_err *err)
{
	if (c->op == OP_MATCHES) {
		*operand = (struct lh_value){ c->text.p, c->text.n, LH_STRING, false };
		return 0;
	}
	if (c->fixed.p) {
		*operand = c->fixed;
		return 0;
	}
	if (pattern_is_variable(&c->operand))
		return piece_value(c->operand.piece, variable, operand, err);
	lh_buf_reset(&j->text);
	if (pattern_put_json(&c->operand, variable, &j->text, err) < 0)
		return -1;
	return lh_json_parse(&j->operand, j->text.p, j->text.len, operand, err);
}

static int judge_place(struct judge *j, const struct expected *e, const struct lh_value *variable,
		       const struct lh_value *body, struct lh_err *err)
{
	struct lh_value operand;
	struct check k = { e, NULL, &operand, err };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < e->n; i++) {
		k.c = &e->condition[i];
		if (fill_operand(j, k.c, variable, &operand, err) < 0)
			return -1;
		rc = path_walk(&e->path, body, check_value, &k);
	}
	return rc <= 0 ? rc : lh_err_set(err, LH_EDATA, "%.*s is not there",
					 shown(e->text.p, e->text.n), e->text.p);
}

/* Judge an answer by step->status and step->expected.  *body is the JSON of it, until the
 * next call; it is set if the step expects or takes anything. */
static int judge_answer(struct judge *j, const struct step *step, const struct answer *a,
			const struct lh_value *variable, struct lh_value *body, struct lh_err *err)
{
	size_t i;

	if (judge_status(step, a, err) < 0)
		return -1;
	if (!step->n_expected && !step->n_take)
		return 0;
	if (!a->body.n || lh_json_parse(&j->answer, a->body.p, a->body.n, body, err) < 0)
		return a->body.n && err->code != LH_EDATA ? -1 : lh_err_set(
			err, LH_EDATA, "the answer is not JSON: %.*s",
			shown(a->body.p, a->body.n), a->body.n ? a->body.p : "");
	for (i = 0; i < step->n_expected; i++)
		if (judge_place(j, &step->expected[i], variable, body, err) < 0)
			return -1;
	return 0;
}

/* ---- take ---- */

static int append(void *ctx, const struct lh_value *v)
{
	lh_write_value(ctx, NULL, v);
	return 0;
}

/* Append the value that a take finds in the body to out; with [*] an array of them. */
static int judge_take(const struct take *t, const struct lh_value *body, struct lh_buf *out,
		      struct lh_value *value, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	int rc;

	if (t->path.many) {
		lh_write_array(&w, NULL);
		rc = path_walk(&t->path, body, append, &w);
		lh_write_end(&w);
		*value = (struct lh_value){ NULL, 0, LH_ARRAY, false };
	} else {
		rc = path_value(&t->path, body, value) ? 0 : 1;
		if (!rc)
			lh_buf_add(out, value->p, value->n);
	}
	if (rc)
		return lh_err_set(err, LH_EDATA, "take: %.*s is not there",
				  shown(t->text.p, t->text.n), t->text.p);
	value->p = out->p;
	value->n = out->len;
	return 0;
}

/* ---- workers ---- */

#define KEPT ((size_t)1 << 20)	/* of the memory of a variable */
#define DEFAULT_URL "http://127.0.0.1:3110"

struct worker {
	uint64_t random;		/* state of its generator */
	uint64_t left;			/* scenarios to begin */
	struct scenario *scenario;	/* that it runs; NULL: none */
	size_t step;
	uint64_t began;
	struct lh_value variable[NAMES_MAX];
	struct lh_buf text[NAMES_MAX];	/* of those that were taken */
	struct lh_buf address, body, request;
};

struct mix {
	struct lh_tool *tool;
	const struct settings *s;
	struct set set;
	struct target target;
	struct client *client;		/* this or filters */
	struct filters *filters;
	struct worker *worker;
	size_t workers, active;
	struct judge judge;
	uint64_t start, end, deadline, requests;
	uint64_t ended;			/* scenarios */
	int rc;				/* -1: tool->err */
};

/* ---- drawing ---- */

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct scenario *draw_scenario(const struct set *set, uint64_t *random)
{
	double sum = set->scenario[set->n_scenarios - 1]->until, at;
	size_t i;

	at = (double)(next_random(random) >> 11) * 0x1p-53 * sum;
	for (i = 0; i < set->n_scenarios - 1 && at >= set->scenario[i]->until; i++)
		;
	return set->scenario[i];
}

/* ---- running ---- */

static void end_run(struct mix *m, struct worker *w, const struct lh_err *failed)
{
	struct scenario *s = w->scenario;

	m->end = client_clock();
	if (failed && failed->code != LH_EDATA) {
		if (failed != &m->tool->err)
			m->tool->err = *failed;
		m->rc = -1;
	} else if (failed && !s->failures++) {
		lh_buf_printf(&s->first_failure, "step %zu, %.*s: %s", w->step + 1,
			      (int)s->step[w->step].to.n, s->step[w->step].to.p, failed->msg);
	}
	s->count++;
	m->ended++;
	histogram_add(&s->durations, m->end - w->began);
	w->scenario = NULL;
}

/* Send what the step has rendered. */
static void send_rendered(struct mix *m, struct worker *w, const char *method,
			  struct lh_str address, struct lh_str body)
{
	size_t slot = (size_t)(w - m->worker);

	if (m->filters) {
		filters_send(m->filters, slot, method, address, body);
		return;
	}
	lh_buf_reset(&w->request);
	target_request(&m->target, method, address, body, &w->request);
	client_send(m->client, slot, (struct lh_str){ w->request.p, w->request.len }, 0);
}

static int send_step(struct mix *m, struct worker *w, struct lh_err *err)
{
	const struct step *step = &w->scenario->step[w->step];
	struct lh_str body = { NULL, 0 };
	int rc;

	lh_buf_reset(&w->address);
	lh_buf_reset(&w->body);
	if (m->target.path) {
		/* without its slash at the end it is a prefix */
		lh_buf_puts(&w->address, m->target.path);
		w->address.len -= w->address.len && w->address.p[w->address.len - 1] == '/';
	}
	rc = pattern_put_address(&step->address, w->variable, &w->address, err);
	if (!rc && step->has_body) {
		rc = pattern_put_json(&step->body, w->variable, &w->body, err);
		body = (struct lh_str){ w->body.p, w->body.len };
	}
	if (!rc)
		send_rendered(m, w, step->method,
			      (struct lh_str){ w->address.p, w->address.len }, body);
	m->requests += !rc;
	return rc;
}

static bool may_begin(const struct mix *m, const struct worker *w)
{
	return w->left && client_clock() < m->deadline && !m->rc && !lh_signal_pending();
}

/* Begin runs until one has sent something. */
static void begin_run(struct mix *m, struct worker *w)
{
	const struct draw *d;
	struct lh_err err;
	size_t i;

	while (may_begin(m, w)) {
		w->left--;
		w->scenario = draw_scenario(&m->set, &w->random);
		w->step = 0;
		w->began = client_clock();
		for (i = 0; i < w->scenario->n_draws; i++) {
			d = &w->scenario->draw[i];
			w->variable[d->variable] =
				d->rows->row[next_random(&w->random) % d->rows->n];
		}
		if (send_step(m, w, &err) == 0)
			return;
		end_run(m, w, &err);
	}
	m->active--;
}

static int take(struct worker *w, const struct step *step, const struct lh_value *body,
		struct lh_err *err)
{
	struct lh_buf *text;
	size_t i;

	for (i = 0; i < step->n_take; i++) {
		text = &w->text[step->take[i].variable];
		if (text->cap > KEPT)
			lh_buf_free(text);
		lh_buf_reset(text);
		if (judge_take(&step->take[i], body, text, &w->variable[step->take[i].variable],
			       err) < 0)
			return -1;
	}
	return 0;
}

static void on_answer(void *ctx, size_t slot, const struct answer *a)
{
	struct mix *m = ctx;
	struct worker *w = &m->worker[slot];
	const struct step *step = &w->scenario->step[w->step];
	struct lh_value body;
	struct lh_err err;
	int rc = judge_answer(&m->judge, step, a, w->variable, &body, &err);

	if (!rc)
		rc = take(w, step, &body, &err);
	if (!rc && w->step + 1 < w->scenario->n_steps) {
		w->step++;
		rc = send_step(m, w, &err);
		if (!rc)
			return;
	}
	end_run(m, w, rc < 0 ? &err : NULL);
	begin_run(m, w);
}

static int loop(struct mix *m)
{
	uint64_t number = m->s->number, seed = m->s->seed;
	struct worker *w;
	size_t i;

	m->start = m->end = client_clock();
	m->deadline = isfinite(m->s->duration) ? m->start + (uint64_t)(m->s->duration * 1e9)
						: UINT64_MAX;
	m->active = m->workers;
	for (i = 0; i < m->workers; i++) {
		w = &m->worker[i];
		w->left = number / m->workers + (i < number % m->workers);
		w->random = next_random(&seed);
		begin_run(m, w);
	}
	while (m->active && !m->rc && !lh_signal_pending()) {
		uint64_t ms, of;

		if (m->filters ? filters_turn(m->filters, &m->tool->err) < 0
			       : client_turn(m->client, &m->tool->err) < 0)
			return -1;
		ms = (client_clock() - m->start) / 1000000;
		if (isfinite(m->s->duration)) {
			of = (uint64_t)(m->s->duration * 1000);
			lh_tool_share(m->tool, ms < of ? ms : of, of);
		} else {
			lh_tool_share(m->tool, m->ended, m->s->number);
		}
	}
	return m->rc;
}

/* ---- results ---- */

static void write_ms(struct lh_writer *w, const char *name, const struct histogram *h, double share)
{
	if (h->n)
		lh_write_f64(w, name, milliseconds(histogram_at(h, share)));
	else
		lh_write_null(w, name);
}

static int print_scenario(const struct mix *m, struct scenario *s)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_buf_putc(&s->first_failure, '\0');
	lh_write_object(&w, NULL);
	lh_write_str(&w, "scenario", s->name);
	lh_write_u64(&w, "count", s->count);
	lh_write_u64(&w, "failures", s->failures);
	write_ms(&w, "p50_ms", &s->durations, 0.5);
	write_ms(&w, "p95_ms", &s->durations, 0.95);
	write_ms(&w, "p99_ms", &s->durations, 0.99);
	if (s->failures)
		lh_write_bytes(&w, "first_failure", s->first_failure.p);
	else
		lh_write_null(&w, "first_failure");
	lh_write_end(&w);
	lh_tool_message(m->tool, "%-24.*s %10llu %10llu %9.3f %9.3f %9.3f", (int)s->name.n,
			s->name.p, (unsigned long long)s->count, (unsigned long long)s->failures,
			milliseconds(histogram_at(&s->durations, 0.5)),
			milliseconds(histogram_at(&s->durations, 0.95)),
			milliseconds(histogram_at(&s->durations, 0.99)));
	if (s->failures) {
		lh_tool_message(m->tool, "  first failure: %s", s->first_failure.p);
		lh_tool_verdict_bad(m->tool);
	}
	return lh_tool_out_line(m->tool, &line);
}

static int print_results(struct mix *m)
{
	double took = (double)(m->end - m->start) / 1e9;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	uint64_t good = 0;
	size_t i;

	lh_tool_message(m->tool, "%-24s %10s %10s %9s %9s %9s", "scenario", "runs", "failures",
			"p50 ms", "p95 ms", "p99 ms");
	for (i = 0; i < m->set.n_scenarios; i++) {
		if (print_scenario(m, m->set.scenario[i]) < 0)
			return -1;
		good += m->set.scenario[i]->count && !m->set.scenario[i]->failures;
	}
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "scenarios", m->ended);
	lh_write_u64(&w, "total", m->requests);
	lh_write_f64(&w, "per_second", took > 0 ? round((double)m->ended / took * 10) / 10 : 0);
	lh_write_u64(&w, "classes", m->set.n_scenarios);
	lh_write_u64(&w, "classes_ok", good);
	lh_write_f64(&w, "duration_s", seconds(m->end - m->start));
	lh_write_end(&w);
	return lh_tool_out_line(m->tool, &line);
}

/* ---- the whole ---- */

static int copy_line(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	(void)context;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

static int add_line(const struct lh_output *o, void *shared, struct lh_err *err)
{
	return set_add(shared, (struct lh_str){ o->text, o->n }, err);
}

static int read_set(struct mix *m, const char *file)
{
	char *files[] = { (char *)file };

	m->tool->jobs = 1;
	m->tool->on_error = LH_ON_ERROR_STOP;
	if (lh_records_run(m->tool, &(struct lh_flow){ .files = files, .n_files = 1,
						       .map = copy_line, .sink = add_line,
						       .shared = &m->set }) < 0) {
		lh_tool_failed(m->tool);
		return -1;
	}
	if (set_end(&m->set, &m->tool->err) < 0)
		return lh_err_prefix(&m->tool->err, "%s", file);
	return 0;
}

static int open_target(struct mix *m, const char *target)
{
	struct lh_err *err = &m->tool->err;

	m->workers = m->s->step[0];
	m->worker = lh_calloc(m->workers, sizeof *m->worker);
	if (m->s->via == VIA_FILTERS) {
		m->filters = filters_open(&(struct filters_how){
			.folder = target, .slots = m->workers, .timeout = m->s->timeout,
			.done = on_answer, .ctx = m }, err);
		return m->filters ? 0 : -1;
	}
	if (target_open(&m->target, target ? target : DEFAULT_URL, err) < 0 ||
	    target_headers(&m->target, &m->s->headers, m->s->token_file, err) < 0)
		return -1;
	m->client = client_open(&(struct client_how){
		.target = &m->target, .slots = m->workers, .timeout = m->s->timeout, .keep = true,
		.done = on_answer, .ctx = m }, err);
	return m->client ? 0 : -1;
}

static void close_mix(struct mix *m)
{
	struct worker *w;
	size_t i;

	client_close(m->client);
	filters_close(m->filters);
	for (w = m->worker; m->worker && w < m->worker + m->workers; w++) {
		for (i = 0; i < NAMES_MAX; i++)
			lh_buf_free(&w->text[i]);
		lh_buf_free(&w->address);
		lh_buf_free(&w->body);
		lh_buf_free(&w->request);
	}
	free(m->worker);
	judge_free(&m->judge);
	target_close(&m->target);
	set_free(&m->set);
}

int mix_run(struct lh_tool *tool, const struct settings *s, const char *file, const char *target)
{
	struct mix m = { .tool = tool, .s = s };
	const char *said;
	int rc = read_set(&m, file);

	if (!rc)
		rc = open_target(&m, target);
	lh_signal_defer(true);
	if (!rc)
		rc = loop(&m);
	if (!rc)
		rc = print_results(&m);
	said = m.filters ? filters_last_words(m.filters) : "";
	if (*said)
		lh_tool_message(tool, "%s", said);
	close_mix(&m);
	return rc;
}
