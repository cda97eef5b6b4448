/* lh-review: a diff reviewed by several models.  See lh-review(1). */
#include "review.h"

#include "base/signal.h"

static const struct lh_option options[] = {
	{ 0, "model", "NAME", "a model to ask (repeatable, 1 to 16)",
	  LH_TEXTS(struct review, models) },
	{ 0, "lineage", "MODEL=NAME", "lineage of a model (repeatable; default: by its name)",
	  LH_TEXTS(struct review, lineages) },
	{ 0, "oversize", NULL, "review files of more than 102400 bytes as well",
	  LH_FLAG(struct review, oversize) },
	{ 0, "label", "TEXT", "label of the last row (default: empty)",
	  LH_TEXT(struct review, label) },
	{ 0, "branch", "NAME", "its branch (default: that of the repository here)",
	  LH_TEXT(struct review, branch) },
	{ 0, "head", "COMMIT", "its commit (default: that of the repository here)",
	  LH_TEXT(struct review, head) },
	{ 0, "log", "FILE", "append the last row to FILE as well",
	  LH_TEXT(struct review, log_path) },
	LH_LOCK_OPTION(0),
	{ 0, "timeout", "S", "seconds for one call to a model (default 180)",
	  LH_REAL(struct review, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct review, retries, 0, 100) },
	LH_NOW_OPTION,
	{ 'j', "jobs", "N", "questions at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* After an error in the diff, print what the models say about the bundles before it. */
static int review(struct review *r, struct pool *pool)
{
	struct lh_err first;
	int rc = cut_run(r, pool);

	if (rc < 0 && r->tool->err.code != LH_EIO)
		return -1;
	first = r->tool->err;
	if (pool_pass(pool, true, &r->tool->err) < 0)
		return -1;
	if (!rc)
		return summary_write(r);
	r->tool->err = first;
	return -1;
}

static int run(struct review *r)
{
	struct lh_err *err = &r->tool->err;
	struct pool *pool = NULL;
	int rc = lh_signal_wake_open(err);

	r->log.fd = -1;
	lh_signal_defer(true);	/* the children must be ended */
	if (!rc)
		rc = summary_open(r);
	if (!rc)
		rc = (pool = pool_new(r, err)) ? review(r, pool) : -1;
	pool_free(pool);
	if (r->log_path && lh_applog_close(&r->log, rc < 0 ? &(struct lh_err){ 0 } : err) < 0)
		rc = -1;
	lh_signal_defer(false);
	return rc;
}

int main(int argc, char **argv)
{
	struct review r = { .label = "", .timeout = 180, .retries = 2 };
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-review", "--model NAME [OPTION]... [DIFF]...",
		     "have several models review a diff, and merge what they find", options);
	r.tool = &tool;
	lh_tool_ignore_sigpipe(&tool);
	rc = lh_tool_parse(&tool, argc, argv, &r);
	if (!rc)
		rc = models_settle(&r);
	if (!rc)
		rc = run(&r);
	lh_buf_free(&r.names);
	return lh_tool_finish(&tool, rc);
}
