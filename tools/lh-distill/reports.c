/* reports.c - the runs below reports/distillation. */
#include "distill.h"

#include <stdio.h>
#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"
#include <lh/schema.h>

#define REPORT_MAX ((size_t)256 << 20)	/* a receipt of a million files */

void report_init(struct report *r)
{
	lh_buf_init(&r->text, REPORT_MAX);
	lh_record_init(&r->rec);
}

void report_free(struct report *r)
{
	lh_buf_free(&r->text);
	lh_record_free(&r->rec);
}

/* The first violation suffices. */
static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct lh_err *err = ctx;

	if (err->code == LH_OK)
		lh_err_set(err, LH_ECORRUPT, "%.*s: %.*s", (int)field->n, field->p, (int)problem->n,
			   problem->p);
}

static int check(struct report *r, const char *schema, struct lh_err *err)
{
	struct lh_value v = { r->text.p, r->text.len, LH_OBJECT, false };
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };

	if (lh_record_parse(&r->rec, r->text.p, r->text.len, err) < 0) {
		if (err->code == LH_EDATA)
			err->code = LH_ECORRUPT;
		return -1;
	}
	v.p = r->rec.line;
	v.n = r->rec.len;
	*err = (struct lh_err){ .code = LH_OK };
	return lh_schema_check(lh_schema_find(schema), &v, &scratch, on_violation, err) ? -1 : 0;
}

int report_read(struct report *r, const struct lh_root *root, const char *run_id, const char *name,
		const char *schema, struct lh_err *err)
{
	size_t n = sizeof LH_ROOT_REPORTS + strlen(run_id) + strlen(name) + 2;
	LH_SCOPED(lh_free_local) char *relpath = lh_calloc(n, 1), *path = NULL;
	int rc;

	snprintf(relpath, n, "%s/%s/%s", LH_ROOT_REPORTS, run_id, name);
	path = lh_root_join(root, relpath);
	rc = lh_file_read(path, &r->text, err);
	if (rc > 0 && check(r, schema, err) < 0)
		rc = lh_err_prefix(err, "%s", path);
	return rc;
}

/* ---- the newest ---- */

struct newest {
	const struct lh_root *root;
	struct report r;
	struct lh_buf *bad;
	const char *but;	/* not this one */
	bool any;		/* also without a summary */
	char *id;		/* of the newest so far, or NULL */
	int64_t at;
};

/* Return when the report was made; the time has passed the schema. */
static int64_t time_of(const struct report *r, const char *field)
{
	const struct lh_value *v = lh_record_get(&r->rec, field);
	int64_t ms = INT64_MIN;

	if (v && v->n >= 2)
		lh_time_read(v->p + 1, v->n - 2, &ms);
	return ms;
}

/* Read one report of a run: 1 with its time if that is later than *at, 0, -1. */
static int look_at(struct newest *n, const char *id, const char *name, const char *schema,
		   const char *field, int64_t *at, struct lh_err *err)
{
	int rc = report_read(&n->r, n->root, id, name, schema, err);
	int64_t ms;

	if (rc < 0 && err->code == LH_ECORRUPT) {
		lh_buf_printf(n->bad, "%s\n", err->msg);
		return 0;
	}
	if (rc <= 0)
		return rc;
	ms = time_of(&n->r, field);
	*at = ms > *at ? ms : *at;
	return 1;
}

static int look_at_run(void *ctx, const char *id, struct lh_err *err)
{
	struct newest *n = ctx;
	int64_t at = INT64_MIN;
	char name[32], *copy;
	int rc, i, found;

	if (n->but && !strcmp(id, n->but))
		return 0;
	rc = look_at(n, id, "summary.json", "run_summary", "ended_at", &at, err);
	found = rc;
	for (i = 0; n->any && !rc && i < LH_STAGES; i++) {
		snprintf(name, sizeof name, "%s.json", lh_stage_name((enum lh_stage)i));
		found |= look_at(n, id, name, "stage_receipt", "timestamp", &at, err);
		if (found < 0)
			break;
	}
	if (found <= 0 || (n->id && (at < n->at || (at == n->at && strcmp(id, n->id) < 0))))
		return found < 0 ? -1 : 0;
	copy = lh_strndup(id, strlen(id));
	free(n->id);
	n->id = copy;
	n->at = at;
	return 0;
}

int report_newest(char **id, const struct lh_root *root, const char *but, bool any,
		  struct lh_buf *bad, struct lh_err *err)
{
	struct newest n = { .root = root, .bad = bad, .but = but, .any = any };
	int rc;

	report_init(&n.r);
	rc = lh_run_each(root, look_at_run, &n, err);
	report_free(&n.r);
	if (rc < 0)
		free(n.id);
	else
		*id = n.id;
	return rc < 0 ? -1 : n.id != NULL;
}
