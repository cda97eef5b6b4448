/* Every kernel of the encoder agrees with plain arithmetic in double, in odd shapes too. */
#include "check.h"

#include <math.h>

#include "base/mem.h"
#include "transformer/kernels.h"

#define ROWS 131
#define SCOPED LH_SCOPED(lh_free_local)

static const struct lh_kernels *k;
static const struct lh_product *floats;
static bool halves;		/* weights are of F16 */

static float rnd(void)
{
	return (float)((double)random() / (1 << 30) - 1);
}

static float *randoms(size_t n)
{
	float *p = malloc(n * sizeof *p);

	for (size_t i = 0; i < n; i++)
		p[i] = rnd();
	return p;
}

static void near(double got, double want, double error)
{
	check_why(fabs(got - want) <= error, floats->name);
}

/* ---- products ---- */

struct shape {
	size_t rows, in, out;
};

/* Allocate zeros that begin at a line of the cache. */
static void *lines(size_t bytes)
{
	bytes = (bytes + 63) / 64 * 64;
	return memset(aligned_alloc(64, bytes), 0, bytes);
}

static void multiply(const float *x, const struct lh_panels *m, struct shape s, float *y)
{
	SCOPED void *packed = lines(lh_packed_bytes(m->product, s.in, s.rows));

	lh_matmul_pack(m, x, lh_stride(s.in), s.rows, packed);
	lh_matmul(m, packed, s.rows, y, lh_stride(s.out));
}

static void compare(const float *x, const float *w, const float *bias, const float *y,
		    struct shape s)
{
	for (size_t r = 0; r < s.rows; r++)
		for (size_t c = 0; c < s.out; c++) {
			double sum = bias ? bias[c] : 0, size = 0;

			for (size_t i = 0; i < s.in; i++) {
				sum += (double)x[r * lh_stride(s.in) + i] * w[c * s.in + i];
				size += fabs((double)x[r * lh_stride(s.in) + i] * w[c * s.in + i]);
			}
			near(y[r * lh_stride(s.out) + c], sum,
			     1e-7 * (double)s.in + 1e-6 + floats->error * size);
		}
}

/* Multiply the rows in two calls: the bytes are those of one. */
static void same_in_two_calls(const float *x, const struct lh_panels *m, const float *y,
			      struct shape s)
{
	size_t stride = lh_stride(s.out);
	SCOPED float *again = calloc(s.rows * stride, sizeof *again);

	for (size_t first = 1; first < s.rows; first = 2 * first + 3) {
		struct shape a = { first, s.in, s.out }, b = { s.rows - first, s.in, s.out };

		multiply(x, m, a, again);
		multiply(x + first * lh_stride(s.in), m, b, again + first * stride);
		for (size_t r = 0; r < s.rows; r++)
			check_why(!memcmp(again + r * stride, y + r * stride, s.out * sizeof *y),
				  k->name);
	}
}

/* The panels of outputs that are columns of a matrix are those of the same outputs in rows. */
static void columns_are_outputs(const float *w, const void *panels, struct shape s)
{
	size_t bytes = lh_panels_bytes(floats, s.in, s.out), stride = s.out + 3;
	SCOPED float *columns = calloc(s.in * stride, sizeof *columns);
	SCOPED char *again = lines(bytes);

	if (!floats->put_columns)
		return;		/* a product of weights only */
	for (size_t c = 0; c < s.out; c++)
		for (size_t i = 0; i < s.in; i++)
			columns[i * stride + c] = w[c * s.in + i];
	for (size_t c = 0; c < s.out; c += LH_PANEL)
		floats->put_columns(again + lh_panels_bytes(floats, s.in, c), columns + c, stride,
				    s.in, s.out - c < LH_PANEL ? s.out - c : LH_PANEL);
	check_why(!memcmp(again, panels, bytes), floats->name);
}

/* Put the weights of all outputs into panels. */
static void put(const float *w, size_t in, size_t out, void *panels)
{
	SCOPED _Float16 *half = malloc(in * sizeof *half);

	for (size_t c = 0; c < out; c++, w += in) {
		for (size_t i = 0; i < in; i++)
			half[i] = (_Float16)w[i];
		floats->put(panels, c, floats->raw ? (const void *)half : w, in);
	}
}

