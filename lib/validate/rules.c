/* rules.c - open a folder of rule files, and find the rules that hold.  See rules.h. */
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "file/file.h"
#include "file/held.h"
#include "json/bind.h"
#include "validate/rules.h"
#include "validate_parts.h"

/* ---- a rule in memory ---- */

enum lh_rule_when { LH_WHEN_ALWAYS, LH_WHEN_EQUALS, LH_WHEN_MISMATCH, LH_WHEN_EMPTY,
		    LH_WHEN_GREATER, LH_WHEN_CONTAINS };

struct lh_rule {
	const char *file;
	unsigned tasks;		/* set of enum lh_task bits */
	enum lh_rule_when when;
	struct lh_str *path;	/* the parts of the field */
	size_t n_path;
	struct lh_value value;	/* or the threshold */
	struct lh_str *needle;	/* in lower case */
	size_t n_needles;
	struct lh_rule_hit hit;
};

struct lh_rules {
	atomic_uint extra_refs;	/* references, but one */
	struct lh_rules_file {
		const char *path;
		struct lh_stamp stamp;
	} *file;		/* the folder, and its files */
	size_t n_files, cap_files;
	struct lh_rule *rule;
	size_t n, cap;
	void **owned;		/* all memory that the rules point into */
	size_t n_owned, cap_owned;
	struct lh_sha256 sum;	/* of the texts of the files; and what it came to */
	unsigned char hash[32];
};

/* ---- the grammar of a rule file ---- */

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

static void *lh_rules_own(struct lh_rules *r, void *p);

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

/* Read the rules of one checked file and add them. */
static int lh_rules_read(struct lh_rules *r, const struct lh_value *v, struct lh_err *err)
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

/* ---- a folder of rules ---- */

/* Pass the ownership of p to r; on failure p is freed.  NULL if p is. */
static void *lh_rules_own(struct lh_rules *r, void *p)
{
	lh_grow(&r->owned, &r->cap_owned, r->n_owned + 1, sizeof *r->owned);
	return r->owned[r->n_owned++] = p;
}

/* Insert "PATH:LINE:COLUMN: " before an error about a byte of a text. */
static int prefix_place(const char *path, const char *text, struct lh_err *err)
{
	size_t line = 1, column = 0, i;

	if (err->code != LH_EDATA || !err->column)
		return lh_err_prefix(err, "%s", path);
	for (i = 0; i < err->column; i++, column++)
		if (i && text[i - 1] == '\n')
			line++, column = 0;
	return lh_err_prefix(err, "%s:%zu:%zu", path, line, column);
}

/* Read a file, whose text r owns, padded, as one JSON value. */
static int load_text(struct lh_rules *r, const char *path, struct lh_value *v, struct lh_err *err)
{
	struct lh_mapped file;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	char *text;
	int rc;

	if (lh_mapped_open(&file, path, err) < 0)
		return -1;
	if (file.n > LH_RULES_FILE_MAX) {
		lh_mapped_close(&file);
		return lh_err_set(err, LH_EUSAGE, "%s: is larger than %d bytes", path,
				  LH_RULES_FILE_MAX);
	}
	text = lh_rules_own(r, lh_calloc(file.n + LH_PAD, 1));
	memcpy(text, file.p, file.n);
	lh_sha256_more(&r->sum, file.p, file.n);
	v->n = file.n;
	lh_mapped_close(&file);
	rc = lh_json_parse(&rec, text, v->n, v, err);
	return rc < 0 ? prefix_place(path, text, err) : 0;
}

/* Note the stamp of a path, before it is read.  The path is r's. */
static void note_stamp(struct lh_rules *r, const char *path)
{
	lh_grow(&r->file, &r->cap_files, r->n_files + 1, sizeof *r->file);
	lh_stamp_take(&r->file[r->n_files].stamp, path);
	r->file[r->n_files++].path = path;
}

