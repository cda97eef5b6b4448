/*
 * hashv2 - which words hash-v2 emphasizes, and how much; not installed.
 *
 * Words are shown in order.  lh-hash-v2(7) states the rules.
 */
#ifndef LH_HASHV2_H
#define LH_HASHV2_H

#include "text/tokens.h"

#define LH_HASHV2_PLAIN 512	/* the emphasis of a word without marks */

enum lh_hashv2_phrase { LH_HASHV2_NONE, LH_HASHV2_COUNTED, LH_HASHV2_PLACE };

struct lh_hashv2_marks {
	unsigned tokens, labels;	/* so far; labels: runs of values */
	bool value, name;		/* the word before was one */
	bool title;			/* the first run of values is the title */
	bool counted;			/* something was counted */
	bool proper;			/* the phrase began with a name */
	enum lh_hashv2_phrase begins;	/* at the next word, if it may */
	enum lh_hashv2_phrase phrase;	/* that the last word was in */
	unsigned length;		/* its words so far */
};

/* The emphasis of the next word; weight: that of the table. */
unsigned lh_hashv2_word(struct lh_hashv2_marks *m, const struct lh_token *t, unsigned weight);
/* The next token is a character of a script without spaces. */
void lh_hashv2_single(struct lh_hashv2_marks *m);

/* A weight of the table as hash-v2 has it. */
unsigned lh_hashv2_weight(unsigned weight);

#endif
