/*
 * immintrin.h - the instructions of AVX-512, VNNI and AMX that lib/ uses, in C.
 *
 * With this folder before the compiler's, the kernels that are written for those instructions
 * run on a CPU that has AVX2 (make unit, tests/embed/emulated.bats).  A load or store touches
 * the bytes that the instruction touches, so AddressSanitizer sees what is beyond an array, and
 * one that has to be aligned ends the program where it is not.  What each does is from the
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
 *
 * They are here with lh before their names, as the kernels have them in the copies that are
 * compiled.  Not emulated: flushing of denormals by AMX, and NaN payloads.
 */
#ifndef EMULATED_IMMINTRIN_H
#define EMULATED_IMMINTRIN_H

#include_next <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EMULATED static inline __attribute__((target("avx2,fma,f16c"), always_inline, unused))

union lh_512 {
	__m512 ps;
	__m512i si;
	__m512d pd;
	__m512bh bh;
	__m256 ps256[2];
	__m256i si256[2];
	__m256d pd256[2];
	__m128i si128[4];
	float f[16];
	int32_t i[16];
	uint32_t u[16];
	int16_t h[32];
	uint16_t uh[32];
	int8_t b[64];
	uint8_t ub[64];
};

/* r = what body makes of the lanes i of a, b and c. */
#define UNARY(name, TO, to, TYPE, is, n, body) \
	EMULATED TO lh##name(TYPE x) \
	{ \
		union lh_512 a = { .is = x }, r = a; \
		for (int i = 0; i < (n); i++) \
			body; \
		return r.to; \
	}
#define BINARY(name, TYPE, is, n, body) \
	EMULATED TYPE lh##name(TYPE x, TYPE y) \
	{ \
		union lh_512 a = { .is = x }, b = { .is = y }, r = a; \
		for (int i = 0; i < (n); i++) \
			body; \
		return r.is; \
	}
#define TERNARY(name, TYPE, is, OTHER, also, n, body) \
	EMULATED TYPE lh##name(TYPE x, OTHER y, OTHER z) \
	{ \
		union lh_512 a = { .is = x }, b = { .also = y }, c = { .also = z }, r = a; \
		for (int i = 0; i < (n); i++) \
			body; \
		return r.is; \
	}

/* ---- floats ---- */

BINARY(_mm512_add_ps, __m512, ps, 16, r.f[i] = a.f[i] + b.f[i])
BINARY(_mm512_sub_ps, __m512, ps, 16, r.f[i] = a.f[i] - b.f[i])
BINARY(_mm512_mul_ps, __m512, ps, 16, r.f[i] = a.f[i] * b.f[i])
BINARY(_mm512_max_ps, __m512, ps, 16, r.f[i] = a.f[i] > b.f[i] ? a.f[i] : b.f[i])
UNARY(_mm512_abs_ps, __m512, ps, __m512, ps, 16, r.u[i] = a.u[i] & 0x7fffffff)
TERNARY(_mm512_fmadd_ps, __m512, ps, __m512, ps, 16, r.f[i] = __builtin_fmaf(a.f[i], b.f[i], c.f[i]))
TERNARY(_mm512_fnmadd_ps, __m512, ps, __m512, ps, 16,
	r.f[i] = __builtin_fmaf(-a.f[i], b.f[i], c.f[i]))

EMULATED __m512 lh_mm512_set1_ps(float x)
{
	return x - (__m512){ 0 };
}

EMULATED float lh_mm512_reduce_add_ps(__m512 v)
{
	union lh_512 a = { .ps = v };

	for (int half = 8; half; half /= 2)
		for (int i = 0; i < half; i++)
			a.f[i] += a.f[half + i];
	return a.f[0];
}

EMULATED float lh_mm512_reduce_max_ps(__m512 v)
{
	union lh_512 a = { .ps = v };

	for (int i = 1; i < 16; i++)
		a.f[0] = a.f[i] > a.f[0] ? a.f[i] : a.f[0];
	return a.f[0];
}

EMULATED __m512 lh_mm512_maskz_mov_ps(__mmask16 mask, __m512 v)
{
	union lh_512 a = { .ps = v };

	for (int i = 0; i < 16; i++)
		a.f[i] = mask >> i & 1 ? a.f[i] : 0;
	return a.ps;
}

