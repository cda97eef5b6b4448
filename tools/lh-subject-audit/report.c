/* report.c - lh-subject-audit report: subject_audit_response.v1, as JSON and as a page. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "audit.h"
#include "audit/subject_manifest.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "json/write.h"
#include "text/escape.h"
#include "tlog/log.h"

/* ---- the page ---- */

#define BLOCK 65536

struct page {
	struct report *r;
	struct lh_atomic file;
	bool to_file;		/* or standard output */
	struct lh_buf b, text;
};

/* ---- the page ---- */

static int flush_page(struct page *pg, struct lh_err *err)
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
	return pg->b.len < BLOCK ? 0 : flush_page(pg, err);
}

/* Append "Its first 5 entries are genuine and unaltered" and what follows, or without any
 * the other sentence. */
static void put_good_part(struct page *pg, unsigned long long rows, const char *then,
			  const char *without)
{
	if (rows > 1)
		lh_buf_printf(&pg->b, "Its first %llu entries are", rows);
	else if (rows)
		lh_buf_puts(&pg->b, "Its first entry is");
	if (rows)
		lh_buf_puts(&pg->b, " genuine and unaltered");
	lh_buf_puts(&pg->b, rows ? then : without);
}

static void put_broken(struct page *pg)
{
	const struct report *r = pg->r;

	if (r->v.state == LH_CHAIN_TORN) {
		lh_buf_puts(&pg->b, "<strong>The record is incomplete at its end.</strong> ");
		put_good_part(pg, r->v.count, ", but the last one", "Its only entry");
		lh_buf_printf(&pg->b,
			      " was never finished being written: it is torn (%s). "
			      "<code>lh-subject-audit repair</code> removes it. This looks like an "
			      "interruption, not like tampering.", r->error);
	} else if (r->v.state == LH_CHAIN_EMPTY) {
		lh_buf_puts(&pg->b, "<strong>This record is empty.</strong> Its entries were "
			    "removed, or none was ever written: who looked is not known.");
		return;
	} else {
		lh_buf_puts(&pg->b, "<strong>This record cannot be trusted as a whole.</strong> ");
		put_good_part(pg, r->v.count, "; from there on it has been changed or damaged",
			      "Its very first entry has been changed or damaged, so none can be "
			      "relied on");
		lh_buf_printf(&pg->b, " (%s).", r->error);
	}
	lh_buf_printf(&pg->b, " Rows count from 0: this one is line %llu of the log.",
		      (unsigned long long)r->v.row + 1);
}

static enum report_fault report_fault(const struct report *r);

/* Say of a record without a fault what is known of it, first of all. */
static void put_genuine(struct page *pg, bool known)
{
	const unsigned long long n = pg->r->v.count;

	lh_buf_printf(&pg->b, "<strong>%s</strong> ", known ? "This record is genuine."
		      : "What is in this record is genuine; whether it is all is not known.");
	if (n == 1)
		lh_buf_puts(&pg->b, "Its one entry carries a valid seal: it was not changed "
			    "since.");
	else
		lh_buf_printf(&pg->b, "All %llu entries carry a valid seal, and each is tied to "
			      "the one before: none was changed, removed from between others, or "
			      "put in since.", n);
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
	} else {
		put_genuine(pg, known);
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

/* Write the page to the file of --html, or to standard output. */
static int report_html(struct report *r)
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
	lh_buf_puts(&pg.b, "<h2>How to check this</h2>\n<p>");
	if (r->v.count)
		lh_buf_printf(&pg.b, "The last genuine entry has the seal <code>%s</code>. ",
			      r->v.tip);
	lh_buf_puts(&pg.b, "Whoever keeps the log can have it verified with "
		    "<code>lh-subject-audit verify</code>; against a copy of earlier seals that "
		    "is kept elsewhere, that also shows whether entries were cut off its end."
		    "</p>\n");
	if (!rc && r->s->tlog)
		rc = put_strangers(&pg, err);
	lh_html_close(&pg.b);
	if (!rc)
		rc = flush_page(&pg, err);
	if (!rc && pg.to_file)
		rc = lh_atomic_commit(&pg.file, err);
	if (pg.to_file)
		lh_atomic_close(&pg.file);
	lh_buf_free(&pg.text);
	lh_buf_free(&pg.b);
	return rc;
}

