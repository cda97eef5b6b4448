/* lh_wordvec_embed.c - a text as the mean of its words.  See lh_wordvec.h. */
#include "lh_wordvec_int.h"

#include <stdlib.h>
#include <string.h>

#include "lh_code.h"
#include "lh_mem.h"

#define PARTS 64		/* rows on their way from memory */
#define LIKE 8			/* words that stand for one the table lacks */
#define SHARE 720720u		/* divides by 1 to LH_GRAM_WORDS */
#define SLOTS 8192		/* over twice LH_GRAMS_MAX * LH_GRAM_WORDS */
_Static_assert(2 * LH_GRAMS_MAX * LH_GRAM_WORDS <= SLOTS, "the table of scores never fills");

struct part {
	uint32_t word;
	float weight;
};

struct score {
	uint32_t word, score, epoch;
};

struct lh_wordvec_reader {
	const struct lh_wordvec *t;
	double *sum;
	float *row;
	struct part part[PARTS];
	unsigned n;
	uint32_t epoch;
	struct score score[SLOTS];
};

struct lh_wordvec_reader *lh_wordvec_reader_new(const struct lh_wordvec *t, struct lh_err *err)
{
	struct lh_wordvec_reader *r = lh_calloc(1, sizeof *r, err);

	if (!r)
		return NULL;
	r->t = t;
	r->sum = lh_calloc(t->dimension, sizeof *r->sum, err);
	r->row = r->sum ? lh_calloc(t->dimension, sizeof *r->row, err) : NULL;
	if (r->row)
		return r;
	lh_wordvec_reader_free(r);
	return NULL;
}

void lh_wordvec_reader_free(struct lh_wordvec_reader *r)
{
	if (!r)
		return;
	free(r->sum);
	free(r->row);
	free(r);
}

/* ---- rows ---- */

static const char *row_of(const struct lh_wordvec *t, uint32_t word)
{
	return t->rows + (size_t)word * t->stride;
}

static void add_up(double *sum, const float *v, float weight, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += (double)weight * v[i];	/* the product is exact */
}

static void take(struct lh_wordvec_reader *r)
{
	const struct lh_wordvec *t = r->t;

	for (unsigned i = 0; i < r->n; i++) {
		lh_code_get((int)t->precision, row_of(t, r->part[i].word), t->dimension, r->row);
		add_up(r->sum, r->row, r->part[i].weight, t->dimension);
	}
	r->n = 0;
}

static void add(struct lh_wordvec_reader *r, uint32_t word, float weight)
{
	const char *row = row_of(r->t, word);

	for (size_t at = 0; at < r->t->stride && at < 4096; at += 64)
		__builtin_prefetch(row + at);
	r->part[r->n++] = (struct part){ word, weight };
	if (r->n == PARTS)
		take(r);
}

/* ---- words that the table lacks ---- */

static struct score *score_of(struct lh_wordvec_reader *r, uint32_t word)
{
	uint32_t i = word * 2654435761u >> 19;

	while (r->score[i].epoch == r->epoch && r->score[i].word != word)
		i = (i + 1) % SLOTS;
	if (r->score[i].epoch != r->epoch)
		r->score[i] = (struct score){ word, 0, r->epoch };
	return &r->score[i];
}

static void new_epoch(struct lh_wordvec_reader *r)
{
	if (!++r->epoch) {
		memset(r->score, 0, sizeof r->score);
		r->epoch = 1;
	}
}

static bool better(const struct score *a, const struct score *b)
{
	return a->score != b->score ? a->score > b->score : a->word < b->word;
}

/* Keep s among the best, which stand in order; n of them so far. */
static unsigned keep(struct score *best, unsigned n, const struct score *s)
{
	unsigned i = n;

	while (i && better(s, &best[i - 1]))
		i--;
	if (i == LIKE)
		return n;
	if (n == LIKE)
		n--;
	memmove(best + i + 1, best + i, (n - i) * sizeof *best);
	best[i] = *s;
	return n + 1;
}

/* The words that share the most n-grams with it, a rare n-gram counting for
 * more; they count for less the fewer of its n-grams are known at all. */
static bool add_like(struct lh_wordvec_reader *r, const struct lh_token *token)
{
	const struct lh_wordvec *t = r->t;
	uint32_t hash[LH_GRAMS_MAX], met[LH_GRAMS_MAX * LH_GRAM_WORDS];
	unsigned n = lh_wordvec_grams(token, hash), known = 0, mets = 0, likes = 0;
	struct score best[LIKE];
	double all = 0, weight = t->weight[t->words - 1];
	const uint32_t *pair;

	new_epoch(r);
	for (unsigned i = 0; i < n; i++) {
		unsigned words = lh_wordvec_gram_words(t, hash[i], &pair);

		known += words > 0;
		for (unsigned j = 0; j < words; j++) {
			struct score *s;

			if (pair[2 * j + 1] >= t->words)
				continue;
			s = score_of(r, pair[2 * j + 1]);
			if (!s->score)
				met[mets++] = s->word;
			s->score += SHARE / words;
		}
	}
	for (unsigned i = 0; i < mets; i++)
		likes = keep(best, likes, score_of(r, met[i]));
	for (unsigned i = 0; i < likes; i++)
		all += best[i].score;
	for (unsigned i = 0; i < likes; i++)
		add(r, best[i].word, (float)(weight * known / n * best[i].score / all));
	return likes > 0;
}

/* ---- texts ---- */

/* How many of its words say something. */
static uint64_t read_text(struct lh_wordvec_reader *r, const char *text, size_t n)
{
	struct lh_tokens in;
	struct lh_token token;
	uint64_t known = 0;
	int64_t word;

	lh_tokens_init(&in, text, n);
	while (lh_tokens_next(&in, &token)) {
		word = lh_wordvec_find(r->t, token.s, token.len);
		if (word >= 0)
			add(r, (uint32_t)word, r->t->weight[word]);
		else if (!add_like(r, &token))
			continue;
		known++;
	}
	take(r);
	return known;
}

int lh_wordvec_embed(struct lh_wordvec_reader *r, const char *text, size_t n, bool raw, float *out, struct lh_err *err)
{
	const struct lh_wordvec *t = r->t;
	uint64_t known;

	if (!n)
		return lh_err_set(err, LH_EDATA, "empty text");
	memset(r->sum, 0, t->dimension * sizeof *r->sum);
	known = read_text(r, text, n);
	if (!known)
		return lh_err_set(err, LH_EDATA, "no word of the text is in the table, nor one like it");
	for (uint32_t i = 0; i < t->dimension; i++)
		out[i] = (float)(r->sum[i] / (double)known);
	if (!lh_vec_finite(out, t->dimension))
		return lh_err_set(err, LH_ECORRUPT, "%s: damaged: the sum of its vectors is not finite", t->path);
	if (!raw && !lh_vec_unit(out, t->dimension))
		return lh_err_set(err, LH_EDATA, "the vectors of the words cancel out");
	return 0;
}
