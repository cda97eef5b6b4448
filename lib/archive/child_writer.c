/* child_writer.c - lh-cat as a child that compresses.  See archive.h. */
#include "archive.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/coproc.h"

int lh_child_writer_start(struct lh_child_writer *p, const char *kind, int fd, struct lh_err *err)
{
	char mode[40], *argv[] = { "lh-cat", NULL };
	int ends[2] = { -1, -1 };
	pid_t pid = -1;

	*p = (struct lh_child_writer){ 0, -1, -1 };
	snprintf(mode, sizeof mode, LH_CAT_ENV "=%s", kind);
	p->stderr_fd = memfd_create("lh-cat", MFD_CLOEXEC);
	/* A socket: writing to a child that died is an error there, not a SIGPIPE. */
	if (p->stderr_fd < 0)
		return lh_err_sys(err, "memfd_create");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		lh_err_sys(err, "socketpair");
	else
		pid = lh_coproc_spawn(&(struct lh_spawn){
			.argv = argv, .fd = (int[]){ ends[1], fd, p->stderr_fd }, .n_fd = 3,
			.env = (char *[]){ mode, NULL } }, err);
	if (ends[1] >= 0)
		close(ends[1]);
	p->to = ends[0];
	if (pid < 0) {
		lh_child_writer_stop(p);
		return -1;
	}
	p->pid = pid;
	return 0;
}

/* Wait for it to end: 0 if it succeeded, else -1 with its message. */
static int wait_for_end(struct lh_child_writer *p, struct lh_err *err)
{
	int status = 0;

	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	p->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (lh_coproc_stderr_error(p->stderr_fd, "lh-cat", err))
		return -1;
	return lh_err_set(err, LH_EIO, "lh-cat ended before it was done");
}

static int write_bytes(struct lh_child_writer *p, const void *bytes, size_t n, struct lh_err *err)
{
	const char *from = bytes;
	ssize_t sent;

	for (; n; from += sent, n -= (size_t)sent) {
		sent = send(p->to, from, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			sent = 0;
		if (sent >= 0)
			continue;
		/* it reads no more because it has ended, and has reported why */
		return wait_for_end(p, err) < 0 ? -1
			: lh_err_set(err, LH_EIO, "lh-cat ended before it was done");
	}
	return 0;
}

static int write_frame(struct lh_child_writer *p, char kind, const void *bytes, size_t n,
		       struct lh_err *err)
{
	unsigned char h[LH_CAT_FRAME] = { (unsigned char)kind, (unsigned char)n,
					  (unsigned char)(n >> 8), (unsigned char)(n >> 16), 0 };

	return write_bytes(p, h, sizeof h, err) < 0 ? -1 : write_bytes(p, bytes, n, err);
}

int lh_child_writer_more(struct lh_child_writer *p, const void *bytes, size_t n, struct lh_err *err)
{
	const char *from = bytes;
	size_t some;

	for (; n; from += some, n -= some) {
		some = n < LH_CAT_FRAME_MAX ? n : LH_CAT_FRAME_MAX;
		if (write_frame(p, 'D', from, some, err) < 0)
			return -1;
	}
	return 0;
}

int lh_child_writer_end(struct lh_child_writer *p, struct lh_err *err)
{
	if (write_frame(p, 'Z', "", 0, err) < 0)
		return -1;
	return wait_for_end(p, err);
}

void lh_child_writer_stop(struct lh_child_writer *p)
{
	if (p->to >= 0)
		close(p->to);
	if (p->pid > 0) {
		kill(p->pid, SIGTERM);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (p->stderr_fd >= 0)
		close(p->stderr_fd);
	*p = (struct lh_child_writer){ 0, -1, -1 };
}
