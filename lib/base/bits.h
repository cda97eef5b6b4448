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

/* prefetch - ask for memory that is read soon. */

/* Prefetch the cache lines that n bytes from p on are in; p is the start of a line. */
static inline void lh_prefetch(const void *p, size_t n)
{
	const char *at = p;
	size_t i;

	for (i = 0; i < n; i += 64)
		__builtin_prefetch(at + i);
	/* gcc takes a function that only prefetches for one without effect, and leaves out
	 * the calls of it, unless it has this */
	__asm__ volatile("");
}

/*
 * read_once - read a number of a mapped file exactly once.
 *
 * A file that is written in place changes while it is read.  The value that was
 * checked must be the value that is used: read it into a variable with one of
 * these.
 */

static inline uint32_t lh_once32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t lh_once64(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

#endif
