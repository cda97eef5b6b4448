/*
 * report_html.c - the report as a page for the subject: one file, nothing loaded
 * from elsewhere, no script.
 */
#include "file/file.h"
#include "text/html.h"
#include <lh/time.h>
#include "report.h"

#define BLOCK 65536

struct page {
	struct report *r;
	struct lh_atomic file;
	struct lh_buf b, text;
};

/* Columns have fixed widths, so that long words are broken within them; if there is
 * no room for five columns, a row is a block of labelled lines.  Text that cannot
 * be broken, such as one letter with hundreds of marks, is cut off. */
static const char style[] =
	"p,dt,dd,li,.verdict{overflow-wrap:anywhere}\n"
	"p,dd,li,td,.verdict{overflow:hidden}\n"
	"table{table-layout:fixed}th.when{width:15rem}\n"
	"@media(max-width:56rem){table,tbody,tr,td{display:block}thead{display:none}\n"
	"tr{border-top:2px solid var(--line);padding:.4rem 0}\n"
	"td{border:0;padding:.1rem 0}td::before{content:attr(data-label) \": \";color:var(--dim)}}\n";

static int put_string(struct page *pg, const struct lh_value *v, struct lh_str *s, struct lh_err *err)
{
	*s = (struct lh_str){ "", 0 };
	lh_buf_reset(&pg->text);
	return v && v->type == LH_STRING ? lh_value_str(v, &pg->text, s, err) : 0;
}

/* Append a member of the row, or of its accessor; nothing if it is not a string. */
static int put_member(struct page *pg, const struct lh_record *rec, const char *path, struct lh_err *err)
{
	struct lh_value v;
	struct lh_str s;

	if (put_string(pg, lh_manifest_get(rec, path, &v) ? &v : NULL, &s, err) < 0)
		return -1;
	lh_html_data(&pg->b, s.p, s.n);
	return 0;
}

/* Append "2026-05-03 09:00:00 UTC", with the original text in the title. */
static int put_when(struct page *pg, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *ts = lh_record_get(rec, "ts");
	char at[LH_TIME_LEN + 1];
	struct lh_str s;
	int64_t ms;

	if (put_string(pg, ts, &s, err) < 0)
		return -1;
	if (lh_time_read(s.p, s.n, &ms) < 0) {
		lh_html_data(&pg->b, s.p, s.n);
		return 0;
	}
	lh_time_print(ms, at);
	lh_buf_printf(&pg->b, "<time datetime=\"%.*s\">%.10s %.8s UTC</time>", (int)s.n, s.p, at, at + 11);
	return 0;
}

static int put_fields(struct page *pg, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *list = lh_record_get(rec, "fields_accessed");
	struct lh_iter it;
	struct lh_str s;
	bool any = false;

	if (!list || list->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, list); lh_iter_next(&it); any = true) {
		if (any)
			lh_buf_puts(&pg->b, ", ");
		if (put_string(pg, &it.val, &s, err) < 0)
			return -1;
		lh_html_data(&pg->b, s.p, s.n);
	}
	if (!any)
		lh_buf_puts(&pg->b, "none");
	return 0;
}

static int put_result(struct page *pg, const struct lh_record *rec, struct lh_err *err)
{
	static const char *const words[][2] = {
		{ "success", "data were read" }, { "not_found", "nothing was found" },
		{ "denied", "access was denied" }, { "error", "the attempt failed" },
	};
	const struct lh_value *v = lh_record_get(rec, "result");
	size_t i;

	for (i = 0; i < 4; i++)
		if (v && v->type == LH_STRING && lh_value_is(v, words[i][0], strlen(words[i][0]))) {
			lh_buf_puts(&pg->b, words[i][1]);
			return 0;
		}
	return put_member(pg, rec, "result", err);
}

/* ---- the page ---- */

static int flush(struct page *pg, struct lh_err *err)
{
	int rc = lh_buf_check(&pg->b, err);

	if (!rc)
		rc = lh_atomic_write(&pg->file, pg->b.p, pg->b.len, err);
	lh_buf_reset(&pg->b);
	return rc;
}

