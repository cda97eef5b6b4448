/* inspect.c - lh-embed --info, --tokens, --compile and --convert: show, compile or convert a
 * model. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "embed.h"
#include "file/file.h"
#include "json/write.h"
#include "service.h"

/* ---- --info ---- */

static int put_info(struct embed *e)
{
	const struct gguf *g = e->gguf;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	uint64_t bytes[LH_COMPILED_TYPES];
	size_t i, most;

	if (g->model.compiled && lh_compiled_verify(g->model.compiled, &e->tool->err) < 0)
		return -1;
	lh_write_object(&w, NULL);
	lh_write_text(&w, "model", g->id);
	if (lh_utf8_valid(g->model.found.path, strlen(g->model.found.path)))
		lh_write_text(&w, "file", g->model.found.path);
	lh_write_text(&w, "architecture", g->info.architecture);
	lh_write_u64(&w, "layers", g->info.layers);
	lh_write_u64(&w, "width", g->info.width);
	lh_write_u64(&w, "heads", g->info.heads);
	lh_write_u64(&w, "feed_forward", g->info.feed_forward);
	if (g->info.experts)
		lh_write_u64(&w, "experts", g->info.experts);
	lh_write_u64(&w, "context", g->info.context);
	lh_write_text(&w, "pooling", g->info.pooling);
	/* Write the types of the tensors, the one with the most bytes first. */
	memcpy(bytes, g->model.source.of_type, sizeof bytes);
	lh_write_array(&w, "types");
	for (;;) {
		for (i = most = 0; i < LH_COMPILED_TYPES; i++)
			most = bytes[i] > bytes[most] ? i : most;
		if (!bytes[most])
			break;
		lh_write_text(&w, NULL, lh_gguf_type_name((enum lh_gguf_type)most));
		bytes[most] = 0;
	}
	lh_write_end(&w);
	lh_write_u64(&w, "tokens", lh_tokenizer_size(g->model.tokenizer));
	lh_write_u64(&w, "bytes", g->model.source.bytes);
	if (g->model.compiled) {
		const char *path = lh_compiled_path(g->model.compiled);

		lh_write_object(&w, "compiled");
		if (lh_utf8_valid(path, strlen(path)))
			lh_write_text(&w, "file", path);
		lh_write_u64(&w, "bytes", lh_compiled_header(g->model.compiled)->file_bytes);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	return lh_tool_out_line(e->tool, &line);
}

/* ---- --tokens ---- */

struct worker {
	struct embed *e;
	struct lh_token_list tokens;
	struct lh_buf text, trace, scratch;
};

static void worker_free(void *worker)
{
	struct worker *w = worker;

	lh_token_list_free(&w->tokens);
	lh_buf_free(&w->text);
	lh_buf_free(&w->trace);
	lh_buf_free(&w->scratch);
}

static int worker_init(void *worker, void *held, struct lh_err *err)
{
	(void)err;
	((struct worker *)worker)->e = &((struct held *)held)->e;
	return 0;
}

/* A record gets the members tokens and token_texts. */
static int put_record(struct worker *w, struct request *rq, struct lh_buf *out, struct lh_err *err)
{
	static const char *const ours[] = { "tokens", "token_texts" };
	struct lh_writer to;
	struct lh_str text;
	size_t i;

	if (request_next(rq, &w->text, &text, err) < 0 ||
	    gguf_tokens(w->e, text, true, &w->scratch, &w->tokens, err) < 0)
		return -1;
	to = lh_write_record(out, rq->rec, ours, 2);
	lh_write_array(&to, "tokens");
	for (i = 0; i < w->tokens.n; i++)
		lh_write_u64(&to, NULL, w->tokens.id[i]);
	lh_write_end(&to);
	lh_write_array(&to, "token_texts");
	for (i = 0; i < w->tokens.n; i++)
		lh_write_str(&to, NULL, lh_tokenizer_text(w->e->gguf->model.tokenizer,
							  w->tokens.id[i]));
	lh_write_end(&to);
	lh_write_end(&to);
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	struct request rq;

	lh_buf_reset(&w->text);
	lh_buf_reset(&w->trace);
	if (request_open(&rq, w->e, rec, &w->trace, err) < 0)
		return -1;
	if (rq.many)
		return lh_err_set(err, LH_EDATA, "--tokens reads records with a text alone");
	return put_record(w, &rq, out, err);
}

static int put_tokens(struct embed *e)
{
	struct hold hold = { .run = e };
	struct lh_held *held;
	int rc;

	e->tool->jobs = e->threads;
	held = hold_open(&hold, &e->tool->err);
	rc = held ? lh_records_run(e->tool, &(struct lh_flow){
		.map = on_record, .held = held,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free }) : -1;
	lh_held_close(held);
	return rc;
}

int inspect_run(struct embed *e)
{
	return e->info ? put_info(e) : put_tokens(e);
}

/* ---- --compile ---- */

/* Return whether an option is given that says how texts become vectors. */
static bool embeds(const struct embed *e)
{
	return e->model || e->url || e->field || e->template_text || e->id_field ||
		e->dimension || e->raw || e->prefix || e->truncate || e->tokens || e->info;
}

static int check(const struct embed *e)
{
	if (e->output && strcmp(e->output, "-") == 0)
		return lh_tool_usage(e->tool,
				     "-o -: a compiled model is a file, not a stream (./- if that "
				     "is its name)");
	if (embeds(e))
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
	if (lh_gguf_sum(g->model.file) != g->model.source.xxh3)
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

/* ---- --convert ---- */

static int check_convert(const struct embed *e, const char *to)
{
	static const struct lh_made none = { "an empty file", { NULL }, NULL };
	struct stat st;

	if (embeds(e) || e->compile || e->output || e->fast)
		return lh_tool_usage(e->tool, "--convert embeds no text: only --type and --force "
				     "go with it");
	if (!to)
		return lh_tool_usage(e->tool, "--convert: name the file to write, OUT.gguf");
	if (e->tool->n_operands > 1)
		return lh_tool_unexpected(e->tool, 1, "--convert writes one file");
	if (!strcmp(to, "-"))
		return lh_tool_no_stream(e->tool, "a model");
	if (e->tool->force)
		return lh_tool_replaces(e->tool, to, &none);
	return lstat(to, &st) < 0 ? 0
		: lh_tool_usage(e->tool, "%s: is there already: give another name, or --force", to);
}

/* The model is opened first, so that a folder that is not one is refused by name. */
int convert_run(struct embed *e)
{
	const char *to = e->tool->n_operands ? e->tool->operands[0] : NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf here = { 0 };
	struct lh_err *err = &e->tool->err;
	struct gguf *g;
	struct stat st;
	int rc = -1;

	if (check_convert(e, to) < 0)
		return -1;
	g = lh_calloc(1, sizeof *g);
	lh_buf_printf(&here, "./%s", e->convert);
	lh_buf_putc(&here, '\0');
	e->operand = !strchr(e->convert, '/') && stat(here.p, &st) == 0 ? here.p : e->convert;
	e->threads = e->tool->jobs;
	if (gguf_open_source(g, e, err) < 0)
		;		/* *err says why */
	else if (stat(g->model.found.path, &st) < 0 || !S_ISDIR(st.st_mode))
		lh_tool_usage(e->tool, "--convert %s: is a file already: a folder in the form of "
			      "Hugging Face is converted", e->convert);
	else
		rc = lh_model_convert(g->model.found.path, to, e->type < 0
				      ? LH_MODEL_F16 : (enum lh_model_type)e->type,
				      e->tool->force, err);
	gguf_free(g);
	return rc;
}
