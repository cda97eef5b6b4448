/* rules_read.c - the grammar of a rule file.  See lh/rules.h. */
#include "base/ascii.h"
#include "base/mem.h"
#include "rules_parts.h"

#define SHOWN 200		/* bytes of a value that a message quotes */

/* The members that a type requires. */
enum { FIELD = 1, VALUE = 2, THRESHOLD = 4, NEEDLES = 8, MESSAGE = 16, FIELDS = 32 };

struct name {
	const char *name;
	unsigned what;		/* the required members, or the tasks it covers */
};

static const struct name conditions[] = {
	[LH_WHEN_ALWAYS] = { "Always", 0 },
	[LH_WHEN_EQUALS] = { "FieldEquals", FIELD | VALUE },
	[LH_WHEN_MISMATCH] = { "FieldMismatch", FIELD | VALUE },
	[LH_WHEN_EMPTY] = { "FieldEmpty", FIELD },
	[LH_WHEN_GREATER] = { "FieldGreater", FIELD | THRESHOLD },
	[LH_WHEN_CONTAINS] = { "FieldContainsAny", FIELD | NEEDLES },
};
static const struct name actions[] = {
	[LH_RULE_PASS] = { "Pass", 0 },
	[LH_RULE_REJECT] = { "Reject", MESSAGE },
	[LH_RULE_REDACT] = { "Redact", FIELDS },
	[LH_RULE_BLOCK] = { "Block", MESSAGE },
};
static const struct name classes[] = {
	{ "staffing.fill", LH_TASK_FILL },
	{ "staffing.email", LH_TASK_EMAIL },
	{ "staffing.any", LH_TASK_FILL | LH_TASK_EMAIL | LH_TASK_OTHER },
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Copy the text of a string; r owns the copy. */
static int keep_string(struct lh_rules *r, const struct lh_value *v, struct lh_str *out,
		       struct lh_err *err)
{
	struct lh_buf scratch;
	char *p = NULL;

	lh_buf_init(&scratch, LH_BUF_NOMAX);
	if (lh_value_str(v, &scratch, out, err) == 0)
		p = lh_rules_own(r, lh_strndup(out->p, out->n, err), err);
	lh_buf_free(&scratch);
	out->p = p;
	return p ? 0 : -1;
}

/* Read a member that must be a non-empty string. */
static int text(struct lh_rules *r, const struct lh_value *in, const char *name, struct lh_str *out,
		struct lh_err *err)
{
	struct lh_value v;

	if (!lh_value_get(in, name, &v))
		return lh_err_set(err, LH_EUSAGE, "missing string \"%s\"", name);
	if (v.type != LH_STRING || v.n == 2)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" is not a string, or empty", name);
	return keep_string(r, &v, out, err);
}

/* Read a member that must be a list of at least one such string. */
static int texts(struct lh_rules *r, const struct lh_value *in, const char *name,
		 struct lh_str **out, size_t *n, struct lh_err *err)
{
	struct lh_value v;
	struct lh_iter it;

	*n = 0;
	if (!lh_value_get(in, name, &v))
		return lh_err_set(err, LH_EUSAGE, "missing \"%s\"", name);
	if (v.type == LH_ARRAY)
		for (lh_iter_init(&it, &v); lh_iter_next(&it); ++*n)
			if (it.val.type != LH_STRING || it.val.n == 2)
				return lh_err_set(err, LH_EUSAGE,
						  "\"%s\" holds what is not a string, or empty",
						  name);
	if (!*n)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" is not a list of strings, or empty",
				  name);
	*out = lh_rules_own(r, lh_calloc(*n, sizeof **out, err), err);
	if (!*out)
		return -1;
	*n = 0;
	for (lh_iter_init(&it, &v); lh_iter_next(&it); )
		if (keep_string(r, &it.val, &(*out)[(*n)++], err) < 0)
			return -1;
	return 0;
}

/* Return the position of a member's value in the table of names, or -1. */
static int choice(const struct lh_value *in, const char *member, const struct name *table, size_t n,
		  struct lh_err *err)
{
	char all[200] = "";
	struct lh_value v;
	size_t i, at = 0;

	if (!lh_value_get(in, member, &v))
		return lh_err_set(err, LH_EUSAGE, "missing string \"%s\"", member);
	for (i = 0; i < n; i++)
		if (lh_value_is(&v, table[i].name, strlen(table[i].name)))
			return (int)i;
	for (i = 0; i < n && at < sizeof all; i++)
		at += (size_t)snprintf(all + at, sizeof all - at, "%s%s",
				       !i ? "" : i + 1 < n ? ", " : " or ", table[i].name);
	return lh_err_set(err, LH_EUSAGE, "unknown %s %.*s (expected %s)", member,
			  (int)(v.n < SHOWN ? v.n : SHOWN), v.p, all);
}

/* Read the parts of a dotted path, none of them empty. */
static int path(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *in,
		struct lh_err *err)
{
	struct lh_str field, *part;
	size_t i, from = 0;

	if (text(r, in, "field", &field, err) < 0)
		return -1;
	for (i = 0, rule->n_path = 1; i < field.n; i++)
		rule->n_path += field.p[i] == '.';
	rule->path = part = lh_rules_own(r, lh_calloc(rule->n_path, sizeof *part, err), err);
	if (!part)
		return -1;
	for (i = 0; i <= field.n; i++) {
		if (i < field.n && field.p[i] != '.')
			continue;
		if (i == from)
			return lh_err_set(err, LH_EUSAGE, "\"field\" has an empty part");
		*part++ = (struct lh_str){ field.p + from, i - from };
		from = i + 1;
	}
	return 0;
}

