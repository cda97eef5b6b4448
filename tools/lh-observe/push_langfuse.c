/* push_langfuse.c - rows as events of Langfuse's ingestion API. */
#include <stdio.h>

#include <lh/time.h>
#include "json/bind.h"
#include "json/write.h"
#include "push.h"

#define ID_MAX 800	/* bytes of an id that Langfuse takes */

/* ---- events ---- */

static void write_time(struct lh_writer *w, const char *name, int64_t ms)
{
	char text[32];

	lh_time_print(ms, text);
	lh_write_text(w, name, text);
}

static void write_given(struct lh_writer *w, const char *name, struct lh_str s)
{
	if (s.n)
		lh_write_str(w, name, s);
}

static void write_or_null(struct lh_writer *w, const char *name, struct lh_str s)
{
	if (s.n)
		lh_write_str(w, name, s);
	else
		lh_write_null(w, name);
}

static void write_value(struct lh_writer *w, const char *name, const struct lh_value *v)
{
	if (v->p)
		lh_write_value(w, name, v);
	else
		lh_write_null(w, name);
}

/* Begin the row's i-th event, and its body. */
static void begin_event(struct lh_writer *w, const struct exported *e, size_t i, const char *type)
{
	char id[HASH_HEX + 32];

	snprintf(id, sizeof id, "%.*s-%zu", HASH_HEX, e->hash, i);
	lh_write_object(w, NULL);
	lh_write_text(w, "id", id);
	write_time(w, "timestamp", e->end);
	lh_write_text(w, "type", type);
	lh_write_object(w, "body");
}

static void end_event(struct lh_writer *w)
{
	lh_write_end(w);
	lh_write_end(w);
}

static bool is_id(struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ')
			return false;
	return s.n && s.n <= ID_MAX;
}

/* A session's trace has the id of the session, an operation's that of its trace_id. */
static void write_trace_id(struct lh_writer *w, const char *name, const struct exported *e)
{
	struct lh_str id = e->session.n ? e->session : e->trace;
	char hex[HASH_HEX];

	exported_trace(e, hex);
	lh_write_str(w, name, is_id(id) ? id : (struct lh_str){ hex, HASH_HEX });
}

static void write_span_id(struct lh_writer *w, const struct exported *e, size_t i)
{
	char hex[SPAN_HEX];

	exported_span(e, i, hex);
	lh_write_str(w, "id", (struct lh_str){ hex, SPAN_HEX });
}

static void put_session_trace(struct lh_writer *w, const struct exported *e)
{
	begin_event(w, e, 0, "trace-create");
	write_trace_id(w, "id", e);
	write_time(w, "timestamp", e->start);
	lh_write_str(w, "name", e->endpoint);
	lh_write_object(w, "input");
	lh_write_str(w, "kind", e->session_kind);
	lh_write_str(w, "model", e->model);
	lh_write_str(w, "provider", e->provider);
	lh_write_str(w, "prompt", e->prompt);
	lh_write_end(w);
	lh_write_object(w, "output");
	lh_write_str(w, "verdict", e->verdict);
	write_value(w, "artifact", &e->artifact);
	lh_write_end(w);
	lh_write_object(w, "metadata");
	lh_write_str(w, "daemon", e->daemon);
	lh_write_u64(w, "iterations", e->iterations);
	lh_write_u64(w, "max_iterations", e->max_iterations);
	lh_write_end(w);
	end_event(w);
}

static void put_attempt(struct lh_writer *w, const struct exported *e, size_t i)
{
	const struct attempt *a = &e->attempt[i];
	char name[64];

	snprintf(name, sizeof name, "iterate.attempt[%llu]", (unsigned long long)a->iteration);
	begin_event(w, e, i + 1, "span-create");
	if (is_id(a->span_id))
		lh_write_str(w, "id", a->span_id);
	else
		write_span_id(w, e, i + 1);
	write_trace_id(w, "traceId", e);
	lh_write_text(w, "name", name);
	write_time(w, "startTime", exported_time(e, i));
	write_time(w, "endTime", exported_time(e, i + 1));
	lh_write_object(w, "input");
	lh_write_u64(w, "iteration", a->iteration);
	lh_write_str(w, "model", e->model);
	lh_write_str(w, "provider", e->provider);
	lh_write_str(w, "prompt", e->prompt);
	lh_write_end(w);
	lh_write_object(w, "output");
	lh_write_str(w, "verdict", a->verdict);
	write_value(w, "raw", &a->raw);
	write_or_null(w, "error", a->error);
	lh_write_end(w);
	lh_write_text(w, "level",
		      lh_str_is(a->verdict, "accepted", 8) ? "DEFAULT" : "WARNING");
	write_given(w, "statusMessage", a->error);
	end_event(w);
}

