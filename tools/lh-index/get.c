/* get.c - lh-index get: print records by their ids. */
#include "index/index_tools.h"
#include <stdlib.h>

#include "index.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/held.h"

int find_row(const struct lh_index *ix, struct lh_str id, uint64_t *at, struct lh_row *row,
	     struct lh_err *err)
{
	int64_t found = lh_index_find(ix, id.p, id.n, err);

	if (found == -1)
		return lh_err_data(err, 404, "no record has the id \"%.*s\"",
				   (int)(id.n < 200 ? id.n : 200), id.p);
	*at = (uint64_t)found;
	return found < 0 || lh_index_row(ix, *at, row, err) < 0 ? -1 : 0;
}

static int write_found(struct row_writer *d, const struct lh_index *ix, struct lh_str id,
		       struct lh_buf *out, struct lh_err *err)
{
	struct lh_row row;
	uint64_t at;

	return find_row(ix, id, &at, &row, err) < 0 ? -1 : row_write(d, ix, at, &row, out, err);
}

/* ---- ids on the command line ---- */

/* Print one; an id that is not there costs itself alone. */
static int print_one(struct lh_tool *tool, struct row_writer *d, const struct lh_index *ix,
		     const char *id, struct lh_buf *line)
{
	struct lh_err *err = &tool->err;

	lh_buf_reset(line);
	if (write_found(d, ix, lh_str_of(id), line, err) == 0) {
		lh_buf_putc(line, '\n');
		return lh_tool_out(tool, line->p, line->len);
	}
	if (err->code != LH_EDATA)
		return lh_err_prefix(err, "%s", tool->operands[0]);
	lh_tool_warn(tool, "%s: %s", tool->operands[0], err->msg);
	lh_tool_verdict_bad(tool);
	return tool->on_error == LH_ON_ERROR_STOP ? 1 : 0;
}

static int print_operands(struct lh_tool *tool, const struct settings *s)
{
	struct lh_index *ix = lh_index_open(tool->operands[0], &tool->err);
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct row_writer d;
	size_t i;
	int rc = 0;

	if (!ix)
		return -1;
	row_writer_init(&d, ix, s, s->encoding >= 0);
	for (i = 0; !rc && i < s->id.n && !lh_stopping(); i++)
		rc = print_one(tool, &d, ix, s->id.v[i], &line);
	for (i = 1; !rc && i < tool->n_operands && !lh_stopping(); i++)
		rc = print_one(tool, &d, ix, tool->operands[i], &line);
	row_writer_free(&d);
	lh_index_close(ix);
	return rc < 0 ? -1 : not_stopped(tool);
}

/* ---- ids of records ---- */

struct getter {
	struct lh_tool *tool;
	const struct settings *s;
};

struct view {			/* a state: the index as it is now */
	const struct getter *get;
	struct lh_index *ix;
};

struct worker {
	const struct view *view;
	struct row_writer d;
	struct lh_buf id;
};

static void view_close(void *view)
{
	lh_index_close(((struct view *)view)->ix);
	free(view);
}

static void *view_open(void *getter, const void *before, struct lh_err *err)
{
	const struct getter *get = getter;
	const struct view *was = before;
	struct view *v = lh_calloc(1, sizeof *v);

	v->get = get;
	v->ix = was ? lh_index_renew(was->ix, err) : lh_index_open(get->tool->operands[0], err);
	if (v->ix)
		return v;
	free(v);
	return NULL;
}

static bool view_stale(void *getter, const void *view)
{
	(void)getter;
	return lh_index_stale(((const struct view *)view)->ix);
}

static int worker_init(void *context, void *view, struct lh_err *err)
{
	struct worker *w = context;
	const struct settings *s = ((const struct view *)view)->get->s;

	(void)err;
	w->view = view;
	row_writer_init(&w->d, w->view->ix, s, s->encoding >= 0);
	return 0;
}

static void worker_free(void *context)
{
	struct worker *w = context;

	row_writer_free(&w->d);
	lh_buf_free(&w->id);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct worker *w = context;
	const struct view *v = w->view;
	struct lh_str id;

	lh_buf_reset(&w->id);
	if (ids_read(rec, v->get->s->id_field, &w->id, &id, err) < 0)
		return -1;
	return write_found(&w->d, v->ix, id, out, err);
}

static int print_read(struct lh_tool *tool, const struct settings *s)
{
	struct getter get = { tool, s };
	struct lh_held_how how = {
		.open = view_open, .stale = view_stale, .close = view_close, .ctx = &get
	};
	char *file[] = { (char *)(uintptr_t)s->ids };
	struct lh_flow flow = {
		.map = on_record, .ids = true, .context_size = sizeof(struct worker),
		.context_init = worker_init, .context_free = worker_free,
		.files = file, .n_files = s->ids != NULL,
	};
	int rc;

	flow.held = lh_held_open(&how, &tool->err);
	if (!flow.held)
		return -1;
	rc = lh_records_run(tool, &flow);
	lh_held_close(flow.held);
	return rc < 0 ? -1 : not_stopped(tool);
}

int index_get(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	bool given = tool->n_operands > 1 || s->id.n;

	if (given && print_operands(tool, s) < 0)
		return -1;
	return given && !s->ids ? 0 : print_read(tool, s);
}
