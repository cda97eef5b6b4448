/* rows.c - read the lines of a file.  See rows.h. */
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "file.h"

/* ---- whether a line holds a row ---- */

#define BEFORE "{\"erased\":\""
#define BETWEEN "\",\"at\":\""
#define AFTER "\"}"

bool lh_line_blank(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
			return false;
	return true;
}

bool lh_erasure_id(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'z') || p[i] == '-'))
			return false;
	return n && n <= LH_ERASURE_ID;
}

/* Step over a text: whether *p begins with it. */
static bool skip(const char **p, size_t *n, const char *text)
{
	size_t len = strlen(text);

	if (*n < len || memcmp(*p, text, len))
		return false;
	*p += len;
	*n -= len;
	return true;
}

bool lh_line_erased(const char *p, size_t n, struct lh_str *id)
{
	const char *quote;
	int64_t ms;

	n -= n && p[n - 1] == '\r';
	if (n > LH_TOMBSTONE || !skip(&p, &n, BEFORE))
		return false;
	quote = memchr(p, '"', n);
	if (!quote || !lh_erasure_id(p, (size_t)(quote - p)))
		return false;
	if (id)
		*id = (struct lh_str){ p, (size_t)(quote - p) };
	n -= (size_t)(quote - p);
	p = quote;
	return skip(&p, &n, BETWEEN) && n == LH_TIME_LEN + strlen(AFTER) &&
	       p[LH_TIME_LEN - 1] == 'Z' && lh_time_read(p, LH_TIME_LEN, &ms) == 0 &&
	       !memcmp(p + LH_TIME_LEN, AFTER, strlen(AFTER));
}

bool lh_tombstone_next(struct lh_str *rest, struct lh_str *id)
{
	const char *p = rest->p, *end = p + rest->n, *lf;
	bool found = false;

	while (!found && p < end && (p = memmem(p, (size_t)(end - p), BEFORE, strlen(BEFORE)))) {
		lf = memchr(p, '\n', (size_t)(end - p));
		lf = lf ? lf : end;
		found = (p == rest->p || p[-1] == '\n') &&
			lh_line_erased(p, (size_t)(lf - p), id);
		p = lf < end ? lf + 1 : end;
	}
	if (found)
		*rest = (struct lh_str){ p, (size_t)(end - p) };
	return found;
}

void lh_tombstone(struct lh_buf *out, struct lh_str id, const char *at)
{
	lh_buf_puts(out, BEFORE);
	lh_buf_add(out, id.p, id.n);
	lh_buf_puts(out, BETWEEN);
	lh_buf_add(out, at, LH_TIME_LEN);
	lh_buf_puts(out, AFTER);
}

/* ---- read the lines of a file ---- */

#define WINDOW ((size_t)1 << 20)	/* mapped bytes of the file; more for a longer line */

struct lh_rows {
	char *path;		/* NULL: none is open */
	int fd;
	uint64_t size, at, line;	/* at: where the next line starts */
	size_t page;
	char *p;		/* the window: n bytes of the file, from its byte `from` on */
	size_t n;
	uint64_t from;
	struct lh_buf last;	/* a line at the end of the file, which has no padding after it */
};

struct lh_rows *lh_rows_new(void)
{
	struct lh_rows *r = lh_calloc(1, sizeof *r);

	r->fd = -1;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	return r;
}

static void unmap(struct lh_rows *r)
{
	if (r->n)
		munmap(r->p, r->n);
	r->n = 0;
}

static void close_file(struct lh_rows *r)
{
	unmap(r);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	free(r->path);
	r->path = NULL;
}

void lh_rows_free(struct lh_rows *r)
{
	if (!r)
		return;
	close_file(r);
	lh_buf_free(&r->last);
	free(r);
}

/* Start reading the file open as r->fd. */
static int start_file(struct lh_rows *r, const char *name, struct lh_err *err)
{
	struct stat st;

	r->at = r->line = r->from = 0;
	if (fstat(r->fd, &st) < 0)
		return lh_err_sys(err, "%s", name);
	r->size = (uint64_t)st.st_size;
	r->path = lh_strndup(name, strlen(name));
	return 1;
}

