/*
 * qg_source - rotation, codes and sums of graph.h.  No product is added without rounding (no
 * FMA), so that all instruction sets give the same bits.
 *
 * The including file defines flip(v, signs), v with the signs that LANES bits say;
 * butterfly(v, moved, minus), moved + v or, in the lanes whose bits are set, moved - v; sum_of(v),
 * which adds halves; and bits_of(mask), a bit for each lane.  With BYTES, the size of a vector, it
 * defines lookup(table, c), which looks up bytes in tables of 16, and eight_sums(v), 16-bit sums of
 * the lanes whose numbers differ by a multiple of eight.
 */
#include "vector_kernels.h"

#include <math.h>

#define ROUNDS 4
#define APART __attribute__((noinline))	/* together they lack registers */

#if LANES == 8
static const ivec bit_of = { 1, 2, 4, 8, 16, 32, 64, 128 };
#define IF_BIT(by) ((bit_of & (by)) != 0)

INLINE vec flip(vec v, const unsigned char *signs)
{
	return (vec)((ivec)v ^ (((*signs & bit_of) == bit_of) & INT32_MIN));
}

INLINE vec butterfly(vec v, vec moved, ivec minus)
{
	return moved + (vec)((ivec)v ^ (minus & INT32_MIN));
}
#else
#define IF_BIT(bits) (bits)
#endif

/* The lanes of v, exchanged by a bit of their numbers. */
#define EIGHT(n, by) n ^ by, (n + 1) ^ by, (n + 2) ^ by, (n + 3) ^ by, (n + 4) ^ by, \
		(n + 5) ^ by, (n + 6) ^ by, (n + 7) ^ by
#if LANES == 8
#define MOVED(v, by) __builtin_shufflevector(v, v, EIGHT(0, by))
#else
#define MOVED(v, by) __builtin_shufflevector(v, v, EIGHT(0, by), EIGHT(8, by))
#endif

TARGET APART static void transform(float *v, uint32_t n, float scale)
{
	uint32_t half, i, j;
	vec a, b;

	for (half = n / 2; half >= LANES; half /= 2)
		for (i = 0; i < n; i += 2 * half)
			for (j = i; j < i + half; j += LANES) {
				a = load(v + j);
				b = load(v + j + half);
				store(v + j, a + b);
				store(v + j + half, a - b);
			}
	for (i = 0; i < n; i += LANES) {
		a = load(v + i);
#if LANES == 16
		a = butterfly(a, MOVED(a, 8), 0xff00);
#endif
		a = butterfly(a, MOVED(a, 4), IF_BIT(0xf0f0));
		a = butterfly(a, MOVED(a, 2), IF_BIT(0xcccc));
		a = butterfly(a, MOVED(a, 1), IF_BIT(0xaaaa));
		store(v + i, a * scale);
	}
}

TARGET APART static void flip_all(const unsigned char *signs, float *v, uint32_t dim)
{
	for (uint32_t i = 0; i < dim; i += LANES)
		store(v + i, flip(load(v + i), signs + i / 8));
}

/* Rotate dim values: in turn the first and the last of them are transformed. */
TARGET static void rotate(const unsigned char *signs, float *v, uint32_t dim)
{
	uint32_t n = 1u << (31 - __builtin_clz(dim)), round;
	float scale = (float)(1 / sqrt((double)n));

	for (round = 0; round < ROUNDS; round++, signs += dim / 8) {
		flip_all(signs, v, dim);
		transform(round % 2 ? v + dim - n : v, n, scale);
	}
}

#if LANES == 8
TARGET static void encode(const float *c, const float *neighbour, uint32_t dim,
			  unsigned char *bits, struct lh_qg_part *part)
{
	vec square = { 0 }, size = square, along = square, o, center;
	const ivec sign = (ivec)all(-0.f);
	ivec more;
	uint32_t i;

	for (i = 0; i < dim; i += LANES) {
		center = load(c + i);
		o = load(neighbour + i) - center;
		more = o > 0;
		bits[i / 8] = (unsigned char)bits_of(more);
		square += o * o;
		size += (vec)((ivec)o & ~sign);
		along += (vec)((ivec)center ^ (~more & sign));
	}
	*part = (struct lh_qg_part){ sum_of(square), sum_of(size), sum_of(along) };
}

TARGET static uint32_t estimate(const struct lh_qg_query *q, const uint32_t *sums,
				const struct lh_qg_factors *f, float square, float limit,
				float *out)
{
	const vec bias = all(q->bias), delta = all(q->delta), unit = all(f->unit);
	uint32_t below = 0, i;
	vec d;

	for (i = 0; i < LH_QG_LANES; i += LANES) {
		d = __builtin_convertvector((ivec)load((const float *)sums + i), vec);
		d = square + unit * (load(f->add + i) + load(f->rescale + i) * (bias + delta * d));
		store(out + i, d);
		below |= bits_of(d < limit) << i;
	}
	return below;
}
#else
static void encode(const float *c, const float *neighbour, uint32_t dim, unsigned char *bits,
		   struct lh_qg_part *part)
{
	lh_qg_avx2.encode(c, neighbour, dim, bits, part);
}

static uint32_t estimate(const struct lh_qg_query *q, const uint32_t *sums,
			 const struct lh_qg_factors *f, float square, float limit, float *out)
{
	return lh_qg_avx2.estimate(q, sums, f, square, limit, out);
}
#endif

#ifdef BYTES
typedef uint8_t bytes __attribute__((vector_size(BYTES), may_alias));
typedef uint8_t bytes_at __attribute__((vector_size(BYTES), aligned(1), may_alias));
typedef uint16_t words __attribute__((vector_size(BYTES)));

/* Add up 16-bit lanes of bytes: s has those at even places, and 256 times the others. */
INLINE void finish(words s, words odd, uint32_t *sums)
{
	__m128i e = eight_sums((ints)(s - (odd << 8))), o = eight_sums((ints)odd);
	__m128i eight[2] = { _mm_unpacklo_epi16(e, o), _mm_unpackhi_epi16(e, o) };
	__m256i *to = (void *)sums;
	int i;

	for (i = 0; i < 2; i++)
		_mm256_storeu_si256(to + i, _mm256_add_epi32(_mm256_loadu_si256(to + i),
							     _mm256_cvtepu16_epi32(eight[i])));
}

/* Sum the entries of n tables. */
TARGET static void run(const uint8_t *table, const unsigned char *codes, uint32_t n,
		       uint32_t *sums)
{
	words s[4] = { { 0 } };
	bytes c, t;
	words a, b;
	uint32_t i;

	for (i = 0; i < 16 * n; i += BYTES) {
		c = *(const bytes_at *)(codes + i);
		t = *(const bytes *)(table + i);
		a = (words)lookup((ints)t, (ints)(c & 15));
		b = (words)lookup((ints)t, (ints)((bytes)((words)c >> 4) & 15));
		s[0] += a;
		s[1] += a >> 8;
		s[2] += b;
		s[3] += b >> 8;
	}
	finish(s[0], s[1], sums);
	finish(s[2], s[3], sums + 16);
}

/* Sum run by run, since 16 bits hold only so many. */
static void sums(const uint8_t *table, const unsigned char *codes, uint32_t dim, uint32_t *sum)
{
	uint32_t i, n = dim / 4;

	memset(sum, 0, LH_QG_LANES * sizeof *sum);
	for (i = 0; i < n; i += LH_QG_RUN)
		run(table + 16 * (size_t)i, codes + 16 * (size_t)i,
		    n - i < LH_QG_RUN ? n - i : LH_QG_RUN, sum);
}
#endif
