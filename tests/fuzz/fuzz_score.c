/* fuzz_score - valid evidence gives a scored run that is valid by its schema, and the
 * same from another scorer; other records do no harm. */
#include <stdlib.h>

#include "schema/schema.h"
#include "distill/score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct lh_record evidence, made;
static struct lh_scorer *scorer, *other;
static struct lh_buf out, again, scratch;
static struct lh_err err;

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	(void)field;
	(void)problem;
	abort();
}

static void check_same(void)
{
	if (out.len != again.len || memcmp(out.p, again.p, out.len))
		abort();
}

static void check_scored(enum lh_category category)
{
	struct lh_scored on_file;

	if (lh_score_one(other, &evidence, NULL, NULL, &again, &err) < 0)
		abort();
	check_same();
	lh_buf_grow(&out, LH_PAD);
	if (lh_record_parse(&made, out.p, out.len, &err) < 0)
		abort();
	if (lh_schema_check_record(lh_schema_find("scored_run"), &made, &scratch, on_violation,
				   NULL) != 0)
		abort();
	if (lh_scored_read(&made, &on_file, &err) < 0 || on_file.category != category ||
	    !on_file.current)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum lh_category category;
	struct lh_judged judged;
	bool valid;
	char *p;

	if (!scorer) {
		out = (struct lh_buf){ 0 };
		again = (struct lh_buf){ 0 };
		scratch = (struct lh_buf){ 0 };
		scorer = lh_scorer_new();
		other = lh_scorer_new();
	}
	p = malloc(n + LH_PAD);
	memcpy(p, data, n);
	memset(p + n, '"', LH_PAD);
	lh_buf_reset(&out);
	lh_buf_reset(&again);
	if (lh_record_parse(&evidence, p, n, &err) == 0) {
		valid = lh_score_check(scorer, &evidence, &err) == 0;
		lh_score_judge(scorer, &evidence, &judged);
		if (!judged.reasons)
			abort();
		if (lh_score_one(scorer, &evidence, NULL, &category, &out, &err) == 0) {
			if (category != judged.category)
				abort();
			if (valid)
				check_scored(category);
		} else if (valid || err.code != LH_EDATA) {
			abort();
		}
	}
	free(p);
	return 0;
}
