/* child.h - what phases run: other tools, and commands that were given. */
#ifndef CHILD_H
#define CHILD_H

#include "audit.h"
#include "proc/run.h"

#define OBSERVER "observer: nothing is run"

/*
 * Run it: 1 when it came to an end of its own, 0 when it could not be run or
 * was killed, which a note of the check says, -1 when the audit cannot go on.
 * *out is freed by the caller in any case.
 */
int child_run(struct audit *a, enum check_id id, const struct lh_child_how *how, const void *in, size_t n,
	      struct lh_child_out *out, struct lh_err *err);

#endif
