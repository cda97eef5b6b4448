/*
 * owner - the owner of the files that these tools create.
 *
 * A file takes owner, group and mode of the file that it replaces or belongs to, so
 * that root, who writes in the folders of other users, takes nothing away from
 * them.  A new file that belongs to no other takes the owner and group of its
 * folder, if root creates it in the folder of another user.  Other users can only
 * keep the group, and that not always.  An attribute that cannot be kept is
 * reported, and nobody gains a right by it: a group that differs has no more rights
 * than all others have.
 *
 * path is what messages call the file.
 */
#ifndef LH_OWNER_H
#define LH_OWNER_H

#include <stdbool.h>
#include <sys/stat.h>

#include <lh/err.h>

/* Set the function that reports what could not be kept: the frame.  Without it
 * nothing is reported. */
void lh_own_set_report(void (*fn)(void *ctx, const char *text), void *ctx);

/* Give the file open as fd the owner and group of `like`, and those permission bits
 * of mode.  path NULL: report nothing. */
int lh_own_like(int fd, const char *path, const struct stat *like, mode_t mode, struct lh_err *err);

/* Give the new file open as fd the owner and group of its folder. */
void lh_own_new(int fd, const char *path);

/* Call open(2); treat a file that O_CREAT creates with lh_own_new. */
int lh_own_open(const char *path, int flags, mode_t mode);

/* Create the folder path and sync the one above it, unless path exists: 1, 0, or -1
 * with errno and *err. */
int lh_own_mkdir(const char *path, mode_t mode, struct lh_err *err);

/* Do the same for the folder path and those above it: 0, or -1 with *err. */
int lh_own_mkdirs(const char *path, mode_t mode, struct lh_err *err);

/* Call stat(2) for the folder that path is in; false if it fails. */
bool lh_own_folder_stat(const char *path, struct stat *st);

#endif
