/*
 * mem - allocation that does not fail: a process that gets no memory says so in one line on
 * stderr, unlinks the temporary files that it registered (base/signal.h) and ends with status 2,
 * from whichever thread and under whichever lock.  What was acknowledged is on disk by then, as
 * for any kill.
 *
 * A size from a file, a request or an option has its own limit before it comes here: a hostile
 * length is a bad record.  Memory is freed with free(3).
 *
 * A build with -DLH_FAULTS reads LH_FAULT_ALLOC=N (the Nth call fails); it creates the file
 * LH_FAULT_LOG when a call fails.
 */
#ifndef LH_MEM_H
#define LH_MEM_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define LH_NEVER_NULL __attribute__((returns_nonnull))

/* End the process for want of so many bytes.  For what allocates without these functions. */
void lh_no_memory(size_t bytes) __attribute__((noreturn));

/* Allocate n zeroed objects of size bytes. */
void *lh_calloc(size_t n, size_t size) __attribute__((malloc)) LH_NEVER_NULL;

/* Grow or shrink p to n objects of size bytes. */
void *lh_realloc(void *p, size_t n, size_t size) LH_NEVER_NULL;

/* Grow *array (of objects of size bytes, *cap of them) to hold n, by half at least;
 * array is the address of a pointer. */
void lh_grow(void *array, size_t *cap, size_t n, size_t size);

/* Allocate n zeroed objects of size bytes that will be accessed in random order: on
 * huge pages where the system has them, because a TLB miss costs as much as the
 * access. */
void *lh_calloc_table(size_t n, size_t size) __attribute__((malloc)) LH_NEVER_NULL;

/* Allocate n zeroed bytes that begin at a line of the cache. */
void *lh_calloc_lines(size_t n) __attribute__((malloc)) LH_NEVER_NULL;

/* Copy n bytes of s and append a NUL. */
char *lh_strndup(const char *s, size_t n) __attribute__((malloc)) LH_NEVER_NULL;

/* Print a text as printf(3) does. */
char *lh_format(const char *fmt, ...) LH_PRINTF(1, 2) __attribute__((malloc)) LH_NEVER_NULL;

/*
 * growable - an array of bytes that grows without being copied: an anonymous
 * mapping that mremap(2) moves.  For data that fills most of the memory, where
 * doubling with realloc would need half as much again.
 *
 * Bytes that were never written are zero.  A zeroed struct is an empty array.
 */

struct lh_growable {
	char *p;
	size_t n, cap;
	bool huge;	/* use huge pages: the array is read in random order */
};

/* Make n more bytes after the end usable, without changing n. */
void lh_growable_room(struct lh_growable *r, size_t n);
void lh_growable_add(struct lh_growable *r, const void *p, size_t n);
void lh_growable_free(struct lh_growable *r);

/* Free what a local pointer points to: LH_SCOPED(lh_free_local) char *path = ... */
static inline void lh_free_local(void *pointer)
{
	void *p;

	memcpy(&p, pointer, sizeof p);
	free(p);
}

#endif
