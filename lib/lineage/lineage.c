/* lineage.c - open a root: its files, their index, and what changed since.  See lineage.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "lineage_parts.h"

#define FOLDER ".lh-trace"
/* A change of a file within so many nanoseconds may leave its times as they were. */
#define GRAIN INT64_C(2000000000)
/* Hashing bytes costs as much as reading the keys of a 16th of them; writing the index as much
 * as reading the keys of four times its size. */
#define HASHED 16
#define WRITTEN 4
#define SMALL ((uint64_t)64 << 10)

static void warn(const struct lh_lineage *l, const struct lh_err *why)
{
	l->how.warn(l->how.ctx, false, why->msg);
}

/* ---- where the index is ---- */

/* Set place[1] to CACHE/trace-HASH.index, if there is a folder of caches. */
static int set_cache(struct lh_lineage *l, const char *root, struct lh_err *err)
{
	struct lh_buf path = { 0 };
	int rc;

	if (lh_user_cache(&path)) {
		lh_buf_printf(&path, "/trace/%016llx.index",
			      (unsigned long long)lh_xxh3(root, strlen(root)));
		lh_buf_putc(&path, '\0');
	}
	rc = lh_buf_check(&path, err);
	if (!rc && path.len)
		l->place[1] = path.p;
	else
		lh_buf_free(&path);
	return rc;
}

static int set_places(struct lh_lineage *l, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *root = realpath(lh_root_path(l->root), NULL);
	struct stat st;
	int rc = -1;

	if (!root || stat(root, &st) < 0) {
		lh_err_sys(err, "%s", lh_root_path(l->root));
		return -1;
	}
	l->owner = st.st_uid;
	l->place[0] = lh_root_join(l->root, FOLDER "/index", err);
	if (l->place[0])
		rc = set_cache(l, root, err);
	return rc;
}

/* Open the index that exists, if one does. */
static int open_index(struct lh_lineage *l, struct lh_err *err)
{
	int i, rc = 0;

	for (i = 0; i < 2 && rc <= 0; i++) {
		rc = l->place[i] ? lh_key_index_open(&l->index, l->place[i], l->owner, err) : 0;
		if (rc < 0 && err->code == LH_ENOMEM)
			return -1;
		if (rc < 0)
			warn(l, err);
	}
	return 0;
}

/* ---- what of it is valid ---- */

static bool same_state(const struct lh_file_state *a, const struct lh_file_state *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified && a->changed == b->changed;
}

/* Return whether the file begins with the bytes that are indexed: 1, 0, -1. */
static int begins_so(struct lh_lineage *l, size_t i, const struct lh_key_part *p,
		     struct lh_err *err)
{
	int fd = lh_lineage_open_file(l, i, err);
	struct lh_xxh3_stream hash;
	int rc = fd < 0 ? -1 : lh_key_hash(&hash, fd, l->file[i].path, p->end, err);

	if (rc > 0)
		rc = lh_xxh3_end(&hash) == p->digest;
	return rc;
}

/* Use what the index has of a file, if it is still valid, and add the cost of what it has not. */
static int check_file(struct lh_lineage *l, size_t i, uint64_t *cost, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];
	const struct lh_indexed_file *x = lh_key_index_find(&l->index, f->path);
	struct lh_key_part p;
	int rc = 0;

	if (f->unreadable)
		return 0;
	if (x && x->place == f->place) {
		if (lh_key_index_part(&l->index, x, &p, err) < 0)
			return -1;
		rc = same_state(&x->state, &f->state);
		f->fresh = rc && p.end == f->state.size;
		if (!rc && p.end <= f->state.size) {
			*cost += p.end / HASHED;
			rc = begins_so(l, i, &p, err);
		}
	}
	if (rc < 0 && err->code == LH_EIO) {
		lh_lineage_unreadable(l, f, err);
		return 0;
	}
	if (rc > 0)
		f->indexed = p;
	*cost += f->state.size - f->indexed.end;
	return rc < 0 ? -1 : 0;
}

/* Check all files; an index that is damaged is not used. */
static int check_files(struct lh_lineage *l, uint64_t *cost, struct lh_err *err)
{
	size_t i;

	*cost = 0;
	for (i = 0; i < l->n_files; i++) {
		l->file[i].indexed = (struct lh_key_part){ 0 };
		l->file[i].fresh = false;
		if (check_file(l, i, cost, err) < 0) {
			if (err->code != LH_ECORRUPT)
				return -1;
			warn(l, err);
			lh_key_index_close(&l->index);
			return check_files(l, cost, err);
		}
	}
	return 0;
}

/* ---- read ---- */

static int interrupted(const struct lh_err *err)
{
	return err->code != LH_EIO && err->code != LH_ECORRUPT;
}

