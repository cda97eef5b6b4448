/* spelling.c - signs, names and texts that a reader takes for the same.  See spelling.h. */
#include "spelling.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"

/* ---- signs and names that look the same ---- */

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

/* ---- persons' names ---- */

#define BAD 0x110000u		/* plus the byte: a sign that no text has */
#define BLANK ' '

/* ---- escapes ---- */

static unsigned hex_digit(unsigned char c)
{
	return c >= '0' && c <= '9' ? c - 48u : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 87u : 16;
}

/* Read a character in percent-encoding; return its bytes, 0 if it is none. */
static size_t read_percent(const unsigned char *p, size_t n, uint32_t *c)
{
	unsigned char byte[4];
	const unsigned char *next = byte;
	size_t k = 0, len;

	for (; k < 4 && 3 * k + 2 < n && p[3 * k] == '%'; k++) {
		const unsigned high = hex_digit(p[3 * k + 1]), low = hex_digit(p[3 * k + 2]);

		if (high > 15 || low > 15)
			break;
		byte[k] = (unsigned char)(high << 4 | low);
	}
	len = !k ? 0 : *byte < 0x80 ? 1 : lh_utf8_len(byte, k);
	if (len)
		*c = lh_utf8_get(&next);
	return 3 * len;
}

/* Read the number of &#39; or &#x27; */
static size_t read_number(const unsigned char *p, size_t n, uint32_t *c)
{
	const unsigned base = n > 3 && (p[2] | 32) == 'x' ? 16 : 10;
	size_t i = base == 16 ? 3 : 2, from = i;

	for (*c = 0; i < n && i < from + 8 && hex_digit(p[i]) < base; i++)
		*c = *c * base + hex_digit(p[i]);
	return i > from && i < n && p[i] == ';' && *c < 0x110000 &&
	       (*c < 0xd800 || *c > 0xdfff) ? i + 1 : 0;
}

/* Read a character of HTML by its name: those of ASCII, of punctuation, and of Latin-1. */
static size_t read_name(const unsigned char *p, size_t n, uint32_t *c)
{
	static const char names[] =
		"nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg "
		"macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 "
		"frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave "
		"Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc "
		"Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave "
		"aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave "
		"iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash "
		"ugrave uacute ucirc uuml yacute thorn yuml amp lt gt quot apos lsquo rsquo "
		"ndash mdash hyphen ";
	static const uint16_t others[] = { '&', '<', '>', '"', '\'', 0x2018, 0x2019, 0x2013, 0x2014,
					   0x2010 };
	const unsigned char *end = memchr(p, ';', n < 10 ? n : 10);
	const size_t len = end ? (size_t)(end - p) - 1 : 0;
	const char *at = names;
	uint32_t i;

	for (i = 0; *at && len; i++, at = strchr(at, ' ') + 1)
		if (!memcmp(at, p + 1, len) && at[len] == ' ') {
			*c = i < 96 ? 0xa0 + i : others[i - 96];
			return len + 2;
		}
	return 0;
}

/* Read an escaped character, though none of control; return its bytes, 0 if it is none. */
static size_t read_escape(const unsigned char *p, size_t n, uint32_t *c)
{
	uint32_t is = 0;
	size_t len = *p == '%' ? read_percent(p, n, &is) : n < 4 ? 0 : p[1] == '#'
		? read_number(p, n, &is) : read_name(p, n, &is);

	if (!len || (is < ' ' && !(is >= '\t' && is <= '\r')))
		return 0;
	*c = is;
	return len;
}

/* ---- signs ---- */

/* Return the sign for a code point that stands for others, as all hyphens do; 0: it is none. */
static uint32_t one_for_all(uint32_t c)
{
	if (c == LH_SOFT)
		return LH_SOFT;
	switch (lh_sign_of(c)) {
	case LH_SIGN_APOSTROPHE:
		return '\'';
	case LH_SIGN_HYPHEN:
		return '-';
	case LH_SIGN_BLANK:
	case LH_SIGN_LINE_END:
		return BLANK;
	default:
		return 0;
	}
}

/* Return the value of a decimal digit of any script as '0' to '9': each has ten in a row. */
static uint32_t digit_sign(uint32_t c)
{
	uint32_t first = c;

	while (first && utf8proc_category((int32_t)first - 1) == UTF8PROC_CATEGORY_ND)
		first--;
	return '0' + (c - first) % 10;
}

/* Set the signs of a code point, and return their number: 0 for one without a width. */
static unsigned signs_of(uint32_t c, uint32_t *sign, unsigned most)
{
	const utf8proc_option_t how = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
				      UTF8PROC_IGNORE;
	int32_t made[LH_SPELLED_SIGNS];
	uint32_t one = c < 0x80 ? lh_spelled_ascii(c) : one_for_all(c);
	utf8proc_ssize_t n, i;
	int bound = 0;

	if (one) {
		*sign = one;
		return 1;
	}
	n = c ? utf8proc_decompose_char((int32_t)c, made, LH_SPELLED_SIGNS, how, &bound) : 0;
	if (n < 0 || n > LH_SPELLED_SIGNS || (unsigned)n > most)
		return 0;
	for (i = 0; i < n; i++) {
		const uint32_t d = (uint32_t)made[i];

		one = d < 0x80 ? lh_spelled_ascii(d) : one_for_all(d);
		if (!one && utf8proc_category(made[i]) == UTF8PROC_CATEGORY_ND)
			one = digit_sign(d);
		sign[i] = one ? one : d;
	}
	return (unsigned)n;
}

