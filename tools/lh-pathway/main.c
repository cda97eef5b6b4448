/* lh-pathway: a memory of traces over an append-only log.  See lh-pathway(1). */
#include "json/write.h"
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

static const struct lh_verb verbs[] = {
	{ "add", "LOG [FILE...]", "add a trace for each record", V_ADD, 1, pathway_change },
	{ "add-idempotent", "LOG [FILE...]", "as add; count a trace that exists", V_ADD_IDEMPOTENT,
	  1, pathway_change },
	{ "update", "LOG [FILE...]", "replace the content of traces", V_UPDATE, 1, pathway_change },
	{ "revise", "LOG [FILE...]", "add successors of traces", V_REVISE, 1, pathway_change },
	{ "retire", "LOG [FILE...]", "hide traces from search", V_RETIRE, 1, pathway_change },
	{ "get", "LOG [FILE...]", "print traces by their uids", V_GET, 1, pathway_get },
	{ "history", "LOG [FILE...]", "add the predecessors of each trace", V_HISTORY, 1,
	  pathway_history },
	{ "search", "LOG", "print the traces that match", V_SEARCH, 1, pathway_search },
	{ "requests", "LOG [FILE...]", "answer requests, each with its operation in \"op\"",
	  V_REQUESTS, 1, pathway_requests },
	{ "verify", "LOG...", "replay logs and report their contents", V_VERIFY, 1,
	  pathway_verify },
	{ NULL, NULL, NULL, 0, 0, NULL },
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

int run_open(struct run *r, struct lh_tool *tool, const struct settings *s, const char *path,
	     enum lh_pathway_mode mode)
{
	*r = (struct run){ .tool = tool, .s = s, .path = path, .op = tool->verb->bit };
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
		lh_tool_warn(r->tool, "%s: %llu lines of the log skipped", r->path,
			     (unsigned long long)r->reported);
	lh_buf_free(&r->strings);
	return rc;
}

/* Answer --uid as one record of stdin. */
static int answer_one(struct run *r, const char *uid,
		      int (*map)(struct lh_record *, struct lh_buf *, void *, struct lh_err *))
{
	struct lh_err *err = &r->tool->err;
	struct lh_buf in = { 0 }, out = { 0 };
	struct lh_record rec;
	struct lh_writer w;
	int rc;

	lh_record_init(&rec);
	w = lh_write_to(&in);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "uid", uid);
	lh_write_end(&w);
	rc = lh_buf_check(&in, err);
	if (!rc)
		rc = lh_record_parse(&rec, in.p, in.len, err);
	if (!rc)
		rc = map(&rec, &out, r, err);
	if (rc < 0 && err->code == LH_EDATA) {
		lh_tool_warn(r->tool, "--uid: %s", err->msg);
		lh_tool_verdict_bad(r->tool);
		lh_buf_reset(&out);
		rc = 0;
	} else if (!rc) {
		lh_buf_putc(&out, '\n');
		rc = lh_buf_check(&out, err);
	}
	if (!rc)
		rc = lh_tool_out(r->tool, out.p, out.len);
	lh_record_free(&rec);
	lh_buf_free(&out);
	lh_buf_free(&in);
	return rc;
}

static void log_lost(void *run, const struct lh_err *why)
{
	lh_tool_warn(((struct run *)run)->tool, "%s", why->msg);
}

static int sync_log(void *run, struct lh_err *err)
{
	struct run *r = run;
	bool changed = r->changed;

	r->changed = false;
	return changed ? lh_pathway_sync(r->p, err) : 0;
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
	struct log *l = lh_calloc(1, sizeof *l, err);

	if (!l)
		return NULL;
	l->r = run;
	l->p = before ? open_again(run, err) : l->r->p;
	if (l->p)
		return l;
	free(l);
	return NULL;
}

static int log_renew(void *run, void *state, struct lh_err *err)
{
	struct run *r = run;

	(void)err;
	r->p = ((struct log *)state)->p;
	return 0;
}

int run_records(struct run *r,
		int (*map)(struct lh_record *, struct lh_buf *, void *, struct lh_err *))
{
	struct lh_tool *tool = r->tool;
	bool writes = tool->verb->bit & (V_WRITES | V_REQUESTS);
	struct lh_held_how how = {
		.open = log_open, .stale = log_moved, .close = log_close,
		.failed = tool->verb->bit == V_REQUESTS ? log_lost : NULL, .ctx = r
	};
	struct lh_flow flow = {
		.map = map,
		.shared = r,
		.renew = log_renew,
		.before_output = writes ? sync_log : NULL,
		.files = tool->operands + 1,
		.n_files = tool->n_operands - 1,
	};
	size_t i;
	int rc;

	for (i = 0; i < r->s->uid.n; i++)
		if (answer_one(r, r->s->uid.v[i], map) < 0)
			return -1;
	if (r->s->uid.n && writes && lh_pathway_sync(r->p, &tool->err) < 0)
		return -1;
	if (r->s->uid.n && tool->n_operands == 1)
		return 0;
	flow.held = lh_held_open(&how, &tool->err);
	if (!flow.held)
		return -1;
	rc = lh_records_run(tool, &flow);
	lh_held_close(flow.held);
	return rc;
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i;

	if (tool->verb->bit & V_SEARCH && tool->n_operands > 1)
		return lh_tool_unexpected(tool, 1, "search takes one LOG");
	for (i = 0; i < (tool->verb->bit & V_VERIFY ? tool->n_operands : 1); i++)
		if (strcmp(tool->operands[i], "-") == 0)
			return lh_tool_no_stream(tool, "a log");
	for (i = 0; i < s->uid.n; i++)
		if (!*s->uid.v[i] || !lh_utf8_valid(s->uid.v[i], strlen(s->uid.v[i])))
			return lh_tool_usage(tool, "--uid: \"%.100s\" is empty or not UTF-8",
					     s->uid.v[i]);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .k = UINT64_MAX };
	static const struct lh_tool_spec spec = {
		.name = "lh-pathway",
		.synopsis = "COMMAND [OPTION]... LOG [FILE]...",
		.summary = "keep traces of past work in an append-only log",
		.options = options,
		.verbs = verbs,
		.check = check,
	};

	return lh_tool_main(&spec, argc, argv, &s);
}
