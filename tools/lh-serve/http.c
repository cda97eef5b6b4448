/* http.c - messages as libmicrohttpd gives them, and their answers.  See connection.h. */
#include <ctype.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "connection.h"

/* A connection's memory: the header block and libmicrohttpd's list of its fields. */
#define CONNECTION_MEMORY ((size_t)26 << 10)
/* Without a byte in either direction: clients_sweep closes earlier what is idle. */
#define MOST_SECONDS ((unsigned)IDLE_SECONDS + 5)
#define WAITING_SECONDS (MOST_SECONDS + 1)
#define TURNS 16			/* of libmicrohttpd in one of the loop */
#define CHUNK 65536			/* bytes of an answer that are read at one time */

_Static_assert(READ_END == MHD_CONTENT_READER_END_OF_STREAM && SIZE_UNKNOWN == MHD_SIZE_UNKNOWN &&
	       READ_FAILED == MHD_CONTENT_READER_END_WITH_ERROR, "names of libmicrohttpd");

/* ---- the header ---- */

const char *http_field(const struct message *m, const char *name)
{
	return MHD_lookup_connection_value(m->conn, MHD_HEADER_KIND, name);
}

struct each {
	void (*call)(void *to, const char *name, const char *value);
	void *to;
};

static enum MHD_Result on_field(void *each, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	const struct each *e = each;

	(void)kind;
	e->call(e->to, name, value ? value : "");
	return MHD_YES;
}

void http_each(const struct message *m, void (*each)(void *to, const char *name,
						     const char *value), void *to)
{
	MHD_get_connection_values(m->conn, MHD_HEADER_KIND, on_field,
				  &(struct each){ each, to });
}

