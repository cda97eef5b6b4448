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

/* Store or replace a value; the entry used longest ago is removed, but none that is
 * claimed: if all are, nothing is stored.  Fulfils a claim. */
void lh_lru_put(struct lh_lru *l, const unsigned char key[32], const void *p, size_t n);

/*
 * Let one of several threads that need the same value make it.  lh_lru_claim gives
 * the value (HIT), or makes the caller responsible to put or drop it (MINE), or
 * reports that another thread is (BUSY); or there is no room for the claim (ALONE):
 * the caller makes the value, no thread waits for it, and it drops nothing.  A caller
 * makes its own values before it waits for others.
 */
enum lh_lru_claim { LH_LRU_HIT, LH_LRU_MINE, LH_LRU_BUSY, LH_LRU_ALONE };
enum lh_lru_claim lh_lru_claim(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out);

/* Give up a claim (MINE): the value cannot be made. */
void lh_lru_drop(struct lh_lru *l, const unsigned char key[32]);

/* Wait until a busy value is stored (true, appended) or dropped (false). */
bool lh_lru_wait(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out);

#endif
