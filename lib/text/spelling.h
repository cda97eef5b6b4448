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

#include "base/buf.h"
#include "base/str.h"

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

/* The same, which is the way for ASCII to be fast. */
static inline size_t lh_spelled_at(const unsigned char *p, size_t n, uint32_t *first)
{
	if (*p >= 0x80 || lh_spelled_escapes(*p))
		return lh_spelled_char(p, n, first);
	*first = lh_spelled_ascii(*p);
	return 1;
}

/* ---- signs, names and texts that a reader takes for the same ---- */

/*
 *     if (lh_names_alike(&scratch, given, roster)) ...
 *
 * Two names are the same if their normal forms are the same bytes: their signs (spelling.h), with
 * no blank at either end and no soft hyphens; "Last, First" is "first last".
 *
 * Threads: no state.
 */

/* What a character is to a reader. */
enum lh_sign {
	LH_SIGN_OTHER,
	LH_SIGN_DIGIT,		/* a decimal digit of any script */
	LH_SIGN_HYPHEN,		/* a dash of any length, and the minus sign */
	LH_SIGN_BLANK,
	LH_SIGN_LINE_END,
	LH_SIGN_APOSTROPHE,
	LH_SIGN_NOTHING,	/* a soft hyphen, or another sign of no width */
};

enum lh_sign lh_sign_of(uint32_t c);

/* Append the normal form of valid UTF-8. */
void lh_name_normal(struct lh_buf *out, struct lh_str name);

/* Return whether two names have one form; a soft hyphen may also be a hyphen.  The scratch is
 * emptied first. */
bool lh_names_alike(struct lh_buf *scratch, struct lh_str a, struct lh_str b);

/* The same form for a text in which a name is searched: a comma moves nothing. */
void lh_text_normal(struct lh_buf *out, struct lh_str text);

/* Append valid UTF-8 in NFC, each run of white space as one blank, without white space at either
 * end and without signs of no width: two texts of which the same bytes are appended look the
 * same. */
void lh_text_plain(struct lh_buf *out, struct lh_str text);

#endif
