/* prefetch - ask for memory that is read soon. */
#ifndef LH_PREFETCH_H
#define LH_PREFETCH_H

#include <stddef.h>

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

#endif
