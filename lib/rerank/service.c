/* service.c - scores by a service.  See reranker.h. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "reranker_parts.h"

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
	if (lh_secret_alloc(&r->key, strlen(key), err) < 0)
		return -1;
	memcpy(r->key.p, key, strlen(key));
	return 0;
}

int lh_rerank_service_open(struct lh_reranker *r, const struct lh_reranker_how *how,
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
	return why.code == LH_ENOMEM ? lh_err_nomem(err)
				     : lh_http_refuse_keyed(err, r->url, &reply, why.msg, key);
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

int lh_rerank_by_service(struct lh_reranker *r, const struct lh_rerank_ask *ask, double *score,
			 struct lh_err *err)
{
	struct lh_rerank_seat *seat;
	int rc;

	lh_rerank_seats_take(r, &seat, 1);
	rc = ask_service(r, seat, ask, score, err);
	lh_rerank_seats_leave(r, &seat, 1);
	return rc;
}
