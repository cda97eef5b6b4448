/* table.c - hash tables, their entries, and the hash of bytes.  See table.h and xxh3.h. */
#include "table.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"
#include "xxh3.h"

/* ---- 64-bit XXH3 with xxHash's header ---- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

uint64_t lh_xxh3(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t lh_xxh3_seeded(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

_Static_assert(sizeof(XXH3_state_t) <= sizeof(struct lh_xxh3_stream),
	       "a stream holds xxHash's state");

static XXH3_state_t *state_of(const struct lh_xxh3_stream *s)
{
	return (XXH3_state_t *)(uintptr_t)s->state;
}

void lh_xxh3_begin_seeded(struct lh_xxh3_stream *s, uint64_t seed)
{
	*s = (struct lh_xxh3_stream){ 0 };
	XXH3_64bits_reset_withSeed(state_of(s), seed);
}

void lh_xxh3_begin(struct lh_xxh3_stream *s)
{
	lh_xxh3_begin_seeded(s, 0);
}

void lh_xxh3_add(struct lh_xxh3_stream *s, const void *p, size_t n)
{
	XXH3_64bits_update(state_of(s), p, n);
}

uint64_t lh_xxh3_end(const struct lh_xxh3_stream *s)
{
	return XXH3_64bits_digest(state_of(s));
}

/* ---- a random number of this process ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t process_seed;

static void init_seed(void)
{
	struct timespec now = { .tv_nsec = 0 };

	if (getrandom(&process_seed, sizeof process_seed, GRND_NONBLOCK) == sizeof process_seed)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	process_seed = ((uintptr_t)&now ^ (uint64_t)now.tv_nsec << 20 ^ (uint64_t)getpid()) *
		0x9e3779b97f4a7c15ull;
}

uint64_t lh_seed(void)
{
	pthread_once(&once, init_seed);
	return process_seed;
}

/* ---- one open-addressing hash table, and its entries ---- */

#define FEWEST 64	/* slots; a power of two */

/* What a lookup compares with: keys that the caller has, or entries of a map. */
struct keys {
	lh_key_fn *of;
	const void *ctx;
	const char *entry;	/* if of is NULL */
	size_t size;
};

static uint32_t hash_of(struct lh_str key)
{
	uint32_t hash = (uint32_t)lh_xxh3_seeded(key.p, key.n, lh_seed());

	return hash ? hash : 1;
}

static bool has_key(const struct keys *keys, uint32_t number, struct lh_str key)
{
	struct lh_str is;

	if (!keys->of)
		return !memcmp(keys->entry + number * keys->size, key.p, key.n);
	is = keys->of(keys->ctx, number);
	return is.n == key.n && !memcmp(is.p, key.p, key.n);
}

/* Return the slot of the key, or the free one where it would go; there are slots. */
static struct lh_table_slot *find_slot(const struct lh_table *t, uint32_t hash, struct lh_str key,
				       const struct keys *keys)
{
	size_t mask = t->slots - 1, i = hash & mask;

	for (; t->slot[i].hash; i = (i + 1) & mask)
		if (t->slot[i].hash == hash && has_key(keys, t->slot[i].number, key))
			break;
	return &t->slot[i];
}

static void grow(struct lh_table *t)
{
	size_t slots = t->slots ? t->slots * 2 : FEWEST, i, at;
	struct lh_table_slot *slot = lh_calloc_table(slots, sizeof *slot);

	for (i = 0; i < t->slots; i++) {
		if (!t->slot[i].hash)
			continue;
		for (at = t->slot[i].hash & (slots - 1); slot[at].hash; at = (at + 1) & (slots - 1))
			;
		slot[at] = t->slot[i];
	}
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
}

/* Find the key's slot, with room for a key more. */
static struct lh_table_slot *find_or_grow(struct lh_table *t, uint32_t hash, struct lh_str key,
					  const struct keys *keys)
{
	if (t->n >= t->slots / 3 * 2)
		grow(t);
	return find_slot(t, hash, key, keys);
}

static int64_t find_number(const struct lh_table *t, struct lh_str key, const struct keys *keys)
{
	const struct lh_table_slot *s;

	if (!t->n)
		return -1;
	s = find_slot(t, hash_of(key), key, keys);
	return s->hash ? (int64_t)s->number : -1;
}

int64_t lh_table_find(const struct lh_table *t, struct lh_str key, lh_key_fn *key_of,
		      const void *ctx)
{
	return find_number(t, key, &(struct keys){ .of = key_of, .ctx = ctx });
}

