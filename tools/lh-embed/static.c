/* static.c - the engine static: a table of word vectors, in this process. */
#include "embed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vector/quantize.h"
#include "base/mem.h"
#include "embed/wordvec.h"

struct words {
	struct lh_wordvec_reader *r;
	bool raw;
};

static bool is_compiled(int fd)
{
	char head[8];
	ssize_t n = pread(fd, head, sizeof head, 0);

	return n > 0 && lh_wordvec_is(head, (size_t)n);
}

/* Compile a table that is not compiled yet, in memory. */
static struct lh_wordvec *compile_here(int from, const char *path, struct lh_err *err)
{
	int fd = memfd_create("lh-embed table", MFD_CLOEXEC);
	struct lh_wordvec_job job = {
		.from = from, .to = fd, .from_name = path, .to_name = path, .precision = LH_F32
	};
	struct lh_wordvec *t = NULL;
	struct lh_wordvec_made made;

	if (fd < 0)
		lh_err_sys(err, "%s: no memory for it", path);
	else if (lh_wordvec_compile(&job, &made, err) == 0)
		t = lh_wordvec_open_fd(fd, path, err);
	if (fd >= 0)
		close(fd);
	return t;
}

static int static_check(struct embed *e)
{
	struct lh_err *err = &e->tool->err;
	int fd;

	if (!e->model)
		return lh_tool_usage(
			e->tool, "--engine static: name the table of word vectors by --model FILE");
	if (e->url)
		return lh_tool_usage(e->tool, "--url: engine static has no service");
	if (e->dimension)
		return lh_tool_usage(e->tool,
				     "--dimension: engine static makes vectors as long as its "
				     "table has them");
	e->file = e->operand = e->model;
	lh_stamp_take(&e->stamp, e->file);
	fd = open(e->model, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(err, "--model: %s", e->model);
	e->table = is_compiled(fd) ? lh_wordvec_open_fd(fd, e->model, err)
				   : compile_here(fd, e->model, err);
	close(fd);
	if (!e->table)
		return -1;
	e->model = lh_wordvec_model(e->table);
	e->dimension = lh_wordvec_dimension(e->table);
	return 0;
}

static void static_close(void *self)
{
	struct words *w = self;

	lh_wordvec_reader_free(w->r);
	free(w);
}

static void *static_open(struct embed *e, struct lh_err *err)
{
	struct words *w = lh_calloc(1, sizeof *w, err);

	if (!w)
		return NULL;
	w->raw = e->raw;
	w->r = lh_wordvec_reader_new(e->table, err);
	if (w->r)
		return w;
	static_close(w);
	return NULL;
}

static int static_one(void *self, const char *text, size_t n, float *out, struct lh_err *err)
{
	struct words *w = self;

	return lh_wordvec_embed(w->r, text, n, w->raw, out, err);
}

const struct engine engine_static = {
	.name = "static",
	.check = static_check,
	.open = static_open,
	.close = static_close,
	.one = static_one,
};
