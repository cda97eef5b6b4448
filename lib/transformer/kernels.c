/* kernels.c - choose the kernel.  See kernels.h. */
#include "kernels.h"

#include <lh/distance.h>
#include <stdlib.h>
#include <string.h>

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

const char *lh_packing(const struct lh_product *p)
{
	return p->packing ? p->packing : p->name;
}

const struct lh_product *lh_product_int8(void)
{
#ifdef __x86_64__
	const char *force = getenv("LH_KERNEL");

	if ((!force || !strcmp(force, "vnni")) && lh_vec_isa() == LH_AVX512 &&
	    __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl"))
		return &lh_product_vnni;
#endif
	return NULL;
}
