/*
 * lh_cpu - which instruction sets text may be read with; not installed.
 *
 * Found out once; LH_KERNEL=avx512, avx2 or portable bounds it, for tests.
 */
#ifndef LH_CPU_H
#define LH_CPU_H

enum lh_cpu {
	LH_CPU_PORTABLE = 1,
	LH_CPU_AVX2,		/* with BMI */
	LH_CPU_AVX512,		/* F, BW and VL */
	LH_CPU_VBMI,		/* and VBMI */
};

enum lh_cpu lh_cpu(void);

#endif
