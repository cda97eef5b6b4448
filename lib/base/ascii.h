/*
 * ascii - compare text without surrounding blanks and without ASCII case.
 *
 * Independent of the locale; bytes above 0x7f compare as they are.
 */
#ifndef LH_ASCII_H
#define LH_ASCII_H

#include <lh/str.h>

static inline char lh_fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool lh_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline struct lh_str lh_trim(const char *p, size_t n)
{
	while (n && lh_is_blank(p[n - 1]))
		n--;
	for (; n && lh_is_blank(*p); p++)
		n--;
	return (struct lh_str){ p, n };
}

/* Return whether a text is of so many hex digits, lowercase. */
static inline bool lh_is_hex(struct lh_str s, size_t digits)
{
	unsigned char bad = 0;
	size_t i;

	if (s.n != digits)
		return false;
	for (i = 0; i < digits; i++)
		bad |= ((unsigned char)(s.p[i] - '0') > 9) & ((unsigned char)(s.p[i] - 'a') > 5);
	return !bad;
}

/* Return whether two texts are equal without case; blanks count. */
static inline bool lh_fold_equal(const char *a, size_t an, const char *b, size_t bn)
{
	size_t i;

	for (i = 0; an == bn && i < an; i++)
		if (lh_fold(a[i]) != lh_fold(b[i]))
			return false;
	return an == bn;
}

#endif
