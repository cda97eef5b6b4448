/*
 * cache - copies of objects in a folder, by their ETags.
 *
 *     struct lh_cache cache = { .folder = "/home/me/.cache/lakehouse-tools/objects",
 *                               .max = 10 << 30 };
 *     struct lh_buf path = { 0 };
 *     if (lh_cache_fetch(&cache, "s3://bucket/w.lhv", "-log", NULL, &path, err) == 0)
 *             ... path.p, which ends with NUL
 *
 * A copy is FOLDER/ID/NAME, where ID is made of the address, the ETag of the object, and
 * that of the object beside it; NAME is the last part of the key.  An object that has not
 * changed is not copied again.
 *
 * The folder has at most max bytes: before a copy is made, those that were not asked for
 * the longest are removed.  A copy that a process has locked (flock, LOCK_SH, on its file)
 * stays.  Any number of processes may use one folder; two that want the same object make
 * one copy; a process that is killed leaves no copy that is incomplete.
 *
 * Errors:  those of lh_store; LH_EIO.
 */
#ifndef LH_CACHE_H
#define LH_CACHE_H

#include "store.h"

struct lh_cache {
	const char *folder;	/* created if need be, for this user alone */
	uint64_t max;		/* bytes */
};

/* Copy the object, and the one with `beside` after its key, if there is one, to the same
 * place with `beside` after the name; beside NULL: none.  *path: where the copy is. */
int lh_cache_fetch(const struct lh_cache *c, const char *object, const char *beside,
		   const struct lh_store_opts *opts, struct lh_buf *path, struct lh_err *err);

/* Lock the copy, so that it stays: the descriptor that holds the lock, -1 if the copy is
 * gone already. */
int lh_cache_hold(const char *path);

#endif
