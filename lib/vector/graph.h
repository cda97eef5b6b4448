/* graph - the graph over vectors, qg: how it is built, and its codes. */
#ifndef LH_GRAPH_H
#define LH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vector/distance.h"
#include "base/err.h"

/*
 * qg_code - 1-bit codes of the neighbours of a row, and distances estimated from them.
 *
 *     lh_qg_signs(seed, n, signs);
 *     lh_qg_rotate(signs, row, n, c);                  (each vector, before all else)
 *     lh_qg_encode(dim, values, c, neighbour, lane, codes, &f_add[lane], &f_rescale[lane]);
 *
 *     lh_qg_query_init(&q, n, values, err);
 *     lh_qg_query_set(&q, signs, vector);
 *     below = lh_qg_estimate(&q, codes, &factors, square, limit, out);
 *     lh_qg_query_free(&q);
 *
 * This is RaBitQ (Gao and Long, 2024) with a row as the centre of its neighbours, as in
 * SymphonyQG (Gou et al., 2025).  Vectors are rotated first: n values and zeros up to dim,
 * a multiple of 64; then four times the signs of some values are changed, and the first
 * values (the second and fourth time: the last) are transformed by a normalized
 * Walsh-Hadamard matrix of the largest power of two that fits.
 *
 * The code of neighbour r of row c, both rotated, is the bits x = (r - c > 0) of the first
 * values only: a projection, as any values of a rotated vector stand for all.  With o = r - c,
 * and u = x - 1/2 in the first values and 0 in the others,
 *
 *     f_add     = |o|^2 + 2 |o|^2 <c,u> / <o,u>
 *     f_rescale = -2 |o|^2 / <o,u>
 *     |q - r|^2 is about |q - c|^2 + f_add + f_rescale <q,u>
 *
 * and if <o,u> is 0, f_add is |o|^2 and f_rescale is 0.
 *
 * A third of the values estimate as well as all when a walk keeps a few rows more: it reads less.
 *
 * Codes of 32 neighbours (lanes) are stored together.  Byte 16 t + j holds bits 4t to
 * 4t + 3 of lane j, the first in the lowest bit, and in its upper half those of lane
 * j + 16.  A query has a table for every four values, of the 16 sums that their bits
 * select, rounded to u8: an entry e stands for min + delta e.  So <q,x> of 32 lanes is two
 * look-ups of 16 bytes for every four values.
 *
 * Every kernel gives the same bits.  A query belongs to one thread while it is set, and may
 * then be used by many.
 */

#define LH_QG_LANES 32

/* Return the number of values of a rotated vector. */
static inline uint32_t lh_qg_dimension(uint32_t n)
{
	return (n + 63) / 64 * 64;
}

/* Return the bytes of the signs for vectors of n values: four times a bit for each. */
static inline size_t lh_qg_sign_bytes(uint32_t n)
{
	return (size_t)lh_qg_dimension(n) / 2;
}

/* Return how many values the codes of vectors of n values keep in new files, a multiple of 16: none
 * under 200 values, which are measured as fast; all up to 256, then 240, or 5 of 16 if these are
 * more.  Up to 384 values, i8 has less, so that a row is not much larger than one of hnswlib; with
 * 768, one with 32 links takes half a page.  Beside wider vectors that are read anyway, f16 has 8
 * and f32 10 of 16. */
static inline uint32_t lh_qg_code_values(uint32_t n, enum lh_precision precision)
{
	uint32_t of = precision == LH_I8 ? 5 : precision == LH_F16 ? 8 : 10;
	uint32_t dim = lh_qg_dimension(n), part = dim * of / 16 / 16 * 16;

	part = dim <= 256 ? dim : part > 240 ? part : 240;
	if (precision == LH_I8 && n < 384 && part > (17 * n / 5 - 226) / 4)
		part = (17 * n / 5 - 226) / 4 / 16 * 16;
	return n < 200 ? 0 : part;
}

/* Return the bytes of the codes of 32 neighbours that keep so many values. */
static inline size_t lh_qg_code_bytes(uint32_t values)
{
	return (size_t)values * LH_QG_LANES / 8;
}

/* Draw the signs: bit i % 8 of byte i / 8 is 1 if the sign of value i is changed. */
void lh_qg_signs(uint64_t seed, uint32_t n, unsigned char *signs);
/* Rotate n values; out has room for lh_qg_dimension(n). */
void lh_qg_rotate(const unsigned char *signs, const float *v, uint32_t n, float *out);
/* Encode the first values of a neighbour as that lane; other lanes of codes are kept.  c and
 * neighbour are rotated and have dim values. */
void lh_qg_encode(uint32_t dim, uint32_t values, const float *c, const float *neighbour,
		  unsigned lane, unsigned char *codes, float *f_add, float *f_rescale);

