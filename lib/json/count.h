/* count - the number of children of a value. */
#ifndef LH_JSON_COUNT_H
#define LH_JSON_COUNT_H

#include <lh/json.h>

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
