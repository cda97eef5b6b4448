/*
 * wordvec_file - the structures of a compiled table of word vectors, as lhw(5)
 * describes them, and what the files of lh_wordvec share.  Private to lib/embed.
 *
 *     wordvec.c        open, check, look up
 *     wordvec_embed.c  texts to vectors
 *     wordvec_grams.c  the n-grams of a word
 *     wordvec_read.c   tables of GloVe and word2vec
 *     wordvec_write.c  the compiler
 *
 * All numbers are little-endian.  Sections follow each other, each starting at a
 * page boundary; the rest of a section's last page is zero.
 */
#ifndef LH_WORDVEC_FILE_H
#define LH_WORDVEC_FILE_H

#include "file/file.h"
#include <lh/json.h>
#include "text/tokens.h"
#include "wordvec.h"

#define LH_LHW_FORMAT 1
#define LH_LHW_BYTE_ORDER 0x01020304u
#define LH_LHW_PAGE 4096u
#define LH_LHW_WORDS_MAX 0x7fffffffu
#define LH_LHW_NAME 128

enum lh_lhw_kind {
	LH_LHW_ROWS,		/* (words * stride) codes */
	LH_LHW_WEIGHTS,		/* f32[words] */
	LH_LHW_WORD_AT,		/* u32[words + 1] */
	LH_LHW_WORDS,
	LH_LHW_HASH,		/* u32[2] per slot */
	LH_LHW_GRAM_AT,		/* u32[2^k + 1] */
	LH_LHW_GRAMS,		/* u32[2] per pair: hash, word */
	LH_LHW_KINDS,
};

struct lh_lhw_section {
	uint64_t at, bytes, xxh3;
};

struct lh_lhw_header {
	unsigned char magic[8];
	uint32_t version, byte_order;
	uint64_t file_bytes;
	uint32_t words, dimension, precision, stride;
	char name[LH_LHW_NAME];	/* NUL-terminated */
	struct lh_lhw_section section[LH_LHW_KINDS];
	unsigned char rest[LH_LHW_PAGE - 40 - LH_LHW_NAME - 24 * LH_LHW_KINDS - 8];
	uint64_t xxh3;		/* of all bytes before it */
};
_Static_assert(sizeof(struct lh_lhw_header) == LH_LHW_PAGE, "the header is a page");

static inline uint64_t lh_lhw_round(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* Return the bytes of a row, which begins at a cache line. */
uint32_t lh_lhw_stride(int precision, uint32_t dimension);

/* An open table; every section is inside the map and has the right size. */
struct lh_wordvec {
	struct lh_mapped map;
	struct lh_lhw_header header;	/* a copy, so that the checked bytes are those used */
	char *path;
	char model[LH_LHW_NAME + 20];
	uint32_t words, dimension, precision, stride;
	const char *rows;
	const float *weight;
	const uint32_t *word_at;
	const char *word;
	uint64_t word_n;
	const uint32_t *hash;
	uint64_t slots;		/* a power of two */
	const uint32_t *gram_at;
	unsigned gram_shift;	/* to get the high k bits of a hash */
	const uint32_t *gram;
	uint32_t grams;		/* pairs */
};

/* Read the word of a number; false when its offsets are damaged. */
bool lh_wordvec_word(const struct lh_wordvec *t, uint32_t number, struct lh_str *out);
/* Make a token of a case-folded word; false if no text is split into it. */
bool lh_wordvec_token(struct lh_str word, struct lh_token *out);
/* Return the number of a case-folded word, or -1; hash is the low half of its XXH3. */
int64_t lh_wordvec_find(const struct lh_wordvec *t, uint32_t hash, const void *s, size_t n);

/* ---- n-grams ---- */

#define LH_GRAM_MIN 3
#define LH_GRAM_MAX 5
#define LH_GRAM_WORDS 16	/* words stored per n-gram, the first ones */
#define LH_GRAMS_MAX ((LH_GRAM_MAX - LH_GRAM_MIN + 1) * (LH_TOKEN_MAX + 2))

/* Hash the n-grams of "<word>"; a number, and a character that is a word of its own,
 * has none.  Returns their number. */
unsigned lh_wordvec_grams(const struct lh_token *t, uint32_t hash[LH_GRAMS_MAX]);

/* Find the pairs of an n-gram, at most LH_GRAM_WORDS, from *pair on; returns their
 * number. */
unsigned lh_wordvec_gram_words(const struct lh_wordvec *t, uint32_t hash, const uint32_t **pair);

/* ---- tables of GloVe and word2vec ---- */

/* Called for each row in order; -1 ends the reading. */
typedef int (*lh_wordvec_row_fn)(void *ctx, const char *word, size_t n, const float *v,
				 uint32_t dimension, struct lh_err *err);

/* Read a table; head[0..head_n) has been read from fd already.  Messages begin with
 * name and place. */
int lh_wordvec_read(int fd, const void *head, size_t head_n, const char *name,
		    lh_wordvec_row_fn put, void *ctx, struct lh_err *err);

#endif
