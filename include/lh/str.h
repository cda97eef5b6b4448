/*
 * str - a run of bytes in a text that the caller owns.
 */
#ifndef LH_STR_H
#define LH_STR_H

#include <stdbool.h>
#include <string.h>

#include <lh/err.h>

LH_C_BEGIN

struct lh_str {
	const char *p;
	size_t n;
};

/* The order of their bytes; of two of which one begins the other, the shorter
 * comes first: <0, 0, >0. */
static inline int lh_str_cmp(struct lh_str a, struct lh_str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Is this valid UTF-8 (no overlong forms, no surrogates, at most U+10FFFF)? */
LH_API bool lh_utf8_valid(const char *p, size_t n);

LH_C_END

#endif
