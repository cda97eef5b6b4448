/* atomic.c - replace a file atomically; owners, regular files, temporary folders.  See file.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file.h"

/* ---- the owner of the files that these tools create ---- */

static void (*report_fn)(void *ctx, const char *text);
static void *report_ctx;

void lh_own_set_report(void (*fn)(void *ctx, const char *text), void *ctx)
{
	report_fn = fn;
	report_ctx = ctx;
}

/* Set the owner and group of `like`; false if the group is another one now. */
static bool set_owner(int fd, const char *path, const struct stat *like)
{
	struct stat is;

	if (fstat(fd, &is) < 0)
		return false;
	if ((is.st_uid == like->st_uid && is.st_gid == like->st_gid) ||
	    fchown(fd, like->st_uid, like->st_gid) == 0)
		return true;
	if (path) {
		struct lh_err err;

		lh_err_sys(&err, "%s: cannot be given to user %u, group %u", path,
			   (unsigned)like->st_uid, (unsigned)like->st_gid);
		if (report_fn)
			report_fn(report_ctx, err.msg);
	}
	return is.st_gid == like->st_gid || fchown(fd, (uid_t)-1, like->st_gid) == 0;
}

int lh_own_like(int fd, const char *path, const struct stat *like, mode_t mode, struct lh_err *err)
{
	mode &= 0777;
	if (!set_owner(fd, path, like))
		mode &= ~070u | (mode & 07) << 3;
	return fchmod(fd, mode) < 0
		? lh_err_sys(err, "%s: cannot set its mode", path ? path : "a lock") : 0;
}

bool lh_own_folder_stat(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (!slash)
		return stat(".", st) == 0;
	if (slash - path >= (ptrdiff_t)sizeof folder)
		return false;
	snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return stat(folder, st) == 0;
}

/* Give the new file open as fd the owner and group of its folder. */
static void lh_own_new(int fd, const char *path)
{
	struct stat folder;

	if (geteuid() == 0 && lh_own_folder_stat(path, &folder) && folder.st_uid != 0)
		set_owner(fd, path, &folder);
}

int lh_own_open(const char *path, int flags, mode_t mode)
{
	int fd;

	if (!(flags & O_CREAT))
		return open(path, flags);
	fd = open(path, flags | O_EXCL, mode);
	if (fd >= 0)
		lh_own_new(fd, path);
	else if (errno == EEXIST)
		fd = open(path, flags, mode);
	return fd;
}

int lh_own_mkdir(const char *path, mode_t mode, struct lh_err *err)
{
	size_t n = strlen(path);
	char own[PATH_MAX];
	int fd;

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= sizeof own)
		errno = ENAMETOOLONG;
	else
		snprintf(own, sizeof own, "%.*s", (int)n, path);
	if (n >= sizeof own || mkdir(own, mode) < 0)
		return errno == EEXIST ? 0 : lh_err_sys(err, "%s: cannot make the folder", path);
	fd = open(own, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		lh_own_new(fd, own);
		close(fd);
	}
	return lh_sync_folder(own, err) < 0 ? -1 : 1;
}

int lh_own_mkdirs(const char *path, mode_t mode, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *some = lh_strndup(path, strlen(path));
	char *at;
	int rc = 0;

	for (at = some + (*some == '/'); !rc && *at;) {
		char *end = at + strcspn(at, "/"), was = *end;

		*end = '\0';
		rc = lh_own_mkdir(some, mode, err) < 0 ? -1 : 0;
		*end = was;
		at = end + (was != '\0');
	}
	return rc;
}

/* ---- replace a file atomically ---- */

#define MARK ".lh-tmp-"
#define NAME_ROOM 200		/* bytes of the target's name used; NAME_MAX is 255 */
#define SWEEP_PATH 4096
#define SWEEP_DEEP 8
#define SWEEP_MOST 200000	/* names; a folder may have any number below it */
#define TRIES 1000		/* names for a temporary file */

char *lh_folder_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!slash)
		return lh_strndup(".", 1);
	return lh_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool lh_is_still_named(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev &&
		a.st_ino == b.st_ino;
}

