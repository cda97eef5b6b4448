/* export_page.c - the page of an export: one file, nothing loaded.  See export.h. */
#include "audit/access_html.h"
#include "audit/subject_manifest.h"
#include "export.h"
#include "text/escape.h"

#define SHOWN_ROWS 100		/* of a place that the page shows; all are in its file */
#define SHOWN_BYTES 2000	/* of a row */
#define SHOWN_ACCESSES 10000

static const char style[] = LH_ACCESS_STYLE
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);"
	"padding:.5rem .7rem;font-size:.85rem;margin:.4rem 0}\n"
	"details{margin:.6rem 0}summary{cursor:pointer}\n";

/* What rows of a place are, in words for the person. */
static const char *words_of(enum place_kind kind)
{
	static const char *const words[PLACE_KINDS] = {
		[PLACE_INDEX] = "Entries of a search index, by which you can be found: a "
				"description of you, and a list of numbers that was "
				"computed from it",
		[PLACE_PLAYBOOK] = "Notes that you were chosen for a request, by which "
				   "later searches rank you",
		[PLACE_LOG] = "Entries of a log: requests and answers in which you are",
		[PLACE_SOURCE] = "Entries of what was observed, from which examples are made",
		[PLACE_SKIPS] = "Entries that were left out, with the reason",
		[PLACE_EVIDENCE] = "Records that were made of such entries",
		[PLACE_SCORED] = "Marks that such records were given",
		[PLACE_RAG] = "Examples that were made of them, to be looked up",
		[PLACE_SFT] = "Examples that were made of them, to train a model",
		[PLACE_PREFERENCE] = "Pairs of a better and a worse example that were made of them",
		[PLACE_QUARANTINE] = "Examples that were refused",
		[PLACE_REPLAYS] = "Answers of a model that was shown such examples",
		[PLACE_RECEIPT] = "Reports about how examples were made",
		[PLACE_DATASET] = "Descriptions of tables",
		[PLACE_OBJECT] = "Rows of a table or a stored file",
		[PLACE_ROSTER] = "Your record in the list of workers",
		[PLACE_MANIFEST] = "The record of your consent, and how long data are kept",
		[PLACE_CHAIN] = "Entries of the record of who looked at data",
		[PLACE_TREE] = "Entries of a public log",
		[PLACE_SPOOL] = "Requests that were being received",
	};

	return words[kind] ? words[kind] : "Entries of another file";
}

static int flush(struct export *x, struct lh_buf *page)
{
	int rc = 0;

	rc = spool_add(&x->made, page->p, page->len, x->err);
	lh_buf_reset(page);
	return rc;
}

/* ---- what is held ---- */

/* Show the rows of a file, as they are in the archive. */
static int put_rows(struct export *x, size_t file, struct lh_buf *page)
{
	const struct export_file *f = &x->file[file];
	uint64_t at = f->at;
	size_t i, shown = 0;

	for (i = 0; i < x->n && shown < SHOWN_ROWS; i++) {
		const struct export_row *row = &x->row[i];
		const uint64_t n = row->bytes < SHOWN_BYTES ? row->bytes : SHOWN_BYTES;

		if (row->file != file)
			continue;
		if (spool_read(&x->made, at, n, &x->text, x->err) < 0)
			return -1;
		lh_buf_puts(page, "<pre>");
		lh_html_data(page, x->text.p, x->text.len);
		lh_buf_puts(page, n < row->bytes ? "&hellip;</pre>\n" : "</pre>\n");
		at += row->bytes + !row->whole;
		shown++;
		if (flush(x, page) < 0)
			return -1;
	}
	if (shown < f->rows)
		lh_buf_printf(page, "<p class=\"note\">%zu more are in the file.</p>\n",
			      f->rows - shown);
	return 0;
}

