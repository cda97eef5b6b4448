/* hybrid.c - merge two rankings of a corpus.  See search.h. */
#include "index/index_tools.h"
#include <stdlib.h>

#include "base/mem.h"
#include "embed/hashv1.h"
#include "embed/hashv3.h"
#include "base/str.h"
#include "search.h"

#define POOL 100	/* of each ranking that are scored, whatever the page */

/* Weights of the vector's part of a score, by the kind of vector; the rest is that of the words.
 * Hashed words say little of how near two texts are, so their ranking counts: both parts are places
 * between the worst and the best.  The vectors of a model, and those of hash-v4 with its table of
 * meaning, do say it, and their part is 1 - distance;
 * that of the words is then their share of what all words of the query would give, so that a match
 * of "for" alone counts little.  Chosen on pairs without a word in common, and on descriptions of
 * packages asked for by their titles. */
#define BY_HASH 0.4
#define BY_MODEL 0.7

size_t hybrid_depth(size_t k)
{
	return 2 * k > POOL ? 2 * k : POOL;
}

static int in_scope(void *scope, uint64_t row, const struct lh_row *r, struct lh_err *err)
{
	(void)row;
	return lh_filter_match(scope, r->meta.p, r->meta.n, err);
}

/* Let the words of the records in the scope count alone: how rare a word is tells of the others. */
static int count_scope(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	struct cached_filter *was = s->scoped;

	s->scoped = w->scope ? filters_take(&s->open->filters, s->open->ix,
					    &w->reader.q.scope.filter) : NULL;
	if (was)
		filters_give(&s->open->filters, was);
	return lh_index_words_of(s->words, &(struct lh_query){
			.allow = in_scope, .ctx = w->scope,
			.filter_cache = s->scoped ? s->scoped->verdicts : NULL }, err);
}

static int search_words(struct worker *w, struct corpus_search *s, struct lh_query *q, size_t *n,
			struct lh_err *err)
{
	const struct lh_str text = w->reader.q.text;
	long found;

	if (!s->words)
		s->words = lh_index_words_new(s->open->ix, err);
	if (!s->words || count_scope(w, s, err) < 0)
		return -1;
	lh_grow(&s->said, &s->cap_said, q->k, sizeof *s->said);
	found = lh_index_words_search(s->words, q, text, s->said, err);
	*n = found < 0 ? 0 : (size_t)found;
	return found < 0 ? -1 : 0;
}

static int by_row(const void *a, const void *b)
{
	const struct fused *x = a, *y = b;

	return x->row < y->row ? -1 : x->row > y->row;
}

/* Return where a value is between the worst of a ranking, 0 and never -0, and the best, 1. */
static double place(double value, double worst, double best)
{
	return best == worst ? 1 : (value - worst) / (best - worst) + 0.0;
}

/* Return whether the vectors know words by their meaning, and a distance is 1 - cos. */
static bool by_model(const struct corpus_search *s)
{
	const struct lh_index_params *p = s->open->params;

	return p->distance == LH_COSINE && p->engine[0] &&
	       (!lh_engine_here(p->engine) || !strcmp(p->model, LH_HASHV4_MODEL));
}

/* Return the part of the score that the vector gives; never less than none, as for a row that only
 * words found. */
static double by_vector_part(const struct corpus_search *s, double distance)
{
	if (by_model(s))
		return distance < 1 ? BY_MODEL * (1 - distance) : 0;
	return distance <= s->farthest ? BY_HASH * place(distance, s->farthest, s->nearest) : 0;
}

/* Return the part of the words; worst is the score of what has none. */
static double by_words_part(const struct corpus_search *s, double score, double worst)
{
	if (by_model(s))
		return (1 - BY_MODEL) * score / lh_index_words_most(s->words);
	return (1 - BY_HASH) * place(score, worst, s->said[0].score);
}

/* Merge both rankings, so that each row occurs once.  Words that rank fewer than POOL rows rank
 * all that have any: what others have is 0.  A place beyond POOL gives no part of a score, and a
 * rank by words beyond it decides between rows without one: how deep was searched changes no row
 * before. */
static size_t add_up(struct corpus_search *s, size_t by_vector, size_t by_words)
{
	struct fused *f = s->fused;
	double worst = by_words < POOL ? 0 : s->said[POOL - 1].score;
	size_t i, n = by_vector, known = by_vector;

	for (i = 0; i < by_vector; i++)
		f[i] = (struct fused){ .row = s->hit[i].row, .by_words = SIZE_MAX,
				       .score = i < POOL || by_model(s) ?
						by_vector_part(s, s->hit[i].distance) : 0,
				       .distance = s->hit[i].distance, .measured = true };
	if (known)
		qsort(f, known, sizeof *f, by_row);
	for (i = 0; i < by_words; i++) {
		double words = i < POOL ? by_words_part(s, s->said[i].score, worst) : 0;
		struct fused one = { .row = s->said[i].row, .score = words, .words = words,
				     .by_words = i }, *same;

		same = known ? bsearch(&one, f, known, sizeof *f, by_row) : NULL;
		if (same) {
			same->score += words;
			same->words = words;
			if (i < POOL || !same->score)
				same->by_words = i;
		} else {
			f[n++] = one;
		}
	}
	return n;
}

