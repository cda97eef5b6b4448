/* str - a byte range in a text that the caller owns. */
#ifndef LH_STR_H
#define LH_STR_H

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

struct lh_str {
	const char *p;
	size_t n;
};

struct lh_list {		/* texts that others own, such as a repeatable option's */
	const char **v;
	size_t n;
};

/* Make a range of a text that ends with NUL. */
static inline struct lh_str lh_str_of(const char *text)
{
	return (struct lh_str){ text, strlen(text) };
}

/* Return whether a text ends with another one. */
static inline bool lh_ends_with(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n >= m && memcmp(text + n - m, with, m) == 0;
}

/* Return whether s is p[0..n); false when s.p is NULL. */
static inline bool lh_str_is(struct lh_str s, const char *p, size_t n)
{
	return s.p && s.n == n && memcmp(s.p, p, n) == 0;
}

/* Compare by bytes; a prefix comes before the longer text: <0, 0, >0. */
static inline int lh_str_cmp(struct lh_str a, struct lh_str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Return the length of the byte order mark that a text begins with; 0: none. */
static inline size_t lh_mark_len(const char *p, size_t n)
{
	return n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0;
}

/* Take the next line of *rest, without its LF, which the last one may lack; false at the end. */
static inline bool lh_next_line(struct lh_str *rest, struct lh_str *line)
{
	const char *lf;

	if (!rest->n)
		return false;
	lf = (const char *)memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = lf ? (size_t)(lf - rest->p) : rest->n;
	rest->p += line->n + (lf != NULL);
	rest->n -= line->n + (lf != NULL);
	return true;
}

/* Return whether the text is valid UTF-8 (no overlong forms, no surrogates, at most
 * U+10FFFF). */
bool lh_utf8_valid(const char *p, size_t n);

#endif
