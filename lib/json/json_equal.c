/* json_equal.c - compare two values by meaning.  See lh/json.h. */
#include <stdlib.h>

#include <lh/json.h>
#include "value.h"
#include "json_scanner.h"
#include "base/mem.h"

/* Objects with more members than this are sorted before they are compared. */
#define NESTED 16

static bool arrays_equal(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_iter x, y;
	bool more;

	lh_iter_init(&x, a);
	lh_iter_init(&y, b);
	while ((more = lh_iter_next(&x)) == lh_iter_next(&y))
		if (!more)
			return true;
		else if (!lh_value_equal(&x.val, &y.val))
			return false;
	return false;
}

static bool all_found(const struct lh_value *a, const struct lh_value *b)
{
	struct lh_iter x, y;
	bool found;

	for (lh_iter_init(&x, a); lh_iter_next(&x); ) {
		found = false;
		for (lh_iter_init(&y, b); !found && lh_iter_next(&y); )
			found = lh_string_cmp(&x.key, &y.key) == 0;
		if (!found || !lh_value_equal(&x.val, &y.val))
			return false;
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	return lh_string_cmp(&((const struct lh_member *)a)->key,
			     &((const struct lh_member *)b)->key);
}

static void fill_sorted(struct lh_member *m, const struct lh_value *v, size_t n)
{
	struct lh_member *at = m;
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		*at++ = (struct lh_member){ it.key, it.val };
	qsort(m, n, sizeof *m, by_key);
}

static bool objects_equal(const struct lh_value *a, const struct lh_value *b)
{
	size_t n = lh_value_count(a), i;
	LH_SCOPED(lh_free_local) struct lh_member *x = NULL;
	struct lh_member *y;

	if (n != lh_value_count(b))
		return false;
	x = n > NESTED ? lh_calloc(n, 2 * sizeof *x) : NULL;
	if (!x)
		return all_found(a, b);
	y = x + n;
	fill_sorted(x, a, n);
	fill_sorted(y, b, n);
	for (i = 0; i < n; i++)
		if (by_key(&x[i], &y[i]) || !lh_value_equal(&x[i].val, &y[i].val))
			break;
	return i == n;
}

bool lh_value_equal(const struct lh_value *a, const struct lh_value *b)
{
	if (a->type != b->type)
		return false;
	if (a->n == b->n && !memcmp(a->p, b->p, a->n))
		return true;
	switch (a->type) {
	case LH_NUMBER:
		return lh_number_equal(a, b);
	case LH_STRING:
		return lh_string_cmp(a, b) == 0;
	case LH_ARRAY:
		return arrays_equal(a, b);
	case LH_OBJECT:
		return objects_equal(a, b);
	default:
		return true;
	}
}
