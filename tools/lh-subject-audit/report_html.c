/*
 * report_html.c - the report as a page for the subject: one file, nothing loaded
 * from elsewhere, no script.
 */
#include "file/file.h"
#include "json/write.h"
#include "text/escape.h"
#include <lh/time.h>
#include "report.h"

#define BLOCK 65536

struct page {
	struct report *r;
	struct lh_atomic file;
	bool to_file;		/* or standard output */
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
	"td{border:0;padding:.1rem 0}td::before{content:attr(data-label) " LH_JSON(": ")
	";color:var(--dim)}}\n";

/* ---- a row ---- */

/* A member of another type counts as absent, and an element as empty. */
struct accessor {
	struct lh_str daemon, kind, purpose;
};
struct row {
	struct lh_str ts, result;
	struct accessor accessor;
	const struct lh_str *field;	/* NULL: not an array */
	size_t n_fields;
};

static const struct lh_bind accessor[] = {
	{ LH_BIND_STRING("daemon", struct accessor, daemon), .lax = true },
	{ LH_BIND_STRING("kind", struct accessor, kind), .lax = true },
	{ LH_BIND_STRING("purpose", struct accessor, purpose), .lax = true },
	LH_BIND_END
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_STRING("ts", struct row, ts), .lax = true },
	{ LH_BIND_TABLE("accessor", struct row, accessor, accessor), .lax = true },
	{ LH_BIND_STRINGS("fields_accessed", struct row, field, n_fields), .lax = true },
	{ LH_BIND_STRING("result", struct row, result), .lax = true },
	LH_BIND_END
};

static void put_data(struct page *pg, struct lh_str s)
{
	lh_html_data(&pg->b, s.p, s.n);
}

static void put_result(struct page *pg, struct lh_str result)
{
	static const struct {
		struct lh_str result;
		const char *words;
	} words[] = {
		{ { "success", 7 }, "data were read" },
		{ { "not_found", 9 }, "nothing was found" },
		{ { "denied", 6 }, "access was denied" },
		{ { "error", 5 }, "the attempt failed" },
	};
	size_t i;

	for (i = 0; i < 4; i++)
		if (lh_str_cmp(result, words[i].result) == 0) {
			lh_buf_puts(&pg->b, words[i].words);
			return;
		}
	put_data(pg, result);
}

/* ---- the page ---- */

static int flush(struct page *pg, struct lh_err *err)
{
	int rc = lh_buf_check(&pg->b, err);

	if (!rc && pg->to_file)
		rc = lh_atomic_write(&pg->file, pg->b.p, pg->b.len, err);
	else if (!rc)
		rc = lh_tool_out(pg->r->tool, pg->b.p, pg->b.len);
	lh_buf_reset(&pg->b);
	return rc;
}

static int put_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct row row = { .ts = { "", 0 }, .result = { "", 0 } };
	struct page *pg = ctx;
	char at[LH_TIME_LEN + 1];
	int64_t ms;
	size_t i;

	if (lh_bind(row_members, rec, &row, &pg->text, err) < 0)
		return -1;
	lh_buf_puts(&pg->b, "<tr><td data-label=\"When\">");
	if (lh_time_read(row.ts.p, row.ts.n, &ms) < 0) {
		put_data(pg, row.ts);
	} else {
		lh_time_print(ms, at);
		lh_buf_printf(&pg->b, "<time datetime=\"%.*s\">%.10s %.8s UTC</time>",
			      (int)row.ts.n, row.ts.p, at, at + 11);
	}
	lh_escape_printf(&pg->b, lh_html_data,
			 "</td><td data-label=\"Who\">%.*s (%.*s)</td><td data-label=\"What for\">"
			 "%.*s</td><td data-label=\"Which data\">",
			 (int)row.accessor.daemon.n, row.accessor.daemon.p,
			 (int)row.accessor.kind.n, row.accessor.kind.p,
			 (int)row.accessor.purpose.n, row.accessor.purpose.p);
	for (i = 0; i < row.n_fields; i++)
		lh_escape_printf(&pg->b, lh_html_data, i ? ", %.*s" : "%.*s", (int)row.field[i].n,
				 row.field[i].p);
	if (row.field && !row.n_fields)
		lh_buf_puts(&pg->b, "none");
	lh_buf_puts(&pg->b, "</td><td data-label=\"Outcome\">");
	put_result(pg, row.result);
	lh_buf_puts(&pg->b, "</td></tr>\n");
	return pg->b.len < BLOCK ? 0 : flush(pg, err);
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
		lh_buf_printf(&pg->b,
			      " genuine and unaltered, but the last one was never finished being "
			      "written: it is torn (%s). <code>lh-subject-audit repair</code> "
			      "removes it. This looks like an "
			      "interruption, not like tampering.", r->error);
	} else {
		lh_buf_puts(&pg->b, "<strong>This record cannot be trusted as a whole.</strong> ");
		put_good_part(pg, r->v.count);
		lh_buf_printf(&pg->b,
			      " genuine and unaltered; from there on it has been changed or "
			      "damaged (%s).", r->error);
	}
	lh_buf_printf(&pg->b, " Rows count from 0: this one is line %llu of the log.",
		      (unsigned long long)r->v.row + 1);
}

