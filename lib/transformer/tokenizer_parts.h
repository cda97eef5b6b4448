/* tokenizer_parts - a tokenizer, for the files that read its vocabulary and those that divide
 * texts by it. */
#ifndef LH_TOKENIZER_PARTS_H
#define LH_TOKENIZER_PARTS_H

#include "charsmap.h"
#include "tokenizer.h"
#include "trie.h"

#define LH_TOKEN_WORD "\xe2\x96\x81"	/* U+2581 begins a word */

enum lh_token_kind { LH_WORDPIECE, LH_UNIGRAM, LH_BPE, LH_SPM, LH_TOKEN_KINDS };

/* How BPE divides a text into words first. */
enum lh_pre { LH_PRE_DEFAULT, LH_PRE_GPT2, LH_PRE_LLAMA3, LH_PRE_QWEN2, LH_PRES };

struct lh_merge_pair {			/* two pieces that BPE merges */
	uint32_t left, right;		/* nodes of the trie; left 0: free */
	uint32_t rank, merged;		/* lower ranks first; the node of both */
};

struct lh_pairs {			/* a hash table */
	struct lh_merge_pair *at;
	unsigned bits;			/* 2^bits have room; one is free */
	uint64_t seed;
};

struct lh_tokenizer {
	enum lh_token_kind kind;
	const struct lh_gguf *g;	/* NULL: a compiled model */
	const char *path;
	struct lh_gguf_array token;	/* texts */
	struct lh_trie trie;		/* their numbers; above the last: never found in a text */
	int64_t first, last;		/* the special tokens at both ends; -1: none */
	uint32_t unknown;
	uint32_t *user;			/* user-defined tokens, the longest first */
	size_t users;
	bool twice;			/* two separators are between the texts of a pair */
	float *score;			/* of Unigram and SentencePiece BPE */
	/* of Unigram only */
	struct lh_charsmap map;
	struct lh_trie begins;		/* user-defined tokens */
	double unknown_score;
	size_t longest;			/* bytes of a token */
	bool prefix;			/* a space before the first word */
	bool merge;			/* several spaces as one, none at the ends */
	/* of BPE only */
	enum lh_pre pre;
	bool whole;			/* a word that is a token is not divided */
	struct lh_pairs pairs;
	uint32_t byte[256];		/* the node of what a byte is written as, or 0; of
					 * SentencePiece BPE: its token */
};

/* Fill in a zeroed tokenizer from the keys of a model; what it has is to be freed also on
 * failure. */
int lh_vocabulary_read(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err);

/* Read what is of BPE alone: the kind of words, and the pairs that are merged. */
int lh_merges_read(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err);
/* Fill in t->byte, from the trie. */
void lh_bytes_set(struct lh_tokenizer *t);
/* Return the pair of two nodes, or NULL. */
const struct lh_merge_pair *lh_pair_find(const struct lh_pairs *pairs, uint32_t left,
					 uint32_t right);

/* The same from a compiled model, in which its tables stay. */
int lh_vocabulary_map(struct lh_tokenizer *t, const struct lh_compiled *c, struct lh_err *err);

/* Append a token. */
void lh_tokens_push(struct lh_token_list *to, uint32_t id);

/* Append the tokens of a text without user-defined tokens. */
int lh_wordpiece(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		 struct lh_err *err);
int lh_unigram(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	       struct lh_err *err);
int lh_bpe(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err);
int lh_spm(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err);

/* Return the end of the first word of p..end, which is not empty. */
const unsigned char *lh_pre_word(enum lh_pre pre, const unsigned char *p, const unsigned char *end);

/*
 * Merging: symbols that follow each other become one, the pair of the lowest rank first and of
 * equal ones the leftmost, until no two of them are a pair.
 *
 *     struct lh_merger m = { .t = t, .find = find };
 *     for each word: m.n = 0, lh_merger_add for each symbol, lh_merger_run;
 *             then m.at[0], m.at[m.at[0].next] ... up to LH_NO_SYMBOL are what is left
 *     lh_merger_free(&m);
 *
 * Time is O(n log n) for n symbols.
 */
#define LH_NO_SYMBOL UINT32_MAX

struct lh_symbol {
	const char *p;
	uint32_t n;			/* bytes; 0: it is part of another one */
	uint32_t node;			/* of the trie, or 0 */
	uint32_t before, next;
};

struct lh_merger {
	const struct lh_tokenizer *t;
	/* Set the rank of a pair and the node of both; return whether it is merged. */
	bool (*find)(const struct lh_tokenizer *t, const struct lh_symbol *left,
		     const struct lh_symbol *right, uint32_t *rank, uint32_t *merged);
	struct lh_symbol *at;
	size_t n, cap;
	struct lh_offer *offer;		/* a heap */
	size_t offers, offer_cap;
};

int lh_merger_add(struct lh_merger *m, const char *p, size_t n, uint32_t node, struct lh_err *err);
void lh_merger_run(struct lh_merger *m);
void lh_merger_free(struct lh_merger *m);

#endif
