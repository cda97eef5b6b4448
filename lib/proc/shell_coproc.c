/*
 * shell_coproc.c - run a command of the user as a co-process; process groups.  See coproc.h and
 * shell_coproc.h.
 */
#include "shell_coproc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "base/signal.h"
#include "coproc.h"

/* ---- process groups ---- */

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

/* ---- co-processes ---- */

#define CHUNK 65536

static int start(struct lh_coproc *c, const char *command, int *in, int *out, int *stderr_pipe,
		 struct lh_err *err)
{
	char *argv[] = { "/bin/sh", "-c", (char *)command, NULL };
	int fd[3];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(stderr_pipe, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	/* on this side only: the command's ends block, as it expects */
	if (fcntl(in[1], F_SETFL, O_NONBLOCK) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0)
		return lh_err_sys(err, "fcntl");
	fd[0] = in[0];
	fd[1] = out[1];
	fd[2] = stderr_pipe[1];
	c->pid = lh_coproc_spawn(&(struct lh_spawn){ .argv = argv, .fd = fd, .n_fd = 3,
						     .keys = LH_KEYS_ALL, .group = true }, err);
	if (c->pid < 0) {
		c->pid = 0;
		return -1;
	}
	c->exit = pidfd_open(c->pid, 0);
	return lh_signal_wake_open(err);
}

int lh_shell_coproc_start(struct lh_coproc *c, const char *command, size_t max, struct lh_err *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, stderr_pipe[2] = { -1, -1 }, rc;

	memset(c, 0, sizeof *c);
	c->command = true;
	c->max = max;
	c->exit = -1;
	lh_buf_init(&c->in, max + 2 * CHUNK);
	snprintf(c->name, sizeof c->name, "the command");
	rc = start(c, command, in, out, stderr_pipe, err);
	lh_procgroup_close_fd(&in[0]);
	lh_procgroup_close_fd(&out[1]);
	lh_procgroup_close_fd(&stderr_pipe[1]);
	c->to = in[1];
	c->fd = out[0];
	c->stderr_fd = stderr_pipe[0];
	if (rc < 0 && c->pid) {
		lh_shell_coproc_end(c);
	} else if (rc < 0) {
		lh_procgroup_close_fd(&c->to);
		lh_procgroup_close_fd(&c->fd);
		lh_procgroup_close_fd(&c->stderr_fd);
	}
	return rc;
}

void lh_coproc_stderr_tail(const struct lh_coproc *c, char *to, size_t n)
{
	lh_stderr_tail_last_line(&c->stderr_end, c->name, to, n);
}

static int waiting(int fd)
{
	int n = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &n) == 0 ? n : 0;
}

void lh_shell_coproc_end(struct lh_coproc *c)
{
	c->status = lh_procgroup_collect(c->pid);
	c->pid = 0;
	lh_stderr_tail_drain(&c->stderr_end, c->stderr_fd);
	lh_procgroup_close_fd(&c->to);
	lh_procgroup_close_fd(&c->fd);
	lh_procgroup_close_fd(&c->stderr_fd);
	lh_procgroup_close_fd(&c->exit);
}

/* Wait for an event: 0, or -1.  f[3] then says whether it has ended; a negative
 * f.fd is ignored. */
static int wait_for(struct lh_coproc *c, struct pollfd *f, double until, double seconds,
		    const char *what, struct lh_err *err)
{
	double left = until - lh_time_monotonic();

	f[2] = (struct pollfd){ c->stderr_fd, POLLIN, 0 };
	f[3] = (struct pollfd){ c->exit, POLLIN, 0 };
	f[4] = (struct pollfd){ lh_signal_wake_fd(), POLLIN, 0 };
	if (left <= 0)
		return lh_err_set(err, LH_ENET, "%s did not %s within %g seconds", c->name, what,
				  seconds);
	if (poll(f, 5, lh_procgroup_poll_ms(c->exit, left)) < 0) {
		if (errno != EINTR)
			return lh_err_sys(err, "poll");
		f[0].revents = f[1].revents = f[2].revents = f[3].revents = 0;
	}
	if (c->exit < 0 && lh_procgroup_ended(c->pid))
		f[3].revents = POLLIN;
	if (lh_signal_pending())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (f[2].revents && lh_stderr_tail_read(&c->stderr_end, c->stderr_fd) == 0)
		lh_procgroup_close_fd(&c->stderr_fd);
	return 0;
}

/* Report that it timed out. */
static int kill_late(struct lh_coproc *c)
{
	kill(-c->pid, SIGTERM);
	lh_procgroup_let_end(c->pid, c->exit);
	lh_shell_coproc_end(c);
	return -1;
}

static int report_ended(struct lh_coproc *c, struct lh_err *err)
{
	char last[512];

	lh_procgroup_close_fd(&c->to);
	lh_procgroup_let_end(c->pid, c->exit);
	lh_shell_coproc_end(c);
	lh_coproc_stderr_tail(c, last, sizeof last);
	return lh_err_set(err, LH_EIO, "%s ended without an answer, with status %d%s%s", c->name,
			  c->status, *last ? ": " : "", last);
}

