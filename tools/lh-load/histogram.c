/* histogram.c - durations in bounded memory.  See histogram.h. */
#include "histogram.h"

#include <math.h>

#define BUCKETS ((uint64_t)1 << HISTOGRAM_BITS)

static unsigned bucket(uint64_t v)
{
	unsigned shift;

	if (v < BUCKETS)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HISTOGRAM_BITS;
	return (unsigned)((shift << HISTOGRAM_BITS) + (v >> shift));
}

/* Return the middle of a bucket. */
static uint64_t middle(unsigned b)
{
	unsigned shift;

	if (b < 2 * BUCKETS)
		return b;
	shift = (b >> HISTOGRAM_BITS) - 1;
	return (((b & (BUCKETS - 1)) + BUCKETS) << shift) + ((uint64_t)1 << shift) / 2;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->n++;
	h->count[bucket(ns)]++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)h->n), seen = 0, at;
	unsigned b = 0;

	if (rank < 1)
		rank = 1;
	while (b < HISTOGRAM_SIZE - 1 && (seen += h->count[b]) < rank)
		b++;
	at = middle(b);
	return at < h->max ? at : h->max;
}
