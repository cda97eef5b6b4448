/* wire.c - the bytes between libmicrohttpd and the clients.  See connection.h.
 *
 * libmicrohttpd 0.9.75 calls recv, send and sendmsg by these names, so that the functions here
 * are called instead of those of the C library.  There are two reasons for it:
 *
 * - It takes a line of chunks that ends in a bare LF, or holds a bare CR, which other readers of
 *   the same bytes may not do, and never gives up on one that is longer than its memory: then
 *   it neither reads nor waits.  So what is received is followed here as far as the framing of
 *   bodies goes.
 * - It refuses by itself what is not HTTP, with a page in HTML, and some of that with two
 *   headers.  What it sends on a connection for which no answer of ours is queued is such a
 *   refusal, unless it is "100 Continue", and JSON is sent in its place.
 *
 * The header is not judged here: wrong_framing of http.c closes the connections whose header
 * has another reading. */
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "connection.h"
#include "json/write.h"

#define CHUNK_LINE_MAX 4096		/* bytes: a size and its extensions */

enum { START, HEAD, BODY, SIZE, EXTENSION, DATA, AFTER_DATA, TRAILER, LOST };

/* The clients by their descriptors. */
static struct client **clients;
static size_t n_clients;

void wire_add(struct client *c)
{
	size_t n = (size_t)c->fd + 1;

	if (n > n_clients) {
		n = n < 2 * n_clients ? 2 * n_clients : n;
		clients = lh_realloc(clients, n, sizeof(struct client *));
		memset(clients + n_clients, 0, (n - n_clients) * sizeof(struct client *));
		n_clients = n;
	}
	clients[c->fd] = c;
}

void wire_remove(const struct client *c)
{
	if ((size_t)c->fd < n_clients)
		clients[c->fd] = NULL;
}

void wire_free(void)
{
	free(clients);
	clients = NULL;
	n_clients = 0;
}

static struct client *client_at(int fd)
{
	return fd >= 0 && (size_t)fd < n_clients ? clients[fd] : NULL;
}

/* ---- the framing of bodies ---- */

static void begin_line(struct wire *w)
{
	w->line = w->kept = 0;
	w->cr = false;
}

/* Take what a line of the header says about the body. */
static void read_field(struct wire *w)
{
	static const char length[] = "content-length:", coding[] = "transfer-encoding:";

	if (!w->fields++)
		return;			/* the request line */
	w->word[w->kept] = '\0';
	if (!strncasecmp(w->word, coding, sizeof coding - 1)) {
		w->chunked = true;
	} else if (!strncasecmp(w->word, length, sizeof length - 1)) {
		w->left = strtoull(w->word + sizeof length - 1, NULL, 10);
	}
}

static void head_byte(struct wire *w, char c)
{
	const bool first = w->kept && w->word[w->kept - 1] == ':';

	if (c != '\n') {
		/* keep its begin, without blanks and the zeros before a number, of which there can
		 * be more than there is room for */
		if (w->kept < sizeof w->word - 1 && c != ' ' && c != '\t' && !(first && c == '0'))
			w->word[w->kept++] = c;
		w->line++;
		w->cr = c == '\r';
		return;
	}
	if (w->line == w->cr) {
		w->begun++;
		w->state = w->chunked ? SIZE : w->left ? BODY : START;
		w->size = 0;
	} else {
		read_field(w);
	}
	begin_line(w);
}

static void fail_wire(struct wire *w, const char *why)
{
	w->state = LOST;
	w->wrong = why;
}

/* Take a byte of a line of chunks: its size with extensions, the end of its data, a trailer. */
static void chunk_byte(struct wire *w, char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = c ? strchr(digits, c | 0x20) : NULL;
	bool cr = w->cr;

	w->cr = c == '\r';
	if (cr && c != '\n') {
		fail_wire(w, "a line of chunks holds a bare CR");
	} else if (c == '\n' && !cr) {
		fail_wire(w, "a line of chunks ends in a bare LF");
	} else if (((unsigned char)c < ' ' && !strchr("\t\r\n", c)) || c == 0x7f || !c) {
		fail_wire(w, "a line of chunks holds a control character");
	} else if (c == '\n' && w->state == AFTER_DATA) {
		w->state = SIZE;
		w->size = 0;
		begin_line(w);
	} else if (c == '\n' && w->state == TRAILER) {
		w->state = w->line == 1 ? START : TRAILER;
		w->trailers += w->line + 1;
		begin_line(w);
	} else if (c == '\n') {
		w->state = w->size ? DATA : TRAILER;
		w->left = w->size;
		begin_line(w);
	} else if (++w->line > CHUNK_LINE_MAX || w->trailers > HEADER_MAX) {
		fail_wire(w, "a line of chunks is too long");
	} else if (w->state == SIZE && digit) {
		w->size = w->size << 4 | (uint64_t)(digit - digits);
	} else if (w->state == SIZE && c != '\r') {
		w->state = EXTENSION;
	}
}

