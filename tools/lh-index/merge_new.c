/*
 * merge_new.c - lh-index merge, where DEST does not exist: make it from its parts.
 *
 * The rows are gathered as those of a build, under the lock of DEST, and the file is put into
 * place at the end.  A merge that is killed leaves no DEST.  Of two at once, the second waits,
 * and then merges into the DEST of the first.
 */
#include "index/index_tools.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "index.h"
#include "base/mem.h"
#include "base/signal.h"

struct parts {
	struct lh_tool *tool;
	struct lh_index **src;
	size_t n;
	struct lh_index_params p;	/* of DEST */
	struct lh_index_writer *w;
	uint64_t merged, skipped;
};

/* Return 1 if there is a file of that name, of any kind, 0 if not, or -1. */
static int exists(const char *path, struct lh_err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return 1;
	return errno == ENOENT ? 0 : lh_err_sys(err, "%s", path);
}

static int open_parts(struct parts *parts)
{
	char **path = parts->tool->operands + 1;
	struct lh_err *err = &parts->tool->err;
	size_t i;
	struct lh_index_stats st;

	parts->src = lh_calloc(parts->tool->n_operands - 1, sizeof *parts->src);
	for (; parts->n < parts->tool->n_operands - 1; parts->n++) {
		parts->src[parts->n] = lh_index_open(path[parts->n], err);
		if (!parts->src[parts->n])
			return -1;
	}
	/* Choose the parameters of the first part that has a record; one without may have been made
	 * before its dimension and model were known. */
	for (i = 0; i < parts->n; i++) {
		lh_index_get_stats(parts->src[i], &st);
		if (st.live)
			break;
	}
	parts->p = *lh_index_get_params(parts->src[i < parts->n ? i : 0]);
	parts->p.repaired = 0;
	lh_tool_time(parts->tool, parts->p.created_at);
	for (i = 0; i < parts->n; i++)
		parts->p.persons |= lh_index_get_params(parts->src[i])->persons;
	for (i = 0; i < parts->n; i++) {
		if (rows_fit(parts->src[i], &parts->p, path[i], err) < 0)
			return -1;
		if (lh_index_check_sums(parts->src[i], err) < 0 ||
		    lh_index_check_order(parts->src[i], err) < 0)
			return lh_err_prefix(err, "%s", path[i]);
	}
	return 0;
}

static int take_rows(struct parts *parts, const struct lh_index *src)
{
	struct lh_err *err = &parts->tool->err;
	uint64_t i, at, n = lh_index_rows(src);
	struct lh_row row;
	int rc;

	for (i = 0; i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		rc = lh_index_writer_take(parts->w, src, at, &row, err);
		if (rc < 0)
			return -1;
		++*(rc ? &parts->merged : &parts->skipped);
	}
	return not_stopped(parts->tool);
}

static int write_dest(struct parts *parts)
{
	struct lh_tool *tool = parts->tool;
	size_t i;

	for (i = 0; i < parts->n; i++)
		if (take_rows(parts, parts->src[i]) < 0)
			return lh_err_prefix(&tool->err, "%s", tool->operands[1 + i]);
	lh_index_writer_watch(parts->w, show_stage, tool);
	if (lh_index_commit(parts->w, (unsigned)tool->jobs, &tool->err) < 0)
		return -1;
	return merge_counts(tool, parts->merged, parts->skipped) < 0 ? -1 : 1;
}

int merge_new(struct lh_tool *tool, const struct settings *s)
{
	struct parts parts = { .tool = tool };
	const char *dest = tool->operands[0];
	int rc = exists(dest, &tool->err);

	if (rc)
		return rc < 0 ? -1 : 0;
	rc = open_parts(&parts);
	if (rc == 0) {
		parts.w = lh_index_writer_new(dest, &parts.p, s->lock_timeout, &tool->err);
		rc = parts.w ? exists(dest, &tool->err) : -1;
		rc = rc > 0 ? 0 : rc < 0 ? -1 : write_dest(&parts);
	}
	lh_index_writer_free(parts.w);
	while (parts.n)
		lh_index_close(parts.src[--parts.n]);
	free(parts.src);
	return rc;
}
