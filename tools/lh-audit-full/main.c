/* lh-audit-full: check a whole distillation root.  See lh-audit-full(1). */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "audit/subject.h"
#include "base/mem.h"
#include "distill/receipt.h"
#include "tool/op.h"

/* ---- files that may be written ---- */

/* A name in a folder, independent of the path to it: files are replaced by name. */
struct place {
	const char *who, *path, *name;
	struct stat folder;
	bool is_there;		/* the folder exists */
};

static bool same_place(const struct place *a, const struct place *b)
{
	return a->is_there && b->is_there && a->folder.st_dev == b->folder.st_dev &&
		a->folder.st_ino == b->folder.st_ino &&
	       strcmp(a->name, b->name) == 0;
}

/* Check that no two of the files that the settings name are the same, and that none
 * is a log of the root. */
static int targets_check(const struct audit *a, struct lh_err *err)
{
	char *baselines = lh_root_join(a->root, AUDIT_BASELINES);
	char *replays = lh_root_join(a->root, AUDIT_REPLAYS);
	struct place p[] = {
		{ .who = "the log of replays", .path = replays },
		{ .who = "the file of baselines", .path = baselines },
		{ .who = "--out", .path = a->s->out },
		{ .who = "--html", .path = a->s->html },
	};
	int rc = 0;
	size_t i, k;

	for (i = 0; i < sizeof p / sizeof *p; i++) {
		const char *path = p[i].path, *slash = path ? strrchr(path, '/') : NULL;
		char folder[PATH_MAX] = ".";
		int n = slash ? snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path),
					 path) : 1;

		p[i].name = slash ? slash + 1 : path;
		p[i].is_there = path && n < PATH_MAX && stat(folder, &p[i].folder) == 0;
	}
	for (i = 2; !rc && i < sizeof p / sizeof *p; i++)
		for (k = 0; !rc && k < i; k++)
			if (same_place(&p[i], &p[k]))
				rc = lh_err_set(err, LH_EUSAGE, "%s: %s is %s", p[i].who, p[i].path,
						p[k].who);
	free(baselines);
	free(replays);
	return rc;
}

/* ---- the audit ---- */

/* Lock the root against changes; if it is locked, report it and do not wait,
 * because the audit will be run again. */
static int lock_root(struct audit *a, struct lh_err *err)
{
	const char *path = lh_root_path(a->root);

	if (access(path, W_OK) < 0) {
		lh_tool_message(a->tool,
				"%s: not locked, as only who may write it can; others may change "
				"it meanwhile", path);
		return 0;
	}
	if (lh_root_lock(a->root, 0, err) == 0)
		return 0;
	if (err->code == LH_ELOCKED)
		lh_err_set(err, LH_ELOCKED, "%s: another audit or run is at work there", path);
	return -1;
}

static int find_commit(struct audit *a, struct lh_err *err)
{
	if (lh_git_commit(lh_root_path(a->root), a->git_commit, err))
		return 0;
	*a->git_commit = '\0';
	return err->code == LH_EDATA ? 0 : -1;
}

static int phases(struct audit *a, struct lh_err *err)
{
	static int (*const run[])(struct audit *a, struct lh_err *err) = {
		phase_documents, phase_samples, phase_evidence, phase_scores, phase_exports,
			phase_receipts, phase_gate, phase_replay,
	};
	size_t i;

	for (i = 0; i < sizeof run / sizeof *run; i++)
		if (phase_asked(a->s, (int)i) && run[i](a, err) < 0)
			return -1;
	checks_end(a);
	return 0;
}

/* Write the files that the settings request in addition to stdout; the baseline
 * last, so that its report exists when it does. */
static int files(struct audit *a, struct lh_err *err)
{
	if (report_write(a, err) < 0)
		return -1;
	if (a->history.bad.code) {
		*err = a->history.bad;
		return -1;
	}
	return a->s->append_baseline ? history_append(a, err) : 0;
}

static int audit(struct audit *a, struct lh_err *err)
{
	int printed;

	if (lock_root(a, err) < 0)
		return -1;
	lh_tool_time(a->tool, a->recorded_at);
	if (find_commit(a, err) < 0 || newest_run(a, err) < 0 || census_take(a, err) < 0 ||
	    history_read(a, err) < 0 || phases(a, err) < 0)
		return -1;
	if (!audit_is_sound(a) || (a->s->fail_on_drift && a->history.drift.warned))
		lh_tool_verdict_bad(a->tool);
	/* after a failure of stdout the report is written all the same */
	printed = report_print(a);
	return files(a, err) < 0 ? -1 : printed;
}

int audit_verb(struct lh_tool *tool, void *settings)
{
	struct audit a = { .tool = tool, .s = settings };
	struct lh_err *err = &tool->err;
	int rc = -1;

	checks_begin(&a);
	a.root = lh_root_open(a.s->root, err);
	if (a.root && targets_check(&a, err) == 0)
		rc = audit(&a, err);
	checks_free(&a);
	census_free(&a.census);
	lh_buf_free(&a.bad_summary);
	free(a.run_id);
	history_free(&a.history);
	lh_root_close(a.root);
	return rc;
}

