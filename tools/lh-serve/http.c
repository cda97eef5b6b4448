/* http.c - requests as libmicrohttpd gives them, and what is refused before a filter sees it.
 * See serve.h. */
#include <stdio.h>
#include <stdlib.h>

#include <lh/time.h>
#include "base/mem.h"
#include "serve.h"

/* A connection's memory: the header block and libmicrohttpd's list of its fields. */
#define CONNECTION_MEMORY ((size_t)26 << 10)
/* Without a byte in either direction: clients_sweep closes earlier what is idle. */
#define MOST_SECONDS ((unsigned)IDLE_SECONDS + 5)
#define WAITING_SECONDS (MOST_SECONDS + 1)
#define DISCARD_MAX ((uint64_t)16 << 20)	/* bytes of a refused body read to its end */

/* ---- ids ---- */

static bool is_id(const char *s)
{
	size_t n = s ? strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789._-")
		     : 0;

	return n && n <= ID_MAX && !s[n];
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, name);
}

/* Make an id: the time in nanoseconds, always later than that of the id before, and random bytes
 * of this process.  Ids of sessions, which these become, are in the order of time. */
static void mint(struct server *s, char *to)
{
	struct timespec t;
	uint64_t ns;
	size_t i;
	int n;

	clock_gettime(CLOCK_REALTIME, &t);
	ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	s->ids = ns > s->ids ? ns : s->ids + 1;
	n = snprintf(to, ID_MAX, "%016llx-", (unsigned long long)s->ids);
	for (i = 0; i < 8; i++)
		n += snprintf(to + n, ID_MAX - (size_t)n, "%02x", (unsigned char)s->seed[i]);
}

static void take_ids(struct request *r)
{
	const char *id = header(r, "X-Request-Id"), *trace = header(r, "X-Lakehouse-Trace-Id");

	if (is_id(id))
		snprintf(r->id, sizeof r->id, "%s", id);
	else
		mint(r->server, r->id);
	snprintf(r->trace, sizeof r->trace, "%s", is_id(trace) ? trace : r->id);
}

/* ---- the header ---- */

/* What a header says about its body, and whether it is written as RFC 9112 demands.
 *
 * libmicrohttpd 0.9.75 ends a line also at a bare LF, cuts it at NUL, and appends a folded
 * line to the name of the field.  Each of these lets two readers disagree about where a
 * request ends.  It keeps the fields where they arrived, with NULs for CR and LF, so that in
 * a header without such lines each field begins two bytes after the one before.  Later
 * versions refuse such headers themselves (MHD_OPTION_STRICT_FOR_CLIENT). */
#define LAYOUT_OF "0.9.75"

struct framing {
	unsigned lengths, encodings, hosts;
	bool in_place;			/* the layout is known */
	bool chunked, odd;
	const char *end;		/* of the last field */
};

static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || (c && strchr("!#$%&'*+.^_`|~", c));
}

static bool is_token(const char *p)
{
	const char *from = p;

	while (is_token_char(*p))
		p++;
	return p > from && !*p;
}

