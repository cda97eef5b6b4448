/*
 * quantize_kernels - shared by quantize.c and its kernels (quantize_kernels.c).
 */
#ifndef LH_QUANTIZE_KERNELS_H
#define LH_QUANTIZE_KERNELS_H

#include <string.h>

#include "quantize.h"

#define LH_CODE_ZERO 128	/* the byte of zero under i8 */

/* Follows the bytes of an i8 code. */
struct lh_quantize_head {
	float scale;
	uint32_t square;	/* sum of c * c: at most 2^16 * 2^14 */
};

static inline struct lh_quantize_head lh_quantize_head(const void *code, uint32_t n)
{
	struct lh_quantize_head h;

	memcpy(&h, (const char *)code + n, sizeof h);
	return h;
}

/* Return value i of an f16 code. */
static inline float lh_quantize_half(const void *code, size_t i)
{
	uint32_t bits;
	uint16_t h;
	float f;

	memcpy(&h, (const char *)code + 2 * i, sizeof h);
	if ((h & 0x7c00) == 0) {
		f = (float)(h & 0x3ff) * 0x1p-24f;
		return h & 0x8000 ? -f : f;
	}
	bits = (uint32_t)(h & 0x8000) << 16 | (uint32_t)(h & 0x7fff) << 13;
	bits += (h & 0x7c00) == 0x7c00 ? 224u << 23 : 112u << 23;
	memcpy(&f, &bits, sizeof f);
	return f;
}

typedef void (*lh_quantize_rows_fn)(const struct lh_quantized_query *q, const void *const *codes,
				    size_t k, float *out);
typedef void (*lh_quantize_get_fn)(const void *code, uint32_t n, float *v);
/* Convert the bytes of an i8 code to signed ones and return their sum.  -128, which
 * occurs in damaged codes only and which some kernels cannot take, becomes -127. */
typedef int32_t (*lh_quantize_sign_fn)(const unsigned char *code, uint32_t n, int8_t *c);

struct lh_quantize_kernel {
	lh_quantize_rows_fn rows_f16, rows_i8;
	lh_quantize_get_fn get_f16, get_i8;
	lh_quantize_sign_fn sign;
};
const struct lh_quantize_kernel *lh_quantize_kernel(void);

#endif
