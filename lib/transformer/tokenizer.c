/* tokenizer.c - what all tokenizers share.  See tokenizer.h. */
#include <stdlib.h>

#include "encoder.h"
#include "tokenizer_parts.h"
#include "base/mem.h"

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
		lh_wordpiece, lh_unigram, lh_bpe, lh_spm,
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
