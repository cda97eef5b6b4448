/* kernels_portable.c - the kernel for any CPU.  See kernels.h. */
#define LANES 4
#define ROWS 6
#define KERNEL lh_kernels_portable
#define KERNEL_NAME "portable"
#include "kernel_source.h"
