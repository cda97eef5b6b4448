/* chat.c - ask a language model one question.  See chat.h. */
#include "chat.h"

#include <stdlib.h>
#include <string.h>

#include "chat_api.h"
#include "http.h"
#include "base/mem.h"
#include <lh/time.h>

#define PROBE_WAIT 2.0			/* seconds for GET /api/tags */
/* bytes of an answer: what lh_http_refuse quotes, and a character */
#define QUOTED ((size_t)204)
#define KEEP ((size_t)1 << 20)		/* larger buffers are freed after use */
#define SUFFIX ":cloud"

struct lh_chat {
	struct lh_chat_how how;
	const struct lh_keys *keys;
	struct lh_http *http;		/* made at first use */
	struct lh_record json;
	struct lh_buf url, body, text, quote;
};

struct lh_chat *lh_chat_new(const struct lh_chat_how *how, const struct lh_keys *keys)
{
	struct lh_chat *c = lh_calloc(1, sizeof *c);

	c->how = *how;
	c->keys = keys;
	return c;
}

void lh_chat_free(struct lh_chat *c)
{
	if (!c)
		return;
	lh_http_free(c->http);
	lh_record_free(&c->json);
	lh_buf_free(&c->url);
	lh_buf_free(&c->body);
	lh_buf_free(&c->text);
	lh_buf_free(&c->quote);
	free(c);
}

enum lh_provider lh_chat_route(struct lh_str model, struct lh_str *upstream)
{
	const char *slash = memchr(model.p, '/', model.n);
	size_t prefix = slash ? (size_t)(slash - model.p) : 0, suffix = strlen(SUFFIX);
	enum lh_provider p;
	bool cloud;

	for (p = 0; slash && p < LH_PROVIDERS; p++)
		if (strlen(lh_provider_name(p)) == prefix &&
		    !memcmp(lh_provider_name(p), model.p, prefix))
			break;
	*upstream = model;
	if (slash && p < LH_PROVIDERS)
		*upstream = (struct lh_str){ slash + 1, model.n - prefix - 1 };
	else
		p = LH_PROVIDERS;
	cloud = upstream->n >= suffix && !memcmp(upstream->p + upstream->n - suffix, SUFFIX,
						 suffix);
	if (p == LH_PROVIDERS)
		p = cloud ? LH_OLLAMA_CLOUD : LH_OLLAMA;
	if (p == LH_OLLAMA_CLOUD && cloud)
		upstream->n -= suffix;
	return p;
}

static int report_failure(struct lh_err *err, unsigned status)
{
	if (err->code == LH_ENOMEM || err->code == LH_EINTR)
		return -1;
	if (status >= 500)
		err->code = LH_ENET;	/* no descriptor left is no reason to end a run */
	err->status = status;
	err->coded = true;
	return -1;
}

/* Check that the provider can be asked this question. */
static int check_request(const struct lh_chat *c, const struct lh_chat_request *q,
			 enum lh_provider p, struct lh_str upstream, struct lh_err *err)
{
	size_t i;

	if (!upstream.n) {
		lh_err_set(err, LH_EDATA, "\"model\" names no model");
		return report_failure(err, 400);
	}
	for (i = 0; i < q->n; i++)
		if (q->message[i].role.n != 6 || memcmp(q->message[i].role.p, "system", 6))
			break;
	if (i == q->n) {
		lh_err_set(err, LH_EDATA, "no message of a user");
		return report_failure(err, 400);
	}
	if (!lh_keys_has(c->keys, p)) {
		const char *why = lh_keys_why_not(c->keys, p);

		if (*why && !c->how.no_files)
			lh_err_set(err, LH_EDATA, "unknown provider %s: %s", lh_provider_name(p),
				   why);
		else
			lh_err_set(err, LH_EDATA, "unknown provider %s: it has no key (%s)",
				   lh_provider_name(p), lh_provider_key_name(p));
		return report_failure(err, 404);
	}
	return 0;
}

static void set_url(struct lh_chat *c, enum lh_provider p, const char *path)
{
	lh_buf_reset(&c->url);
	lh_buf_puts(&c->url, lh_keys_url(c->keys, p));
	lh_buf_puts(&c->url, path);
	lh_buf_putc(&c->url, '\0');
}

/* Report an answer that is not what was asked for, with a quote of it, without keys. */
static int refuse_answer(struct lh_chat *c, const struct lh_http_reply *answer, const char *what,
			 struct lh_err *err)
{
	struct lh_http_reply shown = *answer;

	lh_buf_reset(&c->quote);
	lh_keys_scrub(c->keys, answer->body, answer->len, QUOTED, &c->quote);
	shown.body = c->quote.p;
	shown.len = c->quote.len;
	lh_http_refuse(err, c->url.p, &shown, what);
	return report_failure(err, 502);
}

