/* words.c - the words of a text, and sets of them.  See replay.h. */
#include "replay.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/mem.h"

#define SHORTEST_WORD 3
#define KEEP ((size_t)4096)	/* slots that are cleared rather than freed */

/* The folded byte of a word, 0 for a byte that is not part of one. */
#define UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define OTHER(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= '0' && (c) <= '9') || (c) == '_')
#define F1(c) (UPPER(c) ? (c) | 0x20 : OTHER(c) ? (c) : 0)
#define F4(c) F1(c), F1((c) + 1), F1((c) + 2), F1((c) + 3)
#define F16(c) F4(c), F4((c) + 4), F4((c) + 8), F4((c) + 12)
#define F64(c) F16(c), F16((c) + 16), F16((c) + 32), F16((c) + 48)
static const unsigned char fold[256] = { F64(0), F64(64) };

void word_iter_init(struct word_iter *it, const char *p, size_t n)
{
	it->p = (const unsigned char *)p;
	it->end = it->p + n;
}

bool word_next(struct word_iter *it)
{
	const unsigned char *p = it->p, *start;
	uint32_t hash;

	for (;;) {
		while (p < it->end && !fold[*p])
			p++;
		if (p == it->end)
			return false;
		for (start = p, hash = 0; p < it->end && fold[*p]; p++)
			hash = hash * 31 + fold[*p];
		if (p - start >= SHORTEST_WORD)
			break;
	}
	it->word = (struct lh_str){ (const char *)start, (size_t)(p - start) };
	it->hash = hash;
	it->p = p;
	return true;
}

static struct lh_str word_at(const void *ctx, uint32_t i)
{
	const struct words *w = ctx;

	return (struct lh_str){ w->text.p + w->word[i].at, w->word[i].n };
}

void words_free(struct words *w)
{
	lh_buf_free(&w->text);
	lh_table_free(&w->map);
	free(w->word);
}

void words_reset(struct words *w)
{
	lh_buf_reset(&w->text);
	if (w->map.slots > KEEP)
		lh_table_free(&w->map);
	else
		lh_table_clear(&w->map);
	w->n = 0;
	memset(w->filter, 0, sizeof w->filter);
}

/* Find the word at the end of text, folded: its number, or -1. */
static int64_t lookup(struct words *w, const struct lh_str *word)
{
	char *to = lh_buf_room(&w->text, word->n);
	size_t i;

	for (i = 0; i < word->n; i++)
		to[i] = lh_fold(word->p[i]);
	return lh_table_find(&w->map, (struct lh_str){ to, word->n }, word_at, w);
}

static uint64_t *filter_of(struct words *w, uint32_t hash, uint64_t *bit)
{
	*bit = UINT64_C(1) << (hash & 63);
	return &w->filter[hash >> 6 & 1023];
}

static int add(struct words *w, const struct word_iter *it, uint64_t mask, struct lh_err *err)
{
	int64_t at = lookup(w, &it->word);
	uint64_t bit;

	if (at < 0) {
		at = (int64_t)w->n;
		if (w->n >= UINT32_MAX - 1)
			return lh_err_nomem(err);
		lh_grow(&w->word, &w->cap, w->n + 1, sizeof *w->word);
		w->word[at] = (struct word){ .at = w->text.len, .n = it->word.n };
		lh_buf_took(&w->text, it->word.n);
		lh_table_set(&w->map, word_at(w, (uint32_t)at), (uint32_t)at, word_at, w);
		w->n++;
		*filter_of(w, it->hash, &bit) |= bit;
	}
	w->word[at].mask |= mask;
	return 0;
}

int words_add(struct words *w, const char *p, size_t n, uint64_t mask, struct lh_err *err)
{
	struct word_iter it;

	for (word_iter_init(&it, p, n); word_next(&it); )
		if (add(w, &it, mask, err) < 0)
			return -1;
	return 0;
}

struct word *words_find(struct words *w, const struct word_iter *it)
{
	uint64_t bit;
	int64_t at;

	if (!(*filter_of(w, it->hash, &bit) & bit))
		return NULL;
	at = lookup(w, &it->word);
	return at < 0 ? NULL : &w->word[at];
}
