/*
 * roster_lines.c - read a roster from JSON Lines, on several threads.
 *
 * Each thread takes the next block of whole lines, packs its workers with the lock
 * released, waits until all blocks before it are in the table and adds its own.  So
 * the table, line numbers and the first bad line are the same as with one thread.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/child_archive.h"
#include "flow/blocks.h"
#include "base/mem.h"
#include "roster_parts.h"
#include "base/signal.h"

#define LONGEST ((size_t)256 << 20)	/* bytes of a line: the default of the tools' input */
#define SMALL ((off_t)1 << 20)	/* a file smaller than this is read by one thread */
#define THREADS 31		/* in addition to the calling one */

/* A block and its workers; one for each thread. */
struct part {
	struct lh_roster_reader reader;
	struct lh_bytes in;
	struct lh_buf packed;
	uint64_t turn;
	size_t lines;		/* read so far */
	bool first;		/* starts its file: a BOM is skipped */
	struct lh_err err;	/* .code: about the line read last */
};

struct load {
	pthread_mutex_t lock;
	pthread_cond_t turn_changed;
	struct lh_roster_table *table;
	const char *path;
	int fd;
	off_t start;		/* where reading began in the file, if it is seekable */
	struct lh_lines lines;
	struct lh_child_reader *cat;	/* the child that decompresses it, or NULL */
	char *member;		/* its name in an archive, else NULL */
	bool first, ended;
	uint64_t line;		/* of the next block to be added */
	uint64_t blocks_given, blocks_added;	/* numbers of blocks */
	struct lh_err err;	/* .code: it has failed */
};

static void pack_lines(struct part *pt)
{
	const char *p = pt->in.p, *end = p + pt->in.n, *lf;
	size_t n;

	lh_buf_reset(&pt->packed);
	pt->lines = 0;
	pt->err.code = LH_OK;
	for (; p < end; p = lf ? lf + 1 : end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		n = (size_t)((lf ? lf : end) - p);
		pt->lines++;
		if (pt->first && pt->lines == 1 && n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
			p += 3;
			n -= 3;
		}
		if ((!n || *p != '{') && lh_line_blank(p, n))
			continue;
		n -= p[n - 1] == '\r';
		if (lh_roster_pack(&pt->reader, p, n, (struct lh_str){ "", 0 }, &pt->packed,
				   &pt->err) < 0)
			return;
	}
}

/* ---- with the lock held ---- */

/* Wait until the blocks before that one are in the table; false: reading failed. */
static bool wait_turn(struct load *l, uint64_t turn)
{
	while (l->blocks_added < turn && !l->err.code)
		pthread_cond_wait(&l->turn_changed, &l->lock);
	return !l->err.code;
}

/* Report "workers.jsonl:17:3: reason"; line 0: about the whole file. */
static void record_failure(struct load *l, uint64_t line, struct lh_err *err)
{
	const char *slash = l->member ? "/" : "", *member = l->member ? l->member : "";

	if (line && err->column)
		lh_err_prefix(err, "%s%s%s:%llu:%zu", l->path, slash, member,
			      (unsigned long long)line, err->column);
	else if (line)
		lh_err_prefix(err, "%s%s%s:%llu", l->path, slash, member, (unsigned long long)line);
	else
		lh_err_prefix(err, "%s%s%s", l->path, slash, member);
	err->column = 0;
	if (!l->err.code)
		l->err = *err;
	pthread_cond_broadcast(&l->turn_changed);
}

/* Start the decompressor if the first bytes are those of a compressed file. */
static int start_decoder(struct load *l, struct lh_err *err)
{
	struct lh_lines *in = &l->lines;
	size_t head = in->b.n;

	in->probe = false;
	if (!lh_archive_kind(in->b.p, in->b.n))
		return 0;
	if (l->start >= 0) {
		if (lseek(l->fd, l->start, SEEK_SET) < 0)
			return lh_err_sys(err, "cannot seek");
		head = 0;
	}
	l->cat = lh_child_reader_start(l->fd, in->b.p, head, err);
	if (!l->cat)
		return -1;
	lh_lines_open(in, l->cat->from);
	in->read = lh_child_reader_read;
	in->ctx = l->cat;
	return 0;
}

/* At the end of the open file, go on to the next one of its archive, once all lines
 * before it are in the table.  1, 0 if there is none, -1. */
static int next_member(struct load *l, struct lh_err *err)
{
	if (!l->cat || !l->cat->more || !wait_turn(l, l->blocks_given))
		return 0;
	if (!l->cat->more)
		return 1;	/* another thread did it meanwhile */
	free(l->member);
	l->member = lh_strndup(l->cat->name, strlen(l->cat->name), err);
	if (!l->member)
		return -1;
	l->cat->more = false;
	lh_lines_open(&l->lines, l->cat->from);
	l->first = true;
	l->line = 1;
	return 1;
}

