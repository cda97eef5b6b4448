/* lh_xxh3.c - 64-bit XXH3 over xxHash's header.  See lh_xxh3.h. */
#include "lh_xxh3.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

uint64_t lh_xxh3(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}
