/* fuzz_score - valid evidence gives a scored run that is valid by its schema, and the
 * same from another scorer; other records do no harm. */
#include "fuzz.h"

#include "schema/schema.h"
#include "distill/score.h"

static struct lh_record evidence, made;
static struct lh_scorer *scorer, *other;
static struct lh_buf out, again, scratch;
static struct lh_err err;

static void check_same(void)
{
	never(out.len != again.len || memcmp(out.p, again.p, out.len));
}

static void check_scored(enum lh_category category)
{
	struct lh_scored on_file;

	never(lh_score_one(other, &evidence, NULL, NULL, &again, &err) < 0);
	check_same();
	lh_buf_grow(&out, LH_PAD);
	never(lh_record_parse(&made, out.p, out.len, &err) < 0);
	never(lh_schema_check_record(lh_schema_find("scored_run"), &made, &scratch, fuzz_no_problem,
				     NULL) != 0);
	never(lh_scored_read(&made, &on_file, &err) < 0 || on_file.category != category ||
	      !on_file.current);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum lh_category category;
	struct lh_judged judged;
	bool valid;
	char *p = padded(data, n, '"');

	if (!scorer) {
		scorer = lh_scorer_new();
		other = lh_scorer_new();
	}
	lh_buf_reset(&out);
	lh_buf_reset(&again);
	if (lh_record_parse(&evidence, p, n, &err) == 0) {
		valid = lh_score_check(scorer, &evidence, &err) == 0;
		lh_score_judge(scorer, &evidence, &judged);
		must(judged.reasons);
		if (lh_score_one(scorer, &evidence, NULL, &category, &out, &err) == 0) {
			never(category != judged.category);
			if (valid)
				check_scored(category);
		} else if (valid || err.code != LH_EDATA) {
			abort();
		}
	}
	free(p);
	return 0;
}
