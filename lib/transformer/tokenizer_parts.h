/* tokenizer_parts - a tokenizer, for tokenizer.c, vocabulary.c, wordpiece.c and unigram.c. */
#ifndef LH_TOKENIZER_PARTS_H
#define LH_TOKENIZER_PARTS_H

#include "charsmap.h"
#include "tokenizer.h"
#include "trie.h"

#define LH_TOKEN_WORD "\xe2\x96\x81"	/* U+2581 begins a word */

struct lh_tokenizer {
	const struct lh_gguf *g;	/* NULL: a compiled model */
	const char *path;
	struct lh_gguf_array token;	/* texts */
	struct lh_trie trie;		/* their numbers; above the last: never found in a text */
	int64_t first, last;		/* the special tokens at both ends; -1: none */
	uint32_t unknown;
	uint32_t *user;			/* user-defined tokens, the longest first */
	size_t users;
	bool unigram;
	/* of Unigram only */
	struct lh_charsmap map;
	struct lh_trie begins;		/* user-defined tokens */
	float *score;
	double unknown_score;
	size_t longest;			/* bytes of a token */
	bool prefix;			/* a space before the first word */
	bool merge;			/* several spaces as one, none at the ends */
};

/* Fill in a zeroed tokenizer from the keys of a model; what it has is to be freed also on
 * failure. */
int lh_vocabulary_read(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err);

/* The same from a compiled model, in which its tables stay. */
int lh_vocabulary_map(struct lh_tokenizer *t, const struct lh_compiled *c, struct lh_err *err);

/* Append a token. */
int lh_tokens_push(struct lh_token_list *to, uint32_t id, struct lh_err *err);

/* Append the tokens of a text without user-defined tokens. */

/* How a vocabulary of WordPiece is read. */
struct lh_pieces {
	const struct lh_trie *trie;
	const char *begins;		/* in front of the tokens that begin a word */
	uint32_t unknown;
};
int lh_wordpiece(const struct lh_pieces *by, struct lh_str text, struct lh_token_list *to,
		 struct lh_err *err);
int lh_unigram(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	       struct lh_err *err);

#endif
