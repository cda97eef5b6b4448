/* service.c - engines that call services: their calls, APIs and models.  See service.h. */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "vector/distance.h"
#include "base/num.h"
#include "base/mem.h"
#include "base/signal.h"
#include "embed/embedder.h"
#include "json/bind.h"
#include "vector/vector_record.h"

/* ---- calls ---- */

#define PER_TEXT ((size_t)128 << 10)	/* bytes of an answer: 4,096 floats of 32 digits */
#define KEEP ((size_t)1 << 20)	/* bytes of a request that stay allocated */

/* Check the settings that all services have. */
static int service_check(struct embed *e)
{
	const char *env = getenv(e->engine->url_env);
	struct lh_err err;

	if (e->dimension)
		return lh_tool_usage(e->tool,
				     "--dimension is for engine hash; the model of a service has "
				     "its own");
	if (lh_http_check_url(e->url, &err) < 0)
		return lh_tool_usage(e->tool, "%s: %s",
				     e->url == env ? e->engine->url_env : "--url", err.msg);
	if (!*e->model)
		return lh_tool_usage(e->tool, "--model: empty name");
	return 0;
}

static int service_init(struct service *s, struct embed *e, const struct lh_secret *key,
			struct lh_err *err)
{
	size_t most = e->batch * PER_TEXT;

	s->e = e;
	s->key = key;
	s->http = lh_http_new(&(struct lh_http_opts){
		.timeout = e->timeout, .retries = (unsigned)e->retries,
		.max_body = most > LH_HTTP_MAX_BODY ? most : LH_HTTP_MAX_BODY,
		.stopping = lh_stopping }, err);
	return s->http ? 0 : -1;
}

static void service_free(struct service *s)
{
	lh_http_free(s->http);
	lh_record_free(&s->json);
	lh_buf_free(&s->body);
}

/* Join base, without trailing slashes, and path; freed by the caller. */
static char *service_url(const char *base, const char *path)
{
	size_t n = strlen(base);
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	while (n && base[n - 1] == '/')
		n--;
	lh_buf_add(&b, base, n);
	lh_buf_puts(&b, path);
	return lh_strndup(b.p, b.len);
}

/* Begin a body: an object with the model. */
static struct lh_writer service_body(struct service *s, const struct call *call)
{
	struct lh_writer w = lh_write_to(&s->body);
	size_t bytes = 0, i;

	for (i = 0; i < call->n; i++)
		bytes += call->text[i].n;
	lh_buf_reset(&s->body);
	lh_buf_room(&s->body, bytes + bytes / 16 + 4 * call->n + 256);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "model", call->model->name);
	return w;
}

/* Write the texts as elements of an array. */
static void service_texts(struct lh_writer *w, const struct call *call)
{
	size_t i;

	for (i = 0; i < call->n; i++)
		lh_write_str(w, NULL, call->text[i]);
}

/* Append the floats of a vector, an array or base64, to out. */
static int read_floats(const struct lh_value *v, size_t *n, struct lh_buf *out, struct lh_err *why)
{
	float *to;
	long got;

	switch (v->type) {
	case LH_STRING:
		return lh_vector_record_vector(v, out, n, why);
	case LH_ARRAY:
		break;
	default:
		return lh_err_set(why, LH_EDATA, "neither an array nor base64");
	}
	to = (float *)lh_buf_room(out, LH_DIM_MAX * sizeof *to);
	got = lh_f32s_read(v->p, v->p + v->n, to, LH_DIM_MAX, why);
	if (got < 0)
		return -1;
	lh_buf_took(out, (size_t)got * sizeof *to);
	*n = (size_t)got;
	return 0;
}

static int wrong_dimension(const struct model *m, size_t i, size_t n, size_t known,
			   struct lh_err *why)
{
	return lh_err_set(why, LH_EDATA, "vector %zu has dimension %zu, those %s %zu", i, n,
			  atomic_load(&m->from_file) ? "in --cache" : "before it", known);
}

/* Append the i-th vector (from 1) after checking its dimension, which for a model is
 * that of its first good answer. */
