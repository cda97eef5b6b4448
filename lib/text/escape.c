/* escape.c - escape text from outside for people, and pages of HTML.  See escape.h. */
#include "escape.h"

#include <stdarg.h>

#include "base/utf8.h"
#include "text/escape.h"

/* ---- text ---- */

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

void lh_escape_line(struct lh_buf *out, const char *p, size_t n)
{
	size_t at, run = 0, len;

	for (at = 0; at < n; at += len) {
		len = lh_escape_char_len(p + at, n - at);
		if (len)
			continue;
		lh_buf_add(out, p + run, at - run);
		if (p[at] == '\n' || p[at] == '\t')
			lh_buf_puts(out, p[at] == '\n' ? "\\n" : "\\t");
		else
			lh_buf_printf(out, "\\x%02x", (unsigned char)p[at]);
		run = at + (len = 1);
	}
	lh_buf_add(out, p + run, n - run);
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

/* ---- pages ---- */

static const char frame[] =
	":root{color-scheme:light dark;"
	"--bg:#fff;--fg:#1d2125;--dim:#59636e;--line:#d8dee4;--panel:#f6f8fa;"
	"--good:#1a7f37;--good-bg:#eaf6ec;--bad:#b42318;--bad-bg:#fdeeed;"
	"--warn:#8a5700;--warn-bg:#fff6e0;--mark:#0b5cad}\n"
	"@media(prefers-color-scheme:dark){:root{"
	"--bg:#14171a;--fg:#e4e7ea;--dim:#9aa5b1;--line:#343b42;--panel:#1d2227;"
	"--good:#5fd17c;--good-bg:#15291b;--bad:#ff8a80;--bad-bg:#331a19;"
	"--warn:#e9b454;--warn-bg:#2f2612;--mark:#76b5ff}}\n"
	"*{box-sizing:border-box}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);"
	"max-width:64rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}\n"
	".note{color:var(--dim);margin:.2rem 0}\n"
	".verdict{border-left:.4rem solid;border-radius:.25rem;padding:.8rem 1rem;"
	"margin:1.5rem 0}\n"
	".good{border-color:var(--good);background:var(--good-bg)}"
	".bad{border-color:var(--bad);background:var(--bad-bg)}"
	".warn{border-color:var(--warn);background:var(--warn-bg)}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
	"border-bottom:1px solid var(--line);overflow-wrap:anywhere}\n"
	"th{background:var(--panel)}\n"
	"dt{font-weight:600}dd{margin:0 0 .5rem}\n"
	"code{font-size:.85rem;overflow-wrap:anywhere}\n"
	"@media print{body{margin:0;max-width:none}tr,.card{break-inside:avoid}}\n";

void lh_html_open(struct lh_buf *b, const char *title, const char *style)
{
	lh_buf_puts(b, LH_HTML_BEGIN
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	lh_html_text(b, title, strlen(title));
	lh_buf_puts(b, "</title>\n<style>\n");
	lh_buf_puts(b, frame);
	lh_buf_puts(b, style);
	lh_buf_puts(b, "</style>\n</head>\n<body>\n");
}

void lh_html_close(struct lh_buf *b)
{
	lh_buf_puts(b, "</body>\n</html>\n");
}

void lh_html_text(struct lh_buf *b, const char *p, size_t n)
{
	size_t i, len;

	for (i = 0; i < n; i += len ? len : 1) {
		len = lh_escape_char_len(p + i, n - i);
		if (p[i] == '<')
			lh_buf_puts(b, "&lt;");
		else if (p[i] == '>')
			lh_buf_puts(b, "&gt;");
		else if (p[i] == '&')
			lh_buf_puts(b, "&amp;");
		else if (p[i] == '"')
			lh_buf_puts(b, "&quot;");
		else if (!len)
			lh_buf_printf(b, "\\x%02x", (unsigned char)p[i]);
		else
			lh_buf_add(b, p + i, len);
	}
}

void lh_html_data(struct lh_buf *b, const char *p, size_t n)
{
	lh_buf_puts(b, "<bdi>");
	lh_html_text(b, p, n);
	lh_buf_puts(b, "</bdi>");
}
