/* lineage_find.c - the files of a root, and rows by their names and keys.  See lineage.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "distill/receipt.h"
#include "distill/sample.h"
#include "file/file.h"
#include "file/rows.h"
#include "flow/flow.h"
#include "lineage_parts.h"

/* ---- the files of a root ---- */

static const struct {
	const char *step, *name;
} place_table[LH_PLACES] = {
	[LH_PLACE_SOURCE] = { "source", LH_ROOT_SOURCES },
	[LH_PLACE_SKIP] = { "skipped", LH_ROOT_SKIPS },
	[LH_PLACE_EVIDENCE] = { "evidence", LH_ROOT_EVIDENCE },
	[LH_PLACE_SCORED] = { "scored", LH_ROOT_SCORED },
	[LH_PLACE_RAG] = { "rag", "exports/rag" },
	[LH_PLACE_SFT] = { "sft", "exports/sft" },
	[LH_PLACE_PREFERENCE] = { "preference", "exports/preference" },
	[LH_PLACE_QUARANTINE] = { "quarantine", "exports/quarantine" },
	[LH_PLACE_REPLAY] = { "replay", "data/_kb/replay_runs.jsonl" },
	[LH_PLACE_BASELINE] = { "audit", "data/_kb/audit_baselines.jsonl" },
};

const char *lh_place_name(enum lh_place place)
{
	return place_table[place].name;
}

const char *lh_place_step(enum lh_place place)
{
	return place_table[place].step;
}

int lh_lineage_left_out(struct lh_lineage *l, const struct lh_err *err)
{
	if (err->code != LH_EIO && err->code != LH_ECORRUPT && err->code != LH_EDATA)
		return -1;
	l->how.warn(l->how.ctx, true, err->msg);
	return 0;
}

/* The same for a file of the root. */
static int left_out(struct lh_lineage *l, struct lh_lineage_file *f, struct lh_err *err)
{
	f->unreadable = true;
	return lh_lineage_left_out(l, err);
}

size_t lh_lineage_file_of(const struct lh_lineage *l, struct lh_str path)
{
	size_t i = 0;

	while (i < l->n_files && !lh_str_is(path, l->file[i].path, strlen(l->file[i].path)))
		i++;
	return i;
}

struct listing {
	struct lh_lineage *l;
	enum lh_place place;
};

static int lh_lineage_open_file(struct lh_lineage *l, size_t i, struct lh_err *err);

static int add_file(void *ctx, const char *relpath, struct lh_err *err)
{
	const struct listing *of = ctx;
	struct lh_lineage *l = of->l;
	struct lh_lineage_file *f;
	LH_SCOPED(lh_free_local) char *path = lh_root_join(l->root, relpath);
	struct stat st;

	lh_grow(&l->file, &l->cap_files, l->n_files + 1, sizeof *f);
	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	f = &l->file[l->n_files];
	*f = (struct lh_lineage_file){ .place = of->place };
	f->path = lh_strndup(relpath, strlen(relpath));
	l->n_files++;
	return lh_lineage_open_file(l, l->n_files - 1, err) < 0 ? left_out(l, f, err) : 0;
}

static int add_sources(struct listing *of, struct lh_err *err)
{
	int s, rc = 0;

	for (s = 0; s < LH_STREAMS && !rc; s++)
		rc = add_file(of, lh_stream_source((enum lh_stream)s), err);
	return rc;
}

static int add_place(struct lh_lineage *l, enum lh_place place, struct lh_err *err)
{
	struct listing of = { l, place };
	enum lh_exporter x = (enum lh_exporter)(place - LH_PLACE_RAG);
	int rc = 0, i;

	switch (place) {
	case LH_PLACE_SOURCE:
		return add_sources(&of, err);
	case LH_PLACE_EVIDENCE:
	case LH_PLACE_SCORED:
		return lh_root_each(l->root, place_table[place].name, add_file, &of, err);
	case LH_PLACE_RAG:
	case LH_PLACE_SFT:
	case LH_PLACE_PREFERENCE:
		return add_file(&of, lh_exporter_output(x), err);
	case LH_PLACE_QUARANTINE:
		for (i = 0; i < LH_EXPORTERS && !rc; i++)
			rc = add_file(&of, lh_exporter_quarantine((enum lh_exporter)i), err);
		return rc;
	default:
		return add_file(&of, place_table[place].name, err);
	}
}

