/* embedder.c - embed texts by the engine of an index.  See embedder.h. */
#include "embedder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed/hashv1.h"
#include "base/gone.h"
#include "base/mem.h"
#include "model/http.h"
#include "proc/coproc.h"
#include "transformer/model_file.h"
#include "vector/vector_record.h"

/* ---- children ---- */

/*
 *     c = lh_embed_child_get(key, err)
 *     pthread_mutex_lock(&c->lock);
 *     ... start c->run unless it runs, ask it, read its reply ...
 *     pthread_mutex_unlock(&c->lock);
 *     lh_embed_child_give(c);
 *
 * Embedders with the same key have one child: a model takes much memory, and its child uses
 * all cores by itself.  With the key NULL a child is not shared.
 *
 * Threads: any number.
 */

struct lh_embed_child {
	struct lh_coproc run;		/* under lock */
	pthread_mutex_t lock;
	struct lh_embed_child *next;
	char *key;			/* NULL: not shared */
	size_t users;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lh_embed_child *shared;	/* under lock, as are their users */

static struct lh_embed_child *child_new(const char *key)
{
	struct lh_embed_child *c = lh_calloc(1, sizeof *c);

	c->key = key ? lh_strndup(key, strlen(key)) : NULL;
	if (key && !c->key) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static struct lh_embed_child *lh_embed_child_get(const char *key)
{
	struct lh_embed_child *c;

	if (!key)
		return child_new(NULL);
	pthread_mutex_lock(&lock);
	for (c = shared; c && strcmp(c->key, key) != 0; c = c->next)
		;
	if (!c && (c = child_new(key))) {
		c->next = shared;
		shared = c;
	}
	if (c)
		c->users++;
	pthread_mutex_unlock(&lock);
	return c;
}

/* Return whether the child has no user left; it is then no longer shared. */
static bool leave(struct lh_embed_child *c)
{
	struct lh_embed_child **at = &shared;
	bool last;

	pthread_mutex_lock(&lock);
	last = --c->users == 0;
	while (last && *at != c)
		at = &(*at)->next;
	if (last)
		*at = c->next;
	pthread_mutex_unlock(&lock);
	return last;
}

/* Stop the child after its last user. */
static void lh_embed_child_give(struct lh_embed_child *c)
{
	struct lh_err unused;

	if (!c || (c->key && !leave(c)))
		return;
	lh_coproc_stop(&c->run, &unused);
	pthread_mutex_destroy(&c->lock);
	free(c->key);
	free(c);
}

/* ---- embedders ---- */

#define BATCH 64
#define GGUF_BATCH 256
#define PATIENCE 86400.0	/* seconds; lh-embed has limits of its own */

struct lh_embedder {
	struct lh_hashv1 *hash;		/* engine hash; NULL: the engine is a child */
	uint32_t dimension;		/* 0 until the first answer of the child */
	uint32_t cut;			/* gguf: numbers that are left of a vector; 0: all */
	char model[256];
	char *engine, *url;
	char *prefix;
	uint32_t batch;
	uint64_t jobs;
	bool truncate;
	struct lh_embed_child *child;	/* NULL for hash */
	struct lh_buf request;
	struct lh_record scan;
};

const char *lh_engine_name(enum lh_engine engine)
{
	static const char *const names[] = { "hash", "ollama", "openai", "gguf" };

	return names[engine];
}

static bool is_gguf(const struct lh_embedder *t)
{
	return strcmp(t->engine, "gguf") == 0;
}

bool lh_engine_here(const char *engine)
{
	return strcmp(engine, "hash") == 0;
}

/* An index from elsewhere may name any address.  The address of a service that receives
 * the user's key must be given by the user. */
static int check_address(const struct lh_embedder_options *options, const char *url,
			 struct lh_err *err)
{
	const char *key = getenv(LH_OPENAI_KEY_ENV), *own = getenv(LH_OPENAI_URL_ENV);
	char shown[200];

	if (options->own_url || !*url ||
	    strcmp(options->engine, lh_engine_name(LH_ENGINE_OPENAI)) != 0 || !key || !*key)
		return 0;
	if (strcmp(url, own && *own ? own : LH_OPENAI_URL) == 0)
		return 0;
	lh_http_mask(url, shown, sizeof shown);
	return lh_err_set(err, LH_EUSAGE,
			  "the index names %s, which is not sent your key: set " LH_OPENAI_URL_ENV
			  " to that, if it may be",
			  shown);
}

static int copy_options(struct lh_embedder *t, const struct lh_embedder_options *options,
			struct lh_err *err)
{
	const char *url = options->url ? options->url : "",
		   *model = options->model ? options->model : "";