EMULATED __m512 lh_mm512_mask_sub_ps(__m512 rest, __mmask16 mask, __m512 x, __m512 y)
{
	union lh_512 a = { .ps = x }, b = { .ps = y }, r = { .ps = rest };

	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			r.f[i] = a.f[i] - b.f[i];
	return r.ps;
}

/* ---- integers ---- */

BINARY(_mm512_add_epi32, __m512i, si, 16, r.u[i] = a.u[i] + b.u[i])
BINARY(_mm512_sub_epi32, __m512i, si, 16, r.u[i] = a.u[i] - b.u[i])
BINARY(_mm512_and_si512, __m512i, si, 16, r.u[i] = a.u[i] & b.u[i])
BINARY(_mm512_or_si512, __m512i, si, 16, r.u[i] = a.u[i] | b.u[i])
BINARY(_mm512_max_epi8, __m512i, si, 64, r.b[i] = a.b[i] > b.b[i] ? a.b[i] : b.b[i])
/* from each 16 bytes those that the low 4 bits of b name; 0 where its high bit is set */
BINARY(_mm512_shuffle_epi8, __m512i, si, 64,
       r.b[i] = (int8_t)(b.b[i] < 0 ? 0 : a.b[i / 16 * 16 + (b.b[i] & 15)]))
/* a + the products of four unsigned bytes of b and four signed ones of c */
TERNARY(_mm512_dpbusd_epi32, __m512i, si, __m512i, si, 64, r.i[i / 4] += b.ub[i] * c.b[i])

EMULATED __m512i lh_mm512_setzero_si512(void)
{
	return (__m512i){ 0 };
}

EMULATED __m512i lh_mm512_set1_epi32(int x)
{
	union lh_512 r;

	for (int i = 0; i < 16; i++)
		r.i[i] = x;
	return r.si;
}

EMULATED __m512i lh_mm512_set1_epi8(char x)
{
	union lh_512 r;

	memset(&r, x, sizeof r);
	return r.si;
}

EMULATED __m512i lh_last_first(const int x[16])
{
	union lh_512 r;

	for (int i = 0; i < 16; i++)
		r.i[i] = x[15 - i];
	return r.si;
}

#define lh_mm512_set_epi32(...) lh_last_first((const int[16]){ __VA_ARGS__ })

#define SHIFT(name, lane, operator) \
	EMULATED __m512i lh##name(__m512i x, unsigned bits) \
	{ \
		union lh_512 a = { .si = x }; \
		for (int i = 0; i < 16; i++) \
			a.lane[i] operator bits; \
		return a.si; \
	}
SHIFT(_mm512_slli_epi32, u, <<=)
SHIFT(_mm512_srli_epi32, u, >>=)
SHIFT(_mm512_srai_epi32, i, >>=)

EMULATED int lh_mm512_reduce_add_epi32(__m512i v)
{
	union lh_512 a = { .si = v };

	for (int i = 1; i < 16; i++)
		a.u[0] += a.u[i];
	return a.i[0];
}

EMULATED __m512i lh_mm512_mask_xor_epi32(__m512i rest, __mmask16 mask, __m512i x, __m512i y)
{
	union lh_512 a = { .si = x }, b = { .si = y }, r = { .si = rest };

	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			r.u[i] = a.u[i] ^ b.u[i];
	return r.si;
}

/* ---- parts and conversions ---- */

EMULATED __m512 lh_mm512_permutexvar_ps(__m512i which, __m512 v)
{
	union lh_512 a = { .si = which }, b = { .ps = v }, r;

	for (int i = 0; i < 16; i++)
		r.f[i] = b.f[a.u[i] & 15];
	return r.ps;
}

EMULATED __m512 lh_mm512_castsi512_ps(__m512i v)
{
	return (__m512)v;
}

EMULATED __m256i lh_mm512_castsi512_si256(__m512i v)
{
	return ((union lh_512){ .si = v }).si256[0];
}

