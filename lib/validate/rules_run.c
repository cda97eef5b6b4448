/* rules_run.c - find the rules that hold.  See lh/rules.h. */
#include "base/utf8.h"
#include "rules_parts.h"

/* Read an index of an array: digits, without leading zeros. */
static bool index_of(const struct lh_str *s, uint64_t *out)
{
	size_t i;

	*out = 0;
	if (s->n > 18 || (s->n > 1 && *s->p == '0'))
		return false;
	for (i = 0; i < s->n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(s->p[i] - '0');
	}
	return true;
}

static bool find_child(const struct lh_value *v, const struct lh_str *name, struct lh_value *out)
{
	struct lh_iter it;
	uint64_t at = 0;

	if (v->type != LH_OBJECT && (v->type != LH_ARRAY || !index_of(name, &at)))
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (it.object ? lh_value_is(&it.key, name->p, name->n) : !at--) {
			*out = it.val;
			return true;
		}
	return false;
}

static bool find_field(const struct lh_rule *rule, const struct lh_value *artifact,
		       const struct lh_value *context, struct lh_value *out)
{
	static const char own[] = "_context";
	size_t i = 0;

	*out = *artifact;
	if (rule->path[0].n == sizeof own - 1 && !memcmp(rule->path[0].p, own, sizeof own - 1)) {
		if (!context)
			return false;
		*out = *context;
		i = 1;
	}
	for (; i < rule->n_path; i++)
		if (!find_child(out, &rule->path[i], out))
			return false;
	return true;
}

static bool is_empty(const struct lh_value *v)
{
	struct lh_iter it;

	switch (v->type) {
	case LH_NULL:
		return true;
	case LH_STRING:
		return v->n == 2;
	case LH_ARRAY:
	case LH_OBJECT:
		lh_iter_init(&it, v);
		return !lh_iter_next(&it);
	default:
		return false;
	}
}

static bool is_greater(const struct lh_value *v, const struct lh_value *threshold)
{
	int64_t a, b;

	if (v->type != LH_NUMBER)
		return false;
	if (lh_value_i64(v, &a) && lh_value_i64(threshold, &b))
		return a > b;
	return lh_value_f64(v) > lh_value_f64(threshold);
}

static bool has(const struct lh_str *s, const struct lh_str *needle)
{
	size_t i, j;

	for (i = 0; i + needle->n <= s->n; i++) {
		for (j = 0; j < needle->n && lh_fold(s->p[i + j]) == needle->p[j]; )
			j++;
		if (j == needle->n)
			return true;
	}
	return false;
}

static bool string_has_any(const struct lh_rule *rule, const struct lh_value *v,
			   struct lh_buf *scratch)
{
	size_t mark = scratch->len, i;
	struct lh_str s;

	lh_value_str(v, scratch, &s);
	scratch->len = mark;
	for (i = 0; i < rule->n_needles; i++)
		if (has(&s, &rule->needle[i]))
			return true;
	return false;
}

static bool has_any(const struct lh_rule *rule, const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_iter it;
	bool found = false;

	if (v->type == LH_STRING)
		return string_has_any(rule, v, scratch);
	if (v->type == LH_ARRAY)
		for (lh_iter_init(&it, v); !found && lh_iter_next(&it); )
			if (it.val.type == LH_STRING)
				found = string_has_any(rule, &it.val, scratch);
	return found;
}

/* Return whether the condition holds. */
static bool condition_holds(const struct lh_rule *rule, const struct lh_value *artifact,
			    const struct lh_value *context, struct lh_buf *scratch)
{
	struct lh_value v;

	if (rule->when == LH_WHEN_ALWAYS)
		return true;
	if (!find_field(rule, artifact, context, &v))
		return rule->when == LH_WHEN_EMPTY;
	switch (rule->when) {
	case LH_WHEN_EQUALS:
		return lh_value_equal(&v, &rule->value);
	case LH_WHEN_MISMATCH:
		return !lh_value_equal(&v, &rule->value);
	case LH_WHEN_EMPTY:
		return is_empty(&v);
	case LH_WHEN_GREATER:
		return is_greater(&v, &rule->value);
	default:
		return has_any(rule, &v, scratch);
	}
}

int lh_rules_run(const struct lh_rules *r, enum lh_task task, const struct lh_value *artifact,
		 const struct lh_value *context, struct lh_buf *scratch, lh_rule_fn *act, void *ctx,
		 struct lh_err *err)
{
	const struct lh_rule *rule;
	int rc = 0;

	for (rule = r->rule; !rc && rule < r->rule + r->n; rule++) {
		if (!(rule->tasks & task) || rule->hit.action == LH_RULE_PASS)
			continue;
		if (condition_holds(rule, artifact, context, scratch))
			rc = act(ctx, &rule->hit, err);
	}
	return rc;
}
