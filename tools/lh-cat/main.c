/* lh-cat: compressed or archived JSONL as plain JSONL.  See lh-cat(1). */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "file/file.h"
#include "cat.h"
#include "tool/op.h"

struct cat {
	struct lh_tool *tool;
	uint64_t max_ratio, lines;
	struct out out;
	bool binary;		/* files need not be text */
	bool failed;		/* a file could not be read to its end */
	char head[64 << 10];
	size_t n_head;
};

static const struct lh_option options[] = {
	{ 0, "max-ratio", "N", "most bytes out per byte in, 0 for any (default 1000)",
	  LH_UINT(struct cat, max_ratio, 0, 1e9, .env = "LH_MAX_RATIO") },
	{ 0, "binary", NULL, "write also what is not text", LH_FLAG(struct cat, binary) },
	LH_COMMON_OPTIONS, LH_OPTION_END
};

static int add(struct cat *c, const char *p, size_t n)
{
	const char *lf = p, *end = p + n;

	if (c->tool->progress != LH_PROGRESS_NEVER && !c->out.frames) {
		for (; (lf = memchr(lf, '\n', (size_t)(end - lf))); lf++)
			c->lines++;
		lh_tool_progress(c->tool, c->lines);
	}
	return out_add(&c->out, p, n);
}

static void before_wait(void *ctx)
{
	struct cat *c = ctx;

	out_flush(&c->out);
}

/* Report that a file cannot be read (further): 0 if the next ones may be. */
static int broken(struct cat *c, const char *file, const char *member)
{
	struct lh_err err = c->tool->err;

	c->failed = true;
	if (!c->out.frames)
		lh_tool_warn(c->tool, "%s%s%s: %s", file, member && *member ? "/" : "",
			     member ? member : "", err.msg);
	return out_broken(&c->out, err.msg);
}

/* Refuse a file that is not text by its first block, unless a tool or --binary asks for it. */
static int check_text(struct cat *c, const char *p, size_t n)
{
	if (c->binary || c->out.frames || !memchr(p, 0, n))
		return 0;
	return lh_err_set(&c->tool->err, LH_EIO, "is not text: it has a NUL (--binary writes it)");
}

/* Write the bytes of a member.  -1: the output failed; -2: the input did. */
static int member(struct cat *c, struct lh_archive *a, const char *name)
{
	const void *p;
	ssize_t n;
	bool first = true;

	if (out_begin(&c->out, name) < 0)
		return -1;
	while ((n = lh_archive_read(a, &p, &c->tool->err)) > 0) {
		const char *kind = first ? lh_archive_kind(p, (size_t)n) : NULL;

		if (kind) {
			lh_err_set(&c->tool->err, LH_EIO, "holds %s again, which is not undone",
				   kind);
			return -2;
		}
		if (first && check_text(c, p, (size_t)n) < 0)
			return -2;
		first = false;
		if (add(c, p, (size_t)n) < 0)
			return -1;
	}
	return n < 0 ? -2 : out_end(&c->out);
}

static int archive(struct cat *c, int fd, const char *file)
{
	struct lh_archive_source src = { .head = c->head, .n_head = c->n_head, .fd = fd,
					 .max_ratio = c->max_ratio, .before_wait = before_wait,
					 .ctx = c };
	struct lh_archive *a = lh_archive_open(&src, &c->tool->err);
	const char *name = NULL;
	int rc = a ? 1 : -2;

	while (rc > 0) {
		name = NULL;
		rc = lh_archive_next(a, &name, &c->tool->err) < 0 ? -2 : name != NULL;
		if (rc > 0 && (rc = member(c, a, name)) == 0)
			rc = 1;
	}
	if (rc == -2)
		rc = broken(c, file, name);
	lh_archive_free(a);
	return rc;
}

