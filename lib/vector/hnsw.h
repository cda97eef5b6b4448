/*
 * hnsw - build an HNSW graph over rows in their final layout.  Insertion and choice
 * of neighbours are those of hnswlib.
 *
 * block holds rows of stride bytes: a link list of 1 + 2m words (count, then row
 * numbers), initially zero, and at vector_at the code of the vector (quantize.h).
 * upper holds the link lists above level 0, 1 + m words each, initially zero: those
 * of row r, from level 1 up, are numbers level[r] to level[r + 1] - 1.
 * lh_hnsw_level returns how many a row has, as a function of the seed and the row
 * number only, so that it is the same for any number of threads.  With one thread
 * the whole graph is reproducible.
 *
 * Searches for neighbours compare i8 codes, since four times as many of them fit
 * the caches.  If the block has wider codes, i8 codes are made for the time of the
 * build, and what a search finds is measured again by the wider ones;
 * bench/README.md has the figures.
 *
 * A graph can be continued: the first done rows, entry and top are then those of
 * an earlier build over these rows, whose links the caller has checked.
 *
 * Errors: LH_ENOMEM; LH_EINTR when stop returned true.  The links are then
 *         undefined.
 */
#ifndef LH_HNSW_H
#define LH_HNSW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/distance.h>

struct lh_hnsw {
	void *block;
	uint32_t rows, dimension;
	size_t stride, vector_at;
	enum lh_distance distance;
	enum lh_precision precision;	/* of the codes in block */
	uint32_t m, ef_construction;
	const uint32_t *level;
	uint32_t *upper;
	bool (*stop)(void);	/* polled periodically; NULL: never stop */
	/* Called periodically in the calling thread with the number of rows that are
	 * linked or being linked, and at the end with all.  NULL: no reports. */
	void (*progress)(void *ctx, uint64_t rows);
	void *ctx;
	uint32_t done;		/* rows already linked */
	uint32_t entry, top;	/* entry of walks and its level; also input when done is not 0 */
};

uint32_t lh_hnsw_level(uint64_t seed, uint32_t row, uint32_t m);
int lh_hnsw_build(struct lh_hnsw *g, unsigned jobs, struct lh_err *err);

#endif