/* Take the lock that a writer holds while it lives: 0, or -1 with errno. */
static int hold(int fd)
{
	int rc;

	do
		rc = flock(fd, LOCK_EX | LOCK_NB);
	while (rc < 0 && errno == EINTR);
	return rc;
}

/* What to sweep: the temporary files of targets whose name is prefix, or starts with it. */
struct sweep {
	const char *prefix;
	bool any_pid;
	unsigned left;		/* names that are looked at */
};

/* Return whether name is the temporary file of a writer that may be dead.  The lock decides: a
 * PID is of its own namespace or machine, and a process that was killed may have had the one of
 * this process. */
static bool is_stale_tmp(const char *name, const struct sweep *s)
{
	const char *prefix = s->prefix;
	size_t n = strlen(name);
	long pid;

	while (n && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	if (!name[n] || n < strlen(prefix) || strncmp(name, prefix, strlen(prefix)) ||
	    n < strlen(MARK) || memcmp(name + n - strlen(MARK), MARK, strlen(MARK)))
		return false;
	pid = strtol(name + n, NULL, 10);
	return pid == getpid() || (pid > 0 && (s->any_pid || (kill((pid_t)pid, 0) < 0 &&
							      errno == ESRCH)));
}

/* Remove the temporary files of killed runs from the folder path, whose name is the
 * first n bytes of SWEEP_PATH, and from folders at most `deep` levels below it. */
static void remove_stale_tmp(char *path, size_t n, struct sweep *s, int deep)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && s->left && (e = readdir(d))) {
		s->left--;
		if ((size_t)snprintf(path + n, SWEEP_PATH - n, "/%s", e->d_name) >= SWEEP_PATH - n)
			continue;
		if (is_stale_tmp(e->d_name, s)) {
			/* The lock is held until the name is gone: a writer that has opened the
			 * file and not yet locked it finds out, and makes another. */
			int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

			if (fd >= 0 && hold(fd) == 0 && lh_is_still_named(fd, path))
				unlink(path);
			if (fd >= 0)
				close(fd);
		} else if (deep && e->d_name[0] != '.' &&
			 (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN)) {
			remove_stale_tmp(path, n + 1 + strlen(e->d_name), s, deep - 1);
		}
	}
	path[n] = '\0';
	if (d)
		closedir(d);
}

static void sweep_target(const char *folder, const char *name, bool any_pid)
{
	char prefix[NAME_ROOM + 16], path[SWEEP_PATH];

	snprintf(prefix, sizeof prefix, ".%.*s" MARK, (int)strnlen(name, NAME_ROOM), name);
	if ((size_t)snprintf(path, sizeof path, "%s", folder) < sizeof path)
		remove_stale_tmp(path, strlen(path),
				 &(struct sweep){ prefix, any_pid, UINT_MAX }, 0);
}

static void sweep_path(const char *path, bool any_pid)
{
	const char *name;
	LH_SCOPED(lh_free_local) char *folder = lh_folder_of(path, &name);

	sweep_target(folder, name, any_pid);
}

void lh_atomic_sweep(const char *path)
{
	sweep_path(path, false);
}

void lh_atomic_sweep_locked(const char *path)
{
	sweep_path(path, true);
}

/* The lock alone decides: in a container each run may have the PID of the killed one. */
void lh_sweep_below(const char *folder)
{
	char path[SWEEP_PATH];

	if ((size_t)snprintf(path, sizeof path, "%s", folder) < sizeof path)
		remove_stale_tmp(path, strlen(path), &(struct sweep){ ".", true, SWEEP_MOST },
				 SWEEP_DEEP);
}

/* Lock a new temporary file.  False: a sweep has taken it for that of a killed run, which
 * its lock did not contradict before.  Without locks it is taken as it is: nothing is
 * swept there. */
static bool hold_new(int fd, const char *tmp)
{
	return hold(fd) == 0 ? lh_is_still_named(fd, tmp) : errno != EWOULDBLOCK;
}

/* A name that is taken is left alone: another PID namespace, or another machine on the
 * same volume, may have a process of this PID. */
