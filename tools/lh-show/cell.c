/* cell.c - values as text for people.  See show.h. */
#include <lh/validation_error.h>

#include "show.h"
#include "text/escape.h"

void cell_clean(struct lh_buf *out, const char *p, size_t n)
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

bool cell_error(struct lh_buf *out, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 }, text = { 0 };
	struct lh_validation_error e;
	struct lh_err not_one;

	if (v->type != LH_OBJECT || lh_validation_error_read(v, &strings, &e, &not_one) < 0)
		return false;
	lh_validation_error_text(&text, &e);
	put_limited(out, text.p, text.len);
	out->failed |= text.failed;
	return true;
}

bool cell_is_list(const struct lh_value *v)
{
	struct lh_iter it;
	bool any = false;

	if (v->type != LH_ARRAY || v->n > CELL_MAX)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); any = true)
		if (it.val.type >= LH_ARRAY)
			return false;
	return any;
}

void cell_value(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch)
{
	size_t start = out->len;
	struct lh_iter it;

	if (cell_error(out, v))
		return;
	if (!cell_is_list(v)) {
		put_scalar(out, v, scratch);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it);) {
		if (out->len > start)
			lh_buf_puts(out, ", ");
		put_scalar(out, &it.val, scratch);
	}
}

enum lh_style cell_style(const struct lh_value *v)
{
	return v->type == LH_NULL ? LH_STYLE_DIM : v->type == LH_NUMBER ? LH_STYLE_NUMBER :
	       v->type == LH_TRUE || v->type == LH_FALSE ? LH_STYLE_LITERAL : LH_STYLE_PLAIN;
}
