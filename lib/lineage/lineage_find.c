/*
 * lineage_find.c - the rows that have a name, and their lines.
 *
 * A file is read through for the bytes of the name, and only the rows that have them are parsed.
 * The name may be escaped in a row, so a row in which it can be so is parsed, too.  From a file
 * that was read through SCANS times, and from one in which the name is not written but computed,
 * the keys of all rows are read once, and the rows are found by these.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "lineage_parts.h"

#define PIECE ((size_t)64 << 10)
#define LONGEST ((size_t)256 << 20)	/* bytes of a line */
#define SCANS 16
#define MARK_ROWS 64

static void add_hit(struct lh_hits *h, size_t file, uint64_t line)
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
	if ((s->want->kind == LH_KEY_PERSON ?
	     lh_row_person_keys(&l->rec, &l->ids.scratch, &s->keys, err) :
	     lh_row_keys(&l->ids, l->file[s->file].place, &l->rec, &s->keys, err)) < 0)
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
		add_hit(s->hits, s->file, row->line);
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
	return lh_lineage_left_out(l, f, err);
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
		add_hit(hits, i, (uint32_t)f->key[lo]);
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
	[LH_KEY_PERSON] = ~0u,
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
		rc = lh_lineage_keys(l, i, err);
	if (!rc && f->keyed)
		find_keys(l, i, s.key, most, hits);
	else if (!rc)
		rc = scan(&s, err);
	lh_buf_free(&s.keys);
	return rc < 0 ? lh_lineage_left_out(l, f, err) : 0;
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
	int rc = lh_lineage_line(l, hit, err);
	size_t bom;

	if (rc <= 0)
		return rc;
	bom = hit->line == 1 ? lh_mark_len(l->row.p, l->row.len) : 0;
	if (lh_record_parse(&l->rec, l->row.p + bom, l->row.len - bom, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	return lh_row_ids_read(&l->ids, l->file[hit->file].place, &l->rec, err) < 0 ? -1 : 1;
}
