/* drift_verb.c - lh-audit-full drift: compare any two rows of a file of baselines. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit.h"
#include "base/mem.h"
#include "file/file.h"

/* Return the requested row, from 1. */
static int find_row(const struct baselines *b, const char *option, int64_t asked, int64_t *out,
		    struct lh_err *err)
{
	int64_t n = (int64_t)b->n;

	*out = asked < 0 ? n + 1 + asked : asked;
	if (*out >= 1 && *out <= n)
		return 0;
	return lh_err_set(err, LH_EIO, "%s: --%s %lld: there are %lld rows", b->path, option,
			  (long long)asked, (long long)n);
}

static int print(struct lh_tool *tool, const struct settings *s, const struct drift *d)
{
	bool bad = s->fail_on_drift && d->warned;
	struct lh_writer w;
	struct lh_buf out = { 0 };

	if (bad)
		lh_tool_verdict_bad(tool);
	else if (tool->quiet)
		return 0;
	if (s->json) {
		w = lh_write_to(&out);
		drift_write(&w, NULL, d);
		lh_buf_putc(&out, '\n');
	} else {
		drift_table(&out, d);
	}
	return lh_tool_out_text(tool, &out);
}

/* Set the numbers of the rows that the settings name; 0 for none. */
static int choose(const struct settings *s, const struct baselines *b, int64_t *from, int64_t *to,
		  struct lh_err *err)
{
	if (!b->n)
		return lh_err_set(err, LH_EIO, "%s: there is no baseline", b->path);
	if (find_row(b, "to", s->to == NO_ROW ? -1 : s->to, to, err) < 0)
		return -1;
	*from = *to - 1;
	return s->from == NO_ROW ? 0 : find_row(b, "from", s->from, from, err);
}

static int read_metrics(struct baselines *b, struct drift_metrics *m, int64_t row,
			struct lh_err *err)
{
	if (baselines_take(b, (uint64_t)row, err) < 0)
		return -1;
	drift_metrics_of(m, b);
	return 0;
}

/* Flag what fell because rows of the root, if there is one, were erased between the two. */
static int explain(struct drift *d, const struct settings *s, const struct baselines *base,
		   const struct baselines *row, struct lh_err *err)
{
	struct lh_root *root = d->warned ? lh_root_open(s->root, err) : NULL;
	LH_SCOPED(lh_free_local) char *subjects = root ? audit_subjects(root, s) : NULL;
	int rc = 0;

	if (root)
		rc = drift_erasures(d, root, subjects, &base->recorded_at, &row->recorded_at, err);
	else if (d->warned && err->code == LH_ENOMEM)
		rc = -1;
	lh_root_close(root);
	return rc;
}

static int compare(struct lh_tool *tool, const struct settings *s, int fd, const char *path)
{
	LH_SCOPED(drift_metrics_free) struct drift_metrics now = { .n = 0 }, before = { .n = 0 };
	LH_SCOPED(baselines_close) struct baselines base = { .n = 0 }, row = { .n = 0 };
	struct lh_err *err = &tool->err;
	struct drift d = { .n = 0 };
	int64_t from = 0, to = 0;
	int rc = baselines_open_fd(&row, fd, path, err);

	if (!rc)
		rc = choose(s, &row, &from, &to, err);
	if (!rc && from) {
		rc = baselines_open_fd(&base, fd, path, err);
		rc = rc ? rc : read_metrics(&base, &before, from, err);
	}
	if (!rc)
		rc = read_metrics(&row, &now, to, err);
	if (!rc)
		rc = drift_compute(&d, &now, &before, err);
	if (!rc)
		rc = explain(&d, s, &base, &row, err);
	if (!rc)
		rc = print(tool, s, &d);
	drift_free(&d);
	return rc;
}

/* Compare rows of a pipe, which is stored first, because rows are read more than
 * once, and the last first. */
static int compare_stdin(struct lh_tool *tool, const struct settings *s)
{
	int fd = memfd_create("baselines", MFD_CLOEXEC), rc = 0;
	struct lh_err *err = &tool->err;
	char block[16384];
	ssize_t n = 1;

	if (fd < 0)
		return lh_err_sys(err, "memfd_create");
	while (!rc && n > 0) {
		n = lh_read_some(STDIN_FILENO, block, sizeof block, err);
		rc = n < 0 ? lh_err_prefix(err, "-") : lh_write_all(fd, block, (size_t)n, err);
	}
	if (!rc)
		rc = compare(tool, s, fd, "-");
	close(fd);
	return rc;
}

int drift_verb(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_root *root = NULL;
	char *path = NULL;
	int rc;

	if (!s->from || !s->to)
		return lh_tool_usage(tool, "--%s: rows count from 1, or from the end as -1",
				     s->from ? "to" : "from");
	if (tool->n_operands)
		return strcmp(tool->operands[0], "-") ? compare(tool, s, -1, tool->operands[0])
			: compare_stdin(tool, s);
	root = lh_root_open(s->root, &tool->err);
	path = root ? lh_root_join(root, AUDIT_BASELINES) : NULL;
	rc = path ? compare(tool, s, -1, path) : -1;
	free(path);
	lh_root_close(root);
	return rc;
}
