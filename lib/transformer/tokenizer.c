/* tokenizer.c - what all tokenizers share, and WordPiece.  See tokenizer.h. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "compiled.h"
#include "tokenizer_parts.h"

/* ---- WordPiece ---- */

/*
 * A word is a range of the text, and its code points are replaced while the trie is walked:
 * no normalised copy is made.  Tokens are UTF-8, so that each ends where a code point does.
 */

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

/* Append the tokens of a text without user-defined tokens. */
static int lh_wordpiece(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
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

/* ---- all tokenizers ---- */

struct lh_tokenizer *lh_tokenizer_new(struct lh_gguf *g, struct lh_err *err)
{
	struct lh_tokenizer *t = lh_calloc(1, sizeof *t);

	t->g = g;
	t->path = lh_gguf_path(g);
	if (lh_vocabulary_read(t, g, err) < 0) {
		lh_tokenizer_free(t);
		return NULL;
	}
	return t;
}

struct lh_tokenizer *lh_tokenizer_mapped(const struct lh_compiled *c, struct lh_err *err)
{
	struct lh_tokenizer *t = lh_calloc(1, sizeof *t);

	t->path = lh_compiled_path(c);
	if (lh_vocabulary_map(t, c, err) < 0) {
		lh_tokenizer_free(t);
		return NULL;
	}
	return t;
}

void lh_tokenizer_free(struct lh_tokenizer *t)
{
	if (!t)
		return;
	if (t->g) {
		lh_trie_free(&t->trie);
		lh_trie_free(&t->begins);
		free(t->user);
		free(t->score);
		free(t->pairs.at);
	}
	free(t);
}

static int tokens_of(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		     struct lh_err *err)
{
	static int (*const run[LH_TOKEN_KINDS])(const struct lh_tokenizer *, struct lh_str,
						struct lh_token_list *, struct lh_err *) = {
		lh_wordpiece, lh_unigram, lh_bpe, lh_spm, lh_hf_words,
	};

	return text.n ? run[t->kind](t, text, to, err) : 0;
}

/* Append the tokens of a text in which user-defined tokens before `user` do not occur: the
 * longest divide it first. */
static int divide(const struct lh_tokenizer *t, struct lh_str text, size_t user,
		  struct lh_token_list *to, struct lh_err *err)
{
	struct lh_str s, before;
	const char *hit;

	while (user < t->users) {
		s = lh_gguf_array_str(&t->token, t->user[user]);
		hit = text.n ? memmem(text.p, text.n, s.p, s.n) : NULL;
		if (!hit) {
			user++;
			continue;
		}
		before = (struct lh_str){ text.p, (size_t)(hit - text.p) };
		if (divide(t, before, user + 1, to, err) < 0)
			return -1;
		lh_tokens_push(to, t->user[user]);
		text = (struct lh_str){ hit + s.n, text.n - before.n - s.n };
	}
	return tokens_of(t, text, to, err);
}

int lh_tokenizer_run(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		     struct lh_err *err)
{
	to->n = to->second = 0;
	if (t->first >= 0)
		lh_tokens_push(to, (uint32_t)t->first);
	if (divide(t, text, 0, to, err) < 0)
		return -1;
	if (t->last >= 0)
		lh_tokens_push(to, (uint32_t)t->last);
	return 0;
}

void lh_tokenizer_truncate(const struct lh_tokenizer *t, struct lh_token_list *tokens, size_t n)
{
	if (tokens->n <= n)
		return;
	tokens->n = n;
	if (n && t->last >= 0)
		tokens->id[n - 1] = (uint32_t)t->last;
}

int lh_tokenizer_pair(const struct lh_tokenizer *t, const struct lh_token_list *query,
		      const struct lh_token_list *text, size_t n, struct lh_token_list *to,
		      struct lh_err *err)
{
	size_t separators = t->twice ? 2 : 1, ends = 2 + separators, q, d;

	if (t->first < 0 || t->last < 0)
		return lh_err_set(err, LH_ECORRUPT, "%s: its tokenizer adds no special tokens at "
				  "both ends of a text, which pairs need", t->path);
	if (n < ends)
		return lh_err_set(err, LH_ECORRUPT, "%s: a context of %zu tokens is too short for "
				  "a pair", t->path, n);
	q = query->n - 2;
	d = text->n - 2;
	while (q + d > n - ends)
		--*(q > d ? &q : &d);
	lh_grow(&to->id, &to->cap, q + d + ends, sizeof *to->id);
	memcpy(to->id, query->id, (q + 1) * sizeof *to->id);
	to->second = q + 2;
	for (to->n = q + 1; separators; separators--)
		to->id[to->n++] = (uint32_t)t->last;
	memcpy(to->id + to->n, text->id + 1, d * sizeof *to->id);
	to->n += d;
	to->id[to->n++] = (uint32_t)t->last;
	return 0;
}

size_t lh_tokenizer_size(const struct lh_tokenizer *t)
{
	return t->token.n;
}

struct lh_str lh_tokenizer_text(const struct lh_tokenizer *t, uint32_t id)
{
	return lh_gguf_array_str(&t->token, id);
}
