/*
 * validate_scan.c - find social security numbers and pay in a text.
 *
 * The text is UTF-8.  The original's forms are of ASCII bytes, which are never part of another
 * character; so bytes are compared, and code points are counted only for a distance.
 */
#include "base/utf8.h"
#include "text/spelling.h"
#include "validate_parts.h"

#define NEAR 40			/* code points between a keyword and a dollar sign */

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t lh_quantize_points(const char *p, size_t n)
{
	size_t count = 0, i;

	for (i = 0; i < n; i++)
		count += starts_character(p[i]);
	return count;
}

static bool digits(const char *p, size_t n)
{
	while (n--)
		if (!is_digit(*p++))
			return false;
	return true;
}

/* Check each hyphen that could be the first of NNN-NN-NNNN. */
static bool has_ascii_ssn(const char *p, size_t n)
{
	const char *at, *end = p + n, *last;

	if (n < 11)
		return false;
	last = end - 8;
	for (at = p + 3; at <= last && (at = memchr(at, '-', (size_t)(last - at) + 1)); at++)
		if (at[3] == '-' && digits(at - 3, 3) && digits(at + 1, 2) && digits(at + 4, 4) &&
		    (at - 3 == p || !is_digit(at[-4])) && (at + 8 == end || !is_digit(at[8])))
			return true;
	return false;
}

/* How a text is read in search of an SSN. */
struct reading {
	bool split;		/* a sign of no width is a hyphen; else it is not there */
	bool ascii;		/* digits are those of ASCII; else all others */
};

/* The signs between two runs of digits. */
struct gap {
	unsigned hyphens;
	bool other, line_before, blank_after;
};

/* Return whether a gap is a hyphen, with blanks around it.  The item of a list is none: it
 * begins a line, and a blank follows it. */
static bool is_hyphen(const struct gap *g)
{
	return g->hyphens == 1 && !g->other && !(g->line_before && g->blank_after);
}

/* How many groups of NNN-NN-NNNN end with the run of digits before.  Numbers may be glued, so that
 * a run ends one and begins the next. */
struct groups {
	int whole;		/* of a number */
	int part;		/* of what may have more digits before it, ... */
	int after;		/* ... or behind it, and is glued to a number */
};

/* Take a run of digits; true: it ends a number. */
static bool next_group(struct groups *g, size_t digits)
{
	const struct groups was = *g;

	if ((was.whole == 2 && digits == 4) || (was.after == 2 && digits >= 4))
		return true;
	g->whole = was.whole == 1 && digits == 2
		? 2 : digits == 3 || (was.part == 2 && digits == 7);
	g->part = was.part == 1 && digits == 2 ? 2 : digits >= 3;
	g->after = was.after == 1 && digits == 2 ? 2 : was.whole == 2 && digits >= 7;
	return false;
}

static bool reads_ssn(const unsigned char *p, const unsigned char *end, struct reading how)
{
	struct gap gap = { .other = true };
	size_t digits = 0;
	enum lh_sign sign;
	struct groups groups = { .whole = 0 };
	uint32_t c;

	while (p < end) {
		c = lh_utf8_get(&p);
		sign = lh_sign_of(c);
		if (sign == LH_SIGN_NOTHING && !how.split)
			continue;
		if (sign == LH_SIGN_DIGIT && (c < 0x80) == how.ascii) {
			if (!digits++ && !is_hyphen(&gap))
				groups = (struct groups){ .whole = 0 };
			continue;
		}
		if (digits) {
			if (next_group(&groups, digits))
				return true;
			digits = 0;
			gap = (struct gap){ 0 };
		}
		if (sign == LH_SIGN_HYPHEN || sign == LH_SIGN_NOTHING) {
			gap.hyphens++;
		} else if (sign == LH_SIGN_BLANK || sign == LH_SIGN_LINE_END) {
			gap.blank_after |= gap.hyphens > 0;
			gap.line_before |= !gap.hyphens && sign == LH_SIGN_LINE_END;
		} else {
			gap.other = true;
		}
	}
	return digits && next_group(&groups, digits);
}

