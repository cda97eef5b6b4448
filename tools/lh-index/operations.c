/* operations.c - the operations of lh-index, a row each: those of requests, then commands. */
#include "json/bind.h"
#include "requests.h"

static const struct lh_bind id[] = {
	{ LH_BIND_ONLY("id", LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
	  .about = "string or number, or the member of --id-field" },
	LH_BIND_END
};
static const struct lh_bind params[] = {
	LH_OP_TEXT("name"), LH_OP_COUNT("dimension"), LH_OP_COUNT("m"), LH_OP_COUNT("ef_search"),
	LH_OP_TEXT("distance"), LH_BIND_END
};
static const struct lh_bind summary[] = {
	{ LH_BIND_ONLY("params", LH_BIND_TO_TABLE), .required = true, .table = params },
	{ LH_BIND_ONLY("length", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "unless a scope has a filter" },
	LH_BIND_END
};
static const struct lh_bind indexes[] = {
	{ LH_BIND_ONLY("indexes", LH_BIND_TO_TABLES), .required = true,
	  .table = (const struct lh_bind[]){
		{ LH_BIND_ONLY("params", LH_BIND_TO_TABLE), .required = true,
		  .table = (const struct lh_bind[]){ LH_OP_TEXT("name"), LH_BIND_END } },
		{ LH_BIND_ONLY("length", LH_BIND_TO_WHOLE), .most = INT64_MAX },
		{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .about = "why it cannot be read" },
		LH_BIND_END } },
	LH_OP_COUNT("count"), LH_BIND_END
};
static const struct lh_bind corpora[] = {
	{ LH_BIND_ONLY("corpora", LH_BIND_TO_TABLES), .required = true,
	  .table = (const struct lh_bind[]){
		LH_OP_TEXT("name"),
		{ LH_BIND_ONLY("length", LH_BIND_TO_WHOLE), .most = INT64_MAX },
		{ LH_BIND_ONLY("dimension", LH_BIND_TO_WHOLE), .most = INT64_MAX },
		{ LH_BIND_ONLY("error", LH_BIND_TO_STRING), .about = "why it cannot be read" },
		LH_BIND_END } },
	LH_OP_COUNT("count"), LH_BIND_END
};
static const struct lh_bind described[] = {
	LH_OP_COUNT("dimension"), LH_OP_COUNT("length"), LH_OP_TEXT("distance"), LH_OP_COUNT("m"),
	LH_OP_TEXT("precision"), LH_OP_TEXT("layout"), LH_OP_COUNT("file_bytes"),
	LH_OP_COUNT("pending"), LH_OP_COUNT("deleted"), LH_BIND_END
};
static const struct lh_bind dumped[] = {
	LH_OP_TEXT("id"),
	{ LH_BIND_ONLY("vector", LH_BIND_TO_VALUE), .required = true,
	  .types = LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING) },
	LH_OP_COUNT("dimension"), LH_OP_OBJECT("metadata"), LH_BIND_END
};
static const struct lh_bind added[] = {
	LH_OP_COUNT("added"),
	{ LH_BIND_ONLY("length", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	LH_PERSONS_USED_MEMBER, LH_BIND_END
};
static const struct lh_bind counts[] = {
	LH_OP_COUNT("merged"), LH_OP_COUNT("skipped"), LH_BIND_END
};
static const struct lh_bind merged[] = {
	LH_OP_COUNT("merged"), LH_OP_COUNT("skipped"), LH_OP_COUNT("failed"),
	LH_OP_COUNT("source_length"), LH_OP_COUNT("dest_length"), LH_BIND_END
};
static const struct lh_bind record[] = {
	LH_OP_TEXT("corpus"),
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .required = true, .person = true },
	{ LH_BIND_ONLY("metadata", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true },
	LH_PERSONS_USED_MEMBER,
	LH_BIND_END
};

static const struct lh_bind got[] = {
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .required = true, .person = true },
	{ LH_BIND_ONLY("metadata", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .person = true },
	LH_BIND_END
};
static const struct lh_bind deleted[] = {
	LH_OP_COUNT("deleted"), LH_OP_COUNT("unknown"), LH_BIND_END
};

const struct lh_op index_ops[] = {
	{ "create", NULL, "make an index without records", 0, requests_create,
	  LH_OP_IN(creation_members, struct creation), .out = summary, .writes = true },
	{ "list", NULL, "describe every index", 0, requests_list,
	  LH_OP_IN(listing_members, struct listing), .out = indexes },
	{ "get", NULL, "describe an index", 0, requests_get,
	  LH_OP_IN(seen_members, struct named), .out = summary },
	{ "corpora", NULL, "list the indexes", 0, requests_list,
	  LH_OP_IN(listing_members, struct listing), .out = corpora },
	{ "delete", NULL, "remove an index, or a playbook", 0, requests_delete,
	  LH_OP_IN(named_members, struct named), .writes = true },
	{ "add", NULL, "add or replace records: all or none", 0, requests_add,
	  LH_OP_IN(addition_members, struct addition), .out = added, .writes = true },
	{ "lookup", NULL, "one record by its id, of one index or the first that has it", 0,
	  requests_lookup, LH_OP_IN(lookup_members, struct lookup), .out = record },
	{ "build", "INDEX [FILE...]", "make INDEX from records", V_BUILD, .in = record_in,
	  .command = index_build, .writes = true },
	{ "add", "INDEX [FILE...]", "add or replace records", V_ADD, .in = record_in,
	  .command = index_add, .writes = true },
	{ "delete", "INDEX [ID...]", "delete the records with these ids", V_DELETE, .in = id,
	  .out = deleted, .command = index_delete, .writes = true },
	{ "get", "INDEX [ID...]", "write the records with these ids", V_GET, .in = id,
	  .out = got, .command = index_get },
	{ "set-metadata", "INDEX [FILE...]", "change members of the metadata", V_SET,
	  .in = metadata_in, .command = index_set_metadata, .writes = true },
	{ "replace-metadata", "INDEX [FILE...]", "replace the metadata of records", V_REPLACE,
	  .in = metadata_in, .command = index_set_metadata, .writes = true },
	{ "info", "INDEX...", "describe an index as JSON", V_INFO, .out = described,
	  .command = index_info },
	{ "upgrade", "INDEX", "make INDEX anew from its own records", V_UPGRADE,
	  .command = index_build, .writes = true },
	{ "dump", "INDEX", "write every record with its vector", V_DUMP, .out = dumped,
	  .command = index_dump },
	{ "verify", "INDEX...", "check every byte of the file and its log", V_VERIFY,
	  .command = index_verify },
	{ "compact", "INDEX", "merge pending changes into the file", V_COMPACT,
	  .command = index_compact, .writes = true },
	{ "merge", NULL, "add the records of an index to another", 0, requests_merge,
	  LH_OP_IN(merging_members, struct merging), .out = merged, .writes = true },
	{ "merge", "DEST SRC...", "add the records that DEST does not have", V_MERGE,
	  .out = counts, .command = index_merge, .writes = true },
	{ "move", "DEST SRC", "move all records of SRC to DEST", V_MOVE, .out = counts,
	  .command = index_move, .writes = true },
	{ "requests", "FOLDER [FILE...]", "answer requests, each with its \"op\"", V_REQUESTS,
	  .command = index_requests, .writes = true },
	{ "import", "INDEX", "make INDEX from an index of hnswlib", V_IMPORT,
	  .command = index_import, .writes = true },
	{ "export", "INDEX", "write INDEX as an index of hnswlib", V_EXPORT,
	  .command = index_export },
	{ "compare", "INDEX [QUERIES...]", "recall and rate, of hnswlib and a scan too", V_COMPARE,
	  .out = lh_op_any, .command = index_compare },
	{ "fetch", "URL FILE", "copy an index from S3 to a file", V_FETCH,
	  .command = index_fetch, .writes = true },
	{ "push", "INDEX URL", "copy an index with its log to S3", V_PUSH, .command = index_push,
	  .writes = true },
	LH_OP_END
};
