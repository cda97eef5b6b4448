/*
 * embedder - embed texts by the engine that an index names.
 *
 * Engine hash is computed in this process.  Any other engine is run by a child, lh-embed,
 * which is started at the first text and stopped by lh_embedder_free, so that tools which
 * embed only sometimes need no HTTP client.
 *
 * The model of engine gguf is an identity (transformer/model_file.h), and its url the path of
 * the file or the name of the model; the child is asked to embed by the url, and vectors
 * of another model than the one named are refused with LH_EUSAGE.  Embedders of one model
 * share a child.
 *
 *     t = lh_embedder_new(&options, err);
 *     lh_embedder_embed(t, &text, 1, &floats, &dimension, err);
 *     lh_embedder_free(t);
 *
 * Threads: one thread per struct.
 */
#ifndef LH_EMBEDDER_H
#define LH_EMBEDDER_H

#include <stdint.h>

#include "json/json.h"

enum lh_engine { LH_ENGINE_HASH, LH_ENGINE_OLLAMA, LH_ENGINE_OPENAI, LH_ENGINE_GGUF };
#define LH_ENGINES "hash|ollama|openai|gguf"	/* choices of --engine */
#define LH_OLLAMA_MODEL "nomic-embed-text"	/* the default */
#define LH_OPENAI_MODEL "text-embedding-3-small"
#define LH_OPENAI_URL "https://api.openai.com"
#define LH_OPENAI_URL_ENV "LH_OPENAI_URL"	/* environment variable for another */
#define LH_OPENAI_KEY_ENV "LH_OPENAI_API_KEY"

/* The models that were a default, newest first (hashv1.h). */
#define LH_DEFAULT_MODELS \
	((const char *const[]){ LH_HASHV3_MODEL, LH_HASHV2_MODEL, LH_HASHV1_MODEL, NULL })

const char *lh_engine_name(enum lh_engine engine);

struct lh_embedder_options {
	const char *engine;	/* hash, ollama, ... */
	const char *model;	/* NULL or "": the engine's default */
	const char *url;	/* NULL or "": the engine's default; gguf: the file or name of
				 * the model */
	bool own_url;		/* given by the user, not by an index */
	uint32_t dimension;	/* 0: that of the engine (hash: 768); gguf: vectors are cut to it */
	uint32_t batch;		/* texts per call of a service; 0: the default */
	const char *prefix;	/* gguf: before each text; NULL or "": none */
	uint64_t jobs;		/* gguf: threads; 0: as many as there are cores */
	bool truncate;		/* gguf: cut texts that are too long, in place of refusing them */
};

struct lh_embedder;

/* Create an embedder.  LH_EUSAGE for an engine that cannot make such vectors or is no more,
 * and an address that would receive the user's key without being the user's. */
struct lh_embedder *lh_embedder_new(const struct lh_embedder_options *how, struct lh_err *err);
void lh_embedder_free(struct lh_embedder *t);

/* Return the model that the vectors belong to: known at once for hash, else
 * "" until the first answer. */
const char *lh_embedder_model(const struct lh_embedder *t);

/* Return the dimension of the vectors: known at once for hash, else 0 until
 * the first answer. */
uint32_t lh_embedder_dimension(const struct lh_embedder *t);

/* Return the engine's address as an index stores it: the absolute path of a model, NAME:TAG of
 * one found by its name, else as given. */
const char *lh_embedder_url(const struct lh_embedder *t);

/* Return whether an engine is computed in this process, text by text. */
bool lh_engine_here(const char *engine);

struct lh_embedder_ask {
	const struct lh_str *text;
	size_t n;
	struct lh_str trace;	/* id sent to the service (model/http.h); n = 0: none */
	/* Called for text i that has no vector; zeros are appended in its place.  NULL:
	 * such a text fails the whole request. */
	void (*bad)(void *ctx, size_t i, const struct lh_err *why);
	void *ctx;
};

/* Append the vectors of n texts, *dimension floats each; *dimension is 0 if none was
 * made and the dimension is not known yet.  LH_EDATA when a text is refused, LH_ENET
 * when a call or the engine fails; either may succeed when repeated. */
int lh_embedder_ask(struct lh_embedder *t, const struct lh_embedder_ask *ask, struct lh_buf *out,
		    uint32_t *dimension, struct lh_err *err);

/* Embed without a request id: all texts or none. */
int lh_embedder_embed(struct lh_embedder *t, const struct lh_str *text, size_t n,
		      struct lh_buf *out, uint32_t *dimension, struct lh_err *err);

#endif
