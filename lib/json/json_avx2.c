/* json_avx2.c - the parser, 32 bytes at a time. */
#include "json_scanner.h"

#ifdef __x86_64__
#include "base/cpu.h"

#define LH_SCAN lh_scan_avx2
#define LH_BLOCK 32

static LH_TARGET inline struct lh_look block_look(const char *p)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	__m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
	__m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
	__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
	__m256i stop = _mm256_or_si256(low, _mm256_or_si256(quote, slash));

	return (struct lh_look){ (uint32_t)_mm256_movemask_epi8(stop),
				 (uint32_t)_mm256_movemask_epi8(v) };
}

static LH_TARGET inline bool hash_among(const uint32_t *hash, size_t n, uint32_t h)
{
	__m256i want = _mm256_set1_epi32((int)h), got;
	size_t i;

	for (i = 0; i < n; i += 8) {
		got = _mm256_cmpeq_epi32(want, _mm256_loadu_si256((const __m256i *)(hash + i)));
		if (_bzhi_u32((uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(got)),
			      (uint32_t)(n - i)))
			return true;
	}
	return false;
}

static LH_TARGET inline struct lh_kinds block_kinds(const char *p)
{
	__m256i a = _mm256_loadu_si256((const __m256i *)p);
	__m256i b = _mm256_loadu_si256((const __m256i *)(p + 32));
	__m256i lower = _mm256_set1_epi8(0x20);

	return (struct lh_kinds){
		.digit = lh_bytes_digits(a, b),
		.zero = lh_bytes_equal(a, b, '0'),
		.minus = lh_bytes_equal(a, b, '-'),
		.plus = lh_bytes_equal(a, b, '+'),
		.point = lh_bytes_equal(a, b, '.'),
		.exp = lh_bytes_equal(_mm256_or_si256(a, lower), _mm256_or_si256(b, lower), 'e'),
		.space = lh_bytes_equal(a, b, ' '),
		.comma = lh_bytes_equal(a, b, ','),
		.bracket = lh_bytes_equal(a, b, ']'),
	};
}

#define LH_NUMBERS
#include "json_scan.h"
#endif