static int post_body(struct lh_chat *c, enum lh_provider p, struct lh_str trace,
		     struct lh_http_reply *answer, struct lh_err *err)
{
	struct lh_http_call call = { .url = c->url.p, .bearer = lh_keys_token(c->keys, p),
				     .body = c->body.p, .n = c->body.len, .trace = trace };

	if (!c->http)
		c->http = lh_http_new(&(struct lh_http_opts){
			.timeout = c->how.timeout, .retries = c->how.retries,
			.stopping = c->how.stopping }, err);
	if (!c->http)
		return report_failure(err, 502);
	if (lh_http_call(c->http, &call, answer, err) < 0) {
		if (answer->why && answer->status)
			refuse_answer(c, answer, answer->why, err);
		return report_failure(err, answer->timed_out ? 504 : 502);
	}
	return answer->status / 100 == 2 ? 0 : refuse_answer(c, answer, NULL, err);
}

static int read_answer(struct lh_chat *c, enum lh_provider p, const struct lh_http_reply *answer,
		       struct lh_chat_reply *reply, struct lh_err *err)
{
	struct lh_value root;
	struct lh_err why;
	char what[sizeof why.msg];

	lh_buf_reset(&c->text);
	if (answer->len && memchr(answer->body, '\\', answer->len))
		lh_buf_room(&c->text, answer->len);	/* so that its contents do not move */
	if (!answer->len)
		return refuse_answer(c, answer, "empty answer", err);
	if (lh_json_parse(&c->json, answer->body, answer->len, &root, &why) < 0) {
		if (why.code == LH_ENOMEM)
			return lh_err_nomem(err);
		/* the message may quote the answer: the place suffices */
		snprintf(what, sizeof what, "not JSON at byte %zu", why.column ? why.column : 1);
		return refuse_answer(c, answer, what, err);
	}
	if (root.type != LH_OBJECT)
		return refuse_answer(c, answer, "not a JSON object", err);
	if (lh_chat_api(p)->read(&root, &c->text, reply, &why) == 0)
		return 0;
	return why.code == LH_ENOMEM ? lh_err_nomem(err) : refuse_answer(c, answer, why.msg, err);
}

static void free_large_buffers(struct lh_buf *b)
{
	if (b->cap > KEEP)
		lh_buf_free(b);
}

/* Make the call.  A long text is copied once, and the copy is freed after the call. */
static int make_call(struct lh_chat *c, enum lh_provider p, const struct lh_chat_request *q,
		     struct lh_str upstream, struct lh_http_reply *answer, struct lh_err *err)
{
	size_t bytes = 0, i;
	int rc;

	for (i = 0; i < q->n; i++)
		bytes += q->message[i].content.n;
	lh_buf_reset(&c->body);
	lh_buf_room(&c->body, bytes + bytes / 16 + 64 * q->n + 512);
	lh_chat_api(p)->write(&c->body, q, upstream);
	rc = post_body(c, p, q->trace, answer, err);
	free_large_buffers(&c->body);
	return rc;
}

int lh_chat_ask(struct lh_chat *c, const struct lh_chat_request *q, struct lh_chat_reply *reply,
		struct lh_err *err)
{
	double start = lh_time_monotonic();
	struct lh_http_reply answer;
	struct lh_str upstream;
	enum lh_provider p = lh_chat_route(q->model, &upstream);
	const char *name = lh_provider_name(p);

	memset(reply, 0, sizeof *reply);
	reply->provider = (struct lh_str){ name, strlen(name) };
	if (check_request(c, q, p, upstream, err) < 0)
		return -1;
	set_url(c, p, lh_chat_api(p)->path);
	free_large_buffers(&c->text);
	if (make_call(c, p, q, upstream, &answer, err) < 0 ||
	    read_answer(c, p, &answer, reply, err) < 0)
		return -1;
	reply->latency_ms = (uint64_t)((lh_time_monotonic() - start) * 1000);
	return 0;
}

int lh_chat_available(struct lh_chat *c, enum lh_provider p, bool *available, struct lh_err *err)
{
	struct lh_http_reply answer;
	struct lh_http *http;
	int rc;

	*available = lh_keys_has(c->keys, p);
	if (p != LH_OLLAMA)
		return 0;
	set_url(c, p, "/api/tags");
	http = lh_http_new(&(struct lh_http_opts){ .timeout = PROBE_WAIT,
						   .stopping = c->how.stopping }, err);
	rc = http ? lh_http_call(http, &(struct lh_http_call){ .url = c->url.p }, &answer, err)
		: -1;
	*available = rc == 0 && answer.status / 100 == 2;
	lh_http_free(http);
	return rc < 0 && (err->code == LH_ENOMEM || err->code == LH_EINTR) ? -1 : 0;
}
