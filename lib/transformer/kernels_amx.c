/*
 * kernels_amx.c - products of floats by AMX, which multiplies tiles of bf16.
 *
 * A float is the sum of two numbers of bf16 and a rest of at most 2^-18 of it; an f16 or a bf16
 * has no rest.  Of the four products of such sums the smallest is left out, so that a product is
 * exact to 3 * 2^-18; sums are in floats.
 *
 * A unit is 32 inputs.  A tile of weights is 16 outputs by 32 inputs, for each 2 inputs of each
 * output 2 numbers; a tile of rows is 16 rows of 32 inputs.
 *
 * Weights of a unit:  the first parts of outputs 0 to 15, and of 16 to 31; the second ones.
 * Rows of a unit:     for each 16 rows the first parts, then the second ones.
 */
#ifdef __x86_64__
#ifndef __clang__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512bf16,amx-tile,amx-bf16,prefer-vector-width=512")
#endif
#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernels.h"

#ifdef __clang__
#pragma clang attribute push(__attribute__((target( \
	"avx512f,avx512bw,avx512vl,avx512bf16,amx-tile,amx-bf16"))), apply_to = function)
#endif

#define UNIT 32
#define TILE 1024		/* bytes */
#define LINE 64			/* bytes of a row of a tile */
#define TALL 16			/* rows of a tile */
#define W_BYTES (4 * TILE)
#define X_BYTES (2 * LINE)
#define INLINE static inline __attribute__((always_inline))

/* ---- layouts ---- */

/* Return 16 of 32 numbers, each in the low half of 32 bits. */
INLINE __m512i half_of(__m512i v, size_t half)
{
	return _mm512_cvtepu16_epi32(half ? _mm512_extracti64x4_epi64(v, 1)
					  : _mm512_castsi512_si256(v));
}

/* Divide n <= 32 floats into two parts; what is beyond n is 0. */
INLINE void divide(const float *x, size_t n, __m512i *first, __m512i *second)
{
	uint32_t mask = n < UNIT ? (UINT32_C(1) << n) - 1 : UINT32_MAX;
	__m512 a = _mm512_maskz_loadu_ps((__mmask16)mask, x);
	__m512 b = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), x + 16);

	*first = (__m512i)_mm512_cvtne2ps_pbh(b, a);
	a = _mm512_sub_ps(a, (__m512)_mm512_slli_epi32(half_of(*first, 0), 16));
	b = _mm512_sub_ps(b, (__m512)_mm512_slli_epi32(half_of(*first, 1), 16));
	*second = (__m512i)_mm512_cvtne2ps_pbh(b, a);
}

static void put(void *panels, size_t output, const void *row, size_t n)
{
	size_t units = (n + UNIT - 1) / UNIT, c = output % LH_PANEL;
	char *to = (char *)panels + output / LH_PANEL * units * W_BYTES + c / TALL * TILE +
		c % TALL * 4;
	const float *from = row;
	uint32_t pair[2][UNIT / 2];

	for (size_t i = 0; i < n; i += UNIT, to += W_BYTES) {
		__m512i first, second;

		divide(from + i, n - i, &first, &second);
		_mm512_storeu_si512(pair[0], first);
		_mm512_storeu_si512(pair[1], second);
		for (size_t j = 0; j < UNIT / 2; j++) {
			memcpy(to + j * LINE, &pair[0][j], 4);
			memcpy(to + 2 * TILE + j * LINE, &pair[1][j], 4);
		}
	}
}

/* The numbers of columns, of one part of two rows: n of each, side by side. */
static void put_columns(void *panel, const float *x, size_t stride, size_t in, size_t n)
{
	char *to = panel;

	for (size_t i = 0; i < (in + UNIT - 1) / UNIT * UNIT; i += 2) {
		char *at = to + i / UNIT * W_BYTES + i % UNIT / 2 * LINE;
		__m512i row[2][2] = { 0 };

		for (size_t j = 0; j < 2 && i + j < in; j++)
			divide(x + (i + j) * stride, n, &row[j][0], &row[j][1]);
		for (size_t part = 0; part < 2; part++, at += 2 * TILE)
			for (size_t half = 0; half < 2; half++) {
				__m512i a = half_of(row[0][part], half);
				__m512i b = half_of(row[1][part], half);

				b = _mm512_slli_epi32(b, 16);
				_mm512_store_si512(at + half * TILE, _mm512_or_si512(a, b));
			}
	}
}

static void pack(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	unsigned tiles = (rows + TALL - 1) / TALL;
	char *to = packed;

	for (size_t i = 0; i < n; i += UNIT, to += tiles * 2 * TILE)
		for (unsigned r = 0; r < tiles * TALL; r++) {
			char *at = to + r / TALL * 2 * TILE + r % TALL * LINE;
			__m512i first = _mm512_setzero_si512(), second = first;

			if (r < rows)
				divide(x + r * stride + i, n - i, &first, &second);
			_mm512_store_si512(at, first);
			_mm512_store_si512(at + TILE, second);
		}
}

/* ---- products ---- */

/* Eight tiles of 16 rows of 64 bytes. */
static void begin(void)
{
	static const struct {
		uint8_t palette, start, zero[14];
		uint16_t line[16];
		uint8_t rows[16];
	} shape = {
		.palette = 1,
		.line = { LINE, LINE, LINE, LINE, LINE, LINE, LINE, LINE },
		.rows = { TALL, TALL, TALL, TALL, TALL, TALL, TALL, TALL },
	};

	_tile_loadconfig(&shape);
}

