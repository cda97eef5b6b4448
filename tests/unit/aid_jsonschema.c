/*
 * aid_jsonschema - values of any type by JSON Schemas.
 *
 *     aid_jsonschema check <CASES          a line {"schema":S,"data":V}: true or false, or why
 *                                          the schema cannot be used
 *     aid_jsonschema regex <CASES          a line ["pattern","text"]: the same
 */

#include "check.h"
#include "json_text.h"
#include "jsonschema/jsonschema_parts.h"

static struct lh_jsonschema_run run;
static struct lh_buf scratch;
static struct lh_err err;

static void note(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	check(lh_utf8_valid(field->p, field->n) && lh_utf8_valid(problem->p, problem->n));
}

static void check_case(const struct lh_value *v)
{
	struct lh_value schema, data;
	struct lh_jsonschema *s;
	long loud, quiet;

	check(lh_value_get(v, "schema", &schema) && lh_value_get(v, "data", &data));
	s = lh_jsonschema_new((struct lh_str){ schema.p, schema.n }, NULL, NULL, &err);
	if (!s) {
		printf("error: %s\n", err.msg);
		return;
	}
	loud = lh_jsonschema_check(s, &run, &data, note, NULL, &err);
	quiet = lh_jsonschema_check(s, &run, &data, NULL, NULL, &err);
	check((loud > 0) == (quiet > 0) && (loud < 0) == (quiet < 0));
	if (loud < 0)
		printf("error: %s\n", err.msg);
	else
		puts(loud ? "false" : "true");
	lh_jsonschema_free(s);
}

static void check_regex(const struct lh_value *v)
{
	uint64_t steps = 10000000;
	struct lh_str pattern, text;
	struct lh_regex *re;
	struct lh_iter it;
	int rc;

	lh_iter_init(&it, v);
	lh_buf_reset(&scratch);
	check(lh_buf_grow(&scratch, 1 << 20) == 0);
	check(lh_iter_next(&it));
	lh_value_str(&it.val, &scratch, &pattern);
	check(lh_iter_next(&it));
	lh_value_str(&it.val, &scratch, &text);
	re = lh_regex_new(pattern, &err);
	rc = re ? lh_regex_search(re, &run, text, &steps, &err) : -1;
	if (rc < 0)
		printf("error: %s\n", err.msg);
	else
		puts(rc ? "true" : "false");
	lh_regex_free(re);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		struct lh_value v = value_of(line);

		if (!strcmp(mode, "regex"))
			check_regex(&v);
		else
			check_case(&v);
	}
	free(line);
	lh_jsonschema_run_free(&run);
	return 0;
}
