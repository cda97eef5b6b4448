/* whole.c - the five stages in sequence, and their files. */
#include "distill.h"

#include <stdlib.h>

#include "distill/stages.h"

static int run_stage(struct whole *w, enum lh_stage i, struct lh_err *err)
{
	switch (i) {
	case LH_STAGE_COLLECT:
		return lh_stage_collect(w->run, &w->stage[i], NULL, err);
	case LH_STAGE_SCORE:
		return lh_stage_score(w->run, &w->stage[i], err);
	default:
		return lh_stage_exports(w->run, &w->stage[i], err);
	}
}

/* The exports are one step: they share one pass. */
static int run_stages(struct whole *w, whole_fn *ended, void *ctx, struct lh_err *err)
{
	size_t i, next;

	for (i = 0; i < LH_STAGES; i = next) {
		next = i < LH_STAGE_RAG ? i + 1 : LH_STAGES;
		lh_run_progress(w->run, (enum lh_stage)i, 0);
		if (run_stage(w, (enum lh_stage)i, err) < 0)
			return lh_err_prefix(err, "%s", i < LH_STAGE_RAG
					     ? lh_stage_name((enum lh_stage)i) : "export");
		for (; ended && i < next; i++)
			ended(ctx, &w->stage[i]);
	}
	return 0;
}

static int write_reports(struct whole *w, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int rc = drift_print(&b, w, err);

	if (!rc)
		rc = lh_report_write(w->run, "drift.json", &b, err);
	lh_buf_reset(&b);
	markdown_print(&b, w);
	if (!rc)
		rc = lh_report_write(w->run, "summary.md", &b, err);
	lh_summary_print(&w->json, &w->summary);
	lh_buf_putc(&w->json, '\n');
	return rc ? rc : lh_report_write(w->run, "summary.json", &w->json, err);
}

/* Run everything in the open run, which began at start. */
static int run_all(struct whole *w, double start, whole_fn *ended, void *ctx, struct lh_err *err)
{
	struct lh_summary *s = &w->summary;

	if (w->run->how.recorded_at)
		lh_run_time(w->run, s->started_at);
	else	/* the same, so that its records lead to the run */
		memcpy(s->started_at, w->run->recorded_at, sizeof s->started_at);
	if (run_stages(w, ended, ctx, err) < 0)
		return -1;
	lh_run_time(w->run, s->ended_at);
	s->run_id = w->run->id;
	s->git_commit = w->run->git_commit;
	s->stage = w->stage;
	s->duration_ms = w->run->fixed ? 0 : (uint64_t)((lh_time_monotonic() - start) * 1e3);
	lh_summary_settle(s);
	return write_reports(w, err);
}

int whole_run(struct whole *w, const struct lh_run_how *how, const char *now, whole_fn *ended,
	      void *ctx, struct lh_err *err)
{
	double start = lh_time_monotonic();

	*w = (struct whole){ .severity = "ok" };
	w->run = lh_run_open(how, now, err);
	return w->run ? run_all(w, start, ended, ctx, err) : -1;
}

void whole_free(struct whole *w)
{
	size_t i;

	for (i = 0; i < LH_STAGES; i++)
		lh_stage_done(&w->stage[i]);
	lh_run_close(w->run);
	free(w->prior);
	lh_buf_free(&w->json);
	lh_buf_free(&w->bad);
}