/* Return the end of a value; NULL if it holds a control character other than a tab. */
static const char *end_of_value(const char *p)
{
	for (; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return NULL;
	return p;
}

static enum MHD_Result look_at(void *framing, enum MHD_ValueKind kind, const char *key,
			       const char *value)
{
	struct framing *f = framing;

	(void)kind;
	if (!value || (f->in_place && key != f->end + 2) || !is_token(key) ||
	    !(f->end = end_of_value(value))) {
		f->odd = true;
		return MHD_NO;
	}
	if (!strcasecmp(key, "Content-Length")) {
		f->lengths++;
	} else if (!strcasecmp(key, "Transfer-Encoding")) {
		f->encodings++;
		f->chunked = !strcasecmp(value, "chunked");
	} else if (!strcasecmp(key, "Host")) {
		f->hosts++;
	}
	return MHD_YES;
}

static size_t header_size(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info ? info->header_size : 0;
}

/* Two answers to the question where a request ends are how requests are smuggled past a
 * proxy. */
static const char *wrong_framing(struct request *r, const char *method, const char *url,
				 const char *version)
{
	struct framing f = { .end = version + strlen(version),
			     .in_place = !strcmp(MHD_get_version(), LAYOUT_OF) };
	const bool one = !strcmp(version, "HTTP/1.1");

	MHD_get_connection_values(r->conn, MHD_HEADER_KIND, look_at, &f);
	r->chunked = f.encodings;
	if (f.odd || (f.in_place && (url != method + strlen(method) + 1 ||
				     version != url + strlen(r->target) + 1 ||
				     f.end + 4 != method + header_size(r))))
		return "the header is malformed";
	if (f.lengths > 1)
		return "two Content-Length headers";
	if (f.lengths && f.encodings)
		return "Content-Length and Transfer-Encoding";
	if (f.encodings && (f.encodings > 1 || !f.chunked || !one))
		return "Transfer-Encoding must be chunked, and in HTTP/1.1";
	if (f.hosts > 1 || (one && !f.hosts))
		return "there must be one Host header";
	return NULL;
}

static bool may_connect(const struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return !r->site->allow.n ||
	       (info && info->client_addr && networks_have(&r->site->allow, info->client_addr));
}

/* ---- routes ---- */

static const char *method_of(const struct request *r)
{
	return strcmp(r->method, "HEAD") ? r->method : "GET";
}

/* Return how many pieces of the path are the mount's. */
static size_t mounted(const struct request *r)
{
	const struct lh_route_path *mount = &r->site->mount;
	size_t i;

	if (!mount->n || r->path.n <= mount->n)
		return 0;
	for (i = 0; i < mount->n && !lh_str_cmp(mount->piece[i], r->path.piece[i]); i++)
		;
	return i == mount->n ? i : 0;
}

static bool find_route(struct request *r)
{
	const struct lh_route *route;

	r->skip = 0;
	route = lh_routes_find(&r->site->routes, method_of(r), &r->path, 0);
	if (!route) {
		r->skip = mounted(r);
		route = lh_routes_find(&r->site->routes, method_of(r), &r->path, r->skip);
	}
	r->route = route ? &r->site->route[route - r->site->routes.v] : NULL;
	return r->route;
}

/* List the methods that the path has, for Allow; false if it has none. */
static bool list_methods(struct request *r, bool any)
{
	char *list = r->allow;
	size_t i, n;
	bool found = false;

	n = (size_t)snprintf(list, sizeof r->allow, "OPTIONS");
	for (i = 0; lh_route_methods[i]; i++) {
		const char *method = lh_route_methods[i];

		if (!any && !lh_routes_find(&r->site->routes, method, &r->path, r->skip))
			continue;
		found = true;
		n += (size_t)snprintf(list + n, sizeof r->allow - n, ", %s%s", method,
				      strcmp(method, "GET") ? "" : ", HEAD");
	}
	if (!found)
		*list = '\0';
	return found;
}

/* ---- bodies ---- */

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

static bool has_body(const struct request *r)
{
	const char *length = header(r, "Content-Length");

	return r->chunked || (length && strcmp(length, "0"));
}

/* Refuse by the length and the type; 0 if both are right. */
static unsigned refuse_body(struct request *r, const char **why)
{
	const char *length = header(r, "Content-Length"), *type = header(r, "Content-Type");

	if (!length && !r->chunked &&
	    (*r->method == 'P')) {	/* POST, PUT, PATCH */
		*why = "a body needs Content-Length or chunks";
		return 411;
	}
	if (length && strtoull(length, NULL, 10) > body_max(r)) {
		*why = "the body is too large";
		return 413;
	}
	if (has_body(r) && !(type && *type) && !r->route->route->read &&
	    strcmp(r->method, "PUT")) {
		*why = "the body has no Content-Type, such as application/json";
		return 415;
	}
	if ((length || r->chunked) && !is_upload(r) && !is_json(type, &r->lines)) {
		*why = "the body must be application/json, application/jsonl or "
		       "application/x-ndjson";
		return 415;
	}
	return 0;
}

/* ---- a request begins ---- */

/* Return whether the request is OPTIONS of the server as a whole. */
static bool is_star(const struct request *r)
{
	return !strcmp(r->method, "OPTIONS") && !strcmp(r->target, "*");
}

static unsigned check_access(struct request *r, const char **why, struct lh_err *err)
{
	bool readable = lh_route_path_read(&r->path, lh_str_of(r->target), err) == 0;
	unsigned status;

	origin_take(r);
	*why = "the header is too large";
	if (header_size(r) > HEADER_MAX)
		return 431;
	*why = r->malformed;
	if (*why)
		return 400;
	if (readable)
		find_route(r);
	*why = "this address is not allowed";
	if (!is_open_health(r) && !may_connect(r))
		return 403;
	*why = "a token is required";
	if (!is_preflight(r) && !has_tokens(r))
		return 401;
	status = origin_refuse(r, why);
	if (status)
		return status;
	*why = err->msg;
	return readable || is_star(r) ? 0 : 400;
}

static uint64_t body_length(const struct request *r)
{
	const char *length = header(r, "Content-Length");

	return length ? strtoull(length, NULL, 10) : 0;
}

/* Return whether the answer can be large, and is in memory. */
static bool is_answered_from_memory(const struct request *r)
{
	switch (r->route->route->kind) {
	case LH_ROUTE_FILTER:
	case LH_ROUTE_MCP:
	case LH_ROUTE_SESSIONS:
	case LH_ROUTE_AUDITS:
		return true;
	default:
		return false;
	}
}

/* Check all that can be checked before the body; 0 if the body may come. */
static unsigned check_request(struct request *r, const char **why, struct lh_err *err)
{
	unsigned status = check_access(r, why, err);

	if (status)
		return status;
	if (!strcmp(r->method, "OPTIONS")) {
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
		return 503;
	}
	status = refuse_body(r, why);
	if (!status && is_beyond_state(r, body_length(r))) {
		*why = NO_ROOM;
		return 507;
	}
	if (!status && is_answered_from_memory(r) && !answers_fit(r, ANSWER_ROOM)) {
		*why = "too many answers wait to be read";
		return 503;
	}
	return status;
}

static void count_in(struct request *r)
{
	r->in_flight = true;
	r->server->in_flight++;
}

static struct client *client_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Check the header.  A refusal waits until the request is complete, unless there is a body that
 * need not be read: then on_request sends it at once, which closes the connection. */
static void begin(struct request *r)
{
	const char *why = "";
	struct lh_err err = { .msg = "" };
	unsigned status;

	r->seen = true;
	r->client = client_of(r->conn);
	if (r->client) {
		r->client->requests++;
		r->malformed = r->malformed ? r->malformed : wire_wrong(r->client);
	}
	r->site = r->server->site;
	site_use(r->site);
	count_in(r);
	peer_take(r);
	take_ids(r);
	status = check_request(r, &why, &err);
	if (!status && is_upload(r) && upload_begin(r, header(r, "Content-Type"), &err) < 0) {
		status = lh_err_status(&err);
		why = err.msg;
	}
	if (r->client) {
		client_busy(r->server, r->client, has_body(r));
		r->client->length = body_length(r);
	}
	r->received = lh_time_monotonic();
	if (status == 204)
		answer(r, 204);
	else if (status)
		answer_error(r, status, why);
}

static void let_go(struct request *r)
{
	body_release(r);
	lh_buf_free(&r->body);
}

/* Keep a part of the body. */
static int keep_body(struct request *r, const char *p, size_t n, struct lh_err *err)
{
	if (r->counted > body_max(r))
		return lh_err_data(err, 413, "the body is too large");
	if (r->spool)
		return upload_more(r, p, n, err);
	if (writes_state(r) && state_take(r, n, err) < 0)
		return -1;
	if (!body_hold(r, n))
		return lh_err_data(err, 503, "too many bodies at one time");
	lh_buf_add(&r->body, p, n);
	return 0;
}

/* Refuse a body of which some has come. */
static void refuse(struct request *r, const struct lh_err *err)
{
	r->refused = lh_err_status(err);
	snprintf(r->refusal, sizeof r->refusal, "%.255s", err->msg);
	let_go(r);
	spool_free(r);
}

static enum MHD_Result take_body(struct request *r, const char *p, size_t n)
{
	struct lh_err err;

	if (r->client) {
		r->client->bytes += n;
		r->client->came += n;
	}
	r->counted += n;
	if (r->ready || r->refused) {
		r->discarded += n;
		if (r->discarded <= DISCARD_MAX)
			return MHD_YES;
		if (r->client)
			last_words(r->client, r->refused ? r->refused : 413, r->refusal);
		return MHD_NO;
	}
	if (keep_body(r, p, n, &err) < 0)
		refuse(r, &err);
	return MHD_YES;
}

/* ---- answers ---- */

static void add_header(struct MHD_Response *m, const char *name, const char *value)
{
	if (value)
		MHD_add_response_header(m, name, value);
}

static void free_text(void *p)
{
	free(p);
}

static struct MHD_Response *make_response(struct request *r)
{
	struct MHD_Response *m;

	if (r->is_object)
		return object_response(r);
	if (r->stream)
		return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, stream_read, r,
							 NULL);
	r->bytes_out = r->out.len;
	m = MHD_create_response_from_buffer_with_free_callback(r->out.len, r->out.p, free_text);
	if (m)
		r->out = (struct lh_buf){ 0 };
	return m;
}

