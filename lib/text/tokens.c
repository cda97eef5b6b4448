/* tokens.c - the words of a text.  See tokens.h and lh-hash-v1(7). */
#include "tokens.h"

#include <ctype.h>
#include <string.h>

#include "base/table.h"
#include "base/utf8.h"

enum fold_kind { FOLD_GAP, FOLD_WORD, FOLD_SOLO, FOLD_DROP };

#include "fold.inc"

/* Fold an ASCII character; 0 if it ends a word. */
static inline unsigned fold_ascii(unsigned char c)
{
	if (c >= 'a' ? c <= 'z' : c >= '0' && c <= '9')
		return c;
	return c >= 'A' && c <= 'Z' ? c | 0x20u : 0;
}

/* Fold a character beyond ASCII to UTF-8 in s; return what it is. */
static enum fold_kind fold_wide(uint32_t c, unsigned char s[4], unsigned *n)
{
	size_t lo = 0, hi = sizeof fold_ranges / sizeof *fold_ranges;

	for (size_t i = 0; i < sizeof fold_tables / sizeof *fold_tables; i++) {
		const struct fold_table *t = &fold_tables[i];
		unsigned to;

		if (c < t->lo || c >= t->hi)
			continue;
		to = t->to[c - t->lo];
		if (to < 2)
			return to ? FOLD_DROP : FOLD_GAP;
		if (to >= FOLD_MANY && to < FOLD_MANY + sizeof fold_many / sizeof *fold_many) {
			*n = strlen(fold_many[to - FOLD_MANY]);
			memcpy(s, fold_many[to - FOLD_MANY], *n);
		} else {
			*n = lh_utf8_put(to, s);
		}
		return FOLD_WORD;
	}
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		*(fold_ranges[mid].lo <= c ? &lo : &hi) = mid;
	}
	*n = lh_utf8_put(c, s);
	return fold_ranges[lo].kind;
}

static inline bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Return whether a capital at p begins a name, or a code of two letters, rather
 * than a sentence. */
static bool is_name(const struct lh_tokens *r, const unsigned char *p)
{
	unsigned char b = r->before;

	if (*p < 'A' || *p > 'Z' || p + 1 == r->end)
		return false;
	if (p[1] >= 'A' && p[1] <= 'Z' ? p + 2 < r->end && (p[2] >= 0x80 || fold_ascii(p[2])) :
	    p[1] < 0x80 && !(p[1] >= 'a' && p[1] <= 'z'))
		return false;
	return b >= 0x80 || fold_ascii(b) || (b && strchr(",:(/)'\"", b));
}

/* "c++", "c#", "g++": signs at the end of a very short word belong to it. */
static inline bool is_sign(const struct lh_token *t, unsigned char c)
{
	return (c == '+' || c == '#') && t->chars > 0 && t->chars < 3;
}

static inline void start_token(const struct lh_tokens *r, struct lh_token *t)
{
	t->open = r->space;
	t->spaced = r->space && !r->other;
}

/* Read one character beyond ASCII for lh_tokens_next: false if the token is complete. */
static bool read_wide(struct lh_tokens *r, struct lh_token *t)
{
	const unsigned char *p = r->p;
	unsigned char s[4];
	unsigned n = 0;
	enum fold_kind kind = fold_wide(lh_utf8_get(&p), s, &n);

	if (t->chars && (kind == FOLD_SOLO || kind == FOLD_GAP))
		return false;
	r->p = p;
	if (kind == FOLD_DROP)
		return true;
	r->before = p[-1];
	if (kind == FOLD_GAP) {
		r->joined = r->space = false;
		r->other = true;
		return true;
	}
	if (!t->chars)
		start_token(r, t);
	memcpy(t->s + t->len, s, n);
	t->len += n;
	for (unsigned i = 0; i < n; i++)
		t->chars += (s[i] & 0xc0) != 0x80;
	t->solo = kind == FOLD_SOLO;
	t->joined = t->solo && r->joined;
	r->joined = t->solo;
	return !t->solo && t->chars < LH_TOKEN_CHARS;
}

