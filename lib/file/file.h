/*
 * file - replace a file atomically, append to a log, map a file, lock a file; find files
 * below a folder, keep their owners, make temporary folders.
 *
 * lh_atomic replaces a file: readers see the old bytes or the new bytes, never a
 * mixture, also after kill -9, a full disk or power loss.  It writes a temporary
 * file next to the target (O_EXCL|O_NOFOLLOW; ".NAME.lh-tmp-PID", with a number if the
 * process makes several), then calls fsync, rename, and fsync of the folder.  Nothing
 * else in the tree calls rename(2).  A target that is a symbolic link, FIFO or device is
 * refused.  The new file gets owner, group and mode of the one replaced; a file that root
 * creates in the folder of another user belongs to that user; a tool reports on stderr
 * which of these could not be kept.
 * Temporary files of a killed run (same prefix, dead PID or that of this process,
 * lock free) are removed by the next run.  A signal that ends the tool removes the
 * temporary file (tool/tool.h).
 *
 *     struct lh_atomic out;
 *     if (lh_atomic_open(&out, path, 0666, err) == 0 &&
 *         lh_atomic_write(&out, p, n, err) == 0)
 *             rc = lh_atomic_commit(&out, err);
 *     lh_atomic_close(&out);             (no-op after a commit)
 *
 * lh_applog appends to a log of lines that any number of processes may write: one
 * write(2) per record on an O_APPEND descriptor under flock.  An incomplete last
 * line left by a crash is first ended with a newline, so that the next record
 * starts on its own line; lh_applog_open reports its offset.  A log that was renamed,
 * removed or replaced is opened again by its path.
 *
 * lh_mapped maps a file read-only.  The file may be hostile: check every offset
 * against n.  Reading past the new end of a file that shrank raises SIGBUS, at
 * which a tool ends with status 2; that is why these files are only ever replaced.
 *
 * lh_lock admits one writer at a time: flock on a companion file, which releasing
 * the lock removes.  A process that may only read the guarded file must not be able
 * to hold its lock.  So the companion may be opened by those who may write the
 * guarded file (before it exists: its folder), and not by readers; one that was
 * created with wider rights is restricted by its owner.  Every wait has a timeout,
 * and the message names the file and the process that holds it, if /proc/locks has
 * it.
 *
 * A log is locked by flock on itself, because programs in other languages that append
 * to it do so too: a process that may read such a log can delay its writers until
 * their timeout.
 *
 * Owner:   the caller owns the structs; paths are copied.  Closing or releasing
 *          one that is closed, or all zero, does nothing.
 * Errors:  0, or -1 with *err; an lh_atomic target is then unchanged, unless the
 *          sync of its folder failed.
 * Threads: one thread per struct.
 */
#ifndef LH_FILE_H
#define LH_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct lh_atomic {
	int fd;			/* open read-write; -1: closed */
	char *path, *tmp;
	int slot;		/* where the signal handler finds tmp */
};
int lh_atomic_open(struct lh_atomic *a, const char *path, mode_t mode, struct lh_err *err);
/* The same for a file that belongs to another, as the log of an index does: while
 * path does not exist, owner, group and mode are those of the file main. */
int lh_atomic_open_beside(struct lh_atomic *a, const char *path, const char *main, mode_t mode,
			  struct lh_err *err);
/* Write all n bytes at the end; an error names the target. */
int lh_atomic_write(struct lh_atomic *a, const void *p, size_t n, struct lh_err *err);
int lh_atomic_commit(struct lh_atomic *a, struct lh_err *err);
/* Commit only if there is no file at path, of any kind; otherwise return 1, still open. */
int lh_atomic_commit_new(struct lh_atomic *a, struct lh_err *err);
void lh_atomic_close(struct lh_atomic *a);
/* Replace the file at path by a text, all in one. */
int lh_atomic_put(const char *path, mode_t mode, const struct lh_buf *text, struct lh_err *err);
/* Create a temporary file that a sweep removes once its writer is dead: its descriptor,
 * which holds its lock, and its path, to be freed; or -1.  No signal removes it. */
int lh_tmp_create(const char *folder, const char *name, mode_t mode, char **path,
		  struct lh_err *err);
/* Remove what killed writers of path left. */
void lh_atomic_sweep(const char *path);
/* The same by one who keeps other writers of path out: also where another process has the PID
 * of the killed one by now. */
void lh_atomic_sweep_locked(const char *path);
/* Remove what killed writers left in a folder and below it, whatever their target;
 * for a folder whose targets have another name with each run. */
void lh_sweep_below(const char *folder);
/* Sync the folder of path, so that a change of the name (rename, unlink) is on disk. */
int lh_sync_folder(const char *path, struct lh_err *err);

struct lh_applog {
	int fd;
	char *path;
	double lock_timeout;
	int64_t torn_at;	/* offset of an incomplete last line found at open, or -1 */
	mode_t mode;		/* of the file, if it is made */
};
enum { LH_SYNC_NONE, LH_SYNC_EACH };
/* lock_timeout: seconds that this and each append wait for other writers. */
int lh_applog_open(struct lh_applog *l, const char *path, mode_t mode, double lock_timeout,
		   struct lh_err *err);
/* Append a line, without LF; one is added. */
int lh_applog_append(struct lh_applog *l, const char *line, size_t n, int sync, struct lh_err *err);
int lh_applog_close(struct lh_applog *l, struct lh_err *err);

