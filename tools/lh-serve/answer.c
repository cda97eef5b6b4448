/*
 * answer.c - the answer to a request: of a filter, an error, bytes in a file.  See serve.h.
 *
 * A body that is not for the memory, an object to store or a table to ingest, is written to a file
 * of the state's folder spool/ as it comes, and the filter is given the path of the complete file;
 * so nothing that a client does in the middle reaches the store, and a slow client costs no
 * process.  An object to read is written to such a file by the filter, and sent once it is
 * complete.  The files of a server that was killed are removed at the next start.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/time.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "serve.h"
#include "serve/body.h"

/* Count the bytes of an answer as long as they wait.  If there are too many, the answer is
 * 503 instead, unless the request has changed something. */
static unsigned hold_answer(struct request *r, unsigned status)
{
	const struct lh_route *route = r->route ? r->route->route : NULL;

	if (route && (route->read || route->kind != LH_ROUTE_FILTER) &&
	    !answer_may_stay(r, r->reply.body.len)) {
		lh_buf_free(&r->reply.body);
		lh_answer_error(&r->reply.body, "too many answers wait to be read");
		r->reply.type = r->reply.cache = NULL;
		status = 503;
	}
	hold(r, HELD_ANSWERS, r->reply.body.len);
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
	r->reply.status = hold_answer(r, status);
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

unsigned asked_status(enum lh_asked how, const char **why)
{
	*why = how == LH_ASKED_LATE ? "the filter did not answer in time"
	       : how == LH_ASKED_GONE ? "the filter ended before it answered"
	       : "the filter is busy or down";
	return how == LH_ASKED_LATE ? 504 : how == LH_ASKED_GONE ? 502 : 503;
}

static void answer_asked(struct request *r, enum lh_asked how)
{
	const char *why;
	const unsigned status = asked_status(how, &why);

	answer_error(r, status, why);
}

void take_times(struct request *r, double asked, double sent)
{
	const double now = lh_time_monotonic();

	r->times.queue = asked ? (sent ? sent : now) - asked : 0;
	r->times.filter = sent ? now - sent : 0;
}

/* ---- spool ---- */

#define RETRY 5			/* seconds until a client shall try again */
#define SMALL (64 << 10)	/* bytes of a body that has a place while it comes alone */

struct spool {
	int fd;
	char *path;
	struct lh_multipart *form;
	enum held kind;			/* as which it has a place */
};

int spool_open(struct request *r, struct lh_err *err)
{
	const enum lh_route_kind kind = r->route->route->kind;
	struct spool *sp = r->spool = lh_calloc(1, sizeof *sp);
	LH_SCOPED(lh_free_local) char *folder = lh_format("%s/spool", r->site->config.state);

	sp->fd = -1;
	sp->kind = kind == LH_ROUTE_GET ? HELD_DOWNLOADS : HELD_UPLOADS;
	r->http.upload = sp->kind == HELD_UPLOADS;
	if (!may_hold(r, sp->kind, 1)) {
		r->reply.retry = RETRY;
		return lh_err_data(err, 503, "too many bodies at one time");
	}
	/* lh_sweep_below removes it if this process is killed */
	sp->fd = lh_tmp_create(folder, "body", 0600, &sp->path, err);
	if (sp->fd >= 0)
		return 0;
	lh_tool_warn(r->server->tool, "%s", err->msg);
	return lh_err_data(err, 503, "there is no room for the body");
}

static void leave_place(struct request *r)
{
	release(r, r->spool->kind, r->held[r->spool->kind]);
}

void spool_free(struct request *r)
{
	struct spool *sp = r->spool;

	if (!sp)
		return;
	leave_place(r);
	lh_multipart_free(sp->form);
	if (sp->fd >= 0) {
		unlink(sp->path);
		close(sp->fd);
	}
	free(sp->path);
	free(sp);
	r->spool = NULL;
}

/* ---- bodies ---- */

static int write_body(void *request, const char *p, size_t n, struct lh_err *err)
{
	struct request *r = request;

	if (state_take(r, n, err) < 0)
		return -1;
	if (lh_write_all(r->spool->fd, p, n, err) == 0)
		return 0;
	lh_tool_warn(r->server->tool, "%s: %s", r->spool->path, err->msg);
	return lh_err_data(err, 503, "there is no room for the body");
}

int upload_begin(struct request *r, const char *type, struct lh_err *err)
{
	if (spool_open(r, err) < 0)
		return -1;
	if (r->route->route->kind == LH_ROUTE_INGEST && lh_is_multipart(type)) {
		r->spool->form = lh_multipart_new(type, "file", write_body, r, err);
		return r->spool->form ? 0 : -1;
	}
	return 0;
}

int upload_more(struct request *r, const char *p, size_t n, struct lh_err *err)
{
	return r->spool->form ? lh_multipart_more(r->spool->form, p, n, err)
			      : write_body(r, p, n, err);
}

int upload_end(struct request *r, struct lh_err *err)
{
	if (r->spool->form && lh_multipart_end(r->spool->form, err) < 0)
		return -1;
	if (r->route->route->kind == LH_ROUTE_INGEST && !r->spool->form && !r->http.counted)
		return lh_err_set(err, LH_EDATA, "there is no file: the body is empty");
	if (r->http.counted <= SMALL)	/* what waits now is bounded by the filter's queue */
		leave_place(r);
	return 0;
}

/* Write the members that name the file. */
static void spool_members(const struct request *r, struct lh_writer *w)
{
	struct lh_str name = { NULL, 0 };

	if (!r->spool)
		return;
	lh_write_text(w, "file", r->spool->path);
	if (r->spool->form)
		name = lh_multipart_filename(r->spool->form);
	if (name.n && lh_utf8_valid(name.p, name.n) && !lh_route_arg(&r->path, "filename").p)
		lh_write_str(w, "filename", name);
}

/* ---- objects as answers ---- */

struct object {				/* the reply of lh-store to get, or to put */
	uint64_t size, status;
	struct lh_str etag;
};
static const struct lh_bind object_members[] = {
	{ LH_BIND_U64("size", struct object, size, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("status", struct object, status, 0, 999) },
	{ LH_BIND_STRING("etag", struct object, etag) },
	LH_BIND_END
};
#define NOT_MODIFIED 304

static bool is_etag(struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == 0x7f || s.p[i] & 0x80)
			return false;
	return s.n > 0 && s.n < sizeof ((struct reply *)0)->etag - 3;
}

/* Read what lh-store says of an object; its ETag becomes that of the answer. */
static int read_object(struct request *r, const struct lh_record *rec, struct object *o)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_err err;

	if (lh_bind(object_members, rec, o, &text, &err) < 0)
		return -1;
	if (is_etag(o->etag))
		snprintf(r->reply.etag, sizeof r->reply.etag, "\"%.*s\"", (int)o->etag.n,
			 o->etag.p);
	return 0;
}

