/* hashv2.c - the emphasis of words in hash-v2.  See hashv2.h. */
#include "hashv2.h"

#include <math.h>
#include <string.h>

/* Constants of the recipe: changing one makes another model. */
#define PLAIN 8			/* eighths: a word without marks, ... */
#define TITLE 28		/* ... a value of the label that the text begins with, ... */
#define ENTRY 16		/* ... a name under a later label of such a text */
#define LABEL_TOKENS 5		/* most tokens of a label at the beginning of the text */
#define COUNT_DIGITS 3		/* most digits of a count */
#define PHRASE_WEIGHT 128	/* a word of less weight ends a phrase, unless it is a name */
#define PHRASE_WORDS 6

/* By the place of the word in its phrase, in eighths. */
static const unsigned char emphasis[][2][PHRASE_WORDS] = {
	[LH_HASHV2_COUNTED] = { { 16, 14, 13, 12, 11, 11 }, { 24, 21, 18, 16, 15, 13 } },
	[LH_HASHV2_PLACE] = { { 14, 14, 14, 14, 14, 14 }, { 20, 20, 20, 20, 20, 20 } },
};

static unsigned label_mark(struct lh_hashv2_marks *m, const struct lh_token *t)
{
	if (t->value && !m->value && ++m->labels == 1)
		m->title = m->tokens <= LABEL_TOKENS;
	m->value = t->value;
	if (!t->value || !m->title)
		return PLAIN;
	return m->labels == 1 ? TITLE : t->name ? ENTRY : PLAIN;
}

static bool continues_phrase(const struct lh_hashv2_marks *m, const struct lh_token *t,
			     unsigned weight)
{
	return m->phrase && t->spaced && m->length < PHRASE_WORDS &&
	       (t->name || (!m->proper && weight >= PHRASE_WEIGHT));
}

static bool can_begin_phrase(const struct lh_hashv2_marks *m, const struct lh_token *t,
			     unsigned weight)
{
	return m->begins && t->spaced && (t->name || weight >= PHRASE_WEIGHT);
}

static unsigned phrase_mark(struct lh_hashv2_marks *m, const struct lh_token *t, unsigned weight)
{
	if (can_begin_phrase(m, t, weight)) {
		m->phrase = m->begins;
		m->proper = t->name;
		m->length = 0;
		m->counted |= m->phrase == LH_HASHV2_COUNTED;
	} else if (!continues_phrase(m, t, weight)) {
		m->phrase = LH_HASHV2_NONE;
	}
	m->begins = m->counted && !t->name && t->len == 2 && !memcmp(t->s, "in", 2) ?
			    LH_HASHV2_PLACE :
			    LH_HASHV2_NONE;
	return m->phrase ? emphasis[m->phrase][m->proper][m->length++] : PLAIN;
}

unsigned lh_hashv2_word(struct lh_hashv2_marks *m, const struct lh_token *t, unsigned weight)
{
	unsigned by = label_mark(m, t) * PLAIN;

	if (!lh_token_is_number(t)) {
		by *= phrase_mark(m, t, weight);
	} else {
		by *= PLAIN;
		m->phrase = LH_HASHV2_NONE;
		m->begins = t->len <= COUNT_DIGITS && t->open && !m->name ? LH_HASHV2_COUNTED :
									    LH_HASHV2_NONE;
	}
	m->name = t->name;
	m->tokens++;
	return by;
}

void lh_hashv2_single(struct lh_hashv2_marks *m)
{
	m->value = m->name = false;
	m->begins = m->phrase = LH_HASHV2_NONE;
	m->tokens++;
}

unsigned lh_hashv2_weight(unsigned weight)
{
	return sqrt(floor(sqrt(weight * weight * weight * 255.0)));
}
