/*
 * suggest - "did you mean": the names closest to one that is not known.
 *
 *     struct lh_suggest s = lh_suggest_for("--wher", 6);
 *
 *     for (i = 0; i < n; i++)
 *             lh_suggest_offer(&s, name[i], strlen(name[i]));
 *     lh_suggest_text(&s, "--", text);     "did you mean --where?"
 *
 * A name is close if it begins with the text given or is it after a - (two letters or more),
 * or if a third of the letters of the longer of both, or fewer, have to be inserted,
 * removed, replaced or exchanged with their neighbour.  Upper and lower case are the same,
 * and so are - and _.  The closest names are kept, at most three.
 */
#ifndef LH_SUGGEST_H
#define LH_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

#define LH_SUGGEST_MAX 3
#define LH_SUGGEST_ROOM 256

struct lh_suggest {
	const char *given;
	size_t n;
	struct {
		char name[64];
		unsigned distance;
	} best[LH_SUGGEST_MAX];		/* the closest first */
	size_t n_best;
};

/* Begin with a text of n bytes, which must stay valid. */
struct lh_suggest lh_suggest_for(const char *given, size_t n);

/* Consider a name, of n bytes; it is copied. */
void lh_suggest_offer(struct lh_suggest *s, const char *name, size_t n);
/* Consider another name of what is called `as`, which is then suggested. */
void lh_suggest_alias(struct lh_suggest *s, const char *name, size_t n, const char *as,
		      size_t n_as);
/* Consider each name of "a|b|c". */
void lh_suggest_choices(struct lh_suggest *s, const char *choices);

/* Write "did you mean --where or --when?" to to, of LH_SUGGEST_ROOM bytes, with a prefix
 * before each name (a quote also after it); the empty text if nothing is close.  Returns to. */
const char *lh_suggest_text(const struct lh_suggest *s, const char *prefix, char *to);

#endif