/* Receive what there is: 1, 0 at its end, -1. */
static int receive(struct lh_coproc *c, struct lh_err *err)
{
	char *to = lh_buf_room(&c->in, CHUNK);
	ssize_t n = to ? read(c->fd, to, CHUNK) : -1;

	if (!to)
		return lh_err_nomem(err);
	if (n > 0)
		lh_buf_took(&c->in, (size_t)n);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return lh_err_sys(err, "%s: read failed", c->name);
	return n != 0;
}

/* Return whether exactly one complete line has arrived; -1 if more has. */
static int has_line(struct lh_coproc *c, size_t from, struct lh_err *err)
{
	const char *lf = c->in.len > from ? memchr(c->in.p + from, '\n', c->in.len - from) : NULL;

	c->reply = lf ? (size_t)(lf - c->in.p) + 1 : 0;
	if ((lf ? c->reply - 1 : c->in.len) > c->max)
		return lh_err_set(err, LH_EIO, "%s wrote more than %zu bytes", c->name, c->max);
	return lf != NULL;
}

/* Receive output: 1 once it is a complete line, 0, -1. */
static int receive_line(struct lh_coproc *c, bool ended, struct lh_err *err)
{
	size_t looked;
	int more, rc;

	do {
		looked = c->in.len;
		more = receive(c, err);
		rc = more < 0 ? -1 : has_line(c, looked, err);
	} while (rc == 0 && ended && waiting(c->fd) > 0);
	if (rc < 0)
		return kill_late(c);
	return rc || (more && !ended) ? rc : report_ended(c, err);
}

/* The reply may arrive before everything is sent; the rest is sent in any case,
 * otherwise the next line would begin in the middle of this one. */
static int exchange_lines(struct lh_coproc *c, const char *p, size_t n, double seconds,
			  struct lh_err *err)
{
	double until = lh_time_monotonic() + seconds;
	size_t sent = 0;
	int heard = 0;

	while (!heard || sent <= n) {
		struct pollfd f[5] = { { heard ? -1 : c->fd, POLLIN, 0 },
				       { sent <= n ? c->to : -1, POLLOUT, 0 } };

		if (wait_for(c, f, until, seconds, heard ? "read" : "answer", err) < 0)
			return kill_late(c);
		if (f[1].revents) {
			/* Send some of the line and its LF.  A command that reads no more may
			 * still answer. */
			struct iovec part[2] = { { (char *)p + sent, n - sent }, { "\n", 1 } };
			ssize_t got = writev(c->to, part, 2);

			if (got > 0)
				sent += (size_t)got;
			else if (errno != EAGAIN && errno != EINTR)
				sent = n + 1;
		}
		if (!heard && (f[0].revents || f[3].revents))
			heard = receive_line(c, f[3].revents, err);
		if (heard < 0)
			return -1;
		if (heard && f[3].revents)
			return 0;
	}
	return 0;
}

int lh_shell_coproc_ask(struct lh_coproc *c, const char *line, size_t n, double seconds,
			struct lh_str *reply, struct lh_err *err)
{
	if (!c->pid)
		return lh_err_set(err, LH_EIO, "%s is not running", c->name);
	if (c->in.len > c->reply) {
		lh_err_set(err, LH_ECORRUPT, "%s wrote more than it was asked for", c->name);
		return kill_late(c);
	}
	lh_buf_reset(&c->in);
	c->reply = 0;
	if (exchange_lines(c, line, n, seconds, err) < 0)
		return -1;
	*reply = (struct lh_str){ c->in.p, c->reply - 1 };
	return 0;
}

/* Return whether there is output to read; at its end close stdout. */
static bool has_output(struct lh_coproc *c)
{
	char byte;
	ssize_t n = c->fd >= 0 ? read(c->fd, &byte, 1) : 0;

	if (n == 0)
		lh_procgroup_close_fd(&c->fd);
	return n > 0;
}

int lh_coproc_close(struct lh_coproc *c, double seconds, bool *more, struct lh_err *err)
{
	double until = lh_time_monotonic() + seconds;
	struct pollfd f[5];

	*more = c->in.len > c->reply;
	if (!c->pid)
		return lh_err_set(err, LH_EIO, "%s is not running", c->name);
	lh_procgroup_close_fd(&c->to);
	do {
		f[0] = (struct pollfd){ c->fd, POLLIN, 0 };
		f[1] = (struct pollfd){ -1, 0, 0 };
		if (wait_for(c, f, until, seconds, "end", err) < 0)
			return kill_late(c);
		*more |= f[0].revents && has_output(c);
	} while (!f[3].revents && !*more);
	*more |= waiting(c->fd) > 0;
	if (*more)
		kill_late(c);	/* or it writes forever */
	else
		lh_shell_coproc_end(c);
	return 0;
}
