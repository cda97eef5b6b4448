/* lh-store: objects in a folder or in S3.  See lh-store(1). */
#include "store.h"

static const struct lh_option options[] = {
	{ 0, "if-none-match", NULL, "only if there is no such object",
	  LH_FLAG(struct settings, if_none_match, .verbs = V_PUT) },
	{ 0, "missing-ok", NULL, "succeed also if there is no such object",
	  LH_FLAG(struct settings, missing_ok, .verbs = V_DELETE) },
	{ 0, "delete", NULL, "delete what FROM does not have",
	  LH_FLAG(struct settings, remove, .verbs = V_SYNC) },
	{ 'n', "dry-run", NULL, "print, and change nothing",
	  LH_FLAG(struct settings, dry_run, .verbs = V_SYNC) },
	{ 0, "keep", "AGE", "remove older snapshots: 90m, 36h, 7d, 8w",
	  LH_TEXT(struct settings, age, .verbs = V_SNAPSHOT) },
	{ 0, "replace", NULL, "in place of the snapshot of the same time",
	  LH_FLAG(struct settings, replace, .verbs = V_SNAPSHOT) },
	{ 0, "as-of", "TIME", "the last snapshot by then",
	  LH_TIME(struct settings, as_of, .verbs = V_RESTORE) },
	LH_LOCK_OPTION(V_SNAPSHOT),
	{ 0, "now", "TIME", "the time of the snapshot (default: the clock)",
	  LH_TOOL_FIELD(TIME, now, .env = "LH_NOW", .verbs = V_SNAPSHOT) },
	LH_ALLOW_EMPTY_OPTION(V_SNAPSHOTS | V_VERIFY),
	{ 0, "key-file", "FILE", "AWS credentials file (mode 0600)",
	  LH_TEXT(struct settings, opts.key_file, .env = "LH_S3_KEY_FILE") },
	{ 0, "part-size", "SIZE", "S3: larger objects are sent in parts (default 64M)",
	  LH_SIZE(struct settings, opts.part_size, 5242880, 5368709120.0,
		  .verbs = V_PUT | V_SYNC | V_SNAPSHOT) },
	{ 0, "retries", "N", "S3: more tries of a call (default 4)",
	  LH_UINT(struct settings, retries, 0, 100) },
	{ 0, "timeout", "S", "S3: seconds without progress (default 60)",
	  LH_REAL(struct settings, opts.timeout, 0.001, 86400) },
	LH_FILES_OPTION(V_REQUESTS),
	{ 0, "on-error", "skip|emit|stop", "requests: what a rejected one does (default emit)",
	  LH_TOOL_FIELD(CHOICE, on_error, .verbs = V_REQUESTS) },
	{ 0, "rejects", "FILE", "requests: append rejected lines to FILE",
	  LH_TOOL_FIELD(TEXT, rejects, .verbs = V_REQUESTS) },
	{ 0, "max-line", "SIZE", "requests: longest line, K/M/G (default 256M)",
	  LH_TOOL_FIELD(SIZE, max_line, .min = 1, .max = 2147483648.0, .verbs = V_REQUESTS) },
	{ 0, "max-members", "N", "requests: most members of an object (default 65536)",
	  LH_TOOL_FIELD(UINT, max_members, .min = 64, .max = 1000000000, .verbs = V_REQUESTS) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static void on_moved(void *context, uint64_t n)
{
	struct settings *s = context;

	s->moved += n;
	lh_tool_bytes(s->tool, s->moved, s->of);
}

/* An object that no key names is not left out in silence. */
static void on_refused(void *context, const struct lh_err *why)
{
	struct settings *s = context;

	lh_tool_warn(s->tool, "%s", why->msg);
	lh_tool_verdict_bad(s->tool);
}

/* Set the milliseconds of "7d". */
static int read_age(struct lh_tool *tool, struct settings *s)
{
	static const char unit[] = "mhdw";
	static const int64_t ms[] = { 60000, 3600000, 86400000, 604800000 };
	char *end;
	const char *u;
	unsigned long n;

	if (!s->age)
		return 0;
	n = strtoul(s->age, &end, 10);
	u = *end ? strchr(unit, *end) : NULL;
	if (!u || end[1] || *s->age < '0' || *s->age > '9' || !n || n > 99999)
		return lh_tool_usage(tool, "--keep must be a number with m, h, d or w, such as 7d, "
				     "not \"%s\"", s->age);
	s->keep = (int64_t)n * ms[u - unit];
	return 0;
}

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (read_age(tool, s) < 0)
		return -1;
	s->tool = tool;
	s->opts.context = s;
	s->opts.moved = tool->verb->bit == V_REQUESTS ? NULL : on_moved;
	s->opts.refused = tool->verb->bit == V_REQUESTS ? NULL : on_refused;
	if (strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, "a store");
	return tool->verb->bit == V_REQUESTS ? store_open(s) : 0;
}

/* A refusal about one object (LH_EDATA) is reported with its code and becomes exit status 1. */
static int end(struct lh_tool *tool, void *settings, int rc)
{
	struct settings *s = settings;

	lh_store_close(s->store);
	lh_buf_free(&s->key);
	lh_buf_free(&s->file);
	lh_buf_free(&s->match);
	lh_buf_free(&s->none_match);
	if (rc >= 0 || tool->err.code != LH_EDATA || tool->verb->bit == V_REQUESTS)
		return rc;
	lh_tool_warn(tool, "%u: %s", lh_err_status(&tool->err), tool->err.msg);
	lh_tool_verdict_bad(tool);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .opts = LH_STORE_DEFAULTS, .retries = 4 };
	static const struct lh_tool_spec spec = {
		.name = "lh-store",
		.synopsis = "COMMAND [OPTION]... STORE [KEY] [PATH]",
		.summary = "keep objects in a folder or in S3",
		.example = "lh-store put lake datasets/tickets.jsonl tickets.jsonl",
		.options = options,
		.check = check,
		.close = end,
		.ops = store_ops,
		.what = "store",
	};

	return lh_op_main(&spec, argc, argv, &s);
}
