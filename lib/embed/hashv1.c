/*
 * hashv1.c - the embeddings hash-v1 to hash-v4.  See hashv1.h, and the pages
 * lh-hash-v1(7) to lh-hash-v4(7).
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embed/hashv1.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "hashv3.h"
#include "meaning.h"
#include "text/tokens.h"

/* ---- hash-v2: the emphasis of words ---- */

/* Words are passed in the order of the text. */

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

/* Constants of the recipe: changing one makes another model. */
#define V2_PLAIN 8			/* eighths: a word without marks, ... */
#define TITLE 28		/* ... a value of the label that the text begins with, ... */
#define ENTRY 16		/* ... a name under a later label of such a text */
#define LABEL_TOKENS 5		/* most tokens of a label at the beginning of the text */
#define COUNT_DIGITS 3		/* most digits of a count */
#define PHRASE_WEIGHT 128	/* a word of less weight ends a phrase, unless it is a name */
#define PHRASE_WORDS 6

/* By the place of the word in its phrase, in eighths. */
static const unsigned char phrase_emphasis[][2][PHRASE_WORDS] = {
	[LH_HASHV2_COUNTED] = { { 16, 14, 13, 12, 11, 11 }, { 24, 21, 18, 16, 15, 13 } },
	[LH_HASHV2_PLACE] = { { 14, 14, 14, 14, 14, 14 }, { 20, 20, 20, 20, 20, 20 } },
};

static unsigned label_mark(struct lh_hashv2_marks *m, const struct lh_token *t)
{
	if (t->value && !m->value && ++m->labels == 1)
		m->title = m->tokens <= LABEL_TOKENS;
	m->value = t->value;
	if (!t->value || !m->title)
		return V2_PLAIN;
	return m->labels == 1 ? TITLE : t->name ? ENTRY : V2_PLAIN;
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
	return m->phrase ? phrase_emphasis[m->phrase][m->proper][m->length++] : V2_PLAIN;
}

/* Return the emphasis of the next word; weight is that in the table. */
static unsigned lh_hashv2_word(struct lh_hashv2_marks *m, const struct lh_token *t, unsigned weight)
{
	unsigned by = label_mark(m, t) * V2_PLAIN;

	if (!lh_token_is_number(t)) {
		by *= phrase_mark(m, t, weight);
	} else {
		by *= V2_PLAIN;
		m->phrase = LH_HASHV2_NONE;
		m->begins = t->len <= COUNT_DIGITS && t->open && !m->name ? LH_HASHV2_COUNTED :
									    LH_HASHV2_NONE;
	}
	m->name = t->name;
	m->tokens++;
	return by;
}

/* Pass a character of a script without spaces. */
static void lh_hashv2_single(struct lh_hashv2_marks *m)
{
	m->value = m->name = false;
	m->begins = m->phrase = LH_HASHV2_NONE;
	m->tokens++;
}

/* Return the weight in hash-v2 for a weight in the table. */
static unsigned lh_hashv2_weight(unsigned weight)
{
	return sqrt(floor(sqrt(weight * weight * weight * 255.0)));
}

/* ---- hash-v3: texts about staffing ---- */

/* Constants of the recipe: changing one, or a list, makes another model. */
#define LABEL_PIECES 5		/* the first label of a record ends in one of these */
#define COUNT_PIECES 9		/* the count of a job order is one of these */
#define PLACE_PIECES 16		/* an occupation and a place are among these */
#define MOST_PIECES 40
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

/* ---- embeddings ---- */

/*
 * See hashv1.h, and the pages
 * lh-hash-v1(7) to lh-hash-v3(7).
 */

