/* lh_hashset.c - a set of hashes.  See lh_hashset.h. */
#include "lh_hashset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lh_mem.h"

#define FEWEST 64

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static size_t home(const struct lh_hashset *s, const unsigned char h[32])
{
	uint64_t w[4];

	memcpy(w, h, sizeof w);
	return (size_t)(fold(w[0] ^ s->seed[0], w[1] ^ s->seed[1]) ^ fold(w[2] ^ s->seed[2], w[3] ^ s->seed[3])) & (s->slots - 1);
}

/* The slot that holds h, or the free one where it would go. */
static uint32_t *find(const struct lh_hashset *s, const unsigned char h[32])
{
	size_t i = home(s, h);

	while (s->slot[i] && memcmp(s->hash[s->slot[i] - 1], h, 32))
		i = (i + 1) & (s->slots - 1);
	return &s->slot[i];
}

static int rehash(struct lh_hashset *s, struct lh_err *err)
{
	size_t slots = s->slots ? s->slots * 2 : FEWEST, i;
	uint32_t *slot = lh_calloc(slots, sizeof *slot, err);

	if (!slot)
		return -1;
	if (!s->slots && getrandom(s->seed, sizeof s->seed, GRND_NONBLOCK) != sizeof s->seed)
		s->seed[0] = (uintptr_t)slot;
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	for (i = 0; i < s->n; i++)
		*find(s, s->hash[i]) = (uint32_t)i + 1;
	return 0;
}

int lh_hashset_add(struct lh_hashset *s, const unsigned char h[32], bool *is_new, struct lh_err *err)
{
	uint32_t *at;

	if (s->n >= s->slots / 4 * 3 && rehash(s, err) < 0)
		return -1;
	at = find(s, h);
	if (is_new)
		*is_new = !*at;
	if (*at)
		return 0;
	if (s->n >= UINT32_MAX - 1)
		return lh_err_set(err, LH_ENOMEM, "more than %zu hashes", s->n);
	if (lh_grow(&s->hash, &s->cap, s->n + 1, sizeof *s->hash, err) < 0)
		return -1;
	memcpy(s->hash[s->n], h, 32);
	*at = (uint32_t)++s->n;
	return 0;
}

bool lh_hashset_has(const struct lh_hashset *s, const unsigned char h[32])
{
	return s->n && *find(s, h);
}

int64_t lh_hashset_find(const struct lh_hashset *s, const unsigned char h[32])
{
	return s->n ? (int64_t)*find(s, h) - 1 : -1;
}

void lh_hashset_free(struct lh_hashset *s)
{
	free(s->hash);
	free(s->slot);
	*s = (struct lh_hashset){ 0 };
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lh_unhex(const char *p, size_t n, unsigned char h[32])
{
	int hi, lo;
	size_t i;

	if (n != 64)
		return false;
	for (i = 0; i < 32; i++) {
		hi = digit(p[2 * i]);
		lo = digit(p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		h[i] = (unsigned char)(hi << 4 | lo);
	}
	return true;
}
