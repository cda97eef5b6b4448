/*
 * Quantized vectors decode to what was encoded, and every version measures the same
 * distances.
 */
#include "check.h"
#include "vector/quantize.h"

#include <float.h>
#include <math.h>

#define CHECK(x) check_why(x, what)
#define MAX 4100
#define ROWS 9

static char what[100];
static struct lh_err err;
static const int precisions[] = { LH_F32, LH_F16, LH_I8 };
static const int distances[] = { LH_COSINE, LH_L2, LH_IP };
static const char *const names[] = { "f32", "f16", "i8" };

static double rnd(void)
{
	return (double)random() / (1 << 30) - 1;
}

/* Many small values and few large ones, as in hashed features. */
static void draw(float *v, uint32_t n, double size)
{
	for (uint32_t i = 0; i < n; i++)
		v[i] = (float)(size * pow(rnd(), 5));
	v[n / 2] = (float)size;
}

/* ---- halves ---- */

static uint16_t half_of(float f)
{
	uint16_t h;

	lh_quantize_encode(LH_F16, LH_IP, &f, 1, &h);
	return h;
}

static float of_half(uint16_t h)
{
	float f;

	lh_quantize_decode(LH_F16, &h, 1, &f);
	return f;
}

/* The standard's own definition, in exact arithmetic. */
static double plain_half(uint16_t h)
{
	double m = h & 0x3ff;
	int e = h >> 10 & 31;
	double x = e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);

	return h & 0x8000 ? -x : x;
}

static void halves_are_ieee(void)
{
	for (uint32_t h = 0; h < 0x10000; h++) {
		bool finite = (h >> 10 & 31) != 31;
		float f = of_half((uint16_t)h);

		snprintf(what, sizeof what, "half %04x", h);
		CHECK(finite == (bool)isfinite(f));
		CHECK(finite == lh_quantize_is_valid(LH_F16, LH_IP, &(uint16_t){ (uint16_t)h }, 1));
		if (!finite)
			continue;
		CHECK(f == plain_half((uint16_t)h) && half_of(f) == h);
		if ((h & 0x7fff) == 0x7bff)
			continue;
		/* between this one and the next: the nearer, ties to even */
		double next = plain_half((uint16_t)(h + 1)), middle = (f + next) / 2;
		float toward = h & 0x8000 ? -INFINITY : INFINITY;

		CHECK(half_of((float)middle) == (h & 1 ? h + 1 : h));
		CHECK(half_of(nextafterf((float)middle, -toward)) == h);
		CHECK(half_of(nextafterf((float)middle, toward)) == h + 1);
	}
	CHECK(half_of(1e-45f) == 0 && half_of(-1e-30f) == 0x8000 && half_of(1e30f) == 0x7bff);
}

static void what_does_not_fit_is_refused(void)
{
	float v[3] = { 65504, -65504, 1 };

	strcpy(what, "fits");
	CHECK(lh_quantize_check(LH_F16, v, 3, &err) == 0);
	v[1] = -65504.01f;
	CHECK(lh_quantize_check(LH_F16, v, 3, &err) == -1 && err.code == LH_EDATA);
	CHECK(!strcmp(err.msg, "value -65504 at 1 of the vector: f16 ends at 65504"));
	v[1] = FLT_MAX;
	CHECK(lh_quantize_check(LH_I8, v, 3, &err) == 0 &&
	      lh_quantize_check(LH_F32, v, 3, &err) == 0);
}

/* ---- codes ---- */

static void coding_twice_changes_nothing(int precision, int distance, const float *v, uint32_t n)
{
	static unsigned char code[MAX * 4], again[MAX * 4];
	static float got[MAX];
	size_t bytes = lh_quantize_bytes(precision, n);

	lh_quantize_encode(precision, distance, v, n, code);
	CHECK(lh_quantize_is_valid(precision, distance, code, n));
	lh_quantize_decode(precision, code, n, got);
	CHECK(lh_vec_finite(got, n));
	lh_quantize_encode(precision, distance, got, n, again);
	CHECK(!memcmp(code, again, bytes));
	if (precision == LH_I8 && distance == LH_COSINE) {
		CHECK(fabs(lh_vec_dot_f64(got, got, n) - 1) < 3e-7);
		lh_vec_unit(got, n);
		lh_quantize_encode(precision, distance, got, n, again);
		CHECK(!memcmp(code, again, bytes));
	}
}

static void codes_are_near_what_they_stand_for(int precision, int distance, const float *v,
					       uint32_t n)
{
	static unsigned char code[MAX * 4];
	static float got[MAX];
	double max = 0, off;

	for (uint32_t i = 0; i < n; i++)
		max = fmax(max, fabsf(v[i]));
	lh_quantize_encode(precision, distance, v, n, code);
	lh_quantize_decode(precision, code, n, got);
	for (uint32_t i = 0; i < n; i++) {
		off = fabs((double)got[i] - v[i]);
		if (precision == LH_F32)
			CHECK(off == 0);
		else if (precision == LH_F16)
			CHECK(off <= fmax(fabsf(v[i]) * 0x1p-11, 0x1p-25));
		else if (distance != LH_COSINE)	/* half a step, and the error of the short scale */
			CHECK(off <= fmax(max / 253.9, FLT_MIN));
	}
	if (distance == LH_COSINE)
		CHECK(1 - lh_vec_dot_f64(got, v, n) < (precision == LH_I8 ? 1e-2 : 1e-3));
}

