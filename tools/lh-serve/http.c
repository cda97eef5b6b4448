/* http.c - connections of clients, and HTTP/1.1 on them.  See http.h.
 *
 * Two answers to the question where a request ends are how requests are smuggled past a proxy:
 * what is not written as RFC 9112 demands is 400, and the last of its connection.
 *
 * The events of a connection are edges: it is read as long as more may be there, and written
 * until it takes no more.  Each turn does a part of the work of each connection, so that none
 * holds up the others, the filters or the signals. */
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "serve/body.h"

#define HEADER_MAX ((size_t)16384)	/* bytes of a header block, of all trailers */
#define CHUNK_LINE_MAX ((size_t)4096)	/* bytes: a size and its extensions */
#define SMALL ((size_t)16384)		/* bytes of a body that is copied */
#define STEPS 64			/* of a connection in one turn */
#define HEADER_SECONDS 10.0
#define IDLE_SECONDS 75.0		/* between requests of a connection */
#define FRESH_SECONDS 0.25		/* for the first bytes of a request to come */
#define SLOW_SECONDS 30.0		/* a body and a reader of an answer have ... */
#define SLOW_BYTES ((uint64_t)30720)	/* ... at least these bytes in that time */
#define CROWD 8				/* uploads */
#define BODY_SECONDS 900.0		/* the longest time for a body of any size */
#define ACCEPTS 64			/* of one turn */
#define CUT_AT_ONCE 8

/* What still arrives after the last answer is read and discarded, since closing at once would
 * be a reset, which may destroy the answer on its way. */
#define LINGER_SECONDS 10.0
#define LINGER_MAX ((uint64_t)16 << 20)	/* bytes */

enum state { HEADER, BODY, SIZE, DATA, DATA_END, TRAILER, COMPLETE, LINGER };

struct client {				/* a connection */
	struct lh_watch io;
	struct connections *all;
	struct client *next, *before;
	struct client *after;		/* in all->queue */
	struct sockaddr_in6 address;	/* or one of IPv4 */
	struct message *message;	/* whose header is there; or NULL */
	enum state state;		/* what is read */
	bool queued, closed;
	bool readable, ended;		/* bytes may be there; the client has sent its end */
	bool fresh;			/* no request yet */
	bool cut;			/* it is being closed, being slow or in the way */
	bool last, unread;		/* it ends after what is to be sent; not all is read */
	double since;			/* of its phase; of the window in which bytes are counted */
	struct lh_buf in, out;		/* that was received; that is to be sent ... */
	size_t in_at, out_at;		/* ... from here on */
	size_t seen;			/* bytes of in that are known to hold no end of a header */
	uint64_t left;			/* bytes of the body, of the chunk */
	size_t trailers;		/* their bytes */
	uint64_t bytes;			/* of the body that came in the window */
	double moved;			/* when some came last */
	double taking;			/* since when bytes wait; 0: none did at the last sweep */
	uint64_t taken;			/* that the client's TCP had confirmed then */
};

/* ---- phases ---- */

static void unlink_client(struct client *c)
{
	*(c->before ? &c->before->next : &c->all->newest) = c->next;
	*(c->next ? &c->next->before : &c->all->oldest) = c->before;
}

/* Begin a phase. */
static void link_client(struct client *c)
{
	c->before = NULL;
	c->next = c->all->newest;
	*(c->next ? &c->next->before : &c->all->oldest) = c;
	c->all->newest = c;
	c->since = lh_time_monotonic();
}

static void wake_client(struct client *c)
{
	if (c->queued)
		return;
	c->queued = true;
	c->after = c->all->queue;
	c->all->queue = c;
}

static void on_client(struct lh_watch *io, uint32_t events)
{
	struct client *c = (struct client *)(void *)io;

	c->ended |= !!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
	c->readable |= c->ended || events & EPOLLIN;
	wake_client(c);
}

static void new_client(struct connections *all, int fd, const struct sockaddr_in6 *address)
{
	struct client *c = lh_calloc(1, sizeof *c);
	struct lh_err err;

	*c = (struct client){ .io = { fd, on_client }, .all = all, .address = *address,
			      .fresh = true, .readable = true };
	if (lh_loop_add(all->loop, &c->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &err) < 0) {
		close(fd);
		free(c);
		return;
	}
	link_client(c);
	wake_client(c);
	all->clients++;
}

