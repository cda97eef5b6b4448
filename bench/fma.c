/*
 * fma - the most float arithmetic that one thread can do: products added in registers, in the
 * widest vectors of this CPU.  Prints GFLOP/s of processor time, of the best of 8 rounds.
 */
#include <stdio.h>
#include <time.h>

#define SUMS 24			/* independent, to hide the latency */
#define STEPS 2000000

typedef float v16 __attribute__((vector_size(64)));
typedef float v8 __attribute__((vector_size(32)));

#define LOOP(name, isa, vec)								\
	__attribute__((target(isa), optimize("O3"))) static float name(float scale)	\
	{										\
		vec sum[SUMS], x = { 0 }, y = { 0 }, all = { 0 };			\
											\
		x += scale;								\
		y += 1e-3f;								\
		for (int i = 0; i < SUMS; i++)						\
			sum[i] = y * (float)i;						\
		for (long n = 0; n < STEPS; n++) {					\
			__asm__ volatile("" : "+v"(x), "+v"(y));			\
			_Pragma("GCC unroll 24")					\
			for (int i = 0; i < SUMS; i++)					\
				sum[i] = sum[i] * x + y;				\
		}									\
		for (int i = 0; i < SUMS; i++)						\
			all += sum[i];							\
		return all[0];								\
	}

LOOP(wide, "avx512f", v16)
LOOP(narrow, "avx2,fma", v8)

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(void)
{
	int lanes = __builtin_cpu_supports("avx512f") ? 16 : 8;
	double best = 1e9;
	float kept = 0;

	for (int i = 0; i < 8; i++) {
		double t = seconds();

		kept += lanes == 16 ? wide(0.5f) : narrow(0.5f);
		t = seconds() - t;
		best = t < best ? t : best;
	}
	printf("%.1f\n", kept > 0 ? 2.0 * lanes * SUMS * STEPS / best / 1e9 : 0);
	return 0;
}