static int mark_class(uint32_t c)
{
	return c < 0x300 ? 0 : utf8proc_get_property((int32_t)c)->combining_class;
}

bool lh_spelled_is_mark(uint32_t sign)
{
	return sign < BAD && mark_class(sign);
}

/* ---- the first signs of characters ---- */

static uint32_t first_of[0x10000];	/* of each code point of the basic plane */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_first(void)
{
	uint32_t c, sign[LH_SPELLED_SIGNS];

	for (c = 1; c < 0x10000; c++)
		first_of[c] = signs_of(c, sign, LH_SPELLED_SIGNS) ? sign[0] : 0;
}

size_t lh_spelled_char(const unsigned char *p, size_t n, uint32_t *first)
{
	const unsigned char *next = p;
	uint32_t sign[LH_SPELLED_SIGNS], c = *p;
	size_t len = lh_spelled_escapes(*p) ? read_escape(p, n, &c) : 0;

	*first = 0;
	if (!len)
		len = *p < 0x80 ? 1 : lh_utf8_len(p, n);
	if (c < 0x80)
		*first = lh_spelled_ascii(c);
	if (c < 0x80 || !len)
		return len ? len : 1;
	pthread_once(&once, fill_first);
	if (*p >= 0x80)
		c = lh_utf8_get(&next);
	if (c < 0x10000)
		*first = first_of[c];
	else if (signs_of(c, sign, LH_SPELLED_SIGNS))
		*first = sign[0];
	return len;
}

uint32_t lh_spelled_first(const unsigned char *p, size_t n)
{
	uint32_t first;

	lh_spelled_char(p, n, &first);
	return first;
}

/* ---- a text ---- */

/* Read a code point, and return the bytes of it: 0 at the end. */
static size_t peek(const struct lh_spelled *s, uint32_t *c)
{
	const unsigned char *p = s->p + s->at;
	const size_t left = s->n - s->at;
	size_t len;

	if (!left)
		return 0;
	len = lh_spelled_escapes(*p) ? read_escape(p, left, c) : 0;
	if (len)
		return len;
	len = *p < 0x80 ? 1 : lh_utf8_len(p, left);
	*c = len ? lh_utf8_get(&p) : BAD + *p;
	return len ? len : 1;
}

/* Append the signs of the marks that follow the character at hand, all in their order. */
static void add_marks(struct lh_spelled *s)
{
	uint32_t c, sign;
	unsigned i, k, from;
	size_t len;

	while (s->n_signs < LH_SPELLED_SIGNS && (len = peek(s, &c)) && c >= 0x300 && c < BAD &&
	       mark_class(c)) {
		s->n_signs += signs_of(c, s->sign + s->n_signs, LH_SPELLED_SIGNS - s->n_signs);
		s->at += len;
	}
	for (from = s->n_signs; from && mark_class(s->sign[from - 1]); from--)
		;
	for (i = from + 1; i < s->n_signs; i++) {
		sign = s->sign[i];
		for (k = i; k > from && mark_class(s->sign[k - 1]) > mark_class(sign); k--)
			s->sign[k] = s->sign[k - 1];
		s->sign[k] = sign;
	}
}

/* Read the next character that has signs: 1, 0 at the end. */
static int read_char(struct lh_spelled *s)
{
	uint32_t c;
	size_t len;

	s->n_signs = s->next = 0;
	while (!s->n_signs) {
		len = peek(s, &c);
		if (!len)
			return 0;
		s->at += len;
		if (c < 0x80) {
			s->sign[s->n_signs++] = lh_spelled_ascii(c);
		} else if (c >= BAD) {
			s->sign[s->n_signs++] = c;
		} else {
			s->n_signs = signs_of(c, s->sign, LH_SPELLED_SIGNS);
			if (s->n_signs)
				add_marks(s);
		}
	}
	return 1;
}

/* Read on over white space, of which a blank was read: the next sign is not white space. */
static uint32_t pass_blanks(struct lh_spelled *s)
{
	struct lh_spelled before = *s;
	int blanks = 1;

	while (read_char(s) && s->n_signs == 1 && s->sign[0] == BLANK &&
	       blanks++ < LH_SPELLED_BLANKS)
		before = *s;
	if (s->n_signs && s->sign[0] == ',') {
		s->next = 1;
		return ',';
	}
	*s = before;
	s->next = s->n_signs;
	return BLANK;
}

uint32_t lh_spelled_next(struct lh_spelled *s)
{
	uint32_t sign;

	if (s->next < s->n_signs)
		return s->sign[s->next++];
	do {
		if (!read_char(s))
			return 0;
		sign = s->sign[s->next++];
	} while (s->comma && sign == BLANK);
	if (sign == BLANK)
		sign = pass_blanks(s);
	s->comma = sign == ',';
	return sign;
}

bool lh_spelled_is_whole(const struct lh_spelled *s)
{
	uint32_t c;

	return s->next == s->n_signs && !(peek(s, &c) && c >= 0x300 && c < BAD && mark_class(c));
}
