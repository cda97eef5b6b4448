/* lru.c - the most recently used values, in memory.  See lru.h. */
#include "lru.h"

#include <pthread.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/table.h"

#define NONE UINT32_MAX
#define FIRST 64		/* entries at the start; doubled as needed */

struct entry {
	unsigned char key[32];
	void *p;
	size_t n;
	uint32_t newer, older;	/* in order of use */
};

struct lh_lru {
	pthread_mutex_t lock;
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

/* Remove the oldest entry, and return its place. */
static uint32_t remove_oldest(struct lh_lru *l)
{
	uint32_t i = l->oldest;

	lh_table_remove(&l->by_key, key_of(l, i), key_of, l);
	remove_from_order(l, i);
	free(l->entry[i].p);
	return i;
}

/* Make a place for a key that has none. */
static uint32_t add(struct lh_lru *l, const unsigned char key[32])
{
	uint32_t i;

	if (l->used == l->room && l->room < l->capacity)
		grow(l);
	i = l->used < l->room ? (uint32_t)l->used++ : remove_oldest(l);
	memcpy(l->entry[i].key, key, 32);
	lh_table_set(&l->by_key, key_of(l, i), i, key_of, l);
	return i;
}

bool lh_lru_get(struct lh_lru *l, const unsigned char key[32], struct lh_buf *out)
{
	uint32_t i;

	pthread_mutex_lock(&l->lock);
	i = lookup(l, key);
	if (i != NONE) {
		lh_buf_add(out, l->entry[i].p, l->entry[i].n);
		remove_from_order(l, i);
		set_newest(l, i);
	}
	pthread_mutex_unlock(&l->lock);
	return i != NONE;
}

void lh_lru_put(struct lh_lru *l, const unsigned char key[32], const void *p, size_t n)
{
	uint32_t i;

	if (!l->capacity)
		return;
	pthread_mutex_lock(&l->lock);
	i = lookup(l, key);
	if (i == NONE) {
		i = add(l, key);
	} else {
		remove_from_order(l, i);
		free(l->entry[i].p);
	}
	set_newest(l, i);
	l->entry[i].p = lh_strndup(p, n);
	l->entry[i].n = n;
	pthread_mutex_unlock(&l->lock);
}
