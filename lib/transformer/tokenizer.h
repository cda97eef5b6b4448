/*
 * tokenizer - a text as the tokens of a model: WordPiece (bert) or Unigram (t5).
 *
 *     struct lh_tokenizer *t = lh_tokenizer_new(gguf, err);
 *     struct lh_tokens tokens = { 0 };
 *     lh_tokenizer_run(t, text, &tokens, err);
 *             tokens.id[0..tokens.n)          [CLS] 7592 2088 [SEP]
 *     lh_tokens_free(&tokens);
 *     lh_tokenizer_free(t);
 *
 * WordPiece (tokenizer.ggml.model "bert"): each code point becomes the first one of its NFD and
 * its simple lower case; White_Space divides; U+0000, U+FFFD, Cc, Cf, Co and marks (M) are
 * dropped; P, ASCII S and CJK ideographs are words of their own.  A word is divided greedily
 * into the longest tokens; the first carries U+2581 in the file, the others nothing.  A word with
 * any part that is not in the vocabulary is [UNK].
 * Unigram ("t5"): normalisation by precompiled_charsmap, U+2581 for spaces, the division with
 * the highest sum of scores (Viterbi, in double); a code point that is in no token is unknown,
 * with the lowest score - 10.
 * Text that looks like a special token ("[CLS]") is plain text.
 *
 * The result begins with [CLS] (<s>) and ends with [SEP] (</s>), as the file's flags say.
 *
 * Source:  the behaviour of llama.cpp; Unicode tables are generated (tools in tests say how).
 * Owner:   the tokenizer points into the gguf, which must outlive it.
 * Errors:  LH_ECORRUPT for a vocabulary that is not consistent; LH_ENOMEM.
 * Threads: any number may run one tokenizer, each with its own tokens.
 */
#ifndef LH_TOKENIZER_H
#define LH_TOKENIZER_H

#include "gguf.h"

struct lh_tokens {
	uint32_t *id;
	size_t n, cap;
};

struct lh_tokenizer;
struct lh_tokenizer *lh_tokenizer_new(struct lh_gguf *g, struct lh_err *err);
void lh_tokenizer_free(struct lh_tokenizer *t);

/* Replace *to by the tokens of a text (UTF-8), special ones at both ends included. */
int lh_tokenizer_run(const struct lh_tokenizer *t, struct lh_str text, struct lh_tokens *to,
		     struct lh_err *err);
/* Keep at most n tokens: the first ones, and the last special one at the end. */
void lh_tokenizer_truncate(const struct lh_tokenizer *t, struct lh_tokens *tokens, size_t n);

size_t lh_tokenizer_size(const struct lh_tokenizer *t);		/* tokens of the vocabulary */
struct lh_str lh_tokenizer_text(const struct lh_tokenizer *t, uint32_t id);
void lh_tokens_free(struct lh_tokens *t);

#endif
