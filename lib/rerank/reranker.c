/* reranker.c - the seats of a reranker, and the order of scores.  See reranker.h. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "reranker_parts.h"

struct lh_reranker *lh_reranker_new(const struct lh_reranker_how *how, struct lh_err *err)
{
	struct lh_reranker *r = lh_calloc(1, sizeof *r);
	int rc;

	r->how = *how;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->left, NULL);
	r->seat = lh_calloc(how->threads, sizeof *r->seat);
	rc = how->url ? lh_rerank_service_open(r, how, err) : lh_rerank_model_open(r, how, err);
	if (!rc)
		return r;
	lh_reranker_free(r);
	return NULL;
}

void lh_reranker_free(struct lh_reranker *r)
{
	if (!r)
		return;
	for (uint64_t i = 0; r->seat && i < r->how.threads; i++) {
		lh_encoder_work_free(r->seat[i].work);
		free(r->seat[i].vectors);
		free(r->seat[i].scratch);
		lh_http_free(r->seat[i].http);
		lh_record_free(&r->seat[i].json);
		lh_buf_free(&r->seat[i].body);
	}
	free(r->seat);
	pthread_cond_destroy(&r->left);
	pthread_mutex_destroy(&r->lock);
	lh_loaded_close(&r->loaded);
	free(r->url);
	free(r->model);
	lh_secret_wipe(&r->key);
	free(r);
}

/* ---- seats ---- */

size_t lh_rerank_seats_take(struct lh_reranker *r, struct lh_rerank_seat **seat, size_t most)
{
	size_t n = 0;

	pthread_mutex_lock(&r->lock);
	while (!n) {
		for (uint64_t i = 0; i < r->how.threads && n < most; i++)
			if (!r->seat[i].taken) {
				r->seat[i].taken = true;
				seat[n++] = &r->seat[i];
			}
		if (!n)
			pthread_cond_wait(&r->left, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return n;
}

void lh_rerank_seats_leave(struct lh_reranker *r, struct lh_rerank_seat **seat, size_t n)
{
	pthread_mutex_lock(&r->lock);
	while (n)
		seat[--n]->taken = false;
	pthread_cond_broadcast(&r->left);
	pthread_mutex_unlock(&r->lock);
}

/* ---- scores ---- */

int lh_reranker_score(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
		      struct lh_err *err)
{
	if (!ask->n)
		return 0;
	if ((r->loaded.encoder ? lh_rerank_by_model(r, ask, score, err)
			       : lh_rerank_by_service(r, ask, score, err)) < 0)
		return -1;
	for (size_t i = 0; r->how.sigmoid && i < ask->n; i++)
		score[i] = 1 / (1 + exp(-score[i]));
	return 0;
}

static int by_score(const void *a, const void *b, void *scores)
{
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	const double *score = scores;

	if (score[i] != score[k])
		return score[i] > score[k] ? -1 : 1;
	return i < k ? -1 : i > k;
}

void lh_rerank_order(const double *score, size_t n, size_t *order)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	if (n)
		qsort_r(order, n, sizeof *order, by_score, (void *)score);
}
