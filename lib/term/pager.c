/* pager.c - stdout through the user's pager.  See term.h. */
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/coproc.h"

/* Start the pager with fd as its stdin.  Returns its PID, or -1. */
static pid_t spawn(const char *command, int fd, struct lh_err *err)
{
	char *less[] = { "less", "-FRX", NULL };
	char *shell[] = { "/bin/sh", "-c", (char *)command, NULL };
	char *env[] = { "LESS=FRX", NULL };	/* without R, less shows colours as text */

	return lh_coproc_spawn(&(struct lh_spawn){ .argv = command ? shell : less,
						   .fd = (int[]){ fd }, .n_fd = 1,
						   .env = getenv("LESS") ? NULL : env }, err);
}

/* ---- SIGINT ---- */

static volatile pid_t running;		/* the pager that SIGINT is left to */
static struct sigaction before_int, before_chld;

/* Let SIGINT end this process again once the pager has ended. */
static void on_child(int sig)
{
	siginfo_t ended = { 0 };
	int saved = errno;

	(void)sig;
	if (waitid(P_PID, (id_t)running, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid)
		sigaction(SIGINT, &before_int, NULL);
	errno = saved;
}

/* ---- */

/* Make fd stdout, and remember what that was. */
static int redirect(struct lh_term_pager *pager, int fd, struct lh_err *err)
{
	pager->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (pager->out >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		return 0;
	lh_err_sys(err, "stdout");
	if (pager->out >= 0)
		close(pager->out);
	return -1;
}

bool lh_term_pager_wanted(void)
{
	const char *command = getenv("PAGER");

	return isatty(STDOUT_FILENO) && !(command && (!*command || !strcmp(command, "cat")));
}

int lh_term_pager_start(struct lh_term_pager *pager, struct lh_err *err)
{
	const char *command = getenv("PAGER");
	int ends[2], rc = 0;

	*pager = (struct lh_term_pager){ 0 };
	if (!lh_term_pager_wanted())
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	pager->pid = spawn(command, ends[0], err);
	close(ends[0]);
	if (pager->pid < 0) {
		pager->pid = 0;
		rc = command ? -1 : 0;	/* less is not installed */
	} else {
		rc = redirect(pager, ends[1], err);
	}
	close(ends[1]);
	if (rc < 0 && pager->pid) {
		waitpid(pager->pid, NULL, 0);
		pager->pid = 0;
	}
	pager->command = command ? command : "less";
	if (pager->pid) {
		struct sigaction ignore = { .sa_handler = SIG_IGN };
		struct sigaction child = { .sa_handler = on_child,
					  .sa_flags = SA_RESTART | SA_NOCLDSTOP };

		running = pager->pid;
		sigaction(SIGINT, &ignore, &before_int);
		sigaction(SIGCHLD, &child, &before_chld);
		on_child(SIGCHLD);	/* it may have ended before */
	}
	return rc;
}

/* Report a failure of the pager.  SIGINT and SIGPIPE are ways to leave one; a shell says with
 * 128 + N that its command died of signal N, and with 126 and 127 that it could not run it. */
static int judge(const struct lh_term_pager *pager, int status, struct lh_err *err)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	if (!code || code == 128 + SIGINT || code == 128 + SIGPIPE)
		return 0;
	if (code == 126 || code == 127)
		return lh_err_set(err, LH_EIO, "the pager \"%s\" cannot be run", pager->command);
	if (WIFSIGNALED(status))
		return lh_err_set(err, LH_EIO, "the pager was ended by signal %d", code - 128);
	return lh_err_set(err, LH_EIO, "the pager ended with status %d", code);
}

int lh_term_pager_end(struct lh_term_pager *pager, struct lh_err *err)
{
	int status = 0;

	if (!pager->pid)
		return 0;
	dup2(pager->out, STDOUT_FILENO);	/* closes the pipe: the pager's input ends */
	close(pager->out);
	while (waitpid(pager->pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGCHLD, &before_chld, NULL);
	sigaction(SIGINT, &before_int, NULL);
	pager->pid = 0;
	return judge(pager, status, err);
}
