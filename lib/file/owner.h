/*
 * owner - whose the files are that we make.
 *
 * A file takes owner, group and mode of what it replaces or belongs to, so that
 * root, who writes in other users' folders, takes nothing away from them; a new
 * one that belongs to nothing takes the owner and group of its folder, when root
 * makes it in the folder of another user.  Who is not root can only keep the
 * group, and that not always.  What cannot be kept is reported by a message, and
 * nobody gains a right by it: a group that is another has no more of them than
 * all others have.
 *
 * path is what messages call the file.  Private to liblh and the tools.
 */
#ifndef LH_OWNER_H
#define LH_OWNER_H

#include <stdbool.h>
#include <sys/stat.h>

#include <lh/err.h>

/* Who is told what could not be kept: the frame.  Without it nobody is. */
void lh_own_tell(void (*say)(void *ctx, const char *text), void *ctx);

/* Owner and group of like, for what fd has open, and those rights of mode.  path
 * NULL: without a message. */
int lh_own_like(int fd, const char *path, const struct stat *like, mode_t mode, struct lh_err *err);

/* What fd has open was made just now: owner and group as the folder has them. */
void lh_own_new(int fd, const char *path);

/* open(2); what O_CREAT makes is treated by lh_own_new. */
int lh_own_open(const char *path, int flags, mode_t mode);

/* Make the folder path, which the one above it has on disk then, unless it is
 * there: 1, 0, or -1 with errno and *err. */
int lh_own_mkdir(const char *path, mode_t mode, struct lh_err *err);

/* Look at the folder that path is in; false when it cannot be looked at. */
bool lh_own_folder_stat(const char *path, struct stat *st);

#endif
