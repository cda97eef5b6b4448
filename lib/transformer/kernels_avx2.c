/* kernels_avx2.c - the kernel for AVX2 and FMA.  See kernels.h. */
#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define LANES 8
#define ROWS 6
#define KERNEL lh_kernels_avx2
#define KERNEL_NAME "avx2"
#include "kernel_source.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