/* ---- the report ---- */

/* ---- the rows ---- */

struct row {
	struct lh_value ts, mac;
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_VALUE("ts", struct row, ts, LH_BIND_IS(LH_STRING)), .lax = true },
	{ LH_BIND_SOME("row_hmac", struct row, mac) },
	LH_BIND_END
};

/* A row whose time cannot be read is always included. */
static bool in_window(const struct settings *s, const struct lh_value *ts)
{
	struct lh_moment at, from, to;

	if (!ts->p || lh_moment_read(ts->p + 1, ts->n - 2, &at) < 0)
		return true;
	if (s->from && lh_moment_read(s->from, strlen(s->from), &from) == 0 &&
	    lh_moment_before(at, from))
		return false;
	return !(s->to && lh_moment_read(s->to, strlen(s->to), &to) == 0 &&
		 lh_moment_before(to, at));
}

static int read_line(struct report *r, struct lh_record *rec, const char *p, size_t n, row_fn fn,
		     void *ctx)
{
	struct lh_err *err = &r->tool->err;
	struct row row = { .ts = { .p = NULL } };

	r->rows++;
	if (lh_record_parse(rec, p, n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;	/* the verdict has the fault */
	if (lh_bind(row_members, rec, &row, NULL, err) < 0)
		return -1;
	if (r->rows <= r->v.count && row.mac.p && lh_value_is(&row.mac, r->root, strlen(r->root)))
		r->root_seen = true;
	if (!in_window(r->s, &row.ts))
		return 0;
	r->in_window++;
	return fn ? fn(ctx, rec, err) : 0;
}

int report_rows(struct report *r, row_fn fn, void *ctx)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_err *err = &r->tool->err;
	struct lh_rows *rows;
	struct lh_file_row row;
	int fd, rc;

	r->rows = r->in_window = 0;
	if (!r->v.bytes)
		return 0;
	fd = open(r->log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(err, "%s", r->log);
	rows = lh_rows_new();
	rc = lh_rows_open_fd(rows, fd, r->log, err);
	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0 && row.at + row.n < r->v.bytes)
		if (read_line(r, &rec, row.p, row.n, fn, ctx) < 0)
			rc = -1;
	lh_rows_free(rows);
	close(fd);
	return rc < 0 ? -1 : 0;
}

/* ---- JSON ---- */

static enum report_fault report_fault(const struct report *r)
{
	if (r->v.fault == LH_CHAIN_ANCHOR)
		return REPORT_ANCHOR;
	if (*r->error && r->v.state != LH_CHAIN_EMPTY)
		return REPORT_CHAIN;
	if (*r->root && !r->root_seen)
		return REPORT_MISSING;
	if (*r->error)
		return REPORT_CHAIN;
	return r->second ? REPORT_SECOND : REPORT_GOOD;
}

/* Append a sentence on the verdict of the chain. */
static void report_attest(const struct report *r, struct lh_buf *out)
{
	unsigned long long rows = r->v.count, listed = r->in_window;
	const char *s = rows == 1 ? "" : "s";

	switch (report_fault(r)) {
	case REPORT_ANCHOR:
		lh_buf_printf(out,
			      "The audit log was cut or replaced (%s): it has %llu row%s, and an "
			      "anchor of it has %llu.", r->error, rows, s,
			      (unsigned long long)r->anchored);
		break;
	case REPORT_CHAIN:
		if (r->v.state == LH_CHAIN_EMPTY) {
			lh_buf_puts(out, "The audit log is empty: its rows were removed, or none "
				    "was ever written. Who looked is not known.");
			break;
		}
		lh_buf_printf(out,
			      "The audit log is %s (%s): only its first %llu row%s known to "
			      "be complete and unaltered.%s",
			      r->v.state == LH_CHAIN_TORN ? "torn" : "damaged", r->error, rows,
			      rows == 1 ? " is" : "s are",
			      r->v.state != LH_CHAIN_TORN
			      ? ""
			      : " Its last line is incomplete: "
				"lh-subject-audit repair removes it.");
		break;
	case REPORT_MISSING:
		lh_buf_printf(out,
			      "Rows are missing from the audit log: the manifest knows a row that "
			      "is not among the %llu row%s there, so the "
			      "log was cut back, replaced or removed.", rows, s);
		break;
	case REPORT_SECOND:
		lh_buf_puts(out,
			    "The report is incomplete: there is a second log of this subject, ");
		lh_buf_puts(out, r->second);
		lh_buf_puts(out, ", whose rows are not listed.");
		break;
	default:
		if (r->v.absent) {
			lh_buf_puts(out, "There is no audit log: no access was recorded, or the "
				    "log was removed.");
			break;
		}
		lh_buf_printf(out,
			      "%s audit log's chain of %llu row%s verifies from the first row to "
			      "the last; ", r->v.state == LH_CHAIN_ANCHORED ? "The"
			      : "As far as is known without an anchor, the", rows, s);
		if (listed == 1)
			lh_buf_puts(out, "the one row in the window is listed.");
		else
			lh_buf_printf(out, "all %llu rows in the window are listed.", listed);
		if (r->v.state != LH_CHAIN_ANCHORED)
			lh_buf_puts(out, " It was not compared with an anchor: whether rows are "
				    "missing at its end is not known.");
	}
}

/* All up to the rows. */
static void write_head(struct lh_writer *w, const struct report *r)
{
	lh_write_object(w, NULL);
	lh_write_text(w, "schema", "subject_audit_response.v1");
	lh_write_text(w, "candidate_id", r->id);
	lh_write_text(w, "generated_at", r->generated_at);
	lh_write_object(w, "window");
	lh_write_text(w, "from", r->s->from);
	lh_write_text(w, "to", r->s->to);
	lh_write_end(w);
	lh_write_key(w, "manifest");
	if (r->has_manifest)
		lh_json_compact(w->out, r->manifest.object.p, r->manifest.object.n);
	else
		lh_buf_puts(w->out, "null");
	lh_write_object(w, "audit_log");
	lh_write_array(w, "rows");
}

/* All after them. */
static void write_tail(struct lh_writer *w, const struct report *r)
{
	static const char *const faults[] = { NULL, NULL, ROOT_MISMATCH, "a second log" };
	bool own;
	enum report_fault fault = report_fault(r);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	size_t i;

	lh_write_end(w);
	lh_write_u64(w, "rows_in_window", r->in_window);
	lh_write_bool(w, "chain_verified", !fault);
	lh_write_u64(w, "chain_rows_total", r->rows);
	lh_write_text(w, "chain_root", r->v.tip);
	own = fault == REPORT_CHAIN || fault == REPORT_ANCHOR;
	lh_write_text(w, "chain_error", own ? r->error : faults[fault]);
	lh_write_end(w);
	/* Write the names of the manifest's datasets. */
	lh_write_array(w, "datasets_referenced");
	for (i = 0; i < r->manifest.n_datasets; i++)
		lh_write_value(w, NULL, &r->manifest.dataset[i].name_json);
	lh_write_end(w);
	lh_write_key(w, "safe_views_available");
	if (r->has_manifest)
		lh_json_compact(w->out, r->manifest.safe_views.p, r->manifest.safe_views.n);
	else
		lh_buf_puts(w->out, "[]");
	report_attest(r, &text);
	lh_buf_putc(&text, '\0');
	lh_write_bytes(w, "completeness_attestation", text.p);
	lh_write_end(w);
}

struct rows_out {
	struct report *r;
	struct lh_buf *out;
	struct lh_writer w;
	int (*flush)(struct report *r, struct lh_buf *out);
};

static int write_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct rows_out *o = ctx;

	(void)err;
	lh_write_raw(&o->w, NULL, (struct lh_str){ rec->line, rec->len });
	return o->flush(o->r, o->out);
}