static int needles(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *in,
		   struct lh_err *err)
{
	size_t i, j;
	char *p;

	if (texts(r, in, "needles", &rule->needle, &rule->n_needles, err) < 0)
		return -1;
	for (i = 0; i < rule->n_needles; i++) {
		p = (char *)rule->needle[i].p;
		for (j = 0; j < rule->needle[i].n; j++)
			p[j] = lh_fold(p[j]);
	}
	return 0;
}

/* Read a member that must be an object. */
static int part(const struct lh_value *in, const char *name, struct lh_value *out,
		struct lh_err *err)
{
	if (!lh_value_get(in, name, out))
		return lh_err_set(err, LH_EUSAGE, "missing \"%s\"", name);
	if (out->type != LH_OBJECT)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" is not an object", name);
	return 0;
}

static int read_condition(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *in,
			  struct lh_err *err)
{
	int when = choice(in, "type", conditions, COUNT(conditions), err);
	unsigned needs;

	if (when < 0)
		return -1;
	rule->when = (enum lh_rule_when)when;
	needs = conditions[when].what;
	if (needs & FIELD && path(r, rule, in, err) < 0)
		return -1;
	if (needs & VALUE && !lh_value_get(in, "value", &rule->value))
		return lh_err_set(err, LH_EUSAGE, "missing \"value\"");
	if (needs & THRESHOLD && !lh_value_get(in, "threshold", &rule->value))
		return lh_err_set(err, LH_EUSAGE, "missing number \"threshold\"");
	if (needs & THRESHOLD && rule->value.type != LH_NUMBER)
		return lh_err_set(err, LH_EUSAGE, "\"threshold\" is not a number");
	return needs & NEEDLES ? needles(r, rule, in, err) : 0;
}

/* Set the message to "redact: a, b" and the field to a. */
static int redact(struct lh_rules *r, struct lh_rule_hit *hit, const struct lh_value *in,
		  struct lh_err *err)
{
	struct lh_str *field;
	struct lh_buf b;
	size_t n, i;
	char *p;

	if (texts(r, in, "fields", &field, &n, err) < 0)
		return -1;
	lh_buf_init(&b, LH_BUF_NOMAX);
	lh_buf_puts(&b, "redact: ");
	for (i = 0; i < n; i++) {
		lh_buf_puts(&b, i ? ", " : "");
		lh_buf_add(&b, field[i].p, field[i].n);
	}
	if (lh_buf_check(&b, err) < 0) {
		lh_buf_free(&b);
		return -1;
	}
	p = lh_rules_own(r, b.p, err);
	hit->field = field[0];
	hit->message = (struct lh_str){ p, b.len };
	return p ? 0 : -1;
}

static int read_action(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *in,
		       struct lh_err *err)
{
	int action = choice(in, "type", actions, COUNT(actions), err);

	if (action < 0)
		return -1;
	rule->hit.action = (enum lh_rule_act)action;
	if (actions[action].what & MESSAGE)
		return text(r, in, "message", &rule->hit.message, err);
	return actions[action].what & FIELDS ? redact(r, &rule->hit, in, err) : 0;
}

static int prefixed(int rc, struct lh_err *err, const char *where)
{
	return rc < 0 && err->code != LH_ENOMEM ? lh_err_prefix(err, "%s", where) : rc;
}

static int read_rule(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *v,
		     struct lh_err *err)
{
	struct lh_value in;
	int class;

	class = choice(v, "task_class", classes, COUNT(classes), err);
	if (class < 0)
		return -1;
	rule->tasks = classes[class].what;
	if (lh_value_get(v, "description", &in) && in.type != LH_STRING)
		return lh_err_set(err, LH_EUSAGE, "\"description\" is not a string");
	if (part(v, "condition", &in, err) < 0 ||
	    prefixed(read_condition(r, rule, &in, err), err, "condition") < 0)
		return -1;
	if (part(v, "action", &in, err) < 0)
		return -1;
	return prefixed(read_action(r, rule, &in, err), err, "action");
}

int lh_rules_read(struct lh_rules *r, const struct lh_value *file, struct lh_err *err)
{
	struct lh_value list;
	struct lh_iter it;
	size_t i = 0;

	if (file->type != LH_OBJECT || !lh_value_get(file, "rules", &list) || list.type != LH_ARRAY)
		return lh_err_set(err, LH_EUSAGE, "is not an object with a list \"rules\"");
	for (lh_iter_init(&it, &list); lh_iter_next(&it); i++) {
		struct lh_rule rule = { .n_path = 0 };

		if (it.val.type != LH_OBJECT)
			return lh_err_set(err, LH_EUSAGE, "rules[%zu] is not an object", i);
		if (text(r, &it.val, "id", &rule.hit.id, err) < 0)
			return err->code == LH_ENOMEM ? -1 : lh_err_prefix(err, "rules[%zu]", i);
		if (read_rule(r, &rule, &it.val, err) < 0)
			return err->code == LH_ENOMEM ? -1 :
				lh_err_prefix(err, "rule \"%.*s\"",
					      (int)(rule.hit.id.n < SHOWN ? rule.hit.id.n : SHOWN),
					      rule.hit.id.p);
		if (lh_grow(&r->rule, &r->cap, r->n + 1, sizeof *r->rule, err) < 0)
			return -1;
		r->rule[r->n++] = rule;
	}
	return 0;
}