bool lh_has_ssn(const char *p, size_t n, bool original)
{
	const unsigned char *from = (const unsigned char *)p, *end = from + n;
	size_t i;

	if (original)
		return has_ascii_ssn(p, n);
	if (reads_ssn(from, end, (struct reading){ .ascii = true }))
		return true;
	/* only other scripts have other digits, and signs of no width */
	for (i = 0; i < n && from[i] < 0x80; )
		i++;
	return i < n && (reads_ssn(from, end, (struct reading){ .ascii = true, .split = true }) ||
			 reads_ssn(from, end, (struct reading){ .ascii = false }));
}

/* Skip a blank; of all but the original's forms, any blanks, line ends and signs of no width,
 * and hyphens if asked for. */
static const char *skip_gap(const char *p, const char *end, bool original, bool hyphens)
{
	const unsigned char *at = (const unsigned char *)p, *next = at;
	enum lh_sign sign;

	if (original)
		return p + (p < end && *p == ' ');
	while (at < (const unsigned char *)end) {
		sign = lh_sign_of(lh_utf8_get(&next));
		if (sign != LH_SIGN_BLANK && sign != LH_SIGN_LINE_END && sign != LH_SIGN_NOTHING &&
		    !(sign == LH_SIGN_HYPHEN && hyphens))
			break;
		at = next;
	}
	return (const char *)at;
}

/* Return whether the dollar sign at p begins an amount. */
static bool is_amount(const char *p, const char *end, bool original)
{
	p = skip_gap(p + 1, end, original, false);
	return p < end && is_digit(*p);
}

/* Skip signs of no width within a word. */
static const char *skip_nothing(const char *p, const char *end, bool original)
{
	const unsigned char *next = (const unsigned char *)p;

	while (!original && p < end && *next >= 0x80 &&
	       lh_sign_of(lh_utf8_get(&next)) == LH_SIGN_NOTHING)
		p = (const char *)next;
	return p;
}

/* Return the bytes of the keyword if it starts at p, or 0. */
static size_t keyword_at(const char *word, const char *p, const char *end, bool original)
{
	const char *from = p, *gap;

	for (; *word; word++) {
		if (*word != ' ') {
			if (p > from)
				p = skip_nothing(p, end, original);
			if (p == end || lh_fold(*p) != *word)
				return 0;
			p++;
			continue;
		}
		gap = skip_gap(p, end, original, true);
		if (gap == p)
			return 0;
		p = gap;
	}
	return (size_t)(p - from);
}

/* Return the bytes of the keyword that starts at p, or 0. */
static size_t keyword_length(const char *p, const char *end, bool original)
{
	static const char *const words[] = { "salary", "compensation", "pay rate", "bill rate",
					     "hourly rate", "wage" };
	size_t i, n = 0;

	for (i = 0; !n && i < sizeof words / sizeof *words; i++)
		if (words[i][0] == lh_fold(*p))
			n = keyword_at(words[i], p, end, original);
	return n;
}

/* Return the bytes of the dollar sign at p, also of one of full width or small; 0: it is none. */
static size_t dollar_length(const char *p, const char *end, bool original)
{
	if (*p == '$')
		return 1;
	return !original && *p == '\xef' && end - p > 2 &&
	       (!memcmp(p, "\xef\xbc\x84", 3) || !memcmp(p, "\xef\xb9\xa9", 3)) ? 3 : 0;
}

/* Walk the text once and keep, in code points, where the last keyword ended and
 * where the last amount was. */
static bool pay_is_near(const char *p, const char *end, bool original)
{
	size_t at = 0, word_end = SIZE_MAX, dollar = SIZE_MAX, n;

	for (; p < end; p++) {
		if (!starts_character(*p))
			continue;
		n = dollar_length(p, end, original);
		if (n && is_amount(p + n - 1, end, original)) {
			if (word_end != SIZE_MAX && at - word_end <= NEAR)
				return true;
			dollar = at;
		} else if ((n = keyword_length(p, end, original)) != 0) {
			if (dollar != SIZE_MAX && at - dollar - 1 <= NEAR)
				return true;
			word_end = at + lh_quantize_points(p, n);
		}
		at++;
	}
	return false;
}

bool lh_has_salary(const char *p, size_t n, bool original)
{
	/* most texts have no amount */
	return n && (memchr(p, '$', n) || (!original && memchr(p, 0xef, n))) &&
	       pay_is_near(p, p + n, original);
}
