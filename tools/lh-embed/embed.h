/*
 * embed.h - the engines of lh-embed, and what its files share.
 *
 * request.c reads the texts of a record and writes the answer; an engine (of local.c, service.c,
 * gguf.c) turns texts into vectors.  hash embeds one text at a time, directly into the output
 * (local.c).  With --indexes the engine is that of the indexes in a folder, and requests for the
 * other engines are passed on to a child.  The file that an engine reads is reopened when it has
 * changed.  Services and gguf get many texts at once, from behind a cache in memory and one in a
 * file (remote.c, lru.c, cache.c).  inspect.c shows or compiles a model of engine gguf.
 *
 * To add an engine, add a struct engine, and its row in main.c.
 */
#ifndef EMBED_H
#define EMBED_H

#include <stdatomic.h>

#include "base/table.h"

#include "crypto/secret.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/value.h"
#include "json/write.h"
#include "tool/op.h"
#include "transformer/model_file.h"

#define MAX_TEXTS 65536		/* of one {"texts":[...]} request */
#define BATCH_MAX 4096		/* texts in one call */
#define JOBS_MAX 256

enum encoding { ENCODING_ARRAY, ENCODING_BASE64 };
enum wire { WIRE_GO, WIRE_RUST };

/* As whose service a request is written, and answered. */
enum dialect { OURS, OPENAI, OLLAMA };

/* The settings, and what the threads of a run share. */
struct embed {
	int engine_index, encoding;
	int wire;		/* -1: not given */
	const char *model, *url, *key_file, *cache, *field, *template_text, *id_field;
	const char *compile, *output, *trace_id;
	const char *convert;
	int type;		/* of --convert: enum lh_model_type; -1: not given */
	const char *prefix, *indexes;
	bool raw, truncate, fast;
	uint64_t context;		/* tokens of a text; 0: those of the model */
	bool info, tokens;
	uint64_t dimension;	/* 0: --dimension was not given */
	uint64_t narrow;	/* engine gguf: what its vectors are cut to; 0: they are not */
	bool each;		/* engine gguf: each token has a vector */
	uint64_t batch;		/* 0: --batch was not given */
	uint64_t cache_size, cache_max, retries;
	double timeout;

	const struct engine *engine;
	struct lh_tool *tool;
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
extern const struct engine engine_ollama, engine_openai, engine_gguf;

/* ---- local.c ---- */

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

/* A child that embeds by the engine of a state. */
struct relay;

int local_run(struct embed *e);
int remote_run(struct embed *e);

/* ---- gguf.c ---- */

void gguf_free(struct gguf *g);
/* Return whether the model's file is another one now. */
bool gguf_stale(const struct gguf *g);

/* ---- inspect.c ---- */

int compile_model_run(struct embed *e);
int convert_run(struct embed *e);

/* ---- local.c: a vector of each token ---- */

int each_run(struct embed *e);

/* ---- inspect.c: --info and --tokens ---- */

int inspect_run(struct embed *e);

/* ---- the model of engine gguf ---- */

/*
 *     struct lh_token_list tokens = { 0 };
 *     more = gguf_tokens(g, e, text, &scratch, &tokens, err);
 *             1: it was cut;  0;  -1: it has more tokens than the model's context
 */

struct gguf {
	struct lh_loaded model;
	struct lh_encoder_info info;
	char id[LH_MODEL_ID];
};

/* The same to compile it, from its own file; g->info is not set. */
int gguf_open_source(struct gguf *g, const struct embed *e, struct lh_err *err);

/* Replace *to by the tokens of a text after --prefix, cut under --truncate.  With whole they
 * are neither refused nor cut. */
int gguf_tokens(const struct embed *e, struct lh_str text, bool whole, struct lh_buf *scratch,
		struct lh_token_list *to, struct lh_err *err);

/* ---- the texts of a record, and the answer ---- */

/*
 *     request_open(&rq, e, rec, err)
 *     while ((more = request_next(&rq, &scratch, &text, err)) > 0) ...
 *     answer_open(out, &rq);
 *     answer_vector(out, &rq, v, dimension);     once per text
 *     answer_close(&rq, dimension, model, &errors);
 *
 * A record with the text field (or any record, with --template) has one text; the
 * answer is the record with three members added.  The answer to {"texts":[...]} is
 * a new object.  Where each token has a vector, the record has "vectors".  With
 * "partial":true, a text that failed has null among the vectors, and an element of
 * "errors": index, code, message, and whether an upstream failed or only that text is
 * at fault.
 *
 * With --wire there are only requests, and their answers have no request id.  {"op":"embeddings"}
 * is one as OpenAI's service has them, {"op":"embed"} as Ollama's.  One with {"op":"stats"},
 * "models" or "tags" has no texts; it is answered by answer_op.
 */

struct request {
	const struct embed *e;
	const struct lh_record *rec;
	const char *op;		/* "stats", "models", "tags", or NULL */
	enum dialect dialect;
	uint64_t bytes;		/* of the texts, for the usage */
	int format;		/* OPENAI: 0, or 1: base64 */
	uint64_t dimensions;	/* that the client expects; 0: any */
	bool many;		/* {"texts":[...]} */
	bool partial;
	bool done;		/* the one text was returned */
	struct lh_iter it;	/* over the many */
	struct lh_value texts;
	struct lh_value model;	/* of the request; p NULL: none */
	struct lh_value id;	/* of --id-field; p NULL: none */
	size_t read, written;	/* texts read, vectors written */
	struct lh_str trace;	/* n = 0: none; ... */
	bool own_trace;		/* ... or the record's own, which stays in it */
	struct lh_writer to;	/* the answer, from answer_open to answer_close */
};

/* Of {"texts":[...]} with --wire, of {"op":"stats"}, of those of the services. */
extern const struct lh_bind wire_members[], op_members[], openai_in[], ollama_in[];

/* Open a record.  Its request id may be appended to scratch. */
int request_open(struct request *rq, const struct embed *e, const struct lh_record *rec,
		 struct lh_buf *scratch, struct lh_err *err);

/* Read the next text (its bytes may be in scratch, which is appended to): 1; 0 after
 * the last; -1 when the record is bad; 2 when the record is partial and this text is
 * bad.  *err is set for the last two. */
int request_next(struct request *rq, struct lh_buf *scratch, struct lh_str *text,
		 struct lh_err *err);

/* Write the models (NULL: the one of the engine), or the use of the cache in memory, which holds so
 * many vectors. */
void answer_op(struct lh_buf *out, const struct request *rq, const struct lh_intern *models,
	       uint64_t hits, uint64_t misses, uint64_t size);

void answer_open(struct lh_buf *out, struct request *rq);
void answer_vector(struct lh_buf *out, struct request *rq, const float *v, size_t dimension);
/* Write null in place of a vector, and the error to errors, for answer_close. */
void answer_error(struct request *rq, const struct lh_err *why, struct lh_buf *errors);
void answer_close(struct request *rq, size_t dimension, const char *model,
		  const struct lh_buf *errors);

#endif
