/* lh-playbook: maintain a memory of which answers were good for which queries.  See
 * lh-playbook(1). */
#include "playbook.h"
#include "model/http.h"

#define V_MAKES (V_RECORD | V_REQUESTS)

static const struct lh_option options[] = {
	{ 0, "engine", LH_ENGINES, "engine of a new playbook (default hash)",
	  LH_CHOICE(struct settings, engine, .verbs = V_MAKES) },
	{ 0, "model", "MODEL", "model of a new playbook (default: the engine's)",
	  LH_TEXT(struct settings, model, .verbs = V_MAKES) },
	{ 0, "url", "URL", "address of the engine",
	  LH_TEXT(struct settings, url, .verbs = V_MAKES) },
	{ 0, "prefix", "TEXT", "put TEXT before each query of a new playbook (gguf)",
	  LH_TEXT(struct settings, prefix, .verbs = V_MAKES) },
	{ 0, "indexes", "DIR", "a new playbook is made as the index of its answers in DIR",
	  LH_TEXT(struct settings, indexes, .verbs = V_MAKES) },
	{ 0, "judge", "MODEL|COMMAND", "have each answer rated before it is stored",
	  LH_TEXT(struct settings, judge, .verbs = V_MAKES) },
	{ 0, "least", "N", "refuse an answer that it rates lower",
	  LH_REAL(struct settings, least, -1e9, 1e9, .verbs = V_MAKES) },
	{ 0, "id", "ID", "remove this entry (repeatable)",
	  LH_TEXTS(struct settings, id, .verbs = V_REMOVE) },
	LH_DECISIONS_OPTIONS(struct settings, decisions, .verbs = V_MAKES),
	LH_LOCK_OPTION(V_RECORD | V_REMOVE | V_REQUESTS),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_err err;

	if (strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, tool->verb->bit == V_REQUESTS ? "a folder" :
									       "a playbook");
	if (tool->verb->bit == V_REMOVE && tool->on_error == LH_ON_ERROR_EMIT)
		return lh_tool_usage(
			tool, "--on-error emit: there is no output per record; skip or stop");
	if (s->engine == LH_ENGINE_GGUF && s->url)
		return lh_tool_usage(tool, "--url: the model of engine gguf is --model");
	if (s->prefix && s->engine >= 0 && s->engine != LH_ENGINE_GGUF)
		return lh_tool_usage(tool, "--prefix is for engine gguf");
	if (!s->judge != isnan(s->least))
		return lh_tool_usage(tool, "--judge and --least need each other");
	if (s->url && lh_http_check_kept_url(s->url, &err) < 0)
		return lh_tool_usage(tool, "--url: %s", err.msg);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .engine = -1, .least = NAN };
	static const struct lh_tool_spec spec = {
		.name = "lh-playbook",
		.synopsis = "COMMAND [OPTION]... PLAYBOOK [FILE]...",
		.summary = "remember which answers were good for which queries",
		.example = "lh-playbook list book.lhv |\n"
			   "      jq -c 'select(.answer_corpus == \"tickets\")' > old.jsonl",
		.options = options,
		.check = check,
		.ops = playbook_ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