/* ---- main ---- */

static const struct lh_made made_report = { "a report of an audit", { "# Full audit: " },
					    NULL };
#define LAST 1e15	/* rows of a file of baselines */

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_TEXT(struct settings, root, .env = "LH_DISTILL_ROOT", .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "subjects", "DIR", "folder of subjects (default: below the root)",
	  LH_TEXT(struct settings, subjects, .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "out", "FILE", "the report, Markdown",
	  LH_TEXT(struct settings, out, .verbs = V_AUDIT, .makes = &made_report) },
	{ 0, "html", "FILE", "the report as a web page; -: instead of lines",
	  LH_TEXT(struct settings, html, .verbs = V_AUDIT, .makes = &lh_made_page) },
	{ 0, "json", NULL, "print one document, not lines",
	  LH_FLAG(struct settings, json, .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "append-baseline", NULL, "append the metrics to the baselines",
	  LH_FLAG(struct settings, append_baseline, .verbs = V_AUDIT) },
	{ 0, "fail-on-drift", NULL, "exit 1 if a metric is flagged warn",
	  LH_FLAG(struct settings, fail_on_drift, .verbs = V_AUDIT | V_DRIFT) },
	{ 0, "observer", NULL, "read the files on disk, run nothing",
	  LH_FLAG(struct settings, observer, .verbs = V_AUDIT) },
	{ 0, "phase", "N", "this phase, 0 to 7 (repeatable; default: all)",
	  LH_TEXTS(struct settings, phase, .verbs = V_AUDIT, .words = "0|1|2|3|4|5|6|7") },
	{ 0, "test-command", "CMD", "phase 1: must exit with 0 as well",
	  LH_TEXT(struct settings, test_command, .verbs = V_AUDIT) },
	{ 0, "samples", "DIR", "phase 1: samples (default: built in)",
	  LH_TEXT(struct settings, samples, .verbs = V_AUDIT) },
	{ 0, "acceptance-fixture", "DIR", "phase 6: the root to run on (default: built in)",
	  LH_TEXT(struct settings, acceptance_fixture, .verbs = V_AUDIT) },
	{ 0, "replay-command", "CMD", "phase 7: replay with this (default: lh-replay)",
	  LH_TEXT(struct settings, replay_command, .verbs = V_AUDIT) },
	{ 0, "from", "N",
	  "row that is the baseline, from 1, or -1 for the last (default: the one before --to)",
	  LH_INT(struct settings, from, -LAST, LAST, .verbs = V_DRIFT) },
	{ 0, "to", "N", "row to compare with it (default -1)",
	  LH_INT(struct settings, to, -LAST, LAST, .verbs = V_DRIFT) },
	LH_FORCE_OPTION(V_AUDIT),
	LH_LOCK_OPTION(V_AUDIT),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* A check, or the summary; with --json both in one document. */
static const struct lh_bind audited[] = {
	{ LH_BIND_ONLY("phase", LH_BIND_TO_WHOLE), .most = PHASES - 1, .about = "of a check" },
	{ LH_BIND_ONLY("name", LH_BIND_TO_STRING), .about = "what is checked" },
	{ LH_BIND_ONLY("passed", LH_BIND_TO_BOOL) },
	{ LH_BIND_ONLY("required", LH_BIND_TO_BOOL) },
	{ LH_BIND_ONLY("recorded_at", LH_BIND_TO_STRING), .about = "of the summary" },
	{ LH_BIND_ONLY("required_passed", LH_BIND_TO_WHOLE), .most = CHECKS },
	{ LH_BIND_ONLY("required_total", LH_BIND_TO_WHOLE), .most = CHECKS },
	LH_OP_OBJECT("metrics"),
	{ LH_BIND_ONLY("checks", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY) },
	LH_OP_OBJECT("summary"),
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", "", "audit a root", V_AUDIT, .out = audited, .command = audit_verb,
	  .writes = true },
	{ "drift", "[FILE]", "compare two baselines", V_DRIFT, .command = drift_verb },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i;

	if (s->json && s->html && !strcmp(s->html, "-"))
		return lh_tool_usage(tool, "--json and --html - exclude each other");
	for (i = 0; i < s->phase.n; i++)
		if (s->phase.v[i][0] < '0' || s->phase.v[i][0] >= '0' + PHASES || s->phase.v[i][1])
			return lh_tool_usage(tool,
					     "--phase: \"%s\" is not a whole number from 0 to %d",
					     s->phase.v[i], PHASES - 1);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .from = NO_ROW, .to = NO_ROW };
	static const struct lh_tool_spec spec = {
		.name = "lh-audit-full",
		.synopsis = "[COMMAND] [OPTION]...",
		.summary = "check a whole root: files, rules and replays",
		.example = "lh-audit-full --phase 4 --root work",
		.options = options,
		.ops = ops,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
