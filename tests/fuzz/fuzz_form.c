/* Of a line that a form knows, the scanner and the validator of schemas must say
 * the same, value by value; the first byte picks the schema.  A form remembers
 * times from line to line, so each lives as long as the run. */
#include <stdlib.h>

#include "schema/form.h"

#define SCHEMAS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct lh_record rec, want;
static struct lh_buf scratch;
static struct lh_form form[SCHEMAS];
static size_t schemas;
static struct lh_err err;

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	(void)field;
	(void)problem;
	abort();
}

static void start(void)
{
	const char *name;

	lh_record_init(&rec);
	lh_record_init(&want);
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	for (; (name = lh_schema_name(schemas)); schemas++)
		form[schemas].schema = lh_schema_find(name);
}

static bool same(const struct lh_value *a, const struct lh_value *b)
{
	return a->p == b->p && a->n == b->n && a->type == b->type && a->escaped == b->escaped;
}

static void compare(const struct lh_schema *schema, const char *p, size_t n)
{
	size_t i;

	if (lh_record_parse(&want, p, n, &err) < 0 || rec.line != want.line || rec.len != want.len || rec.n != want.n)
		abort();
	for (i = 0; i < rec.n; i++)
		if (!same(&rec.member[i].key, &want.member[i].key) || !same(&rec.member[i].val, &want.member[i].val))
			abort();
	if (lh_schema_check_record(schema, &want, &scratch, on_violation, NULL, &err) != 0)
		abort();
}

/* What is behind the line: none of it may count, be it the line's own rest. */
static void read_line(struct lh_form *f, const uint8_t *data, size_t n, size_t of)
{
	char *p = malloc(n + LH_PAD);
	size_t rest = of - n < LH_PAD ? of - n : LH_PAD;

	memset(p + n, '"', LH_PAD);
	memcpy(p, data, n + rest);
	if (lh_form_read(f, &rec, p, n, &err) > 0)
		compare(f->schema, p, n);
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct lh_form *f;

	if (!schemas)
		start();
	if (!n)
		return 0;
	f = &form[*data % schemas];
	read_line(f, data + 1, n - 1, n - 1);
	if (n > 3)
		read_line(f, data + 1, n - 1 - data[n - 1] % (n - 1), n - 1);
	return 0;
}
