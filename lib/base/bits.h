/* bits - words of eight bytes, and hints for the compiler. */
#ifndef LH_BITS_H
#define LH_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline uint64_t lh_load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Return a mask of the first n bytes (at most 8) of a word. */
static inline uint64_t lh_low_bytes(size_t n)
{
	return n >= 8 ? ~0ull : (1ull << 8 * n) - 1;
}

static inline uint64_t lh_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

#endif
