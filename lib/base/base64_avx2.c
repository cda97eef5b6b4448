/*
 * base64_avx2.c - base64, 24 bytes against 32 characters at a time, after Wojciech
 * Mula and Daniel Lemire, "Faster Base64 Encoding and Decoding using AVX2
 * Instructions" (2018).
 */
#include "base64_avx2.h"

#ifdef __x86_64__
#include "cpu.h"

/* Split 24 bytes, twelve in each lane, into 32 six-bit values. */
static LH_TARGET inline __m256i split_sextets(__m256i v)
{
	const __m256i order = LH_BOTH(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
	__m256i odd, even;

	v = _mm256_shuffle_epi8(v, order);
	odd = _mm256_mulhi_epu16(_mm256_and_si256(v, _mm256_set1_epi32(0x0fc0fc00)),
				 _mm256_set1_epi32(0x04000040));
	even = _mm256_mullo_epi16(_mm256_and_si256(v, _mm256_set1_epi32(0x003f03f0)),
				  _mm256_set1_epi32(0x01000010));
	return _mm256_or_si256(odd, even);
}

LH_TARGET size_t lh_base64_encode_avx2(char *to, const unsigned char *p, size_t n)
{
	const __m256i offset = LH_BOTH('a' - 26, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, '+' - 62,
				       '/' - 63, 'A', 0, 0);
	size_t done = 0;

	for (; n - done >= 28; done += 24, to += 32) {
		__m128i low = _mm_loadu_si128((const __m128i *)(p + done));
		__m128i high = _mm_loadu_si128((const __m128i *)(p + done + 12));
		__m256i v = split_sextets(_mm256_set_m128i(high, low));
		/* 0 for a-z, 1 to 12 for the characters after z in the alphabet, 13 for A-Z */
		__m256i range = _mm256_subs_epu8(v, _mm256_set1_epi8(51));

		range = _mm256_or_si256(range,
					_mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), v),
							 _mm256_set1_epi8(13)));
		v = _mm256_add_epi8(v, _mm256_shuffle_epi8(offset, range));
		_mm256_storeu_si256((__m256i *)to, v);
	}
	return done;
}

LH_TARGET size_t lh_base64_decode_avx2(unsigned char *to, const unsigned char *p, size_t n)
{
	/* a character is not in the alphabet if the entries of its two nibbles
	 * share a bit */
	const __m256i by_low = LH_BOTH(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
				       0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
	const __m256i by_high = LH_BOTH(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10,
					0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
	const __m256i offset = LH_BOTH(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i order = LH_BOTH(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	const __m256i pack = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7),
		slash = _mm256_set1_epi8('/');
	size_t done = 0;

	for (; n - done >= 48; done += 32, to += 24) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + done));
		__m256i high = _mm256_and_si256(_mm256_srli_epi32(v, 4), slash);
		__m256i low = _mm256_and_si256(v, slash);

		if (!_mm256_testz_si256(_mm256_shuffle_epi8(by_low, low),
					_mm256_shuffle_epi8(by_high, high)))
			break;
		high = _mm256_add_epi8(_mm256_cmpeq_epi8(v, slash), high);
		v = _mm256_add_epi8(v, _mm256_shuffle_epi8(offset, high));
		v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
		v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
		v = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(v, order), pack);
		_mm256_storeu_si256((__m256i *)to, v);
	}
	return done;
}
#endif