int lh_tmp_create(const char *folder, const char *name, mode_t mode, char **path,
		  struct lh_err *err)
{
	static atomic_uint used;
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	size_t n = strlen(folder) + NAME_ROOM + 64;
	char *tmp = lh_calloc(n, 1), more[32] = "";
	unsigned number;
	int fd, i;

	for (i = 0; i < TRIES; i++) {
		/* The name is ".NAME.lh-tmp-PID", and after the first one of this process
		 * ".NAME.lh-tmp-N.lh-tmp-PID": threads may write one target. */
		number = atomic_fetch_add(&used, 1);
		if (number)
			snprintf(more, sizeof more, MARK "%u", number);
		snprintf(tmp, n, "%s/.%.*s%s" MARK "%ld", folder, NAME_ROOM, name, more,
			 (long)getpid());
		fd = open(tmp, flags, mode);
		if (fd >= 0 && hold_new(fd, tmp)) {
			*path = tmp;
			return fd;
		}
		if (fd < 0 && errno != EEXIST)
			break;
		if (fd >= 0)
			close(fd);
		errno = EEXIST;
	}
	lh_err_sys(err, "%s: cannot create", tmp);
	free(tmp);
	return -1;
}

/* The signal handler gets the name once the file is this process's: it unlinks it. */
static int open_tmp(struct lh_atomic *a, const char *folder, const char *name, mode_t mode,
		    struct lh_err *err)
{
	sigset_t old;

	lh_signal_block(&old);
	a->fd = lh_tmp_create(folder, name, mode, &a->tmp, err);
	if (a->fd >= 0)
		a->slot = lh_signal_tmp_add(a->tmp);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return a->fd < 0 ? -1 : 0;
}

/* Find the file whose owner, group and mode to copy: the one replaced, else the one
 * that the new file belongs to.  1, 0 if there is none, -1. */
static int find_like(const char *path, const char *main, struct stat *st, struct lh_err *err)
{
	if (lstat(path, st) == 0)
		return S_ISREG(st->st_mode) ? 1 : lh_not_regular(path, st->st_mode, err);
	if (errno != ENOENT)
		return lh_err_sys(err, "%s", path);
	return main && stat(main, st) == 0;
}

int lh_atomic_open(struct lh_atomic *a, const char *path, mode_t mode, struct lh_err *err)
{
	return lh_atomic_open_beside(a, path, NULL, mode, err);
}

int lh_atomic_open_beside(struct lh_atomic *a, const char *path, const char *main, mode_t mode,
			  struct lh_err *err)
{
	struct stat st;
	const char *name;
	LH_SCOPED(lh_free_local) char *folder = NULL;
	int rc, like;

	*a = (struct lh_atomic){ .fd = -1, .slot = -1 };
	like = find_like(path, main, &st, err);
	if (like < 0)
		return -1;
	folder = lh_folder_of(path, &name);
	a->path = lh_strndup(path, strlen(path));
	rc = *name ? 0 : lh_not_regular(path, S_IFDIR, err);
	if (!rc) {
		sweep_target(folder, name, false);
		rc = open_tmp(a, folder, name, like ? 0600 : mode, err);
	}
	if (!rc && like)
		rc = lh_own_like(a->fd, path, &st, st.st_mode & ~(mode_t)S_IWOTH, err);
	else if (!rc)
		lh_own_new(a->fd, path);
	if (rc < 0)
		lh_atomic_close(a);
	return rc;
}

int lh_atomic_write(struct lh_atomic *a, const void *p, size_t n, struct lh_err *err)
{
	return lh_write_all(a->fd, p, n, err) < 0 ? lh_err_prefix(err, "%s", a->path) : 0;
}

static int sync_folder(const char *folder, struct lh_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL && errno != EROFS))
		rc = lh_err_sys(err, "%s: cannot sync", folder);
	if (fd >= 0)
		close(fd);
	return rc;
}

int lh_sync_folder(const char *path, struct lh_err *err)
{
	const char *name;
	LH_SCOPED(lh_free_local) char *folder = lh_folder_of(path, &name);

	return sync_folder(folder, err);
}

