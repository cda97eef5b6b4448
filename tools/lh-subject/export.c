/*
 * export.c - lh-subject export: copy the rows that find lists into a folder.  See subject.h.
 *
 * All rows are read into an unnamed file below TMPDIR first, since only then it is known which
 * runs and samples are the person's.  Then the folder is written under another name.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/chain.h>
#include <lh/digest.h>
#include <lh/index.h>
#include <lh/num.h>

#include "archive/archive.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "base/table.h"
#include "file/file.h"
#include "flow/flow.h"
#include "index/index_tools.h"
#include "store/store.h"
#include "subject.h"

#define HELD 65536
#define LOOKUPS "lookups.jsonl"

struct row {
	size_t hit, file;
	uint64_t at, n;			/* in the rows that were read */
	uint64_t line;			/* in its file, from 1 */
	bool whole;			/* a file by itself, not a line */
	bool redacted;
};

struct file {
	char *name;
	unsigned char sha256[32];
	uint64_t rows;
};

struct export {
	struct lh_tool *tool;
	struct settings *s;
	struct person *who;
	struct lh_err *err;
	struct hits hits;
	int fd;				/* the rows that were read, ... */
	uint64_t n_read;		/* ... so many bytes of them */
	struct row *row;
	size_t n, cap;
	char *folder;			/* under which it is written */
	struct file *file;		/* of it, the last one as out */
	size_t n_files, cap_files;
	int out;
	struct lh_buf held;		/* bytes of it that were not written yet */
	struct lh_sha256 sum;
	struct lh_intern own;		/* run ids, and ids of samples, of the person's rows */
	struct lh_buf text;		/* a row at hand */
	size_t redacted;
	uint64_t unproved;		/* rows of the log without a proof, with --tlog */
};

/* The hits of a place. */
struct reading {
	struct export *x;
	size_t first, n;
};

/* ---- what is read ---- */

static int add(struct export *x, size_t hit, struct lh_str text, bool whole)
{
	lh_grow(&x->row, &x->cap, x->n + 1, sizeof *x->row);
	x->row[x->n++] = (struct row){ .hit = hit, .at = x->n_read, .n = text.n, .whole = whole };
	if (lh_write_all(x->fd, text.p, text.n, x->err) < 0)
		return -1;
	x->n_read += text.n;
	return redact_note(&x->own, x->s->places.v[x->hits.v[hit].place].kind, text, x->err);
}

/* Set x->text to a row. */
static int read_back(struct export *x, const struct row *row)
{
	ssize_t got = 0;

	lh_buf_reset(&x->text);
	lh_buf_room(&x->text, row->n + LH_PAD);
	for (; x->text.len < row->n; x->text.len += (size_t)got) {
		got = pread(x->fd, x->text.p + x->text.len, row->n - x->text.len,
			    (off_t)(row->at + x->text.len));
		if (got <= 0)
			return lh_err_sys(x->err, "cannot read a temporary file");
	}
	return 0;
}

static size_t hit_from(const struct reading *r, uint64_t line)
{
	return hits_from(&r->x->hits, r->x->hits.v[r->first].place, line);
}

static bool is_wanted(const struct reading *r, uint64_t line)
{
	const size_t i = hit_from(r, line);

	return i < r->first + r->n && r->x->hits.v[i].line == line;
}

static int pick(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	(void)result, (void)err;
	if (!is_wanted(context, rec->number))
		return 0;
	lh_buf_add(out, rec->line, rec->len);
	return 1;
}

static void pick_bad(const struct lh_bad_line *bad, void *result, struct lh_buf *out, void *context)
{
	(void)result;
	if (bad->p && is_wanted(context, bad->line))
		lh_buf_add(out, bad->p, bad->n);
}

/* Take a line of the file or, if a hit has its name, of a member. */
static int take(const struct lh_output *o, void *shared, struct lh_err *err)
{
	const struct reading *r = shared;
	const struct export *x = r->x;
	size_t i;

	(void)err;
	for (i = hit_from(r, o->line); i < r->first + r->n && x->hits.v[i].line == o->line; i++) {
		const struct hit *h = &x->hits.v[i];

		if (o->n && !strcmp(o->file, h->id ? h->id : x->s->places.v[h->place].path))
			return add(r->x, i, (struct lh_str){ o->text, o->n }, false);
	}
	return 0;
}

static int read_lines(struct reading *r, struct place *p)
{
	struct lh_flow flow = { .fill = pick, .result_size = 1, .bad = pick_bad, .sink = take,
				.shared = r, .lines = true };

	return place_flow(p, &flow, r->x->err);
}

static int read_whole(struct reading *r, const struct place *p)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text;
	int rc;

	lh_buf_init(&text, PLACE_WHOLE_MAX);
	rc = lh_file_read(p->path, &text, r->x->err);
	if (rc <= 0)
		return rc ? -1 : lh_err_set(r->x->err, LH_EIO, "%s: has just been removed",
					    p->path);
	return add(r->x, r->first, (struct lh_str){ text.p, text.len }, true);
}

