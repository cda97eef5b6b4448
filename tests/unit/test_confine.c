/* lh_confine: what the kernel refuses a confined process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "file/confine.h"
#include "file/file.h"

static struct lh_err err;
static struct lh_tmpdir out = { NULL, -1 }, own = { NULL, -1 };
static int opened;		/* the file out/f, opened for reading before */

static const char *in(const struct lh_tmpdir *d, const char *name)
{
	static char path[2][4096];
	static int at;

	at = !at;
	snprintf(path[at], sizeof path[at], "%s/%s", d->path, name);
	return path[at];
}

static int make(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

#define refused(call) check((call) < 0 && (errno == EACCES || errno == EXDEV))

static void nothing_outside_changes(void)
{
	char by_fd[64];
	int writing[] = { O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND };
	size_t i;

	snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", opened);
	for (i = 0; i < 4; i++) {
		refused(make(in(&out, "f"), writing[i]));
		refused(make(by_fd, writing[i]));
	}
	refused(make(in(&out, "new"), O_WRONLY | O_CREAT | O_EXCL));
	refused(mkdir(in(&out, "new"), 0700));
	refused(symlink("f", in(&out, "new")));
	refused(mkfifo(in(&out, "new"), 0600));
	refused(unlink(in(&out, "f")));
	refused(rename(in(&out, "f"), in(&out, "new")));
	refused(rename(in(&own, "f"), in(&out, "new")));
	refused(link(in(&own, "f"), in(&out, "new")));
}

static void reading_goes_on(void)
{
	char c;

	check(make(in(&out, "f"), O_RDONLY) == 0);
	check(pread(opened, &c, 1, 0) == 1 && c == 'x');
	check(make("/proc/self/fd/0", O_RDONLY) == 0 || errno != EACCES);
}

static void the_folder_is_its_own(void)
{
	check(make(in(&own, "f"), O_WRONLY | O_CREAT) == 0);
	check(mkdir(in(&own, "d"), 0700) == 0);
	check(rename(in(&own, "f"), in(&own, "g")) == 0);
	check(make(own.path, O_TMPFILE | O_RDWR) == 0 || errno == EOPNOTSUPP);
	check(make(in(&own, "f"), O_WRONLY | O_CREAT) == 0);
}

static void a_child_is_confined(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(make(in(&out, "f"), O_WRONLY) < 0 ? 0 : 1);
	check(waitpid(pid, &status, 0) == pid && status == 0);
}

static void the_folder_can_be_removed(void)
{
	check_why(lh_tmpdir_remove(&own, &err) == 0, err.msg);
}

int main(void)
{
	int fd, status = 0, confined;
	pid_t pid;

	check(lh_tmpdir_make(&out, "test-confine", &err) == 0);
	fd = open(in(&out, "f"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	check(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	opened = open(in(&out, "f"), O_RDONLY | O_CLOEXEC);
	check(opened >= 0);
	pid = fork();		/* this process removes the folder afterwards */
	if (!pid) {
		check(lh_tmpdir_make(&own, "test-confine", &err) == 0);
		confined = lh_confine(own.path, &err);
		check_why(confined >= 0, err.msg);
		if (confined) {
			test(the_folder_is_its_own());
			test(nothing_outside_changes());
			test(reading_goes_on());
			test(a_child_is_confined());
		}
		test(the_folder_can_be_removed());
		exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0);
	check(lh_tmpdir_remove(&out, &err) == 0);
	return 0;
}
