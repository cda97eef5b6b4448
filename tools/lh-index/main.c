/* lh-index: build an index file of vectors.  See lh-index(1). */
#include "index.h"
#include "model/http.h"

#define OPT(type, f, lo, hi, verbs) type, false, offsetof(struct settings, f), lo, hi, NULL, verbs
#define V_TEXT (V_BUILD | V_ADD)
#define V_READS (V_BUILD | V_ADD | V_DELETE)
#define V_WRITE (V_BUILD | V_ADD | V_DELETE | V_COMPACT | V_MERGE | V_MOVE)

static const struct lh_option options[] = {
	{ 0, "distance", "cosine|l2|ip", "1 - cos, Euclidean, or 1 - dot (default cosine)",
	  OPT(LH_OPT_CHOICE, distance, 0, 0, V_BUILD) },
	{ 0, "m", "N", "links per vector (default 16)", OPT(LH_OPT_UINT, m, 2, 128, V_BUILD) },
	{ 0, "ef-construction", "N", "candidates while building (default 200)",
	  OPT(LH_OPT_UINT, ef_construction, 8, 10000, V_BUILD) },
	{ 0, "exact-below", "N", "no graph under N vectors (default 1000)",
	  OPT(LH_OPT_UINT, exact_below, 0, 4294967294.0, V_BUILD) },
	{ 0, "precision", "f32|f16|i8", "how vectors are stored (default f32)",
	  OPT(LH_OPT_CHOICE, precision, 0, 0, V_BUILD) },
	{ 0, "rescore", NULL, "also store f32 with f16 or i8, for exact distances", OPT(LH_OPT_FLAG, rescore, 0, 0, V_BUILD) },
	{ 0, "lexical", NULL, "also find texts by their words (lh-search --hybrid)",
	  OPT(LH_OPT_FLAG, lexical, 0, 0, V_BUILD) },
	{ 0, "dimension", "N", "length of vectors (default: the first one's)",
	  OPT(LH_OPT_UINT, dimension, 1, LH_DIM_MAX, V_BUILD) },
	{ 0, "allow-empty", NULL, "make INDEX even if no record was accepted", OPT(LH_OPT_FLAG, allow_empty, 0, 0, V_BUILD) },
	{ 0, "seed", "N", "seed of the graph's levels (default 1)", OPT(LH_OPT_UINT, seed, 0, 4294967295.0, V_BUILD) },
	{ 0, "engine", LH_ENGINES, "engine that embeds texts (default hash)",
	  OPT(LH_OPT_CHOICE, engine, 0, 0, V_TEXT) },
	{ 0, "model", "NAME", "model of the vectors (default: the first record's)", OPT(LH_OPT_TEXT, model, 0, 0, V_TEXT) },
	{ 0, "url", "URL", "address of the engine", OPT(LH_OPT_TEXT, url, 0, 0, V_TEXT) },
	{ 0, "batch", "N", "texts in one call to a service (default 64)", OPT(LH_OPT_UINT, batch, 1, 4096, V_TEXT) },
	{ 0, "field", "NAME", "the field to embed (default text; add: as built)", OPT(LH_OPT_TEXT, field, 0, 0, V_TEXT) },
	{ 0, "template", "TEXT", "embed several fields: '{role} in {city}'", OPT(LH_OPT_TEXT, template, 0, 0, V_TEXT) },
	{ 0, "id", "ID", "delete this record (repeatable)", OPT(LH_OPT_TEXTS, id, 0, 0, V_DELETE) },
	{ 0, "encoding", "array|base64", "how vectors are printed (default array)",
	  OPT(LH_OPT_CHOICE, encoding, 0, 0, V_DUMP) },
	{ 0, "lock-timeout", "S", "seconds to wait for another writer (default 10)",
	  OPT(LH_OPT_REAL, lock_timeout, 0, 1e9, V_WRITE) },
	LH_JOBS_OPTION,
	LH_NOW_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_verb verbs[] = {
	{ "build", "INDEX [FILE...]", "make INDEX from records", V_BUILD, 1, index_build },
	{ "add", "INDEX [FILE...]", "add or replace records", V_ADD, 1, index_add },
	{ "delete", "INDEX [FILE...]", "delete the records with these ids", V_DELETE, 1, index_delete },
	{ "info", "INDEX...", "describe an index as JSON", V_INFO, 1, index_info },
	{ "dump", "INDEX", "write every record with its vector", V_DUMP, 1, index_dump },
	{ "verify", "INDEX...", "check every byte of the file and its log", V_VERIFY, 1, index_verify },
	{ "compact", "INDEX", "merge pending changes into the file", V_COMPACT, 1, index_compact },
	{ "merge", "DEST SRC...", "add the records that DEST does not have", V_MERGE, 2, index_merge },
	{ "move", "DEST SRC", "move all records of SRC to DEST", V_MOVE, 2, index_move },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

static int check(struct lh_tool *tool, const struct settings *s)
{
	const unsigned one = V_DUMP | V_COMPACT;
	struct lh_err err;

	if (tool->on_error == LH_ON_ERROR_EMIT && !(tool->verb->bit & V_READS))
		return lh_tool_usage(tool, "--on-error emit: there is no output per record; skip or stop");
	if (tool->verb->bit & one && tool->n_operands > 1)
		return lh_tool_unexpected(tool, 1, "%s takes one INDEX", tool->verb->name);
	if (tool->verb->bit == V_MOVE && tool->n_operands > 2)
		return lh_tool_unexpected(tool, 2, "move takes two indexes");
	if (strcmp(tool->operands[0], "-") == 0)
		return lh_tool_no_stream(tool, "an index");
	if (s->url && lh_http_check_kept_url(s->url, &err) < 0)
		return lh_tool_usage(tool, "--url: %s", err.msg);
	if (s->field && s->template)
		return lh_tool_usage(tool, "--field and --template exclude each other");
	if ((s->field && !*s->field) || (s->template && !*s->template))
		return lh_tool_usage(tool, "--%s: nothing is named", s->field ? "field" : "template");
	if (s->engine == LH_ENGINE_STATIC && s->url)
		return lh_tool_usage(tool, "--url: the table of engine static is --model");
	if (s->rescore && s->precision == LH_F32)
		return lh_tool_usage(tool, "--rescore goes with --precision f16 or i8");
	return 0;
}

int main(int argc, char **argv)
{
	struct settings s = {
		.engine = -1, .m = 16, .ef_construction = 200, .exact_below = 1000, .seed = 1,
		.batch = 64, .lock_timeout = 10,
	};
	struct lh_tool tool;
	int rc;

	lh_tool_init(&tool, "lh-index", "COMMAND [OPTION]... INDEX [FILE]...",
		     "build and change index files of vectors", options);
	lh_tool_verbs(&tool, verbs);
	rc = lh_tool_parse(&tool, argc, argv, &s);
	if (!rc)
		rc = check(&tool, &s);
	if (!rc)
		rc = tool.verb->run(&tool, &s);
	return lh_tool_finish(&tool, rc);
}
