/*
 * wordpiece.c - the tokens of a text by WordPiece.  See tokenizer.h.
 *
 * A word is a range of the text, and its code points are replaced while the trie is walked:
 * no normalised copy is made.  Tokens are UTF-8, so that each ends where a code point does.
 */
#include "tokenizer_parts.h"
#include "base/utf8.h"

enum { WORD, SOLO, SPACE, DROP };	/* kinds of code points, as tests/unicode-tables has them */

#include "wordpiece_chars.inc"

#define BLOCK 128
#define INDEXED (sizeof char_index / sizeof *char_index)

/* Return (what the code point becomes - itself) * 4 + its kind. */
static inline int32_t entry(uint32_t c)
{
	size_t block = c / BLOCK < INDEXED ? c / BLOCK : INDEXED - 1;

	return char_value[char_block[char_index[block] * BLOCK + c % BLOCK]];
}

static inline uint32_t becomes(uint32_t c, int32_t e)
{
	if (c - 0xac00 < 0xd7a4 - 0xac00)
		return 0x1100 + (c - 0xac00) / 588;	/* a syllable: its first letter */
	return c + (uint32_t)(e >> 2);
}

/* Return the end of the word that begins at p: after its last code point that is not
 * dropped. */
static const unsigned char *word_end(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *after = p;
	int kind;

	while (p < end) {
		kind = entry(lh_utf8_get(&p)) & 3;
		if (kind == WORD)
			after = p;
		else if (kind != DROP)
			break;
	}
	return after;
}

/* Return the node after what the code point at *p becomes, and advance *p. */
static inline uint32_t walk(const struct lh_trie *t, uint32_t node, const unsigned char **p)
{
	uint32_t c = lh_utf8_get(p);
	int32_t e = entry(c);
	unsigned char s[4];
	size_t n;

	if ((e & 3) == DROP)
		return node;
	n = lh_utf8_put(becomes(c, e), s);
	for (size_t i = 0; i < n && node; i++)
		node = lh_trie_step(t, node, s[i]);
	return node;
}

/* Return the longest token that begins at *p, after the bytes that led to the node, and advance
 * *p past it; LH_TRIE_NONE if there is none. */
static uint32_t longest(const struct lh_trie *t, uint32_t node, const unsigned char **p,
			const unsigned char *end)
{
	uint32_t found = t->value[node];

	for (const unsigned char *q = *p; q < end; ) {
		node = walk(t, node, &q);
		if (!node)
			break;
		if (t->value[node] != LH_TRIE_NONE) {
			found = t->value[node];
			*p = q;
		}
	}
	return found;
}

/* Append the tokens of the word p..end. */
static int word(const struct lh_tokenizer *t, const unsigned char *p, const unsigned char *end,
		struct lh_token_list *to, struct lh_err *err)
{
	size_t before = to->n;
	uint32_t node = LH_TRIE_ROOT, id;

	for (const char *s = LH_TOKEN_WORD; *s && node; s++)
		node = lh_trie_step(&t->trie, node, (unsigned char)*s);
	do {
		id = node ? longest(&t->trie, node, &p, end) : LH_TRIE_NONE;
		if (id == LH_TRIE_NONE) {
			to->n = before;
			return lh_tokens_push(to, t->unknown, err);
		}
		if (lh_tokens_push(to, id, err) < 0)
			return -1;
		node = LH_TRIE_ROOT;
	} while (p < end);
	return 0;
}

int lh_wordpiece(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		 struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n, *begin;
	int kind;

	while (p < end) {
		begin = p;
		kind = entry(lh_utf8_get(&p)) & 3;
		if (kind == SPACE || kind == DROP)
			continue;
		if (kind == WORD)
			p = word_end(begin, end);
		if (word(t, begin, p, to, err) < 0)
			return -1;
	}
	return 0;
}