/* Give the file its name if that is free: 0, 1 if it is taken, -1. */
static int give_new_name(struct lh_atomic *a, struct lh_err *err)
{
	bool given = renameat2(AT_FDCWD, a->tmp, AT_FDCWD, a->path, RENAME_NOREPLACE) == 0;

	if (!given && (errno == EINVAL || errno == ENOSYS))	/* a network file system */
		given = link(a->tmp, a->path) == 0 && unlink(a->tmp) == 0;
	if (given)
		return 0;
	return errno == EEXIST ? 1 : lh_err_sys(err, "%s: cannot rename to %s", a->tmp, a->path);
}

static int give_name(struct lh_atomic *a, bool is_new, struct lh_err *err)
{
	if (is_new)
		return give_new_name(a, err);
	if (rename(a->tmp, a->path) < 0)
		return lh_err_sys(err, "%s: cannot rename to %s", a->tmp, a->path);
	return 0;
}

/* Close the file for what close(2) may report, but not its lock: without it the file
 * would be swept before it has its name. */
static int close_written(struct lh_atomic *a, struct lh_err *err)
{
	int fd = a->fd, held = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (held < 0)
		return lh_err_sys(err, "%s: cannot close", a->tmp);
	a->fd = held;
	return close(fd) < 0 && errno != EINTR ? lh_err_sys(err, "%s: cannot close", a->tmp) : 0;
}

/* Forget the temporary file.  As long as the handler of signals knows its name, which is
 * another's once it is free, no signal is let in. */
static void forget_tmp(struct lh_atomic *a)
{
	lh_signal_tmp_drop(a->slot);
	a->slot = -1;
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	free(a->tmp);
	a->tmp = NULL;
}

