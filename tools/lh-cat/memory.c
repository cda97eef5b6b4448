/*
 * memory.c - end lh-cat with its own message and status if an allocation fails.
 *
 * libarchive 3.6 requires it: when out of memory it follows null pointers
 * (archive_read_new, the zip reader) or calls exit(1).  So the allocator is wrapped
 * for the whole process; nothing is lost by that, because lh-cat has nothing to
 * clean up.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/err.h>

/* A sanitizer has an allocator of its own, which must not be wrapped. */
#ifndef __SANITIZE_ADDRESS__

LH_API void *malloc(size_t n);
LH_API void *calloc(size_t n, size_t size);
LH_API void *realloc(void *p, size_t n);

static void *checked(void *p)
{
	static const char text[] = "lh-cat: out of memory\n";

	if (!p && write(STDERR_FILENO, text, sizeof text - 1) != 0)
		_exit(2);
	return p;
}

void *malloc(size_t n)
{
	static void *(*next)(size_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "malloc");
	return checked(next(n ? n : 1));
}

void *calloc(size_t n, size_t size)
{
	static void *(*next)(size_t, size_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "calloc");
	return checked(next(n ? n : 1, size ? size : 1));
}

void *realloc(void *p, size_t n)
{
	static void *(*next)(void *, size_t);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "realloc");
	return checked(next(p, n ? n : 1));
}

#endif
