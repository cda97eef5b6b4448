/*
 * gguf_blocks.c - decode the blocks of tensors.  See gguf.h.
 *
 * Names of fields: d is the scale of a block, m what is added (Q4_1, Q5_1) or subtracted after
 * its own scale dmin (K types), qs are the low bits of the values, qh the high ones.  Each
 * function multiplies and adds in the order of ggml, so that the floats are the same.
 */
#include "gguf.h"

#include "base/cpu.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

#define K 256			/* values in a block of the K types */

/* ---- numbers ---- */

static inline uint16_t u16_at(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t u32_at(const unsigned char *p)
{
	return u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

static inline float float_of(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof f);
	return f;
}

/* A half shifted to the place of a float is 2^112 times too small, subnormal ones too. */
static inline float half_at(const unsigned char *p)
{
	uint32_t h = u16_at(p);
	float f = float_of((h & 0x7fff) << 13) * 0x1p112f;

	if ((h & 0x7c00) == 0x7c00)
		f = float_of(0x7f800000 | (h & 0x3ff) << 13);
	return h & 0x8000 ? -f : f;
}

static inline bool half_finite(const unsigned char *p)
{
	return (p[1] & 0x7c) != 0x7c;
}

/* ---- one value a block ---- */

static void decode_f32(const unsigned char *b, size_t n, float *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = float_of(u32_at(b + 4 * i));
}

static void decode_bf16(const unsigned char *b, size_t n, float *to)
{
	for (size_t i = 0; i < n; i++)
		to[i] = float_of((uint32_t)u16_at(b + 2 * i) << 16);
}

#ifdef __x86_64__
__attribute__((target("avx,f16c")))
static size_t decode_f16c(const unsigned char *b, size_t n, float *to)
{
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		__m128i halves = _mm_loadu_si128((const void *)(b + 2 * i));

		_mm256_storeu_ps(to + i, _mm256_cvtph_ps(halves));
	}
	return i;
}

/* Return whether the CPU has F16C, a name that not every compiler knows.  Determined once. */
static bool has_f16c(void)
{
	static int known;		/* 1: no, 2: yes */
	int is = __atomic_load_n(&known, __ATOMIC_RELAXED);
	unsigned a, b, c, d;

	if (!is) {
		is = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C) ? 2 : 1;
		__atomic_store_n(&known, is, __ATOMIC_RELAXED);
	}
	return is == 2;
}
#endif

static void decode_f16(const unsigned char *b, size_t n, float *to)
{
	size_t i = 0;

#ifdef __x86_64__
	if (lh_cpu() >= LH_CPU_AVX2 && has_f16c())
		i = decode_f16c(b, n, to);
#endif
	for (; i < n; i++)
		to[i] = half_at(b + 2 * i);
}

static bool finite_f32(const unsigned char *b, size_t n)
{
	bool bad = false;

	for (size_t i = 0; i < n; i++)
		bad |= (u16_at(b + 4 * i + 2) & 0x7f80) == 0x7f80;
	return !bad;
}

static bool finite_bf16(const unsigned char *b, size_t n)
{
	bool bad = false;

	for (size_t i = 0; i < n; i++)
		bad |= (u16_at(b + 2 * i) & 0x7f80) == 0x7f80;
	return !bad;
}

static bool finite_f16(const unsigned char *b, size_t n)
{
	bool bad = false;

	for (size_t i = 0; i < n; i++)
		bad |= !half_finite(b + 2 * i);
	return !bad;
}

/* ---- 32 values a block: the low nibbles are the first half ---- */

static void decode_q4_0(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 18, to += 32) {
		float d = half_at(b);

		for (int i = 0; i < 16; i++) {
			to[i] = (float)((b[2 + i] & 15) - 8) * d;
			to[i + 16] = (float)((b[2 + i] >> 4) - 8) * d;
		}
	}
}

static void decode_q4_1(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 20, to += 32) {
		float d = half_at(b), m = half_at(b + 2);

		for (int i = 0; i < 16; i++) {
			to[i] = (float)(b[4 + i] & 15) * d + m;
			to[i + 16] = (float)(b[4 + i] >> 4) * d + m;
		}
	}
}

