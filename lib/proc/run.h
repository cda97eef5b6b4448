/*
 * run - run a program once: bytes in, bytes out, an exit status.
 *
 *     char *argv[] = { "lh-distill", "acceptance", NULL };
 *     struct lh_child_how how = { .argv = argv, .seconds = 600, .max = 1 << 20 };
 *     struct lh_child_out out;
 *     if (lh_child_run(&how, NULL, 0, &out, err) == 0)
 *             ... out.status, out.out.p[0..out.out.len)
 *     lh_child_free(&out);
 *
 * It is a tool of this family (argv: searched as lh_coproc does, no shell), or a
 * command that the user typed (command: through /bin/sh -c).  Its stdin is a file
 * in memory with the input, so that writing it never waits; its stdout is
 * collected, and the last line of its stderr.  For a child that answers line by
 * line use lh_coproc.
 *
 * It leads a process group.  When it ends, the processes it left running in that
 * group are killed.  If it takes too long, writes too much or a signal asks this
 * process to stop, the whole group is killed: with SIGTERM first, so that a tool
 * can remove its temporary files, and with SIGKILL two seconds later.
 *
 * Owner:   the struct is the caller's; free it also after a failure.
 * Errors:  0 however the child ends: check status.  -1: LH_EIO, it could not be
 *          started or wrote more than max; LH_EINTR.
 * Threads: one child per struct.  A signal to stop is deferred, for the whole
 *          process, until the child is gone.
 */
#ifndef LH_RUN_H
#define LH_RUN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct lh_child_how {
	const char *command;	/* through /bin/sh -c; NULL: argv is */
	char *const *argv;
	/* set of enum lh_child_keys (coproc.h): which variables it inherits */
	unsigned keys;
	char *const *env;	/* "NAME=value" to set in its environment, then NULL; or NULL */
	const char *folder;	/* its working directory; NULL: inherited */
	double seconds;		/* timeout; 0: none */
	/* Descriptors, which stay the caller's: of files that are its stdin, from their beginning,
	 * and its stdout; its stderr is then that of this process.  0: as above */
	int in, to;
	size_t max;		/* most bytes of its stdout; more end it. 0: discard them */
};

struct lh_child_out {
	struct lh_buf out;	/* its stdout */
	/* the last line of its stderr, raw, without its name; or "" */
	char last_line[512];
	int status;		/* its exit status, or 128 + the signal that ended it */
	bool timed_out;		/* killed after how->seconds */
};

int lh_child_run(const struct lh_child_how *how, const void *in, size_t n, struct lh_child_out *out,
		 struct lh_err *err);

void lh_child_free(struct lh_child_out *out);

/* ---- the commit that is checked out ---- */

#define LH_GIT_COMMIT 40	/* hex digits */

/* Ask git for the commit of the repository around a folder, 40 hex digits and a NUL; zeros,
 * and false with the reason in *why, if there is none, or no git (LH_EDATA), or it could not be
 * asked (LH_EIO, LH_EINTR). */
bool lh_git_commit(const char *path, char out[LH_GIT_COMMIT + 1], struct lh_err *why);

#endif
