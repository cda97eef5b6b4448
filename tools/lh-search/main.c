/* lh-search: find the nearest neighbours of queries.  See lh-search(1). */
#include <stdlib.h>
#include <unistd.h>

#include "tool/records.h"
#include "search.h"
#include "json/write.h"

static const struct lh_option options[] = {
	{ 'Q', "query", "TEXT", "answer this query, and read no input",
	  LH_TEXT(struct settings, query) },
	{ 'k', NULL, "N", "results per query (default 10)",
	  LH_UINT(struct settings, k, 0, LH_K_MAX) },
	{ 0, "offset", "N", "leave out the first N of them (default 0)",
	  LH_UINT(struct settings, offset, 0, LH_K_MAX) },
	{ 0, "max-distance", "D", "only results as near as this",
	  LH_REAL(struct settings, max_distance, -1e300, 1e300) },
	{ 0, "min-score", "S", "only results of this score (--hybrid, --rerank)",
	  LH_REAL(struct settings, min_score, -1e300, 1e300, .seldom = true) },
	{ 0, "field", "NAME", "a file's text (default: all strings)",
	  LH_TEXT(struct settings, field) },
	{ 0, "template", "TEXT", "or in several: '{title}. {body}'",
	  LH_TEXT(struct settings, template) },
	{ 0, "id-field", "NAME", "a file's id (default: id, *_id, ..., the line)",
	  LH_TEXT(struct settings, id_field) },
	{ 0, "whole", NULL, "let the model read all of a file",
	  LH_FLAG(struct settings, whole) },
	{ 0, "read-within", "S", "or if that takes S seconds (default 20)",
	  LH_REAL(struct settings, read_within, 0, 1e9, .seldom = true) },
	{ 0, "lines", NULL, "each line of a text is a record",
	  LH_FLAG(struct settings, lines, .seldom = true) },
	{ 0, "matched", NULL, "nothing, where no record has a word of the text",
	  LH_FLAG(struct settings, matched, .seldom = true) },
	{ 0, "words", NULL, "rank by the words alone", LH_FLAG(struct settings, words) },
	{ 0, "passages", NULL, "every passage of a record that is found",
	  LH_FLAG(struct settings, passages, .seldom = true) },
	{ 0, "no-cache", NULL, "keep no index of a file",
	  LH_FLAG(struct settings, no_cache, .seldom = true) },
	{ 0, "where", "KEY=VALUE", "only such records; or !=, <, <=, >, >= (repeatable)",
	  LH_TEXTS(struct settings, where) },
	{ 0, "like", "ID", "what is nearest to this record, or CORPUS/ID (repeatable)",
	  LH_TEXTS(struct settings, like) },
	{ 0, "exclude", "ID", "never return this record (repeatable)",
	  LH_TEXTS(struct settings, exclude) },
	{ 0, "playbook", "PLAYBOOK", "use the good answers recorded by lh-playbook",
	  LH_TEXT(struct settings, playbook) },
	{ 0, "playbook-optional", NULL, "the PLAYBOOK may not exist, and be created later",
	  LH_FLAG(struct settings, playbook_optional, .seldom = true) },
	{ 0, "playbooks", "DIR", "let queries use the playbooks in this folder",
	  LH_TEXT(struct settings, playbooks, .seldom = true) },
	{ 0, "auto-role", NULL, "extract query_role from the wording of the query",
	  LH_FLAG(struct settings, auto_role) },
	{ 0, "hybrid", NULL, "rank by the words of the text as well",
	  LH_FLAG(struct settings, hybrid) },
	{ 0, "exact", NULL, "compare with every vector", LH_FLAG(struct settings, exact) },
	{ 0, "ef", "N", "candidates of a search (default max(64, 2k))",
	  LH_UINT(struct settings, ef, 1, LH_INDEX_EF_MAX) },
	{ 0, "budget", "ROWS", "most rows measured for a query (default: any number)",
	  LH_UINT(struct settings, budget, 1, 1e15) },
	{ 0, "timeout", "S", "seconds a query may take (default 0: any)",
	  LH_REAL(struct settings, timeout, 0, 1e9) },
	{ 0, "explain", NULL, "say in each answer what the search did",
	  LH_FLAG(struct settings, explain) },
	{ 0, "model", "MODEL", "the index's model is this file or name now (gguf)",
	  LH_TEXT(struct settings, model) },
	{ 0, "query-prefix", "TEXT", "put TEXT before each query (default: the index's)",
	  LH_TEXT(struct settings, query_prefix, .seldom = true) },
	{ 0, "rerank", "MODEL", "order results by a cross-encoder",
	  LH_TEXT(struct settings, rerank) },
	{ 0, "rerank-url", "URL", "order results by a service",
	  LH_TEXT(struct settings, rerank_url, .seldom = true) },
	{ 0, "rerank-depth", "N", "results to order (default 100)",
	  LH_UINT(struct settings, rerank_depth, 1, LH_K_MAX, .seldom = true) },
	{ 0, "rerank-field", "NAME", "their text in metadata (default text)",
	  LH_TEXT(struct settings, rerank_field, .seldom = true) },
	{ 0, "flat", NULL, "write a line for each hit, not for each query",
	  LH_FLAG(struct settings, flat) },
	{ 0, "wire", NULL, "write the bodies of a search service",
	  LH_FLAG(struct settings, wire) },
	{ 0, "ignore-unknown", NULL, "let queries have members that are not known",
	  LH_FLAG(struct settings, ignore_unknown, .seldom = true) },
	{ 0, "no-metadata", NULL, "leave out the metadata of hits",
	  LH_FLAG(struct settings, no_metadata) },
	{ 0, "attribute", NULL, "say whose data the answer has used",
	  LH_FLAG(struct settings, attribute, .seldom = true) },
	{ 0, "persons", "CORPUS", "--attribute: its records are persons (repeatable)",
	  LH_TEXTS(struct settings, persons, .seldom = true) },
	LH_DECISIONS_OPTIONS(struct settings, decisions),
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_ONCE_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Say that results have no word of the text, which a person may not see at once. */
static void say_unmatched(struct lh_tool *tool, const struct worker *w)
{
	const struct query *q = &w->reader.q;

	if (w->looked && !w->matched && w->n_found)
		lh_tool_message(tool, "no %srecord has a word of the query; these are nearest by "
				"%s (--matched leaves them out)", q->both.p ? "such " : "",
				w->run->set->reader ? "meaning" : w->nearest_by);
}

/* Answer -Q and --like as one record of stdin. */
static int answer_one(struct lh_tool *tool, struct search *state)
{
	const struct lh_list *like = &state->set->like;
	const char *text = state->set->query;
	LH_SCOPED(lh_buf_free) struct lh_buf in = { 0 }, out = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_writer line;
	struct worker w = { 0 };
	size_t i;
	int rc = -1;

	line = lh_write_to(&in);
	lh_write_object(&line, NULL);
	if (text)
		lh_write_text(&line, "query_text", text);
	if (like->n)
		lh_write_array(&line, "like");
	for (i = 0; i < like->n; i++)
		lh_write_text(&line, NULL, like->v[i]);
	if (like->n)
		lh_write_end(&line);
	lh_write_end(&line);
	if (lh_record_parse(&rec, in.p, in.len, &tool->err) == 0 &&
	    worker_init(&w, state, &tool->err) == 0 &&
	    on_query(&rec, &out, &w, &tool->err) == 0) {
		if (out.len && !state->set->shown)
			lh_buf_putc(&out, '\n');
		say_unmatched(tool, &w);
		rc = lh_decisions_sync(state->decisions, &tool->err);
		if (!rc)
			rc = state->set->shown ? show(tool, &out, text) :
						 lh_tool_out(tool, out.p, out.len);
	}
	worker_free(&w);
	if (rc < 0 && tool->err.code == LH_EDATA)
		lh_err_prefix(&tool->err, like->n ? "--like" : "-Q");
	return rc;
}

static int check_usage(struct lh_tool *tool, void *settings)
{
	struct settings *set = settings;

	if (!tool->n_operands)
		return lh_tool_usage(tool, "missing operand INDEX or FILE: lh search FILE TEXT");
	if (set->field && set->template)
		return lh_tool_usage(tool, "--field and --template exclude each other");
	if (set->playbook && set->playbooks)
		return lh_tool_usage(tool, "--playbook and --playbooks exclude each other");
	if (set->playbook_optional && !set->playbook)
		return lh_tool_usage(tool, "--playbook-optional: needs --playbook");
	if (set->wire && (set->flat || set->query || set->like.n))
		return lh_tool_usage(tool, "--wire and %s exclude each other",
				     set->flat ? "--flat" : set->query ? "-Q" : "--like");
	for (size_t i = 0; i < set->like.n; i++)
		if (!lh_utf8_valid(set->like.v[i], strlen(set->like.v[i])))
			return lh_tool_usage(tool, "--like is not UTF-8");
	if (set->explain && set->flat)
		return lh_tool_usage(tool, "--explain and --flat exclude each other");
	if (set->decisions.path && !set->playbook && !set->playbooks)
		return lh_tool_usage(tool, "--decisions: needs --playbook or --playbooks");
	if (set->query && !lh_utf8_valid(set->query, strlen(set->query)))
		return lh_tool_usage(tool, "-Q is not UTF-8");
	return given_text(tool, set);
}

/* Wait until the decisions are on disk before their answers are written. */
static int before_output(void *run, struct lh_err *err)
{
	return lh_decisions_sync(((struct run *)run)->decisions, err);
}

static int search(struct lh_tool *tool, void *settings)
{
	struct settings *set = settings;
	struct run run = { .tool = tool, .set = set, .n_operands = tool->n_operands };
	struct lh_held_how how = state_how(&run);
	struct lh_flow flow = {
		.map = on_query, .renew = worker_renew,
		.files = tool->operands + tool->n_operands, .n_files = 0,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free, .before_output = before_output, .shared = &run,
	};
	struct given given = { NULL };
	int rc;

	set->shown = set->shown && isatty(STDOUT_FILENO) && !set->flat && !set->explain &&
		     !set->no_metadata;
	rc = fetched_open(&run.fetched, set, tool);
	if (!rc)
		rc = given_open(&given, run.fetched.operands, &run.n_operands, set, tool);
	run.operands = run.fetched.operands;
	looked_up_init(&run.looked_up);
	run.known = lh_vocabularies_new();
	if (!rc)
		rc = lh_decisions_open(&run.decisions, tool, &set->decisions);
	if (!rc && set->where.n &&
	    lh_filter_where(&run.where, set->where.v, set->where.n, &tool->err) < 0)
		rc = lh_err_prefix(&tool->err, "--where");
	if (!rc)
		rc = rerank_open(&run, set);
	if (!rc)
		rc = (flow.held = lh_held_open(&how, &tool->err)) ? 0 : -1;
	given_close(&given);
	if (!rc)
		rc = set->query || set->like.n ? answer_one(tool, lh_held_state(flow.held))
					       : lh_records_run(tool, &flow);
	lh_held_close(flow.held);
	lh_reranker_free(run.reranker);
	lh_decisions_close(run.decisions);
	lh_buf_free(&run.where);
	looked_up_free(&run.looked_up);
	lh_vocabularies_free(run.known);
	fetched_close(&run.fetched);
	free(set->reads);
	return rc;
}

static const struct lh_bind result[] = {
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .required = true, .person = true },
	{ LH_BIND_ONLY("distance", LH_BIND_TO_F64), .required = true, .min = -INFINITY,
	  .max = INFINITY },
	{ LH_BIND_ONLY("score", LH_BIND_TO_F64), .min = -INFINITY, .max = INFINITY },
	{ LH_BIND_ONLY("rerank_score", LH_BIND_TO_F64), .min = -INFINITY, .max = INFINITY },
	{ LH_BIND_ONLY("corpus", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("metadata", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true },
	{ LH_BIND_ONLY("passage", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .person = true },
	LH_OP_OBJECT("playbook"),
	LH_BIND_END
};
static const char *const layouts[] = { LH_INDEX_LAYOUT, NULL };
static const char *const ways[] = { "walked", "scanned", NULL };
static const struct lh_bind explain[] = {
	{ LH_BIND_ONLY("corpus", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("layout", LH_BIND_TO_CHOICE), .required = true, .choice = layouts },
	LH_OP_COUNT("ef"), LH_OP_COUNT("walked"), LH_OP_COUNT("measured"),
	{ LH_BIND_ONLY("filter", LH_BIND_TO_CHOICE), .choice = ways },
	LH_OP_COUNT("restarts"), LH_OP_COUNT("bytes_read"),
	LH_BIND_CLOSED
};
static const struct lh_bind out[] = {
	{ LH_BIND_ONLY("results", LH_BIND_TO_TABLES), .required = true, .table = result },
	LH_OP_OBJECT("per_corpus_counts"),
	{ LH_BIND_ONLY("metadata_filter_dropped", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	LH_OP_OBJECT("unmatched_filter"),
	{ LH_BIND_ONLY("playbook_boosted", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("playbook_injected", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("matched", LH_BIND_TO_BOOL) },
	{ LH_BIND_ONLY("truncated", LH_BIND_TO_BOOL) },
	LH_SOUGHT_MEMBERS,
	{ LH_BIND_ONLY("explain", LH_BIND_TO_VALUE), .each = LH_BIND_IS(LH_OBJECT),
	  .types = LH_BIND_IS(LH_OBJECT) | LH_BIND_IS(LH_ARRAY), .table = explain },
	LH_PERSONS_USED_MEMBER,
	LH_BIND_END
};

static const struct lh_op ops[] = {
	{ "", .in = query_members, .out = out, .command = search },
	{ "", .in = wire_members, .out = out, .command = search },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->wire];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-search",
		.synopsis = "[OPTION]... INDEX|FILE... [TEXT]",
		.summary = "find the nearest records of an index for each query",
		.example = "lh search people.csv 'nurse in Utrecht'",
		.options = options,
		.check = check_usage,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){
		.k = 10, .read_within = 20, .max_distance = INFINITY, .min_score = -INFINITY });
}