static void put_verdict(struct page *pg)
{
	enum report_fault fault = report_fault(pg->r);

	lh_buf_printf(&pg->b, "<div class=\"verdict %s\" id=\"verdict\">", fault ? "bad" : "good");
	if (fault == REPORT_CHAIN) {
		put_broken(pg);
	} else if (fault == REPORT_ANCHOR) {
		lh_buf_printf(&pg->b,
			      "<strong>Entries are missing from this record.</strong> It has %llu, "
			      "and a signed note that was made of it before has %llu (%s): the "
			      "record was cut off at its end, replaced or removed.",
			      (unsigned long long)pg->r->v.count,
			      (unsigned long long)pg->r->anchored, pg->r->error);
	} else if (fault == REPORT_MISSING) {
		lh_buf_puts(&pg->b,
			    "<strong>Entries are missing from this record.</strong> An entry that "
			    "is known to have been made, with the seal <code>");
		lh_buf_puts(&pg->b, pg->r->root);
		lh_buf_puts(&pg->b,
			    pg->r->v.count
			    ? "</code>, is not there: the record was cut off at its end, or "
			      "replaced by another. What is listed below may not be all."
			    : "</code>, is not there, and neither is any other: the record was "
			      "removed.");
	} else if (fault == REPORT_SECOND) {
		lh_escape_printf(&pg->b, lh_html_data,
				 "<strong>This is not the whole record.</strong> There is a second "
				 "one of the same person, %s, which is not listed here.",
				 pg->r->second);
	} else if (!pg->r->v.count) {
		lh_buf_puts(&pg->b, "<strong>No access has been recorded.</strong>");
	} else if (pg->r->v.count == 1) {
		lh_buf_puts(&pg->b,
			    "<strong>This record is genuine.</strong> Its one entry carries a "
			    "valid seal: it was not changed since.");
	} else {
		lh_buf_printf(&pg->b,
			      "<strong>This record is genuine.</strong> All %llu entries carry a "
			      "valid seal, and each is tied to the one before: none was changed, "
			      "removed from between others, or put in since.",
			      (unsigned long long)pg->r->v.count);
	}
	lh_buf_puts(&pg->b, "</div>\n");
}

static void put_item(struct page *pg, const char *label, struct lh_str s)
{
	if (!s.n)
		return;
	lh_buf_printf(&pg->b, "<dt>%s</dt>", label);
	lh_escape_printf(&pg->b, lh_html_data, "<dd>%.*s</dd>\n", (int)s.n, s.p);
}

static void put_manifest(struct page *pg)
{
	const struct lh_manifest *m = &pg->r->manifest;
	size_t i;

	lh_buf_puts(&pg->b, "<h2>What is kept</h2>\n<dl>\n");
	put_item(pg, "Status", m->status);
	put_item(pg, "Consent to the use of personal data", m->consent.general_pii.status);
	put_item(pg, "Personal data may be kept until", m->retention.general_pii_until);
	put_item(pg, "Under the policy", m->retention.policy);
	put_item(pg, "Consent to biometric data", m->consent.biometric.status);
	put_item(pg, "Biometric data may be kept until", m->consent.biometric.retention_until);
	lh_buf_puts(&pg->b, "<dt>Data sets</dt><dd><ul>");
	for (i = 0; i < m->n_datasets; i++)
		lh_escape_printf(&pg->b, lh_html_data, "<li>%.*s</li>", (int)m->dataset[i].name.n,
				 m->dataset[i].name.p);
	lh_buf_puts(&pg->b, "</ul></dd>\n</dl>\n");
}

static void put_top(struct page *pg)
{
	const struct report *r = pg->r;
	const char *from = r->s->from, *to = r->s->to;

	lh_html_open(&pg->b, "Who looked at your data", style);
	lh_escape_printf(&pg->b, lh_html_data,
			 "<h1>Who looked at your data</h1>\n<p class=\"note\">About %s", r->id);
	lh_buf_printf(&pg->b, ", as of <time datetime=\"%s\">%.10s %.8s UTC</time></p>\n",
		      r->generated_at, r->generated_at, r->generated_at + 11);
	put_verdict(pg);
	lh_buf_printf(&pg->b, "<h2>Accesses</h2>\n<p>%llu of %llu entr%s",
		      (unsigned long long)r->in_window,
		      (unsigned long long)r->rows, r->rows == 1 ? "y" : "ies");
	if (from)
		lh_buf_printf(&pg->b, ", from %s", from);
	if (to)
		lh_buf_printf(&pg->b, ", up to %s", to);
	lh_buf_puts(&pg->b, ".</p>\n");
	if (r->in_window)
		lh_buf_puts(&pg->b,
			    "<table>\n<thead><tr><th class=\"when\">When</th><th>Who</th><th>What "
			    "for</th><th>Which data</th>"
			    "<th>Outcome</th></tr></thead>\n<tbody>\n");
}

int report_html(struct report *r)
{
	struct lh_err *err = &r->tool->err;
	struct page pg = { .r = r, .to_file = strcmp(r->s->html, "-") != 0 };
	int rc = pg.to_file ? lh_atomic_open(&pg.file, r->s->html, 0600, err) : 0;

	put_top(&pg);
	if (!rc)
		rc = report_rows(r, put_row, &pg);
	if (r->in_window)
		lh_buf_puts(&pg.b, "</tbody>\n</table>\n");
	if (r->has_manifest)
		put_manifest(&pg);
	lh_buf_printf(&pg.b, "<h2>How to check this</h2>\n<p>The record ends with the seal "
		      "<code>%s</code>. Whoever keeps the log can have it verified with "
		      "<code>lh-subject-audit verify</code>; against a copy of earlier seals that "
		      "is kept elsewhere, that also shows whether entries were cut off its end."
		      "</p>\n", r->v.tip);
	lh_html_close(&pg.b);
	if (!rc)
		rc = flush(&pg, err);
	if (!rc && pg.to_file)
		rc = lh_atomic_commit(&pg.file, err);
	if (pg.to_file)
		lh_atomic_close(&pg.file);
	lh_buf_free(&pg.text);
	lh_buf_free(&pg.b);
	return rc;
}
