/* health.c - lh-distill health and receipts: evidence, and the receipts of stored runs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "audit/subject.h"
#include "base/mem.h"
#include "distill.h"
#include "distill/evidence.h"
#include "distill/receipt.h"
#include "distill/score.h"
#include "file/rows.h"
#include "json/write.h"

/* ---- receipts ---- */

void warn_bad(struct lh_tool *tool, const struct lh_buf *bad)
{
	struct lh_str rest = { bad->p, bad->len }, line;

	while (lh_next_line(&rest, &line))
		lh_tool_warn(tool, "passed over: %.*s", (int)line.n, line.p);
}

/* Print a report on one line: a line end in JSON is white space between tokens. */
static int put_report(struct lh_tool *tool, struct lh_report *r)
{
	char *p = r->file.p + (r->rec.line - r->file.p);
	size_t i;

	for (i = 0; i < r->rec.len; i++)
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
	return lh_tool_out(tool, p, r->rec.len) < 0 ? -1 : lh_tool_out(tool, "\n", 1);
}

/* Print one report: 1, 0 if it does not exist, -1. */
static int print_one(struct lh_tool *tool, struct lh_report *r, const struct lh_root *root,
		     const char *id, const char *name, const char *schema)
{
	int rc = report_read(r, root, id, name, schema, &tool->err);

	return rc > 0 && put_report(tool, r) < 0 ? -1 : rc;
}

static int print_run(struct lh_tool *tool, const struct lh_root *root, const char *id)
{
	LH_SCOPED(lh_report_free) struct lh_report r;
	int i, rc = 0, found = 0;

	lh_report_init(&r);
	for (i = 0; rc >= 0 && i < LH_STAGES; i++) {
		rc = print_one(tool, &r, root, id, lh_stage_name((enum lh_stage)i),
			       "stage_receipt");
		found |= rc;
	}
	if (rc >= 0) {
		rc = print_one(tool, &r, root, id, "summary", "run_summary");
		found |= rc;
	}
	if (rc >= 0 && !found)
		return lh_err_set(&tool->err, LH_EIO, "%s: no such run in %s/%s", id,
				  lh_root_path(root), LH_ROOT_REPORTS);
	return rc < 0 ? -1 : 0;
}

static int print_newest(struct lh_tool *tool, const struct lh_root *root)
{
	LH_SCOPED(lh_buf_free) struct lh_buf bad = { 0 };
	char *id = NULL;
	int rc = report_newest(&id, root, NULL, true, &bad, &tool->err);

	warn_bad(tool, &bad);
	if (!rc)
		rc = lh_err_set(&tool->err, LH_EIO, "%s/%s: no run yet", lh_root_path(root),
				LH_ROOT_REPORTS);
	else if (rc > 0)
		rc = print_run(tool, root, id);
	free(id);
	return rc;
}

int distill_receipts(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_root *root = lh_root_open(s->run.root, &tool->err);
	int rc;

	if (!root)
		return -1;
	rc = s->run.run_id ? print_run(tool, root, s->run.run_id) : print_newest(tool, root);
	lh_root_close(root);
	return rc;
}

/* ---- health ---- */

#define SAMPLE 30	/* rows checked without --all, distributed over the sources */
#define MESSAGES 20	/* without --verbose */

struct count {
	uint64_t rows, checked, mismatched, missing, scored, scoreable;
};

struct health {
	struct lh_tool *tool;
	struct lh_root *root;
	uint64_t sample;	/* rows to check of each source */
	bool there[LH_STREAMS];	/* has evidence */
	uint64_t done, reported;	/* rows of evidence, and findings */

	/* of the current source: */
	enum lh_stream stream;
	struct count n;
	const char *evidence;	/* the file of evidence, and its line */
	uint64_t line;
	struct lh_rows *rows;	/* of evidence, or of scored runs */
	struct lh_rows *source;
	/* source is open, and is at `at`, or (at.line 0) before its first line */
	bool open;
	struct lh_file_row at;
	uint64_t before;	/* the lines between this one and at are blank */
	uint64_t end;		/* there is no line from this one on */
	struct lh_record rec, row;
	struct lh_scorer *scorer;
	struct lh_buf scratch;
};

/* Count a finding; return whether it is to be printed. */
static bool is_shown(struct health *h)
{
	lh_tool_verdict_bad(h->tool);
	if (h->reported++ < MESSAGES || h->tool->verbose)
		return true;
	if (h->reported == MESSAGES + 1)
		lh_tool_message(h->tool, "further messages suppressed (--verbose shows all)");
	return false;
}

static void add_finding(struct health *h, const char *fmt, ...) LH_PRINTF(2, 3);
static void add_finding(struct health *h, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!is_shown(h))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	lh_tool_message(h->tool, "%s:%llu: %s", h->evidence, (unsigned long long)h->line, text);
}