static int service_vector(struct service *s, const struct model *m, const struct lh_value *v,
			  size_t i, struct lh_buf *out, struct lh_err *why)
{
	size_t n, at = out->len, known = atomic_load(&m->dimension);

	if (read_floats(v, &n, out, why) < 0)
		return lh_err_prefix(why, "vector %zu", i);
	if (n == 0)
		return lh_err_set(why, LH_EDATA, "vector %zu is empty", i);
	if (!lh_vec_finite((const float *)(out->p + at), n))
		return lh_err_set(why, LH_EDATA, "vector %zu is not finite", i);
	if (!known)
		known = s->dimension;
	s->dimension = n;
	return !known || known == n ? 0 : wrong_dimension(m, i, n, known, why);
}

/* After a good answer its dimension is that of the model. */
static int settle_dimension(const struct service *s, struct model *m, struct lh_err *why)
{
	size_t known = 0;

	if (atomic_compare_exchange_strong(&m->dimension, &known, s->dimension) ||
	    known == s->dimension)
		return 0;
	return wrong_dimension(m, 1, s->dimension, known, why);
}

/* Report an answer that is not JSON; some services write NaN and Infinity. */
static int not_json(const struct lh_http_reply *reply, struct lh_err *why)
{
	size_t at = why->column ? why->column - 1 : 0;
	const char *p = reply->body + at;

	if (at < reply->len && *p == '-')
		p++;
	if (at < reply->len && (*p == 'N' || *p == 'I'))
		return lh_err_set(why, LH_EDATA, "a vector that is not finite, at byte %zu",
				  at + 1);
	return lh_err_prefix(why, "not JSON at byte %zu", at + 1);
}

/* Report a wrong answer; quote it, without the key. */
static int refuse(struct service *s, const char *url, const struct lh_http_reply *reply,
		  const char *what, struct lh_err *err)
{
	return lh_http_refuse_keyed(err, url, reply, what, s->key);
}

static int service_call(struct service *s, const struct service_call *call, struct lh_buf *out,
			long *status, struct lh_err *err);

static int post(struct service *s, const struct service_call *call, struct lh_http_reply *reply,
		struct lh_err *err)
{
	struct lh_http_call http = {
		.url = call->url, .bearer = s->key ? (const char *)s->key->p : NULL,
		.body = s->body.p, .n = s->body.len, .trace = call->call->trace
	};

	if (lh_http_call(s->http, &http, reply, err) == 0)
		return reply->status == 200 ? 0 : refuse(s, call->url, reply, NULL, err);
	if (reply->status && reply->why)
		refuse(s, call->url, reply, reply->why, err);
	if (reply->timed_out && err->code == LH_ENET)
		err->status = 504;
	return -1;
}

/* POST the body.  *status is that of the answer, 0 without one. */
static int service_call(struct service *s, const struct service_call *call, struct lh_buf *out,
			long *status, struct lh_err *err)
{
	struct lh_http_reply reply = { 0 };
	struct lh_value root;
	struct lh_err why;
	int rc;

	*status = 0;
	s->dimension = 0;
	rc = post(s, call, &reply, err);
	*status = reply.status;
	if (rc < 0)
		return -1;
	if (s->body.cap > KEEP)
		lh_buf_free(&s->body);
	if (!reply.len)
		return refuse(s, call->url, &reply, "empty answer", err);
	if (lh_json_parse(&s->json, reply.body, reply.len, &root, &why) < 0)
		rc = not_json(&reply, &why);
	else if (root.type != LH_OBJECT)
		rc = lh_err_set(&why, LH_EDATA, "not a JSON object");
	else
		rc = call->read(s, call, &root, out, &why);
	if (rc == 0)
		rc = settle_dimension(s, call->call->model, &why);
	if (rc == 0)
		return 0;
	return refuse(s, call->url, &reply, why.msg, err);
}

/* ---- engine ollama ---- */

/*
 * By itself Ollama cuts a text that is too long for the model and says nothing; it is asked not
 * to, unless --truncate is given.  The older call cannot be asked.
 */

