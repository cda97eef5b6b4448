/* summary.c - the last row, and the log.  See review.h. */
#include "review.h"

#include "distill/receipt.h"

int summary_open(struct review *r)
{
	struct lh_err *err = &r->tool->err;

	if (!r->branch) {
		r->branch = r->git_branch;
		if (!lh_git_branch(".", r->git_branch, sizeof r->git_branch, err) &&
		    err->code != LH_EDATA)
			return -1;
	}
	if (!r->head) {
		r->head = r->git_head;
		if (!lh_git_commit(".", r->git_head, err)) {
			if (err->code != LH_EDATA)
				return -1;
			r->git_head[0] = '\0';
		}
	}
	if (!r->log_path)
		return 0;
	if (lh_applog_open(&r->log, r->log_path, 0600, r->tool->lock_timeout, &r->tool->err) < 0)
		return -1;
	if (r->log.torn_at >= 0)
		lh_tool_warn(r->tool, "%s: a torn line at byte %lld", r->log_path,
			     (long long)r->log.torn_at);
	return 0;
}

static void put_by_model(struct lh_writer *w, const struct review *r)
{
	size_t i;

	lh_write_object(w, "by_model");
	for (i = 0; i < r->n_models; i++) {
		if (r->model[i].counted != i)
			continue;
		lh_write_key_str(w, r->model[i].name);
		lh_write_u64(w, NULL, r->model[i].findings);
	}
	lh_write_end(w);
	lh_write_u64(w, "unplaced", r->unplaced);
	lh_write_object(w, "failed");
	for (i = 0; i < r->n_models; i++) {
		if (r->model[i].counted != i || !r->model[i].failed)
			continue;
		lh_write_key_str(w, r->model[i].name);
		lh_write_u64(w, NULL, r->model[i].failed);
	}
	lh_write_end(w);
}

static void put_row(struct lh_buf *out, const struct review *r)
{
	struct lh_writer w = lh_write_to(out);
	char now[32];

	lh_tool_time(r->tool, now);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "timestamp", now);
	lh_write_bytes(&w, "label", r->label);
	lh_write_bytes(&w, "branch", r->branch);
	lh_write_bytes(&w, "head", r->head);
	lh_write_u64(&w, "diff_bytes", r->diff_bytes);
	lh_write_u64(&w, "findings_total", r->findings);
	lh_write_u64(&w, "findings_convergent", r->convergent);
	put_by_model(&w, r);
	lh_write_u64(&w, "files", r->files);
	lh_write_u64(&w, "refused", r->refused);
	lh_write_u64(&w, "bundles", r->bundles);
	lh_write_end(&w);
}

int summary_write(struct review *r)
{
	struct lh_err *err = &r->tool->err;
	LH_SCOPED(lh_buf_free) struct lh_buf row = { 0 };
	int rc;
	size_t i;

	/* Report the models that failed more than once. */
	for (i = 0; i < r->n_models; i++)
		if (r->model[i].failed > 1)
			lh_tool_warn(r->tool, "%s: %llu of %llu questions not answered",
				     r->models.v[i], (unsigned long long)r->model[i].failed,
				     (unsigned long long)r->model[i].asked);
	put_row(&row, r);
	rc = lh_buf_check(&row, err);
	if (!rc && r->log_path)
		rc = lh_applog_append(&r->log, row.p, row.len, LH_SYNC_EACH, err);
	if (!rc)
		return lh_tool_out_line(r->tool, &row);
	return rc;
}
