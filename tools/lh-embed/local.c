/* local.c - engines in this process, and those that the indexes of a folder name. */
#include <stdio.h>
#include <stdlib.h>

#include "vector/distance.h"
#include "embed/hashv1.h"
#include "base/mem.h"
#include "embed.h"
#include "embed/embedder.h"
#include "proc/coproc.h"

/* ---- the engine hash ---- */

struct hash {
	struct lh_hashv1 *h;
	bool raw;
};

static int hash_check(struct embed *e)
{
	if (!lh_hash_knows(e->model))
		return lh_tool_usage(e->tool,
				     "--model: engine hash makes " LH_HASH_MODELS ", not \"%s\"",
				     e->model);
	if (!e->dimension)
		e->dimension = LH_HASHV1_DIM;
	if (e->dimension < LH_HASHV1_DIM_MIN || e->dimension > LH_HASHV1_DIM_MAX)
		return lh_tool_usage(e->tool, "--dimension %llu: engine hash makes %d to %d",
				     (unsigned long long)e->dimension, LH_HASHV1_DIM_MIN,
				     LH_HASHV1_DIM_MAX);
	return 0;
}

static void hash_close(void *self)
{
	struct hash *h = self;

	lh_hashv1_free(h->h);
	free(h);
}

static void *hash_open(struct embed *e, struct lh_err *err)
{
	struct hash *h = lh_calloc(1, sizeof *h);

	h->raw = e->raw;
	h->h = lh_hash_new(e->model, (unsigned)e->dimension, err);
	if (!h->h) {
		hash_close(h);
		return NULL;
	}
	return h;
}

static int hash_one(void *self, const char *text, size_t n, float *out, struct lh_err *err)
{
	struct hash *h = self;

	return lh_hashv1_embed(h->h, text, n, h->raw, out, err);
}

static const struct engine engine_hash = {
	.name = "hash",
	.model = LH_HASH_MODEL,
	.check = hash_check,
	.open = hash_open,
	.close = hash_close,
	.one = hash_one,
};

/* ---- --indexes ---- */

/*
 * Engine hash is computed here, by local.c.  Requests for another engine are
 * passed on to a child, which has the caches and the retries, and so are those that name
 * the model of an index that is not the best one.
 */

#define PATIENCE 86400.0	/* seconds; the child has limits of its own */

const struct engine *const engines[] = {
	[LH_ENGINE_HASH] = &engine_hash, [LH_ENGINE_OLLAMA] = &engine_ollama,
	[LH_ENGINE_OPENAI] = &engine_openai, [LH_ENGINE_GGUF] = &engine_gguf,
};

static enum lh_engine engine_of(const char *name, struct lh_err *err)
{
	size_t i;

	for (i = LH_ENGINE_HASH; i <= LH_ENGINE_GGUF; i++)
		if (!strcmp(lh_engine_name((enum lh_engine)i), name))
			return (enum lh_engine)i;
	lh_err_set(err, LH_EUSAGE, "--indexes: no engine is named \"%s\"", name);
	return LH_ENGINE_GGUF + 1;
}

static int take_engine(struct embed *e, const struct lh_index_params *p, struct lh_err *err)
{
	enum lh_engine engine = engine_of(p->engine, err);

	if (engine > LH_ENGINE_GGUF)
		return -1;
	e->file = NULL;
	e->engine = engines[engine];
	e->model = engine == LH_ENGINE_GGUF ? p->url : p->model;
	e->url = engine == LH_ENGINE_GGUF || !*p->url ? NULL : p->url;
	e->prefix = NULL;	/* the client decides whether a text is a query */
	e->dimension = p->dimension;
	return 0;
}

/* Take the engine of the folder's indexes, or that of the options if none has one.  It reports
 * errors as an engine's check does. */
static int indexes_choose(struct held *h, const struct held *before, struct lh_err *err)
{
	struct embed *e = &h->e;
	const struct lh_index_params *p;

	h->spaces = lh_index_spaces_read(e->indexes, before ? before->spaces : NULL, err);
	if (!h->spaces)
		return lh_err_prefix(err, "--indexes %s", e->indexes);
	gguf_free(e->gguf);
	e->gguf = NULL;
	p = lh_index_spaces_best(h->spaces, LH_DEFAULT_MODELS);
	if (p)
		return take_engine(e, p, err);
	if (!before && e->engine->one)
		return 0;
	e->model = h->hold->model;
	e->dimension = h->hold->dimension;
	if (!e->engine->one || e->engine->check(e) == 0)
		return 0;
	*err = e->tool->err;
	return -1;
}

/* ---- the child ---- */

struct relay {
	struct relay *next;
	const struct held *held;
	const struct lh_index_params *of;	/* another index than held->e is of; or NULL */
	struct lh_coproc run;
	struct lh_record reply;
};

