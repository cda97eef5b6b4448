/* buf.c - a growing array of bytes.  See lh/buf.h. */
#include <lh/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

typedef unsigned char chunk __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

void lh_buf_init(struct lh_buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void lh_buf_free(struct lh_buf *b)
{
	free(b->p);
	lh_buf_init(b, b->max);
}

void lh_buf_reset(struct lh_buf *b)
{
	b->len = 0;
	b->failed = LH_OK;
}

int lh_buf_grow(struct lh_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256, max = b->max ? b->max : SIZE_MAX / 4;

	if (b->failed)
		return -1;
	if (n > max || b->len > max - n) {
		if (!b->max)
			lh_no_memory(n);
		b->failed = LH_EDATA;
		return -1;
	}
	if (cap - b->len < n)
		cap += cap / 2 + 64;
	if (cap - b->len < n)	/* one large piece: allocate exactly for it */
		cap = b->len + n;
	if (cap > max)
		cap = max;
	b->p = lh_realloc(b->p, cap + LH_PAD, 1);
	b->cap = cap;
	return 0;
}

int lh_buf_check(const struct lh_buf *b, struct lh_err *err)
{
	if (b->failed)
		return lh_err_set(err, b->failed, "longer than %zu bytes", b->max);
	return 0;
}

void lh_buf_printf(struct lh_buf *b, const char *fmt, ...)
{
	char small[256], *to = small;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof small) {
		to = lh_buf_room(b, (size_t)n + 1);
		if (!to)
			return;
		va_start(ap, fmt);
		vsnprintf(to, (size_t)n + 1, fmt, ap);
		va_end(ap);
		lh_buf_took(b, (size_t)n);
		return;
	}
	lh_buf_add(b, small, (size_t)n);
}

void lh_buf_u64(struct lh_buf *b, uint64_t v)
{
	char text[20];
	size_t i = sizeof text;

	do {
		text[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	lh_buf_add(b, text + i, sizeof text - i);
}

/* Return the byte after the backslash for a control byte, 0 for the \u00xx form. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '"': return '"';
	case '\\': return '\\';
	default: return 0;
	}
}

/* Copy sixteen bytes; return whether one of them is a control byte, a quote or a backslash. */
static bool copy_chunk(char *to, const char *s)
{
	halves hit;
	chunk v;

	memcpy(&v, s, sizeof v);
	memcpy(to, &v, sizeof v);
	hit = (halves)((v < 0x20) | (v == '"') | (v == '\\'));
	return hit[0] | hit[1];
}

/* Copy the bytes before the first one that needs an escape; return their number. */
static size_t copy_plain(char *to, const char *s, size_t n)
{
	unsigned char c;
	size_t i = 0;

	while (n - i >= sizeof(chunk) && !copy_chunk(to + i, s + i))
		i += sizeof(chunk);
	if (n >= sizeof(chunk) && n - i < sizeof(chunk) &&
	    !copy_chunk(to + n - sizeof(chunk), s + n - sizeof(chunk)))
		return n;
	for (; i < n; i++) {
		c = (unsigned char)s[i];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		to[i] = (char)c;
	}
	return i;
}

void lh_buf_json(struct lh_buf *b, const char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, plain;
	char *to;

	lh_buf_putc(b, '"');
	for (i = 0; i < n; ) {
		to = lh_buf_room(b, n - i);
		if (!to)
			return;
		plain = copy_plain(to, s + i, n - i);
		lh_buf_took(b, plain);
		i += plain;
		if (i < n) {
			unsigned char c = (unsigned char)s[i++];
			char esc = short_escape(c);

			if (esc) {
				lh_buf_add(b, (char[]){ '\\', esc }, 2);
			} else {
				lh_buf_add(b, "\\u00", 4);
				lh_buf_add(b, (char[]){ hex[c >> 4], hex[c & 15] }, 2);
			}
		}
	}
	lh_buf_putc(b, '"');
}
