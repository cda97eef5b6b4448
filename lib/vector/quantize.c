/* quantize.c - encode and decode stored vectors.  See quantize.h. */
#include "quantize.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vector_kernels.h"
#include "base/mem.h"

_Static_assert(sizeof(struct lh_quantize_head) == LH_QUANTIZE_HEAD, "after an i8 code");

#define F16_MAX 65504
#define C_MAX 127
#define SCALE_MAX 0x1.0204p+121f	/* 16 significant bits; 127 times it is finite */

int lh_quantize_check(int precision, const float *v, uint32_t n, struct lh_err *err)
{
	uint32_t i;

	if (precision != LH_F16)
		return 0;
	for (i = 0; i < n; i++)
		if (fabsf(v[i]) > F16_MAX)
			return lh_err_set(err, LH_EDATA,
					  "value %g at %u of the vector: f16 ends at %d",
					  (double)v[i], i, F16_MAX);
	return 0;
}

/* ---- f16 ---- */

/* Round to half precision, ties to even, by adding a number whose last bit has the
 * value of the half's last bit: 2^-24 below the smallest normal half. */
static uint16_t to_half(float f)
{
	uint32_t bits, sign, exp, magic_bits;
	float magic;

	memcpy(&bits, &f, sizeof bits);
	sign = bits >> 16 & 0x8000;
	bits &= 0x7fffffff;
	exp = bits >> 23;
	if (bits >= 0x477fe000)	/* F16_MAX and above */
		return (uint16_t)(sign | 0x7bff);
	if (exp < 113) {
		memcpy(&f, &bits, sizeof f);
		f += 0.5f;	/* the last bit of 0.5 is 2^-24 */
		memcpy(&bits, &f, sizeof bits);
		return (uint16_t)(sign | (bits - 0x3f000000));
	}
	magic_bits = (exp + 13) << 23;
	memcpy(&magic, &magic_bits, sizeof magic);
	memcpy(&f, &bits, sizeof f);
	f = (f + magic) - magic;
	memcpy(&bits, &f, sizeof bits);
	return (uint16_t)(sign | (bits - (112u << 23)) >> 13);
}

/* ---- i8 ---- */

/* Round up to 16 significant bits, at least least. */
static float short_scale(double least)
{
	float scale = (float)least;
	uint32_t bits;

	if (least < FLT_MIN)
		return FLT_MIN;
	if (scale < least)
		scale = nextafterf(scale, INFINITY);
	memcpy(&bits, &scale, sizeof bits);
	bits = (bits + 0xff) & ~(uint32_t)0xff;
	memcpy(&scale, &bits, sizeof scale);
	return fminf(scale, SCALE_MAX);
}

/* Round to the nearest integer: the last bit of 1.5 * 2^23 has the value 1. */
static inline int32_t nearest(float x)
{
	uint32_t bits;

	x += 0x1.8p23f;
	memcpy(&bits, &x, sizeof bits);
	return (int32_t)(bits - 0x4b400000);
}

static inline int32_t clamp(int32_t c)
{
	return c > C_MAX ? C_MAX : c < -C_MAX ? -C_MAX : c;
}

static void encode_i8(int distance, const float *v, uint32_t n, unsigned char *code)
{
	struct lh_quantize_head h = { 0, 0 };
	float max = 0, per_step;
	double step;
	int32_t c;
	uint32_t i;

	for (i = 0; i < n; i++)
		max = fabsf(v[i]) > max ? fabsf(v[i]) : max;
	step = (double)max / C_MAX;
	h.scale = short_scale(step);
	if (distance != LH_COSINE || !(max > 0))
		step = h.scale;
	per_step = (float)(1 / step);
	for (i = 0; i < n; i++) {
		c = clamp(nearest(v[i] * per_step));
		code[i] = (unsigned char)(LH_CODE_ZERO + c);
		h.square += (uint32_t)(c * c);
	}
	if (distance == LH_COSINE && h.square)
		h.scale = (float)(1 / sqrt((double)h.square));
	memcpy(code + n, &h, sizeof h);
}

