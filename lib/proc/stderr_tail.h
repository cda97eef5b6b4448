/*
 * stderr_tail - the end of a child's stderr is kept; the last line of it is
 * reported.  Every line is passed to w->line, if that is set.
 */
#ifndef LH_STDERR_TAIL_H
#define LH_STDERR_TAIL_H

#include "coproc.h"

/* Read some of fd; return what read(2) returned. */
ssize_t lh_stderr_tail_read(struct lh_stderr_tail *w, int fd);

/* Read what is in the pipe fd (or -1) of an ended child, and no more: a process
 * that it left running may go on writing. */
void lh_stderr_tail_drain(struct lh_stderr_tail *w, int fd);

/* Pass on what follows the last LF: there is no more. */
void lh_stderr_tail_end(struct lh_stderr_tail *w);

/* Copy the last line that is not blank, without "name: " before it, to to[0..n). */
void lh_stderr_tail_last_line(const struct lh_stderr_tail *w, const char *name, char *to, size_t n);

#endif
