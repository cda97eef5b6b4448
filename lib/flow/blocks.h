/*
 * blocks - read a descriptor as blocks of whole lines.
 *
 * The reader fills a buffer of its own.  It returns the buffer as a block as soon as the
 * buffer holds enough whole lines, or at least one when no more input is ready.  The
 * unfinished line at the end is moved to the next buffer.  Each read(2) goes directly
 * into the buffer.  The buffer grows for a longer line, up to the limit; a line over the
 * limit is returned in pieces and not kept.
 *
 *     for (;;) {
 *             switch (lh_lines_next(&l, &block, &err)) {
 *             case LH_LINES_BLOCK:    block.p[0..n) ends with LF, or with the file
 *             case LH_LINES_WAIT:     no input ready: lh_lines_wait, then again
 *             case LH_LINES_PROBE:    only with l.probe: l.b holds the first bytes
 *             case LH_LINES_ROOM:     needs l.want bytes: lh_lines_allow, then again
 *             case LH_LINES_LONG:     lh_lines_piece until it returns 0
 *             case LH_LINES_END:      end of input
 *             case LH_LINES_ERROR:    err; the unfinished line is dropped
 *
 * Owner:   the caller owns a block's memory, and passes it to the next call for reuse or
 *          frees block.p; LH_PAD readable bytes follow it.
 * Private to lib.
 */
#ifndef LH_BLOCKS_H
#define LH_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <lh/buf.h>

#define LH_LINES_FIRST ((size_t)64 << 10)	/* of the first block: small, for a quick start */
#define LH_LINES_BLOCK_MAX ((size_t)256 << 10)	/* fits the L2 cache of a core */
#define LH_LINES_FREE_GROWTH ((size_t)4 << 20) /* a buffer grows up to here without LH_LINES_ROOM */

enum lh_lines_is {
	LH_LINES_BLOCK, LH_LINES_WAIT, LH_LINES_PROBE, LH_LINES_ROOM, LH_LINES_LONG, LH_LINES_END,
	LH_LINES_ERROR
};

struct lh_bytes {
	char *p;
	size_t n, cap;		/* cap + LH_PAD bytes are allocated */
};

struct lh_lines {
	int fd, wake;		/* wake: a descriptor that ends a wait when readable; or -1 */
	int reader;		/* a pipe that ends a wait when it has no reader any more; or 0 */
	/* Read bytes, as read(2) does; NULL: read(2) on fd. */
	ssize_t (*read)(void *ctx, void *p, size_t n, struct lh_err *err);
	void *ctx;
	/* Take each piece as it was read; or NULL. */
	void (*show)(void *ctx, const char *p, size_t n);
	void *show_ctx;
	bool regular, short_read, ended, too_long;
	bool probe;		/* stop at the first bytes, until this is cleared */
	bool texts;		/* the whole file is one line */
	struct lh_err failed;	/* the error to return after the block just returned */
	uint64_t max_line;
	size_t target, max_lines;	/* of a block; max_lines 0: any number */
	size_t want, allowed;
	struct lh_bytes b;
	size_t whole;		/* bytes of b up to its last LF, included */
	size_t given;		/* bytes returned as a piece, removed at the next call */
};

/* Start reading fd; the buffer of an earlier file is reused. */
void lh_lines_open(struct lh_lines *l, int fd);
void lh_lines_free(struct lh_lines *l);

/* Return the next event, with *block set on LH_LINES_BLOCK. */
enum lh_lines_is lh_lines_next(struct lh_lines *l, struct lh_bytes *block, struct lh_err *err);

/* Return whether more input may be available without waiting. */
bool lh_lines_ready(const struct lh_lines *l);

/* Wait for input for at most that many milliseconds: false if there is none, or with wake. */
bool lh_lines_come(const struct lh_lines *l, int ms);

/* Wait for input.  -1 with LH_EINTR when wake became readable, or the reader has gone. */
int lh_lines_wait(const struct lh_lines *l, struct lh_err *err);

/* Allow the buffer to grow to l->want. */
void lh_lines_allow(struct lh_lines *l);

/* Set *p to the next piece of a line over the limit, without its LF, and return its
 * length; 0 at the end, -1 on error.  *p is valid until the next call. */
ssize_t lh_lines_piece(struct lh_lines *l, const char **p, struct lh_err *err);

#endif