static void vectors_of_every_length(void)
{
	static float v[MAX];

	for (uint32_t n = 1; n < MAX; n += n < 200 ? 1 : 321)
		for (int p = 0; p < 3; p++)
			for (int d = 0; d < 3; d++)
				for (int size = -36; size <= 36; size += 12) {
					snprintf(what, sizeof what,
						 "%s, distance %d, n %u, size 1e%d", names[p], d, n,
						 size);
					draw(v, n, pow(10, size));
					if (distances[d] == LH_COSINE)
						CHECK(lh_vec_unit(v, n));
					if (lh_quantize_check(precisions[p], v, n, &err) < 0)
						continue;
					coding_twice_changes_nothing(precisions[p], distances[d], v,
								     n);
					codes_are_near_what_they_stand_for(precisions[p],
									   distances[d], v, n);
				}
}

static void extreme_values(void)
{
	static const float at[] = { 0,
				    FLT_MAX,
				    -FLT_MAX,
				    FLT_MIN,
				    FLT_TRUE_MIN,
				    -130 * FLT_TRUE_MIN,
				    1144 * FLT_TRUE_MIN,
				    126.6f * FLT_MIN,
				    127 * FLT_MIN,
				    128 * FLT_MIN };
	float v[3], got[3];
	unsigned char code[16];

	for (size_t i = 0; i < sizeof at / sizeof *at; i++)
		for (size_t j = 0; j < sizeof at / sizeof *at; j++) {
			snprintf(what, sizeof what, "i8 of %g, %g", (double)at[i], (double)at[j]);
			v[0] = at[i];
			v[1] = at[j];
			v[2] = 0;
			coding_twice_changes_nothing(LH_I8, LH_L2, v, 3);
			lh_quantize_encode(LH_I8, LH_L2, v, 3, code);
			lh_quantize_decode(LH_I8, code, 3, got);
			CHECK(fabsf(got[0] - v[0]) <=
				      fmaxf(fmaxf(fabsf(v[0]), fabsf(v[1])) / 250, FLT_MIN) &&
			      got[2] == 0);
		}
}

static void damage_is_seen(void)
{
	float v[5] = { 1, -2, 3, -4, 5 };
	unsigned char code[13], bad[13];

	strcpy(what, "damage");
	lh_quantize_encode(LH_I8, LH_L2, v, 5, code);
	CHECK(lh_quantize_bytes(LH_I8, 5) == sizeof code && code[4] == 255 &&
	      lh_quantize_is_valid(LH_I8, LH_L2, code, 5));
	CHECK(!lh_quantize_is_valid(LH_I8, LH_COSINE, code, 5));
	for (size_t i = 0; i < 5; i++) {
		memcpy(bad, code, sizeof code);
		bad[i]++;
		CHECK(!lh_quantize_is_valid(LH_I8, LH_L2, bad, 5));
	}
	for (int i = 0; i < 3; i++) {
		memcpy(bad, code, sizeof code);
		memcpy(bad + 5, &(float[]){ NAN, INFINITY, -1 }[i], 4);
		CHECK(!lh_quantize_is_valid(LH_I8, LH_L2, bad, 5));
	}
	v[3] = NAN;
	CHECK(!lh_quantize_is_valid(LH_F32, LH_L2, v, 5) &&
	      lh_quantize_is_valid(LH_F32, LH_L2, v, 3));
}

/* ---- distances ---- */

static double true_distance(int distance, const float *a, const float *b, uint32_t n)
{
	return distance == LH_L2 ? lh_vec_l2sq_f64(a, b, n) : -lh_vec_dot_f64(a, b, n);
}

static struct lh_quantized_query query;
static unsigned char *codes[ROWS];
static float decoded[ROWS][MAX], asked[MAX], d[ROWS + 1];

/* The kernels are exact with i8; with f16 the query is f32. */
static void one_case(int precision, int distance, uint32_t n)
{
	double size, tolerance;

	size = sqrt(lh_vec_dot_f64(asked, asked, n));
	for (size_t k = 0; k <= ROWS; k++) {
		d[k] = 77;
		lh_quantize_rows(&query, (const void *const *)codes, k, d);
		CHECK(d[k] == 77);
		for (size_t i = 0; i < k; i++) {
			double other = sqrt(lh_vec_dot_f64(decoded[i], decoded[i], n));

			tolerance = 1e-6 * (distance == LH_L2 ? (size + other) * (size + other) :
								size * other);
			CHECK(fabs(d[i] - true_distance(distance, asked, decoded[i], n)) <=
			      tolerance);
		}
	}
	CHECK(lh_quantize_row(&query, codes[0]) == d[0] || precision != LH_I8);
}

