/* lru.c - the most recently used values, in memory.  See lru.h. */
#include "lru.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/table.h"

#define NONE UINT32_MAX
#define FIRST 64		/* entries at the start; doubled as needed */

enum state { EMPTY, PROMISED, STORED };

struct entry {
	unsigned char key[32];
	void *p;
	size_t n;
	enum state state;
	uint32_t newer, older;	/* in order of use */
};

struct lh_lru {
	pthread_mutex_t lock;
	pthread_cond_t claim_ended;	/* a claimed value was stored or dropped */
	size_t capacity, room, used;
	struct entry *entry;	/* room for that many, used of them in use */
	struct lh_table by_key;
	uint32_t newest, oldest;
};

void lh_lru_key(const char *space, const char *text, size_t n, unsigned char key[32])
{
	unsigned char both[64];

	lh_sha256(space, strlen(space), both);
	lh_sha256(text, n, both + 32);
	lh_sha256(both, sizeof both, key);
}

struct lh_lru *lh_lru_new(size_t capacity)
{
	struct lh_lru *l = lh_calloc(1, sizeof *l);

	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->claim_ended, NULL);
	l->capacity = capacity < NONE ? capacity : NONE - 1;
	l->newest = l->oldest = NONE;
	return l;
}

void lh_lru_free(struct lh_lru *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->used; i++)
		free(l->entry[i].p);
	free(l->entry);
	lh_table_free(&l->by_key);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->claim_ended);
	free(l);
}

size_t lh_lru_count(struct lh_lru *l)
{
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->by_key.n;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static struct lh_str key_of(const void *ctx, uint32_t i)
{
	const struct lh_lru *l = ctx;

	return (struct lh_str){ (const char *)l->entry[i].key, sizeof l->entry[i].key };
}

static uint32_t lookup(const struct lh_lru *l, const unsigned char key[32])
{
	int64_t i = lh_table_find(&l->by_key, (struct lh_str){ (const char *)key, 32 }, key_of, l);

	return i < 0 ? NONE : (uint32_t)i;
}

static void set_newest(struct lh_lru *l, uint32_t i)
{
	struct entry *e = &l->entry[i];

	e->newer = NONE;
	e->older = l->newest;
	if (l->newest != NONE)
		l->entry[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
}

static void remove_from_order(struct lh_lru *l, uint32_t i)
{
	struct entry *e = &l->entry[i];

	if (e->newer != NONE)
		l->entry[e->newer].older = e->older;
	else
		l->newest = e->older;
	if (e->older != NONE)
		l->entry[e->older].newer = e->newer;
	else
		l->oldest = e->newer;
}

static void grow(struct lh_lru *l)
{
	size_t room = l->room ? l->room * 2 : FIRST;

	if (room > l->capacity)
		room = l->capacity;
	l->entry = lh_realloc(l->entry, room, sizeof *l->entry);
	l->room = room;
}

/* Remove the oldest entry that is not promised, and return its place; NONE if all are: a
 * promise stays until its owner fulfils or drops it, so that it is always the owner's. */
static uint32_t remove_oldest(struct lh_lru *l)
{
	uint32_t i = l->oldest;

	while (i != NONE && l->entry[i].state == PROMISED)
		i = l->entry[i].newer;
	if (i == NONE)
		return NONE;
	lh_table_remove(&l->by_key, key_of(l, i), key_of, l);
	remove_from_order(l, i);
	free(l->entry[i].p);
	return i;
}

/* Set *at to the entry of key, a new EMPTY one if there is none, or NONE if all are
 * promised. */
static void find_or_add(struct lh_lru *l, const unsigned char key[32], uint32_t *at)
{
	uint32_t i = *at = lookup(l, key);

	if (i != NONE) {
		remove_from_order(l, i);
		set_newest(l, i);
		return;
	}
	if (l->used == l->room && l->room < l->capacity)
		grow(l);
	i = l->used < l->room ? (uint32_t)l->used : remove_oldest(l);
	if (i == NONE)
		return;
	l->entry[i].p = NULL;
	l->entry[i].state = EMPTY;
	memcpy(l->entry[i].key, key, 32);
	lh_table_set(&l->by_key, key_of(l, i), i, key_of, l);
	l->used += i == l->used;
	set_newest(l, i);
	*at = i;
}

static bool copy_value(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out)
{
	uint32_t i = lookup(l, key);

	if (i == NONE || l->entry[i].state != STORED)
		return false;
	lh_buf_add(out, l->entry[i].p, l->entry[i].n);
	remove_from_order(l, i);
	set_newest(l, i);
	return true;
}

static void store_value(struct lh_lru *l, const unsigned char key[32], const void *p, size_t n)
{
	uint32_t i;

	find_or_add(l, key, &i);
	if (i == NONE)
		return;
	free(l->entry[i].p);
	l->entry[i].p = lh_strndup(p, n);
	l->entry[i].n = n;
	l->entry[i].state = STORED;
}

bool lh_lru_get(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out)
{
	bool hit;

	pthread_mutex_lock(&l->lock);
	hit = copy_value(l, key, out);
	pthread_mutex_unlock(&l->lock);
	return hit;
}

void lh_lru_put(struct lh_lru *l, const unsigned char key[32], const void *p, size_t n)
{
	pthread_mutex_lock(&l->lock);
	if (l->capacity)
		store_value(l, key, p, n);
	pthread_cond_broadcast(&l->claim_ended);
	pthread_mutex_unlock(&l->lock);
}

enum lh_lru_claim lh_lru_claim(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out)
{
	enum lh_lru_claim rc = LH_LRU_MINE;
	uint32_t i;

	pthread_mutex_lock(&l->lock);
	if (copy_value(l, key, out)) {
		rc = LH_LRU_HIT;
	} else if (l->capacity) {
		find_or_add(l, key, &i);
		if (i == NONE)
			rc = LH_LRU_ALONE;
		else if (l->entry[i].state == PROMISED)
			rc = LH_LRU_BUSY;
		else
			l->entry[i].state = PROMISED;
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

void lh_lru_drop(struct lh_lru *l, const unsigned char key[32])
{
	uint32_t i;

	pthread_mutex_lock(&l->lock);
	i = lookup(l, key);
	if (i != NONE && l->entry[i].state == PROMISED)
		l->entry[i].state = EMPTY;
	pthread_cond_broadcast(&l->claim_ended);
	pthread_mutex_unlock(&l->lock);
}

bool lh_lru_wait(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out)
{
	uint32_t i;
	bool hit;

	pthread_mutex_lock(&l->lock);
	while ((i = lookup(l, key)) != NONE && l->entry[i].state == PROMISED)
		pthread_cond_wait(&l->claim_ended, &l->lock);
	hit = copy_value(l, key, out);
	pthread_mutex_unlock(&l->lock);
	return hit;
}
