/* seed.c - a random number of this process.  See xxh3.h. */
#include "xxh3.h"

#include <pthread.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t seed;

static void init_seed(void)
{
	struct timespec now = { .tv_nsec = 0 };

	if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	seed = ((uintptr_t)&now ^ (uint64_t)now.tv_nsec << 20 ^ (uint64_t)getpid()) *
		0x9e3779b97f4a7c15ull;
}

uint64_t lh_seed(void)
{
	pthread_once(&once, init_seed);
	return seed;
}
