/* lh_shown.c - text from outside, made fit for what people read.  See lh_shown.h. */
#include "lh_shown.h"

#include "lh_utf8_int.h"

/* U+200E to U+200F, U+2028 to U+202E, U+2060 to U+2069, U+FEFF: they show
 * nothing, and change what the others show. */
static bool is_steering(const unsigned char *s)
{
	if (s[0] == 0xef)
		return s[1] == 0xbb && s[2] == 0xbf;
	if (s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && ((s[2] | 1) == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) || (s[1] == 0x81 && s[2] >= 0xa0 && s[2] <= 0xa9);
}

/* The length of the character at s; 0 when it is to be spelt out. */
static size_t shown(const unsigned char *s, size_t n)
{
	size_t len;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	len = lh_utf8_len(s, n);
	if ((len == 2 && s[0] == 0xc2 && s[1] < 0xa0) || (len == 3 && is_steering(s)))
		return 0;
	return len;
}

/* Append the character at p, or its first byte spelt out: how many bytes that
 * was. */
static size_t put(struct lh_buf *out, const char *p, size_t n, const char *slash)
{
	size_t len = shown((const unsigned char *)p, n);

	if (len) {
		lh_buf_add(out, p, len);
		return len;
	}
	lh_buf_printf(out, "%sx%02x", slash, (unsigned char)*p);
	return 1;
}

void lh_shown_column(struct lh_buf *out, const char *p, size_t n)
{
	const char *start = p, *end = p + n;

	if (!n)
		lh_buf_puts(out, "\"\"");
	while (p < end)
		if (*p == ' ' && (p == start || p + 1 == end || p[-1] == ' ')) {
			lh_buf_puts(out, "\\x20");
			p++;
		} else {
			p += put(out, p, (size_t)(end - p), "\\");
		}
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80);
}

/* Does the character mean something in Markdown, there?  An underscore within
 * a word does not; what begins a block only does at the start of a line. */
static bool is_mark(const char *start, const char *p, const char *end)
{
	if (*p == '_')
		return p == start || p + 1 == end || !is_word(p[-1]) || !is_word(p[1]);
	if (p == start && strchr("#+-=:", *p))
		return true;
	return strchr("\\`*[]<>|&~", *p);
}

void lh_shown_markdown(struct lh_buf *out, const char *p, size_t n)
{
	const char *start = p, *end = p + n;

	while (p < end)
		if (*p && is_mark(start, p, end)) {
			lh_buf_putc(out, '\\');
			lh_buf_putc(out, *p++);
		} else {
			p += put(out, p, (size_t)(end - p), "\\\\");
		}
}