static int put_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct page *pg = ctx;
	int rc;

	lh_buf_puts(&pg->b, "<tr><td data-label=\"When\">");
	rc = put_when(pg, rec, err);
	lh_buf_puts(&pg->b, "</td><td data-label=\"Who\">");
	rc = rc ? rc : put_member(pg, rec, "accessor.daemon", err);
	lh_buf_puts(&pg->b, " (");
	rc = rc ? rc : put_member(pg, rec, "accessor.kind", err);
	lh_buf_puts(&pg->b, ")</td><td data-label=\"What for\">");
	rc = rc ? rc : put_member(pg, rec, "accessor.purpose", err);
	lh_buf_puts(&pg->b, "</td><td data-label=\"Which data\">");
	rc = rc ? rc : put_fields(pg, rec, err);
	lh_buf_puts(&pg->b, "</td><td data-label=\"Outcome\">");
	rc = rc ? rc : put_result(pg, rec, err);
	lh_buf_puts(&pg->b, "</td></tr>\n");
	return rc || pg->b.len < BLOCK ? rc : flush(pg, err);
}

/* Append "Its first 5 entries are", "Its first entry is" or "None of its entries is". */
static void put_good_part(struct page *pg, unsigned long long rows)
{
	if (rows > 1)
		lh_buf_printf(&pg->b, "Its first %llu entries are", rows);
	else
		lh_buf_puts(&pg->b, rows ? "Its first entry is" : "None of its entries is");
}

static void put_broken(struct page *pg)
{
	const struct report *r = pg->r;

	if (r->v.state == LH_CHAIN_TORN) {
		lh_buf_puts(&pg->b, "<strong>The record is incomplete at its end.</strong> ");
		put_good_part(pg, r->v.count);
		lh_buf_printf(&pg->b, " genuine and unaltered, but the last one was never finished being written (%s). This looks like an "
			      "interruption, not like tampering.", r->error);
	} else {
		lh_buf_puts(&pg->b, "<strong>This record cannot be trusted as a whole.</strong> ");
		put_good_part(pg, r->v.count);
		lh_buf_printf(&pg->b, " genuine and unaltered; from there on it has been changed or damaged (%s).", r->error);
	}
	lh_buf_printf(&pg->b, " Rows count from 0: this one is line %llu of the log.", (unsigned long long)r->v.row + 1);
}

static void put_missing(struct page *pg)
{
	lh_buf_puts(&pg->b, "<strong>Entries are missing from this record.</strong> An entry that is known to have been made, with the seal <code>");
	lh_buf_puts(&pg->b, pg->r->root);
	lh_buf_puts(&pg->b, pg->r->v.count ? "</code>, is not there: the record was cut off at its end, or replaced by another. "
					     "What is listed below may not be all." :
					     "</code>, is not there, and neither is any other: the record was removed.");
}

static void put_whole(struct page *pg)
{
	unsigned long long rows = pg->r->v.count;

	if (!rows)
		lh_buf_puts(&pg->b, "<strong>No access has been recorded.</strong>");
	else if (rows == 1)
		lh_buf_puts(&pg->b, "<strong>This record is genuine.</strong> Its one entry carries a valid seal: it was not changed since.");
	else
		lh_buf_printf(&pg->b, "<strong>This record is genuine.</strong> All %llu entries carry a valid seal, and each is tied to the one "
			      "before: none was changed, removed from between others, or put in since.", rows);
}

static void put_verdict(struct page *pg)
{
	enum report_fault fault = report_fault(pg->r);

	lh_buf_printf(&pg->b, "<div class=\"verdict %s\" id=\"verdict\">", fault ? "bad" : "good");
	if (fault == REPORT_CHAIN) {
		put_broken(pg);
	} else if (fault == REPORT_MISSING) {
		put_missing(pg);
	} else if (fault == REPORT_SECOND) {
		lh_buf_puts(&pg->b, "<strong>This is not the whole record.</strong> There is a second one of the same person, ");
		lh_html_data(&pg->b, pg->r->second, strlen(pg->r->second));
		lh_buf_puts(&pg->b, ", which is not listed here.");
	} else {
		put_whole(pg);
	}
	lh_buf_puts(&pg->b, "</div>\n");
}

