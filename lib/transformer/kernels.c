/* kernels.c - choose the kernel.  See kernels.h. */
#include "encoder.h"
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

#ifdef __x86_64__
/* Return whether LH_KERNEL names this product, or none. */
static bool may_be(const char *name)
{
	const char *force = getenv("LH_KERNEL");

	return (!force || !*force || !strcmp(force, name)) && lh_vec_isa() == LH_AVX512;
}

static bool has_vnni(void)
{
	return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl");
}
#endif

const struct lh_product *lh_product_of_floats(uint32_t type)
{
	const struct lh_kernels *k = lh_kernels();

	return type == LH_GGUF_F16 ? &k->f16 : type == LH_GGUF_Q8_0 ? &k->q8 : &k->f32;
}

const struct lh_product *lh_product(uint32_t type, enum lh_rounding rounding)
{
#ifdef __x86_64__
	if (may_be("amx") && lh_amx())
		return rounding == LH_EXACT
			? type == LH_GGUF_F16 ? &lh_product_amx_f16 : &lh_product_amx
			: type == LH_GGUF_Q8_0 ? &lh_product_amx_q8 : &lh_product_amx_bf16;
	if (rounding != LH_EXACT && type == LH_GGUF_Q8_0 && may_be("vnni") && has_vnni())
		return rounding == LH_FINE ? &lh_product_vnni_fine : &lh_product_vnni;
#endif
	return lh_product_of_floats(type);
}

struct lh_kernel_names lh_kernel_names(void)
{
	return (struct lh_kernel_names){
		.models = lh_kernels()->name,
		.exact = lh_product(LH_GGUF_F32, LH_EXACT)->name,
		.fast = lh_product(LH_GGUF_Q8_0, LH_COARSE)->name,
	};
}