/* ---- the line that a record came from ---- */

static int open_rows(const struct health *h, struct lh_rows *rows, const char *relpath,
		     struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(h->root, relpath);

	return lh_rows_open(rows, path, err);
}

/* Go to the source's line of that number, from 1: 1, 0 if there is none, -1.
 * Evidence is in the order of its source, so this continues from the last position,
 * whatever lines are missing. */
static int seek_line(struct health *h, uint64_t line, struct lh_err *err)
{
	int rc = 1;

	if (line >= h->end || (h->open && line > h->before && line < h->at.line))
		return 0;
	if (!h->open || h->at.line > line) {
		rc = open_rows(h, h->source, lh_stream_source(h->stream), err);
		h->open = rc > 0;
		h->at.line = 0;
	}
	while (rc > 0 && h->at.line < line) {
		h->before = h->at.line;
		rc = lh_rows_next(h->source, &h->at, err);
	}
	if (rc == 0) {
		h->open = false;
		h->end = line;
	}
	return rc > 0 ? h->at.line == line : rc;
}

/* Check that the source's line has that hash. */
static int check_row(struct health *h, uint64_t offset, const unsigned char want[32],
		     struct lh_err *err)
{
	unsigned char hash[32];
	const char *p;
	size_t skip;
	int rc = seek_line(h, offset + 1, err);

	if (rc < 0)
		return -1;
	if (!rc) {
		h->n.missing++;
		add_finding(h, "%s: no line %llu", lh_stream_source(h->stream),
			    (unsigned long long)offset + 1);
		return 1;
	}
	p = h->at.p;
	skip = h->at.line == 1 ? lh_mark_len(p, h->at.n) : 0;
	rc = lh_record_parse(&h->row, p + skip, h->at.n - skip, err);
	if (!rc)
		rc = lh_sig_hash(&h->row, &h->scratch, hash, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	if (!rc && !memcmp(hash, want, sizeof hash))
		return 0;
	add_finding(h, "%s:%llu: %s", lh_stream_source(h->stream), (unsigned long long)offset + 1,
	     rc < 0 ? err->msg : "its hash is not the one in the evidence");
	return 1;
}

/* Read the origin of a record: 1, 0 if it has none, -1. */
static int provenance(struct health *h, uint64_t *offset, unsigned char hash[32],
		      struct lh_err *err)
{
	const char *source = lh_stream_source(h->stream);
	struct lh_provenance from;

