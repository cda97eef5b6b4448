/* root.c - run one export over a root. */
#include "export.h"
#include "json/write.h"

static void on_progress(void *tool, enum lh_stage stage, uint64_t records)
{
	(void)stage;
	lh_tool_progress(tool, records);
}


static int print(struct lh_tool *tool, enum lh_exporter x, const struct lh_export *e)
{
	struct lh_buf b = { 0 };
	struct lh_writer json = lh_write_to(&b);
	int i;

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "scored_files_read", e->files);
	lh_write_u64(&json, "records_read", e->read);
	lh_write_u64(&json, x == LH_PREFERENCE ? "pairs_exported" : "records_exported",
		     e->exported);
	lh_write_u64(&json, "records_quarantined", e->quarantined);
	lh_write_object(&json, "quarantine_summary");
	for (i = 0; i < LH_REFUSALS; i++)
		lh_write_u64(&json, lh_refusal_name((enum lh_refusal)i), e->refused[i]);
	lh_write_end(&json);
	lh_write_text(&json, "output_path", lh_exporter_output(x));
	lh_write_end(&json);
	return lh_tool_out_line(tool, &b);
}

/* Report what the verification of the file found. */
static void report_faults(struct lh_tool *tool, const struct lh_stage_result *res)
{
	LH_SCOPED(lh_buf_free) struct lh_buf list = { 0 }, scratch = { 0 };
	struct lh_value all;
	struct lh_iter it;
	struct lh_str s;

	lh_buf_putc(&list, '[');
	lh_buf_add(&list, res->errors.p, res->errors.len);
	lh_buf_putc(&list, ']');
	all = (struct lh_value){ .p = list.p, .n = list.len, .type = LH_ARRAY };
	for (lh_iter_init(&it, &all); lh_iter_next(&it); lh_buf_reset(&scratch)) {
		lh_value_str(&it.val, &scratch, &s);
		lh_tool_warn(tool, "%.*s", (int)s.n, s.p);
	}
	lh_tool_verdict_bad(tool);
}

int root_run(struct lh_tool *tool, enum lh_exporter x, struct settings *s)
{
	static const enum lh_stage stages[] = { LH_STAGE_RAG, LH_STAGE_SFT, LH_STAGE_PREFERENCE };
	struct lh_stage_result res = { 0 };
	struct lh_run *run;
	int rc = -1;

	s->run.jobs = (unsigned)tool->jobs;
	s->run.lock_timeout = tool->lock_timeout;
	s->run.progress = on_progress;
	s->run.ctx = tool;
	run = lh_run_open(&s->run, tool->now, &tool->err);
	if (run)
		rc = lh_stage_export(run, stages[x], &res, &s->how, &tool->err);
	if (!rc)
		rc = print(tool, x, &s->how);
	if (!rc && !res.passed)
		report_faults(tool, &res);
	if (!rc)
		lh_tool_message(tool, "%llu read, %llu exported, %llu quarantined",
				(unsigned long long)s->how.read,
			    (unsigned long long)s->how.exported,
			    (unsigned long long)s->how.quarantined);
	lh_stage_done(&res);
	lh_run_close(run);
	return rc;
}
