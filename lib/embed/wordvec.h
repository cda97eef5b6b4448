/*
 * wordvec - a table of word vectors, and a text as the mean of its words'.
 *
 *     t = lh_wordvec_open("glove.lhw", err);
 *     r = lh_wordvec_reader_new(t, err);
 *     lh_wordvec_embed(r, text, n, false, out, err);
 *     lh_wordvec_reader_free(r);
 *     lh_wordvec_close(t);
 *
 * The file is made to be mapped; lhw(5) describes it.  Opening costs its header,
 * a text the rows of its words.  Words are those of text/tokens.h, weighted by
 * a / (a + p), p being how common the word is (smooth inverse frequency).  A word
 * that the table lacks is taken for those that are most like it in spelling.
 *
 * lh_wordvec_compile makes such a file of a table as GloVe or word2vec write it
 * (text or binary, found out by looking), or of one that is compiled already.
 *
 * Exact:   sums are taken in double, where each product is exact, word by word,
 *          so that the same text gives the same bits everywhere.
 * Memory:  compiling keeps the words and a MiB of rows, not the table, and at
 *          most 256 MiB for the n-grams.
 * Errors:  what an open table is found to hold wrongly is LH_ECORRUPT; a text
 *          without a word that says anything is LH_EDATA.
 * Threads: one table may serve many threads, each with a reader of its own.
 */
#ifndef LH_WORDVEC_H
#define LH_WORDVEC_H

#include <stdbool.h>
#include <stdint.h>

#include <lh/err.h>

#define LH_WORDVEC_A 1e-3	/* of the weight a / (a + p) */

struct lh_wordvec;
struct lh_wordvec_reader;

/* Messages begin with the path; fd is the caller's, path then but a name. */
struct lh_wordvec *lh_wordvec_open(const char *path, struct lh_err *err);
struct lh_wordvec *lh_wordvec_open_fd(int fd, const char *path, struct lh_err *err);
void lh_wordvec_close(struct lh_wordvec *t);

uint32_t lh_wordvec_dimension(const struct lh_wordvec *t);
/* The name that the file has, ":", and 16 hex digits of its checksum: vectors of
 * one model are those of one table. */
const char *lh_wordvec_model(const struct lh_wordvec *t);

/* All of its checksums, orders and sizes. */
int lh_wordvec_verify(const struct lh_wordvec *t, struct lh_err *err);

struct lh_wordvec_reader *lh_wordvec_reader_new(const struct lh_wordvec *t, struct lh_err *err);
void lh_wordvec_reader_free(struct lh_wordvec_reader *r);

/* n bytes of valid UTF-8 into out[dimension]; raw keeps the mean as it is, else
 * it has unit length. */
int lh_wordvec_embed(struct lh_wordvec_reader *r, const char *text, size_t n, bool raw, float *out,
		     struct lh_err *err);

struct lh_wordvec_made {
	uint32_t words, dimension;
	uint64_t not_utf8, not_one, twice;	/* words that were left out */
};

/* Does it begin as a compiled table does? */
bool lh_wordvec_is(const void *p, size_t n);

/* What is read, and the empty regular file that is written.  The names are for
 * messages; without its extension the first is what the table is called. */
struct lh_wordvec_job {
	int from, to;
	const char *from_name, *to_name;
	int precision;		/* enum lh_precision */
};

int lh_wordvec_compile(const struct lh_wordvec_job *job, struct lh_wordvec_made *made,
		       struct lh_err *err);

#endif