static struct relay *relay_new(const struct held *held, const struct lh_index_params *of,
			       struct relay *next)
{
	struct relay *r = lh_calloc(1, sizeof *r);

	r->held = held;
	r->of = of;
	r->next = next;
	return r;
}

static void relay_free(struct relay *r)
{
	struct lh_err unused;

	if (!r)
		return;
	lh_coproc_stop(&r->run, &unused);
	lh_record_free(&r->reply);
	free(r);
}

/* Return which keys the child gets: that of OpenAI only for an address that is the user's. */
static unsigned keys_of(const struct embed *e)
{
	const char *own = getenv(LH_OPENAI_URL_ENV);

	if (e->engine == &engine_ollama)
		return LH_KEYS_OLLAMA;
	if (e->engine != &engine_openai ||
	    (e->url && strcmp(e->url, own && *own ? own : LH_OPENAI_URL) != 0))
		return LH_KEYS_NONE;
	return LH_KEYS_OPENAI;
}

static int start(struct relay *r, struct lh_err *err)
{
	struct embed of = r->held->e, *e = &of;
	char cache[24], timeout[32], dimension[24];
	char *argv[26] = {
		"lh-embed", "--wire", e->wire == WIRE_RUST ? "rust" : "go", "--encoding",
		e->encoding == ENCODING_ARRAY ? "array" : "base64", "--on-error", "emit", "-q",
		"-j1", "--cache-size", cache, "--timeout", timeout, "--engine",
	};
	size_t n = 14;

	if (r->of && take_engine(e, r->of, err) < 0)
		return -1;
	argv[n++] = (char *)e->engine->name;
	snprintf(cache, sizeof cache, "%llu", (unsigned long long)e->cache_size);
	snprintf(timeout, sizeof timeout, "%g", e->timeout);
	snprintf(dimension, sizeof dimension, "%llu", (unsigned long long)e->dimension);
	if (e->model && *e->model) {
		argv[n++] = "--model";
		argv[n++] = (char *)e->model;
	}
	if ((e->engine == &engine_gguf || e->engine == &engine_hash) && e->dimension) {
		argv[n++] = "--dimension";
		argv[n++] = dimension;
	}
	if (e->url) {
		argv[n++] = "--url";
		argv[n++] = (char *)e->url;
	}
	if (e->key_file && keys_of(e) == LH_KEYS_OPENAI) {
		argv[n++] = "--key-file";
		argv[n++] = (char *)e->key_file;
	}
	if (e->raw)
		argv[n++] = "--raw";
	return lh_coproc_start(&r->run, argv, keys_of(e), err);
}

/* Write the child's answer to a request. */
static int relay_ask(struct relay *r, const struct lh_record *rec, struct lh_buf *out,
		     struct lh_err *err)
{
	const struct lh_value *error;
	struct lh_err unused;
	struct lh_str said;

	if ((!r->run.pid && start(r, err) < 0) ||
	    lh_coproc_ask(&r->run, rec->line, rec->len, PATIENCE, &said, err) < 0) {
		lh_coproc_stop(&r->run, &unused);
		if (err->code == LH_EIO)
			err->code = LH_ENET;
		return -1;
	}
	if (lh_record_parse(&r->reply, said.p, said.n, err) < 0)
		return lh_err_set(err, LH_ENET, "lh-embed answered what is not JSON");
	error = lh_record_get(&r->reply, "error");
	if (error) {
		if (lh_coproc_refusal(error, err) < 0 && err->code == LH_EIO)
			err->code = LH_ENET;
		return -1;
	}
	lh_buf_add(out, said.p, said.n);
	return 0;
}

/* ---- the file that an engine reads, reopened when it has changed ---- */

static void close_one(void *state)
{
	struct held *h = state;

	gguf_free(h->e.gguf);
	lh_secret_wipe(&h->e.key);
	lh_index_spaces_free(h->spaces);
	free(h);
}

/* The first open takes what the engine's check has read. */
static void *open_one(void *ctx, const void *before, struct lh_err *err)
{
	struct hold *hold = ctx;
	struct embed *run = hold->run;
	struct held *h = lh_calloc(1, sizeof *h);

	h->hold = hold;
	h->e = *run;
	run->gguf = NULL;
	run->key = (struct lh_secret){ .p = NULL };
	if (run->indexes) {
		if (indexes_choose(h, before, err) == 0)
			return h;
		close_one(h);
		return NULL;
	}
	if (!before)
		return h;
	h->e.model = hold->model;
	h->e.dimension = hold->dimension;
	if (h->e.engine->check(&h->e) == 0)
		return h;
	*err = run->tool->err;
	close_one(h);
	return NULL;
}

