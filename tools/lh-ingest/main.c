/* lh-ingest: tables as records.  See lh-ingest(1). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "ingest.h"
#include "json/write.h"

enum format { CSV, JSONL, PARQUET };

static const struct lh_option options[] = {
	{ 0, "csv", NULL, "the files are CSV", LH_FLAG(struct settings, csv) },
	{ 0, "tsv", NULL, "the files are TSV: tabs, and quotes are text",
	  LH_FLAG(struct settings, tsv) },
	{ 0, "parquet", NULL, "the files are Parquet (needs DuckDB's library)",
	  LH_FLAG(struct settings, parquet) },
	{ 0, "jsonl", NULL, "the files are JSON Lines", LH_FLAG(struct settings, jsonl) },
	{ 0, "delimiter", "C", "between the cells (default: by the first row)",
	  LH_TEXT(struct settings, delimiter) },
	{ 0, "quote", "\"|none", "whether cells may be in quotes (default: not in TSV)",
	  LH_TEXT(struct settings, quote) },
	{ 0, "no-header", NULL, "there is none: column1, column2, ...",
	  LH_FLAG(struct settings, no_header) },
	{ 0, "null", "TEXT", "cells that are null, as empty ones are",
	  LH_TEXT(struct settings, null_text) },
	{ 0, "null-members", NULL, "write null, where a null cell is left out",
	  LH_FLAG(struct settings, null_members) },
	{ 0, "sample", "N|all", "rows that decide the types (default 1000)",
	  LH_TEXT(struct settings, sample) },
	{ 0, "types", "FILE", "types of columns, in JSON", LH_TEXT(struct settings, types) },
	{ 0, "id", "COLUMN", "add the member id, with the text of COLUMN",
	  LH_TEXT(struct settings, id) },
	{ 0, "id-prefix", "TEXT", "put TEXT before each id", LH_TEXT(struct settings, id_prefix) },
	{ 0, "line", "NAME", "add the member NAME: the line of the row",
	  LH_TEXT(struct settings, line) },
	{ 0, "name", "DATASET", "name of the dataset (default: of the file)",
	  LH_TEXT(struct settings, name) },
	{ 0, "columns", NULL, "print the columns and their types, no records",
	  LH_FLAG(struct settings, columns) },
	{ 0, "describe", NULL, "with a table: --columns", LH_FLAG(struct settings, columns),
	  .asks = LH_ASK_OPERATIONS, .hidden = true },
	{ 0, "store", "STORE", "keep the records as a dataset in STORE",
	  LH_TEXT(struct settings, store) },
	{ 0, "catalog", "DIR", "register the dataset in the catalog DIR",
	  LH_TEXT(struct settings, catalog, .env = "LH_CATALOG") },
	{ 0, "append", NULL, "--store: add the rows to those of the dataset",
	  LH_FLAG(struct settings, append) },
	{ 0, "upsert", "KEY", "--store: and replace those with the same KEY, a column",
	  LH_TEXT(struct settings, upsert) },
	{ 0, "history", NULL, "--upsert: keep the rows that are replaced",
	  LH_FLAG(struct settings, history) },
	{ 0, "new", NULL, "--store: refuse to replace or add to a dataset",
	  LH_FLAG(struct settings, fresh) },
	{ 0, "lineage", "FILE", "--store: where the records are from, a JSON object",
	  LH_TEXT(struct settings, lineage) },
	{ 0, "of-persons", NULL, "--catalog: the rows are persons",
	  LH_FLAG(struct settings, of_persons) },
	{ 0, "parquet-out", NULL, "keep them as Parquet as well",
	  LH_FLAG(struct settings, parquet_out) },
	{ 0, "key-file", "FILE", "credentials for S3 (default: the environment)",
	  LH_TEXT(struct settings, key_file, .env = "LH_S3_KEY_FILE") },
	{ 0, "requests", NULL, "keep the table that each record of FILE names",
	  LH_FLAG(struct settings, requests) },
	LH_FILES_OPTION(0),
	LH_NOW_OPTION,
	LH_LOCK_OPTION(0),
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static int set_sample(struct ingest *in)
{
	const char *s = in->s->sample;
	char *end;

	in->sample = LH_CSV_TABLE_SAMPLE;
	if (!s)
		return 0;
	if (strcmp(s, "all") == 0) {
		in->sample = UINT64_MAX;
		return 0;
	}
	errno = 0;
	in->sample = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || !in->sample || in->sample > 1000000000)
		return lh_tool_usage(in->tool, "--sample: \"%s\" is not all, nor a whole number "
				     "from 1 to 1000000000", s);
	return 0;
}

static int set_delimiter(struct ingest *in)
{
	const char *s = in->s->delimiter;

	if (!s)
		return 0;
	if (strcmp(s, "\\t") == 0)
		s = "\t";
	if (!s[0] || s[1] || s[0] == '"' || s[0] == '\n' || s[0] == '\r' || s[0] & 0x80)
		return lh_tool_usage(in->tool, "--delimiter must be one ASCII character, and not "
				     "a quote or a line end");
	in->delimiter = s[0];
	return 0;
}

static int set_quotes(struct ingest *in)
{
	const char *s = in->s->quote;

	if (s && strcmp(s, "\"") && strcmp(s, "none"))
		return lh_tool_usage(in->tool, "--quote must be \" or none");
	in->quotes = !s ? LH_CSV_QUOTES_UNLESS_TAB : *s == '"' ? LH_CSV_QUOTES : LH_CSV_NO_QUOTES;
	return 0;
}

static int check(struct ingest *in)
{
	const struct settings *s = in->s;

	if (s->csv + s->tsv + s->parquet + s->jsonl > 1)
		return lh_tool_usage(in->tool, "of --csv, --tsv, --parquet and --jsonl one is "
				     "enough");
	if (s->id_prefix && !s->id)
		return lh_tool_usage(in->tool, "--id-prefix requires --id");
	if (s->line && (s->columns || s->store))
		return lh_tool_usage(in->tool, "--line and %s exclude each other",
				     s->store ? "--store" : "--columns");
	if (s->store && !s->catalog)
		return lh_tool_usage(in->tool, "--store requires --catalog");
	if ((s->append || s->upsert) && (!s->store || s->parquet_out || s->requests))
		return lh_tool_usage(in->tool, "--append and --upsert require --store, and exclude "
				     "--parquet-out and --requests");
	if ((s->append && s->upsert) || (s->history && !s->upsert))
		return lh_tool_usage(in->tool, s->history ? "--history requires --upsert" :
				     "--append and --upsert exclude each other");
	if ((s->fresh || s->lineage) && (!s->store || s->requests))
		return lh_tool_usage(in->tool, "--new and --lineage require --store, and exclude "
				     "--requests");
	if (s->of_persons && !s->catalog)
		return lh_tool_usage(in->tool, "--of-persons requires --catalog");
	if (s->parquet_out && !s->store)
		return lh_tool_usage(in->tool, "--parquet-out requires --store");
	if (s->store && s->columns)
		return lh_tool_usage(in->tool, "--store and --columns exclude each other");
	if (s->requests && (!s->store || s->name))
		return lh_tool_usage(in->tool, "--requests requires --store, and names are those "
				     "of the records");
	if (s->store && !s->requests && !dataset_name(in).p)
		return lh_tool_usage(in->tool, "--store requires --name for standard input");
	return set_sample(in) < 0 || set_quotes(in) < 0 ? -1 : set_delimiter(in);
}

/* Report why the dataset is not kept, a conflict for example: exit status 1. */
static int report_refusal(struct ingest *in, bool emit)
{
	struct lh_err why = in->tool->err;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_tool_verdict_bad(in->tool);
	in->tool->err = (struct lh_err){ 0 };
	if (!emit) {
		lh_tool_warn(in->tool, "%u %s", lh_err_status(&why), why.msg);
		return 0;
	}
	lh_write_object(&w, NULL);
	lh_write_object(&w, "error");
	lh_write_u64(&w, "code", lh_err_status(&why));
	lh_write_bytes(&w, "message", why.msg);
	lh_write_end(&w);
	lh_write_end(&w);
	return lh_tool_out_line(in->tool, &line);
}

