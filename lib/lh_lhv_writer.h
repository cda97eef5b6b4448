/*
 * lh_lhv_writer - a writer as its two halves share it: lh_lhv_write.c gathers
 * the rows, lh_lhv_commit.c makes the file of them.  Not for callers.
 */
#ifndef LH_LHV_WRITER_H
#define LH_LHV_WRITER_H

#include "lh_hnsw.h"
#include "lh_lhv_int.h"
#include "lh_region.h"

struct lh_lhv_writer {
	char *path;
	struct lh_lhv_params p;
	struct lh_lock lock;
	bool locked;

	uint64_t rows;
	size_t stride, vector_at;
	struct lh_region block, exact, ids, metas;	/* exact: with rescore */
	float *unit;		/* the vector being put, of unit length */
	struct lh_region id_at, meta_at, meta_n;	/* u64, u64, u32 a row */
	struct lh_region hash;
	uint64_t hash_slots;
	bool packed;		/* metadata lie in the order of rows, without gaps */

	const struct lh_lhv *old;	/* whose graph is continued, or NULL */
	uint32_t *level, *upper;
	struct lh_hnsw graph;
	struct lh_atomic out;
	bool out_open;
	struct lh_lhv_header header;
};

#endif
