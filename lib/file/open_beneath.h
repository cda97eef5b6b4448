/*
 * open_beneath - find out whether a file exists below a folder.
 *
 * The path may come from anywhere: "..", absolute paths and symbolic links that
 * lead out of the folder find nothing, also while files are being moved.
 */
#ifndef LH_OPEN_BENEATH_H
#define LH_OPEN_BENEATH_H

#include <lh/err.h>

/* Return a descriptor of the folder, which the caller closes, or -1. */
int lh_open_beneath(const char *folder, struct lh_err *err);

/* Return 1 if path (any n bytes) is a regular file below it, 0 if not, -1 on error. */
int lh_exists_beneath(int folder, const char *path, size_t n, struct lh_err *err);

#endif
