/* reranker_parts - a reranker and its seats, for reranker.c, pairs.c and service.c. */
#ifndef LH_RERANKER_PARTS_H
#define LH_RERANKER_PARTS_H

#include <pthread.h>

#include "crypto/secret.h"
#include "model/http.h"
#include "reranker.h"
#include "transformer/model_file.h"

struct lh_rerank_seat {			/* what one thread needs */
	bool taken;
	/* of a model; each NULL until it is needed */
	struct lh_encoder_work *work;
	float *vectors;
	double *scratch;
	/* of a service */
	struct lh_http *http;
	struct lh_record json;
	struct lh_buf body;
};

struct lh_reranker {
	struct lh_reranker_how how;	/* its texts are not used */
	struct lh_rerank_seat *seat;	/* how.threads of them */
	pthread_mutex_t lock;		/* of which are taken */
	pthread_cond_t left;		/* one is free again */

	struct lh_loaded loaded;	/* its encoder NULL: a service */
	struct lh_encoder_info info;

	char *url, *model;		/* of a service */
	struct lh_secret key;		/* p NULL: none */
};

/* Take at least one seat, and as many as are free up to most; returns how many. */
size_t lh_rerank_seats_take(struct lh_reranker *r, struct lh_rerank_seat **seat, size_t most);
void lh_rerank_seats_leave(struct lh_reranker *r, struct lh_rerank_seat **seat, size_t n);

/* Open a model, or the address of a service; lh_reranker_free also frees after a failure. */
int lh_rerank_model_open(struct lh_reranker *r, const struct lh_reranker_how *how,
			 struct lh_err *err);
int lh_rerank_service_open(struct lh_reranker *r, const struct lh_reranker_how *how,
			   struct lh_err *err);
/* Score the texts by it. */
int lh_rerank_by_model(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
		       struct lh_err *err);
int lh_rerank_by_service(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
			 struct lh_err *err);

#endif
