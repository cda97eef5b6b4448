/* lh-judge: is my search good?  See lh-judge(1). */
#include "judge.h"

#define MEASURED (V_SCORE | V_COMPARE)

static const struct lh_option options[] = {
	{ 0, "qrels", "FILE", "the grades: TREC's, BEIR's, or JSON Lines",
	  LH_TEXT(struct settings, qrels, .verbs = MEASURED | V_POOL | V_SETS) },
	{ 0, "measures", "LIST",
	  "with commas (default ndcg@10,map,mrr@10,recall@100,p@5,judged@10)",
	  LH_TEXT(struct settings, measures, .verbs = MEASURED) },
	{ 0, "gain", "linear|exp", "gain of ndcg: the grade, or 2^grade - 1 (default linear)",
	  LH_CHOICE(struct settings, gain, .verbs = MEASURED) },
	{ 0, "only-answered", NULL, "leave out queries that a run does not have",
	  LH_FLAG(struct settings, only_answered, .verbs = MEASURED) },
	{ 0, "each", NULL, "print the values of each query, too",
	  LH_FLAG(struct settings, each, .verbs = V_SCORE) },
	{ 0, "seed", "N", "of the random numbers (default 1)",
	  LH_UINT(struct settings, seed, 0, INT64_MAX, .verbs = V_COMPARE) },
	{ 0, "fail-below", "X", "exit 1 if the first measure changes by less than X, as -0.01",
	  LH_REAL(struct settings, fail_below, -1, 1, .exponent = true, .verbs = V_COMPARE) },
	{ 0, "depth", "N", "ranks of each run that are pooled (default 10)",
	  LH_UINT(struct settings, depth, 1, UINT32_MAX, .verbs = V_POOL) },
	{ 0, "model", "NAME", "the language model that grades",
	  LH_TEXT(struct settings, model, .verbs = V_ASK) },
	{ 0, "queries", "FILE", "the texts of queries, by query_id",
	  LH_TEXT(struct settings, queries, .verbs = V_ASK) },
	{ 0, "records", "FILE", "the records that were searched, by id",
	  LH_TEXT(struct settings, records, .verbs = V_ASK) },
	{ 0, "field", "NAME", "the text in --records (default text)",
	  LH_TEXT(struct settings, field, .verbs = V_ASK) },
	{ 0, "timeout", "S", "seconds for one call to a model (default 180)",
	  LH_REAL(struct settings, timeout, 0.001, 86400, .verbs = V_ASK) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct settings, retries, 0, 100, .verbs = V_ASK) },
	{ 'j', "jobs", "N", "questions at the same time (default: cores)",
	  LH_TOOL_FIELD(UINT, jobs, .min = 1, .max = 256, .verbs = V_ASK) },
	{ 0, "on-error", "skip|emit|stop", "what to do with bad records (default skip)",
	  LH_TOOL_FIELD(CHOICE, on_error, .verbs = V_ASK) },
	{ 0, "rejects", "FILE", "append rejected lines to FILE",
	  LH_TOOL_FIELD(TEXT, rejects, .verbs = V_ASK) },
	LH_FORCE_OPTION(V_SETS),
	{ 0, "max-line", "SIZE", "longest line, K/M/G (default 256M)",
	  LH_TOOL_FIELD(SIZE, max_line, .min = 1, .max = 2147483648.0) },
	{ 0, "max-members", "N", "most members of an object (default 65536)",
	  LH_TOOL_FIELD(UINT, max_members, .min = 64, .max = 1000000000) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_op ops[] = {
	{ "score", "[RUN]...", "measure runs by grades", V_SCORE, .out = score_out,
	  .command = judge_score },
	{ "compare", "RUN RUN [RUN]...", "measure what later runs gain on the first", V_COMPARE,
	  .out = compare_out, .command = judge_compare },
	{ "pool", "[RUN]...", "list what has no grade yet", V_POOL, .out = pool_out,
	  .command = judge_pool },
	{ "ask", "[FILE]...", "have a language model grade", V_ASK, .in = ask_members,
	  .out = ask_out, .command = judge_ask },
	{ "sets", "DIR DIR", "convert a folder of BEIR into another folder", V_SETS,
	  .out = sets_out, .command = judge_sets, .writes = true },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const unsigned verb = tool->verb->bit;
	size_t i, streams = s->qrels && strcmp(s->qrels, "-") == 0;

	if (verb & MEASURED && !s->qrels)
		return lh_tool_usage(tool, "%s needs --qrels FILE", tool->verb->name);
	if (verb == V_ASK && (!s->model || !*s->model))
		return lh_tool_usage(tool, "ask needs --model NAME");
	if (verb == V_SETS)
		return 0;
	for (i = 0; i < tool->n_operands; i++)
		streams += strcmp(tool->operands[i], "-") == 0;
	streams += !tool->n_operands;
	streams += s->queries && strcmp(s->queries, "-") == 0;
	streams += s->records && strcmp(s->records, "-") == 0;
	return streams > 1 ? lh_tool_usage(tool, "standard input can be read only once") : 0;
}

int main(int argc, char **argv)
{
	struct settings s = {
		.measures = "ndcg@10,map,mrr@10,recall@100,p@5,judged@10",
		.field = "text", .seed = 1, .depth = 10, .retries = 2, .timeout = 180,
		.fail_below = -INFINITY,
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-judge",
		.synopsis = "COMMAND [OPTION]... [OPERAND]...",
		.summary = "measure a search by graded answers, and compare searches",
		.example = "lh-judge score --qrels grades hash.run hybrid.run",
		.options = options,
		.check = check,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
