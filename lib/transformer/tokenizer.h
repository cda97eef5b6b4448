/*
 * tokenizer - a text as the tokens of a model: WordPiece (bert), Unigram (t5), BPE over bytes
 * (gpt2) or SentencePiece BPE (llama).
 *
 *     struct lh_tokenizer *t = lh_tokenizer_new(gguf, err);
 *     struct lh_token_list tokens = { 0 };
 *     lh_tokenizer_run(t, text, &tokens, err);
 *             tokens.id[0..tokens.n)          [CLS] 7592 2088 [SEP]
 *     lh_token_list_free(&tokens);
 *     lh_tokenizer_free(t);
 *
 * WordPiece (tokenizer.ggml.model "bert"): each code point becomes the first one of its NFD and
 * its simple lower case; White_Space divides; U+0000, U+FFFD, Cc, Cf, Co and marks (M) are
 * dropped; P, ASCII S and CJK ideographs are words of their own.  A word is divided greedily
 * into the longest tokens; the first carries U+2581 in the file, the others nothing.  A word with
 * any part that is not in the vocabulary is [UNK].  [CLS] begins and [SEP] ends the result.
 * Unigram ("t5"): normalisation by precompiled_charsmap, U+2581 for spaces, the division with
 * the highest sum of scores (Viterbi, in double); a code point that is no token is unknown, with
 * the lowest score - 10, and several in a row are one token.  <s> and </s> are at the ends as
 * add_bos_token (default: no) and add_eos_token (default: yes) say.
 * BPE over bytes ("gpt2"): words by tokenizer.ggml.pre (bpe.c), each byte written as a
 * printable character; of a word the two neighbours that come first in merges become one piece, of
 * equal ones the leftmost, until no two are in merges.  Of a piece that is no token the tokens of
 * its ASCII characters are taken and the rest is left out.  By llama-bpe a word that is a token is
 * not divided.  <s> (default with llama-bpe: yes) and </s> (no) are at the ends.
 * SentencePiece BPE ("llama"): U+2581 for spaces, another before each part of a text
 * (add_space_prefix, default: yes); of the whole text the two neighbours become one piece that are
 * the token of the highest score; what is no token then becomes <0x..> for each byte, or unknown.
 * <s> (yes) and </s> (no) are at the ends.
 * Text that looks like a special token ("[CLS]") is plain text; a user-defined token (type 4)
 * in a text is that token, and what is left of it and right of it is divided on its own.
 *
 * Source:  the behaviour of llama.cpp.  Code points are those of utf8proc.
 * Memory:  of a tokenizer 10 to 30 times the bytes of its tokens; of a run with Unigram 20 bytes
 *          for each byte of the longest part that tokens do not divide, mostly a word; with BPE 60
          for each of the longest word, with SentencePiece of the text.
 * Owner:   the tokenizer points into the gguf, which must outlive it.
 * Errors:  LH_ECORRUPT for a vocabulary that is not consistent.
 * Threads: any number may run one tokenizer, each with its own tokens.
 */
#ifndef LH_TOKENIZER_H
#define LH_TOKENIZER_H

#include "gguf.h"

struct lh_token_list {
	uint32_t *id;
	size_t n, cap;
	size_t second;		/* of a pair: the first token that is of type 1; 0: none */
};

struct lh_compiled;
struct lh_compiling;
struct lh_tokenizer;
struct lh_tokenizer *lh_tokenizer_new(struct lh_gguf *g, struct lh_err *err);
void lh_tokenizer_free(struct lh_tokenizer *t);

/* Fill in what a compiled model has of the tokenizer, which must outlive it. */
void lh_tokenizer_compile(const struct lh_tokenizer *t, struct lh_compiling *m);
/* The tokenizer of a compiled model, which must outlive it: its tables are checked, not built
 * again. */
struct lh_tokenizer *lh_tokenizer_mapped(const struct lh_compiled *c, struct lh_err *err);

/* Replace *to by the tokens of a text (UTF-8), special ones at both ends included. */
int lh_tokenizer_run(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		     struct lh_err *err);
/* Keep at most n tokens: the first ones, and the last special one at the end. */
void lh_tokenizer_truncate(const struct lh_tokenizer *t, struct lh_token_list *tokens, size_t n);

/* Replace *to by the pair of two texts, whose tokens are given with both ends, for a model that
 * takes at most n tokens: [CLS] query [SEP] text [SEP], of Unigram and roberta-bpe with another
 * [SEP] before the text.  The longer side loses its last tokens until both fit, the text where
 * both are equal.  LH_ECORRUPT if the model has no such ends, or takes too few tokens for two
 * empty texts. */
int lh_tokenizer_pair(const struct lh_tokenizer *t, const struct lh_token_list *query,
		      const struct lh_token_list *text, size_t n, struct lh_token_list *to,
		      struct lh_err *err);

size_t lh_tokenizer_size(const struct lh_tokenizer *t);		/* tokens of the vocabulary */
struct lh_str lh_tokenizer_text(const struct lh_tokenizer *t, uint32_t id);
void lh_token_list_free(struct lh_token_list *t);

#endif
