/* spm.c - the tokens of a text by SentencePiece BPE.  See tokenizer.h. */
#include <stdlib.h>

#include <lh/buf.h>

#include "tokenizer_parts.h"

/* Return a score as a rank: the higher the score, the lower. */
static uint32_t rank_of(float score)
{
	uint32_t bits;

	score += 0.0f;			/* -0 is 0 */
	memcpy(&bits, &score, sizeof bits);
	return bits & 0x80000000u ? bits : ~bits & 0x7fffffffu;
}

static bool find(const struct lh_tokenizer *t, const struct lh_symbol *left,
		 const struct lh_symbol *right, uint32_t *rank, uint32_t *merged)
{
	uint32_t id;

	*merged = lh_trie_walk(&t->trie, left->node, right->p, right->n);
	id = *merged ? t->trie.value[*merged] : LH_TRIE_NONE;
	if (id == LH_TRIE_NONE)
		return false;
	*rank = rank_of(t->score[id]);
	return true;
}

/* Write the text as tokens have it, U+2581 for spaces. */
static void escape(const struct lh_tokenizer *t, struct lh_str text, struct lh_buf *to)
{
	const char *end = text.p + text.n, *space;

	if (t->prefix)
		lh_buf_add(to, LH_TOKEN_WORD, sizeof LH_TOKEN_WORD - 1);
	for (const char *p = text.p; p < end; p = space + 1) {
		space = memchr(p, ' ', (size_t)(end - p));
		if (!space)
			space = end;
		lh_buf_add(to, p, (size_t)(space - p));
		if (space < end)
			lh_buf_add(to, LH_TOKEN_WORD, sizeof LH_TOKEN_WORD - 1);
	}
}

static int add_symbols(struct lh_merger *m, const char *p, const char *end, struct lh_err *err)
{
	for (size_t n; p < end; p += n) {
		unsigned char c = (unsigned char)*p;

		n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (lh_merger_add(m, p, n, lh_trie_walk(&m->t->trie, LH_TRIE_ROOT, p, n), err) < 0)
			return -1;
	}
	lh_merger_run(m);
	return 0;
}

/* Append the token of a symbol, or of its bytes. */
static void symbol(const struct lh_tokenizer *t, const struct lh_symbol *s,
		   struct lh_token_list *to)
{
	uint32_t id = s->node ? t->trie.value[s->node] : LH_TRIE_NONE;

	if (id != LH_TRIE_NONE) {
		lh_tokens_push(to, id);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		lh_tokens_push(to, t->byte[(unsigned char)s->p[i]]);
}

int lh_spm(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err)
{
	struct lh_merger m = { .t = t, .find = find };
	struct lh_buf all = { 0 };
	int rc;

	escape(t, text, &all);
	rc = add_symbols(&m, all.p, all.p + all.len, err);
	for (uint32_t i = 0; !rc && i != LH_NO_SYMBOL; i = m.at[i].next)
		symbol(t, &m.at[i], to);
	lh_merger_free(&m);
	lh_buf_free(&all);
	return rc;
}
