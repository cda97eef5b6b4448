/* centroids.h - the centroids of lh-index shard --by centroid. */
#ifndef CENTROIDS_H
#define CENTROIDS_H

#include "index/index_tools.h"

/*
 * Find up to n centroids of the rows of a writer by k-means, with the distance of the index.
 * The result depends on the rows, their order and the seed alone.  *found is less than n when
 * fewer than n vectors of the sample differ.  Returns them one after the other, to be freed, or
 * NULL with *err.
 */
float *centroids_make(const struct lh_index_writer *w, const struct lh_index_params *p, size_t n,
		      uint64_t seed, size_t *found, struct lh_err *err);

/* Return which of n centroids is the nearest to a vector. */
size_t centroids_nearest(const float *centroid, size_t n, const struct lh_index_params *p,
			 const float *vector);

#endif
