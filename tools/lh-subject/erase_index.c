/*
 * erase_index.c - records of indexes and playbooks.  See erase.h.
 *
 * A delete alone leaves vector, words and metadata in the file, so the index is compacted after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "bytes.h"
#include "erase.h"
#include "index/index_tools.h"

static bool has_log(const char *path)
{
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct stat st;

	return stat(log, &st) == 0;
}

/* ---- an index ---- */

static int delete_records(struct erasure *e, const struct target *t, const char *path)
{
	struct lh_err *err = &e->tool->err;
	struct lh_index_change *c;
	bool due;
	size_t i;
	int rc = 0;

	if (!t->mine)
		return 0;
	c = lh_index_change_open(path, e->tool->lock_timeout, err);
	if (!c)
		return -1;
	for (i = 0; !rc && i < t->n; i++)
		if (is_mine(e, &t->hit[i]))
			rc = lh_index_change_delete(c, t->hit[i].id, strlen(t->hit[i].id), err);
	if (!rc)
		rc = lh_index_change_commit(c, &due, err);
	lh_index_change_close(c);
	return rc;
}

static int erase_plain(struct erasure *e, const struct target *t, const char *path)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);

	if (delete_records(e, t, path) < 0)
		return -1;
	if (has_log(path) && lh_index_compact(path, (unsigned)e->tool->jobs,
					      e->tool->lock_timeout, err) < 0)
		return -1;
	lh_atomic_sweep_locked(path);
	lh_atomic_sweep_locked(log);
	return 0;
}

static int on_bytes(void *ctx, const struct byte_hit *hit, struct lh_err *err)
{
	(void)ctx, (void)hit, (void)err;
	return 1;
}

/* Search a file: 1, 0, -1. */
static int search_file(struct byte_search *b, const char *path, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	rc = byte_search_fd(b, fd, err);
	close(fd);
	return rc;
}

int index_has_leftovers(struct erasure *e, size_t place)
{
	const char *path = e->s->places.v[place].path;
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct byte_search *b;
	int rc;

	if (!has_log(path))
		return 0;
	b = byte_search_new(e->who.texts, on_bytes, NULL);
	rc = search_file(b, path, err);
	if (!rc)
		rc = search_file(b, log, err);
	byte_search_free(b);
	return rc;
}

int erase_index(struct erasure *e, const struct target *t)
{
	return erase_plain(e, t, place_of(e, t)->path);
}
