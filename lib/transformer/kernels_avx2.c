/* kernels_avx2.c - the kernel for AVX2 and FMA.  See kernels.h. */
#ifdef __x86_64__
#pragma GCC target("avx2,fma")
#define LANES 8
#define ROWS 6
#define KERNEL lh_kernels_avx2
#define KERNEL_NAME "avx2"
#include "kernel_source.h"
#endif
