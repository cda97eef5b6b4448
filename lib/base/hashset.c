/* hashset.c - a set of hashes.  See hashset.h. */
#include "hashset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mem.h"

#define FEWEST 64

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t mix(const struct lh_hashset *s, const unsigned char h[32])
{
	uint64_t w[4];

	memcpy(w, h, sizeof w);
	return fold(w[0] ^ s->seed[0], w[1] ^ s->seed[1]) ^ fold(w[2] ^ s->seed[2], w[3] ^ s->seed[3]);
}

/* The slot that holds h, or the free one where it would go.  The tag
 * tells most others apart without a look at their hashes. */
static uint64_t *find(const struct lh_hashset *s, const unsigned char h[32], uint64_t mixed)
{
	size_t i = (size_t)mixed & (s->slots - 1);
	uint32_t tag = (uint32_t)(mixed >> 32), at;

	for (; (at = (uint32_t)s->slot[i]); i = (i + 1) & (s->slots - 1))
		if ((uint32_t)(s->slot[i] >> 32) == tag && !memcmp(s->hash[at - 1], h, 32))
			break;
	return &s->slot[i];
}

static void put_number(struct lh_hashset *s, uint64_t mixed, uint32_t number)
{
	size_t i = (size_t)mixed & (s->slots - 1);

	while (s->slot[i])
		i = (i + 1) & (s->slots - 1);
	s->slot[i] = mixed >> 32 << 32 | number;
}

static int rehash(struct lh_hashset *s, struct lh_err *err)
{
	size_t slots = s->slots ? s->slots * 2 : FEWEST, i;
	uint64_t *slot = lh_calloc_table(slots, sizeof *slot, err);

	if (!slot)
		return -1;
	if (!s->slots && getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK) != sizeof s->seed)
		s->seed[0] = (uintptr_t)slot;
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	for (i = 0; i < s->n; i++)
		put_number(s, mix(s, s->hash[i]), (uint32_t)i + 1);
	return 0;
}

int lh_hashset_add(struct lh_hashset *s, const unsigned char h[32], bool *is_new, struct lh_err *err)
{
	uint64_t *at, mixed;

	if (s->n >= s->slots / 3 * 2 && rehash(s, err) < 0)
		return -1;
	mixed = mix(s, h);
	at = find(s, h, mixed);
	if (is_new)
		*is_new = !*at;
	if (*at)
		return 0;
	if (s->n >= UINT32_MAX - 1)
		return lh_err_set(err, LH_ENOMEM, "more than %zu hashes", s->n);
	if (lh_grow(&s->hash, &s->cap, s->n + 1, sizeof *s->hash, err) < 0)
		return -1;
	memcpy(s->hash[s->n], h, 32);
	*at = mixed >> 32 << 32 | ++s->n;
	return 0;
}

bool lh_hashset_has(const struct lh_hashset *s, const unsigned char h[32])
{
	return s->n && *find(s, h, mix(s, h));
}

int64_t lh_hashset_find(const struct lh_hashset *s, const unsigned char h[32])
{
	return s->n ? (int64_t)(uint32_t)*find(s, h, mix(s, h)) - 1 : -1;
}

void lh_hashset_free(struct lh_hashset *s)
{
	free(s->hash);
	free(s->slot);
	*s = (struct lh_hashset){ 0 };
}

bool lh_unhex(const char *p, size_t n, unsigned char h[32])
{
	static const signed char digit[256] = {
		['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
		['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	};
	int hi, lo, bad = 0;
	size_t i;

	if (n != 64)
		return false;
	for (i = 0; i < 32; i++) {
		hi = digit[(unsigned char)p[2 * i]] - 1;
		lo = digit[(unsigned char)p[2 * i + 1]] - 1;
		bad |= hi | lo;
		h[i] = (unsigned char)(hi * 16 | lo);	/* hi may be -1, which nobody shifts */
	}
	return bad >= 0;
}
