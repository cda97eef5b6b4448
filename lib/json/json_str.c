/* json_str.c - check, decode and compare escaped strings.  See lh/json.h. */
#include <lh/json.h>
#include "json_scanner.h"
#include "base/utf8.h"

const char lh_short_escape[256] = {
	['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n',
	['r'] = '\r', ['t'] = '\t',
};

static char unescaped(char c)
{
	return lh_short_escape[(unsigned char)c];
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Return the value of the four hex digits at p, or -1. */
static long hex4(const char *p)
{
	int a = hex_digit(p[0]), b = hex_digit(p[1]), c = hex_digit(p[2]), d = hex_digit(p[3]);

	return (a | b | c | d) < 0 ? -1 : (long)a << 12 | b << 8 | c << 4 | d;
}

const char *lh_scan_escape(struct lh_scan *s, const char *p, const char *end)
{
	long u;

	if (end - p >= 2 && unescaped(p[1]))
		return p + 2;
	if (end - p < 2)
		return lh_scan_fail(s, end, "unexpected end of line");
	if (p[1] != 'u' || (end - p >= 6 && hex4(p + 2) < 0))
		return lh_scan_fail(s, p, "invalid escape in string");
	if (end - p < 6)
		return lh_scan_fail(s, end, "unexpected end of line");
	u = hex4(p + 2);
	if (u < 0xd800 || u > 0xdfff)
		return p + 6;
	if (u > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
		return lh_scan_fail(s, p, "lone surrogate in string");
	u = hex4(p + 8);
	if (u < 0)
		return lh_scan_fail(s, p + 6, "invalid escape in string");
	if (u < 0xdc00 || u > 0xdfff)
		return lh_scan_fail(s, p, "lone surrogate in string");
	return p + 12;
}

/* Decode the checked escape at p into to (4 bytes), *n bytes; return the byte after
 * it. */
static const char *decode_escape(const char *p, char *to, size_t *n)
{
	unsigned long u;

	*n = 1;
	if (p[1] != 'u') {
		*to = unescaped(p[1]);
		return p + 2;
	}
	u = (unsigned long)hex4(p + 2);
	p += 6;
	if (u >= 0xd800 && u < 0xdc00) {
		u = 0x10000 + ((u - 0xd800) << 10) + ((unsigned long)hex4(p + 2) - 0xdc00);
		p += 6;
	}
	*n = lh_utf8_put((uint32_t)u, (unsigned char *)to);
	return p;
}

void lh_value_str(const struct lh_value *v, struct lh_buf *scratch, struct lh_str *out)
{
	const char *p = v->p + 1, *end = v->p + v->n - 1, *q;
	size_t from = scratch->len, n;
	char *to;

	if (!v->escaped) {
		*out = (struct lh_str){ p, v->n - 2 };
		return;
	}
	to = lh_buf_room(scratch, v->n);
	if (!to)
		return;
	while (p < end) {
		q = memchr(p, '\\', (size_t)(end - p));
		if (!q)
			q = end;
		memcpy(to, p, (size_t)(q - p));
		to += q - p;
		if (q == end)
			break;
		p = decode_escape(q, to, &n);
		to += n;
	}
	scratch->len = (size_t)(to - scratch->p);
	*out = (struct lh_str){ scratch->p + from, scratch->len - from };
}

/* A string read byte by byte, unescaped. */
struct bytes {
	const char *p, *end;
	char held[4];
	size_t at, n;
};

static int next_byte(struct bytes *b)
{
	if (b->at < b->n)
		return (unsigned char)b->held[b->at++];
	if (b->p == b->end)
		return -1;
	if (*b->p != '\\')
		return (unsigned char)*b->p++;
	b->p = decode_escape(b->p, b->held, &b->n);
	b->at = 1;
	return (unsigned char)b->held[0];
}

/* Set *c and *d to the first bytes that differ, -1 at the end of a string. */
static void first_difference(const struct lh_value *a, const struct lh_value *b, int *c, int *d)
{
	struct bytes x = { .p = a->p + 1, .end = a->p + a->n - 1 };
	struct bytes y = { .p = b->p + 1, .end = b->p + b->n - 1 };

	if (!a->escaped && !b->escaped)
		while (x.end - x.p >= 8 && y.end - y.p >= 8 && lh_load64(x.p) == lh_load64(y.p))
			x.p += 8, y.p += 8;
	do {
		*c = next_byte(&x);
		*d = next_byte(&y);
	} while (*c == *d && *c >= 0);
}

int lh_string_cmp(const struct lh_value *a, const struct lh_value *b)
{
	int c, d;

	first_difference(a, b, &c, &d);
	return c - d;
}

/* UTF-8 bytes sort like code points.  UTF-16 sorts code points beyond the BMP (lead
 * bytes f0 to f4) before U+E000 (lead bytes ee and ef). */
static int utf16_weight(int c)
{
	return c < 0xee ? c : c < 0xf0 ? c + 5 : c - 2;
}

int lh_string_cmp16(const struct lh_value *a, const struct lh_value *b)
{
	int c, d;

	first_difference(a, b, &c, &d);
	return utf16_weight(c) - utf16_weight(d);
}

uint64_t lh_string_prefix(const struct lh_value *v, bool utf16)
{
	struct bytes b = { .p = v->p + 1, .end = v->p + v->n - 1 };
	uint64_t word;
	int i, c;

	if (!v->escaped) {
		word = lh_load64(b.p) & lh_low_bytes(v->n - 2);
		if (!utf16 || !(word & 0x8080808080808080ull))
			return __builtin_bswap64(word);
	}
	for (i = 0, word = 0; i < 8; i++) {
		c = next_byte(&b);
		c = c < 0 ? 0 : utf16 ? utf16_weight(c) : c;
		word = word << 8 | (uint64_t)c;
	}
	return word;
}

bool lh_value_is(const struct lh_value *v, const char *s, size_t n)
{
	struct bytes b = { .p = v->p + 1, .end = v->p + v->n - 1 };
	size_t i;

	if (v->type != LH_STRING)
		return false;
	if (!v->escaped)
		return v->n == n + 2 && !memcmp(v->p + 1, s, n);
	for (i = 0; i < n; i++)
		if (next_byte(&b) != (unsigned char)s[i])
			return false;
	return next_byte(&b) < 0;
}
