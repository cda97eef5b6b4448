/* resource_audit.c - the last audit of the distillation.  See tool_parts.h. */
#include "tool_parts.h"

#include <stdio.h>

#include "file/file.h"
#include "file/rows.h"

#define REPORT_MAX 1048576	/* bytes of the report */
#define ROW_MAX 1048576		/* of the numbers */

/* Copy the last row of a log, if it is a record. */
static int last_row(const char *path, struct lh_buf *to, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_file_row row;
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0) {
		lh_buf_reset(to);
		if (row.n <= ROW_MAX)
			lh_buf_add(to, row.p, row.n);
	}
	lh_rows_free(rows);
	if (!rc && to->len && lh_record_parse(&rec, to->p, to->len, err) < 0) {
		to->len = 0;
		rc = err->code == LH_ENOMEM ? -1 : 0;
	}
	return rc;
}

int lh_mcp_write_audit(struct lh_buf *out, const char *state, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf row = { 0 }, report = { .max = REPORT_MAX };
	struct lh_writer w = lh_write_to(out);
	char path[4096];
	int rc;

	snprintf(path, sizeof path, "%.3900s/data/_kb/audit_baselines.jsonl", state);
	rc = last_row(path, &row, err);
	if (rc < 0 && err->code != LH_ENOMEM)
		rc = lh_err_data(err, 503, "the numbers of the audits cannot be read");
	snprintf(path, sizeof path, "%.3900s/reports/distillation/phase8-full-audit-report.md",
		 state);
	if (!rc && lh_file_read(path, &report, err) != 1)
		lh_buf_reset(&report);
	lh_buf_putc(&report, '\0');
	if (!rc && !row.len && (report.failed || report.len <= 1))
		rc = lh_err_data(err, 404, "there is no audit yet");
	lh_write_object(&w, NULL);
	if (row.len)
		lh_write_raw(&w, "baseline", (struct lh_str){ row.p, row.len });
	else
		lh_write_null(&w, "baseline");
	lh_write_bytes(&w, "report", report.failed || report.len <= 1 ? NULL : report.p);
	lh_write_end(&w);
	return rc;
}
