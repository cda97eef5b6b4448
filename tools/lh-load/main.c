/* lh-load: load over HTTP, and what came back.  See lh-load(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/signal.h"
#include "load.h"
#include "tool/op.h"

enum { V_LOAD = 1, V_MIX = 2 };

static const struct lh_option options[] = {
	{ 'c', NULL, "N[,N...]", "connections at once; a list: in steps (default 10)",
	  LH_TEXT(struct settings, connections) },
	{ 'd', NULL, "S", "seconds of a step (default 10)",
	  LH_REAL(struct settings, duration, 0.001, 1e8) },
	{ 'n', NULL, "N", "requests of a step, or scenarios, in place of -d",
	  LH_UINT(struct settings, number, 1, 1e15) },
	{ 0, "rate", "R", "send R requests a second, whatever the answers take",
	  LH_REAL(struct settings, rate, 0.001, 1e7, .verbs = V_LOAD) },
	{ 0, "each", NULL, "print a line for each request",
	  LH_FLAG(struct settings, each, .verbs = V_LOAD) },
	{ 0, "via", "http|filters", "what answers: the server at URL (default), or "
	  "filters over the state in DIR",
	  LH_CHOICE(struct settings, via, .verbs = V_MIX) },
	{ 0, "seed", "S", "seed of what is drawn (default 1)",
	  LH_UINT(struct settings, seed, 0, 1e15, .verbs = V_MIX) },
	{ 0, "header", "HEADER", "\"Name: value\" of each request (repeatable)",
	  LH_TEXTS(struct settings, headers) },
	{ 0, "token-file", "FILE", "bearer token of each request",
	  LH_TEXT(struct settings, token_file) },
	{ 0, "timeout", "S", "seconds for an answer (default 30)",
	  LH_REAL(struct settings, timeout, 0.001, 86400) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Read a number of connections at *p, and go on to the next. */
static bool read_step(const char **p, size_t *step)
{
	size_t digits = strspn(*p, "0123456789");
	char *end;

	if (!digits || digits > 6)
		return false;
	*step = strtoul(*p, &end, 10);
	*p = end + (*end == ',' && end[1]);
	return *step >= 1 && *step <= CONNECTIONS_MAX;
}

static int read_steps(struct lh_tool *tool, struct settings *s)
{
	const char *p = s->connections;

	while (s->steps < STEPS_MAX && read_step(&p, &s->step[s->steps])) {
		s->steps++;
		if (!*p)
			return 0;
	}
	return lh_tool_usage(tool, "-c: \"%.200s\" is not a whole number from 1 to %d, or at most "
			     "%d of them with commas between", s->connections, CONNECTIONS_MAX,
			     STEPS_MAX);
}

/* Check the options of both commands, set the defaults, and let signals wake what waits. */
static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (tool->verb->bit == V_MIX && tool->n_operands > 2)
		return lh_tool_unexpected(tool, 2, "SCENARIOS.jsonl and a URL or DIR are taken");
	if (s->number && s->duration)
		return lh_tool_usage(tool, "-d and -n exclude each other");
	s->duration = s->duration ? s->duration : s->number ? INFINITY : 10;
	s->number = s->number ? s->number : UINT64_MAX;
	if (read_steps(tool, s) < 0)
		return -1;
	return lh_signal_wake_open(&tool->err);
}

static int run_load(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct requests r = { .one = NULL };
	struct target t = { .host = NULL };
	int rc;

	rc = target_open(&t, tool->operands[0], &tool->err);
	if (!rc)
		rc = target_headers(&t, &s->headers, s->token_file, &tool->err);
	if (!rc)
		rc = requests_read(tool, &t, &r);
	lh_signal_defer(true);
	if (!rc)
		rc = load_run(tool, s, &t, &r, tool->operands[0]);
	requests_free(&r);
	target_close(&t);
	return rc;
}

/* Return whether an operand is what answers, and not the file of scenarios. */
static bool is_target(const struct settings *s, const char *operand)
{
	struct stat st;

	if (s->via == VIA_FILTERS)
		return stat(operand, &st) == 0 && S_ISDIR(st.st_mode);
	return strstr(operand, "://");
}

/* Take the operands in either order. */
static int run_mix(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	char **o = tool->operands;
	bool first = tool->n_operands > 1 && is_target(s, o[0]);

	if (s->steps > 1)
		return lh_tool_usage(tool, "-c: \"mix\" takes one number of connections");
	if (s->via == VIA_FILTERS && tool->n_operands < 2)
		return lh_tool_usage(tool, "--via filters: missing operand DIR");
	if (s->via == VIA_FILTERS && (s->headers.n || s->token_file))
		return lh_tool_usage(tool, "--%s: filters take no headers",
				     s->token_file ? "token-file" : "header");
	return mix_run(tool, s, o[first], tool->n_operands > 1 ? o[!first] : NULL);
}

/* Of a step of -c; with --each also of each request. */
static const struct lh_bind measured[] = {
	{ LH_BIND_ONLY("url", LH_BIND_TO_STRING), .about = "of a step" },
	{ LH_BIND_ONLY("total", LH_BIND_TO_WHOLE), .most = INT64_MAX, .about = "requests" },
	{ LH_BIND_ONLY("transport_errors", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "requests without an answer" },
	LH_OP_OBJECT("by_status"),
	{ LH_BIND_ONLY("request", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "of a request, from 0" },
	{ LH_BIND_ONLY("fault", LH_BIND_TO_STRING), .about = "why it was not answered" },
	LH_BIND_END
};

/* Of a scenario, and last of all. */
static const struct lh_bind mixed[] = {
	{ LH_BIND_ONLY("scenario", LH_BIND_TO_STRING), .about = "its name" },
	{ LH_BIND_ONLY("failures", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("first_failure", LH_BIND_TO_VALUE), .null = true,
	  .types = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NULL) },
	{ LH_BIND_ONLY("scenarios", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "how many were run" },
	{ LH_BIND_ONLY("classes_ok", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "scenarios of the file that never failed" },
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", "URL", "send the same requests again and again", V_LOAD, .in = lh_op_any,
	  .out = measured, .command = run_load, .writes = true },
	{ "mix", "SCENARIOS.jsonl [URL|DIR]", "run scenarios of several requests", V_MIX,
	  .out = mixed, .command = run_mix, .writes = true },
	LH_OP_END
};

int main(int argc, char **argv)
{
	struct settings s = { .seed = 1, .timeout = 30, .connections = "10" };
	static const struct lh_tool_spec spec = {
		.name = "lh-load",
		.synopsis = "[mix] [OPTION]... URL",
		.summary = "send load to a server, and measure its answers",
		.example = "lh-load -c 2,4 -n 500 \"$LH_OLLAMA_URL/api/tags\"",
		.options = options,
		.ops = ops,
		.check = check,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