int lh_rows_open(struct lh_rows *r, const char *path, struct lh_err *err)
{
	close_file(r);
	r->fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (r->fd < 0)
		return errno == ENOENT ? 0 : -1;
	return start_file(r, path, err);
}

int lh_rows_open_fd(struct lh_rows *r, int fd, const char *name, struct lh_err *err)
{
	close_file(r);
	r->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (r->fd < 0)
		return lh_err_sys(err, "%s", name);
	return start_file(r, name, err);
}

/* Map a window that begins with the next line, and has more of it than the one before. */
static int map_window(struct lh_rows *r, struct lh_err *err)
{
	uint64_t from = r->at & ~(uint64_t)(r->page - 1);
	size_t had = r->n ? (size_t)(r->from + r->n - r->at) : 0, n = WINDOW;
	void *p;

	if (had > LH_ROWS_LONGEST)
		return lh_err_set(err, LH_ECORRUPT, "%s:%llu: line is longer than %llu bytes",
				  r->path, (unsigned long long)r->line + 1,
				  (unsigned long long)LH_ROWS_LONGEST);
	while (n < 2 * had + r->page)
		n *= 2;
	if (n > r->size - from)
		n = (size_t)(r->size - from);
	unmap(r);
	p = mmap(NULL, n, PROT_READ, MAP_SHARED, r->fd, (off_t)from);
	if (p == MAP_FAILED)
		return lh_err_sys(err, "%s: cannot map", r->path);
	r->p = p;
	r->n = n;
	r->from = from;
	return 0;
}

/* Return the next line, empty or not, if there is one. */
static int next_line(struct lh_rows *r, struct lh_file_row *row, struct lh_err *err)
{
	const char *p, *lf;
	size_t left, n;

	for (;;) {
		if (r->n) {
			p = r->p + (r->at - r->from);
			left = (size_t)(r->from + r->n - r->at);
			lf = memchr(p, '\n', left);
			n = lf ? (size_t)(lf - p) : left;
			if (r->from + r->n == r->size || (lf && left - n > LH_PAD))
				break;
		}
		if (map_window(r, err) < 0)
			return -1;
	}
	*row = (struct lh_file_row){ p, n, r->at, ++r->line };
	r->at += n + (lf != NULL);
	if (left - n <= LH_PAD) {	/* it ends at the end of the file */
		lh_buf_reset(&r->last);
		lh_buf_add(&r->last, p, n);
		row->p = r->last.p;
	}
	return 0;
}

int lh_rows_next(struct lh_rows *r, struct lh_file_row *row, struct lh_err *err)
{
	if (!r->path)
		return 0;
	do {
		if (r->at == r->size)
			return 0;
		if (next_line(r, row, err) < 0)
			return -1;
	} while (lh_line_empty(row->p, row->n));
	return 1;
}

int lh_rows_each(const char *path, lh_rows_fn *fn, void *ctx, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	int there = lh_rows_open(rows, path, err), rc = there;
	struct lh_file_row row;

	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0) {
		int stop = fn(ctx, &row, err);

		if (stop) {
			there = stop;
			break;
		}
	}
	lh_rows_free(rows);
	return rc < 0 ? -1 : there;
}

int lh_line_again(int fd, const char *path, uint64_t at, size_t n, struct lh_buf *out,
		  struct lh_err *err)
{
	ssize_t got;
	char *room;

	lh_buf_reset(out);
	room = lh_buf_room(out, n);
	while (out->len < n) {
		got = pread(fd, room + out->len, n - out->len, (off_t)(at + out->len));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lh_err_sys(err, "%s: cannot read a line back", path);
		if (!got)
			return lh_err_set(err, LH_ECORRUPT, "%s: a line is gone that was there",
					  path);
		lh_buf_took(out, (size_t)got);
	}
	return 0;
}