void lh_table_set(struct lh_table *t, struct lh_str key, uint32_t number, lh_key_fn *key_of,
		  const void *ctx)
{
	uint32_t hash = hash_of(key);
	struct lh_table_slot *s;

	s = find_or_grow(t, hash, key, &(struct keys){ .of = key_of, .ctx = ctx });
	t->n += !s->hash;
	*s = (struct lh_table_slot){ hash, number };
}

void lh_table_remove(struct lh_table *t, struct lh_str key, lh_key_fn *key_of, const void *ctx)
{
	size_t mask = t->slots - 1, gap, i;
	struct lh_table_slot *s;

	if (!t->n)
		return;
	s = find_slot(t, hash_of(key), key, &(struct keys){ .of = key_of, .ctx = ctx });
	if (!s->hash)
		return;
	/* Move up what would not be found across the gap. */
	for (i = gap = (size_t)(s - t->slot); t->slot[i = (i + 1) & mask].hash; )
		if (((i - t->slot[i].hash) & mask) >= ((i - gap) & mask)) {
			t->slot[gap] = t->slot[i];
			gap = i;
		}
	t->slot[gap].hash = 0;
	t->n--;
}

void lh_table_clear(struct lh_table *t)
{
	if (t->n)
		memset(t->slot, 0, t->slots * sizeof *t->slot);
	t->n = 0;
}

void lh_table_copy(struct lh_table *to, const struct lh_table *from)
{
	if (!from->slots)
		return;
	to->slot = lh_calloc_table(from->slots, sizeof *to->slot);
	memcpy(to->slot, from->slot, from->slots * sizeof *to->slot);
	to->n = from->n;
	to->slots = from->slots;
}

void lh_table_free(struct lh_table *t)
{
	free(t->slot);
	*t = (struct lh_table){ .slot = NULL };
}

/* ---- with entries ---- */

int64_t lh_map_find(const struct lh_map *m, const void *key, size_t key_size, size_t size)
{
	return find_number(&m->table, (struct lh_str){ key, key_size },
			   &(struct keys){ .entry = m->entry, .size = size });
}

int64_t lh_map_add(struct lh_map *m, const void *key, size_t key_size, size_t size, bool *is_new,
		   struct lh_err *err)
{
	struct lh_str text = { key, key_size };
	uint32_t hash = hash_of(text);
	struct lh_table_slot *s;
	char *entry;

	s = find_or_grow(&m->table, hash, text, &(struct keys){ .entry = m->entry, .size = size });
	if (is_new)
		*is_new = !s->hash;
	if (s->hash)
		return s->number;
	if (m->n >= UINT32_MAX - 1)
		return lh_err_set(err, LH_EDATA, "more than %zu keys", m->n);
	lh_grow(&m->entry, &m->cap, m->n + 1, size);
	entry = m->entry + m->n * size;
	memset(entry, 0, size);
	memcpy(entry, key, key_size);
	*s = (struct lh_table_slot){ hash, (uint32_t)m->n };
	m->table.n++;
	return (int64_t)m->n++;
}

void lh_map_free(struct lh_map *m)
{
	lh_table_free(&m->table);
	free(m->entry);
	*m = (struct lh_map){ .entry = NULL };
}

/* ---- texts and their numbers ---- */

static struct lh_str text_of(const void *ctx, uint32_t i)
{
	return lh_intern_text(ctx, i);
}

void lh_intern_free(struct lh_intern *in)
{
	lh_table_free(&in->table);
	lh_buf_free(&in->text);
	free(in->one);
	*in = (struct lh_intern){ .n = 0 };
}

int64_t lh_intern_find(const struct lh_intern *in, const char *text, size_t n)
{
	return lh_table_find(&in->table, (struct lh_str){ text, n }, text_of, in);
}

int lh_intern_add(struct lh_intern *in, const char *text, size_t n, uint32_t *number,
		  struct lh_err *err)
{
	int64_t known = lh_intern_find(in, text, n);

	*number = (uint32_t)known;
	if (known >= 0)
		return 0;
	if (in->n >= UINT32_MAX - 1)
		return lh_err_set(err, LH_EDATA, "more than %u texts", UINT32_MAX - 1);
	lh_grow(&in->one, &in->cap, in->n + 1, sizeof *in->one);
	in->one[in->n] = (struct lh_intern_one){ in->text.len, n };
	lh_buf_add(&in->text, text, n);
	*number = (uint32_t)in->n;
	lh_table_set(&in->table, (struct lh_str){ text, n }, *number, text_of, in);
	in->n++;
	return 0;
}

struct lh_str lh_intern_text(const struct lh_intern *in, uint32_t number)
{
	const struct lh_intern_one *o = &in->one[number];

	return (struct lh_str){ o->n ? in->text.p + o->at : "", o->n };
}
