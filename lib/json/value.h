/*
 * exact - the value of a checked number, of any size and without rounding.
 *
 *     struct lh_exact x = lh_exact_of(&v);
 *     if (lh_exact_cmp(&x, &limit) > 0) ...
 *
 * Owner:  it points into the text of the number.
 */
#ifndef LH_EXACT_H
#define LH_EXACT_H

#include <lh/json.h>

/* 0.DIGITS * 10^exp.  DIGITS begin and end with a digit other than 0 and are in p..end, perhaps
 * with a point among them.  Zero has no digits.  A written exponent beyond 10^15 makes exp
 * wrong, but as far from 0. */
struct lh_exact {
	const char *p, *end;
	int64_t exp, n;		/* n: number of digits */
	int64_t shift;		/* exp without the written exponent, ... */
	struct lh_str e;	/* ... which is this */
	bool neg;
};

struct lh_exact lh_exact_of(const struct lh_value *v);

/* Compare, however many digits the numbers and their exponents have: <0, 0, >0. */
int lh_exact_cmp(const struct lh_exact *a, const struct lh_exact *b);

static inline bool lh_exact_whole(const struct lh_exact *x)
{
	return x->n <= x->exp;
}

/* count - the number of children of a value. */

/* Return the number of elements of an array or members of an object; 0 for other types. */
static inline size_t lh_value_count(const struct lh_value *v)
{
	struct lh_iter it;
	size_t n = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n++;
	return n;
}

#endif
