/*
 * utf8 - UTF-8, one character at a time.  lh_utf8_valid (str.h) checks whole
 * texts.
 */
#ifndef LH_UTF8_H
#define LH_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * ascii - compare text without surrounding blanks and without ASCII case.
 *
 * Independent of the locale; bytes above 0x7f compare as they are.
 */

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

/* Return the length of the well-formed character at s, whose first byte is above
 * 0x7f and which has at most n bytes; 0 if it is not well-formed. */
size_t lh_utf8_len(const unsigned char *s, size_t n);

/* Return the beginning of a text, of at most so many bytes and of whole characters. */
static inline struct lh_str lh_utf8_head(struct lh_str s, size_t max)
{
	size_t n = s.n < max ? s.n : max;

	while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct lh_str){ s.p, n };
}

/* Return the code point at *p and advance *p; the text is well-formed. */
static inline uint32_t lh_utf8_get(const unsigned char **p)
{
	const unsigned char *s = *p;

	if (s[0] < 0x80)
		return *p += 1, s[0];
	if (s[0] < 0xe0)
		return *p += 2, (s[0] & 0x1fu) << 6 | (s[1] & 0x3f);
	if (s[0] < 0xf0)
		return *p += 3, (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3f);
	*p += 4;
	return (s[0] & 7u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3f);
}

/* Write the code point c to `to` (4 bytes); return the length. */
static inline size_t lh_utf8_put(uint32_t c, unsigned char *to)
{
	if (c < 0x80) {
		to[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (unsigned char)(0xc0 | c >> 6);
		to[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (unsigned char)(0xe0 | c >> 12);
		to[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (unsigned char)(0xf0 | c >> 18);
	to[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

/* Return the first byte of p..end that is not part of valid UTF-8, or end. */
const char *lh_utf8_bad(const char *p, const char *end);

/* Return what to say after "invalid UTF-8" of such a text: the command that converts it, if it
 * looks like text of an encoding of one byte a character; else "". */
const char *lh_utf8_advice(const char *p, const char *end);

#endif
