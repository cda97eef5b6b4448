/* given.c - what the operands are: indexes, files of records, a text.  See search.h. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "search.h"

/* ---- indexes in S3 ---- */

int fetched_open(struct fetched *f, struct settings *set, struct lh_tool *tool)
{
	size_t i;

	f->operands = lh_calloc(tool->n_operands + 1, sizeof *f->operands);
	for (i = 0; i < tool->n_operands; i++) {
		f->operands[i] = tool->operands[i];
		if (lh_object_copies_take(&f->copies, (const char **)&f->operands[i],
					  &tool->err) < 0)
			return -1;
	}
	return set->playbook ? lh_object_copies_take(&f->copies, &set->playbook, &tool->err) : 0;
}

void fetched_close(struct fetched *f)
{
	lh_object_copies_free(&f->copies);
	free(f->operands);
}

/* ---- the text ---- */

/* Return whether an operand that is no file was meant to be one. */
static bool like_file(const char *operand)
{
	static const char *const ends[] = { ".lhv", ".csv", ".tsv", ".jsonl", ".ndjson", ".json",
					    ".parquet", ".txt", ".zip", ".tar", "/", NULL };
	const char *equals = strchr(operand, '=');
	size_t i;

	if (lh_store_is_s3(operand) || (equals && lh_store_is_s3(equals + 1)) ||
	    (equals && access(equals + 1, F_OK) == 0))
		return true;
	for (i = 0; ends[i]; i++)
		if (lh_archive_named(operand, ends[i]) && !strpbrk(operand, " \t\n"))
			return true;
	return false;
}

int given_text(struct lh_tool *tool, struct settings *set)
{
	const char *last = tool->n_operands ? tool->operands[tool->n_operands - 1] : "";

	if (set->query || set->wire || tool->n_operands < 2)
		return 0;
	if (!strcmp(last, "-")) {	/* the queries are read from standard input */
		tool->n_operands--;
		return 0;
	}
	if (access(last, F_OK) == 0) {
		if (lh_filesearch_is(last))
			lh_tool_message(tool, "%s is a file, and is searched; -Q %s searches for "
					"that text", last, last);
		return 0;
	}
	if (like_file(last))
		return 0;
	if (!lh_utf8_valid(last, strlen(last)))
		return lh_tool_usage(tool, "the text is not UTF-8");
	set->query = last;
	set->shown = true;
	tool->n_operands--;
	return 0;
}

int given_hint(const char *path, struct lh_err *err)
{
	size_t n = strlen(err->msg);

	if (access(path, F_OK) < 0 && errno == ENOENT && !like_file(path))
		snprintf(err->msg + n, sizeof err->msg - n,
			 " (a text comes last: lh search FILE TEXT)");
	return -1;
}

/* ---- files ---- */

/* Return where the path begins in FILE or NAME=FILE. */
static const char *path_in(const char *operand)
{
	const char *equals = strchr(operand, '=');

	return equals && equals > operand && access(operand, F_OK) < 0 ? equals + 1 : operand;
}

static bool is_taken(const struct given *g, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->operand[i] && !strncmp(g->operand[i], name, n) && g->operand[i][n] == '=')
			return true;
	return false;
}

/* Return NAME=INDEX: the name is that of the file without folder and ending, or all of it where
 * that is taken. */
static char *name_index(const struct given *g, const char *operand, const char *path,
			const char *index)
{
	LH_SCOPED(lh_free_local) char *all = NULL;
	struct lh_buf b = { 0 };
	const char *name, *dot;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	all = path > operand ? lh_strndup(operand, (size_t)(path - operand) - 1) :
			       lh_strndup(path, n);
	name = strrchr(all, '/') && path == operand ? strrchr(all, '/') + 1 : all;
	n = path == operand ? lh_archive_stem(name) : strlen(name);
	dot = path == operand ? memrchr(name, '.', n) : NULL;
	n = dot && dot > name ? (size_t)(dot - name) : n;
	if (is_taken(g, name, n)) {
		name = all;
		n = strlen(all);
	}
	if (lh_utf8_valid(name, n))
		lh_buf_add(&b, name, n);
	else
		lh_buf_puts(&b, "records");
	for (n = 0; n < b.len; n++)
		b.p[n] = b.p[n] == '=' ? '_' : b.p[n];
	lh_buf_printf(&b, "=%s%c", index, '\0');
	return b.p;
}

