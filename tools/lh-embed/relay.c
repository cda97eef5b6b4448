/*
 * relay.c - lh-embed --indexes: embed as the indexes of a folder do.
 *
 * Engine hash is computed here, by local.c.  Requests for another engine are
 * passed on to a child, which has the caches and the retries.
 */
#include "embed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "embed/embedder.h"
#include <lh/hashv1.h>
#include "proc/coproc.h"

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

int indexes_choose(struct held *h, const struct held *before, struct lh_err *err)
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
	const struct held *held;
	struct lh_coproc run;
	struct lh_record reply;
};

struct relay *relay_new(const struct held *held)
{
	struct relay *r = lh_calloc(1, sizeof *r);

	r->held = held;
	return r;
}

void relay_free(struct relay *r)
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
	const struct embed *e = &r->held->e;
	char cache[24], timeout[32], dimension[24];
	char *argv[26] = {
		"lh-embed", "--wire", e->wire == WIRE_RUST ? "rust" : "go", "--encoding",
		e->encoding == ENCODING_ARRAY ? "array" : "base64", "--on-error", "emit", "-q",
		"-j1", "--cache-size", cache, "--timeout", timeout, "--engine",
		(char *)e->engine->name,
	};
	size_t n = 15;

	snprintf(cache, sizeof cache, "%llu", (unsigned long long)e->cache_size);
	snprintf(timeout, sizeof timeout, "%g", e->timeout);
	snprintf(dimension, sizeof dimension, "%llu", (unsigned long long)e->dimension);
	if (e->model && *e->model) {
		argv[n++] = "--model";
		argv[n++] = (char *)e->model;
	}
	if (e->engine == &engine_gguf && e->dimension) {
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

int relay_ask(struct relay *r, const struct lh_record *rec, struct lh_buf *out,
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
