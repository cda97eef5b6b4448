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

#endif
