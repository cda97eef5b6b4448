/* lh_xxh3.c - 64-bit XXH3 over xxHash's header.  See lh_xxh3.h. */
#include "lh_xxh3.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

_Static_assert(sizeof(struct lh_xxh3_state) >= sizeof(XXH3_state_t), "the state fits");

uint64_t lh_xxh3(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

void lh_xxh3_begin(struct lh_xxh3_state *s)
{
	XXH3_INITSTATE((XXH3_state_t *)s->bytes);
	XXH3_64bits_reset((XXH3_state_t *)s->bytes);
}

void lh_xxh3_add(struct lh_xxh3_state *s, const void *p, size_t n)
{
	XXH3_64bits_update((XXH3_state_t *)s->bytes, p, n);
}

uint64_t lh_xxh3_sum(const struct lh_xxh3_state *s)
{
	return XXH3_64bits_digest((const XXH3_state_t *)s->bytes);
}
