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
#ifndef LH_CONFINE_H
#define LH_CONFINE_H

#include <lh/err.h>

/* Return 1; 0 if the kernel does not have Landlock, or does not let it be used; -1. */
int lh_confine(const char *folder, struct lh_err *err);

#endif
