/*
 * process - the life of a process of a filter: its start, its messages, its end.
 *
 *     struct lh_process c;
 *     struct lh_endings endings = { .name = argv[0], .ended = report, .owner = tool };
 *     lh_process_init(&c, &loop, 0);
 *     lh_process_start(&c, &(struct lh_spawn){ .argv = argv }, on_io, err);
 *     ... c.io.fd is its stdin and stdout; on_io is called when it can be read
 *     lh_process_leave(&c, &endings, false);
 *     lh_endings_collect(&endings, now);
 *     lh_endings_free(&endings);
 *
 * A process leads a group of its own.  One that is left is an ending until it is collected: it
 * has a moment to end by itself, then its group is killed.  How it ended is reported, with the
 * last line of its stderr unless that may hold a record (see pool.h), or tail.line is set and
 * got it.
 *
 * Owner:   the structs are the caller's.
 * Threads: one thread per loop.
 */
#ifndef LH_PROCESS_H
#define LH_PROCESS_H

#include <sys/types.h>

#include "pool.h"
#include "proc/coproc.h"

#define LH_PROCESS_GRACE 0.5	/* seconds to end, for a process that closed its output */

struct lh_process {
	struct lh_watch io;		/* its stdin and stdout: a socket */
	struct lh_watch messages;	/* its stderr: a pipe; .fd -1: closed */
	struct lh_loop *loop;
	unsigned number;		/* in messages */
	pid_t pid;			/* 0: not running */
	bool has_record;		/* it was given a record, which its messages may hold */
	bool wanted;			/* to end: with status 0 or 1 is not reported */
	struct lh_stderr_tail tail;
};

struct lh_ending {		/* a process that ended or will, not yet collected */
	pid_t pid;
	unsigned number;
	bool killed, silent;		/* silent: why it ended was reported, or was wanted */
	bool wanted;			/* as of its process */
	double since;
	char last[sizeof ((struct lh_stderr_tail *)0)->text + 1];	/* line of its stderr */
};

struct lh_endings {
	const char *name;		/* of the program */
	/* Report that a process ended by itself, or what it said as it failed; or NULL. */
	void (*ended)(void *owner, const char *text);
	void *owner;
	bool wanted;			/* ends with status 0 or 1 are not reported */
	/* Why one failed last: another that fails, or ends with a status, for the same reason is
	 * not reported, until the owner empties it, because one works again. */
	char told[sizeof ((struct lh_stderr_tail *)0)->text + 1];
	struct lh_ending *v;
	size_t n, cap;
};

void lh_process_init(struct lh_process *c, struct lh_loop *loop, unsigned number);
/* Start it, with descriptors and a group of its own; ready is called for io. */
int lh_process_start(struct lh_process *c, const struct lh_spawn *how,
		     void (*ready)(struct lh_watch *s, uint32_t events), struct lh_err *err);
/* Return whether it has ended; its PID remains taken. */
bool lh_process_has_ended(const struct lh_process *c);
/* Close the descriptors of a running process, and plan to collect it; at_once: kill it, and say
 * nothing more. */
void lh_process_leave(struct lh_process *c, struct lh_endings *to, bool at_once);

/* Report the last line of its stderr, because it answered that it cannot. */
void lh_process_failed(struct lh_process *c, struct lh_endings *e);

/* Collect what has ended, and kill what has had its time. */
void lh_endings_collect(struct lh_endings *e, double now);
/* Kill and collect all of them, without a report. */
void lh_endings_free(struct lh_endings *e);

#endif
