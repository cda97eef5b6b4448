/* run.c - the audit: phases in their order, then output and files. */
#include "audit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "distill/receipt.h"
#include "audit/subject.h"

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

int targets_check(const struct audit *a, struct lh_err *err)
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
