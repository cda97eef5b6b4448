/* erase_rows.c - rows of files of lines: tombstones, and files without the rows.  See erase.h. */
#include "erase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/rows.h"
#include "observe/observe.h"

#define BLOCK ((size_t)256 << 10)

/* ---- a filter of lines ---- */

static bool is_erased(struct line_filter *f)
{
	const struct target *t = f->t;

	while (f->next < t->n && (t->hit[f->next].line < f->line ||
				  !is_mine(f->e, &t->hit[f->next])))
		f->next++;
	return f->next < t->n && t->hit[f->next].line == f->line;
}

/* At the end of a line, set what is left of the lengths that end there. */
static void pass_cuts(struct line_filter *f)
{
	struct cuts *c = f->cuts;

	for (; c && f->next_cut < c->n && c->cut[f->next_cut].was <= f->at; f->next_cut++) {
		c->cut[f->next_cut].is = f->out;
		c->cut[f->next_cut].rows = f->rows;
	}
}

static int end_line(struct line_filter *f, bool erased, struct lh_err *err)
{
	if (erased) {
		f->rows++;
		f->out += f->stone.n;
		if (f->stone.n && f->write(f->to, f->stone.p, f->stone.n, err) < 0)
			return -1;
	}
	f->line++;
	f->begun = false;
	pass_cuts(f);
	return 0;
}

int line_filter_more(struct line_filter *f, const char *p, size_t n, struct lh_err *err)
{
	const char *const end = p + n, *from = p, *lf, *stop;

	for (; p < end; p = stop) {
		const bool erased = is_erased(f);

		lf = memchr(p, '\n', (size_t)(end - p));
		stop = lf ? lf + 1 : end;
		f->at += (uint64_t)(stop - p);
		f->begun = true;
		if (erased) {
			if (from < p && f->write(f->to, from, (size_t)(p - from), err) < 0)
				return -1;
			from = stop;
		} else {
			f->out += (uint64_t)(stop - p);
		}
		if (lf && end_line(f, erased, err) < 0)
			return -1;
	}
	return from < end ? f->write(f->to, from, (size_t)(end - from), err) : 0;
}

int line_filter_end(struct line_filter *f, struct lh_err *err)
{
	if (f->begun && end_line(f, is_erased(f), err) < 0)
		return -1;
	f->at = UINT64_MAX;
	pass_cuts(f);
	return 0;
}

/* ---- what receipts name ---- */

static int by_length(const void *a, const void *b)
{
	const struct lh_cut *x = a, *y = b;

	return (x->was > y->was) - (x->was < y->was);
}

static int on_claim(void *ctx, const char *path, uint64_t bytes, struct lh_err *err)
{
	struct cuts *c = ctx;

	(void)err;
	if (strcmp(path, c->path))
		return 0;
	lh_grow(&c->cut, &c->cap, c->n + 1, sizeof *c->cut);
	c->cut[c->n++] = (struct lh_cut){ .path = c->path, .was = bytes };
	return 0;
}

static int read_cuts(struct cuts *c, const struct lh_root *root, struct lh_err *err)
{
	if (root && lh_receipts_claims(root, on_claim, c, err) < 0)
		return -1;
	if (c->n)
		qsort(c->cut, c->n, sizeof *c->cut, by_length);
	return 0;
}

/* ---- a file ---- */

struct rewriting {
	struct erasure *e;
	const char *path;
	int fd;
	struct lh_atomic out;
	struct line_filter filter;
	struct cuts cuts;
};

static int write_out(void *to, const void *p, size_t n, struct lh_err *err)
{
	return lh_atomic_write(to, p, n, err);
}

/* Write the new file, and set the hash of the old one. */
static int copy(struct rewriting *r, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *block = lh_calloc(1, BLOCK);
	struct was old = { .path = NULL };
	ssize_t n;
	int rc = erase_hash_file(r->fd, &old, err);

	memcpy(r->cuts.from, old.sha256, sizeof old.sha256);
	if (!rc && lseek(r->fd, 0, SEEK_SET) < 0)
		rc = lh_err_sys(err, "%s: cannot seek", r->path);
	while (!rc && (n = lh_read_some(r->fd, block, BLOCK, err)) != 0)
		rc = n < 0 ? -1 : line_filter_more(&r->filter, block, (size_t)n, err);
	return rc ? rc : line_filter_end(&r->filter, err);
}

