/*
 * embed.h - the engines of lh-embed, and what its files share.
 *
 * request.c reads the texts of a record and writes the answer; an engine (hash.c, ollama.c,
 * openai.c, gguf.c) turns texts into vectors.  hash embeds one text at a time, directly into the
 * output (local.c).  With --indexes the engine is that of the indexes in a folder, and relay.c
 * passes requests for the other engines on to a child.  Services (by service.c) and gguf get many
 * at once, from behind a cache in memory and one in a file (remote.c, fetch.c, cache.c).  held.c
 * reopens the file that an engine reads when it has changed.  compile_model.c compiles a model of
 * engine gguf, inspect.c shows one, and each.c embeds by one that has no pooling.
 *
 * To add an engine, add a file with a struct engine, and its row in main.c.
 */
#ifndef EMBED_H
#define EMBED_H

#include <stdatomic.h>

#include "tool/op.h"
#include "index/index_tools.h"
#include "crypto/secret.h"
#include "json/value.h"

#define MAX_TEXTS 65536		/* of one {"texts":[...]} request */
#define BATCH_MAX 4096		/* texts in one call */
#define JOBS_MAX 256

enum encoding { ENCODING_ARRAY, ENCODING_BASE64 };
enum wire { WIRE_GO, WIRE_RUST };

/* The settings, and what the threads of a run share. */
struct embed {
	int engine_index, encoding;
	int wire;		/* -1: not given */
	const char *model, *url, *key_file, *cache, *field, *template_text, *id_field;
	const char *compile, *output, *trace_id;
	const char *prefix, *indexes;
	bool raw, truncate, fast;
	bool info, tokens, benchmark;
	uint64_t dimension;	/* 0: --dimension was not given */
	uint64_t narrow;	/* engine gguf: what its vectors are cut to; 0: they are not */
	bool each;		/* engine gguf: each token has a vector */
	uint64_t batch;		/* 0: --batch was not given */
	uint64_t cache_size, cache_max, retries;
	double timeout;

	const struct engine *engine;
	struct lh_tool *tool;
	struct lh_shard shard;
	struct lh_template *template;
	struct lh_path *text;	/* --field, without a template */
	struct lh_secret key;	/* for the service; empty: none */
	struct gguf *gguf;	/* for engine gguf */
	uint64_t threads;	/* of engine gguf, which is called by one at a time */
	const char *operand;	/* --model as given, where check replaces it; or NULL */
	const char *file;	/* the key that check read; or NULL */
	struct lh_stamp stamp;	/* of the file, before it was read */
	atomic_ullong texts, misses, cut;
};

struct model;

/* The texts of one request to a service. */
struct call {
	struct model *model;
	struct lh_str trace;	/* n = 0: none */
	const struct lh_str *text;
	size_t n;
	/* For an engine that judges texts one by one: text i is refused, and its vector is
	 * not used; text i was cut.  */
	void (*refused)(void *ctx, size_t i, const struct lh_err *why);
	void (*cut)(void *ctx, size_t i);
	void *ctx;
};

struct engine {
	const char *name;
	const char *model;	/* default of --model */
	const char *url;	/* default of --url; NULL: no network */
	const char *url_env;	/* environment variable for another url */

	/* Check and complete the settings; LH_EUSAGE. */
	int (*check)(struct embed *e);

	/* Called once per thread. */
	void *(*open)(struct embed *e, struct lh_err *err);
	void (*close)(void *self);

	/* In this process: embed one text into out[e->dimension]. */
	int (*one)(void *self, const char *text, size_t n, float *out, struct lh_err *err);

	/* By a service: append a vector per text to out, all of one dimension, as the
	 * service returned them; one may be all zero. */
	int (*many)(void *self, const struct call *call, struct lh_buf *out, struct lh_err *err);

	/* Return whether a request names the model that the engine has, which is the only
	 * one.  NULL: a request may name any. */
	bool (*knows)(const struct embed *e, struct lh_str model);
};

extern const struct engine *const engines[];	/* by enum lh_engine */
extern const struct engine engine_hash, engine_ollama, engine_openai, engine_gguf;

/* ---- held.c ---- */

/* What lh_held holds: settings of its own, with the model and the key. */
struct hold {
	struct embed *run;
	void *remote;		/* of the workers, if they are those of remote.c */
	const char *model;	/* the input of check */
	uint64_t dimension;
};

struct held {
	struct hold *hold;
	struct embed e;
	struct lh_index_spaces *spaces;	/* of --indexes, or NULL */
};

struct lh_held *hold_open(struct hold *hold, struct lh_err *err);

/* ---- relay.c ---- */

/* Take the engine of the folder's indexes, or that of the options if none has one.  It reports
 * errors as an engine's check does. */
int indexes_choose(struct held *h, const struct held *before, struct lh_err *err);

/* A child that embeds by the engine of a state. */
struct relay;
struct relay *relay_new(const struct held *held);
void relay_free(struct relay *r);
/* Write the child's answer to a request. */
int relay_ask(struct relay *r, const struct lh_record *rec, struct lh_buf *out,
	      struct lh_err *err);

int local_run(struct embed *e);
int remote_run(struct embed *e);

/* ---- gguf_model.c ---- */

void gguf_free(struct gguf *g);
/* Return whether the model's file is another one now. */
bool gguf_stale(const struct gguf *g);

/* ---- compile_model.c ---- */

int compile_model_run(struct embed *e);

/* ---- each.c: a vector of each token ---- */

int each_run(struct embed *e);

/* ---- inspect.c: --info, --tokens and --benchmark ---- */

int inspect_run(struct embed *e);

#endif
