/*
 * lh-show: records for people.  See lh-show(1).
 */
#include <unistd.h>

#include "base/signal.h"
#include "kind.h"
#include "show.h"
#include "tool/op.h"

static const struct lh_option options[] = {
	{ 0, "kind", "NAME", "the kind of the records (default: from their members)",
	  LH_CHOICE(struct settings, kind, .words = KIND_NAMES) },
	{ 0, "columns", "LIST", "the columns: paths separated by commas",
	  LH_TEXT(struct settings, columns) },
	{ 0, "card", NULL, "a record a screen, with all of its members",
	  LH_FLAG(struct settings, card) },
	{ 0, "json", NULL, "JSON over several lines, in colour", LH_FLAG(struct settings, json) },
	{ 0, "diff", NULL, "two records next to each other", LH_FLAG(struct settings, diff) },
	{ 0, "html", "FILE", "write a page; -: on standard output",
	  LH_TEXT(struct settings, html, .makes = &lh_made_page) },
	{ 0, "width", "N", "cells of a line; 0: no limit (default: the terminal's, or 0)",
	  LH_UINT(struct settings, width, 0, 10000) },
	{ 0, "lines", "N", "lines of a row of the table; 0: no limit (default 3, or 0)",
	  LH_UINT(struct settings, lines, 0, 1000000) },
	{ 0, "sample", "N", "records that give columns and widths (default 1000)",
	  LH_UINT(struct settings, sample, 1, 100000) },
	LH_FORCE_OPTION(0),
	{ 0, "no-pager", NULL, "write to the terminal directly",
	  LH_FLAG(struct settings, no_pager) },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

#define UNSET UINT64_MAX
#define WIDTH_LEAST 20
#define ROW_LINES 3

/* The loop over the items. */
struct loop {
	struct show *w;
	const struct view *view;
	struct lh_records *records;
	bool enough;		/* the view needs no more */
};

static int show_item(struct loop *l, const struct item *item, struct lh_err *err)
{
	int rc = l->view->take(l->w, item, err);

	l->w->shown++;
	if (rc <= 0)
		return rc;
	l->enough = true;
	return lh_err_set(err, LH_EINTR, "enough");	/* ends the flow */
}

/* ---- the flow ---- */

static int on_value(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	(void)context;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

static int on_output(const struct lh_output *o, void *shared, struct lh_err *err)
{
	return show_item(shared, &(struct item){ o->file, o->line, { o->text, o->n }, NULL }, err);
}

static int on_rejected(void *owner, const struct lh_rejection *r, struct lh_err *err)
{
	/* the CR of a CR LF is no part of what is shown */
	size_t n = r->n && r->record[r->n - 1] == '\r' ? r->n - 1 : r->n;
	struct loop *l = owner;

	if (show_item(l, &(struct item){ r->file, r->line, { r->record, n }, r->why }, err) < 0)
		return -1;
	if (screen_start(l->w, err) < 0)	/* the message is shown among the records */
		return -1;
	return lh_records_reject(l->records, r);
}

static int on_long_line(void *owner, const char *p, size_t n, struct lh_err *err)
{
	(void)err;
	return lh_records_long_line(((struct loop *)owner)->records, p, n);
}

static int on_unreadable(void *owner, const char *file, struct lh_err *err)
{
	struct loop *l = owner;

	lh_tool_warn(l->w->tool, "%s: %s", file, err->msg);
	lh_tool_failed(l->w->tool);
	return 0;
}

static int on_delivered(void *owner, uint64_t records, struct lh_err *err)
{
	(void)err;
	return lh_records_delivered(((struct loop *)owner)->records, records);
}

static int on_waiting(void *owner, struct lh_err *err)
{
	struct loop *l = owner;

	if (show_flush(l->w, 0, err) < 0 || lh_tool_flush(l->w->tool) < 0)
		return -1;
	return l->w->screen.pager.pid ? STDOUT_FILENO : 0;
}

static const struct lh_flow_hooks hooks = {
	.rejected = on_rejected, .long_line = on_long_line, .unreadable = on_unreadable,
	.delivered = on_delivered, .waiting = on_waiting,
};

/* Show the values of some files. */
static int show_files(struct loop *l, char **files, size_t n)
{
	struct lh_tool *t = l->w->tool;
	struct lh_flow flow = {
		.files = files, .n_files = n, .max_line = t->max_line, .values = true,
		.output = lh_records_output(l->records), .map = on_value, .sink = on_output,
		.stop_at_reject = t->on_error == LH_ON_ERROR_STOP,
		.shared = l, .hooks = &hooks, .owner = l,
	};
	int rc = lh_flow_run(&flow, &t->err);

	if (rc < 0 && t->err.code == LH_EINTR && !l->enough && !lh_signal_pending())
		lh_tool_reader_gone(t);		/* the user has left the pager */
	if (!l->enough)
		return rc;
	l->enough = false;
	t->err = (struct lh_err){ 0 };
	return 0;
}

static int show_all(struct show *w, const struct view *view)
{
	struct lh_tool *t = w->tool;
	struct loop l = { .w = w, .view = view };
	bool one_of_each = w->s->diff && t->n_operands == 2;
	struct lh_err err;
	int rc;

	l.records = lh_records_begin(t);
	if (l.records)
		lh_records_hint(l.records);
	rc = l.records ? view->begin(w, &t->err) : -1;
	if (!rc && lh_tool_reads_stdin(t) && isatty(STDIN_FILENO))
		lh_tool_message(t, "reading JSONL from the terminal");
	if (!rc)
		rc = show_files(&l, t->operands, one_of_each ? 1 : t->n_operands);
	if (!rc && one_of_each)
		rc = show_files(&l, t->operands + 1, 1);
	/* what was read before an error is shown, too */
	if (w->view || !view->free)
		if ((!rc || t->err.code != LH_EINTR) && view->end(w, &err) < 0 && !rc) {
			t->err = err;
			rc = -1;
		}
	if (w->view)
		view->free(w);
	return lh_records_end(l.records, rc);
}

/* ---- main ---- */

static int check(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;

	if (s->card + s->json + s->diff > 1)
		return lh_tool_usage(t, "--card, --json and --diff exclude each other");
	if (s->columns && (s->card || s->json || s->diff))
		return lh_tool_usage(t, "--columns is for a table, not for %s",
				     s->card ? "--card" : s->json ? "--json" : "--diff");
	if (s->columns && !s->columns[strspn(s->columns, ",")])
		return lh_tool_usage(t, "--columns: \"%s\" names no column", s->columns);
	if (s->width != UNSET && s->width && s->width < WIDTH_LEAST)
		return lh_tool_usage(t, "--width: \"%llu\" is neither 0 nor from %d to 10000",
				     (unsigned long long)s->width, WIDTH_LEAST);
	if (s->diff && t->n_operands > 2)
		return lh_tool_usage(t, "--diff takes two files at most");
	return 0;
}

static int run(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;
	const struct view *view = s->card ? &card_view : s->json ? &pretty_view :
				  s->diff ? &diff_view : &table_view;
	bool terminal = isatty(STDOUT_FILENO);
	struct show w = { .tool = t, .s = s };
	int rc;

	if (t->on_error == LH_ON_ERROR_EMIT)	/* bad lines are shown as they are */
		t->on_error = LH_ON_ERROR_SKIP;
	w.colored = !s->html && lh_term_colored(STDOUT_FILENO, (enum lh_color)t->color);
	if (s->width != UNSET)
		w.width = (size_t)s->width;
	else if (terminal)
		w.width = (size_t)lh_term_columns(STDOUT_FILENO);
	if (w.width && w.width < WIDTH_LEAST)
		w.width = WIDTH_LEAST;
	w.most = s->lines != UNSET ? s->lines : w.width && !s->diff ? ROW_LINES : 0;
	screen_plan(&w);
	w.to_file = s->html && strcmp(s->html, "-");
	rc = w.to_file ? lh_atomic_open(&w.page, s->html, 0666, &t->err) : 0;
	if (!rc)
		rc = show_all(&w, view);
	screen_end(&w);
	if (w.to_file && !rc)
		rc = lh_atomic_commit(&w.page, &t->err);
	if (w.to_file)
		lh_atomic_close(&w.page);
	lh_record_free(&w.json);
	lh_buf_free(&w.out);
	lh_buf_free(&w.scratch);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s = { .kind = KIND_ANY, .width = UNSET, .lines = UNSET, .sample = 1000 };
	static const struct lh_op ops[] = { { "", .in = lh_op_any, .command = run }, LH_OP_END };
	static const struct lh_tool_spec spec = {
		.name = "lh-show",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "show records as a table, as cards, side by side, or as a page",
		.options = options,
		.check = check,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
