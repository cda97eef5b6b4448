/*
 * lexical - an inverted index: which rows have which words, and the rows that
 * answer a text best by them (bm25).
 *
 *     b = lh_lexical_build_new(err);
 *     lh_lexical_build_add(b, text, n, err);       row 0, 1, 2, ...
 *     lh_lexical_build_finish(b, &ix, err);        ix points into b
 *
 *     lh_lexical_ask(&q, text, n, &ix, 1, err);
 *     lh_lexical_top(&q, 10, &rows, hits, err);
 *
 * Words are those of lh_tokens with English endings cut (lh_token_stem); of a
 * script without spaces, each character and each pair of neighbours.
 *
 * Layout.  Four runs of bytes, as lhv(5) describes them: the number of words of
 * each row; the terms, ascending by their bytes, each with where its text and
 * its postings begin; their texts; and the postings.  The postings of a term are
 * blocks of 128 rows, each posting the distance from the row before and, where
 * it is not 1, how often the word stands there.  A term of more than one block
 * begins with a table of where blocks end and with which row.
 *
 * Scores.  A row's score is the sum over the terms of the text of
 *
 *     ln(1 + (N - n + 0.5) / (n + 0.5)) * t * f * (K1 + 1) / (f + K1 * (1 - B + B * l / L))
 *
 * where n of N rows with words have the term, t and f are how often it stands in
 * the text and in the row, l is the row's number of words and L the mean.
 * Several indexes may be asked as one: their numbers add up.
 *
 * How:     windows of rows, one accumulator a row; terms that cannot lift a row
 *          among the best any more are only looked up for rows that need them
 *          (MaxScore).  Exact: the same rows and scores as without that.
 * Hostile: an index may be anything; reading it never leaves its bytes, and
 *          LH_ECORRUPT tells of damage that was met.
 * Memory:  building takes the postings two to three times, six bytes a row, and
 *          about 150 bytes a term; asking about 1.2 KiB a term of the text.
 * Threads: an index may be read by many, a question is one thread's.
 */
#ifndef LH_LEXICAL_H
#define LH_LEXICAL_H

#include <lh/json.h>
#include "text/tokens.h"

#define LH_LEXICAL_K1 0.4
#define LH_LEXICAL_B 0.3
#define LH_LEXICAL_BLOCK 128
#define LH_LEXICAL_ASKED 1024	/* different words of a text that count */
#define LH_LEXICAL_PARTS 2	/* indexes asked as one */

struct lh_lexical_head {	/* before the terms */
	uint64_t words, rows;	/* in all; rows that have any */
};

struct lh_lexical_term {
	uint64_t postings;	/* where they begin, ... */
	uint32_t text;		/* ... and its text; both end where the next one's begin */
	uint32_t rows;		/* that have it */
};

_Static_assert(sizeof(struct lh_lexical_head) == 16 && sizeof(struct lh_lexical_term) == 16,
	       "as lhv(5) has them");

struct lh_lexical_skip {
	uint32_t row, end;	/* a block's last row; where it ends, behind the table */
};

struct lh_lexical {
	uint64_t rows;			/* rows are numbered below */
	const uint32_t *length;		/* words of each */
	struct lh_lexical_head head;
	const struct lh_lexical_term *term;	/* terms + 1 */
	uint64_t terms;
	const char *texts;
	const unsigned char *postings;
	uint64_t texts_n, postings_n;
};

/* ---- words ---- */

struct lh_term_iterator {
	struct lh_tokens in;
	struct lh_token token;
	unsigned char last[4], pair[8];	/* a character of such a script; two neighbours */
	unsigned last_n, pair_n;	/* pair_n: 0 when none is due */
};

/* n bytes of valid UTF-8, which must stay. */
void lh_term_iterator_init(struct lh_term_iterator *w, const char *text, size_t n);
/* False at the end; *word is good until the next one. */
bool lh_term_iterator_next(struct lh_term_iterator *w, struct lh_str *word);

