/* test_filter.c - metadata_filter: matches, non-matches and damage. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include <lh/metadata_filter.h>

static int failed;

static const struct {
	const char *filter, *meta;
	int match;
} cases[] = {
	{ "{}", "", 1 },
	{ "{}", "{\"a\":1}", 1 },
	{ "{\"a\":1}", "", 0 },
	{ "{\"a\":1}", "{}", 0 },
	{ "{\"a\":1}", "{\"b\":1}", 0 },
	/* scalars, after canonicalisation */
	{ "{\"a\":1}", "{\"a\":1}", 1 },
	{ "{\"a\":1}", "{\"a\":1.0}", 1 },
	{ "{\"a\":1e0}", "{\"a\":1}", 1 },
	{ "{\"a\":1}", "{\"a\":\"1\"}", 0 },
	{ "{\"a\":\"1\"}", "{\"a\":1}", 0 },
	{ "{\"a\":1}", "{\"a\":true}", 0 },
	{ "{\"a\":0}", "{\"a\":false}", 0 },
	{ "{\"a\":true}", "{\"a\":true}", 1 },
	{ "{\"a\":false}", "{\"a\":true}", 0 },
	{ "{\"a\":null}", "{\"a\":null}", 1 },
	{ "{\"a\":null}", "{\"b\":1}", 0 },
	{ "{\"a\":null}", "{\"a\":0}", 0 },
	{ "{\"a\":9007199254740993}", "{\"a\":9007199254740993}", 1 },
	{ "{\"a\":9007199254740993}", "{\"a\":9007199254740992}", 0 },
	{ "{\"a\":123456789012345678901234567890}", "{\"a\":123456789012345678901234567891}", 0 },
	{ "{\"a\":123456789012345678901234567890}", "{\"a\":1.2345678901234567890123456789e29}",
	  1 },
	/* strings by code points */
	{ "{\"a\":\"x\"}", "{\"a\":\"x\"}", 1 },
	{ "{\"a\":\"x\"}", "{\"a\":\"X\"}", 0 },
	{ "{\"a\":\"x\"}", "{\"a\":\"xy\"}", 0 },
	{ "{\"a\":\"\"}", "{\"a\":\"\"}", 1 },
	{ "{\"a\":\"\\u00e9\"}", "{\"a\":\"é\"}", 1 },
	{ "{\"a\":\"é\"}", "{\"a\":\"\\u00E9\"}", 1 },
	{ "{\"\\u0061\":\"x\"}", "{\"a\":\"x\"}", 1 },
	{ "{\"a\":\"x\"}", "{\"\\u0061\":\"x\"}", 1 },
	{ "{\"a\":\"q\\\"\\\\\"}", "{\"z\":\"\\\\\",\"a\":\"q\\\"\\\\\"}", 1 },
	/* keys are ANDed, at the top level only */
	{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1,\"c\":3}", 1 },
	{ "{\"a\":1,\"b\":2}", "{\"b\":3,\"a\":1}", 0 },
	{ "{\"a\":1,\"b\":2}", "{\"a\":1}", 0 },
	{ "{\"a\":1}", "{\"b\":{\"a\":1}}", 0 },
	{ "{\"a\":1}", "{\"b\":[{\"a\":2}],\"c\":\"{\\\"a\\\":2}\" , \"a\" : 1 }", 1 },
	/* a list is OR, an empty one nothing */
	{ "{\"a\":[1,\"x\",null]}", "{\"a\":\"x\"}", 1 },
	{ "{\"a\":[1,\"x\",null]}", "{\"a\":null}", 1 },
	{ "{\"a\":[1,\"x\",null]}", "{\"a\":2}", 0 },
	{ "{\"a\":[\"ccc\",\"a\",\"bb\",\"dd\"]}", "{\"a\":\"bb\"}", 1 },
	{ "{\"a\":[]}", "{\"a\":1}", 0 },
	{ "{\"a\":[]}", "{\"a\":[]}", 0 },
	/* metadata that is an array: any element */
	{ "{\"a\":\"x\"}", "{\"a\":[\"w\",\"x\"]}", 1 },
	{ "{\"a\":\"x\"}", "{\"a\":[]}", 0 },
	{ "{\"a\":[1,2]}", "{\"a\":[ 3 , 2.0 ]}", 1 },
	{ "{\"a\":[1,2]}", "{\"a\":[3,[2]]}", 0 },
	{ "{\"a\":[[1,2]]}", "{\"a\":[1,2]}", 1 },
	{ "{\"a\":[[1,2]]}", "{\"a\":[2,1]}", 0 },
	/* objects: JSON equality */
	{ "{\"a\":{\"x\":1,\"y\":[2]}}", "{\"a\":{\"y\":[2.0],\"x\":1}}", 1 },
	{ "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1,\"y\":2}}", 0 },
	{ "{\"a\":{\"x\":1}}", "{\"a\":[{\"x\":1.0}]}", 1 },
	/* damage is detected where it is read */
	{ "{\"a\":1}", "[1]", -1 },
	{ "{\"a\":1}", "{", -1 },
	{ "{\"a\":1}", "{\"", -1 },
	{ "{\"a\":1}", "{\"a", -1 },
	{ "{\"a\":1}", "{\"a\\", -1 },
	{ "{\"a\":1}", "{\"a\"", -1 },
	{ "{\"a\":1}", "{\"a\":", -1 },
	{ "{\"a\":1}", "{\"a\":}", -1 },
	{ "{\"a\":1}", "{\"a\":1x}", -1 },
	{ "{\"a\":1}", "{\"b\":[[[}", -1 },
	{ "{\"a\":1}", "{\"b\":1 \"a\":1}", -1 },
	{ "{\"a\":1}", "{\"b\":1,}", -1 },
	{ "{\"a\":1}", "{\"b\":\"\\", -1 },
	{ "{\"a\":\"x\"}", "{\"a\":\"\\q\"}", -1 },
	{ "{\"a\":\"x\"}", "{\"a\":[\"y\"", -1 },
};

