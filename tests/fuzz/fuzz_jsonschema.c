/* fuzz_jsonschema - any JSON as a schema, and any as a value by it: a line of each.  With
 * reports and without them the verdict is the same; reports are UTF-8 and as many as counted.
 * A pattern and a text in the same way.  And a base and a reference: what is resolved resolves
 * to itself, and the path of a file stays in its folder. */
#include <stdlib.h>

#include "jsonschema/jsonschema.h"
#include "jsonschema/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct lh_jsonschema_run run;
static struct lh_record rec;
static struct lh_err err;

static void note(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	if (!field->n || !problem->n || !lh_utf8_valid(field->p, field->n) ||
	    !lh_utf8_valid(problem->p, problem->n))
		abort();
	++*(long *)ctx;
}

static void check_by(const struct lh_jsonschema *s, const struct lh_value *v)
{
	long reported = 0, n, quiet;

	n = lh_jsonschema_check(s, &run, v, note, &reported, &err);
	if (run.bits.len || run.scratch.len)
		abort();
	quiet = lh_jsonschema_check(s, &run, v, NULL, NULL, &err);
	if (n >= 0 && (n <= LH_SCHEMA_MAX ? reported != n : reported != LH_SCHEMA_MAX + 1))
		abort();
	/* with reports more is looked at, and more may be too much */
	if (n >= 0 && quiet != (n > 0))
		abort();
}

static void pattern(struct lh_str re, struct lh_str text)
{
	uint64_t steps = 1000000;
	struct lh_regex *r;

	if (!lh_utf8_valid(re.p, re.n) || !lh_utf8_valid(text.p, text.n))
		return;
	r = lh_regex_new(re, &err);
	if (r)
		lh_regex_search(r, &run.regex, text, &steps, &err);
	lh_regex_free(r);
}

static struct lh_str resolve(struct lh_buf *out, struct lh_str from, struct lh_str ref)
{
	lh_uri_resolve(out, from, ref);
	return (struct lh_str){ out->p ? out->p : "", out->len };
}

static void check_path(struct lh_str path)
{
	struct lh_str rest = path;
	size_t n;

	if (!path.n || *path.p == '/' || memchr(path.p, '\0', path.n))
		abort();
	for (; rest.n; rest.p += n, rest.n -= n) {
		for (n = 0; n < rest.n && rest.p[n] != '/'; n++)
			continue;
		if (n == 2 && !memcmp(rest.p, "..", 2))
			abort();
		n += n < rest.n;
	}
}

static void reference(struct lh_str base, struct lh_str ref)
{
	struct lh_buf b = { 0 }, u = { 0 }, again = { 0 }, path = { 0 };
	struct lh_str from, uri, same;

	if (!lh_utf8_valid(base.p, base.n) || !lh_utf8_valid(ref.p, ref.n))
		return;
	from = resolve(&b, (struct lh_str){ "", 0 }, base);
	uri = resolve(&u, from, ref);
	same = resolve(&again, (struct lh_str){ "", 0 }, uri);
	if (!lh_utf8_valid(uri.p, uri.n) || !lh_str_is(same, uri.p, uri.n))
		abort();
	if (lh_uri_file(&path, from, uri))
		check_path((struct lh_str){ path.p, path.len });
	lh_buf_free(&b);
	lh_buf_free(&u);
	lh_buf_free(&again);
	lh_buf_free(&path);
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
	p = malloc(rest + LH_PAD);
	memset(p, '"', rest + LH_PAD);
	memcpy(p, lf + 1, rest);
	pattern(schema, (struct lh_str){ p, rest });
	reference(schema, (struct lh_str){ p, rest });
	s = lh_jsonschema_new(schema, NULL, &err);
	if (s && lh_json_parse(&rec, p, rest, &v, &err) == 0)
		check_by(s, &v);
	lh_jsonschema_free(s);
	free(p);
	return 0;
}
