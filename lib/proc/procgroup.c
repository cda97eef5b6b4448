/* procgroup.c - programs in process groups of their own.  See procgroup.h. */
#include "procgroup.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lh/time.h>

#define GRACE 2.0	/* seconds */
#define LOOK 0.02	/* seconds between two checks without a pidfd */

void lh_procgroup_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

bool lh_procgroup_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		info.si_pid == pid;
}

int lh_procgroup_poll_ms(int exit, double left)
{
	if (exit < 0 && left > LOOK)
		left = LOOK;
	return left > 3600 ? 3600000 : (int)(left * 1000) + 1;
}

void lh_procgroup_let_end(pid_t pid, int exit)
{
	double until = lh_time_monotonic() + GRACE, left;

	while (!lh_procgroup_ended(pid) && (left = until - lh_time_monotonic()) > 0)
		poll(&(struct pollfd){ exit, POLLIN, 0 }, 1, lh_procgroup_poll_ms(exit, left));
}

int lh_procgroup_collect(pid_t pid)
{
	int status = 0;

	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
