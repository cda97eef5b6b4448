/* lh_buf.c - a growing run of bytes.  See lh_buf.h. */
#include "lh_buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lh_mem.h"

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
	struct lh_err err;
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->failed)
		return -1;
	if (n > b->max || b->len > b->max - n) {
		b->failed = LH_EDATA;
		return -1;
	}
	if (cap - b->len < n)
		cap += cap / 2 + 64;
	if (cap - b->len < n)	/* one large piece: no more than it takes */
		cap = b->len + n;
	if (cap > b->max)
		cap = b->max;
	p = lh_realloc(b->p, cap + LH_PAD, 1, &err);
	if (!p) {
		b->failed = LH_ENOMEM;
		return -1;
	}
	b->p = p;
	b->cap = cap;
	return 0;
}

int lh_buf_check(const struct lh_buf *b, struct lh_err *err)
{
	if (b->failed == LH_ENOMEM)
		return lh_err_nomem(err);
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

/* What stands behind the backslash for a control byte, 0 for the \u00xx form. */
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

/* Is any of the eight bytes at s a control, a quote or a backslash?  Yes, too,
 * for some bytes behind one. */
static bool any_escaped(const char *s)
{
	const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
	uint64_t v, quote, slash;

	memcpy(&v, s, sizeof v);
	quote = v ^ ones * '"';
	slash = v ^ ones * '\\';
	return (((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops;
}

void lh_buf_json(struct lh_buf *b, const char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, from = 0;
	unsigned char c;
	char esc;

	lh_buf_putc(b, '"');
	for (i = 0; i < n; i++) {
		while (n - i > 8 && !any_escaped(s + i))
			i += 8;
		c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		lh_buf_add(b, s + from, i - from);
		from = i + 1;
		esc = short_escape(c);
		if (esc) {
			lh_buf_add(b, (char[]){ '\\', esc }, 2);
		} else {
			lh_buf_add(b, "\\u00", 4);
			lh_buf_add(b, (char[]){ hex[c >> 4], hex[c & 15] }, 2);
		}
	}
	lh_buf_add(b, s + from, n - from);
	lh_buf_putc(b, '"');
}
