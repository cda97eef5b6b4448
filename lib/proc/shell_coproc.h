/*
 * shell_coproc - run a command of the user as a co-process.  coproc.h says how it
 * differs from a tool.
 */
#ifndef LH_SHELL_COPROC_H
#define LH_SHELL_COPROC_H

#include "coproc.h"

/* Do lh_coproc_ask for a command. */
int lh_shell_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds,
			struct lh_str *reply, struct lh_err *err);

/* Kill its processes and collect it: sets c->status. */
void lh_shell_coproc_end(struct lh_coproc *c);

#endif
