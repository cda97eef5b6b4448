/* lh-lift: measure what a playbook is worth.  See lh-lift(1). */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "memory/playbook.h"
#include "base/signal.h"
#include "lift.h"
#include "tool/op.h"

static const struct lh_made made_report = { "a report of lh-lift", { "# Lift\n" }, NULL };

static const struct lh_option options[] = {
	{ 'k', NULL, "N", "results per query (default 10)", LH_UINT(struct lift, k, 1, LH_K_MAX) },
	{ 0, "playbook", "PLAYBOOK", "record into this (default: a temporary one)",
	  LH_TEXT(struct lift, playbook) },
	{ 0, "judge-model", "NAME", "let this model of lh-chat judge the results",
	  LH_TEXT(struct lift, judge_model) },
	{ 0, "least-score", "SCORE", "least score of what is recorded or injected (default 0)",
	  LH_REAL(struct lift, least, 0, 1) },
	{ 0, "paraphrase", NULL, "search each discovery again in the other styles",
	  LH_FLAG(struct lift, reword) },
	{ 0, "report", "FILE", "also write a report in Markdown",
	  LH_TEXT(struct lift, report_path, .makes = &made_report) },
	LH_DECISIONS_OPTIONS(struct lift, decide),
	{ 0, "timeout", "S", "seconds for one call to a model (default 180)",
	  LH_REAL(struct lift, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct lift, retries, 0, 100) },
	{ 'j', "jobs", "N", "queries at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) },
	LH_FORCE_OPTION(0),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static char *path_in(const struct lift *l, const char *name)
{
	size_t n = strlen(l->folder.path) + strlen(name) + 2;
	char *path = lh_calloc(n, 1);

	snprintf(path, n, "%s/%s", l->folder.path, name);
	return path;
}

static int make_folder(struct lift *l, struct lh_err *err)
{
	if (lh_tmpdir_make(&l->folder, "lh-lift", err) < 0)
		return -1;
	l->spool_path = path_in(l, "queries");
	l->book = l->playbook ? lh_strndup(l->playbook, strlen(l->playbook))
			      : path_in(l, "playbook.lhv");
	return 0;
}

/* Check that lh-search opens everything, before any input is read. */
static int try_search(struct lift *l, struct lh_err *err)
{
	LH_SCOPED(search_free) struct search s = { .has_role = false };
	int rc = search_start(&s, l, true, err);

	return rc ? rc : lh_coproc_stop(&s.child, err);
}

/* Check the playbook, which need not exist. */
static int check_book(const struct lift *l, struct lh_err *err)
{
	return access(l->book, F_OK) < 0 && errno == ENOENT ? 0 : lh_playbook_check(l->book, err);
}

static int print_summary(struct lift *l)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	tally_print(&out, l);
	return lh_tool_out(l->tool, out.p, out.len);
}

/* Make an id of the run: of random bytes, or with a fixed clock of the time. */
static int make_id(struct lift *l, struct lh_err *err)
{
	unsigned char b[32];
	char now[32];

	lh_tool_time(l->tool, now);
	if (l->tool->now)
		lh_sha256(now, strlen(now), b);
	else if (getrandom(b, 8, 0) != 8)
		return lh_err_sys(err, "no random bytes");
	memcpy(l->run, "lift-", 5);
	lh_hex(b, 8, l->run + 5);
	return 0;
}

/* Prepare both passes. */
static int prepare(struct lift *l, struct lh_err *err)
{
	if (lh_decisions_open(&l->decisions, l->tool, &l->decide) < 0 ||
	    make_folder(l, err) < 0 || try_search(l, err) < 0)
		return -1;
	return check_book(l, err);
}

static int lift(struct lift *l)
{
	struct lh_err *err = &l->tool->err, other;
	int rc;

	lh_signal_defer(true);	/* the folder must be removed in any case */
	rc = make_id(l, err);
	if (rc == 0)
		rc = prepare(l, err);
	if (rc == 0 && l->report_path)
		rc = lh_atomic_open(&l->report, l->report_path, 0666, err);
	if (rc == 0)
		rc = cold_pass(l);
	if (rc == 0)
		rc = warm_pass(l);
	if (rc == 0)
		rc = print_summary(l);
	if (rc == 0 && l->report_path)
		rc = report_write(l, err);
	lh_atomic_close(&l->report);
	if (lh_tmpdir_remove(&l->folder, rc < 0 ? &other : err) < 0)
		rc = -1;
	lh_signal_defer(false);
	lh_decisions_close(l->decisions);
	lh_buf_free(&l->spool);
	lh_buf_free(&l->unlifted);
	free(l->spool_path);
	free(l->book);
	if (rc == 0 && l->all.n[BLEED] > 0) {
		lh_tool_verdict_bad(l->tool);
		lh_tool_warn(l->tool, "%s moved by entries of another role",
			     LH_N(l->all.n[BLEED], "result"));
	}
	return rc;
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct lift *l = settings;

	if (!tool->n_operands)
		return lh_tool_usage(tool, "missing operand INDEX");
	if (l->playbook && !strcmp(l->playbook, "-")) {
		lh_tool_no_stream(tool, "a playbook");
		return lh_err_prefix(&tool->err, "--playbook");
	}
	if (l->judge_model && !*l->judge_model)
		return lh_tool_usage(tool, "--judge-model is empty");
	if (l->judge_model && !lh_utf8_valid(l->judge_model, strlen(l->judge_model)))
		return lh_tool_usage(tool, "--judge-model is not UTF-8");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	((struct lift *)settings)->tool = tool;
	return lift(settings);
}

static const struct lh_bind lines[] = {
	{ LH_BIND_ONLY("lift", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .about = "of a query: results of both passes, and whether they improved" },
	{ LH_BIND_ONLY("summary", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .about = "of all queries, in the last line" },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .in = demand_members, .out = lines, .command = run },
	{ "", .about = "record into a playbook, and measure what it improves",
	  .in = demand_members, .out = lines, .command = run, .writes = true },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct lift *l = settings;

	return &ops[l->playbook != NULL];
}

int main(int argc, char **argv)
{
	struct lift l = { .k = 10, .timeout = 180, .retries = 2, .report.fd = -1 };
	static const struct lh_tool_spec spec = {
		.name = "lh-lift",
		.synopsis = "[OPTION]... INDEX...",
		.summary = "measure what a playbook improves",
		.example = "lh-gen queries -n 40 --styles all | lh-lift lift.lhv > lift.jsonl",
		.options = options,
		.ops = ops,
		.mode = mode,
		.check = check,
		.ignore_sigpipe = true,
	};

	return lh_op_main(&spec, argc, argv, &l);
}
