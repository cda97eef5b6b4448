/*
 * bpe.c - the tokens of a text by BPE over bytes, and what its vocabulary has for it.  See
 * tokenizer.h.
 *
 * A piece is a node of the trie, be it a token or only a part of one, so that a pair is two
 * numbers and the number of what they become.
 */
#include <stdlib.h>

#include "tokenizer_parts.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/xxh3.h"

#define KEY(name) "tokenizer.ggml." name
#define ARRAY_STRING 8
#define BYTES_MAX 1025			/* of a merge: two tokens and the space between them */

/* Write the character that stands for a byte in tokens: itself if it is printable in Latin-1, the
 * others from U+0100 on; return its bytes. */
static size_t write_byte(unsigned char b, unsigned char to[4])
{
	uint32_t c = b;

	if (b <= ' ')
		c = 0x100u + b;
	else if (b >= 0x7f && b <= 0xa0)
		c = 0x121u + b - 0x7f;
	else if (b == 0xad)
		c = 0x143;
	return lh_utf8_put(c, to);
}

/* ---- the vocabulary ---- */

static int read_pre(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	static const char *const known[LH_PRES][12] = {
		[LH_PRE_DEFAULT] = { "", "default" },
		[LH_PRE_GPT2] = { "gpt-2", "modern-bert", "roberta-bpe", "jina-v1-en",
				  "jina-v2-code", "jina-v2-de", "jina-v2-es", "jina-de",
				  "jina-es" },
		[LH_PRE_LLAMA3] = { "llama-bpe", "llama3", "llama-v3", "lfm2", "jina-v5-nano" },
		[LH_PRE_QWEN2] = { "qwen2", "deepseek-r1-qwen" },
	};
	struct lh_str name = { "", 0 };

	if (lh_gguf_has(g, KEY("pre")) && lh_gguf_str(g, KEY("pre"), &name, err) < 0)
		return -1;
	t->twice = lh_str_is(name, "roberta-bpe", 11);
	for (t->pre = 0; t->pre < LH_PRES; t->pre++)
		for (size_t i = 0; known[t->pre][i]; i++)
			if (lh_str_is(name, known[t->pre][i], strlen(known[t->pre][i])))
				return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: the pre-tokenizer \"%.*s\" is not known", t->path,
			  (int)name.n, name.p);
}

static struct lh_merge_pair *place_of(const struct lh_pairs *pairs, uint32_t left,
				      uint32_t right)
{
	size_t mask = ((size_t)1 << pairs->bits) - 1;
	size_t i = (((uint64_t)left << 32 | right) * pairs->seed) >> (64 - pairs->bits);

	while (pairs->at[i].left && (pairs->at[i].left != left || pairs->at[i].right != right))
		i = (i + 1) & mask;
	return &pairs->at[i];
}

const struct lh_merge_pair *lh_pair_find(const struct lh_pairs *pairs, uint32_t left,
					 uint32_t right)
{
	const struct lh_merge_pair *p = place_of(pairs, left, right);

	return p->left ? p : NULL;
}

/* Add a merge, "left right", of which the first one counts.  One without two parts is never
 * found in a text. */
static int add_merge(struct lh_tokenizer *t, struct lh_str s, uint32_t rank, struct lh_err *err)
{
	const char *space = s.n > 1 ? memchr(s.p + 1, ' ', s.n - 1) : NULL;
	struct lh_str left, right;
	struct lh_merge_pair pair = { .rank = rank }, *to;

	if (!space || space + 1 == s.p + s.n)
		return 0;
	left = (struct lh_str){ s.p, (size_t)(space - s.p) };
	right = (struct lh_str){ space + 1, s.n - left.n - 1 };
	pair.left = lh_trie_node(&t->trie, LH_TRIE_ROOT, left, err);
	pair.right = pair.left ? lh_trie_node(&t->trie, LH_TRIE_ROOT, right, err) : 0;
	pair.merged = pair.right ? lh_trie_node(&t->trie, pair.left, right, err) : 0;
	if (!pair.merged)
		return err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", t->path) : -1;
	to = place_of(&t->pairs, pair.left, pair.right);
	if (!to->left)
		*to = pair;
	return 0;
}