static void product(size_t rows, size_t in, size_t out, bool with_bias)
{
	struct shape s = { rows, in, out };
	SCOPED float *x = randoms(rows * lh_stride(in)), *w = randoms(in * out);
	SCOPED void *panels = lines(lh_panels_bytes(floats, in, out));
	SCOPED float *bias = with_bias ? randoms(lh_panels_round(out)) : NULL;
	SCOPED float *y = calloc(rows * lh_stride(out), sizeof *y);
	struct lh_panels m = { floats, panels, bias, in, out, false };

	for (size_t i = 0; halves && i < in * out; i++)
		w[i] = (float)(_Float16)(w[i] * 0x1p-9f);
	put(w, in, out, panels);
	multiply(x, &m, s, y);
	compare(x, w, bias, y, s);
	same_in_two_calls(x, &m, y, s);
	columns_are_outputs(w, panels, s);
}

/* Panel by panel the next matrix gets the rows that it gets of all outputs. */
static void rows_of_the_next_matrix(size_t rows, size_t in, size_t n, bool gated)
{
	size_t out = gated ? 2 * lh_panels_round(n) : n, stride = lh_stride(out);
	size_t bytes = lh_packed_bytes(floats, n, rows);
	SCOPED float *x = randoms(rows * lh_stride(in)), *w = randoms(in * out);
	SCOPED float *y = malloc(rows * stride * sizeof *y);
	SCOPED float *hidden = lines(rows * 2 * LH_PANEL * sizeof *hidden);
	SCOPED char *panels = lines(lh_panels_bytes(floats, in, out)), *want = lines(bytes);
	SCOPED char *packed = lines(lh_packed_bytes(floats, in, rows)), *got = lines(bytes);
	struct lh_panels m = { floats, panels, NULL, in, out, gated }, next = { .in = n };

	put(w, in, out, panels);
	multiply(x, &m, (struct shape){ rows, in, out }, y);
	for (float *v = y; v < y + rows * stride; v += stride) {
		float up[600];

		for (size_t i = 0; gated && i < n; i++) {
			up[i] = v[i / LH_PANEL * 2 * LH_PANEL + LH_PANEL + i % LH_PANEL];
			v[i] = v[i / LH_PANEL * 2 * LH_PANEL + i % LH_PANEL];
		}
		k->silu(v, gated ? up : NULL, n);
	}
	next.product = floats;
	lh_matmul_pack(&next, y, stride, rows, want);
	lh_matmul_pack(&m, x, lh_stride(in), rows, packed);
	lh_matmul_next(&m, packed, rows, hidden, k->silu, &next, got);
	check_why(!memcmp(got, want, bytes), floats->name);
}

static void products_are_right_and_a_row_has_no_neighbours(void)
{
	static const size_t in[] = { 1, 16, 63, 256, 257, 600 }, out[] = { 1, 31, 32, 33, 80 };

	for (size_t i = 0; i < sizeof in / sizeof *in; i++)
		for (size_t o = 0; o < sizeof out / sizeof *out; o++)
			product(1 + (7 * i + 3 * o) % 30, in[i], out[o], i % 2);
	for (size_t rows = 1; rows < ROWS; rows += rows < 30 ? 1 : 17)
		product(rows, 40, 40, true);
	product(13, 3072, 33, false);
	for (size_t n = 1; n < 600; n = 3 * n + 1)
		rows_of_the_next_matrix(1 + n % 50, 70, n, n % 2);
	rows_of_the_next_matrix(ROWS, check_is_small() ? 100 : 800, 96, true);
}

/* Blocks of Q8_0 have the products of the floats that they stand for, to the byte. */
static void blocks_are_the_same_as_floats(const float *x, const float *w, const float *bias,
					  const float *y, struct shape s)
{
	SCOPED void *panels = lines(lh_panels_bytes(floats, s.in, s.out));
	struct lh_panels m = { floats, panels, bias, s.in, s.out, false };
	SCOPED float *want = malloc(s.rows * lh_stride(s.out) * sizeof *want);

	put(w, s.in, s.out, panels);
	multiply(x, &m, s, want);
	for (size_t r = 0; r < s.rows; r++)
		check_why(!memcmp(y + r * lh_stride(s.out), want + r * lh_stride(s.out),
				  s.out * sizeof *y), floats->name);
}

