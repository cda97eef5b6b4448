/* decisions.c - lh-observe decisions: count and list the rows of a log of decisions. */
#include "run.h"

#include "observe/observe.h"

struct decisions {
	uint64_t total;
	struct tally tools, verdicts;
	struct lh_buf name;	/* scratch */
};

static bool is_text(struct lh_str s, const char *text)
{
	return !text || lh_str_is(s, text, strlen(text));
}

/* Return whether one of the ids, objects with "id", is this one. */
static bool has_id(const struct lh_value *ids, const char *id, struct lh_buf *scratch)
{
	struct lh_iter it, member;
	struct lh_str text;

	if (!ids->p)
		return false;
	for (lh_iter_init(&it, ids); lh_iter_next(&it); ) {
		if (it.val.type != LH_OBJECT)
			continue;
		for (lh_iter_init(&member, &it.val); lh_iter_next(&member); ) {
			if (member.val.type != LH_STRING || !lh_value_is(&member.key, "id", 2))
				continue;
			lh_buf_reset(scratch);
			lh_value_str(&member.val, scratch, &text);
			if (is_text(text, id))
				return true;
		}
	}
	return 0;
}

/* Return whether a row is among those that are asked for. */
static bool is_asked(const struct settings *s, const struct lh_decision_row *row,
		    struct lh_buf *scratch)
{
	if (!is_text(row->tool, s->tool) || !is_text(row->trace, s->trace))
		return false;
	return !s->id || has_id(&row->ids, s->id, scratch);
}

static int count(struct decisions *d, const struct lh_decision_row *row, struct lh_err *err)
{
	d->total++;
	lh_buf_reset(&d->name);
	lh_buf_add(&d->name, row->tool.p, row->tool.n);
	lh_buf_putc(&d->name, ' ');
	lh_buf_add(&d->name, row->verdict.p, row->verdict.n);
	if (!tally_add(&d->tools, row->tool, true, "tools", err) ||
	    !tally_add(&d->verdicts, (struct lh_str){ d->name.p, d->name.len }, true, "verdicts",
		       err))
		return -1;
	return 0;
}

/* Count or print the row that was parsed. */
static int take(struct reading *g, struct decisions *d, const struct lh_log_line *line,
		struct lh_err *err)
{
	const struct settings *s = g->run->s;
	struct lh_decision_row row;

	if (lh_decision_read(&g->rec, &row, &g->text, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		reading_skip(g, line, err->msg);
		return 0;
	}
	if (!is_asked(s, &row, &d->name))
		return 0;
	if (!s->list)
		return count(d, &row, err);
	if (lh_tool_out(g->run->tool, line->p, line->n) < 0)
		return -1;
	return lh_tool_out(g->run->tool, "\n", 1);
}

static int read_rows(struct reading *g, struct decisions *d, struct lh_err *err)
{
	struct lh_log_line line;
	int rc;

	reading_from(g, 0);
	while ((rc = lh_log_lines_next(&g->lines, &line, err)) > 0) {
		rc = reading_parse(g, &line, err);
		if (rc > 0)
			rc = take(g, d, &line, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int print_counts(struct lh_tool *tool, struct decisions *d)
{
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "total", d->total);
	tally_write(&w, "by_tool", &d->tools, false);
	tally_write(&w, "by_verdict", &d->verdicts, false);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &out);
}

int observe_decisions(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct decisions d = { .total = 0 };
	struct reading g;
	int rc = 0;

	if (reading_open(&g, &s->run, &tool->err) < 0)
		return -1;
	if (g.fd >= 0)
		rc = read_rows(&g, &d, &tool->err);
	if (!rc && !s->list)
		rc = print_counts(tool, &d);
	reading_report(&g);
	reading_close(&g);
	tally_free(&d.tools);
	tally_free(&d.verdicts);
	lh_buf_free(&d.name);
	return rc;
}
