/* whole_index.c - create an empty index, remove an index.  See index_tools.h. */
#include "index_tools.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "writer.h"

/* Put the empty index into place; a file that appeared meanwhile, by any program, stays. */
static int create_locked(struct lh_index_writer *w, struct lh_err *err)
{
	struct stat st;
	int rc;

	if (lstat(w->path, &st) == 0)
		return 1;
	if (errno != ENOENT)
		return lh_err_sys(err, "%s", w->path);
	if (lh_index_prepare(w, 1, err) < 0 ||
	    lh_index_log_discard(w->path, lh_index_writer_checksum(w), err) < 0)
		return -1;
	rc = lh_atomic_commit_new(&w->out, err);
	return rc ? rc : lh_index_log_remove(w->path, err);
}

int lh_index_create(const char *path, const struct lh_index_params *p, double lock_timeout,
		    struct lh_err *err)
{
	struct lh_index_writer *w = lh_index_writer_new(path, p, lock_timeout, err);
	bool was = lh_signal_deferred();
	int rc;

	if (!w)
		return -1;
	lh_signal_defer(true);
	rc = create_locked(w, err);
	lh_signal_defer(was);
	lh_index_writer_free(w);
	return rc;
}

/* Remove what killed processes left: the lock of a compaction, and temporary files. */
static void remove_leftovers(const char *path)
{
	char *compact = lh_index_sibling_path(path, LH_INDEX_COMPACT);
	char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct lh_lock lock = { .fd = -1 };
	struct stat st;

	if (lstat(compact, &st) == 0 &&
	    lh_lock_take(&lock, compact, path, 0, &(struct lh_err){ 0 }) == 0)
		lh_lock_drop(&lock);	/* this removes it; a compaction that runs does the same */
	lh_atomic_sweep(path);
	lh_atomic_sweep(log);
	free(compact);
	free(log);
}

/* The index goes before its log: without its log it would be an older state of itself. */
static int remove_locked(const char *path, struct lh_err *err)
{
	if (unlink(path) < 0)
		return errno == ENOENT ? 1 : lh_err_sys(err, "%s: cannot remove", path);
	if (lh_sync_folder(path, err) < 0 || lh_index_log_remove(path, err) < 0)
		return -1;
	remove_leftovers(path);
	return 0;
}

int lh_index_remove(const char *path, double lock_timeout, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	struct lh_lock lock = { .fd = -1 };
	bool was = lh_signal_deferred();
	int rc = -1;

	lh_signal_defer(true);
	if (lh_index_refuse_link(path, err) == 0 &&
	    lh_lock_take(&lock, name, path, lock_timeout, err) == 0)
		rc = remove_locked(path, err);
	lh_lock_drop(&lock);
	lh_signal_defer(was);
	return rc;
}

void lh_index_sweep_lock(const char *path)
{
	static const char *const ending[] = { LH_INDEX_LOCK, LH_INDEX_COMPACT };
	struct lh_err unused;
	struct lh_lock lock;
	size_t i;

	for (i = 0; i < 2; i++) {
		LH_SCOPED(lh_free_local) char *name = lh_index_sibling_path(path, ending[i]);

		if (access(name, F_OK) == 0 && lh_lock_take(&lock, name, path, 0, &unused) == 0)
			lh_lock_drop(&lock);
	}
}
