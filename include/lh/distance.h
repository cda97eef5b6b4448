/*
 * distance - distances between float vectors, by the best kernel this CPU has.
 *
 * AVX-512, AVX2+FMA or portable C, chosen once at first use (LH_KERNEL=avx512,
 * avx2 or portable forces one, for tests; one this CPU lacks gives the next).
 * Vectors need no alignment; 64-byte aligned ones are faster.  Sums are taken
 * in f32 in a kernel's own order, so the last bits differ between kernels.
 */
#ifndef LH_DISTANCE_H
#define LH_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

LH_C_BEGIN

#define LH_DIM_MAX 65536	/* of a vector from outside */

enum lh_distance { LH_COSINE, LH_L2, LH_IP };
enum lh_precision { LH_F32, LH_F16, LH_I8 };	/* of the values that an index keeps */

typedef float (*lh_vec_fn)(const float *a, const float *b, size_t n);

/* Dot product, and squared Euclidean distance. */
LH_API lh_vec_fn lh_vec_dot(void);
LH_API lh_vec_fn lh_vec_l2sq(void);
LH_API const char *lh_vec_kernel(void);
/* For other modules with kernels: the widest of its kind that may be used. */
enum lh_isa { LH_PORTABLE, LH_AVX2, LH_AVX512 };
enum lh_isa lh_vec_isa(void);

/* The same of a with each of rows[0..k), into out: several rows are read at
 * once and the next ones asked for ahead, which is what a walk through memory
 * larger than the caches needs. */
typedef void (*lh_vec_rows_fn)(const float *a, const float *const *rows, size_t k, size_t n,
			       float *out);
LH_API lh_vec_rows_fn lh_vec_dot_rows(void);
LH_API lh_vec_rows_fn lh_vec_l2sq_rows(void);

/* The same summed in double, alike on every machine: what is printed. */
LH_API double lh_vec_dot_f64(const float *a, const float *b, size_t n);
LH_API double lh_vec_l2sq_f64(const float *a, const float *b, size_t n);

/* Scale to unit length (norm taken in double); a vector that has it already
 * stays bit for bit.  False for a zero or non-finite one, which also stays. */
LH_API bool lh_vec_unit(float *v, size_t n);
LH_API bool lh_vec_finite(const float *v, size_t n);

LH_C_END

#endif
