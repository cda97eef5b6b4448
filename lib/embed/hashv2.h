/*
 * hashv2 - the emphasis of words in hash-v2, by rules stated in lh-hash-v2(7).
 * Words are passed in the order of the text.  Not installed.
 */
#ifndef LH_HASHV2_H
#define LH_HASHV2_H

#include "text/tokens.h"

#define LH_HASHV2_PLAIN 512	/* emphasis of a word without marks */

enum lh_hashv2_phrase { LH_HASHV2_NONE, LH_HASHV2_COUNTED, LH_HASHV2_PLACE };

struct lh_hashv2_marks {
	unsigned tokens, labels;	/* so far; labels: runs of values */
	bool value, name;		/* of the word before */
	bool title;			/* the first run of values is the title */
	bool counted;			/* a count has occurred */
	bool proper;			/* the phrase began with a name */
	enum lh_hashv2_phrase begins;	/* may begin at the next word */
	enum lh_hashv2_phrase phrase;	/* of the last word */
	unsigned length;		/* words of the phrase so far */
};

/* Return the emphasis of the next word; weight is that in the table. */
unsigned lh_hashv2_word(struct lh_hashv2_marks *m, const struct lh_token *t, unsigned weight);
/* Pass a character of a script without spaces. */
void lh_hashv2_single(struct lh_hashv2_marks *m);

/* Return the weight in hash-v2 for a weight in the table. */
unsigned lh_hashv2_weight(unsigned weight);

#endif