static bool is_valid_i8(int distance, const unsigned char *code, uint32_t n)
{
	struct lh_quantize_head h = lh_quantize_head(code, n);
	uint32_t square = 0, i;
	int c;

	for (i = 0; i < n; i++) {
		if (!code[i])
			return false;
		c = code[i] - LH_CODE_ZERO;
		square += (uint32_t)(c * c);
	}
	if (distance == LH_COSINE && square && h.scale != (float)(1 / sqrt((double)square)))
		return false;
	return h.square == square && h.scale >= FLT_MIN && h.scale <= SCALE_MAX;
}

/* ---- any precision ---- */

void lh_quantize_encode(int precision, int distance, const float *v, uint32_t n, void *code)
{
	uint16_t h;
	uint32_t i;

	if (precision == LH_F16) {
		for (i = 0; i < n; i++) {
			h = to_half(v[i]);
			memcpy((char *)code + 2 * (size_t)i, &h, sizeof h);
		}
	} else if (precision == LH_I8) {
		encode_i8(distance, v, n, code);
	} else {
		memcpy(code, v, n * sizeof *v);
	}
}

void lh_quantize_decode(int precision, const void *code, uint32_t n, float *v)
{
	if (precision == LH_F16)
		lh_quantize_kernel()->get_f16(code, n, v);
	else if (precision == LH_I8)
		lh_quantize_kernel()->get_i8(code, n, v);
	else
		memcpy(v, code, n * sizeof *v);
}

bool lh_quantize_is_valid(int precision, int distance, const void *code, uint32_t n)
{
	const unsigned char *p = code;
	uint32_t i;
	float f;

	if (precision == LH_I8)
		return is_valid_i8(distance, code, n);
	for (i = 0; i < n; i++) {
		if (precision == LH_F16)
			f = lh_quantize_half(p, i);
		else
			memcpy(&f, p + 4 * (size_t)i, sizeof f);
		if (!isfinite(f))
			return false;
	}
	return true;
}

/* ---- queries ---- */

static void rows_f32(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		     float *out)
{
	lh_vec_rows_fn fn = q->distance == LH_L2 ? lh_vec_l2sq_rows() : lh_vec_dot_rows();
	size_t i;

	fn(q->v, (const float *const *)codes, k, q->n, out);
	if (q->distance != LH_L2)
		for (i = 0; i < k; i++)
			out[i] = -out[i];
}

void lh_quantized_query_init(struct lh_quantized_query *q, int precision, int distance, uint32_t n)
{
	*q = (struct lh_quantized_query){ .precision = precision, .distance = distance, .n = n };
	q->mem = lh_calloc(1,
			   64 + (precision == LH_I8 ? lh_quantize_bytes(LH_I8, n) :
						      n * sizeof *q->v));
	q->v = (float *)(((uintptr_t)q->mem + 63) & ~(uintptr_t)63);
	q->c = (int8_t *)q->v;
	q->rows = precision == LH_I8  ? lh_quantize_kernel()->rows_i8 :
		  precision == LH_F16 ? lh_quantize_kernel()->rows_f16 :
					rows_f32;
}

static void set_query_i8(struct lh_quantized_query *q, const unsigned char *code)
{
	struct lh_quantize_head h = lh_quantize_head(code, q->n);

	q->scale = h.scale;
	q->square = h.scale * h.scale * (float)h.square;
	q->sum = LH_CODE_ZERO * lh_quantize_kernel()->sign(code, q->n, q->c);
}

void lh_quantized_query_set(struct lh_quantized_query *q, const float *v)
{
	if (q->precision == LH_I8) {
		lh_quantize_encode(LH_I8, q->distance, v, q->n, q->c);
		set_query_i8(q, (const unsigned char *)q->c);
	} else {
		memcpy(q->v, v, q->n * sizeof *v);
	}
}

void lh_quantized_query_code(struct lh_quantized_query *q, const void *code)
{
	if (q->precision == LH_I8) {
		set_query_i8(q, code);
	} else {
		lh_quantize_decode(q->precision, code, q->n, q->v);
	}
}

void lh_quantize_rows(const struct lh_quantized_query *q, const void *const *codes, size_t k,
		      float *out)
{
	size_t i;

	q->rows(q, codes, k, out);
	for (i = 0; i < k; i++)
		if (out[i] != out[i])
			out[i] = INFINITY;
}

void lh_quantized_query_free(struct lh_quantized_query *q)
{
	free(q->mem);
	*q = (struct lh_quantized_query){ 0 };
}