/* Weights of Q8_0 by rows that are rounded: to int8, by at most half a step of each 32. */
static void products_of_blocks_are_within_their_rounding(const struct lh_product *p)
{
	size_t in = 288, out = 70, rows = 37, blocks = in / LH_Q8_INPUTS;
	SCOPED unsigned char *q = malloc(out * blocks * LH_Q8_BYTES);
	SCOPED float *x = randoms(rows * lh_stride(in)), *w = malloc(in * out * sizeof *w);
	SCOPED float *y = calloc(rows * lh_stride(out), sizeof *y);
	SCOPED float *bias = randoms(lh_panels_round(out));
	SCOPED void *panels = lines(lh_panels_bytes(p, in, out));
	struct lh_panels m = { p, panels, bias, in, out, false };

	for (size_t b = 0; b < out * blocks; b++) {
		int power = -7 - (int)(b % 5);
		uint16_t scale = (uint16_t)((power + 15) << 10);	/* in f16 */

		memcpy(q + b * LH_Q8_BYTES, &scale, sizeof scale);
		for (size_t i = 0; i < LH_Q8_INPUTS; i++) {
			signed char c = (signed char)(random() % 256 - 128);

			memcpy(q + b * LH_Q8_BYTES + 2 + i, &c, 1);
			w[b * LH_Q8_INPUTS + i] = ldexpf(c, power);
		}
	}
	for (size_t c = 0; c < out; c++)
		p->put(panels, c, q + c * blocks * LH_Q8_BYTES, in);
	memset(x + lh_stride(in), 0, in * sizeof *x);
	multiply(x, &m, (struct shape){ rows, in, out }, y);
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < out; c++) {
			double sum = bias[c], error = 4e-5, more = 0;

			for (size_t i = 0; i < in; i++) {
				sum += (double)x[r * lh_stride(in) + i] * w[c * in + i];
				error += p->levels ? fabs(w[c * in + i]) / (2 * p->levels) : 0;
				more += fabs((double)x[r * lh_stride(in) + i] * w[c * in + i]) *
					p->error;
			}
			near(y[r * lh_stride(out) + c], sum, r == 1 ? 1e-6 : error / 2 + more);
		}
	same_in_two_calls(x, &m, y, (struct shape){ rows, in, out });
	if (p == lh_product(LH_GGUF_Q8_0, LH_EXACT))
		blocks_are_the_same_as_floats(x, w, bias, y, (struct shape){ rows, in, out });
}

/* ---- functions ---- */

static void exponentials_are_exact_to_1e_7(void)
{
	float v[61], x[61];

	for (double from = -87; from < 87.9; from += 0.05) {
		for (int i = 0; i < 61; i++)
			v[i] = x[i] = (float)(from + 0.0008 * i);
		k->exp(v, 61);
		for (int i = 0; i < 61; i++)
			near(v[i], exp(x[i]), 1e-7 * exp(x[i]));
	}
	v[0] = -1e30f;
	v[1] = -INFINITY;
	v[2] = NAN;
	v[3] = 0;
	k->exp(v, 4);
	check(v[0] < 1e-37f && v[1] < 1e-37f && isnan(v[2]) && v[3] == 1);
}

static double tanh_gelu(double x)
{
	return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * x * (1 + 0.044715 * x * x)));
}

static void activations(size_t n)
{
	SCOPED float *v = randoms(n), *up = randoms(n), *g = malloc(n * sizeof *g);

	for (size_t i = 0; i < n; i++)
		g[i] = v[i] *= i % 5 ? 3 : 30;
	k->gelu(g, NULL, n);
	for (size_t i = 0; i < n; i++)
		near(g[i], tanh_gelu(v[i]), 5e-7 * fabs(v[i]));
	memcpy(g, v, n * sizeof *g);
	k->silu(g, up, n);
	for (size_t i = 0; i < n; i++)
		near(g[i], v[i] / (1 + exp(-(double)v[i])) * up[i], 5e-7 * fabs(v[i]));
	memcpy(g, v, n * sizeof *g);
	k->gelu(g, up, n);
	for (size_t i = 0; i < n; i++)
		near(g[i], tanh_gelu(v[i]) * up[i], 5e-7 * fabs(v[i]));
}