/* Append a record as {"id","metadata","vector"}; the metadata are as they were stored. */
static int write_record(const struct lh_index *ix, uint64_t row, struct lh_buf *out,
			struct lh_err *err)
{
	const uint32_t n = lh_index_get_params(ix)->dimension;
	LH_SCOPED(lh_free_local) float *vector = lh_calloc(n + 1, sizeof *vector);
	struct lh_writer w = lh_write_to(out);
	struct lh_row is;

	if (lh_index_row(ix, row, &is, err) < 0)
		return -1;
	lh_index_vector(ix, row, vector);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", is.id);
	if (is.meta.n)
		lh_write_raw(&w, "metadata", is.meta);
	lh_write_key(&w, "vector");
	lh_buf_f32s(out, vector, n);
	lh_write_end(&w);
	return 0;
}

static int read_records(struct reading *r, const struct place *p)
{
	struct lh_err *err = r->x->err;
	struct lh_index *ix = lh_index_open(p->path, err);
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	size_t i;
	int64_t row;
	int rc = ix ? 0 : -1;

	for (i = r->first; !rc && i < r->first + r->n; i++) {
		const char *id = r->x->hits.v[i].id;

		lh_buf_reset(&out);
		row = lh_index_find(ix, id, strlen(id), err);
		if (row == -1)
			lh_err_set(err, LH_EIO, "%s: %s has just been removed", p->path, id);
		rc = row < 0 ? -1 : write_record(ix, (uint64_t)row, &out, err);
		if (!rc)
			rc = add(r->x, i, (struct lh_str){ out.p, out.len }, false);
	}
	lh_index_close(ix);
	return rc;
}

/* Return whether a place is one JSON text, as find reads it. */
static bool is_whole(const struct place *p)
{
	const size_t n = strlen(p->path);

	return (p->kind == PLACE_RECEIPT || p->kind == PLACE_DATASET ||
		p->kind == PLACE_MANIFEST || p->kind == PLACE_KEPT_SOURCE) &&
	       n > 5 && !strcmp(p->path + n - 5, ".json");
}

/* Read the rows of all hits. */
static int read_rows(struct export *x)
{
	const struct hit *v = x->hits.v;
	size_t i, n;
	int rc = 0;

	for (i = 0; !rc && i < x->hits.n; i += n) {
		struct place *p = &x->s->places.v[v[i].place];
		struct reading r = { x, i, 0 };

		for (n = 1; i + n < x->hits.n && v[i + n].place == v[i].place; n++)
			;
		r.n = n;
		if (p->kind == PLACE_SECRET)
			continue;	/* it opens commitments, and says nothing */
		rc = !v[i].line && v[i].id ? read_records(&r, p) : is_whole(p) ? read_whole(&r, p)
									: read_lines(&r, p);
	}
	return rc;
}

/* ---- what is written ---- */

static int flush(struct export *x)
{
	const int rc = lh_write_all(x->out, x->held.p, x->held.len, x->err);

	lh_sha256_more(&x->sum, x->held.p, x->held.len);
	lh_buf_reset(&x->held);
	return rc;
}

static int put(struct export *x, const void *p, size_t n)
{
	lh_buf_add(&x->held, p, n);
	return x->held.len < HELD ? 0 : flush(x);
}

/* Begin a file of the folder, and end it. */
static int file_begin(struct export *x, const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_grow(&x->file, &x->cap_files, x->n_files + 1, sizeof *x->file);
	x->file[x->n_files++] = (struct file){ .name = lh_strndup(name, strlen(name)) };
	lh_sha256_start(&x->sum);
	lh_buf_printf(&path, "%s/%s%c", x->folder, name, '\0');
	x->out = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return x->out < 0 ? lh_err_sys(x->err, "%s", path.p) : 0;
}

static int file_end(struct export *x)
{
	int rc = flush(x);

	lh_sha256_end(&x->sum, x->file[x->n_files - 1].sha256);
	if (!rc && fsync(x->out) < 0)
		rc = lh_err_sys(x->err, "%s: cannot sync", x->folder);
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
	lh_buf_printf(&name, "data/%04zu-%s-", x->n_files + 1, place_kind_name(p->kind));
	for (i = 0; i < stem && i < 100; i++)
		lh_buf_putc(&name, (base[i] >= '0' && base[i] <= '9') || base[i] == '-' ||
			    (base[i] | 32) - 'a' + 0u < 26u || base[i] == '.' ? base[i] : '_');
	lh_buf_printf(&name, "%s%c", whole || lh_archive_named(base, ".jsonl") ? "" : ".jsonl",
		      '\0');
	return file_begin(x, name.p);
}

/* Add a row to the file of its place, without other persons' data. */
static int put_row(struct export *x, struct row *row, const struct place *p)
{
	struct file *f = &x->file[x->n_files - 1];
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_str text;
	int rc;

	if (read_back(x, row) < 0)
		return -1;
	text = (struct lh_str){ x->text.p, x->text.len };
	rc = x->s->unredacted || place_is_own(p, x->who->id)
		? 0 : redact_row(x->who, &x->own, p->kind, text, &out, x->err);
	if (rc < 0)
		return -1;
	if (rc)
		text = (struct lh_str){ out.p, out.len };
	row->file = x->n_files - 1;
	row->line = ++f->rows;
	row->redacted = rc;
	x->redacted += row->redacted;
	if (put(x, text.p, text.n) < 0)
		return -1;
	return row->whole ? 0 : put(x, "\n", 1);
}

