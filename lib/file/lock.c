/* lock.c - admit one writer at a time, and a log that many append to.  See file.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file.h"

/* ---- admit one writer at a time ---- */

#define TRY_EVERY 0.02		/* most seconds between two tries */
#define TRY_SOON 0.0001		/* seconds before the second try */

struct wait {
	const char *path;
	double seconds, start;
};

static void wait_begin(struct wait *w, const char *path, double seconds)
{
	*w = (struct wait){ path, seconds, lh_time_monotonic() };
}

/* Sleep before the next try, longer the longer the wait has been.  1: timed out,
 * -1: a signal asked the process to stop. */
static int wait_more(const struct wait *w, struct lh_err *err)
{
	double waited = lh_time_monotonic() - w->start, pause = waited / 8;

	if (waited >= w->seconds)
		return 1;
	pause = pause < TRY_SOON ? TRY_SOON : pause > TRY_EVERY ? TRY_EVERY : pause;
	if (!lh_signal_pending())
		nanosleep(&(struct timespec){ .tv_nsec = (long)(pause * 1e9) }, NULL);
	return lh_signal_pending()
		? lh_err_set(err, LH_EINTR, "%s: interrupted while waiting for the lock", w->path)
		: 0;
}

/* Return the process that has a flock on that file according to the kernel; 0:
 * unknown, as when it has ended and a child of it still has the descriptor. */
static long flock_holder(const struct stat *st)
{
	unsigned major_, minor_;
	unsigned long long inode;
	char line[256];
	long pid, found = 0;
	FILE *f = fopen("/proc/locks", "re");

	while (f && !found && fgets(line, sizeof line, f))
		if (sscanf(line, "%*u: FLOCK %*s %*s %ld %x:%x:%llu", &pid, &major_, &minor_,
			   &inode) == 4 &&
		    inode == st->st_ino && major_ == major(st->st_dev) &&
		    minor_ == minor(st->st_dev) && pid > 0)
			found = pid;
	if (f)
		fclose(f);
	return found && kill((pid_t)found, 0) < 0 && errno == ESRCH ? 0 : found;
}

/* Return the process that wrote its PID into the lock, if the kernel does not name
 * one. */
static long pid_in_lock(int fd)
{
	char digits[20] = "";

	return pread(fd, digits, sizeof digits - 1, 0) > 0 ? strtol(digits, NULL, 10) : 0;
}

static int report_timeout(const struct wait *w, long pid, struct lh_err *err)
{
	char by[40] = "another process";

	if (pid > 0)
		snprintf(by, sizeof by, "process %ld", pid);
	return lh_err_set(err, LH_ELOCKED, "%s: locked by %s; gave up after %g seconds", w->path,
			  by, w->seconds);
}

int lh_flock(int fd, int how, const char *path, double seconds, struct lh_err *err)
{
	struct wait w;
	struct stat st;
	int rc;

	wait_begin(&w, path, seconds);
	while (flock(fd, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return lh_err_sys(err, "%s: cannot lock", path);
		rc = wait_more(&w, err);
		if (rc)
			return rc < 0 ? -1
				: report_timeout(&w, fstat(fd, &st) == 0 ? flock_holder(&st) : 0,
						 err);
	}
	return 0;
}

/* ---- a file that is a lock ---- */

/* Return the mode of the lock: for those who may write the guarded file, or create it. */
static mode_t lock_mode(const struct stat *of)
{
	mode_t w = S_ISDIR(of->st_mode) && of->st_mode & S_ISVTX ? 0 : of->st_mode & 0222;

	return 0600 | w | w << 1;
}

/* Return the descriptor of the lock, or -1 with errno. */
static int open_lock(const char *path, const char *guarded, struct lh_err *err)
{
	struct stat of;
	int fd;

	if (stat(guarded, &of) < 0 && !lh_own_folder_stat(path, &of))
		of = (struct stat){ .st_uid = geteuid(), .st_gid = getegid() };
	do {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0) {
			lh_own_like(fd, NULL, &of, lock_mode(&of), err);
			return fd;
		}
		if (errno != EEXIST)
			return lh_err_sys(err, "%s: cannot be made in its folder", path);
		fd = lh_open_regular(path, O_RDWR, 0, err);
	} while (fd < 0 && errno == ENOENT);
	if (fd >= 0) {
		/* Restrict a lock that another process created, so that only writers can
		 * open it. */
		struct stat st;

		if (fstat(fd, &st) == 0 && st.st_mode & 0777 & ~lock_mode(&of) &&
		    st.st_nlink == 1 &&
		    (st.st_uid == geteuid() || (geteuid() == 0 && st.st_uid == of.st_uid)))
			fchmod(fd, st.st_mode & lock_mode(&of));
	}
	return fd;
}

