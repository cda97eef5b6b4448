/* mem.c - allocation with checked sizes.  See mem.h. */
#include "mem.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINE 64			/* bytes of a line of the cache */
#define LARGE_PAGE ((size_t)2 << 20)

#ifdef LH_FAULTS

static int faulted(void)
{
	static long left;
	static int state;	/* 0 not read, 1 one call fails, 2 all from then on, 3 none */
	const char *s;
	char *end;
	long now;

	if (state == 0) {
		s = getenv("LH_FAULT_ALLOC");
		left = s ? strtol(s, &end, 10) : 0;
		state = !s || left < 1 ? 3 : *end == '+' ? 2 : 1;
	}
	if (state == 3)
		return 0;
	now = __atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED);
	if (now == 0) {
		const char *log = getenv("LH_FAULT_LOG");

		if (log)
			close(open(log, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	}
	return now == 0 || (now < 0 && state == 2);
}
#else
static int faulted(void)
{
	return 0;
}
#endif

void *lh_calloc(size_t n, size_t size, struct lh_err *err)
{
	void *p = faulted() ? NULL : calloc(n ? n : 1, size ? size : 1);

	if (!p)
		lh_err_nomem(err);
	return p;
}

void *lh_calloc_table(size_t n, size_t size, struct lh_err *err)
{
	char *p = lh_calloc(n, size, err);
	size_t skip = p ? -(uintptr_t)p & (LARGE_PAGE - 1) : 0;

	if (p && n * size >= skip + LARGE_PAGE)
		madvise(p + skip, n * size - skip, MADV_HUGEPAGE);
	return p;
}

void *lh_calloc_lines(size_t n, struct lh_err *err)
{
	void *p = n > SIZE_MAX - LINE || faulted() ? NULL
						   : aligned_alloc(LINE, (n + LINE) / LINE * LINE);

	if (!p) {
		lh_err_nomem(err);
		return NULL;
	}
	return memset(p, 0, n);
}

void *lh_realloc(void *p, size_t n, size_t size, struct lh_err *err)
{
	size_t bytes;

	if (__builtin_mul_overflow(n ? n : 1, size ? size : 1, &bytes) || faulted())
		p = NULL;
	else
		p = realloc(p, bytes);
	if (!p)
		lh_err_nomem(err);
	return p;
}

int lh_grow(void *array, size_t *cap, size_t n, size_t size, struct lh_err *err)
{
	size_t more = *cap + *cap / 2 + 16;
	void *p;

	if (n <= *cap)
		return 0;
	if (more < n)
		more = n;
	memcpy(&p, array, sizeof p);
	p = lh_realloc(p, more, size, err);
	if (!p)
		return -1;
	memcpy(array, &p, sizeof p);
	*cap = more;
	return 0;
}

char *lh_strndup(const char *s, size_t n, struct lh_err *err)
{
	char *p = n < SIZE_MAX && !faulted() ? malloc(n + 1) : NULL;

	if (!p) {
		lh_err_nomem(err);
		return NULL;
	}
	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}
