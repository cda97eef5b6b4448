/*
 * export.c - lh-subject export: copy the rows that find lists into a folder.  See subject.h.
 *
 * Find keeps the bytes of all rows in an unnamed file below TMPDIR, since only when all are found
 * it is known which runs and samples are the person's.  Then the folder is written under another
 * name.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/chain.h"

#include "archive/archive.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "manifest/manifest.h"
#include "store/store.h"
#include "subject.h"

#define LOOKUPS "lookups.jsonl"

struct export {
	struct lh_tool *tool;
	struct settings *s;
	struct person *who;
	struct lh_err *err;
	struct hits hits;
	char *folder;			/* under which it is written */
	struct lh_files files;		/* of it, the last one as out */
	int out;
	int kept;			/* a file in which the bytes of rows are kept */
	uint64_t n_kept;
	struct lh_intern own;		/* run ids, and ids of samples, of the person's rows */
	struct lh_buf text;		/* a row at hand */
	size_t rows, redacted;
	uint64_t unproved;		/* rows of the log without a proof, with --tlog */
};

/* ---- files of the folder ---- */

static int put(struct export *x, const void *p, size_t n)
{
	return lh_write_all(x->out, p, n, x->err);
}

/* Begin a file of the folder, and end it. */
static int file_begin(struct export *x, const char *name)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(x->folder, name);

	lh_files_add(&x->files, lh_str_of(name));
	x->out = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return x->out < 0 ? lh_err_sys(x->err, "%s", path) : 0;
}

static int file_end(struct export *x)
{
	struct lh_listed *f = &x->files.v[x->files.n - 1];
	int rc = 0;

	if (fsync(x->out) < 0 || lseek(x->out, 0, SEEK_SET) < 0)
		rc = lh_err_sys(x->err, "%s: cannot sync", x->folder);
	if (!rc && lh_digest_read(x->out, UINT64_MAX, &f->is, x->err) < 0)
		rc = -1;
	close(x->out);
	x->out = -1;
	return rc;
}

/* Begin the file for the rows of a place. */
static int begin_rows(struct export *x, const struct place *p, bool whole)
{
	const char *slash = strrchr(p->path, '/'), *base = slash ? slash + 1 : p->path;
	const size_t stem = whole ? strlen(base) : lh_archive_stem(base);
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	size_t i;

	if (p->kind == PLACE_CHAIN && place_is_own(p, x->who->id))
		return file_begin(x, LOOKUPS);
	if (p->kind == PLACE_MANIFEST && place_is_own(p, x->who->id))
		return file_begin(x, "manifest.json");
	lh_buf_printf(&name, "data/%04zu-%s-", x->files.n + 1, place_is[p->kind].name);
	for (i = 0; i < stem && i < 100; i++)
		lh_buf_putc(&name, (base[i] >= '0' && base[i] <= '9') || base[i] == '-' ||
			    (base[i] | 32) - 'a' + 0u < 26u || base[i] == '.' ? base[i] : '_');
	lh_buf_printf(&name, "%s%c", whole || lh_archive_named(base, ".jsonl") ? "" : ".jsonl",
		      '\0');
	return file_begin(x, name.p);
}

/* Add a row to the file of its place, without other persons' data. */
static int put_row(struct export *x, size_t i, const struct place *p)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct hit *h = &x->hits.v[i];
	const struct lh_str text = { x->text.p, x->text.len };
	int rc = x->s->want.unredacted || place_is_own(p, x->who->id)
		? 0 : redact_row(x->who, &x->own, p->kind, text, &out, x->err);

	if (rc < 0)
		return -1;
	if (!rc)
		lh_buf_add(&out, text.p, text.n);
	if (!h->whole)
		lh_buf_putc(&out, '\n');
	h->file = x->files.v[x->files.n - 1].path;
	h->row = i && h[-1].file == h->file ? h[-1].row + 1 : 1;
	h->redacted = rc;
	x->redacted += h->redacted;
	x->rows++;
	return put(x, out.p, out.len);
}

