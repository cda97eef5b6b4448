/*
 * hf_words.c - WordPiece as Hugging Face's tokenizers have it.  See tokenizer.h.
 *
 * A word is at most 100 code points, so that it is put together in an array; a longer one is
 * unknown.
 */
#include <utf8proc.h>

#include "base/utf8.h"
#include "tokenizer_parts.h"

#define WORD_MAX 100			/* code points */

struct word {
	const struct lh_tokenizer *t;
	struct lh_token_list *to;
	unsigned char byte[4 * WORD_MAX];
	size_t n, points;
};

static bool is_ideograph(uint32_t c)
{
	return c - 0x4e00 <= 0x9fff - 0x4e00 || c - 0x3400 <= 0x4dbf - 0x3400 ||
	       c - 0x20000 <= 0x2a6df - 0x20000 || c - 0x2a700 <= 0x2b73f - 0x2a700 ||
	       c - 0x2b740 <= 0x2b81f - 0x2b740 || c - 0x2b920 <= 0x2ceaf - 0x2b920 ||
	       c - 0xf900 <= 0xfaff - 0xf900 || c - 0x2f800 <= 0x2fa1f - 0x2f800;
}

static bool is_space(uint32_t c, utf8proc_category_t is)
{
	return c == '\t' || c == '\n' || c == '\r' || is == UTF8PROC_CATEGORY_ZS ||
	       is == UTF8PROC_CATEGORY_ZL || is == UTF8PROC_CATEGORY_ZP;
}

static bool is_dropped(uint32_t c, utf8proc_category_t is)
{
	return !c || c == 0xfffd || is == UTF8PROC_CATEGORY_CC || is == UTF8PROC_CATEGORY_CF ||
	       is == UTF8PROC_CATEGORY_CO || is == UTF8PROC_CATEGORY_CS;
}

static bool is_punctuation(uint32_t c)
{
	utf8proc_category_t is = utf8proc_category((utf8proc_int32_t)c);

	if (c < 0x80)
		return c > ' ' && c < 0x7f && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		       !(c >= '0' && c <= '9');
	return is >= UTF8PROC_CATEGORY_PC && is <= UTF8PROC_CATEGORY_PO;
}

/* Return the longest token at the beginning of p[0..n) after a node, with its bytes in *took. */
static uint32_t longest(const struct lh_trie *t, uint32_t node, const unsigned char *p, size_t n,
			size_t *took)
{
	uint32_t found = LH_TRIE_NONE;

	*took = 0;
	for (size_t i = 0; i < n && node; ) {
		node = lh_trie_step(t, node, p[i++]);
		if (node && t->value[node] != LH_TRIE_NONE) {
			found = t->value[node];
			*took = i;
		}
	}
	return found;
}

/* Append the tokens of the word, and begin another one. */
static void end_word(struct word *w)
{
	const struct lh_trie *t = &w->t->trie;
	size_t before = w->to->n, sign = strlen(LH_TOKEN_WORD), n = w->n, at = 0, took = 0;
	uint32_t id = LH_TRIE_NONE, first = lh_trie_walk(t, LH_TRIE_ROOT, LH_TOKEN_WORD, sign);

	if (!w->points)
		return;
	while (w->points <= WORD_MAX && at < n) {
		/* No token that continues a word begins as those do that begin one. */
		bool again = at && n - at >= sign && !memcmp(w->byte + at, LH_TOKEN_WORD, sign);

		id = again ? LH_TRIE_NONE
			   : longest(t, at ? LH_TRIE_ROOT : first, w->byte + at, n - at, &took);
		if (id == LH_TRIE_NONE)
			break;
		lh_tokens_push(w->to, id);
		at += took;
	}
	if (id == LH_TRIE_NONE) {
		w->to->n = before;
		lh_tokens_push(w->to, w->t->unknown);
	}
	w->n = w->points = 0;
}

static void put(struct word *w, uint32_t c)
{
	bool alone = is_punctuation(c);

	if (alone)
		end_word(w);
	if (w->points++ < WORD_MAX)
		w->n += lh_utf8_put(c, w->byte + w->n);
	if (alone)
		end_word(w);
}

/* Append what a code point becomes to the word. */
static void add(struct word *w, uint32_t c)
{
	utf8proc_int32_t part[8] = { (utf8proc_int32_t)c };
	int boundary = UTF8PROC_BOUNDCLASS_START;
	utf8proc_ssize_t n = 1;

	if (w->t->words & LH_WORDS_STRIP && c >= 0xc0)
		n = utf8proc_decompose_char(part[0], part, 8, UTF8PROC_DECOMPOSE, &boundary);
	if (n == 1 && c == 0x130 && w->t->words & LH_WORDS_LOWER) {
		put(w, 'i');		/* the one letter whose lower case is two */
		put(w, 0x307);
		return;
	}
	for (utf8proc_ssize_t i = 0; i < n && i < 8; i++) {
		if (w->t->words & LH_WORDS_STRIP &&
		    utf8proc_category(part[i]) == UTF8PROC_CATEGORY_MN)
			continue;
		put(w, (uint32_t)(w->t->words & LH_WORDS_LOWER ? utf8proc_tolower(part[i])
							       : part[i]));
	}
}

int lh_hf_words(const struct lh_tokenizer *t, struct lh_str text, struct lh_token_list *to,
		struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p, *end = p + text.n;
	struct word w = { .t = t, .to = to };

	(void)err;
	while (p < end) {
		uint32_t c = lh_utf8_get(&p);
		utf8proc_category_t is = utf8proc_category((utf8proc_int32_t)c);
		bool alone = t->words & LH_WORDS_CHINESE && is_ideograph(c);

		if (is_space(c, is) || alone)
			end_word(&w);
		if (!is_space(c, is) && !is_dropped(c, is))
			add(&w, c);
		if (alone)
			end_word(&w);
	}
	end_word(&w);
	return 0;
}
