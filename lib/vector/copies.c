/* copies.c - find the rows with the same vector as another.  See copies.h. */
#include "copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/xxh3.h"

/* A table of the rows that stand for others, by their vectors: row + 1, 0 for none. */
struct table {
	uint32_t *slot;
	uint64_t mask;
};

static const char *vector_of(const struct lh_copies *c, uint32_t row)
{
	return c->vectors + row * c->stride;
}

/* Find the place of the row that stands for row, or the free one for it. */
static uint32_t *find_slot(const struct lh_copies *c, const struct table *t, uint32_t row)
{
	uint64_t i = lh_xxh3_seeded(vector_of(c, row), c->bytes, lh_seed());

	for (;; i++) {
		uint32_t *slot = t->slot + (i & t->mask);

		if (!*slot || memcmp(vector_of(c, *slot - 1), vector_of(c, row), c->bytes) == 0)
			return slot;
	}
}

void lh_copies_find(struct lh_copies *c)
{
	LH_SCOPED(lh_free_local) uint32_t *slots = NULL;
	struct table t = { .mask = 1 };
	uint32_t row, *slot, copies = 0;

	if (!c->vectors)
		return;
	while (t.mask + 1 < 2 * (uint64_t)c->rows)
		t.mask = 2 * t.mask + 1;
	t.slot = slots = lh_calloc(t.mask + 1, sizeof *slots);
	c->of = lh_calloc(c->rows, sizeof *c->of);
	for (row = 0; row < c->rows; row++) {
		slot = find_slot(c, &t, row);
		c->of[row] = row;
		if (*slot && c->may_copy(c->ctx, row, *slot - 1)) {
			c->of[row] = *slot - 1;
			copies++;
		} else {
			*slot = row + 1;
		}
	}
	if (!copies) {
		free(c->of);
		c->of = NULL;
	}
}

struct copy {
	uint32_t of, row;
};

static int by_group(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;

	if (x->of != y->of)
		return x->of < y->of ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

void lh_copies_link(const struct lh_copies *c, void (*link)(void *ctx, uint32_t row, uint32_t to))
{
	LH_SCOPED(lh_free_local) struct copy *copy = NULL;
	size_t n = 0, i, ahead;
	uint32_t row;

	if (!c->of)
		return;
	for (row = 0; row < c->rows; row++)
		n += c->of[row] != row;
	copy = lh_calloc(n, sizeof *copy);
	for (row = 0, i = 0; row < c->rows; row++)
		if (c->of[row] != row)
			copy[i++] = (struct copy){ c->of[row], row };
	qsort(copy, n, sizeof *copy, by_group);
	for (i = 0; i < n; i++) {
		link(c->ctx, copy[i].row, copy[i].of);
		for (ahead = 1; i + ahead < n && copy[i + ahead].of == copy[i].of; ahead *= 2)
			link(c->ctx, copy[i].row, copy[i + ahead].row);
	}
}