int report_json(struct report *r, struct lh_buf *out,
		int (*flush)(struct report *r, struct lh_buf *out))
{
	struct rows_out o = { .r = r, .out = out, .w = lh_write_to(out), .flush = flush };

	write_head(&o.w, r);
	if (flush(r, out) < 0 || report_rows(r, write_row, &o) < 0)
		return -1;
	write_tail(&o.w, r);
	return 0;
}

/* ---- manifest and logs ---- */

static int find_manifest(struct report *r)
{
	char name[LH_SUBJECT_MAX + 1], *path = NULL;
	struct lh_str root;
	int rc = lh_manifest_name(name, r->s->dir, r->id, strlen(r->id), &r->tool->err);

	if (!rc)
		path = lh_subject_path(r->s->dir, name, LH_SUBJECT_MANIFEST);
	rc = path ? lh_manifest_read(&r->manifest, path, &r->tool->err) : -1;
	free(path);
	if (rc)
		return rc < 0 ? -1 : 0;
	r->has_manifest = lh_manifest_is(&r->manifest, r->id, strlen(r->id));
	if (!r->has_manifest) {
		lh_manifest_free(&r->manifest);
		return 0;
	}
	root = r->manifest.audit_log_chain_root;
	if (root.n == LH_CHAIN_TIP - 1)	/* else it is GENESIS, or not known yet */
		memcpy(r->root, root.p, root.n);
	return 0;
}

