/*
 * pow10 - powers of ten as 128-bit fractions, rounded up.
 *
 * lh_pow10(k) is 10^k scaled to 2^127 <= hi:lo < 2^128.  The Schubfach printers
 * need it rounded up; a reader adds its one unit in the last place to its error
 * bound.  lh_pow10_whole[k] is 10^k itself, for 0 <= k < 20.
 */
#ifndef LH_POW10_H
#define LH_POW10_H

#include <stdint.h>

#define LH_POW10_MIN (-343)
#define LH_POW10_MAX 324

static const uint64_t lh_pow10_whole[20] = {
	1ull, 10ull, 100ull, 1000ull, 10000ull, 100000ull, 1000000ull, 10000000ull,
	100000000ull, 1000000000ull, 10000000000ull, 100000000000ull,
	1000000000000ull, 10000000000000ull, 100000000000000ull,
	1000000000000000ull, 10000000000000000ull, 100000000000000000ull,
	1000000000000000000ull, 10000000000000000000ull,
};

extern const uint64_t lh_pow10_table[LH_POW10_MAX - LH_POW10_MIN + 1][2];

static inline const uint64_t *lh_pow10(int k)
{
	return lh_pow10_table[k - LH_POW10_MIN];
}

/* floor(log2(10^k)), floor(log10(2^e)) and floor(log10(3/4 * 2^e)), exact for every
 * exponent of a double. */
static inline int lh_log2_pow10(int k)
{
	return (k * 1741647) >> 19;
}

static inline int lh_log10_pow2(int e)
{
	return (e * 1262611) >> 22;
}

static inline int lh_log10_pow2_closer(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

#endif