/* Close a connection.  Who runs it frees it. */
static void close_client(struct client *c)
{
	unlink_client(c);
	lh_loop_remove(c->all->loop, &c->io);
	close(c->io.fd);
	lh_buf_free(&c->in);
	lh_buf_free(&c->out);
	c->closed = true;
	c->all->clients--;
	listen_pause(c->all, false);
}

/* End a connection, which has sent its last byte. */
static void end_client(struct client *c)
{
	if (!c->unread && c->in_at == c->in.len && !c->readable) {
		close_client(c);
		return;
	}
	shutdown(c->io.fd, SHUT_WR);
	c->in.len = c->in_at = 0;
	c->state = LINGER;
	c->left = LINGER_MAX;
	c->since = lh_time_monotonic();
}

/* Let a connection that is too slow, or in the way, end as if its client had ended it. */
static void cut_client(struct client *c)
{
	if (c->cut)
		return;
	shutdown(c->io.fd, SHUT_RDWR);
	c->cut = c->readable = true;
	wake_client(c);
}

/* The message is over; status: why it was not answered, or 0. */
static void end_message(struct client *c, unsigned status)
{
	struct message *m = c->message;

	c->message = NULL;
	c->last |= m->last;
	c->state = HEADER;
	c->all->calls->over(m, status);
	lh_buf_free(&m->head);
	free(m);
	unlink_client(c);
	link_client(c);
}

/* Note bytes that will not become a message. */
static void lose_bytes(struct client *c, unsigned status)
{
	if (c->in_at < c->in.len && !c->all->ending)
		c->all->calls->lost(c->all, (struct sockaddr *)&c->address, status,
				    c->in.len - c->in_at);
}

/* ---- answers ---- */

static const char *const lines[] = {
	"200 OK", "201 Created", "202 Accepted", "204 No Content", "304 Not Modified",
	"400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found",
	"405 Method Not Allowed", "406 Not Acceptable", "408 Request Timeout", "409 Conflict",
	"410 Gone", "411 Length Required", "412 Precondition Failed", "413 Content Too Large",
	"414 URI Too Long", "415 Unsupported Media Type", "421 Misdirected Request",
	"422 Unprocessable Content", "428 Precondition Required", "429 Too Many Requests",
	"431 Request Header Fields Too Large", "500 Internal Server Error", "501 Not Implemented",
	"502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout",
	"505 HTTP Version Not Supported", "507 Insufficient Storage", NULL
};

/* Begin an answer: its first line, the date, and what becomes of the connection. */
static void begin_answer(struct client *c, unsigned status, bool last, bool stays)
{
	struct connections *all = c->all;
	const char *const *line = lines;
	const time_t now = time(NULL);
	struct tm tm;

	while (*line && strtoul(*line, NULL, 10) != status)
		line++;
	if (all->date.at != now && gmtime_r(&now, &tm))
		strftime(all->date.text, sizeof all->date.text, "%a, %d %b %Y %T GMT", &tm);
	all->date.at = now;
	lh_buf_printf(&c->out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", status,
		      *line ? *line + 4 : "Unknown", all->date.text);
	if (last || stays)
		lh_buf_printf(&c->out, "Connection: %s\r\n", last ? "close" : "Keep-Alive");
}

/* Refuse what is no message, or will not become a whole one: in JSON, or without a word.  It is
 * the last of its connection. */
static void refuse_client(struct client *c, unsigned status, const char *why)
{
	LH_SCOPED(lh_buf_free) struct lh_buf json = { 0 };

	if (c->message)
		end_message(c, status);
	else
		lose_bytes(c, status);
	c->last = c->unread = true;
	if (!why)
		return;
	lh_answer_error(&json, why);
	begin_answer(c, status, true, false);
	lh_buf_printf(&c->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n"
		      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n%.*s",
		      json.len, (int)json.len, json.p);
}