static void decode_q5_0(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 22, to += 32) {
		float d = half_at(b);
		uint32_t qh = u32_at(b + 2);

		for (int i = 0; i < 16; i++) {
			int low = (b[6 + i] & 15) | (int)(qh >> i & 1) << 4;
			int high = b[6 + i] >> 4 | (int)(qh >> (i + 16) & 1) << 4;

			to[i] = (float)(low - 16) * d;
			to[i + 16] = (float)(high - 16) * d;
		}
	}
}

static void decode_q5_1(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 24, to += 32) {
		float d = half_at(b), m = half_at(b + 2);
		uint32_t qh = u32_at(b + 4);

		for (int i = 0; i < 16; i++) {
			int low = (b[8 + i] & 15) | (int)(qh >> i & 1) << 4;
			int high = b[8 + i] >> 4 | (int)(qh >> (i + 16) & 1) << 4;

			to[i] = (float)low * d + m;
			to[i + 16] = (float)high * d + m;
		}
	}
}

static void decode_q8_0(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 34, to += 32) {
		float d = half_at(b);

		for (int i = 0; i < 32; i++)
			to[i] = (float)(int8_t)b[2 + i] * d;
	}
}

/* ---- 256 values a block ---- */

/* Decode 32 values of Q4_K or Q5_K: run i of eight, low nibbles if i is even. */
static inline void decode_run(const unsigned char *b, const unsigned char *qs,
			      const unsigned char *qh, int i, float *to)
{
	int scale, min, shift = i % 2 * 4;
	float d, m;
	const unsigned char *s = b + 4;

	/* The first four scales are the low six bits of bytes 0..3, the minima of 4..7; of the
	 * others the low nibbles are in bytes 8..11, and the upper two bits are the upper ones
	 * of bytes 0..7. */
	if (i < 4) {
		scale = s[i] & 63;
		min = s[i + 4] & 63;
	} else {
		scale = (s[i + 4] & 15) | s[i - 4] >> 6 << 4;
		min = s[i + 4] >> 4 | s[i] >> 6 << 4;
	}
	d = half_at(b) * (float)scale;
	m = half_at(b + 2) * (float)min;
	qs += i / 2 * 32;
	for (int j = 0; j < 32; j++) {
		int q = (qs[j] >> shift & 15) | (qh ? (qh[j] >> i & 1) << 4 : 0);

		to[j] = d * (float)q - m;
	}
}

static void decode_q4_k(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 144, to += K)
		for (int i = 0; i < 8; i++)
			decode_run(b, b + 16, NULL, i, to + 32 * i);
}

static void decode_q5_k(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 176, to += K)
		for (int i = 0; i < 8; i++)
			decode_run(b, b + 48, b + 16, i, to + 32 * i);
}

/* A half of a Q6_K block, 128 values, has 64 bytes of low nibbles (the first 64 values the lower
 * ones), 32 bytes of upper bits (two for each run of 32) and 8 scales (one for 16 values). */
static void decode_q6_k_half(const unsigned char *low, const unsigned char *high,
			     const unsigned char *scale, float d, float *to)
{
	for (int run = 0; run < 4; run++)
		for (int j = 0; j < 32; j++) {
			int q = low[run % 2 * 32 + j] >> run / 2 * 4 & 15;

			q |= (high[j] >> 2 * run & 3) << 4;
			*to++ = d * (float)(int8_t)scale[2 * run + j / 16] * (float)(q - 32);
		}
}

static void decode_q6_k(const unsigned char *b, size_t n, float *to)
{
	for (; n; n--, b += 210, to += K) {
		float d = half_at(b + 208);

		decode_q6_k_half(b, b + 128, b + 192, d, to);
		decode_q6_k_half(b + 64, b + 160, b + 200, d, to + 128);
	}
}

/* ---- blocks are finite when their scales are ---- */

static bool finite_scales(const unsigned char *b, size_t n, unsigned bytes, unsigned at,
			  unsigned scales)
{
	for (; n; n--, b += bytes)
		for (unsigned i = 0; i < scales; i++)
			if (!half_finite(b + at + 2 * i))
				return false;
	return true;
}

#define FINITE(name, bytes, at, scales)						\
	static bool finite_##name(const unsigned char *b, size_t n)		\
	{									\
		return finite_scales(b, n, bytes, at, scales);			\
	}

FINITE(q4_0, 18, 0, 1)
FINITE(q4_1, 20, 0, 2)
FINITE(q5_0, 22, 0, 1)
FINITE(q5_1, 24, 0, 2)
FINITE(q8_0, 34, 0, 1)
FINITE(q4_k, 144, 0, 2)
FINITE(q5_k, 176, 0, 2)
FINITE(q6_k, 210, 208, 1)