EMULATED __m256 lh_mm512_castps512_ps256(__m512 v)
{
	return ((union lh_512){ .ps = v }).ps256[0];
}

EMULATED __m256i lh_mm512_extracti64x4_epi64(__m512i v, int half)
{
	return ((union lh_512){ .si = v }).si256[half];
}

EMULATED __m256d lh_mm512_extractf64x4_pd(__m512d v, int half)
{
	return ((union lh_512){ .pd = v }).pd256[half];
}

UNARY(_mm512_cvtepi32_ps, __m512, ps, __m512i, si, 16, r.f[i] = (float)a.i[i])
UNARY(_mm512_cvtps_epi32, __m512i, si, __m512, ps, 2, r.si256[i] = _mm256_cvtps_epi32(a.ps256[i]))
/* the low bytes, or with s the bytes that are nearest */
UNARY(_mm512_cvtepi32_epi8, __m128i, si128[0], __m512i, si, 16, r.b[i] = (int8_t)a.i[i])
UNARY(_mm512_cvtsepi32_epi8, __m128i, si128[0], __m512i, si, 16,
      r.b[i] = (int8_t)(a.i[i] > 127 ? 127 : a.i[i] < -128 ? -128 : a.i[i]))

/* of 16 lanes that are narrower */
#define WIDEN(name, TYPE, is, lane) \
	EMULATED __m512i lh##name(TYPE x) \
	{ \
		union lh_512 a = { .is = { x } }, r; \
		for (int i = 0; i < 16; i++) \
			r.i[i] = a.lane[i]; \
		return r.si; \
	}
WIDEN(_mm512_cvtepi8_epi32, __m128i, si128, b)
WIDEN(_mm512_cvtepu8_epi32, __m128i, si128, ub)
WIDEN(_mm512_cvtepu16_epi32, __m256i, si256, uh)

EMULATED __m512 lh_mm512_cvtph_ps(__m256i v)
{
	union lh_512 a = { .si256 = { v } };

	return ((union lh_512){ .ps256 = { _mm256_cvtph_ps(a.si128[0]),
					   _mm256_cvtph_ps(a.si128[1]) } }).ps;
}

