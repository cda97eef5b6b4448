/* reply.c - read an HTTP/1.x answer as it arrives.  See client.h. */
#include "client.h"

#include <strings.h>

#include "base/str.h"

#define DIGITS_MAX 15		/* of a chunk's size, in hexadecimal */

/* The headers that say where the body ends. */
struct framing {
	bool chunked, has_length, close, keep;
	uint64_t length;
};

void reply_start(struct reply *r)
{
	lh_buf_reset(&r->head);
	*r = (struct reply){ .head = r->head };
	r->head.max = REPLY_HEAD_MAX;
}

void reply_free(struct reply *r)
{
	lh_buf_free(&r->head);
}

static enum reply_is bad(struct reply *r, const char *fault)
{
	r->fault = fault;
	return REPLY_BAD;
}

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_name(struct lh_str s, const char *name)
{
	return s.n == strlen(name) && !strncasecmp(s.p, name, s.n);
}

/* Return whether a list of tokens has that one. */
static bool lists(struct lh_str s, const char *token)
{
	const char *p = s.p, *end = s.p + s.n, *comma, *last;

	for (; p < end; p = comma + 1) {
		comma = memchr(p, ',', (size_t)(end - p));
		if (!comma)
			comma = end;
		for (; p < comma && (*p == ' ' || *p == '\t'); p++)
			;
		for (last = comma; last > p && (last[-1] == ' ' || last[-1] == '\t'); last--)
			;
		if (is_name((struct lh_str){ p, (size_t)(last - p) }, token))
			return true;
	}
	return false;
}

static const char *take_length(struct framing *f, struct lh_str value)
{
	uint64_t length = 0;
	size_t i;

	if (!value.n || value.n > 18)
		return "wrong Content-Length";
	for (i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return "wrong Content-Length";
		length = length * 10 + (uint64_t)(value.p[i] - '0');
	}
	if (f->has_length && f->length != length)
		return "two different lengths";
	f->has_length = true;
	f->length = length;
	return NULL;
}

static const char *take_header(struct framing *f, struct lh_str name, struct lh_str value)
{
	if (is_name(name, "Content-Length"))
		return take_length(f, value);
	if (is_name(name, "Transfer-Encoding")) {
		if (f->chunked || !is_name(value, "chunked"))
			return "a Transfer-Encoding other than chunked";
		f->chunked = true;
	}
	if (is_name(name, "Connection")) {
		f->close |= lists(value, "close");
		f->keep |= lists(value, "keep-alive");
	}
	return NULL;
}

