/* key_table.c - what is known of short keys.  See key_table.h. */
#include "key_table.h"

#include <stdlib.h>
#include <sys/random.h>

#include "mem.h"

#define FEWEST 64

/* Any number of slots will do: the top of a product is as even as its factor. */
static size_t home(const struct lh_keymap *m, const struct lh_key *k)
{
	unsigned __int128 p = (unsigned __int128)(k->a ^ m->seed[0]) * (k->b ^ m->seed[1] ^ (k->a << 32 | k->a >> 32));
	uint64_t h = ((uint64_t)p ^ (uint64_t)(p >> 64)) * 0x9e3779b97f4a7c15ull;

	return (size_t)((unsigned __int128)h * m->slots >> 64);
}

/* The slot that holds k, or the free one where it would go. */
static struct lh_keymap_slot *find(const struct lh_keymap *m, const struct lh_key *k)
{
	size_t i = home(m, k);

	while (m->slot[i].bits && (m->slot[i].key.a != k->a || m->slot[i].key.b != k->b))
		i = i + 1 < m->slots ? i + 1 : 0;
	return &m->slot[i];
}

/* Half as many again. */
static int grow(struct lh_keymap *m, struct lh_err *err)
{
	struct lh_keymap to = *m;
	size_t i;

	to.slots = m->slots ? m->slots / 2 * 3 : FEWEST;
	to.slot = lh_calloc_table(to.slots, sizeof *to.slot, err);
	if (!to.slot)
		return -1;
	if (!m->slots && getrandom(to.seed, sizeof to.seed, GRND_NONBLOCK) != sizeof to.seed)
		to.seed[0] = (uintptr_t)to.slot;
	for (i = 0; i < m->slots; i++)
		if (m->slot[i].bits)
			*find(&to, &m->slot[i].key) = m->slot[i];
	free(m->slot);
	*m = to;
	return 0;
}

uint64_t *lh_keymap_at(struct lh_keymap *m, const struct lh_key *k, struct lh_err *err)
{
	struct lh_keymap_slot *s;

	if (m->n >= m->slots / 4 * 3 && grow(m, err) < 0)
		return NULL;
	s = find(m, k);
	if (!s->bits) {
		s->key = *k;
		m->n++;
	}
	return &s->bits;
}

uint64_t lh_keymap_get(const struct lh_keymap *m, const struct lh_key *k)
{
	return m->slots ? find(m, k)->bits : 0;
}

void lh_keymap_prefetch(const struct lh_keymap *m, const struct lh_key *k)
{
	if (m->slots)
		__builtin_prefetch(&m->slot[home(m, k)]);
}

void lh_keymap_free(struct lh_keymap *m)
{
	free(m->slot);
	*m = (struct lh_keymap){ .slot = NULL };
}
