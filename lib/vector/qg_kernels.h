/*
 * qg_kernels - shared by qg_code.c and its kernels (qg_kernels.c).
 */
#ifndef LH_QG_KERNELS_H
#define LH_QG_KERNELS_H

#include "qg_code.h"

/* Most tables whose sums fit 16 bits: 257, in whole steps of 64 bytes. */
#define LH_QG_RUN 256

/* Sums over the values of o = neighbour - c. */
struct lh_qg_part {
	float square;	/* of o * o */
	float size;	/* of |o| */
	float along;	/* of c where o > 0, of -c elsewhere */
};

struct lh_qg_kernel {
	/* Rotate dim values in place. */
	void (*rotate)(const unsigned char *signs, float *v, uint32_t dim);
	/* Compute the bits of o > 0 and the sums. */
	void (*encode)(const float *c, const float *neighbour, uint32_t dim, unsigned char *bits,
		       struct lh_qg_part *part);
	/* Write a table of 16 entries for each four of dim values: (sum - min) * per_step. */
	void (*tables)(const float *v, uint32_t dim, float min, float per_step, uint8_t *table);
	/* Sum the entries of dim / 4 tables for 32 lanes. */
	void (*sums)(const uint8_t *table, const unsigned char *codes, uint32_t dim,
		     uint32_t *sums);
	/* Finish lh_qg_estimate. */
	uint32_t (*estimate)(const struct lh_qg_query *q, const uint32_t *sums,
			     const float *f_add, const float *f_rescale, float square,
			     float limit, float *out);
};
const struct lh_qg_kernel *lh_qg_kernel(void);

#endif
