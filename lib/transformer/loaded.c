/* loaded.c - see loaded.h. */
#include "loaded.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/xxh3.h"

static void close_parts(struct lh_loaded *l)
{
	lh_encoder_free(l->encoder);
	lh_tokenizer_free(l->tokenizer);
	lh_gguf_close(l->file);
	lh_compiled_close(l->compiled);
	l->encoder = NULL;
	l->tokenizer = NULL;
	l->file = NULL;
	l->compiled = NULL;
}

void lh_loaded_close(struct lh_loaded *l)
{
	close_parts(l);
	lh_model_free(&l->found);
}

/* Set what the model was when its file was read. */
static void set_source(struct lh_loaded *l)
{
	struct lh_str bytes = lh_gguf_bytes(l->file);
	struct lh_compiled_source *s = &l->source;
	const struct lh_gguf_tensor *t;

	s->bytes = bytes.n;
	s->xxh3 = lh_xxh3(bytes.p, bytes.n);
	s->seconds = l->found.of_path.mtime.tv_sec;
	s->nanoseconds = l->found.of_path.mtime.tv_nsec;
	for (size_t i = 0; i < lh_gguf_tensors(l->file); i++) {
		t = lh_gguf_tensor_at(l->file, i);
		if (t->type < LH_COMPILED_TYPES)
			s->of_type[t->type] += t->bytes;
	}
}

/* Open the model's own file; as_it_is: for pairs if it is a cross-encoder. */
static int open_source(struct lh_loaded *l, struct lh_encoder_how how, bool as_it_is,
		       struct lh_err *err)
{
	l->file = lh_gguf_open(l->found.path, err);
	if (!l->file)
		return -1;
	set_source(l);
	how.pairs |= as_it_is && lh_gguf_tensor(l->file, LH_CROSS_ENCODER);
	l->tokenizer = lh_tokenizer_new(l->file, err);
	if (l->tokenizer)
		l->encoder = lh_encoder_new(l->file, &how, err);
	return l->encoder ? 0 : -1;
}

/* Open a compiled model; model: of that file, or NULL if it is used as it is. */
static int open_compiled(struct lh_loaded *l, const struct lh_encoder_how *how, const char *path,
			 const struct stat *model, struct lh_err *err)
{
	l->compiled = lh_compiled_open(path, err);
	if (!l->compiled ||
	    (model && (lh_compiled_trusted(l->compiled, model, err) < 0 ||
		       lh_compiled_fits(l->compiled, l->found.path, model, err) < 0)))
		return -1;
	l->tokenizer = lh_tokenizer_mapped(l->compiled, err);
	if (l->tokenizer)
		l->encoder = lh_encoder_mapped(l->compiled, how, err);
	if (!l->encoder)
		return -1;
	l->source = lh_compiled_header(l->compiled)->source;
	return 0;
}

/* Try one of the places in which a compiled model may be: 1, 0 with the reason in *why if there
 * is one that is not used, or -1 without memory. */
static int try_place(struct lh_loaded *l, const struct lh_encoder_how *how, unsigned place,
		     struct lh_err *why)
{
	struct lh_err err = { .code = LH_OK };
	LH_SCOPED(lh_free_local) char *path = lh_model_compiled(&l->found, how->fast, place, &err);
	struct stat model, st;
	bool there = path && lstat(path, &st) == 0 && stat(l->found.path, &model) == 0;
	int used = there && open_compiled(l, how, path, &model, &err) == 0;

	if (used)
		return 1;
	close_parts(l);
	if (there || err.code == LH_ENOMEM)
		*why = err;
	return err.code == LH_ENOMEM ? -1 : 0;
}

static int open_either(struct lh_loaded *l, const struct lh_encoder_how *how,
		       struct lh_err *unused, struct lh_err *err)
{
	int used = 0;

	for (unsigned place = 0; !used && place < 2; place++)
		used = try_place(l, how, place, unused);
	if (!used)
		return open_source(l, *how, false, err);
	if (used < 0)
		*err = *unused;
	unused->code = LH_OK;
	return used < 0 ? -1 : 0;
}

static bool is_compiled(const char *operand)
{
	size_t n = strlen(operand);

	return n > 4 && !strcmp(operand + n - 4, ".lhm");
}

/* A model is called as it was found, a compiled one as its model was. */
static void set_name(struct lh_loaded *l)
{
	snprintf(l->source.name, sizeof l->source.name, "%s", l->found.name);
}

int lh_loaded_open(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		   struct lh_err *unused, struct lh_err *err)
{
	int rc = lh_model_find(&l->found, operand, err);

	unused->code = LH_OK;
	if (!rc && is_compiled(l->found.path))
		return open_compiled(l, how, l->found.path, NULL, err);
	if (!rc)
		rc = open_either(l, how, unused, err);
	if (!rc)
		set_name(l);
	return rc;
}

int lh_loaded_source(struct lh_loaded *l, const char *operand, const struct lh_encoder_how *how,
		     struct lh_err *err)
{
	if (lh_model_find(&l->found, operand, err) < 0 || open_source(l, *how, true, err) < 0)
		return -1;
	set_name(l);
	return 0;
}
