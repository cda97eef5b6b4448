/* distance.c - distances between float vectors.  See distance.h. */
#include "vector/distance.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "vector_kernels.h"

lh_vec_fn lh_vec_dot(void)
{
	return lh_distance_kernel()->dot;
}

lh_vec_fn lh_vec_l2sq(void)
{
	return lh_distance_kernel()->l2sq;
}

lh_vec_rows_fn lh_vec_dot_rows(void)
{
	return lh_distance_kernel()->dot_rows;
}

lh_vec_rows_fn lh_vec_l2sq_rows(void)
{
	return lh_distance_kernel()->l2sq_rows;
}

const char *lh_vec_kernel(void)
{
	return lh_distance_kernel()->name;
}

enum lh_isa lh_vec_isa(void)
{
	return lh_distance_kernel()->isa;
}

double lh_vec_dot_f64(const float *a, const float *b, size_t n)
{
	double s[4] = { 0 };
	size_t i, j;

	for (i = 0; i + 4 <= n; i += 4)
		for (j = 0; j < 4; j++)
			s[j] += (double)a[i + j] * b[i + j];
	for (; i < n; i++)
		s[0] += (double)a[i] * b[i];
	return (s[0] + s[1]) + (s[2] + s[3]);
}

double lh_vec_l2sq_f64(const float *a, const float *b, size_t n)
{
	double s[4] = { 0 }, d;
	size_t i, j;

	for (i = 0; i + 4 <= n; i += 4)
		for (j = 0; j < 4; j++) {
			d = (double)a[i + j] - b[i + j];
			s[j] += d * d;
		}
	for (; i < n; i++) {
		d = (double)a[i] - b[i];
		s[0] += d * d;
	}
	return (s[0] + s[1]) + (s[2] + s[3]);
}

bool lh_vec_unit(float *v, size_t n)
{
	double norm = sqrt(lh_vec_dot_f64(v, v, n));
	size_t i;

	if (!(norm > 0) || !isfinite(norm))
		return false;
	/* As close to 1 as f32 values allow: scaling again would only change last bits,
	 * every time that the vector is stored. */
	if (fabs(norm - 1) <= FLT_EPSILON)
		return true;
	for (i = 0; i < n; i++)
		v[i] = (float)(v[i] / norm);
	return true;
}

/* NaN and infinity have an exponent of all ones. */
bool lh_vec_finite(const float *v, size_t n)
{
	uint32_t bits, bad = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&bits, v + i, sizeof bits);
		bad |= (bits & 0x7f800000) == 0x7f800000;
	}
	return !bad;
}
