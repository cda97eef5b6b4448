/* lh-review: a diff reviewed by several models.  See lh-review(1). */
#include "review.h"

#include "base/signal.h"
#include "tool/op.h"

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

static int run(struct lh_tool *tool, void *settings)
{
	struct review *r = settings;
	struct lh_err *err = &tool->err;
	struct pool *pool = NULL;
	int rc;

	r->tool = tool;
	r->log.fd = -1;
	rc = models_settle(r);
	if (!rc)
		rc = lh_signal_wake_open(err);
	lh_signal_defer(true);	/* the children must be ended */
	if (!rc)
		rc = summary_open(r);
	if (!rc)
		rc = (pool = pool_new(r, err)) ? review(r, pool) : -1;
	pool_free(pool);
	if (r->log_path && lh_applog_close(&r->log, rc < 0 ? &(struct lh_err){ 0 } : err) < 0)
		rc = -1;
	lh_signal_defer(false);
	lh_buf_free(&r->names);
	return rc;
}

/* A finding, or the last row. */
static const struct lh_bind rows[] = {
	{ LH_BIND_ONLY("path", LH_BIND_TO_STRING), .about = "where the finding is" },
	{ LH_BIND_ONLY("line", LH_BIND_TO_WHOLE), .null = true, .most = INT64_MAX },
	{ LH_BIND_ONLY("models", LH_BIND_TO_STRINGS), .about = "those that have the finding" },
	{ LH_BIND_ONLY("lineages", LH_BIND_TO_STRINGS), .about = "theirs" },
	{ LH_BIND_ONLY("convergent", LH_BIND_TO_BOOL), .about = "whether there are two or more" },
	{ LH_BIND_ONLY("text", LH_BIND_TO_STRING), .about = "what the first model says" },
	{ LH_BIND_ONLY("also", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "what others say: model, line, text" },
	{ LH_BIND_ONLY("timestamp", LH_BIND_TO_STRING), .about = "of the last row" },
	{ LH_BIND_ONLY("findings_total", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("findings_convergent", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	LH_OP_OBJECT("by_model"), LH_OP_OBJECT("failed"),
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .out = rows, .command = run },
	{ "", .about = "review a diff, and append a row to a log", .out = rows, .command = run,
	  .writes = true },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct review *)settings)->log_path != NULL];
}

int main(int argc, char **argv)
{
	struct review r = { .label = "", .timeout = 180, .retries = 2 };
	static const struct lh_tool_spec spec = {
		.name = "lh-review",
		.synopsis = "--model NAME [OPTION]... [DIFF]...",
		.summary = "have several models review a diff, and merge what they find",
		.options = options,
		.ops = ops,
		.mode = mode,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &r);
}
