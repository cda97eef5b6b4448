/* Which texts are validation errors, and how one is written. */
#include "check.h"
#include <lh/validation_error.h>

static struct lh_record rec;
static struct lh_err err;
static struct lh_buf text, scratch, out;

static int read_it(const char *s, struct lh_validation_error *e)
{
	struct lh_value v;

	lh_buf_reset(&text);
	lh_buf_reset(&scratch);
	lh_buf_reset(&out);
	lh_buf_puts(&text, s);
	check_why(lh_json_parse(&rec, text.p, text.len, &v, &err) == 0, err.msg);
	return lh_validation_error_read(&v, &scratch, e, &err);
}

static void same(const char *want)
{
	lh_buf_putc(&out, '\0');
	check_why(!strcmp(out.p, want), out.p);
	lh_buf_reset(&out);
}

static void good(const char *s, const char *json, const char *line)
{
	struct lh_validation_error e;

	check_why(read_it(s, &e) == 0, err.msg);
	lh_validation_error_json(&out, &e);
	same(json);
	lh_validation_error_text(&out, &e);
	same(line);
}

static void bad(const char *s, const char *want)
{
	struct lh_validation_error e;

	check_why(read_it(s, &e) < 0, s);
	check(err.code == LH_EDATA);
	check_why(!strcmp(err.msg, want), err.msg);
}

#define SCHEMA "{\"Schema\":{\"field\":\"x\",\"reason\":\"y\"}}"

static void both_forms(void)
{
	good(SCHEMA, SCHEMA, "schema: x: y");
	good("{ \"Schema\" : { \"reason\" : \"y\" , \"field\" : \"x\" } }", SCHEMA, "schema: x: y");
	good("{\"Completeness\":{\"reason\":\"y\"}}", "{\"Completeness\":{\"reason\":\"y\"}}",
	     "completeness: y");
	good("{\"Consistency\":{\"reason\":\"y\"}}", "{\"Consistency\":{\"reason\":\"y\"}}",
	     "consistency: y");
	good("{\"Policy\":{\"reason\":\"\"}}", "{\"Policy\":{\"reason\":\"\"}}", "policy: ");
	good("{\"Kind\":\"schema\",\"Field\":\"x\",\"Reason\":\"y\"}", SCHEMA, "schema: x: y");
	good("{\"Reason\":\"y\",\"Field\":\"x\",\"Kind\":\"sCHEMa\"}", SCHEMA, "schema: x: y");
	good("{\"Kind\":\"COMPLETENESS\",\"Field\":\"\",\"Reason\":\"y\"}",
	     "{\"Completeness\":{\"reason\":\"y\"}}", "completeness: y");
	good("{\"Kind\":\"Consistency\",\"Field\":\"\",\"Reason\":\"y\"}",
	     "{\"Consistency\":{\"reason\":\"y\"}}", "consistency: y");
	good("{\"Kind\":\"policy\",\"Field\":\"\",\"Reason\":\"y\"}",
	     "{\"Policy\":{\"reason\":\"y\"}}", "policy: y");
	/* escapes are read, and written where required; in names, too */
	good("{\"\\u0053chema\":{\"fiel\\u0064\":\"caf\\u00e9\",\"reason\":\"a\\/b\\n\\u2028\"}}",
	     "{\"Schema\":{\"field\":\"caf\xc3\xa9\",\"reason\":\"a/b\\n\xe2\x80\xa8\"}}",
	     "schema: caf\xc3\xa9: a/b\n\xe2\x80\xa8");
	good("{\"Kind\":\"sch\\u0065ma\",\"Field\":\"\\u0078\",\"Reason\":\"\\u0079\"}", SCHEMA,
	     "schema: x: y");
}

