/* passages.c - a long text divided where a reader would pause.  See filesearch_parts.h. */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "filesearch_parts.h"

#define WORDS 200		/* of a passage */
#define LEAST 50		/* words before a cut at the end of a paragraph or sentence */
#define BYTES 2000		/* of a passage, for texts without blanks between words */
#define OVERLAP_WORDS 40	/* of the sentence that two passages share */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Return whether a heading begins at p: of Markdown, or a message of an mbox. */
static bool is_heading(struct lh_str text, size_t at)
{
	const char *p = text.p + at;
	const size_t n = text.n - at;
	size_t i = 0;

	while (i < n && i < 6 && p[i] == '#')
		i++;
	return (i && i < n && p[i] == ' ') || (n > 5 && !memcmp(p, "From ", 5));
}

/* Where a passage may end: the offsets of the last place of each kind; 0: none. */
struct cuts {
	size_t heading, paragraph, sentence, blank;
	size_t last_sentence;		/* where the sentence begins that ends at the cut */
	size_t before;			/* ... and the one at the end of the paragraph */
};

/* Note the places at i, which is after the blanks that follow a word. */
static void note(struct cuts *c, struct lh_str text, size_t end, size_t i, size_t words,
		 size_t *sentence)
{
	const char last = text.p[end - 1];
	bool line = false, paragraph = false;
	size_t j;

	for (j = end; j < i; j++)
		if (text.p[j] == '\n') {
			paragraph |= line;
			line = true;
		}
	c->blank = i;
	if (line && words >= LEAST / 5 && is_heading(text, i))
		c->heading = i;
	if (paragraph && words >= LEAST) {
		c->paragraph = i;
		c->before = *sentence;
	}
	if (paragraph || last == '.' || last == '!' || last == '?') {
		if (words >= LEAST) {
			c->sentence = i;
			c->last_sentence = *sentence;
		}
		*sentence = i;
	}
}

static size_t count_words(struct lh_str s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += !is_blank(s.p[i]) && (i + 1 == s.n || is_blank(s.p[i + 1]));
	return n;
}

/* Return the end of a passage that begins at 0, and where the next one begins. */
static size_t cut(struct lh_str text, size_t *next)
{
	struct cuts c = { 0 };
	size_t i = 0, words = 0, sentence = 0, end, at, from;

	while (i < text.n && words < WORDS && i < BYTES) {
		while (i < text.n && i < BYTES && !is_blank(text.p[i]))
			i++;
		end = i;
		words++;
		while (i < text.n && is_blank(text.p[i]))
			i++;
		if (i > end && i < text.n)
			note(&c, text, end, i, words, &sentence);
		if (c.heading)
			break;
	}
	if (i == text.n)
		return *next = text.n;
	at = c.heading ? c.heading : c.paragraph ? c.paragraph : c.sentence ? c.sentence : c.blank;
	from = c.heading ? at : c.paragraph ? c.before : c.sentence ? c.last_sentence : at;
	if (!at) {
		at = i;
		while (at > 1 && ((unsigned char)text.p[at] & 0xc0) == 0x80)
			at--;
		from = at;
	}
	/* the next passage repeats a sentence, unless that is all of this one */
	*next = from && count_words((struct lh_str){ text.p + from, at - from }) <= OVERLAP_WORDS ?
			from : at;
	return at;
}

size_t lh_passages(struct lh_str text, struct passages *to)
{
	struct lh_str rest = text, one;
	uint64_t line = 1;
	size_t end, next, i;

	to->n = 0;
	do {
		end = cut(rest, &next);
		for (one = (struct lh_str){ rest.p, end }; one.n && is_blank(one.p[one.n - 1]); )
			one.n--;
		lh_grow(&to->v, &to->cap, to->n + 1, sizeof *to->v);
		to->v[to->n++] = (struct passage){ one, line };
		for (i = 0; i < next; i++)
			line += rest.p[i] == '\n';
		rest.p += next;
		rest.n -= next;
	} while (rest.n);
	return to->n;
}
