/* run.c - run a program once, and git, for the commit that is checked out.  See run.h. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "base/signal.h"
#include "coproc.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"
#include "shell_coproc.h"

/* ---- programs ---- */

#define CHUNK 65536
#define VOID 4096	/* bytes at once of discarded output */

/* This process' ends of its stdin (unused), stdout, stderr; [0] is read from. */
struct child {
	const struct lh_child_how *how;
	struct lh_child_out *out;
	const char *name;
	pid_t pid;
	int exit;		/* pidfd, readable once it ended; -1 on a kernel without it */
	int in, outs[2], stderr_pipe[2];
	struct lh_stderr_tail stderr_end;	/* the end of its stderr */
};

/* Duplicate the descriptors of files that the caller gave. */
static int take_files(struct child *c, struct lh_err *err)
{
	if (lseek(c->how->in, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "lseek");
	c->in = fcntl(c->how->in, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	c->outs[1] = fcntl(c->how->to, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (c->in < 0 || c->outs[1] < 0)
		return lh_err_sys(err, "dup");
	return lh_signal_wake_open(err);
}

static int open_pipes(struct child *c, const void *in, size_t n, struct lh_err *err)
{
	if (c->how->to)
		return take_files(c, err);
	c->in = memfd_create("input", MFD_CLOEXEC);
	if (c->in < 0)
		return lh_err_sys(err, "memfd_create");
	if (lh_write_all(c->in, in, n, err) < 0)
		return -1;
	if (lseek(c->in, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "lseek");
	if (pipe2(c->outs, O_CLOEXEC) < 0 || pipe2(c->stderr_pipe, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	return lh_signal_wake_open(err);
}

static int start(struct child *c, struct lh_err *err)
{
	char *shell[] = { "/bin/sh", "-c", (char *)c->how->command, NULL };
	const int fd[] = { c->in, c->outs[1], c->stderr_pipe[1] };

	c->pid = lh_coproc_spawn(&(struct lh_spawn){ .argv = c->how->command ? shell : c->how->argv,
						     .fd = fd, .n_fd = 3,
						     .env = c->how->env, .keys = c->how->keys,
						     .folder = c->how->folder, .group = true },
						     err);
	if (c->pid < 0)
		return -1;
	lh_procgroup_close_fd(&c->in);
	lh_procgroup_close_fd(&c->outs[1]);
	lh_procgroup_close_fd(&c->stderr_pipe[1]);
	c->exit = pidfd_open(c->pid, 0);
	return 0;
}

/* Read some bytes of its stdout; at its end close the descriptor. */
static int read_stdout(struct child *c, struct lh_err *err)
{
	struct lh_buf *b = &c->out->out;
	char void_of[VOID], *to = c->how->max ? lh_buf_room(b, CHUNK) : void_of;
	ssize_t n;

	if (!to)
		return lh_buf_check(b, err);
	n = read(c->outs[0], to, c->how->max ? CHUNK : sizeof void_of);
	if (n < 0)
		return errno == EINTR ? 0 : lh_err_sys(err, "%s: read failed", c->name);
	if (n == 0)
		lh_procgroup_close_fd(&c->outs[0]);
	else if (c->how->max)
		lh_buf_took(b, (size_t)n);
	return b->len > c->how->max ? lh_err_set(err, LH_EIO, "%s wrote more than %zu bytes",
						 c->name, c->how->max) : 0;
}

/* Read some bytes of its stderr, of which only the end is kept. */
static int read_stderr(struct child *c, struct lh_err *err)
{
	ssize_t n = lh_stderr_tail_read(&c->stderr_end, c->stderr_pipe[0]);

	if (n < 0)
		return errno == EINTR ? 0 : lh_err_sys(err, "%s: read failed", c->name);
	if (n == 0)
		lh_procgroup_close_fd(&c->stderr_pipe[0]);
	return 0;
}

/* Read what an ended child left in its stdout: about as much as is there now,
 * because a grandchild that escaped may go on writing. */
static int read_rest(struct child *c, struct lh_err *err)
{
	int left = 0, takes;

	if (c->outs[0] < 0 || ioctl(c->outs[0], FIONREAD, &left) < 0)
		return 0;
	for (takes = left / VOID + 1; takes && ioctl(c->outs[0], FIONREAD, &left) == 0 && left > 0;
	     takes--)
		if (read_stdout(c, err) < 0)
			return -1;
	return 0;
}

/* Read until it ends: 0, also if it timed out and must be killed. */
static int read_until_end(struct child *c, struct lh_err *err)
{
	double until = c->how->seconds > 0 ? lh_time_monotonic() + c->how->seconds : 0, left = 3600;

	for (;;) {
		struct pollfd f[] = { { c->outs[0], POLLIN, 0 }, { c->stderr_pipe[0], POLLIN, 0 },
				      { c->exit, POLLIN, 0 }, { lh_signal_wake_fd(), POLLIN, 0 } };

		if (until)
			left = until - lh_time_monotonic();
		if (left <= 0) {
			c->out->timed_out = true;
			return 0;
		}
		if (poll(f, 4, lh_procgroup_poll_ms(c->exit, left)) < 0 && errno != EINTR)
			return lh_err_sys(err, "poll");
		if (lh_signal_pending())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if ((f[2].revents || c->exit < 0) && lh_procgroup_ended(c->pid)) {
			kill(-c->pid, SIGKILL);	/* processes that it left running */
			lh_stderr_tail_drain(&c->stderr_end, c->stderr_pipe[0]);
			return read_rest(c, err);
		}
		if (f[0].revents && read_stdout(c, err) < 0)
			return -1;
		if (f[1].revents && read_stderr(c, err) < 0)
			return -1;
	}
}

int lh_child_run(const struct lh_child_how *how, const void *in, size_t n, struct lh_child_out *out,
		 struct lh_err *err)
{
	struct child c = { .how = how, .out = out,
			   .name = how->command ? "the command" : how->argv[0],
			   .exit = -1, .in = -1, .outs = { -1, -1 }, .stderr_pipe = { -1, -1 } };
	bool was = lh_signal_deferred();
	int rc;

	memset(out, 0, sizeof *out);
	lh_buf_init(&out->out, how->max + CHUNK);
	lh_signal_defer(true);
	rc = open_pipes(&c, in, n, err);
	if (!rc)
		rc = start(&c, err);
	if (!rc)
		rc = read_until_end(&c, err);
	if (c.pid > 0 && (rc < 0 || out->timed_out)) {
		kill(-c.pid, SIGTERM);
		lh_procgroup_let_end(c.pid, c.exit);
	}
	if (c.pid > 0)
		out->status = lh_procgroup_collect(c.pid);
	lh_stderr_tail_last_line(&c.stderr_end, c.name, out->last_line, sizeof out->last_line);
	lh_signal_defer(was);
	lh_procgroup_close_fd(&c.exit);
	lh_procgroup_close_fd(&c.in);
	lh_procgroup_close_fd(&c.outs[0]);
	lh_procgroup_close_fd(&c.outs[1]);
	lh_procgroup_close_fd(&c.stderr_pipe[0]);
	lh_procgroup_close_fd(&c.stderr_pipe[1]);
	return rc;
}

void lh_child_free(struct lh_child_out *out)
{
	lh_buf_free(&out->out);
}

/* ---- git ---- */

/*
 * A root may belong to another user than who audits it, so git's check of the owner is off.  It
 * protects from programs that the configuration of a repository names; the question below does not
 * make git run one, or look at anything but refs.  Variables such as GIT_DIR do not reach it.
 */

#define GIT "git", "-c", "safe.directory=*", "-c", "safe.bareRepository=explicit"
#define SECONDS 10
#define ANSWER_MAX 4096

/* Ask git in a folder, and copy its answer without the LF to out.  False with the reason in *why
 * if it has none, or one of more than n - 1 bytes: LH_EDATA; any other code is a failure to ask. */
static bool ask_git(const char *folder, char *const *argv, char *out, size_t n, struct lh_err *why)
{
	static char *const env[] = { "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
				     "GIT_CONFIG_GLOBAL=/dev/null",
				     "GIT_DISCOVERY_ACROSS_FILESYSTEM=1", NULL };
	struct lh_child_how how = { .argv = argv, .env = env, .keys = LH_KEYS_STRANGER,
				    .folder = folder, .seconds = SECONDS, .max = ANSWER_MAX };
	LH_SCOPED(lh_child_free) struct lh_child_out got;
	bool found = false;
	size_t len;

	if (lh_child_run(&how, NULL, 0, &got, why) == 0) {
		len = got.out.len ? got.out.len - 1 : 0;
		found = got.status == 0 && len && len < n;
		if (found)
			snprintf(out, n, "%.*s", (int)len, got.out.p);
		else if (got.status == 1)
			lh_err_set(why, LH_EDATA, "%s: no commit yet", folder);
		else if (got.timed_out || !strstr(got.last_line, "not a git repository"))
			lh_err_set(why, LH_EDATA, "%s: git cannot read the repository: %s", folder,
				   got.last_line);
		else
			lh_err_set(why, LH_EDATA, "%s: not in a git repository", folder);
	} else if (why->code == LH_EIO &&
		   !strncmp(why->msg, "cannot run git", sizeof "cannot run git" - 1)) {
		why->code = LH_EDATA;
	}
	return found;
}

bool lh_git_commit(const char *path, char out[LH_GIT_COMMIT + 1], struct lh_err *why)
{
	char *argv[] = { GIT, "rev-parse", "-q", "--verify", "HEAD", NULL };

	if (ask_git(path, argv, out, LH_GIT_COMMIT + 1, why))
		return true;
	memset(out, '0', LH_GIT_COMMIT);
	out[LH_GIT_COMMIT] = '\0';
	return false;
}
