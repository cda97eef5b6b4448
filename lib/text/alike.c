/* alike.c - signs and names that a reader takes for the same.  See alike.h. */
#include "alike.h"

#include <stdlib.h>

#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"

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

/* Copy a text that is folded already, with one sign for each kind of sign.  Return the place
 * after its only comma in out, or 0. */
static size_t copy_signs(struct lh_buf *out, const unsigned char *p, const unsigned char *end)
{
	size_t from = out->len, comma = 0, commas = 0;
	const unsigned char *at;
	bool gap = false;

	while (p < end) {
		at = p;
		switch (lh_sign_of(lh_utf8_get(&p))) {
		case LH_SIGN_BLANK:
		case LH_SIGN_LINE_END:
			gap = true;
			continue;
		case LH_SIGN_NOTHING:
			continue;
		case LH_SIGN_HYPHEN:
			at = (const unsigned char *)"-";
			break;
		case LH_SIGN_APOSTROPHE:
			at = (const unsigned char *)"'";
			break;
		default:
			break;
		}
		if (gap && out->len > from)
			lh_buf_putc(out, ' ');
		gap = false;
		lh_buf_add(out, at, *at < 0x80 ? 1 : (size_t)(p - at));
		if (*at == ',') {
			comma = out->len;
			commas++;
		}
	}
	return commas == 1 ? comma : 0;
}

static size_t normalise(struct lh_buf *out, struct lh_str text)
{
	utf8proc_uint8_t *form = NULL;
	utf8proc_ssize_t n;
	size_t comma = 0;

	n = utf8proc_map((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, &form,
			 UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
			 UTF8PROC_IGNORE);
	if (n < 0)
		lh_no_memory(text.n);	/* the text is valid: nothing else is wrong */
	comma = copy_signs(out, form, form + n);
	free(form);
	return comma;
}

void lh_text_normal(struct lh_buf *out, struct lh_str text)
{
	normalise(out, text);
}

void lh_name_normal(struct lh_buf *out, struct lh_str name)
{
	size_t from = out->len, comma = normalise(out, name), last, end;

	if (!comma)
		return;
	/* "last, first" becomes "first last": what follows the comma is copied to the front */
	last = comma - 1 - from;
	end = out->len;
	while (comma < end && out->p[comma] == ' ')
		comma++;
	if (comma == end || !last || !lh_buf_room(out, end - from))
		return;
	memcpy(out->p + end, out->p + from, last);
	memmove(out->p + from, out->p + comma, end - comma);
	out->p[from + end - comma] = ' ';
	memmove(out->p + from + end - comma + 1, out->p + end, last);
	out->len = from + end - comma + 1 + last;
}

#define SOFT_HYPHEN "\xc2\xad"

/* Append the form of a name whose soft hyphens are written as hyphens. */
static void hyphened_form(struct lh_buf *out, struct lh_str name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf hard = { 0 };
	const char *end = name.p + name.n, *p = name.p, *soft;

	while ((soft = memmem(p, (size_t)(end - p), SOFT_HYPHEN, 2))) {
		lh_buf_add(&hard, p, (size_t)(soft - p));
		lh_buf_putc(&hard, '-');
		p = soft + 2;
	}
	lh_buf_add(&hard, p, (size_t)(end - p));
	lh_name_normal(out, (struct lh_str){ hard.p, hard.len });
}

static bool same_form(struct lh_buf *b, struct lh_str x, struct lh_str y,
		      void form(struct lh_buf *out, struct lh_str name))
{
	size_t n;

	lh_buf_reset(b);
	form(b, x);
	n = b->len;
	form(b, y);
	return b->len == 2 * n && memcmp(b->p, b->p + n, n) == 0;
}

bool lh_names_alike(struct lh_buf *scratch, struct lh_str a, struct lh_str b)
{
	if (same_form(scratch, a, b, lh_name_normal))
		return true;
	return (memmem(a.p, a.n, SOFT_HYPHEN, 2) || memmem(b.p, b.n, SOFT_HYPHEN, 2)) &&
	       same_form(scratch, a, b, hyphened_form);
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
		if (sign == LH_SIGN_BLANK || sign == LH_SIGN_LINE_END) {
			gap = true;
			continue;
		}
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
