/* export.c - lh-subject export: what is held about a person, as an archive.  See export.h. */
#include "export.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/chain.h>
#include <lh/digest.h>

#include "archive/archive.h"
#include "audit/row_proof.h"
#include "base/mem.h"
#include "file/file.h"
#include "store/store.h"

#define HELD 65536

/* ---- files ---- */

static int spool_flush(struct spool *s, struct lh_err *err)
{
	if (lh_write_all(s->fd, s->held.p, s->held.len, err) < 0)
		return -1;
	lh_buf_reset(&s->held);
	return 0;
}

int spool_add(struct spool *s, const void *p, size_t n, struct lh_err *err)
{
	lh_buf_add(&s->held, p, n);
	s->n += n;
	return s->held.len < HELD ? 0 : spool_flush(s, err);
}

int spool_read(struct spool *s, uint64_t at, uint64_t n, struct lh_buf *out, struct lh_err *err)
{
	ssize_t got = 0;

	lh_buf_reset(out);
	if (spool_flush(s, err) < 0)
		return -1;
	lh_buf_room(out, n + LH_PAD);
	for (; out->len < n; out->len += (size_t)got) {
		got = pread(s->fd, out->p + out->len, n - out->len, (off_t)(at + out->len));
		if (got <= 0)
			return lh_err_sys(err, "cannot read a temporary file");
	}
	return 0;
}

static void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	lh_buf_free(&s->held);
}

struct export_file *export_begin(struct export *x, const char *name, size_t place)
{
	struct export_file *f;

	lh_grow(&x->file, &x->cap_files, x->n_files + 1, sizeof *f);
	f = &x->file[x->n_files];
	*f = (struct export_file){ .at = x->made.n, .place = place };
	f->name = lh_strndup(name, strlen(name));
	x->n_files++;
	return f;
}

int export_end(struct export *x)
{
	struct export_file *f = &x->file[x->n_files - 1];
	LH_SCOPED(lh_buf_free) struct lh_buf part = { 0 };
	struct lh_sha256 sum;
	uint64_t at, n;

	f->n = x->made.n - f->at;
	lh_sha256_start(&sum);
	for (at = 0; at < f->n; at += n) {
		n = f->n - at < HELD ? f->n - at : HELD;
		if (spool_read(&x->made, f->at + at, n, &part, x->err) < 0)
			return -1;
		lh_sha256_more(&sum, part.p, part.len);
	}
	lh_sha256_end(&sum, f->sha256);
	return 0;
}

/* ---- the rows ---- */

/* Begin the file for the rows of a place. */
static struct export_file *begin_rows(struct export *x, size_t place, bool whole)
{
	const struct place *p = &x->s->places.v[place];
	const char *slash = strrchr(p->path, '/'), *base = slash ? slash + 1 : p->path;
	const size_t stem = whole ? strlen(base) : lh_archive_stem(base);
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	size_t i;

	if (p->kind == PLACE_CHAIN && place_is_own(p, x->who->id))
		return export_begin(x, "lookups.jsonl", place);
	if (p->kind == PLACE_MANIFEST && place_is_own(p, x->who->id))
		return export_begin(x, "manifest.json", place);
	lh_buf_printf(&name, "data/%04zu-%s-", x->n_files + 1, place_kind_name(p->kind));
	for (i = 0; i < stem && i < 100; i++)
		lh_buf_putc(&name, (base[i] >= '0' && base[i] <= '9') || base[i] == '-' ||
			    (base[i] | 32) - 'a' + 0u < 26u || base[i] == '.' ? base[i] : '_');
	lh_buf_printf(&name, "%s%c", whole || lh_archive_named(base, ".jsonl") ? "" : ".jsonl",
		      '\0');
	return export_begin(x, name.p, place);
}

/* Add a row to the file of its place, without other persons' data. */
static int add_row(struct export *x, struct export_row *row)
{
	struct export_file *f = &x->file[x->n_files - 1];
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_str text;
	int rc;

	if (spool_read(&x->read, row->at, row->n, &x->text, x->err) < 0)
		return -1;
	text = (struct lh_str){ x->text.p, x->text.len };
	rc = x->s->unredacted ? 0 : export_redact(x, row, text, &out);
	if (rc < 0)
		return -1;
	if (rc)
		text = (struct lh_str){ out.p, out.len };
	row->file = x->n_files - 1;
	row->line = ++f->rows;
	row->bytes = text.n;
	row->redacted = rc;
	f->redacted += row->redacted;
	lh_sha256(text.p, text.n, row->sha256);
	if (spool_add(&x->made, text.p, text.n, x->err) < 0)
		return -1;
	return row->whole ? 0 : spool_add(&x->made, "\n", 1, x->err);
}

static int add_rows(struct export *x)
{
	size_t i, place = NO_HIT;

	for (i = 0; i < x->n; i++) {
		const struct hit *h = &x->hits.v[x->row[i].hit];

		if (h->place != place && place != NO_HIT && export_end(x) < 0)
			return -1;
		if (h->place != place && !begin_rows(x, h->place, x->row[i].whole))
			return -1;
		place = h->place;
		if (add_row(x, &x->row[i]) < 0)
			return -1;
	}
	return place == NO_HIT ? 0 : export_end(x);
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
	return spool_add(&p->x->made, p->line.p, p->line.len, err);
}