/* Find the log: 1 if it exists, and is not another subject's with the same file name. */
static int find_log(struct report *r, const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	int rc;

	r->log = lh_subject_path(r->s->dir, name, LH_SUBJECT_LOG);
	if (access(r->log, F_OK) < 0)
		return 0;
	rc = lh_chain_subject(r->log, r->tool->max_line, r->tool->lock_timeout, &id, &r->tool->err);
	if (rc > 0)
		rc = id.len == strlen(r->id) && memcmp(id.p, r->id, id.len) == 0;
	else if (rc == 0)
		rc = 1;		/* its first row has no id: the verdict will report it */
	return rc;
}

/* If the log is one that another program named, there may be a second one with the
 * id's own name. */
static void find_second(struct report *r, const char *name)
{
	char own[LH_SUBJECT_MAX + 1];
	struct stat st;

	if (lh_subject_name(own, r->id, strlen(r->id), &r->tool->err) < 0 || strcmp(own, name) == 0)
		return;
	r->second = lh_subject_path(r->s->dir, own, LH_SUBJECT_LOG);
	if (stat(r->second, &st) < 0 || !st.st_size) {
		free(r->second);
		r->second = NULL;
	}
}

/* Verify the log, against the anchor that there is of it. */
static int verify_log(struct report *r, const char *name, bool there)
{
	struct lh_chain_check c = check_of(r->tool, r->s, name, NULL);
	struct key_check key = { .good = false };
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	int rc = anchor_for(&a, r->tool, r->s);

	r->v = (struct lh_chain_verdict){ .tip = "GENESIS", .state = LH_CHAIN_INTACT,
					  .absent = true };
	if (!rc)
		c.anchor = anchor_find(&a, name);
	if (!rc && !c.anchor)
		c.anchor = anchor_find_id(&a, r->id, strlen(r->id), name);
	r->anchored = c.anchor ? c.anchor->count : 0;
	if (!rc && (there || c.anchor))
		rc = lh_chain_verify(r->log, &c, &r->v, &r->tool->err);
	if (!rc)
		rc = key_settle(&key, r->tool, r->s, &c, r->log, &r->v);
	if (!rc && key_is_wrong(&key)) {
		r->wrong_key = true;
		rc = key_error(&r->tool->err);
	}
	return rc < 0 ? -1 : c.anchor != NULL;
}

int report_find(struct report *r)
{
	char name[LH_SUBJECT_MAX + 1];
	int log, anchored;

	if (!lh_utf8_valid(r->id, strlen(r->id)))
		return lh_tool_usage(r->tool, "the ID is not valid UTF-8");
	if (lh_chain_log_name(name, r->s->dir, r->id, strlen(r->id), &r->tool->err) < 0 ||
	    find_manifest(r) < 0)
		return -1;
	log = find_log(r, name);
	if (log < 0)
		return -1;
	find_second(r, name);
	anchored = verify_log(r, name, log);
	if (anchored < 0)
		return -1;
	lh_chain_error(&r->v, r->error);
	return log || r->has_manifest || anchored;
}

