/*
 * tmpdir - a folder of our own for a while, in TMPDIR or /tmp.
 *
 *     struct lh_tmpdir dir = { NULL, -1 };
 *     rc = lh_tmpdir_make(&dir, "lh-distill", err);     (/tmp/lh-distill-4711-x8Gd0q, mode 0700)
 *     ...
 *     rc = lh_tmpdir_remove(&dir, err);                 (and all below it)
 *
 * Removing follows no symbolic link.  Whoever makes one holds signals back until
 * it is removed; what a killed run left is removed by the next that makes one of
 * that name: a folder of this user whose file ".in-use" nobody has locked.
 */
#ifndef LH_TMPDIR_H
#define LH_TMPDIR_H

#include <lh/err.h>

struct lh_tmpdir {
	char *path;		/* NULL: there is none */
	int in_use;
};

int lh_tmpdir_make(struct lh_tmpdir *d, const char *name, struct lh_err *err);

/* Whatever comes of it, the struct holds nothing then.  One that holds nothing is
 * fine. */
int lh_tmpdir_remove(struct lh_tmpdir *d, struct lh_err *err);

#endif