/* The trace of an operation with a trace_id may be another row's, whose name stays. */
static void put_operation(struct lh_writer *w, const struct exported *e)
{
	begin_event(w, e, 0, "trace-create");
	write_trace_id(w, "id", e);
	write_time(w, "timestamp", e->start);
	if (!e->trace.n)
		lh_write_str(w, "name", e->endpoint);
	end_event(w);
	begin_event(w, e, 1, "span-create");
	write_span_id(w, e, 1);
	write_trace_id(w, "traceId", e);
	lh_write_str(w, "name", e->endpoint);
	write_time(w, "startTime", e->start);
	write_time(w, "endTime", e->end);
	write_given(w, "input", e->input);
	lh_write_object(w, "output");
	write_or_null(w, "output", e->output);
	write_or_null(w, "error", e->error);
	lh_write_end(w);
	lh_write_object(w, "metadata");
	lh_write_str(w, "source", e->source);
	lh_write_end(w);
	lh_write_text(w, "level", e->success ? "DEFAULT" : "ERROR");
	write_given(w, "statusMessage", e->error);
	end_event(w);
}

static size_t put(struct lh_buf *out, const struct exported *e)
{
	struct lh_writer w = lh_write_to(out);
	size_t i;

	if (e->kind != LH_OBSERVE_SESSION) {
		put_operation(&w, e);
		return 2;
	}
	put_session_trace(&w, e);
	for (i = 0; i < e->n_attempts; i++)
		put_attempt(&w, e, i);
	return 1 + e->n_attempts;
}

/* ---- answers ---- */

struct result {
	struct lh_str id, message;
	int64_t status;
	struct lh_value error;
};
static const struct lh_bind result_members[] = {
	{ LH_BIND_STRING("id", struct result, id), .required = true },
	{ LH_BIND_I64("status", struct result, status, 0, 999), .lax = true },
	{ LH_BIND_STRING("message", struct result, message), .lax = true },
	{ LH_BIND_SOME("error", struct result, error) },
	LH_BIND_END
};
struct answer {
	struct result *success, *error;
	size_t successes, errors;
};
static const struct lh_bind answer_members[] = {
	{ LH_BIND_TABLES("successes", struct answer, success, successes, result_members),
	  .required = true },
	{ LH_BIND_TABLES("errors", struct answer, error, errors, result_members),
	  .required = true },
	LH_BIND_END
};

/* Find the row of an event, and the number of the event in it. */
static struct item *find_item(struct item **v, size_t n, struct lh_str id, size_t *event)
{
	size_t i, k;

	if (id.n < HASH_HEX + 2 || id.p[HASH_HEX] != '-')
		return NULL;
	for (*event = 0, k = HASH_HEX + 1; k < id.n; k++) {
		if (id.p[k] < '0' || id.p[k] > '9' || *event > 1000000)
			return NULL;
		*event = *event * 10 + (size_t)(id.p[k] - '0');
	}
	for (i = 0; i < n; i++)
		if (memcmp(v[i]->hash, id.p, HASH_HEX) == 0)
			return *event < v[i]->n_events ? v[i] : NULL;
	return NULL;
}

static int take(struct push *p, struct item **v, size_t n, const struct lh_http_reply *reply,
		struct lh_err *err)
{
	struct answer a = { 0 };
	struct lh_value root;
	struct item *it;
	size_t i, j, event;

	if (lh_json_parse(&p->answer, reply->body, reply->len, &root, err) < 0 ||
	    lh_bind_value(answer_members, &root, &a, &p->scratch, err) < 0)
		return err->code == LH_ENOMEM ? -1
			: lh_http_refuse(err, p->url, reply, "not an answer of Langfuse");
	for (i = 0; i < a.successes; i++)
		if ((it = find_item(v, n, a.success[i].id, &event)))
			p->batch.accepted.p[it->events + event] = 1;
	for (i = 0; i < a.errors; i++)
		if ((it = find_item(v, n, a.error[i].id, &event))) {
			const struct result *r = &a.error[i];
			struct lh_buf text = { 0 };
			struct lh_str why = r->message;

			if (!why.n && r->error.p)
				why = (struct lh_str){ r->error.p, r->error.n };
			push_scrub(p, why.p, why.n, sizeof it->why - 1, &text);
			it->status = (unsigned)r->status;
			snprintf(it->why, sizeof it->why, "%.*s", (int)text.len,
				 text.p ? text.p : "");
			lh_buf_free(&text);
		}
	for (i = 0; i < n; i++) {
		for (j = 0; j < v[i]->n_events; j++)
			if (!p->batch.accepted.p[v[i]->events + j])
				break;
		if (j == v[i]->n_events)
			v[i]->state = ACCEPTED;
	}
	return 0;
}

const struct service langfuse = {
	.name = "langfuse", .path = "/api/public/ingestion", .put = put,
	.head = "{\"batch\":[", .tail = "]}", .take = take,
};