static int put_rows(struct export *x)
{
	size_t i, place = NO_HIT;
	int rc = 0;

	for (i = 0; !rc && i < x->hits.n; i++) {
		const struct hit *h = &x->hits.v[i];
		const struct place *p = &x->s->places.v[h->place];

		if (!h->n)
			continue;	/* a secret opens commitments, and says nothing */
		rc = lh_line_again(x->kept, "temporary file", h->at, h->n, &x->text, x->err);
		lh_buf_room(&x->text, LH_PAD);
		if (h->place != place && place != NO_HIT && !rc)
			rc = file_end(x);
		if (h->place != place && !rc)
			rc = begin_rows(x, p, h->whole);
		place = h->place;
		if (!rc)
			rc = put_row(x, i, p);
	}
	return rc || place == NO_HIT ? rc : file_end(x);
}

/* ---- the proofs ---- */

struct proving {
	struct export *x;
	struct lh_row_proofs proofs;
	struct lh_buf line;
};

static int prove_row(void *ctx, uint64_t row, struct lh_str line, struct lh_str row_hmac,
		     struct lh_err *err)
{
	struct proving *p = ctx;

	lh_buf_reset(&p->line);
	if (lh_row_proofs_add(&p->proofs, row, line, row_hmac, &p->line, err) < 0)
		return -1;
	return put(p->x, p->line.p, p->line.len);
}

static int prove_rows(struct proving *p, const char *log)
{
	const uint64_t n = p->proofs.at.count;
	struct export *x = p->x;
	size_t i;

	for (i = 0; i < x->files.n; i++)
		if (!strcmp(x->files.v[i].path, LOOKUPS))
			x->unproved = x->files.v[i].is.records > n
				? x->files.v[i].is.records - n : 0;
	if (!n)
		return 0;
	return file_begin(x, "proofs.jsonl") < 0 ||
	       lh_commit_rows(log, 0, n, prove_row, p, x->err) < 0 ? -1 : file_end(x);
}

/* Add the proofs of the look-ups that are committed to --tlog. */
static int put_proofs(struct export *x)
{
	struct proving p = { .x = x };
	const char *dir = x->s->subjects;
	char name[LH_SUBJECT_MAX + 1];
	LH_SCOPED(lh_free_local) char *log = NULL;
	int rc;

	if (!x->s->tlog)
		return 0;
	if (!dir)
		return lh_tool_usage(x->tool, "--tlog needs --subjects, the logs of look-ups");
	rc = lh_chain_log_name(name, dir, x->who->id.p, x->who->id.n, x->err);
	if (!rc)
		log = lh_subject_path(dir, name, LH_SUBJECT_LOG);
	rc = log ? lh_row_proofs_open(&p.proofs, dir, name, x->s->tlog, x->err) : -1;
	if (!rc)
		rc = prove_rows(&p, log);
	lh_row_proofs_close(&p.proofs);
	lh_buf_free(&p.line);
	return rc;
}

/* ---- what describes them ---- */

static int put_contents(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	size_t i;

	if (file_begin(x, "contents.jsonl") < 0)
		return -1;
	for (i = 0; i < x->hits.n; i++) {
		const struct hit *h = &x->hits.v[i];
		struct lh_writer w = lh_write_to(&out);

		if (!h->file)
			continue;
		lh_buf_reset(&out);
		hit_write(&w, x->s, x->who, &x->hits, i);
		w = lh_write_again(&out);
		lh_write_text(&w, "file", h->file);
		lh_write_u64(&w, "at", h->row);
		lh_write_bool(&w, "redacted", h->redacted);
		lh_write_end(&w);
		lh_buf_putc(&out, '\n');
		if (put(x, out.p, out.len) < 0)
			return -1;
	}
	return file_end(x);
}

static int put_sums(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	lh_files_sort(&x->files);
	lh_files_sums(&out, &x->files);
	return file_begin(x, "SHA256SUMS") < 0 || put(x, out.p, out.len) < 0 ? -1 : file_end(x);
}

/* ---- the folder ---- */

