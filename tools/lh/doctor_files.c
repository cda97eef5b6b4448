/* doctor_files.c - lh doctor: keys, logs, locks and leftovers in folders.  See doctor.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lh/index.h>
#include "doctor.h"

#define ROW_ROOM 65536		/* bytes of a log's first row that are looked at */
#define PID_ROOM 24

/* What was found in a folder. */
struct tally {
	unsigned files, keys, logs, locks, leftovers, unreadable;
};

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

void doctor_age(time_t since, char to[DOCTOR_AGE])
{
	long s = time(NULL) - since, m = s / 60;

	if (m < 120)
		snprintf(to, DOCTOR_AGE, "%ld min", m > 0 ? m : 0);
	else if (m < 48 * 60)
		snprintf(to, DOCTOR_AGE, "%ld h", m / 60);
	else
		snprintf(to, DOCTOR_AGE, "%ld days", m / (24 * 60));
}

static bool is_gone(long pid)
{
	return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* Return whether no process holds the file's lock; false if it cannot be asked. */
static bool is_free(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool free_ = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0;

	if (fd >= 0)
		close(fd);
	return free_;
}

/* ---- keys and logs ---- */

/* Read the beginning of a regular file into *to.  Returns its bytes; 0 if it cannot be read. */
static size_t read_head(const char *path, char to[ROW_ROOM])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, ROW_ROOM);

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

static bool is_key_name(const char *name)
{
	static const char *const ends[] = { ".key", ".keys", "-key", "_key", ".token" };
	size_t i;

	for (i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends_in(name, ends[i]))
			return true;
	return false;
}

/* Return whether a file is one of keys: by its name, or as PEM, which also has certificates. */
static bool is_key(const FTSENT *e)
{
	static const char mark[] = "PRIVATE KEY-----";
	static char head[ROW_ROOM];

	return is_key_name(e->fts_name) ||
	       (ends_in(e->fts_name, ".pem") &&
		memmem(head, read_head(e->fts_path, head), mark, strlen(mark)));
}

static bool check_key(struct doctor *d, const char *path, const struct stat *st)
{
	unsigned mode = st->st_mode & 07777;

	if (S_ISLNK(st->st_mode))
		doctor_add(d, DOCTOR_PROBLEM, "key", path,
			   "a symbolic link, which is not followed");
	else if (!S_ISREG(st->st_mode))
		doctor_add(d, DOCTOR_PROBLEM, "key", path, "not a regular file");
	else if (mode & (S_IRWXG | S_IRWXO))
		doctor_add(d, DOCTOR_PROBLEM, "key", path,
			   "mode %04o gives others access; make it 0600", mode);
	else if (st->st_uid != geteuid() && geteuid() != 0)
		doctor_add(d, DOCTOR_PROBLEM, "key", path, "belongs to user %u, not to you (%u)",
			   st->st_uid, geteuid());
	else
		return true;
	return false;
}

bool doctor_key_file(struct doctor *d, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return check_key(d, path, &st);
	doctor_add(d, DOCTOR_PROBLEM, "key", path, "%s", strerror(errno));
	return false;
}

/* Return whether a file of JSON Lines is an audit log, by its first row. */
static bool is_audit_log(const char *path)
{
	static char row[ROW_ROOM];
	size_t n = read_head(path, row);
	const char *lf = memchr(row, '\n', n);

	return memmem(row, lf ? (size_t)(lf - row) : n, "\"row_hmac\":", strlen("\"row_hmac\":"));
}

/* ---- indexes ---- */

struct damaged {
	struct doctor *doctor;
	const char *path;
};

static void on_damage(void *ctx, const char *section, const char *text)
{
	const struct damaged *to = ctx;

	doctor_add(to->doctor, DOCTOR_PROBLEM, "index", to->path, "%s: %s", section, text);
}

/* Open an index, as a search does; with --deep check all of it. */
static void check_index(struct doctor *d, const char *path)
{
	struct damaged to = { d, path };
	struct lh_index *ix = NULL;
	struct lh_err err;
	const size_t n = strlen(path);

	if (d->deep ? lh_index_verify(path, on_damage, &to, &err) == 0
		    : (ix = lh_index_open(path, &err)) != NULL) {
		lh_index_close(ix);
		return;
	}
	doctor_add(d, DOCTOR_PROBLEM, "index", path, "%s",
		   strncmp(err.msg, path, n) || strncmp(err.msg + n, ": ", 2) ? err.msg
									   : err.msg + n + 2);
}

/* ---- locks and leftovers ---- */

