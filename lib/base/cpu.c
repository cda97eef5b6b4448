/* cpu.c - which instructions this CPU has, and how many cores.  See cpu.h. */
#include "cpu.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static enum lh_cpu detect(void)
{
#ifdef __x86_64__
	const char *bound = getenv("LH_KERNEL");

	__builtin_cpu_init();
	if ((!bound || strcmp(bound, "portable")) && __builtin_cpu_supports("avx2") &&
	    __builtin_cpu_supports("bmi2"))
		return LH_CPU_AVX2;
#endif
	return LH_CPU_PORTABLE;
}

enum lh_cpu lh_cpu(void)
{
	static enum lh_cpu known;
	enum lh_cpu cpu = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (__builtin_expect(!cpu, 0)) {
		cpu = detect();
		__atomic_store_n(&known, cpu, __ATOMIC_RELAXED);
	}
	return cpu;
}

unsigned lh_cpu_cores(unsigned most)
{
	cpu_set_t set;
	unsigned n;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	n = (unsigned)CPU_COUNT(&set);
	return n > most ? most : n;
}
