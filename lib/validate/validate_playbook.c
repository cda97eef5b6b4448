/* validate_playbook.c - check a playbook draft: what a run learned.  See lh/validate.h. */
#include "validate_parts.h"

static int check_operation(struct lh_validator *v)
{
	struct lh_value val;
	struct lh_str s;

	lh_val_at(v, "operation");
	if (!lh_value_get(v->artifact, "operation", &val) || val.type != LH_STRING)
		return lh_val_error(v, LH_VAL_SCHEMA, "missing");
	lh_val_str(v, &val, &s);
	if (s.n >= 5 && !memcmp(s.p, "fill:", 5))
		return 0;
	lh_buf_json(&v->scratch, s.p, s.n);
	return lh_val_error(v, LH_VAL_SCHEMA, "expected `fill: ...` prefix, got %s",
			    &(struct lh_str){ v->scratch.p, v->scratch.len });
}

static int count_names(struct lh_validator *v, uint64_t *n)
{
	struct lh_value names;
	struct lh_iter it;

	if (!lh_value_get(v->artifact, "endorsed_names", &names) || names.type != LH_ARRAY) {
		lh_val_at(v, "endorsed_names");
		return lh_val_error(v, LH_VAL_SCHEMA, "expected array");
	}
	for (*n = 0, lh_iter_init(&it, &names); lh_iter_next(&it); )
		++*n;
	return *n ? 0 : lh_val_error(v, LH_VAL_COMPLETENESS, "endorsed_names must be non-empty");
}

/* Check that there are at most twice as many names as places; the artifact's own
 * count has precedence. */
static int check_ceiling(struct lh_validator *v, uint64_t n, bool set, int64_t target)
{
	struct lh_value val;
	int64_t most;

	if (lh_value_get(v->artifact, "target_count", &val) && val.type != LH_NULL) {
		set = true;
		if (val.type != LH_NUMBER || !lh_value_i64(&val, &target)) {
			lh_val_at(v, "target_count");
			return lh_val_error(v, LH_VAL_SCHEMA, "expected whole number");
		}
	}
	if (__builtin_mul_overflow(target, 2, &most))
		most = target < 0 ? INT64_MIN : INT64_MAX;
	if (!set || (most >= 0 && n <= (uint64_t)most))
		return 0;
	return lh_val_error(v, LH_VAL_COMPLETENESS,
			    "endorsed_names (%u) exceeds target_count × 2 (%d)", n, most);
}

static int check_fingerprint(struct lh_validator *v)
{
	struct lh_str s;
	int rc = lh_val_need(v, "fingerprint", &s);

	return rc > 0 ? lh_val_error(v, LH_VAL_SCHEMA,
				     "missing — required for Phase 25 validity window") : rc;
}

int lh_validate_playbook(struct lh_validator *v)
{
	bool set = false;
	int64_t target = 0;
	uint64_t n = 0;
	int rc = lh_val_context_count(v, &set, &target);

	if (!rc)
		rc = check_operation(v);
	if (!rc)
		rc = count_names(v, &n);
	if (!rc)
		rc = check_ceiling(v, n, set, target);
	if (!rc)
		rc = check_fingerprint(v);
	return rc;
}
