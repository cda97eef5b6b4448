/* lh-show: records for people.  See lh-show(1). */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "show.h"
#include "text/tokens.h"
#include "tool/op.h"

static const struct lh_option options[] = {
	{ 0, "table", NULL, "a row for each record (default)", LH_FLAG(struct settings, table) },
	{ 0, "card", NULL, "a card for each record, with all of its members",
	  LH_FLAG(struct settings, card) },
	{ 0, "diff", NULL, "two records next to each other", LH_FLAG(struct settings, diff) },
	{ 0, "columns", "LIST", "the columns: paths separated by commas",
	  LH_TEXT(struct settings, columns) },
	{ 0, "mark", "TEXT", "mark the words of TEXT, where there is colour",
	  LH_TEXT(struct settings, mark) },
	{ 0, "width", "N", "cells of a line; 0: no limit (default: the terminal's, or 0)",
	  LH_UINT(struct settings, width, 0, 10000) },
	{ 0, "sample", "N", "records that give columns and widths (default 1000)",
	  LH_UINT(struct settings, sample, 1, 100000) },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

struct run {
	struct show w;
	const struct view *view;
	bool enough;		/* the view needs no more */
};

void show_flush(struct show *w)
{
	if (w->out.len && w->pager_wanted && !w->failed) {
		w->pager_wanted = false;
		w->failed = lh_term_pager_start(&w->pager, &w->tool->err) < 0;
		if (w->pager.pid)
			lh_tool_ignore_sigpipe(w->tool);
	}
	w->failed = w->failed || lh_tool_out(w->tool, w->out.p, w->out.len) < 0;
	lh_buf_reset(&w->out);
}

static int on_value(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	(void)context;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

static int on_output(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct run *r = shared;
	int rc = r->view->take(&r->w, o);

	r->w.shown++;
	if (rc <= 0)
		return r->w.failed ? -1 : rc;	/* err is that of the tool */
	r->enough = true;
	return lh_err_set(err, LH_EINTR, "enough");	/* ends the flow */
}

static int show_all(struct run *r)
{
	struct lh_tool *t = r->w.tool;
	struct lh_err first;
	bool bad;
	int rc;

	r->w.view = lh_calloc(1, r->view->size);
	rc = lh_records_run(t, &(struct lh_flow){ .values = true, .map = on_value,
						  .sink = on_output, .shared = r });
	if (rc < 0 && r->enough) {
		t->err = (struct lh_err){ 0 };
		rc = 0;
	}
	if (rc < 0 && (r->w.failed || t->err.code == LH_EINTR))
		return rc;
	/* what was read before an error is shown, too */
	first = t->err;
	bad = r->view->end && r->view->end(&r->w) < 0;
	show_flush(&r->w);
	if (rc < 0)
		t->err = first;
	return rc < 0 || bad || r->w.failed ? -1 : 0;
}

static int check(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;

	if (s->table + s->card + s->diff > 1)
		return lh_tool_usage(t, "--table, --card and --diff exclude each other");
	if (s->columns && (s->card || s->diff))
		return lh_tool_usage(t, "--columns is for a table, not for %s",
				     s->card ? "--card" : "--diff");
	if (s->columns && !s->columns[strspn(s->columns, ",")])
		return lh_tool_usage(t, "--columns: \"%s\" names no column", s->columns);
	if (s->mark && !lh_utf8_valid(s->mark, strlen(s->mark)))
		return lh_tool_usage(t, "--mark is not UTF-8");
	if (s->diff && t->n_operands > 2)
		return lh_tool_usage(t, "--diff takes two files at most");
	return 0;
}

static int run(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;
	static struct run r;	/* what it holds is freed by the end of the process */
	struct lh_err err;
	int rc;

	r = (struct run){ .w = { .tool = t, .s = s },
			  .view = s->card ? &card_view : s->diff ? &diff_view : &table_view };
	if (t->on_error == LH_ON_ERROR_EMIT)
		t->on_error = LH_ON_ERROR_SKIP;
	r.w.colored = lh_term_colored(STDOUT_FILENO, (enum lh_color)t->color);
	r.w.width = s->width != UINT64_MAX ? (size_t)s->width :
		    isatty(STDOUT_FILENO) ? (size_t)lh_term_columns(STDOUT_FILENO) : 0;
	r.w.pager_wanted = lh_term_pager_wanted() &&
			   !(lh_tool_reads_stdin(t) && isatty(STDIN_FILENO));
	if (r.w.pager_wanted)
		t->progress = LH_PROGRESS_NEVER;	/* the terminal is the pager's */
	if (s->mark && r.w.colored)
		lh_marked_add(&r.w.marked, s->mark);
	rc = show_all(&r);
	lh_tool_flush(t);
	if (lh_term_pager_end(&r.w.pager, &err) < 0) {
		lh_tool_warn(t, "%s", err.msg);
		lh_tool_failed(t);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { .width = UINT64_MAX, .sample = 1000 };
	static const struct lh_op ops[] = { { "", .in = lh_op_any, .command = run }, LH_OP_END };
	static const struct lh_tool_spec spec = {
		.name = "lh-show",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "show records as a table, as cards, or side by side",
		.example = "lh-search -k 5 -Q 'refund not arrived' tickets.lhv | lh-show",
		.options = options,
		.check = check,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
