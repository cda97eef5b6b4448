/*
 * validation_error.c - read and write validation errors.  See
 * validation_error.h.
 */
#include "validate/validation_error.h"

#include "base/utf8.h"
#include "json/bind.h"
#include "json/write.h"

#define TAGS "\"Schema\", \"Completeness\", \"Consistency\" or \"Policy\""
#define NAMES "\"schema\", \"completeness\", \"consistency\" or \"policy\""
#define SHOWN 200		/* bytes of a value that a message quotes */

static const struct {
	const char *tag, *name;
} kinds[] = {
	[LH_VAL_SCHEMA] = { "Schema", "schema" },
	[LH_VAL_COMPLETENESS] = { "Completeness", "completeness" },
	[LH_VAL_CONSISTENCY] = { "Consistency", "consistency" },
	[LH_VAL_POLICY] = { "Policy", "policy" },
};
#define KINDS (sizeof kinds / sizeof *kinds)

void lh_validation_error_json(struct lh_buf *out, const struct lh_validation_error *e)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_object(&w, kinds[e->kind].tag);
	if (e->kind == LH_VAL_SCHEMA)
		lh_write_str(&w, "field", e->field);
	lh_write_str(&w, "reason", e->reason);
	lh_write_end(&w);
	lh_write_end(&w);
}

void lh_validation_error_text(struct lh_buf *out, const struct lh_validation_error *e)
{
	lh_buf_puts(out, kinds[e->kind].name);
	lh_buf_puts(out, ": ");
	if (e->kind == LH_VAL_SCHEMA) {
		lh_buf_add(out, e->field.p, e->field.n);
		lh_buf_puts(out, ": ");
	}
	lh_buf_add(out, e->reason.p, e->reason.n);
}

struct legacy {
	struct lh_str kind, field, reason;
};
static const struct lh_bind legacy_members[] = {
	{ LH_BIND_STRING("Kind", struct legacy, kind), .required = true },
	{ LH_BIND_STRING("Field", struct legacy, field), .required = true },
	{ LH_BIND_STRING("Reason", struct legacy, reason), .required = true },
	LH_BIND_CLOSED
};

static const struct lh_bind schema_members[] = {
	{ LH_BIND_STRING("reason", struct lh_validation_error, reason), .required = true },
	{ LH_BIND_STRING("field", struct lh_validation_error, field), .required = true },
	LH_BIND_CLOSED
};
static const struct lh_bind other_members[] = {
	{ LH_BIND_STRING("reason", struct lh_validation_error, reason), .required = true },
	LH_BIND_CLOSED
};

struct tagged {
	struct lh_value kind[KINDS];
	int64_t status;			/* as --wire adds it; not used */
};
#define KIND(i, name) { LH_BIND_OBJECT(name, struct tagged, kind[i]), .not_null = true }
static const struct lh_bind tagged_members[] = {
	KIND(LH_VAL_SCHEMA, "Schema"),
	KIND(LH_VAL_COMPLETENESS, "Completeness"),
	KIND(LH_VAL_CONSISTENCY, "Consistency"),
	KIND(LH_VAL_POLICY, "Policy"),
	{ LH_BIND_I64("status", struct tagged, status, 0, 999) },
	LH_BIND_CLOSED
};

static int read_legacy(const struct lh_value *v, struct lh_buf *scratch,
		       struct lh_validation_error *e, struct lh_err *err)
{
	struct legacy got;
	size_t i;

	if (lh_bind_value(legacy_members, v, &got, scratch, err) < 0)
		return -1;
	for (i = 0; i < KINDS &&
		    !lh_fold_equal(got.kind.p, got.kind.n, kinds[i].name, strlen(kinds[i].name));)
		i++;
	if (i == KINDS)
		return lh_err_set(err, LH_EDATA, "\"Kind\" must be " NAMES ", not \"%.*s\"",
				  (int)(got.kind.n < SHOWN ? got.kind.n : SHOWN), got.kind.p);
	if (i != LH_VAL_SCHEMA && got.field.n)
		return lh_err_set(err, LH_EDATA, "\"Field\" of a %s error must be \"\"",
				  kinds[i].name);
	*e = (struct lh_validation_error){ (enum lh_validation_error_kind)i, got.field,
					   got.reason };
	return 0;
}

static int read_tagged(const struct lh_value *v, struct lh_buf *scratch,
		       struct lh_validation_error *e, struct lh_err *err)
{
	struct tagged tagged = { .status = 0 };
	size_t kind = KINDS, i;

	if (lh_bind_value(tagged_members, v, &tagged, scratch, err) < 0)
		return -1;
	for (i = 0; i < KINDS; i++) {
		if (!tagged.kind[i].p)
			continue;
		if (kind < KINDS)
			return lh_err_set(err, LH_EDATA, "\"%s\" and \"%s\" exclude each other",
					  kinds[kind].tag, kinds[i].tag);
		kind = i;
	}
	if (kind == KINDS)
		return lh_err_set(err, LH_EDATA, "missing " TAGS);
	*e = (struct lh_validation_error){ (enum lh_validation_error_kind)kind,
					   { "", 0 },
					   { "", 0 } };
	return lh_bind_part(kind == LH_VAL_SCHEMA ? schema_members : other_members, kinds[kind].tag,
			    &tagged.kind[kind], e, scratch, err);
}

int lh_validation_error_read(const struct lh_value *v, struct lh_buf *scratch,
			     struct lh_validation_error *e, struct lh_err *err)
{
	static const char *const legacy[] = { "Kind", "Field", "Reason" };
	struct lh_value any;
	size_t i;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a validation error is a JSON object");
	for (i = 0; i < 3; i++)
		if (lh_value_get(v, legacy[i], &any))
			return read_legacy(v, scratch, e, err);
	return read_tagged(v, scratch, e, err);
}
