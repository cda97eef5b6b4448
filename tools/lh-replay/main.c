/* lh-replay: run a task again with what was learned.  See lh-replay(1). */
#include "replay.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "index/index.h"
#include "base/mem.h"
#include "distill/sample.h"
#include "model/http.h"

#define TOKEN_MAX 258		/* bytes of a token of lh-serve, with its end */

static const struct lh_option options[] = {
	{ 0, "task", "TEXT", "replay only this task, and read no input",
	  LH_TEXT(struct replay, task) },
	{ 0, "local-only", NULL, "never ask the escalation model",
	  LH_FLAG(struct replay, local_only) },
	{ 0, "allow-escalation", NULL, "ask the escalation model if the local one fails",
	  LH_FLAG(struct replay, allow_escalation) },
	{ 0, "no-retrieval", NULL, "give the model only the task",
	  LH_FLAG(struct replay, no_retrieval) },
	{ 0, "dry-run", NULL, "ask no model, answer from the context",
	  LH_FLAG(struct replay, dry_run) },
	{ 0, "root", "DIR", "the root (default: the working directory)",
	  LH_TEXT(struct replay, root_path, .env = "LH_DISTILL_ROOT") },
	{ 0, "index", "INDEX", "retrieve from an index, not from the root's export",
	  LH_TEXT(struct replay, index_path) },
	{ 0, "log", "FILE", "log to FILE (default: replay_runs.jsonl of the root)",
	  LH_TEXT(struct replay, log_path, .env = "LH_REPLAY_LOG") },
	{ 0, "local-model", "NAME", "the model asked first (default qwen3.5:latest)",
	  LH_TEXT(struct replay, local_model, .env = "LH_REPLAY_LOCAL_MODEL") },
	{ 0, "escalation-model", "NAME", "the escalation model (default deepseek-v3.1:671b)",
	  LH_TEXT(struct replay, escalation_model, .env = "LH_REPLAY_ESCALATION_MODEL") },
	{ 0, "url", "URL", "ask the models of an lh-serve, by its /v1/chat",
	  LH_TEXT(struct replay, url) },
	{ 0, "token-file", "FILE", "its token", LH_TEXT(struct replay, token_file) },
	{ 0, "timeout", "S", "seconds for one call (default 180)",
	  LH_REAL(struct replay, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct replay, retries, 0, 100) },
	LH_LOCK_OPTION(0),
	LH_ONCE_OPTION,
	LH_TRACE_OPTION(struct replay, trace_id),
	LH_NOW_OPTION,
	{ 'j', "jobs", "N", "tasks at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static int check_text(struct lh_tool *t, const char *option, const char *text)
{
	if (text && !lh_utf8_valid(text, strlen(text)))
		return lh_tool_usage(t, "%s is not UTF-8", option);
	if (text && !lh_trim(text, strlen(text)).n)
		return lh_tool_usage(t, "%s is empty", option);
	return 0;
}

/* Check the address of a bridge, and read its token. */
static int settle_bridge(struct lh_tool *t, struct replay *r)
{
	struct lh_err err;

	if (r->token_file && !r->url)
		return lh_tool_usage(t, "--token-file goes with --url");
	if (r->url && lh_http_check_url(r->url, &err) < 0)
		return lh_tool_usage(t, "--url: %s", err.msg);
	if (!r->token_file)
		return 0;
	if (lh_secret_read(&r->token, r->token_file, TOKEN_MAX, false, &t->err) < 0)
		return lh_err_prefix(&t->err, "--token-file");
	if (r->token.n && r->token.p[r->token.n - 1] == '\n')
		r->token.p[r->token.n - 1] = '\0';
	return lh_http_check_bearer((char *)r->token.p, &t->err) < 0
		? lh_err_prefix(&t->err, "--token-file") : 0;
}

static int settle_inputs(struct lh_tool *t, void *settings)
{
	struct replay *r = settings;

	r->tool = t;
	if (r->task && t->n_operands)
		return lh_tool_usage(t, "--task takes no FILE");
	if (check_text(t, "--task", r->task) < 0 ||
	    check_text(t, "--local-model", r->local_model) < 0 ||
	    check_text(t, "--escalation-model", r->escalation_model) < 0 ||
	    lh_trace_check(r->trace_id, &t->err) < 0)
		return -1;
	if (settle_bridge(t, r) < 0)
		return -1;
	/* Rows are logged in the order of the records. */
	if (t->now)
		t->jobs = 1;
	return 0;
}

static void held_close(void *state)
{
	struct held *h = state;

	lh_keys_free(h->keys);
	lh_index_close(h->index);
	free(h);
}

/* Check an index, at start or after it was replaced. */
static int check_index(struct held *h, bool again, struct lh_err *err)
{
	const struct replay *r = h->r;
	struct index *x;

	if (r->dry_run && !r->no_retrieval && index_asks(h->index))
		return lh_err_set(err, LH_EUSAGE,
				  "--dry-run: no model or service is asked, but --index needs one");
	x = again ? index_new(h->index, r->index_path, err) : NULL;
	index_free(x);
	return again && !x ? -1 : 0;
}

static void *held_open(void *replay, const void *before, struct lh_err *err)
{
	struct held *h = lh_calloc(1, sizeof *h);
	const struct held *was = before;
	const struct replay *r = replay;
	int rc = 0;

	h->r = replay;
	if (r->index_path) {
		h->index =
			was ? lh_index_renew(was->index, err) : lh_index_open(r->index_path, err);
		rc = h->index ? check_index(h, was, err) : -1;
	}
	if (!rc && !r->dry_run) {
		h->keys = was ? lh_keys_renew(was->keys, err) : lh_keys_load(err);
		rc = h->keys ? 0 : -1;
	}
	if (!rc)
		return h;
	held_close(h);
	return NULL;
}

static bool held_stale(void *replay, const void *state)
{
	const struct held *h = state;

	(void)replay;
	return (h->index && lh_index_stale(h->index)) || (h->keys && lh_keys_stale(h->keys));
}

static int open_all(struct replay *r, struct lh_held **held)
{
	struct lh_held_how how = {
		.open = held_open, .stale = held_stale, .close = held_close, .ctx = r
	};
	struct lh_err *err = &r->tool->err;

	r->root = lh_root_open(r->root_path, err);
	if (!r->root)
		return -1;
	r->corpus_path = lh_root_join(r->root, lh_exporter_output(LH_RAG));
	*held = lh_held_open(&how, err);
	if (!*held)
		return -1;
	r->log = log_open(r, err);
	return r->log ? 0 : -1;
}

static int one(struct replay *r, struct held *held)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	int rc = run_task(held, r->task, &out, &r->tool->err);

	lh_buf_putc(&out, '\n');
	return rc ? rc : lh_tool_out(r->tool, out.p, out.len);
}

static int run(struct lh_tool *tool, void *settings)
{
	struct replay *r = settings;
	unsigned long long runs, failed;
	struct lh_held *held = NULL;
	int rc = open_all(r, &held);

	(void)tool;
	if (!rc)
		rc = r->task ? one(r, lh_held_state(held)) : run_tasks(r, held);
	if (log_close(r->log, rc ? &(struct lh_err){ 0 } : &r->tool->err) < 0)
		rc = -1;
	lh_held_close(held);
	lh_root_close(r->root);
	lh_secret_wipe(&r->token);
	free(r->corpus_path);
	runs = atomic_load(&r->runs);
	failed = atomic_load(&r->failed);
	if (failed) {
		lh_tool_verdict_bad(r->tool);
		lh_tool_warn(r->tool, "%llu of %llu replays not passed", failed, runs);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct replay r = { .timeout = 180,
			    .retries = 2,
			    .local_model = "qwen3.5:latest",
			    .escalation_model = "deepseek-v3.1:671b" };
	static const struct lh_op ops[] = {
		{ "", .in = task_members, .out = lh_op_any, .command = run, .writes = true },
		LH_OP_END
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-replay",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "do a task again with what earlier runs left",
		.example = "lh-replay --root again --dry-run --task \"Audit the export for drift\"",
		.options = options,
		.check = settle_inputs,
		.ignore_sigpipe = true,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &r);
}