	if (lh_provenance_read(&h->rec, &from, &h->scratch, err) < 0)
		return -1;
	if (!lh_str_is(from.source_file, source, strlen(source)) || !from.sig_hash.p ||
	    !lh_unhex(from.sig_hash.p, from.sig_hash.n, hash) || from.line < 0)
		return 0;
	*offset = (uint64_t)from.line;
	return 1;
}

/* ---- the evidence ---- */

static int check_line(struct health *h, const struct lh_file_row *row, struct lh_err *err)
{
	bool sampled = h->n.rows++ < h->sample;
	struct lh_judged judged;
	unsigned char hash[32];
	uint64_t offset = 0;
	int has, rc = lh_record_parse(&h->rec, row->p, row->n, err);

	if (!rc)
		rc = lh_score_check(h->scorer, &h->rec, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	if (!rc) {
		has = provenance(h, &offset, hash, err);
		if (has < 0)
			return -1;
		if (!has)
			rc = lh_err_set(err, LH_EDATA, "provenance: not %s",
					lh_stream_source(h->stream));
	}
	h->n.checked += sampled || rc;
	if (rc < 0) {
		h->n.mismatched++;
		add_finding(h, "%s", err->msg);
		return 0;
	}
	lh_score_judge(h->scorer, &h->rec, &judged);
	h->n.scoreable += judged.category != LH_NEEDS_HUMAN_REVIEW;
	rc = sampled ? check_row(h, offset, hash, err) : 0;
	h->n.mismatched += rc > 0;
	return rc < 0 ? -1 : 0;
}

static int on_evidence(void *ctx, const char *relpath, struct lh_err *err)
{
	struct health *h = ctx;
	struct lh_file_row row;
	int rc;

	if (lh_stream_of(relpath, strlen(relpath)) != h->stream)
		return 0;
	h->evidence = relpath;
	rc = open_rows(h, h->rows, relpath, err);
	while (rc > 0 && (rc = lh_rows_next(h->rows, &row, err)) > 0) {
		h->line = row.line;
		if (check_line(h, &row, err) < 0)
			return -1;
		lh_tool_progress(h->tool, ++h->done);
	}
	return rc;
}

static int on_scored(void *ctx, const char *relpath, struct lh_err *err)
{
	struct health *h = ctx;
	struct lh_file_row row;
	int rc;

	if (lh_stream_of(relpath, strlen(relpath)) != h->stream)
		return 0;
	rc = open_rows(h, h->rows, relpath, err);
	while (rc > 0 && (rc = lh_rows_next(h->rows, &row, err)) > 0)
		h->n.scored++;
	return rc;
}

/* Note which sources have evidence. */
static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct health *h = ctx;
	enum lh_stream stream = lh_stream_of(relpath, strlen(relpath));

	(void)err;
	if (stream != LH_STREAM_NONE) {
		h->there[stream] = true;
		return 0;
	}
	lh_tool_verdict_bad(h->tool);
	lh_tool_warn(h->tool, "%s: evidence of no source that there is", relpath);
	return 0;
}

/* ---- the verb ---- */

static int print(struct health *h)
{
	const struct count *n = &h->n;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_writer json = lh_write_to(&b);

	lh_write_object(&json, NULL);
	lh_write_text(&json, "source", lh_stream_name(h->stream));
	lh_write_u64(&json, "rows", n->rows);
	lh_write_u64(&json, "checked", n->checked);
	lh_write_u64(&json, "mismatched", n->mismatched);
	lh_write_u64(&json, "missing", n->missing);
	lh_write_u64(&json, "scored", n->scored);
	lh_write_u64(&json, "scoreable", n->scoreable);
	lh_write_end(&json);
	lh_buf_putc(&b, '\n');
	return lh_tool_out(h->tool, b.p, b.len);
}

static int check_all(struct health *h, bool all, struct lh_err *err)
{
	uint64_t n = 0;
	int i;

	if (lh_root_each(h->root, LH_ROOT_EVIDENCE, on_file, h, err) < 0)
		return -1;
	for (i = 0; i < LH_STREAMS; i++)
		n += h->there[i];
	h->sample = all ? UINT64_MAX : n ? (SAMPLE + n - 1) / n : 0;
	for (i = 0; i < LH_STREAMS; i++) {
		h->stream = (enum lh_stream)i;
		h->n = (struct count){ 0 };
		h->open = false;
		h->end = UINT64_MAX;
		lh_tool_doing(h->tool, lh_stream_name(h->stream));
		if (lh_root_each(h->root, LH_ROOT_EVIDENCE, on_evidence, h, err) ||
		    lh_root_each(h->root, LH_ROOT_SCORED, on_scored, h, err) || print(h) < 0)
			return -1;
	}
	return 0;
}

/* Report what receipts and files have against each other. */
static void on_fault(void *ctx, enum lh_receipt_fault what, const char *text)
{
	struct health *h = ctx;

	if (what == LH_RECEIPT_UNCOVERED)
		lh_tool_message(h->tool, "%s", text);
	else if (is_shown(h))
		lh_tool_message(h->tool, "%s%s",
				what == LH_RECEIPT_MISSING ? "the newest run: " : "", text);
}

/* Compare all files with the newest receipts. */
static int check_receipts(struct health *h, const char *subjects, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *below = lh_root_join(h->root, LH_SUBJECT_DIR);
	struct lh_receipts c = { .root = h->root, .fault = on_fault, .ctx = h,
				 .subjects = subjects ? subjects : below };
	LH_SCOPED(lh_buf_free) struct lh_buf bad = { 0 };
	char *id = NULL;
	int rc;

	h->reported = 0;
	rc = report_newest(&id, h->root, NULL, false, &bad, err);
	if (rc >= 0 && bad.len)
		lh_tool_verdict_bad(h->tool);
	if (rc >= 0)
		warn_bad(h->tool, &bad);
	c.run_id = id;
	if (rc >= 0)
		rc = lh_receipts_check(&c, err);
	if (!rc)
		lh_tool_message(h->tool, "%s compared with the newest receipts",
				LH_N(c.files, "file"));
	free(id);
	return rc;
}

int distill_health(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct health h = { .tool = tool, .root = lh_root_open(s->run.root, err) };
	int rc = -1;

	if (h.root && (h.scorer = lh_scorer_new()) && (h.rows = lh_rows_new()) &&
	    (h.source = lh_rows_new()))
		rc = check_all(&h, s->all, err);
	if (!rc)
		lh_tool_verdict_over(tool, h.done, "rows of evidence", s->run.root);
	if (!rc && s->all)
		rc = check_receipts(&h, s->subjects, err);
	lh_rows_free(h.rows);
	lh_rows_free(h.source);
	lh_scorer_free(h.scorer);
	lh_record_free(&h.rec);
	lh_record_free(&h.row);
	lh_buf_free(&h.scratch);
	lh_root_close(h.root);
	return rc;
}