static void put_manifest(struct page *pg)
{
	static const char *const items[][2] = {
		{ "Status", "status" }, { "Consent to the use of personal data", "consent.general_pii.status" },
		{ "Personal data may be kept until", "retention.general_pii_until" },
		{ "Under the policy", "retention.policy" },
		{ "Consent to biometric data", "consent.biometric.status" },
		{ "Biometric data may be kept until", "consent.biometric.retention_until" },
	};
	const struct lh_record *rec = &pg->r->manifest.rec;
	struct lh_value list, name;
	struct lh_err err;
	struct lh_iter it;
	struct lh_str s;
	size_t i;

	lh_buf_puts(&pg->b, "<h2>What is kept</h2>\n<dl>\n");
	for (i = 0; i < sizeof items / sizeof *items; i++) {
		if (!lh_manifest_get(rec, items[i][1], &name) || put_string(pg, &name, &s, &err) < 0 || !s.n)
			continue;
		lh_buf_printf(&pg->b, "<dt>%s</dt><dd>", items[i][0]);
		lh_html_data(&pg->b, s.p, s.n);
		lh_buf_puts(&pg->b, "</dd>\n");
	}
	lh_buf_puts(&pg->b, "<dt>Data sets</dt><dd><ul>");
	if (lh_manifest_get(rec, "datasets", &list))
		for (lh_iter_init(&it, &list); lh_iter_next(&it); )
			if (lh_value_get(&it.val, "name", &name) && put_string(pg, &name, &s, &err) == 0) {
				lh_buf_puts(&pg->b, "<li>");
				lh_html_data(&pg->b, s.p, s.n);
				lh_buf_puts(&pg->b, "</li>");
			}
	lh_buf_puts(&pg->b, "</ul></dd>\n</dl>\n");
}

static void put_top(struct page *pg)
{
	const struct report *r = pg->r;
	const char *from = r->s->from, *to = r->s->to;

	lh_html_open(&pg->b, "Who looked at your data", style);
	lh_buf_puts(&pg->b, "<h1>Who looked at your data</h1>\n<p class=\"note\">About ");
	lh_html_data(&pg->b, r->id, strlen(r->id));
	lh_buf_printf(&pg->b, ", as of <time datetime=\"%s\">%.10s %.8s UTC</time></p>\n", r->generated_at, r->generated_at, r->generated_at + 11);
	put_verdict(pg);
	lh_buf_printf(&pg->b, "<h2>Accesses</h2>\n<p>%llu of %llu entr%s", (unsigned long long)r->in_window,
		      (unsigned long long)r->rows, r->rows == 1 ? "y" : "ies");
	if (from)
		lh_buf_printf(&pg->b, ", from %s", from);
	if (to)
		lh_buf_printf(&pg->b, ", up to %s", to);
	lh_buf_puts(&pg->b, ".</p>\n");
	if (r->in_window)
		lh_buf_puts(&pg->b, "<table>\n<thead><tr><th class=\"when\">When</th><th>Who</th><th>What for</th><th>Which data</th>"
			    "<th>Outcome</th></tr></thead>\n<tbody>\n");
}

static void put_bottom(struct page *pg)
{
	const struct report *r = pg->r;

	if (r->in_window)
		lh_buf_puts(&pg->b, "</tbody>\n</table>\n");
	if (r->has_manifest)
		put_manifest(pg);
	lh_buf_printf(&pg->b, "<h2>How to check this</h2>\n<p>The record ends with the seal <code>%s</code>. Whoever keeps the log "
		      "can have it verified with <code>lh-subject-audit verify</code>; against a copy of earlier seals that is kept "
		      "elsewhere, that also shows whether entries were cut off its end.</p>\n", r->v.tip);
	lh_html_close(&pg->b);
}

int report_html(struct report *r)
{
	struct lh_err *err = &r->tool->err;
	struct page pg = { .r = r };
	int rc = lh_atomic_open(&pg.file, r->s->html, 0600, err);

	lh_buf_init(&pg.b, LH_BUF_NOMAX);
	lh_buf_init(&pg.text, LH_BUF_NOMAX);
	put_top(&pg);
	if (!rc)
		rc = report_rows(r, put_row, &pg);
	put_bottom(&pg);
	if (!rc)
		rc = flush(&pg, err);
	if (!rc)
		rc = lh_atomic_commit(&pg.file, err);
	lh_atomic_close(&pg.file);
	lh_buf_free(&pg.text);
	lh_buf_free(&pg.b);
	return rc;
}