struct ollama {
	struct service s;
	char *many_url, *one_url;
};

static atomic_bool is_old;	/* /api/embed answered 404, and the other one answered */

static void ollama_close(void *self)
{
	struct ollama *o = self;

	service_free(&o->s);
	free(o->many_url);
	free(o->one_url);
	free(o);
}

static void *ollama_open(struct embed *e, struct lh_err *err)
{
	struct ollama *o = lh_calloc(1, sizeof *o);

	o->many_url = service_url(e->url, "/api/embed");
	o->one_url = service_url(e->url, "/api/embeddings");
	if (service_init(&o->s, e, NULL, err) == 0)
		return o;
	ollama_close(o);
	return NULL;
}

struct ollama_answer {
	struct lh_value one, many;
};
static const struct lh_bind ollama_members[] = {
	{ LH_BIND_SOME("embedding", struct ollama_answer, one), .null = true },
	{ LH_BIND_ARRAY("embeddings", struct ollama_answer, many), .lax = true },
	LH_BIND_END
};

/* Read {"embeddings":[[...],...]} or {"embedding":[...]}. */
static int ollama_vectors(struct service *s, const struct service_call *call,
			  const struct lh_value *root, struct lh_buf *out, struct lh_err *why)
{
	const struct model *m = call->call->model;
	size_t n = 0, want = call->call->n;
	struct ollama_answer answer = { .one = { .p = NULL } };
	struct lh_iter it;

	if (lh_bind_value(ollama_members, root, &answer, NULL, why) < 0)
		return -1;
	if (want == 1 && answer.one.p)
		return service_vector(s, m, &answer.one, 1, out, why);
	if (!answer.many.p)
		return lh_err_set(why, LH_EDATA, "no \"embeddings\" in the answer");
	for (lh_iter_init(&it, &answer.many); lh_iter_next(&it); )
		n++;
	if (n != want)
		return lh_err_set(why, LH_EDATA, "%s for %s", LH_N(n, "vector"),
				  LH_N(want, "text"));
	for (n = 0, lh_iter_init(&it, &answer.many); lh_iter_next(&it); )
		if (service_vector(s, m, &it.val, ++n, out, why) < 0)
			return -1;
	return 0;
}

/* Use /api/embeddings, text by text. */
static int one_by_one(struct ollama *o, const struct call *call, struct lh_buf *out,
		      struct lh_err *err)
{
	struct call one = *call;
	struct lh_writer w;
	long status;
	size_t i;

	for (i = 0; i < call->n; i++) {
		one.text = &call->text[i];
		one.n = 1;
		w = service_body(&o->s, &one);
		lh_write_str(&w, "prompt", one.text[0]);
		lh_write_end(&w);
		if (service_call(&o->s, &(struct service_call){ o->one_url, &one, ollama_vectors },
				 out, &status, err) < 0)
			return -1;
		atomic_store(&is_old, true);
	}
	return 0;
}

static int ollama_many(void *self, const struct call *call, struct lh_buf *out, struct lh_err *err)
{
	struct ollama *o = self;
	struct service *s = &o->s;
	struct lh_writer w;
	long status;
	size_t n;

	if (atomic_load(&is_old))
		return one_by_one(o, call, out, err);
	w = service_body(s, call);
	lh_write_array(&w, "input");
	service_texts(&w, call);
	lh_write_end(&w);
	if (!s->e->truncate)
		lh_write_bool(&w, "truncate", false);
	lh_write_end(&w);
	if (service_call(s, &(struct service_call){ o->many_url, call, ollama_vectors }, out,
			 &status, err) == 0)
		return 0;
	if (status == 404)
		return one_by_one(o, call, out, err);
	n = strlen(err->msg);
	if (strstr(err->msg, "context length"))
		snprintf(err->msg + n, sizeof err->msg - n, " (--truncate cuts such texts)");
	return -1;
}

const struct engine engine_ollama = {
	.name = "ollama",
	.model = LH_OLLAMA_MODEL,
	.url = "http://127.0.0.1:11434",
	.url_env = "LH_OLLAMA_URL",
	.check = service_check,
	.open = ollama_open,
	.close = ollama_close,
	.many = ollama_many,
};

