/*
 * avx2 - examine 64 bytes at a time, with one result bit per byte (the first byte
 * lowest), and lookup tables.  For files that are compiled for AVX2.
 */
#ifndef LH_AVX2_H
#define LH_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define LH_TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

/* The same 16 bytes in both lanes. */
#define LH_BOTH(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))

/* Return the bytes of a, then b, that equal c. */
static LH_TARGET inline uint64_t lh_bytes_equal(__m256i a, __m256i b, char c)
{
	__m256i v = _mm256_set1_epi8(c);

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, v)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, v)) << 32;
}

static LH_TARGET inline __m256i lh_is_digit(__m256i v)
{
	v = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
	return _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(9)), v);
}

/* Return the bytes of a, then b, that are digits. */
static LH_TARGET inline uint64_t lh_bytes_digits(__m256i a, __m256i b)
{
	return (uint32_t)_mm256_movemask_epi8(lh_is_digit(a)) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(lh_is_digit(b)) << 32;
}

#endif
