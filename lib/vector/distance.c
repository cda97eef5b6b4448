/* distance.c - distances between float vectors.  See lh/distance.h. */
#include <lh/distance.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kernel {
	const char *name;
	enum lh_isa isa;
	lh_vec_fn dot, l2sq;
	lh_vec_rows_fn dot_rows, l2sq_rows;
};

/* Keep eight independent sums, so that additions do not wait for each other. */
static float dot_portable(const float *a, const float *b, size_t n)
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

static float l2sq_portable(const float *a, const float *b, size_t n)
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

/* Measure one row after the other, prefetching the next. */
static inline void rows_one_by_one(lh_vec_fn fn, const float *a, const float *const *rows, size_t k,
				   size_t n, float *out)
{
	size_t i, j;

	for (i = 0; i < k; i++) {
		for (j = 0; i + 1 < k && j < n; j += 16)
			__builtin_prefetch(rows[i + 1] + j);
		out[i] = fn(a, rows[i], n);
	}
}

static void dot_rows_portable(const float *a, const float *const *rows, size_t k, size_t n,
			      float *out)
{
	rows_one_by_one(dot_portable, a, rows, k, n, out);
}

static void l2sq_rows_portable(const float *a, const float *const *rows, size_t k, size_t n,
			       float *out)
{
	rows_one_by_one(l2sq_portable, a, rows, k, n, out);
}

static const struct kernel portable = { "portable",    LH_PORTABLE,	  dot_portable,
					l2sq_portable, dot_rows_portable, l2sq_rows_portable };

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f")))

AVX2 static inline float sum8(__m256 v)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	s = _mm_add_ss(s, _mm_movehdup_ps(s));
	return _mm_cvtss_f32(s);
}

AVX2 static float dot_avx2(const float *a, const float *b, size_t n)
{
	__m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
	float rest = 0;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
		s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
		s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
		s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
	}
	for (; i + 8 <= n; i += 8)
		s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
	for (; i < n; i++)
		rest += a[i] * b[i];
	return sum8(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3))) + rest;
}

AVX2 static float l2sq_avx2(const float *a, const float *b, size_t n)
{
	__m256 s0 = _mm256_setzero_ps(), s1 = s0, d0, d1;
	float rest = 0, d;
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
		d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
		s0 = _mm256_fmadd_ps(d0, d0, s0);
		s1 = _mm256_fmadd_ps(d1, d1, s1);
	}
	for (; i < n; i++) {
		d = a[i] - b[i];
		rest += d * d;
	}
	return sum8(_mm256_add_ps(s0, s1)) + rest;
}

AVX512 static float dot_avx512(const float *a, const float *b, size_t n)
{
	__m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
	size_t i = 0;

	for (; i + 64 <= n; i += 64) {
		s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
		s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
		s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
		s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
	}
	for (; i < n; i += 16) {
		__mmask16 k = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xffff;

		s0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(k, a + i),
				     _mm512_maskz_loadu_ps(k, b + i), s0);
	}
	return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

AVX512 static float l2sq_avx512(const float *a, const float *b, size_t n)
{
	__m512 s0 = _mm512_setzero_ps(), s1 = s0, d0, d1;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
		d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
		s0 = _mm512_fmadd_ps(d0, d0, s0);
		s1 = _mm512_fmadd_ps(d1, d1, s1);
	}
	for (; i < n; i += 16) {
		__mmask16 k = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xffff;

		d0 = _mm512_sub_ps(_mm512_maskz_loadu_ps(k, a + i),
				   _mm512_maskz_loadu_ps(k, b + i));
		s0 = _mm512_fmadd_ps(d0, d0, s0);
	}
	return _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
}

static void dot_rows_avx2(const float *a, const float *const *rows, size_t k, size_t n, float *out)
{
	rows_one_by_one(dot_avx2, a, rows, k, n, out);
}

static void l2sq_rows_avx2(const float *a, const float *const *rows, size_t k, size_t n, float *out)
{
	rows_one_by_one(l2sq_avx2, a, rows, k, n, out);
}

/* Measure four rows at a time, prefetching next[] line by line.  Sums are in the order
 * of dot_avx512's tail, so the last bits may differ from those of the kernel for one
 * row. */
