/* lh_keyset.c - a set of short keys.  See lh_keyset.h. */
#include "lh_keyset.h"

#include <stdlib.h>
#include <sys/random.h>

#include "lh_mem.h"

#define FEWEST 64

static bool is_zero(const struct lh_key *k)
{
	return !(k->a | k->b);
}

/* Any number of slots will do: the top of a product is as even as its factor. */
static size_t home(const struct lh_keyset *s, const struct lh_key *k)
{
	unsigned __int128 m = (unsigned __int128)(k->a ^ s->seed[0]) * (k->b ^ s->seed[1] ^ (k->a << 32 | k->a >> 32));
	uint64_t h = ((uint64_t)m ^ (uint64_t)(m >> 64)) * 0x9e3779b97f4a7c15ull;

	return (size_t)((unsigned __int128)h * s->slots >> 64);
}

/* The slot that holds k, or the free one where it would go. */
static struct lh_key *find(const struct lh_keyset *s, const struct lh_key *k)
{
	size_t i = home(s, k);

	while (!is_zero(&s->slot[i]) && (s->slot[i].a != k->a || s->slot[i].b != k->b))
		i = i + 1 < s->slots ? i + 1 : 0;
	return &s->slot[i];
}

/* Half as many again. */
static int grow(struct lh_keyset *s, struct lh_err *err)
{
	struct lh_keyset to = *s;
	size_t i;

	to.slots = s->slots ? s->slots / 2 * 3 : FEWEST;
	to.slot = lh_calloc_table(to.slots, sizeof *to.slot, err);
	if (!to.slot)
		return -1;
	if (!s->slots && getrandom(to.seed, sizeof to.seed, GRND_NONBLOCK) != sizeof to.seed)
		to.seed[0] = (uintptr_t)to.slot;
	for (i = 0; i < s->slots; i++)
		if (!is_zero(&s->slot[i]))
			*find(&to, &s->slot[i]) = s->slot[i];
	free(s->slot);
	*s = to;
	return 0;
}

int lh_keyset_add(struct lh_keyset *s, const struct lh_key *k, bool *is_new, struct lh_err *err)
{
	struct lh_key *at;
	bool new;

	if (s->n >= s->slots / 4 * 3 && grow(s, err) < 0)
		return -1;
	if (is_zero(k)) {
		new = !s->zero;
		s->zero = true;
	} else {
		at = find(s, k);
		new = is_zero(at);
		*at = *k;
		s->n += new;
	}
	if (is_new)
		*is_new = new;
	return 0;
}

bool lh_keyset_has(const struct lh_keyset *s, const struct lh_key *k)
{
	return is_zero(k) ? s->zero : s->slots && !is_zero(find(s, k));
}

void lh_keyset_prefetch(const struct lh_keyset *s, const struct lh_key *k)
{
	if (s->slots)
		__builtin_prefetch(&s->slot[home(s, k)]);
}

size_t lh_keyset_missing(const struct lh_keyset *these, const struct lh_keyset *in)
{
	size_t i, n = these->zero && !in->zero;

	for (i = 0; i < these->slots; i++)
		n += !is_zero(&these->slot[i]) && !lh_keyset_has(in, &these->slot[i]);
	return n;
}

void lh_keyset_free(struct lh_keyset *s)
{
	free(s->slot);
	*s = (struct lh_keyset){ 0 };
}
