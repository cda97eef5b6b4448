/* blocks.c - read a descriptor as blocks of whole lines.  See blocks.h. */
#include "blocks.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "file/file.h"
#include "base/mem.h"

void lh_lines_open(struct lh_lines *l, int fd)
{
	struct stat st;

	l->fd = fd;
	l->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	l->short_read = l->ended = l->too_long = l->probe = false;
	l->failed.code = LH_OK;
	l->want = l->allowed = l->given = 0;
	l->b.n = l->whole = 0;
}

void lh_lines_free(struct lh_lines *l)
{
	free(l->b.p);
	l->b = (struct lh_bytes){ NULL, 0, 0 };
}

/* Return whether a read would not wait: data, the end or a hang-up is there. */
static bool readable(const struct lh_lines *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return l->regular || (poll(&p, 1, 0) > 0 && p.revents);
}

bool lh_lines_ready(const struct lh_lines *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	if (l->whole)
		return true;
	if (l->ended)
		return false;
	return l->regular ? !l->short_read : poll(&p, 1, 0) > 0 && p.revents & POLLIN;
}

bool lh_lines_come(const struct lh_lines *l, int ms)
{
	struct pollfd p[2] = {
		{ .fd = l->fd, .events = POLLIN }, { .fd = l->wake, .events = POLLIN },
	};

	return poll(p, 2, ms) > 0 && !p[1].revents;
}

