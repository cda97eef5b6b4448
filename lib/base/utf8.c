/* utf8.c - UTF-8 and base64, by AVX2 where the CPU has it.  See utf8.h, cpu.h and num.h. */
#include "utf8.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "bits.h"
#include "cpu.h"

/* ---- which instructions this CPU has, and how many cores ---- */

static enum lh_cpu detect(void)
{
#ifdef __x86_64__
	const char *bound = getenv("LH_KERNEL");

	__builtin_cpu_init();
	if ((!bound || strcmp(bound, "portable")) && __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("bmi2"))
		return LH_CPU_AVX2;
#endif
	return LH_CPU_PORTABLE;
}

enum lh_cpu lh_cpu(void)
{
	static enum lh_cpu known;
	enum lh_cpu cpu = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (__builtin_expect(!cpu, 0)) {
		cpu = detect();
		__atomic_store_n(&known, cpu, __ATOMIC_RELAXED);
	}
	return cpu;
}

unsigned lh_cpu_cores(unsigned most)
{
	cpu_set_t set;
	unsigned n;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	n = (unsigned)CPU_COUNT(&set);
	return n > most ? most : n;
}

/* ---- UTF-8, 32 bytes at a time ---- */

/*
 * Validated by table lookup, after John
 * Keiser and Daniel Lemire, "Validating UTF-8 In Less Than One Instruction Per
 * Byte" (2021).
 *
 * Three tables, indexed by the high half and the low half of a byte and the high
 * half of the next one, each give the set of errors that the pair may be; a bit set
 * in all three is an error.  Third and fourth bytes are counted from their lead.
 */

#ifdef __x86_64__

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

static LH_TARGET bool lh_utf8_valid_avx2(const char *p, size_t n)
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

/* ---- UTF-8 ---- */

