/* lh_input.c - operands as a sequence of files.  See lh_input_int.h. */
#include "lh_input_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lh_file.h"
#include "lh_mem.h"

static char *just_stdin[] = { "-" };

int lh_input_init(struct lh_input *in, struct lh_tool *tool, char **operands, size_t n)
{
	memset(in, 0, sizeof *in);
	in->tool = tool;
	in->operands = n ? operands : just_stdin;
	in->n = n ? n : 1;
	in->fd = in->rejects = -1;
	in->lines.max_line = tool->max_line;
	in->lines.target = LH_LINES_FIRST;
	in->lines.wake = -1;
	if (!n && isatty(STDIN_FILENO))
		lh_tool_say(tool, "reading JSONL from the terminal");
	return 0;
}

void lh_input_leave(struct lh_input *in)
{
	if (in->fd > STDIN_FILENO)
		close(in->fd);
	in->fd = -1;
	in->operand = NULL;
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

/* A file that is read while we append to it never ends. */
static int check_not_output(int fd, int to, struct lh_err *err)
{
	struct stat in, out;

	if (fstat(fd, &in) == 0 && S_ISREG(in.st_mode) && fstat(to, &out) == 0 &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		return lh_err_set(err, LH_EIO, "is both input and output");
	return 0;
}

int lh_input_open(struct lh_input *in)
{
	struct lh_err *err = &in->tool->err;
	struct stat st;

	lh_input_leave(in);
	if (in->next == in->n)
		return 0;
	in->operand = in->operands[in->next++];
	in->fd = strcmp(in->operand, "-") ? open(in->operand, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (in->fd < 0)
		return lh_err_sys(err, "cannot open");
	if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return lh_err_set(err, LH_EIO, "is a directory");
	if (check_not_output(in->fd, STDOUT_FILENO, err) < 0 || check_not_output(in->fd, in->rejects, err) < 0)
		return -1;
	lh_lines_open(&in->lines, in->fd);
	return 1;
}
