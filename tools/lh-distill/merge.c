/* merge.c - lh-distill merge: join the parts of a divided run. */
#include "distill.h"
#include "tlog/once.h"

/* Print what lh-materialize prints. */
static int print_collected(struct lh_tool *tool, const struct lh_run *run,
			   const struct lh_collect *c)
{
	struct lh_buf out = { 0 };

	lh_collect_print(run, c, &out);
	return lh_tool_out_text(tool, &out);
}

int distill_merge(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
	struct lh_collect collect = { 0 };
	struct lh_run_how how;
	struct shown shown;
	struct whole w;
	int rc;

	if (!s->run.run_id)
		return lh_tool_usage(tool, "merge needs --run-id: the run whose parts are joined");
	if (committed_open(&tree, tool, s) < 0)
		return -1;
	how = run_how(tool, s, &shown);
	rc = whole_merge(&w, &how, tool->now, run_ended, &shown, &collect, &tool->err);
	if (!rc)
		rc = committed_append(&tree, tool, w.run->root);
	if (!rc)
		rc = w.json.len ? run_print(tool, &w) : print_collected(tool, w.run, &collect);
	whole_free(&w);
	return rc;
}