int lh_lineage_list(struct lh_lineage *l, struct lh_err *err)
{
	int place, rc = 0;

	for (place = 0; place < LH_PLACES && !rc; place++)
		rc = add_place(l, (enum lh_place)place, err);
	return rc;
}

/* Return a descriptor of a file, or -1; LH_EIO. */
static int lh_lineage_open_file(struct lh_lineage *l, size_t i, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;

	if (l->fd >= 0 && l->opened == i)
		return l->fd;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	path = lh_root_join(l->root, l->file[i].path);
	l->fd = lh_open_regular(path, O_RDONLY, 0, err);
	l->opened = i;
	return l->fd;
}

/* ---- the keys of all rows of a file, read on threads ---- */

/* Memory:  8 bytes for each key; a row has one to four. */

struct mapper {
	struct lh_row_ids ids;
	enum lh_place place;
};

static int mapper_init(void *context, void *shared, struct lh_err *err)
{
	(void)err;
	((struct mapper *)context)->place = ((const struct lh_lineage_file *)shared)->place;
	return 0;
}

static void mapper_free(void *context)
{
	lh_row_ids_free(&((struct mapper *)context)->ids);
}

static int fill(struct lh_record *rec, void *unused, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct mapper *m = context;

	(void)unused;
	return lh_row_keys(&m->ids, m->place, rec, out, err) < 0 ? -1 : 1;
}

/* Pass over a line that is no record. */
static void on_bad(const struct lh_bad_line *line, void *unused, struct lh_buf *out, void *context)
{
	(void)line, (void)unused, (void)out, (void)context;
}

