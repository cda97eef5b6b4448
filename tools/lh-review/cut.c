/* cut.c - the diff into bundles of files.  See review.h. */
#include "review.h"

#include "base/signal.h"
#include "archive/archive.h"
#include "diff.h"

struct cut {
	struct review *r;
	struct pool *pool;
	struct lh_byte_source source;
	struct lh_diff diff;
};

static ssize_t read_source(void *ctx, void *p, size_t n, struct lh_err *err)
{
	return lh_byte_source_read(ctx, p, n, err);
}

/* Pass on what is finished, before a wait for input. */
static int before_wait(void *ctx, struct lh_err *err)
{
	struct cut *c = ctx;

	return pool_pass(c->pool, false, err) < 0 ? -1 : lh_tool_flush(c->r->tool);
}

/* Report a file that is too large: 1 if it is refused. */
static int too_large(struct cut *c)
{
	const struct lh_diff *d = &c->diff;
	const char *name = lh_byte_source_name(&c->source);
	unsigned long long line = d->line, size = d->size;
	int n = (int)(d->path.n < 500 ? d->path.n : 500);

	if (d->size > d->max_file) {
		lh_tool_message(c->r->tool, "%s:%llu: %.*s: not reviewed: %llu bytes, more than "
				"%llu%s", name, line, n, d->path.p, size,
				(unsigned long long)d->max_file,
				c->r->oversize ? "" : " (--oversize)");
		c->r->refused++;
		lh_tool_verdict_bad(c->r->tool);
		return 1;
	}
	if (d->size > BUNDLE_MOST)
		lh_tool_message(c->r->tool, "%s:%llu: %.*s: %llu bytes, more than %u", name, line,
				n, d->path.p, size, BUNDLE_MOST);
	return 0;
}

/* Add the file that was read to the open bundle, or to a new one. */
static int add_file(struct cut *c, struct lh_err *err)
{
	struct bundle *b = pool_next(c->pool);
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	bool again;

	c->r->files++;
	if (too_large(c))
		return 0;
	again = b->n && bundle_find(b, c->diff.path, &scratch) >= 0;
	if (b->n && (again || b->size + c->diff.size > BUNDLE_MOST)) {
		if (pool_submit(c->pool, err) < 0)
			return -1;
		b = pool_next(c->pool);
	}
	return bundle_add(b, c->diff.path, &c->diff.text, err);
}

/* Insert the file's name and the line of an error in the diff. */
static int place(struct cut *c, struct lh_err *err)
{
	const char *name = lh_byte_source_name(&c->source);

	if (err->code == LH_EDATA) {
		err->code = LH_EIO;
		return lh_err_prefix(err, "%s:%llu", name, (unsigned long long)c->diff.line);
	}
	return lh_err_prefix(err, "%s", name);
}

static int read_member(struct cut *c, struct lh_err *err)
{
	int rc;

	lh_diff_restart(&c->diff);
	while ((rc = lh_diff_next(&c->diff, err)) > 0)
		if (add_file(c, err) < 0)
			return -1;
	return rc < 0 ? place(c, err) : 0;
}

static int read_operand(struct cut *c, const char *file, struct lh_err *err)
{
	int rc;

	c->source = (struct lh_byte_source){ .waiting = before_wait, .ctx = c };
	if (lh_byte_source_open(&c->source, file, err) < 0)
		return lh_err_prefix(err, "%s", file);
	while ((rc = lh_byte_source_next(&c->source, err)) > 0)
		if (read_member(c, err) < 0)
			return -1;
	return rc < 0 ? lh_err_prefix(err, "%s", lh_byte_source_name(&c->source)) : 0;
}

int cut_run(struct review *r, struct pool *pool)
{
	struct cut c = { .r = r, .pool = pool, .diff.read = read_source,
			 .diff.max_file = r->oversize ? UINT32_MAX : FILE_MOST };
	struct lh_tool *t = r->tool;
	size_t i = 0;
	int rc;

	c.diff.ctx = &c.source;
	do {
		rc = read_operand(&c, t->n_operands ? t->operands[i] : "-", &t->err);
		lh_byte_source_close(&c.source);
	} while (!rc && ++i < t->n_operands);
	r->diff_bytes = c.diff.bytes;
	lh_diff_free(&c.diff);
	if (!rc && pool_next(pool)->n)
		rc = pool_submit(pool, &t->err);
	return rc;
}