/* Read towards the next block: 1 if it is complete, 0 not yet, -1. */
static int read_step(struct load *l, struct part *pt, struct lh_err *err)
{
	int rc;

	switch (lh_lines_next(&l->lines, &pt->in, err)) {
	case LH_LINES_BLOCK:
		return 1;
	case LH_LINES_WAIT:
		return lh_lines_wait(&l->lines, err);
	case LH_LINES_PROBE:
		return start_decoder(l, err);
	case LH_LINES_ROOM:
		lh_lines_allow(&l->lines);
		return 0;
	case LH_LINES_LONG:
		return lh_err_set(err, LH_EDATA, "line is longer than %zu bytes", LONGEST);
	case LH_LINES_END:
		rc = next_member(l, err);
		l->ended |= rc == 0;
		return rc < 0 ? -1 : 0;
	default:
		return -1;
	}
}

/* Take the next block; false if there is none, or after a failure. */
static bool next_block(struct load *l, struct part *pt)
{
	struct lh_err err;
	int got = 0;

	while (!got && !l->ended && !l->err.code)
		got = read_step(l, pt, &err);
	if (got < 0) {
		l->ended = true;
		if (wait_turn(l, l->blocks_given))
			record_failure(l, err.code == LH_EDATA ? l->line : 0, &err);
	}
	if (got <= 0)
		return false;
	pt->turn = l->blocks_given++;
	pt->first = l->first;
	l->first = false;
	return true;
}

/* Add the workers of the block to the table, when it is its turn. */
static void add_block(struct load *l, struct part *pt)
{
	if (!wait_turn(l, pt->turn))
		return;
	if (pt->err.code)
		record_failure(l, pt->err.code == LH_EDATA ? l->line + pt->lines - 1 : 0, &pt->err);
	else if (lh_roster_add(l->table, pt->packed.p, pt->packed.len, &pt->err) < 0)
		record_failure(l, 0, &pt->err);
	l->line += pt->lines;
	l->blocks_added++;
	pthread_cond_broadcast(&l->turn_changed);
}

/* ---- threads ---- */

static void *read_blocks(void *ctx)
{
	struct load *l = ctx;
	struct part pt = { .lines = 0 };

	lh_roster_reader_init(&pt.reader);
	lh_buf_init(&pt.packed, LH_BUF_NOMAX);
	pthread_mutex_lock(&l->lock);
	while (next_block(l, &pt)) {
		pthread_mutex_unlock(&l->lock);
		pack_lines(&pt);
		pthread_mutex_lock(&l->lock);
		add_block(l, &pt);
	}
	pthread_mutex_unlock(&l->lock);
	lh_roster_reader_free(&pt.reader);
	lh_buf_free(&pt.packed);
	free(pt.in.p);
	return NULL;
}

/* Run the calling thread and more; without more it is enough. */
static void run_threads(struct load *l, unsigned jobs)
{
	pthread_t thread[THREADS];
	unsigned n = 0;
	sigset_t old;

	lh_signal_block(&old);
	while (n + 1 < jobs && n < THREADS && pthread_create(&thread[n], NULL, read_blocks, l) == 0)
		n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	read_blocks(l);
	while (n)
		pthread_join(thread[--n], NULL);
}

int lh_roster_read(struct lh_roster_table *t, const char *path, int fd, unsigned jobs,
		   struct lh_err *err)
{
	struct load l = { .table = t, .path = path, .fd = fd, .first = true, .line = 1 };
	struct stat st;

	l.lines.max_line = LONGEST;
	l.lines.target = LH_LINES_BLOCK_MAX;
	l.lines.wake = -1;
	lh_lines_open(&l.lines, fd);
	l.lines.probe = true;
	l.start = l.lines.regular ? lseek(fd, 0, SEEK_CUR) : -1;
	if (l.lines.regular && fstat(fd, &st) == 0 && st.st_size < SMALL)
		jobs = 1;
	pthread_mutex_init(&l.lock, NULL);
	pthread_cond_init(&l.turn_changed, NULL);
	run_threads(&l, jobs);
	pthread_cond_destroy(&l.turn_changed);
	pthread_mutex_destroy(&l.lock);
	lh_child_reader_stop(l.cat);
	lh_lines_free(&l.lines);
	free(l.member);
	if (l.err.code)
		*err = l.err;
	return l.err.code ? -1 : 0;
}
