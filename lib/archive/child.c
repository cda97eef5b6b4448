/* child.c - lh-cat as a child that reads an archive, or compresses.  See archive.h. */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "proc/coproc.h"

static int report_ended(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "lh-cat ended before it was done");
}

/* ---- a child that reads ---- */

static int head_file(const void *head, size_t n, struct lh_err *err)
{
	int fd = memfd_create("lh-cat head", MFD_CLOEXEC);

	if (fd < 0)
		return lh_err_sys(err, "memfd_create");
	if (lh_pwrite_all(fd, head, n, 0, err) < 0) {
		close(fd);
		return -1;
	}
	return fd;		/* read from its beginning */
}

/* What the child reads: fd after the bytes of head, or an object. */
struct reads {
	const char *object;	/* NULL: fd */
	int fd;
	const void *head;
	size_t n;
};

static struct lh_child_reader *start(const struct reads *from, struct lh_err *err)
{
	static char *const env[] = { LH_CAT_ENV "=" LH_CAT_LINES, NULL };
	char *argv[] = { "lh-cat", from->object ? "--" : NULL, (char *)from->object, NULL };
	int pipes[2] = { -1, -1 }, before = -1;
	struct lh_child_reader *c = lh_calloc(1, sizeof *c);

	before = head_file(from->head, from->n, err);
	if (before >= 0 && pipe2(pipes, O_CLOEXEC) < 0)
		lh_err_sys(err, "pipe");
	c->from = pipes[0];
	c->pid = -1;
	if (pipes[0] >= 0)
		c->pid = lh_coproc_spawn(&(struct lh_spawn){
			.argv = argv, .fd = (int[]){ from->fd, pipes[1], -1, before },
			.n_fd = 4, .env = env,
			.keys = from->object ? LH_KEYS_STORE : LH_KEYS_NONE }, err);
	if (before >= 0)
		close(before);
	if (pipes[1] >= 0)
		close(pipes[1]);
	if (c->pid < 0) {
		if (pipes[0] >= 0)
			close(pipes[0]);
		free(c);
		return NULL;
	}
	return c;
}

struct lh_child_reader *lh_child_reader_start(int fd, const void *head, size_t n,
					      struct lh_err *err)
{
	return start(&(struct reads){ NULL, fd, head, n }, err);
}

struct lh_child_reader *lh_child_reader_object(const char *object, struct lh_err *err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct lh_child_reader *c;

	if (null < 0) {
		lh_err_sys(err, "/dev/null");
		return NULL;
	}
	c = start(&(struct reads){ object, null, "", 0 }, err);
	close(null);
	return c;
}

static int read_exactly(struct lh_child_reader *c, void *p, size_t n, struct lh_err *err)
{
	char *to = p;
	ssize_t got;

	for (; n; to += got, n -= (size_t)got) {
		got = lh_read_some(c->from, to, n, err);
		if (got < 0)
			return -1;
		if (!got)
			return report_ended(err);
	}
	return 0;
}

/* Read the header of the next frame: its kind, or -1. */
static int read_frame_head(struct lh_child_reader *c, struct lh_err *err)
{
	unsigned char h[LH_CAT_FRAME];

	if (read_exactly(c, h, sizeof h, err) < 0)
		return -1;
	c->frame_left = (uint32_t)h[1] | (uint32_t)h[2] << 8 | (uint32_t)h[3] << 16 |
		(uint32_t)h[4] << 24;
	if (c->frame_left > LH_CAT_FRAME_MAX)
		return lh_err_set(err, LH_EIO, "lh-cat is of another version");
	return h[0];
}

/* Read the payload of a frame as text into name. */
static int read_text_payload(struct lh_child_reader *c, struct lh_err *err)
{
	uint32_t n = c->frame_left;

	c->frame_left = 0;
	if (read_exactly(c, c->name, n, err) < 0)
		return -1;
	c->name[n] = '\0';
	return 0;
}

ssize_t lh_child_reader_read(void *cat, void *p, size_t n, struct lh_err *err)
{
	struct lh_child_reader *c = cat;
	ssize_t got;

	while (!c->frame_left) {
		if (c->ended || c->more)
			return 0;
		switch (read_frame_head(c, err)) {
		case 'D':
			break;
		case 'M':
			if (read_text_payload(c, err) < 0)
				return -1;
			c->more = c->started || c->name[0];
			c->started = true;
			break;
		case 'E':
			c->ended = true;
			return read_text_payload(c, err) < 0 ? -1
				: lh_err_set(err, LH_EIO, "%s", c->name);
		case 'Z':
			c->ended = true;
			break;
		case -1:
			return -1;
		default:
			return lh_err_set(err, LH_EIO, "lh-cat is of another version");
		}
	}
	got = lh_read_some(c->from, p, n < c->frame_left ? n : c->frame_left, err);
	if (!got)
		return report_ended(err);
	c->frame_left -= got > 0 ? (uint32_t)got : 0;
	return got;
}

void lh_child_reader_stop(struct lh_child_reader *c)
{
	if (!c)
		return;
	close(c->from);
	if (!c->ended && c->pid > 0)
		kill(c->pid, SIGTERM);
	while (c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(c);
}

/* ---- a child that compresses ---- */

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
	return report_ended(err);
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
			: report_ended(err);
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
