/*
 * xxh3 - 64-bit XXH3.
 *
 * A checksum against damage and a hash for tables; it is not cryptographic.  The
 * value depends on the bytes and the seed alone, not on the machine.  A table of
 * keys from outside needs a seed that is not known outside (lh_seed).
 */
#ifndef LH_XXH3_H
#define LH_XXH3_H

#include <stddef.h>
#include <stdint.h>

/* Hash with seed 0. */
uint64_t lh_xxh3(const void *p, size_t n);
uint64_t lh_xxh3_seeded(const void *p, size_t n, uint64_t seed);

/* The same for bytes that arrive in pieces: begin, add, end. */
struct lh_xxh3_stream {
	unsigned char state[576];
} __attribute__((aligned(64)));
void lh_xxh3_begin(struct lh_xxh3_stream *s);
void lh_xxh3_begin_seeded(struct lh_xxh3_stream *s, uint64_t seed);
void lh_xxh3_add(struct lh_xxh3_stream *s, const void *p, size_t n);
uint64_t lh_xxh3_end(const struct lh_xxh3_stream *s);

/*
 * seed - a random number that is known only to this process and constant while it
 * runs: the seed of hashes over data from outside, whose keys may have been chosen
 * to collide.
 */

uint64_t lh_seed(void);

#endif