static ssize_t read_nothing(void *ctx, uint64_t at, char *to, size_t max)
{
	(void)ctx;
	(void)at;
	(void)to;
	(void)max;
	return READ_FAILED;
}

/* Return whether the file of an answer is as long as the filter says. */
static bool is_complete(const struct request *r, const struct object *o)
{
	struct stat st;

	return !r->spool || (fstat(r->spool->fd, &st) == 0 && (uint64_t)st.st_size == o->size);
}

/* Make the file the answer; for HEAD, and for a reader that has the object, its size alone. */
static void object_answer(struct request *r, const struct lh_record *rec)
{
	struct object o = { .status = 200 };
	const bool is_read = read_object(r, rec, &o) == 0, has_it = o.status == NOT_MODIFIED;
	const bool in_file = r->spool && !has_it;

	if (!is_read || (!has_it && !is_complete(r, &o))) {
		answer_error(r, 502, "the filter's answer is not that of an object");
		return;
	}
	r->reply.size = o.size;
	r->reply.in_file = in_file;
	r->reply.file = in_file ? r->spool->fd : -1;
	r->reply.read = in_file ? NULL : read_nothing;
	r->reply.type = "application/octet-stream";
	lh_buf_reset(&r->reply.body);
	answer(r, has_it ? NOT_MODIFIED : 200);
}

/* Answer with what a filter says that stored the body, if it did: with its ETag. */
static void answer_stored(struct request *r, const struct lh_record *rec, unsigned status)
{
	struct object o = { 0 };

	if (r->route->route->kind == LH_ROUTE_PUT && status == 200)
		read_object(r, rec, &o);
	answer(r, status);
}

/* ---- filter ---- */

void read_answer(const struct lh_record *rec, bool own_status, unsigned *status,
		 struct lh_buf *out)
{
	struct lh_answer a = { .status = 0 };

	lh_answer_read(rec, own_status, &a);
	if (a.status != 204)
		lh_buf_add(out, a.body.p, a.body.n);
	*status = a.status;
	lh_answer_free(&a);
}

/* Write the fields of the header that are members of the line: those of one name are one list. */
static void write_fields(const struct request *r, struct lh_writer *w)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	const struct lh_route_field *f;
	struct http_field had;

	for (f = lh_route_fields; f->name; f++) {
		if (!http_field(&r->http, f->name) || !lh_route_takes(r->route->route, f->member))
			continue;
		lh_buf_reset(&text);
		for (had = (struct http_field){ 0 }; http_next(&r->http, &had); )
			if (!strcasecmp(had.name, f->name))
				lh_buf_printf(&text, "%s%s", text.len ? ", " : "", had.value);
		lh_write_str(w, f->member, (struct lh_str){ text.p, text.len });
	}
}

