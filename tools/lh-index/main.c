/* lh-index: build an index file of vectors.  See lh-index(1). */
#include "requests.h"
#include "model/http.h"

#define V_SETS (V_SET | V_REPLACE)
#define V_PARAMS (V_BUILD | V_UPGRADE)
#define V_TEXT (V_PARAMS | V_ADD | V_COMPARE)
#define V_READS (V_BUILD | V_ADD | V_DELETE | V_GET | V_SETS | V_REQUESTS)
#define V_IDS (V_BUILD | V_ADD | V_DELETE | V_GET | V_SETS)
#define V_WRITE (V_BUILD | V_ADD | V_DELETE | V_SETS | V_COMPACT | V_MERGE | V_MOVE | V_REQUESTS | \
		 V_IMPORT | V_PUSH | V_UPGRADE)

static const struct lh_option options[] = {
	{ 0, "distance", "cosine|l2|ip", "how to measure (default cosine)",
	  LH_CHOICE(struct settings, distance, .verbs = V_PARAMS | V_IMPORT) },
	{ 0, "m", "N", "links per vector, 16 or 32 (default 16)",
	  LH_UINT(struct settings, m, 16, 32, .verbs = V_PARAMS) },
	{ 0, "ef-construction", "N", "candidates while building (default 200)",
	  LH_UINT(struct settings, ef_construction, 8, 10000, .verbs = V_PARAMS) },
	{ 0, "ef-search", "N", "ef of searches (default max(64, 2k))",
	  LH_UINT(struct settings, ef_search, 1, LH_INDEX_EF_MAX, .verbs = V_PARAMS) },
	{ 0, "exact-below", "N", "no graph under N vectors (default 1000)",
	  LH_UINT(struct settings, exact_below, 0, 4294967294.0, .verbs = V_PARAMS) },
	{ 0, "precision", "f32|f16|i8", "how vectors are stored (default f32)",
	  LH_CHOICE(struct settings, precision, .verbs = V_PARAMS) },
	{ 0, "rescore", NULL, "also store f32, for exact distances",
	  LH_FLAG(struct settings, rescore, .verbs = V_PARAMS) },
	{ 0, "layout", "qg", "of the graph; there is no other",
	  LH_CHOICE(struct settings, layout, .verbs = V_PARAMS) },
	{ 0, "lexical", NULL, "also find texts by their words",
	  LH_FLAG(struct settings, lexical, .verbs = V_PARAMS) },
	{ 0, "of-persons", NULL, "the records are persons",
	  LH_FLAG(struct settings, of_persons, .verbs = V_PARAMS | V_IMPORT) },
	{ 0, "dimension", "N", "values of a vector (768: 5.4 KB a record)",
	  LH_UINT(struct settings, dimension, 1, LH_DIM_MAX, .verbs = V_PARAMS | V_IMPORT) },
	{ 0, "allow-empty", NULL, "make INDEX even without any record",
	  LH_FLAG(struct settings, allow_empty, .verbs = V_BUILD) },
	{ 0, "seed", "N", "seed of the graph's levels (default 1)",
	  LH_UINT(struct settings, seed, 0, 4294967295.0, .verbs = V_PARAMS) },
	{ 0, "like", "INDEX", "keep the parameters of this one",
	  LH_TEXT(struct settings, like, .verbs = V_BUILD) },
	{ 0, "engine", LH_ENGINES, "embeds the texts (default hash)",
	  LH_CHOICE(struct settings, engine, .verbs = V_TEXT) },
	{ 0, "model", "MODEL", "model (default: first record's)",
	  LH_TEXT(struct settings, model, .verbs = V_TEXT) },
	{ 0, "url", "URL", "address of the engine",
	  LH_TEXT(struct settings, url, .verbs = V_TEXT) },
	{ 0, "prefix", "TEXT", "put TEXT before each text (gguf)",
	  LH_TEXT(struct settings, prefix, .verbs = V_TEXT) },
	{ 0, "truncate", NULL, "cut texts that are too long (gguf)",
	  LH_FLAG(struct settings, truncate, .verbs = V_TEXT) },
	{ 0, "query-prefix", "TEXT", "put TEXT before each query (gguf)",
	  LH_TEXT(struct settings, query_prefix, .verbs = V_TEXT) },
	{ 0, "batch", "N", "texts in a call (64, gguf 256)",
	  LH_UINT(struct settings, batch, 1, 4096, .verbs = V_TEXT) },
	{ 0, "field", "NAME", "the field to embed (default text)",
	  LH_TEXT(struct settings, field, .verbs = V_TEXT) },
	{ 0, "template", "TEXT", "embed fields: '{role} in {city}'",
	  LH_TEXT(struct settings, template, .verbs = V_TEXT) },
	{ 0, "id-field", "NAME", "the id's field (default id)",
	  LH_TEXT(struct settings, id_field, .verbs = V_IDS) },
	{ 0, "id", "ID", "this record (repeatable)",
	  LH_TEXTS(struct settings, id, .verbs = V_DELETE | V_GET) },
	{ 0, "encoding", "array|base64", "with vectors (dump: default array)",
	  LH_CHOICE(struct settings, encoding, .verbs = V_DUMP | V_GET) },
	{ 0, "hnswlib", "FILE", "the index of hnswlib",
	  LH_TEXT(struct settings, hnswlib, .verbs = V_IMPORT | V_EXPORT) },
	{ 0, "ids", "IDS", "file of ids, a line each",
	  LH_TEXT(struct settings, ids,
		  .verbs = V_BUILD | V_DUMP | V_IMPORT | V_EXPORT | V_DELETE | V_GET) },
	{ 0, "out", "FILE", "also draw the curves, as SVG",
	  LH_TEXT(struct settings, out, .verbs = V_COMPARE) },
	{ 0, "answers", "FILE", "also write what hnswlib answers",
	  LH_TEXT(struct settings, answers, .verbs = V_COMPARE) },
	{ 0, "from", FORMATS, "read this format (default jsonl)",
	  LH_CHOICE(struct settings, from, .verbs = V_BUILD) },
	{ 0, "to", FORMATS, "write this format (default jsonl)",
	  LH_CHOICE(struct settings, to, .verbs = V_DUMP) },
	{ 0, "persons", "NAME", "records of this index are persons (repeatable)",
	  LH_TEXTS(struct settings, persons, .verbs = V_REQUESTS) },
	{ 0, "attribute", NULL, "say whose data an answer has used",
	  LH_FLAG(struct settings, attribute, .verbs = V_REQUESTS) },
	{ 0, "playbooks", "DIR", "folder of playbooks, to be named or deleted",
	  LH_TEXT(struct settings, playbooks, .verbs = V_REQUESTS) },
	{ 0, "reach", NULL, "also name records that no link leads to",
	  LH_FLAG(struct settings, reach, .verbs = V_VERIFY) },
	{ 0, "lock-timeout", "S", "seconds to wait (default 10)",
	  LH_REAL(struct settings, lock_timeout, 0, 1e9, .verbs = V_WRITE) },
	LH_FORCE_OPTION(V_BUILD | V_UPGRADE | V_IMPORT | V_EXPORT | V_DUMP | V_COMPARE),
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Check the options of build --from and dump --to. */
static int check_formats(struct lh_tool *tool, const struct settings *s)
{
	bool build = tool->verb->bit & V_BUILD;
	enum format format = build ? s->from : s->to;
	const char *option = build ? "from" : "to";

	if (format == FORMAT_JSONL && s->ids)
		return lh_tool_usage(tool, "--ids goes with --%s npy", option);
	if (format != FORMAT_JSONL && (s->id_field || s->encoding >= 0))
		return lh_tool_usage(tool, "--%s goes with --%s jsonl",
				     s->id_field ? "id-field" : "encoding", option);
	return 0;
}

static int check(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const unsigned one = V_UPGRADE | V_DUMP | V_COMPACT | V_IMPORT | V_EXPORT;
	struct lh_err err;

	if (tool->on_error == LH_ON_ERROR_EMIT && !(tool->verb->bit & V_READS))
		return lh_tool_usage(
			tool, "--on-error emit: there is no output per record; skip or stop");
	if (tool->verb->bit & one && tool->n_operands > 1)
		return lh_tool_unexpected(tool, 1, "%s takes one INDEX", tool->verb->name);
	if (tool->verb->bit == V_MOVE && tool->n_operands > 2)
		return lh_tool_unexpected(tool, 2, "move takes two indexes");
	if (tool->verb->bit & (V_PUSH | V_FETCH) && tool->n_operands > 2)
		return lh_tool_unexpected(tool, 2, "%s takes a file and a URL", tool->verb->name);
	if (strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, tool->verb->bit == V_REQUESTS ? "a folder" :
									       "an index");
	if (tool->verb->bit & (V_IMPORT | V_EXPORT) && !(s->hnswlib && s->ids))
		return lh_tool_usage(tool, "%s needs --hnswlib FILE and --ids IDS",
				     tool->verb->name);
	if (tool->verb->bit & (V_BUILD | V_DUMP) && check_formats(tool, s) < 0)
		return -1;
	if (s->url && lh_http_check_kept_url(s->url, &err) < 0)
		return lh_tool_usage(tool, "--url: %s", err.msg);
	if (s->field && s->template)
		return lh_tool_usage(tool, "--field and --template exclude each other");
	if (s->id_field && !*s->id_field)
		return lh_tool_usage(tool, "--id-field: nothing is named");
	if ((s->field && !*s->field) || (s->template && !*s->template))
		return lh_tool_usage(tool, "--%s: nothing is named",
				     s->field ? "field" : "template");
	s->named = s->field || s->template;
	if (s->engine == LH_ENGINE_GGUF && s->url)
		return lh_tool_usage(tool, "--url: the model of engine gguf is --model");
	if ((s->prefix || s->query_prefix) && s->engine != LH_ENGINE_GGUF &&
	    (s->engine >= 0 || tool->verb->bit & V_BUILD))
		return lh_tool_usage(tool, "--%s is for engine gguf",
				     s->prefix ? "prefix" : "query-prefix");
	if (tool->verb->bit == V_UPGRADE)
		s->like = tool->operands[0];
	s->upgrade = tool->verb->bit == V_UPGRADE;
	if (settings_fill(s, &tool->err) < 0)
		return -1;
	if (s->rescore && s->precision == LH_F32)
		return lh_tool_usage(tool, "--rescore goes with --precision f16 or i8");
	if (tool->verb->bit & (V_BUILD | V_IMPORT | V_UPGRADE))
		return index_replaces(tool, tool->operands[0]);
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = {
		.distance = -1, .precision = -1, .engine = -1,
		.encoding = -1,
		.exact_below = UINT64_MAX, .seed = UINT64_MAX,
		.lock_timeout = 10,
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-index",
		.synopsis = "COMMAND [OPTION]... INDEX [FILE]...",
		.summary = "build and change index files of vectors",
		.example = "lh-index build tickets.lhv tickets.jsonl",
		.options = options,
		.check = check,
		.ops = index_ops,
		.failed = requests_refuse,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