	if (check_address(options, url, err) < 0)
		return -1;
	if (strlen(model) >= sizeof t->model)
		return lh_err_set(err, LH_EUSAGE, "model name of %zu bytes: at most %zu",
				  strlen(model), sizeof t->model - 1);
	memcpy(t->model, model, strlen(model) + 1);
	t->engine = lh_strndup(options->engine, strlen(options->engine));
	t->url = lh_strndup(url, strlen(url));
	if (options->prefix && *options->prefix) {
		t->prefix = lh_strndup(options->prefix, strlen(options->prefix));
	}
	t->batch = options->batch ? options->batch : is_gguf(t) ? GGUF_BATCH : BATCH;
	t->jobs = options->jobs;
	t->truncate = options->truncate && is_gguf(t);
	return 0;
}

static int start_hash(struct lh_embedder *t, uint32_t dimension, struct lh_err *err)
{
	if (!*t->model)
		memcpy(t->model, LH_HASH_MODEL, sizeof LH_HASH_MODEL);
	t->dimension = dimension ? dimension : LH_HASHV1_DIM;
	t->hash = lh_hash_new(t->model, t->dimension, err);
	return t->hash ? 0 : -1;
}

/* Find the model, and the child that embeds by it for all who name it so. */
static int start_gguf(struct lh_embedder *t, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf key = { 0 };
	struct lh_model found;
	int rc;

	if (!*t->url)
		return lh_err_set(err, LH_EUSAGE,
				  "engine gguf: name the model by --model FILE or NAME");
	rc = lh_model_find(&found, t->url, err);
	if (!rc) {
		free(t->url);
		t->url = found.operand;
		found.operand = NULL;
		t->cut = t->dimension;
		lh_buf_printf(&key, "%llu %u %u %d %zu %s%s", (unsigned long long)t->jobs, t->batch,
			      t->cut, t->truncate, strlen(t->url), t->url,
			      t->prefix ? t->prefix : "");
		lh_buf_putc(&key, '\0');
	}
	if (!rc)
		rc = (t->child = lh_embed_child_get(key.p)) ? 0 : -1;
	lh_model_free(&found);
	return rc;
}

/* Refuse an engine that an index of an earlier version may name. */
static int check_engine(const char *engine, struct lh_err *err)
{
	char what[64], line[LH_GONE_ROOM];

	snprintf(what, sizeof what, "--engine=%s", engine);
	return lh_gone("lh-embed", what, strlen(what), line) ?
		       lh_err_set(err, LH_EUSAGE, "%s", line) : 0;
}

static int start(struct lh_embedder *t, uint32_t dimension, struct lh_err *err)
{
	if (strcmp(t->engine, "hash") == 0)
		return start_hash(t, dimension, err);
	if (check_engine(t->engine, err) < 0)
		return -1;
	t->dimension = dimension;
	if (is_gguf(t))
		return start_gguf(t, err);
	t->child = lh_embed_child_get(NULL);
	return t->child ? 0 : -1;
}

struct lh_embedder *lh_embedder_new(const struct lh_embedder_options *options, struct lh_err *err)
{
	struct lh_embedder *t = lh_calloc(1, sizeof *t);
	int rc;

	rc = copy_options(t, options, err);
	if (rc == 0)
		rc = start(t, options->dimension, err);
	if (rc < 0) {
		lh_embedder_free(t);
		return NULL;
	}
	return t;
}

void lh_embedder_free(struct lh_embedder *t)
{
	if (!t)
		return;
	lh_hashv1_free(t->hash);
	lh_embed_child_give(t->child);
	lh_buf_free(&t->request);
	lh_record_free(&t->scan);
	free(t->engine);
	free(t->url);
	free(t->prefix);
	free(t);
}

const char *lh_embedder_model(const struct lh_embedder *t)
{
	return t->model;
}

uint32_t lh_embedder_dimension(const struct lh_embedder *t)
{
	return t->dimension;
}

const char *lh_embedder_url(const struct lh_embedder *t)
{
	return t->url;
}

static int embed_in_process(struct lh_embedder *t, const struct lh_str *text, size_t n,
			    struct lh_buf *out, struct lh_err *err)
{
	size_t i, bytes = t->dimension * sizeof(float);