static bool wants_close(const struct request *r)
{
	const char *how = header(r, "Connection");

	return how && strcasestr(how, "close");
}

static enum MHD_Result send_answer(struct request *r)
{
	struct MHD_Response *m = make_response(r);
	enum MHD_Result sent;
	char seconds[16];

	if (!m)
		return MHD_NO;
	if (r->status != 204 && !(r->type && !*r->type))
		add_header(m, "Content-Type", r->type ? r->type : "application/json");
	add_header(m, "X-Request-Id", r->id);
	add_header(m, "X-Lakehouse-Trace-Id", r->trace);
	add_header(m, "Cache-Control", "no-store");
	add_header(m, "X-Content-Type-Options", "nosniff");
	add_header(m, "Allow", *r->allow ? r->allow : NULL);
	origin_headers(r, m);
	add_header(m, "ETag", *r->etag ? r->etag : NULL);
	snprintf(seconds, sizeof seconds, "%u", r->retry ? r->retry : 1);
	if (r->status == 503)
		add_header(m, "Retry-After", seconds);
	if (r->status == 401)
		add_header(m, "WWW-Authenticate", "Bearer");
	if (r->route && r->route->route->kind == LH_ROUTE_FILE)
		add_header(m, "Content-Security-Policy", console_policy);
	r->last = r->server->stop || r->refused || r->malformed;
	if (r->last)
		add_header(m, "Connection", "close");
	r->last |= (r->client && r->client->unread) || wants_close(r);
	sent = MHD_queue_response(r->conn, r->status, m);
	MHD_destroy_response(m);
	r->sent = sent == MHD_YES;
	if (r->client)
		r->client->answering = r->sent;
	if (r->client)
		r->client->answered = r->sent;
	return sent;
}

