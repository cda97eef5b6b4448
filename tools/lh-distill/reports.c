/* reports.c - the runs below reports/distillation. */
#include "distill.h"

#include <stdio.h>
#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"
#include "schema/schema.h"

int report_read(struct lh_report *r, const struct lh_root *root, const char *run_id,
		const char *name, const char *schema, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc = lh_report_read(r, root, run_id, name, schema, NULL, NULL, err);

	if (rc >= 0 || err->code != LH_ECORRUPT)
		return rc;
	path = lh_root_join(root, r->relpath);
	return lh_err_prefix(err, "%s", path);
}

/* ---- the newest ---- */

struct newest {
	const struct lh_root *root;
	struct lh_report r;
	struct lh_buf *bad;
	const char *but;	/* not this one */
	bool any;		/* also without a summary */
	char *id;		/* of the newest so far, or NULL */
	int64_t at;
};

/* Return when the report was made; the time has passed the schema. */
static int64_t time_of(const struct lh_report *r, const char *field)
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
	char *copy;
	int rc, i, found;

	if (n->but && !strcmp(id, n->but))
		return 0;
	rc = look_at(n, id, "summary", "run_summary", "ended_at", &at, err);
	found = rc;
	for (i = 0; n->any && !rc && i < LH_STAGES; i++) {
		found |= look_at(n, id, lh_stage_name((enum lh_stage)i), "stage_receipt",
				 "timestamp", &at, err);
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

	lh_report_init(&n.r);
	rc = lh_run_each(root, look_at_run, &n, err);
	lh_report_free(&n.r);
	if (rc < 0)
		free(n.id);
	else
		*id = n.id;
	return rc < 0 ? -1 : n.id != NULL;
}
