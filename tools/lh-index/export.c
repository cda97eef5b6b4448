/* export.c - lh-index export: write INDEX as an index of the library hnswlib. */
#include "index/index_tools.h"
#include <stdlib.h>
#include <unistd.h>

#include "index.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "index/hnswlib.h"

#define PIECE ((size_t)1 << 20)		/* bytes of one write */

struct export {
	struct lh_index *ix;
	uint64_t *row;			/* of each label */
	uint64_t rows;
	struct lh_atomic file, ids;
	struct lh_buf lines;
	struct metadata meta;
};

static int put_line(struct export *x, uint64_t label, const struct lh_row *row,
		    struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&x->lines);

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "label", label);
	lh_write_str(&w, "id", row->id);
	if (metadata_write(&x->meta, &w, row, err) < 0)
		return -1;
	lh_write_end(&w);
	lh_buf_putc(&x->lines, '\n');
	return 0;
}

static int flush_lines(struct export *x, struct lh_err *err)
{
	if (lh_atomic_write(&x->ids, x->lines.p, x->lines.len, err) < 0)
		return -1;
	lh_buf_reset(&x->lines);
	return 0;
}

/* Write the ids of the live rows; their labels count from 0. */
static int write_ids(struct export *x, struct lh_tool *tool)
{
	uint64_t i, n = lh_index_rows(x->ix);
	struct lh_row row;
	int live;

	x->row = lh_calloc(n, sizeof *x->row);
	for (i = 0; i < n && !lh_stopping(); i++) {
		live = lh_index_nth_row(x->ix, i, &x->row[x->rows], &row, &tool->err);
		if (live < 0 || (live && put_line(x, x->rows++, &row, &tool->err) < 0))
			return lh_err_prefix(&tool->err, "%s: row %llu", tool->operands[0],
					     (unsigned long long)i);
		if (x->lines.len >= PIECE && flush_lines(x, &tool->err) < 0)
			return -1;
	}
	return flush_lines(x, &tool->err) < 0 ? -1 : not_stopped(tool);
}

static void vector_of(void *ctx, uint64_t label, float *out)
{
	const struct export *x = ctx;

	lh_index_vector(x->ix, x->row[label], out);
}

/* Build a graph of the live rows, and write it. */
static int write_graph(struct export *x, struct lh_tool *tool)
{
	struct lh_hnswlib *h = index_graph(tool, lh_index_get_params(x->ix), x->rows, vector_of, x);
	int rc = h ? lh_hnswlib_save(h, x->file.tmp, &tool->err) : -1;

	lh_hnswlib_free(h);
	return rc < 0 ? lh_err_prefix(&tool->err, "%s", x->file.path) : 0;
}

/* Put both files into place, when both are on disk. */
static int commit(struct export *x, struct lh_err *err)
{
	if (fsync(x->ids.fd) < 0)
		return lh_err_sys(err, "%s: cannot sync", x->ids.path);
	if (fsync(x->file.fd) < 0)
		return lh_err_sys(err, "%s: cannot sync", x->file.path);
	return lh_atomic_commit(&x->ids, err) < 0 ? -1 : lh_atomic_commit(&x->file, err);
}

static int write_both(struct export *x, struct lh_tool *tool, const struct settings *s)
{
	if (lh_index_check_sums(x->ix, &tool->err) < 0 ||
	    lh_index_check_order(x->ix, &tool->err) < 0)
		return lh_err_prefix(&tool->err, "%s", tool->operands[0]);
	if (lh_atomic_open(&x->ids, s->ids, 0666, &tool->err) < 0 ||
	    lh_atomic_open(&x->file, s->hnswlib, 0666, &tool->err) < 0)
		return -1;
	if (write_ids(x, tool) < 0)
		return -1;
	return write_graph(x, tool) < 0 ? -1 : commit(x, &tool->err);
}

/* Refuse to replace INDEX, and two outputs of one name. */
static int check_names(struct lh_tool *tool, const struct settings *s)
{
	const char *index = tool->operands[0];

	if (strcmp(s->hnswlib, "-") == 0 || strcmp(s->ids, "-") == 0)
		return lh_tool_no_stream(tool, "a file");
	if (strcmp(s->hnswlib, s->ids) == 0 || same_file(s->hnswlib, s->ids))
		return lh_tool_usage(tool, "--hnswlib and --ids name one file: %s", s->ids);
	if (same_file(s->hnswlib, index) || same_file(s->ids, index))
		return lh_tool_usage(tool, "%s: is INDEX itself", index);
	if (lh_tool_replaces(tool, s->hnswlib, &made_hnswlib) < 0)
		return -1;
	return lh_tool_replaces(tool, s->ids, &made_ids);
}

int index_export(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct export x = { .file = { .fd = -1 }, .ids = { .fd = -1 } };
	int rc;

	if (check_names(tool, s) < 0)
		return -1;
	x.ix = lh_index_open(tool->operands[0], &tool->err);
	if (!x.ix)
		return -1;
	rc = write_both(&x, tool, s);
	lh_atomic_close(&x.file);
	lh_atomic_close(&x.ids);
	metadata_free(&x.meta);
	free(x.row);
	lh_buf_free(&x.lines);
	lh_index_close(x.ix);
	return rc;
}