/* Constants of the recipes: changing one makes another model. */
#define SECTION 1024		/* tokens within which repetitions and places count */
#define WEIGHT_MAX 255		/* of a word that is not in the table */
#define WEIGHT_CHAR 128		/* of a character in a script without spaces */
#define WEIGHT_NAME 195		/* a capitalised word has at least this weight */
#define WEIGHT_GRAMS 52		/* a word of less weight has no n-grams */
#define GRAM_MIN 3
#define GRAM_MAX 5
#define SPREAD 2		/* coordinates per feature */
#define WORD_UNIT 724		/* 1024 / sqrt(2) */
#define GRAMS_UNIT 1024		/* length of the n-grams of a word together */
#define PLAIN 8			/* hash-v1, in eighths: a word without emphasis, ... */
#define NAME 9			/* ... a capitalised one inside a sentence, ... */
#define VALUE 10		/* ... one after a label and its colon, ... */
#define WHERE 12		/* ... a capitalised one after "in" */
#define RAW_SCALE 0x1p-26
#define HASHED 512		/* hash-v4: values of the words; the table's follow, ... */
#define SHARE_OF_WORDS 0.45	/* ... and the square of the length of each */
#define SHARE_OF_TABLE 0.55
#define STAFFING_SHARE_OF_WORDS 0.85
#define STAFFING_SHARE_OF_TABLE 0.15

struct recipe {
	unsigned half_place;	/* distinct words after which a new one counts half */
	unsigned repeat;	/* the higher, the less repetitions count */
};

static const struct recipe v1 = { 30, 10 }, v2 = { 40, 14 };

/* The recipe for texts about staffing, and that for others. */
static const struct model {
	const char *name;
	const struct recipe *staffing, *other;
	bool table;
} models[] = {
	{ LH_HASHV1_MODEL, &v1, &v1, false },
	{ LH_HASHV2_MODEL, &v2, &v2, false },
	{ LH_HASHV3_MODEL, &v2, &v1, false },
	{ LH_HASHV4_MODEL, &v2, &v1, true },
};

enum { SEED_WORD = 1, SEED_GRAM, SEED_CHAR, SEED_PAIR, SEED_SYMBOL };

/* Sizes of the cache and of the table of seen words; they do not change results. */
#define SETS 4096
#define WAYS 2
#define KEY_MAX LH_TOKEN_PAD
#define CACHED_MAX 80
#define CACHED_PIECES 8
#define SEEN (4 * SECTION)	/* a token adds at most two */

/* "^" precedes the first. */
#define CHARS_MAX (LH_TOKEN_MAX + 1)
#define FEATURES_MAX (SPREAD * (1 + (GRAM_MAX - GRAM_MIN + 1) * CHARS_MAX))

#include "hashv1_words.inc"

struct feature {
	uint16_t at;
	int16_t by;
};

struct word {
	uint64_t hash;		/* of the stem */
	unsigned weight, n, pieces;
	uint16_t piece[LH_TOKEN_BYTES];	/* of the table */
	struct feature f[FEATURES_MAX];
};

struct cached {
	uint64_t key[KEY_MAX / 8];	/* the case-folded word, zero-padded; 0: unused */
	uint64_t hash;
	uint8_t weight, n, pieces;
	uint16_t piece[CACHED_PIECES];
	struct feature f[CACHED_MAX];
};

struct seen {
	uint64_t hash;
	uint32_t epoch;
	uint16_t times, place;
};

struct lh_hashv1 {
	const struct model *model;
	const struct recipe *recipe;	/* of this text */
	const struct lh_meaning *table;	/* hash-v4 */
	int64_t meaning[LH_MEANING_VALUES];
	unsigned dimension;
	bool in;			/* v1: a place may follow */
	struct lh_hashv2_marks marks;	/* v2 */
	uint8_t weight[WEIGHT_MAX + 1];	/* weight in the table to weight in v2 */
	uint32_t epoch;
	unsigned tokens, words;		/* in this section */
	struct seen seen[SEEN];
	struct word scratch;
	struct cached cache[SETS][WAYS];
	int64_t sum[];
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

static uint64_t hash_bytes(const unsigned char *s, size_t n, unsigned seed)
{
	uint64_t h = 0xcbf29ce484222325 ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 0x100000001b3;
	return mix(h);
}

static unsigned word_weight(const unsigned char *w, unsigned n)
{
	size_t lo = 0, hi = sizeof words / sizeof *words;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2, m = strlen(words[mid].stem);
		int order = memcmp(w, words[mid].stem, n < m ? n : m);

		if (!order && n == m)
			return words[mid].weight;
		if (order < 0 || (!order && n < m))
			hi = mid;
		else
			lo = mid + 1;
	}
	return WEIGHT_MAX;
}

