/*
 * hnswlib - the library hnswlib: a graph over vectors of f32, in memory or in a file of its own.
 *
 *     h = lh_hnswlib_new(&(struct lh_hnswlib_shape){ LH_COSINE, 768, 16, 200, rows });
 *     lh_hnswlib_add(h, vector_of, ctx, jobs, stop, progress, &err);
 *     n = lh_hnswlib_search(h, vector, 10, 64, labels, distances);
 *     lh_hnswlib_save(h, path, &err);
 *     lh_hnswlib_free(h);
 *
 * Under cosine all vectors have unit length, and the library is given inner products.
 *
 * How:     a program that uses this links the C++ runtime.  No exception leaves it: a lack of
 *          memory ends the process, as everywhere (base/mem.h).
 * Trust:   the library trusts the files that it reads.  lh_hnswlib_load checks the head and the
 *          lengths first, so that all of its memory is of the file; links are not checked, and
 *          what is loaded is not searched.
 * Owner:   NULL is freed too.  Vectors are copied.
 * Errors:  0, or -1 (NULL) with LH_ECORRUPT, LH_EIO or LH_EINTR, without the path.
 * Threads: any number may search, if none adds.
 */
#ifndef LH_HNSWLIB_H
#define LH_HNSWLIB_H

#include "vector/distance.h"

struct lh_hnswlib_shape {
	enum lh_distance distance;
	uint32_t dimension, m, ef_construction;
	uint64_t rows;
};

struct lh_hnswlib;
/* Make a graph with room for its rows. */
struct lh_hnswlib *lh_hnswlib_new(const struct lh_hnswlib_shape *s);
/* Add the rows, with the labels 0, 1, 2 and so on, on jobs threads; vector_of writes a vector to
 * out and may be called by several.  stop is polled, and progress called, by the calling thread. */
int lh_hnswlib_add(struct lh_hnswlib *h,
		   void (*vector_of)(void *ctx, uint64_t row, float *out), void *ctx, unsigned jobs,
		   bool (*stop)(void), void (*progress)(void *ctx, uint64_t rows),
		   struct lh_err *err);
/* Write it to the file at path, and read that again. */
int lh_hnswlib_save(const struct lh_hnswlib *h, const char *path, struct lh_err *err);
/* Read a file, made with the same distance. */
struct lh_hnswlib *lh_hnswlib_load(const char *path, enum lh_distance distance,
				   struct lh_err *err);
void lh_hnswlib_free(struct lh_hnswlib *h);

struct lh_hnswlib_shape lh_hnswlib_get_shape(const struct lh_hnswlib *h);
struct lh_hnswlib_element {
	uint64_t label;
	const float *vector;	/* not aligned */
	bool deleted;
};
struct lh_hnswlib_element lh_hnswlib_element(const struct lh_hnswlib *h, uint64_t e);
/* Return the element of a label, or -1. */
int64_t lh_hnswlib_find(const struct lh_hnswlib *h, uint64_t label);
/* Write labels and distances, under l2 squared, of the k nearest, nearest first; returns how many
 * there are. */
size_t lh_hnswlib_search(struct lh_hnswlib *h, const float *vector, size_t k, size_t ef,
			 uint64_t *labels, float *distances);

#endif
