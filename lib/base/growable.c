/* growable.c - an array of bytes that grows without being copied.  See mem.h. */
#include "mem.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define LEAST ((size_t)2 << 20)	/* a huge page */

void lh_growable_room(struct lh_growable *r, size_t n)
{
	size_t cap = r->cap;
	void *p;

	if (n <= cap - r->n)
		return;
	if (n > SIZE_MAX / 4 || r->n > SIZE_MAX / 4)
		lh_no_memory(n);
	while (cap - r->n < n)
		cap += cap / 2 + LEAST;
	cap = (cap + LEAST - 1) / LEAST * LEAST;
	if (r->p)
		p = mremap(r->p, r->cap, cap, MREMAP_MAYMOVE);
	else
		p = mmap(NULL, cap, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		lh_no_memory(cap);
	if (r->huge)
		madvise(p, cap, MADV_HUGEPAGE);
	r->p = p;
	r->cap = cap;
}

void lh_growable_add(struct lh_growable *r, const void *p, size_t n)
{
	lh_growable_room(r, n);
	if (n)
		memcpy(r->p + r->n, p, n);
	r->n += n;
}

void lh_growable_free(struct lh_growable *r)
{
	if (r->p)
		munmap(r->p, r->cap);
	*r = (struct lh_growable){ .huge = r->huge };
}
