/* lh-pathway: a memory of traces over an append-only log.  See lh-pathway(1). */
#include "pathway.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

static const struct lh_option options[] = {
	{ 0, "uid", "UID", "this trace (repeatable)",
	  LH_TEXTS(struct settings, uid, .verbs = V_RETIRE | V_GET | V_HISTORY) },
	{ 0, "tag", "TAG", "traces with this tag (repeatable: with all tags)",
	  LH_TEXTS(struct settings, tag, .verbs = V_SEARCH) },
	{ 0, "contains", "TEXT", "with TEXT in a string of the content",
	  LH_TEXT(struct settings, contains, .verbs = V_SEARCH) },
	{ 0, "where", "KEY=VALUE", "with that member in the content (repeatable)",
	  LH_TEXTS(struct settings, where, .verbs = V_SEARCH) },
	{ 0, "retired", NULL, "also retired traces",
	  LH_FLAG(struct settings, retired, .verbs = V_SEARCH) },
	{ 'k', NULL, "N", "at most N traces (default: all)",
	  LH_UINT(struct settings, k, 0, 4294967295.0, .verbs = V_SEARCH) },
	{ 0, "once", NULL, "keep using the LOG that was opened",
	  LH_TOOL_FIELD(FLAG, once, .verbs = V_WRITES | V_GET | V_HISTORY | V_REQUESTS) },
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* ---- shared by the commands ---- */

#define SHOWN 20

static void on_skipped(void *ctx, uint64_t line, uint64_t offset, const char *why)
{
	struct run *r = ctx;

	if (r->reported++ < SHOWN || r->tool->verbose)
		lh_tool_message(r->tool, "%s:%llu: %s (byte %llu)", r->path,
				(unsigned long long)line, why, (unsigned long long)offset);
	else if (r->reported == SHOWN + 1)
		lh_tool_message(r->tool, "%s: further messages suppressed (--verbose shows all)",
				r->path);
}

int run_open(struct run *r, struct lh_tool *tool, const char *path, enum lh_pathway_mode mode)
{
	*r = (struct run){ .tool = tool, .path = path };
	r->hooks = (struct lh_pathway_hooks){ .skipped = on_skipped, .ctx = r };
	tool->jobs = 1;
	r->p = lh_pathway_open(path, mode, &r->hooks, tool->lock_timeout, &tool->err);
	return r->p ? 0 : -1;
}

int run_close(struct run *r, int rc)
{
	struct lh_err later;

	if (lh_pathway_close(r->p, rc ? &later : &r->tool->err) < 0)
		rc = -1;
	if (r->reported)
		lh_tool_warn(r->tool, "%s: %s of the log skipped", r->path,
			     LH_N(r->reported, "line"));
	return rc;
}

struct run *run_of(const struct lh_call *call)
{
	return &((struct settings *)call->settings)->run;
}

static void log_lost(void *run, const struct lh_err *why)
{
	lh_tool_warn(((struct run *)run)->tool, "%s", why->msg);
}

static int sync_log(void *settings, struct lh_err *err)
{
	struct run *r = &((struct settings *)settings)->run;
	bool changed = r->changed;

	r->changed = false;
	return changed ? lh_pathway_sync(r->p, err) : 0;
}

/* A damaged log is opened again for the next request. */
static int note_failure(const struct lh_call *call, struct lh_err *why)
{
	((struct settings *)call->settings)->run.broken |= why->code == LH_ECORRUPT;
	return 0;
}

/* ---- reopening a log that was replaced ---- */

/* The last log is closed by run_close. */
struct log {
	struct run *r;
	struct lh_pathway *p;
};

/* A log that only grew is not reopened: each record sees what was appended. */
static bool log_moved(void *run, const void *state)
{
	return ((struct run *)run)->broken ||
	       !lh_pathway_in_place(((const struct log *)state)->p);
}

static void log_close(void *state)
{
	struct log *l = state;

	if (l->p != l->r->p)
		lh_pathway_close(l->p, &(struct lh_err){ 0 });	/* what was answered is synced */
	free(l);
}

static struct lh_pathway *open_again(struct run *r, struct lh_err *err)
{
	bool writes = r->tool->verb->bit & (V_WRITES | V_REQUESTS);
	struct lh_pathway *p = NULL;

	if (access(r->path, F_OK) == 0)
		p = lh_pathway_open(r->path, writes ? LH_PATHWAY_WRITE : LH_PATHWAY_READ,
				    &r->hooks, r->tool->lock_timeout, err);
	else
		lh_err_sys(err, "%s", r->path);	/* it is not for us to create another */
	if (p)
		r->broken = false;
	return p;
}

static void *log_open(void *run, const void *before, struct lh_err *err)
{
	struct log *l = lh_calloc(1, sizeof *l);

	l->r = run;
	l->p = before ? open_again(run, err) : l->r->p;
	if (l->p)
		return l;
	free(l);
	return NULL;
}

static int log_renew(void *call, void *state, struct lh_err *err)
{
	struct log *l = state;

	(void)call;
	(void)err;
	l->r->p = l->p;
	return 0;
}

/* ---- the operations ---- */

/* Answer each --uid; then the records of the input, unless there was a --uid and no FILE. */
static int answer_records(struct lh_tool *tool, void *settings)
{
	const unsigned bit = tool->verb->bit;
	struct settings *s = settings;
	const struct lh_held_how how = {
		.open = log_open, .stale = log_moved, .close = log_close,
		.failed = bit == V_REQUESTS ? log_lost : NULL, .ctx = &s->run
	};
	struct lh_flow flow = { .renew = log_renew };
	int rc = run_open(&s->run, tool, tool->operands[0], bit == V_REQUESTS ? LH_PATHWAY_LATE :
			  bit & V_WRITES ? LH_PATHWAY_WRITE : LH_PATHWAY_READ);

	if (!rc && s->uid.n)
		rc = lh_op_texts(tool, settings, &s->uid, "--uid");
	if (!rc)
		rc = sync_log(settings, &tool->err);
	if (!rc && (!s->uid.n || tool->n_operands > 1)) {
		flow.held = lh_held_open(&how, &tool->err);
		rc = flow.held ? lh_op_flow(tool, settings, &flow) : -1;
		lh_held_close(flow.held);
	}
	return run_close(&s->run, rc);
}

static const struct lh_bind trace[] = {
	LH_OP_TEXT("uid"),
	{ LH_BIND_ONLY("content", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .required = true, .person = true },
	{ LH_BIND_ONLY("predecessor_uid", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("created_at_ns", LH_BIND_TO_WHOLE), .required = true,
	  .least = INT64_MIN, .most = INT64_MAX, .about = "nanoseconds since 1970" },
	{ LH_BIND_ONLY("updated_at_ns", LH_BIND_TO_WHOLE), .required = true,
	  .least = INT64_MIN, .most = INT64_MAX },
	{ LH_BIND_ONLY("retired", LH_BIND_TO_BOOL), .required = true },
	LH_OP_COUNT("replay_count"),
	{ LH_BIND_ONLY("tags", LH_BIND_TO_STRINGS) },
	LH_BIND_END
};
static const struct lh_bind history[] = {
	LH_OP_TEXT("uid"),
	{ LH_BIND_ONLY("history", LH_BIND_TO_TABLES), .table = trace, .required = true,
	  .about = "the trace and its predecessors, the newest first" },
	LH_BIND_END
};
#define COUNTS \
	LH_OP_COUNT("events"), LH_OP_COUNT("traces"), LH_OP_COUNT("retired"), \
	LH_OP_COUNT("skipped")
static const struct lh_bind results[] = {
	{ LH_BIND_ONLY("results", LH_BIND_TO_TABLES), .table = trace, .required = true },
	LH_OP_COUNT("count"),
	LH_BIND_END
};
static const struct lh_bind stats[] = { COUNTS, LH_BIND_END };
static const struct lh_bind verified[] = {
	{ LH_BIND_ONLY("log", LH_BIND_TO_STRING), .null = true,
	  .about = "its path; null if that is not UTF-8" },
	COUNTS, LH_OP_COUNT("missing_predecessors"), LH_OP_COUNT("cycles"),
	LH_BIND_END
};

#define RECORDS "LOG [FILE...]"
#define CHANGE(table) \
	change_trace, LH_OP_IN(table, struct change), .out = trace, .command = answer_records, \
	.writes = true
static const struct lh_op ops[] = {
	{ "add", RECORDS, "add a trace for each record", V_ADD, CHANGE(add_members) },
	{ "add-idempotent", RECORDS, "as add; count a trace that exists", V_ADD_IDEMPOTENT,
	  CHANGE(change_members), .request = "add_idempotent" },
	{ "update", RECORDS, "replace the content of traces", V_UPDATE, CHANGE(change_members) },
	{ "revise", RECORDS, "add successors of traces", V_REVISE, CHANGE(revise_members) },
	{ "retire", RECORDS, "hide traces from search", V_RETIRE, CHANGE(uid_members) },
	{ "get", RECORDS, "print traces by their uids", V_GET, get_trace,
	  LH_OP_IN(uid_members, struct change), .out = trace, .command = answer_records },
	{ "history", RECORDS, "add the predecessors of each trace", V_HISTORY, get_history,
	  LH_OP_IN(uid_members, struct change), .out = history, .command = answer_records },
	{ "search", "LOG", "print the traces that match", V_SEARCH, .out = trace,
	  .command = pathway_search },
	{ "search", NULL, "the traces that match, in one answer", 0, search_traces,
	  LH_OP_IN(query_members, struct query), .out = results },
	{ "stats", NULL, "count the events and traces", 0, get_stats, .out = stats },
	LH_OP_REQUESTS_BY(RECORDS, V_REQUESTS, answer_records),
	{ "verify", "LOG...", "replay logs and report their contents", V_VERIFY,
	  .out = verified, .command = pathway_verify },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i;

	for (i = 0; i < (tool->verb->bit & V_VERIFY ? tool->n_operands : 1); i++)
		if (strcmp(tool->operands[i], "-") == 0)
			return lh_tool_no_stream(tool, "a log");
	for (i = 0; i < s->uid.n; i++)
		if (!*s->uid.v[i] || !lh_utf8_valid(s->uid.v[i], strlen(s->uid.v[i])))
			return lh_tool_usage(tool, "--uid: \"%.100s\" is empty or not UTF-8",
					     s->uid.v[i]);
	return tool->verb->bit & (V_WRITES | V_REQUESTS) ? check_now(tool) : 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .k = UINT64_MAX };
	static const struct lh_tool_spec spec = {
		.name = "lh-pathway",
		.synopsis = "COMMAND [OPTION]... LOG [FILE]...",
		.summary = "keep traces of past work in an append-only log",
		.example = "lh-pathway search --tag il --contains drywall way.jsonl",
		.options = options,
		.check = check,
		.ops = ops,
		.what = "log",
		.before_output = sync_log,
		.failed = note_failure,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
