/* fuzz_schema - any JSON value against every schema, and as a validation error: reports
 * are UTF-8 and as many as counted; an error that is read can be written and read
 * again. */
#include "fuzz.h"

#include "schema/schema.h"
#include "validate/validation_error.h"

static struct lh_record rec;
static struct lh_buf scratch, first, again;
static struct lh_err err;

static void schemas(const struct lh_value *v)
{
	const char *name;
	long n_reported, n;
	size_t i;

	for (i = 0; (name = lh_schema_name(i)); i++) {
		n_reported = 0;
		n = lh_schema_check(lh_schema_find(name), v, &scratch, fuzz_problem, &n_reported);
		never(scratch.len || (n <= LH_SCHEMA_MAX ? n_reported != n
				      : n_reported != LH_SCHEMA_MAX + 1));
	}
}

static void error(const struct lh_value *v)
{
	struct lh_validation_error e;
	struct lh_value w;

	lh_buf_reset(&scratch);
	lh_buf_reset(&first);
	lh_buf_reset(&again);
	if (lh_validation_error_read(v, &scratch, &e, &err) < 0) {
		lh_buf_reset(&scratch);
		return;
	}
	lh_validation_error_json(&first, &e);
	lh_buf_reset(&scratch);
	never(lh_json_parse(&rec, first.p, first.len, &w, &err) < 0 ||
	      lh_validation_error_read(&w, &scratch, &e, &err) < 0);
	lh_validation_error_json(&again, &e);
	never(again.len != first.len || memcmp(again.p, first.p, first.len));
	lh_buf_reset(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = padded(data, n, '"');
	struct lh_value v;

	if (lh_json_parse(&rec, p, n, &v, &err) == 0) {
		schemas(&v);
		error(&v);
	}
	free(p);
	return 0;
}