static int make_folder(struct export *x)
{
	LH_SCOPED(lh_free_local) char *data = NULL;
	const char *out = x->s->out, *base;
	size_t n = strlen(out);

	if (access(out, F_OK) == 0)
		return lh_err_set(x->err, LH_EUSAGE, "%s: is there already; --out names a folder "
				  "to be made", out);
	while (n > 1 && out[n - 1] == '/')
		n--;
	base = memrchr(out, '/', n);
	base = base ? base + 1 : out;
	x->folder = lh_format("%.*s.%.*s.lh-tmp-%d", (int)(base - out), out, (int)(out + n - base),
			      base, (int)getpid());
	data = lh_format("%s/data", x->folder);
	return lh_own_mkdir(x->folder, 0700, x->err) < 0 ? -1 : lh_own_mkdir(data, 0700, x->err);
}

static int keep_row(void *ctx, struct hit *h, struct lh_str row, struct lh_err *err)
{
	struct export *x = ctx;

	h->at = x->n_kept;
	h->n = row.n;
	x->n_kept += row.n;
	return redact_note(&x->own, x->s->places.v[h->place].kind, row, err) < 0 ? -1
		: lh_write_all(x->kept, row.p, row.n, err);
}

static int make(struct export *x)
{
	x->kept = lh_store_spool(x->err);
	x->hits.row = keep_row;
	x->hits.ctx = x;
	if (x->kept < 0 || find_person(x->tool, x->s, x->who, &x->hits, x->err) < 0)
		return -1;
	if (!x->hits.n)		/* there is nothing to hand over */
		return 0;
	if (make_folder(x) < 0 || put_rows(x) < 0 || put_proofs(x) < 0 || put_contents(x) < 0 ||
	    put_sums(x) < 0)
		return -1;
	if (x->rows && looked(x->tool, x->s, x->who, &x->hits, false, "export") < 0)
		return -1;
	if (rename(x->folder, x->s->out) < 0)
		return lh_err_sys(x->err, "%s", x->s->out);
	return lh_sync_folder(x->s->out, x->err);
}

static int print_summary(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", x->who->id);
	if (x->folder)
		lh_write_bytes(&w, "out", x->s->out);
	else
		lh_write_null(&w, "out");
	lh_write_u64(&w, "rows", x->rows);
	lh_write_u64(&w, "redacted", x->redacted);
	lh_write_u64(&w, "files", x->files.n);
	lh_write_u64(&w, "unproved", x->unproved);
	lh_write_bool(&w, "complete", !x->hits.incomplete);
	write_searched(&w, x->who, NULL);
	lh_buf_printf(&sentence, "%zu row%s exported, of which %zu had data of others", x->rows,
		      x->rows == 1 ? " was" : "s were", x->redacted);
	put_snapshots(&sentence, x->s, NULL);
	lh_buf_puts(&sentence, "; ");
	put_searched(&sentence, x->who);
	return end_summary(x->tool, x->s, &w, &sentence);
}

static int export(struct lh_tool *tool, struct settings *s, struct person *who)
{
	struct export x = { .tool = tool, .s = s, .who = who, .err = &tool->err, .out = -1,
			    .kept = -1 };
	int rc;

	if (s->exported)
		return lh_tool_usage(tool, "--out is one folder, of one person");
	s->exported = true;
	rc = make(&x);
	if (rc && x.folder)
		lh_remove_all(x.folder);
	if (!rc)
		rc = print_summary(&x);
	if (!rc && !x.rows)
		set_status(tool, s, 1);
	if (x.hits.incomplete)
		set_status(tool, s, 2);
	hits_free(&x.hits);
	lh_files_free(&x.files);
	free(x.folder);
	if (x.out >= 0)
		close(x.out);
	if (x.kept >= 0)
		close(x.kept);
	lh_intern_free(&x.own);
	lh_buf_free(&x.text);
	return rc;
}

int subject_export(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (!s->out)
		return lh_tool_usage(tool, "missing --out DIR, the folder");
	return each_person(tool, s, V_EXPORT, export);
}