static bool is_stale(void *ctx, const void *state)
{
	const struct held *h = state;
	const struct embed *e = &h->e;

	(void)ctx;
	if (h->spaces && lh_index_spaces_stale(h->spaces))
		return true;
	return (e->file && !lh_stamp_fits(&e->stamp, e->file)) || (e->gguf && gguf_stale(e->gguf));
}

static void report_failed(void *ctx, const struct lh_err *why)
{
	lh_tool_warn(((struct hold *)ctx)->run->tool, "%s", why->msg);
}

struct lh_held *hold_open(struct hold *hold, struct lh_err *err)
{
	struct lh_held_how how = {
		.open = open_one, .stale = is_stale, .close = close_one,
		.failed = hold->run->wire >= 0 ? report_failed : NULL, .ctx = hold
	};
	struct embed *run = hold->run;

	hold->model = run->operand ? run->operand : run->model;
	hold->dimension = run->operand ? 0 : run->dimension;
	return lh_held_open(&how, err);
}

/* ---- from text to output, one vector at a time ---- */

/*
 * They have no cache: a vector is made in about the time of a look-up by SHA-256.  So
 * every text counts as a miss.
 */

struct worker {
	struct embed *run, *e;	/* run counts; e embeds */
	const struct held *held;	/* has e */
	void *engine;
	struct relay *relay;	/* or NULL: the engine is in this process */
	struct relay *others;	/* those of other indexes that were asked for */
	struct lh_buf scratch;	/* unescaped and rendered texts */
	struct lh_buf trace, errors;
	float *v;
	unsigned long long texts;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	if (w->engine)
		w->e->engine->close(w->engine);
	relay_free(w->relay);
	while (w->others) {
		struct relay *r = w->others;

		w->others = r->next;
		relay_free(r);
	}
	atomic_fetch_add(&w->run->texts, w->texts);
	atomic_fetch_add(&w->run->misses, w->texts);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->trace);
	lh_buf_free(&w->errors);
	free(w->v);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct held *held = ctx;
	struct embed *e = &held->e;
	struct worker *w = context;

	w->run = held->hold->run;
	w->e = e;
	w->held = held;
	if (!e->engine->one) {
		w->relay = relay_new(held, NULL, NULL);
		return 0;
	}
	w->v = lh_calloc(e->dimension, sizeof *w->v);
	w->engine = e->engine->open(e, err);
	return w->engine ? 0 : -1;
}

/* Return the model that is not named, of the best index or of the options. */
static const char *usual_model(const struct held *h)
{
	const struct lh_index_params *p =
		h->spaces ? lh_index_spaces_best(h->spaces, LH_DEFAULT_MODELS) : NULL;

	return p ? p->model : h->e.model;
}

/* Return the child for the model that the request names, if it is one of another index. */
static struct relay *find_other(struct worker *w, const struct lh_record *rec)
{
	const struct lh_value *model = lh_record_get(rec, "model");
	const struct lh_index_params *p = NULL;
	struct relay *r;
	size_t i;

	if (!w->held->spaces || !model || model->type != LH_STRING ||
	    lh_value_is(model, usual_model(w->held), strlen(usual_model(w->held))))
		return NULL;
	for (i = 0; (p = lh_index_spaces_at(w->held->spaces, i)); i++)
		if (lh_value_is(model, p->model, strlen(p->model)))
			break;
	for (r = w->others; p && r && r->of != p; r = r->next)
		;
	if (p && !r)
		r = w->others = relay_new(w->held, p, w->others);
	return p ? r : NULL;
}

static bool asks_for_models(const struct lh_record *rec)
{
	const struct lh_value *op = lh_record_get(rec, "op");

	return op && (lh_value_is(op, "models", 6) || lh_value_is(op, "tags", 4));
}

/* List the models of all indexes, the usual one first. */
static void list_models(struct lh_intern *models, const struct held *h)
{
	const struct lh_index_params *p;
	struct lh_err unused;
	uint32_t i, number;

	lh_intern_add(models, usual_model(h), strlen(usual_model(h)), &number, &unused);
	for (i = 0; h->spaces && (p = lh_index_spaces_at(h->spaces, i)); i++)
		lh_intern_add(models, p->model, strlen(p->model), &number, &unused);
}