/* ---- the table ---- */

static const struct lh_gguf_layout layouts[] = {
	[LH_GGUF_F32] = { "F32", 1, 4, decode_f32, finite_f32 },
	[LH_GGUF_F16] = { "F16", 1, 2, decode_f16, finite_f16 },
	[LH_GGUF_Q4_0] = { "Q4_0", 32, 18, decode_q4_0, finite_q4_0 },
	[LH_GGUF_Q4_1] = { "Q4_1", 32, 20, decode_q4_1, finite_q4_1 },
	[LH_GGUF_Q5_0] = { "Q5_0", 32, 22, decode_q5_0, finite_q5_0 },
	[LH_GGUF_Q5_1] = { "Q5_1", 32, 24, decode_q5_1, finite_q5_1 },
	[LH_GGUF_Q8_0] = { "Q8_0", 32, 34, decode_q8_0, finite_q8_0 },
	[9] = { "Q8_1", 32, 36, NULL, NULL },
	[10] = { "Q2_K", K, 84, NULL, NULL },
	[11] = { "Q3_K", K, 110, NULL, NULL },
	[LH_GGUF_Q4_K] = { "Q4_K", K, 144, decode_q4_k, finite_q4_k },
	[LH_GGUF_Q5_K] = { "Q5_K", K, 176, decode_q5_k, finite_q5_k },
	[LH_GGUF_Q6_K] = { "Q6_K", K, 210, decode_q6_k, finite_q6_k },
	[15] = { "Q8_K", K, 292, NULL, NULL },
	[16] = { "IQ2_XXS", K, 66, NULL, NULL },
	[17] = { "IQ2_XS", K, 74, NULL, NULL },
	[18] = { "IQ3_XXS", K, 98, NULL, NULL },
	[19] = { "IQ1_S", K, 50, NULL, NULL },
	[20] = { "IQ4_NL", 32, 18, NULL, NULL },
	[21] = { "IQ3_S", K, 110, NULL, NULL },
	[22] = { "IQ2_S", K, 82, NULL, NULL },
	[23] = { "IQ4_XS", K, 136, NULL, NULL },
	[24] = { "I8", 1, 1, NULL, NULL },
	[25] = { "I16", 1, 2, NULL, NULL },
	[26] = { "I32", 1, 4, NULL, NULL },
	[27] = { "I64", 1, 8, NULL, NULL },
	[28] = { "F64", 1, 8, NULL, NULL },
	[29] = { "IQ1_M", K, 56, NULL, NULL },
	[LH_GGUF_BF16] = { "BF16", 1, 2, decode_bf16, finite_bf16 },
	[34] = { "TQ1_0", K, 54, NULL, NULL },
	[35] = { "TQ2_0", K, 66, NULL, NULL },
	[39] = { "MXFP4", 32, 17, NULL, NULL },
};

const struct lh_gguf_layout *lh_gguf_layout(uint32_t type)
{
	if (type >= sizeof layouts / sizeof *layouts || !layouts[type].name)
		return NULL;
	return &layouts[type];
}

const char *lh_gguf_type_name(enum lh_gguf_type type)
{
	const struct lh_gguf_layout *l = lh_gguf_layout(type);

	return l ? l->name : "unknown";
}

bool lh_gguf_readable(const struct lh_gguf_tensor *t)
{
	return lh_gguf_layout(t->type)->decode;
}

void lh_gguf_row(const struct lh_gguf_tensor *t, uint64_t row, float *to)
{
	const struct lh_gguf_layout *l = lh_gguf_layout(t->type);
	size_t blocks = t->dim[0] / l->values;

	l->decode(t->data + row * blocks * l->bytes, blocks, to);
}

bool lh_gguf_rows_finite(const struct lh_gguf_tensor *t, uint64_t row, uint64_t n)
{
	const struct lh_gguf_layout *l = lh_gguf_layout(t->type);
	size_t blocks = t->dim[0] / l->values;

	return l->finite(t->data + row * blocks * l->bytes, n * blocks);
}

bool lh_gguf_finite(const struct lh_gguf_tensor *t)
{
	return lh_gguf_rows_finite(t, 0, t->dim[1] * t->dim[2] * t->dim[3]);
}
