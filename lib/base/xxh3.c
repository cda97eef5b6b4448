/* xxh3.c - 64-bit XXH3 with xxHash's header.  See xxh3.h. */
#include "xxh3.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

uint64_t lh_xxh3(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t lh_xxh3_seeded(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

_Static_assert(sizeof(XXH3_state_t) <= sizeof(struct lh_xxh3_stream),
	       "a stream holds xxHash's state");

static XXH3_state_t *state_of(const struct lh_xxh3_stream *s)
{
	return (XXH3_state_t *)(uintptr_t)s->state;
}

void lh_xxh3_begin_seeded(struct lh_xxh3_stream *s, uint64_t seed)
{
	*s = (struct lh_xxh3_stream){ 0 };
	XXH3_64bits_reset_withSeed(state_of(s), seed);
}

void lh_xxh3_begin(struct lh_xxh3_stream *s)
{
	lh_xxh3_begin_seeded(s, 0);
}

void lh_xxh3_add(struct lh_xxh3_stream *s, const void *p, size_t n)
{
	XXH3_64bits_update(state_of(s), p, n);
}

uint64_t lh_xxh3_end(const struct lh_xxh3_stream *s)
{
	return XXH3_64bits_digest(state_of(s));
}