void http_send(struct message *m, const struct reply *reply, const struct http_field *field)
{
	const bool none = reply->status == 204;
	const bool bare = none || reply->status == 304 || !strcmp(m->method, "HEAD");
	const bool stream = reply->read && reply->size == SIZE_UNKNOWN;
	const uint64_t size = reply->read || reply->in_file ? reply->size : reply->body.len;
	const char *how = http_field(m, "Connection");
	const bool stays = !m->one && how && strcasestr(how, "keep-alive");
	struct client *c = m->client;

	m->last |= m->all->ending || c->unread || (how && strcasestr(how, "close")) ||
		   (!m->one && (!stays || stream));
	begin_answer(c, reply->status, m->last, stays);
	for (; field->name; field++)
		if (field->value)
			lh_buf_printf(&c->out, "%s: %s\r\n", field->name, field->value);
	if (stream && m->one)
		lh_buf_puts(&c->out, "Transfer-Encoding: chunked\r\n");
	else if (!stream && !none)
		lh_buf_printf(&c->out, "Content-Length: %llu\r\n", (unsigned long long)size);
	lh_buf_puts(&c->out, "\r\n");
	m->bytes_out = reply->read ? 0 : size;
	m->reply = reply;
	m->size = bare ? 0 : size;
	m->sent = true;
	if (m->size <= SMALL && !reply->read && !reply->in_file) {	/* with the header */
		lh_buf_add(&c->out, reply->body.p, m->size);
		m->at = m->size;
	}
}

void http_resume(struct message *m)
{
	if (!m->suspended)
		return;
	m->suspended = false;
	wake_client(m->client);
}

/* Return whether to go on after n bytes were sent.  Where that fails, who asked is gone. */
static bool has_sent(struct client *c, ssize_t n)
{
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return n > 0 || errno == EINTR;
	if (c->message)
		end_message(c, c->message->sent ? 0 : 499);
	close_client(c);
	return false;
}

/* Get more of an answer that is made as it is sent. */
static bool read_answer_on(struct client *c, struct message *m)
{
	char *room = c->all->room;
	ssize_t n = m->suspended ? 0 : m->reply->read(m, m->at, room, sizeof c->all->room);

	if (!n || n == READ_FAILED)
		return n && has_sent(c, 0);
	if (n == READ_END) {
		m->size = m->at;
		lh_buf_puts(&c->out, m->one ? "0\r\n\r\n" : "");
		return true;
	}
	m->at += (uint64_t)n;
	if (m->one)
		lh_buf_printf(&c->out, "%zX\r\n", (size_t)n);
	lh_buf_add(&c->out, room, (size_t)n);
	lh_buf_puts(&c->out, m->one ? "\r\n" : "");
	return true;
}

/* Send something of what is to be sent: what was written, or else of the body. */
static bool send_some(struct client *c)
{
	struct message *m = c->message;
	const struct reply *reply = m && m->sent ? m->reply : NULL;
	const bool more = reply && m->at < m->size;
	off_t at;
	ssize_t n;

	if (c->out_at < c->out.len) {
		n = send(c->io.fd, c->out.p + c->out_at, c->out.len - c->out_at,
			 MSG_NOSIGNAL | (more && !reply->read ? MSG_MORE : 0));
		c->out_at += n > 0 ? (size_t)n : 0;
		return has_sent(c, n);
	}
	lh_buf_reset(&c->out);
	c->out_at = 0;
	if (more && reply->read)
		return read_answer_on(c, m);
	if (more) {
		at = (off_t)m->at;
		n = reply->in_file ? sendfile(c->io.fd, reply->file, &at, m->size - m->at)
				   : send(c->io.fd, reply->body.p + at, m->size - m->at,
					  MSG_NOSIGNAL);
		m->at += n > 0 ? (uint64_t)n : 0;
		return has_sent(c, n);
	}
	if (!reply)
		return true;
	lh_buf_free(&c->out);
	end_message(c, 0);
	if (c->in_at == c->in.len) {	/* a connection that is idle holds no memory */
		lh_buf_free(&c->in);
		c->in_at = 0;
	}
	return true;
}

/* ---- headers ---- */

bool http_next(const struct message *m, struct http_field *f)
{
	f->name = f->value ? f->value + strlen(f->value) + 1 : m->head.p + m->fields;
	if (f->name == m->head.p + m->head.len)
		return false;
	f->value = f->name + strlen(f->name) + 1;
	return true;
}

static bool is_token(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && (isalnum((unsigned char)p[i]) ||
			      (p[i] && strchr("!#$%&'*+-.^_`|~", p[i]))); i++)
		;
	return n && i == n;
}

/* Return whether a text has no control characters other than tabs. */
static bool is_text(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && ((unsigned char)p[i] >= ' ' || p[i] == '\t') && p[i] != 0x7f; i++)
		;
	return i == n;
}

