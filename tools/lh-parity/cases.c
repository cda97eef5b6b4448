/* cases.c - read the records of a fixture as cases.  See parity.h. */
#include <stdlib.h>

#include "tool/records.h"
#include "base/mem.h"
#include "parity.h"

struct reader {
	struct probe *probe;
	struct lh_record rec;
	struct lh_buf scratch;
};

/* Read "skip": 1 with the reason, 0 if it is absent, -1. */
static int skipped(const struct lh_record *rec, struct lh_buf *scratch, struct lh_str *why, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "skip");

	if (!v || v->type == LH_NULL)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"skip\" must be a string, the reason");
	return lh_value_str(v, scratch, why, err) < 0 ? -1 : 1;
}

static int expected(const struct lh_record *rec, int *status, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "expect_exit");
	int64_t i = 0;

	if (v && v->type != LH_NULL && (!lh_value_i64(v, &i) || i < 0 || i > 255))
		return lh_err_set(err, LH_EDATA, "\"expect_exit\" must be a whole number from 0 to 255");
	*status = (int)i;
	return 0;
}

static int check(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err)
{
	const struct reader *r = ctx;
	const struct lh_value *v = r->probe->field ? lh_record_get(rec, r->probe->field) : NULL;
	struct lh_buf scratch;
	struct lh_str why;
	int skip, status, rc;

	lh_buf_init(&scratch, LH_BUF_NOMAX);
	skip = skipped(rec, &scratch, &why, err);
	rc = skip < 0 ? -1 : expected(rec, &status, err);
	lh_buf_free(&scratch);
	if (!rc && !skip && r->probe->field && (!v || v->type != LH_STRING))
		rc = lh_err_set(err, LH_EDATA, "missing string field \"%s\"", r->probe->field);
	lh_buf_add(out, rec->line, rec->len);
	return rc;
}

static struct kase *one_more(struct probe *p, struct lh_err *err)
{
	struct kase *k;
	int i;

	if (lh_grow(&p->cases, &p->cap, p->n + 1, sizeof *p->cases, err) < 0)
		return NULL;
	k = &p->cases[p->n++];
	*k = (struct kase){ .expect_exit = 0 };
	lh_buf_init(&k->line, LH_BUF_NOMAX);
	lh_buf_init(&k->name, LH_BUF_NOMAX);
	lh_buf_init(&k->detail, LH_BUF_NOMAX);
	for (i = 0; i < 2; i++) {
		lh_buf_init(&k->answer[i].body, LH_BUF_NOMAX);
		k->answer[i].status = -1;
	}
	return k;
}

static int on_case(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct reader *r = ctx;
	struct kase *k = one_more(r->probe, err);
	const struct lh_value *name;
	struct lh_str text = { NULL, 0 };
	int rc;

	if (!k)
		return -1;
	lh_buf_add(&k->line, o->text, o->n);
	if (lh_buf_check(&k->line, err) < 0 || lh_record_parse(&r->rec, k->line.p, o->n, err) < 0)
		return -1;
	name = lh_record_get(&r->rec, "name");
	lh_buf_reset(&r->scratch);
	if (name && name->type == LH_STRING) {
		if (lh_value_str(name, &r->scratch, &text, err) < 0)
			return -1;
		lh_buf_add(&k->name, text.p, text.n);
	} else {
		lh_buf_u64(&k->name, o->line);
	}
	lh_buf_reset(&r->scratch);
	rc = skipped(&r->rec, &r->scratch, &text, err);
	if (rc < 0 || expected(&r->rec, &k->expect_exit, err) < 0)
		return -1;
	k->skipped = rc > 0;
	if (rc > 0)
		lh_buf_add(&k->detail, text.p, text.n);
	return lh_buf_check(&k->name, err) < 0 ? -1 : lh_buf_check(&k->detail, err);
}

int cases_read(struct lh_tool *tool, struct probe *p)
{
	struct reader r = { .probe = p };
	char *operands[] = { (char *)p->fixture };
	int rc;

	lh_record_init(&r.rec);
	lh_buf_init(&r.scratch, LH_BUF_NOMAX);
	rc = lh_records_run(tool, &(struct lh_flow){ .map = check, .sink = on_case, .shared = &r, .files = operands, .n_files = 1 });
	lh_record_free(&r.rec);
	lh_buf_free(&r.scratch);
	if (!rc && !p->n)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: holds no case", p->fixture);
	return rc;
}

void cases_free(struct probe *p)
{
	size_t i;
	int j;

	for (i = 0; i < p->n; i++) {
		struct kase *k = &p->cases[i];

		lh_buf_free(&k->line);
		lh_buf_free(&k->name);
		lh_buf_free(&k->detail);
		for (j = 0; j < 2; j++)
			lh_buf_free(&k->answer[j].body);
	}
	free(p->cases);
	p->cases = NULL;
	p->n = p->cap = 0;
}