static bool tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Table 3-7 of the Unicode standard. */
size_t lh_utf8_len(const unsigned char *s, size_t left)
{
	unsigned char c = s[0];

	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (c < 0xe0)
		return left >= 2 && tail(s[1]) ? 2 : 0;
	if (c < 0xf0) {
		if (left < 3 || !tail(s[1]) || !tail(s[2]))
			return 0;
		return (c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ? 0 : 3;
	}
	if (left < 4 || !tail(s[1]) || !tail(s[2]) || !tail(s[3]))
		return 0;
	return (c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f) ? 0 : 4;
}

const char *lh_utf8_bad(const char *p, const char *end)
{
	size_t n;

#ifdef __x86_64__
	if (end - p >= 32 && lh_cpu() == LH_CPU_AVX2 && lh_utf8_valid_avx2(p, (size_t)(end - p)))
		return end;
#endif
	while (p < end) {
		if (end - p >= 8 && !(lh_load64(p) & 0x8080808080808080ull)) {
			p += 8;
		} else if (!(*p & 0x80)) {
			p++;
		} else {
			n = lh_utf8_len((const unsigned char *)p, (size_t)(end - p));
			if (!n)
				return p;
			p += n;
		}
	}
	return end;
}

bool lh_utf8_valid(const char *p, size_t n)
{
	return lh_utf8_bad(p, p + n) == p + n;
}

/* Return whether Windows-1252, and so Latin-1, has this byte.  þ and ÿ are left out: they are
 * rare in texts, and frequent in what is none. */
static bool in_windows_1252(unsigned char c)
{
	return c < 0xfe && !memchr("\x81\x8d\x8f\x90\x9d", c, 5) &&
	       (c >= ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Of two bytes that could begin a character of UTF-8 the text is more likely damaged UTF-8.
 * In the languages that Latin-1 serves there are hardly three such letters in a row. */
const char *lh_utf8_advice(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p, *to = (const unsigned char *)end;
	size_t run = 0, longest = 0;
	bool any = false;

	for (; s < to; s++) {
		if (!in_windows_1252(*s) ||
		    (*s >= 0xc0 && s + 1 < to && s[1] >= 0x80 && s[1] < 0xc0))
			return "";
		any |= *s >= 0xc0 || (*s >= 0x80 && *s < 0xa0);	/* a letter; quotes and the euro */
		run = *s >= 0xc0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return !any ? "" : longest < 3
	       ? ", looks like Latin-1 (iconv -f WINDOWS-1252 -t UTF-8 converts it)"
	       : ", looks like another encoding (iconv -f ENCODING -t UTF-8 converts it)";
}

/* ---- base64, 24 bytes against 32 characters at a time ---- */

/*
 * After Wojciech
 * Mula and Daniel Lemire, "Faster Base64 Encoding and Decoding using AVX2
 * Instructions" (2018).
 */

#ifdef __x86_64__

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

static LH_TARGET size_t lh_base64_encode_avx2(char *to, const unsigned char *p, size_t n)
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

static LH_TARGET size_t lh_base64_decode_avx2(unsigned char *to, const unsigned char *p, size_t n)
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

/* ---- base64 ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define XX 64
static const unsigned char value[256] = {
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
	XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX, XX, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
	XX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, XX,
	XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
	[128 ... 255] = XX,
};

static size_t encode(char *to, const unsigned char *s, size_t n)
{
	size_t i = 0;
	char *at;

#ifdef __x86_64__
	if (lh_cpu() == LH_CPU_AVX2)
		i = lh_base64_encode_avx2(to, s, n);
#endif
	for (at = to + i / 3 * 4; i + 3 <= n; i += 3, at += 4) {
		uint32_t v = (uint32_t)s[i] << 16 | (uint32_t)s[i + 1] << 8 | s[i + 2];

		at[0] = alphabet[v >> 18];
		at[1] = alphabet[v >> 12 & 63];
		at[2] = alphabet[v >> 6 & 63];
		at[3] = alphabet[v & 63];
	}
	if (i < n) {
		uint32_t v = (uint32_t)s[i] << 16 | (i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0);

		at[0] = alphabet[v >> 18];
		at[1] = alphabet[v >> 12 & 63];
		at[2] = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		at[3] = '=';
		at += 4;
	}
	return (size_t)(at - to);
}

void lh_buf_base64(struct lh_buf *b, const void *p, size_t n)
{
	char *to = lh_buf_room(b, n < SIZE_MAX / 2 ? (n + 2) / 3 * 4 : SIZE_MAX);

	if (to)
		lh_buf_took(b, encode(to, p, n));
}

long lh_base64_read(const char *p, size_t n, void *to)
{
	const unsigned char *s = (const unsigned char *)p;
	unsigned char *at = to, a, b, c, d, bad = 0;
	size_t i = 0, pad;

	if (n % 4)
		return -1;
#ifdef __x86_64__
	if (lh_cpu() == LH_CPU_AVX2)
		i = lh_base64_decode_avx2(to, s, n);
#endif
	at += i / 4 * 3;
	pad = n ? (s[n - 1] == '=') + (s[n - 1] == '=' && s[n - 2] == '=') : 0;
	for (; i + 4 + (pad ? 4 : 0) <= n; i += 4, at += 3) {
		a = value[s[i]];
		b = value[s[i + 1]];
		c = value[s[i + 2]];
		d = value[s[i + 3]];
		bad |= a | b | c | d;
		at[0] = (unsigned char)(a << 2 | b >> 4);
		at[1] = (unsigned char)(b << 4 | c >> 2);
		at[2] = (unsigned char)(c << 6 | d);
	}
	if (pad) {
		a = value[s[i]];
		b = value[s[i + 1]];
		c = pad == 2 ? 0 : value[s[i + 2]];
		bad |= a | b | c;
		/* bits after the last byte must be zero, otherwise two texts have one
		 * meaning */
		if ((pad == 2 ? b & 15 : c & 3))
			return -1;
		*at++ = (unsigned char)(a << 2 | b >> 4);
		if (pad == 1)
			*at++ = (unsigned char)(b << 4 | c >> 2);
	}
	return bad & XX ? -1 : at - (unsigned char *)to;
}
