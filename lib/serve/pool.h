/*
 * pool - processes of one filter, held open: lines of many callers in, their answers out;
 * and the loop that waits for them.
 *
 *     struct lh_pool *p = lh_pool_new(&(struct lh_pool_how){
 *             .argv = argv, .processes = 2, .depth = 32, .loop = &loop }, err);
 *     struct lh_ask ask = { .timeout = 30, .answered = on_answer };
 *     lh_buf_puts(&ask.line, "{\"text\":\"a\"}\n");
 *     lh_pool_ask(p, &ask);
 *     for (;;) {
 *             lh_loop_wait(&loop, 50, err);
 *             lh_pool_tick(p);
 *     }
 *
 * A filter answers each line with one line, in order, so each process has a queue of what it
 * was asked.  A line goes to the process with the fewest open ones; a process has at most
 * depth of them, the rest wait in the pool.  Lines are written when lh_pool_tick runs, so that
 * those of one turn of the loop share a system call.
 *
 * Clients take turns: of the lines that wait, each client's first one goes before any client's
 * second one.  A client has at most half of the queue, unless that is short, and of several
 * processes all but one; of a single one that works at several lines at one time (jobs), half of
 * those.  A process that answers one line after the other (jobs 1) gets no more lines than it
 * answers in a fifth of a second, so that a line of another client waits no longer behind them.
 * Of a command of which the jobs are not known nothing is kept free.
 *
 * Failures, as the caller sees them (enum lh_asked):
 *     gone     the process ended, or was replaced, before it answered.  A line that changes
 *              nothing (read) is asked once more in another process first, except the one
 *              that the process was working on.
 *     late     no answer in time.  The process is stuck: it is killed and replaced.
 *     refused  no process was free in time, or none can be started now.
 * A process is replaced also when it answers more lines than it was asked, or with a line that
 * is not a JSON object or too long: all it had is then lost, since no client may get
 * the answer of another.
 *
 * A process is started at once, or, if the pool is lazy, by the first ask for which no other one
 * is idle.  One that ended is started again after 0.1 s, and after twice the last pause, up to
 * 30 s, if it had answered nothing.
 *
 * A process leads a group of its own, so that ^C does not end it before the answers are out;
 * what is left of the group is killed after it.  Its stderr is read.  When it ends by itself,
 * or answers that it cannot (status 500 and more), that is reported, with the last line of its
 * stderr unless that may hold what nobody should read: a line about a record, and any line of a
 * program that is not of this family, once it was given a record.  A caller may have every line
 * instead (lh_pool_how.message).
 *
 * Owner:   an ask is the caller's, and must stay until it was answered.
 * Threads: one thread per pool and its loop.
 */
#ifndef LH_POOL_H
#define LH_POOL_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

/*
 * loop - wait for descriptors, with epoll.
 *
 *     struct lh_loop loop;
 *     struct lh_watch input = { .fd = fd, .ready = on_ready };
 *
 *     lh_loop_open(&loop, err);
 *     lh_loop_add(&loop, &input, EPOLLIN, err);
 *     while (!done)
 *             lh_loop_wait(&loop, 100, err);        calls on_ready(&input, events)
 *     lh_loop_remove(&loop, &input);
 *     lh_loop_close(&loop);
 *
 * A watch is a member of the struct that it belongs to.  It may remove and free itself and
 * others while it is called: events of a watch removed in the same turn are dropped.
 *
 * Threads: one thread per loop.
 */

#define LH_LOOP_EVENTS 256

struct lh_watch {
	int fd;
	void (*ready)(struct lh_watch *s, uint32_t events);
};

struct lh_loop {
	int fd;
	struct epoll_event event[LH_LOOP_EVENTS];
	int n, at;		/* events of this turn; the next one */
};

int lh_loop_open(struct lh_loop *l, struct lh_err *err);
void lh_loop_close(struct lh_loop *l);
int lh_loop_add(struct lh_loop *l, struct lh_watch *s, uint32_t events, struct lh_err *err);
void lh_loop_change(struct lh_loop *l, struct lh_watch *s, uint32_t events);
void lh_loop_remove(struct lh_loop *l, struct lh_watch *s);
/* Wait for events, at most ms milliseconds (-1: any time), and call their watches. */
int lh_loop_wait(struct lh_loop *l, int ms, struct lh_err *err);

#define LH_ASK_MAX ((size_t)256 << 20)	/* bytes of an answer */

