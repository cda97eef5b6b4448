/* cell.c - text for people.  See cell.h. */
#include "cell.h"

#include <lh/validation_error.h>

#include "base/utf8.h"
#include "term/term.h"
#include "text/escape.h"

/* Return the length of the character at p, or 0 if it is to be escaped. */
static inline size_t shown(const char *p, size_t n)
{
	unsigned char c = (unsigned char)*p;

	if (c >= 0x20 && c < 0x7f)
		return 1;
	return c < 0x80 ? 0 : lh_escape_char_len(p, n);
}

/* Append the character at p escaped.  Returns its length. */
static size_t put_escaped(struct lh_buf *out, const char *p, size_t n)
{
	static const char brief[] = "\bb\ff\nn\rr\tt";
	const unsigned char *s = (const unsigned char *)p;
	size_t len = *s < 0x80 ? 1 : lh_utf8_len(s, n);

	if (len) {
		uint32_t c = lh_utf8_get(&s);
		const char *at = c && c < 0x20 ? strchr(brief, (int)c) : NULL;

		if (at)
			lh_buf_printf(out, "\\%c", at[1]);
		else if (c > 0xffff)
			lh_buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
				      0xdc00 + ((c - 0x10000) & 0x3ff));
		else
			lh_buf_printf(out, "\\u%04x", c);
		return len;
	}
	lh_buf_printf(out, "\\x%02x", *s);
	return 1;
}

void cell_clean(struct lh_buf *out, const char *p, size_t n)
{
	const char *end = p + n, *run;
	size_t len;

	while (p < end) {
		run = p;
		while (p < end && (len = shown(p, (size_t)(end - p))))
			p += len;
		lh_buf_add(out, run, (size_t)(p - run));
		if (p < end)
			p += put_escaped(out, p, (size_t)(end - p));
	}
}

/* Append the first bytes as clean text, with an ellipsis if that is not all. */
static void put_limited(struct lh_buf *out, const char *p, size_t n)
{
	size_t len = n;

	if (n > CELL_MAX)
		for (len = CELL_MAX; (p[len] & 0xc0) == 0x80 && len > CELL_MAX - 4;)
			len--;
	cell_clean(out, p, len);
	if (len < n)
		lh_buf_puts(out, CELL_MORE);
}

static void put_scalar(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_str s = { v->p, v->n };

	lh_buf_reset(scratch);
	if (v->type == LH_STRING && v->n > 2)
		lh_value_str(v, scratch, &s);
	put_limited(out, s.p, s.n);
}

/* Return whether the array has elements, and none has elements. */
static bool is_list(const struct lh_value *v)
{
	struct lh_iter it;
	bool any = false;

	for (lh_iter_init(&it, v); lh_iter_next(&it); any = true)
		if (it.val.type >= LH_ARRAY)
			return false;
	return any;
}

/* Put the error of a verdict in words: 1, or 0 if the object is none. */
static int put_error(struct lh_buf *out, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 }, text = { 0 };
	struct lh_validation_error e;
	struct lh_err not_one;
	int rc = lh_validation_error_read(v, &strings, &e, &not_one) == 0;

	if (rc) {
		lh_validation_error_text(&text, &e);
		put_limited(out, text.p, text.len);
		out->failed |= text.failed;
	}
	return rc;
}

bool cell_is_error(const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	struct lh_validation_error e;
	struct lh_err not_one;
	int rc = lh_validation_error_read(v, &strings, &e, &not_one);

	return !rc;
}

/* Append one finding of a verdict in words, "warning: body: too long"; false if the value is
 * none. */
static bool put_finding(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	static const char *const names[] = { "severity", "field", "message" };
	struct lh_value part;
	size_t i;

	for (i = 0; i < 3; i++) {
		if (v->type != LH_OBJECT || !lh_value_get(v, names[i], &part) ||
		    part.type != LH_STRING)
			return false;
		if (i)
			lh_buf_puts(out, ": ");
		put_scalar(out, &part, scratch);
	}
	return true;
}

/* Append the findings of a verdict in words; false if the array is none of findings. */
static bool put_findings(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	size_t start = out->len;
	struct lh_iter it;
	bool all = false;

	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		if (out->len > start)
			lh_buf_puts(out, "; ");
		all = put_finding(out, &it.val, scratch);
		if (!all)
			break;
	}
	if (!all)
		out->len = start;
	return all;
}

void cell_value(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	size_t start = out->len;
	struct lh_iter it;

	if (v->type == LH_OBJECT && put_error(out, v))
		return;
	if (v->type == LH_ARRAY && v->n <= CELL_MAX && put_findings(out, v, scratch))
		return;
	if (v->type != LH_ARRAY || v->n > CELL_MAX || !is_list(v)) {
		put_scalar(out, v, scratch);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		if (out->len > start)
			lh_buf_puts(out, ", ");
		put_scalar(out, &it.val, scratch);
	}
}

/* Return whether all characters are of one byte, and so of one cell. */
static bool is_narrow(const char *p, size_t n)
{
	unsigned char all = 0;
	size_t i;

	for (i = 0; i < n; i++)
		all |= (unsigned char)p[i];
	return all < 0x80;
}

size_t cell_width(const char *p, size_t n)
{
	return is_narrow(p, n) ? n : lh_term_cells(p, n);
}

size_t cell_fit(const char *p, size_t n, size_t cells)
{
	if (is_narrow(p, n < cells + 1 ? n : cells + 1))
		return n < cells ? n : cells;
	return lh_term_fit(p, n, cells);
}

size_t cell_line(const char *p, size_t n, size_t width, size_t *next)
{
	size_t len = width ? cell_fit(p, n, width) : n, at;

	*next = len;
	if (len == n)
		return n;
	if (!len)	/* one character is wider than the line */
		len = *next = lh_utf8_len((const unsigned char *)p, n);
	if (p[len] == ' ') {
		*next = len + 1;
		return len;
	}
	for (at = len; at > 1; at--)
		if (p[at - 1] == ' ') {
			*next = at;
			return at - 1;
		}
	return len;
}
