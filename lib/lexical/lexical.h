/*
 * lexical - an inverted index: the rows of each word, and BM25 search for the rows
 * that match a text best.
 *
 *     b = lh_lexical_build_new(err);
 *     lh_lexical_build_add(b, text, n, err);       row 0, 1, 2, ...
 *     lh_lexical_build_finish(b, &ix, err);        ix points into b
 *
 *     lh_lexical_query_set(&q, text, n, &ix, 1, err);
 *     lh_lexical_search(&q, 10, &rows, hits, err);
 *
 * Terms are the words of lh_tokens with English endings removed (lh_token_stem); in
 * scripts without spaces, each character and each pair of neighbours.
 *
 * Layout.  Four runs of bytes, described in lhv(5): the number of words of each
 * row; the terms, sorted by their bytes, each with the offsets of its text and of
 * its postings; their texts; the postings.  The postings of a term are blocks of
 * 128 rows; a posting is the distance from the row before and, unless it is 1, the
 * number of occurrences.  A term of more than one block begins with a table of the
 * last row and the end of each block.
 *
 * Scores.  The score of a row is the sum over the terms of the query of
 *
 *     ln(1 + (N - n + 0.5) / (n + 0.5)) * t * f * (K1 + 1) / (f + K1 * (1 - B + B * l / L))
 *
 * where n of N rows with words have the term, t and f count it in the query and in
 * the row, l is the number of words of the row and L the mean of that.  Several
 * indexes (parts) can be searched as one: their counts are added.
 *
 * How:     rows are processed in windows with one sum per row.  Terms that cannot
 *          bring a row among the best any more are only looked up for the rows
 *          that need them (MaxScore).  The result is exact.
 * Hostile: an index may hold anything; reading never leaves its bytes.  Damage
 *          that is met is reported as LH_ECORRUPT.
 * Memory:  building takes two to three times the postings, six bytes per row and
 *          about 150 bytes per term; a query about 1.2 KiB per term.
 * Threads: many threads may read an index; a query belongs to one thread.
 */
#ifndef LH_LEXICAL_H
#define LH_LEXICAL_H

#include "json/json.h"
#include "text/tokens.h"

#define LH_LEXICAL_K1 0.8
#define LH_LEXICAL_B 0.75
#define LH_LEXICAL_BLOCK 128
#define LH_LEXICAL_QUERY_WORDS 1024	/* different words of a query that count */
#define LH_LEXICAL_PARTS 2	/* indexes searched as one */

struct lh_lexical_head {	/* precedes the terms */
	uint64_t words, rows;	/* words in all; rows that have any */
};

struct lh_lexical_term {
	uint64_t postings;	/* offset of its postings, ... */
	uint32_t text;		/* ... and of its text; both end where the next term's begin */
	uint32_t rows;		/* rows that have it */
};

_Static_assert(sizeof(struct lh_lexical_head) == 16 && sizeof(struct lh_lexical_term) == 16,
	       "as lhv(5) has them");

struct lh_lexical_skip {
	uint32_t row, end;	/* last row of a block; its end, from the end of the table */
};

struct lh_lexical {
	uint64_t rows;			/* row numbers are below it */
	const uint32_t *length;		/* words of each row */
	struct lh_lexical_head head;
	const struct lh_lexical_term *term;	/* [terms + 1] */
	uint64_t terms;
	const char *texts;
	const unsigned char *postings;
	uint64_t texts_n, postings_n;
};

/* ---- words ---- */

struct lh_term_iterator {
	struct lh_tokens in;
	struct lh_token token;
	unsigned char last[4], pair[8];	/* last character of such a script; pair of neighbours */
	unsigned last_n, pair_n;	/* pair_n 0: no pair is due */
};

/* Start on n bytes of valid UTF-8, which are borrowed. */
void lh_term_iterator_init(struct lh_term_iterator *w, const char *text, size_t n);
/* Return false at the end; *word is valid until the next call. */
bool lh_term_iterator_next(struct lh_term_iterator *w, struct lh_str *word);

/* ---- building ---- */

