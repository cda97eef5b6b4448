/* fuzz_rules - a rule file, NUL, an artifact: rules are refused with a reason, or run
 * twice with the same outcome, and leave the scratch as it was. */
#include "fuzz.h"

#include "base/mem.h"
#include "../../lib/validate/rules.c"

static struct lh_record rec;
static struct lh_buf scratch, acted;
static struct lh_err err;

static int note(void *ctx, const struct lh_rule_hit *hit, struct lh_err *e)
{
	(void)e;
	never(hit->action == LH_RULE_PASS || !hit->id.n || !hit->message.n ||
	      (hit->action == LH_RULE_REDACT && !hit->field.n));
	lh_buf_add(&acted, hit->id.p, hit->id.n);
	lh_buf_add(ctx, hit->message.p, hit->message.n);
	return 0;
}

static void run(const struct lh_rules *r, const struct lh_value *v)
{
	struct lh_value context;
	bool has = lh_value_get(v, "_context", &context);
	size_t first;
	int round;

	lh_buf_reset(&acted);
	for (round = 0; round < 2; round++) {
		first = acted.len;
		never(lh_rules_run(r, LH_TASK_FILL, v, has ? &context : NULL, &scratch, note, &acted,
				   &err) < 0 ||
		      scratch.len);
	}
	never(acted.len != 2 * first || (first && memcmp(acted.p, acted.p + first, first)));
}

static void file(const char *p, size_t n, const char *artifact, size_t m)
{
	struct lh_rules *r = lh_calloc(1, sizeof *r);
	struct lh_value v;

	err.msg[0] = '\0';
	if (lh_json_parse(&rec, p, n, &v, &err) < 0 || lh_rules_read(r, &v, &err) < 0) {
		never(!err.msg[0]);
	} else if (lh_json_parse(&rec, artifact, m, &v, &err) == 0) {
		run(r, &v);
	}
	lh_rules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
	size_t a = nul ? (size_t)(nul - data) : n, b = nul ? n - a - 1 : 0;
	char *p = padded(data, a, '"'), *q = padded(nul ? nul + 1 : data, b, '"');

	file(p, a, q, b);
	free(p);
	free(q);
	return 0;
}