static int replace_target(struct lh_atomic *a, bool is_new, struct lh_err *err)
{
	sigset_t old;
	int rc;

	if (fsync(a->fd) < 0)
		return lh_err_sys(err, "%s: cannot sync", a->tmp);
	if (close_written(a, err) < 0)
		return -1;
	lh_signal_block(&old);
	rc = give_name(a, is_new, err);
	if (!rc)
		forget_tmp(a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static int commit(struct lh_atomic *a, bool is_new, struct lh_err *err)
{
	const char *name;
	char *folder = lh_folder_of(a->path, &name);
	int rc = replace_target(a, is_new, err);

	if (!rc) {
		rc = sync_folder(folder, err);
		lh_atomic_close(a);
	}
	free(folder);
	return rc;
}

int lh_atomic_commit(struct lh_atomic *a, struct lh_err *err)
{
	return commit(a, false, err);
}

int lh_atomic_commit_new(struct lh_atomic *a, struct lh_err *err)
{
	return commit(a, true, err);
}

void lh_atomic_close(struct lh_atomic *a)
{
	sigset_t old;

	if (!a->path)
		return;
	if (a->tmp) {
		lh_signal_block(&old);
		unlink(a->tmp);
		forget_tmp(a);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	free(a->path);
	*a = (struct lh_atomic){ .fd = -1, .slot = -1 };
}

int lh_atomic_put(const char *path, mode_t mode, const struct lh_buf *text, struct lh_err *err)
{
	struct lh_atomic a;
	int rc;

	if (lh_buf_check(text, err) < 0 || lh_atomic_open(&a, path, mode, err) < 0)
		return -1;
	rc = lh_atomic_write(&a, text->p, text->len, err);
	if (!rc)
		rc = lh_atomic_commit(&a, err);
	lh_atomic_close(&a);
	return rc;
}

/* ---- refuse what is not a regular file ---- */

int lh_not_regular(const char *path, mode_t type, struct lh_err *err)
{
	const char *what = S_ISLNK(type) ? "a symbolic link" : S_ISFIFO(type) ? "a FIFO" :
			   S_ISDIR(type) ? "a directory" : S_ISSOCK(type) ? "a socket" : "a device";

	return lh_err_set(err, LH_EIO, "%s: is %s, not a regular file", path, what);
}

int lh_open_regular(const char *path, int flags, mode_t mode, struct lh_err *err)
{
	int fd = lh_own_open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return lh_not_regular(path, S_IFLNK, err);
	if (fd < 0 && errno == EISDIR)
		return lh_not_regular(path, S_IFDIR, err);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot open", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return lh_not_regular(path, st.st_mode, err);
}

/* ---- a temporary folder ---- */

#define IN_USE "/.in-use"
#define NEW "/.new"
#define RANDOM "-XXXXXX"
#define FILES_OPEN 16	/* descriptors for nftw */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	int rc = type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);

	(void)st;
	(void)at;
	return rc < 0 && errno != ENOENT ? -1 : 0;
}

int lh_remove_all(const char *path)
{
	return nftw(path, remove_one, FILES_OPEN, FTW_DEPTH | FTW_PHYS);
}

static int open_in(const char *path, const char *name, int flags)
{
	char file[PATH_MAX];

	if ((size_t)snprintf(file, sizeof file, "%s%s", path, name) < sizeof file)
		return open(file, flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	errno = ENAMETOOLONG;
	return -1;
}

/* Create and lock the folder's lock file and return its descriptor.  It gets its
 * name after it is locked, so that no process finds it free. */
static int create_lock(const char *path)
{
	char from[PATH_MAX], to[PATH_MAX];
	int fd = open_in(path, NEW, O_CREAT | O_EXCL);

	if (fd < 0)
		return -1;
	snprintf(from, sizeof from, "%s" NEW, path);
	if ((size_t)snprintf(to, sizeof to, "%s" IN_USE, path) < sizeof to &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0 && link(from, to) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Return whether entry is "NAME-PID-" and six more characters. */
static bool is_ours(const char *entry, const char *name, pid_t *pid)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(entry, name, n) || entry[n] != '-' || entry[n + 1] < '1' || entry[n + 1] > '9')
		return false;
	*pid = (pid_t)strtol(entry + n + 1, &end, 10);
	return *end == '-' && strlen(end) == strlen(RANDOM) && *pid > 0;
}

/* Remove the folders that no process uses.  The lock decides, also for a process that is dead
 * and was never waited for; for a folder that never got one, the PID does. */
static void remove_stale_folders(const char *base, const char *name)
{
	char path[PATH_MAX];
	DIR *d = opendir(base);
	struct dirent *e;
	struct stat st;
	pid_t pid;
	int fd;

	while (d && (e = readdir(d))) {
		if (!is_ours(e->d_name, name, &pid) ||
		    (size_t)snprintf(path, sizeof path, "%s/%s", base, e->d_name) >= sizeof path ||
		    lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
			continue;
		fd = open_in(path, IN_USE, 0);
		if (fd >= 0 ? flock(fd, LOCK_EX | LOCK_NB) == 0
			    : errno == ENOENT && kill(pid, 0) < 0 && errno == ESRCH)
			lh_remove_all(path);
		if (fd >= 0)
			close(fd);
	}
	if (d)
		closedir(d);
}

int lh_tmpdir_make(struct lh_tmpdir *d, const char *name, struct lh_err *err)
{
	const char *base = getenv("TMPDIR");
	size_t n;

	if (!base || !*base)
		base = "/tmp";
	remove_stale_folders(base, name);
	n = strlen(base) + strlen(name) + sizeof "/-" RANDOM + 20;
	*d = (struct lh_tmpdir){ lh_calloc(n, 1), -1 };
	if (!d->path)
		return -1;
	snprintf(d->path, n, "%s/%s-%ld" RANDOM, base, name, (long)getpid());
	if (!mkdtemp(d->path)) {
		lh_err_sys(err, "%s: cannot make the folder", d->path);
		free(d->path);
		d->path = NULL;
		return -1;
	}
	d->in_use = create_lock(d->path);
	if (d->in_use >= 0)
		return 0;
	lh_err_sys(err, "%s" IN_USE, d->path);
	lh_tmpdir_remove(d, &(struct lh_err){ 0 });
	return -1;
}

int lh_tmpdir_remove(struct lh_tmpdir *d, struct lh_err *err)
{
	int rc = 0;

	if (!d->path)
		return 0;
	if (lh_remove_all(d->path) < 0)
		rc = lh_err_sys(err, "%s: cannot remove", d->path);
	if (d->in_use >= 0)
		close(d->in_use);
	free(d->path);
	*d = (struct lh_tmpdir){ NULL, -1 };
	return rc;
}