/* Return whether the file is a lock: by its name, and by being empty or a PID and LF. */
static bool is_lock(const FTSENT *e, long *pid)
{
	char text[PID_ROOM] = "", *end;
	int fd;
	ssize_t n;

	if (!(ends_in(e->fts_name, ".lock") || ends_in(e->fts_name, "-lock") ||
	      ends_in(e->fts_name, "-compact")) || e->fts_statp->st_size >= PID_ROOM)
		return false;
	fd = open(e->fts_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	*pid = n > 0 ? strtol(text, &end, 10) : 0;
	return n == 0 || (n > 0 && *pid > 0 && end == text + n - 1 && *end == '\n');
}

/* Return the PID in the name of a temporary file, ".NAME.lh-tmp-PID"; 0 if it is not one. */
static long temporary_of(const char *name)
{
	static const char mark[] = ".lh-tmp-";
	const char *end = name + strlen(name), *p = end;

	while (p > name && isdigit((unsigned char)p[-1]))
		p--;
	if (*name != '.' || p == end || (size_t)(p - name) < strlen(mark) ||
	    memcmp(p - strlen(mark), mark, strlen(mark)) != 0)
		return 0;
	return strtol(p, NULL, 10);
}

/* ---- a folder ---- */

static void check_file(struct doctor *d, const FTSENT *e, struct tally *t)
{
	unsigned mode = e->fts_statp->st_mode & 07777;
	char age[DOCTOR_AGE], by[64] = "no process";
	long pid;

	t->files++;
	doctor_age(e->fts_statp->st_mtime, age);
	if ((pid = temporary_of(e->fts_name))) {
		t->leftovers++;
		if (is_gone(pid) && is_free(e->fts_path))
			doctor_add(d, DOCTOR_WARNING, "leftover", e->fts_path,
				   "written %s ago by process %ld, which was killed; the next "
				   "writer removes it", age, pid);
	} else if (is_lock(e, &pid)) {
		t->locks++;
		if (pid)
			snprintf(by, sizeof by, "process %ld, which has ended", pid);
		if (is_free(e->fts_path))
			doctor_add(d, DOCTOR_WARNING, "lock", e->fts_path,
				   "taken %s ago by %s; the next writer takes it over", age, by);
	} else if (is_key(e)) {
		t->keys++;
		check_key(d, e->fts_path, e->fts_statp);
	} else if (ends_in(e->fts_name, ".lhv")) {
		check_index(d, e->fts_path);
	} else if (ends_in(e->fts_name, ".jsonl") && is_audit_log(e->fts_path)) {
		t->logs++;
		if (mode & S_IRWXO)
			doctor_add(d, DOCTOR_PROBLEM, "log", e->fts_path,
				   "mode %04o lets all users %s this audit log; make it 0600", mode,
				   mode & S_IWOTH ? "change" : "read");
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void check_entry(struct doctor *d, const FTSENT *e, struct tally *t)
{
	switch (e->fts_info) {
	case FTS_F:
		check_file(d, e, t);
		break;
	case FTS_DEFAULT:	/* not opened: a writer waits for the reader of a FIFO */
	case FTS_SL:
	case FTS_SLNONE:
		if (is_key_name(e->fts_name))
			check_key(d, e->fts_path, e->fts_statp);
		break;
	case FTS_ERR:
	case FTS_DNR:
	case FTS_NS:
		doctor_add(d, DOCTOR_PROBLEM, "folder", e->fts_path, "%s",
			   strerror(e->fts_errno));
		t->unreadable++;
	}
}

void doctor_folder(struct doctor *d, const char *folder)
{
	char *const roots[] = { (char *)folder, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	struct tally t = { 0 };
	FTSENT *e;

	while (walk && (e = fts_read(walk)))
		check_entry(d, e, &t);
	if (errno) {	/* fts_read sets it to 0 at the end */
		doctor_add(d, DOCTOR_PROBLEM, "folder", folder, "%s", strerror(errno));
		t.unreadable++;
	}
	if (walk)
		fts_close(walk);
	if (!t.files && !t.unreadable)
		doctor_add(d, DOCTOR_ABSENT, "folder", folder, "no file is in it");
	else if (t.files)
		doctor_add(d, DOCTOR_OK, "folder", folder,
			   "files: %u; keys: %u, audit logs: %u, locks: %u, temporary files: %u",
			   t.files, t.keys, t.logs, t.locks, t.leftovers);
}

void doctor_size(const char *folder, char *to, size_t n)
{
	char *const roots[] = { (char *)folder, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	unsigned long long files = 0;
	double bytes = 0;
	FTSENT *e;

	while (walk && (e = fts_read(walk)))
		if (e->fts_info == FTS_F) {
			files++;
			bytes += (double)e->fts_statp->st_size;
		}
	if (walk)
		fts_close(walk);
	snprintf(to, n, "%llu file%s, %.1f MB", files, files == 1 ? "" : "s", bytes / 1e6);
}
