/*
 * input.c - read operands as a sequence of files, and files as blocks of whole lines.  See flow.h.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "file/file.h"
#include "flow.h"

/* ---- input that is not JSON Lines ---- */

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

#define FIELD_MAX 64	/* bytes of a name in the header of a table */

/* Return whether the line is names with one separator between them. */
static bool is_header(const char *p, const char *end, char separator)
{
	const char *field = p;
	size_t fields = 1;

	for (; p < end; p++) {
		if (*p == separator) {
			if (p == field || p - field > FIELD_MAX)
				return false;
			field = p + 1;
			fields++;
		} else if ((unsigned char)*p < ' ' || strchr("{}[]:\\", *p) ||
			   (*p == ' ' && p == field)) {
			return false;
		}
	}
	return fields > 1 && p > field && p - field <= FIELD_MAX;
}

/* Return what to do with a file of another kind, by its first bytes. */
static const char *other_file(struct lh_str line)
{
	if (line.n >= 4 && (!memcmp(line.p, "\xff\xfe\0\0", 4) ||
			    !memcmp(line.p, "\0\0\xfe\xff", 4)))
		return "the input is UTF-32, not UTF-8; iconv -f UTF-32 -t UTF-8 converts it";
	if (line.n >= 2 && (!memcmp(line.p, "\xff\xfe", 2) || !memcmp(line.p, "\xfe\xff", 2)))
		return "the input is UTF-16, not UTF-8; iconv -f UTF-16 -t UTF-8 converts it";
	if (line.n >= 2 && line.p[0] && !line.p[1])
		return "the input has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16LE "
		       "-t UTF-8 converts it";
	if (line.n >= 2 && !line.p[0])
		return "the input has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16BE "
		       "-t UTF-8 converts it";
	if (line.n >= 4 && !memcmp(line.p, "PAR1", 4))
		return "the input is Parquet, not JSON Lines; lh-ingest makes a line of each row";
	return NULL;
}

/* Return whether the line is words, as a text to search for is: of letters and digits of any
 * script, blanks and signs, and no JSON. */
static bool is_text(const char *p, const char *end)
{
	static const char *const json[] = { "true", "false", "null" };
	const size_t n = (size_t)(end - p);
	bool letter = false;
	size_t i;

	if (isdigit((unsigned char)*p) && !memchr(p, ' ', n))	/* 1e5 is JSON */
		return false;

	for (i = 0; i < sizeof json / sizeof *json; i++)
		if (n == strlen(json[i]) && !memcmp(p, json[i], n))
			return false;
	if (!isalnum((unsigned char)*p) && !(*p & 0x80))
		return false;
	for (; p < end && (unsigned char)*p >= ' '; p++)
		letter |= isalpha((unsigned char)*p) || *p & 0x80;
	return p == end && letter;
}

const char *lh_hint_of(struct lh_str line)
{
	const char *end = line.p + line.n, *p = line.p, *next = other_file(line);

	if (next)
		return next;
	p += lh_mark_len(p, line.n);
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	p = skip_space(p, end);
	if (p == end)
		return NULL;
	next = skip_space(p + 1, end);
	if (*p == '[' && (next == end || *next == '{'))
		return "the input is a JSON array, not JSON Lines; jq -c '.[]' makes a line of "
		       "each element";
	if (*p == '{' && next == end)
		return "the input is JSON over several lines, not JSON Lines; jq -c . makes a "
		       "line of each object";
	if (is_header(p, end, ',') || is_header(p, end, ';') || is_header(p, end, '\t'))
		return "the input looks like a table, not JSON Lines; lh-ingest makes a line of "
		       "each row";
	if (is_text(p, end))
		return "the input is text, not JSON Lines; lh search FILE TEXT asks for one, "
		       "jq -cR '{text:.}' makes a record of each line";
	return NULL;
}

/* ---- blocks of whole lines ---- */

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

/* ---- files ---- */

#define INDEX_MAGIC 6	/* its bytes up to the first LF: a pipe may have no more ready */

#define LH_OBJECT "s3://"

static char *just_stdin[] = { "-" };

void lh_input_init(struct lh_input *in, char **operands, size_t n, uint64_t max_line)
{
	memset(in, 0, sizeof *in);
	in->operands = n ? operands : just_stdin;
	in->n = n ? n : 1;
	in->fd = in->opened = -1;
	in->lines.max_line = max_line;
	in->lines.target = LH_LINES_FIRST;
	in->lines.wake = -1;
}

