/* answer.c - the answer to a request.  See serve.h. */
#include "base/time.h"
#include "serve.h"

/* Count the bytes of an answer as long as they wait.  If there are too many, the answer is
 * 503 instead, unless the request has changed something. */
static unsigned hold(struct request *r, unsigned status)
{
	const struct lh_route *route = r->route ? r->route->route : NULL;

	if (route && (route->read || route->kind != LH_ROUTE_FILTER) &&
	    !answer_may_stay(r, r->reply.body.len)) {
		lh_buf_free(&r->reply.body);
		lh_answer_error(&r->reply.body, "too many answers wait to be read");
		r->reply.type = r->reply.cache = NULL;
		status = 503;
	}
	answer_hold(r, r->reply.body.len);
	return status;
}

static void on_written(struct lh_persons_rows *rows, const char *withheld)
{
	struct request *r = (struct request *)((char *)rows - offsetof(struct request, rows));

	if (withheld)
		answer_error(r, 503, withheld);
	else
		answer(r, r->reply.status);
}

/* Append the rows of persons for the answer: true if it is sent later, by answer, or has been
 * replaced by an error.  A stream does that for each line. */
static bool waits_for_rows(struct request *r, unsigned status)
{
	struct lh_err err;
	int rc;

	const bool bytes = r->route && r->route->route->kind == LH_ROUTE_GET;

	if (r->shown || (r->reply.read && !bytes) || (!r->reply.body.len && !r->ask.line.len))
		return false;
	r->shown = true;
	r->reply.status = status;
	r->rows.written = on_written;
	rc = who_show(r, &r->ask.line, &r->reply.body, &r->rows, &err);
	if (rc < 0)
		answer_error(r, lh_err_status(&err), err.msg);
	return rc;
}

/* Write an error as the service has it whose clients ask the route.  What a service further on has
 * said is left out: it names an address, or quotes an answer. */
static void shape_error(struct request *r, unsigned status)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	struct lh_buf *body = &r->reply.body;
	struct lh_writer w = lh_write_to(body);
	const struct lh_value *error;
	struct lh_str text;
	struct lh_err unused;

	if (lh_record_parse(&rec, body->p, body->len, &unused) < 0 ||
	    !(error = lh_record_get(&rec, "error")) || error->type != LH_STRING)
		return;
	lh_value_str(error, &copy, &text);
	if (text.p != copy.p)
		lh_buf_add(&copy, text.p, text.n);
	text = status == 502 ? lh_str_of("the service of the model failed")
	       : status == 504 ? lh_str_of("the service of the model did not answer in time")
	       : (struct lh_str){ copy.p, copy.len };
	lh_buf_reset(body);
	lh_write_object(&w, NULL);
	if (r->route->route->errors == LH_ERRORS_OLLAMA) {
		lh_write_str(&w, "error", text);
	} else {
		lh_write_object(&w, "error");
		lh_write_str(&w, "message", text);
		lh_write_text(&w, "type", status == 401 ? "authentication_error"
			      : status >= 500 ? "server_error" : "invalid_request_error");
		lh_write_null(&w, "param");
		lh_write_null(&w, "code");
		lh_write_end(&w);
	}
	lh_write_end(&w);
}

void answer(struct request *r, unsigned status)
{
	if (status >= 400 && r->route && r->route->route->errors)
		shape_error(r, status);
	if (waits_for_rows(r, status))
		return;
	r->reply.status = hold(r, status);
	r->times.answered = lh_time_monotonic();
	r->http.ready = true;
	http_resume(&r->http);
}

void answer_error(struct request *r, unsigned status, const char *why)
{
	lh_buf_reset(&r->reply.body);
	lh_answer_error(&r->reply.body, why);
	r->reply.type = r->reply.cache = NULL;
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

void take_times(struct request *r, double asked, double sent)
{
	const double now = lh_time_monotonic();

	r->times.queue = asked ? (sent ? sent : now) - asked : 0;
	r->times.filter = sent ? now - sent : 0;
}