/* Return whether a text is JSON Lines: it begins with an object; or an array of objects, which
 * is rejected as one. */
static bool begins_object(struct lh_str s)
{
	size_t i = lh_mark_len(s.p, s.n);
	bool array;

	while (i < s.n && memchr(" \t\r\n", s.p[i], 4))
		i++;
	if (i == s.n || (s.p[i] != '{' && s.p[i] != '['))
		return false;
	array = s.p[i] == '[';
	for (i++; i < s.n && memchr(" \t\r\n", s.p[i], 4); i++)
		;
	return i == s.n || (array ? s.p[i] == '{' : s.p[i] == '"' || s.p[i] == '}');
}

/* Open the first file and determine its format. */
static int open_first(struct ingest *in, struct lh_byte_source *first, enum format *format)
{
	const char *file = in->tool->n_operands ? in->tool->operands[0] : "-";
	struct lh_err *err = &in->tool->err;
	struct lh_str head = { NULL, 0 };
	int rc;

	first->output = lh_records_output(in->records);
	rc = lh_byte_source_open(first, file, err);
	if (!rc)
		rc = lh_byte_source_next(first, err);
	if (rc > 0)
		rc = lh_byte_source_peek(first, &head, err);
	if (rc < 0)
		return lh_err_prefix(err, "%s", lh_byte_source_name(first));
	if (in->s->jsonl || in->s->parquet)
		*format = in->s->jsonl ? JSONL : PARQUET;
	else if (in->s->csv || in->s->tsv || in->delimiter)
		*format = CSV;
	else if (head.n >= 4 && memcmp(head.p, "PAR1", 4) == 0)
		*format = PARQUET;
	else
		*format = begins_object(head) || lh_archive_named(file, ".jsonl") ||
			  lh_archive_named(file, ".ndjson") ? JSONL : CSV;
	if (lh_byte_source_rewind(first, err) < 0)
		return lh_err_prefix(err, "%s", file);
	return 0;
}