const struct sockaddr *http_address(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

bool has_body(const struct message *m)
{
	const char *length = http_field(m, "Content-Length");

	return m->chunked || (length && strcmp(length, "0"));
}

uint64_t body_length(const struct message *m)
{
	const char *length = http_field(m, "Content-Length");

	return length ? strtoull(length, NULL, 10) : 0;
}

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

static bool is_token(const char *p)
{
	const char *from = p;

	while (isalnum((unsigned char)*p) || (*p && strchr("!#$%&'*+-.^_`|~", *p)))
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

static size_t header_size(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info ? info->header_size : 0;
}

/* Two answers to the question where a request ends are how requests are smuggled past a
 * proxy. */
static const char *wrong_framing(struct message *m, const char *method, const char *url,
				 const char *version)
{
	struct framing f = { .end = version + strlen(version),
			     .in_place = !strcmp(MHD_get_version(), LAYOUT_OF) };
	const bool one = !strcmp(version, "HTTP/1.1");

	MHD_get_connection_values(m->conn, MHD_HEADER_KIND, look_at, &f);
	m->chunked = f.encodings;
	if (f.odd || (f.in_place && (url != method + strlen(method) + 1 ||
				     version != url + strlen(m->target) + 1 ||
				     f.end + 4 != method + m->header)))
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

/* ---- answers ---- */

static struct MHD_Response *make_response(struct message *m, struct reply *reply)
{
	struct MHD_Response *made;
	int fd;

	if (reply->read)
		return MHD_create_response_from_callback(reply->size, CHUNK, reply->read, m, NULL);
	if (reply->in_file) {	/* libmicrohttpd closes it */
		m->bytes_out = reply->size;
		fd = fcntl(reply->file, F_DUPFD_CLOEXEC, 3);
		made = fd < 0 ? NULL : MHD_create_response_from_fd64(reply->size, fd);
		if (!made && fd >= 0)
			close(fd);
		return made;
	}
	m->bytes_out = reply->body.len;
	made = MHD_create_response_from_buffer_with_free_callback(reply->body.len, reply->body.p,
								  free);
	if (made)
		reply->body = (struct lh_buf){ 0 };
	return made;
}

bool http_send(struct message *m, struct reply *reply, const struct http_field *field)
{
	const char *how = http_field(m, "Connection");
	struct MHD_Response *made = make_response(m, reply);

	if (!made)
		return false;
	for (; field->name; field++)
		if (field->value)
			MHD_add_response_header(made, field->name, field->value);
	m->last |= m->all->ending || m->malformed;
	if (m->last)
		MHD_add_response_header(made, "Connection", "close");
	m->last |= m->client->unread || (how && strcasestr(how, "close"));
	m->sent = MHD_queue_response(m->conn, reply->status, made) == MHD_YES;
	MHD_destroy_response(made);
	m->client->answering = m->sent;
	return m->sent;
}

void http_suspend(struct message *m)
{
	m->suspended = true;
	MHD_suspend_connection(m->conn);
}

void http_resume(struct message *m)
{
	if (!m->suspended)
		return;
	m->suspended = false;
	m->all->resumed = true;
	MHD_resume_connection(m->conn);
}

/* libmicrohttpd 0.9.75 reads from a connection that was resumed before it asks for the answer,
 * and drops it if the client has closed its sending side, as some do once they have asked.
 * Connections with a time limit of their own are asked first. */
static void set_timeout(struct MHD_Connection *conn, unsigned seconds)
{
	MHD_set_connection_option(conn, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

/* ---- requests ---- */

static struct client *client_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void *on_target(void *connections, const char *target, struct MHD_Connection *conn)
{
	struct connections *all = connections;
	struct client *c = client_of(conn);
	struct message *m = c ? lh_calloc(1, all->calls->size) : NULL;

	if (!m)
		return NULL;
	m->all = all;
	m->conn = conn;
	m->client = c;
	m->target = lh_strndup(target ? target : "", target ? strlen(target) : 0);
	return m;
}

static enum MHD_Result send_answer(struct message *m)
{
	return m->all->calls->send(m) ? MHD_YES : MHD_NO;
}

/* Take the header.  An answer to it waits until the request is complete, unless there is a body
 * that need not be read: then it is sent at once, and the connection ends after it. */
static enum MHD_Result begin_message(struct message *m, const char *method, const char *url,
				     const char *version)
{
	m->seen = true;
	m->header = header_size(m->conn);
	snprintf(m->method, sizeof m->method, "%s", method);
	m->malformed = wrong_framing(m, method, url, version);
	m->client->requests++;
	m->malformed = m->malformed ? m->malformed : wire_wrong(m->client);
	client_busy(m->all, m->client, has_body(m), body_length(m));
	m->all->calls->begin(m);
	if (!m->ready || (!has_body(m) && !m->malformed))
		return MHD_YES;
	m->client->unread = true;
	return send_answer(m);
}

static enum MHD_Result complete_message(struct message *m)
{
	m->client->pace.body = false;
	if (!m->ready)
		m->all->calls->complete(m);
	if (m->ready)
		return send_answer(m);
	set_timeout(m->conn, WAITING_SECONDS);
	http_suspend(m);
	return MHD_YES;
}

static enum MHD_Result on_request(void *connections, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *size, void **context)
{
	struct message *m = *context;
	const size_t n = *size;

	(void)connections;
	(void)conn;
	if (!m)
		return MHD_NO;
	if (!m->seen)
		return begin_message(m, method, url, version);
	if (!n)
		return complete_message(m);
	*size = 0;
	m->client->pace.bytes += n;
	m->client->pace.came += n;
	m->counted += n;
	return m->all->calls->more(m, upload, n) ? MHD_YES : MHD_NO;
}

/* ---- the end ---- */

/* libmicrohttpd refuses by itself, in words that wire.c replaces: what is no request line or no
 * header field, or is longer than its memory (400, 414, 431, 505), and wrong chunks (400, 413).
 * Once it has read the request line, on_completed is called, and knows the status; before that,
 * wire.c does, which sent it. */

/* Return whether a connection was closed because it was too slow. */
static bool is_slow(const struct client *c)
{
	return c->cut && !c->left;
}

/* Return the status of a request that was not answered by us; 499: the client left. */
static unsigned status_unanswered(const struct message *m)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(m->conn, MHD_CONNECTION_INFO_HTTP_STATUS);
	const struct client *c = m->client;

	return c->spoken ? c->spoken
	       : info && info->http_status ? info->http_status : is_slow(c) ? 408 : 499;
}

static void on_completed(void *connections, struct MHD_Connection *conn, void **context,
			 enum MHD_RequestTerminationCode why)
{
	struct connections *all = connections;
	struct message *m = *context;
	struct client *c = m ? m->client : NULL;

	*context = NULL;
	if (!m)
		return;
	c->over = !m->sent || m->last || why != MHD_REQUEST_TERMINATED_COMPLETED_OK;
	c->answering = false;
	set_timeout(conn, MOST_SECONDS);
	if (m->seen) {
		all->calls->over(m, m->sent || why == MHD_REQUEST_TERMINATED_COMPLETED_OK
				 ? 0 : status_unanswered(m));
		c->watched = NULL;
		c->used += m->header + m->counted;
		c->known &= !m->chunked;
		client_reading(all, c);
	} else if (why != MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN) {
		all->calls->lost(all, conn, status_unanswered(m), client_unused(c));
	}
	free(m->target);
	free(m);
}

static void on_connection(void *connections, struct MHD_Connection *conn, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct connections *all = connections;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct client *c = *context;
	uint64_t n;

	if (what != MHD_CONNECTION_NOTIFY_CLOSED) {
		*context = info ? client_new(all, info->connect_fd) : NULL;
		return;
	}
	*context = NULL;
	if (!c)
		return;
	/* after an answer that closes it, what is still there was not looked at */
	n = c->over || all->ending ? 0 : client_unused(c);
	if (n)
		all->calls->lost(all, conn, c->spoken ? c->spoken : is_slow(c) ? 408
					    : c->left ? 499 : 400, n);
	client_close(all, c);
}

/* ---- libmicrohttpd ---- */

/* Leave the target as it is: it is decoded by lib/serve, piece by piece. */
static size_t no_unescape(void *connections, struct MHD_Connection *conn, char *text)
{
	(void)connections;
	(void)conn;
	return strlen(text);
}

static void on_http(struct lh_watch *io, uint32_t events)
{
	struct connections *all =
		(struct connections *)((char *)io - offsetof(struct connections, io));

	(void)events;
	all->resumed = true;		/* the loop runs it after all events */
}

int http_start(struct connections *all, struct lh_err *err)
{
	const union MHD_DaemonInfo *info;

	all->http = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, on_request, all, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)all->limit + 64,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, MOST_SECONDS,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, all,
		MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, all,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, all,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, all, MHD_OPTION_END);
	info = all->http ? MHD_get_daemon_info(all->http, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info)
		return lh_err_set(err, LH_EIO, "libmicrohttpd could not be started");
	all->io = (struct lh_watch){ info->listen_fd, on_http };
	return lh_loop_add(all->loop, &all->io, EPOLLIN, err);
}

/* Its events are edges, and it reads and writes only some of what is there in one turn. */
bool http_has_more(const struct connections *all)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return all->resumed || (MHD_get_timeout(all->http, &ms) == MHD_YES && !ms);
}

/* Let it work some turns: filters and signals want their turn, too. */
void http_run(struct connections *all)
{
	int i;

	for (i = 0; i < TURNS && (!i || http_has_more(all)); i++) {
		all->resumed = false;
		MHD_run(all->http);
	}
}

void http_stop(struct connections *all)
{
	MHD_stop_daemon(all->http);
	all->http = NULL;
}
