/* feed - the text of an input, read in pieces of a limited size. */
#ifndef FEED_H
#define FEED_H

#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/err.h"

struct feed {
	const uint8_t *p, *end;
	size_t most;		/* bytes of a piece */
};

/* Read up to n bytes; ctx is a struct feed. */
static inline ssize_t feed_read(void *ctx, void *to, size_t n, struct lh_err *err)
{
	struct feed *f = ctx;
	size_t left = (size_t)(f->end - f->p);

	(void)err;
	n = n < left ? n : left;
	n = n < f->most ? n : f->most;
	memcpy(to, f->p, n);
	f->p += n;
	return (ssize_t)n;
}

#endif