static void distances_agree(int precision, int distance, uint32_t n, double size)
{
	static float v[MAX];
	unsigned char own[MAX * 4];

	lh_quantized_query_init(&query, precision, distance, n);
	for (size_t i = 0; i < ROWS; i++) {
		/* sizes differ; the end touches memory that may not be read */
		size_t bytes = lh_quantize_bytes(precision, n);

		codes[i] = malloc(bytes);
		CHECK(codes[i]);
		draw(v, n, size * pow(3, (double)i));
		if (distance == LH_COSINE)
			lh_vec_unit(v, n);
		lh_quantize_encode(precision, distance, v, n, codes[i]);
		lh_quantize_decode(precision, codes[i], n, decoded[i]);
	}
	draw(asked, n, size);
	if (distance == LH_COSINE)
		lh_vec_unit(asked, n);
	lh_quantized_query_set(&query, asked);
	if (precision == LH_I8) {
		lh_quantize_encode(precision, distance, asked, n, own);
		lh_quantize_decode(precision, own, n, asked);
	}
	one_case(precision, distance, n);
	lh_quantized_query_code(&query, codes[3]);
	memcpy(asked, decoded[3], sizeof asked);
	one_case(precision, distance, n);
	for (size_t i = 0; i < ROWS; i++)
		free(codes[i]);
	lh_quantized_query_free(&query);
}

static void largest_sums_do_not_wrap(void)
{
	enum { N = 65536 };
	static float v[N], w[N];
	static unsigned char code[N + 8];
	const void *row = code;
	struct lh_quantized_query q;
	float out;

	strcpy(what, "largest sums");
	for (size_t i = 0; i < N; i++) {
		v[i] = 1;
		w[i] = -1;
	}
	lh_quantized_query_init(&q, LH_I8, LH_IP, N);
	lh_quantize_encode(LH_I8, LH_IP, v, N, code);
	CHECK(lh_quantize_is_valid(LH_I8, LH_IP, code, N));
	lh_quantized_query_set(&q, v);
	lh_quantize_rows(&q, &row, 1, &out);
	CHECK(fabsf(out + N) < 8);
	lh_quantized_query_set(&q, w);
	lh_quantize_rows(&q, &row, 1, &out);
	CHECK(fabsf(out - N) < 8);
	/* only a damaged file has -128 */
	memset(code, 0, N);
	lh_quantize_rows(&q, &row, 1, &out);
	CHECK(fabsf(out / N + 128 / 127.0f) < 1e-3f);
	lh_quantized_query_code(&q, code);
	lh_quantize_rows(&q, &row, 1, &out);
	CHECK(fabsf(out / N + 128 / 127.0f) < 1e-3f);
	lh_quantized_query_free(&q);
}

static void a_damaged_row_is_far(void)
{
	float v[4] = { 1, 2, 3, 4 }, bad[4] = { 1, NAN, 3, 4 };
	unsigned char code[12];

	strcpy(what, "a damaged row");
	lh_quantized_query_init(&query, LH_F32, LH_L2, 4);
	lh_quantized_query_set(&query, v);
	CHECK(isinf(lh_quantize_row(&query, bad)) && lh_quantize_row(&query, v) == 0);
	lh_quantized_query_free(&query);
	lh_quantized_query_init(&query, LH_I8, LH_IP, 4);
	lh_quantized_query_set(&query, v);
	lh_quantize_encode(LH_I8, LH_IP, v, 4, code);
	memcpy(code + 4, &(float){ NAN }, 4);
	CHECK(isinf(lh_quantize_row(&query, code)) && lh_quantize_row(&query, code) > 0);
	lh_quantized_query_free(&query);
}

static void with(const char *kernel)
{
	for (uint32_t n = 1; n <= 200; n++)
		for (int p = 0; p < 3; p++)
			for (int i = 0; i < 3; i++) {
				snprintf(what, sizeof what, "%s: %s, distance %d, n %u", kernel,
					 names[p], i, n);
				distances_agree(precisions[p], distances[i], n, 1);
				distances_agree(precisions[p], distances[i], n, 6);
			}
	for (uint32_t n = 768; n <= 1024; n += 256)
		for (int p = 0; p < 3; p++)
			for (int i = 0; i < 3; i++)
				distances_agree(precisions[p], distances[i], n, 0.01);
	largest_sums_do_not_wrap();
	a_damaged_row_is_far();
}

int main(void)
{
	test(halves_are_ieee());
	test(what_does_not_fit_is_refused());
	test(vectors_of_every_length());
	test(extreme_values());
	test(damage_is_seen());
	test(check_kernel("avx512", with));
	test(check_kernel("avx2", with));
	test(check_kernel("portable", with));
	return 0;
}