/* Read one line of the header block, without its CRLF. */
static const char *read_header(struct framing *f, const char *p, const char *end)
{
	const char *name = p, *value;
	size_t n;

	for (; p < end && is_token(*p); p++)
		;
	if (p == name || p == end || *p != ':')
		return "a header line without a name";
	n = (size_t)(p++ - name);
	for (; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	for (value = p; p < end; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			return "a control byte in a header";
	for (; p > value && (p[-1] == ' ' || p[-1] == '\t'); p--)
		;
	return take_header(f, (struct lh_str){ name, n },
			   (struct lh_str){ value, (size_t)(p - value) });
}

/* Read the status line, without its CRLF. */
static const char *read_status(struct reply *r, struct framing *f, const char *p, const char *end)
{
	int i;

	if (end - p < 12 || memcmp(p, "HTTP/1.", 7) || (p[7] != '0' && p[7] != '1') ||
	    p[8] != ' ' || (end - p > 12 && p[12] != ' '))
		return "no HTTP/1.x answer";
	f->close = p[7] == '0';
	for (r->status = 0, i = 9; i < 12; i++) {
		if (p[i] < '0' || p[i] > '9')
			return "no HTTP/1.x answer";
		r->status = r->status * 10 + (unsigned)(p[i] - '0');
	}
	return r->status >= 100 ? NULL : "no HTTP/1.x answer";
}

static enum reply_is begin_body(struct reply *r, const struct framing *f)
{
	r->close = f->close;
	if (r->status < 200) {
		r->part = REPLY_HEAD;
		return r->status == 101 ? bad(r, "an upgrade that was not asked for") : REPLY_MORE;
	}
	if (f->chunked && f->has_length)
		return bad(r, "both a length and chunks");
	if (f->length > REPLY_BODY_MAX)
		return bad(r, "a body over 256 MiB");
	if (r->status == 204 || r->status == 304 || (f->has_length && !f->length))
		return REPLY_DONE;
	r->left = f->length;
	r->part = f->chunked ? REPLY_SIZE : f->has_length ? REPLY_LENGTH : REPLY_TO_END;
	r->close |= r->part == REPLY_TO_END;
	return REPLY_MORE;
}

/* Read a header block, with the empty line at its end. */
static enum reply_is read_head(struct reply *r, const char *p, size_t n)
{
	const char *end = p + n - 2, *eol = memmem(p, n, "\r\n", 2), *fault;
	struct framing f = { .chunked = false };
	bool old;

	fault = read_status(r, &f, p, eol);
	old = f.close;
	for (p = eol + 2; !fault && p < end; p = eol + 2) {
		eol = memmem(p, (size_t)(end + 2 - p), "\r\n", 2);
		fault = read_header(&f, p, eol);
	}
	if (old && f.keep)
		f.close = false;
	return fault ? bad(r, fault) : begin_body(r, &f);
}

/* Find the end of the header block in what came before and these bytes. */
static enum reply_is feed_head(struct reply *r, const char *p, size_t n, size_t *used)
{
	size_t before = r->head.len, from = before < 3 ? 0 : before - 3, size;
	const char *end = before ? NULL : memmem(p, n, "\r\n\r\n", 4);
	enum reply_is is;

	if (end) {
		size = *used = (size_t)(end + 4 - p);
	} else {
		*used = n;
		lh_buf_add(&r->head, p, n);
		if (r->head.failed)
			return bad(r, "a header block over 64 KiB");
		if (memcmp(r->head.p, "HTTP/1.", r->head.len < 7 ? r->head.len : 7))
			return bad(r, "no HTTP/1.x answer");
		end = memmem(r->head.p + from, r->head.len - from, "\r\n\r\n", 4);
		if (!end)
			return REPLY_MORE;
		size = (size_t)(end + 4 - r->head.p);
		*used = size - before;
		p = r->head.p;
	}
	r->extra += size;
	if (r->extra > REPLY_HEAD_MAX)
		return bad(r, "a header block over 64 KiB");
	is = read_head(r, p, size);
	lh_buf_free(&r->head);
	r->head.max = REPLY_HEAD_MAX;
	return is;
}

/* Take the bytes of the body, or of a chunk, that are here. */
static size_t take_body(struct reply *r, const char *p, size_t n, struct lh_buf *body)
{
	if (r->part != REPLY_TO_END && n > r->left)
		n = (size_t)r->left;
	r->left -= r->part == REPLY_TO_END ? 0 : n;
	r->bytes += n;
	if (body)
		lh_buf_add(body, p, n);
	return n;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 'a' + 10 : -1;
}

static enum reply_is feed_size(struct reply *r, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0 && r->digits < DIGITS_MAX) {
		r->digits++;
		r->left = r->left << 4 | (unsigned)digit;
		return REPLY_MORE;
	}
	if (!r->digits || (c != '\r' && c != ';' && c != ' ' && c != '\t'))
		return bad(r, "a wrong chunk");
	r->part = c == '\r' ? REPLY_SIZE_LF : REPLY_EXTENSION;
	return r->left + r->bytes > REPLY_BODY_MAX ? bad(r, "a body over 256 MiB") : REPLY_MORE;
}

static enum reply_is go_on(struct reply *r, bool right, enum reply_part part)
{
	if (!right)
		return bad(r, "a wrong chunk");
	if (part == REPLY_SIZE)
		r->digits = 0;
	r->part = part;
	return REPLY_MORE;
}

/* Read a byte between chunks. */
static enum reply_is feed_byte(struct reply *r, char c)
{
	if (r->part >= REPLY_TRAILER || r->part == REPLY_EXTENSION)
		if (++r->extra > REPLY_HEAD_MAX)
			return bad(r, "a header block over 64 KiB");
	switch (r->part) {
	case REPLY_SIZE:
		return feed_size(r, c);
	case REPLY_EXTENSION:
		return c == '\r' ? go_on(r, true, REPLY_SIZE_LF) : go_on(r, c != '\n', r->part);
	case REPLY_SIZE_LF:
		return go_on(r, c == '\n', r->left ? REPLY_CHUNK : REPLY_TRAILER);
	case REPLY_CHUNK_CR:
		return go_on(r, c == '\r', REPLY_CHUNK_LF);
	case REPLY_CHUNK_LF:
		return go_on(r, c == '\n', REPLY_SIZE);
	case REPLY_TRAILER:
		return c == '\r' ? go_on(r, true, REPLY_LAST_LF)
				 : go_on(r, is_token(c), REPLY_TRAILER_TEXT);
	case REPLY_TRAILER_TEXT:
		return c == '\r' ? go_on(r, true, REPLY_TRAILER_LF) : go_on(r, c != '\n', r->part);
	case REPLY_TRAILER_LF:
		return go_on(r, c == '\n', REPLY_TRAILER);
	default:
		return c == '\n' ? REPLY_DONE : bad(r, "a wrong chunk");
	}
}

/* Read what is next; at least one byte. */
static enum reply_is feed_part(struct reply *r, const char *p, size_t n, size_t *used,
			       struct lh_buf *body)
{
	switch (r->part) {
	case REPLY_HEAD:
		return feed_head(r, p, n, used);
	case REPLY_LENGTH:
		*used = take_body(r, p, n, body);
		return r->left ? REPLY_MORE : REPLY_DONE;
	case REPLY_TO_END:
		*used = take_body(r, p, n, body);
		return r->bytes > REPLY_BODY_MAX ? bad(r, "a body over 256 MiB") : REPLY_MORE;
	case REPLY_CHUNK:
		*used = take_body(r, p, n, body);
		if (!r->left)
			r->part = REPLY_CHUNK_CR;
		return REPLY_MORE;
	default:
		*used = 1;
		return feed_byte(r, *p);
	}
}

enum reply_is reply_feed(struct reply *r, const char *p, size_t n, size_t *used,
			 struct lh_buf *body)
{
	enum reply_is is = REPLY_MORE;
	size_t now;

	r->begun = true;
	for (*used = 0; is == REPLY_MORE && *used < n; *used += now)
		is = feed_part(r, p + *used, n - *used, &now, body);
	return is;
}

enum reply_is reply_end(struct reply *r)
{
	if (r->part == REPLY_TO_END)
		return REPLY_DONE;
	return bad(r, r->begun ? "closed within the answer" : "closed before the answer");
}
