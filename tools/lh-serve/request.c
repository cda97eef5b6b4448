/* request.c - a request from its header to its row in the log: what is refused before the body has
 * come, and its answer.  See serve.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "serve.h"

/* ---- what is refused before the body has come ---- */

static bool is_type(const char *type, size_t n, const char *name)
{
	return n == strlen(name) && !strncasecmp(type, name, n);
}

/* Return whether the media type is one of JSON; *lines: of JSON Lines. */
static bool is_json(const char *type, bool *lines)
{
	size_t n;

	*lines = false;
	if (!type || !*type)
		return true;
	n = strcspn(type, "; \t");
	*lines = is_type(type, n, "application/jsonl") || is_type(type, n, "application/x-ndjson");
	return *lines || is_type(type, n, "application/json") ||
	       (n > 5 && !strncasecmp(type + n - 5, "+json", 5));
}

/* Return whether the body is in a coding, such as gzip: none is decoded. */
static bool is_coded(const struct request *r)
{
	struct http_field f = { 0 };

	while (http_next(&r->http, &f))
		if (!strcasecmp(f.name, "Content-Encoding") && *f.value &&
		    strcasecmp(f.value, "identity") != 0)
			return true;
	return false;
}

/* Refuse by the length, the coding and the type; 0 if all are right. */
static unsigned refuse_body(struct request *r, const char **why)
{
	const char *length = http_field(&r->http, "Content-Length");
	const char *type = http_field(&r->http, "Content-Type");

	if (!length && !r->http.chunked && *r->http.method == 'P') {	/* POST, PUT, PATCH */
		*why = "a body needs Content-Length or chunks";
		return 411;
	}
	if (r->http.length > body_max(r)) {
		*why = "the body is too large";
		return 413;
	}
	r->reply.coded = is_coded(r);
	if (r->reply.coded) {
		*why = "the body must have no Content-Encoding but identity";
		return 415;
	}
	if (has_body(&r->http) && !(type && *type) && !r->route->route->read &&
	    !is_method(r, "PUT")) {
		*why = "the body has no Content-Type, such as application/json";
		return 415;
	}
	if ((length || r->http.chunked) && !is_upload(r) &&
	    (!is_json(type, &r->body.lines) || (r->body.lines && r->route->route->errors))) {
		*why = "the body must be application/json, application/jsonl or "
		       "application/x-ndjson";
		return 415;
	}
	return 0;
}

/* Refuse a condition of a change that would not be compared: its client relies on it. */
static unsigned refuse_condition(const struct request *r, const char **why)
{
	const struct lh_route_field *f;

	if (r->route->route->read)
		return 0;
	for (f = lh_route_fields; f->name; f++)
		if (http_field(&r->http, f->name) && !lh_route_takes(r->route->route, f->member)) {
			*why = "If-Match and If-None-Match are for objects alone";
			return 501;
		}
	if (!http_field(&r->http, "If-Unmodified-Since"))
		return 0;
	*why = "If-Unmodified-Since is not compared: use If-Match";
	return 501;
}

static unsigned check_access(struct request *r, const char **why, struct lh_err *err)
{
	bool readable = lh_route_path_read(&r->path, lh_str_of(r->http.target), err) == 0;
	unsigned status;

	origin_take(r);
	if (readable)
		find_route(r);
	*why = "this address is not allowed";
	if (!is_open_health(r) && !may_connect(r))
		return 403;
	*why = "a token is required";
	if (!is_preflight(r) && !has_tokens(r))
		return 401;
	status = origin_refuse(r, why);
	if (!status)
		status = who_take(r, why);
	if (status)
		return status;
	*why = err->msg;
	return readable || is_star(r) ? 0 : 400;
}

/* Check all that can be checked before the body; 0 if the body may come. */
static unsigned refuse(struct request *r, const char **why, struct lh_err *err)
{
	unsigned status = check_access(r, why, err);
	enum lh_route_kind kind;

	if (status)
		return status;
	if (is_method(r, "OPTIONS")) {
		*why = "there is no such route";
		return list_methods(r, is_star(r)) ? 204 : 404;
	}
	if (r->skip && r->site->config.mount_off) {
		*why = r->site->config.mount_off;
		return 503;
	}
	if (!r->route) {
		bool known = list_methods(r, false);

		*why = known ? "the route has other methods" : "there is no such route";
		return known ? 405 : 404;
	}
	if (r->route->route->off) {
		*why = r->route->route->off;
		return 404;
	}
	status = refuse_condition(r, why);
	if (!status)
		status = refuse_body(r, why);
	if (!status && writes_state(r) && !state_has_room(r, r->http.length)) {
		*why = NO_ROOM;
		return 507;
	}
	/* answers of these kinds can be large, and are in memory */
	kind = r->route->route->kind;
	if (!status && !answers_fit(r, ANSWER_ROOM) &&
	    (kind == LH_ROUTE_FILTER || kind == LH_ROUTE_MCP || kind == LH_ROUTE_SESSIONS ||
	     kind == LH_ROUTE_AUDITS)) {
		*why = "too many answers wait to be read";
		return 503;
	}
	return status;
}