void lh_input_leave(struct lh_input *in)
{
	if (in->fd > STDIN_FILENO && in->opened < 0)
		close(in->fd);
	lh_child_reader_stop(in->cat);
	free(in->member);
	in->cat = NULL;
	in->member = NULL;
	in->fd = -1;
	in->operand = NULL;
	in->lines.read = NULL;
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

bool lh_input_archive(const struct lh_input *in)
{
	return in->cat && !in->member && (in->cat->more || !in->cat->started);
}

bool lh_input_waits(const struct lh_input *in)
{
	struct stat st;

	return !(in->cat && in->cat->more) && in->next < in->n &&
	       stat(in->operands[in->next], &st) == 0 && S_ISFIFO(st.st_mode);
}

uint64_t lh_input_size(const struct lh_input *in)
{
	uint64_t size = 0;
	struct stat st;
	off_t at;
	size_t i;

	for (i = 0; i < in->n; i++) {
		bool own = strcmp(in->operands[i], "-") != 0;

		if ((own ? stat(in->operands[i], &st) : fstat(STDIN_FILENO, &st)) < 0 ||
		    !S_ISREG(st.st_mode))
			return 0;
		at = own ? 0 : lseek(STDIN_FILENO, 0, SEEK_CUR);
		size += st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
	}
	return size;
}

/* Open the next member of the open archive. */
static int open_member(struct lh_input *in)
{
	struct lh_child_reader *c = in->cat;
	size_t n = strlen(in->operand) + strlen(c->name) + 2;
	char *name = lh_calloc(n, 1);

	snprintf(name, n, "%s/%s", in->operand, c->name);
	free(in->member);
	in->member = name;
	c->more = false;
	lh_lines_open(&in->lines, c->from);
	return 1;
}

/* Read the open file through lh-cat. */
static int read_child(struct lh_input *in)
{
	if (!in->cat)
		return -1;
	lh_lines_open(&in->lines, in->cat->from);
	in->lines.read = lh_child_reader_read;
	in->lines.ctx = in->cat;
	return 1;
}

static bool is_object(const char *operand)
{
	return strncmp(operand, LH_OBJECT, sizeof LH_OBJECT - 1) == 0;
}

/* Open an object of a store. */
static int open_object(struct lh_input *in, struct lh_err *err)
{
	if (in->plain)
		return lh_err_set(err, LH_EIO, "is an object; a file is wanted here");
	in->start = -1;
	in->cat = lh_child_reader_object(in->operand, err);
	return read_child(in);
}

/* Open a FIFO once there is something to read: data, or the end that the last writer to close
 * it makes.  open(2) alone would wait for a writer and not for a signal that came before. */
static int open_fifo(const char *path, int wake)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd f[] = { { .fd = fd, .events = POLLIN }, { .fd = wake, .events = POLLIN } };
	int flags;

	if (fd < 0)
		return -1;
	while (poll(f, 2, -1) < 0 && errno == EINTR)
		;	/* the descriptor is readable after a signal that is to stop it */
	flags = f[1].revents ? -1 : fcntl(fd, F_GETFL);
	if (flags >= 0 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0)
		return fd;
	if (f[1].revents)
		errno = EINTR;
	close(fd);
	return -1;
}

static int open_file(const struct lh_input *in)
{
	struct stat st;

	if (!strcmp(in->operand, "-"))
		return STDIN_FILENO;
	if (in->lines.wake >= 0 && stat(in->operand, &st) == 0 && S_ISFIFO(st.st_mode))
		return open_fifo(in->operand, in->lines.wake);
	return open(in->operand, O_RDONLY | O_CLOEXEC);
}

int lh_input_open(struct lh_input *in, struct lh_err *err)
{
	struct stat st;

	if (in->cat && in->cat->more)
		return open_member(in);
	lh_input_leave(in);
	if (in->next == in->n)
		return 0;
	in->operand = in->operands[in->next++];
	in->fd = in->opened;
	if (in->fd < 0 && is_object(in->operand))
		return open_object(in, err);
	if (in->fd < 0)
		in->fd = open_file(in);
	if (in->fd < 0 && errno == EINTR)
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (in->fd < 0 && errno == ENOENT && strchr(in->operand, ' ') &&
	    !strpbrk(in->operand, "/."))
		return lh_err_set(err, LH_EIO, "cannot open: %s (a text is searched for by lh "
				  "search FILE TEXT)", strerror(errno));
	if (in->fd < 0)
		return lh_err_sys(err, "cannot open");
	if (fstat(in->fd, &st) == 0 && S_ISDIR(st.st_mode))
		return lh_err_set(err, LH_EIO, "is a directory");
	if (lh_same_file(in->fd, STDOUT_FILENO) || (in->output && lh_same_file(in->fd, in->output)))
		return lh_err_set(err, LH_EIO, "is both input and output");
	lh_lines_open(&in->lines, in->fd);
	in->lines.probe = !in->plain;
	in->start = in->lines.regular ? lseek(in->fd, 0, SEEK_CUR) : -1;
	return 1;
}

/* Look at the first bytes of a file; if it is compressed, start lh-cat as a child to read it
 * from its beginning. */
static int probe(struct lh_input *in, struct lh_err *err)
{
	struct lh_lines *l = &in->lines;
	size_t head = l->b.n;

	l->probe = false;
	if (l->b.n >= INDEX_MAGIC && memcmp(l->b.p, LH_INDEX_MAGIC, INDEX_MAGIC) == 0)
		return lh_err_set(err, LH_EIO,
				  "is an index, not JSON Lines (lh-index dump makes such of it)");
	if (!in->any && lh_archive_workbook(in->operand, l->b.p, l->b.n))
		return lh_err_set(err, LH_EIO, "is a workbook, not JSON Lines; save it as CSV in "
				  "UTF-8, which lh-ingest reads");
	if (!lh_archive_kind(l->b.p, l->b.n))
		return 0;
	if (in->start >= 0) {
		if (lseek(in->fd, in->start, SEEK_SET) < 0)
			return lh_err_sys(err, "cannot seek");
		head = 0;
	}
	in->cat = lh_child_reader_start(in->fd, l->b.p, head, err);
	return read_child(in) < 0 ? -1 : 0;
}

enum lh_lines_is lh_input_next(struct lh_input *in, struct lh_bytes *block, struct lh_err *err)
{
	enum lh_lines_is is;

	while ((is = lh_lines_next(&in->lines, block, err)) == LH_LINES_PROBE)
		if (probe(in, err) < 0)
			return LH_LINES_ERROR;
	return is;
}
