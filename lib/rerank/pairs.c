/*
 * pairs.c - scores by a cross-encoder in this process.  See reranker.h.
 *
 * The pairs of a call are sorted by their length, and threads take them some at a time, so that
 * those which are computed together are of about one length.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "reranker_parts.h"

#define PAIRS_MAX 1024			/* whose tokens are in memory at once */
#define PIECE 8				/* pairs that a thread takes */

/* ---- opening ---- */

/* Return whether the name is that of an engine for vectors. */
static bool is_hash(const char *model)
{
	return !strcmp(model, "hash") || !strncmp(model, "hash-v", 6);
}

/* Check that two empty texts make a pair. */
static int check_pair(struct lh_reranker *r, struct lh_err *err)
{
	struct lh_token_list none = { 0 }, pair = { 0 };
	int rc = lh_tokenizer_run(r->loaded.tokenizer, (struct lh_str){ "", 0 }, &none, err);

	if (!rc)
		rc = lh_tokenizer_pair(r->loaded.tokenizer, &none, &none, r->info.context,
				       &pair, err);
	lh_token_list_free(&none);
	lh_token_list_free(&pair);
	return rc;
}

int lh_rerank_model_open(struct lh_reranker *r, const struct lh_reranker_how *how,
			 struct lh_err *err)
{
	struct lh_encoder_how pairs = { .raw = true, .pairs = true, .fast = how->fast,
					.threads = (unsigned)how->threads };
	struct lh_err unused;

	if (is_hash(how->model))
		return lh_err_set(err, LH_EUSAGE, "\"%s\" makes vectors of texts: a reranker is a "
				  "cross-encoder in a GGUF file", how->model);
	if (lh_loaded_open(&r->loaded, how->model, &pairs, &unused, err) < 0)
		return -1;
	lh_encoder_info(r->loaded.encoder, &r->info);
	return check_pair(r, err);
}

/* ---- a call ---- */

struct call {
	const struct lh_reranker *r;
	struct lh_token_list query, *text;	/* with both ends; the pairs */
	size_t *at;				/* the pairs, the longest first */
	struct lh_token_list *sorted;
	size_t first, n;			/* of the texts that were asked for */
	double *score;
	atomic_size_t next;			/* of sorted, that no thread has taken yet */
	pthread_mutex_t lock;
	struct lh_err failure;			/* of the first thread that failed; under lock */
};

struct hand {
	struct call *c;
	struct lh_rerank_seat *seat;
};

static void seat_open(const struct lh_reranker *r, struct lh_rerank_seat *s)
{
	uint64_t width = r->info.width;

	if (!s->work)
		s->work = lh_encoder_work_new(r->loaded.encoder);
	if (!s->vectors)
		s->vectors = lh_calloc(PIECE * width, sizeof *s->vectors);
	if (!s->scratch)
		s->scratch = lh_calloc(2 * width, sizeof *s->scratch);
}

/* Score up to PIECE pairs from the first on. */
static int score_piece(struct call *c, struct lh_rerank_seat *s, size_t first, struct lh_err *err)
{
	size_t n = c->n - first < PIECE ? c->n - first : PIECE;
	double score;

	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (lh_encoder_run(s->work, c->sorted + first, n, s->vectors, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		score = lh_encoder_score(c->r->loaded.encoder, s->vectors + i * c->r->info.width,
					 s->scratch);
		if (!__builtin_isfinite(score))
			return lh_err_data(err, 500, "the model makes no finite score of text %zu",
					   c->first + c->at[first + i] + 1);
		c->score[c->at[first + i]] = score;
	}
	return 0;
}

static void *score_pieces(void *arg)
{
	struct hand *h = arg;
	struct call *c = h->c;
	struct lh_err err = { .code = LH_OK };
	size_t first;
	int rc = 0;

	seat_open(c->r, h->seat);
	while (!rc && (first = atomic_fetch_add(&c->next, PIECE)) < c->n)
		rc = score_piece(c, h->seat, first, &err);
	if (!rc)
		return NULL;
	atomic_store(&c->next, c->n);
	pthread_mutex_lock(&c->lock);
	if (!c->failure.code)
		c->failure = err;
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Run the pieces on this thread and on those that are free; without others this one does all. */
static int score_all(struct call *c, struct lh_reranker *r, struct lh_err *err)
{
	struct lh_rerank_seat *seat[PAIRS_MAX / PIECE];
	pthread_t thread[PAIRS_MAX / PIECE];
	struct hand hand[PAIRS_MAX / PIECE];
	size_t n = lh_rerank_seats_take(r, seat, (c->n + PIECE - 1) / PIECE), started = 0;
	sigset_t old;

	for (size_t i = 0; i < n; i++)
		hand[i] = (struct hand){ c, seat[i] };
	lh_signal_block(&old);
	while (started + 1 < n && pthread_create(&thread[started], NULL, score_pieces,
						 &hand[started + 1]) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	score_pieces(&hand[0]);
	while (started)
		pthread_join(thread[--started], NULL);
	lh_rerank_seats_leave(r, seat, n);
	if (c->failure.code)
		*err = c->failure;
	return c->failure.code ? -1 : 0;
}

static int by_length(const void *a, const void *b, void *lists)
{
	const struct lh_token_list *t = lists;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;

	if (t[i].n != t[k].n)
		return t[i].n < t[k].n ? 1 : -1;
	return i < k ? -1 : i > k;
}

/* Make the pairs, and sort them. */
static int make_pairs(struct call *c, const struct lh_str *text, struct lh_err *err)
{
	const struct lh_reranker *r = c->r;
	struct lh_token_list alone = { 0 };
	int rc = 0;

	for (size_t i = 0; !rc && i < c->n; i++) {
		rc = lh_tokenizer_run(r->loaded.tokenizer, text[i], &alone, err);
		if (!rc)
			rc = lh_tokenizer_pair(r->loaded.tokenizer, &c->query, &alone,
					       r->info.context, &c->text[i], err);
		c->at[i] = i;
	}
	lh_token_list_free(&alone);
	if (rc)
		return -1;
	qsort_r(c->at, c->n, sizeof *c->at, by_length, c->text);
	for (size_t i = 0; i < c->n; i++)
		c->sorted[i] = c->text[c->at[i]];
	return 0;
}

int lh_rerank_by_model(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
		       struct lh_err *err)
{
	size_t most = ask->n < PAIRS_MAX ? ask->n : PAIRS_MAX;
	struct call c = { .r = r, .lock = PTHREAD_MUTEX_INITIALIZER };
	int rc;

	c.text = lh_calloc(most, sizeof *c.text);
	c.sorted = lh_calloc(most, sizeof *c.sorted);
	c.at = lh_calloc(most, sizeof *c.at);
	rc = lh_tokenizer_run(r->loaded.tokenizer, ask->query, &c.query, err);
	for (; !rc && c.first < ask->n; c.first += c.n) {
		c.n = ask->n - c.first < most ? ask->n - c.first : most;
		c.score = score + c.first;
		atomic_store(&c.next, 0);
		rc = make_pairs(&c, ask->text + c.first, err);
		if (!rc)
			rc = score_all(&c, r, err);
	}
	for (size_t i = 0; i < most; i++)
		lh_token_list_free(&c.text[i]);
	lh_token_list_free(&c.query);
	free(c.text);
	free(c.sorted);
	free(c.at);
	return rc;
}
