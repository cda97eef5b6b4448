/*
 * openai.c - engine openai: OpenAI's API, which many services implement: POST
 * /v1/embeddings.  Vectors are requested as base64 and accepted as arrays too.
 */
#include "service.h"

#include <stdlib.h>

#include "base/mem.h"
#include "embed/embedder.h"
#include "json/bind.h"

#define KEY_MAX 4096

struct openai {
	struct service s;
	struct lh_buf order;	/* one struct lh_value per text */
	char *url;
};

/* Read the key from a file, without the line ends after it. */
static int key_of_file(struct embed *e, const char *path)
{
	struct lh_secret *key = &e->key;

	e->file = path;
	lh_stamp_take(&e->stamp, path);
	if (lh_secret_read(key, path, KEY_MAX, false, &e->tool->err) < 0)
		return lh_err_prefix(&e->tool->err, "--key-file");
	while (key->n && (key->p[key->n - 1] == '\n' || key->p[key->n - 1] == '\r'))
		key->p[--key->n] = '\0';
	if (!key->n)
		return lh_tool_usage(e->tool, "--key-file: %s: no key in it", path);
	if (memchr(key->p, '\0', key->n))
		return lh_tool_usage(e->tool, "--key-file: %s: holds a NUL byte", path);
	return 0;
}

/* An empty variable counts as unset. */
static int key_of_environment(struct embed *e, const char *value)
{
	if (!value || !*value)
		return 0;
	if (lh_secret_alloc(&e->key, strlen(value), &e->tool->err) < 0)
		return -1;
	memcpy(e->key.p, value, strlen(value));
	return 0;
}

static int openai_check(struct embed *e)
{
	struct lh_err err;
	int rc;

	if (service_check(e) < 0)
		return -1;
	rc = e->key_file ? key_of_file(e, e->key_file)
			 : key_of_environment(e, getenv(LH_OPENAI_KEY_ENV));
	if (rc < 0)
		return -1;
	if (e->key.n && lh_http_check_bearer((const char *)e->key.p, &err) < 0)
		return lh_tool_usage(e->tool, "%s: %s",
				     e->key_file ? "--key-file" : LH_OPENAI_KEY_ENV, err.msg);
	if (!e->key.n && !strcmp(e->url, LH_OPENAI_URL))
		return lh_tool_usage(e->tool,
				     "--engine: openai needs a key, in " LH_OPENAI_KEY_ENV
				     " or by --key-file");
	return 0;
}

static void openai_close(void *self)
{
	struct openai *o = self;

	service_free(&o->s);
	lh_buf_free(&o->order);
	free(o->url);
	free(o);
}

/* Other programs take the address with /v1 at the end, so that is accepted. */
static bool has_version(const char *url)
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	return n >= 3 && !memcmp(url + n - 3, "/v1", 3);
}

static void *openai_open(struct embed *e, struct lh_err *err)
{
	struct openai *o = lh_calloc(1, sizeof *o);

	o->url = service_url(e->url, has_version(e->url) ? "/embeddings" : "/v1/embeddings");
	if (service_init(&o->s, e, e->key.n ? &e->key : NULL, err) == 0)
		return o;
	openai_close(o);
	return NULL;
}

struct answer {
	struct lh_value data;
};
static const struct lh_bind answer_members[] = {
	{ LH_BIND_ARRAY("data", struct answer, data), .lax = true },
	LH_BIND_END
};

struct element {
	int64_t index;
	struct lh_value embedding;
};
static const struct lh_bind element_members[] = {
	{ LH_BIND_I64("index", struct element, index, 0, INT64_MAX), .not_null = true },
	{ LH_BIND_SOME("embedding", struct element, embedding), .null = true, .required = true },
	LH_BIND_END
};

/* Store the embedding of an element of "data" by its index, or by its position without
 * one. */
static int place(struct lh_value *order, size_t want, size_t at, const struct lh_value *v,
		 struct lh_err *why)
{
	struct element e = { .index = (int64_t)at };

	if (lh_bind_value(element_members, v, &e, NULL, why) < 0)
		return lh_err_prefix(why, "vector %zu", at + 1);
	if ((size_t)e.index >= want)
		return lh_err_set(why, LH_EDATA,
				  "vector %zu: \"index\" must be a whole number from 0 to %zu",
				  at + 1, want - 1);
	if (order[e.index].p)
		return lh_err_set(why, LH_EDATA, "two vectors of index %zu", (size_t)e.index);
	order[e.index] = e.embedding;
	return 0;
}

/* Read {"data":[{"index":0,"embedding":...},...]}, in any order. */
static int read_vectors(struct service *s, const struct service_call *call,
			const struct lh_value *root, struct lh_buf *out, struct lh_err *why)
{
	struct openai *o = (struct openai *)s;
	size_t n = 0, want = call->call->n;
	struct answer answer = { .data = { .p = NULL } };
	struct lh_value *order;
	struct lh_iter it;

	if (lh_bind_value(answer_members, root, &answer, NULL, why) < 0)
		return -1;
	if (!answer.data.p)
		return lh_err_set(why, LH_EDATA, "no \"data\" in the answer");
	for (lh_iter_init(&it, &answer.data); lh_iter_next(&it); )
		n++;
	if (n != want)
		return lh_err_set(why, LH_EDATA, "%zu vectors for %zu texts", n, want);
	lh_buf_reset(&o->order);
	order = (struct lh_value *)lh_buf_room(&o->order, want * sizeof *order);
	memset(order, 0, want * sizeof *order);
	for (n = 0, lh_iter_init(&it, &answer.data); lh_iter_next(&it); n++)
		if (place(order, want, n, &it.val, why) < 0)
			return -1;
	for (n = 0; n < want; n++)
		if (service_vector(s, call->call->model, &order[n], n + 1, out, why) < 0)
			return -1;
	return 0;
}

static int openai_many(void *self, const struct call *call, struct lh_buf *out, struct lh_err *err)
{
	struct openai *o = self;
	struct lh_writer w;
	long status;

	w = service_body(&o->s, call);
	lh_write_array(&w, "input");
	service_texts(&w, call);
	lh_write_end(&w);
	lh_write_text(&w, "encoding_format", "base64");
	lh_write_end(&w);
	return service_call(&o->s, &(struct service_call){ o->url, call, read_vectors }, out,
			    &status, err);
}

const struct engine engine_openai = {
	.name = "openai",
	.model = LH_OPENAI_MODEL,
	.url = LH_OPENAI_URL,
	.url_env = LH_OPENAI_URL_ENV,
	.check = openai_check,
	.open = openai_open,
	.close = openai_close,
	.many = openai_many,
};
