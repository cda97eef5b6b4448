/* marks.c - the words of --mark in what is shown.  See show.h. */
#include <ctype.h>

#include "show.h"
#include "text/tokens.h"

#define SHORT 2			/* letters of words that stand in every text */

/* Return the length of a folded word without its English ending; 0: it is not marked. */
static size_t fold(struct lh_token *t)
{
	unsigned i = 0;

	if (t->chars <= SHORT && !t->solo && !lh_token_is_number(t))
		return 0;
	while (i < t->len && t->s[i] >= 'a' && t->s[i] <= 'z')
		i++;
	return i == t->len ? lh_token_stem(t->s, t->len) : t->len;
}

void marks_read(struct show *w)
{
	struct lh_tokens in;
	struct lh_token t;
	struct lh_err unused;
	uint32_t number;
	size_t n;

	lh_tokens_init(&in, w->s->mark, strlen(w->s->mark));
	while (lh_tokens_next(&in, &t))
		if ((n = fold(&t)))
			lh_intern_add(&w->marked, (const char *)t.s, n, &number, &unused);
}

/* Return whether a word in a text is one of them. */
static bool is_marked(const struct show *w, const char *p, size_t n)
{
	struct lh_tokens in;
	struct lh_token t;
	size_t len;

	lh_tokens_init(&in, p, n);
	while (lh_tokens_next(&in, &t))
		if ((len = fold(&t)) && lh_intern_find(&w->marked, (const char *)t.s, len) >= 0)
			return true;
	return false;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

void marks_put(struct show *w, enum lh_style style, const char *p, size_t n)
{
	size_t at = 0, from = 0, end;

	for (; w->marked.n && at < n; at = end) {
		end = at + 1;
		while (end < n && in_word(p[at]) && in_word(p[end]))
			end++;
		if (!in_word(p[at]) || !is_marked(w, p + at, end - at))
			continue;
		if (at > from)
			lh_term_put(&w->out, w->colored, style, p + from, at - from);
		lh_term_put(&w->out, w->colored, LH_STYLE_WARN, p + at, end - at);
		from = end;
	}
	if (n > from || !n)
		lh_term_put(&w->out, w->colored, style, p + from, n - from);
}
