/* lh-observe: a log of what was done, and its export.  See lh-observe(1). */
#include "run.h"

static const struct lh_made made_cursor = { "a cursor",
					    { "{\"schema\":\"" LH_CURSOR_SCHEMA "\"" }, NULL };

static const struct lh_option options[] = {
	{ 0, "source", "NAME", "source of events without one (default mcp)",
	  LH_TEXT(struct settings, source, .verbs = V_RECORD) },
	{ 0, "window", "N|all", "count the newest N rows (default 2000)",
	  LH_TEXT(struct settings, window, .verbs = V_STATS) },
	{ 0, "by", "endpoint", "also counts and durations of each endpoint",
	  LH_CHOICE(struct settings, by, .verbs = V_STATS) },
	{ 'n', NULL, "N", "the last N rows (default 10)",
	  LH_UINT(struct settings, n, 0, 1e15, .verbs = V_TAIL) },
	{ 'f', "follow", NULL, "go on with rows as they are appended",
	  LH_FLAG(struct settings, follow, .verbs = V_TAIL) },
	{ 0, "otlp", "URL", "send to URL/v1/traces, not to Langfuse",
	  LH_TEXT(struct settings, otlp, .verbs = V_PUSH) },
	{ 0, "cursor", "FILE", "what was sent (default LOG.cursor, LOG.otlp.cursor)",
	  LH_TEXT(struct settings, cursor, .verbs = V_PUSH, .makes = &made_cursor) },
	LH_FORCE_OPTION(V_PUSH),
	{ 0, "restart", NULL, "begin at the start of the log",
	  LH_FLAG(struct settings, restart, .verbs = V_PUSH) },
	{ 0, "batch", "N", "most rows of a request (default 100)",
	  LH_UINT(struct settings, batch, 1, 10000, .verbs = V_PUSH) },
	{ 0, "batch-size", "SIZE", "most bytes of a request (default 3M)",
	  LH_SIZE(struct settings, batch_size, 1024, 1 << 30, .verbs = V_PUSH) },
	{ 0, "retries", "N", "more tries of a failed request or row (default 5)",
	  LH_UINT(struct settings, retries, 0, 100, .verbs = V_PUSH) },
	{ 0, "timeout", "S", "seconds for one request (default 30)",
	  LH_REAL(struct settings, timeout, 0.001, 86400, .verbs = V_PUSH) },
	{ 0, "list", NULL, "print the rows, not their counts",
	  LH_FLAG(struct settings, list, .verbs = V_DECISIONS) },
	{ 0, "tool", "NAME", "of this tool alone",
	  LH_TEXT(struct settings, tool, .verbs = V_DECISIONS) },
	{ 0, "id", "ID", "of those that showed or judged ID alone",
	  LH_TEXT(struct settings, id, .verbs = V_DECISIONS) },
	{ 0, "trace-id", "ID", "with this request id alone",
	  LH_TEXT(struct settings, trace, .verbs = V_DECISIONS) },
	LH_LOCK_OPTION(V_RECORD | V_INBOX | V_REQUESTS | V_PUSH),
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

int run_open(struct run *r, struct lh_err *err)
{
	if (r->open)
		return 0;
	if (lh_observe_open(&r->log, r->path, r->tool->lock_timeout, err) < 0)
		return -1;
	r->open = true;
	if (r->log.file.torn_at >= 0)
		lh_tool_message(r->tool, "%s: an incomplete line at byte %lld", r->path,
				(long long)r->log.file.torn_at);
	return 0;
}

static int sync_log(void *settings, struct lh_err *err)
{
	struct run *r = &((struct settings *)settings)->run;

	return r->open ? lh_observe_sync(&r->log, err) : 0;
}

static int close_log(struct lh_tool *tool, void *settings, int rc)
{
	struct run *r = &((struct settings *)settings)->run;
	struct lh_err later;

	if (r->open && lh_observe_close(&r->log, rc ? &later : &tool->err) < 0)
		rc = -1;
	lh_buf_free(&r->strings);
	lh_buf_free(&r->more);
	lh_buf_free(&r->line);
	return rc;
}

/* Write that the service is well, which it is if rows can be written. */
static int answer_health(const struct lh_call *call, const void *in, struct lh_buf *out,
			 struct lh_err *err)
{
	(void)in;
	if (run_open(&((struct settings *)call->settings)->run, err) < 0)
		return -1;
	lh_buf_puts(out, LH_JSON({"status":"ok"}));
	return 0;
}

/* An event may also be a session row of lh-iterate, which has a schema, or a line of an access
 * log, which has a route. */
#define ANY(name) { LH_BIND_ONLY(name, LH_BIND_TO_VALUE), .types = LH_BIND_ANY }
#define KIND(name) { LH_BIND_ONLY(name, LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .either = 1 }
static const struct lh_bind event[] = {
	{ LH_BIND_ONLY("endpoint", LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
	  .either = 1, .about = "what was done: a string, not empty, which an event must have" },
	KIND("schema"), KIND("route"),
	ANY("timestamp"), ANY("source"), ANY("success"), ANY("duration_ms"), ANY("error"),
	ANY("input_summary"), ANY("output_summary"),
	LH_BIND_END
};
static const struct lh_bind row[] = {
	{ LH_BIND_ONLY("timestamp", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("source", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("endpoint", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("success", LH_BIND_TO_BOOL) },
	LH_BIND_END
};
#define COUNTS(name) { LH_BIND_ONLY(name, LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT) }
static const struct lh_bind counts[] = {
	LH_OP_COUNT("total"), LH_OP_COUNT("successes"), LH_OP_COUNT("failures"),
	COUNTS("by_source"), COUNTS("by_endpoint"),
	{ LH_BIND_ONLY("recent_scenario_ops", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .person = true, .about = "the newest rows of the source scenario" },
	LH_BIND_END
};
static const struct lh_bind health[] = {
	LH_OP_TEXT("status"),
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "record", "LOG [FILE...]", "append a row for each event", V_RECORD, record_event,
	  .request = "event", .in = event, .out = row, .command = observe_record,
	  .writes = true,
	  .keeps = true },
	{ "inbox", "LOG [FILE...]", "append a row for each message", V_INBOX, record_message,
	  LH_OP_IN(message_members, struct message), .out = row, .command = observe_record,
	  .writes = true,
	  .keeps = true },
	{ "stats", "LOG", "count the newest rows", V_STATS, answer_stats,
	  LH_OP_IN(stats_members, struct query), .out = counts, .command = observe_stats },
	{ "tail", "LOG", "print the last rows", V_TAIL, .out = row, .command = observe_tail },
	{ "push", "LOG", "send new rows to OpenTelemetry or Langfuse", V_PUSH,
	  .command = observe_push, .writes = true },
	{ "decisions", "LOG", "count or list the rows of a log of decisions", V_DECISIONS,
	  .out = lh_op_any, .command = observe_decisions },
	{ "health", NULL, "whether rows can be written", 0, answer_health, .out = health },
	LH_OP_REQUESTS("LOG [FILE...]", V_REQUESTS),
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	s->run = (struct run){ .tool = tool, .s = s, .path = tool->operands[0] };
	if (strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, "a log");
	if (s->source && (!*s->source || !lh_utf8_valid(s->source, strlen(s->source))))
		return lh_tool_usage(tool, "--source: \"%.100s\" is empty or not UTF-8",
				     s->source);
	if (s->window && !stats_window(lh_str_of(s->window)))
		return lh_tool_usage(tool, "--window: \"%.100s\" is neither a number from 1 nor "
				     "\"all\"", s->window);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = {
		.by = -1, .n = 10, .batch = 100, .batch_size = 3 << 20, .retries = 5, .timeout = 30
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-observe",
		.synopsis = "COMMAND [OPTION]... LOG [FILE]...",
		.summary = "keep a log of what was done, and export it",
		.example = "lh-observe stats --by endpoint observer.jsonl",
		.options = options,
		.check = check,
		.close = close_log,
		.ops = ops,
		.what = "log",
		.before_output = sync_log,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