/* Answer before the body is read, if there is one: the connection ends after it. */
static enum MHD_Result send_early(struct request *r)
{
	if (r->client)
		r->client->unread = true;
	return send_answer(r);
}

/* libmicrohttpd 0.9.75 reads from a connection that was resumed before it asks for the answer,
 * and drops it if the client has closed its sending side, as some do once they have asked.
 * Connections with a time limit of their own are asked first. */
static void set_timeout(struct MHD_Connection *conn, unsigned seconds)
{
	MHD_set_connection_option(conn, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

static enum MHD_Result complete(struct request *r)
{
	struct lh_err err;

	if (r->client && r->client->body)
		r->client->body = false;
	if (r->ready)
		return send_answer(r);
	r->received = lh_time_monotonic();
	if (!r->refused && r->spool && upload_end(r, &err) < 0)
		refuse(r, &err);
	if (r->refused)
		answer_error(r, r->refused, r->refusal);
	else
		request_run(r);
	if (r->ready)
		return send_answer(r);
	r->suspended = true;
	set_timeout(r->conn, WAITING_SECONDS);
	MHD_suspend_connection(r->conn);
	return MHD_YES;
}

/* ---- libmicrohttpd ---- */

static void *on_target(void *server, const char *target, struct MHD_Connection *conn)
{
	struct lh_err err;
	struct request *r = lh_calloc(1, sizeof *r, &err);

	if (!r)
		return NULL;
	r->server = server;
	r->conn = conn;
	r->target = lh_strndup(target ? target : "", target ? strlen(target) : 0, &err);
	if (!r->target) {
		free(r);
		return NULL;
	}
	return r;
}

static enum MHD_Result on_request(void *server, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *size, void **context)
{
	struct request *r = *context;

	(void)server;
	(void)conn;
	if (!r)
		return MHD_NO;
	if (!r->seen) {
		snprintf(r->method, sizeof r->method, "%s", method);
		r->malformed = wrong_framing(r, method, url, version);
		begin(r);
		return r->ready && (has_body(r) || r->malformed) ? send_early(r) : MHD_YES;
	}
	if (*size) {
		size_t n = *size;

		*size = 0;
		return take_body(r, upload, n);
	}
	return complete(r);
}

/* ---- requests that never became one ---- */

/* libmicrohttpd refuses by itself, in words that wire.c replaces: what is no request line or no
 * header field, or is longer than its memory (400, 414, 431, 505), and wrong chunks (400, 413).
 * Once it has read the request line, on_completed is called, and knows the status; before that,
 * wire.c does, which sent it. */

static unsigned sent_status(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_HTTP_STATUS);

	return info ? info->http_status : 0;
}

static void log_refused(struct request *r, unsigned status)
{
	mint(r->server, r->id);
	memcpy(r->trace, r->id, sizeof r->trace);
	r->status = status;
	stats_count(r->server->other, status, 0);
	log_request(r);
}

/* Return whether a connection was closed because it was too slow. */
static bool is_slow(const struct client *c)
{
	return c && c->cut && !c->left;
}

void http_closed(struct server *s, struct MHD_Connection *conn, const struct client *c)
{
	struct request r = { .server = s, .conn = conn, .counted = client_unused(c) };

	/* after an answer that closes it, what is still there was not looked at */
	if (!r.counted || c->over || s->stop)
		return;
	log_refused(&r, c->spoken ? c->spoken : is_slow(c) ? 408 : c->left ? 499 : 400);
}

/* Return the status of a request that was not answered by us; 499: the client left. */
static unsigned status_unanswered(struct MHD_Connection *conn, const struct client *c)
{
	unsigned status = sent_status(conn);

	return c && c->spoken ? c->spoken : status ? status : is_slow(c) ? 408 : 499;
}

static void on_completed(void *server, struct MHD_Connection *conn, void **context,
			 enum MHD_RequestTerminationCode why)
{
	struct server *s = server;
	struct request *r = *context;
	struct client *c = client_of(conn);

	*context = NULL;
	if (!r)
		return;
	if (c)
		c->over = !r->sent || r->last || why != MHD_REQUEST_TERMINATED_COMPLETED_OK;
	if (c)
		c->answering = false;
	set_timeout(conn, MOST_SECONDS);
	let_go(r);
	answer_release(r, r->answer_held);
	if (!r->seen && why != MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN) {
		r->counted = c ? client_unused(c) : 0;
		log_refused(r, status_unanswered(conn, c));
	}
	if (r->in_flight) {
		s->in_flight--;
		if (!r->sent && why != MHD_REQUEST_TERMINATED_COMPLETED_OK)
			r->status = status_unanswered(conn, c);
		stats_count(r->route ? r->route->stats : s->other, r->status,
			    r->answered > r->received ? r->answered - r->received : 0);
		log_request(r);
	}
	if (r->client) {
		r->client->mcp = NULL;
		r->client->used += header_size(r) + r->counted;
		r->client->known &= !r->chunked;
		client_reading(s, r->client);
	}
	request_free(r);
}

/* Leave the target as it is: it is decoded by lib/serve, piece by piece. */
static size_t no_unescape(void *server, struct MHD_Connection *conn, char *text)
{
	(void)server;
	(void)conn;
	return strlen(text);
}

static void on_http(struct lh_source *io, uint32_t events)
{
	struct server *s = (struct server *)((char *)io - offsetof(struct server, http_io));

	(void)events;
	s->resumed = true;		/* the loop runs it after all events */
}

int http_start(struct server *s, struct lh_err *err)
{
	const union MHD_DaemonInfo *info;

	s->http = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, on_request, s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->limit + 64,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, MOST_SECONDS,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
		MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
	info = s->http ? MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		return lh_err_set(err, LH_EIO, "libmicrohttpd could not be started");
	s->http_io = (struct lh_source){ info->listen_fd, on_http };
	return lh_loop_add(&s->loop, &s->http_io, EPOLLIN, err);
}
