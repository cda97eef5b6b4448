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
#include "erase.h"
#include "index/index_tools.h"

static int delete_records(struct erasure *e, const struct target *t, const char *path)
{
	struct lh_err *err = &e->tool->err;
	struct lh_index_change *c;
	bool due;
	size_t i;
	int rc = 0;

	for (i = 0; i < t->n && !(t->hit[i].id && is_mine(e, &t->hit[i])); i++)
		;
	if (i == t->n)
		return 0;
	c = lh_index_change_open(path, e->tool->lock_timeout, err);
	if (!c)
		return -1;
	for (; !rc && i < t->n; i++)
		if (t->hit[i].id && is_mine(e, &t->hit[i]))
			rc = lh_index_change_delete(c, t->hit[i].id, strlen(t->hit[i].id), err);
	if (!rc)
		rc = lh_index_change_commit(c, &due, err);
	lh_index_change_close(c);
	return rc;
}

int erase_index(struct erasure *e, const struct target *t)
{
	const char *path = place_of(e, t)->path;
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);

	if (delete_records(e, t, path) < 0)
		return -1;
	if (access(log, F_OK) == 0 && lh_index_compact(path, (unsigned)e->tool->jobs,
						       e->tool->lock_timeout, err) < 0)
		return -1;
	lh_atomic_sweep_locked(path);
	lh_atomic_sweep_locked(log);
	return 0;
}
