/* object.c - an object in S3 as a stream.  See object.h. */
#include "object.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "proc/coproc.h"

#define SCHEME "s3://"

bool object_named(const char *operand)
{
	return strncmp(operand, SCHEME, sizeof SCHEME - 1) == 0;
}

static volatile pid_t child;	/* 0: none */

/* The object may be large and its service slow: the child, which has keys, must not outlive this
 * process. */
static void end_child(void)
{
	if (child > 0)
		kill(child, SIGTERM);
}

static int start(struct object *o, char *store, const char *key, struct lh_err *err)
{
	char *argv[] = { "lh-store", "get", "--", store, (char *)key, NULL };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return lh_err_sys(err, "pipe");
	o->pid = lh_coproc_spawn(&(struct lh_spawn){
		.argv = argv, .fd = (int[]){ -1, ends[1], o->stderr_fd }, .n_fd = 3,
		.keys = LH_KEYS_STORE }, err);
	close(ends[1]);
	if (o->pid > 0) {
		child = o->pid;
		lh_signal_before_death(end_child);
		return ends[0];
	}
	close(ends[0]);
	return -1;
}

int object_open(struct object *o, const char *operand, struct lh_err *err)
{
	const char *slash = strchr(operand + sizeof SCHEME - 1, '/');
	LH_SCOPED(lh_free_local) char *store = NULL;
	int fd;

	if (!slash)
		return lh_err_set(err, LH_EIO, "is not s3://BUCKET/KEY");
	store = lh_strndup(operand, (size_t)(slash - operand));
	o->stderr_fd = memfd_create("lh-store", MFD_CLOEXEC);
	fd = o->stderr_fd < 0 ? lh_err_sys(err, "memfd_create") : start(o, store, slash + 1, err);
	if (fd < 0 && o->stderr_fd >= 0)
		close(o->stderr_fd);
	return fd;
}

int object_close(struct object *o, struct lh_err *err)
{
	siginfo_t info;
	int status = 0, rc = 0;

	/* its PID is its own until it is reaped */
	while (waitid(P_PID, (id_t)o->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	child = 0;
	while (waitpid(o->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		status = 0;	/* nobody wants the bytes after the end of an archive */
	if (status && !lh_coproc_stderr_error(o->stderr_fd, "lh-store", err))
		rc = lh_err_set(err, LH_EIO, "lh-store ended before it was done");
	else if (status)
		rc = -1;
	close(o->stderr_fd);
	return rc;
}
