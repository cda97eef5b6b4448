/*
 * report_html.c - the report as a page for the subject: one file, nothing loaded
 * from elsewhere, no script.
 */
#include "audit/access_html.h"
#include "file/file.h"
#include "text/escape.h"
#include "report.h"
#include "tlog/log.h"

#define BLOCK 65536

struct page {
	struct report *r;
	struct lh_atomic file;
	bool to_file;		/* or standard output */
	struct lh_buf b, text;
};

/* ---- the page ---- */

static int flush(struct page *pg, struct lh_err *err)
{
	int rc = 0;

	if (pg->to_file)
		rc = lh_atomic_write(&pg->file, pg->b.p, pg->b.len, err);
	else if (!rc)
		rc = lh_tool_out(pg->r->tool, pg->b.p, pg->b.len);
	lh_buf_reset(&pg->b);
	return rc;
}

static int put_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct page *pg = ctx;

	if (lh_access_html(&pg->b, rec, &pg->text, err) < 0)
		return -1;
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
	} else if (r->v.state == LH_CHAIN_EMPTY) {
		lh_buf_puts(&pg->b, "<strong>This record is empty.</strong> Its entries were "
			    "removed, or none was ever written: who looked is not known.");
		return;
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

	const bool known = fault || pg->r->v.state == LH_CHAIN_ANCHORED;

	lh_buf_printf(&pg->b, "<div class=\"verdict %s\" id=\"verdict\">",
		      fault ? "bad" : known ? "good" : "warn");
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
		lh_buf_puts(&pg->b, "<strong>No access has been recorded.</strong> There is no "
			    "record of this person, or it was removed.");
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
	if (!known)
		lh_buf_puts(&pg->b, " It was not compared with an anchor: whether entries are "
			    "missing at its end is not known.");
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

	lh_html_open(&pg->b, "Who looked at your data", LH_ACCESS_STYLE);
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
		lh_buf_puts(&pg->b, LH_ACCESS_BEGIN);
}

/* Say how one who has no key checks an entry. */
static int put_strangers(struct page *pg, struct lh_err *err)
{
	struct lh_tlog *tree = lh_tlog_open(pg->r->s->tlog, err);
	const char *proofs = pg->r->s->proofs, *slash = proofs ? strrchr(proofs, '/') : NULL;
	struct lh_str origin;

	if (!tree)
		return -1;
	origin = lh_tlog_head(tree)->origin;
	lh_escape_printf(&pg->b, lh_html_data,
			 "<h2>How a stranger checks this</h2>\n<p>Entries are also committed to "
			 "the transparency log <code>%.*s</code>, whose seals others keep. "
			 "A reader who has an entry with its proof, and the public keys of that "
			 "log and of its witnesses in a file POLICY, can check it without a key "
			 "and without the keeper of this record:</p>\n<p><code>"
			 "lh-tlog verify --row --policy POLICY %s</code></p>\n",
			 (int)origin.n, origin.p, slash ? slash + 1 : proofs ? proofs : "PROOFS");
	lh_buf_puts(&pg->b, proofs ? "<p>The proofs are in the file of that name that came with "
				     "this page. "
				   : "<p>The proofs are what <code>lh-subject-audit prove</code> "
				     "prints. ");
	lh_buf_puts(&pg->b, "A proof shows one entry, and tells nothing about any other.</p>\n");
	lh_tlog_close(tree);
	return 0;
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
		lh_buf_puts(&pg.b, LH_ACCESS_END);
	if (r->has_manifest)
		put_manifest(&pg);
	lh_buf_printf(&pg.b, "<h2>How to check this</h2>\n<p>The record ends with the seal "
		      "<code>%s</code>. Whoever keeps the log can have it verified with "
		      "<code>lh-subject-audit verify</code>; against a copy of earlier seals that "
		      "is kept elsewhere, that also shows whether entries were cut off its end."
		      "</p>\n", r->v.tip);
	if (!rc && r->s->tlog)
		rc = put_strangers(&pg, err);
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
