/* kernels_avx512.c - the kernel for AVX-512.  See kernels.h. */
#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC target("avx512f,prefer-vector-width=512")
#endif
#define LANES 16
#define ROWS 14
#define KERNEL lh_kernels_avx512
#define KERNEL_NAME "avx512"
#include "kernel_source.h"
#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
