/* mem.c - allocation that does not fail.  See mem.h. */
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "signal.h"

#define LINE 64			/* bytes of a line of the cache */
#define LARGE_PAGE ((size_t)2 << 20)

#ifdef LH_FAULTS

static bool faulted(void)
{
	static long calls;
	const char *nth = getenv("LH_FAULT_ALLOC"), *log = getenv("LH_FAULT_LOG");

	if (!nth || __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != strtol(nth, NULL, 10))
		return false;
	if (log)
		close(open(log, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	return true;
}
#else
static bool faulted(void)
{
	return false;
}
#endif

void lh_no_memory(size_t bytes)
{
	static bool said;
	char text[300];
	int n;

	/* Other threads wait here for the end of the process. */
	while (__atomic_exchange_n(&said, true, __ATOMIC_SEQ_CST))
		pause();
	n = snprintf(text, sizeof text,
		     "%.200s: out of memory (%zu bytes more are not to be had)\n",
		     program_invocation_short_name, bytes);
	if (n < 0 || write(STDERR_FILENO, text, (size_t)n) < 0)
		errno = 0;	/* it ends all the same */
	lh_signal_unlink();
	_exit(2);
}

/* Return p, which was to have so many bytes, or end the process. */
static void *checked(void *p, size_t bytes)
{
	if (!p)
		lh_no_memory(bytes);
	return p;
}

static size_t product(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n ? n : 1, size ? size : 1, &bytes) ? SIZE_MAX : bytes;
}

void *lh_calloc(size_t n, size_t size)
{
	return checked(faulted() ? NULL : calloc(n ? n : 1, size ? size : 1), product(n, size));
}

void *lh_calloc_table(size_t n, size_t size)
{
	char *p = lh_calloc(n, size);
	size_t skip = -(uintptr_t)p & (LARGE_PAGE - 1);

	if (n * size >= skip + LARGE_PAGE)
		madvise(p + skip, n * size - skip, MADV_HUGEPAGE);
	return p;
}

void *lh_calloc_lines(size_t n)
{
	void *p = n > SIZE_MAX - LINE || faulted() ? NULL
						   : aligned_alloc(LINE, (n + LINE) / LINE * LINE);

	return memset(checked(p, n), 0, n);
}

void *lh_realloc(void *p, size_t n, size_t size)
{
	size_t bytes = product(n, size);

	return checked(faulted() ? NULL : realloc(p, bytes), bytes);
}

void lh_grow(void *array, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap + *cap / 2 + 16;
	void *p;

	if (n <= *cap)
		return;
	if (more < n)
		more = n;
	memcpy(&p, array, sizeof p);
	p = lh_realloc(p, more, size);
	memcpy(array, &p, sizeof p);
	*cap = more;
}

char *lh_strndup(const char *s, size_t n)
{
	char *p = checked(n < SIZE_MAX && !faulted() ? malloc(n + 1) : NULL, n);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}
