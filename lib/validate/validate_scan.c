/*
 * validate_scan.c - find social security numbers and pay in a text.
 *
 * The text is UTF-8, and only ASCII bytes matter, which are never part of another
 * character; so bytes are compared, and code points are counted only for a
 * distance.
 */
#include "base/utf8.h"
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
bool lh_has_ssn(const char *p, size_t n)
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

/* Return whether the dollar sign at p begins an amount. */
static bool is_amount(const char *p, const char *end)
{
	p++;
	p += p < end && *p == ' ';
	return p < end && is_digit(*p);
}

/* Return the length of the keyword that starts at p, or 0. */
static size_t keyword_length(const char *p, const char *end)
{
	static const char *const words[] = { "salary", "compensation", "pay rate", "bill rate",
					     "hourly rate", "wage" };
	size_t i, n;

	for (i = 0; i < sizeof words / sizeof *words; i++) {
		n = strlen(words[i]);
		if (words[i][0] == lh_fold(*p) && (size_t)(end - p) >= n &&
		    lh_fold_equal(p, n, words[i], n))
			return n;
	}
	return 0;
}

/* Walk the text once and keep, in code points, where the last keyword ended and
 * where the last amount was. */
static bool pay_is_near(const char *p, const char *end)
{
	size_t at = 0, word_end = SIZE_MAX, dollar = SIZE_MAX, n;

	for (; p < end; p++) {
		if (!starts_character(*p))
			continue;
		if (*p == '$' && is_amount(p, end)) {
			if (word_end != SIZE_MAX && at - word_end <= NEAR)
				return true;
			dollar = at;
		} else if ((n = keyword_length(p, end)) != 0) {
			if (dollar != SIZE_MAX && at - dollar - 1 <= NEAR)
				return true;
			word_end = at + n;
		}
		at++;
	}
	return false;
}

bool lh_has_salary(const char *p, size_t n)
{
	const char *at = p, *end = p + n;

	/* most texts have no amount */
	for (; n && (at = memchr(at, '$', (size_t)(end - at))); at++)
		if (is_amount(at, end))
			return pay_is_near(p, end);
	return false;
}
