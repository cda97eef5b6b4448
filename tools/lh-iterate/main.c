/* lh-iterate: generate, extract, validate, retry.  See lh-iterate(1). */
#include "iterate.h"
#include "model/http.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static const struct lh_option options[] = {
	{ 0, "wire", NULL, "a record has no members but those of a request",
	  LH_FLAG(struct iterate, wire) },
	{ 0, "answers", "FILE", "read the model's answers from FILE, ask no model",
	  LH_TEXT(struct iterate, answers_path) },
	{ 0, "kind", LH_KINDS, "kind of records without a kind", LH_CHOICE(struct iterate, kind) },
	{ 0, "model", "MODEL", "the model of records that name none",
	  LH_TEXT(struct iterate, model) },
	{ 0, "roster", "ROSTER", "roster: JSON Lines or an index (repeatable: the first found)",
	  LH_TEXTS(struct iterate, roster_paths, .env = "LH_ROSTER") },
	{ 0, "roster-later", NULL, "the roster may come later; until then, error 503",
	  LH_FLAG(struct iterate, rosters.later) },
	{ 0, "rules", "DIR", "rule files, *.json, to run after the built-in rules",
	  LH_TEXT(struct iterate, rules_path) },
	{ 0, "session-log", "FILE", "append a row for each session to FILE",
	  LH_TEXT(struct iterate, log_path) },
	{ 0, "daemon", "NAME", "daemon of the rows (default lh-iterate)",
	  LH_TEXT(struct iterate, daemon) },
	{ 0, "emit-session", NULL, "write rows of the log from their data, run no sessions",
	  LH_FLAG(struct iterate, emit_session) },
	{ 0, "timeout", "S", "seconds for one call to a model (default 180)",
	  LH_REAL(struct iterate, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct iterate, retries, 0, 100) },
	LH_DECISIONS_OPTIONS(struct iterate, decide),
	LH_ONCE_OPTION,
	LH_LOCK_OPTION(0),
	LH_TRACE_OPTION(struct iterate, trace_id),
	LH_NOW_OPTION,
	{ 'j', "jobs", "N", "threads, or sessions at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256) },
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static bool is_file(const struct stat *file, const char *operand)
{
	struct stat st;
	int rc = strcmp(operand, "-") ? stat(operand, &st) : fstat(STDIN_FILENO, &st);

	return rc == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* The rows would be read as requests, without end. */
static int check_log(struct iterate *it)
{
	struct lh_tool *t = it->tool;
	bool same = false;
	struct stat log;
	size_t i;

	if (!it->log_path || stat(it->log_path, &log) < 0)
		return 0;
	for (i = 0; i < t->n_operands; i++)
		same |= is_file(&log, t->operands[i]);
	if (same || (!t->n_operands && is_file(&log, "-")))
		return lh_tool_usage(t, "--session-log: %s is also the input", it->log_path);
	return 0;
}

/* Copy the rosters and rules that are in S3. */
static int copy_objects(struct iterate *it, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < it->roster_paths.n; i++)
		if (lh_object_copies_take(&it->copies, &it->roster_paths.v[i], err) < 0)
			return lh_err_prefix(err, "--roster");
	return it->rules_path && lh_object_copies_folder(&it->copies, &it->rules_path, err) < 0 ?
		lh_err_prefix(err, "--rules") : 0;
}

static int settle_options(struct lh_tool *tool, void *settings)
{
	struct iterate *it = settings;
	const char *roster;

	it->tool = tool;
	if (it->emit_session && (it->answers_path || it->log_path))
		return lh_tool_usage(it->tool,
				     "--emit-session excludes --answers and --session-log");
	if (it->emit_session && (it->decide.path || it->decide.text))
		return lh_tool_usage(it->tool, "--emit-session excludes --decisions");
	if (it->answers_path && !strcmp(it->answers_path, "-") && lh_tool_reads_stdin(it->tool))
		return lh_tool_usage(it->tool,
				     "--answers: standard input is where the records come from");
	if (copy_objects(it, &it->tool->err) < 0)
		return -1;
	it->rosters.path = it->roster_paths.v;
	it->rosters.n = it->roster_paths.n;
	roster = lh_roster_first(&it->rosters);
	if (roster && !strcmp(roster, "-") && lh_tool_reads_stdin(it->tool))
		return lh_tool_usage(it->tool,
				     "--roster: standard input is where the records come from");
	if (!lh_utf8_valid(it->daemon, strlen(it->daemon)))
		return lh_tool_usage(it->tool, "--daemon is not UTF-8");
	if (it->model && (!*it->model || !lh_utf8_valid(it->model, strlen(it->model))))
		return lh_tool_usage(it->tool, "--model: expected a name in UTF-8");
	if (lh_trace_check(it->trace_id, &it->tool->err) < 0)
		return -1;
	if (it->trace_id)
		it->trace = (struct lh_str){ it->trace_id, strlen(it->trace_id) };
	it->threads = (unsigned)it->tool->jobs;
	/* Answers are used in order, and a fixed clock counts in order. */
	if (it->answers_path || it->tool->now)
		it->tool->jobs = 1;
	return check_log(it);
}

static void held_close(void *state)
{
	struct held *h = state;

	lh_keys_free(h->keys);
	lh_roster_close(h->roster.roster);
	lh_rules_free(h->rules);
	free(h);
}

static int held_read(struct held *h, const struct held *was, struct lh_err *err)
{
	const struct iterate *it = h->it;

	if (it->rules_path)
		h->rules =
			was ? lh_rules_renew(was->rules, err) : lh_rules_open(it->rules_path, err);
	if (it->rules_path && !h->rules)
		return -1;
	if (lh_roster_choose(&it->rosters, was ? &was->roster : NULL, &h->roster, it->threads,
			     err) < 0)
		return -1;
	if (!it->answers_path)
		h->keys = was ? lh_keys_renew(was->keys, err) : lh_keys_load(err);
	if (!it->answers_path && !h->keys)
		return -1;
	return it->decisions ? lh_judged_by(&h->by, &h->roster, h->rules, err) : 0;
}

static void *held_open(void *it, const void *before, struct lh_err *err)
{
	struct held *h = lh_calloc(1, sizeof *h);

	h->it = it;
	if (held_read(h, before, err) == 0)
		return h;
	held_close(h);
	return NULL;
}

static bool held_stale(void *it, const void *state)
{
	const struct held *h = state;

	return (h->rules && lh_rules_stale(h->rules)) ||
		lh_roster_choice_stale(&((struct iterate *)it)->rosters, &h->roster) ||
		(h->keys && lh_keys_stale(h->keys));
}

static void held_failed(void *it, const struct lh_err *why)
{
	lh_tool_warn(((struct iterate *)it)->tool, "%s", why->msg);
}

static int open_all(struct iterate *it, struct lh_held **held)
{
	struct lh_held_how how = {
		.open = held_open, .stale = held_stale, .close = held_close,
		.failed = it->tool->on_error == LH_ON_ERROR_EMIT ? held_failed : NULL, .ctx = it
	};

	*held = NULL;
	if (lh_decisions_open(&it->decisions, it->tool, &it->decide) < 0 ||
	    !(*held = lh_held_open(&how, &it->tool->err)))
		return -1;
	if (it->answers_path &&
	    !(it->answers = answers_open(it->tool, it->answers_path, &it->tool->err)))
		return -1;
	if (it->log_path)
		it->log = log_open(it->tool, it->log_path);
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct iterate *it = settings;
	unsigned long long sessions, refused;
	struct lh_held *held;
	int rc = open_all(it, &held);

	(void)tool;
	if (!rc)
		rc = sessions_run(it, held);
	log_close(it->log);
	lh_decisions_close(it->decisions);
	answers_close(it->answers);
	lh_held_close(held);
	sessions = atomic_load(&it->sessions);
	refused = atomic_load(&it->refused);
	if (refused) {
		lh_tool_verdict_bad(it->tool);
		lh_tool_warn(it->tool, "%llu of %llu sessions not accepted", refused, sessions);
	}
	if (sessions && atomic_load(&it->unanswered) == sessions)
		lh_tool_record_failed(it->tool);
	return rc;
}

static int close_copies(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_object_copies_free(&((struct iterate *)settings)->copies);
	return rc;
}

static const struct lh_bind out[] = {
	{ LH_BIND_ONLY("artifact", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .person = true },
	LH_OP_OBJECT("validation"),
	{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .about = "why there is no artifact" },
	LH_OP_COUNT("iterations"),
	{ LH_BIND_ONLY("history", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY), .person = true },
	LH_OP_TEXT("trace_id"),
	LH_OP_COUNT("status"),
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .in = request_members, .out = out, .command = run },
	{ "", .about = "write the session log row of each record", .in = lh_op_any,
	  .command = emit_run },
	{ "", .in = kind_too_members, .out = out, .command = run },
	{ "", .in = model_too_members, .out = out, .command = run },
	{ "", .in = both_members, .out = out, .command = run },
	{ "", .in = wire_members, .out = out, .command = run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct iterate *it = settings;

	if (it->emit_session)
		return &ops[1];
	if (it->wire && !it->model && it->kind == LH_KIND_NONE)
		return &ops[5];
	if (it->model)
		return &ops[it->kind == LH_KIND_NONE ? 2 : 0];
	return &ops[it->kind == LH_KIND_NONE ? 4 : 3];
}

int main(int argc, char **argv)
{
	struct iterate it = {
		.daemon = "lh-iterate", .kind = LH_KIND_NONE, .timeout = 180, .retries = 2
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-iterate",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "ask a model, validate its answer, and ask again if it failed",
		.example =
			"echo '{\"kind\":\"email\",\"model\":\"qwen2.5\","
			"\"prompt\":\"Write to Ada.\"}' |\n"
			"      lh-iterate --answers answers.jsonl --session-log sessions.jsonl",
		.options = options,
		.check = settle_options,
		.close = close_copies,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &it);
}
