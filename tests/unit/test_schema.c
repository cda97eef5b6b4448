/* What the validator reports of values that no record can be. */
#include "json_text.h"
#include "schema/schema_table.h"

static struct lh_buf scratch, told;

static void note(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	lh_buf_printf(&told, "%.*s: %.*s;", (int)field->n, field->p, (int)problem->n, problem->p);
}

static void says(const struct lh_schema *of, const char *s, long n, const char *want)
{
	struct lh_value v = value_of(s);

	check(of != NULL);
	lh_buf_reset(&told);
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
	lh_buf_puts(&scratch, "abc");
	test(any_value());
	test(two_versions());
	return 0;
}
