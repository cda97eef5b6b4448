/* tools.c - the table of the tools that are built in, with their schemas.  See mcp_tool.h and
 * tool_parts.h. */
#include "tool_parts.h"

/* An object with the members given, and no other. */
#define OBJECT(members, needed) \
	"{\"type\":\"object\",\"properties\":{" members "},\"required\":[" needed "]," \
	"\"additionalProperties\":false}"
#define LIST(name, about, element) \
	"\"" name "\":{\"type\":\"array\",\"description\":\"" about "\",\"items\":" element "}"
#define PART(name, about, object) "\"" name "\":" MADE_OF(about, object)
#define MADE_OF(about, object) "{\"description\":\"" about "\",\"anyOf\":[" object "]}"

#define TEXT(name, about) "\"" name "\":{\"type\":\"string\",\"description\":\"" about "\"}"
#define NAME(name, about) \
	"\"" name "\":{\"type\":\"string\",\"minLength\":1,\"description\":\"" about "\"}"
#define COUNT(name, about) \
	"\"" name "\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"" about "\"}"
#define NUMBER(name, about) "\"" name "\":{\"type\":\"number\",\"description\":\"" about "\"}"
#define TRUTH(name, about) "\"" name "\":{\"type\":\"boolean\",\"description\":\"" about "\"}"
#define ANY(name, about) "\"" name "\":{\"description\":\"" about "\"}"
#define FREE(name, about) "\"" name "\":{\"type\":\"object\",\"description\":\"" about "\"}"
#define TEXTS(name, about) LIST(name, about, "{\"type\":\"string\"}")

#define DETAIL(usual) LH_JSON("detail":{"type":"string","enum":["brief","full"],"default":usual, \
	"description":"brief cuts each text after 400 bytes and other members after 160, full all \
after 4000. What is cut says so at its end."})
#define PAGE LH_JSON("limit":{"type":"integer","minimum":1,"maximum":100,"default":20, \
	"description":"How many of the list to give."}, "cursor":{"type":"string", \
	"description":"next_cursor of the answer before: continue after it."}) ","
#define NEXT TEXT("next_cursor", "There is more: give this as cursor for the next part.")

/* ---- search ---- */

#define K LH_JSON("k":{"type":"integer","minimum":1,"maximum":100,"default":5, \
	"description":"How many results."}) ","
#define SEARCH_IN OBJECT( \
	NAME("query", "What is sought, as a sentence or as words.") "," K \
	NAME("corpus", "Name of the index to search. Without it, all are searched.") "," \
	FREE("filter", "Members that the metadata of each result must have: {role: 'Welder'} or, " \
	     "for one of several values, {state: ['OH', 'IN']}; or conditions: {price: {gte: 10, " \
	     "lt: 50}}, {role: {not: 'Welder'}}. Dates compare as texts.") "," \
	NAME("role", "The role that is sought, such as Welder. With it, answers that were " \
	     "recorded as good for that role come nearer.") "," \
	TRUTH("hybrid", "Rank by words as well as by meaning: for names and numbers. Needs an " \
	      "index with words; role does not go with it.") "," DETAIL("brief"), \
	LH_JSON("query"))

#define SOURCE PART("source", "Where the record is, to be cited.", OBJECT( \
	TEXT("uri", "URI of the whole record, a resource.") "," \
	TEXT("file", "File that the record was made of, if known.") "," \
	COUNT("line", "Line in that file, from 1."), LH_JSON("uri")))
#define RECORD \
	TEXT("corpus", "Index that has the record.") "," \
	TEXT("id", "Id of the record, for lookup.") "," \
	NUMBER("score", "The higher, the nearer: 1 - distance, or that of both rankings.") "," \
	NUMBER("distance", "Distance of the vectors; for cosine from 0 to 2.") "," \
	FREE("playbook", "How a recorded answer changed the result.") "," \
	TEXT("text", "Text of the record.") "," \
	FREE("metadata", "Other members of the record.") "," SOURCE
#define RESULTS LIST("results", "The results, best first.", \
	OBJECT(RECORD, LH_JSON("corpus","id","score","metadata","source"))) "," \
	COUNT("count", "Number of results.")