/* Say what was chosen, unless it is what was said of the file before. */
static void say(struct lh_tool *tool, const struct given *g, size_t i, const char *path,
		const char *model)
{
	const struct lh_filesearch *f = &g->file[i];

	if (!i || strcmp(f->said.p, g->file[i - 1].said.p))
		lh_tool_message(tool, "%s: %s%s", path, f->said.p, f->records ?
				" (--field, --template and --id-field choose others)" : "");
	if (model && f->by_model)
		lh_tool_message(tool, "%s: read by the model %s", path, model);
	else if (model && f->records)
		lh_tool_message(tool, "%s: the best %d by words and spelling are ordered by the "
				"model %s; --whole lets it read all", path, REREAD_DEPTH, model);
	if (f->warning.len)
		lh_tool_message(tool, "%s: %s", path, f->warning.p);
	if (f->rejected)
		lh_tool_verdict_bad(tool);
}

static int refuse_terminal(struct lh_tool *tool, const struct settings *set, const char *path)
{
	if (set->query || set->like.n || (strcmp(path, "-") && !isatty(STDIN_FILENO)))
		return 0;
	return lh_tool_usage(tool, "%s: what to search for is missing: lh search FILE TEXT", path);
}

/* Make or find the index of a file.  One of several that cannot be read is reported, and left
 * out: 0, or 1 if there is an index. */
static int open_file(struct given *g, const char *path, const struct lh_filesearch_how *how,
		     bool alone, struct lh_tool *tool)
{
	struct lh_filesearch *f = &g->file[g->n];

	if (lh_filesearch_open(f, path, how, &tool->err) == 0)
		return 1;
	lh_filesearch_close(f);
	if (alone || (tool->err.code != LH_EIO && tool->err.code != LH_EDATA))
		return -1;
	lh_tool_warn(tool, "%s", tool->err.msg);
	lh_tool_failed(tool);
	tool->err = (struct lh_err){ 0 };
	return 0;
}

/* Return whether a path is a file of records that is missing: one called as an index is refused as
 * an index, and what has no ending may be a text in the wrong place. */
static bool is_missing(const char *path)
{
	return access(path, F_OK) < 0 && errno == ENOENT && like_file(path) &&
	       !lh_ends_with(path, ".lhv") && !lh_ends_with(path, "/") && !lh_store_is_s3(path);
}

int given_open(struct given *g, char **operands, size_t *n_operands, struct settings *set,
	       struct lh_tool *tool)
{
	const size_t n = *n_operands;
	struct lh_filesearch_how how = {
		.field = set->field, .template = set->template, .id_field = set->id_field,
		.lines = set->lines,
		.hash = lh_filesearch_hash(set->model),
		.within = set->whole ? INFINITY : set->read_within,
		.no_cache = set->no_cache, .quiet = tool->quiet,
		.progress = tool->progress != LH_PROGRESS_NEVER && !tool->quiet
	};
	size_t i, left = 0;
	int rc;

	/* indexes have a model of their own */
	for (i = 0; !set->words && !set->wire && !set->reads && i < n; i++)
		if (lh_filesearch_is(path_in(operands[i])))
			how.model = set->reads = lh_filesearch_model(set->model);
	if (set->whole && !how.model)
		return lh_tool_usage(tool, "--whole: no model; ./bootstrap model brings one, and "
				     "--model FILE names one");
	g->file = lh_calloc(n, sizeof *g->file);
	g->operand = lh_calloc(n, sizeof *g->operand);
	for (i = 0; i < n; i++) {
		const char *path = path_in(operands[i]);

		if (set->wire || (!lh_filesearch_is(path) && (n == 1 || !is_missing(path)))) {
			operands[left++] = operands[i];
			continue;
		}
		rc = refuse_terminal(tool, set, path);
		if (!rc)
			rc = open_file(g, path, &how, n == 1, tool);
		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		say(tool, g, g->n, path, how.model);
		if (how.model && !g->file[g->n].by_model)
			set->reader = how.model;
		set->shown_id |= g->file[g->n].id_is_line;
		set->divided |= g->file[g->n].divided;
		g->operand[g->n] = name_index(g, operands[i], path, g->file[g->n].index);
		operands[left++] = g->operand[g->n++];
	}
	*n_operands = left;
	if (g->n)
		tool->once = true;	/* an index that is not kept is gone by then */
	else if (n && (set->field || set->template || set->id_field || set->no_cache))
		return lh_tool_usage(tool, "--field, --template, --id-field and --no-cache are for "
				     "files of records");
	/* of several corpora each would have a best record of its own */
	if (n > 1)			/* of several files the words are not compared */
		set->reader = NULL;
	set->hybrid |= (g->n == 1 && left == 1 && !set->playbook && !set->playbooks) || set->words;
	set->look = g->n > 0 && !set->hybrid;
	set->shown_id |= g->n < left;
	return set->matched && !set->hybrid && !set->look
		? lh_tool_usage(tool, "--matched: needs --hybrid for an INDEX") : 0;
}

void given_close(struct given *g)
{
	size_t i;

	for (i = 0; i < g->n; i++) {
		lh_filesearch_close(&g->file[i]);
		free(g->operand[i]);
	}
	free(g->file);
	free(g->operand);
	*g = (struct given){ NULL };
}
