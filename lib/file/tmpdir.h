/*
 * tmpdir - a temporary folder, in TMPDIR or /tmp.
 *
 *     struct lh_tmpdir dir = { NULL, -1 };
 *     rc = lh_tmpdir_make(&dir, "lh-distill", err);     (/tmp/lh-distill-4711-x8Gd0q, mode 0700)
 *     ...
 *     rc = lh_tmpdir_remove(&dir, err);                 (and all below it)
 *
 * Removing follows no symbolic link.  The caller defers signals from lh_tmpdir_make
 * to lh_tmpdir_remove.  A folder left by a killed run (of this user, with a file
 * ".in-use" that is not locked) is removed by the next lh_tmpdir_make with that
 * name.
 */
#ifndef LH_TMPDIR_H
#define LH_TMPDIR_H

#include <lh/err.h>

struct lh_tmpdir {
	char *path;		/* NULL: there is none */
	int in_use;
};

int lh_tmpdir_make(struct lh_tmpdir *d, const char *name, struct lh_err *err);

/* Remove the folder.  The struct is empty afterwards, also after a failure; an
 * empty one is allowed. */
int lh_tmpdir_remove(struct lh_tmpdir *d, struct lh_err *err);

/* Remove the file or folder path and all below it: 0, or -1 with errno. */
int lh_remove_all(const char *path);

/*
 * confine - have the kernel refuse this process to change files outside of one folder.
 *
 *     switch (lh_confine(dir.path, err)) { ... }
 *
 * By Landlock (Linux 5.13): no file is opened for writing, made, linked, renamed or removed
 * but below the folder, by the calling thread and by threads and children that it starts
 * from then on; there is no way back.  Descriptors that are open stay as they are, but to
 * open one anew as /proc/self/fd/N is refused.  Removing an empty folder is not refused, so
 * that the folder itself can be removed.
 */

/* Return 1; 0 if the kernel does not have Landlock, or does not let it be used; -1. */
int lh_confine(const char *folder, struct lh_err *err);

#endif
