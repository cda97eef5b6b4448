/*
 * reranker - how well texts answer a query, by a cross-encoder in a GGUF file or by a service.
 *
 *     struct lh_reranker *r = lh_reranker_new(&(struct lh_reranker_how){
 *             .model = "reranker.gguf", .threads = 4 }, err);
 *     lh_reranker_score(r, &(struct lh_rerank_ask){ query, texts, n }, scores, err);
 *     lh_rerank_order(scores, n, order);        order[0]: which text is the best
 *     lh_reranker_free(r);
 *
 * A cross-encoder reads the query and a text together, as a pair (lh_tokenizer_pair), and makes a
 * score of them (lh_encoder_score).  Its compiled form is used if it fits, as model_file.h says.
 * Pairs are computed in the order of their lengths, some together, which does not change their
 * scores.
 *
 * A service is asked at an address that ends in "rerank": {"model","query","documents"} once for
 * all texts, and if it answers 400 or 422 again with "texts" in place of "documents".  Its answer
 * is {"results":[{"index","relevance_score"}]} or [{"index","score"}], in any order, with each
 * index once.
 *
 * Owner:   what how points to is not used after lh_reranker_new.
 * Errors:  LH_EUSAGE, LH_EIO and LH_ECORRUPT of a model, as model_file.h, gguf.h and encoder.h have
 *          them; LH_EDATA for a pair of which the model makes no finite score; LH_ENET of a
 *          service, its wrong answers too; LH_EINTR.
 * Threads: any number may score at once: together they use as many threads as how says, and a
 *          call that is alone all of them.  Of a service each call is one request.
 */
#ifndef LH_RERANKER_H
#define LH_RERANKER_H

#include "base/str.h"
#include <stdint.h>

#define LH_RERANK_KEY_ENV "LH_RERANK_API_KEY"	/* has the key of a service */
#define LH_RERANK_TIMEOUT 60		/* seconds; the default */
#define LH_RERANK_RETRIES 2		/* the default */

struct lh_reranker_how {
	const char *model;	/* a file, or a name as model_file.h finds it; of a service what it
				 * calls the model, or NULL */
	const char *url;	/* of a service; NULL: the model is computed in this process */
	bool fast;		/* use AMX, by which a score may differ by some 1e-5 */
	bool sigmoid;		/* scores are 1 / (1 + exp(-score)) */
	uint64_t threads;	/* or requests at a time; 1 or more */
	double timeout;		/* seconds of an attempt to ask a service */
	uint64_t retries;
};

struct lh_reranker;
struct lh_reranker *lh_reranker_new(const struct lh_reranker_how *how, struct lh_err *err);
void lh_reranker_free(struct lh_reranker *r);

struct lh_rerank_ask {
	struct lh_str query;
	const struct lh_str *text;
	size_t n;
	struct lh_str trace;	/* id sent to a service (model/http.h); n = 0: none */
};

/* Set score[0..n), which are finite. */
int lh_reranker_score(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
		      struct lh_err *err);

/* Set order[0..n) to the numbers of the scores, the best first, equal ones in their order. */
void lh_rerank_order(const double *score, size_t n, size_t *order);

#endif