static int ingest(struct ingest *in)
{
	struct lh_byte_source first = { 0 };
	enum format format = CSV;
	int rc = open_first(in, &first, &format);

	if (!rc && format == CSV)
		return ingest_table(in, &first);
	if (rc < 0 || format == PARQUET)
		lh_byte_source_close(&first);
	if (!rc && format == PARQUET)
		rc = (in->parquet = parquet_new(&in->tool->err)) ? 0 : -1;
	if (!rc)
		rc = ingest_lines(in, &first);
	parquet_free(in->parquet);
	return rc;
}

static void report_repeated(struct ingest *in)
{
	if (in->repeated)
		lh_tool_message(in->tool, "%llu record%s of the same id",
				(unsigned long long)in->repeated,
				in->repeated > 1 ? "s come after earlier ones" :
						   " comes after an earlier one");
}

static int run(struct ingest *in)
{
	bool emit = false;
	int rc = 0;

	if (!in->tool->n_operands && isatty(STDIN_FILENO))
		lh_tool_message(in->tool, "reading a table from the terminal");
	in->records = lh_records_begin(in->tool);
	if (!in->records)
		return -1;
	if (in->s->store) {
		emit = in->tool->on_error == LH_ON_ERROR_EMIT;
		in->tool->on_error -= emit ? LH_ON_ERROR_EMIT - LH_ON_ERROR_SKIP : 0;
		rc = keep_open(in);
	}
	if (!rc)
		rc = ingest(in);
	if (rc < 0 && in->keep && in->tool->err.code == LH_EDATA && in->tool->err.msg[0])
		rc = report_refusal(in, emit);
	else if (!in->keep && ingest_flush(in) < 0)
		rc = -1;
	keep_close(in);
	if (rc >= 0)
		report_repeated(in);
	return lh_records_end(in->records, rc);
}

static int run_all(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct ingest in = { .tool = tool, .s = s, .id = s->id, .id_prefix = s->id_prefix };
	int rc = check(&in);

	if (!rc)
		rc = s->requests ? ingest_requests(&in) : run(&in);
	lh_buf_free(&in.out);
	lh_map_free(&in.ids);
	return rc;
}

static const struct lh_op ops[] = {
	{ "", .out = lh_op_any, .command = run_all },
	{ "", .about = "keep tables as datasets", .out = kept_members, .command = run_all,
	  .writes = true },
	{ "", .about = "keep the table that each record names as a dataset",
	  .in = request_members, .out = kept_members, .command = run_all, .writes = true },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *s = settings;

	return &ops[s->requests ? 2 : s->store != NULL];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-ingest",
		.synopsis = "[OPTION]... [TABLE]...",
		.summary = "read tables as records",
		.example =
			"lh-ingest --id sku products.csv |\n"
			"      lh-embed --template '{title}. {maker}' | lh-index build table.lhv",
		.options = options,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .sample = NULL });
}
