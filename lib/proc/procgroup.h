/*
 * procgroup - a program that leads a process group of its own: check whether it
 * ended, wait for it, kill it.
 *
 * exit is its pidfd, readable once it ended, or -1 on a kernel without it; then it
 * is checked periodically.
 */
#ifndef LH_PROCGROUP_H
#define LH_PROCGROUP_H

#include <stdbool.h>
#include <sys/types.h>

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

#endif