/* ---- engine openai ---- */

/* Vectors are requested as base64 and accepted as arrays too. */

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

static int openai_check(struct embed *e)
{
	const char *value = getenv(LH_OPENAI_KEY_ENV);
	struct lh_err err;

	if (service_check(e) < 0 || (e->key_file && key_of_file(e, e->key_file) < 0))
		return -1;
	if (!e->key_file && value && *value) {	/* an empty variable counts as unset */
		lh_secret_alloc(&e->key, strlen(value));
		memcpy(e->key.p, value, strlen(value));
	}
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

struct openai_answer {
	struct lh_value data;
};
static const struct lh_bind openai_members[] = {
	{ LH_BIND_ARRAY("data", struct openai_answer, data), .lax = true },
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
static int openai_vectors(struct service *s, const struct service_call *call,
			  const struct lh_value *root, struct lh_buf *out, struct lh_err *why)
{
	struct openai *o = (struct openai *)s;
	size_t n = 0, want = call->call->n;
	struct openai_answer answer = { .data = { .p = NULL } };
	struct lh_value *order;
	struct lh_iter it;

	if (lh_bind_value(openai_members, root, &answer, NULL, why) < 0)
		return -1;
	if (!answer.data.p)
		return lh_err_set(why, LH_EDATA, "no \"data\" in the answer");
	for (lh_iter_init(&it, &answer.data); lh_iter_next(&it); )
		n++;
	if (n != want)
		return lh_err_set(why, LH_EDATA, "%s for %s", LH_N(n, "vector"),
				  LH_N(want, "text"));
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
	return service_call(&o->s, &(struct service_call){ o->url, call, openai_vectors }, out,
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

/* ---- the models of a run ---- */

/* Return a text that is the same for runs whose models of the same name make the same
 * vectors. */
static char *what_makes(const struct embed *e)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	lh_buf_puts(&b, e->engine->name);
	if (e->fast)
		lh_buf_puts(&b, "-fast");
	if (e->truncate && e->engine == &engine_ollama)	/* which does not say what it cut */
		lh_buf_puts(&b, "-truncate");
	if (e->narrow)
		lh_buf_printf(&b, "-%llu", (unsigned long long)e->narrow);
	if (e->prefix)
		lh_buf_printf(&b, ":%zu:%s", strlen(e->prefix), e->prefix);
	return lh_strndup(b.p, b.len);
}

void models_init(struct models *ms, const struct embed *e)
{
	ms->first = NULL;
	pthread_mutex_init(&ms->lock, NULL);
	ms->by = what_makes(e);
}

static void model_free(struct model *m)
{
	free(m->name);
	free(m->space);
	free(m);
}

void models_free(struct models *ms)
{
	struct model *m;

	while ((m = ms->first)) {
		ms->first = m->next;
		model_free(m);
	}
	pthread_mutex_destroy(&ms->lock);
	free(ms->by);
}

/* Both are unambiguous: no engine's name contains a space, and a prefix has its length. */
static char *space_of(const char *by, const char *name, size_t n)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	lh_buf_puts(&b, by);
	lh_buf_putc(&b, ' ');
	lh_buf_add(&b, name, n);
	return lh_strndup(b.p, b.len);
}

static struct model *model_new(const char *by, const char *name, size_t n)
{
	struct model *m = lh_calloc(1, sizeof *m);

	m->name = lh_strndup(name, n);
	m->space = space_of(by, name, n);
	return m;
}

struct model *models_find(struct models *ms, const char *name, size_t n)
{
	struct model *m;

	pthread_mutex_lock(&ms->lock);
	for (m = ms->first; m; m = m->next)
		if (strlen(m->name) == n && !memcmp(m->name, name, n))
			break;
	if (!m) {
		m = model_new(ms->by, name, n);
		m->next = ms->first;
		ms->first = m;
	}
	pthread_mutex_unlock(&ms->lock);
	return m;
}
