/* rules_read.c - the grammar of a rule file.  See lh/rules.h. */
#include "base/utf8.h"
#include "base/mem.h"
#include "json/bind.h"
#include "rules_parts.h"

#define SHOWN 200		/* bytes of an id that a message quotes */

struct condition {
	enum lh_rule_when type;
	struct lh_str field;
	struct lh_value value;
	const struct lh_str *needle;
	size_t n_needles;
};

struct action {
	enum lh_rule_act type;
	struct lh_str message;
	const struct lh_str *field;
	size_t n_fields;
};

struct text {			/* of a rule */
	struct lh_str id, description;
	int class;
	struct lh_value condition, action;
};

static const char *const condition_types[] = {
	[LH_WHEN_ALWAYS] = "Always",
	[LH_WHEN_EQUALS] = "FieldEquals",
	[LH_WHEN_MISMATCH] = "FieldMismatch",
	[LH_WHEN_EMPTY] = "FieldEmpty",
	[LH_WHEN_GREATER] = "FieldGreater",
	[LH_WHEN_CONTAINS] = "FieldContainsAny",
	NULL
};
static const char *const action_types[] = {
	[LH_RULE_PASS] = "Pass",
	[LH_RULE_REJECT] = "Reject",
	[LH_RULE_REDACT] = "Redact",
	[LH_RULE_BLOCK] = "Block",
	NULL
};
static const char *const classes[] = { "staffing.fill", "staffing.email", "staffing.any", NULL };
static const unsigned tasks[] = { LH_TASK_FILL, LH_TASK_EMAIL,
				  LH_TASK_FILL | LH_TASK_EMAIL | LH_TASK_OTHER };

/* What a type needs besides itself. */
#define FIELD { LH_BIND_STRING("field", struct condition, field), .required = true, .filled = true }
#define VALUE { LH_BIND_SOME("value", struct condition, value), .required = true, .null = true }
#define TEXTS(name, s, f, n)                                                                       \
	{                                                                                          \
		LH_BIND_STRINGS(name, s, f, n), .required = true, .filled = true,                  \
						.each_filled = true                                \
	}
#define MESSAGE                                                                                    \
	{                                                                                          \
		LH_BIND_STRING("message", struct action, message), .required = true,               \
								   .filled = true                  \
	}

static const struct lh_bind condition_members[][3] = {
	[LH_WHEN_ALWAYS] = { LH_BIND_END },
	[LH_WHEN_EQUALS] = { FIELD, VALUE, LH_BIND_END },
	[LH_WHEN_MISMATCH] = { FIELD, VALUE, LH_BIND_END },
	[LH_WHEN_EMPTY] = { FIELD, LH_BIND_END },
	[LH_WHEN_GREATER] = { FIELD,
			      { LH_BIND_VALUE("threshold", struct condition, value,
					      LH_BIND_IS(LH_NUMBER)),
				.required = true },
			      LH_BIND_END },
	[LH_WHEN_CONTAINS] = { FIELD, TEXTS("needles", struct condition, needle, n_needles),
			       LH_BIND_END },
};
static const struct lh_bind action_members[][2] = {
	[LH_RULE_PASS] = { LH_BIND_END },
	[LH_RULE_REJECT] = { MESSAGE, LH_BIND_END },
	[LH_RULE_REDACT] = { TEXTS("fields", struct action, field, n_fields), LH_BIND_END },
	[LH_RULE_BLOCK] = { MESSAGE, LH_BIND_END },
};
static const struct lh_bind condition_type[] = {
	{ LH_BIND_INDEX("type", struct condition, type, condition_types), .required = true },
	LH_BIND_END
};
static const struct lh_bind action_type[] = {
	{ LH_BIND_INDEX("type", struct action, type, action_types), .required = true },
	LH_BIND_END
};
static const struct lh_bind id_members[] = {
	{ LH_BIND_STRING("id", struct text, id), .required = true, .filled = true },
	LH_BIND_END
};
static const struct lh_bind rule_members[] = {
	{ LH_BIND_INDEX("task_class", struct text, class, classes), .required = true },
	{ LH_BIND_STRING("description", struct text, description), .not_null = true },
	{ LH_BIND_OBJECT("condition", struct text, condition), .required = true },
	{ LH_BIND_OBJECT("action", struct text, action), .required = true },
	LH_BIND_END
};

struct file {
	struct lh_value rules;
};
static const struct lh_bind file_members[] = { { LH_BIND_ARRAY("rules", struct file, rules),
						 .required = true, .each = LH_BIND_IS(LH_OBJECT) },
					       LH_BIND_END };

/* A copy of s, owned by r. */
static void keep_string(struct lh_rules *r, struct lh_str s, struct lh_str *out)
{
	*out = (struct lh_str){ lh_rules_own(r, lh_strndup(s.p, s.n)), s.n };
}