/* These engines have one model each; a request for another is refused. */
static int check_model(const struct request *rq, struct lh_err *err)
{
	const char *model = rq->e->model;

	if (!rq->model.p || lh_value_is(&rq->model, model, strlen(model)))
		return 0;
	return lh_err_data(err, rq->dialect ? 404 : 400,
			   "\"model\" is %.*s, but this engine makes \"%s\"",
			   (int)(rq->model.n < 200 ? rq->model.n : 200), rq->model.p, model);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;
	LH_SCOPED(lh_intern_free) struct lh_intern models = { .n = 0 };
	struct relay *other = find_other(w, rec);
	struct request rq;
	struct lh_str text;
	int more;

	if (other || (w->relay && !asks_for_models(rec)))
		return relay_ask(other ? other : w->relay, rec, out, err);
	lh_buf_reset(&w->trace);
	lh_buf_reset(&w->errors);
	if (request_open(&rq, w->e, rec, &w->trace, err) < 0 || check_model(&rq, err) < 0)
		return -1;
	if (rq.op) {
		list_models(&models, w->held);
		answer_op(out, &rq, &models, 0, 0, 0);
		return 0;
	}
	answer_open(out, &rq);
	while (lh_buf_reset(&w->scratch), (more = request_next(&rq, &w->scratch, &text, err)) > 0) {
		if (more == 2) {
			answer_error(&rq, err, &w->errors);
			continue;
		}
		if (w->e->engine->one(w->engine, text.p, text.n, w->v, err) < 0)
			return rq.many ? lh_err_prefix(err, "text %zu", rq.read) : -1;
		answer_vector(out, &rq, w->v, w->e->dimension);
		w->texts++;
	}
	if (more < 0)
		return -1;
	answer_close(&rq, w->e->dimension, w->e->model, &w->errors);
	return 0;
}

int local_run(struct embed *e)
{
	struct hold hold = { .run = e };
	struct lh_held *held = hold_open(&hold, &e->tool->err);
	int rc = held ? lh_records_run(e->tool, &(struct lh_flow){
		.map = on_record, .held = held,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free }) : -1;

	lh_held_close(held);
	return rc;
}

/* ---- a model without pooling ---- */

/*
 * Records are answered by all threads, each by itself: nothing is cached, and texts are not put
 * together.
 */

struct each_worker {
	struct embed *run;
	const struct embed *e;
	struct lh_encoder_work *work;
	struct lh_token_list tokens;
	struct lh_buf text, trace, scratch, vectors;
	unsigned long long texts, cut;
};

static void each_worker_free(void *worker)
{
	struct each_worker *w = worker;

	atomic_fetch_add(&w->run->texts, w->texts);
	atomic_fetch_add(&w->run->misses, w->texts);
	atomic_fetch_add(&w->run->cut, w->cut);
	lh_encoder_work_free(w->work);
	lh_token_list_free(&w->tokens);
	lh_buf_free(&w->text);
	lh_buf_free(&w->trace);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->vectors);
}

static int each_worker_init(void *worker, void *state, struct lh_err *err)
{
	struct held *held = state;
	struct each_worker *w = worker;

	(void)err;
	w->run = held->hold->run;
	w->e = &held->e;
	w->work = lh_encoder_work_new(w->e->gguf->model.encoder);
	return 0;
}

static int answer(struct each_worker *w, struct request *rq, struct lh_buf *out, struct lh_err *err)
{
	const struct embed *e = w->e;
	size_t width = e->gguf->info.width, n = w->tokens.n;
	float *v;
	size_t i;

	lh_buf_reset(&w->vectors);
	v = (float *)(void *)lh_buf_room(&w->vectors, n * width * sizeof *v);
	if (lh_encoder_run(w->work, &w->tokens, 1, v, err) < 0)
		return -1;
	for (i = 0; !e->raw && i < n; i++)
		if (!lh_vec_unit(v + i * width, e->dimension))
			return lh_err_data(err, 502, "the vector of token %zu is all zero", i + 1);
	answer_open(out, rq);
	for (i = 0; i < n; i++)
		answer_vector(out, rq, v + i * width, e->dimension);
	answer_close(rq, e->dimension, e->model, &(struct lh_buf){ 0 });
	return 0;
}

static int each_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct each_worker *w = worker;
	struct request rq;
	struct lh_str text;
	int cut;

	lh_buf_reset(&w->text);
	lh_buf_reset(&w->trace);
	if (request_open(&rq, w->e, rec, &w->trace, err) < 0)
		return -1;
	if (rq.many)
		return lh_err_set(err, LH_EDATA, "%s has no pooling: it takes records with a text "
				  "alone", w->e->gguf->model.found.path);
	if (request_next(&rq, &w->text, &text, err) < 0)
		return -1;
	cut = gguf_tokens(w->e, text, false, &w->scratch, &w->tokens, err);
	if (cut < 0 || answer(w, &rq, out, err) < 0)
		return -1;
	w->texts++;
	w->cut += cut > 0;
	return 0;
}

int each_run(struct embed *e)
{
	struct hold hold = { .run = e };
	struct lh_held *held;
	int rc;

	e->tool->jobs = e->threads;
	held = hold_open(&hold, &e->tool->err);
	rc = held ? lh_records_run(e->tool, &(struct lh_flow){
		.map = each_record, .held = held,
		.context_size = sizeof(struct each_worker), .context_init = each_worker_init,
		.context_free = each_worker_free }) : -1;
	lh_held_close(held);
	return rc;
}