int lh_lines_wait(const struct lh_lines *l, struct lh_err *err)
{
	struct pollfd p[3] = {
		{ .fd = l->fd, .events = POLLIN },
		{ .fd = l->wake, .events = POLLIN },
		{ .fd = l->reader ? l->reader : -1 },	/* POLLERR is always reported */
	};

	while (poll(p, 3, -1) < 0)
		if (errno != EINTR)
			return lh_err_sys(err, "poll");
	if (p[2].revents)
		return lh_err_set(err, LH_EINTR, "the reader of the output has gone");
	return p[1].revents ? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

/* Return the last or first LF of n bytes; NULL with l->texts. */
static const char *last_lf(const struct lh_lines *l, const char *p, size_t n)
{
	return n && !l->texts ? memrchr(p, '\n', n) : NULL;
}

static const char *first_lf(const struct lh_lines *l, const char *p, size_t n)
{
	return n && !l->texts ? memchr(p, '\n', n) : NULL;
}

static void reserve(struct lh_bytes *b, size_t cap)
{
	char *p;

	if (b->cap >= cap && b->p)
		return;
	p = lh_realloc(b->p, cap + LH_PAD, 1);
	memset(p + cap, 0, LH_PAD);
	b->p = p;
	b->cap = cap;
}

/* Read once into the free room: the number of bytes, 0 at the end, -1 on error. */
static ssize_t fill(struct lh_lines *l, struct lh_err *err)
{
	size_t room = l->b.cap - l->b.n;
	char *to = l->b.p + l->b.n;
	ssize_t got;
	const char *lf;

	if (l->probe && room > LH_LINES_FIRST)
		room = LH_LINES_FIRST;		/* lh-cat may need these bytes */
	got = l->read ? l->read(l->ctx, to, room, err) : lh_read_some(l->fd, to, room, err);
	if (got < 0)
		return -1;
	if (l->show)
		l->show(l->show_ctx, to, (size_t)got);
	l->short_read = (size_t)got < room;
	l->ended = got == 0;
	lf = last_lf(l, to, (size_t)got);
	if (lf)
		l->whole = (size_t)(lf - l->b.p) + 1;
	l->b.n += (size_t)got;
	return got;
}

/* Return the end of the max_lines-th line, or of the last whole one. */
static size_t cut(const struct lh_lines *l)
{
	const char *p = l->b.p, *end = p + l->whole;
	size_t i;

	for (i = 0; i < l->max_lines && p < end; i++)
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	return l->max_lines ? (size_t)(p - l->b.p) : l->whole;
}

/* Return the first n bytes as a block; the bytes after them start the next one. */
static enum lh_lines_is hand_over(struct lh_lines *l, size_t n, struct lh_bytes *block)
{
	struct lh_bytes next = *block;
	size_t rest = l->b.n - n;
	const char *lf;

	reserve(&next, rest > l->target ? rest : l->target);
	memcpy(next.p, l->b.p + n, rest);
	*block = l->b;
	block->n = n;
	l->b = next;
	l->b.n = rest;
	lf = l->whole > n ? memrchr(next.p, '\n', rest) : NULL;
	l->whole = lf ? (size_t)(lf - next.p) + 1 : 0;
	l->want = l->allowed = 0;
	return LH_LINES_BLOCK;
}

/* Return whether there are enough lines for a block. */
static bool enough(const struct lh_lines *l)
{
	const char *p = l->b.p, *end = p + l->whole;
	size_t i;

	if (!l->max_lines)
		return l->b.n >= l->target;
	for (i = 0; i < l->max_lines && p < end; i++)
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	return i == l->max_lines || l->b.n >= LH_LINES_FREE_GROWTH;
}

/* Make room for an unfinished line that fills the buffer: LH_LINES_BLOCK when the buffer has
 * grown, LH_LINES_ROOM to ask before it gets large, LH_LINES_LONG over the limit. */
static enum lh_lines_is no_room(struct lh_lines *l)
{
	size_t cap = l->b.cap;

	if (!l->whole && l->b.n > l->max_line + 1) {	/* 1: for a CR before the LF */
		l->too_long = true;
		return LH_LINES_LONG;
	}
	l->want = !l->whole && cap * 2 > l->max_line + 2 ? (size_t)l->max_line + 2 : cap * 2;
	if (l->want > LH_LINES_FREE_GROWTH && l->allowed < l->want)
		return LH_LINES_ROOM;
	reserve(&l->b, l->want);
	return LH_LINES_BLOCK;
}

void lh_lines_allow(struct lh_lines *l)
{
	l->allowed = l->want;
}

enum lh_lines_is lh_lines_next(struct lh_lines *l, struct lh_bytes *block, struct lh_err *err)
{
	enum lh_lines_is is;

	reserve(&l->b, l->target);
	if (l->failed.code) {
		*err = l->failed;
		return LH_LINES_ERROR;
	}
	for (;;) {
		if (l->probe && l->b.n && (l->ended || lh_archive_decided(l->b.p, l->b.n)))
			return LH_LINES_PROBE;
		if (l->whole && !l->probe && (l->ended || enough(l) || !readable(l)))
			return hand_over(l, cut(l), block);
		if (l->ended)
			return l->b.n ? hand_over(l, l->b.n, block) : LH_LINES_END;
		if (l->b.n == l->b.cap) {
			is = no_room(l);
			if (is != LH_LINES_BLOCK)
				return is;
		}
		if (!readable(l))
			return LH_LINES_WAIT;
		if (fill(l, err) < 0) {
			l->failed = *err;
			return l->whole ? hand_over(l, l->whole, block) : LH_LINES_ERROR;
		}
	}
}

ssize_t lh_lines_piece(struct lh_lines *l, const char **p, struct lh_err *err)
{
	const char *lf;
	size_t n;

	for (;;) {
		l->b.n -= l->given;
		memmove(l->b.p, l->b.p + l->given, l->b.n);
		lf = last_lf(l, l->b.p, l->b.n);
		l->whole = lf ? (size_t)(lf - l->b.p) + 1 : 0;
		l->given = 0;
		if (!l->too_long)
			return 0;
		if (!l->b.n && !l->ended) {
			if (!readable(l) && lh_lines_wait(l, err) < 0)
				return -1;
			if (fill(l, err) < 0)
				return -1;
		}
		lf = first_lf(l, l->b.p, l->b.n);
		n = lf ? (size_t)(lf - l->b.p) : l->b.n;
		l->given = n + (lf != NULL);
		l->too_long = !lf && !l->ended;
		*p = l->b.p;
		if (n)
			return (ssize_t)n;
	}
}
