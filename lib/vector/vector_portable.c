/* vector_portable.c - the kernels for any CPU.  See vector_kernels.h. */
#define LANES 8
#define TARGET
#include "lanes.h"
#include "vector_kernels.h"

/* ---- distances ---- */

/* Keep eight independent sums, so that additions do not wait for each other. */
static float dot(const float *a, const float *b, size_t n)
{
	float s[8] = { 0 }, rest = 0;
	size_t i, j;

	for (i = 0; i + 8 <= n; i += 8)
		for (j = 0; j < 8; j++)
			s[j] += a[i + j] * b[i + j];
	for (; i < n; i++)
		rest += a[i] * b[i];
	return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
}

static float l2sq(const float *a, const float *b, size_t n)
{
	float s[8] = { 0 }, rest = 0, d;
	size_t i, j;

	for (i = 0; i + 8 <= n; i += 8)
		for (j = 0; j < 8; j++) {
			d = a[i + j] - b[i + j];
			s[j] += d * d;
		}
	for (; i < n; i++) {
		d = a[i] - b[i];
		rest += d * d;
	}
	return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
}

static void dot_rows(const float *a, const float *const *rows, size_t k, size_t n,
		     float *out)
{
	rows_one_by_one(dot, a, rows, k, n, out);
}

static void l2sq_rows(const float *a, const float *const *rows, size_t k, size_t n,
		      float *out)
{
	rows_one_by_one(l2sq, a, rows, k, n, out);
}

const struct lh_distance_kernel lh_distance_portable = {
	"portable", LH_PORTABLE, dot, l2sq, dot_rows, l2sq_rows,
};

/* ---- codes of quantize.h ---- */

static void get_f16(const void *code, uint32_t n, float *v)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		v[i] = lh_quantize_half(code, i);
}

static void get_i8(const void *code, uint32_t n, float *v)
{
	const unsigned char *p = code;
	float scale = lh_quantize_head(code, n).scale;
	uint32_t i;

	for (i = 0; i < n; i++)
		v[i] = (float)(p[i] - LH_CODE_ZERO) * scale;
}

static void rows_f16(const struct lh_quantized_query *q, const void *const *codes,
			      size_t k, float *out)
{
	size_t i, j;

	for (i = 0; i < k; i++) {
		float s[4] = { 0 }, f, d;

		for (j = 0; j < q->n; j++) {
			f = lh_quantize_half(codes[i], j);
			d = q->v[j] - f;
			s[j % 4] += q->distance == LH_L2 ? d * d : -q->v[j] * f;
		}
		out[i] = (s[0] + s[1]) + (s[2] + s[3]);
	}
}

static void rows_i8(const struct lh_quantized_query *q, const void *const *codes, size_t k,
			     float *out)
{
	const unsigned char *p;
	size_t i, j;
	int32_t sum;

	for (i = 0; i < k; i++) {
		p = codes[i];
		for (sum = 0, j = 0; j < q->n; j++)
			sum += q->c[j] * (p[j] - LH_CODE_ZERO);
		out[i] = lh_quantize_finish(q, p, sum);
	}
}

static int8_t signed_byte(unsigned char byte)
{
	return (int8_t)(byte ? byte - LH_CODE_ZERO : 1 - LH_CODE_ZERO);
}

static int32_t sign(const unsigned char *code, uint32_t n, int8_t *c)
{
	int32_t sum = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		sum += c[i] = signed_byte(code[i]);
	return sum;
}

const struct lh_quantize_kernel lh_quantize_portable = {
	rows_f16, rows_i8, get_f16, get_i8, sign,
};

/* ---- codes of graph.h ---- */

INLINE float sum_of(vec s)
{
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

INLINE unsigned bits_of(ivec mask)
{
	unsigned bits = 0, i;

	for (i = 0; i < LANES; i++)
		bits |= (unsigned)mask[i] & 1u << i;
	return bits;
}

#include "qg_source.h"

/* Round to the nearest integer: the last bit of 1.5 * 2^23 has the value 1. */
static inline uint8_t nearest(float x)
{
	uint32_t bits;

	x += 0x1.8p23f;
	memcpy(&bits, &x, sizeof bits);
	return (uint8_t)bits;
}

static void tables(const float *v, uint32_t dim, float min, float per_step, uint8_t *table)
{
	float low[4], high[4];
	uint32_t i, e;

	for (i = 0; i < dim; i += 4) {
		for (e = 0; e < 4; e++) {
			low[e] = (e & 1 ? v[i] : 0) + (e & 2 ? v[i + 1] : 0);
			high[e] = (e & 1 ? v[i + 2] : 0) + (e & 2 ? v[i + 3] : 0);
		}
		for (e = 0; e < 16; e++)
			*table++ = nearest((low[e % 4] + high[e / 4] - min) * per_step);
	}
}

static void sums(const uint8_t *table, const unsigned char *codes, uint32_t dim, uint32_t *sum)
{
	uint32_t i, j;

	memset(sum, 0, LH_QG_LANES * sizeof *sum);
	for (i = 0; i < dim / 4; i++, table += 16, codes += 16)
		for (j = 0; j < 16; j++) {
			sum[j] += table[codes[j] & 15];
			sum[j + 16] += table[codes[j] >> 4];
		}
}

const struct lh_qg_kernel lh_qg_portable = { rotate, encode, tables, sums, estimate };