	for (i = 0; i < n; i++) {
		float *to = (float *)(void *)lh_buf_room(out, bytes);

		if (!to)
			return 0;
		if (lh_hashv1_embed(t->hash, text[i].p, text[i].n, 0, to, err) < 0)
			return -1;
		lh_buf_took(out, bytes);
	}
	return 0;
}

/* Append the options that name the model: for gguf by its url, since the child is to say
 * which one that is. */
static size_t name_model(struct lh_embedder *t, char **argv, size_t n)
{
	if (is_gguf(t)) {
		argv[n++] = "--model";
		argv[n++] = t->url;
		if (t->prefix) {
			argv[n++] = "--prefix";
			argv[n++] = t->prefix;
		}
		if (t->truncate)
			argv[n++] = "--truncate";
		return n;
	}
	if (*t->model) {
		argv[n++] = "--model";
		argv[n++] = t->model;
	}
	if (*t->url) {
		argv[n++] = "--url";
		argv[n++] = t->url;
	}
	return n;
}

/* Start lh-embed.  A refused request is answered by an error object, so the child keeps
 * running. */
static int start_child(struct lh_embedder *t, struct lh_err *err)
{
	char batch[16], jobs[24], cut[16];
	char *argv[20] = {
		"lh-embed", "--engine", t->engine, "--encoding", "base64", "--on-error", "emit",
		"-q", "--batch", batch,
	};
	unsigned keys = is_gguf(t) ? LH_KEYS_NONE : LH_KEYS_OLLAMA;
	struct lh_err unused;
	size_t n = 10;

	lh_coproc_stop(&t->child->run, &unused);	/* an earlier child that died */
	snprintf(batch, sizeof batch, "%u", t->batch);
	snprintf(cut, sizeof cut, "%u", t->cut);
	snprintf(jobs, sizeof jobs, "%llu", is_gguf(t) ? (unsigned long long)t->jobs : 1);
	if (!is_gguf(t) || t->jobs) {
		argv[n++] = "-j";
		argv[n++] = jobs;
	}
	if (t->cut) {
		argv[n++] = "--dimension";
		argv[n++] = cut;
	}
	name_model(t, argv, n);
	if (strcmp(t->engine, lh_engine_name(LH_ENGINE_OPENAI)) == 0)
		keys = LH_KEYS_OPENAI;
	return lh_coproc_start(&t->child->run, argv, keys, err);
}

static int set_bad_answer(const char *what, struct lh_err *err)
{
	return lh_err_set(err, LH_ENET, "lh-embed answered %s", what);
}

/* Report that a request or one of its texts was refused.  The answer tells whether an
 * upstream failed (LH_ENET) or the text is at fault (LH_EDATA). */
static int set_refusal(const struct lh_value *error, struct lh_err *err)
{
	struct lh_value upstream;

	if (lh_coproc_refusal(error, err) < 0 && err->code == LH_EIO)
		return set_bad_answer("with an error that has no message", err);
	if (err->code == LH_ENET && lh_value_get(error, "upstream", &upstream) &&
	    upstream.type == LH_FALSE)
		err->code = LH_EDATA;
	return -1;
}

/* Take the model that the child names; that of engine gguf must be the one expected. */
static int set_model(struct lh_embedder *t, struct lh_str is, struct lh_err *err)
{
	if (is_gguf(t) && *t->model &&
	    !lh_model_same((struct lh_str){ t->model, strlen(t->model) }, is))
		return lh_err_set(err, LH_EUSAGE, "%s: is the model %.*s, not %s", t->url,
				  (int)is.n, is.p, t->model);
	if (!*t->model && is.n < sizeof t->model) {
		memcpy(t->model, is.p, is.n);
		t->model[is.n] = '\0';
	}
	return 0;
}

static int read_model(struct lh_embedder *t, const struct lh_value *reply, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_value v;
	struct lh_str s;

	if ((*t->model && !is_gguf(t)) || !lh_value_get(reply, "model", &v) || v.type != LH_STRING)
		return 0;
	lh_value_str(&v, &scratch, &s);
	return set_model(t, s, err);
}

/* Append the vector v; all must have the same dimension. */
static int read_vector(struct lh_embedder *t, const struct lh_value *v, struct lh_buf *out,
		       struct lh_err *err)
{
	size_t dim = 0;

	if (lh_vector_record_vector(v, out, &dim, err) < 0) {
		if (err->code == LH_EDATA)
			err->code = LH_ENET;
		return lh_err_prefix(err, "lh-embed");
	}
	if (!t->dimension)
		t->dimension = (uint32_t)dim;
	return dim == t->dimension ? 0 :
		       lh_err_set(err, LH_ENET, "engine %s: dimension %zu, expected %u", t->engine,
				  dim, t->dimension);
}

/* Learn the dimension from the first vector of the answer: texts without one need zeros
 * of that size. */
static int learn_dimension(struct lh_embedder *t, const struct lh_value *vectors,
			   struct lh_buf *out, struct lh_err *err)
{
	size_t before = out->len;
	struct lh_iter it;

	for (lh_iter_init(&it, vectors); !t->dimension && lh_iter_next(&it); )
		if (it.val.type != LH_NULL && read_vector(t, &it.val, out, err) < 0)
			return -1;
	out->len = before;
	return 0;
}

/* Report why text i has no vector: by the next of the errors. */
static int read_error(const struct lh_embedder *t, const struct lh_embedder_ask *ask, size_t i,
		      struct lh_iter *errors, struct lh_buf *out, struct lh_err *err)
{
	size_t bytes = t->dimension * sizeof(float);
	struct lh_value index;
	int64_t at = -1;
	char *room;

