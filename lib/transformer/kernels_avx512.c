/* kernels_avx512.c - the kernel for AVX-512.  See kernels.h. */
#ifdef __x86_64__
#pragma GCC target("avx512f,prefer-vector-width=512")
#define LANES 16
#define ROWS 14
#define KERNEL lh_kernels_avx512
#define KERNEL_NAME "avx512"
#include "kernel_source.h"
#endif
