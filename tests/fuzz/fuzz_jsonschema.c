/* fuzz_jsonschema - any JSON as a schema, and any as a value by it: a line of each.  With
 * reports and without them the verdict is the same; reports are UTF-8 and as many as counted.
 * A pattern and a text in the same way. */
#include "fuzz.h"

#include "jsonschema/jsonschema_parts.h"

static struct lh_jsonschema_run run;
static struct lh_record rec;
static struct lh_err err;

static void check_by(const struct lh_jsonschema *s, const struct lh_value *v)
{
	long reported = 0, n, quiet;

	n = lh_jsonschema_check(s, &run, v, fuzz_problem, &reported, &err);
	never(run.bits.len || run.scratch.len);
	quiet = lh_jsonschema_check(s, &run, v, NULL, NULL, &err);
	never(n >= 0 && (n <= LH_SCHEMA_MAX ? reported != n : reported != LH_SCHEMA_MAX + 1));
	/* with reports more is looked at, and more may be too much */
	never(n >= 0 && quiet != (n > 0));
}

static void pattern(struct lh_str re, struct lh_str text)
{
	uint64_t steps = 1000000;
	struct lh_regex *r;

	if (!lh_utf8_valid(re.p, re.n) || !lh_utf8_valid(text.p, text.n))
		return;
	r = lh_regex_new(re, &err);
	if (r)
		lh_regex_search(r, &run, text, &steps, &err);
	lh_regex_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *lf = n ? memchr(data, '\n', n) : NULL;
	struct lh_str schema = { (const char *)data, lf ? (size_t)(lf - data) : n };
	struct lh_jsonschema *s;
	struct lh_value v;
	size_t rest;
	char *p;

	if (!lf)
		return 0;
	rest = n - schema.n - 1;
	p = padded(lf + 1, rest, '"');
	pattern(schema, (struct lh_str){ p, rest });
	s = lh_jsonschema_new(schema, NULL, NULL, &err);
	if (s && lh_json_parse(&rec, p, rest, &v, &err) == 0)
		check_by(s, &v);
	lh_jsonschema_free(s);
	free(p);
	return 0;
}