static int prove_rows(struct proving *p, const char *log)
{
	const uint64_t n = p->proofs.at.count;
	struct export *x = p->x;
	size_t i;

	for (i = 0; i < x->n_files; i++)
		if (!strcmp(x->file[i].name, "lookups.jsonl"))
			x->unproved = x->file[i].rows > n ? x->file[i].rows - n : 0;
	if (!n)
		return 0;
	if (!export_begin(x, "proofs.jsonl", NO_HIT) ||
	    lh_commit_rows(log, 0, n, prove_row, p, x->err) < 0)
		return -1;
	return export_end(x);
}

/* Add the proofs of the look-ups that are committed to --tlog. */
static int add_proofs(struct export *x)
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

static int add_contents(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	char hex[LH_SHA256_HEX];
	size_t i;

	if (!export_begin(x, "contents.jsonl", NO_HIT))
		return -1;
	for (i = 0; i < x->n; i++) {
		const struct export_row *row = &x->row[i];
		struct lh_writer w = lh_write_to(&out);

		lh_buf_reset(&out);
		hit_write(&w, x->s, x->who, &x->hits, row->hit);
		w = lh_write_again(&out);
		lh_hex(row->sha256, sizeof row->sha256, hex);
		lh_write_text(&w, "file", x->file[row->file].name);
		lh_write_u64(&w, "at", row->line);
		lh_write_u64(&w, "bytes", row->bytes);
		lh_write_str(&w, "sha256", (struct lh_str){ hex, sizeof hex });
		lh_write_bool(&w, "redacted", row->redacted);
		lh_write_end(&w);
		lh_buf_putc(&out, '\n');
		if (spool_add(&x->made, out.p, out.len, x->err) < 0)
			return -1;
	}
	return export_end(x);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct export_file *)a)->name, ((const struct export_file *)b)->name);
}

/* Put the page first, then the others by their names, then their sums. */
static int add_sums(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct export_file page = x->file[x->n_files - 1];
	char hex[LH_SHA256_HEX];
	size_t i;

	memmove(x->file + 1, x->file, (x->n_files - 1) * sizeof page);
	x->file[0] = page;
	qsort(x->file + 1, x->n_files - 1, sizeof page, by_name);
	for (i = 0; i < x->n_files; i++) {
		lh_hex(x->file[i].sha256, 32, hex);
		lh_buf_printf(&out, "%.*s  %s\n", (int)sizeof hex, hex, x->file[i].name);
	}
	if (!export_begin(x, "SHA256SUMS", NO_HIT) ||
	    spool_add(&x->made, out.p, out.len, x->err) < 0)
		return -1;
	return export_end(x);
}

static int make(struct export *x)
{
	lh_tool_time(x->tool, x->now);
	if (find_person(x->tool, x->s, x->who, &x->hits, x->err) < 0)
		return -1;
	x->read.fd = lh_store_spool(x->err);
	x->made.fd = x->read.fd < 0 ? -1 : lh_store_spool(x->err);
	if (x->made.fd < 0 || export_read(x) < 0 || add_rows(x) < 0 || add_proofs(x) < 0 ||
	    add_contents(x) < 0 || export_page(x) < 0 || add_sums(x) < 0)
		return -1;
	if (x->n && looked(x->tool, x->s, x->who, &x->hits, "export") < 0)
		return -1;
	return export_archive(x);
}

static int print_summary(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	size_t i, redacted = 0;

	for (i = 0; i < x->n; i++)
		redacted += x->row[i].redacted;
	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", x->who->id);
	lh_write_bytes(&w, "out", x->s->out);
	lh_write_u64(&w, "rows", x->n);
	lh_write_u64(&w, "redacted", redacted);
	lh_write_u64(&w, "files", x->n_files);
	lh_write_u64(&w, "unproved", x->unproved);
	lh_write_bool(&w, "complete", !x->hits.incomplete);
	write_searched(&w, x->who, NULL);
	lh_buf_printf(&sentence, "%zu row%s exported, of which %zu had data of others; ", x->n,
		      x->n == 1 ? " was" : "s were", redacted);
	put_searched(&sentence, x->who);
	return end_summary(x->tool, &w, &sentence);
}

static int export(struct lh_tool *tool, struct settings *s, struct person *who)
{
	struct export x = { .tool = tool, .s = s, .who = who, .err = &tool->err,
			    .read.fd = -1, .made.fd = -1 };
	int rc;

	if (s->exported)
		return lh_tool_usage(tool, "--out is one archive, of one person");
	s->exported = true;
	rc = make(&x);
	if (!rc)
		rc = print_summary(&x);
	if (!rc && !x.n)
		lh_tool_verdict_bad(tool);
	if (x.hits.incomplete)
		lh_tool_failed(tool);
	hits_free(&x.hits);
	while (x.n_files)
		free(x.file[--x.n_files].name);
	free(x.file);
	free(x.row);
	spool_close(&x.read);
	spool_close(&x.made);
	lh_intern_free(&x.own);
	lh_buf_free(&x.text);
	return rc;
}

int subject_export(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (!s->out)
		return lh_tool_usage(tool, "missing --out FILE, the archive");
	return each_person(tool, s, export);
}