/* Metadata is at the end of its memory, so that reading past it is detected. */
static int match(struct lh_filter *f, const char *meta, struct lh_err *err)
{
	size_t n = strlen(meta);
	char *exact = malloc(n + !n);
	int got;

	memcpy(exact, meta, n);
	got = lh_filter_match(f, exact, n, err);
	free(exact);
	return got;
}

static void parsed(struct lh_record *scan, struct lh_buf *text, const char *json,
		   struct lh_value *v)
{
	struct lh_err err;

	lh_buf_reset(text);
	lh_buf_puts(text, json);
	if (lh_json_parse(scan, text->p, text->len, v, &err) < 0) {
		fprintf(stderr, "test_filter: %s: %s\n", json, err.msg);
		exit(1);
	}
}

static void check_cases(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	struct lh_value v;
	struct lh_err err;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		int got;

		parsed(scan, text, cases[i].filter, &v);
		got = lh_filter_compile(f, &v, &err) < 0 ? -2 : match(f, cases[i].meta, &err);
		if (got == cases[i].match && (got != -1 || err.code == LH_ECORRUPT))
			continue;
		fprintf(stderr, "test_filter: %s against %s: %d, not %d\n", cases[i].filter,
			cases[i].meta, got, cases[i].match);
		failed = 1;
	}
	check(!failed);
}

static void check_type(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	static const char *const bad[] = { "1", "null", "[]", "\"a\"" };
	struct lh_value v;
	struct lh_err err;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		parsed(scan, text, bad[i], &v);
		if (lh_filter_compile(f, &v, &err) == 0 || err.code != LH_EDATA) {
			fprintf(stderr, "test_filter: %s is taken for a filter\n", bad[i]);
			failed = 1;
		}
	}
	check(!failed);
}

static void check_same(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	struct lh_value v;
	struct lh_err err;
	bool same, other;

	parsed(scan, text, "{\"a\":1}", &v);
	lh_filter_compile(f, &v, &err);
	same = lh_filter_is(f, &v);
	parsed(scan, text, "{\"a\":2}", &v);
	other = lh_filter_is(f, &v);
	if (!same || other) {
		fprintf(stderr, "test_filter: lh_filter_is is wrong\n");
		failed = 1;
	}
	check(!failed);
}

static void check_where(void)
{
	static const char *const pairs[] = { "n=1", "state=IL", "n=x=y", "e=", "l=[1]", "q=\"s\"",
					     "t=true", "s= 1" };
	static const char *const bad[] = { "state", "=x", "", "a=\xff" };
	struct lh_buf json = { 0 };
	struct lh_err err;
	size_t i;

	if (lh_filter_where(&json, pairs, sizeof pairs / sizeof *pairs, &err) < 0)
		lh_buf_puts(&json, err.msg);
	lh_buf_putc(&json, '\0');
	if (strcmp(json.p,
		   "{\"n\":[\"1\",1,\"x=y\"],\"state\":[\"IL\"],\"e\":[\"\"],\"l\":[\"[1]\"],"
		   "\"q\":[\"\\\"s\\\"\",\"s\"],\"t\":[\"true\",true],\"s\":[\" 1\"]}")) {
		fprintf(stderr, "test_filter: where gives %s\n", json.p);
		failed = 1;
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (lh_filter_where(&json, &bad[i], 1, &err) == 0 || err.code != LH_EUSAGE) {
			fprintf(stderr, "test_filter: --where %s is taken\n", bad[i]);
			failed = 1;
		}
	}
	lh_buf_free(&json);
	check(!failed);
}

int main(void)
{
	struct lh_err err;
	struct lh_filter *f = lh_filter_new(&err);
	struct lh_record scan;
	struct lh_buf text = { 0 };

	lh_record_init(&scan);
	test(check_cases(f, &scan, &text));
	test(check_type(f, &scan, &text));
	test(check_same(f, &scan, &text));
	test(check_where());
	lh_buf_free(&text);
	lh_record_free(&scan);
	lh_filter_free(f);
	return 0;
}