static void refused(void)
{
	bad("[]", "a validation error is a JSON object");
	bad("\"Schema\"", "a validation error is a JSON object");
	bad("{}", "missing \"Schema\", \"Completeness\", \"Consistency\" or \"Policy\"");
	bad("{\"schema\":{\"field\":\"x\",\"reason\":\"y\"}}",
	    "unknown member \"schema\" (did you mean \"Schema\"?)");
	bad("{\"Unknown\":{\"reason\":\"y\"}}", "unknown member \"Unknown\"");
	bad("{\"Schema\":{\"field\":\"x\",\"reason\":\"y\"},\"Policy\":{\"reason\":\"y\"}}",
	    "\"Schema\" and \"Policy\" exclude each other");
	bad("{\"Policy\":{\"reason\":\"y\"},\"id\":1}", "unknown member \"id\"");
	bad("{\"Policy\":\"y\"}", "\"Policy\" must be an object");
	bad("{\"Policy\":null}", "\"Policy\" must be an object");
	bad("{\"Schema\":{\"reason\":\"y\"}}", "missing Schema.field (string)");
	bad("{\"Schema\":{\"field\":\"x\"}}", "missing Schema.reason (string)");
	bad("{\"Policy\":{}}", "missing Policy.reason (string)");
	bad("{\"Policy\":{\"field\":\"x\",\"reason\":\"y\"}}",
	    "unknown member \"field\" in \"Policy\"");
	bad("{\"Schema\":{\"field\":\"x\",\"reason\":\"y\",\"more\":1}}",
	    "unknown member \"more\" in \"Schema\"");
	bad("{\"Schema\":{\"field\":null,\"reason\":\"y\"}}", "missing Schema.field (string)");
	bad("{\"Policy\":{\"reason\":1}}", "Policy.reason must be a string");
	bad("{\"Policy\":{\"Reason\":\"y\"}}",
	    "unknown member \"Reason\" in \"Policy\" (did you mean \"reason\"?)");
}

static void refused_legacy(void)
{
	bad("{\"Kind\":\"policy\",\"Reason\":\"y\"}", "missing \"Field\" (string)");
	bad("{\"Kind\":\"schema\",\"Field\":\"x\"}", "missing \"Reason\" (string)");
	bad("{\"Field\":\"x\",\"Reason\":\"y\"}", "missing \"Kind\" (string)");
	bad("{\"Kind\":\"other\",\"Field\":\"\",\"Reason\":\"y\"}",
	    "\"Kind\" must be \"schema\", \"completeness\", \"consistency\" or \"policy\", not "
	    "\"other\"");
	bad("{\"Kind\":\"polic\",\"Field\":\"\",\"Reason\":\"y\"}",
	    "\"Kind\" must be \"schema\", \"completeness\", \"consistency\" or \"policy\", not "
	    "\"polic\"");
	bad("{\"Kind\":\"policy\",\"Field\":\"x\",\"Reason\":\"y\"}",
	    "\"Field\" of a policy error must be \"\"");
	bad("{\"Kind\":1,\"Field\":\"\",\"Reason\":\"y\"}", "\"Kind\" must be a string");
	bad("{\"Kind\":\"policy\",\"Field\":null,\"Reason\":\"y\"}", "missing \"Field\" (string)");
	bad("{\"Kind\":\"policy\",\"Field\":\"\",\"Reason\":\"y\",\"Code\":1}",
	    "unknown member \"Code\"");
	bad("{\"Kind\":\"policy\",\"Field\":\"\",\"Reason\":\"y\",\"Policy\":{\"reason\":\"y\"}}",
	    "unknown member \"Policy\"");
	bad("{\"kind\":\"policy\",\"Field\":\"\",\"Reason\":\"y\"}",
	    "unknown member \"kind\" (did you mean \"Kind\"?)");
}

int main(void)
{
	lh_record_init(&rec);
	text = (struct lh_buf){ 0 };
	scratch = (struct lh_buf){ 0 };
	out = (struct lh_buf){ 0 };
	test(both_forms());
	test(refused());
	test(refused_legacy());
	lh_record_free(&rec);
	lh_buf_free(&text);
	lh_buf_free(&scratch);
	lh_buf_free(&out);
	return 0;
}