/* ---- request ---- */

#define FIELDS 12		/* of an answer, with the end, without those of origin.c */

static struct server *server_of(struct connections *all)
{
	return (struct server *)((char *)all - offsetof(struct server, connections));
}

/* ---- ids ---- */

static bool is_id(const char *s)
{
	size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-")
		     : 0;

	return n && n <= ID_MAX && !s[n];
}

/* Make an id: the time in nanoseconds, always later than that of the id before, and random bytes
 * of this process.  Ids of sessions, which these become, are in the order of time. */
static void mint_id(struct server *s, char *to)
{
	struct timespec t;
	uint64_t ns;
	size_t i;
	int n;

	clock_gettime(CLOCK_REALTIME, &t);
	ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	s->ids.last = ns > s->ids.last ? ns : s->ids.last + 1;
	n = snprintf(to, ID_MAX, "%016llx-", (unsigned long long)s->ids.last);
	for (i = 0; i < 8; i++)
		n += snprintf(to + n, ID_MAX - (size_t)n, "%02x", (unsigned char)s->ids.seed[i]);
}

/* ---- the header ---- */

static void begin_request(struct message *m)
{
	struct request *r = (struct request *)m;
	const char *id = http_field(m, "X-Request-Id"), *why = "";
	const char *trace = http_field(m, "X-Lakehouse-Trace-Id");
	struct lh_err err = { .msg = "" };
	unsigned status;

	r->server = server_of(m->all);
	r->site = r->server->site;
	site_use(r->site);
	r->server->in_flight++;
	peer_take(r);
	if (is_id(id))
		snprintf(r->id, sizeof r->id, "%s", id);
	else
		mint_id(r->server, r->id);
	snprintf(r->trace, sizeof r->trace, "%s", is_id(trace) ? trace : r->id);
	status = refuse(r, &why, &err);
	if (!status && is_upload(r) &&
	    upload_begin(r, http_field(m, "Content-Type"), &err) < 0) {
		status = lh_err_status(&err);
		why = err.msg;
	}
	r->times.received = lh_time_monotonic();
	if (status == 204)
		answer(r, 204);
	else if (status)
		answer_error(r, status, why);
}

/* ---- the body ---- */

static void drop_body(struct request *r)
{
	release(r, HELD_BODIES, r->held[HELD_BODIES]);
	lh_buf_free(&r->body.text);
}

/* Keep a part of the body. */
static int keep_body(struct request *r, const char *p, size_t n, struct lh_err *err)
{
	if (r->http.counted > body_max(r))
		return lh_err_data(err, 413, "the body is too large");
	if (r->spool)
		return upload_more(r, p, n, err);
	if (writes_state(r) && state_take(r, n, err) < 0)
		return -1;
	if (!may_hold(r, HELD_BODIES, n))
		return lh_err_data(err, 503, "too many bodies at one time");
	lh_buf_add(&r->body.text, p, n);
	return 0;
}

/* Refuse a body of which some has come; it is the last of its connection. */
static void refuse_rest(struct request *r, const struct lh_err *err)
{
	r->http.last = true;
	drop_body(r);
	spool_free(r);
	answer_error(r, lh_err_status(err), err->msg);
}

static bool take_part(struct message *m, const char *p, size_t n)
{
	struct request *r = (struct request *)m;
	struct lh_err err;

	if (keep_body(r, p, n, &err) == 0)
		return true;
	refuse_rest(r, &err);
	return false;
}

/* ---- routes ---- */

static void filter_answer(struct request *r)
{
	if (r->body.lines)
		stream_start(r);
	else
		ask_filter(r);
}

/* Answer with an object; of HEAD no file is made. */
static void get_answer(struct request *r)
{
	struct lh_err err;

	if (!is_method(r, "HEAD") && spool_open(r, &err) < 0)
		answer_error(r, lh_err_status(&err), err.msg);
	else
		ask_filter(r);
}