static int put_file(struct export *x, size_t file, struct lh_buf *page)
{
	const struct export_file *f = &x->file[file];
	const struct place *p = &x->s->places.v[f->place];
	const size_t before = file ? f[-1].place : NO_HIT;

	if (before == NO_HIT || x->s->places.v[before].kind != p->kind)
		lh_buf_printf(page, "<h3>%s</h3>\n", words_of(p->kind));
	lh_escape_printf(page, lh_html_data, "<p>%llu in <code>%s</code>, from <code>%s</code>.",
			 (unsigned long long)f->rows, f->name, p->path);
	if (f->redacted)
		lh_buf_printf(page, " In %zu of them the data of other persons are left out.",
			      f->redacted);
	lh_buf_puts(page, "</p>\n<details><summary>Show</summary>\n");
	if (put_rows(x, file, page) < 0)
		return -1;
	lh_buf_puts(page, "</details>\n");
	return 0;
}

static bool is_log(const struct export *x, size_t file)
{
	return !strcmp(x->file[file].name, "lookups.jsonl");
}

static int put_held(struct export *x, struct lh_buf *page)
{
	size_t i;

	lh_buf_printf(page, "<h2>What is held about you, and where</h2>\n<p>%zu entries were "
		      "found. Each is in this archive, as it is stored, in the file that is "
		      "named with it; <code>contents.jsonl</code> lists where each comes from and "
		      "why it counts as yours.</p>\n", x->n);
	for (i = 0; i < x->n_files; i++)
		if (x->file[i].place != NO_HIT && !is_log(x, i) && put_file(x, i, page) < 0)
			return -1;
	return 0;
}

/* ---- who looked ---- */

static int put_access(struct export *x, const struct export_row *row, uint64_t at,
		      struct lh_buf *page, struct lh_buf *strings)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc;

	if (spool_read(&x->made, at, row->bytes, &x->text, x->err) < 0)
		return -1;
	rc = lh_record_parse(&rec, x->text.p, x->text.len, x->err);
	if (!rc)
		rc = lh_access_html(page, &rec, strings, x->err);
	else if (x->err->code == LH_EDATA)
		rc = 0;		/* it is in the file all the same */
	return rc ? rc : flush(x, page);
}

static int put_accesses(struct export *x, size_t file, struct lh_buf *page)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	const struct export_file *f = &x->file[file];
	uint64_t at = f->at;
	size_t i, shown = 0;
	int rc = 0;

	lh_buf_printf(page, "<p>%zu time%s; the entries are in <code>lookups.jsonl</code>.</p>\n"
		      LH_ACCESS_BEGIN, f->rows, f->rows == 1 ? "" : "s");
	for (i = 0; !rc && i < x->n && shown < SHOWN_ACCESSES; i++) {
		if (x->row[i].file != file)
			continue;
		rc = put_access(x, &x->row[i], at, page, &strings);
		at += x->row[i].bytes + 1;
		shown++;
	}
	lh_buf_puts(page, LH_ACCESS_END);
	if (shown < f->rows)
		lh_buf_printf(page, "<p class=\"note\">%zu more are in the file.</p>\n",
			      f->rows - shown);
	return rc;
}

static int put_looked(struct export *x, struct lh_buf *page)
{
	size_t i;

	lh_buf_puts(page, "<h2>Who looked at your data, and what for</h2>\n");
	for (i = 0; i < x->n_files && !is_log(x, i); i++)
		;
	if (i == x->n_files)
		lh_buf_puts(page, "<p>No access has been recorded.</p>\n");
	else if (put_accesses(x, i, page) < 0)
		return -1;
	for (i = 0; i < x->n_files; i++)
		if (!strcmp(x->file[i].name, "proofs.jsonl"))
			lh_buf_puts(page, "<p>The entries are also committed to a public log, "
				    "whose seals others keep. With <code>proofs.jsonl</code>, and "
				    "the public keys of that log in a file POLICY, it can be "
				    "checked that none of them was changed since:</p>\n<p>"
				    "<code>lh-tlog verify --row --policy POLICY proofs.jsonl"
				    "</code></p>\n");
	if (x->unproved)
		lh_buf_printf(page, "<p>%llu of them are not committed to it yet.</p>\n",
			      (unsigned long long)x->unproved);
	return 0;
}

