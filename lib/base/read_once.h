/*
 * read_once - read a number of a mapped file exactly once.
 *
 * A file that is written in place changes while it is read.  The value that was
 * checked must be the value that is used: read it into a variable with one of
 * these.
 */
#ifndef LH_READ_ONCE_H
#define LH_READ_ONCE_H

#include <stdint.h>

static inline uint32_t lh_once32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t lh_once64(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

#endif