/* Return the next word, or character of a script without spaces; false at the end. */
bool lh_tokens_next(struct lh_tokens *r, struct lh_token *t)
{
	unsigned char c, f;

	memset(t->s, 0, LH_TOKEN_PAD);
	t->len = t->chars = 0;
	t->solo = t->joined = t->name = t->value = false;
	while (r->p < r->end) {
		c = *r->p;
		if (c >= 0x80) {
			if (!read_wide(r, t))
				break;
			continue;
		}
		f = fold_ascii(c);
		if (!f && is_sign(t, c))
			f = c;
		if (!f && t->chars)
			break;
		if (f && !t->chars) {
			start_token(r, t);
			t->name = is_name(r, r->p);
			t->value = r->value;
		}
		if (!f) {
			r->space = is_space(c);
			if (!r->space) {
				r->value = c == ':' && r->p + 1 < r->end && is_space(r->p[1]);
				r->other = true;
			}
		}
		if (f || !r->space)
			r->before = c;
		r->joined = false;
		r->p++;
		if (f) {
			t->s[t->len++] = f;
			if (++t->chars == LH_TOKEN_CHARS)
				break;
		}
	}
	r->space = r->other = false;
	return t->chars > 0;
}

/* ---- stems ---- */

static bool is_vowel(const unsigned char *w, unsigned i)
{
	if (w[i] == 'y')
		return i > 0 && !is_vowel(w, i - 1);
	return memchr("aeiou", w[i], 5) != NULL;
}

static bool has_vowel(const unsigned char *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_vowel(w, i))
			return true;
	return false;
}

static bool ends(const unsigned char *w, unsigned n, const char *with)
{
	unsigned m = strlen(with);

	return n > m && !memcmp(w + n - m, with, m);
}

static unsigned cut_plural(unsigned char *w, unsigned n)
{
	if (n > 4 && ends(w, n, "ies"))
		return w[n - 3] = 'y', n - 2;
	if (n > 4 && (ends(w, n, "sses") || ends(w, n, "xes") || ends(w, n, "ches") ||
		      ends(w, n, "shes")))
		return n - 2;
	if (n > 3 && w[n - 1] == 's' && !memchr("sui", w[n - 2], 3))
		return n - 1;
	return n;
}

static unsigned cut_ending(const unsigned char *w, unsigned n)
{
	if (n > 5 && ends(w, n, "ing") && has_vowel(w, n - 3))
		return n - 3;
	if (n > 4 && (ends(w, n, "ed") || ends(w, n, "er") || ends(w, n, "or")) &&
	    has_vowel(w, n - 2))
		return n - 2;
	if (n > 6 && ends(w, n, "tion"))
		return n - 3;
	return n;
}

unsigned lh_token_stem(unsigned char *w, unsigned n)
{
	unsigned m;

	for (unsigned i = 0; i < n; i++)
		if (w[i] < 'a' || w[i] > 'z')
			return n;
	n = cut_plural(w, n);
	m = cut_ending(w, n);
	if (m < n && m > 3 && w[m - 1] == w[m - 2] && !memchr("aeiouls", w[m - 1], 7))
		m--;
	if (m > 3 && w[m - 1] == 'e')
		m--;
	if (m > 3 && w[m - 1] == 'y')
		w[m - 1] = 'i';
	return m;
}

/* ---- words that are marked ---- */

#define SHORT 2			/* letters of words that stand in every text */

/* Return the length of a folded word without its English ending; 0: it is not marked. */
static size_t without_ending(struct lh_token *t)
{
	unsigned i = 0;

	if (t->chars <= SHORT && !t->solo && !lh_token_is_number(t))
		return 0;
	while (i < t->len && t->s[i] >= 'a' && t->s[i] <= 'z')
		i++;
	return i == t->len ? lh_token_stem(t->s, t->len) : t->len;
}

void lh_marked_add(struct lh_intern *marked, const char *text)
{
	struct lh_tokens in;
	struct lh_token t;
	struct lh_err unused;
	uint32_t number;
	size_t n;

	lh_tokens_init(&in, text, strlen(text));
	while (lh_tokens_next(&in, &t))
		if ((n = without_ending(&t)))
			lh_intern_add(marked, (const char *)t.s, n, &number, &unused);
}

/* Return whether a word in a text is one of them. */
static bool is_marked(const struct lh_intern *marked, const char *p, size_t n)
{
	struct lh_tokens in;
	struct lh_token t;
	size_t len;

	lh_tokens_init(&in, p, n);
	while (lh_tokens_next(&in, &t))
		if ((len = without_ending(&t)) &&
		    lh_intern_find(marked, (const char *)t.s, len) >= 0)
			return true;
	return false;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

size_t lh_marked_word(const struct lh_intern *marked, const char *p, size_t n, size_t *len)
{
	size_t at, end;

	for (at = 0; marked->n && at < n; at = end) {
		end = at + 1;
		while (end < n && in_word(p[at]) && in_word(p[end]))
			end++;
		*len = end - at;
		if (in_word(p[at]) && is_marked(marked, p + at, *len))
			return at;
	}
	return n;
}