static void end(void)
{
	_tile_release();
}

INLINE void fetch(struct lh_ahead *ahead)
{
	for (size_t i = 0; i < ahead->step; i += LINE)
		__builtin_prefetch(ahead->from + i, 0, 2);
	ahead->from += ahead->step;
}

/* Add the products of 32 rows, in tiles 0 to 3. */
INLINE void two_tiles(const char *x, const char *w, size_t n, struct lh_ahead ahead)
{
	for (; n; n -= UNIT, x += 4 * TILE, w += W_BYTES) {
		fetch(&ahead);
		_tile_loadd(4, x, LINE);
		_tile_loadd(5, x + 2 * TILE, LINE);
		_tile_loadd(6, w, LINE);
		_tile_loadd(7, w + TILE, LINE);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
		_tile_loadd(4, x + TILE, LINE);
		_tile_loadd(5, x + 3 * TILE, LINE);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
		_tile_loadd(4, x, LINE);
		_tile_loadd(5, x + 2 * TILE, LINE);
		_tile_loadd(6, w + 2 * TILE, LINE);
		_tile_loadd(7, w + 3 * TILE, LINE);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_dpbf16ps(2, 5, 6);
		_tile_dpbf16ps(3, 5, 7);
	}
}

/* Add the products of 16 rows, in tiles 0 and 1. */
INLINE void one_tile(const char *x, const char *w, size_t n, struct lh_ahead ahead)
{
	for (; n; n -= UNIT, x += 2 * TILE, w += W_BYTES) {
		fetch(&ahead);
		_tile_loadd(4, x, LINE);
		_tile_loadd(5, x + TILE, LINE);
		_tile_loadd(6, w, LINE);
		_tile_loadd(7, w + TILE, LINE);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
		_tile_dpbf16ps(0, 5, 6);
		_tile_dpbf16ps(1, 5, 7);
		_tile_loadd(6, w + 2 * TILE, LINE);
		_tile_loadd(7, w + 3 * TILE, LINE);
		_tile_dpbf16ps(0, 4, 6);
		_tile_dpbf16ps(1, 4, 7);
	}
}

/* Multiply whole tiles. */
static void whole(const char *x, unsigned rows, const char *w, size_t n, const float *from,
		  size_t from_stride, float *y, size_t stride, struct lh_ahead ahead)
{
	from_stride *= sizeof *from;
	stride *= sizeof *y;
	__asm__ volatile("" ::: "memory");
	_tile_loadd(0, from, from_stride);
	_tile_loadd(1, from + 16, from_stride);
	if (rows > TALL) {
		_tile_loadd(2, (const char *)from + TALL * from_stride, from_stride);
		_tile_loadd(3, (const char *)from + TALL * from_stride + LINE, from_stride);
		two_tiles(x, w, n, ahead);
		_tile_stored(2, (char *)y + TALL * stride, stride);
		_tile_stored(3, (char *)y + TALL * stride + LINE, stride);
	} else {
		one_tile(x, w, n, ahead);
	}
	_tile_stored(0, y, stride);
	_tile_stored(1, y + 16, stride);
}

static void block(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		  float *y, size_t stride, struct lh_ahead ahead)
{
	float part[2 * TALL][LH_PANEL] __attribute__((aligned(64)));

	if (rows % TALL == 0) {
		whole(x, rows, w, n, bias ? bias : y, bias ? 0 : stride, y, stride, ahead);
		return;
	}
	for (unsigned r = 0; !bias && r < rows; r++)
		memcpy(part[r], y + r * stride, sizeof part[r]);
	whole(x, rows, w, n, bias ? bias : part[0], bias ? 0 : LH_PANEL, part[0], LH_PANEL, ahead);
	for (unsigned r = 0; r < rows; r++)
		memcpy(y + r * stride, part[r], sizeof part[r]);
}

/* ---- whether there is AMX ---- */

/* Return whether the CPU has it, and the system saves tiles. */
static bool has_amx(void)
{
	const unsigned bf16 = 1 << 22, tiles = 1 << 24, osxsave = 1 << 27, state = 3 << 17;
	unsigned a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & osxsave) ||
	    !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & bf16) || !(d & tiles))
		return false;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & state) == state && __builtin_cpu_supports("avx512bf16") &&
		__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/* The permission is the process's; threads that begin later have it as well. */
bool lh_amx(void)
{
	enum { UNKNOWN, YES, NO };
	const int request = 0x1023, tile_data = 18;	/* ARCH_REQ_XCOMP_PERM */
	static int known;
	int is = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (is == UNKNOWN) {
		is = has_amx() && !syscall(SYS_arch_prctl, request, tile_data) ? YES : NO;
		__atomic_store_n(&known, is, __ATOMIC_RELAXED);
	}
	return is == YES;
}

const struct lh_product lh_product_amx = {
	.name = "amx", .error = 0x3p-18, .rows = 2 * TALL, .tile = TALL,
	.unit = UNIT, .w_bytes = W_BYTES, .x_bytes = X_BYTES, .part = 384, .put = put,
	.put_columns = put_columns, .pack = pack, .block = block, .begin = begin, .end = end,
};
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
