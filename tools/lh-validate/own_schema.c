/* own_schema.c - a JSON Schema in a file, and the files next to it that it refers to. */
#include "validate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"

#define SCHEMA_MAX ((size_t)16 << 20)	/* bytes of a file */

struct source {
	struct lh_tool *tool;
	const char *path;	/* of the schema */
	int folder;		/* that it is in */
};

static void on_unknown_keyword(void *ctx, const char *place)
{
	const struct source *from = ctx;

	lh_tool_verbose(from->tool, "%s: %.300s: not a keyword of JSON Schema, ignored", from->path,
			place);
}

/* Read a file below the folder: 1, 0 if there is none, or -1. */
static int read_beneath(int folder, const char *path, struct lh_buf *out, struct lh_err *err)
{
	int at = lh_path_beneath(folder, path), fd;
	char by_fd[40];
	struct stat st;

	if (at < 0)
		return lh_is_nowhere(errno) ? 0 : lh_err_sys(err, "%.200s", path);
	if (fstat(at, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(at);
		return 0;
	}
	snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", at);
	fd = open(by_fd, O_RDONLY | O_CLOEXEC);
	close(at);
	if (fd < 0)
		return lh_err_sys(err, "%.200s", path);
	lh_buf_init(out, SCHEMA_MAX);
	return lh_read_rest(fd, path, out, err);
}

/* A URI in the folder of the schema's own URI is a file in the folder of the schema's file. */
static int load(void *ctx, struct lh_str uri, const char *path, struct lh_buf *out,
		struct lh_err *err)
{
	const struct source *from = ctx;

	(void)uri;
	return path ? read_beneath(from->folder, path, out, err) : 0;
}

/* Insert the file before the reason, and of a syntax error the line and column. */
static int bad_file(struct lh_err *err, const char *path, const struct lh_buf *text)
{
	size_t line = 1, begin = 0, i;

	if (!err->column)
		return lh_err_prefix(err, "%s", path);
	for (i = 0; i + 1 < err->column; i++) {
		if (text->p[i] == '\n') {
			line++;
			begin = i + 1;
		}
	}
	return lh_err_prefix(err, "%s:%zu:%zu", path, line, err->column - begin);
}

static int open_folder(const char *path, struct lh_err *err)
{
	const char *slash = strrchr(path, '/');
	LH_SCOPED(lh_free_local) char *folder = NULL;
	int fd;

	if (!slash)
		return lh_open_beneath(".", err);
	folder = lh_strndup(path, slash == path ? 1 : (size_t)(slash - path));
	fd = lh_open_beneath(folder, err);
	return fd;
}

static int compile(struct lh_tool *tool, const char *path, const struct lh_buf *text,
		   struct lh_jsonschema **out)
{
	struct source from = { tool, path, open_folder(path, &tool->err) };
	const char *slash = strrchr(path, '/');
	struct lh_jsonschema_how how = { load, slash ? slash + 1 : path, on_unknown_keyword,
					 &from };

	if (from.folder < 0)
		return -1;
	*out = lh_jsonschema_new((struct lh_str){ text->p ? text->p : "", text->len }, &how,
				 &tool->err);
	close(from.folder);
	return *out ? 1 : bad_file(&tool->err, path, text);
}

int own_schema_open(struct lh_tool *tool, const char *path, struct lh_jsonschema **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0
			: lh_err_sys(&tool->err, "%s: cannot open", path);
	lh_buf_init(&text, SCHEMA_MAX);
	rc = lh_read_rest(fd, path, &text, &tool->err);
	if (rc > 0)
		rc = compile(tool, path, &text, out);
	return rc;
}
