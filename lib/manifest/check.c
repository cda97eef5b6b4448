/* check.c - files against a list of them.  See manifest.h. */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/file.h"

#define BLOCK ((size_t)256 << 10)
#define LENGTHS 10	/* of one file that are compared: the newest ones */

/* What is listed of one file: the last is the newest. */
struct group {
	struct lh_files_check *how;
	const struct lh_listed *v;
	size_t n;
	char *block;		/* BLOCK bytes */
};

static int by_bytes(const void *a, const void *b)
{
	const struct lh_listed *const *x = a, *const *y = b;

	return ((*x)->is.bytes > (*y)->is.bytes) - ((*x)->is.bytes < (*y)->is.bytes);
}

/* Read the file up to that offset into the hash: 1, 0 if it ends before, -1. */
static int hash_up_to(int fd, char *block, struct lh_sha256 *hash, uint64_t *at, uint64_t end,
		      struct lh_err *err)
{
	while (*at < end) {
		size_t want = end - *at < BLOCK ? (size_t)(end - *at) : BLOCK;
		ssize_t n = lh_read_some(fd, block, want, err);

		if (n <= 0)
			return n < 0 ? -1 : 0;
		lh_sha256_more(hash, block, (size_t)n);
		*at += (uint64_t)n;
	}
	return 1;
}

/* Compare the first bytes of the file with each entry; *differs is the first that does not
 * hold, or NULL. */
static int compare(const struct group *g, int fd, const struct lh_listed **differs,
		   struct lh_err *err)
{
	const struct lh_listed *by[LENGTHS];
	struct lh_sha256 hash, copy;
	unsigned char sum[32];
	uint64_t at = 0;
	size_t i, n = g->n < LENGTHS ? g->n : LENGTHS;
	int rc = 1;

	for (i = 0; i < n; i++)
		by[i] = &g->v[g->n - n + i];
	qsort(by, n, sizeof *by, by_bytes);
	lh_sha256_start(&hash);
	*differs = NULL;
	for (i = 0; rc > 0 && !*differs && i < n; i++) {
		rc = hash_up_to(fd, g->block, &hash, &at, by[i]->is.bytes, err);
		copy = hash;
		lh_sha256_end(&copy, sum);
		if (rc == 0 || (rc > 0 && memcmp(sum, by[i]->is.sha256, sizeof sum)))
			*differs = by[i];
	}
	g->how->bytes += at;
	return rc < 0 ? -1 : 0;
}

static int compare_open(const struct group *g, int fd, struct lh_err *err)
{
	const struct lh_listed *newest = &g->v[g->n - 1], *differs;
	struct lh_files_check *how = g->how;
	off_t end = lseek(fd, 0, SEEK_END);
	uint64_t size = (uint64_t)end;

	if (end < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "%s", newest->path);
	if (compare(g, fd, &differs, err) < 0)
		return -1;
	if (size < newest->is.bytes)
		how->fault(how->ctx, LH_LISTED_CUT, newest, NULL, size);
	else if (differs)
		how->fault(how->ctx, LH_LISTED_CHANGED, newest, differs, size);
	else if (size > newest->is.bytes && !(how->may_grow && how->may_grow(newest->path)))
		how->fault(how->ctx, LH_LISTED_GROWN, newest, NULL, size);
	return 0;
}

static int check_file(const struct group *g, struct lh_err *err)
{
	const struct lh_listed *newest = &g->v[g->n - 1];
	struct lh_files_check *how = g->how;
	LH_SCOPED(lh_free_local) char *path = lh_files_path(how->folder, newest->path);
	int fd, rc = -1;

	errno = 0;
	fd = lh_open_regular(path, O_RDONLY, 0, err);
	how->files++;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		how->fault(how->ctx, LH_LISTED_GONE, newest, NULL, 0);
		return 0;
	}
	if (fd >= 0) {
		rc = compare_open(g, fd, err);
		close(fd);
	}
	return rc < 0 ? how->unread(how->ctx, newest, err) : 0;
}

int lh_files_check(const struct lh_files *m, struct lh_files_check *how,
		      struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *block = lh_realloc(NULL, BLOCK, 1);
	struct group g = { .how = how, .block = block };
	size_t i, k;
	int rc = 0;

	for (i = 0; !rc && i < m->n; i = k) {
		for (k = i + 1; k < m->n && !strcmp(m->v[k].path, m->v[i].path); k++)
			continue;
		g.v = &m->v[i];
		g.n = k - i;
		rc = check_file(&g, err);
	}
	return rc;
}