static int sink(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct lh_lineage_file *f = shared;
	uint32_t key;
	size_t i;

	if (o->line > UINT32_MAX)
		return lh_err_set(err, LH_EIO, "%s: more than 2^32 lines", o->file);
	lh_grow(&f->key, &f->cap_keys, f->n_keys + o->n / sizeof key, sizeof *f->key);
	for (i = 0; i + sizeof key <= o->n; i += sizeof key) {
		memcpy(&key, o->text + i, sizeof key);
		f->key[f->n_keys++] = (uint64_t)key << 32 | o->line;
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Read the keys of all rows of a file. */
static int read_keys(struct lh_lineage *l, size_t i, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];
	const struct lh_flow flow = {
		.plain = true, .tombstones = true, .jobs = l->how.jobs, .fill = fill,
		.result_size = sizeof(bool), .bad = on_bad, .sink = sink, .shared = f,
		.context_size = sizeof(struct mapper), .context_init = mapper_init,
		.context_free = mapper_free,
	};
	int fd = lh_lineage_open_file(l, i, err);

	if (fd < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "%s", f->path);
	if (lh_flow_fd(f->path, fd, &flow, err) < 0)
		return -1;
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (f->n_keys)
		qsort(f->key, f->n_keys, sizeof *f->key, by_key);
	f->keyed = true;
	return 0;
}

/* ---- rows by name ---- */

/*
 * A file is read through for the bytes of the name, and only the rows that have them are parsed.
 * The name may be escaped in a row, so a row in which it can be so is parsed, too.  From a file
 * that was read through SCANS times, and from one in which the name is not written but computed,
 * the keys of all rows are read once, and the rows are found by these.
 */

#define PIECE ((size_t)64 << 10)
#define LONGEST ((size_t)256 << 20)	/* bytes of a line */
#define SCANS 16
#define MARK_ROWS 64

void lh_hit_add(struct lh_hits *h, size_t file, uint64_t line)
{
	lh_grow(&h->hit, &h->cap, h->n + 1, sizeof *h->hit);
	h->hit[h->n++] = (struct lh_lineage_hit){ file, line };
}

static int by_line(const void *a, const void *b)
{
	const struct lh_lineage_hit *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* ---- by bytes ---- */

/* Look for a row; NULL: count the rows alone. */
struct scan {
	struct lh_lineage *l;
	size_t file, most;
	const struct lh_wanted *want;
	char escapes[16];	/* what follows a backslash where a byte of the name is escaped */
	uint32_t key;
	struct lh_buf keys;
	struct lh_hits *hits;
};

/* Return whether a row of the file has the key: 1, 0, -1. */
static int has_key(struct scan *s, const struct lh_file_row *row, struct lh_err *err)
{
	struct lh_lineage *l = s->l;
	size_t bom = row->line == 1 ? lh_mark_len(row->p, row->n) : 0, i;
	uint32_t key;

	if (row->n > LONGEST)
		return 0;
	if (lh_record_parse(&l->rec, row->p + bom, row->n - bom, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	lh_buf_reset(&s->keys);
	if (lh_row_keys(&l->ids, l->file[s->file].place, &l->rec, &s->keys, err) < 0)
		return -1;
	for (i = 0; i + sizeof key <= s->keys.len; i += sizeof key) {
		memcpy(&key, s->keys.p + i, sizeof key);
		if (key == s->key)
			return 1;
	}
	return 0;
}

/* Return whether a byte of the name may be escaped in the row. */
static bool may_escape(const struct scan *s, const struct lh_file_row *row)
{
	const char *p = row->p, *end = p + row->n;

	for (; (p = memchr(p, '\\', (size_t)(end - p))) && p + 1 < end; p++)
		if (strchr(s->escapes, p[1]))
			return true;
	return false;
}

static int on_row(struct scan *s, const struct lh_file_row *row, struct lh_err *err)
{
	int rc;

	if (!memmem(row->p, row->n, s->want->text.p, s->want->text.n) &&
	    !may_escape(s, row))
		return 0;
	rc = has_key(s, row, err);
	if (rc > 0)
		lh_hit_add(s->hits, s->file, row->line);
	return rc < 0 ? -1 : 0;
}

/* Read a file through; its rows and marks are known afterwards. */
static int scan(struct scan *s, struct lh_err *err)
{
	struct lh_lineage_file *f = &s->l->file[s->file];
	int fd = lh_lineage_open_file(s->l, s->file, err), rc;
	struct lh_rows *rows = fd < 0 ? NULL : lh_rows_new();
	const bool count = !f->counted;
	struct lh_file_row row;

	rc = rows ? lh_rows_open_fd(rows, fd, f->path, err) : -1;
	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0) {
		if (count && f->rows++ % MARK_ROWS == 0) {
			const struct lh_line_mark mark = { row.line, row.at };

			lh_grow(&f->mark, &f->cap_marks, f->n_marks + 1, sizeof mark);
			f->mark[f->n_marks++] = mark;
		}
		if (count)
			f->lines = row.line;
		if (rc > 0 && s->want && s->hits->n < s->most)
			rc = on_row(s, &row, err) < 0 ? -1 : 1;
		if (rc < 0 || (!count && s->hits->n >= s->most))
			break;
	}
	lh_rows_free(rows);
	f->counted = true;
	return rc < 0 ? -1 : 0;
}

int lh_lineage_count(struct lh_lineage *l, size_t i, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];

	if (f->counted || f->unreadable || scan(&(struct scan){ .l = l, .file = i }, err) == 0)
		return 0;
	return left_out(l, f, err);
}

/* ---- by keys ---- */

static void find_keys(const struct lh_lineage *l, size_t i, uint32_t key, size_t most,
		      struct lh_hits *hits)
{
	const struct lh_lineage_file *f = &l->file[i];
	const uint64_t least = (uint64_t)key << 32;
	size_t lo = 0, hi = f->n_keys, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (f->key[mid] < least)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < f->n_keys && f->key[lo] >> 32 == key && hits->n < most; lo++)
		lh_hit_add(hits, i, (uint32_t)f->key[lo]);
}

/* The places whose rows have names of a kind. */
#define MADE (1u << LH_PLACE_RAG | 1u << LH_PLACE_SFT | 1u << LH_PLACE_PREFERENCE)
#define RUNS (1u << LH_PLACE_EVIDENCE | 1u << LH_PLACE_SCORED | MADE | 1u << LH_PLACE_QUARANTINE)
static const unsigned places_of[] = {
	[LH_KEY_ID] = MADE | 1u << LH_PLACE_REPLAY,
	[LH_KEY_RUN] = RUNS,
	[LH_KEY_SIG] = RUNS | 1u << LH_PLACE_SOURCE | 1u << LH_PLACE_SKIP,
	[LH_KEY_LINE] = 1u << LH_PLACE_SKIP | 1u << LH_PLACE_EVIDENCE,
	[LH_KEY_RETRIEVED] = 1u << LH_PLACE_REPLAY,
};

/* Set which escapes the bytes of a name can have: of any byte that with a number. */
static void set_escapes(char escapes[16], struct lh_str name)
{
	bool control = false;
	size_t i, n = 1;

	escapes[0] = 'u';
	for (i = 0; i < name.n; i++) {
		control |= (unsigned char)name.p[i] < ' ';
		escapes[n] = '\0';
		if (strchr("/\"\\", name.p[i]) && !strchr(escapes, name.p[i]))
			escapes[n++] = name.p[i];
	}
	memcpy(escapes + n, control ? "bfnrt" : "", control ? 6 : 1);
}

static int find_in(struct lh_lineage *l, size_t i, const struct lh_wanted *want, size_t most,
		   struct lh_hits *hits, struct lh_err *err)
{
	struct scan s = { .l = l, .file = i, .most = most, .want = want, .hits = hits };
	struct lh_lineage_file *f = &l->file[i];
	int rc = 0;

	set_escapes(s.escapes, want->text);
	s.key = want->kind == LH_KEY_LINE ? lh_row_line_key(want->text, want->line)
					  : lh_row_key(want->kind, want->text);
	/* The hash of a row of a source is not in it. */
	if (!f->keyed && (l->how.every || f->scans++ == SCANS ||
			  (f->place == LH_PLACE_SOURCE && want->kind == LH_KEY_SIG)))
		rc = read_keys(l, i, err);
	if (!rc && f->keyed)
		find_keys(l, i, s.key, most, hits);
	else if (!rc)
		rc = scan(&s, err);
	lh_buf_free(&s.keys);
	return rc < 0 ? left_out(l, f, err) : 0;
}

int lh_lineage_find(struct lh_lineage *l, unsigned places, const struct lh_wanted *want,
		    struct lh_hits *hits, struct lh_err *err)
{
	size_t i, most = l->how.every ? SIZE_MAX : hits->n + LH_LINEAGE_CANDIDATES, kept = 0;

	places &= places_of[want->kind];
	for (i = 0; i < l->n_files && hits->n < most; i++) {
		const struct lh_lineage_file *f = &l->file[i];

		if (f->unreadable || !(places & 1u << f->place) ||
		    (want->source.p && f->place == LH_PLACE_SOURCE &&
		     !lh_str_is(want->source, f->path, strlen(f->path))))
			continue;
		if (find_in(l, i, want, most, hits, err) < 0)
			return -1;
	}
	hits->more |= hits->n >= most;
	if (hits->n)
		qsort(hits->hit, hits->n, sizeof *hits->hit, by_line);
	for (i = 0; i < hits->n; i++)
		if (!kept || by_line(&hits->hit[kept - 1], &hits->hit[i]))
			hits->hit[kept++] = hits->hit[i];
	hits->n = kept;
	return 0;
}

/* ---- lines ---- */

/* Append the next piece of the file to l->row: its length, 0 at the end, -1. */
static ssize_t read_piece(struct lh_lineage *l, int fd, const char *path, uint64_t at,
			  struct lh_err *err)
{
	char *room = lh_buf_room(&l->row, PIECE);
	ssize_t got;

	if (!room)
		return 0;
	do
		got = pread(fd, room, PIECE, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return lh_err_sys(err, "%s", path);
	lh_buf_took(&l->row, (size_t)got);
	return got;
}

/* Read the line that is `skip` lines after the offset `at`: 1, 0 if there is none, -1. */
static int read_line(struct lh_lineage *l, int fd, const char *path, uint64_t at, uint64_t skip,
		     struct lh_err *err)
{
	size_t from = 0, seen;
	const char *lf;
	ssize_t got;

	lh_buf_reset(&l->row);
	for (;;) {
		seen = l->row.len;
		got = read_piece(l, fd, path, at, err);
		if (got < 0)
			return -1;
		at += (uint64_t)got;
		while ((lf = memchr(l->row.p + seen, '\n', l->row.len - seen)) && skip) {
			seen = from = (size_t)(lf - l->row.p) + 1;
			skip--;
		}
		if (lf || !got)
			break;
		if (skip) {
			lh_buf_reset(&l->row);
			from = 0;
		} else if (l->row.len - from > LONGEST) {
			return 0;
		}
	}
	if (skip || (!lf && l->row.len == from))
		return 0;
	l->row.len = lf ? (size_t)(lf - l->row.p) : l->row.len;
	l->row.len -= from;
	memmove(l->row.p, l->row.p + from, l->row.len);
	if (!lh_buf_room(&l->row, LH_PAD))
		return 0;
	return 1;
}

int lh_lineage_line(struct lh_lineage *l, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[hit->file];
	size_t lo = 0, hi, mid;
	int fd, rc;

	if (lh_lineage_count(l, hit->file, err) < 0)
		return -1;
	if (f->unreadable || !f->n_marks || hit->line < f->mark[0].line || hit->line > f->lines)
		return 0;
	for (hi = f->n_marks; hi - lo > 1; ) {
		mid = lo + (hi - lo) / 2;
		if (f->mark[mid].line <= hit->line)
			lo = mid;
		else
			hi = mid;
	}
	fd = lh_lineage_open_file(l, hit->file, err);
	if (fd < 0)
		return -1;
	rc = read_line(l, fd, f->path, f->mark[lo].at, hit->line - f->mark[lo].line, err);
	return rc > 0 && lh_line_empty(l->row.p, l->row.len) ? 0 : rc;
}

int lh_lineage_row(struct lh_lineage *l, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	const struct lh_lineage_file *f = &l->file[hit->file];
	int rc = lh_lineage_line(l, hit, err);
	size_t bom;

	if (rc <= 0)
		return rc;
	bom = hit->line == 1 ? lh_mark_len(l->row.p, l->row.len) : 0;
	if (lh_record_parse(&l->rec, l->row.p + bom, l->row.len - bom, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (lh_row_ids_read(&l->ids, f->place, &l->rec, err) < 0)
		return -1;
	if (f->place == LH_PLACE_SOURCE) {
		l->ids.side[0].from.source_file = lh_str_of(f->path);
		l->ids.side[0].from.line = (int64_t)hit->line - 1;
	}
	return 1;
}

#define RECORD_MAX ((size_t)1 << 20)	/* bytes of a row that is part of an answer */

void lh_lineage_record(const struct lh_lineage *l, struct lh_writer *w)
{
	if (l->rec.len <= RECORD_MAX)
		lh_write_raw(w, "record", (struct lh_str){ l->rec.line, l->rec.len });
	else
		lh_write_u64(w, "bytes", l->rec.len);
}

/* ---- the rows that one sample was made of ---- */

/* The run of a distillation that began when a sample was made. */
struct made_by {
	const struct lh_root *root;
	struct lh_report report;
	int64_t at, ended_at;		/* at: when the sample was made */
	char *id;			/* NULL: none */
};

static void write_row(const struct lh_lineage *l, struct lh_writer *w, const char *name,
		      const struct lh_lineage_hit *hit)
{
	lh_write_object(w, name);
	lh_write_text(w, "file", l->file[hit->file].path);
	lh_write_u64(w, "line", hit->line);
	lh_lineage_record(l, w);
}

/* Write the first of these rows that is in a place and of a record, or null. */
static int write_first(struct lh_lineage *l, struct lh_writer *w, enum lh_place place,
		       const struct lh_origin *o, const struct lh_hits *hits, struct lh_err *err)
{
	size_t i;
	int rc;

	for (i = 0; i < hits->n; i++) {
		if (l->file[hits->hit[i].file].place != place)
			continue;
		rc = lh_lineage_row(l, &hits->hit[i], err);
		if (rc < 0)
			return -1;
		if (!rc || !l->ids.n_sides || !lh_origin_is(o, l->ids.side))
			continue;
		write_row(l, w, lh_place_step(place), &hits->hit[i]);
		lh_write_end(w);
		return 0;
	}
	lh_write_null(w, lh_place_step(place));
	return 0;
}

/* Write the line of the source, as it is now. */
static int write_source(struct lh_lineage *l, struct lh_writer *w, const struct lh_origin *o,
			struct lh_err *err)
{
	const struct lh_lineage_hit hit = {
		o->source.p && o->sig.p && o->line >= 0 ? lh_lineage_file_of(l, o->source)
							: l->n_files, (uint64_t)o->line + 1 };
	const struct lh_lineage_file *f = hit.file < l->n_files ? &l->file[hit.file] : NULL;
	int rc = 0;

	if (f && f->unreadable)
		return lh_err_set(err, LH_EIO, "%s: cannot read", f->path);
	if (f && f->place == LH_PLACE_SOURCE)
		rc = lh_lineage_row(l, &hit, err);
	if (rc <= 0) {
		lh_write_null(w, "source");
		return rc;
	}
	write_row(l, w, "source", &hit);
	lh_write_bool(w, "intact", l->ids.n_sides &&
		      lh_str_is(l->ids.side[0].from.sig_hash, o->sig.p, o->sig.n));
	lh_write_end(w);
	return 0;
}

/* Write what one record of the sample came from. */
static int write_side(struct lh_lineage *l, struct lh_writer *w, const char *side,
		      const struct lh_origin *o, struct lh_err *err)
{
	const struct lh_wanted want = { .kind = LH_KEY_RUN, .text = o->run };
	struct lh_hits hits = { 0 };
	int rc = lh_lineage_find(l, 1u << LH_PLACE_SCORED | 1u << LH_PLACE_EVIDENCE, &want, &hits,
				 err);

	lh_write_object(w, NULL);
	lh_write_text(w, "side", side);
	lh_write_str(w, "run_id", o->run);
	if (!rc)
		rc = write_first(l, w, LH_PLACE_SCORED, o, &hits, err);
	if (!rc)
		rc = write_first(l, w, LH_PLACE_EVIDENCE, o, &hits, err);
	if (!rc)
		rc = write_source(l, w, o, err);
	lh_write_end(w);
	free(hits.hit);
	return rc;
}

/* ---- the run ---- */

struct summary {
	struct lh_str started_at, ended_at;
};
static const struct lh_bind summary_members[] = {
	{ LH_BIND_STRING("started_at", struct summary, started_at), .required = true },
	{ LH_BIND_STRING("ended_at", struct summary, ended_at), .required = true },
	LH_BIND_END
};

/* Keep the run that began when the sample was made; of several the first that ended. */
static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct made_by *by = ctx;
	int64_t from, to;
	struct summary s;
	const int rc = lh_report_read(&by->report, by->root, id, "summary", NULL, summary_members,
				      &s, err);

	if (rc < 0)
		return err->code == LH_ECORRUPT ? 0 : -1;
	if (!rc || lh_time_read(s.started_at.p, s.started_at.n, &from) < 0 || from != by->at ||
	    lh_time_read(s.ended_at.p, s.ended_at.n, &to) < 0 ||
	    (by->id && (to > by->ended_at || (to == by->ended_at && strcmp(id, by->id) > 0))))
		return 0;
	by->ended_at = to;
	free(by->id);
	by->id = lh_strndup(id, strlen(id));
	return 0;
}

static int write_run(struct lh_lineage *l, struct lh_writer *w, int64_t at, struct lh_err *err)
{
	struct made_by by = { .root = l->root, .at = at };
	int rc;

	lh_report_init(&by.report);
	rc = at == INT64_MIN ? 0 : lh_run_each(l->root, on_run, &by, err);
	lh_write_text(w, "run", by.id);
	lh_report_free(&by.report);
	free(by.id);
	return rc;
}

/* ---- the sample ---- */

/* Write what a sample is made of, whose row is in l->ids: of one of two sides first. */
static int write_from(struct lh_lineage *l, struct lh_writer *w, const struct lh_origins *records,
		      struct lh_err *err)
{
	static const char *const name[] = { "source", "chosen", "rejected" };
	const bool pair = l->ids.n_sides == 2 && l->ids.side[1].run.p;
	const struct lh_origin *of[2] = { NULL };
	const struct lh_value *made = lh_record_get(&l->rec, "created_at");
	int64_t at = INT64_MIN;
	size_t i, k;
	int rc;

	if (made && made->type == LH_STRING)
		lh_time_read(made->p + 1, made->n - 2, &at);
	for (i = 0; i < l->ids.n_sides; i++)
		for (k = 0; k < records->n && l->ids.side[i].run.p && !of[i]; k++)
			if (lh_origin_is(&records->of[k], &l->ids.side[i]))
				of[i] = &records->of[k];
	rc = write_run(l, w, at, err);
	lh_write_array(w, "from");
	for (i = 0; i < 2 && !rc; i++)
		rc = of[i] ? write_side(l, w, name[i + pair], of[i], err) : 0;
	lh_write_end(w);
	return rc;
}

static int write_sample(struct lh_lineage *l, struct lh_writer *w, struct lh_str id,
			struct lh_err *err)
{
	LH_SCOPED(lh_meant_free) struct lh_meant m = { .as = NULL };
	const struct lh_lineage_hit *hit;
	size_t i;
	int rc = lh_lineage_resolve(l, id, &m, err);

	for (i = 0; i < l->n_files && !rc; i++)
		if (l->file[i].unreadable && l->file[i].place >= LH_PLACE_EVIDENCE &&
		    l->file[i].place <= LH_PLACE_PREFERENCE)
			rc = lh_err_set(err, LH_EIO, "%s: cannot read", l->file[i].path);
	if (!rc && (!m.as || strcmp(m.as, "sample")))
		rc = lh_err_data(err, 404, "there is no such sample");
	hit = m.rows.hit;
	if (rc < 0 || lh_lineage_row(l, hit, err) < 0)
		return -1;
	lh_write_text(w, "exporter", lh_exporter_name((enum lh_exporter)
						      (l->file[hit->file].place - LH_PLACE_RAG)));
	write_row(l, w, "sample", hit);
	lh_write_end(w);
	return write_from(l, w, &m.records, err);
}

int lh_lineage_sample(struct lh_lineage *l, struct lh_str id, struct lh_buf *out,
		      struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	int rc;

	l->how.most = l->how.most < 2 ? 2 : l->how.most;	/* records of a pair */
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", id);
	rc = write_sample(l, &w, id, err);
	lh_write_end(&w);
	return rc;
}
