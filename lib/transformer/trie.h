/*
 * trie - strings by their prefixes: the tokens of a vocabulary that begin where the text is.
 *
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
#ifndef LH_TRIE_H
#define LH_TRIE_H

#include <lh/str.h>
#include <stdint.h>

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
 * nothing changed; -1 with *err if out of memory or nodes (LH_ECORRUPT). */
int lh_trie_add(struct lh_trie *t, struct lh_str key, uint32_t *value, struct lh_err *err);

/* Return the node after the bytes of a key that follow those of a node, added where there is none;
 * 0 with *err as above. */
uint32_t lh_trie_node(struct lh_trie *t, uint32_t node, struct lh_str key, struct lh_err *err);

void lh_trie_free(struct lh_trie *t);

#endif
