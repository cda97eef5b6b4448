/* child.h - the programs that phases run: other tools, and given commands. */
#ifndef CHILD_H
#define CHILD_H

#include "audit.h"
#include "proc/run.h"

#define OBSERVER "observer: nothing is run"

/* Run it: 1 if it ended by itself, 0 if it could not be run or was killed, which a
 * note of the check reports, -1 if the audit cannot continue.  The caller frees
 * *out in any case. */
int child_run(struct audit *a, enum check_id id, const struct lh_child_how *how, const void *in,
	      size_t n, struct lh_child_out *out, struct lh_err *err);

#endif
