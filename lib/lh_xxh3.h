/*
 * lh_xxh3 - 64-bit XXH3, seed 0, of a buffer or of pieces.
 *
 * A checksum against damage and a hash for tables; it keeps no secret.  The
 * value depends on the bytes alone, not on the machine or on how they were cut.
 */
#ifndef LH_XXH3_H
#define LH_XXH3_H

#include <stdint.h>

#include "lh_err.h"

LH_API uint64_t lh_xxh3(const void *p, size_t n);

struct lh_xxh3_state {
	_Alignas(64) unsigned char bytes[576];
};
LH_API void lh_xxh3_begin(struct lh_xxh3_state *s);
LH_API void lh_xxh3_add(struct lh_xxh3_state *s, const void *p, size_t n);
/* The sum so far; more may be added. */
LH_API uint64_t lh_xxh3_sum(const struct lh_xxh3_state *s);

#endif
