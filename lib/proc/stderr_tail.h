/*
 * stderr_tail - the last words of a child: of whatever it writes to stderr the
 * end is kept, and of that the last line is told.
 *
 * Private to liblh.
 */
#ifndef LH_STDERR_TAIL_H
#define LH_STDERR_TAIL_H

#include "coproc.h"

/* Read some of fd: what read(2) returned. */
ssize_t lh_stderr_tail_read(struct lh_stderr_tail *w, int fd);

/* What is in the pipe fd (or -1) behind one that has ended, and no more: whoever
 * got away from it may go on writing. */
void lh_stderr_tail_drain(struct lh_stderr_tail *w, int fd);

/* The last line with anything on it, without "name: " before it, into to[0..n). */
void lh_stderr_tail_last_line(const struct lh_stderr_tail *w, const char *name, char *to, size_t n);

#endif