/* Read what follows the indexed part of a file into memory. */
static int read_rest(struct lh_lineage *l, size_t i, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];
	struct lh_key_part *p = &f->rest;
	struct lh_xxh3_stream hash;
	int fd = lh_lineage_open_file(l, i, err);

	*p = (struct lh_key_part){ .from = f->indexed.end, .end = f->indexed.end,
				   .before = f->indexed.lines };
	lh_xxh3_begin(&hash);
	if (fd >= 0 &&
	    lh_key_read(p, fd, f->path, f->place, l->how.jobs, &hash, true, err) == 0 &&
	    lh_key_part_finish(p, err) == 0)
		return 0;
	lh_key_part_free(p);
	if (interrupted(err))
		return -1;
	lh_lineage_unreadable(l, f, err);
	return 0;
}

static int read_all_rests(struct lh_lineage *l, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < l->n_files; i++) {
		const struct lh_lineage_file *f = &l->file[i];

		if (!f->unreadable && f->state.size > f->indexed.end && read_rest(l, i, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- write the index ---- */

/* Copy the part that the index has, verified, to extend it. */
static int copy_part(struct lh_key_part *to, const struct lh_key_part *from, struct lh_err *err)
{
	size_t i, n;

	for (i = 0; i < from->n_keys; i += LH_KEY_BLOCK) {
		n = from->n_keys - i < LH_KEY_BLOCK ? from->n_keys - i : LH_KEY_BLOCK;
		if (lh_xxh3(from->key + i, n * 8) != from->block[i / LH_KEY_BLOCK].sum)
			return lh_err_set(err, LH_ECORRUPT, "the index is damaged: keys");
	}
	*to = (struct lh_key_part){ .end = from->end, .lines = from->lines, .rows = from->rows };
	if (lh_numbers_add(&to->own_key, from->key, from->n_keys, err) < 0)
		return -1;
	return lh_numbers_add(&to->own_mark, from->mark, from->n_marks, err);
}

/* Read the part of all whole lines of a file, beginning with what is indexed of it. */
static int whole_part(struct lh_lineage *l, size_t i, struct lh_key_part *p,
		      struct lh_file_state *state, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];
	int fd = lh_lineage_open_file(l, i, err);
	struct lh_xxh3_stream hash;

	if (fd < 0)
		return -1;
	if (!lh_lineage_state(fd, state))
		return lh_err_sys(err, "%s", f->path);
	if ((f->indexed.end && copy_part(p, &f->indexed, err) < 0) ||
	    lh_key_hash(&hash, fd, f->path, p->end, err) < 0)
		return -1;
	if (p->end && lh_xxh3_end(&hash) != f->indexed.digest) {
		lh_key_part_free(p);
		lh_xxh3_begin(&hash);
	}
	if (lh_key_read(p, fd, f->path, f->place, l->how.jobs, &hash, false, err) < 0)
		return -1;
	return lh_key_part_finish(p, err);
}

/* Write a file into the index: 0; 1 if the index could not be written; -1. */
static int write_file(struct lh_lineage *l, size_t i, struct lh_key_writer *w, struct lh_err *err)
{
	struct lh_lineage_file *f = &l->file[i];
	struct lh_file_state state = f->state;
	struct lh_key_part p = { 0 };
	int rc = 0;

	if (f->unreadable)
		return 0;
	if (f->indexed.end == state.size)
		p = f->indexed;
	else if (whole_part(l, i, &p, &state, err) < 0)
		rc = -1;
	if (rc < 0 && !interrupted(err) && err->code != LH_ECORRUPT) {
		lh_lineage_unreadable(l, f, err);
		rc = 0;
	} else if (!rc) {
		f->state = state;
		f->written_end = p.end;
		f->written_digest = p.digest;
		if (state.changed > l->started - GRAIN)
			state.changed = 0;	/* is no state of any file */
		if (lh_key_writer_add(w, f->path, f->place, &state, &p, err) < 0)
			rc = err->code == LH_EIO ? 1 : -1;
	}
	if (!p.block)
		lh_key_part_free(&p);
	return rc;
}

static int by_path(const void *a, const void *b, void *ctx)
{
	const struct lh_lineage *l = ctx;

	return strcmp(l->file[*(const size_t *)a].path, l->file[*(const size_t *)b].path);
}

static int write_files(struct lh_lineage *l, struct lh_key_writer *w, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) size_t *order = lh_calloc(l->n_files + 1, sizeof *order, err);
	size_t i;
	int rc = order ? 0 : -1;

	for (i = 0; i < l->n_files && order; i++)
		order[i] = i;
	if (order)
		qsort_r(order, l->n_files, sizeof *order, by_path, l);
	for (i = 0; i < l->n_files && !rc; i++)
		rc = write_file(l, order[i], w, err);
	return rc;
}

/* Refuse a folder in which another user could have put what is replaced: a link to another
 * folder, or one that is not of this user or the owner of the root. */
static int check_folder(const struct lh_lineage *l, const char *folder, struct lh_err *err)
{
	struct stat st;

	if (lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && !(st.st_mode & 022) &&
	    (st.st_uid == geteuid() || st.st_uid == l->owner))
		return 0;
	lh_err_set(err, LH_EIO, "%s: is not a folder that only its owner can write", folder);
	errno = 0;	/* is reported */
	return -1;
}

/* Create the folder of the index: only the last part beside a root. */
static int make_folder(const struct lh_lineage *l, int which, struct lh_err *err)
{
	const char *slash = strrchr(l->place[which], '/');
	char *folder = lh_strndup(l->place[which], (size_t)(slash - l->place[which]), err);
	int rc = -1;

	if (folder)
		rc = which ? lh_own_mkdirs(folder, 0700, err) : lh_own_mkdir(folder, 0700, err);
	if (rc >= 0)
		rc = check_folder(l, folder, err);
	free(folder);
	return rc;
}

/* Write the index to a place and use it: 0; 1 if it cannot be written, -1. */
static int write_to(struct lh_lineage *l, int which, struct lh_err *err)
{
	struct lh_key_writer w;
	struct lh_key_index old = l->index;
	int rc;

	if (!l->place[which] || make_folder(l, which, err) < 0 ||
	    lh_key_writer_open(&w, l->place[which], err) < 0)
		return err->code == LH_ENOMEM ? -1 : 1;
	fchmod(w.out.fd, 0600);	/* not that of the one replaced */
	rc = write_files(l, &w, err);
	if (!rc && lh_key_writer_commit(&w, err) < 0)
		rc = err->code == LH_EIO ? 1 : -1;
	lh_key_writer_close(&w);
	if (rc)
		return rc;
	rc = lh_key_index_open(&l->index, l->place[which], l->owner, err);
	if (rc <= 0) {
		l->index = old;
		if (!rc)
			lh_err_set(err, LH_EIO, "%s: belongs to another user", l->place[which]);
		return 1;
	}
	lh_key_index_close(&old);
	return 0;
}

/* Use the index just written, or of one by which another process has replaced it meanwhile
 * what is the same. */
static int use_written(struct lh_lineage *l, struct lh_err *err)
{
	const struct lh_indexed_file *x;
	size_t i;

	for (i = 0; i < l->n_files; i++) {
		struct lh_lineage_file *f = &l->file[i];

		f->indexed = (struct lh_key_part){ 0 };
		x = f->unreadable ? NULL : lh_key_index_find(&l->index, f->path);
		if (x && lh_key_index_part(&l->index, x, &f->indexed, err) < 0)
			return -1;
		if (x && (x->place != f->place || x->end != f->written_end ||
			  x->digest != f->written_digest))
			f->indexed = (struct lh_key_part){ 0 };
	}
	return 0;
}

static bool is_read_only(int number)
{
	return number == EROFS || number == EACCES || number == EPERM;
}

static int write_index(struct lh_lineage *l, struct lh_err *err)
{
	int which, rc = 1;

	for (which = 0; which < 2 && rc > 0; which++) {
		*err = (struct lh_err){ .code = LH_EIO };
		errno = 0;
		rc = write_to(l, which, err);
		if (rc > 0 && l->place[which] && !is_read_only(errno))
			warn(l, err);
	}
	if (rc < 0 && err->code == LH_ECORRUPT) {
		uint64_t cost;

		warn(l, err);
		lh_key_index_close(&l->index);
		return check_files(l, &cost, err) < 0 ? -1 : write_index(l, err);
	}
	return rc ? rc : use_written(l, err);
}

/* ---- open and close ---- */

static int prepare(struct lh_lineage *l, struct lh_err *err)
{
	uint64_t cost;

	if (!l->how.no_index && set_places(l, err) < 0)
		return -1;
	if (!l->how.no_index && !l->how.reindex && open_index(l, err) < 0)
		return -1;
	if (lh_lineage_list(l, err) < 0 || check_files(l, &cost, err) < 0)
		return -1;
	if (!l->how.no_index &&
	    (l->how.reindex || cost * WRITTEN > l->index.map.n + SMALL * WRITTEN) &&
	    write_index(l, err) < 0)
		return -1;
	return read_all_rests(l, err);
}

struct lh_lineage *lh_lineage_open(const struct lh_lineage_how *how, struct lh_err *err)
{
	struct lh_lineage *l = lh_calloc(1, sizeof *l, err);
	struct timespec now;

	if (!l)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	l->started = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
	l->how = *how;
	l->fd = -1;
	l->root = lh_root_open(how->root, err);
	if (l->root && prepare(l, err) == 0)
		return l;
	lh_lineage_close(l);
	return NULL;
}

void lh_lineage_close(struct lh_lineage *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->n_files; i++) {
		free(l->file[i].path);
		lh_key_part_free(&l->file[i].rest);
	}
	free(l->file);
	free(l->place[0]);
	free(l->place[1]);
	lh_key_index_close(&l->index);
	if (l->fd >= 0)
		close(l->fd);
	free(l->lines.v);
	lh_buf_free(&l->row);
	lh_record_free(&l->rec);
	lh_row_ids_free(&l->ids);
	lh_root_close(l->root);
	free(l);
}