#define SEARCH_OUT OBJECT(RESULTS "," \
	LH_JSON("per_corpus_counts":{"type":"object","additionalProperties":{"type":"integer"}, \
	"description":"Candidates of each index."}) "," \
	COUNT("metadata_filter_dropped", "Records met that the filter refused."), \
	LH_JSON("results","count","per_corpus_counts"))

#define LOOKUP_IN OBJECT( \
	LH_JSON("id":{"type":["string","number"],"description":"Id of the record."}) "," \
	NAME("corpus", "Index that has it. Without it, the first that has one of this id.") "," \
	DETAIL("full"), LH_JSON("id"))
#define LOOKUP_OUT OBJECT(RECORD, LH_JSON("corpus","id","metadata","source"))

#define VECTORS_IN OBJECT(NAME("index", "Name of the index.") "," \
	LH_JSON("vector":{"type":["array","string"],"items":{"type":"number"}, \
	"description":"The vector: numbers, or base64 of 32-bit floats."}) "," K DETAIL("brief"), \
	LH_JSON("index","vector"))
#define EMBED_IN OBJECT( \
	LH_JSON("texts":{"type":"array","minItems":1,"items":{"type":"string","minLength":1}, \
	"description":"The texts."}) "," NAME("model", "Model of the engine."), LH_JSON("texts"))
#define EMBED_OUT OBJECT( \
	LIST("vectors", "A vector for each text.", \
	     "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}") "," \
	COUNT("dimension", "Length of each vector.") "," TEXT("model", "Model that made them."), \
	LH_JSON("vectors","dimension","model"))

/* ---- data ---- */

#define DATASETS_IN OBJECT(PAGE DETAIL("brief"), "")
#define DATASET \
	TEXT("name", "Name, for get_manifest and as a table of SQL.") "," \
	TEXT("dataset_id", "UUID of the name.") "," \
	TEXT("schema_fingerprint", "The same for the same columns.") "," \
	COUNT("row_count", "Number of rows, if known.") "," \
	TEXT("created_at", "When it was registered.") "," TEXT("updated_at", "Last change.")
#define DATASETS_OUT OBJECT(LIST("datasets", "The datasets, by name.", \
	OBJECT(DATASET "," COUNT("objects", "Number of files."), LH_JSON("name","objects"))) "," \
	COUNT("count", "Number of all datasets.") "," NEXT, LH_JSON("datasets","count"))

#define MANIFEST_IN OBJECT(NAME("name", "Name of the dataset.") "," DETAIL("brief"), \
	LH_JSON("name"))
#define MANIFEST_OUT OBJECT( \
	"\"manifest\":{\"type\":\"object\",\"description\":\"The dataset.\"," \
	"\"properties\":{" DATASET "},\"required\":[\"name\"]}," \
	COUNT("count", "Number of its files.") "," \
	LIST("objects", "Its files: the first 20, or with detail full 1000.", \
	     LH_JSON({"type":["object","string"]})), \
	LH_JSON("manifest","count","objects"))

#define SQL_IN OBJECT(NAME("sql", "A statement, such as SELECT role, count(*) FROM workers " \
	"GROUP BY role.") "," PAGE DETAIL("brief"), LH_JSON("sql"))
#define SQL_OUT OBJECT( \
	LIST("columns", "The columns.", OBJECT(TEXT("name", "Its name.") "," \
	     TEXT("type", "BIGINT, DOUBLE, VARCHAR, BOOLEAN or JSON."), \
	     LH_JSON("name","type"))) "," \
	LIST("rows", "Rows, as arrays in the order of the columns.", "{\"type\":\"array\"}") "," \
	COUNT("row_count", "Number of all rows.") "," \
	TRUTH("truncated", "There are more rows than the engine gives.") "," NEXT, \
	LH_JSON("columns","rows","row_count"))

#define PLAYBOOK_IN OBJECT( \
	NAME("query_text", "The query.") "," \
	NAME("answer_id", "Id of the record that was a good answer.") "," \
	NAME("answer_corpus", "Index that has that record.") "," \
	LH_JSON("score":{"type":"number","exclusiveMinimum":0,"maximum":1, \
	"description":"How good the answer was: 1 is best."}) "," \
	TEXTS("tags", "Words to find the entry by.") "," \
	TEXT("role", "Role that the query asked for.") "," \
	NAME("corpus", "Name of the playbook (default playbook_memory)."), \
	LH_JSON("query_text","answer_id","answer_corpus","score"))
