/*
 * gguf_model.c - open the model of engine gguf: its compiled form where there is one that fits,
 * otherwise its file.
 */
#include "gguf.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/xxh3.h"

void gguf_free(struct gguf *g)
{
	if (!g)
		return;
	lh_encoder_free(g->encoder);
	lh_tokenizer_free(g->tokenizer);
	lh_gguf_close(g->file);
	lh_compiled_close(g->compiled);
	lh_model_free(&g->found);
	free(g);
}

bool gguf_stale(const struct gguf *g)
{
	return lh_model_stale(&g->found);
}

static struct lh_encoder_how how_of(const struct embed *e)
{
	return (struct lh_encoder_how){ .raw = true, .fast = e->fast,
					.threads = (unsigned)e->threads };
}

static int open_source(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	struct lh_encoder_how how = how_of(e);
	struct lh_str bytes;
	struct lh_compiled_source *s;
	const struct lh_gguf_tensor *t;

	g->file = lh_gguf_open(g->found.path, err);
	if (!g->file)
		return -1;
	/* Set what the model was when its file was read. */
	bytes = lh_gguf_bytes(g->file);
	s = &g->source;
	s->bytes = bytes.n;
	s->xxh3 = lh_xxh3(bytes.p, bytes.n);
	s->seconds = g->found.of_path.mtime.tv_sec;
	s->nanoseconds = g->found.of_path.mtime.tv_nsec;
	for (size_t i = 0; i < lh_gguf_tensors(g->file); i++) {
		t = lh_gguf_tensor_at(g->file, i);
		if (t->type < LH_COMPILED_TYPES)
			s->of_type[t->type] += t->bytes;
	}
	g->tokenizer = lh_tokenizer_new(g->file, err);
	if (g->tokenizer)
		g->encoder = lh_encoder_new(g->file, &how, err);
	return g->encoder ? 0 : -1;
}

/* Open a compiled model; model: of that file, or NULL if it is used as it is. */
static int open_compiled(struct gguf *g, const struct embed *e, const char *path,
			 const struct stat *model, struct lh_err *err)
{
	struct lh_encoder_how how = how_of(e);

	g->compiled = lh_compiled_open(path, err);
	if (!g->compiled ||
	    (model && (lh_compiled_trusted(g->compiled, model, err) < 0 ||
		       lh_compiled_fits(g->compiled, g->found.path, model, err) < 0)))
		return -1;
	g->tokenizer = lh_tokenizer_mapped(g->compiled, err);
	if (g->tokenizer)
		g->encoder = lh_encoder_mapped(g->compiled, &how, err);
	if (!g->encoder)
		return -1;
	g->source = lh_compiled_header(g->compiled)->source;
	return 0;
}

/* Try one of the places in which a compiled model may be: 1, 0 with the reason in *why if there
 * is one that is not used, or -1 without memory. */
static int try_place(struct gguf *g, const struct embed *e, unsigned place, struct lh_err *why)
{
	struct lh_err err = { .code = LH_OK };
	LH_SCOPED(lh_free_local) char *path = lh_model_compiled(&g->found, e->fast, place, &err);
	struct stat model, st;
	bool there = path && lstat(path, &st) == 0 && stat(g->found.path, &model) == 0;
	int used = there && open_compiled(g, e, path, &model, &err) == 0;

	if (used)
		return 1;
	lh_encoder_free(g->encoder);
	lh_tokenizer_free(g->tokenizer);
	lh_compiled_close(g->compiled);
	g->encoder = NULL;
	g->tokenizer = NULL;
	g->compiled = NULL;
	if (there || err.code == LH_ENOMEM)
		*why = err;
	return err.code == LH_ENOMEM ? -1 : 0;
}

static int open_either(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	struct lh_err why = { .code = LH_OK };
	int used = 0;

	for (unsigned place = 0; !used && place < 2; place++)
		used = try_place(g, e, place, &why);
	if (used < 0)
		*err = why;
	if (used)
		return used < 0 ? -1 : 0;
	if (why.code)
		lh_tool_message(e->tool, "%s: not used (--compile makes it again)", why.msg);
	return open_source(g, e, err);
}

static bool is_compiled(const char *operand)
{
	size_t n = strlen(operand);

	return n > 4 && !strcmp(operand + n - 4, ".lhm");
}

/* A model is called as it was found, a compiled one as its model was. */
static void set_name(struct gguf *g)
{
	snprintf(g->source.name, sizeof g->source.name, "%s", g->found.name);
}

int gguf_open(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	int rc = lh_model_find(&g->found, e->operand, err);

	if (!rc && is_compiled(g->found.path)) {
		rc = open_compiled(g, e, g->found.path, NULL, err);
	} else if (!rc) {
		rc = open_either(g, e, err);
		set_name(g);
	}
	if (rc)
		return -1;
	lh_encoder_info(g->encoder, &g->info);
	return lh_model_identify(g->source.name, g->source.xxh3, g->id, err);
}

int gguf_open_source(struct gguf *g, const struct embed *e, struct lh_err *err)
{
	if (lh_model_find(&g->found, e->operand, err) < 0 || open_source(g, e, err) < 0)
		return -1;
	set_name(g);
	return lh_model_identify(g->source.name, g->source.xxh3, g->id, err);
}