static int load_file(struct lh_rules *r, const char *dir, const char *name, struct lh_err *err)
{
	size_t n = strlen(dir) + strlen(name) + 2, first = r->n, i;
	struct lh_value v;
	char *path = lh_rules_own(r, lh_calloc(n, 1));

	snprintf(path, n, "%s/%s", dir, name);
	note_stamp(r, path);
	if (load_text(r, path, &v, err) < 0)
		return -1;
	if (lh_rules_read(r, &v, err) < 0)
		return lh_err_prefix(err, "%s", path);
	for (i = first; i < r->n; i++)
		r->rule[i].file = path;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct lh_rule *x = *(const struct lh_rule *const *)a,
		*y = *(const struct lh_rule *const *)b;
	size_t n = x->hit.id.n < y->hit.id.n ? x->hit.id.n : y->hit.id.n;
	int c = memcmp(x->hit.id.p, y->hit.id.p, n);

	if (!c)
		c = (x->hit.id.n > y->hit.id.n) - (x->hit.id.n < y->hit.id.n);
	return c ? c : (x > y) - (x < y);
}

static int check_ids(const struct lh_rules *r, struct lh_err *err)
{
	const struct lh_rule **sorted;
	size_t i;
	int rc = 0;

	if (!r->n)
		return 0;
	sorted = lh_calloc(r->n, sizeof *sorted);
	for (i = 0; i < r->n; i++)
		sorted[i] = &r->rule[i];
	qsort(sorted, r->n, sizeof *sorted, by_id);
	for (i = 1; i < r->n && !rc; i++) {
		const struct lh_rule *a = sorted[i - 1], *b = sorted[i];

		if (a->hit.id.n == b->hit.id.n && !memcmp(a->hit.id.p, b->hit.id.p, a->hit.id.n))
			rc = lh_err_set(err, LH_EUSAGE,
					"%s: rule \"%.*s\": duplicate id, also in %s", b->file,
					(int)b->hit.id.n, b->hit.id.p, a->file);
	}
	free(sorted);
	return rc;
}

static int rule_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return *e->d_name != '.' && n > 5 && !strcmp(e->d_name + n - 5, ".json");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct lh_rules *lh_rules_open(const char *dir, struct lh_err *err)
{
	struct lh_rules *r = lh_calloc(1, sizeof *r);
	LH_SCOPED(lh_free_local) struct dirent **name = NULL;
	int n, i, rc = 0;

	note_stamp(r, lh_rules_own(r, lh_strndup(dir, strlen(dir))));
	lh_sha256_start(&r->sum);
	n = scandir(dir, &name, rule_file, by_name);
	if (n < 0) {
		lh_err_sys(err, "%s: cannot read the folder of rules", dir);
		lh_rules_free(r);
		return NULL;
	}
	for (i = 0; i < n; i++) {
		if (!rc)
			rc = load_file(r, dir, name[i]->d_name, err);
		free(name[i]);
	}
	lh_sha256_end(&r->sum, r->hash);
	if (!rc)
		rc = check_ids(r, err);
	if (!rc)
		return r;
	lh_rules_free(r);
	return NULL;
}

void lh_rules_free(struct lh_rules *r)
{
	size_t i;

	if (!r || atomic_fetch_sub(&r->extra_refs, 1) > 0)
		return;
	for (i = 0; i < r->n_owned; i++)
		free(r->owned[i]);
	free(r->file);
	free(r->owned);
	free(r->rule);
	free(r);
}

void lh_rules_version(const struct lh_rules *r, char to[LH_VERSION_MAX])
{
	lh_hex(r->hash, sizeof r->hash, to);
	to[LH_SHA256_HEX] = '\0';
}

bool lh_rules_stale(const struct lh_rules *r)
{
	size_t i;

	for (i = 0; i < r->n_files; i++)
		if (!lh_stamp_fits(&r->file[i].stamp, r->file[i].path))
			return true;
	return false;
}

struct lh_rules *lh_rules_renew(struct lh_rules *r, struct lh_err *err)
{
	if (lh_rules_stale(r))
		return lh_rules_open(r->file[0].path, err);
	atomic_fetch_add(&r->extra_refs, 1);
	return r;
}

/* ---- the rules that hold ---- */

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