/* ---- building ---- */

struct lh_lexical_build;
struct lh_lexical_build *lh_lexical_build_new(struct lh_err *err);
void lh_lexical_build_free(struct lh_lexical_build *b);
/* The next row's text; n = 0 for none. */
int lh_lexical_build_add(struct lh_lexical_build *b, const char *text, size_t n,
			 struct lh_err *err);
/* Once; *ix is good until b is freed. */
int lh_lexical_build_finish(struct lh_lexical_build *b, struct lh_lexical *ix, struct lh_err *err);

/* ---- reading ---- */

/* Fill ix from its four runs of bytes (terms: with the head, at a multiple of
 * 8); their sizes must fit.  Which is wrong is told by its place. */
enum { LH_LEXICAL_GOOD, LH_LEXICAL_BAD_LENGTHS, LH_LEXICAL_BAD_TERMS };
int lh_lexical_open(struct lh_lexical *ix, uint64_t rows, const struct lh_str run[4]);

/* A term by its number: false when its places are damaged. */
bool lh_lexical_text(const struct lh_lexical *ix, uint64_t i, struct lh_str *text);
/* Its number, or -1. */
int64_t lh_lexical_find(const struct lh_lexical *ix, struct lh_str text);

/* The postings of a term, block by block. */
struct lh_lexical_cursor {
	const struct lh_lexical *ix;
	const unsigned char *table, *p, *end;	/* table NULL: one block */
	uint32_t block, blocks, left;	/* left: rows in blocks not read yet */
	uint32_t before;		/* the last row of the block before, + 1 */
	uint32_t at, n;			/* in the block at hand */
	uint32_t row[LH_LEXICAL_BLOCK], times[LH_LEXICAL_BLOCK];
};
/* Both: 1; 0 at the end; -1 when damaged.  seek moves to the first row from
 * that one on, which must not lie behind where it stands. */
int lh_lexical_begin(struct lh_lexical_cursor *c, const struct lh_lexical *ix, uint64_t term);
int lh_lexical_next_block(struct lh_lexical_cursor *c);
int lh_lexical_seek(struct lh_lexical_cursor *c, uint32_t row);

/* Everything that must hold of an index, told to bad as
 * (ctx, which run 0..3, what). */
int lh_lexical_verify(const struct lh_lexical *ix,
		      void (*bad)(void *ctx, int run, const char *text), void *ctx,
		      struct lh_err *err);

/* ---- asking ---- */

struct lh_lexical_hit {
	double score;
	uint64_t row;		/* parts count on: part 1 begins behind the rows of part 0 */
};

/* What the caller knows of rows: may this one answer (1, 0, -1 with *err), and
 * which of two comes first when scores are equal. */
struct lh_lexical_rows {
	int (*allow)(void *ctx, uint64_t row, struct lh_err *err);
	int (*order)(void *ctx, uint64_t a, uint64_t b);
	void *ctx;
};

struct lh_lexical_asked;
struct lh_lexical_question {
	const struct lh_lexical *part[LH_LEXICAL_PARTS];
	size_t parts;
	double mean;			/* words of a row */
	struct lh_lexical_asked *asked;	/* by what they can bring at most, ascending */
	size_t n, cap;
	struct lh_lexical_hit *heap;	/* the worst first */
	size_t held, keep, cap_heap;
	double *sum;			/* of the rows of a window */
	uint64_t *met;			/* a bit a row */
};

/* A zeroed question is empty; it may be asked again and again. */
int lh_lexical_ask(struct lh_lexical_question *q, const char *text, size_t n,
		   const struct lh_lexical *const *parts, size_t n_parts, struct lh_err *err);
/* The best k rows, best first: their number, or -1. */
long lh_lexical_top(struct lh_lexical_question *q, size_t k, const struct lh_lexical_rows *rows,
		    struct lh_lexical_hit *out, struct lh_err *err);
void lh_lexical_question_free(struct lh_lexical_question *q);

#endif
