/* json_keys.c - refuse a key that occurs twice in one object, in linear time. */
#include <stdlib.h>

#include "json_scanner.h"
#include "base/mem.h"

int lh_json_keys_dup(struct lh_scan *s, const char *p)
{
	s->at = p - 1;
	s->why = NULL;
	return -1;
}

/* A text of 4 GiB has fewer than 2^30 different keys: the numbers take 32 bits. */
static void grow(struct lh_scan *s)
{
	size_t cap = s->cap ? s->cap * 2 : 256;
	struct lh_scan_key *key;
	uint32_t *hash;

	key = lh_realloc(s->key, cap, sizeof *key);
	s->key = key;
	hash = lh_realloc(s->hash, cap + LH_KEYS_STEP, sizeof *hash);
	memset(hash + s->cap, 0, (cap - s->cap + LH_KEYS_STEP) * sizeof *hash);
	s->hash = hash;
	s->cap = cap;
}

static size_t slot_of(const struct lh_scan *s, uint32_t h, size_t depth)
{
	return (h + depth * 0x9e3779b1u) & (s->slots - 1);
}

/* Linear probing.  Slots are filled in the order of the keys, so the last key's
 * slot is the end of every probe sequence it is in. */
static void insert_key(struct lh_scan *s, size_t i, size_t depth)
{
	size_t at = slot_of(s, s->hash[i], depth);

	while (s->slot[at])
		at = (at + 1) & (s->slots - 1);
	s->slot[at] = (uint32_t)i + 1;
	s->used++;
}

static void insert_level(struct lh_scan *s, const struct lh_level *lv)
{
	size_t end = lv == s->top ? s->n : lv[1].keys, i;

	for (i = lv->keys; i < end; i++)
		insert_key(s, i, (size_t)(lv - s->level));
}

/* Double the slots and insert the keys of every open object that is hashed. */
static void rehash(struct lh_scan *s)
{
	size_t slots = s->slots ? s->slots * 2 : 1024;
	const struct lh_level *lv;
	uint32_t *slot = lh_calloc(slots, sizeof *slot);

	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	s->used = 0;
	for (lv = s->level + 1; lv <= s->top; lv++)
		if (lv->hashed)
			insert_level(s, lv);
}

static struct lh_value quoted(const char *p, size_t n, bool escaped)
{
	return (struct lh_value){ p - 1, n + 2, LH_STRING, escaped };
}

static bool equals_key(const struct lh_scan_key *k, const char *p, size_t n, bool escaped)
{
	struct lh_value a = quoted(k->p, k->n, k->escaped), b = quoted(p, n, escaped);

	if (!escaped && !k->escaped)
		return k->n == n && !memcmp(k->p, p, n);
	return lh_string_cmp(&a, &b) == 0;
}

bool lh_json_keys_has(struct lh_scan *s, const struct lh_level *lv, const char *p, size_t n,
		      bool escaped, uint32_t h)
{
	size_t at, i;

	if (!lv->hashed) {
		for (i = lv->keys; i < s->n; i++)
			if (s->hash[i] == h && equals_key(&s->key[i], p, n, escaped))
				return true;
		return false;
	}
	for (at = slot_of(s, h, (size_t)(lv - s->level)); s->slot[at];
	     at = (at + 1) & (s->slots - 1)) {
		i = s->slot[at] - 1;
		if (i >= lv->keys && s->hash[i] == h && equals_key(&s->key[i], p, n, escaped))
			return true;
	}
	return false;
}

int lh_json_keys_add(struct lh_scan *s, struct lh_level *lv, const char *p, size_t n, bool escaped)
{
	struct lh_value v = quoted(p, n, escaped);
	struct lh_str str = { p, n };
	uint32_t h;

	s->top = lv;
	if (unlikely(s->n - lv->keys >= lh_json_members ||
		     s->n >= LH_MEMBERS_OPEN * lh_json_members)) {
		lh_scan_fail(s, p - 1, NULL);
		s->full = true;
		return -1;
	}
	if (s->n == s->cap)
		grow(s);
	lh_buf_reset(&s->text);
	if (escaped)
		lh_value_str(&v, &s->text, &str);
	h = lh_key_hash(str.p, str.n, s->seed);
	if (s->n - lv->keys >= LH_KEYS_LINEAR && !lv->hashed) {
		lv->hashed = true;
		if (!s->slots) {
			rehash(s);
		} else {
			insert_level(s, lv);
		}
	}
	if (lh_json_keys_has(s, lv, p, n, escaped, h))
		return lh_json_keys_dup(s, p);
	s->key[s->n] = (struct lh_scan_key){ p, (uint32_t)n, escaped };
	s->hash[s->n++] = h;
	if (!lv->hashed)
		return 0;
	if (s->used + LH_KEYS_LINEAR + 1 > s->slots / 2) {
		rehash(s);
		return 0;
	}
	insert_key(s, s->n - 1, (size_t)(lv - s->level));
	return 0;
}

void lh_json_keys_drop(struct lh_scan *s, const struct lh_level *lv)
{
	size_t depth = (size_t)(lv - s->level), i, at;

	for (i = s->n; i-- > lv->keys; s->used--) {
		at = slot_of(s, s->hash[i], depth);
		while (s->slot[at] != i + 1)
			at = (at + 1) & (s->slots - 1);
		s->slot[at] = 0;
	}
}
