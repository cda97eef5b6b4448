/*
 * qg_build - build a graph in which every row has the same number of links, for a
 * search that estimates all links of a row at once.
 *
 * Rows are inserted in an order drawn from the seed, in batches: all rows of a batch
 * search the graph as it is before the batch, from the entry (the row nearest the
 * centroid), then their links and the links back to them are stored.  A second pass
 * over all rows links each again, and fills each list.
 *
 * Candidates are the rows whose links the search followed, and the links that the row
 * has: those from early, sparse graphs are what far queries need.  The search of the
 * second pass therefore keeps few rows; with more, fewer of those links are left.
 * A candidate is left out if it is nearer to a row that is chosen already; the nearest
 * of those left out fill the list at the end.  At most a quarter of the links, except
 * those that fill, are to rows with the same code.  A link back takes the place of one
 * that fills; if all are chosen, the list is chosen again.
 *
 * Every row has degree different links, none to itself, and each can be reached from
 * the entry; if there are fewer other rows, the rest of a list is the row itself.
 * The result does not depend on the number of threads; between kernels (quantize.h),
 * last bits of distances can differ, and links with them.
 *
 * Memory in addition to the caller's: 9 bytes a row, and 2 a row and thread; for a
 * batch, which is at most a 32nd of the rows and at most 65,536 of them, 8 bytes a
 * link; 8 bytes a row more while rows are made reachable.
 *
 * Errors: LH_ENOMEM; LH_EINTR when stop returned true.  The links are then undefined.
 */
#ifndef LH_QG_BUILD_H
#define LH_QG_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/distance.h>

#define LH_QG_LINKS_MAX 128

struct lh_qg_build {
	const void *codes;	/* of the rows, as i8 (quantize.h) */
	size_t stride;		/* bytes between the codes of two rows */
	uint32_t rows, dimension;
	enum lh_distance distance;
	uint32_t *links;	/* rows lists of degree row numbers: output */
	uint32_t degree;	/* 1 to LH_QG_LINKS_MAX */
	uint32_t ef;		/* rows that a search keeps, except in the second pass: 1 or more */
	uint64_t seed;
	bool (*stop)(void);	/* polled periodically; NULL: never stop */
	/* Called periodically in the calling thread with the number of rows that are
	 * linked, counting a row once when all passes have linked it, and at the end with
	 * all.  NULL: no reports. */
	void (*progress)(void *ctx, uint64_t rows);
	void *ctx;
	uint32_t entry;		/* of walks: output, and input of lh_qg_add */
};

/* Build a graph of all rows. */
int lh_qg_build(struct lh_qg_build *g, unsigned jobs, struct lh_err *err);

/*
 * Link the rows from done on with a graph of those before them, whose links the caller
 * has checked.  A link back to a new row takes the place of the farthest link for which
 * another of the list stands in (to a row nearer to it), or else of the farthest; all
 * other links stay where they are in their list.  If done is not more than degree, the
 * whole graph is built again.
 */
int lh_qg_add(struct lh_qg_build *g, uint32_t done, unsigned jobs, struct lh_err *err);

/*
 * Link the rows of a graph from which rows were taken, and new ones.  The first kept rows
 * have lists, checked by the caller, in which number g->rows + i stands for row i of those
 * that are gone; gone has the lists of these.  The links to them are replaced by links that
 * they had.  entry is the old one, or not less than g->rows if it is gone.  If kept is not
 * more than degree, the whole graph is built.
 */
int lh_qg_repair(struct lh_qg_build *g, uint32_t kept, const uint32_t *gone, unsigned jobs,
		 struct lh_err *err);

#endif