	if (!lh_iter_next(errors) || errors->val.type != LH_OBJECT ||
	    !lh_value_get(&errors->val, "index", &index) || index.type != LH_NUMBER ||
	    !lh_value_i64(&index, &at) || at != (int64_t)i)
		return set_bad_answer("without a vector and without an error", err);
	set_refusal(&errors->val, err);
	if (!ask->bad || (err->code != LH_EDATA && err->code != LH_ENET))
		return -1;
	ask->bad(ask->ctx, i, err);
	room = bytes ? lh_buf_room(out, bytes) : NULL;
	if (room) {
		memset(room, 0, bytes);
		lh_buf_took(out, bytes);
	}
	return 0;
}

static int read_vectors(struct lh_embedder *t, const struct lh_value *reply,
			const struct lh_embedder_ask *ask, struct lh_buf *out, struct lh_err *err)
{
	static const struct lh_value none = { "[]", 2, LH_ARRAY, false };
	struct lh_value vectors, list = none;
	struct lh_iter it, errors;
	size_t got = 0;

	if (!lh_value_get(reply, "vectors", &vectors) || vectors.type != LH_ARRAY)
		return set_bad_answer("without vectors", err);
	if (lh_value_get(reply, "errors", &list) && list.type != LH_ARRAY)
		return set_bad_answer("with errors that are not a list", err);
	if (learn_dimension(t, &vectors, out, err) < 0)
		return -1;
	lh_iter_init(&errors, &list);
	for (lh_iter_init(&it, &vectors); lh_iter_next(&it); got++)
		if ((it.val.type == LH_NULL ? read_error(t, ask, got, &errors, out, err) :
					      read_vector(t, &it.val, out, err)) < 0)
			return -1;
	return got == ask->n ? 0 : set_bad_answer("with another number of vectors", err);
}

static void write_request(struct lh_embedder *t, const struct lh_embedder_ask *ask)
{
	size_t i;

	lh_buf_reset(&t->request);
	lh_buf_puts(&t->request, "{\"partial\":true,\"texts\":[");
	for (i = 0; i < ask->n; i++) {
		if (i)
			lh_buf_putc(&t->request, ',');
		lh_buf_json(&t->request, ask->text[i].p, ask->text[i].n);
	}
	lh_buf_putc(&t->request, ']');
	lh_trace_put(&t->request, ask->trace);
	lh_buf_putc(&t->request, '}');
}

/* Ask the child.  For callers lh-embed is a service: a child that dies is one that is
 * down. */
static int ask_child(struct lh_embedder *t, struct lh_str *line, struct lh_err *err)
{
	struct lh_coproc *child = &t->child->run;
	int rc = child->pid ? 0 : start_child(t, err);

	if (!rc)
		rc = lh_coproc_ask(child, t->request.p, t->request.len, PATIENCE, line, err);
	if (rc < 0 && err->code == LH_EIO)
		err->code = LH_ENET;
	return rc;
}

/* Ask the child and read its reply, which is in the child's buffer. */
static int exchange(struct lh_embedder *t, const struct lh_embedder_ask *ask, struct lh_buf *out,
		    struct lh_err *err)
{
	struct lh_value reply, error;
	struct lh_str line;

	if (ask_child(t, &line, err) < 0)
		return -1;
	if (lh_json_parse(&t->scan, line.p, line.n, &reply, err) < 0)
		return set_bad_answer("with something that is not JSON", err);
	if (reply.type != LH_OBJECT)
		return set_bad_answer("with something that is not an object", err);
	if (lh_value_get(&reply, "error", &error))
		return set_refusal(&error, err);
	return read_model(t, &reply, err) < 0 ? -1 : read_vectors(t, &reply, ask, out, err);
}

int lh_embedder_ask(struct lh_embedder *t, const struct lh_embedder_ask *ask, struct lh_buf *out,
		    uint32_t *dimension, struct lh_err *err)
{
	size_t before = out->len;
	int rc;

	if (t->hash) {
		rc = embed_in_process(t, ask->text, ask->n, out, err);
	} else {
		write_request(t, ask);
		pthread_mutex_lock(&t->child->lock);
		rc = exchange(t, ask, out, err);
		pthread_mutex_unlock(&t->child->lock);
	}
	if (rc < 0)
		out->len = before;
	*dimension = t->dimension;
	return rc;
}

int lh_embedder_embed(struct lh_embedder *t, const struct lh_str *text, size_t n,
		      struct lh_buf *out, uint32_t *dimension, struct lh_err *err)
{
	return lh_embedder_ask(t, &(struct lh_embedder_ask){ .text = text, .n = n }, out, dimension,
			       err);
}
