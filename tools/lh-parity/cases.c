/* cases.c - read the records of a fixture as cases.  See parity.h. */
#include <stdlib.h>

#include "tool/records.h"
#include "base/mem.h"
#include "json/bind.h"
#include "parity.h"

struct reader {
	struct probe *probe;
	struct lh_record rec;
	struct lh_buf scratch;
};

struct record {
	struct lh_str name;		/* p NULL: its line is its name */
	struct lh_str skip;		/* why; p NULL: it is not skipped */
	int64_t expect_exit;
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("name", struct record, name), .lax = true },
	{ LH_BIND_STRING("skip", struct record, skip) },
	{ LH_BIND_I64("expect_exit", struct record, expect_exit, 0, 255) },
	LH_BIND_END
};

static int check(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err)
{
	struct reader *r = ctx;
	struct record record = { .expect_exit = 0 };
	struct lh_value text;
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	int rc = lh_bind(members, rec, &record, &scratch, err);

	if (!rc && !record.skip.p && r->probe->field.text)
		rc = lh_path_string(&r->probe->field, rec, &text, err);
	lh_buf_add(out, rec->line, rec->len);
	return rc;
}

static struct kase *one_more(struct probe *p)
{
	struct kase *k;
	int i;

	lh_grow(&p->cases, &p->cap, p->n + 1, sizeof *p->cases);
	k = &p->cases[p->n++];
	*k = (struct kase){ .expect_exit = 0 };
	for (i = 0; i < 2; i++) {
		k->answer[i].status = -1;
	}
	return k;
}

static int on_case(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct reader *r = ctx;
	struct kase *k = one_more(r->probe);
	struct record record = { .expect_exit = 0 };

	lh_buf_add(&k->line, o->text, o->n);
	if (lh_record_parse(&r->rec, k->line.p, o->n, err) < 0 ||
	    lh_bind(members, &r->rec, &record, &r->scratch, err) < 0)
		return -1;
	if (record.name.p)
		lh_buf_add(&k->name, record.name.p, record.name.n);
	else
		lh_buf_u64(&k->name, o->line);
	k->expect_exit = (int)record.expect_exit;
	k->skipped = record.skip.p;
	lh_buf_add(&k->detail, record.skip.p, record.skip.n);
	return 0;
}

int cases_read(struct lh_tool *tool, struct probe *p)
{
	struct reader r = { .probe = p };
	char *operands[] = { (char *)p->fixture };
	int rc;

	if (p->field.text)
		lh_records_want(tool, "--field", &p->field);
	rc = lh_records_run(tool,
			    &(struct lh_flow){ .map = check,
					       .sink = on_case,
					       .shared = &r,
					       .files = operands,
					       .n_files = 1 });
	lh_record_free(&r.rec);
	lh_buf_free(&r.scratch);
	if (!rc && !p->n)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: no case in it", p->fixture);
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
