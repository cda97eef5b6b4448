/*
 * distance_source - distances between float vectors.
 *
 * The including file defines DOT_SUMS and L2_SUMS, how many vectors of sums there are, so that
 * additions do not wait for each other; fused(a, b, s), a * b + s; total(v), the sum of lanes;
 * and LOAD(p, n), the first n lanes.  If it is MASKED, the others are zeros, and the end of a
 * vector is loaded so; elsewhere its values are added up by themselves.
 */
#include "vector_kernels.h"

INLINE vec add(bool l2, vec a, vec b, vec s)
{
	vec d = a - b;

	return l2 ? fused(d, d, s) : fused(a, b, s);
}

INLINE float measure(bool l2, const float *a, const float *b, size_t n)
{
	const size_t sums = l2 ? L2_SUMS : DOT_SUMS;
	vec s[4] = { { 0 } };
	float rest = 0, d;
	size_t i, j;

	for (i = 0; i + sums * LANES <= n; i += sums * LANES)
#pragma GCC unroll 4
		for (j = 0; j < sums; j++)
			s[j] = add(l2, load(a + i + j * LANES), load(b + i + j * LANES), s[j]);
	for (; MASKED ? i < n : !l2 && i + LANES <= n; i += LANES)
		s[0] = add(l2, LOAD(a + i, n - i), LOAD(b + i, n - i), s[0]);
	for (; !MASKED && i < n; i++) {
		d = a[i] - b[i];
		rest += l2 ? d * d : a[i] * b[i];
	}
	if (sums == 4)
		s[0] = (s[0] + s[1]) + (s[2] + s[3]);
	else if (sums == 2)
		s[0] += s[1];
	return MASKED ? total(s[0]) : total(s[0]) + rest;
}

TARGET static float dot(const float *a, const float *b, size_t n)
{
	return measure(false, a, b, n);
}

TARGET static float l2sq(const float *a, const float *b, size_t n)
{
	return measure(true, a, b, n);
}

/* Measure four rows at a time, prefetching next[] line by line.  Sums are in the order
 * of measure's tail, so the last bits may differ from those for one row. */
INLINE void four_rows(bool l2, const float *a, const float *const *row, const float *const *next,
		      size_t n, float *out)
{
	vec s[4] = { { 0 } }, v;
	size_t i, j;

	for (i = 0; i < n; i += LANES) {
		v = LOAD(a + i, n - i);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++) {
			if (next)
				__builtin_prefetch(next[j] + i);
			s[j] = add(l2, v, LOAD(row[j] + i, n - i), s[j]);
		}
	}
	for (j = 0; j < 4; j++)
		out[j] = total(s[j]);
}

/* The last four rows may overlap those before them: measuring cached rows again is
 * cheap. */
INLINE void measure_rows(bool l2, const float *a, const float *const *rows, size_t k, size_t n,
			 float *out)
{
	size_t i;

	/* Finding their pages takes as long as reading them. */
	for (i = 0; MASKED && i < k; i++)
		__builtin_prefetch(rows[i]);
	if (!MASKED || k < 2) {
		rows_one_by_one(l2 ? l2sq : dot, a, rows, k, n, out);
		return;
	}
	if (k < 4) {
		const float *four[4] = { rows[0], rows[1], rows[k - 1], rows[k - 1] };
		float d[4];

		four_rows(l2, a, four, NULL, n, d);
		memcpy(out, d, k * sizeof *d);
		return;
	}
	for (i = 0; i + 4 <= k; i += 4) {
		size_t next = i + 8 <= k ? i + 4 : k - 4;

		if (next > i)
			four_rows(l2, a, rows + i, rows + next, n, out + i);
		else
			four_rows(l2, a, rows + i, NULL, n, out + i);
	}
	if (i < k)
		four_rows(l2, a, rows + k - 4, NULL, n, out + k - 4);
}

TARGET static void dot_rows(const float *a, const float *const *rows, size_t k, size_t n,
			    float *out)
{
	measure_rows(false, a, rows, k, n, out);
}

TARGET static void l2sq_rows(const float *a, const float *const *rows, size_t k, size_t n,
			     float *out)
{
	measure_rows(true, a, rows, k, n, out);
}
