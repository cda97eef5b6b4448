/*
 * cpu - whether text may be read with AVX2 and BMI, how many cores there are, and what
 * the files that read text with AVX2 share.
 *
 * The first is determined once; LH_KERNEL=portable in the environment answers no, for tests.
 * AVX-512 makes text no faster: strings are short, and its masks take longer to
 * reach a register than AVX2's.
 */
#ifndef LH_CPU_H
#define LH_CPU_H

#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <stdint.h>

enum lh_cpu { LH_CPU_PORTABLE = 1, LH_CPU_AVX2 };

enum lh_cpu lh_cpu(void);

/* Return how many cores this process may use: 1 to most. */
unsigned lh_cpu_cores(unsigned most);

/*
 * avx2 - examine 64 bytes at a time, with one result bit per byte (the first byte
 * lowest), and lookup tables.  For files that are compiled for AVX2.
 */
#ifdef __x86_64__
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

#endif
