/* tools.c - the table of the tools that are built in, with what they answer.  See mcp_tool.h and
 * tool_parts.h. */
#include "tool_parts.h"

/* A line of an answer, with a sentence and conditions. */
#define LINE(name, is, ...) { LH_BIND_ONLY(name, LH_BIND_TO_##is), __VA_ARGS__ }
#define TEXT(name, ...) LINE(name, STRING, .about = __VA_ARGS__)
#define TEXTS(name, ...) LINE(name, STRINGS, .about = __VA_ARGS__)
#define TRUTH(name, ...) LINE(name, BOOL, .about = __VA_ARGS__)
#define COUNT(name, ...) LINE(name, WHOLE, .most = INT64_MAX, .about = __VA_ARGS__)
#define NUMBER(name, ...) \
	LINE(name, F64, .min = -INFINITY, .max = INFINITY, .about = __VA_ARGS__)
#define VALUE(name, set, ...) LINE(name, VALUE, .types = (set), .about = __VA_ARGS__)
#define OBJECT(name, ...) VALUE(name, LH_BIND_IS(LH_OBJECT), __VA_ARGS__)
#define ARRAY(name, ...) VALUE(name, LH_BIND_IS(LH_ARRAY), __VA_ARGS__)
#define PART(name, members, ...) LINE(name, TABLE, .table = (members), .about = __VA_ARGS__)
#define LIST(name, members, ...) LINE(name, TABLES, .table = (members), .about = __VA_ARGS__)
#define MUST .required = true
#define NEXT TEXT("next_cursor", "There is more: give this as cursor for the next part.")

/* ---- search ---- */

static const struct lh_bind source[] = {
	TEXT("uri", "URI of the whole record, a resource.", MUST),
	TEXT("file", "File that the record was made of, if known."),
	COUNT("line", "Line in that file, from 1."),
	LH_BIND_CLOSED
};
#define RECORD(with_score) \
	TEXT("corpus", "Index that has the record.", MUST), \
	TEXT("id", "Id of the record, for lookup.", MUST), \
	NUMBER("score", "The higher, the nearer: 1 - distance, or that of both rankings.", \
	       .required = (with_score)), \
	NUMBER("distance", "Distance of the vectors; for cosine from 0 to 2."), \
	OBJECT("playbook", "How a recorded answer changed the result."), \
	TEXT("text", "Text of the record."), \
	OBJECT("metadata", "Other members of the record.", MUST), \
	PART("source", source, "Where the record is, to be cited.", MUST)
static const struct lh_bind result[] = { RECORD(true), LH_BIND_CLOSED };
static const struct lh_bind lookup_out[] = { RECORD(false), LH_BIND_CLOSED };
#define RESULTS \
	LIST("results", result, "The results, best first.", MUST), \
	COUNT("count", "Number of results.", MUST)
static const struct lh_bind vectors_out[] = { RESULTS, LH_BIND_CLOSED };
static const struct lh_bind candidates[] = {
	{ LH_BIND_ONLY("*", LH_BIND_TO_WHOLE), .least = INT64_MIN, .most = INT64_MAX },
	LH_BIND_END
};
static const struct lh_bind search_out[] = {
	RESULTS,
	OBJECT("per_corpus_counts", "Candidates of each index.", MUST, .table = candidates),
	COUNT("metadata_filter_dropped", "Records met that the filter refused."),
	LH_BIND_CLOSED
};

