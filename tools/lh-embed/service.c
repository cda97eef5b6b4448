/* service.c - calls of services, shared by their engines.  See service.h. */
#include "models.h"
#include "service.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include <lh/num.h>
#include <lh/distance.h>
#include "vector/vector_record.h"

#define PER_TEXT ((size_t)128 << 10)	/* bytes of an answer: 4,096 floats of 32 digits */
#define KEEP ((size_t)1 << 20)	/* bytes of a request that stay allocated */

int service_check(struct embed *e)
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

int service_init(struct service *s, struct embed *e, const struct lh_secret *key,
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

void service_free(struct service *s)
{
	lh_http_free(s->http);
	lh_record_free(&s->json);
	lh_buf_free(&s->body);
}

char *service_url(const char *base, const char *path)
{
	size_t n = strlen(base);
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	while (n && base[n - 1] == '/')
		n--;
	lh_buf_add(&b, base, n);
	lh_buf_puts(&b, path);
	return lh_strndup(b.p, b.len);
}

struct lh_writer service_body(struct service *s, const struct call *call)
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

void service_texts(struct lh_writer *w, const struct call *call)
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

int service_vector(struct service *s, const struct model *m, const struct lh_value *v, size_t i,
		   struct lh_buf *out, struct lh_err *why)
{
	size_t n, at = out->len, known = atomic_load(&m->dimension);

	if (read_floats(v, &n, out, why) < 0)
		return why->code == LH_ENOMEM ? -1 : lh_err_prefix(why, "vector %zu", i);
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

int service_call(struct service *s, const struct service_call *call, struct lh_buf *out,
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
		rc = why.code == LH_ENOMEM ? -1 : not_json(&reply, &why);
	else if (root.type != LH_OBJECT)
		rc = lh_err_set(&why, LH_EDATA, "not a JSON object");
	else
		rc = call->read(s, call, &root, out, &why);
	if (rc == 0)
		rc = settle_dimension(s, call->call->model, &why);
	if (rc == 0)
		return 0;
	return why.code == LH_ENOMEM ? lh_err_nomem(err)
				     : refuse(s, call->url, &reply, why.msg, err);
}