struct lh_mapped {
	const char *p;
	size_t n;
};
int lh_mapped_open(struct lh_mapped *m, const char *path, struct lh_err *err);
int lh_mapped_fd(struct lh_mapped *m, int fd, struct lh_err *err);
void lh_mapped_close(struct lh_mapped *m);

#define LH_LOCK_TIMEOUT 60.0	/* seconds, the default of the tools */
struct lh_lock {
	int fd;			/* -1: not held */
	char *path;
	int slot;		/* where the signal handler finds path */
};
/* Wait up to that many seconds for the lock; LH_ELOCKED names the holder.  guarded:
 * the path of the guarded file, which may not exist yet, or of a folder. */
int lh_lock_take(struct lh_lock *l, const char *path, const char *guarded, double seconds,
		 struct lh_err *err);
void lh_lock_drop(struct lh_lock *l);
/* Wait in the same way for a flock (LOCK_EX, LOCK_SH) on the file open as fd. */
int lh_flock(int fd, int how, const char *path, double seconds, struct lh_err *err);

/* Write all n bytes, across short writes, EINTR and EAGAIN (which it waits out). */
int lh_write_all(int fd, const void *p, size_t n, struct lh_err *err);
int lh_pwrite_all(int fd, const void *p, size_t n, off_t at, struct lh_err *err);
/* Open a file that these tools wrote, which must be a regular one and not a
 * symbolic link: its descriptor, or -1 with *err and errno.  A file that O_CREAT
 * creates for root in the folder of another user belongs to that user. */
int lh_open_regular(const char *path, int flags, mode_t mode, struct lh_err *err);
/* Report "PATH: is a FIFO, not a regular file", by the type in a mode; returns -1. */
int lh_not_regular(const char *path, mode_t type, struct lh_err *err);
/* Return whether path still leads to the file open as fd. */
bool lh_is_still_named(int fd, const char *path);
/* Return the folder of path, "." if it names none, which the caller frees; *name is the file name
 * in it. */
char *lh_folder_of(const char *path, const char **name);
/* Return whether both descriptors are of the same regular file.  Reading a file
 * that is appended to at the same time never ends. */
bool lh_same_file(int a, int b);
/* Replace the contents of *out with those of a regular file, at most out's maximum:
 * 1, 0 if it does not exist, -1. */
int lh_file_read(const char *path, struct lh_buf *out, struct lh_err *err);
/* The same of a file that names commands to run: LH_EUSAGE unless it belongs to the user or
 * root (to root alone, if that is the user), and nobody else may write it. */
int lh_file_read_commands(const char *path, struct lh_buf *out, struct lh_err *err);
/* Read a descriptor to its end into *out, at most its maximum, and close it: 1, or -1 with
 * the name in the error. */
int lh_read_rest(int fd, const char *name, struct lh_buf *out, struct lh_err *err);
/* Read up to n bytes; 0 at the end; -1 on error. */
ssize_t lh_read_some(int fd, void *p, size_t n, struct lh_err *err);

/*
 * magic - the first bytes of the binary files that these tools write, for code that
 * meets one where it expects another format.
 */

/* As in PNG: they show a file damaged as text. */
#define LH_INDEX_MAGIC "\x89LHV\r\n\x1a\n"
#define LH_LHM_MAGIC "\x89LHM\r\n\x1a\n"	/* a compiled model */

/*
 * open_beneath - find files below a folder, and nowhere else.
 *
 * The path may come from anywhere: "..", absolute paths and symbolic links that
 * lead out of the folder find nothing, also while files are being moved.
 */

/* Return a descriptor of the folder, which the caller closes, or -1. */
int lh_open_beneath(const char *folder, struct lh_err *err);

/* Open the file or folder that path names as O_PATH, and follow no symbolic link.  Returns
 * its descriptor, or -1 with errno. */
int lh_path_beneath(int folder, const char *path);

/* Return whether this errno of lh_path_beneath means that there is no such file. */
bool lh_is_nowhere(int why);

/* Return 1 if path (any n bytes) is a regular file below it, 0 if not, -1 on error. */
int lh_exists_beneath(int folder, const char *path, size_t n, struct lh_err *err);

/* user_cache - where the caches of this user are. */

#define LH_CACHE_MODELS "lakehouse-tools"	/* compiled models */
#define LH_CACHE_RECORDS "lakehouse"		/* indexes of files of records: personal data */
/* Append ($XDG_CACHE_HOME or ~/.cache)/name; false if neither XDG_CACHE_HOME nor HOME is an
 * absolute path. */
bool lh_user_cache(struct lh_buf *path, const char *name);

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

/* Set the function that reports what could not be kept: the frame.  Without it
 * nothing is reported. */
void lh_own_set_report(void (*fn)(void *ctx, const char *text), void *ctx);

/* Give the file open as fd the owner and group of `like`, and those permission bits
 * of mode.  path NULL: report nothing. */
int lh_own_like(int fd, const char *path, const struct stat *like, mode_t mode, struct lh_err *err);

/* Call open(2); treat a file that O_CREAT creates with lh_own_new. */
int lh_own_open(const char *path, int flags, mode_t mode);

/* Create the folder path and sync the one above it, unless path exists: 1, 0, or -1
 * with errno and *err. */
int lh_own_mkdir(const char *path, mode_t mode, struct lh_err *err);

/* Do the same for the folder path and those above it: 0, or -1 with *err. */
int lh_own_mkdirs(const char *path, mode_t mode, struct lh_err *err);

/* Call stat(2) for the folder that path is in; false if it fails. */
bool lh_own_folder_stat(const char *path, struct stat *st);

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
