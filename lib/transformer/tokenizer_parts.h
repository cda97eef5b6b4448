/*
 * tokenizer_parts - a tokenizer and its tables, for the files that read its vocabulary and those
 * that divide texts by it.
 */
#ifndef LH_TOKENIZER_PARTS_H
#define LH_TOKENIZER_PARTS_H

#include <stdint.h>

#include "base/str.h"
#include "gguf.h"
#include "tokenizer.h"

/* ---- tries ---- */

/*
 *     lh_trie_init(&t, 2, err);
 *     lh_trie_add(&t, key, 7, err);
 *     for (node = LH_TRIE_ROOT; (node = lh_trie_step(&t, node, *p)); p++)
 *             ... t.value[node] ...               LH_TRIE_NONE, or that of the key up to *p
 *     lh_trie_free(&t);
 *
 * The edges are in one hash table, whose seed is random: keys cannot be chosen to collide.
 *
 * Memory:  16 to 32 bytes a node; at most 2^24 nodes.
 * Threads: any number may step at once.
 */

#define LH_TRIE_ROOT 1u
#define LH_TRIE_NONE UINT32_MAX

struct lh_trie {
	struct lh_trie_edge {
		uint32_t from;		/* node * 256 + byte; 0: free */
		uint32_t to;
	} *edge;
	unsigned bits;			/* 2^bits edges have room */
	uint64_t seed;
	uint32_t *value;		/* of each node; the first node is LH_TRIE_ROOT */
	size_t nodes, cap;
};

/* Return the node after one more byte, or 0. */
static inline uint32_t lh_trie_step(const struct lh_trie *t, uint32_t node, unsigned char byte)
{
	uint32_t from = node << 8 | byte;
	size_t mask = ((size_t)1 << t->bits) - 1;
	size_t i = (from * t->seed) >> (64 - t->bits);

	for (;; i = (i + 1) & mask) {
		if (t->edge[i].from == from)
			return t->edge[i].to;
		if (!t->edge[i].from)
			return 0;
	}
}

/* Return the node after some more bytes, or 0. */
static inline uint32_t lh_trie_walk(const struct lh_trie *t, uint32_t node, const char *p, size_t n)
{
	for (size_t i = 0; i < n && node; i++)
		node = lh_trie_step(t, node, (unsigned char)p[i]);
	return node;
}

/* Make an empty trie with room for about so many keys; on failure there is nothing to free. */
void lh_trie_init(struct lh_trie *t, size_t keys);

/* Add a key, which is not empty: 0; 1 if it is there already, with *value set to its value and
 * nothing changed; -1 with *err if out of nodes (LH_ECORRUPT). */
int lh_trie_add(struct lh_trie *t, struct lh_str key, uint32_t *value, struct lh_err *err);

/* Return the node after the bytes of a key that follow those of a node, added where there is none;
 * 0 with *err as above. */
uint32_t lh_trie_node(struct lh_trie *t, uint32_t node, struct lh_str key, struct lh_err *err);

void lh_trie_free(struct lh_trie *t);

/* ---- what is replaced in texts ---- */

/*
 * Format:  u32 bytes of the array; the array, a trie in u32 units; the texts, each ending with
 *          NUL.  A unit: bits 0 to 7 the byte that leads to it (bit 31 as well: it leads nowhere),
 *          bit 8 that a text belongs to it, bit 9 that the offset is to be shifted by 8, from
 *          bit 10 the offset.  The unit of byte b after unit i is i ^ offset ^ b; that of the
 *          text is i ^ offset, and its bits 0 to 30 say where the text begins.
 * Errors:  LH_ECORRUPT.
 */

struct lh_charsmap {
	struct lh_str all;		/* the key's bytes */
	const unsigned char *unit;	/* NULL: nothing is replaced */
	size_t units;
	const char *text;
	size_t bytes;			/* of the texts */
};

/* Find the map of a model: 0, also if it has none, or -1. */
int lh_charsmap_open(struct lh_charsmap *m, struct lh_gguf *g, struct lh_err *err);

/* Set the map from the bytes of the key; -1 if its array is not in them. */
int lh_charsmap_set(struct lh_charsmap *m, struct lh_str all, struct lh_err *err);

/* Find the longest beginning of s that is replaced: 1, with its length in *n and what it becomes
 * in *to; 0 if there is none; -1. */
int lh_charsmap_find(const struct lh_charsmap *m, struct lh_str s, size_t *n, struct lh_str *to,
		     struct lh_err *err);

/* ---- the tokenizer ---- */

#define LH_TOKEN_WORD "\xe2\x96\x81"	/* U+2581 begins a word */

enum lh_token_kind { LH_WORDPIECE, LH_UNIGRAM, LH_BPE, LH_SPM, LH_HF_WORDS, LH_TOKEN_KINDS };

/* Keys that make WordPiece that of Hugging Face (folder.h), and the bits of what they say. */
#define LH_HF_LOWER "lakehouse.words.lower_case"
#define LH_HF_STRIP "lakehouse.words.strip_accents"
#define LH_HF_CHINESE "lakehouse.words.chinese"
enum { LH_WORDS_LOWER = 1, LH_WORDS_STRIP = 2, LH_WORDS_CHINESE = 4 };

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
	unsigned words;			/* of Hugging Face's WordPiece: bits */
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

/* The same from a compiled model, in which its tables stay. */
int lh_vocabulary_map(struct lh_tokenizer *t, const struct lh_compiled *c, struct lh_err *err);

/* Append a token. */
void lh_tokens_push(struct lh_token_list *to, uint32_t id);

/* Append the tokens of a text without user-defined tokens. */
int lh_unigram(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	       struct lh_err *err);
int lh_hf_words(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		struct lh_err *err);
int lh_bpe(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err);
int lh_spm(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err);

#endif
