/* What the validator reports of values that no record can be. */
#include "check.h"
#include "schema/schema_table.h"

static struct lh_record rec;
static struct lh_err err;
static struct lh_buf text, scratch, told;

static void note(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	lh_buf_printf(&told, "%.*s: %.*s;", (int)field->n, field->p, (int)problem->n, problem->p);
}

static void says(const struct lh_schema *of, const char *s, long n, const char *want)
{
	struct lh_value v;

	check(of != NULL);
	lh_buf_reset(&text);
	lh_buf_reset(&told);
	lh_buf_puts(&text, s);
	check_why(lh_json_parse(&rec, text.p, text.len, &v, &err) == 0, err.msg);
	check(lh_schema_check(of, &v, &scratch, note, NULL) == n);
	check(scratch.len == 3);
	lh_buf_putc(&told, '\0');
	check_why(!strcmp(told.p, want), told.p);
}

static void tells(const char *schema, const char *s, long n, const char *want)
{
	says(lh_schema_find(schema), s, n, want);
}

static void any_value(void)
{
	tells("receipt", "null", 1, "record: expected object, got null;");
	tells("receipt", "[{}]", 1, "record: expected object, got array;");
	tells("receipt", "\"x\"", 1, "record: expected object, got \"x\";");
	tells("receipt", "7", 1, "record: expected object, got 7;");
	check(!lh_schema_find("Receipt"));
	check(!lh_schema_find(""));
	check(!strcmp(lh_schema_name(0), "evidence_record"));
}

#define HEX "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"
#define LEDGER \
	"\"schema_version\":1,\"model_name\":\"m\",\"task_type\":\"t\",\"failure_modes\":[]," \
	"\"latency_ms_p50\":0,\"cost_usd_p50\":0,"
#define AT "\"last_updated\":\"2026-05-03T12:00:00Z\""

static void numbers(void)
{
	tells("model_ledger", "{" LEDGER AT ",\"success_rate\":1.0,\"sample_count\":3.0}", 0, "");
	tells("model_ledger", "{" LEDGER AT ",\"success_rate\":-0,\"sample_count\":1e0}", 0, "");
	tells("model_ledger", "{" LEDGER AT ",\"success_rate\":1.0000001,\"sample_count\":0.5}", 2,
	      "success_rate: must be 0 to 1;sample_count: expected integer, got 0.5;");
	tells("model_ledger", "{" LEDGER AT ",\"success_rate\":1e400,\"sample_count\":1e400}", 2,
	      "success_rate: must be 0 to 1;sample_count: expected integer, got 1e400;");
	tells("model_ledger",
	      "{" LEDGER AT ",\"success_rate\":true,\"sample_count\":9007199254740993}", 1,
	      "success_rate: expected number, got true;");
}

/* Members in any order and with any escapes. */
static void members(void)
{
	tells("model_ledger",
	      "{\"sample_count\":1,\"x\":0,"
	      "\"success_rate\":0," AT "," LEDGER "\"y\":{\"sample_count\":0}}", 0, "");
	tells("model_ledger",
	      "{" LEDGER "\"success_\\u0072ate\":0,\"sample_count\":1,"
			 "\"last_updated\":\"2026-05-03\\u005412:00:00Z\"}", 0, "");
	tells("model_ledger",
	      "{" LEDGER "\"success_rate\":0,\"sample_count\":1,\"last_updated\":\"12:00\"}", 1,
	      "last_updated: expected RFC 3339 time, got \"12:00\";");
}

static void provenance(void)
{
#define SCORED \
	"{\"schema_version\":1,\"evidence_run_id\":\"r\",\"evidence_task_id\":\"t\"," \
	"\"category\":\"accepted\",\"reasons\":[\"x\"]," \
	"\"scored_at\":\"2026-05-03T12:00:00+02:00\",\"scorer_version\":\"v1.0.0\",\"provenance\":{"
#define WHEN "\"recorded_at\":\"2026-05-03T12:00:00Z\"}}"
	tells("scored_run",
	      SCORED "\"source_file\":\"f\",\"line_offset\":0,\"sig_hash\":\"" HEX "\"," WHEN, 0,
	      "");
	tells("scored_run",
	      SCORED "\"source_file\":\"\",\"line_offset\":null,\"sig_hash\":\"" HEX "0\"," WHEN, 3,
	      "provenance.source_file: must not be empty;provenance.line_offset: expected "
	      "integer, got null;"
	      "provenance.sig_hash: expected 64 lowercase hex digits, got \"" HEX "0\";");
	tells("scored_run",
	      SCORED "\"source_file\":\"f\",\"line_offset\":0,"
		     "\"sig_hash\":\"\\u0033" HEX "\"," WHEN, 1,
	      "provenance.sig_hash: expected 64 lowercase hex digits, got \"\\u0033" HEX "\";");
	/* a long value is reported by its type */
	tells("scored_run",
	      SCORED "\"source_file\":\"f\","
		     "\"line_offset\":\"" HEX HEX "\",\"sig_hash\":\"" HEX "\"," WHEN, 1,
	      "provenance.line_offset: expected integer, got string;");
}

/* Version 2 has a member more, which a record of version 1 may lack. */
static void two_versions(void)
{
	static const struct lh_bind members_2[] = {
		LH_SCHEMA_VERSIONS(1, 2),
		{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .required = true, .filled = true },
		{ LH_BIND_ONLY("origin", LH_BIND_TO_STRING), .not_blank = true },
		LH_BIND_END
	};
	static const struct lh_schema of = { .name = "sample", .field = members_2 };

	check(lh_schema_version(&of) == 2);
	says(&of, "{\"schema_version\":1,\"id\":\"a\"}", 0, "");
	says(&of, "{\"schema_version\":2,\"id\":\"a\",\"origin\":\"b\"}", 0, "");
	says(&of, "{\"schema_version\":3,\"id\":\"\",\"origin\":\"\\t\"}", 3,
	     "schema_version: expected 1 or 2, got 3;id: must not be empty;"
	     "origin: must not be blank;");
}

int main(void)
{
	lh_record_init(&rec);
	text = (struct lh_buf){ 0 };
	scratch = (struct lh_buf){ 0 };
	told = (struct lh_buf){ 0 };
	lh_buf_puts(&scratch, "abc");
	test(any_value());
	test(numbers());
	test(members());
	test(provenance());
	test(two_versions());
	lh_record_free(&rec);
	lh_buf_free(&text);
	lh_buf_free(&scratch);
	lh_buf_free(&told);
	return 0;
}
