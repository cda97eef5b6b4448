/*
 * kernels_amx.c - products of floats by AMX, which multiplies tiles of bf16.
 *
 * A float is the sum of two numbers of bf16 and a rest of at most 2^-17 of it; an f16 or a bf16
 * has no rest.  Of the four products of such sums the smallest is left out, so that a product is
 * exact to 2^-15; sums are in floats.  Rounded products have one part of each: exact to 2^-7.
 *
 * A unit is 32 inputs.  A tile of weights is 16 outputs by 32 inputs, for each 2 inputs of each
 * output 2 numbers; a tile of rows is 16 rows of 32 inputs.
 *
 * Weights of a unit:  the first parts of outputs 0 to 15, and of 16 to 31; the second ones.
 * Rows of a unit:     for each 16 rows the first parts, then the second ones.
 * F16 of a unit:      for each input 16 outputs, then the same of outputs 16 to 31.
 * Q8_0 of a unit:     bytes in the order of the tiles; then the scales, f16.  Tiles of F16 and
 *                     Q8_0 are made part by part.
 */
#ifdef __x86_64__
#ifndef __clang__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512bf16,f16c,prefer-vector-width=512")
#pragma GCC target("amx-tile,amx-bf16")
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
	"avx512f,avx512bw,avx512vl,avx512bf16,f16c,amx-tile,amx-bf16"))), apply_to = function)
#endif

#define UNIT 32
#define TILE 1024		/* bytes */
#define LINE 64			/* bytes of a row of a tile */
#define TALL 16			/* rows of a tile */
#define Q8_BYTES (LH_PANEL * UNIT + 2 * LH_PANEL)
#define PART 128		/* inputs of a panel that are multiplied at once */
#define INLINE static inline __attribute__((always_inline))

/* ---- layouts ---- */

/* Return 16 of 32 numbers, each in the low half of 32 bits. */
INLINE __m512i half_of(__m512i v, size_t half)
{
	return _mm512_cvtepu16_epi32(half ? _mm512_extracti64x4_epi64(v, 1)
					  : _mm512_castsi512_si256(v));
}

/* Divide 32 floats into two parts. */
INLINE void divide(__m512 a, __m512 b, __m512i *first, __m512i *second)
{
	*first = (__m512i)_mm512_cvtne2ps_pbh(b, a);
	a = _mm512_sub_ps(a, (__m512)_mm512_slli_epi32(half_of(*first, 0), 16));
	b = _mm512_sub_ps(b, (__m512)_mm512_slli_epi32(half_of(*first, 1), 16));
	*second = (__m512i)_mm512_cvtne2ps_pbh(b, a);
}

/* Divide n <= 32 floats; what is beyond n is 0. */
INLINE void divide_row(const float *x, size_t n, __m512i *first, __m512i *second)
{
	uint32_t mask = n < UNIT ? (UINT32_C(1) << n) - 1 : UINT32_MAX;

	divide(_mm512_maskz_loadu_ps((__mmask16)mask, x),
	       _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), x + 16), first, second);
}

/* Put an output into panels of one or two parts. */
INLINE void put_parts(void *panels, size_t output, const float *row, size_t n, const size_t parts)
{
	size_t units = (n + UNIT - 1) / UNIT, c = output % LH_PANEL;
	char *to = (char *)panels + output / LH_PANEL * units * parts * 2 * TILE +
		c / TALL * TILE + c % TALL * 4;
	uint32_t pair[2][UNIT / 2];

	for (size_t i = 0; i < n; i += UNIT, to += parts * 2 * TILE) {
		__m512i first, second;

		divide_row(row + i, n - i, &first, &second);
		_mm512_storeu_si512(pair[0], first);
		_mm512_storeu_si512(pair[1], second);
		for (size_t k = 0; k < parts; k++)
			for (size_t j = 0; j < UNIT / 2; j++)
				memcpy(to + k * 2 * TILE + j * LINE, &pair[k][j], 4);
	}
}

static void put(void *panels, size_t output, const void *row, size_t n)
{
	put_parts(panels, output, row, n, 2);
}

static void put_rounded(void *panels, size_t output, const void *row, size_t n)
{
	put_parts(panels, output, row, n, 1);
}

