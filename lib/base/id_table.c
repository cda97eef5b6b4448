/* id_table.c - open addressing over ids that lie elsewhere.  See id_table.h. */
#include "id_table.h"

#include <stdlib.h>

#include "mem.h"
#include "seed.h"
#include "xxh3.h"

/* Ids come from outside: their author must not know where they go. */
static uint32_t hash_of(const char *id, size_t n)
{
	return (uint32_t)lh_xxh3_seeded(id, n, lh_seed());
}

/* The slot of that id, or the free one where it would go; cap is not 0. */
static struct lh_idmap_slot *find_slot(const struct lh_idmap *m, uint32_t hash, const char *id, size_t n)
{
	size_t i = hash & (m->cap - 1);

	for (;; i = (i + 1) & (m->cap - 1)) {
		struct lh_idmap_slot *s = &m->slot[i];
		struct lh_str is;

		if (!s->entry)
			return s;
		if (s->hash != hash)
			continue;
		is = m->key(m->ctx, s->entry - 1);
		if (is.n == n && memcmp(is.p, id, n) == 0)
			return s;
	}
}

static int grow(struct lh_idmap *m, struct lh_err *err)
{
	struct lh_idmap_slot *old = m->slot;
	size_t cap = m->cap ? m->cap * 2 : 64, i, at;

	m->slot = lh_calloc(cap, sizeof *m->slot, err);
	if (!m->slot) {
		m->slot = old;
		return -1;
	}
	for (i = 0; i < m->cap; i++) {
		if (!old[i].entry)
			continue;
		for (at = old[i].hash & (cap - 1); m->slot[at].entry; at = (at + 1) & (cap - 1))
			;
		m->slot[at] = old[i];
	}
	m->cap = cap;
	free(old);
	return 0;
}

int64_t lh_idmap_find(const struct lh_idmap *m, const char *id, size_t n)
{
	struct lh_idmap_slot *s;

	if (!m->n)
		return -1;
	s = find_slot(m, hash_of(id, n), id, n);
	return (int64_t)s->entry - 1;
}

int lh_idmap_set(struct lh_idmap *m, const char *id, size_t n, uint32_t entry, struct lh_err *err)
{
	uint32_t hash = hash_of(id, n);
	struct lh_idmap_slot *s;

	if (m->n >= m->cap / 2 && grow(m, err) < 0)
		return -1;
	s = find_slot(m, hash, id, n);
	m->n += !s->entry;
	*s = (struct lh_idmap_slot){ hash, entry + 1 };
	return 0;
}

int lh_idmap_copy(struct lh_idmap *to, const struct lh_idmap *from, struct lh_err *err)
{
	if (!from->cap)
		return 0;
	to->slot = lh_calloc(from->cap, sizeof *to->slot, err);
	if (!to->slot)
		return -1;
	memcpy(to->slot, from->slot, from->cap * sizeof *to->slot);
	to->n = from->n;
	to->cap = from->cap;
	return 0;
}

void lh_idmap_free(struct lh_idmap *m)
{
	free(m->slot);
	m->slot = NULL;
	m->n = m->cap = 0;
}
