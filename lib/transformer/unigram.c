/*
 * unigram.c - the tokens of a text by Unigram.  See tokenizer.h.
 *
 * The text is normalised into a window just ahead of the search.  Where no token reaches across
 * a position, the best division up to it is final: its tokens are appended and the window begins
 * there, so that memory follows the longest word and not the text.
 */
#include <float.h>
#include <stdlib.h>

#include "tokenizer_parts.h"
#include "base/mem.h"

#define UNUSED 65536			/* bytes at the window's beginning before it is moved */

struct best {				/* the best division that ends at a position */
	double score;
	uint32_t token, bytes;		/* its last token, or, when it is final, its next */
};

struct search {
	const struct lh_tokenizer *t;
	const char *in, *end;		/* not yet normalised */
	bool in_word, prefixed;
	char *text;			/* the window */
	struct best *at;		/* of each position and its end */
	size_t n, cap, at_cap;
	size_t begin, now, reach;	/* final up to begin; tokens end up to reach */
	size_t output;			/* of the tokens, when the search began */
};

/* ---- normalisation ---- */

static void append(struct search *s, const char *p, size_t n)
{
	lh_grow(&s->text, &s->cap, s->n + n, 1);
	lh_grow(&s->at, &s->at_cap, s->n + n + 1, sizeof *s->at);
	for (size_t i = 0; i < n; i++) {
		s->text[s->n++] = p[i];
		s->at[s->n].score = -DBL_MAX;
	}
}

static void append_space(struct search *s)
{
	append(s, LH_TOKEN_WORD, sizeof LH_TOKEN_WORD - 1);
}

static void append_byte(struct search *s, char c)
{
	if (c == ' ') {
		s->in_word = false;
		if (!s->t->merge)
			append_space(s);
		return;
	}
	if (!s->in_word) {
		s->in_word = true;
		if (s->t->merge || (s->t->prefix && !s->prefixed)) {
			s->prefixed = true;
			append_space(s);
		}
	}
	append(s, &c, 1);
}

/* Return the bytes of the code point whose first byte is c; 1 in the middle of one. */
static size_t bytes_of(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* Return the bytes that are the beginning of a user-defined token, or 0.  As in llama.cpp they
 * are not normalised, be it a part of a token or of a code point. */
static size_t of_user(const struct search *s)
{
	const struct lh_trie *t = &s->t->begins;
	const char *p = s->in;

	for (uint32_t node = LH_TRIE_ROOT; t->nodes && p < s->end; p++) {
		node = lh_trie_step(t, node, (unsigned char)*p);
		if (!node)
			break;
	}
	return t->nodes ? (size_t)(p - s->in) : 0;
}

/* Set *to to what the beginning of the text becomes, and *n to its bytes: a code point, or the
 * longest one that the map replaces. */
static int piece(const struct search *s, size_t *n, struct lh_str *to, struct lh_err *err)
{
	struct lh_str left = { s->in, (size_t)(s->end - s->in) };
	int found;

	*n = of_user(s);
	*to = (struct lh_str){ s->in, *n };
	if (*n)
		return 0;
	found = lh_charsmap_find(&s->t->map, left, n, to, err);
	if (found)
		return found < 0 ? lh_err_prefix(err, "%s", s->t->path) : 0;
	*n = bytes_of(*s->in);
	*to = (struct lh_str){ s->in, *n };
	if ((*s->in & 0xc0) == 0x80)	/* only a part of the code point was left */
		*to = lh_str_of("\xef\xbf\xbd");
	return 0;
}

static int normalise(struct search *s, struct lh_err *err)
{
	struct lh_str to;
	size_t n;

	if (piece(s, &n, &to, err) < 0)
		return -1;
	s->in += n;
	for (size_t i = 0; i < to.n; i++)
		append_byte(s, to.p[i]);
	return 0;
}

/* Have the bytes of the longest token in the window, and of a code point, if there are so
 * many. */
static int look_ahead(struct search *s, struct lh_err *err)
{
	size_t n = s->t->longest < 4 ? 4 : s->t->longest;

	if (s->begin >= UNUSED) {
		size_t gone = s->begin;

		memmove(s->text, s->text + gone, s->n - gone);
		memmove(s->at, s->at + gone, (s->n - gone + 1) * sizeof *s->at);
		s->begin = 0;
		s->now -= gone;
		s->reach -= gone;
		s->n -= gone;
	}
	while (s->n - s->now < n && s->in < s->end)
		if (normalise(s, err) < 0)
			return -1;
	return 0;
}

/* ---- the search ---- */

/* Offer a token of so many bytes after the best division up to here. */
static void offer(struct search *s, size_t bytes, uint32_t token, double score)
{
	struct best *to = &s->at[s->now + bytes];

	score += s->at[s->now].score;
	if (score > to->score)
		*to = (struct best){ score, token, (uint32_t)bytes };
	if (s->now + bytes > s->reach)
		s->reach = s->now + bytes;
}

/* Offer all tokens that begin here, and the unknown one if none is the code point, then go to
 * the next code point. */
static void advance(struct search *s)
{
	const struct lh_tokenizer *t = s->t;
	size_t one = bytes_of(s->text[s->now]);
	uint32_t node = LH_TRIE_ROOT, token;
	bool known = false;

	if (one > s->n - s->now)
		one = s->n - s->now;
	for (size_t i = 0; s->now + i < s->n; i++) {
		node = lh_trie_step(&t->trie, node, (unsigned char)s->text[s->now + i]);
		if (!node)
			break;
		token = t->trie.value[node];
		if (token >= t->token.n)
			continue;
		known = known || i + 1 == one;
		offer(s, i + 1, token, (double)t->score[token]);
	}
	if (!known)
		offer(s, one, t->unknown, t->unknown_score);
	s->now += one;
}

/* Append the tokens of the best division up to here; unknown ones that follow each other are
 * one. */
static void finish(struct search *s, struct lh_token_list *to)
{
	struct best next = s->at[s->now], last;
	size_t i = s->now;

	while (i > s->begin) {			/* turn the links around */
		i -= next.bytes;
		last = s->at[i];
		s->at[i] = next;
		next = last;
	}
	for (; i < s->now; i += s->at[i].bytes) {
		if (s->at[i].token == s->t->unknown && to->n > s->output &&
		    to->id[to->n - 1] == s->t->unknown)
			continue;
		lh_tokens_push(to, s->at[i].token);
	}
	s->begin = s->now;
}

static int search(struct search *s, struct lh_token_list *to, struct lh_err *err)
{
	append(s, "", 0);
	s->at[0].score = 0;
	for (;;) {
		if (look_ahead(s, err) < 0)
			return -1;
		if (s->now == s->n)
			return 0;
		advance(s);
		if (s->reach == s->now)
			finish(s, to);
	}
}

int lh_unigram(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
	       struct lh_err *err)
{
	struct search s = { .t = t, .in = text.p, .end = text.p + text.n, .output = to->n };
	int rc = search(&s, to, err);

	free(s.text);
	free(s.at);
	return rc;
}
