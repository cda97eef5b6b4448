/*
 * utf8_avx2.c - validate UTF-8 by table lookup, 32 bytes at a time, after John
 * Keiser and Daniel Lemire, "Validating UTF-8 In Less Than One Instruction Per
 * Byte" (2021).
 *
 * Three tables, indexed by the high half and the low half of a byte and the high
 * half of the next one, each give the set of errors that the pair may be; a bit set
 * in all three is an error.  Third and fourth bytes are counted from their lead.
 */
#include "utf8.h"

#ifdef __x86_64__
#include "cpu.h"

enum {
	TOO_SHORT = 1,		/* a lead, then no continuation */
	TOO_LONG = 2,		/* ASCII, then a continuation */
	OVERLONG_3 = 4,
	TOO_LARGE = 8,
	SURROGATE = 16,
	OVERLONG_2 = 32,
	BEYOND = 64,		/* f5 and up, or f0 80-8f: overlong in four */
	TWO_CONTS = -128,	/* correct if a third or fourth byte is due */
	ANY = TOO_SHORT | TOO_LONG | TWO_CONTS,
	HUGE_ONE = ANY | TOO_LARGE | BEYOND,
};

/* `in` shifted by n bytes: its last n are out, the last n of `before` are in front. */
#define SHIFTED(in, before, n) \
	_mm256_alignr_epi8(in, _mm256_permute2x128_si256(before, in, 0x21), 16 - (n))

static LH_TARGET inline __m256i errors(__m256i in, __m256i before)
{
	const __m256i lead_high = LH_BOTH(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
					  TOO_LONG, TOO_LONG, TOO_LONG,
					  TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
					  TOO_SHORT | OVERLONG_2, TOO_SHORT,
					  TOO_SHORT | OVERLONG_3 | SURROGATE,
					  TOO_SHORT | TOO_LARGE | BEYOND);
	const __m256i lead_low = LH_BOTH(ANY | OVERLONG_3 | OVERLONG_2 | BEYOND, ANY | OVERLONG_2,
					 ANY, ANY, ANY | TOO_LARGE,
					 HUGE_ONE, HUGE_ONE, HUGE_ONE, HUGE_ONE, HUGE_ONE, HUGE_ONE,
					 HUGE_ONE, HUGE_ONE,
					 HUGE_ONE | SURROGATE, HUGE_ONE, HUGE_ONE);
	const __m256i next_high = LH_BOTH(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
					  TOO_SHORT, TOO_SHORT, TOO_SHORT,
					  TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | BEYOND,
					  TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 |
					  TOO_LARGE,
					  TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
					  TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
					  TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
	const __m256i low = _mm256_set1_epi8(15);
	__m256i one = SHIFTED(in, before, 1), two = SHIFTED(in, before, 2),
		three = SHIFTED(in, before, 3), due, pair;

	pair = _mm256_shuffle_epi8(lead_high, _mm256_and_si256(_mm256_srli_epi16(one, 4), low));
	pair = _mm256_and_si256(pair, _mm256_shuffle_epi8(lead_low, _mm256_and_si256(one, low)));
	pair = _mm256_and_si256(pair, _mm256_shuffle_epi8(next_high,
							  _mm256_and_si256(_mm256_srli_epi16(in, 4),
									   low)));
	due = _mm256_or_si256(_mm256_subs_epu8(two, _mm256_set1_epi8(0xe0 - 0x80)),
			      _mm256_subs_epu8(three, _mm256_set1_epi8(0xf0 - 0x80)));
	return _mm256_xor_si256(_mm256_and_si256(due, _mm256_set1_epi8(-128)), pair);
}

LH_TARGET bool lh_utf8_valid_avx2(const char *p, size_t n)
{
	__m256i before = _mm256_setzero_si256(), bad = before, in;
	char rest[32] = { 0 };

	for (; n >= 32; p += 32, n -= 32) {
		in = _mm256_loadu_si256((const __m256i *)p);
		bad = _mm256_or_si256(bad, errors(in, before));
		before = in;
	}
	/* zeros after the last byte reveal an incomplete sequence */
	memcpy(rest, p, n);
	bad = _mm256_or_si256(bad, errors(_mm256_loadu_si256((const __m256i *)rest), before));
	return _mm256_testz_si256(bad, bad);
}
#endif