struct lh_lexical_build;
struct lh_lexical_build *lh_lexical_build_new(void);
void lh_lexical_build_free(struct lh_lexical_build *b);
/* Add the text of the next row; n 0 for none. */
int lh_lexical_build_add(struct lh_lexical_build *b, const char *text, size_t n,
			 struct lh_err *err);
/* Finish, once; *ix is valid until b is freed. */
int lh_lexical_build_finish(struct lh_lexical_build *b, struct lh_lexical *ix, struct lh_err *err);

/* ---- reading ---- */

/* Fill ix from its four runs of bytes (the terms with their head, 8-byte aligned), if
 * their sizes fit; otherwise the result names the wrong one. */
enum { LH_LEXICAL_GOOD, LH_LEXICAL_BAD_LENGTHS, LH_LEXICAL_BAD_TERMS };
int lh_lexical_open(struct lh_lexical *ix, uint64_t rows, const struct lh_str run[4]);

/* Return the number of a term, or -1. */
int64_t lh_lexical_find(const struct lh_lexical *ix, struct lh_str text);

/* A cursor over the postings of a term, block by block. */
struct lh_lexical_cursor {
	const struct lh_lexical *ix;
	const unsigned char *table, *p, *end;	/* table NULL: one block */
	uint32_t block, blocks, left;	/* left: rows in blocks not read yet */
	uint32_t before;		/* last row of the block before, + 1 */
	uint32_t at, n;			/* in the current block */
	uint32_t row[LH_LEXICAL_BLOCK], times[LH_LEXICAL_BLOCK];
};
/* Start, or go on.  All return 1, 0 at the end, -1 for damage.  seek moves to the first
 * row at or after that one, which must not be before the current row. */
int lh_lexical_begin(struct lh_lexical_cursor *c, const struct lh_lexical *ix, uint64_t term);
int lh_lexical_seek(struct lh_lexical_cursor *c, uint32_t row);

/* Check everything that must hold of an index; damage is called with the number (0 to
 * 3) of the run of bytes and a message. */
void lh_lexical_verify(const struct lh_lexical *ix,
		       void (*damage)(void *ctx, int run, const char *text), void *ctx);

/* ---- searching ---- */

struct lh_lexical_hit {
	double score;
	uint64_t row;		/* rows of part 1 are numbered after those of part 0 */
};

/* Callbacks: whether a row may be a result (1, 0, -1 with *err), and the order of two
 * rows with equal scores. */
struct lh_lexical_rows {
	int (*allow)(void *ctx, uint64_t row, struct lh_err *err);
	int (*order)(void *ctx, uint64_t a, uint64_t b);
	void *ctx;
};

/* The rows whose words count, where that is not all of them. */
struct lh_lexical_counts {
	int (*is)(void *ctx, uint64_t row, struct lh_err *err);	/* 1, 0, -1 */
	void *ctx;
	double rows, words;		/* those that have words; their words */
};
/* Count these. */
int lh_lexical_count(struct lh_lexical_counts *c, const struct lh_lexical *const *parts,
		     size_t n_parts, struct lh_err *err);

struct lh_lexical_query_term;
struct lh_lexical_query {
	const struct lh_lexical *part[LH_LEXICAL_PARTS];
	size_t parts;
	const struct lh_lexical_counts *of;	/* set before: whose words count; NULL: all */
	double mean;			/* words per row */
	double most;			/* what no score of a row reaches: all terms, without end */
	struct lh_lexical_query_term *term;	/* by the most they can contribute, ascending */
	size_t n, cap;
	struct lh_lexical_hit *heap;	/* worst first */
	size_t held, keep, cap_heap;
	double *sum;			/* of the rows of a window */
	uint64_t *met;			/* a bit per row */
};

/* Set a query to the terms of a text.  A zeroed struct is an empty query; it can be set
 * again and again. */
int lh_lexical_query_set(struct lh_lexical_query *q, const char *text, size_t n,
			 const struct lh_lexical *const *parts, size_t n_parts, struct lh_err *err);
/* Find the best k rows, best first.  Returns their number, or -1. */
long lh_lexical_search(struct lh_lexical_query *q, size_t k, const struct lh_lexical_rows *rows,
		       struct lh_lexical_hit *out, struct lh_err *err);
void lh_lexical_query_free(struct lh_lexical_query *q);

#endif
