/* log_lines.c - the lines of a log, forwards or backwards.  See observe.h. */
#include "observe.h"

#include <errno.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)

void lh_log_lines_open(struct lh_log_lines *l, int fd, const char *path, uint64_t at,
		       size_t longest)
{
	*l = (struct lh_log_lines){
		.fd = fd, .path = path, .longest = longest, .at = at, .from = at
	};
}

void lh_log_lines_close(struct lh_log_lines *l)
{
	lh_buf_free(&l->buf);
	lh_buf_free(&l->line);
}

/* Append up to n bytes of the file, from byte at on: how many; -1. */
static ssize_t read_at(struct lh_log_lines *l, struct lh_buf *to, size_t n, uint64_t at,
		       struct lh_err *err)
{
	char *p = lh_buf_room(to, n);
	ssize_t got;

	if (!p)
		return lh_err_nomem(err);
	do
		got = pread(l->fd, p, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return lh_err_sys(err, "%s: read failed", l->path);
	lh_buf_took(to, (size_t)got);
	return got;
}

/* ---- forwards ---- */

int lh_log_lines_next(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err)
{
	size_t seen = l->skips ? 0 : (size_t)(l->at - l->from);
	const char *lf = NULL;
	ssize_t got;

	for (;;) {
		size_t used;

		if (l->buf.len > seen)
			lf = memchr(l->buf.p + seen, '\n', l->buf.len - seen);
		if (lf)
			break;
		/* Drop what was returned, and the beginning of a line that is too long. */
		used = (size_t)(l->at - l->from);
		if (l->skips || l->buf.len - used > l->longest) {
			l->skips = true;
			used = l->buf.len;
		}
		if (used)
			memmove(l->buf.p, l->buf.p + used, l->buf.len - used);
		l->buf.len -= used;
		l->from += used;
		seen = l->buf.len;
		got = read_at(l, &l->buf, CHUNK, l->from + l->buf.len, err);
		if (got <= 0)
			return (int)got;
	}
	*line = (struct lh_log_line){ .at = l->at, .whole = true };
	line->end = l->from + (uint64_t)(lf + 1 - l->buf.p);
	if (!l->skips && line->end - 1 - l->at <= l->longest) {
		line->p = l->buf.p + (l->at - l->from);
		line->n = (size_t)(line->end - 1 - l->at);
	}
	l->skips = false;
	l->at = line->end;
	return 1;
}

/* ---- backwards ---- */

/* Set *at to the offset after the last LF before byte end: 1, 0 if there is none, -1. */
static int find_start(struct lh_log_lines *l, uint64_t end, uint64_t *at, struct lh_err *err)
{
	const char *lf;
	uint64_t to;

	for (to = end; to; to = l->from) {
		if (to > l->from + l->buf.len || to <= l->from) {
			l->from = to > CHUNK ? to - CHUNK : 0;
			lh_buf_reset(&l->buf);
			if (read_at(l, &l->buf, (size_t)(to - l->from), l->from, err) < 0)
				return -1;
			if (l->buf.len < to - l->from)
				return lh_err_set(err, LH_EIO, "%s: became shorter while it was "
						  "read", l->path);
		}
		lf = memrchr(l->buf.p, '\n', (size_t)(to - l->from));
		if (lf) {
			*at = l->from + (uint64_t)(lf + 1 - l->buf.p);
			return 1;
		}
	}
	*at = 0;
	return 0;
}

/* Set the text of a line, from the chunk or the file. */
static int set_text(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err)
{
	uint64_t end = line->at + line->n;

	if (line->n > l->longest) {
		line->n = 0;
		return 0;
	}
	if (line->at >= l->from && end <= l->from + l->buf.len) {
		line->p = l->buf.p + (line->at - l->from);
		return 0;
	}
	lh_buf_reset(&l->line);
	while (l->line.len < line->n) {
		ssize_t got = read_at(l, &l->line, line->n - l->line.len, line->at + l->line.len,
				      err);

		if (got < 0)
			return -1;
		if (!got)
			return lh_err_set(err, LH_EIO, "%s: became shorter while it was read",
					  l->path);
	}
	line->p = l->line.p;
	return 0;
}

int lh_log_lines_before(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err)
{
	uint64_t at, end = l->at;

	if (!end)
		return 0;
	*line = (struct lh_log_line){ .end = end };
	if (find_start(l, end, &at, err) < 0)
		return -1;
	if (at == end) {	/* the byte before end is LF: the line is before that */
		line->whole = true;
		end--;
		if (find_start(l, end, &at, err) < 0)
			return -1;
	}
	line->at = at;
	line->n = (size_t)(end - at);
	l->at = at;
	return set_text(l, line, err) < 0 ? -1 : 1;
}
