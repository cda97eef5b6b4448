/*
 * ollama.c - engine ollama: POST /api/embed with many texts, or, where that does not
 * exist, the older /api/embeddings with one.
 *
 * By itself Ollama cuts a text that is too long for the model and says nothing; it is asked not
 * to, unless --truncate is given.  The older call cannot be asked.
 */
#include "service.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "embed/embedder.h"
#include "json/bind.h"

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

struct answer {
	struct lh_value one, many;
};
static const struct lh_bind answer_members[] = {
	{ LH_BIND_SOME("embedding", struct answer, one), .null = true },
	{ LH_BIND_ARRAY("embeddings", struct answer, many), .lax = true },
	LH_BIND_END
};

/* Read {"embeddings":[[...],...]} or {"embedding":[...]}. */
static int read_vectors(struct service *s, const struct service_call *call,
			const struct lh_value *root, struct lh_buf *out, struct lh_err *why)
{
	const struct model *m = call->call->model;
	size_t n = 0, want = call->call->n;
	struct answer answer = { .one = { .p = NULL } };
	struct lh_iter it;

	if (lh_bind_value(answer_members, root, &answer, NULL, why) < 0)
		return -1;
	if (want == 1 && answer.one.p)
		return service_vector(s, m, &answer.one, 1, out, why);
	if (!answer.many.p)
		return lh_err_set(why, LH_EDATA, "no \"embeddings\" in the answer");
	for (lh_iter_init(&it, &answer.many); lh_iter_next(&it); )
		n++;
	if (n != want)
		return lh_err_set(why, LH_EDATA, "%zu vectors for %zu texts", n, want);
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
		if (service_call(&o->s, &(struct service_call){ o->one_url, &one, read_vectors },
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
	if (service_call(s, &(struct service_call){ o->many_url, call, read_vectors }, out, &status,
			 err) == 0)
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
