/*
 * hnswlib - read and write the index files of the library hnswlib (its saveIndex, the same
 * bytes since 0.4).
 *
 *     struct lh_hnswlib h;
 *     if (lh_hnswlib_open(&h, "vectors.bin", err) == 0)
 *             ... lh_hnswlib_vector(&h, e, v) for each element e below h.rows ...
 *     lh_hnswlib_close(&h);
 *
 * The file is the memory of the library: 96 bytes of head; for each element the links of
 * level 0, the vector as f32 and the label, all of one size; then for each element a u32, the
 * size of its lists on the levels above, and these.  It names neither the distance nor the type
 * of the values.  An element has a number, by which others link to it, and a label, by which
 * the user knows it.
 *
 * Trust:   a file may be hostile, and the library reads it unchecked.  lh_hnswlib_open checks
 *          all of it: sizes, counts, levels, links, labels and the length of the file.  What
 *          it returns later is copied and, as far as memory depends on it, checked again, since
 *          another process may write to the file meanwhile.
 * Owner:   the struct is the caller's; close it also after a failure.
 * Errors:  LH_ECORRUPT with the number of the element; LH_EIO.
 * Threads: any number may read one open file.
 */
#ifndef LH_HNSWLIB_H
#define LH_HNSWLIB_H

#include "base/table.h"
#include "file/file.h"
#include "index_tools.h"

struct lh_hnswlib {
	struct lh_mapped map;
	const char *p;			/* the file; n bytes */
	size_t n;
	uint64_t rows, deleted;		/* elements, deleted ones included */
	uint32_t dimension;
	uint32_t max_upper, max_base;	/* links of an element on a level, and on level 0 */
	uint64_t ef_construction;
	uint32_t entry, top;		/* the element where a search begins, and its level */
	size_t stride, vector_at, label_at;
	uint64_t *upper;		/* [rows + 1]: where the upper lists of an element begin */
	struct lh_map label;		/* the elements by their labels, u64 */
};

int lh_hnswlib_open(struct lh_hnswlib *h, const char *path, struct lh_err *err);
/* Do the same with a file in memory, which is borrowed. */
int lh_hnswlib_read(struct lh_hnswlib *h, const void *p, size_t n, struct lh_err *err);
void lh_hnswlib_close(struct lh_hnswlib *h);

/* Return the element of that label, or -1. */
int64_t lh_hnswlib_find(const struct lh_hnswlib *h, uint64_t label);
uint64_t lh_hnswlib_label(const struct lh_hnswlib *h, uint64_t element);
bool lh_hnswlib_is_deleted(const struct lh_hnswlib *h, uint64_t element);
void lh_hnswlib_vector(const struct lh_hnswlib *h, uint64_t element, float *out);
uint32_t lh_hnswlib_level(const struct lh_hnswlib *h, uint64_t element);
/* Copy the links of an element on one of its levels to out, which has room for max_base or
 * max_upper.  Links to itself and repeated ones are left out.  Returns their number.  For lists
 * of a few hundred links: the time grows with the square. */
uint32_t lh_hnswlib_links(const struct lh_hnswlib *h, uint64_t element, uint32_t level,
			  uint32_t *out);

/* Return whether an index has a graph of layout hnsw over exactly its live rows, or no rows. */
bool lh_hnswlib_has_graph(const struct lh_index *ix);
/* Write an index: its graph, or if it has none over its live rows, one that is built on jobs
 * threads, in a temporary file next to out.  The labels are the numbers of the live rows in the
 * order of insertion.  Quantized vectors are written as f32, exact if the index has them.
 * progress: see lh_index_writer_watch. */
int lh_hnswlib_write(struct lh_atomic *out, const struct lh_index *ix, unsigned jobs,
		     lh_index_progress_fn *progress, void *ctx, struct lh_err *err);

#endif
