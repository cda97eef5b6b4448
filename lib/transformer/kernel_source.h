/*
 * kernel_source - the source of every kernel, in vectors of LANES floats.
 *
 * The including file defines LANES, ROWS (of the largest block: 2 * ROWS vectors and three
 * more have to fit in the registers), KERNEL and KERNEL_NAME, and sets the target.  Products
 * that are added become one instruction where the target has it.
 */
#include <float.h>
#include <math.h>

#include "kernels.h"

#define TARGET	/* a pragma has set it */
#include "vector/lanes.h"

#define PART (LH_SPREAD / (LH_PANEL * sizeof(float)))	/* inputs that are made floats at once */
#define Q8_BYTES (LH_Q8_INPUTS * LH_PANEL + 2 * LH_PANEL)

INLINE void store_some(float *p, vec v, size_t n)
{
	if (n >= LANES)
		store(p, v);
	else
		memcpy(p, &v, n * sizeof *p);
}

INLINE vec choose(ivec mask, vec yes, vec no)
{
	return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

INLINE float sum_of(vec v)
{
	for (int i = LANES / 2; i; i /= 2)
		for (int j = 0; j < i; j++)
			v[j] += v[i + j];
	return v[0];
}

/* 2^n e^r: n and r from x by a product that is exact, e^r by its series.  Outside of -87 to
 * 88 the result is that of the limit; NaN stays. */
INLINE vec exp_of(vec x)
{
	const vec magic = all(0x1.8p23f);	/* after its addition the low bits are n */
	vec n, r, p;

	x = choose(x < -87, all(-87), x);
	x = choose(x > 88, all(88), x);
	n = x * 0x1.715476p0f + magic;
	r = x - (n - magic) * 0x1.62e4p-1f;
	r = r - (n - magic) * 0x1.7f7d1cp-20f;
	p = r * (1.f / 5040) + 1.f / 720;
	p = p * r + 1.f / 120;
	p = p * r + 1.f / 24;
	p = p * r + 1.f / 6;
	p = p * r + 0.5f;
	p = p * (r * r) + r + 1;
	return (vec)((uvec)p + ((uvec)n << 23));
}

static void exp_all(float *v, size_t n)
{
	for (size_t i = 0; i < n; i += LANES)
		store_some(v + i, exp_of(load_some(v + i, n - i, 0)), n - i);
}

/* 0.5 x (1 + tanh u) is x / (1 + e^-2u). */
INLINE vec gelu_of(vec x)
{
	const float c = 1.5957691216057308f;	/* 2 sqrt(2 / pi) */
	vec u = x * (x * x * (c * 0.044715f) + c);

	return x / (exp_of(-u) + 1);
}

static void gelu(float *v, const float *up, size_t n)
{
	for (size_t i = 0; i < n; i += LANES) {
		vec x = gelu_of(load_some(v + i, n - i, 0));

		store_some(v + i, up ? x * load_some(up + i, n - i, 0) : x, n - i);
	}
}

/* x times the normal distribution up to x, by 7.1.26 of Abramowitz and Stegun: exact to 1.5e-7. */
INLINE vec gelu_erf_of(vec x)
{
	vec z = choose(x < 0, -x, x) * 0.70710678f, t = 1 / (z * 0.3275911f + 1), p;

	p = t * 1.061405429f - 1.453152027f;
	p = p * t + 1.421413741f;
	p = p * t - 0.284496736f;
	p = p * t + 0.254829592f;
	p = p * t * exp_of(-z * z) * 0.5f;
	return x * choose(x < 0, p, 1 - p);
}

static void gelu_erf(float *v, const float *up, size_t n)
{
	for (size_t i = 0; i < n; i += LANES) {
		vec x = gelu_erf_of(load_some(v + i, n - i, 0));

		store_some(v + i, up ? x * load_some(up + i, n - i, 0) : x, n - i);
	}
}

static void silu(float *v, const float *up, size_t n)
{
	for (size_t i = 0; i < n; i += LANES) {
		vec x = load_some(v + i, n - i, 0);

		x = x / (exp_of(-x) + 1);
		store_some(v + i, up ? x * load_some(up + i, n - i, 0) : x, n - i);
	}
}

static void softmax(float *v, size_t n, float scale)
{
	vec most = all(v[0]), sum = { 0 };
	float top;

	for (size_t i = 0; i < n; i += LANES) {
		vec x = load_some(v + i, n - i, v[0]);

		most = choose(x > most, x, most);
	}
	top = most[0];
	for (size_t j = 1; j < LANES; j++)
		top = most[j] > top ? most[j] : top;
	for (size_t i = 0; i < n; i += LANES) {
		vec e = exp_of((load_some(v + i, n - i, -FLT_MAX) - top) * scale);

		store_some(v + i, e, n - i);
		sum += load_some(v + i, n - i, 0);
	}
	top = 1 / sum_of(sum);
	for (size_t i = 0; i < n; i += LANES)
		store_some(v + i, load_some(v + i, n - i, 0) * top, n - i);
}

static void norm(float *x, const float *more, const float *weight, const float *bias, size_t n,
		 float epsilon)
{
	vec sum = { 0 };
	float mean, scale;

	for (size_t i = 0; i < n; i += LANES) {
		vec v = load_some(x + i, n - i, 0);

		if (more)
			store_some(x + i, v += load_some(more + i, n - i, 0), n - i);
		sum += v;
	}
	mean = sum_of(sum) / (float)n;
	sum = (vec){ 0 };
	for (size_t i = 0; i < n; i += LANES) {
		vec v = load_some(x + i, n - i, mean) - mean;

		sum += v * v;
	}
	scale = 1 / sqrtf(sum_of(sum) / (float)n + epsilon);
	for (size_t i = 0; i < n; i += LANES) {
		vec v = (load_some(x + i, n - i, 0) - mean) * scale;

		v = v * load_some(weight + i, n - i, 0);
		if (bias)
			v += load_some(bias + i, n - i, 0);
		store_some(x + i, v, n - i);
	}
}

static void rms(float *x, const float *weight, size_t n, float epsilon)
{
	vec sum = { 0 };
	float scale;

	for (size_t i = 0; i < n; i += LANES) {
		vec v = load_some(x + i, n - i, 0);

		sum += v * v;
	}
	scale = 1 / sqrtf(sum_of(sum) / (float)n + epsilon);
	for (size_t i = 0; i < n; i += LANES) {
		vec v = load_some(x + i, n - i, 0) * scale * load_some(weight + i, n - i, 0);

		store_some(x + i, v, n - i);
	}
}

/* Compute two vectors of outputs for some rows; all sums are in registers. */
INLINE void two_columns(const float *x, const unsigned rows, const float *w, size_t n,
			const float *bias, float *y, size_t stride, struct lh_ahead ahead)
{
	vec sum[ROWS][2];

#pragma GCC unroll 14
	for (unsigned r = 0; r < rows; r++) {
		const float *from = bias ? bias : y + r * stride;

		sum[r][0] = load(from);
		sum[r][1] = load(from + LANES);
	}
	for (size_t i = 0; i < n; i++, x += rows, w += LH_PANEL, ahead.from += ahead.step) {
		vec a = load(w), b = load(w + LANES);

		__builtin_prefetch(ahead.from, 0, 2);
#pragma GCC unroll 14
		for (unsigned r = 0; r < rows; r++) {
			sum[r][0] += all(x[r]) * a;
			sum[r][1] += all(x[r]) * b;
		}
	}
#pragma GCC unroll 14
	for (unsigned r = 0; r < rows; r++) {
		store(y + r * stride, sum[r][0]);
		store(y + r * stride + LANES, sum[r][1]);
	}
}

static void put(void *panels, size_t output, const void *row, size_t n)
{
	float *to = (float *)panels + output / LH_PANEL * LH_PANEL * n + output % LH_PANEL;

	for (size_t i = 0; i < n; i++)
		to[i * LH_PANEL] = ((const float *)row)[i];
}

static void put_columns(void *panel, const float *x, size_t stride, size_t in, size_t n)
{
	float *to = panel;

	for (size_t i = 0; i < in; i++)
		memcpy(to + i * LH_PANEL, x + i * stride, n * sizeof *x);
}

/* Return the numbers whose f16 are the high halves of h.  The sign, 5 bits of exponent and 10 of
 * mantissa go to where a float has them; its exponents are larger by 112. */
INLINE vec float_of(ivec h)
{
	return (vec)(h >> 3 & (int32_t)0x8fffe000) * 0x1p112f;
}

/* F16 of 2 inputs: of each of 32 outputs 2 halves. */
static void put_f16(void *panels, size_t output, const void *row, size_t n)
{
	char *to = (char *)panels + output / LH_PANEL * ((n + 1) / 2) * 4 * LH_PANEL +
		output % LH_PANEL * 4;

	for (size_t i = 0; i < n; i++)
		memcpy(to + i / 2 * 4 * LH_PANEL + i % 2 * 2, (const char *)row + 2 * i, 2);
}

static void spread_f16(const void *panel, size_t n, void *floats)
{
	const float *from = panel;
	float *to = floats;

	for (; n; n -= 2, from += LH_PANEL, to += 2 * LH_PANEL)
		for (size_t c = 0; c < LH_PANEL; c += LANES) {
			ivec two = (ivec)load(from + c);

			store(to + c, float_of(two << 16));
			store(to + LH_PANEL + c, float_of(two));
		}
}

/* Q8_0 of 32 inputs: for each 4 inputs, of each of 32 outputs 4 bytes, to which 128 is added;
 * then the scales, f16, of outputs i and 16 + i side by side. */
static void put_q8(void *panels, size_t output, const void *row, size_t n)
{
	size_t c = output % LH_PANEL;
	char *to = (char *)panels + output / LH_PANEL * (n / LH_Q8_INPUTS) * Q8_BYTES;
	const char *from = row;

	for (; n; n -= LH_Q8_INPUTS, from += LH_Q8_BYTES, to += Q8_BYTES) {
		for (size_t i = 0; i < LH_Q8_INPUTS; i++)
			to[i / 4 * 4 * LH_PANEL + 4 * c + i % 4] = from[2 + i] ^ 0x80;
		memcpy(to + LH_Q8_INPUTS * LH_PANEL + c % 16 * 4 + c / 16 * 2, from, 2);
	}
}

/* Make floats of the two low bytes of each four.  A byte is put into the mantissa of 2^23 or 2^15,
 * where it counts as itself; that power and the 128 are subtracted, which is exact. */
INLINE void two_rows(uvec four, vec scale, float *to)
{
	vec a = (vec)((four & 0xff) | 0x4b000000) - (0x1p23f + 128);
	vec b = (vec)((four & 0xff00) | 0x47000000) - (0x1p15f + 128);

	store(to, a * scale);
	store(to + LH_PANEL, b * scale);
}

static void spread_q8(const void *panel, size_t n, void *floats)
{
	const float *from = panel;
	float *to = floats;
	vec scale[LH_PANEL / LANES];

	for (; n; n -= LH_Q8_INPUTS, from += LH_PANEL / 2) {
		for (size_t v = 0, c = 0; c < LH_PANEL; v++, c += LANES) {
			ivec two = (ivec)load(from + LH_Q8_INPUTS / 4 * LH_PANEL + c % 16);

			scale[v] = float_of(c < 16 ? two << 16 : two);
		}
		for (size_t i = 0; i < LH_Q8_INPUTS; i += 4, from += LH_PANEL, to += 4 * LH_PANEL)
			for (size_t v = 0, c = 0; c < LH_PANEL; v++, c += LANES) {
				uvec four = (uvec)load(from + c);

				two_rows(four, scale[v], to + c);
				two_rows(four >> 16, scale[v], to + 2 * LH_PANEL + c);
			}
	}
}

static void pack(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	float *to = packed;

	for (size_t i = 0; i < n; i++)
		for (unsigned r = 0; r < rows; r++)
			*to++ = x[r * stride + i];
}

/* Pack, and fill up a last unit of one input with zeros. */
static void pack_f16(const float *x, size_t stride, unsigned rows, size_t n, void *packed)
{
	pack(x, stride, rows, n, packed);
	if (n % 2)
		memset((float *)packed + n * rows, 0, rows * sizeof *x);
}

static void block(const void *x, unsigned rows, const void *weights, size_t n, const float *bias,
		  float *y, size_t stride, struct lh_ahead ahead)
{
	const float *w = weights;

	for (unsigned c = 0; c < LH_PANEL; c += 2 * LANES) {
		const float *b = bias ? bias + c : NULL;

#define CASE(r) case r: two_columns(x, r, w + c, n, b, y + c, stride, ahead); break
		switch (rows) {
		CASE(1); CASE(2); CASE(3); CASE(4); CASE(5); CASE(6);
#if ROWS > 6
		CASE(7); CASE(8); CASE(9); CASE(10); CASE(11); CASE(12); CASE(13); CASE(14);
#endif
		}
#undef CASE
	}
}

const struct lh_kernels KERNEL = {
	.name = KERNEL_NAME, .softmax = softmax, .gelu = gelu, .gelu_erf = gelu_erf, .silu = silu,
	.norm = norm, .rms = rms, .exp = exp_all,
	.f32 = {
		.name = KERNEL_NAME, .packing = "f32", .rows = ROWS, .tile = 1, .unit = 1,
		.w_bytes = LH_PANEL * sizeof(float), .x_bytes = sizeof(float), .part = 256,
		.put = put, .put_columns = put_columns, .pack = pack, .block = block,
	},
	.f16 = {
		.name = KERNEL_NAME, .packing = "f16", .raw = true, .rows = ROWS, .tile = 1,
		.unit = 2, .w_bytes = 4 * LH_PANEL, .x_bytes = 2 * sizeof(float), .part = PART,
		.put = put_f16, .pack = pack_f16, .spread = spread_f16, .block = block,
	},
	.q8 = {
		.name = KERNEL_NAME, .packing = "q8", .raw = true, .rows = ROWS, .tile = 1,
		.unit = LH_Q8_INPUTS, .w_bytes = Q8_BYTES,
		.x_bytes = LH_Q8_INPUTS * sizeof(float), .part = PART, .put = put_q8, .pack = pack,
		.spread = spread_q8, .block = block,
	},
};
