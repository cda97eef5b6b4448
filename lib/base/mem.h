/*
 * mem - allocation with overflow-checked sizes, and one place where tests can make
 * it fail.
 *
 * Memory is freed with free(3).  A build with -DLH_FAULTS reads LH_FAULT_ALLOC=N
 * (the Nth call fails) or N+ (the Nth and all later calls fail), so that a run
 * under AddressSanitizer shows what leaks when memory is short; it creates the file
 * LH_FAULT_LOG when a call fails.
 */
#ifndef LH_MEM_H
#define LH_MEM_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lh/err.h>

/* Allocate n zeroed objects of size bytes; NULL with *err if out of memory. */
void *lh_calloc(size_t n, size_t size, struct lh_err *err) __attribute__((malloc));

/* Grow or shrink p to n objects of size bytes; after a failure p is still valid. */
void *lh_realloc(void *p, size_t n, size_t size, struct lh_err *err);

/* Grow *array (of objects of size bytes, *cap of them) to hold n, by half at least;
 * array is the address of a pointer.  0, or -1 with nothing changed. */
int lh_grow(void *array, size_t *cap, size_t n, size_t size, struct lh_err *err);

/* Allocate n zeroed objects of size bytes that will be accessed in random order: on
 * huge pages where the system has them, because a TLB miss costs as much as the
 * access. */
void *lh_calloc_table(size_t n, size_t size, struct lh_err *err) __attribute__((malloc));

/* Allocate n zeroed bytes that begin at a line of the cache. */
void *lh_calloc_lines(size_t n, struct lh_err *err) __attribute__((malloc));

/* Copy n bytes of s and append a NUL. */
char *lh_strndup(const char *s, size_t n, struct lh_err *err) __attribute__((malloc));

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

/* Make n more bytes after the end usable, without changing n: 0 or LH_ENOMEM. */
int lh_growable_room(struct lh_growable *r, size_t n, struct lh_err *err);
int lh_growable_add(struct lh_growable *r, const void *p, size_t n, struct lh_err *err);
void lh_growable_free(struct lh_growable *r);

/* Free what a local pointer points to: LH_SCOPED(lh_free_local) char *path = ... */
static inline void lh_free_local(void *pointer)
{
	void *p;

	memcpy(&p, pointer, sizeof p);
	free(p);
}

#endif
