/* drift_verb.c - lh-audit-full drift: any two rows of a file of baselines. */
#include <stdlib.h>

#include "audit.h"

/* The row that was asked for, from 1. */
static int find_row(const struct baselines *b, const char *option, int64_t asked, int64_t *out, struct lh_err *err)
{
	int64_t n = (int64_t)b->n;

	*out = asked < 0 ? n + 1 + asked : asked;
	if (*out >= 1 && *out <= n)
		return 0;
	return lh_err_set(err, LH_EIO, "%s: --%s %lld: there are %lld rows", b->path, option, (long long)asked, (long long)n);
}

static int print(struct lh_tool *tool, const struct settings *s, const struct drift *d)
{
	struct lh_buf out;
	int rc;

	lh_buf_init(&out, LH_BUF_NOMAX);
	if (s->json) {
		drift_json(&out, d);
		lh_buf_putc(&out, '\n');
	} else {
		drift_table(&out, d);
	}
	rc = lh_buf_check(&out, &tool->err);
	if (!rc)
		rc = lh_tool_out(tool, out.p, out.len);
	lh_buf_free(&out);
	if (s->fail_on_drift && d->warned)
		lh_tool_verdict_bad(tool);
	return rc;
}

static int compare(struct lh_tool *tool, const struct settings *s, const char *path)
{
	int64_t to = s->to ? s->to : -1, from = s->from;
	struct drift_metrics now = { .n = 0 }, before = { .n = 0 };
	struct baselines base = { .n = 0 }, row = { .n = 0 };
	struct drift d = { .n = 0 };
	struct lh_err *err = &tool->err;
	int rc = baselines_open(&row, path, err);

	if (!rc && !row.n)
		rc = lh_err_set(err, LH_EIO, "%s: there is no baseline", path);
	if (!rc)
		rc = find_row(&row, "to", to, &to, err);
	if (!rc && from)
		rc = find_row(&row, "from", from, &from, err);
	else
		from = to - 1;
	if (!rc && from) {
		rc = baselines_open(&base, path, err);
		if (!rc)
			rc = baselines_take(&base, (uint64_t)from, err);
		if (!rc)
			rc = drift_metrics_of(&before, &base, err);
	}
	if (!rc)
		rc = baselines_take(&row, (uint64_t)to, err);
	if (!rc)
		rc = drift_metrics_of(&now, &row, err);
	if (!rc)
		rc = drift_compute(&d, &now, &before, err);
	if (!rc)
		rc = print(tool, s, &d);
	drift_free(&d);
	drift_metrics_free(&before);
	drift_metrics_free(&now);
	baselines_close(&base);
	baselines_close(&row);
	return rc;
}

int drift_verb(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_root *root = NULL;
	char *path = NULL;
	int rc;

	if (tool->n_operands > 1)
		return lh_tool_usage(tool, "drift: one FILE at most");
	if (tool->n_operands)
		return compare(tool, s, tool->operands[0]);
	root = lh_root_open(s->root, &tool->err);
	path = root ? lh_root_join(root, AUDIT_BASELINES, &tool->err) : NULL;
	rc = path ? compare(tool, s, path) : -1;
	free(path);
	lh_root_close(root);
	return rc;
}