AVX512 static inline void four_avx512(bool l2, const float *a, const float *const *row,
				      const float *const *next, size_t n, float *out)
{
	__m512 s[4], v, d;
	size_t i, j;

	for (j = 0; j < 4; j++)
		s[j] = _mm512_setzero_ps();
	for (i = 0; i < n; i += 16) {
		__mmask16 k = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xffff;

		v = _mm512_maskz_loadu_ps(k, a + i);
#pragma GCC unroll 4
		for (j = 0; j < 4; j++) {
			if (next)
				__builtin_prefetch(next[j] + i);
			d = _mm512_maskz_loadu_ps(k, row[j] + i);
			if (l2) {
				d = _mm512_sub_ps(v, d);
				s[j] = _mm512_fmadd_ps(d, d, s[j]);
			} else {
				s[j] = _mm512_fmadd_ps(v, d, s[j]);
			}
		}
	}
	for (j = 0; j < 4; j++)
		out[j] = _mm512_reduce_add_ps(s[j]);
}

/* The last four rows may overlap those before them: measuring cached rows again is
 * cheap. */
AVX512 static inline void rows_avx512(bool l2, const float *a, const float *const *rows, size_t k,
				      size_t n, float *out)
{
	size_t i;

	/* Finding their pages takes as long as reading them. */
	for (i = 0; i < k; i++)
		__builtin_prefetch(rows[i]);
	if (k < 2) {
		rows_one_by_one(l2 ? l2sq_avx512 : dot_avx512, a, rows, k, n, out);
		return;
	}
	if (k < 4) {
		const float *four[4] = { rows[0], rows[1], rows[k - 1], rows[k - 1] };
		float d[4];

		four_avx512(l2, a, four, NULL, n, d);
		memcpy(out, d, k * sizeof *d);
		return;
	}
	for (i = 0; i + 4 <= k; i += 4) {
		size_t next = i + 8 <= k ? i + 4 : k - 4;

		if (next > i)
			four_avx512(l2, a, rows + i, rows + next, n, out + i);
		else
			four_avx512(l2, a, rows + i, NULL, n, out + i);
	}
	if (i < k)
		four_avx512(l2, a, rows + k - 4, NULL, n, out + k - 4);
}

AVX512 static void dot_rows_avx512(const float *a, const float *const *rows, size_t k, size_t n,
				   float *out)
{
	rows_avx512(false, a, rows, k, n, out);
}

AVX512 static void l2sq_rows_avx512(const float *a, const float *const *rows, size_t k, size_t n,
				    float *out)
{
	rows_avx512(true, a, rows, k, n, out);
}

static const struct kernel avx2 = { "avx2",    LH_AVX2,	      dot_avx2,
				    l2sq_avx2, dot_rows_avx2, l2sq_rows_avx2 };
static const struct kernel avx512 = { "avx512",	   LH_AVX512,	    dot_avx512,
				      l2sq_avx512, dot_rows_avx512, l2sq_rows_avx512 };
#endif

static const struct kernel *choose_kernel(void)
{
	const char *force = getenv("LH_KERNEL");

	if (!force)
		force = "";
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && strcmp(force, "avx2") != 0 &&
	    strcmp(force, "portable") != 0)
		return &avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	    strcmp(force, "portable") != 0)
		return &avx2;
#endif
	return &portable;
}

/* Two threads may both choose the kernel, but choose the same. */
static const struct kernel *kernel(void)
{
	static const struct kernel *chosen;
	const struct kernel *k = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

	if (!k) {
		k = choose_kernel();
		__atomic_store_n(&chosen, k, __ATOMIC_RELAXED);
	}
	return k;
}

lh_vec_fn lh_vec_dot(void)
{
	return kernel()->dot;
}

lh_vec_fn lh_vec_l2sq(void)
{
	return kernel()->l2sq;
}

lh_vec_rows_fn lh_vec_dot_rows(void)
{
	return kernel()->dot_rows;
}

lh_vec_rows_fn lh_vec_l2sq_rows(void)
{
	return kernel()->l2sq_rows;
}

const char *lh_vec_kernel(void)
{
	return kernel()->name;
}

enum lh_isa lh_vec_isa(void)
{
	return kernel()->isa;
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
