/* wordvec_embed.c - embed a text as the mean of its words.  See wordvec.h. */
#include "wordvec_file.h"

#include <stdlib.h>
#include <string.h>

#include "vector/quantize.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "base/bits.h"
#include "base/xxh3.h"

#define TOKENS 32		/* words prefetched at a time */
#define PARTS 64		/* and their rows */
#define SIMILAR 8		/* words that replace one not in the table */
#define SHARE 720720u		/* divisible by 1 to LH_GRAM_WORDS */
#define SLOTS 8192		/* more than twice LH_GRAMS_MAX * LH_GRAM_WORDS */
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
	void (*add_weighted)(double *sum, const float *v, float weight, size_t n);
	double *sum;
	float *row;
	struct lh_token token[TOKENS];
	uint32_t hash[TOKENS];
	struct part part[PARTS];
	unsigned n;
	uint32_t epoch;
	struct score score[SLOTS];
};

/* ---- rows ---- */

static const char *row_of(const struct lh_wordvec *t, uint32_t word)
{
	return t->rows + (size_t)word * t->stride;
}

/* Each product is exact, so that every kernel gives the same bits. */
static void add_weighted(double *sum, const float *v, float weight, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += (double)weight * v[i];
}

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2"))) static void add_weighted_avx2(double *sum, const float *v,
							      float weight, size_t n)
{
	__m256d w = _mm256_set1_pd(weight);
	size_t i;

	for (i = 0; i + 4 <= n; i += 4)
		_mm256_storeu_pd(sum + i,
				 _mm256_add_pd(_mm256_loadu_pd(sum + i),
					       _mm256_mul_pd(w, _mm256_cvtps_pd(
									_mm_loadu_ps(v + i)))));
	add_weighted(sum + i, v + i, weight, n - i);
}
#else
#define add_weighted_avx2 add_weighted
#endif