int make_line(struct request *r, struct lh_str body, bool empty, struct lh_buf *line,
	      struct lh_err *err)
{
	struct lh_record *rec = body.n ? &r->server->body : NULL;
	struct lh_buf *members = &r->server->members;
	const struct lh_value *stream;
	struct lh_writer w;
	int rc;

	lh_buf_reset(members);
	rc = lh_route_members(r->route->route, &r->path, r->skip, members, err);
	if (!rc && !rec && !empty)
		rc = lh_err_set(err, LH_EDATA, "the body is empty: expected a JSON object");
	if (!rc && rec)
		rc = lh_record_parse(rec, body.p, body.n, err);
	stream = rc || !rec ? NULL : lh_record_get(rec, "stream");
	if (stream && stream->type == LH_TRUE && r->route->route->operation.p &&
	    !lh_route_takes(r->route->route, "stream"))
		rc = lh_err_set(err, LH_EDATA, "\"stream\": there is no stream of this route");
	if (!rc)
		rc = lh_route_refuse_paths(r->route->route, &r->path, rec, err);
	if (rc)
		return -1;
	r->own_status = rec && lh_body_has_status(rec);
	w = (struct lh_writer){ .out = members, .comma = members->len > 0 };
	/* the request id, unless the body or the route has one */
	if (r->route->route->trace && (!rec || !lh_record_get(rec, "trace_id")) &&
	    !lh_route_gives(r->route->route, lh_str_of("trace_id")) &&
	    !lh_route_arg(&r->path, "trace_id").p)
		lh_write_text(&w, "trace_id", r->trace);
	if (r->site->persons)
		lh_persons_token(r->route->route, *r->who ? r->who : r->token, &w);
	if (r->as && r->as->may && r->as->may->scope && r->route->route->scoped)
		lh_write_raw(&w, "scope", lh_str_of(r->as->may->scope));
	spool_members(r, &w);
	write_fields(r, &w);
	if (lh_repack(rec, (struct lh_str){ members->p, members->len }, line, err) < 0)
		return -1;
	/* a member that is required may be in the query: then the filter checks the line */
	if (rec && r->route->body && !r->path.args &&
	    lh_bind_check_record(r->route->body, rec, err) < 0) {
		err->status = 0;	/* 400, also of a text that is too long */
		return -1;
	}
	lh_buf_putc(line, '\n');
	return 0;
}

/* Write the answer as server-sent events, if it is of such. */
static bool write_events(struct request *r, const struct lh_record *rec)
{
	const struct lh_value *all = r->route->route->errors == LH_ERRORS_OPENAI
				     ? lh_record_get(rec, "events") : NULL;
	struct lh_buf *to = &r->reply.body;
	struct lh_iter it;

	if (!all || all->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, all); lh_iter_next(&it); ) {
		lh_buf_puts(to, "data: ");
		lh_buf_add(to, it.val.p, it.val.n);
		lh_buf_puts(to, "\n\n");
	}
	lh_buf_puts(to, "data: [DONE]\n\n");
	r->reply.type = "text/event-stream";
	return true;
}

static void on_answer(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct request *r = (struct request *)((char *)a - offsetof(struct request, ask));
	unsigned status;

	take_times(r, a->asked, a->sent);
	if (how != LH_ASKED_ANSWERED)
		answer_asked(r, how);
	else if (r->route->route->kind == LH_ROUTE_GET && !lh_record_get(rec, "error"))
		object_answer(r, rec);
	else if (write_events(r, rec))
		answer(r, 200);
	else {
		read_answer(rec, r->own_status, &status, &r->reply.body);
		answer_stored(r, rec, status);
	}
}

void ask_filter(struct request *r)
{
	struct lh_err err;
	bool empty = r->spool || is_method(r, "GET") || is_method(r, "HEAD") ||
		     is_method(r, "DELETE");

	if (make_line(r, (struct lh_str){ r->body.text.p, r->body.text.len }, empty, &r->ask.line,
		      &err) < 0 || who_refuses(r, &err) < 0) {
		lh_buf_reset(&r->ask.line);	/* no filter was asked, so nothing was used */
		answer_error(r, lh_err_status(&err), err.msg);
		return;
	}
	r->ask.timeout = r->route->route->limits.timeout;
	r->ask.read = r->route->route->read;
	r->ask.client = r->peer;
	r->ask.answered = on_answer;
	if (lh_pool_ask(r->route->pool->pool, &r->ask) == 0)
		return;
	lh_buf_reset(&r->ask.line);
	answer_asked(r, LH_ASKED_REFUSED);
}
