/* lineage_find.c - the rows that have a key, and their lines. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/rows.h"
#include "lineage_parts.h"

#define PIECE ((size_t)64 << 10)
#define LONGEST ((size_t)256 << 20)	/* bytes of a line */

static int add_hits(struct lh_hits *h, size_t file, const struct lh_numbers *lines,
		    struct lh_err *err)
{
	size_t i;

	if (lh_grow(&h->hit, &h->cap, h->n + lines->n, sizeof *h->hit, err) < 0)
		return -1;
	for (i = 0; i < lines->n; i++)
		h->hit[h->n++] = (struct lh_lineage_hit){ file, lines->v[i] };
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct lh_lineage_hit *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

int lh_lineage_find(struct lh_lineage *l, unsigned places, uint32_t key, struct lh_hits *hits,
		    struct lh_err *err)
{
	size_t i, most = l->how.every ? SIZE_MAX : hits->n + LH_LINEAGE_CANDIDATES, kept = 0;

	for (i = 0; i < l->n_files && hits->n < most; i++) {
		const struct lh_lineage_file *f = &l->file[i];

		if (f->unreadable || !(places & 1u << f->place))
			continue;
		l->lines.n = 0;
		if (lh_key_part_find(&f->indexed, key, most - hits->n, &l->lines, err) < 0 ||
		    lh_key_part_find(&f->rest, key, most - hits->n, &l->lines, err) < 0 ||
		    add_hits(hits, i, &l->lines, err) < 0)
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
		return lh_buf_check(&l->row, err);
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
		return lh_buf_check(&l->row, err);
	return 1;
}

int lh_lineage_line(struct lh_lineage *l, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[hit->file];
	const struct lh_key_part *p = hit->line <= f->indexed.lines ? &f->indexed : &f->rest;
	uint64_t first, at;
	int fd, rc;

	if (f->unreadable || !hit->line || hit->line > p->before + p->lines)
		return 0;
	if (lh_key_part_seek(p, hit->line, &first, &at, err) < 0)
		return -1;
	fd = lh_lineage_open_file(l, hit->file, err);
	if (fd < 0)
		return -1;
	rc = read_line(l, fd, f->path, at, hit->line - first, err);
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