/* The numbers of columns, of one part of two rows: n of each, side by side. */
static void put_columns(void *panel, const float *x, size_t stride, size_t in, size_t n)
{
	char *to = panel;

	for (size_t i = 0; i < (in + UNIT - 1) / UNIT * UNIT; i += 2) {
		char *at = to + i / UNIT * 4 * TILE + i % UNIT / 2 * LINE;
		__m512i row[2][2] = { 0 };

		for (size_t j = 0; j < 2 && i + j < in; j++)
			divide_row(x + (i + j) * stride, n, &row[j][0], &row[j][1]);
		for (size_t part = 0; part < 2; part++, at += 2 * TILE)
			for (size_t half = 0; half < 2; half++) {
				__m512i a = half_of(row[0][part], half);
				__m512i b = half_of(row[1][part], half);

				b = _mm512_slli_epi32(b, 16);
				_mm512_store_si512(at + half * TILE, _mm512_or_si512(a, b));
			}
	}
}

INLINE void pack_parts(const float *x, size_t stride, unsigned rows, size_t n, char *to,
		       const size_t parts)
{
	unsigned tiles = (rows + TALL - 1) / TALL;

	for (size_t i = 0; i < n; i += UNIT, to += tiles * parts * TILE)
		for (unsigned r = 0; r < tiles * TALL; r++) {
			char *at = to + r / TALL * parts * TILE + r % TALL * LINE;
			__m512i first = _mm512_setzero_si512(), second = first;

			if (r < rows)
				divide_row(x + r * stride + i, n - i, &first, &second);
			_mm512_store_si512(at, first);
			if (parts > 1)
				_mm512_store_si512(at + TILE, second);
		}
}

static void pack(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	pack_parts(x, stride, rows, n, packed, 2);
}

static void pack_rounded(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	pack_parts(x, stride, rows, n, packed, 1);
}

/* ---- Q8_0 ---- */

static void put_blocks(void *panels, size_t output, const void *row, size_t n)
{
	size_t c = output % LH_PANEL;
	char *to = (char *)panels + output / LH_PANEL * (n / UNIT) * Q8_BYTES;
	const char *from = row;

	for (; n; n -= UNIT, from += LH_Q8_BYTES, to += Q8_BYTES) {
		char *at = to + c / TALL * TALL * UNIT + c % TALL * 2;

		for (size_t i = 0; i < UNIT; i += 2, at += 2 * TALL)
			memcpy(at, from + 2 + i, 2);
		memcpy(to + LH_PANEL * UNIT + c * 2, from, 2);
	}
}

INLINE __m512 bytes_at(const char *p)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)p)));
}

/* Make a tile of each part of the weights of 16 outputs and their scales. */
INLINE void spread_tile(const char *w, const char *scales, char *to, const size_t parts)
{
	const __m512i twice = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
	__m512 scale = _mm512_cvtph_ps(_mm256_loadu_si256((const void *)scales));
	__m512 low = _mm512_permutexvar_ps(twice, scale);
	__m512 high = _mm512_permutexvar_ps(_mm512_add_epi32(twice, _mm512_set1_epi32(8)), scale);

	for (size_t i = 0; i < UNIT / 2; i++, w += 2 * TALL, to += LINE) {
		__m512 a = _mm512_mul_ps(bytes_at(w), low);
		__m512 b = _mm512_mul_ps(bytes_at(w + TALL), high);
		__m512i first, second;

		divide(a, b, &first, &second);
		_mm512_store_si512(to, first);
		if (parts > 1)
			_mm512_store_si512(to + 2 * TILE, second);
	}
}

INLINE void spread_parts(const char *from, size_t n, char *to, const size_t parts)
{
	for (; n; n -= UNIT, from += Q8_BYTES, to += parts * 2 * TILE) {
		const char *scales = from + LH_PANEL * UNIT;

		spread_tile(from, scales, to, parts);
		spread_tile(from + TALL * UNIT, scales + 2 * TALL, to + TILE, parts);
	}
}

static void spread_blocks(const void *panel, size_t n, void *tiles)
{
	spread_parts(panel, n, tiles, 2);
}

static void spread_rounded(const void *panel, size_t n, void *tiles)
{
	spread_parts(panel, n, tiles, 1);
}

/* ---- F16 ---- */

