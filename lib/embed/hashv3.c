/* hashv3.c - recognize texts about staffing.  See hashv3.h. */
#include "hashv3.h"

#include <string.h>

/* Constants of the recipe: changing one, or a list, makes another model. */
#define LABEL_PIECES 5		/* the first label of a record ends in one of these */
#define COUNT_PIECES 9		/* the count of a job order is one of these */
#define PLACE_PIECES 16		/* an occupation and a place are among these */
#define MOST_PIECES 40
#define COUNT_DIGITS 3
#define ROLE_PIECES 3		/* after a count */

#include "hashv3_words.inc"

#define WORD_MAX 15		/* bytes of the longest word of a list, or more */

struct piece {
	const unsigned char *s;
	size_t n;
};

struct pieces {
	struct piece at[MOST_PIECES + 1];
	size_t n;
	const unsigned char *p, *end;	/* what follows them */
};

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_capital(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(unsigned char c)
{
	return is_capital(c) || (c >= 'a' && c <= 'z') || c >= 0x80;
}

/* Read a piece more; false at the end of the text, and after most pieces. */
static inline bool read_piece(struct pieces *t, size_t most)
{
	const unsigned char *p = t->p, *end = t->end;
	struct piece *piece = &t->at[t->n];

	if (t->n >= most)
		return false;
	while (p < end && *p <= ' ')
		p++;
	piece->s = p;
	while (p < end && *p > ' ')
		p++;
	t->p = p;
	piece->n = (size_t)(p - piece->s);
	t->n += piece->n > 0;
	return piece->n > 0;
}

/* Return the piece without other bytes than letters and digits before and after it. */
static struct piece bare(struct piece p)
{
	while (p.n && !is_letter(*p.s) && !is_digit(*p.s))
		p.s++, p.n--;
	while (p.n && !is_letter(p.s[p.n - 1]) && !is_digit(p.s[p.n - 1]))
		p.n--;
	return p;
}

static bool is_listed(struct piece p, const char *const *list, size_t n)
{
	char word[WORD_MAX + 1] = "";
	size_t lo = 0, hi = n;

	if (p.n > WORD_MAX)
		return false;
	for (size_t i = 0; i < p.n; i++)
		word[i] = (char)(is_capital(p.s[i]) ? p.s[i] | 0x20 : p.s[i]);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = strcmp(word, list[mid]);

		if (!order)
			return true;
		*(order < 0 ? &hi : &lo) = order < 0 ? mid : mid + 1;
	}
	return false;
}

#define IS_LISTED(piece, list) is_listed(piece, list, sizeof(list) / sizeof(*(list)))

static bool is_word(struct piece p, const char *word)
{
	return is_listed(p, &word, 1);
}

static bool is_occupation(struct piece p)
{
	p = bare(p);
	if (IS_LISTED(p, occupations))
		return true;
	if (!p.n || (p.s[p.n - 1] | 0x20) != 's')
		return false;
	p.n--;
	return IS_LISTED(p, occupations);
}

/* Return whether piece i is the code of a state after a capitalized word; after the first
 * word of the text, with a comma between. */
static bool is_state(const struct pieces *t, size_t i)
{
	struct piece p = t->at[i], city;

	if (!i || p.n < 2 || !is_capital(p.s[0]) || !is_capital(p.s[1]) || bare(p).n != 2)
		return false;
	city = t->at[i - 1];
	if (city.n < 2 || !is_capital(city.s[0]) || is_capital(city.s[1]) ||
	    (i == 1 && city.s[city.n - 1] != ','))
		return false;
	for (const char *s = states; *s; s += s[2] ? 3 : 2)
		if (!memcmp(s, p.s, 2))
			return true;
	return false;
}

static bool is_time(struct piece p)
{
	p = bare(p);
	return (p.n == 4 || p.n == 5) && p.s[p.n - 3] == ':' && is_digit(p.s[0]) &&
	       is_digit(p.s[p.n - 4]) && is_digit(p.s[p.n - 2]) && is_digit(p.s[p.n - 1]);
}

static bool is_count(struct piece p)
{
	for (size_t k = 0; k < p.n; k++)
		if (!is_digit(p.s[k]))
			return false;
	return p.n <= COUNT_DIGITS;
}

/* ---- the three kinds ---- */

/* A label has nothing before its word, and only the colon after it. */
static bool is_label(struct piece p)
{
	return p.s[p.n - 1] == ':' && bare(p).n == p.n - 1;
}

static bool is_record(struct pieces *t)
{
	unsigned known = 0, own = 0;

	for (size_t i = 0; i < t->n || read_piece(t, MOST_PIECES); i++) {
		struct piece word = bare(t->at[i]);

		if (!is_label(t->at[i]))
			continue;
		if (IS_LISTED(word, own_labels))
			own++;
		else
			known += IS_LISTED(word, labels);
		if (own && own + known > 1)
			return true;
	}
	return false;
}

static bool is_asked(const struct pieces *t, size_t i)
{
	if (i && IS_LISTED(bare(t->at[i - 1]), verbs))
		return true;
	return i > 1 && is_word(bare(t->at[i - 1]), "for") &&
	       is_word(bare(t->at[i - 2]), "looking");
}

/* Return whether piece i is a count of workers: it is asked for, or begins the text. */
static bool counts_workers(const struct pieces *t, size_t i)
{
	bool asked = is_asked(t, i), time = false, place = false;
	size_t k;

	if (i && !asked)
		return false;
	for (k = i + 1; k < t->n && k <= i + ROLE_PIECES; k++)
		if (is_occupation(t->at[k]))
			return true;
	for (k = i + 1; k < t->n && !(time && place); k++) {
		time = time || is_time(t->at[k]);
		place = place || is_state(t, k);
	}
	return asked ? time || place : time && place;
}

static bool is_order(const struct pieces *t)
{
	for (size_t i = 0; i + 1 < t->n && i < COUNT_PIECES; i++)
		if (is_count(t->at[i]) && is_letter(*t->at[i + 1].s) && counts_workers(t, i))
			return true;
	return false;
}

static bool has_occupation_and_place(const struct pieces *t)
{
	bool occupation = false, place = false;

	for (size_t i = 0; i < t->n && i < PLACE_PIECES && !place; i++)
		place = is_state(t, i);
	for (size_t i = 0; i < t->n && i < PLACE_PIECES && place && !occupation; i++)
		occupation = is_occupation(t->at[i]);
	return occupation;
}

/* Return whether one of the first pieces may be a count, or the code of a state. */
static bool may_be_other(struct pieces *t)
{
	for (size_t i = 0; i < t->n || read_piece(t, PLACE_PIECES); i++)
		if ((i < COUNT_PIECES && is_count(t->at[i])) || is_state(t, i))
			return true;
	return false;
}

bool lh_hashv3_staffing(const char *text, size_t n)
{
	struct pieces t;

	t.n = 0;
	t.p = (const unsigned char *)text;
	t.end = t.p + n;
	while (read_piece(&t, LABEL_PIECES))
		if (is_label(t.at[t.n - 1])) {
			if (is_record(&t))
				return true;
			break;
		}
	if (!may_be_other(&t))
		return false;
	while (read_piece(&t, MOST_PIECES + 1))
		;
	return t.n <= MOST_PIECES && (is_order(&t) || has_occupation_and_place(&t));
}

bool lh_hashv3_job_order(const char *text, size_t n)
{
	struct pieces t;

	t.n = 0;
	t.p = (const unsigned char *)text;
	t.end = t.p + n;
	while (read_piece(&t, MOST_PIECES + 1))
		;
	return t.n <= MOST_PIECES && is_order(&t);
}