static const struct lh_bind vector[] = {
	{ LH_BIND_ONLY("*", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .each = LH_BIND_IS(LH_NUMBER) },
	LH_BIND_END
};
static const struct lh_bind embed_out[] = {
	ARRAY("vectors", "A vector for each text.", MUST, .table = vector),
	COUNT("dimension", "Length of each vector.", MUST),
	TEXT("model", "Model that made them.", MUST),
	LH_BIND_CLOSED
};

/* ---- data ---- */

#define DATASET \
	TEXT("name", "Name, for get_manifest and as a table of SQL.", MUST), \
	TEXT("dataset_id", "UUID of the name."), \
	TEXT("schema_fingerprint", "The same for the same columns."), \
	COUNT("row_count", "Number of rows, if known."), \
	TEXT("created_at", "When it was registered."), TEXT("updated_at", "Last change.")
static const struct lh_bind dataset[] = {
	DATASET, COUNT("objects", "Number of files.", MUST), LH_BIND_CLOSED
};
static const struct lh_bind datasets_out[] = {
	LIST("datasets", dataset, "The datasets, by name.", MUST),
	COUNT("count", "Number of all datasets.", MUST), NEXT, LH_BIND_CLOSED
};

static const struct lh_bind manifest[] = { DATASET, LH_BIND_END };
static const struct lh_bind manifest_out[] = {
	PART("manifest", manifest, "The dataset.", MUST),
	COUNT("count", "Number of its files.", MUST),
	ARRAY("objects", "Its files: the first 20, or with detail full 1000.", MUST,
	      .each = LH_BIND_IS(LH_OBJECT) | LH_BIND_IS(LH_STRING)),
	LH_BIND_CLOSED
};

static const struct lh_bind column[] = {
	TEXT("name", "Its name.", MUST),
	TEXT("type", "BIGINT, DOUBLE, VARCHAR, BOOLEAN or JSON.", MUST),
	LH_BIND_CLOSED
};
static const struct lh_bind sql_out[] = {
	LIST("columns", column, "The columns.", MUST),
	ARRAY("rows", "Rows, as arrays in the order of the columns.", MUST,
	      .each = LH_BIND_IS(LH_ARRAY)),
	COUNT("row_count", "Number of all rows.", MUST),
	TRUTH("truncated", "There are more rows than the engine gives."), NEXT, LH_BIND_CLOSED
};

static const struct lh_bind playbook_out[] = {
	TEXT("playbook_id", "Id of the entry.", MUST), LH_BIND_CLOSED
};

static const struct lh_bind trace[] = {
	TEXT("uid", "Id of the trace.", MUST), VALUE("content", LH_BIND_ANY, "What was stored."),
	TEXTS("tags", "Its tags.", MUST), COUNT("created_at_ns", "Nanoseconds since 1970."),
	COUNT("updated_at_ns", "The same of the last change."),
	COUNT("replay_count", "How often it was added again."),
	TEXT("predecessor_uid", "Trace that this one revises."),
	LH_BIND_CLOSED
};
static const struct lh_bind pathway_out[] = {
	LIST("traces", trace, "The traces.", MUST), NEXT, LH_BIND_CLOSED
};

/* ---- verdicts ---- */

static const struct lh_bind finding[] = {
	TEXT("field", "Member of the draft.", MUST),
	TEXT("severity", "info, warning or error.", MUST), TEXT("message", "What is wrong.", MUST),
	LH_BIND_CLOSED
};
static const struct lh_bind draft_error[] = {
	TEXT("kind", "Schema, Completeness, Consistency or Policy."),
	TEXT("field", "Member of the draft."), TEXT("reason", "What is wrong."), LH_BIND_CLOSED
};
static const struct lh_bind validate_out[] = {
	TRUTH("passed", "Whether the draft may be sent.", MUST),
	LIST("findings", finding, "What was noticed.", MUST),
	PART("error", draft_error, "Why it fails."),
	LH_BIND_CLOSED
};

static const struct lh_bind relevance[] = {
	COUNT("chunk", "Number of the chunk, from 0.", MUST),
	TEXT("source", "Path of the chunk."),
	NUMBER("score", "How relevant it is; from 0.", MUST),
	TRUTH("kept", "Whether it is worth reading.", MUST),
	ARRAY("signals", "What the score is made of.", MUST, .each = LH_BIND_IS(LH_OBJECT)),
	LH_BIND_CLOSED
};
static const struct lh_bind relevance_out[] = {
	LIST("results", relevance, "One for each chunk, in their order.", MUST),
	COUNT("kept", "How many are worth reading.", MUST),
	LH_BIND_CLOSED
};

/* ---- audit ---- */

static const struct lh_bind verify_out[] = {
	TRUTH("verified", "Whether all chains hold.", MUST), COUNT("logs", "Logs checked.", MUST),
	COUNT("rows", "Rows checked.", MUST), COUNT("broken", "Logs whose chain is broken.", MUST),
	TEXT("error", "What is wrong with the first of them."),
	LH_BIND_CLOSED
};

static const struct lh_bind report_out[] = {
	TEXT("candidate_id", "The person.", MUST), TEXT("generated_at", "Time of the report."),
	COUNT("rows_in_window", "Number of all accesses."),
	TRUTH("chain_verified", "Whether the log is unbroken; false: it was changed."),
	COUNT("chain_rows_total", "Rows of the log."), TEXT("chain_root", "MAC of the last row."),
	TEXT("chain_error", "What is broken."),
	ARRAY("rows", "The accesses: who, when, why, which fields.", MUST,
	      .each = LH_BIND_IS(LH_OBJECT)),
	ARRAY("datasets_referenced", "Datasets with data of the person.", .each = LH_BIND_ANY),
	TEXT("completeness_attestation", "What the report covers, in words."), NEXT,
	LH_BIND_CLOSED
};

static const struct lh_bind place[] = {
	TEXT("file", "File, below the root.", MUST), COUNT("line", "Line in it, from 1.", MUST),
	TRUTH("intact", "Whether the source line is unchanged since."),
	OBJECT("record", "The row."),
	LH_BIND_CLOSED
};
#define PLACE(name, ...) PART(name, place, __VA_ARGS__, MUST, .null = true)
static const struct lh_bind side[] = {
	TEXT("side", "source, chosen or rejected.", MUST),
	TEXT("run_id", "Id of the evidence.", MUST), PLACE("scored", "The scored run."),
	PLACE("evidence", "The evidence."),
	PLACE("source", "The line of the source, to be cited."),
	LH_BIND_CLOSED
};
static const struct lh_bind trace_out[] = {
	TEXT("id", "Id of the sample.", MUST), TEXT("exporter", "rag, sft or preference.", MUST),
	TEXT("run", "Id of the run that wrote it, if known."), PLACE("sample", "The sample."),
	LIST("from", side, "What it was made of: source, or chosen and rejected.", MUST),
	LH_BIND_CLOSED
};

const struct lh_mcp_tool lh_mcp_tools[] = {
	{ .name = "search", .title = "Search by meaning",
	  .description = "Find the records of the indexes, such as workers, that are nearest to a "
		"query. Use it first when you look for people, documents or earlier answers. "
		"Returns the best results with score, text, metadata and a source to cite; "
		"lookup gives all of one record.",
	  .in = lh_mcp_search_in, .out = search_out, .route = "POST /v1/matrix/search",
	  .idempotent = true, .cuts = true, .ask = lh_mcp_ask_search,
	  .answer = lh_mcp_answer_search },
	{ .name = "lookup", .title = "One record",
	  .description = "Get one record by its id. Use it when you have an id, from search or "
		"from a person. Returns its text, metadata and source.",
	  .in = lh_mcp_lookup_in, .out = lookup_out,
	  .route = "GET /v1/vectors/index/{name}/record/{id}", .idempotent = true,
	  .cuts = true, .ask = lh_mcp_ask_lookup, .answer = lh_mcp_answer_lookup },
	{ .name = "validate", .title = "Judge a draft",
	  .description = "Judge a draft by the rules before it is sent: a fill, an email, an SMS "
		"or a playbook. Use it for every draft you write. Returns whether it passes, and "
		"otherwise which member is wrong and why.",
	  .in = lh_mcp_validate_in, .out = validate_out, .route = "POST /v1/validate",
	  .idempotent = true, .verdicts = true, .ask = lh_mcp_ask_validate,
	  .answer = lh_mcp_answer_validate },
	{ .name = "list_datasets", .title = "The datasets",
	  .description = "List the datasets of the catalog. Use it to learn which tables there are "
		"before query_sql. Returns names and sizes.",
	  .in = lh_mcp_datasets_in, .out = datasets_out, .route = "GET /v1/catalog/list",
	  .idempotent = true, .ask = lh_mcp_ask_datasets, .answer = lh_mcp_answer_datasets },
	{ .name = "get_manifest", .title = "One dataset",
	  .description = "Get the manifest of a dataset: its files with sizes and hashes, its "
		"number of rows. Use it to check what a dataset consists of.",
	  .in = lh_mcp_manifest_in, .out = manifest_out,
	  .route = "GET /v1/catalog/manifest/{name}", .idempotent = true,
	  .ask = lh_mcp_ask_manifest, .answer = lh_mcp_answer_manifest },
	{ .name = "query_sql", .title = "SQL over the datasets",
	  .description = "Run a SQL statement over the datasets. Use it for counts, sums and exact "
		"conditions. Returns columns and rows. It is off unless the server is "
		"configured for it.",
	  .in = lh_mcp_sql_in, .out = sql_out, .route = "POST /v1/sql", .idempotent = true,
	  .tells = true, .ask = lh_mcp_ask_sql, .answer = lh_mcp_answer_sql },
	{ .name = "playbook_record", .title = "Record a good answer",
	  .description = "Record that a record was a good answer to a query, so that later "
		"searches for the role rank it higher. Use it only after a person has "
		"confirmed the answer. Returns the id of the entry.",
	  .in = lh_mcp_playbook_in, .out = playbook_out, .write = true, .idempotent = true,
	  .route = "POST /v1/matrix/playbooks/record", .ask = lh_mcp_ask_playbook,
	  .answer = lh_mcp_answer_playbook },
	{ .name = "pathway_search", .title = "Search traces",
	  .description = "Search the traces of how earlier tasks were solved, by a text in them or "
		"by a tag. Use it before you solve a task of a known kind. Returns the traces.",
	  .in = lh_mcp_pathway_in, .out = pathway_out, .route = "POST /v1/pathway/search",
	  .idempotent = true, .ask = lh_mcp_ask_pathway, .answer = lh_mcp_answer_pathway },
	{ .name = "relevance", .title = "Score chunks for a file",
	  .description = "Score chunks of text by how relevant they are for a file under review. "
		"Use it to choose what to read. Returns a score, and whether to keep it, for each.",
	  .in = lh_mcp_relevance_in, .out = relevance_out, .route = "POST /v1/matrix/relevance",
	  .idempotent = true, .ask = lh_mcp_ask_relevance, .answer = lh_mcp_answer_relevance },
	{ .name = "audit_verify", .title = "Check the audit",
	  .description = "Check that the logs of who looked at whose data are unbroken. Returns "
		"whether they are, and how many rows were checked.",
	  .in = lh_mcp_verify_in, .out = verify_out, .route = "GET /v1/audit/health",
	  .idempotent = true, .verdicts = true, .ask = lh_mcp_ask_verify,
	  .answer = lh_mcp_answer_verify },
	{ .name = "audit_report", .title = "Who looked at the data of a person",
	  .description = "Report every access to the data of one person: who, when, for what "
		"purpose, which fields. Use it when a person asks who saw their data. Returns "
		"the rows, and whether the log is unbroken.",
	  .in = lh_mcp_report_in, .out = report_out, .route = "GET /v1/audit/subject/{id}",
	  .ask = lh_mcp_ask_report, .answer = lh_mcp_answer_report },
	{ .name = "trace_record", .title = "Where a sample came from",
	  .description = "Show where an exported sample came from: the scored run, the evidence "
		"and the line of the source, each with file and line to cite, and whether the "
		"source line is unchanged.",
	  .in = lh_mcp_trace_in, .out = trace_out, .route = "GET /v1/distill/trace/{id}",
	  .idempotent = true, .ask = lh_mcp_ask_trace, .answer = lh_mcp_answer_trace },
	{ .name = "embed_text", .title = "Vectors of texts", .compat = true,
	  .description = "Make a vector of each text, for search_vectors.",
	  .in = lh_mcp_embed_in, .out = embed_out, .route = "POST /v1/embed", .idempotent = true,
	  .ask = lh_mcp_ask_embed },
	{ .name = "search_vectors", .title = "Search by a vector", .compat = true,
	  .description = "Find the records of one index that are nearest to a vector.",
	  .in = lh_mcp_vectors_in, .out = vectors_out,
	  .route = "POST /v1/vectors/search", .idempotent = true, .cuts = true,
	  .ask = lh_mcp_ask_vectors, .answer = lh_mcp_answer_vectors },
};
const size_t lh_mcp_tools_n = sizeof lh_mcp_tools / sizeof *lh_mcp_tools;
