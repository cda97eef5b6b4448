/*
 * str - texts in the order of their bytes; of two of which one begins the
 * other, the shorter comes first.
 */
#ifndef LH_STR_H
#define LH_STR_H

#include <string.h>

#include <lh/json.h>

static inline int lh_str_cmp(struct lh_str a, struct lh_str b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

#endif
