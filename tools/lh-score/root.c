/* root.c - score all evidence of a root. */
#include "json/write.h"
#include "score.h"

#include "distill/stages.h"

#define MESSAGES 20	/* about one file, unless --verbose */

struct report {
	struct lh_tool *tool;
	struct lh_score_file all;	/* of the files so far */
	const char *file;		/* the file of the messages so far, ... */
	unsigned messages;		/* ... and their number */
};

static void on_bad(void *ctx, const char *evidence, uint64_t line, const char *why)
{
	struct report *t = ctx;

	if (t->file != evidence) {
		t->file = evidence;
		t->messages = 0;
	}
	if (t->tool->quiet)
		return;
	if (t->messages < MESSAGES || t->tool->verbose)
		lh_tool_warn(t->tool, "%s:%llu: %s", evidence, (unsigned long long)line, why);
	else if (t->messages == MESSAGES)
		lh_tool_warn(t->tool, "%s: further messages suppressed (--verbose shows all)",
			     evidence);
	t->messages++;
}

static int on_file(void *ctx, const struct lh_score_file *f, struct lh_err *err)
{
	struct report *t = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_writer json = lh_write_to(&b);
	int i;

	t->all.read += f->read;
	t->all.written += f->written;
	t->all.skipped += f->skipped;
	t->all.deduped += f->deduped;
	lh_write_object(&json, NULL);
	lh_write_text(&json, "evidence_file", f->evidence);
	lh_write_text(&json, "scored_file", f->scored);
	lh_write_u64(&json, "rows_read", f->read);
	lh_write_u64(&json, "rows_written", f->written);
	lh_write_u64(&json, "rows_skipped", f->skipped);
	lh_write_u64(&json, "rows_deduped", f->deduped);
	for (i = 0; i < LH_CATEGORIES; i++)
		lh_write_u64(&json, lh_category_name((enum lh_category)i), f->by[i]);
	lh_write_end(&json);
	lh_buf_putc(&b, '\n');
	if (lh_tool_out(t->tool, b.p, b.len) < 0) {
		*err = t->tool->err;
		return -1;
	}
	return 0;
}

static void on_progress(void *ctx, enum lh_stage stage, uint64_t records)
{
	(void)stage;
	lh_tool_progress(ctx, records);
}

int root_run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct report report = { .tool = tool };
	const struct lh_score_watch watch = { .bad = on_bad, .file = on_file, .ctx = &report };
	struct lh_stage_result res = { 0 };
	struct lh_run *run;
	int rc = -1;

	s->how.jobs = (unsigned)tool->jobs;
	s->how.lock_timeout = tool->lock_timeout;
	s->how.progress = on_progress;
	s->how.ctx = tool;
	run = lh_run_open(&s->how, tool->now, &tool->err);
	if (run)
		rc = lh_stage_score_watched(run, &res, &watch, &tool->err);
	if (!rc)
		lh_tool_warn(tool, "%llu read, %llu written, %llu skipped, %llu deduped",
			     (unsigned long long)report.all.read,
			    (unsigned long long)report.all.written,
			    (unsigned long long)report.all.skipped,
			    (unsigned long long)report.all.deduped);
	if (report.all.skipped)
		lh_tool_verdict_bad(tool);
	lh_stage_done(&res);
	lh_run_close(run);
	return rc;
}
