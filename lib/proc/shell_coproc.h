/*
 * shell_coproc - run a command of the user as a co-process, which coproc.h describes, and programs
 * that lead a process group of their own: check whether one ended, wait for it, kill it.
 *
 * exit is its pidfd, readable once it ended, or -1 on a kernel without it; then it
 * is checked periodically.
 */
#ifndef LH_SHELL_COPROC_H
#define LH_SHELL_COPROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "coproc.h"

/* Close *fd if it is open. */
void lh_procgroup_close_fd(int *fd);

/* Return whether it has ended, without collecting it. */
bool lh_procgroup_ended(pid_t pid);

/* Return how long to poll for it, in milliseconds, if `left` seconds remain. */
int lh_procgroup_poll_ms(int exit, double left);

/* Wait up to two seconds for it to end, by itself or because it was asked to. */
void lh_procgroup_let_end(pid_t pid, int exit);

/* Kill the rest of the group and collect its leader: return its exit status, or 128
 * + the signal.  The group is killed first, because its number cannot be reused
 * before its leader is collected. */
int lh_procgroup_collect(pid_t pid);

/* ---- commands of the user as co-processes ---- */

/*
 * coproc.h says how it
 * differs from a tool.
 */

/* Do lh_coproc_ask for a command. */
int lh_shell_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds,
			struct lh_str *reply, struct lh_err *err);

/* Kill its processes and collect it: sets c->status. */
void lh_shell_coproc_end(struct lh_coproc *c);

#endif
