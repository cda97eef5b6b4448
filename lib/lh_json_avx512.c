/* lh_json_avx512.c - the scan 64 bytes at a time. */
#include "lh_json_priv.h"

#ifdef __x86_64__
#include <immintrin.h>

#define LH_SCAN lh_scan_avx512
#define LH_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,bmi,bmi2,lzcnt,popcnt")))
#define LH_BLOCK 64

static LH_TARGET inline struct lh_look block_look(const char *p)
{
	__m512i v = _mm512_loadu_si512(p);
	uint64_t stop = _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20)) |
			_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
			_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\'));

	return (struct lh_look){ stop, _mm512_movepi8_mask(v) };
}

static LH_TARGET inline bool hash_among(const uint32_t *hash, size_t n, uint32_t h)
{
	__m512i want = _mm512_set1_epi32((int)h);
	size_t i;

	for (i = 0; i < n; i += 16)
		if (_bzhi_u32(_mm512_cmpeq_epi32_mask(want, _mm512_loadu_si512(hash + i)), (uint32_t)(n - i)))
			return true;
	return false;
}

static LH_TARGET inline struct lh_kinds block_kinds(const char *p)
{
	__m512i v = _mm512_loadu_si512(p), d = _mm512_sub_epi8(v, _mm512_set1_epi8('0'));

	return (struct lh_kinds){
		.digit = _mm512_cmple_epu8_mask(d, _mm512_set1_epi8(9)),
		.zero = _mm512_testn_epi8_mask(d, d),
		.minus = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('-')),
		.plus = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('+')),
		.point = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('.')),
		.exp = _mm512_cmpeq_epi8_mask(_mm512_or_si512(v, _mm512_set1_epi8(0x20)), _mm512_set1_epi8('e')),
		.space = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(' ')),
		.comma = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(',')),
		.bracket = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(']')),
	};
}

#define LH_NUMBERS
#include "lh_json_scan.h"
#endif