#define PLAYBOOK_OUT OBJECT(TEXT("playbook_id", "Id of the entry."), LH_JSON("playbook_id"))

#define PATHWAY_IN OBJECT( \
	NAME("contains", "Text that the content must contain.") "," \
	NAME("tag", "Tag that the trace must have.") "," PAGE DETAIL("brief"), "")
#define PATHWAY_OUT OBJECT(LIST("traces", "The traces.", OBJECT( \
	TEXT("uid", "Id of the trace.") "," ANY("content", "What was stored.") "," \
	TEXTS("tags", "Its tags.") "," COUNT("created_at_ns", "Nanoseconds since 1970.") "," \
	COUNT("updated_at_ns", "The same of the last change.") "," \
	COUNT("replay_count", "How often it was added again.") "," \
	TEXT("predecessor_uid", "Trace that this one revises."), \
	LH_JSON("uid","tags"))) "," NEXT, LH_JSON("traces"))

/* ---- verdicts ---- */

#define VALIDATE_IN OBJECT( \
	LH_JSON("kind":{"type":"string","enum":["fill","email","sms","playbook"], \
	"description":"What the draft is."}) "," \
	FREE("artifact", "The draft: an email has to, subject and body; a fill has fills.") "," \
	FREE("context", "What the draft is for: target_count, city, state, role, client."), \
	LH_JSON("kind","artifact"))
#define VALIDATE_OUT OBJECT( \
	TRUTH("passed", "Whether the draft may be sent.") "," \
	LIST("findings", "What was noticed.", OBJECT(TEXT("field", "Member of the draft.") "," \
	     TEXT("severity", "info, warning or error.") "," TEXT("message", "What is wrong."), \
	     LH_JSON("field","severity","message"))) "," \
	PART("error", "Why it fails.", OBJECT( \
		TEXT("kind", "Schema, Completeness, Consistency or Policy.") "," \
		TEXT("field", "Member of the draft.") "," TEXT("reason", "What is wrong."), "")), \
	LH_JSON("passed","findings"))

#define RELEVANCE_IN OBJECT( \
	PART("focus", "The file under review.", \
	     "{\"type\":\"object\",\"properties\":{" TEXT("path", "Its path.") "," \
	     TEXT("text", "Its text.") "," TEXTS("defined_symbols", "Names that it defines.") "," \
	     TEXTS("imported_symbols", "Names that it imports.") "}}") "," \
	"\"chunks\":{\"type\":\"array\",\"minItems\":1," \
	"\"description\":\"Chunks of text to judge.\",\"items\":" \
	OBJECT(TEXT("text", "The text.") "," TEXT("path", "File that it is of."), \
			    LH_JSON("text")) "}", \
	LH_JSON("focus","chunks"))
#define RELEVANCE_OUT OBJECT( \
	LIST("results", "One for each chunk, in their order.", OBJECT( \
		COUNT("chunk", "Number of the chunk, from 0.") "," \
		TEXT("source", "Path of the chunk.") "," \
		NUMBER("score", "How relevant it is; from 0.") "," \
		TRUTH("kept", "Whether it is worth reading.") "," \
		LIST("signals", "What the score is made of.", "{\"type\":\"object\"}"), \
		LH_JSON("chunk","score","kept","signals"))) "," \
	COUNT("kept", "How many are worth reading."), LH_JSON("results","kept"))

/* ---- audit ---- */

#define VERIFY_OUT OBJECT( \
	TRUTH("verified", "Whether all chains hold.") "," COUNT("logs", "Logs checked.") "," \
	COUNT("rows", "Rows checked.") "," COUNT("broken", "Logs whose chain is broken.") "," \
	TEXT("error", "What is wrong with the first of them."), \
	LH_JSON("verified","logs","rows","broken"))

#define REPORT_IN OBJECT(NAME("id", "Id of the person, such as a candidate_id.") "," PAGE \
	DETAIL("brief"), LH_JSON("id"))