static void softmax(size_t n, float size)
{
	SCOPED float *v = randoms(n), *p = malloc(n * sizeof *p);
	double sum = 0, top = -INFINITY;

	for (size_t i = 0; i < n; i++) {
		p[i] = v[i] *= size;
		top = v[i] > top ? v[i] : top;
	}
	for (size_t i = 0; i < n; i++)
		sum += exp(0.3 * (v[i] - top));
	k->softmax(p, n, 0.3f);
	for (size_t i = 0; i < n; i++)
		near(p[i], exp(0.3 * (v[i] - top)) / sum, 1e-6 * size);
}

static void norm(size_t n)
{
	SCOPED float *x = randoms(n), *more = randoms(n), *w = randoms(n), *b = randoms(n);
	SCOPED float *y = malloc(n * sizeof *y);
	double mean = 0, square = 0, scale;

	memcpy(y, x, n * sizeof *y);
	k->norm(y, more, w, b, n, 1e-5f);
	for (size_t i = 0; i < n; i++)
		mean += ((double)x[i] + more[i]) / (double)n;
	for (size_t i = 0; i < n; i++)
		square += pow((double)x[i] + more[i] - mean, 2) / (double)n;
	scale = 1 / sqrt(square + 1e-5);
	for (size_t i = 0; i < n; i++)
		near(y[i], ((double)x[i] + more[i] - mean) * scale * w[i] + b[i],
		     n == 1 ? 1e-4 : 3e-6);
	/* Without what is added and without a bias they are zeros. */
	memset(more, 0, n * sizeof *more);
	memset(b, 0, n * sizeof *b);
	memcpy(y, x, n * sizeof *y);
	k->norm(y, NULL, w, NULL, n, 1e-5f);
	k->norm(x, more, w, b, n, 1e-5f);
	for (size_t i = 0; i < n; i++)
		near(y[i], x[i], 0);
}

static void root_mean_square(size_t n)
{
	SCOPED float *x = randoms(n), *w = randoms(n), *y = malloc(n * sizeof *y);
	double square = 0;

	memcpy(y, x, n * sizeof *y);
	k->rms(y, w, n, 1e-5f);
	for (size_t i = 0; i < n; i++)
		square += (double)x[i] * x[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		near(y[i], x[i] * w[i] / sqrt(square + 1e-5), 1e-6);
}

static void functions_are_right_for_every_length(void)
{
	for (size_t n = 1; n < 70; n++) {
		activations(n);
		softmax(n, 1);
		softmax(n, 40);
		norm(n);
		root_mean_square(n);
	}
	activations(3072);
	softmax(2048, 5);
	norm(768);
	root_mean_square(768);
}

static void with(const char *kernel)
{
	const struct lh_product *fast, *fine;

	k = lh_kernels();
	floats = lh_product(LH_GGUF_F32, LH_EXACT);
	fast = lh_product(LH_GGUF_Q8_0, LH_COARSE);
	fine = lh_product(LH_GGUF_Q8_0, LH_FINE);
	printf("# %s: %s, %s, fast %s, fine %s\n", kernel, k->name, floats->name, fast->name,
	       fine->name);
	products_are_right_and_a_row_has_no_neighbours();
	exponentials_are_exact_to_1e_7();
	functions_are_right_for_every_length();
	products_of_blocks_are_within_their_rounding(fast);
	products_of_blocks_are_within_their_rounding(fine);
	products_of_blocks_are_within_their_rounding(&k->q8);
	products_of_blocks_are_within_their_rounding(lh_product(LH_GGUF_Q8_0, LH_EXACT));
	floats = lh_product(LH_GGUF_F32, LH_COARSE);
	products_are_right_and_a_row_has_no_neighbours();
	halves = true;
	floats = lh_product(LH_GGUF_F16, LH_EXACT);
	products_are_right_and_a_row_has_no_neighbours();
	floats = &k->f16;
	products_are_right_and_a_row_has_no_neighbours();
}

int main(void)
{
	test(check_kernel("amx", with));
	test(check_kernel("vnni", with));
	test(check_kernel("avx512", with));
	test(check_kernel("avx2", with));
	test(check_kernel("portable", with));
	return 0;
}
