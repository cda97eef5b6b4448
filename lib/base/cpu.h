/*
 * cpu - whether text may be read with AVX2 and BMI, and how many cores there are.
 *
 * The first is determined once; LH_KERNEL=portable in the environment answers no, for tests.
 * AVX-512 makes text no faster: strings are short, and its masks take longer to
 * reach a register than AVX2's.
 */
#ifndef LH_CPU_H
#define LH_CPU_H

enum lh_cpu { LH_CPU_PORTABLE = 1, LH_CPU_AVX2 };

enum lh_cpu lh_cpu(void);

/* Return how many cores this process may use: 1 to most. */
unsigned lh_cpu_cores(unsigned most);

#endif
