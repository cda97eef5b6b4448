/* request.c - a request from its complete body to its answer.  See serve.h. */
#include <stdlib.h>

#include <lh/time.h>
#include "json/write.h"
#include "serve.h"

/* ---- answers ---- */

/* Count the bytes of an answer as long as they wait.  If there are too many, the answer is
 * 503 instead, unless the request has changed something. */
static unsigned hold(struct request *r, unsigned status)
{
	const struct lh_route *route = r->route ? r->route->route : NULL;

	if (route && (route->read || route->kind != LH_ROUTE_FILTER) &&
	    !answer_may_stay(r, r->out.len)) {
		lh_buf_free(&r->out);
		lh_answer_error(&r->out, "too many answers wait to be read");
		r->type = NULL;
		status = 503;
	}
	answer_hold(r, r->out.len);
	return status;
}

void answer(struct request *r, unsigned status)
{
	struct lh_err err;

	if (who_waits(r, status))
		return;
	if (lh_buf_check(&r->out, &err) < 0) {
		lh_buf_free(&r->out);
		r->out = (struct lh_buf){ 0 };
		status = 500;
	}
	status = hold(r, status);
	r->status = status;
	r->answered = lh_time_monotonic();
	r->ready = true;
	if (!r->suspended)
		return;
	r->suspended = false;
	r->server->resumed = true;
	MHD_resume_connection(r->conn);
}

void answer_error(struct request *r, unsigned status, const char *why)
{
	lh_buf_reset(&r->out);
	lh_answer_error(&r->out, why);
	r->type = NULL;
	answer(r, status);
}

void answer_asked(struct request *r, enum lh_asked how)
{
	if (how == LH_ASKED_LATE)
		answer_error(r, 504, "the filter did not answer in time");
	else if (how == LH_ASKED_GONE)
		answer_error(r, 502, "the filter ended before it answered");
	else
		answer_error(r, 503, "the filter is busy or down");
}

int read_answer(const struct lh_record *rec, bool own_status, unsigned *status,
		struct lh_buf *out)
{
	struct lh_answer a = { .status = 0 };
	struct lh_err err;
	int rc = lh_answer_read(rec, own_status, &a, &err);

	if (!rc && a.status != 204)
		lh_buf_add(out, a.body.p, a.body.n);
	*status = a.status;
	lh_answer_free(&a);
	return rc;
}

void take_times(struct request *r, double asked, double sent)
{
	const double now = lh_time_monotonic();

	r->queue = asked ? (sent ? sent : now) - asked : 0;
	r->filter = sent ? now - sent : 0;
}

/* Return whether the filter has found the object that it was asked for. */
static bool is_object(const struct request *r, const struct lh_record *rec)
{
	return r->route->route->kind == LH_ROUTE_GET && !lh_record_get(rec, "error");
}

static void on_answer(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct request *r = (struct request *)((char *)a - offsetof(struct request, ask));
	unsigned status;

	take_times(r, a->asked, a->sent);
	if (how != LH_ASKED_ANSWERED)
		answer_asked(r, how);
	else if (is_object(r, rec))
		object_answer(r, rec);
	else if (read_answer(rec, r->own_status, &status, &r->out) < 0)
		answer_error(r, 500, "out of memory");
	else
		answer(r, status);
}

/* ---- lines ---- */

/* Add the request id, unless the body or the route has one. */
static void add_trace(const struct request *r, const struct lh_record *body,
		      struct lh_buf *members)
{
	struct lh_writer w = { .out = members, .comma = members->len > 0 };

	if (r->route->route->trace && (!body || !lh_record_get(body, "trace_id")) &&
	    !lh_route_gives(r->route->route, lh_str_of("trace_id")) &&
	    !lh_route_arg(&r->path, "trace_id").p)
		lh_write_text(&w, "trace_id", r->trace);
}

int make_line(struct request *r, struct lh_str body, bool empty, struct lh_buf *line,
	      struct lh_err *err)
{
	struct lh_record *rec = body.n ? &r->server->body : NULL;
	struct lh_buf *members = &r->server->members;
	struct lh_writer w;
	int rc;

	lh_buf_reset(members);
	rc = lh_route_members(r->route->route, &r->path, r->skip, members, err);
	if (!rc && !rec && !empty)
		rc = lh_err_set(err, LH_EDATA, "the body is empty: expected a JSON object");
	if (!rc && rec)
		rc = lh_record_parse(rec, body.p, body.n, err);
	if (rc)
		return -1;
	r->own_status = rec && lh_body_has_status(rec);
	add_trace(r, rec, members);
	w = (struct lh_writer){ .out = members, .comma = members->len > 0 };
	spool_members(r, &w);
	if (lh_buf_check(members, err) < 0 ||
	    lh_repack(rec, (struct lh_str){ members->p, members->len }, line, err) < 0)
		return -1;
	lh_buf_putc(line, '\n');
	return lh_buf_check(line, err);
}

static void ask_filter(struct request *r)
{
	struct lh_err err;
	bool empty = r->spool || !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD") ||
		     !strcmp(r->method, "DELETE");

	if (make_line(r, (struct lh_str){ r->body.p, r->body.len }, empty, &r->ask.line,
		      &err) < 0) {
		answer_error(r, lh_err_status(&err), err.msg);
		return;
	}
	r->ask.timeout = r->route->route->timeout;
	r->ask.read = r->route->route->read;
	r->ask.answered = on_answer;
	if (lh_pool_ask(r->route->pool->pool, &r->ask) < 0)
		answer_asked(r, LH_ASKED_REFUSED);
}

/* ---- routes ---- */

static void answer_file(struct request *r)
{
	const struct console_file *f;

	for (f = console_files; f->path; f++)
		if (!strcmp(f->path, r->route->route->path))
			break;
	if (!f->path) {
		answer_error(r, 404, "there is no such file");
		return;
	}
	lh_buf_add(&r->out, f->text, f->n);
	r->type = f->type;
	answer(r, 200);
}

void request_run(struct request *r)
{
	struct lh_err err;

	switch (r->route->route->kind) {
	case LH_ROUTE_FILTER:
		if (r->lines)
			stream_start(r);
		else
			ask_filter(r);
		break;
	case LH_ROUTE_GET:
		if (strcmp(r->method, "HEAD") && spool_open(r, &err) < 0)
			answer_error(r, lh_err_status(&err), err.msg);
		else
			ask_filter(r);
		break;
	case LH_ROUTE_PUT:
	case LH_ROUTE_INGEST:
		ask_filter(r);
		break;
	case LH_ROUTE_METRICS:
		metrics_answer(r);
		break;
	case LH_ROUTE_OPENAPI:
		openapi_answer(r);
		break;
	case LH_ROUTE_FILE:
		answer_file(r);
		break;
	case LH_ROUTE_MCP:
		mcp_answer(r);
		break;
	default:
		inside_answer(r);
	}
}

void request_free(struct request *r)
{
	if (r->stream)
		stream_free(r->stream);
	if (r->inside)
		inside_free(r->inside);
	if (r->mcp)
		mcp_free(r);
	spool_free(r);
	peer_drop(r);
	lh_persons_rows_free(&r->rows);
	site_drop(r->site, r->server);
	lh_route_path_free(&r->path);
	lh_buf_free(&r->body);
	lh_buf_free(&r->out);
	lh_buf_free(&r->ask.line);
	free(r->target);
	free(r);
}
