/* input.c - read operands as a sequence of files.  See flow.h. */
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "file/file.h"
#include "base/mem.h"

#define INDEX_MAGIC 6	/* its bytes up to the first LF: a pipe may have no more ready */

#define LH_OBJECT "s3://"

static char *just_stdin[] = { "-" };

void lh_input_init(struct lh_input *in, char **operands, size_t n, uint64_t max_line)
{
	memset(in, 0, sizeof *in);
	in->operands = n ? operands : just_stdin;
	in->n = n ? n : 1;
	in->fd = in->opened = -1;
	in->lines.max_line = max_line;
	in->lines.target = LH_LINES_FIRST;
	in->lines.wake = -1;
}

void lh_input_leave(struct lh_input *in)
{
	if (in->fd > STDIN_FILENO && in->opened < 0)
		close(in->fd);
	lh_child_reader_stop(in->cat);
	free(in->member);
	in->cat = NULL;
	in->member = NULL;
	in->fd = -1;
	in->operand = NULL;
	in->lines.read = NULL;
}

void lh_input_free(struct lh_input *in)
{
	lh_input_leave(in);
	lh_lines_free(&in->lines);
}

const char *lh_input_name(const struct lh_input *in)
{
	return in->member ? in->member : in->operand;
}

bool lh_input_archive(const struct lh_input *in)
{
	return in->cat && !in->member && (in->cat->more || !in->cat->started);
}

bool lh_input_waits(const struct lh_input *in)
{
	struct stat st;

	return !(in->cat && in->cat->more) && in->next < in->n &&
	       stat(in->operands[in->next], &st) == 0 && S_ISFIFO(st.st_mode);
}

uint64_t lh_input_size(const struct lh_input *in)
{
	uint64_t size = 0;
	struct stat st;
	off_t at;
	size_t i;

	for (i = 0; i < in->n; i++) {
		bool own = strcmp(in->operands[i], "-") != 0;

		if ((own ? stat(in->operands[i], &st) : fstat(STDIN_FILENO, &st)) < 0 ||
		    !S_ISREG(st.st_mode))
			return 0;
		at = own ? 0 : lseek(STDIN_FILENO, 0, SEEK_CUR);
		size += st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	}
	return size;
}

/* Open the next member of the open archive. */
static int open_member(struct lh_input *in)
{
	struct lh_child_reader *c = in->cat;
	size_t n = strlen(in->operand) + strlen(c->name) + 2;
	char *name = lh_calloc(n, 1);

	snprintf(name, n, "%s/%s", in->operand, c->name);
	free(in->member);
	in->member = name;
	c->more = false;
	lh_lines_open(&in->lines, c->from);
	return 1;
}

/* Read the open file through lh-cat. */
static int read_child(struct lh_input *in)
{
	if (!in->cat)
		return -1;
	lh_lines_open(&in->lines, in->cat->from);
	in->lines.read = lh_child_reader_read;
	in->lines.ctx = in->cat;
	return 1;
}

static bool is_object(const char *operand)
{
	return strncmp(operand, LH_OBJECT, sizeof LH_OBJECT - 1) == 0;
}

/* Open an object of a store. */
static int open_object(struct lh_input *in, struct lh_err *err)
{
	if (in->plain)
		return lh_err_set(err, LH_EIO, "is an object; a file is wanted here");
	in->start = -1;
	in->cat = lh_child_reader_object(in->operand, err);
	return read_child(in);
}

/* Open a FIFO once there is something to read: data, or the end that the last writer to close
 * it makes.  open(2) alone would wait for a writer and not for a signal that came before. */
static int open_fifo(const char *path, int wake)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd f[] = { { .fd = fd, .events = POLLIN }, { .fd = wake, .events = POLLIN } };
	int flags;

	if (fd < 0)
		return -1;
	while (poll(f, 2, -1) < 0 && errno == EINTR)
		;	/* the descriptor is readable after a signal that is to stop it */
	flags = f[1].revents ? -1 : fcntl(fd, F_GETFL);
	if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
		return fd;
	if (f[1].revents)
		errno = EINTR;
	close(fd);
	return -1;
}

static int open_file(const struct lh_input *in)
{
	struct stat st;

	if (!strcmp(in->operand, "-"))
		return STDIN_FILENO;
	if (in->lines.wake >= 0 && stat(in->operand, &st) == 0 && S_ISFIFO(st.st_mode))
		return open_fifo(in->operand, in->lines.wake);
	return open(in->operand, O_RDONLY | O_CLOEXEC);
}

int lh_input_open(struct lh_input *in, struct lh_err *err)
{
	struct stat st;

	if (in->cat && in->cat->more)
		return open_member(in);
	lh_input_leave(in);
	if (in->next == in->n)
		return 0;
	in->operand = in->operands[in->next++];
	in->fd = in->opened;
	if (in->fd < 0 && is_object(in->operand))
		return open_object(in, err);
	if (in->fd < 0)
		in->fd = open_file(in);
	if (in->fd < 0 && errno == EINTR)
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (in->fd < 0)
		return lh_err_sys(err, "cannot open");
	if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return lh_err_set(err, LH_EIO, "is a directory");
	if (lh_same_file(in->fd, STDOUT_FILENO) || (in->output && lh_same_file(in->fd, in->output)))
		return lh_err_set(err, LH_EIO, "is both input and output");
	lh_lines_open(&in->lines, in->fd);
	in->lines.probe = !in->plain;
	in->start = in->lines.regular ? lseek(in->fd, 0, SEEK_CUR) : -1;
	return 1;
}

/* Look at the first bytes of a file; if it is compressed, start lh-cat as a child to read it
 * from its beginning. */
static int probe(struct lh_input *in, struct lh_err *err)
{
	struct lh_lines *l = &in->lines;
	size_t head = l->b.n;

	l->probe = false;
	if (l->b.n >= INDEX_MAGIC && memcmp(l->b.p, LH_INDEX_MAGIC, INDEX_MAGIC) == 0)
		return lh_err_set(err, LH_EIO,
				  "is an index, not JSON Lines (lh-index dump makes such of it)");
	/* a caller that opened the file itself, as lh-subject does, searches any file */
	if (in->opened < 0 && lh_archive_workbook(in->operand, l->b.p, l->b.n))
		return lh_err_set(err, LH_EIO, "is a workbook, not JSON Lines; save it as CSV in "
				  "UTF-8, which lh-ingest reads");
	if (!lh_archive_kind(l->b.p, l->b.n))
		return 0;
	if (in->start >= 0) {
		if (lseek(in->fd, in->start, SEEK_SET) < 0)
			return lh_err_sys(err, "cannot seek");
		head = 0;
	}
	in->cat = lh_child_reader_start(in->fd, l->b.p, head, err);
	return read_child(in) < 0 ? -1 : 0;
}

enum lh_lines_is lh_input_next(struct lh_input *in, struct lh_bytes *block, struct lh_err *err)
{
	enum lh_lines_is is;

	while ((is = lh_lines_next(&in->lines, block, err)) == LH_LINES_PROBE)
		if (probe(in, err) < 0)
			return LH_LINES_ERROR;
	return is;
}