struct lh_qg_query {
	uint32_t n, dim;	/* dim: values that codes keep */
	void *mem;
	float *rotated;		/* the query */
	uint8_t *table;		/* 16 entries for every four values; 64-byte aligned */
	float delta;		/* <q,u> = bias + delta * (sum of entries) */
	float bias;
};
void lh_qg_query_init(struct lh_qg_query *q, uint32_t n, uint32_t values);
void lh_qg_query_set(struct lh_qg_query *q, const unsigned char *signs, const float *v);
/* Free a query; a zeroed struct is allowed. */
void lh_qg_query_free(struct lh_qg_query *q);

/* Sum the entries that the codes of 32 lanes select. */
void lh_qg_sums(const struct lh_qg_query *q, const unsigned char *codes, uint32_t *sums);
/* The factors of 32 neighbours, in units. */
struct lh_qg_factors {
	const float *add, *rescale;
	float unit;
};
/* Estimate the squared distances of 32 neighbours, given that of the row.  Damaged factors
 * give any values, NaN too.  Returns a bit for each that is below limit. */
uint32_t lh_qg_estimate(const struct lh_qg_query *q, const unsigned char *codes,
			const struct lh_qg_factors *f, float square, float limit, float *out);

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
 * the entry; if there are fewer other rows, the rest of a list is the row itself.  Rows with
 * the vector of another are its copies (copies.h): they are linked with each other and with
 * that row alone.
 * The result does not depend on the number of threads; between kernels (quantize.h),
 * last bits of distances can differ, and links with them.
 *
 * Memory in addition to the caller's: 13 bytes a row, and 2 a row and thread; for a
 * batch, which is at most a 32nd of the rows and at most 65,536 of them, 8 bytes a
 * link; 8 bytes a row more while rows are made reachable.
 *
 * Errors: LH_EINTR when stop returned true.  The links are then undefined.
 */

#define LH_QG_LINKS_MAX 128

struct lh_qg_build {
	const void *codes;	/* of the rows (quantize.h) */
	enum lh_precision precision;	/* of codes */
	size_t stride;		/* bytes between the codes of two rows */
	const void *vectors;	/* of the rows, as they are stored; NULL: do not look for copies */
	size_t vector_stride, vector_bytes;
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
	uint32_t entry;		/* of walks: output, and input of lh_qg_change */
};

/* Build a graph of all rows. */
int lh_qg_build(struct lh_qg_build *g, unsigned jobs, struct lh_err *err);

/*
 * Link new rows with a graph, from which others may have been taken.  The first kept rows have
 * lists, checked by the caller, in which number g->rows + i stands for row i of those that are
 * gone; gone has the lists of these, or is NULL if there are none.  A link to one of them is
 * replaced by one that it had.  A new row has links of its nearest as candidates, and is offered
 * to all that it links to, whose lists are chosen again; links that stay are where they were.
 * entry is the old one, or not less than g->rows if it is gone.  If kept is not more than degree,
 * the whole graph is built again.
 */
int lh_qg_change(struct lh_qg_build *g, uint32_t kept, const uint32_t *gone, unsigned jobs,
		 struct lh_err *err);

/*
 * reach - the rows of a graph that a walk from its entry gets to, and links to the others.
 *
 * A walk follows the links of the entry, and of all rows that were reached.  A search that goes
 * on long enough visits the same.  links_of returns the links of a row, and their number; those
 * to rows that do not exist are ignored.
 *
 * lh_reach_connect links each row that was not reached from the nearest that was and has a
 * link to spare.  No row is lost by this.
 *
 * Memory: 8 bytes a row, freed by lh_reach_free, after a failure too.
 */

#define LH_UNREACHED UINT32_MAX

struct lh_reach {
	uint32_t rows;
	const uint32_t *(*links_of)(void *ctx, uint32_t row, uint32_t *n);
	void *ctx;
	uint32_t *parent;	/* of each row: the one that led to it, or LH_UNREACHED */
	uint32_t *queue, n;	/* the rows that were reached */
};

void lh_reach(struct lh_reach *r, uint32_t entry);
void lh_reach_free(struct lh_reach *r);

/* How to change the graph; the functions get ctx of struct lh_reach. */
struct lh_reach_builder {
	/* Write up to max rows near a row, nearest first; returns how many. */
	size_t (*find_near)(void *ctx, uint32_t row, uint32_t *out, size_t max);
	/* Return a new place for a link of a row, or NULL if its list is full. */
	uint32_t *(*free_place)(void *ctx, uint32_t row);
	float (*distance)(void *ctx, uint32_t row, uint32_t other);
	const uint32_t *of;	/* a row that is asked first for a link to each row, or NULL */
};
void lh_reach_connect(struct lh_reach *r, const struct lh_reach_builder *b);

#endif
