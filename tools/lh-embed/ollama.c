/*
 * ollama.c - an Ollama service: POST /api/embed, many texts a call, or the
 * older /api/embeddings, one a call, when the first is not there.
 */
#include "embed.h"

#include <stdlib.h>

#include "lh_http.h"
#include "lh_mem.h"
#include "lh_num.h"
#include "lh_texts.h"
#include "lh_vec.h"

#define PER_TEXT ((size_t)128 << 10)	/* bytes of answer: 4,096 floats at 32 digits each */
#define KEEP ((size_t)1 << 20)	/* bytes of request that are kept for the next */

struct ollama {
	struct embed *e;
	struct lh_http *http;
	struct lh_record json;
	struct lh_buf body;
	char *many_url, *one_url;
};

static atomic_bool is_old;	/* /api/embed answered 404 */

static int ollama_check(struct embed *e)
{
	const char *env = getenv("LH_OLLAMA_URL");
	struct lh_err err;

	if (e->dimension)
		return lh_tool_usage(e->tool, "--dimension is for engine hash; an ollama model has its own");
	if (lh_http_check_url(e->url, &err) < 0)
		return lh_tool_usage(e->tool, "%s: %s", e->url == env ? "LH_OLLAMA_URL" : "--url", err.msg);
	if (!*e->model)
		return lh_tool_usage(e->tool, "--model: empty name");
	return 0;
}

static void ollama_close(void *self)
{
	struct ollama *o = self;

	lh_http_free(o->http);
	lh_record_free(&o->json);
	lh_buf_free(&o->body);
	free(o->many_url);
	free(o->one_url);
	free(o);
}

/* base, less its trailing slashes, and path. */
static char *join(const char *base, const char *path, struct lh_err *err)
{
	size_t n = strlen(base);
	struct lh_buf b;
	char *url = NULL;

	while (n && base[n - 1] == '/')
		n--;
	lh_buf_init(&b, LH_BUF_NOMAX);
	lh_buf_add(&b, base, n);
	lh_buf_puts(&b, path);
	if (lh_buf_check(&b, err) == 0)
		url = lh_strndup(b.p, b.len, err);
	lh_buf_free(&b);
	return url;
}

static void *ollama_open(struct embed *e, struct lh_err *err)
{
	struct ollama *o = lh_calloc(1, sizeof *o, err);
	size_t most = e->batch * PER_TEXT;

	if (!o)
		return NULL;
	o->e = e;
	lh_record_init(&o->json);
	lh_buf_init(&o->body, LH_BUF_NOMAX);
	o->many_url = join(e->url, "/api/embed", err);
	if (o->many_url)
		o->one_url = join(e->url, "/api/embeddings", err);
	if (o->one_url)
		o->http = lh_http_new(&(struct lh_http_opts){
			.timeout = e->timeout, .retries = (unsigned)e->retries,
			.max_body = most > LH_HTTP_MAX_BODY ? most : LH_HTTP_MAX_BODY,
			.stopping = lh_tool_stopping }, err);
	if (o->http)
		return o;
	ollama_close(o);
	return NULL;
}

/* Append the i-th vector, checked against the model's dimension. */
static int take(struct ollama *o, struct model *m, const struct lh_value *v, size_t i, struct lh_buf *out, struct lh_err *why)
{
	float *to = (float *)lh_buf_room(out, LH_DIM_MAX * sizeof *to);
	size_t known = 0;
	long n;

	if (!to)
		return lh_err_nomem(why);
	if (v->type != LH_ARRAY)
		return lh_err_set(why, LH_EDATA, "vector %zu is not an array", i);
	n = lh_f32s_read(v->p, v->p + v->n, to, LH_DIM_MAX, why);
	if (n < 0)
		return lh_err_prefix(why, "vector %zu", i);
	if (n == 0)
		return lh_err_set(why, LH_EDATA, "vector %zu is empty", i);
	if (!atomic_compare_exchange_strong(&m->dimension, &known, (size_t)n) && known != (size_t)n)
		return lh_err_set(why, LH_EDATA, "vector %zu has dimension %ld, those before it %zu", i, n, known);
	if (!o->e->raw)
		lh_vec_unit(to, (size_t)n);
	lh_buf_took(out, (size_t)n * sizeof *to);
	return 0;
}

