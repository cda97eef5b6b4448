/*
 * lh_tmpdir - a folder of our own for a while, in TMPDIR or /tmp.
 *
 *     char *path = lh_tmpdir_make("lh-distill", err);     (/tmp/lh-distill-x8Gd0q, mode 0700)
 *     ...
 *     rc = lh_tmpdir_remove(path, err);                   (and all below it)
 *     free(path);
 *
 * Removing follows no symbolic link.  Whoever makes one holds signals back until
 * it is removed, for nothing else will.
 */
#ifndef LH_TMPDIR_H
#define LH_TMPDIR_H

#include "lh_err.h"

/* Freed by the caller; NULL with *err. */
LH_API char *lh_tmpdir_make(const char *name, struct lh_err *err);

/* NULL is fine. */
LH_API int lh_tmpdir_remove(const char *path, struct lh_err *err);

#endif
