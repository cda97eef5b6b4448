/*
 * lru - the most recently used values, in memory, up to a number of entries.
 *
 * A key is 32 bytes, a digest; lh_lru_key makes one from a name space (a model) and
 * a text: SHA-256(SHA-256(space) || SHA-256(text)).  A value is any bytes.  Memory
 * is used for what is stored, not for the capacity.
 *
 * Owner:   values are copied in and out.
 * Threads: any number on one cache.
 */
#ifndef LH_LRU_H
#define LH_LRU_H

#include "base/buf.h"

struct lh_lru;

struct lh_lru *lh_lru_new(size_t capacity);
void lh_lru_free(struct lh_lru *l);

void lh_lru_key(const char *space, const char *text, size_t n, unsigned char key[32]);

/* Return the number of entries. */
size_t lh_lru_count(struct lh_lru *l);

/* Append the value to out; false if there is none. */
bool lh_lru_get(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out);

/* Store or replace a value; the entry used longest ago is removed. */
void lh_lru_put(struct lh_lru *l, const unsigned char key[32], const void *p, size_t n);

#endif