enum lh_asked { LH_ASKED_ANSWERED, LH_ASKED_GONE, LH_ASKED_LATE, LH_ASKED_REFUSED };

struct lh_ask {
	struct lh_buf line;	/* with its LF; not changed until it is answered */
	double timeout;		/* seconds */
	bool read;		/* changes nothing: may be asked once more */
	bool probe;		/* late does not mean that the process is stuck */
	const void *client;	/* whose turn it takes; NULL: it has no limits */
	/* Take the answer, parsed; rec is NULL unless it was answered.  It may ask again, and
	 * free the ask. */
	void (*answered)(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec);

	/* set by the pool */
	struct lh_ask *next;
	double asked, sent;	/* lh_time_monotonic; sent is 0 while it waits */
	double cancelled;	/* when the ask that it replaces was; 0: it replaces none */
	bool again;
	uint64_t turn;
	struct lh_pool_process *only;
};

struct lh_pool_how {
	char *const *argv;	/* copied */
	unsigned keys;		/* enum lh_child_keys: which variables it inherits, ... */
	char *const *inherit;	/* ... and the names of others, copied; or NULL */
	/* What the kernel lets it do, taken over by lh_pool_new; or NULL.  Processes are replaced,
	 * once they have answered, when something else is where a path of it leads to. */
	struct lh_confine *may;
	const char *tmp;	/* its TMPDIR, copied; or NULL */
	unsigned processes;	/* 1 to 256 */
	unsigned depth;		/* lines in one process at one time */
	unsigned queue;		/* lines that may wait; 0: any number */
	size_t longest;		/* bytes of an answer; 0: LH_ASK_MAX */
	bool lazy;		/* processes start when they are needed */
	unsigned jobs;		/* lines at which one works at one time; 0: not known */
	struct lh_loop *loop;
	/* Report that a process ended by itself; or NULL. */
	void (*ended)(void *owner, const char *text);
	void *owner;
	/* Take each line of their stderr, which may hold what they were asked; or NULL. */
	void (*message)(void *of, const char *line, size_t n);
	void *message_of;
};

struct lh_confine;
struct lh_pool;
struct lh_pool *lh_pool_new(const struct lh_pool_how *how, struct lh_err *err);
/* Start the processes that were not needed yet. */
void lh_pool_warm(struct lh_pool *p);

/* Ask: 0; -1 if too many lines wait or no process can be started soon, and the ask is not
 * kept. */
int lh_pool_ask(struct lh_pool *p, struct lh_ask *a);
/* Return whether a client that has many lines may ask one more, and leave room in the queue for its
 * other requests. */
bool lh_pool_has_room(const struct lh_pool *p, const void *client);
/* Ask process number i, which answers in its turn; -1 if it ended, or cannot be started. */
int lh_pool_ask_one(struct lh_pool *p, unsigned i, struct lh_ask *a);

/* Forget an ask, which is not answered any more.
 * What a process does not have yet, it does not get.  A process that is at work on it, and is
 * not done soon, is replaced if nothing but reads (lh_ask.read) is lost: what was begun that
 * changes something goes on, and its answer is discarded. */
void lh_pool_cancel(struct lh_pool *p, struct lh_ask *a);

/* Write what was asked, fail what is late, start what ended.  Call after each turn of the loop,
 * and at least every 50 ms while something is asked. */
void lh_pool_tick(struct lh_pool *p);

/* Return whether a pool made of how would be the same: lazy, the loop, ended and owner do not
 * count. */
bool lh_pool_is(const struct lh_pool *p, const struct lh_pool_how *how);

struct lh_pool_state {
	unsigned processes, running;
	unsigned fresh;			/* have just started, or will when they are needed */
	uint64_t waiting, asked;	/* lines in the queue, in the processes */
	uint64_t restarts;
};
void lh_pool_state(const struct lh_pool *p, struct lh_pool_state *st);

/* Return the resident bytes of all its processes; of one process. */
uint64_t lh_pool_resident(const struct lh_pool *p);
uint64_t lh_resident(pid_t pid);

/* Let the processes end: their input is closed once they have answered.  No asks after it. */
void lh_pool_retire(struct lh_pool *p);
/* Return whether nothing is asked any more and every process has ended. */
bool lh_pool_over(const struct lh_pool *p);

/* Kill the processes and fail what is still asked.  No asks after it. */
void lh_pool_kill(struct lh_pool *p);
/* Kill the pool, and free it. */
void lh_pool_free(struct lh_pool *p);

#endif
