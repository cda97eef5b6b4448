/* lh_lhv_sum.c - the checksum of index files.  See lh_lhv_disk.h. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lh_lhv_disk.h"

uint64_t lh_lhv_sum(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}
