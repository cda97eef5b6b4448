/*
 * reranker.c - the seats of a reranker, scores by a cross-encoder or a service, and their order.
 * See reranker.h.
 */
#include "reranker.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "crypto/secret.h"
#include "model/http.h"
#include "transformer/model_file.h"

/* ---- a reranker and its seats ---- */

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
static size_t lh_rerank_seats_take(struct lh_reranker *r, struct lh_rerank_seat **seat,
				   size_t most)
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

static void lh_rerank_seats_leave(struct lh_reranker *r, struct lh_rerank_seat **seat, size_t n)
{
	pthread_mutex_lock(&r->lock);
	while (n)
		seat[--n]->taken = false;
	pthread_cond_broadcast(&r->left);
	pthread_mutex_unlock(&r->lock);
}

/* ---- scores by a cross-encoder ---- */

/*
 * The pairs of a call are sorted by their length, and threads take them some at a time, so that
 * those which are computed together are of about one length.
 */

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

/* Open a model, or the address of a service; lh_reranker_free also frees after a failure. */
static int lh_rerank_model_open(struct lh_reranker *r, const struct lh_reranker_how *how,
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
	struct lh_rerank_seat *seat[PAIRS_MAX / PIECE];	/* of the threads */
	pthread_mutex_t lock;
	struct lh_err failure;			/* of the first thread that failed; under lock */
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

static void score_pieces(void *call, size_t thread)
{
	struct call *c = call;
	struct lh_rerank_seat *seat = c->seat[thread];
	struct lh_err err = { .code = LH_OK };
	size_t first;
	int rc = 0;

	seat_open(c->r, seat);
	while (!rc && (first = atomic_fetch_add(&c->next, PIECE)) < c->n)
		rc = score_piece(c, seat, first, &err);
	if (!rc)
		return;
	atomic_store(&c->next, c->n);
	pthread_mutex_lock(&c->lock);
	if (!c->failure.code)
		c->failure = err;
	pthread_mutex_unlock(&c->lock);
}

/* Run the pieces on this thread and on those that are free; without others this one does all. */
static int score_all(struct call *c, struct lh_reranker *r, struct lh_err *err)
{
	size_t n = lh_rerank_seats_take(r, c->seat, (c->n + PIECE - 1) / PIECE);

	lh_signal_crew(n, score_pieces, c);
	lh_rerank_seats_leave(r, c->seat, n);
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

/* Score the texts by it. */
static int lh_rerank_by_model(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
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

/* ---- scores by a service ---- */

#define PATH "rerank"

/* ---- opening ---- */

/* Set the address: one whose path ends in "rerank" as it is, any other with that added. */
static int set_url(struct lh_reranker *r, const char *url, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	const char *path, *rest;
	size_t n;

	if (lh_http_check_url(url, err) < 0)
		return -1;
	path = strstr(url, "://") + 3;
	path += strcspn(path, "/?#");
	rest = path + strcspn(path, "?#");
	for (n = (size_t)(rest - path); n && path[n - 1] == '/'; n--)
		;
	if (n > strlen(PATH) && !memcmp(path + n - strlen(PATH), PATH, strlen(PATH))) {
		lh_buf_puts(&b, url);
	} else {
		lh_buf_add(&b, url, (size_t)(path - url) + n);
		lh_buf_puts(&b, "/" PATH);
		lh_buf_puts(&b, rest);
	}
	r->url = lh_strndup(b.p, b.len);
	return 0;
}

static int set_key(struct lh_reranker *r, struct lh_err *err)
{
	const char *key = getenv(LH_RERANK_KEY_ENV);

	if (!key || !*key)
		return 0;
	if (lh_http_check_bearer(key, err) < 0)
		return lh_err_prefix(err, LH_RERANK_KEY_ENV);
	lh_secret_alloc(&r->key, strlen(key));
	memcpy(r->key.p, key, strlen(key));
	return 0;
}

static int lh_rerank_service_open(struct lh_reranker *r, const struct lh_reranker_how *how,
				  struct lh_err *err)
{
	if (set_url(r, how->url, err) < 0 || set_key(r, err) < 0)
		return -1;
	if (!how->model)
		return 0;
	r->model = lh_strndup(how->model, strlen(how->model));
	return 0;
}

/* ---- the answer ---- */

struct element {
	int64_t index;
	double score;
};

/* Store the score of an element of the answer. */
static int place(const struct lh_value *v, size_t n, double *score, struct lh_err *why)
{
	const struct lh_bind members[] = {
		{ LH_BIND_I64("index", struct element, index, 0, (int64_t)n - 1),
		  .required = true },
		{ LH_BIND_F64("relevance_score|score", struct element, score, -INFINITY,
			      INFINITY), .required = true },
		LH_BIND_END
	};
	struct element e = { 0 };

	if (lh_bind_value(members, v, &e, NULL, why) < 0)
		return -1;
	if (!isfinite(e.score))
		return lh_err_set(why, LH_EDATA, "its score is out of range");
	if (!isnan(score[e.index]))
		return lh_err_set(why, LH_EDATA, "index %lld is there twice", (long long)e.index);
	score[e.index] = e.score;
	return 0;
}

static int read_scores(const struct lh_value *root, size_t n, double *score, struct lh_err *why)
{
	struct lh_value results = *root;
	struct lh_iter it;
	size_t got = 0;

	if (root->type == LH_OBJECT && !lh_value_get(root, "results", &results))
		return lh_err_set(why, LH_EDATA, "no \"results\" in the answer");
	if (results.type != LH_ARRAY)
		return lh_err_set(why, LH_EDATA, "not a list of results");
	for (size_t i = 0; i < n; i++)
		score[i] = NAN;
	for (lh_iter_init(&it, &results); lh_iter_next(&it); )
		if (place(&it.val, n, score, why) < 0)
			return lh_err_prefix(why, "result %zu", got + 1);
		else
			got++;
	return got == n ? 0 : lh_err_set(why, LH_EDATA, "%s for %s", LH_N(got, "result"),
					 LH_N(n, "text"));
}

/* ---- a call ---- */

static void set_body(const struct lh_reranker *r, struct lh_buf *body,
		     const struct lh_rerank_ask *ask, const char *texts)
{
	struct lh_writer w = lh_write_to(body);

	lh_buf_reset(body);
	lh_write_object(&w, NULL);
	if (r->model)
		lh_write_text(&w, "model", r->model);
	lh_write_str(&w, "query", ask->query);
	lh_write_array(&w, texts);
	for (size_t i = 0; i < ask->n; i++)
		lh_write_str(&w, NULL, ask->text[i]);
	lh_write_end(&w);
	lh_write_end(&w);
}

/* Ask once, with the texts under that name.  *refused: the answer was 400 or 422. */
static int ask_once(const struct lh_reranker *r, struct lh_rerank_seat *s,
		    const struct lh_rerank_ask *ask, const char *texts, double *score,
		    bool *refused, struct lh_err *err)
{
	const struct lh_secret *key = r->key.p ? &r->key : NULL;
	struct lh_http_call call = { .url = r->url, .trace = ask->trace };
	struct lh_http_reply reply = { 0 };
	struct lh_value root;
	struct lh_err why;
	int rc;

	*refused = false;
	set_body(r, &s->body, ask, texts);
	call.bearer = key ? (const char *)key->p : NULL;
	call.body = s->body.p;
	call.n = s->body.len;
	rc = lh_http_call(s->http, &call, &reply, err);
	*refused = !rc && (reply.status == 400 || reply.status == 422);
	if (rc < 0 && reply.status && reply.why)
		lh_http_refuse_keyed(err, r->url, &reply, reply.why, key);
	if (rc < 0 && reply.timed_out && err->code == LH_ENET)
		err->status = 504;
	if (rc < 0)
		return -1;
	if (reply.status != 200)
		return lh_http_refuse_keyed(err, r->url, &reply, NULL, key);
	if (!reply.len)
		rc = lh_err_set(&why, LH_EDATA, "empty answer");
	else if (lh_json_parse(&s->json, reply.body, reply.len, &root, &why) < 0)
		rc = lh_err_prefix(&why, "not JSON at byte %zu", why.column);
	else
		rc = read_scores(&root, ask->n, score, &why);
	if (!rc)
		return 0;
	return lh_http_refuse_keyed(err, r->url, &reply, why.msg, key);
}

static int ask_service(const struct lh_reranker *r, struct lh_rerank_seat *s,
		       const struct lh_rerank_ask *ask, double *score, struct lh_err *err)
{
	struct lh_err first, second;
	bool refused;

	if (!s->http)
		s->http = lh_http_new(&(struct lh_http_opts){
			.timeout = r->how.timeout, .retries = (unsigned)r->how.retries,
			.stopping = lh_stopping }, err);
	if (!s->http)
		return -1;
	if (ask_once(r, s, ask, "documents", score, &refused, err) == 0)
		return 0;
	if (!refused)
		return -1;
	first = *err;
	if (ask_once(r, s, ask, "texts", score, &refused, err) == 0)
		return 0;
	second = *err;
	return refused ? lh_err_set(err, LH_ENET, "%.480s; with \"texts\": %.480s", first.msg,
				    second.msg) : -1;
}

static int lh_rerank_by_service(struct lh_reranker *r, const struct lh_rerank_ask *ask,
				double *score, struct lh_err *err)
{
	struct lh_rerank_seat *seat;
	int rc;

	lh_rerank_seats_take(r, &seat, 1);
	rc = ask_service(r, seat, ask, score, err);
	lh_rerank_seats_leave(r, &seat, 1);
	return rc;
}

/* ---- rerankers, and the order of scores ---- */

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
