/*
 * mem - allocation with overflow-checked sizes, and one place where tests
 * can make it fail.
 *
 * Memory is freed with free(3).  A build with -DLH_FAULTS reads
 * LH_FAULT_ALLOC=N (the Nth call fails) or N+ (the Nth and all later ones), so
 * that a run under AddressSanitizer shows what leaks when memory is short.
 */
#ifndef LH_MEM_H
#define LH_MEM_H

#include <lh/err.h>

/* n objects of size bytes, zeroed; NULL and *err when there is no memory. */
void *lh_calloc(size_t n, size_t size, struct lh_err *err) __attribute__((malloc));

/* Grow or shrink p to n objects of size bytes; on failure p is still valid. */
void *lh_realloc(void *p, size_t n, size_t size, struct lh_err *err);

/* Make *array (of objects of size bytes, *cap of them) hold n, growing by half
 * at least; array is the address of a pointer.  0, or -1 and nothing changed. */
int lh_grow(void *array, size_t *cap, size_t n, size_t size, struct lh_err *err);

/* n objects of size bytes, zeroed, that will be reached in no order: on large
 * pages where there are any, for otherwise finding the page costs as much as
 * the memory itself. */
void *lh_calloc_table(size_t n, size_t size, struct lh_err *err) __attribute__((malloc));

/* A copy of n bytes of s with a NUL behind them. */
char *lh_strndup(const char *s, size_t n, struct lh_err *err) __attribute__((malloc));

#endif