void report_free(struct report *r)
{
	lh_manifest_free(&r->manifest);
	free(r->log);
	free(r->second);
}

/* ---- the command ---- */

/* Print a part of the report, unless standard output gets the page. */
static int print_part(struct report *r, struct lh_buf *out)
{
	if (r->s->html && !strcmp(r->s->html, "-")) {
		lh_buf_reset(out);
		return 0;
	}
	return print(r->tool, out);
}

static int print_report(struct report *r)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	int rc = report_json(r, &out, print_part);

	lh_buf_putc(&out, '\n');
	return rc ? rc : print_part(r, &out);
}

/* ---- proofs ---- */

struct proofs_out {
	struct report *r;
	struct lh_row_proofs proofs;
	struct lh_atomic file;
	struct lh_buf b;
	uint64_t missing;
};

/* Write the proof of the row that was read last, if it is committed. */
static int write_proof(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *mac = lh_record_get(rec, "row_hmac");
	struct proofs_out *o = ctx;
	int rc;

	if (o->r->rows > o->proofs.at.count || !mac || mac->n != LH_CHAIN_TIP + 1) {
		o->missing++;
		return 0;
	}
	rc = lh_row_proofs_add(&o->proofs, o->r->rows - 1, (struct lh_str){ rec->line, rec->len },
			       (struct lh_str){ mac->p + 1, mac->n - 2 }, &o->b, err);
	if (!rc)
		rc = lh_atomic_write(&o->file, o->b.p, o->b.len, err);
	lh_buf_reset(&o->b);
	return rc;
}

/* Write the proofs of the rows in the window to the file of --proofs. */
static int report_proofs(struct report *r)
{
	char name[LH_SUBJECT_MAX + 1];
	struct proofs_out o = { .r = r, .file = { .fd = -1, .slot = -1 } };
	struct lh_err *err = &r->tool->err;
	int rc = lh_chain_log_name(name, r->s->dir, r->id, strlen(r->id), err);

	if (!rc)
		rc = lh_row_proofs_open(&o.proofs, r->s->dir, name, r->s->tlog, err);
	if (!rc)
		rc = lh_atomic_open(&o.file, r->s->proofs, 0600, err);
	if (!rc)
		rc = report_rows(r, write_proof, &o);
	if (!rc)
		rc = lh_atomic_commit(&o.file, err);
	if (!rc && o.missing)
		lh_tool_warn(r->tool, "%s: %llu of %llu rows are not committed, and not in it",
			     r->s->proofs, (unsigned long long)o.missing,
			     (unsigned long long)r->in_window);
	lh_atomic_close(&o.file);
	lh_row_proofs_close(&o.proofs);
	lh_buf_free(&o.b);
	return rc;
}

int audit_report(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_free_local) char *id = operand_id(tool, s, tool->operands[0]);
	LH_SCOPED(report_free) struct report r = { .tool = tool, .s = s, .id = id };
	char now[32];
	int rc;

	lh_tool_time(tool, now);
	r.generated_at = now;
	rc = report_find(&r);
	if (rc == 0)
		lh_tool_warn(tool, "%s: no log and no manifest in %s", r.id, s->dir);
	if (rc == 0)
		lh_tool_verdict_bad(tool);
	if (rc > 0 && (r.v.state == LH_CHAIN_TORN || r.v.state == LH_CHAIN_EMPTY))
		log_say(tool, r.log, &(struct log){ .anchor = NULL }, &r.v, r.error);
	if (rc > 0) {
		rc = print_report(&r);
		if (report_fault(&r))
			lh_tool_verdict_bad(tool);
		if (!rc && s->proofs)
			rc = report_proofs(&r);
		if (!rc && s->html)
			rc = report_html(&r);
	}
	return rc;
}
