/* alike.c - signs and names that a reader takes for the same.  See alike.h. */
#include "alike.h"

#include <stdlib.h>

#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "spelling.h"

enum lh_sign lh_sign_of(uint32_t c)
{
	switch (c) {
	case '\'': case '`': case 0xb4: case 0x2b9: case 0x2bb: case 0x2bc: case 0x2bd: case 0x2c8:
	case 0x55a: case 0x2018: case 0x2019: case 0x201b: case 0x2032: case 0x2035: case 0xa78c:
		return LH_SIGN_APOSTROPHE;
	case '\n': case '\v': case '\f': case '\r': case 0x85: case 0x2028: case 0x2029:
		return LH_SIGN_LINE_END;
	case '\t':
		return LH_SIGN_BLANK;
	case 0x2212: case 0x2d7: case 0x2043: case 0x2796:
		return LH_SIGN_HYPHEN;
	case 0x34f:
		return LH_SIGN_NOTHING;
	}
	if (c >= 0xfe00 && c <= 0xfe0f)		/* selectors of a form */
		return LH_SIGN_NOTHING;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_ND:
		return LH_SIGN_DIGIT;
	case UTF8PROC_CATEGORY_PD:
		return LH_SIGN_HYPHEN;
	case UTF8PROC_CATEGORY_ZS:
		return LH_SIGN_BLANK;
	case UTF8PROC_CATEGORY_CF:
		return LH_SIGN_NOTHING;
	default:
		return LH_SIGN_OTHER;
	}
}

/* Append the signs of a text, a soft hyphen as a hyphen or not.  Return the place after its only
 * comma in out, or 0. */
static size_t write_signs(struct lh_buf *out, struct lh_str text, bool hard)
{
	struct lh_spelled s = lh_spelled_of(text.p, text.n);
	size_t from = out->len, comma = 0, commas = 0;
	bool gap = false;
	uint32_t c;

	while ((c = lh_spelled_next(&s)) || s.at < s.n) {
		if (c == ' ')
			gap = true;
		if (!c || c == ' ' || (c == LH_SOFT && !hard))
			continue;
		if (gap && out->len > from)
			lh_buf_putc(out, ' ');
		gap = false;
		lh_buf_took(out, lh_utf8_put(c == LH_SOFT ? '-' : c,
					     (unsigned char *)lh_buf_room(out, 4)));
		if (c == ',') {
			comma = out->len;
			commas++;
		}
	}
	return commas == 1 ? comma : 0;
}

void lh_text_normal(struct lh_buf *out, struct lh_str text)
{
	write_signs(out, text, false);
}

static void write_name(struct lh_buf *out, struct lh_str name, bool hard)
{
	const size_t from = out->len, comma = write_signs(out, name, hard), end = out->len;
	const size_t last = comma ? comma - 1 - from : 0, first = end - comma;

	if (!last || !first)
		return;
	/* "last,first" becomes "first last": what is before the comma is moved by way of the end */
	if (!lh_buf_room(out, last))
		return;
	memcpy(out->p + end, out->p + from, last);
	memmove(out->p + from, out->p + comma, first);
	out->p[from + first] = ' ';
	memcpy(out->p + from + first + 1, out->p + end, last);
}

void lh_name_normal(struct lh_buf *out, struct lh_str name)
{
	write_name(out, name, false);
}

bool lh_names_alike(struct lh_buf *scratch, struct lh_str a, struct lh_str b)
{
	bool same = false;
	size_t n;
	int hard;

	for (hard = 0; hard < 2 && !same; hard++) {
		lh_buf_reset(scratch);
		write_name(scratch, a, hard);
		n = scratch->len;
		write_name(scratch, b, hard);
		same = scratch->len == 2 * n && memcmp(scratch->p, scratch->p + n, n) == 0;
	}
	return same;
}

/* Copy a text with one blank for each run of white space. */
static void copy_words(struct lh_buf *out, const unsigned char *p, const unsigned char *end)
{
	size_t from = out->len;
	const unsigned char *at;
	enum lh_sign sign;
	bool gap = false;

	while (p < end) {
		at = p;
		sign = lh_sign_of(lh_utf8_get(&p));
		if (sign == LH_SIGN_BLANK || sign == LH_SIGN_LINE_END)
			gap = true;
		if (sign == LH_SIGN_BLANK || sign == LH_SIGN_LINE_END || sign == LH_SIGN_NOTHING)
			continue;
		if (gap && out->len > from)
			lh_buf_putc(out, ' ');
		gap = false;
		lh_buf_add(out, at, (size_t)(p - at));
	}
}

void lh_text_plain(struct lh_buf *out, struct lh_str text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	utf8proc_uint8_t *form = NULL;
	utf8proc_ssize_t n;
	size_t i;

	for (i = 0; i < text.n && p[i] < 0x80; )
		i++;
	if (i == text.n) {
		copy_words(out, p, p + text.n);
		return;
	}
	n = utf8proc_map(p, (utf8proc_ssize_t)text.n, &form, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n < 0)
		lh_no_memory(text.n);
	copy_words(out, form, form + n);
	free(form);
}
