/*
 * weights - an inverted index of weighted terms, which a learned sparse encoder made of texts:
 * the rows of each term with their weights, and search for the rows with the highest sums.
 *
 *     b = lh_weights_build_new(err);
 *     lh_weights_build_add(b, &value, err);         {"term":1.5,...} of row 0, 1, 2, ...
 *     lh_weights_build_finish(b, &ix, err);         ix points into b
 *
 *     n = lh_weights_search(&s, terms, n_terms, parts, n_parts, 10, &rows, hits, err);
 *
 * A row's score is the sum of the query's weight times the row's weight, over the terms of the
 * query.  It is summed in double from the heaviest term of the query to the lightest, of those
 * alike the one with the lesser bytes first, so that a score does not depend on the other rows.
 * A row whose score is 0 is no hit.
 *
 * Layout.  Three runs of bytes, described in lhv(5): the terms, sorted by their bytes, as in
 * lexical.h; their texts; the postings.  Those of a term are the greatest weight of each block
 * of 128 of its rows (f32), then the rows (u32, ascending), then their weights (f32, above 0).
 *
 * How:     rows are processed in windows with one sum per row.  In each window the greatest
 *          weights of the blocks in it say which terms may bring a row among the best; others
 *          are only looked up for the rows that need them.  The result is exact.
 * Hostile: an index may hold anything; reading never leaves its bytes.  Damage that is met is
 *          reported as LH_ECORRUPT: also a weight above the greatest of its block.
 * Memory:  building takes 16 bytes a weight, and 50 bytes and its text a term.
 * Threads: many threads may read an index; a struct lh_weights_search belongs to one thread.
 */
#ifndef LH_WEIGHTS_H
#define LH_WEIGHTS_H

#include "lexical.h"

#define LH_WEIGHTS_BLOCK 128

struct lh_weights {
	uint64_t rows;			/* row numbers are below it */
	const struct lh_lexical_term *term;	/* [terms + 1] */
	uint64_t terms;
	const char *texts;
	const unsigned char *postings;
	uint64_t texts_n, postings_n;
};

/* ---- building ---- */

struct lh_weights_build;
struct lh_weights_build *lh_weights_build_new(struct lh_err *err);
void lh_weights_build_free(struct lh_weights_build *b);
/* Add the weights of the next row, an object; p NULL or JSON null: none.  A weight of 0 is left
 * out.  LH_EDATA for what is no object, and for a weight that is negative or no number. */
int lh_weights_build_add(struct lh_weights_build *b, const struct lh_value *v,
			 struct lh_err *err);
/* Check that they could be added. */
int lh_weights_check(const struct lh_value *v, struct lh_err *err);
/* Finish, once; *ix is valid until b is freed. */
int lh_weights_build_finish(struct lh_weights_build *b, struct lh_weights *ix,
			    struct lh_err *err);

/* ---- reading ---- */

/* Fill ix from its three runs of bytes (terms and postings 8-byte aligned); false if the terms
 * cannot be a table of them. */
bool lh_weights_open(struct lh_weights *ix, uint64_t rows, const struct lh_str run[3]);

/* Check everything that must hold; damage is called with the number (0 to 2) of the run of
 * bytes and a message. */
void lh_weights_verify(const struct lh_weights *ix,
		       void (*damage)(void *ctx, int run, const char *text), void *ctx);

/* ---- searching ---- */

struct lh_weighted {		/* a term of a query */
	struct lh_str term;
	double weight;
};

struct lh_weights_cursor;
struct lh_weights_search {	/* scratch; a zeroed struct is empty */
	struct lh_weights_cursor *at;
	size_t n, cap;
	struct lh_best best;
	double *sum;		/* of the rows of a window */
	uint64_t *met;		/* a bit per row */
};

/* Find the best k rows for n different terms, which are put in the order of summing.  Rows of
 * part 1 are numbered after those of part 0.  Returns their number, or -1. */
long lh_weights_search(struct lh_weights_search *s, struct lh_weighted *term, size_t n,
		       const struct lh_weights *const *part, size_t parts, size_t k,
		       const struct lh_lexical_rows *rows, struct lh_lexical_hit *out,
		       struct lh_err *err);
void lh_weights_search_free(struct lh_weights_search *s);

/* The postings of a term, checked against the sizes only; false: damaged. */
struct lh_weights_postings {
	const float *most;	/* of each block */
	const uint32_t *row;
	const float *weight;
	uint32_t n;
};
bool lh_weights_postings(const struct lh_weights *ix, uint64_t term,
			 struct lh_weights_postings *out);

#endif
