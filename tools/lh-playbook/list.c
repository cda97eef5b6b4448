/* list.c - lh-playbook list and export: print every entry. */
#include "index/index_tools.h"
#include "playbook.h"
#include "base/signal.h"
#include "json/write.h"

struct list {
	struct lh_tool *tool;
	bool with_id;
	struct lh_record rec;
	struct lh_buf entry, strings, line;
};

/* Rows of another index, or damaged ones, are not printed. */
static int read_entry(struct list *l, const struct lh_row *row, struct lh_err *err)
{
	struct lh_playbook_entry e;

	if (lh_playbook_read_row(row, &l->rec, &l->entry, &l->strings, &e, err) == 0)
		return 0;
	if (err->code != LH_EDATA)
		return -1;
	err->code = LH_ECORRUPT;
	return lh_err_prefix(err, "no entry");
}

static int print_row(struct list *l, const struct lh_row *row, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&l->line);

	if (read_entry(l, row, err) < 0)
		return -1;
	lh_buf_reset(&l->line);
	if (l->with_id) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "playbook_id", row->id);
		lh_buf_putc(&l->line, ',');
		lh_buf_add(&l->line, l->rec.line + 1, l->rec.len - 1);
	} else {
		lh_buf_add(&l->line, l->rec.line, l->rec.len);
	}
	lh_buf_putc(&l->line, '\n');
	return 0;
}

static int print_all(struct list *l, const struct lh_index *ix)
{
	uint64_t i, at, n = lh_index_rows(ix);
	struct lh_err *err = &l->tool->err;
	struct lh_row row;
	int live;

	if (lh_index_check_order(ix, err) < 0)
		return lh_err_prefix(err, "%s", l->tool->operands[0]);
	for (i = 0; i < n && !lh_stopping(); i++) {
		live = lh_index_nth_row(ix, i, &at, &row, err);
		if (live < 0 || (live && print_row(l, &row, err) < 0))
			return lh_err_prefix(err, "%s: row %llu", l->tool->operands[0],
					     (unsigned long long)i);
		if (live && lh_tool_out(l->tool, l->line.p, l->line.len) < 0)
			return -1;
	}
	return lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

static int print(struct lh_tool *tool, bool with_id)
{
	struct lh_index *ix = lh_index_open(tool->operands[0], &tool->err);
	struct list l = { .tool = tool, .with_id = with_id };
	int rc;

	if (!ix)
		return -1;
	rc = print_all(&l, ix);
	lh_record_free(&l.rec);
	lh_buf_free(&l.entry);
	lh_buf_free(&l.strings);
	lh_buf_free(&l.line);
	lh_index_close(ix);
	return rc;
}

int playbook_list(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return print(tool, true);
}

int playbook_export(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return print(tool, false);
}

int playbook_flow(struct lh_tool *tool, struct lh_flow *flow)
{
	flow->files = tool->operands + 1;
	flow->n_files = tool->n_operands - 1;
	if (lh_records_run(tool, flow) < 0)
		return -1;
	return lh_stopping() ? lh_err_set(&tool->err, LH_EINTR, "interrupted") : 0;
}
