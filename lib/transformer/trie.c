/* trie.c - the tables of tokenizers, and lists of tokens.  See tokenizer_parts.h. */
#include <endian.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "tokenizer_parts.h"

/* ---- tries ---- */

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

/* ---- what is replaced in texts ---- */

#define KEY "tokenizer.ggml.precompiled_charsmap"
#define MOST 256			/* bytes of a text or of what it replaces: NFKC needs 33 */
#define BYTE 0x800000ffu		/* what says that a unit belongs to a byte */
#define HAS_TEXT 0x100u

static uint32_t load(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

int lh_charsmap_set(struct lh_charsmap *m, struct lh_str all, struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)all.p;
	size_t bytes = all.n < 4 ? 0 : load(p);

	*m = (struct lh_charsmap){ .all = all };
	if (all.n < 4 || bytes >= all.n - 4)
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" has %zu bytes, too few for its "
				  "array", KEY, all.n);
	if (p[all.n - 1])
		return lh_err_set(err, LH_ECORRUPT, "key \"%s\" does not end with NUL", KEY);
	if (bytes >= 4)
		m->unit = p + 4;
	m->units = bytes / 4;
	m->text = all.p + 4 + bytes;
	m->bytes = all.n - 4 - bytes;
	return 0;
}

int lh_charsmap_open(struct lh_charsmap *m, struct lh_gguf *g, struct lh_err *err)
{
	struct lh_gguf_array a;

	*m = (struct lh_charsmap){ .unit = NULL };
	if (!lh_gguf_has(g, KEY))
		return 0;
	if (lh_gguf_array(g, KEY, 0, &a, err) < 0 && lh_gguf_array(g, KEY, 1, &a, err) < 0)
		return -1;
	if (lh_charsmap_set(m, (struct lh_str){ (const char *)a.data, a.n }, err) < 0)
		return lh_err_prefix(err, "%s", lh_gguf_path(g));
	return 0;
}

static int beyond(struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "key \"%s\" points beyond its end", KEY);
}

static int too_long(struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "key \"%s\" has a text of more than %d bytes", KEY,
			  MOST);
}

static size_t offset(uint32_t unit)
{
	return unit >> 10 << (unit & 0x200 ? 8 : 0);
}

/* Set *to to the text that begins at a place. */
static int text_at(const struct lh_charsmap *m, size_t at, struct lh_str *to, struct lh_err *err)
{
	if (at >= m->bytes)
		return beyond(err);
	*to = lh_str_of(m->text + at);
	return to->n > MOST ? too_long(err) : 1;
}

int lh_charsmap_find(const struct lh_charsmap *m, struct lh_str s, size_t *n, struct lh_str *to,
		     struct lh_err *err)
{
	size_t at, found = SIZE_MAX;
	uint32_t unit;

	if (!m->unit)
		return 0;
	at = offset(load(m->unit));
	for (size_t i = 0; i < s.n && s.p[i]; i++) {
		if (i == MOST)
			return too_long(err);
		at ^= (unsigned char)s.p[i];
		if (at >= m->units)
			return beyond(err);
		unit = load(m->unit + 4 * at);
		if ((unit & BYTE) != (unsigned char)s.p[i])
			break;
		at ^= offset(unit);
		if (unit & HAS_TEXT) {
			if (at >= m->units)
				return beyond(err);
			found = load(m->unit + 4 * at) & 0x7fffffff;
			*n = i + 1;
		}
	}
	return found == SIZE_MAX ? 0 : text_at(m, found, to, err);
}

/* ---- lists of tokens ---- */

void lh_tokens_push(struct lh_token_list *to, uint32_t id)
{
	lh_grow(&to->id, &to->cap, to->n + 1, sizeof *to->id);
	to->id[to->n++] = id;
}

void lh_token_list_free(struct lh_token_list *t)
{
	free(t->id);
	*t = (struct lh_token_list){ 0 };
}
