/*
 * spelling - a text as persons' names are compared: one sequence of signs, however it is written.
 *
 *     struct lh_spelled s = lh_spelled_of(p, n);
 *     while ((sign = lh_spelled_next(&s)))
 *             ...
 *
 * A sign is a code point after compatibility decomposition and case folding, with the marks of
 * one letter in one order: texts that NFKC and case folding make the same have the same signs.
 * White space of any kind and number is one blank, and none next to a comma; all apostrophes
 * are ', and all hyphens and dashes are -.  Decimal digits of any script are 0 to 9.
 * Characters without a width are left out, but for the soft hyphen, which is LH_SOFT: it counts
 * as a hyphen or as nothing.  A byte that is not of UTF-8 is a sign of its own.
 * A character may be escaped as in URLs (%20, %C3%A9) or in HTML (&#39; &#x2019; &amp; &eacute;).
 *
 * Threads: any number.
 */
#ifndef LH_SPELLING_H
#define LH_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LH_SOFT 0xadu
#define LH_SPELLED_BLANKS 64	/* more white space than that is two blanks */
#define LH_SPELLED_SIGNS 32	/* of one character with its marks */

struct lh_spelled {
	const unsigned char *p;
	size_t n;
	size_t at;			/* bytes that were read */
	uint32_t sign[LH_SPELLED_SIGNS];	/* of the character at hand, ... */
	unsigned n_signs, next;		/* ... and those that were returned */
	bool comma;			/* the sign before was one */
};

static inline struct lh_spelled lh_spelled_of(const void *p, size_t n)
{
	struct lh_spelled s;

	s.p = p;
	s.n = n;
	s.at = 0;
	s.n_signs = s.next = 0;
	s.comma = false;
	return s;
}

/* Return the sign of a character of ASCII. */
static inline uint32_t lh_spelled_ascii(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c > '`' ? c : c == '`' ? '\'' :
		c >= '\t' && c <= '\r' ? ' ' : c;
}

/* Return whether a character may begin an escape. */
static inline bool lh_spelled_escapes(unsigned char c)
{
	return c == '%' || c == '&';
}

/* Return the next sign; 0 at the end, and for the character NUL. */
uint32_t lh_spelled_next(struct lh_spelled *s);

/* Return whether the signs that were returned are those of whole characters: none is left of the
 * last one, and no mark follows it. */
bool lh_spelled_is_whole(const struct lh_spelled *s);

/* Return whether a sign is a mark on the letter before it. */
bool lh_spelled_is_mark(uint32_t sign);

/* Return the first sign of the character at p, of which n > 0 bytes are there; 0 if it has none, or
 * does not begin at p. */
uint32_t lh_spelled_first(const unsigned char *p, size_t n);

/* Return the length of the character at p, 1 if it is not of UTF-8, and set *first as above. */
size_t lh_spelled_char(const unsigned char *p, size_t n, uint32_t *first);

#endif
