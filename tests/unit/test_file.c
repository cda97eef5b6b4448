/* lh_file: replace, append, map, lock. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "check.h"
#include "file/file.h"

static struct lh_err err;

/* ---- two PID namespaces, or machines, on one volume ---- */

static pid_t as_pid;		/* the PID of this process; 0: the true one */
static bool none_lives;		/* no other process is known here */
static void (*before_lock)(void), (*before_rename)(void);	/* called once */

pid_t getpid(void)
{
	return as_pid ? as_pid : (pid_t)syscall(SYS_getpid);
}

int kill(pid_t pid, int sig)
{
	errno = ESRCH;
	return none_lives ? -1 : (int)syscall(SYS_kill, pid, sig);
}

static void call_once(void (**f)(void))
{
	void (*call)(void) = *f;

	*f = NULL;
	if (call)
		call();
}

int flock(int fd, int how)
{
	if (how & LOCK_EX)
		call_once(&before_lock);
	return (int)syscall(SYS_flock, fd, how);
}

int rename(const char *from, const char *to)
{
	call_once(&before_rename);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int to_other[2], from_other[2];

static void let_other_go_on(void)
{
	char c;

	check(write(to_other[1], "", 1) == 1 && read(from_other[0], &c, 1) == 1);
}

/* The other process, which sees the PID of this one or does not see it at all. */
static void write_as_other(bool same_pid)
{
	struct lh_atomic b;
	char c;

	as_pid = same_pid ? getppid() : 0;
	none_lives = !same_pid;
	check(read(to_other[0], &c, 1) == 1);
	check_why(lh_atomic_open(&b, "shared", 0666, &err) == 0, err.msg);
	check(lh_atomic_write(&b, "of the", 6, &err) == 0);
	check(write(from_other[1], "", 1) == 1 && read(to_other[0], &c, 1) == 1);
	check(lh_atomic_write(&b, " other", 6, &err) == 0);
	check_why(lh_atomic_commit(&b, &err) == 0, err.msg);
	check(write(from_other[1], "", 1) == 1);
	_exit(0);
}

/* The other writes half of its file at a certain moment of the writing here. */
static void two_write(bool same_pid, void (**moment)(void))
{
	struct lh_atomic a;
	int status;
	pid_t pid;

	check(pipe(to_other) == 0 && pipe(from_other) == 0);
	pid = fork();	/* before a name is chosen: both choose the same */
	if (!pid)
		write_as_other(same_pid);
	*moment = let_other_go_on;
	check_why(lh_atomic_open(&a, "shared", 0666, &err) == 0, err.msg);
	check(lh_atomic_write(&a, "mine", 4, &err) == 0);
	check_why(lh_atomic_commit(&a, &err) == 0, err.msg);
	check(!*moment);
	check_holds("shared", "mine");
	let_other_go_on();
	check(waitpid(pid, &status, 0) == pid && status == 0);
	check_holds("shared", "of the other");
	check(close(to_other[0]) + close(to_other[1]) == 0);
	check(close(from_other[0]) + close(from_other[1]) == 0);
}

static void writers_that_do_not_see_each_other(void)
{
	two_write(true, &before_lock);
	two_write(false, &before_lock);
	two_write(true, &before_rename);
	two_write(false, &before_rename);
}

static void log_whole(void)
{
	struct lh_applog l = { 0 };
	char big[10000];

	check(lh_applog_close(&l, &err) == 0);
	check(lh_applog_open(&l, "log", 0600, 60, &err) == 0 && l.torn_at == -1);
	check(lh_applog_append(&l, "one", 3, LH_SYNC_EACH, &err) == 0);
	check(lh_applog_append(&l, "", 0, LH_SYNC_NONE, &err) == 0);
	check(lh_applog_close(&l, &err) == 0);
	check_holds("log", "one\n\n");

	check_put("log", "one\ntorn");
	check(lh_applog_open(&l, "log", 0600, 60, &err) == 0 && l.torn_at == 4);
	check(lh_applog_append(&l, "two", 3, LH_SYNC_NONE, &err) == 0);
	check(lh_applog_append(&l, "three", 5, LH_SYNC_NONE, &err) == 0);
	check(lh_applog_close(&l, &err) == 0);
	check_holds("log", "one\ntorn\ntwo\nthree\n");

	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	check_put("log", big);
	check(lh_applog_open(&l, "log", 0600, 60, &err) == 0 && l.torn_at == 0);
	lh_applog_close(&l, &err);

	check(symlink("log", "loglink") == 0 && mkfifo("fifo", 0600) == 0);
	check(lh_applog_open(&l, "loglink", 0600, 60, &err) < 0);
	check(lh_applog_open(&l, "fifo", 0600, 60, &err) < 0);
	check(lh_applog_open(&l, ".", 0600, 60, &err) < 0);
}

/* A rotation that comes between the choice of the file and its lock. */
static void rotate(void)
{
	check(syscall(SYS_renameat2, AT_FDCWD, "followed", AT_FDCWD, "rotated", 0) == 0);
}

static void log_followed(void)
{
	struct lh_applog l;

	check(lh_applog_open(&l, "followed", 0600, 60, &err) == 0);
	check(lh_applog_append(&l, "one", 3, LH_SYNC_NONE, &err) == 0);
	before_lock = rotate;
	check_why(lh_applog_append(&l, "two", 3, LH_SYNC_NONE, &err) == 0, err.msg);
	check(!before_lock);
	check(unlink("followed") == 0);
	check(lh_applog_append(&l, "three", 5, LH_SYNC_EACH, &err) == 0);
	check(lh_applog_close(&l, &err) == 0);
	check_holds("rotated", "one\n");
	check_holds("followed", "three\n");
}

#define WRITERS 8

static int records = 400;	/* 10,000 in make soak */

static void write_many(int who)
{
	struct lh_applog l;
	char line[8192];
	int i, n;

	if (lh_applog_open(&l, "many", 0600, 60, &err) < 0)
		_exit(1);
	for (i = 0; i < records; i++) {
		n = i % 7 == 0 ? 8000 : 10;	/* also longer than PIPE_BUF */
		memset(line, 'a' + who, (size_t)n);
		if (lh_applog_append(&l, line, (size_t)n, LH_SYNC_NONE, &err) < 0)
			_exit(1);
	}
	_exit(lh_applog_close(&l, &err) < 0);
}

static void log_shared(void)
{
	int count[WRITERS] = { 0 }, i, status;
	struct lh_mapped m;
	const char *p, *lf;

	if (getenv("LH_SCALE") && strcmp(getenv("LH_SCALE"), "soak") == 0)
		records = 10000;
	for (i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(i);
	for (i = 0; i < WRITERS; i++)
		check(wait(&status) > 0 && status == 0);
	check(lh_mapped_open(&m, "many", &err) == 0);
	for (p = m.p; p < m.p + m.n; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(m.p + m.n - p));
		check(lf && (lf - p == 10 || lf - p == 8000));
		for (i = 1; i < lf - p; i++)
			check(p[i] == *p);
		count[*p - 'a']++;
	}
	for (i = 0; i < WRITERS; i++)
		check(count[i] == records);
	lh_mapped_close(&m);
}

static void mapped(void)
{
	struct lh_mapped m;

	check_put("empty", "");
	check(lh_mapped_open(&m, "empty", &err) == 0 && m.n == 0 && m.p);
	lh_mapped_close(&m);
	check(lh_mapped_open(&m, ".", &err) < 0 && strcmp(err.msg, ".: is a directory") == 0);
	check(lh_mapped_open(&m, "fifo", &err) < 0 &&
	      strcmp(err.msg, "fifo: is not a regular file") == 0);
	check(lh_mapped_open(&m, "absent", &err) < 0 && err.code == LH_EIO);
}

int main(void)
{
	check_folder();
	test(writers_that_do_not_see_each_other());
	test(log_whole());
	test(log_followed());
	test(log_shared());
	test(mapped());
	return 0;
}
