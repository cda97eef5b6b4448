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
#ifndef LH_SHARD_H
#define LH_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xxh3.h"

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
