/* trie.c - see trie.h. */
#include <stdlib.h>

#include "trie.h"
#include "base/mem.h"
#include "base/xxh3.h"

#define NODES (1u << 24)		/* an edge has 24 bits for its node */
#define FIRST_BITS 8

static void put(struct lh_trie *t, struct lh_trie_edge edge)
{
	size_t mask = ((size_t)1 << t->bits) - 1;
	size_t i = (edge.from * t->seed) >> (64 - t->bits);

	while (t->edge[i].from)
		i = (i + 1) & mask;
	t->edge[i] = edge;
}

/* Have a table of 2^bits edges. */
static void resize(struct lh_trie *t, unsigned bits)
{
	struct lh_trie bigger = *t;

	bigger.bits = bits;
	bigger.edge = lh_calloc_table((size_t)1 << bits, sizeof *bigger.edge);
	for (size_t i = 0; t->edge && i < (size_t)1 << t->bits; i++)
		if (t->edge[i].from)
			put(&bigger, t->edge[i]);
	free(t->edge);
	*t = bigger;
}

void lh_trie_init(struct lh_trie *t, size_t keys)
{
	unsigned bits = FIRST_BITS;

	*t = (struct lh_trie){ .seed = lh_seed() | 1 };
	while (bits < 40 && (size_t)1 << bits < 8 * keys)
		bits++;
	lh_grow(&t->value, &t->cap, 2, sizeof *t->value);
	resize(t, bits);
	t->value[0] = t->value[LH_TRIE_ROOT] = LH_TRIE_NONE;	/* 0 is no node */
	t->nodes = LH_TRIE_ROOT + 1;
}

/* Add a node without a value and return its number; 0 with *err. */
static uint32_t add_node(struct lh_trie *t, struct lh_err *err)
{
	if (t->nodes == NODES) {
		lh_err_set(err, LH_ECORRUPT, "the tokens have more than %u different beginnings",
			   NODES);
		return 0;
	}
	lh_grow(&t->value, &t->cap, t->nodes + 1, sizeof *t->value);
	t->value[t->nodes] = LH_TRIE_NONE;
	return (uint32_t)t->nodes++;
}

/* Return the node after one more byte, added if there is none; 0 with *err. */
static uint32_t step(struct lh_trie *t, uint32_t node, unsigned char byte, struct lh_err *err)
{
	uint32_t next = lh_trie_step(t, node, byte);

	if (next)
		return next;
	if (t->nodes * 2 >= (size_t)1 << t->bits)
		resize(t, t->bits + 1);
	next = add_node(t, err);
	if (next)
		put(t, (struct lh_trie_edge){ node << 8 | byte, next });
	return next;
}

uint32_t lh_trie_node(struct lh_trie *t, uint32_t node, struct lh_str key, struct lh_err *err)
{
	for (size_t i = 0; i < key.n && node; i++)
		node = step(t, node, (unsigned char)key.p[i], err);
	return node;
}

int lh_trie_add(struct lh_trie *t, struct lh_str key, uint32_t *value, struct lh_err *err)
{
	uint32_t node = lh_trie_node(t, LH_TRIE_ROOT, key, err);

	if (!node)
		return -1;
	if (t->value[node] != LH_TRIE_NONE) {
		*value = t->value[node];
		return 1;
	}
	t->value[node] = *value;
	return 0;
}

void lh_trie_free(struct lh_trie *t)
{
	free(t->edge);
	free(t->value);
	*t = (struct lh_trie){ 0 };
}