static void add_feature(struct word *w, unsigned dimension, uint64_t h, int by)
{
	for (unsigned i = 0; i < SPREAD; i++) {
		w->f[w->n].at = (h & 0xffffffff) * dimension >> 32;
		w->f[w->n++].by = h >> 63 ? -by : by;
		h = mix(h + 0x9e3779b97f4a7c15);
	}
}

/* Add the n-grams of "^stem", whose characters start at the offsets at[]. */
static void add_grams(struct word *w, unsigned dimension, const unsigned char *s, unsigned len)
{
	uint16_t at[CHARS_MAX + 1];
	unsigned chars = 0, grams = 0;
	int by;

	for (unsigned i = 0; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			at[chars++] = i;
	at[chars] = len;
	for (unsigned g = GRAM_MIN; g <= GRAM_MAX && g <= chars; g++)
		grams += chars - g + 1;
	if (!grams)
		return;
	by = sqrt(GRAMS_UNIT * GRAMS_UNIT / (grams * SPREAD));
	for (unsigned g = GRAM_MIN; g <= GRAM_MAX && g <= chars; g++)
		for (unsigned i = 0; i + g <= chars; i++)
			add_feature(w, dimension,
				    hash_bytes(s + at[i], at[i + g] - at[i], SEED_GRAM), by);
}

/* Find how often a word occurred before in the section, and its first place. */
static struct seen *find_seen(struct lh_hashv1 *h, uint64_t hash)
{
	size_t i = hash % SEEN;

	while (h->seen[i].epoch == h->epoch && h->seen[i].hash != hash)
		i = (i + 1) % SEEN;
	if (h->seen[i].epoch != h->epoch)
		h->seen[i] = (struct seen){ hash, h->epoch, 0, h->words++ };
	return &h->seen[i];
}

static void new_section(struct lh_hashv1 *h)
{
	if (!++h->epoch) {
		memset(h->seen, 0, sizeof h->seen);
		h->epoch = 1;
	}
	h->tokens = h->words = 0;
}

static void next_place(struct lh_hashv1 *h)
{
	if (h->tokens == SECTION)
		new_section(h);
	h->tokens++;
}

static unsigned repeats(unsigned c, unsigned times)
{
	return 256 * (c + 12) * times / (c * times + 12);
}

/* Add features with the weight that this occurrence adds to the earlier ones. */
static void add_occurrence(struct lh_hashv1 *h, uint64_t hash, const struct feature *f, unsigned n,
			   uint64_t weight)
{
	const struct recipe *r = h->recipe;
	struct seen *s = find_seen(h, hash);
	int64_t by = repeats(r->repeat, s->times + 1) - repeats(r->repeat, s->times);

	s->times++;
	by = by * weight * (4096 * r->half_place / (r->half_place + s->place)) >> 21;
	if (by)
		for (unsigned i = 0; i < n; i++)
			h->sum[f[i].at] += by * f[i].by;
}

static void sum_feature(struct lh_hashv1 *h, uint64_t hash, unsigned weight)
{
	h->scratch.n = 0;
	add_feature(&h->scratch, h->dimension, hash, WORD_UNIT);
	add_occurrence(h, hash, h->scratch.f, h->scratch.n, weight * PLAIN * PLAIN * PLAIN);
}

static unsigned emphasis_v1(struct lh_hashv1 *h, const struct lh_token *t, unsigned weight)
{
	bool where = h->in && t->name;

	h->in = where || (!t->name && t->len == 2 && !memcmp(t->s, "in", 2));
	if (t->name && weight < WEIGHT_NAME)
		weight = WEIGHT_NAME;
	return weight * (t->name ? NAME : PLAIN) * (t->value ? VALUE : PLAIN) *
	       (where ? WHERE : PLAIN);
}

/* Return the weight of a word in this occurrence, in 512ths. */
static unsigned emphasis(struct lh_hashv1 *h, const struct lh_token *t, unsigned weight)
{
	if (h->recipe == &v1)
		return emphasis_v1(h, t, weight);
	return h->weight[weight] * lh_hashv2_word(&h->marks, t, weight);
}

static void sum_word(struct lh_hashv1 *h, const struct lh_token *t)
{
	struct word *w = &h->scratch;
	struct cached *set = NULL;
	uint64_t key[KEY_MAX / 8];
	unsigned char s[1 + LH_TOKEN_BYTES];	/* the stem, with room before it */
	unsigned n;

	if (t->len <= KEY_MAX) {
		memcpy(key, t->s, KEY_MAX);
		set = h->cache[mix(key[0] ^ mix(key[1] ^ mix(key[2]))) % SETS];
		for (struct cached *c = set; c < set + WAYS; c++)
			if (!memcmp(c->key, key, KEY_MAX)) {
				add_occurrence(h, c->hash, c->f, c->n, emphasis(h, t, c->weight));
				lh_meaning_add(h->table, c->piece, c->pieces, h->meaning);
				return;
			}
	}
	memcpy(s + 1, t->s, t->len);
	n = lh_token_stem(s + 1, t->len);
	w->n = 0;
	w->hash = hash_bytes(s + 1, n, SEED_WORD);
	w->weight = word_weight(s + 1, n);
	add_feature(w, h->dimension, w->hash, WORD_UNIT);
	s[0] = '^';
	if (w->weight >= WEIGHT_GRAMS && !lh_token_is_number(t))
		add_grams(w, h->dimension, s, n + 1);
	add_occurrence(h, w->hash, w->f, w->n, emphasis(h, t, w->weight));
	w->pieces = h->table ? lh_meaning_pieces(h->table, t->s, t->len, w->piece) : 0;
	lh_meaning_add(h->table, w->piece, w->pieces, h->meaning);
	if (set && w->n <= CACHED_MAX && w->pieces <= CACHED_PIECES) {
		memmove(set + 1, set, (WAYS - 1) * sizeof *set);
		memcpy(set->key, key, KEY_MAX);
		set->hash = w->hash;
		set->weight = w->weight;
		set->n = w->n;
		memcpy(set->f, w->f, w->n * sizeof *w->f);
		set->pieces = w->pieces;
		memcpy(set->piece, w->piece, w->pieces * sizeof *w->piece);
	}
}

static bool sum_text(struct lh_hashv1 *h, const char *text, size_t len)
{
	struct lh_tokens in_text;
	struct lh_token t;
	uint64_t hash, last = 0;
	bool any = false;

	lh_tokens_init(&in_text, text, len);
	while (lh_tokens_next(&in_text, &t)) {
		any = true;
		next_place(h);
		if (!t.solo) {
			sum_word(h, &t);
			continue;
		}
		lh_hashv2_single(&h->marks);
		hash = hash_bytes(t.s, t.len, SEED_CHAR);
		sum_feature(h, hash, WEIGHT_CHAR);
		if (t.joined)
			sum_feature(h, mix(last * 3 + hash + SEED_PAIR), WEIGHT_MAX);
		last = hash;
	}
	return any;
}

/* Set n values to the sums, with a length whose square is the share; n zeros give zeros. */
static void scale(const int64_t *sum, unsigned n, double share, float *out)
{
	unsigned __int128 squares = 0;
	double by;

	for (unsigned i = 0; i < n; i++)
		squares += (__int128)sum[i] * sum[i];
	by = squares ? share / sqrt((double)squares) : 0;
	for (unsigned i = 0; i < n; i++)
		out[i] = (double)sum[i] * by;
}

static bool any(const int64_t *sum, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (sum[i])
			return true;
	return false;
}

static void scale_both(struct lh_hashv1 *h, float *out)
{
	bool staffing = h->recipe == h->model->staffing, table = any(h->meaning, LH_MEANING_VALUES);
	double hashed = staffing ? STAFFING_SHARE_OF_WORDS : SHARE_OF_WORDS;

	scale(h->sum, HASHED, table ? sqrt(hashed) : 1, out);
	scale(h->meaning, LH_MEANING_VALUES,
	      sqrt(staffing ? STAFFING_SHARE_OF_TABLE : SHARE_OF_TABLE), out + HASHED);
}

/* Embed a text without any word by its code points, white space included. */
static void sum_symbols(struct lh_hashv1 *h, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len, *s;

	while ((s = p) < end) {
		next_place(h);
		lh_utf8_get(&p);
		sum_feature(h, hash_bytes(s, p - s, SEED_SYMBOL), WEIGHT_MAX);
	}
}

int lh_hashv1_embed(struct lh_hashv1 *h, const char *text, size_t len, int raw, float *out,
		    struct lh_err *err)
{
	if (!len)
		return lh_err_set(err, LH_EDATA, "empty text");
	h->recipe = h->model->other;
	if (h->model->staffing != h->recipe && lh_hashv3_staffing(text, len))
		h->recipe = h->model->staffing;
	memset(h->sum, 0, h->dimension * sizeof *h->sum);
	memset(h->meaning, 0, sizeof h->meaning);
	h->in = false;
	h->marks = (struct lh_hashv2_marks){ 0 };
	new_section(h);
	if (!sum_text(h, text, len))
		sum_symbols(h, text, len);
	if (!any(h->sum, h->dimension))	/* all features cancel out */
		h->sum[0] = 1 << 26;
	if (h->table)
		scale_both(h, out);
	else if (!raw)
		scale(h->sum, h->dimension, 1, out);
	else
		for (unsigned i = 0; i < h->dimension; i++)
			out[i] = (double)h->sum[i] * RAW_SCALE;
	return 0;
}

static const struct model *find_model(const char *name)
{
	for (size_t i = 0; i < sizeof models / sizeof *models; i++)
		if (!strcmp(models[i].name, name))
			return &models[i];
	return NULL;
}

bool lh_hash_knows(const char *model)
{
	return find_model(model) != NULL;
}

struct lh_hashv1 *lh_hash_new(const char *model, unsigned dimension, struct lh_err *err)
{
	const struct model *m = find_model(model);
	const struct lh_meaning *table = NULL;
	struct lh_hashv1 *h;

	if (!m) {
		lh_err_set(err, LH_EUSAGE, "the hash engine has no model %s, only " LH_HASH_MODELS,
			   model);
		return NULL;
	}
	if (dimension < LH_HASHV1_DIM_MIN || dimension > LH_HASHV1_DIM_MAX) {
		lh_err_set(err, LH_EUSAGE, "dimension %u is not between %d and %d", dimension,
			   LH_HASHV1_DIM_MIN, LH_HASHV1_DIM_MAX);
		return NULL;
	}
	if (m->table && dimension != LH_HASHV1_DIM) {
		lh_err_set(err, LH_EUSAGE, "dimension %u: " LH_HASHV4_MODEL " has %d values",
			   dimension, LH_HASHV1_DIM);
		return NULL;
	}
	if (m->table && !(table = lh_meaning_open(err)))
		return NULL;
	if (table)
		dimension = HASHED;
	h = lh_calloc(1, sizeof *h + dimension * sizeof *h->sum);
	h->model = m;
	h->table = table;
	h->dimension = dimension;
	for (unsigned i = 0; i <= WEIGHT_MAX; i++)
		h->weight[i] = lh_hashv2_weight(i);
	return h;
}

void lh_hashv1_free(struct lh_hashv1 *h)
{
	free(h);
}
