/*
 * open_beneath - find files below a folder, and nowhere else.
 *
 * The path may come from anywhere: "..", absolute paths and symbolic links that
 * lead out of the folder find nothing, also while files are being moved.
 */
#ifndef LH_OPEN_BENEATH_H
#define LH_OPEN_BENEATH_H

#include <lh/err.h>

/* Return a descriptor of the folder, which the caller closes, or -1. */
int lh_open_beneath(const char *folder, struct lh_err *err);

/* Open the file or folder that path names as O_PATH, and follow no symbolic link.  Returns
 * its descriptor, or -1 with errno. */
int lh_path_beneath(int folder, const char *path);

/* Return whether this errno of lh_path_beneath means that there is no such file. */
bool lh_is_nowhere(int why);

/* Return 1 if path (any n bytes) is a regular file below it, 0 if not, -1 on error. */
int lh_exists_beneath(int folder, const char *path, size_t n, struct lh_err *err);

#endif
