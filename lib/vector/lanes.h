/*
 * lanes - vectors of LANES floats, for sources that are compiled once for each instruction set.
 *
 * The including file defines LANES and TARGET, the attribute of functions that sets the
 * instructions; it may change TARGET later, to one with more of them.
 */
#ifndef LH_LANES_H
#define LH_LANES_H

#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef uint32_t uvec __attribute__((vector_size(4 * LANES)));
typedef float vec_at __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE TARGET static inline __attribute__((always_inline))

INLINE vec load(const float *p)
{
	return *(const vec_at *)p;
}

INLINE void store(float *p, vec v)
{
	*(vec_at *)p = v;
}

INLINE vec all(float f)
{
	return f - (vec){ 0 };
}

/* Load the first n of the lanes, the others being rest. */
INLINE vec load_some(const float *p, size_t n, float rest)
{
	vec v = all(rest);

	if (n >= LANES)
		return load(p);
	memcpy(&v, p, n * sizeof *p);
	return v;
}

#endif
