/* child_reader.c - lh-cat as a child that reads an archive.  See archive.h. */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/coproc.h"
#include "file/file.h"
#include "base/mem.h"

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

static int report_ended(struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "lh-cat ended before it was done");
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
