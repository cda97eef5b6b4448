/* acceptance.c - lh-distill acceptance: check that this build distils correctly. */
#include "acceptance.h"

#include <stdlib.h>

#include "base/signal.h"
#include "file/file.h"
#include "json/write.h"

/* ---- the built-in root ---- */

/* ends with a text of NULL */
static const struct acceptance_source acceptance_fixture[] = {
	{ LH_DISTILLED_FACTS,
#include "share/fixtures/distillation/acceptance/data/_kb/distilled_facts.jsonl.inc"
	},
	{ LH_CONTRACT_ANALYSES,
#include "share/fixtures/distillation/acceptance/data/_kb/contract_analyses.jsonl.inc"
	},
	{ LH_SCRUM_REVIEWS,
#include "share/fixtures/distillation/acceptance/data/_kb/scrum_reviews.jsonl.inc"
	},
	{ LH_AUTO_APPLY,
#include "share/fixtures/distillation/acceptance/data/_kb/auto_apply.jsonl.inc"
	},
	{ LH_OBSERVER_REVIEWS,
#include "share/fixtures/distillation/acceptance/data/_kb/observer_reviews.jsonl.inc"
	},
	{ LH_AUDITS,
#include "share/fixtures/distillation/acceptance/data/_kb/audits.jsonl.inc"
	},
	{ LH_STREAM_NONE, NULL },
};

/* ---- three runs ---- */

int acceptance_tell(struct acceptance *a, const char *name, bool passed, const char *expected,
		    const char *actual)
{
	struct lh_buf b = { 0 };
	struct lh_writer json = lh_write_to(&b);

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "n", ++a->reported);
	lh_write_text(&json, "name", name);
	lh_write_raw(&json, "expected", lh_str_of(expected));
	lh_write_raw(&json, "actual", lh_str_of(actual));
	lh_write_bool(&json, "passed", passed);
	lh_write_end(&json);
	a->failed += !passed;
	return lh_tool_out_line(a->tool, &b);
}

/* ---- the roots ---- */

static int copy_built_in(const struct lh_root *to, struct lh_err *err)
{
	const struct acceptance_source *s;
	int rc = 0;

	for (s = acceptance_fixture; !rc && s->text; s++) {
		struct lh_buf text = { 0 };

		lh_buf_puts(&text, s->text);
		rc = lh_root_put(to, lh_stream_source(s->stream), &text, err);
		lh_buf_free(&text);
	}
	return rc;
}

/* Copy those of the twelve sources that exist: 1, 0 if none does, -1. */
static int copy_fixture(const struct lh_root *from, const struct lh_root *to, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int i, rc = 0, found = 0;

	for (i = 0; rc >= 0 && i < LH_STREAMS; i++) {
		const char *relpath = lh_stream_source((enum lh_stream)i);
		char *path = lh_root_join(from, relpath);

		rc = lh_file_read(path, &text, err);
		if (rc > 0) {
			found = 1;
			rc = lh_root_put(to, relpath, &text, err);
		}
		free(path);
	}
	return rc < 0 ? -1 : found;
}

static int prepare(struct acceptance *a, const char *fixture, struct lh_err *err)
{
	struct lh_root *from = NULL;
	int i, rc = 0;

	if (fixture && !(from = lh_root_open(fixture, err)))
		return -1;
	for (i = 0; rc >= 0 && i < 2; i++) {
		if (lh_tmpdir_make(&a->folder[i], "lh-distill", err) == 0)
			a->root[i] = lh_root_open(a->folder[i].path, err);
		if (!a->root[i]) {
			rc = -1;
		} else if (!from) {
			rc = copy_built_in(a->root[i], err);
		} else {
			rc = copy_fixture(from, a->root[i], err);
			if (!rc)
				rc = lh_err_set(err, LH_EIO, "%s: no source in %s", fixture,
						LH_ROOT_SOURCES);
		}
	}
	lh_root_close(from);
	return rc < 0 ? -1 : 0;
}

/* ---- the runs ---- */

/* Return whether a blocked signal is pending.  It ends the process after the roots
 * are removed. */
static bool asked_to_stop(void)
{
	sigset_t come;

	sigpending(&come);
	return sigismember(&come, SIGINT) == 1 || sigismember(&come, SIGTERM) == 1 ||
		sigismember(&come, SIGHUP) == 1;
}

static int run_all(struct acceptance *a, const struct settings *s, struct lh_err *err)
{
	static const char *const id[RUNS] = { "first", "other", "again" };
	struct lh_run_how how = s->run;
	char now[32];
	int i, rc = 0;

	lh_tool_time(a->tool, now);
	if (!how.recorded_at)
		how.recorded_at = now;
	for (i = 0; !rc && i < RUNS && !asked_to_stop(); i++) {
		how.root = a->folder[i == RUN_OTHER].path;
		how.run_id = id[i];
		rc = whole_run(&a->run[i], &how, a->tool->now, NULL, NULL, err);
		if (a->run[i].run)	/* its lock must not block the next run */
			lh_run_release(a->run[i].run);
	}
	return rc || asked_to_stop() ? -1 : 0;
}

int distill_acceptance(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct acceptance a = { .tool = tool };
	struct lh_err err;
	sigset_t old;
	size_t i;
	int rc;

	lh_signal_block(&old);	/* the roots must be removed in any case */
	rc = prepare(&a, s->fixture, &tool->err);
	if (!rc)
		rc = run_all(&a, s, &tool->err);
	if (!rc)
		rc = acceptance_check(&a, &tool->err);
	for (i = 0; i < RUNS; i++)
		whole_free(&a.run[i]);
	for (i = 0; i < 2; i++) {
		lh_root_close(a.root[i]);
		if (lh_tmpdir_remove(&a.folder[i], &err) < 0) {
			lh_tool_warn(tool, "%s", err.msg);
			lh_tool_failed(tool);
		}
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (rc < 0)
		return -1;
	if (a.failed)
		lh_tool_verdict_bad(tool);
	lh_tool_message(tool, "%u/%u invariants hold", a.reported - a.failed, a.reported);
	return 0;
}
