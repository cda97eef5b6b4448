/*
 * validation_error.c - read and write validation errors.  See
 * lh/validation_error.h.
 */
#include <lh/validation_error.h>

#include "base/ascii.h"

#define TAGS "Schema, Completeness, Consistency or Policy"
#define NAMES "schema, completeness, consistency or policy"
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

static const char *const legacy[] = { "Kind", "Field", "Reason" };
static const char *const body[] = { "reason", "field" };

void lh_validation_error_json(struct lh_buf *out, const struct lh_validation_error *e)
{
	lh_buf_puts(out, "{\"");
	lh_buf_puts(out, kinds[e->kind].tag);
	lh_buf_puts(out, "\":{");
	if (e->kind == LH_VAL_SCHEMA) {
		lh_buf_puts(out, "\"field\":");
		lh_buf_json(out, e->field.p, e->field.n);
		lh_buf_putc(out, ',');
	}
	lh_buf_puts(out, "\"reason\":");
	lh_buf_json(out, e->reason.p, e->reason.n);
	lh_buf_puts(out, "}}");
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

static int shown(const struct lh_value *v)
{
	return (int)(v->n < SHOWN ? v->n : SHOWN);
}

/* Return the position of key in names, or n. */
static size_t which(const struct lh_value *key, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (lh_value_is(key, names[i], strlen(names[i])))
			break;
	return i;
}

static size_t which_tag(const struct lh_value *key)
{
	size_t i;

	for (i = 0; i < KINDS; i++)
		if (lh_value_is(key, kinds[i].tag, strlen(kinds[i].tag)))
			break;
	return i;
}

/* Read an object of exactly these members, all of them strings, in any order. */
static int strict(const struct lh_value *v, const char *const *names, size_t n,
		  struct lh_buf *scratch, struct lh_str *out,
		  struct lh_err *err)
{
	struct lh_value got[3] = { { .p = NULL } };
	struct lh_iter it;
	size_t i;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		i = which(&it.key, names, n);
		if (i == n)
			return lh_err_set(err, LH_EDATA, "unexpected member %.*s", shown(&it.key),
					  it.key.p);
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "\"%s\" is not a string", names[i]);
		got[i] = it.val;
	}
	for (i = 0; i < n; i++)
		if (!got[i].p)
			return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", names[i]);
	/* room for all strings at once, so that the first does not move with the next */
	for (i = 0; i < n; i++)
		if (got[i].escaped && !lh_buf_room(scratch, v->n))
			return lh_buf_check(scratch, err);
	for (i = 0; i < n; i++)
		if (lh_value_str(&got[i], scratch, &out[i], err) < 0)
			return -1;
	return 0;
}

static int read_legacy(const struct lh_value *v, struct lh_buf *scratch,
		       struct lh_validation_error *e, struct lh_err *err)
{
	struct lh_str got[3];
	size_t i;

	if (strict(v, legacy, 3, scratch, got, err) < 0)
		return -1;
	for (i = 0; i < KINDS && !lh_fold_equal(got[0].p, got[0].n, kinds[i].name,
						strlen(kinds[i].name)); )
		i++;
	if (i == KINDS)
		return lh_err_set(err, LH_EDATA, "unknown Kind \"%.*s\" (expected " NAMES ")",
				  (int)(got[0].n < SHOWN ? got[0].n : SHOWN), got[0].p);
	if (i != LH_VAL_SCHEMA && got[1].n)
		return lh_err_set(err, LH_EDATA, "\"Field\" of a %s error must be \"\"",
				  kinds[i].name);
	*e = (struct lh_validation_error){ (enum lh_validation_error_kind)i, got[1], got[2] };
	return 0;
}

static int read_tagged(const struct lh_value *v, struct lh_buf *scratch,
		       struct lh_validation_error *e, struct lh_err *err)
{
	struct lh_str got[2] = { { "", 0 }, { "", 0 } };
	struct lh_value in = { .p = NULL };
	struct lh_iter it;
	size_t kind = 0, i;

	for (lh_iter_init(&it, v); lh_iter_next(&it); in = it.val) {
		i = which_tag(&it.key);
		if (i == KINDS)
			return lh_err_set(err, LH_EDATA, "unknown variant %.*s (expected " TAGS ")",
					  shown(&it.key), it.key.p);
		if (in.p)
			return lh_err_set(err, LH_EDATA, "two variants in one error: %s and %s",
					  kinds[kind].tag, kinds[i].tag);
		kind = i;
	}
	if (!in.p)
		return lh_err_set(err, LH_EDATA, "no variant (expected " TAGS ")");
	if (in.type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "%s is not an object", kinds[kind].tag);
	if (strict(&in, body, kind == LH_VAL_SCHEMA ? 2 : 1, scratch, got, err) < 0)
		return err->code == LH_EDATA ? lh_err_prefix(err, "%s", kinds[kind].tag) : -1;
	*e = (struct lh_validation_error){ (enum lh_validation_error_kind)kind, got[1], got[0] };
	return 0;
}

int lh_validation_error_read(const struct lh_value *v, struct lh_buf *scratch,
			     struct lh_validation_error *e, struct lh_err *err)
{
	struct lh_iter it;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a validation error is a JSON object");
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (which(&it.key, legacy, 3) < 3)
			return read_legacy(v, scratch, e, err);
	return read_tagged(v, scratch, e, err);
}
