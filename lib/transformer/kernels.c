/* kernels.c - choose the kernel.  See kernels.h. */
#include "kernels.h"

#include <lh/distance.h>

const struct lh_kernels *lh_kernels(void)
{
#ifdef __x86_64__
	if (lh_vec_isa() == LH_AVX512)
		return &lh_kernels_avx512;
	if (lh_vec_isa() == LH_AVX2)
		return &lh_kernels_avx2;
#endif
	return &lh_kernels_portable;
}