#define REPORT_OUT OBJECT( \
	TEXT("candidate_id", "The person.") "," TEXT("generated_at", "Time of the report.") "," \
	COUNT("rows_in_window", "Number of all accesses.") "," \
	TRUTH("chain_verified", "Whether the log is unbroken; false: it was changed.") "," \
	COUNT("chain_rows_total", "Rows of the log.") "," \
	TEXT("chain_root", "MAC of the last row.") "," TEXT("chain_error", "What is broken.") "," \
	LIST("rows", "The accesses: who, when, why, which fields.", "{\"type\":\"object\"}") "," \
	LIST("datasets_referenced", "Datasets with data of the person.", "{}") "," \
	TEXT("completeness_attestation", "What the report covers, in words.") "," NEXT, \
	LH_JSON("candidate_id","rows"))

#define PLACE \
	"{\"type\":\"null\"}," OBJECT(TEXT("file", "File, below the root.") "," \
	COUNT("line", "Line in it, from 1.") "," \
	TRUTH("intact", "Whether the source line is unchanged since.") "," \
	FREE("record", "The row."), LH_JSON("file","line"))
#define TRACE_IN OBJECT(NAME("id", "Id of the sample, such as rag-1b09f9563820b405.") "," \
	DETAIL("brief"), LH_JSON("id"))
#define TRACE_OUT OBJECT( \
	TEXT("id", "Id of the sample.") "," TEXT("exporter", "rag, sft or preference.") "," \
	TEXT("run", "Id of the run that wrote it, if known.") "," \
	PART("sample", "The sample.", PLACE) "," \
	LIST("from", "What it was made of: source, or chosen and rejected.", OBJECT( \
		TEXT("side", "source, chosen or rejected.") "," \
		TEXT("run_id", "Id of the evidence.") "," \
		PART("scored", "The scored run.", PLACE) "," \
		PART("evidence", "The evidence.", PLACE) "," \
		PART("source", "The line of the source, to be cited.", PLACE), \
		LH_JSON("side","run_id","scored","evidence","source"))), \
	LH_JSON("id","exporter","sample","from"))

