/* receipts.c - lh-distill receipts: the receipts of a stored run, as JSON Lines. */
#include <stdio.h>
#include <stdlib.h>

#include "distill.h"

void warn_bad(struct lh_tool *tool, const struct lh_buf *bad)
{
	struct lh_str rest = { bad->p, bad->len }, line;

	while (lh_next_line(&rest, &line))
		lh_tool_warn(tool, "passed over: %.*s", (int)line.n, line.p);
}

/* Print a report on one line: a line end in JSON is white space between tokens. */
static int put_report(struct lh_tool *tool, struct report *r)
{
	char *p = r->text.p + (r->rec.line - r->text.p);
	size_t i;

	for (i = 0; i < r->rec.len; i++)
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
	return lh_tool_out(tool, p, r->rec.len) < 0 ? -1 : lh_tool_out(tool, "\n", 1);
}

/* Print one report: 1, 0 if it does not exist, -1. */
static int print_one(struct lh_tool *tool, struct report *r, const struct lh_root *root,
		     const char *id, const char *name, const char *schema)
{
	int rc = report_read(r, root, id, name, schema, &tool->err);

	return rc > 0 && put_report(tool, r) < 0 ? -1 : rc;
}

static int print_run(struct lh_tool *tool, const struct lh_root *root, const char *id)
{
	LH_SCOPED(report_free) struct report r;
	char name[32];
	int i, rc = 0, found = 0;

	report_init(&r);
	for (i = 0; rc >= 0 && i < LH_STAGES; i++) {
		snprintf(name, sizeof name, "%s.json", lh_stage_name((enum lh_stage)i));
		rc = print_one(tool, &r, root, id, name, "stage_receipt");
		found |= rc;
	}
	if (rc >= 0) {
		rc = print_one(tool, &r, root, id, "summary.json", "run_summary");
		found |= rc;
	}
	if (rc >= 0 && !found)
		return lh_err_set(&tool->err, LH_EIO, "%s: no such run in %s/%s", id,
				  lh_root_path(root), LH_ROOT_REPORTS);
	return rc < 0 ? -1 : 0;
}

static int print_newest(struct lh_tool *tool, const struct lh_root *root)
{
	LH_SCOPED(lh_buf_free) struct lh_buf bad = { 0 };
	char *id = NULL;
	int rc = report_newest(&id, root, NULL, true, &bad, &tool->err);

	warn_bad(tool, &bad);
	if (!rc)
		rc = lh_err_set(&tool->err, LH_EIO, "%s/%s: no run yet", lh_root_path(root),
				LH_ROOT_REPORTS);
	else if (rc > 0)
		rc = print_run(tool, root, id);
	free(id);
	return rc;
}

int distill_receipts(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_root *root = lh_root_open(s->run.root, &tool->err);
	int rc;

	if (!root)
		return -1;
	rc = s->run.run_id ? print_run(tool, root, s->run.run_id) : print_newest(tool, root);
	lh_root_close(root);
	return rc;
}
