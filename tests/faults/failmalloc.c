/*
 * failmalloc - preload this to make allocations fail in a plain build, also
 * those inside libc and other libraries.
 *
 *     FAILMALLOC=N     the Nth allocation fails
 *     FAILMALLOC=N+    the Nth and all later ones fail
 *     FAILMALLOC_LOG=FILE   is created once one has failed
 *     FAILMALLOC_OF=NAME    only those of the program of that name, none of a child's
 *
 * Counting starts with main: the loader has no way to report.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end);

static long left;
static int on, for_good;

static int fails(void)
{
	long now;

	if (!on)
		return 0;
	now = __atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED);
	if (now > 0 || (now < 0 && !for_good))
		return 0;
	if (now == 0) {
		const char *log = getenv("FAILMALLOC_LOG");

		if (log)
			close(open(log, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	}
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	*p = fails() ? NULL : __libc_memalign(align, n);
	return *p ? 0 : ENOMEM;
}

/* strdup and its like come here through the malloc above; what is left is to
 * start counting where the program starts. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	int (*next)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
	const char *s = getenv("FAILMALLOC"), *of = getenv("FAILMALLOC_OF");
	char *end = "";

	*(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
	if (s && (!of || !strcmp(of, program_invocation_short_name)))
		left = strtol(s, &end, 10);
	for_good = *end == '+';
	on = left > 0;
	return next(main, argc, argv, init, fini, rtld_fini, stack_end);
}
