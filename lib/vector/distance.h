/*
 * distance - distances between float vectors, by the best kernel of this CPU.
 *
 * The kernel is AVX-512, AVX2 with FMA, or portable C, chosen at first use.  For
 * tests, LH_KERNEL=avx512, avx2 or portable forces one; if the CPU lacks it, the
 * next is used.  Vectors need no alignment; 64-byte aligned ones are faster.  Sums
 * are in f32, in an order of the kernel's own, so last bits differ between kernels.
 */
#ifndef LH_DISTANCE_H
#define LH_DISTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LH_DIM_MAX 65536	/* of a vector in input */

enum lh_distance { LH_COSINE, LH_L2, LH_IP };
enum lh_precision { LH_F32, LH_F16, LH_I8 };	/* of stored vectors */

typedef float (*lh_vec_fn)(const float *a, const float *b, size_t n);

/* Return the function for the dot product, and for the squared Euclidean distance. */
lh_vec_fn lh_vec_dot(void);
lh_vec_fn lh_vec_l2sq(void);
const char *lh_vec_kernel(void);
/* Return the widest instruction set that kernels of other modules may use. */
enum lh_isa { LH_PORTABLE, LH_AVX2, LH_AVX512 };
enum lh_isa lh_vec_isa(void);

/* Return the functions that measure a against each of rows[0..k), into out.  They read
 * several rows at once and prefetch the next ones, as suits memory larger than the
 * caches. */
typedef void (*lh_vec_rows_fn)(const float *a, const float *const *rows, size_t k, size_t n,
			       float *out);
lh_vec_rows_fn lh_vec_dot_rows(void);
lh_vec_rows_fn lh_vec_l2sq_rows(void);

/* Compute the same in double, with the same result on every machine, for output. */
double lh_vec_dot_f64(const float *a, const float *b, size_t n);
double lh_vec_l2sq_f64(const float *a, const float *b, size_t n);

/* Scale v to unit length (the norm is computed in double).  A vector that has it
 * already is unchanged to the bit.  Returns false, and leaves v as it is, for a zero
 * vector and for one that is not finite. */
bool lh_vec_unit(float *v, size_t n);
bool lh_vec_finite(const float *v, size_t n);

#endif
