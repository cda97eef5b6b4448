/*
 * xxh3 - 64-bit XXH3.
 *
 * A checksum against damage and a hash for tables; it is not cryptographic.  The
 * value depends on the bytes and the seed alone, not on the machine.  A table of
 * keys from outside needs a seed that is not known outside (lh_seed).
 */
#ifndef LH_XXH3_H
#define LH_XXH3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

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

/*
 * shard - which part of N a row belongs to, where a job is divided.
 *
 *     struct lh_shard shard;
 *     if (lh_shard_read("3/8", &shard) == 0 && lh_shard_has(&shard, id, id_len)) ...
 *
 * A row is in shard lh_xxh3(bytes of its key) mod N.  The key is the row's id; of a row
 * of a knowledge base its sig_hash, 64 hex digits; of any other row without an id its line
 * without CR and LF.  All zero is a job that is not divided, to which every row belongs.
 */

#define LH_SHARDS_MAX 65536

struct lh_shard {
	uint64_t i, n;		/* part i, from 0, of n; n 0: all rows */
};

/* Read "I/N", where I < N <= LH_SHARDS_MAX.  Returns 0, or -1 if the text is not that;
 * *shard is then unchanged. */
int lh_shard_read(const char *text, struct lh_shard *shard);

/* Return in which of n shards, at least one, the row with this key is. */
static inline uint64_t lh_shard_of(const void *key, size_t len, uint64_t n)
{
	return lh_xxh3(key, len) % n;
}

/* Return whether the row with this key is in the shard. */
static inline bool lh_shard_has(const struct lh_shard *shard, const void *key, size_t len)
{
	return shard->n <= 1 || lh_shard_of(key, len, shard->n) == shard->i;
}

#endif
