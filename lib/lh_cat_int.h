/*
 * lh_cat_int - lh-cat as a child, seen from the tool that reads from it.
 *
 * The child is told by LH_CAT_FRAMES=1 to write frames instead of lines, so
 * that the borders between members and the reason of a failure cross the pipe
 * as well: one byte of kind, four bytes of length (little-endian), the payload.
 *
 *     M  a member begins; payload: its name, empty for a file that is no archive
 *     D  bytes of it
 *     E  no more can be read; payload: the reason
 *     Z  that was all
 *
 * Its stdin is the compressed file.  What was read from there already, to see
 * what it is, is handed over on descriptor 3, which it reads first.
 *
 * Private to liblh and lh-cat.
 */
#ifndef LH_CAT_INT_H
#define LH_CAT_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lh_err.h"

#define LH_CAT_ENV "LH_CAT_FRAMES"
#define LH_CAT_HEAD_FD 3
#define LH_CAT_FRAME 5			/* bytes before a payload */
#define LH_CAT_FRAME_MAX 65536		/* of a payload */

struct lh_cat {
	pid_t pid;
	int from;			/* its stdout */
	uint32_t left;			/* of the frame that is being read */
	bool started, more, ended;	/* more: name is a member not yet begun */
	char name[LH_CAT_FRAME_MAX + 1];
};

/* Start it on fd, with the n bytes at head before.  NULL and *err. */
struct lh_cat *lh_cat_start(int fd, const void *head, size_t n, struct lh_err *err);

/* Bytes of the current member; 0 at its end: then either more is set or all
 * is read.  As lh_lines reads. */
ssize_t lh_cat_read(void *cat, void *p, size_t n, struct lh_err *err);

/* End it, whatever it is doing. */
void lh_cat_stop(struct lh_cat *c);

#endif
