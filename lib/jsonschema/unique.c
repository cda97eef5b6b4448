/* unique.c - uniqueItems, by a table of hashes.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdlib.h>

#include "base/mem.h"

/* The items so far: of each its hash and where it begins in the array. */
struct items {
	struct item {
		uint32_t hash, at;	/* at 0: free */
	} *slot;
	size_t n, slots;		/* a power of two */
	const struct lh_value *array;
};

static struct lh_value value_at(const struct items *t, uint32_t at)
{
	const char *p = t->array->p;
	struct lh_iter it = { .at = p + at, .end = p + t->array->n - 1 };

	lh_iter_next(&it);
	return it.val;
}

static void grow(struct items *t)
{
	size_t slots = t->slots ? t->slots * 2 : 32, i, j;
	struct item *to = lh_calloc(slots, sizeof *to);

	for (i = 0; i < t->slots; i++) {
		if (!t->slot[i].at)
			continue;
		for (j = t->slot[i].hash & (slots - 1); to[j].at; j = (j + 1) & (slots - 1))
			continue;
		to[j] = t->slot[i];
	}
	free(t->slot);
	t->slot = to;
	t->slots = slots;
}

/* Add an item: 1 with *twin if an equal one is there, 0, or -1. */
static int add(struct items *t, const struct lh_value *v, struct lh_buf *scratch, uint32_t *twin)
{
	uint64_t hash = lh_js_hash(v, scratch);
	struct lh_value other;
	size_t i;

	if (2 * t->n >= t->slots)
		grow(t);
	for (i = hash & (t->slots - 1); t->slot[i].at; i = (i + 1) & (t->slots - 1)) {
		if (t->slot[i].hash != (uint32_t)hash)
			continue;
		other = value_at(t, t->slot[i].at);
		if (lh_js_equal(v, hash, &other, lh_js_hash(&other, scratch))) {
			*twin = t->slot[i].at;
			return 1;
		}
	}
	t->slot[i] = (struct item){ (uint32_t)hash, (uint32_t)(v->p - t->array->p) };
	t->n++;
	return 0;
}

static bool report_twins(struct lh_js_walk *w, const struct lh_value *array, uint32_t first,
			 size_t second, const struct lh_js_place *at)
{
	struct lh_iter it;
	size_t i = 0;

	for (lh_iter_init(&it, array); lh_iter_next(&it) && it.val.p < array->p + first; )
		i++;
	return lh_js_report(w, at, "items %zu and %zu are equal", i, second);
}

bool lh_js_check_unique(struct lh_js_walk *w, const struct lh_value *v,
			const struct lh_js_place *at)
{
	struct items t = { .array = v };
	uint32_t twin = 0;
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); i++) {
		rc = add(&t, &it.val, &w->run->scratch, &twin);
		if (rc)
			break;
	}
	free(t.slot);
	w->failed |= rc < 0;
	return rc <= 0 ? !rc : report_twins(w, v, twin, i, at);
}