static struct lh_str id_of(const struct corpus_search *s, uint64_t row)
{
	struct lh_err unused;
	struct lh_row r;

	return lh_index_row(s->open->ix, row, &r, &unused) == 1 ? r.id : (struct lh_str){ "", 0 };
}

int hybrid_cmp(const struct fused *x, const struct fused *y)
{
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->by_words != y->by_words)
		return x->by_words < y->by_words ? -1 : 1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return 0;
}

static int best_first(const void *a, const void *b, void *seat)
{
	const struct fused *x = a, *y = b;
	int c = hybrid_cmp(x, y);

	if (!c && !x->score)	/* the order in which rows beyond POOL were found */
		return by_row(a, b);
	return c ? c : lh_str_cmp(id_of(seat, x->row), id_of(seat, y->row));
}

/* Measure what was found by words alone. */
static int measure(struct corpus_search *s, struct fused *f, struct limits *l, struct lh_err *err)
{
	const struct lh_index_params *p = s->open->params;

	limits_spend(l, 1);
	s->work.measured++;
	s->work.bytes_read += p->dimension * (p->rescore || p->precision == LH_F32 ? 4 :
					      p->precision == LH_F16 ? 2 : 1);
	return lh_index_distance(s->searcher, s->vector, f->row, &f->distance, err);
}

/* Rank the hits by vector alone, so that those of several corpora come by distance. */
static void keep_vectors(struct corpus_search *s, size_t k)
{
	size_t i;

	s->n = s->n < k ? s->n : k;
	lh_grow(&s->fused, &s->cap_fused, s->n, sizeof *s->fused);
	for (i = 0; i < s->n; i++)
		s->fused[i] = (struct fused){ .row = s->hit[i].row, .by_words = SIZE_MAX,
					      .score = 1 - (double)s->hit[i].distance,
					      .distance = s->hit[i].distance, .measured = true };
	s->alone = true;
	s->n_fused = s->n;
}

double hybrid_score(const struct corpus_search *s, uint64_t row, double distance)
{
	double words = 0;
	size_t i;

	if (s->alone)
		return 1 - distance;
	for (i = 0; i < s->n_fused; i++)
		if (s->fused[i].row == row)
			words = s->fused[i].words;
	return words + by_vector_part(s, distance);
}

static void note_words(struct worker *w, const struct corpus_search *s, size_t found)
{
	w->looked = true;
	w->matched |= found > 0;
	w->nearest_by = !lh_engine_here(s->open->params->engine) ? "meaning" :
			by_model(s) ? "spelling and meaning" : "spelling";
}

int hybrid_look(struct worker *w, struct corpus_search *s, const struct lh_query *q,
		struct lh_err *err)
{
	struct lh_query one = *q;
	size_t found = 0;

	one.k = 1;
	if (!w->reader.q.text.n || !s->open->params->lexical || limits_late(&w->limits))
		return 0;
	if (search_words(w, s, &one, &found, err) < 0)
		return -1;
	note_words(w, s, found);
	return 0;
}

int hybrid_fuse(struct worker *w, struct corpus_search *s, struct lh_query *q, struct lh_err *err)
{
	const struct query *of = &w->reader.q;
	const bool far = of->max_distance < INFINITY;
	const struct lh_str text = of->text;
	const size_t k = of->per_corpus_k;
	struct limits *l = &w->limits;
	size_t i, n, by_words = 0;

	q->dropped = 0;
	s->alone = false;
	if (w->run->set->words)
		s->n = 0;
	s->nearest = s->n ? s->hit[0].distance : 0;
	s->farthest = s->n ? s->hit[(s->n < POOL ? s->n : POOL) - 1].distance : -INFINITY;
	if (!w->run->set->words &&
	    (!text.n || (lh_engine_here(s->open->params->engine) &&
			 lh_hashv3_job_order(text.p, text.n)))) {
		keep_vectors(s, k);
		return hybrid_look(w, s, q, err);
	}
	if (!limits_late(l)) {
		if (search_words(w, s, q, &by_words, err) < 0)
			return -1;
		note_words(w, s, by_words);
	}
	n = s->n + by_words;
	lh_grow(&s->fused, &s->cap_fused, n, sizeof *s->fused);
	lh_grow(&s->hit, &s->cap, n, sizeof *s->hit);
	n = add_up(s, s->n, by_words);
	for (i = 0; i < n; i++) {
		if (s->fused[i].measured)
			continue;
		if (limits_reached(l))
			s->fused[i--] = s->fused[--n];
		else if (measure(s, &s->fused[i], l, err) < 0)
			return -1;
		else if (by_model(s) && !w->run->set->words)
			s->fused[i].score += by_vector_part(s, s->fused[i].distance);
	}
	if (n)
		qsort_r(s->fused, n, sizeof *s->fused, best_first, s);
	s->n_fused = n;
	s->n = n < k || far || w->run->set->divided ? n : k;
	for (i = 0; i < s->n; i++)
		s->hit[i] = (struct lh_hit){ s->fused[i].distance, s->fused[i].row };
	return 0;
}
