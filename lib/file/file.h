/*
 * file - files that are replaced whole, appended to whole, or mapped.
 *
 * lh_atomic: readers see the old bytes or the new bytes, never a mixture, also
 * after kill -9, a full disk or power loss: temporary file beside the target
 * (O_EXCL|O_NOFOLLOW, ".NAME.lh-tmp-PID"), fsync, rename, fsync of the folder.
 * Nothing else in the tree calls rename(2).  A target that is a symlink, FIFO
 * or device is refused.  What replaces a file gets its owner, group and mode;
 * what root makes in the folder of another user belongs to that user; what
 * cannot be kept is reported on stderr by the frame.  Litter of a killed run (same prefix, dead PID, lock
 * free) is removed by the next one.  A signal that ends the tool removes the
 * temporary file (tool/tool.h).
 *
 *     struct lh_atomic out;
 *     if (lh_atomic_open(&out, path, 0666, err) == 0 &&
 *         lh_atomic_write(&out, p, n, err) == 0)
 *             rc = lh_atomic_commit(&out, err);
 *     lh_atomic_close(&out);             (no-op after a commit)
 *
 * lh_applog: an append-only log of lines that any number of processes may
 * write: one write(2) per record on an O_APPEND descriptor under flock; a torn
 * last line left by a crash is finished with a newline first, so that the next
 * record starts on a line of its own, and lh_applog_open reports its offset.
 *
 * lh_mapped: a file read-only in memory.  It may be hostile: check every
 * offset against n.  A file that shrinks under the map is a SIGBUS for whoever
 * reads past its new end, which is why files here are only ever replaced.
 *
 * lh_lock: one writer at a time: flock on a companion file, which dropping the
 * lock removes.  Who may only read what it guards must not be able to hold it:
 * the file may be opened by those who may write what it guards (by those who may
 * write the folder, before that is there), and by nobody who may only read; one
 * that was made with other rights is tightened by its owner.  Every wait has an
 * end, and its message names the file and the process that holds it, as far as
 * /proc/locks says.
 *
 * A log is locked by flock on itself, as programs of other runtimes do that append
 * to it: who may read such a log can have its writers wait until they give up.
 *
 * Owner:  the caller owns the structs; paths are copied.  Closing or dropping
 *         one that is closed, or that is all zero, does nothing.
 * Errors: 0, or -1 with *err; an lh_atomic target is then untouched, unless it
 *         was the folder that could not be synced.
 */
#ifndef LH_FILE_H
#define LH_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lh/buf.h>

struct lh_atomic {
	int fd;			/* open read-write; -1 when closed */
	char *path, *tmp;
	int slot;		/* where the signal handler finds tmp */
};
int lh_atomic_open(struct lh_atomic *a, const char *path, mode_t mode, struct lh_err *err);
/* The same for a file that belongs to another, as an index's log does: owner,
 * group and mode are those of the file main while there is no path yet. */
int lh_atomic_open_beside(struct lh_atomic *a, const char *path, const char *main, mode_t mode, struct lh_err *err);
/* All n bytes at its end; the error names the target. */
int lh_atomic_write(struct lh_atomic *a, const void *p, size_t n, struct lh_err *err);
int lh_atomic_commit(struct lh_atomic *a, struct lh_err *err);
void lh_atomic_close(struct lh_atomic *a);
/* Remove what killed writers left in a folder and below it, whatever they were
 * writing; for a folder whose targets have another name with each run. */
void lh_sweep_below(const char *folder);
/* Let what happened to the name path (a rename, an unlink) reach the disk. */
int lh_sync_folder(const char *path, struct lh_err *err);

struct lh_applog {
	int fd;
	char *path;
	double lock_timeout;
	int64_t torn_at;	/* offset of a torn last line found at open, or -1 */
};
enum { LH_SYNC_NONE, LH_SYNC_EACH };
/* lock_timeout: seconds that this and each append wait for others. */
int lh_applog_open(struct lh_applog *l, const char *path, mode_t mode, double lock_timeout, struct lh_err *err);
/* line has no LF at its end; one is added. */
int lh_applog_append(struct lh_applog *l, const char *line, size_t n, int sync, struct lh_err *err);
int lh_applog_close(struct lh_applog *l, struct lh_err *err);

struct lh_mapped {
	const char *p;
	size_t n;
};
int lh_mapped_open(struct lh_mapped *m, const char *path, struct lh_err *err);
int lh_mapped_fd(struct lh_mapped *m, int fd, struct lh_err *err);
void lh_mapped_close(struct lh_mapped *m);

#define LH_LOCK_TIMEOUT 60.0	/* seconds that tools wait, unless they say otherwise */
struct lh_lock {
	int fd;			/* -1 when not held */
	char *path;
	int slot;		/* where the signal handler finds path */
};
/* Wait up to seconds; LH_ELOCKED names the holder.  guarded: the path of what the
 * lock is for, a file that may not be there yet, or a folder. */
int lh_lock_take(struct lh_lock *l, const char *path, const char *guarded, double seconds, struct lh_err *err);
void lh_lock_drop(struct lh_lock *l);
/* The same wait for a flock (LOCK_EX, LOCK_SH) on what fd has open. */
int lh_flock(int fd, int how, const char *path, double seconds, struct lh_err *err);

/* All n bytes, over short writes, EINTR and EAGAIN (waited for). */
int lh_write_all(int fd, const void *p, size_t n, struct lh_err *err);
int lh_pwrite_all(int fd, const void *p, size_t n, off_t at, struct lh_err *err);
/* Open a file of ours, which must be a regular one and no symbolic link: its
 * descriptor, or -1 with *err and errno.  What O_CREAT makes for root in the
 * folder of another user belongs to that user. */
int lh_open_regular(const char *path, int flags, mode_t mode, struct lh_err *err);
/* "PATH: is a FIFO, not a regular file", by the type of a mode; returns -1. */
int lh_not_regular(const char *path, mode_t type, struct lh_err *err);
/* One and the same regular file?  What is read while it is appended to never
 * ends. */
bool lh_same_file(int a, int b);
/* Replace what is in *out by the bytes of a regular file, no more than out's
 * maximum: 1, 0 when it is not there, -1. */
int lh_file_read(const char *path, struct lh_buf *out, struct lh_err *err);
/* Up to n bytes; 0 at the end; -1 on error. */
ssize_t lh_read_some(int fd, void *p, size_t n, struct lh_err *err);

#endif