/* Try once: 1 if locked; 0 if another process holds it, which may have more rights. */
static int try_lock(struct lh_lock *l, const char *guarded, struct lh_err *err)
{
	l->fd = open_lock(l->path, guarded, err);
	if (l->fd < 0)
		return errno == EACCES && access(l->path, F_OK) == 0 ? 0 : -1;
	if (flock(l->fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	return errno == EWOULDBLOCK || errno == EINTR ? 0
		: lh_err_sys(err, "%s: cannot lock", l->path);
}

static long lock_holder(const struct lh_lock *l)
{
	struct stat st;
	long pid = lstat(l->path, &st) == 0 ? flock_holder(&st) : 0;

	return pid || l->fd < 0 ? pid : pid_in_lock(l->fd);
}

static int write_pid(const struct lh_lock *l, struct lh_err *err)
{
	char pid[24];
	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

	if (lh_pwrite_all(l->fd, pid, (size_t)n, 0, err) == 0)
		return 0;
	unlink(l->path);
	return lh_err_prefix(err, "%s", l->path);
}

static void close_lock(struct lh_lock *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

enum { HELD, TAKEN, UNLINKED };

/* Try once: UNLINKED if its last holder has removed it.  A signal waits until its handler knows
 * the file, which it removes. */
static int take_once(struct lh_lock *l, const char *guarded, struct lh_err *err)
{
	sigset_t old;
	int rc;

	lh_signal_block(&old);
	rc = try_lock(l, guarded, err);
	if (rc > 0)
		rc = !lh_is_still_named(l->fd, l->path) ? UNLINKED
			: write_pid(l, err) == 0 ? TAKEN : -1;
	if (rc == TAKEN)
		l->slot = lh_signal_tmp_add(l->path);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int lh_lock_take(struct lh_lock *l, const char *path, const char *guarded, double seconds,
		 struct lh_err *err)
{
	struct wait w;
	int rc;

	*l = (struct lh_lock){ .fd = -1 };
	l->path = lh_strndup(path, strlen(path));
	wait_begin(&w, path, seconds);
	while ((rc = take_once(l, guarded, err)) >= 0) {
		if (rc == TAKEN)
			return 0;
		rc = rc == UNLINKED ? 0 : wait_more(&w, err);
		if (rc > 0)
			report_timeout(&w, lock_holder(l), err);
		if (rc)
			break;
		close_lock(l);
	}
	close_lock(l);
	free(l->path);
	*l = (struct lh_lock){ .fd = -1 };
	return -1;
}

void lh_lock_drop(struct lh_lock *l)
{
	sigset_t old;

	if (!l->path)
		return;
	lh_signal_block(&old);
	lh_signal_tmp_drop(l->slot);
	unlink(l->path);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* close(2) does not unlock while a forked child has the descriptor */
	flock(l->fd, LOCK_UN);
	close(l->fd);
	free(l->path);
	*l = (struct lh_lock){ .fd = -1 };
}

/* ---- a log of lines that many processes append to ---- */

#define SMALL 4096

/* Return the offset of the last line if it has no LF; -1 if every line is complete,
 * -2 on error.  *size is the length of the file. */
static int64_t find_torn_line(int fd, int64_t *size, const char *path, struct lh_err *err)
{
	char chunk[SMALL];
	struct stat st;
	int64_t at;

	if (fstat(fd, &st) < 0) {
		lh_err_sys(err, "%s", path);
		return -2;
	}
	*size = st.st_size;
	for (at = st.st_size; at > 0; ) {
		int64_t from = at > SMALL ? at - SMALL : 0;
		ssize_t n = pread(fd, chunk, (size_t)(at - from), from);
		const char *lf;

		if (n != at - from) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n >= 0)
				errno = EIO;
			lh_err_sys(err, "%s: read failed", path);
			return -2;
		}
		if (at == st.st_size && chunk[n - 1] == '\n')
			return -1;
		lf = memrchr(chunk, '\n', (size_t)n);
		if (lf)
			return from + (lf - chunk) + 1;
		at = from;
	}
	return st.st_size ? 0 : -1;
}

int lh_applog_open(struct lh_applog *l, const char *path, mode_t mode, double lock_timeout,
		   struct lh_err *err)
{
	int64_t size;

	*l = (struct lh_applog){
		.fd = -1, .torn_at = -1, .lock_timeout = lock_timeout, .mode = mode
	};
	l->path = lh_strndup(path, strlen(path));
	l->fd = lh_open_regular(path, O_RDWR | O_APPEND | O_CREAT, mode, err);
	if (l->fd >= 0 && lh_flock(l->fd, LOCK_SH, path, lock_timeout, err) == 0) {
		l->torn_at = find_torn_line(l->fd, &size, path, err);
		flock(l->fd, LOCK_UN);
		/* A log without rows may be new, and its name not yet on disk. */
		if (l->torn_at >= -1 && (size || lh_sync_folder(path, err) == 0))
			return 0;
	}
	lh_applog_close(l, &(struct lh_err){ 0 });
	return -1;
}

/* Append everything with one write(2).  A write cut short by a full disk is undone,
 * which the lock permits. */
static int write_once(struct lh_applog *l, const char *p, size_t n, int64_t size,
		      struct lh_err *err)
{
	ssize_t got;

	do
		got = write(l->fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got >= 0 && (size_t)got < n) {
		ssize_t rest = write(l->fd, p + got, n - (size_t)got);

		if (rest > 0)
			got += rest;
		else if (rest == 0)
			errno = EIO;
	}
	if (got == (ssize_t)n)
		return 0;
	lh_err_sys(err, "%s: write failed", l->path);
	if (got > 0 && ftruncate(l->fd, size) < 0)
		return lh_err_prefix(err, "%s: a torn line is left at byte %lld", l->path,
				     (long long)size);
	return -1;
}

/* Open the log at its path, in place of the one that was renamed or removed. */
static int open_again(struct lh_applog *l, struct lh_err *err)
{
	struct lh_applog other;

	if (fdatasync(l->fd) < 0)	/* its rows may be waiting for a sync */
		return lh_err_sys(err, "%s: cannot sync", l->path);
	if (lh_applog_open(&other, l->path, l->mode, l->lock_timeout, err) < 0)
		return -1;
	lh_applog_close(l, &(struct lh_err){ 0 });
	*l = other;
	return 0;
}

/* Lock the log.  Under the lock of a file that still has the name, a rotation that holds
 * this lock while it renames has not begun. */
static int lock_log(struct lh_applog *l, struct lh_err *err)
{
	for (;;) {
		if (lh_flock(l->fd, LOCK_EX, l->path, l->lock_timeout, err) < 0)
			return -1;
		if (lh_is_still_named(l->fd, l->path))
			return 0;
		flock(l->fd, LOCK_UN);
		if (open_again(l, err) < 0)
			return -1;
	}
}

int lh_applog_append(struct lh_applog *l, const char *line, size_t n, int sync, struct lh_err *err)
{
	char small[SMALL], *p = small;
	int64_t size = 0, at;
	size_t lead;
	int rc;

	if (n + 2 > sizeof small)
		p = lh_calloc(n + 2, 1);
	rc = lock_log(l, err);
	if (!rc) {
		at = find_torn_line(l->fd, &size, l->path, err);
		rc = at == -2 ? -1 : 0;
		lead = at >= 0;
		p[0] = '\n';
		memcpy(p + lead, line, n);
		p[lead + n] = '\n';
		if (!rc)
			rc = write_once(l, p, lead + n + 1, size, err);
		if (!rc && sync == LH_SYNC_EACH && fdatasync(l->fd) < 0)
			rc = lh_err_sys(err, "%s: cannot sync", l->path);
		flock(l->fd, LOCK_UN);
	}
	if (p != small)
		free(p);
	return rc;
}

int lh_applog_close(struct lh_applog *l, struct lh_err *err)
{
	int rc = 0;

	if (!l->path)
		return 0;
	if (l->fd >= 0 && close(l->fd) < 0 && errno != EINTR)
		rc = lh_err_sys(err, "%s: close failed", l->path);
	free(l->path);
	*l = (struct lh_applog){ .fd = -1, .torn_at = -1 };
	return rc;
}