static answer_fn *const answers[] = {
	[LH_ROUTE_FILTER] = filter_answer, [LH_ROUTE_GET] = get_answer,
	[LH_ROUTE_PUT] = ask_filter, [LH_ROUTE_INGEST] = ask_filter,
	[LH_ROUTE_HEALTH] = health_answer, [LH_ROUTE_READY] = ready_answer,
	[LH_ROUTE_CACHE] = cache_answer, [LH_ROUTE_SESSIONS] = sessions_answer,
	[LH_ROUTE_AUDITS] = audits_answer, [LH_ROUTE_FILE] = file_answer,
	[LH_ROUTE_METRICS] = metrics_answer, [LH_ROUTE_OPENAPI] = openapi_answer,
	[LH_ROUTE_MCP] = mcp_answer, [LH_ROUTE_CHECKPOINT] = tlog_answer,
	[LH_ROUTE_TILE] = tlog_answer
};

/* Drop the byte order mark before a text: it is no part of JSON, and files have one. */
static void drop_mark(struct request *r)
{
	static const char mark[] = "\xef\xbb\xbf";
	const size_t n = sizeof mark - 1;
	struct lh_buf *text = &r->body.text;

	if (text->len < n || memcmp(text->p, mark, n))
		return;
	text->len -= n;
	memmove(text->p, text->p + n, text->len);
}

static void complete_request(struct message *m)
{
	struct request *r = (struct request *)m;
	struct lh_err err;

	r->times.received = lh_time_monotonic();
	if (r->spool && upload_end(r, &err) < 0) {
		refuse_rest(r, &err);
		return;
	}
	drop_mark(r);
	answers[r->route->route->kind](r);
}

/* ---- the answer ---- */

static void send_answer(struct message *m)
{
	struct request *r = (struct request *)m;
	struct reply *reply = &r->reply;
	const bool typed = reply->status != 204 && !(reply->type && !*reply->type);
	const bool file = r->route && r->route->route->kind == LH_ROUTE_FILE;
	char retry[16];
	struct http_field field[FIELDS + ORIGIN_FIELDS] = {
		{ "Content-Type", !typed ? NULL : reply->type ? reply->type : "application/json" },
		{ "X-Request-Id", r->id },
		{ "X-Lakehouse-Trace-Id", r->trace },
		{ "Cache-Control", reply->cache ? reply->cache : "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Allow", *reply->allow ? reply->allow : NULL }
	}, *f = origin_fields(r, field + 6);

	snprintf(retry, sizeof retry, "%u", reply->retry ? reply->retry : 1);
	f[0] = (struct http_field){ "ETag", *reply->etag ? reply->etag : NULL };
	f[1] = (struct http_field){ "Retry-After", reply->status == 503 ? retry : NULL };
	f[2] = (struct http_field){ "WWW-Authenticate", reply->status == 401 ? "Bearer" : NULL };
	f[3] = (struct http_field){ "Accept-Encoding", reply->coded ? "identity" : NULL };
	f[4] = (struct http_field){ "Content-Security-Policy", file ? console_policy : NULL };
	http_send(m, reply, field);
}

static void end_request(struct message *m, unsigned status)
{
	struct request *r = (struct request *)m;

	drop_body(r);
	release(r, HELD_ANSWERS, r->held[HELD_ANSWERS]);
	r->server->in_flight--;
	r->reply.status = status ? status : r->reply.status;
	stats_count(r->route ? r->route->stats : r->server->stats.none, r->reply.status,
		    r->times.answered > r->times.received
			    ? r->times.answered - r->times.received : 0);
	log_request(r);
	if (r->work.of)
		r->work.free(r->work.of);
	spool_free(r);
	peer_drop(r);
	lh_persons_rows_free(&r->rows);
	site_drop(r->site);
	lh_route_path_free(&r->path);
	lh_buf_free(&r->reply.body);
	lh_buf_free(&r->ask.line);
}

/* Log what never became a request. */
static void log_lost(struct connections *all, const struct sockaddr *address, unsigned status,
		     uint64_t n)
{
	struct request r = { .server = server_of(all), .reply.status = status,
			     .http = { .address = address, .counted = n } };

	mint_id(r.server, r.id);
	memcpy(r.trace, r.id, sizeof r.trace);
	stats_count(r.server->stats.none, status, 0);
	log_request(&r);
}

const struct http_calls request_calls = {
	sizeof(struct request), begin_request, take_part, complete_request, send_answer, mcp_left,
	end_request, log_lost
};