static const char *const ending[] = { ".cursor", ".otlp.cursor" };

void erase_sweep_cursors(const char *log)
{
	struct lh_err unused;
	struct lh_lock lock;
	size_t i;

	for (i = 0; i < 2; i++) {
		LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

		lh_buf_printf(&path, "%s%s", log, ending[i]);
		lh_buf_putc(&path, '\0');
		if (access(path.p, F_OK) == 0 &&
		    lh_cursor_lock(&lock, path.p, 0, &unused) == 0)
			lh_lock_drop(&lock);
	}
}

/* Put the new file in the place of the old one, with the cursors of a log. */
static int put_in_place(struct rewriting *r, struct lh_err *err)
{
	struct lh_lock lock[2] = { { .fd = -1 }, { .fd = -1 } };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && r->filter.stone.n && i < 2; i++) {
		LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

		lh_buf_printf(&path, "%s%s%c", r->path, ending[i], '\0');
		if (access(path.p, F_OK) < 0)
			continue;
		rc = lh_cursor_lock(&lock[i], path.p, r->e->tool->lock_timeout, err);
		if (!rc && lh_cursor_move(path.p, r->fd, r->out.fd, err) < 0)
			rc = -1;
	}
	if (!rc)
		rc = lh_atomic_commit(&r->out, err);
	lh_lock_drop(&lock[0]);
	lh_lock_drop(&lock[1]);
	return rc;
}

static int rewrite(struct rewriting *r, const struct lh_root *root, struct lh_err *err)
{
	int rc;

	lh_atomic_sweep_locked(r->path);
	if (read_cuts(&r->cuts, root, err) < 0 || lh_atomic_open(&r->out, r->path, 0600, err) < 0)
		return -1;
	r->filter.to = &r->out;
	r->filter.cuts = &r->cuts;
	rc = copy(r, err);
	if (!rc && r->cuts.n)
		rc = erasure_note_cuts(r->e, &r->cuts);
	if (!rc)
		rc = put_in_place(r, err);
	lh_atomic_close(&r->out);
	return rc;
}

/* Return whether the lines of an open file are those in which the rows were found: it is as it
 * was or, but for a roster, has more lines. */
static bool is_as_found(const struct erasure *e, const struct target *t, int fd)
{
	const struct place *p = place_of(e, t);
	const struct lh_stamp *was = &e->stamp[t->place];
	struct lh_stamp now;

	lh_stamp_take(&now, p->path);
	return now.there && now.dev == was->dev && now.ino == was->ino &&
		(lh_stamp_same(&now, was) || (p->kind != PLACE_ROSTER && now.size > was->size)) &&
		lh_is_still_named(fd, p->path);
}

/* Replace a file, unless it is not the one in which the rows were found: the next round finds
 * them again. */
static int replace(struct erasure *e, const struct target *t, struct lh_str stone)
{
	const struct place *p = place_of(e, t);
	struct lh_err *err = &e->tool->err;
	struct rewriting r = {
		.e = e, .path = p->path,
		.filter = { .e = e, .t = t, .line = 1, .stone = stone, .write = write_out },
		.cuts = { .root = (char *)p->root, .path = p->path + (p->root ? p->rel : 0) },
	};
	struct lh_root *root = p->root ? erase_hold_root(e, p->root) : NULL;
	int rc = p->root && !root ? -1 : 0;

	if (rc)
		return -1;
	r.fd = lh_open_regular(p->path, O_RDONLY, 0, err);
	if (r.fd < 0)
		return errno == ENOENT ? 0 : -1;
	rc = lh_flock(r.fd, LOCK_EX, p->path, e->tool->lock_timeout, err);
	if (!rc && is_as_found(e, t, r.fd))
		rc = rewrite(&r, root, err);
	free(r.cuts.cut);
	close(r.fd);
	return rc;
}

int erase_tombstones(struct erasure *e, const struct target *t)
{
	LH_SCOPED(lh_buf_free) struct lh_buf stone = { 0 };

	lh_tombstone(&stone, lh_str_of(e->id), e->started);
	lh_buf_putc(&stone, '\n');
	return replace(e, t, (struct lh_str){ stone.p, stone.len });
}

int erase_rows(struct erasure *e, const struct target *t)
{
	return replace(e, t, (struct lh_str){ "", 0 });
}