static int put_rows(struct export *x)
{
	size_t i, place = NO_HIT;

	for (i = 0; i < x->n; i++) {
		const size_t of = x->hits.v[x->row[i].hit].place;
		const struct place *p = &x->s->places.v[of];

		if (of != place && place != NO_HIT && file_end(x) < 0)
			return -1;
		if (of != place && begin_rows(x, p, x->row[i].whole) < 0)
			return -1;
		place = of;
		if (put_row(x, &x->row[i], p) < 0)
			return -1;
	}
	return place == NO_HIT ? 0 : file_end(x);
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

	for (i = 0; i < x->n_files; i++)
		if (!strcmp(x->file[i].name, LOOKUPS))
			x->unproved = x->file[i].rows > n ? x->file[i].rows - n : 0;
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
	for (i = 0; i < x->n; i++) {
		const struct row *row = &x->row[i];
		struct lh_writer w = lh_write_to(&out);

		lh_buf_reset(&out);
		hit_write(&w, x->s, x->who, &x->hits, row->hit);
		w = lh_write_again(&out);
		lh_write_text(&w, "file", x->file[row->file].name);
		lh_write_u64(&w, "at", row->line);
		lh_write_bool(&w, "redacted", row->redacted);
		lh_write_end(&w);
		lh_buf_putc(&out, '\n');
		if (put(x, out.p, out.len) < 0)
			return -1;
	}
	return file_end(x);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static int put_sums(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	char hex[LH_SHA256_HEX];
	size_t i;

	qsort(x->file, x->n_files, sizeof *x->file, by_name);
	for (i = 0; i < x->n_files; i++) {
		lh_hex(x->file[i].sha256, 32, hex);
		lh_buf_printf(&out, "%.*s  %s\n", (int)sizeof hex, hex, x->file[i].name);
	}
	return file_begin(x, "SHA256SUMS") < 0 || put(x, out.p, out.len) < 0 ? -1 : file_end(x);
}

/* ---- the folder ---- */

static int make_folder(struct export *x)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	const char *out = x->s->out, *base;
	size_t n = strlen(out);

	if (access(out, F_OK) == 0)
		return lh_err_set(x->err, LH_EUSAGE, "%s: is there already; --out names a folder "
				  "to be made", out);
	while (n > 1 && out[n - 1] == '/')
		n--;
	base = memrchr(out, '/', n);
	base = base ? base + 1 : out;
	lh_buf_printf(&path, "%.*s.%.*s.lh-tmp-%d/data%c", (int)(base - out), out,
		      (int)(out + n - base), base, (int)getpid(), '\0');
	x->folder = lh_strndup(path.p, path.len - sizeof "/data");
	if (lh_own_mkdir(x->folder, 0700, x->err) < 0)
		return -1;
	return lh_own_mkdir(path.p, 0700, x->err);
}

static int make(struct export *x)
{
	if (find_person(x->tool, x->s, x->who, &x->hits, x->err) < 0)
		return -1;
	x->fd = lh_store_spool(x->err);
	if (x->fd < 0 || read_rows(x) < 0 || make_folder(x) < 0 || put_rows(x) < 0 ||
	    put_proofs(x) < 0 || put_contents(x) < 0 || put_sums(x) < 0)
		return -1;
	if (x->n && looked(x->tool, x->s, x->who, &x->hits, "export") < 0)
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
	lh_write_bytes(&w, "out", x->s->out);
	lh_write_u64(&w, "rows", x->n);
	lh_write_u64(&w, "redacted", x->redacted);
	lh_write_u64(&w, "files", x->n_files);
	lh_write_u64(&w, "unproved", x->unproved);
	lh_write_bool(&w, "complete", !x->hits.incomplete);
	write_searched(&w, x->who, NULL);
	lh_buf_printf(&sentence, "%zu row%s exported, of which %zu had data of others; ", x->n,
		      x->n == 1 ? " was" : "s were", x->redacted);
	put_searched(&sentence, x->who);
	return end_summary(x->tool, &w, &sentence);
}

static int export(struct lh_tool *tool, struct settings *s, struct person *who)
{
	struct export x = { .tool = tool, .s = s, .who = who, .err = &tool->err, .fd = -1,
			    .out = -1 };
	int rc;

	if (s->exported)
		return lh_tool_usage(tool, "--out is one folder, of one person");
	s->exported = true;
	rc = make(&x);
	if (rc && x.folder)
		lh_remove_all(x.folder);
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
	free(x.folder);
	if (x.fd >= 0)
		close(x.fd);
	if (x.out >= 0)
		close(x.out);
	lh_buf_free(&x.held);
	lh_intern_free(&x.own);
	lh_buf_free(&x.text);
	return rc;
}

int subject_export(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	if (!s->out)
		return lh_tool_usage(tool, "missing --out DIR, the folder");
	return each_person(tool, s, export);
}
