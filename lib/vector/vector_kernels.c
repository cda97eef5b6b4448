/* vector_kernels.c - choose the kernels.  See vector_kernels.h. */
#include "vector_kernels.h"

#include <stdlib.h>

#ifdef __x86_64__
#include <cpuid.h>

/* Not every compiler has a name for it. */
static bool has_f16c(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

enum { DISTANCE, QUANTIZE, QG, KINDS };

/* Determine the instruction set for each kind of kernel. */
static void detect(enum lh_isa *isa)
{
#ifdef __x86_64__
	const char *force = getenv("LH_KERNEL");
	bool avx2, fma;
#endif

	memset(isa, 0, KINDS * sizeof *isa);
#ifdef __x86_64__
	__builtin_cpu_init();
	if (force && !strcmp(force, "portable"))
		return;
	avx2 = __builtin_cpu_supports("avx2");
	fma = avx2 && __builtin_cpu_supports("fma");
	isa[DISTANCE] = fma ? LH_AVX2 : LH_PORTABLE;
	if (__builtin_cpu_supports("avx512f") && !(force && !strcmp(force, "avx2")))
		isa[DISTANCE] = LH_AVX512;
	isa[QG] = avx2 && isa[DISTANCE] ? LH_AVX2 : LH_PORTABLE;
	isa[QUANTIZE] = fma && has_f16c() ? LH_AVX2 : LH_PORTABLE;
	if (isa[DISTANCE] == LH_AVX512 && __builtin_cpu_supports("avx512bw")) {
		isa[QG] = LH_AVX512;
		if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni"))
			isa[QUANTIZE] = LH_AVX512;
	}
#endif
}

/* Return the instruction set for a kind.  Two threads may both detect it, but find the same. */
static enum lh_isa isa_of(unsigned kind)
{
	static unsigned known;
	unsigned bits = __atomic_load_n(&known, __ATOMIC_RELAXED), i;
	enum lh_isa isa[KINDS];

	if (__builtin_expect(!bits, 0)) {
		detect(isa);
		for (bits = 1, i = 0; i < KINDS; i++)
			bits |= (unsigned)isa[i] << (2 * i + 1);
		__atomic_store_n(&known, bits, __ATOMIC_RELAXED);
	}
	return (enum lh_isa)(bits >> (2 * kind + 1) & 3);
}

#ifdef __x86_64__
#define EACH(kernel) { &kernel##_portable, &kernel##_avx2, &kernel##_avx512 }
#else
#define EACH(kernel) { &kernel##_portable }
#endif

const struct lh_distance_kernel *lh_distance_kernel(void)
{
	static const struct lh_distance_kernel *const kernels[] = EACH(lh_distance);

	return kernels[isa_of(DISTANCE)];
}

const struct lh_quantize_kernel *lh_quantize_kernel(void)
{
	static const struct lh_quantize_kernel *const kernels[] = EACH(lh_quantize);

	return kernels[isa_of(QUANTIZE)];
}

const struct lh_qg_kernel *lh_qg_kernel(void)
{
	static const struct lh_qg_kernel *const kernels[] = EACH(lh_qg);

	return kernels[isa_of(QG)];
}
