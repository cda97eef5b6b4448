/* Every version of lh_vec agrees with plain arithmetic. */
#include "check.h"
#include "vector/distance.h"

#include <math.h>

#define CHECK(x) check_why(x, lh_vec_kernel())
#define MAX 1030

static float a[MAX + 1], b[9][MAX + 1];

static double rnd(void)
{
	return (double)random() / (1 << 30) - 1;
}

static void near(float got, double want, double size)
{
	CHECK(fabs(got - want) <= 1e-5 * (1 + size));
}

static void sums_agree(size_t n, size_t shift)
{
	const float *rows[9];
	float d[9], l[9];
	size_t i, k;

	for (i = 0; i < 9; i++)
		rows[i] = b[i] + shift;
	near(lh_vec_dot()(a + shift, rows[0], n), lh_vec_dot_f64(a + shift, rows[0], n),
	     sqrt((double)n));
	near(lh_vec_l2sq()(a + shift, rows[0], n), lh_vec_l2sq_f64(a + shift, rows[0], n),
	     (double)n);
	for (k = 0; k <= 9; k++) {
		lh_vec_dot_rows()(a + shift, rows, k, n, d);
		lh_vec_l2sq_rows()(a + shift, rows, k, n, l);
		for (i = 0; i < k; i++) {
			near(d[i], lh_vec_dot_f64(a + shift, rows[i], n), sqrt((double)n));
			near(l[i], lh_vec_l2sq_f64(a + shift, rows[i], n), (double)n);
		}
	}
}

static void scaling_gives_unit_length_and_then_rests(void)
{
	float v[MAX], w[MAX];
	size_t n, i;

	for (n = 1; n < MAX; n += 7) {
		for (i = 0; i < n; i++)
			v[i] = (float)(100 * rnd());
		CHECK(lh_vec_unit(v, n));
		CHECK(fabs(lh_vec_dot_f64(v, v, n) - 1) < 2e-7);
		memcpy(w, v, sizeof v);
		CHECK(lh_vec_unit(v, n) && !memcmp(w, v, n * sizeof *v));
	}
	v[0] = v[1] = 0;
	CHECK(!lh_vec_unit(v, 2) && !lh_vec_unit(v, 0));
	v[1] = 1e-45f;
	CHECK(lh_vec_unit(v, 2) && v[1] == 1);
	v[0] = v[1] = 3.4e38f;
	CHECK(lh_vec_unit(v, 2) && fabsf(v[0] - 0.70710678f) < 1e-6f);
	v[0] = INFINITY;
	CHECK(!lh_vec_unit(v, 2) && isinf(v[0]));
}

static void finite_means_finite(void)
{
	float v[40] = { 0 };

	v[3] = -3.4e38f;
	v[7] = 1e-45f;
	CHECK(lh_vec_finite(v, 40) && lh_vec_finite(v, 0));
	v[39] = -INFINITY;
	CHECK(!lh_vec_finite(v, 40) && lh_vec_finite(v, 39));
	v[39] = NAN;
	CHECK(!lh_vec_finite(v, 40));
}

static void with(const char *kernel)
{
	size_t n;

	printf("# %s: %s\n", kernel, lh_vec_kernel());
	for (n = 0; n < 140; n++)
		sums_agree(n, n % 2);
	sums_agree(768, 0);
	sums_agree(MAX, 1);
	scaling_gives_unit_length_and_then_rests();
	finite_means_finite();
}

int main(void)
{
	size_t i, j;

	for (j = 0; j <= MAX; j++) {
		a[j] = (float)rnd();
		for (i = 0; i < 9; i++)
			b[i][j] = (float)rnd();
	}
	test(check_kernel("avx512", with));
	test(check_kernel("avx2", with));
	test(check_kernel("portable", with));
	return 0;
}
