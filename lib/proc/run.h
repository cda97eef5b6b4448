/*
 * run - a program run once: bytes in, bytes out, an exit status.
 *
 *     char *argv[] = { "lh-distill", "acceptance", NULL };
 *     struct lh_child_how how = { .argv = argv, .seconds = 600, .max = 1 << 20 };
 *     struct lh_child_out out;
 *     if (lh_child_run(&how, NULL, 0, &out, err) == 0)
 *             ... out.status, out.out.p[0..out.out.len)
 *     lh_child_free(&out);
 *
 * It is a tool of this family (argv: found as lh_coproc does, no shell), or what
 * somebody typed (command: through /bin/sh -c).  Its stdin is a file in memory
 * that holds the input, so that nobody waits for it to be read; its stdout is
 * collected, and the last line of its stderr.  A child that answers line for
 * line is lh_coproc's.
 *
 * It leads a process group.  When it ends, what it left running in that group is
 * killed, and so is the whole group when it takes too long, writes too much or a
 * signal asks us to stop: SIGTERM first, which lets a tool remove its temporary
 * files, and SIGKILL two seconds later.
 *
 * Owner:   the struct is the caller's; free it also after a failure.
 * Errors:  0 whatever the child's end: look at status.  -1: LH_EIO, it could not
 *          be started or wrote more than max; LH_ENOMEM; LH_EINTR.
 * Threads: one child per struct.  A signal that asks us to stop is deferred, for
 *          the whole process, until the child is gone.
 */
#ifndef LH_RUN_H
#define LH_RUN_H

#include <stdbool.h>

#include <lh/buf.h>

struct lh_child_how {
	const char *command;	/* through /bin/sh -c; NULL: argv is */
	char *const *argv;
	unsigned keys;		/* set of enum lh_child_keys (coproc.h): which of our variables it gets */
	char *const *env;	/* "NAME=value" to set in its environment, then NULL; or NULL */
	const char *folder;	/* where it works; NULL: where we do */
	double seconds;		/* it may take; 0: as long as it likes */
	size_t max;		/* bytes of its stdout that are kept; more end it.  0: none are kept */
};

struct lh_child_out {
	struct lh_buf out;	/* its stdout */
	char said[512];		/* the last line of its stderr, raw, without its own name before it; or "" */
	int status;		/* its exit status, or 128 and the signal that ended it */
	bool timed_out;		/* it was killed after how->seconds */
};

int lh_child_run(const struct lh_child_how *how, const void *in, size_t n, struct lh_child_out *out, struct lh_err *err);

void lh_child_free(struct lh_child_out *out);

#endif
