/* baselines.c - the metrics of earlier audits.  See history.h. */
#include "audit.h"

#include <errno.h>
#include <time.h>

#include "json/bind.h"

#define BOM "\xef\xbb\xbf"

static int start(struct baselines *b, struct lh_err *err)
{
	int rc = b->fd < 0 ? lh_rows_open(b->rows, b->path, err)
		: lh_rows_open_fd(b->rows, b->fd, b->path, err);

	b->at = 0;
	/* its parent is not a folder: it does not exist */
	return rc < 0 && errno == ENOTDIR ? 0 : rc;
}

/* Read the next row that is not blank; the first line may consist of a BOM. */
static int next(struct baselines *b, struct lh_file_row *row, struct lh_err *err)
{
	int rc = lh_rows_next(b->rows, row, err);

	b->bom = 0;
	if (rc > 0 && row->line == 1 && row->n >= strlen(BOM) &&
	    !memcmp(row->p, BOM, strlen(BOM))) {
		row->p += strlen(BOM);
		row->n -= strlen(BOM);
		b->bom = strlen(BOM);
		if (!row->n || (row->n == 1 && *row->p == '\r')) {
			b->bom = 0;
			rc = lh_rows_next(b->rows, row, err);
		}
	}
	b->at += rc > 0;
	return rc;
}

int baselines_open_fd(struct baselines *b, int fd, const char *name, struct lh_err *err)
{
	struct lh_file_row row;
	int rc;

	*b = (struct baselines){ .path = name, .fd = fd, .rows = lh_rows_new() };
	rc = b->rows ? start(b, err) : -1;
	while (rc > 0)
		rc = next(b, &row, err);
	b->n = b->at;
	return rc;
}

int baselines_open(struct baselines *b, const char *path, struct lh_err *err)
{
	return baselines_open_fd(b, -1, path, err);
}

static int bad_row(const struct baselines *b, struct lh_err *err)
{
	size_t column = err->column;

	err->column = 0;
	if (column)
		return lh_err_prefix(err, "%s:%llu:%zu", b->path, (unsigned long long)b->line,
				     column + b->bom);
	return lh_err_prefix(err, "%s:%llu", b->path, (unsigned long long)b->line);
}

static const struct lh_bind members[] = {
	{ LH_BIND_VALUE("recorded_at", struct baselines, recorded_at, LH_BIND_IS(LH_STRING)),
	  .lax = true },
	{ LH_BIND_OBJECT("metrics", struct baselines, metrics), .required = true },
	LH_BIND_END
};

static int parse(struct baselines *b, const struct lh_file_row *row, struct lh_err *err)
{
	b->line = row->line;
	b->recorded_at.p = NULL;
	if (lh_record_parse(&b->rec, row->p, row->n, err) < 0 ||
	    lh_bind(members, &b->rec, b, NULL, err) < 0)
		return bad_row(b, err);
	return 0;
}

static int read_row(struct baselines *b, uint64_t n, struct lh_file_row *row, struct lh_err *err)
{
	int rc = 1;

	if (n <= b->at)
		rc = start(b, err);
	while (rc > 0 && b->at < n)
		rc = next(b, row, err);
	if (!rc)
		return lh_err_set(err, LH_EIO, "%s: became shorter while it was read", b->path);
	return rc < 0 ? -1 : parse(b, row, err);
}

/* Another program may be appending the last row, of which a part is there: it is read again
 * until it is whole, or its length has been the same for 200 ms. */
int baselines_take(struct baselines *b, uint64_t n, struct lh_err *err)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	struct lh_file_row row = { .n = 0 };
	int rc = read_row(b, n, &row, err), same = 0;

	while (rc < 0 && err->code == LH_EDATA && n == b->n && same < 10) {
		size_t length = row.n;

		nanosleep(&pause, NULL);
		rc = read_row(b, n, &row, err);
		same = row.n == length ? same + 1 : 0;
	}
	return rc;
}

void baselines_close(struct baselines *b)
{
	lh_rows_free(b->rows);
	lh_record_free(&b->rec);
	*b = (struct baselines){ .n = 0 };
}

int baselines_bad_metric(const struct baselines *b, const struct lh_str *name, const char *what,
			 struct lh_err *err)
{
	lh_err_set(err, LH_EDATA, "metric \"%.*s\" %s", name->n < 200 ? (int)name->n : 200, name->p,
		   what);
	return bad_row(b, err);
}
