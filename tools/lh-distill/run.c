/* run.c - lh-distill run: the five stages, their receipts, a summary. */
#include <stdlib.h>
#include <unistd.h>

#include "distill.h"
#include "tlog/log.h"

/* What is printed in passing. */
struct shown {
	struct lh_tool *tool;
	bool progress;
};

static void on_progress(void *ctx, enum lh_stage stage, uint64_t records)
{
	struct shown *s = ctx;

	lh_tool_doing(s->tool, lh_stage_name(stage));
	lh_tool_progress(s->tool, records);
}

static void run_ended(void *ctx, const struct lh_stage_result *r)
{
	struct shown *s = ctx;
	unsigned long long in = r->records_in, out = r->records_out;

	if (s->progress || s->tool->verbose)
		lh_tool_warn(s->tool,
			     "%s: %llu in, %llu out, %llu accepted, %llu rejected,"
			     " %llu quarantined, %llu skipped, %llu ms",
			     lh_stage_name(r->stage), in, out, (unsigned long long)r->accepted,
			     (unsigned long long)r->rejected,
			     (unsigned long long)r->quarantined, (unsigned long long)r->skipped,
			     (unsigned long long)r->duration_ms);
	if (r->passed)
		return;
	lh_tool_verdict_bad(s->tool);
	lh_tool_warn(s->tool, "%s has not passed: %.*s", lh_stage_name(r->stage),
		     (int)r->errors.len, r->errors.p);
}

/* Return whether there is a file that evidence could come from. */
static bool any_source(const struct lh_root *root)
{
	bool found = false;
	int i;

	for (i = 0; !found && i < LH_STREAMS; i++) {
		char *path = lh_root_join(root, lh_stream_source((enum lh_stream)i));

		found = access(path, F_OK) == 0;
		free(path);
	}
	return found;
}

/* Fail without sources: a run over the wrong folder would have nothing to do, without a
 * message. */
static void check_sources(struct lh_tool *tool, const struct lh_run *run)
{
	if (any_source(run->root))
		return;
	lh_tool_warn(tool, "%s: none of the twelve sources is in %s",
		     lh_root_path(run->root), LH_ROOT_SOURCES);
	lh_tool_verdict_bad(tool);
}

static int print(struct lh_tool *tool, const struct whole *w)
{
	/* Report what else the mail of a cron job should have. */
	warn_bad(tool, &w->bad);
	if (w->run->no_git)
		lh_tool_verbose(tool, "no git commit, zeros stand for it: %s",
				w->run->why_no_git.msg);
	if (strcmp(w->severity, "ok"))
		lh_tool_message(tool, "drift: %s, against run %s", w->severity, w->prior);
	check_sources(tool, w->run);
	return lh_tool_out(tool, w->json.p, w->json.len);
}

int distill_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
	struct shown shown = { tool, lh_tool_shows_progress(tool) };
	struct lh_run_how how = s->run;
	struct whole w;
	int rc;

	how.lock_timeout = tool->lock_timeout;
	how.progress = on_progress;
	how.ctx = &shown;
	if (committed_open(&tree, tool, s) < 0)
		return -1;
	rc = whole_run(&w, &how, tool->now, run_ended, &shown, &tool->err);
	if (!rc)
		rc = committed_append(&tree, tool, w.run->root);
	if (!rc)
		rc = print(tool, &w);
	whole_free(&w);
	return rc;
}
