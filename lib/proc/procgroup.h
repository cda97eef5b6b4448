/*
 * procgroup - a program that leads a process group of its own: has it ended,
 * let it end, end it; not installed.
 *
 * exit is its pidfd, readable once it ended, or -1 on a kernel that has none:
 * then it is looked at now and then.
 */
#ifndef LH_PROCGROUP_H
#define LH_PROCGROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* Close what is open. */
void lh_procgroup_close_fd(int *fd);

/* It is not collected by this. */
bool lh_procgroup_ended(pid_t pid);

/* How long to poll for it, in milliseconds, when there are so many seconds. */
int lh_procgroup_poll_ms(int exit, double left);

/* Wait until it has ended, two seconds at most: it should, by itself or because
 * it was asked to. */
void lh_procgroup_let_end(pid_t pid, int exit);

/* Kill what is left of the group, and collect its leader: its exit status, or
 * 128 + the signal.  The group first: until its leader is waited for nobody else
 * can have its number. */
int lh_procgroup_collect(pid_t pid);

#endif