/* To bf16: to the nearest, to the even one of two; a denormal is 0. */
EMULATED uint16_t lh_bf16(uint32_t f)
{
	if ((f & 0x7f800000) == 0)
		f &= 0x80000000;
	if ((f & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(f >> 16 | 0x40);
	return (uint16_t)((f + 0x7fff + (f >> 16 & 1)) >> 16);
}

EMULATED __m512bh lh_mm512_cvtne2ps_pbh(__m512 upper, __m512 lower)
{
	union lh_512 a = { .ps = lower }, b = { .ps = upper }, r;

	for (int i = 0; i < 16; i++) {
		r.uh[i] = lh_bf16(a.u[i]);
		r.uh[16 + i] = lh_bf16(b.u[i]);
	}
	return r.bh;
}

/* ---- memory ---- */

EMULATED __m512 lh_mm512_loadu_ps(const void *p)
{
	union lh_512 r;

	memcpy(&r, p, sizeof r);
	return r.ps;
}

EMULATED __m512 lh_mm512_maskz_loadu_ps(__mmask16 mask, const void *p)
{
	union lh_512 r = { 0 };

	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			memcpy(r.f + i, (const float *)p + i, sizeof *r.f);
	return r.ps;
}

EMULATED __m512i lh_mm512_loadu_si512(const void *p)
{
	return (__m512i)lh_mm512_loadu_ps(p);
}

EMULATED __m512i lh_mm512_mask_loadu_epi8(__m512i rest, __mmask64 mask, const void *p)
{
	union lh_512 r = { .si = rest };

	for (int i = 0; i < 64; i++)
		if (mask >> i & 1)
			r.b[i] = ((const int8_t *)p)[i];
	return r.si;
}

EMULATED __m256i lh_mm256_maskz_loadu_epi16(__mmask16 mask, const void *p)
{
	union lh_512 r = { 0 };

	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			memcpy(r.h + i, (const int16_t *)p + i, sizeof *r.h);
	return r.si256[0];
}

EMULATED void lh_mm512_storeu_ps(void *p, __m512 v)
{
	memcpy(p, &v, sizeof v);
}

EMULATED void lh_mm512_storeu_si512(void *p, __m512i v)
{
	memcpy(p, &v, sizeof v);
}

EMULATED void lh_mm512_store_si512(void *p, __m512i v)
{
	if ((uintptr_t)p % sizeof v)
		__builtin_trap();
	memcpy(p, &v, sizeof v);
}

EMULATED void lh_mm512_mask_storeu_epi8(void *p, __mmask64 mask, __m512i v)
{
	union lh_512 a = { .si = v };

	for (int i = 0; i < 64; i++)
		if (mask >> i & 1)
			((int8_t *)p)[i] = a.b[i];
}

/* ---- tiles ---- */

/* Those of a thread: 8 of rows of bytes. */
static __thread struct {
	bool begun;
	struct {
		uint8_t palette, start, zero[14];
		uint16_t line[16];	/* bytes of a row of a tile */
		uint8_t rows[16];
	} shape;
	unsigned char tile[8][16][64];
} lh_tiles __attribute__((unused));

EMULATED void lh_tile_loadconfig(const void *shape)
{
	memset(&lh_tiles, 0, sizeof lh_tiles);
	memcpy(&lh_tiles.shape, shape, sizeof lh_tiles.shape);
	lh_tiles.begun = lh_tiles.shape.palette == 1;
}

EMULATED void lh_tile_release(void)
{
	lh_tiles.begun = false;
}

EMULATED void lh_tile_loadd(int to, const void *from, size_t stride)
{
	if (!lh_tiles.begun)
		__builtin_trap();
	memset(lh_tiles.tile[to], 0, sizeof lh_tiles.tile[to]);
	for (size_t i = 0; i < lh_tiles.shape.rows[to]; i++)
		memcpy(lh_tiles.tile[to][i], (const char *)from + i * stride,
		       lh_tiles.shape.line[to]);
}

EMULATED void lh_tile_stored(int from, void *to, size_t stride)
{
	if (!lh_tiles.begun)
		__builtin_trap();
	for (size_t i = 0; i < lh_tiles.shape.rows[from]; i++)
		memcpy((char *)to + i * stride, lh_tiles.tile[from][i], lh_tiles.shape.line[from]);
}

/* Two floats of two bf16 that are side by side. */
EMULATED void lh_two_floats(const unsigned char *p, float f[2])
{
	uint32_t pair, low, high;

	memcpy(&pair, p, sizeof pair);
	low = pair << 16;
	high = pair & 0xffff0000;
	memcpy(f, &low, sizeof low);
	memcpy(f + 1, &high, sizeof high);
}

/* to += x w: the products of even inputs have one sum, those of odd ones another. */
static inline __attribute__((target("avx2,fma,f16c"), unused)) void
lh_tile_dpbf16ps(int to, int x, int w)
{
	float rows[16][2], pair[2], even[16], odd[16], sum;
	size_t inputs = lh_tiles.shape.line[x] / 4u, outputs = lh_tiles.shape.line[to] / 4u;

	if (!lh_tiles.begun)
		__builtin_trap();
	for (size_t r = 0; r < lh_tiles.shape.rows[to]; r++) {
		memset(even, 0, sizeof even);
		memset(odd, 0, sizeof odd);
		for (size_t k = 0; k < inputs; k++) {
			lh_two_floats(lh_tiles.tile[x][r] + 4 * k, pair);
			for (size_t c = 0; c < outputs; c++)
				lh_two_floats(lh_tiles.tile[w][k] + 4 * c, rows[c]);
			for (size_t c = 0; c < outputs; c++) {
				even[c] = __builtin_fmaf(pair[0], rows[c][0], even[c]);
				odd[c] = __builtin_fmaf(pair[1], rows[c][1], odd[c]);
			}
		}
		for (size_t c = 0; c < outputs; c++) {
			memcpy(&sum, lh_tiles.tile[to][r] + 4 * c, sizeof sum);
			sum += even[c] + odd[c];
			memcpy(lh_tiles.tile[to][r] + 4 * c, &sum, sizeof sum);
		}
	}
}

#endif
