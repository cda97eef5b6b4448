/*
 * open_beneath - is there such a file below a folder?
 *
 * The path may come from anywhere: "..", absolute paths and symbolic links that
 * lead out of the folder find nothing, also while somebody is moving things.
 */
#ifndef LH_OPEN_BENEATH_H
#define LH_OPEN_BENEATH_H

#include <lh/err.h>

/* A descriptor of the folder, to be closed; -1. */
int lh_open_beneath(const char *folder, struct lh_err *err);

/* Is path (n bytes, any) a regular file below it: 1, 0, -1. */
int lh_exists_beneath(int folder, const char *path, size_t n, struct lh_err *err);

#endif