/* The parts of a dotted path, none of them empty. */
static int keep_path(struct lh_rules *r, struct lh_rule *rule, struct lh_str field,
		     struct lh_err *err)
{
	struct lh_str *part;
	size_t i, from = 0;

	if (!field.p)
		return 0;
	keep_string(r, field, &field);
	for (i = 0, rule->n_path = 1; i < field.n; i++)
		rule->n_path += field.p[i] == '.';
	rule->path = part = lh_rules_own(r, lh_calloc(rule->n_path, sizeof *part));
	for (i = 0; i <= field.n; i++) {
		if (i < field.n && field.p[i] != '.')
			continue;
		if (i == from)
			return lh_err_set(err, LH_EUSAGE,
					  "condition.field must not have an empty part");
		*part++ = (struct lh_str){ field.p + from, i - from };
		from = i + 1;
	}
	return 0;
}

/* In lower case. */
static void keep_needles(struct lh_rules *r, struct lh_rule *rule, const struct condition *c)
{
	size_t i, j;
	char *p;

	if (!c->n_needles)
		return;
	rule->needle = lh_rules_own(r, lh_calloc(c->n_needles, sizeof *rule->needle));
	for (i = 0; i < c->n_needles; i++) {
		keep_string(r, c->needle[i], &rule->needle[i]);
		p = (char *)rule->needle[i].p;
		for (j = 0; j < rule->needle[i].n; j++)
			p[j] = lh_fold(p[j]);
	}
	rule->n_needles = i;
}

static int read_condition(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *in,
			  struct lh_buf *text, struct lh_err *err)
{
	struct condition c = { .type = 0 };

	if (lh_bind_part(condition_type, "condition", in, &c, text, err) < 0 ||
	    lh_bind_part(condition_members[c.type], "condition", in, &c, text, err) < 0)
		return -1;
	rule->when = (enum lh_rule_when)c.type;
	rule->value = c.value;
	keep_needles(r, rule, &c);
	return keep_path(r, rule, c.field, err);
}

/* "redact: a, b" as the message, a as the field. */
static void redact(struct lh_rules *r, struct lh_rule_hit *hit, const struct action *a)
{
	struct lh_buf b = { 0 };
	size_t i;

	keep_string(r, a->field[0], &hit->field);
	lh_buf_puts(&b, "redact: ");
	for (i = 0; i < a->n_fields; i++) {
		lh_buf_puts(&b, i ? ", " : "");
		lh_buf_add(&b, a->field[i].p, a->field[i].n);
	}
	hit->message = (struct lh_str){ lh_rules_own(r, b.p), b.len };
}

static int read_action(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *in,
		       struct lh_buf *text, struct lh_err *err)
{
	struct action a = { .type = 0 };

	if (lh_bind_part(action_type, "action", in, &a, text, err) < 0 ||
	    lh_bind_part(action_members[a.type], "action", in, &a, text, err) < 0)
		return -1;
	rule->hit.action = (enum lh_rule_act)a.type;
	if (a.n_fields)
		redact(r, &rule->hit, &a);
	else if (a.message.p)
		keep_string(r, a.message, &rule->hit.message);
	return 0;
}

static int read_rule(struct lh_rules *r, struct lh_rule *rule, const struct lh_value *v,
		     struct lh_buf *text, struct lh_err *err)
{
	struct text t = { .class = 0 };

	if (lh_bind_value(rule_members, v, &t, text, err) < 0)
		return -1;
	rule->tasks = tasks[t.class];
	return read_condition(r, rule, &t.condition, text, err) < 0
		       ? -1
		       : read_action(r, rule, &t.action, text, err);
}

static int add_rule(struct lh_rules *r, const struct lh_value *v, size_t i, struct lh_buf *text,
		    struct lh_err *err)
{
	struct lh_rule rule = { .n_path = 0 };
	struct text t;

	if (lh_bind_value(id_members, v, &t, text, err) < 0)
		return lh_err_prefix(err, "rules[%zu]", i);
	keep_string(r, t.id, &rule.hit.id);
	if (read_rule(r, &rule, v, text, err) < 0)
		return lh_err_prefix(err, "rule \"%.*s\"",
				     (int)(rule.hit.id.n < SHOWN ? rule.hit.id.n : SHOWN),
				     rule.hit.id.p);
	lh_grow(&r->rule, &r->cap, r->n + 1, sizeof *r->rule);
	r->rule[r->n++] = rule;
	return 0;
}

int lh_rules_read(struct lh_rules *r, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct file file;
	struct lh_iter it;
	size_t i = 0;
	int rc = lh_bind_value(file_members, v, &file, &text, err);

	if (!rc)
		for (lh_iter_init(&it, &file.rules); !rc && lh_iter_next(&it); )
			rc = add_rule(r, &it.val, i++, &text, err);
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_EUSAGE;
	return rc;
}
