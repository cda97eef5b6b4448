/*
 * wordvec - tables of word vectors, and texts embedded as the mean of their words'
 * vectors.
 *
 *     t = lh_wordvec_open("glove.lhw", err);
 *     r = lh_wordvec_reader_new(t, err);
 *     lh_wordvec_embed(r, text, n, false, out, err);
 *     lh_wordvec_reader_free(r);
 *     lh_wordvec_close(t);
 *
 * The file is mapped; lhw(5) describes it.  Opening reads its header, embedding a
 * text the rows of its words.  Words are those of text/tokens.h, weighted by
 * a / (a + p), where p is the frequency of the word (smooth inverse frequency).  A
 * word that is not in the table is replaced by those most similar in spelling.
 *
 * lh_wordvec_compile makes such a file from a table of GloVe or word2vec (text or
 * binary, recognized by content) or from another compiled table.
 *
 * Exact:   sums are computed in double, where each product is exact, word by word,
 *          so that the same text gives the same bits everywhere.
 * Memory:  compiling holds the words and one MiB of rows, not the table, and at
 *          most 256 MiB of n-grams.
 * Errors:  LH_ECORRUPT for damage found in an open table; LH_EDATA for a text
 *          without any word of some weight.
 * Threads: many threads may use one table, each with its own reader.
 */
#ifndef LH_WORDVEC_H
#define LH_WORDVEC_H

#include <stdbool.h>
#include <stdint.h>

#include <lh/distance.h>

#define LH_WORDVEC_A 1e-3	/* of the weight a / (a + p) */

struct lh_wordvec;
struct lh_wordvec_reader;

/* Open a table; messages begin with the path.  fd is owned by the caller, and path is
 * then used for messages only. */
struct lh_wordvec *lh_wordvec_open(const char *path, struct lh_err *err);
struct lh_wordvec *lh_wordvec_open_fd(int fd, const char *path, struct lh_err *err);
void lh_wordvec_close(struct lh_wordvec *t);

uint32_t lh_wordvec_dimension(const struct lh_wordvec *t);
/* Return the model: the name in the file, ":" and 16 hex digits of its checksum.
 * Vectors of one model are those of one table. */
const char *lh_wordvec_model(const struct lh_wordvec *t);

/* Check all checksums, orders and sizes. */
int lh_wordvec_verify(const struct lh_wordvec *t, struct lh_err *err);

struct lh_wordvec_reader *lh_wordvec_reader_new(const struct lh_wordvec *t, struct lh_err *err);
void lh_wordvec_reader_free(struct lh_wordvec_reader *r);

/* Embed n bytes of valid UTF-8 into out[dimension]; raw skips the scaling to unit
 * length. */
int lh_wordvec_embed(struct lh_wordvec_reader *r, const char *text, size_t n, bool raw, float *out,
		     struct lh_err *err);

struct lh_wordvec_made {
	uint32_t words, dimension;
	/* words left out: not UTF-8, not one word, repeated */
	uint64_t not_utf8, not_one, twice;
};

/* Return whether the bytes begin like a compiled table. */
bool lh_wordvec_is(const void *p, size_t n);

/* The file read and the empty regular file written.  Their names are used in messages;
 * the table is named after the first, without its extension. */
struct lh_wordvec_job {
	int from, to;
	const char *from_name, *to_name;
	enum lh_precision precision;
	void (*progress)(void *ctx, uint64_t words);	/* read so far; NULL: none */
	void *ctx;
};

int lh_wordvec_compile(const struct lh_wordvec_job *job, struct lh_wordvec_made *made,
		       struct lh_err *err);

#endif
