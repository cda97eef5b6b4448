/* json_portable.c - the parser, eight bytes at a time, for any CPU. */
#include "json_scanner.h"

#define LH_SCAN lh_scan_portable

static inline bool hash_among(const uint32_t *hash, size_t n, uint32_t h)
{
	uint32_t hit = 0;
	size_t i;

	for (i = 0; i < n; i++)
		hit |= hash[i] == h;
	return hit;
}

#include "json_scan.h"