/* Read a line "name: value" without its end.  Blanks around the value are not of it, but another
 * reader may think so where the value says how long the body is.  m NULL: only check. */
static bool read_field(struct message *m, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n), *value = colon, *end = p + n;

	if (!colon || !is_token(p, (size_t)(colon - p)))
		return false;
	while (++value < end && (*value == ' ' || *value == '\t'))
		;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!is_text(value, (size_t)(end - value)) ||
	    (end < p + n && (!strncasecmp(p, "Content-Length:", 15) ||
			     !strncasecmp(p, "Transfer-Encoding:", 18))))
		return false;
	if (m) {
		lh_buf_add(&m->head, p, (size_t)(colon - p));
		lh_buf_putc(&m->head, '\0');
		lh_buf_add(&m->head, value, (size_t)(end - value));
		lh_buf_putc(&m->head, '\0');
	}
	return true;
}

/* Read METHOD TARGET VERSION: 0, or the status of what is none. */
static unsigned read_request_line(struct message *m, const char *p, size_t n)
{
	const char *target = memchr(p, ' ', n), *end = p + n, *version, *c;

	version = target++ ? memchr(target, ' ', (size_t)(end - target)) : NULL;
	if (!version || version == target || !is_token(p, (size_t)(target - 1 - p)))
		return 400;
	for (c = target; c < version; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return 400;
	if (end - ++version != 8 || memcmp(version, "HTTP/", 5) ||
	    !isdigit((unsigned char)version[5]) || version[6] != '.' ||
	    !isdigit((unsigned char)version[7]))
		return 400;
	if (version[5] != '1')
		return 505;
	m->one = version[7] != '0';
	lh_buf_add(&m->head, p, (size_t)(target - 1 - p));
	lh_buf_putc(&m->head, '\0');
	lh_buf_add(&m->head, target, (size_t)(version - 1 - target));
	lh_buf_putc(&m->head, '\0');
	m->fields = m->head.len;
	m->method = m->head.p;
	m->target = m->head.p + (target - p);
	return 0;
}

/* Read a number of digits; too large a one is the largest. */
static bool read_length(const char *p, uint64_t *n)
{
	const char *from = p;

	for (*n = 0; isdigit((unsigned char)*p); p++)
		*n = *n > (UINT64_MAX - 9) / 10 ? UINT64_MAX : 10 * *n + (uint64_t)(*p - '0');
	return p > from && !*p;
}

/* Return what is wrong with the fields that say where the message ends, and whose it is. */
static const char *read_framing(struct message *m)
{
	unsigned lengths = 0, codings = 0, hosts = 0;
	struct http_field f = { 0 };

	while (http_next(m, &f)) {
		if (!strcasecmp(f.name, "Content-Length")) {
			if (lengths++)
				return "two Content-Length headers";
			if (!read_length(f.value, &m->length))
				return "Content-Length is not a number";
		} else if (!strcasecmp(f.name, "Transfer-Encoding")) {
			m->chunked = true;
			if (codings++ || strcasecmp(f.value, "chunked") || !m->one)
				return "Transfer-Encoding must be chunked, and in HTTP/1.1";
		} else if (!strcasecmp(f.name, "Host")) {
			hosts++;
		}
	}
	if (lengths && codings)
		return "Content-Length and Transfer-Encoding";
	return hosts > 1 || (m->one && !hosts) ? "there must be one Host header" : NULL;
}

/* Read a header, with the empty line at its end.  Returns 0, or the status of what is none and,
 * unless that is refused without a word, what is wrong with it. */
static unsigned read_message(struct message *m, const char *p, size_t n, const char **why)
{
	const char *end = p + n - 2, *lf = memchr(p, '\n', n);
	unsigned status;

	*why = NULL;			/* another protocol, such as TLS */
	if (!memchr(p, ' ', (size_t)(lf - p)))
		return 400;
	lh_buf_grow(&m->head, n);	/* what is kept of it is no longer: it does not move */
	status = read_request_line(m, p, (size_t)(lf - 1 - p));
	*why = status == 505 ? "this version of HTTP is not served" : "the request is malformed";
	if (status)
		return status;
	*why = "the header is malformed";
	for (p = lf + 1; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!read_field(m, p, (size_t)(lf - 1 - p)))
			return 400;
	}
	*why = read_framing(m);
	return *why ? 400 : 0;
}

