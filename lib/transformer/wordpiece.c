/*
 * wordpiece.c - the tokens of a text by WordPiece.  See tokenizer.h.
 *
 * A word is a range of the text, and its code points are replaced while the trie is walked:
 * no normalised copy is made.  Tokens are UTF-8, so that each ends where a code point does.
 */
#include <utf8proc.h>

#include "tokenizer_parts.h"
#include "base/utf8.h"

enum kind { WORD, SOLO, SPACE, DROP };

/* Return whether BERT made the code point a word of its own: ideographs, with its gap from
 * U+2B820 on. */
static bool is_cjk(uint32_t c)
{
	return c - 0x4e00 <= 0x9fff - 0x4e00 || c - 0x3400 <= 0x4dbf - 0x3400 ||
	       c - 0x20000 <= 0x2a6df - 0x20000 || c - 0x2a700 <= 0x2b81f - 0x2a700 ||
	       c - 0x2b920 <= 0x2ceaf - 0x2b920 || c - 0xf900 <= 0xfaff - 0xf900 ||
	       c - 0x2f800 <= 0x2fa1f - 0x2f800;
}

static enum kind kind_of(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_ZS: case UTF8PROC_CATEGORY_ZL: case UTF8PROC_CATEGORY_ZP:
		return SPACE;
	case UTF8PROC_CATEGORY_CC:
		return (c >= '\t' && c <= '\r') || c == 0x85 ? SPACE : DROP;
	case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CO: case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ME:
		return DROP;
	case UTF8PROC_CATEGORY_PC: case UTF8PROC_CATEGORY_PD: case UTF8PROC_CATEGORY_PS:
	case UTF8PROC_CATEGORY_PE: case UTF8PROC_CATEGORY_PI: case UTF8PROC_CATEGORY_PF:
	case UTF8PROC_CATEGORY_PO:
		return SOLO;
	case UTF8PROC_CATEGORY_SM: case UTF8PROC_CATEGORY_SC: case UTF8PROC_CATEGORY_SK:
	case UTF8PROC_CATEGORY_SO:
		return c < 0x80 ? SOLO : c == 0xfffd ? DROP : WORD;
	default:
		return is_cjk(c) ? SOLO : WORD;
	}
}

/* Replace a code point by the first one of its canonical decomposition; return its kind. */
static enum kind decompose(uint32_t *c)
{
	utf8proc_int32_t parts[4] = { (utf8proc_int32_t)*c };
	int boundary = UTF8PROC_BOUNDCLASS_START;

	if (*c >= 0xc0)		/* the first that has one */
		utf8proc_decompose_char(parts[0], parts, 4, UTF8PROC_DECOMPOSE, &boundary);
	*c = (uint32_t)parts[0];
	return kind_of(*c);
}

/* Return the end of the word that begins at p: after its last code point that is not
 * dropped. */
static const unsigned char *word_end(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *after = p;
	enum kind kind;
	uint32_t c;

	while (p < end) {
		c = lh_utf8_get(&p);
		kind = decompose(&c);
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
	unsigned char s[4];
	size_t n;

	if (decompose(&c) == DROP)
		return node;
	n = lh_utf8_put((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), s);
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
static void word(const struct lh_tokenizer *t, const unsigned char *p, const unsigned char *end,
		 struct lh_token_list *to)
{
	size_t before = to->n;
	uint32_t node = LH_TRIE_ROOT, id;

	for (const char *s = LH_TOKEN_WORD; *s && node; s++)
		node = lh_trie_step(&t->trie, node, (unsigned char)*s);
	do {
		id = node ? longest(&t->trie, node, &p, end) : LH_TRIE_NONE;
		if (id == LH_TRIE_NONE) {
			to->n = before;
			lh_tokens_push(to, t->unknown);
			return;
		}
		lh_tokens_push(to, id);
		node = LH_TRIE_ROOT;
	} while (p < end);
}

int lh_wordpiece(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		 struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n, *begin;
	enum kind kind;
	uint32_t c;

	(void)err;
	while (p < end) {
		begin = p;
		c = lh_utf8_get(&p);
		kind = decompose(&c);
		if (kind == SPACE || kind == DROP)
			continue;
		if (kind == WORD)
			p = word_end(begin, end);
		word(t, begin, p, to);
	}
	return 0;
}
