/* escape.c - escape text from outside for people.  See escape.h. */
#include "escape.h"

#include <stdarg.h>

#include "base/utf8.h"

/* Code points that are invisible, or move, hide or reverse the characters around them:
 *
 *     C1 controls, and the separators of lines and paragraphs (Zl, Zp);
 *     Unicode's category Cf: direction marks, zero widths, tags;
 *     Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which are shown
 *     as nothing where they are not supported: fillers of Hangul, the grapheme joiner, the
 *     variation selectors of Mongolian and those from U+E0100;
 *     U+2800, the blank pattern of Braille.
 *
 * Not U+FE00 to U+FE0F: these variation selectors are default ignorable too, but ordinary
 * text has them after emoji. */
static const struct {
	uint32_t first, last;
} steering[] = {
	{ 0x80, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x600, 0x605 }, { 0x61c, 0x61c },
	{ 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x890, 0x891 }, { 0x8e2, 0x8e2 },
	{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x2800, 0x2800 }, { 0x3164, 0x3164 },
	{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd }, { 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static bool is_steering(const unsigned char *s)
{
	uint32_t c = lh_utf8_get(&s);
	size_t i;

	for (i = 0; i < sizeof steering / sizeof *steering && c >= steering[i].first; i++)
		if (c <= steering[i].last)
			return true;
	return false;
}

size_t lh_escape_char_len(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t len;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	len = lh_utf8_len(s, n);
	return len && !is_steering(s) ? len : 0;
}

/* Append the character at p, or its first byte escaped; return how many bytes of p
 * that was. */
static size_t append_escaped(struct lh_buf *out, const char *p, size_t n, const char *slash)
{
	size_t len = lh_escape_char_len(p, n);

	if (len) {
		lh_buf_add(out, p, len);
		return len;
	}
	lh_buf_printf(out, "%sx%02x", slash, (unsigned char)*p);
	return 1;
}

void lh_escape_column(struct lh_buf *out, const char *p, size_t n)
{
	const char *start = p, *end = p + n;

	if (!n)
		lh_buf_puts(out, "\"\"");
	while (p < end)
		if (*p == ' ' && (p == start || p + 1 == end || p[-1] == ' ')) {
			lh_buf_puts(out, "\\x20");
			p++;
		} else {
			p += append_escaped(out, p, (size_t)(end - p), "\\");
		}
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c & 0x80);
}

/* Return whether the character has a meaning in Markdown at p.  An underscore
 * within a word has none; characters that begin a block have one only at the start
 * of a line. */
static bool is_mark(const char *start, const char *p, const char *end)
{
	if (*p == '_')
		return p == start || p + 1 == end || !is_word(p[-1]) || !is_word(p[1]);
	if (p == start && strchr("#+-=:", *p))
		return true;
	return strchr("\\`*[]<>|&~", *p);
}

void lh_escape_markdown(struct lh_buf *out, const char *p, size_t n)
{
	const char *start = p, *end = p + n;

	while (p < end)
		if (*p && is_mark(start, p, end)) {
			lh_buf_putc(out, '\\');
			lh_buf_putc(out, *p++);
		} else {
			p += append_escaped(out, p, (size_t)(end - p), "\\\\");
		}
}

void lh_escape_printf(struct lh_buf *out, lh_escape_fn *escape, const char *fmt, ...)
{
	const char *p, *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	for (; (p = strchr(fmt, '%')); fmt = p + 1) {
		lh_buf_add(out, fmt, (size_t)(p - fmt));
		n = *++p == '.' ? va_arg(ap, int) : -1;
		p += n < 0 ? 0 : 2;
		if (*p == 's') {
			s = va_arg(ap, const char *);
			escape(out, s, n < 0 ? strlen(s) : (size_t)n);
		} else if (*p == 'u') {
			lh_buf_u64(out, va_arg(ap, unsigned));
		} else {
			lh_buf_u64(out, va_arg(ap, unsigned long long));
			p += 2;
		}
	}
	va_end(ap);
	lh_buf_puts(out, fmt);
}

void lh_escape_json(struct lh_buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text), len;
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };

	for (; n; p += len, n -= len) {
		len = *p < 0x80 ? 1 : lh_utf8_len(p, n);
		if (len) {
			lh_buf_add(&clean, p, len);
		} else {
			lh_buf_puts(&clean, "\xef\xbf\xbd");
			len = 1;
		}
	}
	lh_buf_json(out, clean.p ? clean.p : "", clean.len);
}