/* NaN and Infinity are no JSON, but what some services write all the same. */
static int not_json(const struct lh_http_reply *reply, struct lh_err *why)
{
	size_t at = why->column ? why->column - 1 : 0;
	const char *p = reply->body + at;

	if (at < reply->len && *p == '-')
		p++;
	if (at < reply->len && (*p == 'N' || *p == 'I'))
		return lh_err_set(why, LH_EDATA, "a vector that is not finite, at byte %zu", at + 1);
	return lh_err_prefix(why, "not JSON at byte %zu", at + 1);
}

/* The vectors of an answer: {"embeddings":[[...],...]} or {"embedding":[...]}. */
static int read_vectors(struct ollama *o, struct model *m, const struct lh_http_reply *reply, size_t want, struct lh_buf *out, struct lh_err *why)
{
	struct lh_value root, list;
	struct lh_iter it;
	size_t n = 0;

	if (!reply->len)
		return lh_err_set(why, LH_EDATA, "empty answer");
	if (lh_json_parse(&o->json, reply->body, reply->len, &root, why) < 0)
		return why->code == LH_ENOMEM ? -1 : not_json(reply, why);
	if (want == 1 && root.type == LH_OBJECT && lh_value_get(&root, "embedding", &list))
		return take(o, m, &list, 1, out, why);
	if (root.type != LH_OBJECT || !lh_value_get(&root, "embeddings", &list) || list.type != LH_ARRAY)
		return lh_err_set(why, LH_EDATA, "no \"embeddings\" in the answer");
	for (lh_iter_init(&it, &list); lh_iter_next(&it); )
		n++;
	if (n != want)
		return lh_err_set(why, LH_EDATA, "%zu vectors for %zu texts", n, want);
	for (n = 0, lh_iter_init(&it, &list); lh_iter_next(&it); )
		if (take(o, m, &it.val, ++n, out, why) < 0)
			return -1;
	return 0;
}

/* POST o->body; *status 404 is the caller's to judge, every other failure is
 * reported here. */
static int call(struct ollama *o, struct model *m, const char *url, size_t want, struct lh_buf *out, long *status, struct lh_err *err)
{
	struct lh_http_reply reply;
	struct lh_err why;

	if (lh_buf_check(&o->body, err) < 0 || lh_http_post(o->http, url, o->body.p, o->body.len, &reply, err) < 0)
		return -1;
	*status = reply.status;
	if (reply.status != 200)
		return lh_http_refuse(err, url, &reply, NULL);
	if (o->body.cap > KEEP)
		lh_buf_free(&o->body);
	if (read_vectors(o, m, &reply, want, out, &why) == 0)
		return 0;
	return why.code == LH_ENOMEM ? lh_err_nomem(err) : lh_http_refuse(err, url, &reply, why.msg);
}

/* n texts will follow. */
static void start_body(struct ollama *o, const struct model *m, const char *member, const struct lh_str *text, size_t n)
{
	size_t bytes = 0, i;

	for (i = 0; i < n; i++)
		bytes += text[i].n;
	lh_buf_reset(&o->body);
	lh_buf_room(&o->body, bytes + bytes / 16 + 4 * n + 256);
	lh_buf_puts(&o->body, "{\"model\":");
	lh_buf_json(&o->body, m->name, strlen(m->name));
	lh_buf_puts(&o->body, member);
}

static int ollama_many(void *self, struct model *m, const struct lh_str *text, size_t n, struct lh_buf *out, struct lh_err *err)
{
	struct ollama *o = self;
	long status = 0;
	size_t i;

	if (!atomic_load(&is_old)) {
		start_body(o, m, ",\"input\":[", text, n);
		for (i = 0; i < n; i++) {
			if (i)
				lh_buf_putc(&o->body, ',');
			lh_buf_json(&o->body, text[i].p, text[i].n);
		}
		lh_buf_puts(&o->body, "]}");
		if (call(o, m, o->many_url, n, out, &status, err) == 0)
			return 0;
		if (status != 404)
			return -1;
		atomic_store(&is_old, true);
	}
	for (i = 0; i < n; i++) {
		start_body(o, m, ",\"prompt\":", &text[i], 1);
		lh_buf_json(&o->body, text[i].p, text[i].n);
		lh_buf_putc(&o->body, '}');
		if (call(o, m, o->one_url, 1, out, &status, err) < 0)
			return -1;
	}
	return 0;
}

const struct engine engine_ollama = {
	.model = LH_OLLAMA_MODEL,
	.url = "http://127.0.0.1:11434",
	.check = ollama_check,
	.open = ollama_open,
	.close = ollama_close,
	.many = ollama_many,
};
