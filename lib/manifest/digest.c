/* digest.c - hash files and count their rows, each once.  See manifest.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "file/file.h"
#include "file/rows.h"
#include "base/table.h"
#include "base/mem.h"
#include "manifest.h"

#define BLOCK ((size_t)256 << 10)	/* bytes read at a time; stays in a core's L2 */

char *lh_files_path(const char *folder, const char *relpath)
{
	size_t n = strlen(folder) + strlen(relpath) + 2;
	char *path;

	if (!strcmp(folder, "."))
		return lh_strndup(relpath, strlen(relpath));
	path = lh_calloc(n, 1);
	snprintf(path, n, "%s/%s", strcmp(folder, "/") ? folder : "", relpath);
	return path;
}

struct known {
	char *relpath;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed, written;
	struct lh_file_digest fact;
};

struct lh_digest_cache {
	struct known *v;
	size_t n, cap;
	struct lh_table by_path;
	char folder[];
};

static struct lh_str path_of(const void *ctx, uint32_t i)
{
	const struct known *k = &((const struct lh_digest_cache *)ctx)->v[i];

	return (struct lh_str){ k->relpath, strlen(k->relpath) };
}

struct lh_digest_cache *lh_digest_cache_new(const char *folder)
{
	struct lh_digest_cache *f = lh_calloc(1, sizeof *f + strlen(folder) + 1);

	memcpy(f->folder, folder, strlen(folder));
	return f;
}

void lh_digest_cache_free(struct lh_digest_cache *f)
{
	if (!f)
		return;
	while (f->n)
		free(f->v[--f->n].relpath);
	free(f->v);
	lh_table_free(&f->by_path);
	free(f);
}

/* The line that is open at the end of a block.  A zeroed one is none. */
struct open_line {
	char head[LH_TOMBSTONE];	/* its first bytes */
	uint64_t n;			/* its length so far */
	bool filled;			/* it is not blank */
};

static void add_to_line(struct open_line *o, const char *p, size_t n)
{
	if (o->n < sizeof o->head)
		memcpy(o->head + o->n, p, n < sizeof o->head - o->n ? n : sizeof o->head - o->n);
	o->n += n;
	o->filled = o->filled || !lh_line_blank(p, n);
}

/* Return whether the line is a row, and begin another. */
static bool end_line(struct open_line *o)
{
	bool row = o->filled && (o->n > sizeof o->head || !lh_line_empty(o->head, o->n));

	o->n = 0;
	o->filled = false;
	return row;
}

/* Count the lines of a block that are not empty. */
static uint64_t count_lines(const char *p, size_t n, struct open_line *o)
{
	const char *end = p + n, *lf;
	uint64_t lines = 0;

	for (; (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		if (o->n) {
			add_to_line(o, p, (size_t)(lf - p));
			lines += end_line(o);
		} else {
			lines += !lh_line_empty(p, (size_t)(lf - p));
		}
	}
	add_to_line(o, p, (size_t)(end - p));
	return lines;
}

int lh_digest_read(int fd, uint64_t bytes, struct lh_file_digest *d, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *block = lh_realloc(NULL, BLOCK, 1);
	struct open_line open = { .n = 0 };
	struct lh_sha256 hash;
	uint64_t left = bytes;
	size_t skip;
	ssize_t n = 0;

	*d = (struct lh_file_digest){ 0 };
	lh_sha256_start(&hash);
	while (left && (n = lh_read_some(fd, block, left < BLOCK ? left : BLOCK, err)) > 0) {
		lh_sha256_more(&hash, block, (size_t)n);
		skip = d->bytes ? 0 : lh_mark_len(block, (size_t)n);
		d->bytes += (uint64_t)n;
		d->records += count_lines(block + skip, (size_t)n - skip, &open);
		left -= (uint64_t)n;
	}
	lh_sha256_end(&hash, d->sha256);
	d->records += end_line(&open);
	return n < 0 ? -1 : !left || bytes == UINT64_MAX;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_unchanged(const struct known *k, const struct stat *st)
{
	return k->dev == st->st_dev && k->ino == st->st_ino && k->size == st->st_size &&
	       same_time(&k->changed, &st->st_ctim) && same_time(&k->written, &st->st_mtim);
}

/* Return the entry of that path, created if necessary. */
static struct known *entry_of(struct lh_digest_cache *f, const char *relpath)
{
	struct lh_str path = { relpath, strlen(relpath) };
	int64_t i = lh_table_find(&f->by_path, path, path_of, f);
	struct known *k;

	if (i >= 0)
		return &f->v[i];
	lh_grow(&f->v, &f->cap, f->n + 1, sizeof *f->v);
	k = &f->v[f->n];
	*k = (struct known){ .relpath = lh_strndup(relpath, strlen(relpath)), .size = -1 };
	lh_table_set(&f->by_path, path, (uint32_t)f->n++, path_of, f);
	return k;
}

static void set_stamp(struct known *k, const struct stat *st)
{
	k->dev = st->st_dev;
	k->ino = st->st_ino;
	k->size = st->st_size;
	k->changed = st->st_ctim;
	k->written = st->st_mtim;
}

static int digest_if_changed(struct known *k, int fd, struct lh_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot stat");
	if (is_unchanged(k, &st))
		return 0;
	k->size = -1;
	if (lh_digest_read(fd, UINT64_MAX, &k->fact, err) < 0)
		return -1;
	set_stamp(k, &st);
	return 0;
}

void lh_digest_cache_written(struct lh_digest_cache *f, const char *relpath,
			     const struct stat *made, const struct lh_file_digest *fact)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(f->folder, relpath);
	struct known *k = entry_of(f, relpath);
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == made->st_dev &&
	    st.st_ino == made->st_ino && (uint64_t)st.st_size == fact->bytes &&
	    same_time(&st.st_mtim, &made->st_mtim)) {
		k->fact = *fact;
		set_stamp(k, &st);
	}
}

void lh_digest_cache_read(struct lh_digest_cache *f, const char *relpath,
			  const struct stat *before, const struct lh_file_digest *fact)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(f->folder, relpath);
	struct known *k = entry_of(f, relpath);
	struct stat st;

	if ((uint64_t)before->st_size == fact->bytes) {
		k->fact = *fact;
		set_stamp(k, before);
		if (lstat(path, &st) < 0 || !is_unchanged(k, &st))
			k->size = -1;
	}
}

int lh_digest_cache_get(struct lh_digest_cache *f, const char *relpath,
			struct lh_file_digest *fact, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(f->folder, relpath);
	struct known *k = entry_of(f, relpath);
	int rc, fd;

	errno = 0;
	fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	rc = digest_if_changed(k, fd, err) < 0 ? lh_err_prefix(err, "%s", path) : 1;
	*fact = k->fact;
	close(fd);
	return rc;
}
