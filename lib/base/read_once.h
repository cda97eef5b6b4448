/*
 * read_once - a number of a mapped file, read one time.
 *
 * A file that is written to in place changes under its readers.  What was
 * checked must then be what is used: read it by one of these into a variable.
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