/* Write a file that is neither compressed nor an archive. */
static int plain(struct cat *c, int fd, const char *file)
{
	ssize_t n = (ssize_t)c->n_head;

	if (check_text(c, c->head, c->n_head) < 0)
		return broken(c, file, NULL);
	if (out_begin(&c->out, "") < 0)
		return -1;
	while (n > 0) {
		if (add(c, c->head, (size_t)n) < 0 || out_flush(&c->out) < 0)
			return -1;
		n = lh_read_some(fd, c->head, sizeof c->head, &c->tool->err);
	}
	return n < 0 ? broken(c, file, NULL) : out_end(&c->out);
}

/* Take over the bytes that the parent process has read already. */
static int inherited_head(struct cat *c)
{
	ssize_t n;

	for (c->n_head = 0; c->n_head < sizeof c->head; c->n_head += (size_t)n) {
		n = lh_read_some(LH_CAT_HEAD_FD, c->head + c->n_head, sizeof c->head - c->n_head,
				 &c->tool->err);
		if (n <= 0)
			return (int)n;
	}
	return 0;
}

static int read_head(struct cat *c, int fd)
{
	ssize_t n = 1;

	while (n > 0 && !lh_archive_decided(c->head, c->n_head)) {
		n = lh_read_some(fd, c->head + c->n_head, sizeof c->head - c->n_head,
				 &c->tool->err);
		c->n_head += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? -1 : 0;
}

/* Write what the descriptor has. */
static int contents(struct cat *c, int fd, const char *path)
{
	if (lh_same_file(fd, STDOUT_FILENO)) {
		lh_err_set(&c->tool->err, LH_EIO, "is both input and output");
		return broken(c, path, NULL);
	}
	if (read_head(c, fd) < 0)
		return broken(c, path, NULL);
	return lh_archive_kind(c->head, c->n_head) ? archive(c, fd, path) : plain(c, fd, path);
}

static int file(struct cat *c, const char *path)
{
	bool is_object = object_named(path);
	struct object o;
	int fd, rc;

	if (is_object)
		fd = object_open(&o, path, &c->tool->err);
	else
		fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (fd < 0 && !is_object)
		lh_err_sys(&c->tool->err, "cannot open");
	if (fd < 0)
		return broken(c, path, NULL);
	rc = contents(c, fd, path);
	if (fd > STDIN_FILENO)
		close(fd);
	c->n_head = 0;
	/* a failure of the child is the reason also for what is wrong with the bytes */
	if (is_object && object_close(&o, &c->tool->err) < 0 && !rc)
		rc = broken(c, path, NULL);
	return rc;
}

static int cat_all(struct cat *c)
{
	char *just_stdin[] = { "-" };
	char **operands = c->tool->n_operands ? c->tool->operands : just_stdin;
	size_t i, n = c->tool->n_operands ? c->tool->n_operands : 1;

	if (!c->tool->n_operands && isatty(STDIN_FILENO))
		lh_tool_message(c->tool, "reading JSONL from the terminal");
	if (c->out.frames && inherited_head(c) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (file(c, operands[i]) < 0)
			return -1;
	if (c->out.frames && c->failed)
		return lh_tool_flush(c->tool);
	return out_finish(&c->out);
}

static int run(struct lh_tool *tool, void *settings)
{
	const char *mode = getenv(LH_CAT_ENV);
	struct cat *c = settings;

	c->tool = c->out.tool = tool;
	c->out.frames = mode != NULL;
	if (mode && strcmp(mode, LH_CAT_LINES) != 0)
		return pack(tool, mode);
	if (cat_all(c) < 0)
		return -1;
	if (c->failed)
		tool->err.msg[0] = '\0';
	return c->failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	static struct cat c = { .max_ratio = 1000 };
	static const struct lh_op ops[] = { { "", .command = run }, LH_OP_END };
	static const struct lh_tool_spec spec = {
		.name = "lh-cat",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "decompress and unpack files of JSON Lines",
		.example = "lh-cat tickets.jsonl.gz | wc -l",
		.options = options,
		.ops = ops,
	};

	/* else libarchive has no names for members that are not ASCII */
	setlocale(LC_CTYPE, "C.UTF-8");
	return lh_op_main(&spec, argc, argv, &c);
}
