/* compile_model.c - lh-embed --engine gguf --compile: compile a model. */
#include "gguf.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "file/file.h"

static int check(const struct embed *e)
{
	if (e->output && strcmp(e->output, "-") == 0)
		return lh_tool_usage(e->tool,
				     "-o -: a compiled model is a file, not a stream (./- if that "
				     "is its name)");
	if (e->model || e->url || e->field || e->template_text || e->id_field || e->dimension ||
	    e->raw || e->prefix || e->truncate || e->tokens || e->info || e->benchmark)
		return lh_tool_usage(e->tool, "--compile embeds no text: only --output, --fast and "
				     "--jobs go with it");
	if (e->tool->n_operands)
		return lh_tool_unexpected(e->tool, 0, "--compile reads its MODEL alone");
	return 0;
}

/* ---- where to ---- */

/* Return the folder of an absolute path. */
static char *folder_of(const char *path)
{
	return lh_strndup(path, (size_t)(strrchr(path, '/') - path));
}

/* Make the user's cache folder and the one in it, as far as they are not there. */
static int make_folder(const char *folder, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *above = folder_of(folder);

	if (lh_own_mkdir(above, 0700, err) < 0 || lh_own_mkdir(folder, 0700, err) < 0)
		return -1;
	return 0;
}

/* Return where the compiled model is put if -o does not say: next to the model, or in the cache
 * folder. */
static char *usual_place(const struct gguf *g, const struct embed *e, struct lh_err *err)
{
	char *path = lh_model_compiled(&g->model.found, e->fast, 0, err), *folder;
	bool good = false;

	if (path) {
		folder = folder_of(path);
		good = access(*folder ? folder : "/", W_OK | X_OK) == 0;
		free(folder);
	}
	if (good)
		return path;
	free(path);
	path = lh_model_compiled(&g->model.found, e->fast, 1, err);
	if (!path) {
		lh_err_set(err, LH_EIO, "neither XDG_CACHE_HOME nor HOME is an absolute path: say "
			   "by -o where to");
		return NULL;
	}
	folder = folder_of(path);
	good = make_folder(folder, err) == 0;
	free(folder);
	if (good)
		return path;
	free(path);
	return NULL;
}

/* ---- write ---- */

/* The model's permissions, without those of others to write. */
static mode_t mode_for(const char *model)
{
	struct stat st;

	return 0600 | (stat(model, &st) == 0 ? st.st_mode & 0044 : 0);
}

/* Check that the model was not written to while it was read. */
static int check_unchanged(const struct gguf *g, struct lh_err *err)
{
	struct lh_str bytes = lh_gguf_bytes(g->model.file);

	if (lh_xxh3(bytes.p, bytes.n) != g->model.source.xxh3)
		return lh_err_set(err, LH_EIO, "%s: has changed while it was compiled",
				  g->model.found.path);
	return 0;
}

static int write_model(const struct gguf *g, const struct embed *e, const char *path,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_compiling *m = lh_calloc(1, sizeof *m);
	int rc = -1;

	m->h.source = g->model.source;
	lh_tokenizer_compile(g->model.tokenizer, m);
	lh_encoder_compile(g->model.encoder, m);
	if (check_unchanged(g, err) == 0)
		rc = lh_compiled_write(m, path, mode_for(g->model.found.path), err);
	if (!rc)
		lh_tool_verbose(e->tool, "%s: %llu bytes", path,
				(unsigned long long)m->h.file_bytes);
	return rc;
}

int compile_model_run(struct embed *e)
{
	struct lh_err *err = &e->tool->err;
	struct gguf *g;
	char *path = NULL;
	int rc = -1;

	if (check(e) < 0)
		return -1;
	g = lh_calloc(1, sizeof *g);
	e->operand = e->compile;
	e->threads = e->tool->jobs;
	if (gguf_open_source(g, e, err) == 0)
		path = e->output ? lh_strndup(e->output, strlen(e->output))
				 : usual_place(g, e, err);
	if (path)
		rc = write_model(g, e, path, err);
	free(path);
	gguf_free(g);
	return rc;
}
