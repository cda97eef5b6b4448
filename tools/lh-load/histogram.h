/*
 * histogram - durations in bounded memory.
 *
 * 128 buckets for each power of two nanoseconds: a percentile is within 0.4 % of the
 * duration it stands for, after any number of them.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS 7	/* buckets for a power of two, as a power of two */
#define HISTOGRAM_SIZE ((65 - HISTOGRAM_BITS) << HISTOGRAM_BITS)

struct histogram {
	uint64_t n, max;
	uint64_t count[HISTOGRAM_SIZE];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* Return the duration that a share of all, 0 to 1, do not exceed (nearest rank), in
 * nanoseconds; n is above 0. */
uint64_t histogram_at(const struct histogram *h, double share);

#endif