int lh_merges_read(struct lh_tokenizer *t, struct lh_gguf *g, struct lh_err *err)
{
	struct lh_gguf_array a;

	if (read_pre(t, g, err) < 0 || lh_gguf_array(g, KEY("merges"), ARRAY_STRING, &a, err) < 0)
		return -1;
	if (a.n > UINT32_MAX)
		return lh_err_set(err, LH_ECORRUPT, "%s: more than 2^32 merges", t->path);
	t->pairs = (struct lh_pairs){ .bits = 1, .seed = lh_seed() | 1 };
	while ((uint64_t)1 << t->pairs.bits < 2 * a.n)
		t->pairs.bits++;
	t->pairs.at = lh_calloc_table((size_t)1 << t->pairs.bits, sizeof *t->pairs.at);
	for (uint64_t i = 0; i < a.n; i++) {
		struct lh_str s = lh_gguf_array_str(&a, i);

		if (s.n > BYTES_MAX)
			return lh_err_set(err, LH_ECORRUPT, "%s: merge %llu has more than %d bytes",
					  t->path, (unsigned long long)i, BYTES_MAX);
		if (add_merge(t, s, (uint32_t)i, err) < 0)
			return -1;
	}
	lh_bytes_set(t);
	return 0;
}

/* Set the token of each byte that SentencePiece writes as itself, or as unknown. */
static void set_byte_tokens(struct lh_tokenizer *t)
{
	char name[8];
	uint32_t node;

	for (unsigned b = 0; b < 256; b++) {
		snprintf(name, sizeof name, "<0x%02X>", b);
		node = lh_trie_walk(&t->trie, LH_TRIE_ROOT, name, 6);
		if (!node || t->trie.value[node] == LH_TRIE_NONE)
			node = b < 0x80 ? lh_trie_walk(&t->trie, LH_TRIE_ROOT, &(char){ (char)b },
						       1) : 0;
		t->byte[b] = node && t->trie.value[node] != LH_TRIE_NONE ? t->trie.value[node] :
			     t->unknown;
	}
}

void lh_bytes_set(struct lh_tokenizer *t)
{
	unsigned char s[4];
	size_t n;

	if (t->kind == LH_SPM) {
		set_byte_tokens(t);
		return;
	}
	for (unsigned b = 0; b < 256; b++) {
		n = write_byte((unsigned char)b, s);
		t->byte[b] = lh_trie_walk(&t->trie, LH_TRIE_ROOT, (const char *)s, n);
	}
}

/* ---- a text ---- */

static bool find(const struct lh_tokenizer *t, const struct lh_symbol *left,
		 const struct lh_symbol *right, uint32_t *rank, uint32_t *merged)
{
	const struct lh_merge_pair *p;

	if (!left->node || !right->node)
		return false;
	p = lh_pair_find(&t->pairs, left->node, right->node);
	if (!p)
		return false;
	*rank = p->rank;
	*merged = p->merged;
	return true;
}

/* Append the token of a symbol.  As in llama.cpp, of one that is no token those of its ASCII
 * characters are taken, and the rest is left out. */
static void symbol(const struct lh_tokenizer *t, const struct lh_symbol *s,
		   struct lh_token_list *to)
{
	uint32_t id = s->node ? t->trie.value[s->node] : LH_TRIE_NONE, node;

	if (id != LH_TRIE_NONE) {
		lh_tokens_push(to, id);
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		unsigned char b = (unsigned char)s->p[i];

		node = b > ' ' && b < 0x7f ? t->byte[b] : 0;
		id = node ? t->trie.value[node] : LH_TRIE_NONE;
		if (id != LH_TRIE_NONE)
			lh_tokens_push(to, id);
	}
}

/* Return the token that a whole word is, or LH_TRIE_NONE. */
static uint32_t whole(const struct lh_tokenizer *t, const unsigned char *p,
		      const unsigned char *end)
{
	uint32_t node = LH_TRIE_ROOT;
	unsigned char s[4];

	for (; p < end && node; p++)
		node = lh_trie_walk(&t->trie, node, (const char *)s, write_byte(*p, s));
	return node ? t->trie.value[node] : LH_TRIE_NONE;
}

static int word(struct lh_merger *m, const unsigned char *p, const unsigned char *end,
		struct lh_token_list *to, struct lh_err *err)
{
	uint32_t id = m->t->pre == LH_PRE_LLAMA3 ? whole(m->t, p, end) : LH_TRIE_NONE;

	if (id != LH_TRIE_NONE) {
		lh_tokens_push(to, id);
		return 0;
	}
	m->n = 0;
	for (; p < end; p++)
		if (lh_merger_add(m, (const char *)p, 1, m->t->byte[*p], err) < 0)
			return -1;
	lh_merger_run(m);
	for (uint32_t i = 0; i != LH_NO_SYMBOL; i = m->at[i].next)
		symbol(m->t, &m->at[i], to);
	return 0;
}

int lh_bpe(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	   struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n, *next;
	struct lh_merger m = { .t = t, .find = find };
	int rc = 0;

	for (; !rc && p < end; p = next) {
		next = lh_pre_word(t->pre, p, end);
		rc = word(&m, p, next, to, err);
	}
	lh_merger_free(&m);
	return rc;
}