/* ---- why, and until when ---- */

static void put_item(struct lh_buf *page, const char *label, struct lh_str s)
{
	if (!s.n)
		return;
	lh_buf_printf(page, "<dt>%s</dt>", label);
	lh_escape_printf(page, lh_html_data, "<dd>%.*s</dd>\n", (int)s.n, s.p);
}

static int put_manifest(struct export *x, const char *path, struct lh_buf *page)
{
	struct lh_manifest m = { .n_datasets = 0 };
	int rc = lh_manifest_read(&m, path, x->err);

	if (!rc) {
		lh_buf_puts(page, "<dl>\n");
		put_item(page, "Status", m.status);
		put_item(page, "What for", m.vertical);
		put_item(page, "Your consent to the use of personal data",
			 m.consent.general_pii.status);
		put_item(page, "Personal data may be kept until", m.retention.general_pii_until);
		put_item(page, "Under the policy", m.retention.policy);
		put_item(page, "Your consent to biometric data", m.consent.biometric.status);
		put_item(page, "Biometric data may be kept until",
			 m.consent.biometric.retention_until);
		lh_buf_puts(page, "</dl>\n");
	}
	lh_manifest_free(&m);
	return rc < 0 ? -1 : 0;
}

static int put_why(struct export *x, struct lh_buf *page)
{
	bool any = false;
	size_t i;

	lh_buf_puts(page, "<h2>Why, and until when</h2>\n");
	for (i = 0; i < x->s->places.n; i++) {
		const struct place *p = &x->s->places.v[i];

		if (p->kind != PLACE_MANIFEST || !place_is_own(p, x->who->id))
			continue;
		any = true;
		if (put_manifest(x, p->path, page) < 0)
			return -1;
	}
	if (!any)
		lh_buf_puts(page, "<p>No record of consent and of how long data are kept was "
			    "found. Ask the keeper of the data.</p>\n");
	return 0;
}

/* ---- the page ---- */

static void put_rest(struct export *x, struct lh_buf *page)
{
	size_t i;

	lh_buf_puts(page, "<h2>What is not in it</h2>\n<ul>\n");
	if (!x->s->unredacted)
		lh_buf_puts(page, "<li>Data of other persons in the same entries: they are "
			    "replaced by <code>[another person]</code>.</li>\n");
	lh_buf_puts(page, "<li>The secret by which entries of the public log can be linked to you: "
		    "the proofs have what is needed of it.</li>\n");
	if (x->hits.incomplete)
		lh_buf_puts(page, "<li><strong>Files that could not be searched when this was "
			    "made.</strong> It is not complete.</li>\n");
	for (i = 0; i < x->s->elsewhere.n; i++)
		lh_escape_printf(page, lh_html_data, "<li>What is in %s.</li>\n",
				 x->s->elsewhere.v[i]);
	lh_buf_puts(page, "</ul>\n<h2>How to check the files</h2>\n<p><code>sha256sum -c SHA256SUMS"
		    "</code> shows whether a file of this archive was changed.</p>\n");
}

int export_page(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf page = { 0 };

	/* The other files have been read, and their numbers do not change. */
	if (!export_begin(x, "index.html", NO_HIT))
		return -1;
	lh_html_open(&page, EXPORT_TITLE, style);
	lh_escape_printf(&page, lh_html_data, "<h1>" EXPORT_TITLE "</h1>\n<p class=\"note\">About "
			 "%.*s", (int)x->who->id.n, x->who->id.p);
	lh_buf_printf(&page, ", as of <time datetime=\"%s\">%.10s %.8s UTC</time></p>\n", x->now,
		      x->now, x->now + 11);
	if (put_held(x, &page) < 0 || put_looked(x, &page) < 0 || put_why(x, &page) < 0)
		return -1;
	put_rest(x, &page);
	lh_html_close(&page);
	return flush(x, &page) < 0 ? -1 : export_end(x);
}
