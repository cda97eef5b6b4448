/* fetched.c - indexes in S3: lh-index copies them into the cache.  See search.h. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/coproc.h"
#include "proc/run.h"
#include "search.h"
#include "store/cache.h"

#define PATH_ROOM 8192
#define TRIES 3		/* while another process removes copies */

/* Return where the object's name begins in "s3://..." or "NAME=s3://...", or NULL. */
static const char *object_in(const char *operand)
{
	const char *equals;

	if (lh_store_is_s3(operand))
		return operand;
	equals = strchr(operand, '=');
	return equals && lh_store_is_s3(equals + 1) ? equals + 1 : NULL;
}

/* Run lh-index fetch: the path that it prints, to be freed. */
static char *copy_of(const char *object, struct lh_err *err)
{
	char *argv[] = { "lh-index", "fetch", "--", (char *)object, NULL };
	struct lh_child_how how = { .argv = argv, .keys = LH_KEYS_STORE, .max = PATH_ROOM };
	struct lh_child_out out;
	char *path = NULL;

	if (lh_child_run(&how, NULL, 0, &out, err) == 0) {
		if (out.status || !out.out.len || out.out.p[out.out.len - 1] != '\n')
			lh_err_set(err, LH_EIO, "%s", out.last_line[0] ? out.last_line :
				   "lh-index fetch ended without an answer");
		else
			path = lh_strndup(out.out.p, out.out.len - 1, err);
	}
	lh_child_free(&out);
	return path;
}

/* Copy the object, and hold the copy: the operand with its path, to be freed. */
static char *fetch(struct fetched *f, const char *operand, const char *object, struct lh_err *err)
{
	struct lh_buf b = { 0 };
	char *path = NULL;
	int held = -1, i;

	for (i = 0; i < TRIES && held < 0; i++) {
		free(path);
		path = copy_of(object, err);
		if (!path)
			return NULL;
		held = lh_cache_hold(path);
	}
	if (held >= 0) {
		f->held[f->n_own] = held;
		lh_buf_add(&b, operand, (size_t)(object - operand));
		lh_buf_puts(&b, path);
		lh_buf_putc(&b, '\0');
	} else {
		lh_err_set(err, LH_EIO, "%s: its copy does not stay in the cache", object);
	}
	free(path);
	if (held >= 0 && lh_buf_check(&b, err) < 0) {
		close(held);
		lh_buf_free(&b);
	}
	return b.p;
}

int fetched_open(struct fetched *f, struct lh_tool *tool)
{
	size_t i;

	f->n = tool->n_operands;
	f->operands = lh_calloc(f->n + 1, sizeof *f->operands, &tool->err);
	f->own = f->operands ? lh_calloc(f->n + 1, sizeof *f->own, &tool->err) : NULL;
	f->held = f->own ? lh_calloc(f->n + 1, sizeof *f->held, &tool->err) : NULL;
	if (!f->held)
		return -1;
	for (i = 0; i < f->n; i++) {
		const char *object = object_in(tool->operands[i]);

		f->operands[i] = tool->operands[i];
		if (!object)
			continue;
		f->own[f->n_own] = fetch(f, tool->operands[i], object, &tool->err);
		if (!f->own[f->n_own])
			return -1;
		f->operands[i] = f->own[f->n_own++];
	}
	return 0;
}

void fetched_close(struct fetched *f)
{
	while (f->n_own) {
		close(f->held[--f->n_own]);
		free(f->own[f->n_own]);
	}
	free(f->operands);
	free(f->own);
	free(f->held);
}
