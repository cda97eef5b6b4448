/*
 * blocks - a descriptor cut into blocks of whole lines.
 *
 * The reader fills a buffer of its own and hands it over when it holds at
 * least one whole line and either enough of them or nothing more to be had
 * without waiting; the unfinished line at the end moves to the next buffer.
 * One read(2) at a time goes straight into the buffer; a line longer than it
 * makes it grow up to the limit, and beyond that the line is handed out in
 * pieces and not kept.
 *
 *     for (;;) {
 *             switch (lh_lines_next(&l, &block, &err)) {
 *             case LH_LINES_BLOCK:    block.p[0..n) ends with LF, or with the file
 *             case LH_LINES_WAIT:     nothing there yet: lh_lines_wait, then again
 *             case LH_LINES_PROBE:    only with l.probe: b holds the first bytes
 *             case LH_LINES_ROOM:     wants l.want bytes: lh_lines_allow, then again
 *             case LH_LINES_LONG:     lh_lines_piece until it returns 0
 *             case LH_LINES_END:      done
 *             case LH_LINES_ERROR:    err; the unfinished line is dropped
 *
 * Owner:   a block's memory is the caller's, who gives it back with the next
 *          call for reuse or frees block.p; LH_PAD readable bytes follow it.
 * Private to liblh.
 */
#ifndef LH_BLOCKS_H
#define LH_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <lh/buf.h>

#define LH_LINES_FIRST ((size_t)64 << 10)	/* the first block: quick to start on */
#define LH_LINES_BLOCK_MAX ((size_t)256 << 10)	/* stays in a core's L2 */
#define LH_LINES_FREE_GROWTH ((size_t)4 << 20)	/* up to here without asking */

enum lh_lines_is {
	LH_LINES_BLOCK, LH_LINES_WAIT, LH_LINES_PROBE, LH_LINES_ROOM, LH_LINES_LONG, LH_LINES_END,
	LH_LINES_ERROR
};

struct lh_bytes {
	char *p;
	size_t n, cap;		/* cap + LH_PAD bytes are allocated */
};

struct lh_lines {
	int fd, wake;		/* wake: readable when waiting must end; or -1 */
	/* Where bytes come from; NULL: read(2) on fd.  Returns as that does. */
	ssize_t (*read)(void *ctx, void *p, size_t n, struct lh_err *err);
	void *ctx;
	/* Shown each piece as it comes; or NULL. */
	void (*show)(void *ctx, const char *p, size_t n);
	void *show_ctx;
	bool regular, short_read, ended, too_long;
	bool probe;		/* stop at the first bytes, until this is cleared */
	bool texts;		/* no line ends but with its file */
	struct lh_err failed;	/* the error that comes behind the block handed out */
	uint64_t max_line;
	size_t target, max_lines;	/* of a block; max_lines 0: any number */
	size_t want, allowed;
	struct lh_bytes b;
	size_t whole;		/* bytes of b up to and with its last LF */
	size_t given;		/* bytes handed out as a piece, gone at the next call */
};

/* Start on fd; keeps the buffer of an earlier file. */
void lh_lines_open(struct lh_lines *l, int fd);
void lh_lines_free(struct lh_lines *l);

enum lh_lines_is lh_lines_next(struct lh_lines *l, struct lh_bytes *block, struct lh_err *err);

/* May there be more without waiting? */
bool lh_lines_ready(const struct lh_lines *l);

/* Wait for bytes; -1 with LH_EINTR when woken. */
int lh_lines_wait(const struct lh_lines *l, struct lh_err *err);

/* Let the buffer grow to what it wants. */
void lh_lines_allow(struct lh_lines *l);

/* The next piece of a line over the limit, its LF (if any) left out: its
 * length, 0 at the end, -1 on error.  *p is valid until the next call. */
ssize_t lh_lines_piece(struct lh_lines *l, const char **p, struct lh_err *err);

/* Is it a line that is passed over, its LF left out? */
bool lh_line_blank(const char *p, size_t n);

#endif