static void put_halves(void *panels, size_t output, const void *row, size_t n)
{
	size_t units = (n + UNIT - 1) / UNIT, c = output % LH_PANEL;
	char *to = (char *)panels + output / LH_PANEL * units * 2 * TILE + c / TALL * TILE +
		c % TALL * 2;
	const float *from = row;

	for (size_t i = 0; i < n; i++) {
		uint16_t half = _cvtss_sh(from[i], _MM_FROUND_TO_NEAREST_INT);

		memcpy(to + i / UNIT * 2 * TILE + i % UNIT * TALL * 2, &half, sizeof half);
	}
}

INLINE __m512 halves_at(const char *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)p));
}

/* Make tiles of both parts, the first the upper 8 of 11 bits, while the next ones are fetched. */
static void spread_halves(const void *panel, size_t n, void *tiles)
{
	const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
	const char *from = panel;
	char *to = tiles;

	for (size_t i = 0; i < n * 2; i += 2, from += LINE, to += LINE) {
		__m512 a = halves_at(from), b = halves_at(from + TALL * 2);
		__m512i first_a = _mm512_and_si512((__m512i)a, upper);
		__m512i first_b = _mm512_and_si512((__m512i)b, upper);

		__builtin_prefetch(from + 2 * LH_PANEL * PART, 0, 2);
		if (i && i % (2 * UNIT) == 0)
			to += 2 * TILE;
		a = _mm512_sub_ps(a, (__m512)first_a);
		b = _mm512_sub_ps(b, (__m512)first_b);
		_mm512_store_si512(to, _mm512_or_si512(_mm512_srli_epi32(first_a, 16), first_b));
		_mm512_store_si512(to + 2 * TILE, _mm512_or_si512(
			_mm512_srli_epi32((__m512i)a, 16), (__m512i)b));
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

static void end_tiles(void)
{
	_tile_release();
}

INLINE void fetch(struct lh_ahead *ahead)
{
	for (const char *end = ahead->from + UNIT * ahead->step; ahead->from < end;
	     ahead->from += LINE)
		__builtin_prefetch(ahead->from, 0, 2);
}

/* Add the products of tiles 4 and 5 of rows, or 4 alone, and 6 and 7 of weights. */
INLINE void products(const bool both)
{
	_tile_dpbf16ps(0, 4, 6);
	_tile_dpbf16ps(1, 4, 7);
	if (!both)
		return;
	_tile_dpbf16ps(2, 5, 6);
	_tile_dpbf16ps(3, 5, 7);
}

/* Load tile 4 of rows, and 5 if there are more than 16. */
INLINE void load_rows(const char *x, const size_t next, const bool both)
{
	_tile_loadd(4, x, LINE);
	if (both)
		_tile_loadd(5, x + next, LINE);
}

INLINE void load_weights(const char *w)
{
	_tile_loadd(6, w, LINE);
	_tile_loadd(7, w + TILE, LINE);
}

/* Add the products of 16 rows, in tiles 0 and 1, or of 32, in tiles 0 to 3. */
INLINE void tiles(const char *x, const char *w, size_t n, const bool exact, const bool both,
		  struct lh_ahead ahead)
{
	const size_t next = exact ? 2 * TILE : TILE;

	for (; n; n -= UNIT, x += both ? 2 * next : next, w += 2 * next) {
		fetch(&ahead);
		load_rows(x, next, both);
		load_weights(w);
		products(both);
		if (!exact)
			continue;
		load_rows(x + TILE, next, both);
		products(both);
		load_rows(x, next, both);
		load_weights(w + 2 * TILE);
		products(both);
	}
}

/* Where sums begin, or end. */
struct sums {
	float *at;
	size_t stride;		/* bytes */
};

/* Multiply whole tiles. */
INLINE void whole(const char *x, unsigned rows, const char *w, size_t n, const bool exact,
		  struct sums from, struct sums y, struct lh_ahead ahead)
{
	const char *lower = (const char *)from.at + TALL * from.stride;
	char *lower_y = (char *)y.at + TALL * y.stride;

	__asm__ volatile("" ::: "memory");	/* GCC's loads of tiles do not say that they read */
	_tile_loadd(0, from.at, from.stride);
	_tile_loadd(1, from.at + 16, from.stride);
	if (rows > TALL) {
		_tile_loadd(2, lower, from.stride);
		_tile_loadd(3, lower + LINE, from.stride);
		tiles(x, w, n, exact, true, ahead);
		_tile_stored(2, lower_y, y.stride);
		_tile_stored(3, lower_y + LINE, y.stride);
	} else {
		tiles(x, w, n, exact, false, ahead);
	}
	_tile_stored(0, y.at, y.stride);
	_tile_stored(1, y.at + 16, y.stride);
}

INLINE void any_rows(const void *x, unsigned rows, const void *w, size_t n, const bool exact,
		     const float *bias, struct sums y, struct lh_ahead ahead)
{
	float part[2 * TALL][LH_PANEL] __attribute__((aligned(64)));
	struct sums from = { bias ? (float *)bias : y.at, bias ? 0 : y.stride };
	char *to = (char *)y.at;

	if (rows % TALL == 0) {
		whole(x, rows, w, n, exact, from, y, ahead);
		return;
	}
	for (unsigned r = 0; !bias && r < rows; r++)
		memcpy(part[r], to + r * y.stride, sizeof part[r]);
	if (!bias)
		from = (struct sums){ part[0], sizeof part[0] };
	whole(x, rows, w, n, exact, from, (struct sums){ part[0], sizeof part[0] }, ahead);
	for (unsigned r = 0; r < rows; r++)
		memcpy(to + r * y.stride, part[r], sizeof part[r]);
}

static void block(const void *x, unsigned rows, const void *w, size_t n, const float *bias,
		  float *y, size_t stride, struct lh_ahead ahead)
{
	any_rows(x, rows, w, n, true, bias, (struct sums){ y, stride * sizeof *y }, ahead);
}

static void rounded_block(const void *x, unsigned rows, const void *w, size_t n,
			  const float *bias, float *y, size_t stride, struct lh_ahead ahead)
{
	any_rows(x, rows, w, n, false, bias, (struct sums){ y, stride * sizeof *y }, ahead);
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
	.name = "amx", .error = 0x1.01p-15, .rows = 2 * TALL, .tile = TALL, .unit = UNIT,
	.w_bytes = 4 * TILE, .x_bytes = 2 * LINE, .part = PART, .put = put,
	.put_columns = put_columns, .pack = pack, .block = block, .begin = begin, .end = end_tiles,
};

const struct lh_product lh_product_amx_f16 = {
	.name = "amx-f16", .error = 0x1.01p-14, .rows = 2 * TALL, .tile = TALL, .unit = UNIT,
	.w_bytes = 2 * TILE, .x_bytes = 2 * LINE, .part = PART, .put = put_halves, .pack = pack,
	.spread = spread_halves, .block = block, .begin = begin, .end = end_tiles,
};

const struct lh_product lh_product_amx_bf16 = {
	.name = "amx-bf16", .error = 0x1.01p-7, .rows = 2 * TALL, .tile = TALL, .unit = UNIT,
	.w_bytes = 2 * TILE, .x_bytes = LINE, .part = 6 * PART, .put = put_rounded,
	.pack = pack_rounded, .block = rounded_block, .begin = begin, .end = end_tiles,
};

const struct lh_product lh_product_amx_q8_exact = {
	.name = "amx-q8-exact", .packing = "amx-q8", .raw = true, .error = 0x1.01p-15,
	.rows = 2 * TALL, .tile = TALL, .unit = UNIT, .w_bytes = Q8_BYTES, .x_bytes = 2 * LINE,
	.part = PART, .put = put_blocks, .pack = pack, .spread = spread_blocks, .block = block,
	.begin = begin, .end = end_tiles,
};

const struct lh_product lh_product_amx_q8 = {
	.name = "amx-q8", .raw = true, .error = 0x1.01p-7, .rows = 2 * TALL, .tile = TALL,
	.unit = UNIT, .w_bytes = Q8_BYTES, .x_bytes = LINE, .part = PART, .put = put_blocks,
	.pack = pack_rounded, .spread = spread_rounded, .block = rounded_block, .begin = begin,
	.end = end_tiles,
};
_Static_assert(PART * LH_PANEL * 4 <= LH_SPREAD, "a part fits when it is spread");
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