static void add_word(struct lh_wordvec_reader *r)
{
	const struct lh_wordvec *t = r->t;

	for (unsigned i = 0; i < r->n; i++) {
		lh_quantize_decode((int)t->precision, row_of(t, r->part[i].word), t->dimension,
				   r->row);
		r->add_weighted(r->sum, r->row, r->part[i].weight, t->dimension);
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
		add_word(r);
}

/* ---- words not in the table ---- */

static struct score *score_of(struct lh_wordvec_reader *r, uint32_t word)
{
	uint32_t i = word * 2654435761u >> 19;

	while (r->score[i].epoch == r->epoch && r->score[i].word != word)
		i = (i + 1) % SLOTS;
	if (r->score[i].epoch != r->epoch)
		r->score[i] = (struct score){ word, 0, r->epoch };
	return &r->score[i];
}

static bool is_better(const struct score *a, const struct score *b)
{
	return a->score != b->score ? a->score > b->score : a->word < b->word;
}

/* Insert s among the best, which are sorted; returns their number. */
static unsigned insert_best(struct score *best, unsigned n, const struct score *s)
{
	unsigned i = n;

	while (i && is_better(s, &best[i - 1]))
		i--;
	if (i == SIMILAR)
		return n;
	if (n == SIMILAR)
		n--;
	memmove(best + i + 1, best + i, (n - i) * sizeof *best);
	best[i] = *s;
	return n + 1;
}

/* Add the words that share most n-grams with a word, rare n-grams counting more.  Their
 * weight is the lower, the fewer n-grams of the word are known at all. */
static bool add_similar(struct lh_wordvec_reader *r, const struct lh_token *token)
{
	const struct lh_wordvec *t = r->t;
	uint32_t hash[LH_GRAMS_MAX], met[LH_GRAMS_MAX * LH_GRAM_WORDS];
	unsigned n = lh_wordvec_grams(token, hash), known = 0, mets = 0, likes = 0;
	struct score best[SIMILAR];
	double all = 0, weight = t->weight[t->words - 1];
	const uint32_t *pair;

	if (!++r->epoch) {
		memset(r->score, 0, sizeof r->score);
		r->epoch = 1;
	}
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(t->gram_at + ((uint64_t)hash[i] >> t->gram_shift));
	for (unsigned i = 0; i < n; i++) {
		unsigned words = lh_wordvec_gram_words(t, hash[i], &pair);

		known += words > 0;
		for (unsigned j = 0; j < words; j++) {
			uint32_t word = lh_once32(&pair[2 * j + 1]);
			struct score *s;

			if (word >= t->words)
				continue;
			s = score_of(r, word);
			if (!s->score)
				met[mets++] = s->word;
			s->score += SHARE / words;
		}
	}
	for (unsigned i = 0; i < mets; i++)
		likes = insert_best(best, likes, score_of(r, met[i]));
	for (unsigned i = 0; i < likes; i++)
		all += best[i].score;
	for (unsigned i = 0; i < likes; i++)
		add(r, best[i].word, (float)(weight * known / n * best[i].score / all));
	return likes > 0;
}

/* ---- texts ---- */

/* Prefetch what the look-up of the words reads, one step for all of them at a time. */
static void prefetch_words(struct lh_wordvec_reader *r, unsigned n)
{
	const struct lh_wordvec *t = r->t;
	uint32_t number[TOKENS];

	for (unsigned i = 0; i < n; i++) {
		r->hash[i] = (uint32_t)lh_xxh3(r->token[i].s, r->token[i].len);
		__builtin_prefetch(t->hash + 2 * (r->hash[i] & (t->slots - 1)));
	}
	for (unsigned i = 0; i < n; i++) {
		const uint32_t *slot = t->hash + 2 * (r->hash[i] & (t->slots - 1));

		number[i] = lh_once32(&slot[1]);
		if (slot[0] != r->hash[i] || number[i] > t->words)
			number[i] = 0;
		if (number[i])
			__builtin_prefetch(t->word_at + number[i] - 1);
	}
	for (unsigned i = 0; i < n; i++)
		if (number[i]) {
			__builtin_prefetch(t->word + t->word_at[number[i] - 1]);
			__builtin_prefetch(t->weight + number[i] - 1);
		}
}

/* Add these words; returns how many have some weight. */
static uint64_t read_words(struct lh_wordvec_reader *r, unsigned n)
{
	uint64_t known = 0;
	int64_t word;

	prefetch_words(r, n);
	for (unsigned i = 0; i < n; i++) {
		word = lh_wordvec_find(r->t, r->hash[i], r->token[i].s, r->token[i].len);
		if (word >= 0)
			add(r, (uint32_t)word, r->t->weight[word]);
		if (word >= 0 || add_similar(r, &r->token[i]))
			known++;
	}
	return known;
}

static uint64_t read_text(struct lh_wordvec_reader *r, const char *text, size_t n)
{
	struct lh_tokens in;
	uint64_t known = 0;
	unsigned i = 0;

	lh_tokens_init(&in, text, n);
	while (lh_tokens_next(&in, &r->token[i]))
		if (++i == TOKENS) {
			known += read_words(r, i);
			i = 0;
		}
	known += read_words(r, i);
	add_word(r);
	return known;
}

int lh_wordvec_embed(struct lh_wordvec_reader *r, const char *text, size_t n, bool raw, float *out,
		     struct lh_err *err)
{
	const struct lh_wordvec *t = r->t;
	uint64_t known;

	if (!n)
		return lh_err_set(err, LH_EDATA, "empty text");
	memset(r->sum, 0, t->dimension * sizeof *r->sum);
	known = read_text(r, text, n);
	if (!known)
		return lh_err_set(err, LH_EDATA,
				  "no word of the text is in the table, nor one like it");
	for (uint32_t i = 0; i < t->dimension; i++)
		out[i] = (float)(r->sum[i] / (double)known);
	if (!lh_vec_finite(out, t->dimension))
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: damaged: the sum of its vectors is not finite", t->path);
	if (!raw && !lh_vec_unit(out, t->dimension))
		return lh_err_set(err, LH_EDATA, "the vectors of the words cancel out");
	return 0;
}

struct lh_wordvec_reader *lh_wordvec_reader_new(const struct lh_wordvec *t, struct lh_err *err)
{
	struct lh_wordvec_reader *r = lh_calloc(1, sizeof *r, err);

	if (!r)
		return NULL;
	r->t = t;
	r->add_weighted = lh_cpu() == LH_CPU_AVX2 ? add_weighted_avx2 : add_weighted;
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