const struct lh_mcp_tool lh_mcp_tools[] = {
	{ .name = "search", .title = "Search by meaning",
	  .description = "Find the records of the indexes, such as workers, that are nearest to a "
		"query. Use it first when you look for people, documents or earlier answers. "
		"Returns the best results with score, text, metadata and a source to cite; "
		"lookup gives all of one record.",
	  .input = SEARCH_IN, .output = SEARCH_OUT, .route = "POST /v1/matrix/search",
	  .idempotent = true, .cuts = true, .ask = lh_mcp_ask_search,
	  .answer = lh_mcp_answer_search },
	{ .name = "lookup", .title = "One record",
	  .description = "Get one record by its id. Use it when you have an id, from search or "
		"from a person. Returns its text, metadata and source.",
	  .input = LOOKUP_IN, .output = LOOKUP_OUT,
	  .route = "GET /v1/vectors/index/{name}/record/{id}", .idempotent = true,
	  .cuts = true, .ask = lh_mcp_ask_lookup, .answer = lh_mcp_answer_lookup },
	{ .name = "validate", .title = "Judge a draft",
	  .description = "Judge a draft by the rules before it is sent: a fill, an email, an SMS "
		"or a playbook. Use it for every draft you write. Returns whether it passes, and "
		"otherwise which member is wrong and why.",
	  .input = VALIDATE_IN, .output = VALIDATE_OUT, .route = "POST /v1/validate",
	  .idempotent = true, .verdicts = true, .ask = lh_mcp_ask_validate,
	  .answer = lh_mcp_answer_validate },
	{ .name = "list_datasets", .title = "The datasets",
	  .description = "List the datasets of the catalog. Use it to learn which tables there are "
		"before query_sql. Returns names and sizes.",
	  .input = DATASETS_IN, .output = DATASETS_OUT, .route = "GET /v1/catalog/list",
	  .idempotent = true, .ask = lh_mcp_ask_datasets, .answer = lh_mcp_answer_datasets },
	{ .name = "get_manifest", .title = "One dataset",
	  .description = "Get the manifest of a dataset: its files with sizes and hashes, its "
		"number of rows. Use it to check what a dataset consists of.",
	  .input = MANIFEST_IN, .output = MANIFEST_OUT,
	  .route = "GET /v1/catalog/manifest/{name}", .idempotent = true,
	  .ask = lh_mcp_ask_manifest, .answer = lh_mcp_answer_manifest },
	{ .name = "query_sql", .title = "SQL over the datasets",
	  .description = "Run a SQL statement over the datasets. Use it for counts, sums and exact "
		"conditions. Returns columns and rows. It is off unless the server is "
		"configured for it.",
	  .input = SQL_IN, .output = SQL_OUT, .route = "POST /v1/sql", .idempotent = true,
	  .tells = true, .ask = lh_mcp_ask_sql, .answer = lh_mcp_answer_sql },
	{ .name = "playbook_record", .title = "Record a good answer",
	  .description = "Record that a record was a good answer to a query, so that later "
		"searches for the role rank it higher. Use it only after a person has "
		"confirmed the answer. Returns the id of the entry.",
	  .input = PLAYBOOK_IN, .output = PLAYBOOK_OUT, .write = true, .idempotent = true,
	  .route = "POST /v1/matrix/playbooks/record", .ask = lh_mcp_ask_playbook,
	  .answer = lh_mcp_answer_playbook },
	{ .name = "pathway_search", .title = "Search traces",
	  .description = "Search the traces of how earlier tasks were solved, by a text in them or "
		"by a tag. Use it before you solve a task of a known kind. Returns the traces.",
	  .input = PATHWAY_IN, .output = PATHWAY_OUT, .route = "POST /v1/pathway/search",
	  .idempotent = true, .ask = lh_mcp_ask_pathway, .answer = lh_mcp_answer_pathway },
	{ .name = "relevance", .title = "Score chunks for a file",
	  .description = "Score chunks of text by how relevant they are for a file under review. "
		"Use it to choose what to read. Returns a score, and whether to keep it, for each.",
	  .input = RELEVANCE_IN, .output = RELEVANCE_OUT, .route = "POST /v1/matrix/relevance",
	  .idempotent = true, .ask = lh_mcp_ask_relevance, .answer = lh_mcp_answer_relevance },
	{ .name = "audit_verify", .title = "Check the audit",
	  .description = "Check that the logs of who looked at whose data are unbroken. Returns "
		"whether they are, and how many rows were checked.",
	  .input = OBJECT("", ""), .output = VERIFY_OUT, .route = "GET /v1/audit/health",
	  .idempotent = true, .verdicts = true, .ask = lh_mcp_ask_verify,
	  .answer = lh_mcp_answer_verify },
	{ .name = "audit_report", .title = "Who looked at the data of a person",
	  .description = "Report every access to the data of one person: who, when, for what "
		"purpose, which fields. Use it when a person asks who saw their data. Returns "
		"the rows, and whether the log is unbroken.",
	  .input = REPORT_IN, .output = REPORT_OUT, .route = "GET /v1/audit/subject/{id}",
	  .ask = lh_mcp_ask_report, .answer = lh_mcp_answer_report },
	{ .name = "trace_record", .title = "Where a sample came from",
	  .description = "Show where an exported sample came from: the scored run, the evidence "
		"and the line of the source, each with file and line to cite, and whether the "
		"source line is unchanged.",
	  .input = TRACE_IN, .output = TRACE_OUT, .route = "GET /v1/distill/trace/{id}",
	  .idempotent = true, .ask = lh_mcp_ask_trace, .answer = lh_mcp_answer_trace },
	{ .name = "embed_text", .title = "Vectors of texts", .compat = true,
	  .description = "Make a vector of each text, for search_vectors.",
	  .input = EMBED_IN, .output = EMBED_OUT, .route = "POST /v1/embed", .idempotent = true,
	  .ask = lh_mcp_ask_embed },
	{ .name = "search_vectors", .title = "Search by a vector", .compat = true,
	  .description = "Find the records of one index that are nearest to a vector.",
	  .input = VECTORS_IN, .output = OBJECT(RESULTS, LH_JSON("results","count")),
	  .route = "POST /v1/vectors/search", .idempotent = true, .cuts = true,
	  .ask = lh_mcp_ask_vectors, .answer = lh_mcp_answer_vectors },
};
const size_t lh_mcp_tools_n = sizeof lh_mcp_tools / sizeof *lh_mcp_tools;