/* Follow bytes that have been received. */
static void follow_bytes(struct wire *w, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end && w->state != LOST) {
		if (w->state == BODY || w->state == DATA) {
			uint64_t part = (uint64_t)(end - p);

			part = part < w->left ? part : w->left;
			p += part;
			w->left -= part;
			if (!w->left)
				w->state = w->state == BODY ? START : AFTER_DATA;
		} else if (w->state == START) {
			if (*p == '\r' || *p == '\n') {
				p++;
				continue;
			}
			w->state = HEAD;
			w->chunked = false;
			w->left = w->trailers = w->fields = 0;
			begin_line(w);
		} else if (w->state == HEAD) {
			head_byte(w, *p++);
		} else {
			chunk_byte(w, *p++);
		}
	}
}

const char *wire_wrong(const struct client *c)
{
	return c->wire.wrong && c->wire.begun == c->requests ? c->wire.wrong : NULL;
}

/* ---- last words ---- */

static const char *reason_of(unsigned status)
{
	switch (status) {
	case 400:
		return "the request is malformed";
	case 413:
		return "the body is too large";
	case 414:
		return "the target is too long";
	case 431:
		return "the header is too large";
	case 505:
		return "this version of HTTP is not served";
	default:
		return MHD_get_reason_phrase_for(status);
	}
}

void last_words(struct client *c, unsigned status, const char *why)
{
	struct lh_buf out = { 0 }, json = { 0 };
	struct lh_writer w = lh_write_to(&json);

	if (c->spoken || c->answering)
		return;
	c->spoken = status;
	c->unread = true;		/* what still comes is read, so that this arrives */
	lh_write_object(&w, NULL);
	lh_write_text(&w, "error", why);
	lh_write_end(&w);
	lh_buf_printf(&out,
		      "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n"
		      "Content-Length: %zu\r\nCache-Control: no-store\r\n"
		      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
		      status, MHD_get_reason_phrase_for(status), json.len);
	lh_buf_add(&out, json.p, json.len);
	if (!out.failed)
		sendto(c->fd, out.p, out.len, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	lh_buf_free(&out);
	lh_buf_free(&json);
}

/* ---- what libmicrohttpd calls ---- */

/* Names of the C library; those of C are others, since its headers may have made macros or
 * inline functions of them. */
#define INSTEAD_OF(name) __asm__(name) __attribute__((visibility("default")))

ssize_t wire_recv(int fd, void *p, size_t n, int flags) INSTEAD_OF("recv");
ssize_t wire_send(int fd, const void *p, size_t n, int flags) INSTEAD_OF("send");
ssize_t wire_sendmsg(int fd, const struct msghdr *m, int flags) INSTEAD_OF("sendmsg");

ssize_t wire_recv(int fd, void *p, size_t n, int flags)
{
	ssize_t got = recvfrom(fd, p, n, flags, NULL, NULL);
	struct client *c = client_at(fd);

	if (!c)
		return got;
	if (got <= 0) {
		c->left |= !c->cut && (!got || errno == ECONNRESET);
		return got;
	}
	follow_bytes(&c->wire, p, (size_t)got);
	/* of a request whose header is still to be read, http.c says it */
	if (!wire_wrong(c))
		return got;
	last_words(c, 400, c->wire.wrong);
	errno = ECONNRESET;
	return -1;
}

/* Return whether a refusal of libmicrohttpd was replaced, or is the rest of one. */
static bool replace_refusal(struct client *c, const struct iovec *v)
{
	static const char first[] = "HTTP/1.1 ", go_on[] = "HTTP/1.1 100";
	char text[sizeof go_on] = "";
	unsigned long status;

	if (!c || c->answering)
		return false;
	if (c->spoken)
		return true;
	memcpy(text, v->iov_base, v->iov_len < sizeof text - 1 ? v->iov_len : sizeof text - 1);
	status = strncmp(text, first, sizeof first - 1) ? 0 : strtoul(text + sizeof first - 1,
								      NULL, 10);
	if (status < 400)
		return false;
	last_words(c, (unsigned)status, reason_of((unsigned)status));
	return true;
}

ssize_t wire_sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t n = 0;
	size_t i;

	if (m->msg_iovlen && replace_refusal(client_at(fd), m->msg_iov)) {
		for (i = 0; i < m->msg_iovlen; i++)
			n += (ssize_t)m->msg_iov[i].iov_len;
		return n;
	}
	/* sendmsg itself is this function */
	return syscall(SYS_sendmsg, fd, m, flags);
}

ssize_t wire_send(int fd, const void *p, size_t n, int flags)
{
	const struct iovec v = { (void *)(uintptr_t)p, n };

	return replace_refusal(client_at(fd), &v) ? (ssize_t)n : sendto(fd, p, n, flags, NULL, 0);
}
