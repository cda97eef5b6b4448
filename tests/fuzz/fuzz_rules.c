/* fuzz_rules - a rule file, NUL, an artifact: rules are refused with a reason, or run
 * twice with the same outcome, and leave the scratch as it was. */
#include <stdlib.h>

#include "base/mem.h"
#include "../../lib/validate/rules.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct lh_record rec;
static struct lh_buf scratch, acted;
static struct lh_err err;

static int note(void *ctx, const struct lh_rule_hit *hit, struct lh_err *e)
{
	(void)e;
	if (hit->action == LH_RULE_PASS || !hit->id.n || !hit->message.n ||
	    (hit->action == LH_RULE_REDACT && !hit->field.n))
		abort();
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
		if (lh_rules_run(r, LH_TASK_FILL, v, has ? &context : NULL, &scratch, note, &acted,
				 &err) < 0 ||
		    scratch.len)
			abort();
	}
	if (acted.len != 2 * first || (first && memcmp(acted.p, acted.p + first, first)))
		abort();
}

static void file(const char *p, size_t n, const char *artifact, size_t m)
{
	struct lh_rules *r = lh_calloc(1, sizeof *r);
	struct lh_value v;

	err.msg[0] = '\0';
	if (lh_json_parse(&rec, p, n, &v, &err) < 0 || lh_rules_read(r, &v, &err) < 0) {
		if (!err.msg[0])
			abort();
	} else if (lh_json_parse(&rec, artifact, m, &v, &err) == 0) {
		run(r, &v);
	}
	lh_rules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
	size_t a = nul ? (size_t)(nul - data) : n, b = nul ? n - a - 1 : 0;
	char *p = malloc(a + LH_PAD), *q = malloc(b + LH_PAD);

	memset(p, '"', a + LH_PAD);
	memset(q, '"', b + LH_PAD);
	if (a)
		memcpy(p, data, a);
	if (b)
		memcpy(q, nul + 1, b);
	file(p, a, q, b);
	free(p);
	free(q);
	return 0;
}