/* ---- requests ---- */

/* No more of the message is read: it is complete, or answered before that. */
static void complete_message(struct client *c, bool whole)
{
	struct message *m = c->message;

	c->state = COMPLETE;
	c->unread = !whole;
	if (whole && !m->ready)
		c->all->calls->complete(m);
	m->suspended = !m->ready;
}

/* Begin a message with its header, if it is one.  If it is answered before its body, that is not
 * read. */
static void begin_message(struct client *c, const char *header, size_t n)
{
	struct message *m = lh_calloc(1, c->all->calls->size);
	const char *why, *expect;
	unsigned status;

	m->all = c->all;
	m->client = c;
	m->fd = c->io.fd;
	m->address = (struct sockaddr *)&c->address;
	status = read_message(m, header, n, &why);
	if (status) {
		lh_buf_free(&m->head);
		free(m);
		refuse_client(c, status, why);
		return;
	}
	c->in_at += n;
	c->message = m;
	unlink_client(c);
	link_client(c);
	c->fresh = false;
	c->moved = c->since;
	c->left = m->length;
	c->bytes = c->trailers = 0;
	c->taking = 0;
	c->state = m->chunked ? SIZE : BODY;
	c->all->calls->begin(m);
	expect = http_field(m, "Expect");
	if (m->ready || !has_body(m))
		complete_message(c, !has_body(m));
	else if (m->one && expect && !strcasecmp(expect, "100-continue") && c->in_at == c->in.len)
		lh_buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* Read a header, once all of it is there. */
static bool take_header(struct client *c)
{
	const char *p = c->in.p + c->in_at, *end = c->in.p + c->in.len, *lf, *why = NULL;
	const size_t max = (size_t)(end - p) < HEADER_MAX ? (size_t)(end - p) : HEADER_MAX;
	size_t at = c->seen;

	if (*p == '\r' && end - p > 1 && p[1] == '\n') {	/* an empty line before it */
		c->in_at += 2;
		c->seen = 0;
		return true;
	}
	while (!why && (lf = memchr(p + at, '\n', max - at))) {
		at = (size_t)(lf + 1 - p);
		if (lf == p || lf[-1] != '\r') {
			why = "the header is malformed";
		} else if (at > 2 && lf[-2] == '\n') {
			c->seen = 0;
			begin_message(c, p, at);
			return true;
		}
	}
	c->seen = max;
	if (why)
		refuse_client(c, 400, why);
	else if (max == HEADER_MAX && memchr(p, '\n', max))
		refuse_client(c, 431, "the header is too large");
	else if (max == HEADER_MAX)
		refuse_client(c, 414, "the target is too long");
	return c->last;
}

/* Take bytes of a body, or of a chunk of it. */
static bool take_data(struct client *c)
{
	const char *p = c->in.p + c->in_at;
	size_t n = c->in.len - c->in_at;
	struct message *m = c->message;

	n = n < c->left ? n : (size_t)c->left;
	c->in_at += n;
	c->left -= n;
	c->bytes += n;
	c->moved = lh_time_monotonic();
	m->counted += n;
	if (!c->all->calls->more(m, p, n))
		complete_message(c, false);
	else if (!c->left && c->state == BODY)
		complete_message(c, true);
	else if (!c->left)
		c->state = DATA_END;
	return true;
}

/* Look for a line of chunks, whose bytes are counted with its end: 0 if it is not there yet.  One
 * that another reader may end elsewhere is refused; then it is 0, too. */
static size_t chunk_line(struct client *c, size_t max)
{
	const char *p = c->in.p + c->in_at, *why = NULL;
	const size_t n = c->in.len - c->in_at;
	const char *lf = memchr(p, '\n', n < max ? n : max);

	if (!lf)
		why = n >= max ? "a line of chunks is too long" : NULL;
	else if (lf == p || lf[-1] != '\r')
		why = "a line of chunks ends in a bare LF";
	else if (memchr(p, '\r', (size_t)(lf - 1 - p)))
		why = "a line of chunks holds a bare CR";
	else if (!is_text(p, (size_t)(lf - 1 - p)))
		why = "a line of chunks holds a control character";
	if (why)
		refuse_client(c, 400, why);
	return lf && !why ? (size_t)(lf + 1 - p) : 0;
}

/* Read the size of a chunk, in hexadecimal; what comes after ";" is skipped. */
static void take_size(struct client *c, const char *p)
{
	uint64_t size = 0;
	bool huge = false;
	size_t i;

	for (i = 0; isxdigit((unsigned char)p[i]); i++) {
		huge |= size >> 56;	/* beyond it no digit more fits, nor any body */
		size = size << 4 | (uint64_t)(isdigit((unsigned char)p[i]) ? p[i] - '0'
					      : (p[i] | 0x20) - 'a' + 10);
	}
	c->left = size;
	c->state = size ? DATA : TRAILER;
	if (!i || (p[i] != ';' && p[i] != '\r'))
		refuse_client(c, 400, "the size of a chunk is malformed");
	else if (huge)
		refuse_client(c, 413, "the body is too large");
}

/* Take a line of chunks: a size, the end of data, a trailer, or the end of them. */
static bool take_line(struct client *c)
{
	const char *p = c->in.p + c->in_at;
	const size_t n = chunk_line(c, c->state == DATA_END ? 2 : CHUNK_LINE_MAX);

	if (!n)
		return c->last;
	c->in_at += n;
	if (c->state == DATA_END) {
		c->state = SIZE;
	} else if (c->state == SIZE) {
		take_size(c, p);
	} else if (n == 2) {
		complete_message(c, true);
	} else {
		c->trailers += n;
		if (c->trailers > HEADER_MAX || !read_field(NULL, p, n - 2))
			refuse_client(c, 400, "the trailers are malformed");
	}
	return true;
}

/* Take what has come; of what is no part of a body no more than a header may have.  Without
 * more bytes the client has ended, or its connection was cut. */
static bool receive(struct client *c)
{
	struct connections *all = c->all;
	const bool data = c->state == BODY || c->state == DATA || c->state == LINGER;
	const size_t most = data && c->left > sizeof all->room ? sizeof all->room : HEADER_MAX;
	ssize_t n;

	if (!c->readable)
		return false;
	n = recv(c->io.fd, all->room, most, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return c->readable = errno == EINTR;
	if (n <= 0) {
		if (c->message)
			end_message(c, c->cut ? 408 : 499);
		else if (c->state != LINGER)
			lose_bytes(c, c->cut ? 408 : 499);
		close_client(c);
		return false;
	}
	c->readable = c->ended || c->cut || (size_t)n == most;
	if (c->state == LINGER) {
		c->left -= (uint64_t)n < c->left ? (uint64_t)n : c->left;
		if (!c->left)
			close_client(c);
		return c->left;
	}
	if (c->state == HEADER && c->in_at == c->in.len && !c->fresh)
		c->since = lh_time_monotonic();
	if (c->in_at) {
		c->in.len -= c->in_at;
		memmove(c->in.p, c->in.p + c->in_at, c->in.len);
		c->in_at = 0;
	}
	lh_buf_add(&c->in, all->room, (size_t)n);
	return true;
}

/* ---- turns ---- */

/* Do something for a connection; false: it waits for its client, or for the answer. */
static bool step(struct client *c)
{
	struct message *m = c->message;

	if (c->out_at < c->out.len || (m && m->sent))
		return send_some(c);
	if (c->last && c->state != LINGER) {
		end_client(c);
		return true;
	}
	if (c->state == COMPLETE) {
		if (!m->suspended)
			c->all->calls->send(m);
		return m->sent;
	}
	if (c->in_at < c->in.len && (c->state == HEADER ? take_header(c)
				     : c->state == BODY || c->state == DATA ? take_data(c)
				     : take_line(c)))
		return true;
	return receive(c);
}

void http_run(struct connections *all)
{
	struct client *c = all->queue, *next;
	int i;

	for (all->queue = NULL; c; c = next) {
		next = c->after;
		c->queued = false;
		for (i = 0; i < STEPS && !c->closed && step(c); i++)
			;
		if (i == STEPS && !c->closed)
			wake_client(c);
		if (c->closed && !c->queued)
			free(c);
	}
}

void http_stop(struct connections *all)
{
	struct client *c;

	while ((c = all->newest)) {
		if (c->message)
			end_message(c, c->message->sent ? 0 : 499);
		close_client(c);
		wake_client(c);
	}
	http_run(all);
}

/* ---- slow connections ---- */

/* Return whether a connection without a request has been so for too long. */
static bool is_over(const struct client *c, double now)
{
	return now - c->since > (c->last ? LINGER_SECONDS : c->fresh || c->in_at < c->in.len
				 ? HEADER_SECONDS : IDLE_SECONDS);
}

/* Return whether a body has stopped, is slower than 1 KiB a second, or than all of its bytes in
 * BODY_SECONDS: of a body in chunks, those that came.  Of uploads the least speed doubles with
 * each CROWD of them, so that who holds many places needs the bandwidth for it. */
static bool is_slow_body(struct client *c, double now)
{
	const struct message *m = c->message;
	const uint64_t size = m->length > m->counted ? m->length : m->counted;
	const double least = (double)size * SLOW_SECONDS / BODY_SECONDS;
	const uint64_t crowd = SLOW_BYTES << (m->upload ? c->all->uploads / CROWD : 0);
	bool slow;

	if (c->state == COMPLETE)
		return false;
	if (now - c->moved >= SLOW_SECONDS)
		return true;
	if (now - c->since < SLOW_SECONDS)
		return false;
	slow = c->bytes < crowd || (double)c->bytes < least;
	c->bytes = 0;
	c->since = now;
	return slow;
}

/* Return whether bytes wait for a client that takes less than 1 KiB a second: those that its
 * TCP confirms. */
static bool is_slow_reader(struct client *c, double now)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof info;
	int waiting = 0;

	if (!c->message->sent)
		return false;
	if (ioctl(c->io.fd, SIOCOUTQ, &waiting) < 0 ||
	    getsockopt(c->io.fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return false;
	if (waiting && c->taking && now - c->taking < SLOW_SECONDS)
		return false;
	if (waiting && c->taking && info.tcpi_bytes_acked - c->taken < SLOW_BYTES)
		return true;
	c->taking = waiting ? now : 0;
	c->taken = info.tcpi_bytes_acked;
	return false;
}

void http_sweep(struct connections *all, double now)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct client *c;

	for (c = all->newest; c; c = c->next) {
		if (c->message && c->message->watched && c->ended)
			all->calls->left(c->message);
		if (c->message ? is_slow_body(c, now) : is_over(c, now))
			cut_client(c);
		if (c->message && is_slow_reader(c, now)) {
			/* without what waits, which it does not take */
			setsockopt(c->io.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
			cut_client(c);
		}
	}
	listen_pause(all, false);
}

/* ---- new connections ---- */

/* At the limit of connections, or of descriptors, with a client that waits: close some that
 * have been without a request for the longest time, so that slow clients cannot keep the others
 * out. */
static void make_room(struct connections *all, const struct listener *l)
{
	struct pollfd asked = { .fd = l->io.fd, .events = POLLIN };
	double now = lh_time_monotonic();
	struct client *c = all->oldest;
	int n = 0, waiting;

	/* accept4 reports a lack of descriptors before it looks for a client */
	if (poll(&asked, 1, 0) <= 0)
		return;
	for (; c && n < CUT_AT_ONCE; c = c->before) {
		waiting = 0;		/* bytes, most likely of a request */
		if (c->message || c->cut || (c->fresh && now - c->since < FRESH_SECONDS) ||
		    (c->state != LINGER && ioctl(c->io.fd, FIONREAD, &waiting) == 0 && waiting))
			continue;
		cut_client(c);
		n++;
	}
	listen_pause(all, true);	/* until one is closed, or the next sweep */
}

void http_accept(struct lh_watch *io, uint32_t events)
{
	struct listener *l = (struct listener *)(void *)io;
	struct connections *all = l->all;
	int i, fd, one = 1;

	(void)events;
	for (i = 0; i < ACCEPTS; i++) {
		struct sockaddr_in6 a = { 0 };
		socklen_t n = sizeof a;

		if (all->clients >= all->limit) {
			make_room(all, l);
			return;
		}
		fd = accept4(io->fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				make_room(all, l);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		new_client(all, fd, &a);
	}
}

void http_drain(struct connections *all)
{
	struct client *c;
	size_t i;

	for (i = 0; i < all->listeners; i++)
		http_accept(&all->listener[i].io, EPOLLIN);
	for (c = all->newest; c; c = c->next) {
		c->readable = true;
		wake_client(c);
	}
}
