/*
 * hnsw - builds an HNSW graph over rows that already lie in their final
 * place, as hnswlib does: its insertion, and its choice of neighbours.
 *
 * The block holds rows of stride bytes: a link list of 1 + 2m words (count,
 * then row numbers), all zero to begin with, and the vector's code (quantize.h)
 * at vector_at.  Upper link lists (1 + m words each) of row r, from level 1 up,
 * are the ones numbered level[r] to level[r + 1] - 1 in upper, which must be
 * zero.  lh_hnsw_level says how many a row has; it depends on the seed and the
 * row's number alone, so that it is the same for any number of threads.  With
 * one thread the whole graph is.
 *
 * A search for neighbours goes by codes of bytes: four times as many vectors fit
 * the caches.  A block of wider codes gets such codes beside it while the graph
 * is built, and what a search has found is then measured by the wider ones;
 * bench/README.md says what that is worth.
 *
 * A graph can be continued: the first done rows, and entry and top, are then as
 * an earlier build over them left them.  Their links must have been checked.
 *
 * Errors: LH_ENOMEM, LH_EINTR when stop said so.  The links are then in no
 *         defined state.
 */
#ifndef LH_HNSW_H
#define LH_HNSW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

struct lh_hnsw {
	void *block;
	uint32_t rows, dimension;
	size_t stride, vector_at;
	int distance;		/* enum lh_distance */
	int precision;		/* enum lh_precision, of the vectors in the block */
	uint32_t m, ef_construction;
	const uint32_t *level;
	uint32_t *upper;
	bool (*stop)(void);	/* asked periodically; NULL: never */
	/* Told periodically, in the thread that called, how many rows are linked or
	 * being linked, and at the end that all are; NULL: nobody. */
	void (*tell)(void *ctx, uint64_t rows);
	void *ctx;
	uint32_t done;		/* rows that are linked already; 0: none */
	uint32_t entry, top;	/* where a walk begins; in, too, when done is not 0 */
};

uint32_t lh_hnsw_level(uint64_t seed, uint32_t row, uint32_t m);
int lh_hnsw_build(struct lh_hnsw *g, unsigned jobs, struct lh_err *err);

#endif
