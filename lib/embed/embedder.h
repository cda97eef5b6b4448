/*
 * embedder - texts in, vectors out, by the engine that an index names.
 *
 * hash and static are computed in process; any other engine is a child,
 * lh-embed, that is started at the first text and lives until lh_embedder_free: a
 * tool that embeds now and then does not carry an HTTP client for it.
 *
 * The model of static is not the file but what is in it (lh_wordvec_model), and
 * the file is its url: an index names both, so that a query is never embedded by
 * another table than the index was.
 *
 *     t = lh_embedder_new(&options, err);
 *     lh_embedder_embed(t, &text, 1, &floats, err);
 *     lh_embedder_free(t);
 *
 * Threads: one thread per struct.
 */
#ifndef LH_EMBEDDER_H
#define LH_EMBEDDER_H

#include <stdint.h>

#include <lh/json.h>

enum lh_engine { LH_ENGINE_HASH, LH_ENGINE_STATIC, LH_ENGINE_OLLAMA, LH_ENGINE_OPENAI };
#define LH_ENGINES "hash|static|ollama|openai"	/* the choices of --engine */
#define LH_OLLAMA_MODEL "nomic-embed-text"	/* when none is named */
#define LH_OPENAI_MODEL "text-embedding-3-small"
#define LH_OPENAI_URL "https://api.openai.com"
#define LH_OPENAI_URL_ENV "LH_OPENAI_URL"	/* the variable that has another */
#define LH_OPENAI_KEY_ENV "LH_OPENAI_API_KEY"

const char *lh_engine_name(enum lh_engine engine);

struct lh_embedder_options {
	const char *engine;	/* hash, ollama, ... */
	const char *model;	/* NULL or "": the engine's own default */
	const char *url;	/* NULL or "": the engine's own default; static: the
				   compiled table */
	bool own_url;		/* the user's own, not one that an index names */
	uint32_t dimension;	/* 0: what the engine makes (hash: 768) */
	uint32_t batch;		/* texts per upstream call; 0: the default */
};

struct lh_embedder;

/* LH_EUSAGE for an engine that cannot make such vectors, a table of another
 * model, or where the user's key would go to an address that is not his own. */
struct lh_embedder *lh_embedder_new(const struct lh_embedder_options *how, struct lh_err *err);
void lh_embedder_free(struct lh_embedder *t);

/* The model whose name stands for these vectors: known at once for hash and
 * static, else "" until the first answer. */
const char *lh_embedder_model(const struct lh_embedder *t);

/* Of its vectors; 0 until it is known, which for hash and static is at once. */
uint32_t lh_embedder_dimension(const struct lh_embedder *t);

/* Where the engine is, as an index should keep it: of static the absolute path,
 * else what was given. */
const char *lh_embedder_url(const struct lh_embedder *t);

/* Is it made in this process, text by text? */
bool lh_engine_here(const char *engine);

struct lh_embedder_ask {
	const struct lh_str *text;
	size_t n;
	struct lh_str trace;	/* id that goes to a service (model/trace.h); n = 0: none */
	/* Text i is not to be had, because of why: its place holds zeros.  NULL: then
	 * none of them is. */
	void (*bad)(void *ctx, size_t i, const struct lh_err *why);
	void *ctx;
};

/* Append n vectors of *dimension floats each, one after the other; *dimension is
 * 0 when none is to be had and none was before.  LH_EDATA when a text is refused,
 * LH_ENET when its call or its engine fails; both may do better next time. */
int lh_embedder_ask(struct lh_embedder *t, const struct lh_embedder_ask *ask, struct lh_buf *out,
		    uint32_t *dimension, struct lh_err *err);

/* The same without a trace id: all of them or none. */
int lh_embedder_embed(struct lh_embedder *t, const struct lh_str *text, size_t n,
		      struct lh_buf *out, uint32_t *dimension, struct lh_err *err);

#endif
