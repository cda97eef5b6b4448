/* pool.c - processes of one filter, held open.  See pool.h. */
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "proc/coproc.h"
#include "proc/stderr_tail.h"
#include "route.h"
#include <lh/time.h>

#define CHUNK 65536
#define PAUSE_MIN 0.1
#define PAUSE_MAX 30.0
#define SOON 1.0		/* a start within this time is worth waiting for */
#define GRACE 0.5		/* to end, for a process that closed its output */
#define RETIRE 5.0		/* to end, for a process whose input was closed */
#define QUIET 0.2		/* without an answer: look whether the process ended */
#define LATE_EACH 0.05
#define MESSAGES 64		/* reads of stderr in one turn */
#define PIECES 64		/* of one writev */
#define TOO_MANY "answered more lines than it was asked: replaced"

struct queue {
	struct lh_ask *first, *last;
	uint64_t n;
};

struct lh_pool_process {
	struct lh_source io;		/* its stdin and stdout: a socket */
	struct lh_source messages;	/* its stderr: a pipe */
	struct lh_pool *pool;
	unsigned number;
	pid_t pid;			/* 0: not running */
	struct queue asked;		/* in order; the first unsent of them is unsent */
	struct lh_ask *unsent;
	size_t written;			/* bytes of unsent */
	bool waits;			/* for room in the socket */
	double broken;			/* when writing failed; 0: it did not */
	double retired;			/* when its input was closed; 0: it was not */
	struct lh_buf in;
	struct lh_stderr_tail tail;
	double pause, start;		/* seconds; when to start it again */
	uint64_t given, answers;	/* since its start */
	double progress;		/* when it answered last, or started */
};

struct dead {				/* a process that ended or will, not yet collected */
	pid_t pid;
	unsigned number;
	bool killed, silent;		/* silent: why it ended was reported, or was wanted */
	double since;
	char last[sizeof ((struct lh_stderr_tail *)0)->text + 1];	/* line of its stderr */
};

struct lh_pool {
	struct lh_pool_how how;
	char **argv, **inherit;
	struct queue waiting;
	struct lh_pool_process *process;
	struct lh_record rec;
	bool retiring, freeing;
	uint64_t restarts;
	double looked;			/* for late asks */
	struct dead *dead;
	size_t n_dead, cap_dead;
};

/* ---- queues ---- */

static void push(struct queue *q, struct lh_ask *a)
{
	a->next = NULL;
	if (q->last)
		q->last->next = a;
	else
		q->first = a;
	q->last = a;
	q->n++;
}

static struct lh_ask *pop(struct queue *q)
{
	struct lh_ask *a = q->first;

	if (!a)
		return NULL;
	q->first = a->next;
	if (!q->first)
		q->last = NULL;
	q->n--;
	return a;
}

static void discard(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	(void)how;
	(void)rec;
	lh_buf_free(&a->line);
	free(a);
}

static void fail(struct lh_ask *a, enum lh_asked how)
{
	a->answered(a, how, NULL);
}

/* ---- the end of a process ---- */

/* Return whether a message of a filter is about a record of its stdin. */
static bool about_record(const char *line)
{
	return strstr(line, ": -:") != NULL;
}

/* Return whether the last line of its stderr may be reported.  A process that was given nothing
 * cannot repeat what is private; of the others only the tools of this family, whose
 * messages say whether they are about a record. */
static bool may_quote(const struct lh_pool_process *c, const char *line)
{
	const char *name = strrchr(c->pool->argv[0], '/');

	name = name ? name + 1 : c->pool->argv[0];
	return !c->given || (!strncmp(name, "lh-", 3) && !about_record(line));
}

static void report_end(const struct lh_pool *p, const struct dead *d, int status)
{
	char text[sizeof d->last + 200];
	int n;

	if (d->silent || !p->how.ended ||
	    (p->retiring && WIFEXITED(status) && WEXITSTATUS(status) < 2))
		return;
	n = snprintf(text, sizeof text, WIFSIGNALED(status) ? "%s[%u] was ended by signal %d"
							    : "%s[%u] ended with status %d",
		     p->argv[0], d->number,
		     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (*d->last && n > 0 && (size_t)n < sizeof text)
		snprintf(text + n, sizeof text - (size_t)n, ": %s", d->last);
	p->how.ended(p->how.owner, text);
}

/* Return whether a child has ended; its PID remains taken. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == pid;
}

/* Collect a process, and end what it left running; false if it still runs. */
static bool collect(const struct lh_pool *p, struct dead *d, double now)
{
	int status = 0;

	if (!has_ended(d->pid)) {
		if (!d->killed && now - d->since > GRACE) {
			kill(-d->pid, SIGKILL);
			d->killed = true;
		}
		return false;
	}
	kill(-d->pid, SIGKILL);
	waitpid(d->pid, &status, 0);
	report_end(p, d, status);
	return true;
}

static void collect_dead(struct lh_pool *p, double now)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_dead; i++)
		if (!collect(p, &p->dead[i], now))
			p->dead[n++] = p->dead[i];
	p->n_dead = n;
}

/* Plan to collect a process; at_once: kill it, and say nothing more. */
static void bury(struct lh_pool_process *c, bool at_once)
{
	struct lh_pool *p = c->pool;
	struct dead *d;
	struct lh_err err;

	if (at_once)
		kill(-c->pid, SIGKILL);
	if (lh_grow(&p->dead, &p->cap_dead, p->n_dead + 1, sizeof *p->dead, &err) < 0) {
		kill(-c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		return;
	}
	d = &p->dead[p->n_dead++];
	*d = (struct dead){ .pid = c->pid, .number = c->number, .killed = at_once,
			    .silent = at_once, .since = lh_time_monotonic() };
	lh_stderr_tail_last_line(&c->tail, p->argv[0], d->last, sizeof d->last);
	if (!may_quote(c, d->last))
		*d->last = '\0';
}

/* Return whether an ask may go to another process: none has begun with it, or it changes nothing
 * and was not the one that the process was working on. */
static bool may_ask_again(const struct lh_ask *a, bool first)
{
	return a->answered != discard && !a->only && !a->again &&
	       (!a->sent || (a->read && !first));
}

/* Give what a process had, and did not answer, to the others or back to the callers. */
static void lose(struct lh_pool_process *c, enum lh_asked how)
{
	struct lh_pool *p = c->pool;
	struct queue lost = c->asked, again = { NULL, NULL, 0 };
	struct lh_ask *a;
	bool first = true;

	c->asked = (struct queue){ NULL, NULL, 0 };
	c->unsent = NULL;
	c->written = 0;
	for (; (a = pop(&lost)); first = false) {
		if (!p->freeing && may_ask_again(a, first)) {
			a->again = a->sent != 0;
			a->sent = 0;
			push(&again, a);
		} else {
			fail(a, first ? how : LH_ASKED_GONE);
		}
	}
	if (!again.last)
		return;
	again.last->next = p->waiting.first;	/* in front of the others, in their order */
	if (!p->waiting.last)
		p->waiting.last = again.last;
	p->waiting.first = again.first;
	p->waiting.n += again.n;
}

static double longer(double pause)
{
	return !pause ? PAUSE_MIN : pause < PAUSE_MAX / 2 ? pause * 2 : PAUSE_MAX;
}

/* Drop a process that ended, or has to (at_once), and plan its next start. */
static void end(struct lh_pool_process *c, enum lh_asked how, bool at_once)
{
	struct lh_pool *p = c->pool;

	if (!c->pid)
		return;
	lh_loop_remove(p->how.loop, &c->io);
	close(c->io.fd);
	if (c->messages.fd >= 0) {
		lh_stderr_tail_drain(&c->tail, c->messages.fd);
		lh_loop_remove(p->how.loop, &c->messages);
		close(c->messages.fd);
		c->messages.fd = -1;
	}
	bury(c, at_once);
	c->pid = 0;
	lh_buf_reset(&c->in);
	c->waits = false;
	c->pause = c->answers ? PAUSE_MIN : longer(c->pause);
	c->start = lh_time_monotonic() + c->pause;
	lose(c, how);
}

/* ---- start ---- */

static void on_messages(struct lh_source *s, uint32_t events)
{
	struct lh_pool_process *c = (struct lh_pool_process *)((char *)s -
		offsetof(struct lh_pool_process, messages));
	ssize_t n = 1;
	int i;

	(void)events;
	for (i = 0; i < MESSAGES && n > 0; i++)
		n = lh_stderr_tail_read(&c->tail, s->fd);
	if (n > 0)
		return;			/* there may be more, in the next turn */
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		lh_loop_remove(c->pool->how.loop, s);
		close(s->fd);
		s->fd = -1;
	}
}

static void on_io(struct lh_source *s, uint32_t events);

/* Make the descriptors of a child: *io for both directions, *messages for its stderr. */
static int connect_child(struct lh_pool_process *c, int child[2], struct lh_err *err)
{
	int io[2], messages[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, io) < 0)
		return lh_err_sys(err, "socketpair");
	if (pipe2(messages, O_CLOEXEC) < 0) {
		close(io[0]);
		close(io[1]);
		return lh_err_sys(err, "pipe2");
	}
	fcntl(io[1], F_SETFL, 0);	/* blocking, for the child */
	fcntl(messages[0], F_SETFL, O_NONBLOCK);
	c->io = (struct lh_source){ io[0], on_io };
	c->messages = (struct lh_source){ messages[0], on_messages };
	child[0] = io[1];
	child[1] = messages[1];
	return 0;
}

static int start(struct lh_pool_process *c, struct lh_err *err)
{
	struct lh_pool *p = c->pool;
	int child[2] = { -1, -1 };
	pid_t pid;

	if (connect_child(c, child, err) < 0)
		return -1;
	pid = lh_coproc_spawn(&(struct lh_spawn){
		.argv = p->argv, .fd = (int[]){ child[0], child[0], child[1] }, .n_fd = 3,
		.keys = p->how.keys, .inherit = p->inherit, .group = true }, err);
	close(child[0]);
	close(child[1]);
	if (pid < 0 || lh_loop_add(p->how.loop, &c->io, EPOLLIN, err) < 0 ||
	    lh_loop_add(p->how.loop, &c->messages, EPOLLIN, err) < 0) {
		close(c->io.fd);
		close(c->messages.fd);
		c->messages.fd = -1;
		if (pid > 0) {
			kill(-pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		return -1;
	}
	c->pid = pid;
	c->tail.n = 0;
	c->given = c->answers = 0;
	c->progress = lh_time_monotonic();
	c->broken = c->retired = 0;
	return 0;
}

/* Start a process that ended, once its pause is over. */
static void start_again(struct lh_pool_process *c, double now)
{
	struct lh_pool *p = c->pool;
	struct lh_err err;

	if (c->pid || (p->retiring && !p->waiting.n) || now < c->start)
		return;
	p->restarts++;
	if (start(c, &err) == 0)
		return;
	if (p->how.ended)
		p->how.ended(p->how.owner, err.msg);
	c->pause = longer(c->pause);
	c->start = now + c->pause;
}

/* ---- asking ---- */

/* Give a process a line; it is written by the next tick. */
static void give(struct lh_pool_process *c, struct lh_ask *a)
{
	push(&c->asked, a);
	c->given++;
	if (!c->unsent)
		c->unsent = a;
}

static struct lh_pool_process *least_busy(const struct lh_pool *p)
{
	struct lh_pool_process *best = NULL;
	unsigned i;

	for (i = 0; i < p->how.processes; i++) {
		struct lh_pool_process *c = &p->process[i];

		if (c->pid && !c->retired && !c->broken && c->asked.n < p->how.depth &&
		    (!best || c->asked.n < best->asked.n))
			best = c;
	}
	return best;
}

/* Spread the waiting lines over the processes. */
static void spread(struct lh_pool *p)
{
	struct lh_pool_process *c;

	while (p->waiting.first && (c = least_busy(p)))
		give(c, pop(&p->waiting));
}

/* Return whether a process runs or will soon. */
static bool is_up(const struct lh_pool *p)
{
	const double now = lh_time_monotonic();
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].pid || p->process[i].start - now < SOON)
			return true;
	return false;
}

static void begin(struct lh_ask *a, struct lh_pool_process *only)
{
	a->asked = lh_time_monotonic();
	a->sent = 0;
	a->again = false;
	a->only = only;
}

int lh_pool_ask(struct lh_pool *p, struct lh_ask *a)
{
	struct lh_pool_process *c = p->waiting.first ? NULL : least_busy(p);

	if (p->retiring || (!c && p->how.queue && p->waiting.n >= p->how.queue) ||
	    (!c && !is_up(p)))
		return -1;
	begin(a, NULL);
	if (c)
		give(c, a);
	else
		push(&p->waiting, a);
	return 0;
}

int lh_pool_ask_one(struct lh_pool *p, unsigned i, struct lh_ask *a)
{
	if (i >= p->how.processes || !p->process[i].pid || p->retiring)
		return -1;
	begin(a, &p->process[i]);
	give(&p->process[i], a);
	return 0;
}

/* ---- writing ---- */

/* Collect the unwritten bytes of a process. */
static int pieces(const struct lh_pool_process *c, struct iovec *v)
{
	const struct lh_ask *a;
	int n = 0;

	for (a = c->unsent; a && n < PIECES; a = a->next, n++) {
		size_t from = n ? 0 : c->written;

		v[n] = (struct iovec){ a->line.p + from, a->line.len - from };
	}
	return n;
}

static void wrote(struct lh_pool_process *c, size_t n)
{
	const double now = lh_time_monotonic();

	while (c->unsent) {
		size_t left = c->unsent->line.len - c->written;

		if (!c->unsent->sent)
			c->unsent->sent = now;
		if (n < left) {
			c->written += n;
			return;
		}
		n -= left;
		c->written = 0;
		c->unsent = c->unsent->next;
		if (!n)
			return;
	}
}

static void set_waits(struct lh_pool_process *c, bool waits)
{
	if (c->waits == waits)
		return;
	c->waits = waits;
	lh_loop_change(c->pool->how.loop, &c->io, EPOLLIN | (waits ? EPOLLOUT : 0));
}

/* Kill a process, and report why; another one is started. */
static void replace(struct lh_pool_process *c, enum lh_asked how, const char *why)
{
	char text[200];

	snprintf(text, sizeof text, "%s[%u] %s", c->pool->argv[0], c->number, why);
	if (c->pool->how.ended)
		c->pool->how.ended(c->pool->how.owner, text);
	end(c, how, true);
}

/* Return whether a process that has one line at a time wrote something before it gets the next
 * one: that would be taken for its answer. */
static bool has_spoken(const struct lh_pool_process *c)
{
	char byte;

	return c->pool->how.depth == 1 && c->unsent == c->asked.first && !c->written &&
	       (c->in.len || recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

static void write_lines(struct lh_pool_process *c)
{
	struct iovec v[PIECES];
	struct msghdr m = { .msg_iov = v };
	ssize_t n;

	if (c->unsent && has_spoken(c)) {
		replace(c, LH_ASKED_GONE, TOO_MANY);
		return;
	}
	while (c->unsent && !c->broken) {
		m.msg_iovlen = (size_t)pieces(c, v);
		n = sendmsg(c->io.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			set_waits(c, errno == EAGAIN);
			/* what it has answered is still to be read, up to its end */
			c->broken = errno == EAGAIN ? 0 : lh_time_monotonic();
			return;
		}
		wrote(c, (size_t)n);
	}
	set_waits(c, false);
}

/* ---- reading ---- */

/* Count the complete lines at hand. */
static uint64_t lines_in(const struct lh_pool_process *c)
{
	const char *p = c->in.p, *end_of = c->in.p + c->in.len;
	uint64_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end_of - p)))) {
		n++;
		if (++p == end_of)
			break;
	}
	return n;
}

static uint64_t sent_lines(const struct lh_pool_process *c)
{
	const struct lh_ask *a;
	uint64_t n = 0;

	for (a = c->asked.first; a && a != c->unsent; a = a->next)
		n++;
	return n;
}

/* Answer by the complete lines at hand; false if the process was ended for one. */
static bool answer(struct lh_pool_process *c)
{
	struct lh_pool *p = c->pool;
	const pid_t pid = c->pid;
	const double now = lh_time_monotonic();
	char *lf;
	size_t at = 0;
	struct lh_err err;

	if (lines_in(c) > sent_lines(c)) {
		replace(c, LH_ASKED_GONE, TOO_MANY);
		return false;
	}
	while ((lf = memchr(c->in.p + at, '\n', c->in.len - at))) {
		struct lh_str line = { c->in.p + at, (size_t)(lf - c->in.p) - at };
		struct lh_ask *a;

		if (lh_record_parse(&p->rec, line.p, line.n, &err) < 0) {
			replace(c, LH_ASKED_GONE,
				"answered with what is not a JSON object: replaced");
			return false;
		}
		at += line.n + 1;
		c->answers++;
		c->progress = now;
		a = pop(&c->asked);
		a->answered(a, LH_ASKED_ANSWERED, &p->rec);
		if (c->pid != pid)
			return false;
		if (at == c->in.len)
			break;
	}
	c->in.len -= at;
	if (c->in.len)
		memmove(c->in.p, c->in.p + at, c->in.len);
	return true;
}

static void on_io(struct lh_source *s, uint32_t events)
{
	struct lh_pool_process *c = (struct lh_pool_process *)((char *)s -
		offsetof(struct lh_pool_process, io));
	ssize_t n;
	char *to;

	if (events & EPOLLOUT)
		write_lines(c);
	if (!c->pid || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	to = lh_buf_room(&c->in, CHUNK);
	n = to ? recv(s->fd, to, CHUNK, MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!to) {
		replace(c, LH_ASKED_GONE, "answered with too long a line: replaced");
		return;
	}
	if (n <= 0) {
		end(c, LH_ASKED_GONE, false);
		return;
	}
	lh_buf_took(&c->in, (size_t)n);
	if (memchr(to, '\n', (size_t)n))
		answer(c);
}

/* ---- time ---- */

/* Fail an ask that is late in a process which goes on: what it still answers is discarded, by
 * an ask that takes its place.  Return what is now in its place. */
static struct lh_ask *give_up(struct lh_pool_process *c, struct lh_ask *a, struct lh_ask *before)
{
	struct lh_err err;
	struct lh_ask *in_place = lh_calloc(1, sizeof *in_place, &err);

	if (!in_place)
		return a;		/* later */
	*in_place = *a;
	in_place->answered = discard;
	a->line = (struct lh_buf){ 0 };
	if (before)
		before->next = in_place;
	else
		c->asked.first = in_place;
	if (c->asked.last == a)
		c->asked.last = in_place;
	if (c->unsent == a)
		c->unsent = in_place;
	fail(a, LH_ASKED_LATE);
	return in_place;
}

/* Take an ask of which nothing was written out of the queue of its process. */
static void take_out(struct lh_pool_process *c, struct lh_ask *a, struct lh_ask *before)
{
	if (before)
		before->next = a->next;
	else
		c->asked.first = a->next;
	if (c->asked.last == a)
		c->asked.last = before;
	if (c->unsent == a)
		c->unsent = a->next;
	c->asked.n--;
}

/* Return whether a process has not answered for as long as its oldest ask may take.  A probe
 * has little time, and says nothing about others. */
static bool is_stuck(const struct lh_pool_process *c, double now)
{
	const struct lh_ask *a = c->asked.first;

	while (a && a->probe)
		a = a->next;
	return a && a->sent && now - a->asked >= a->timeout && now - c->progress >= a->timeout;
}

/* Return whether a process ended and a child of it keeps its output open, or whether it closed
 * its input. */
static bool is_over(const struct lh_pool_process *c, double now)
{
	const struct lh_ask *a = c->asked.first;

	if (c->broken)
		return now - c->broken > GRACE;
	return a && a->sent && now - a->sent > QUIET && now - c->progress > QUIET &&
	       has_ended(c->pid);
}

static void fail_late_of(struct lh_pool_process *c, double now)
{
	struct lh_ask *a, *next, *before = NULL;

	if (is_over(c, now)) {
		end(c, LH_ASKED_GONE, false);
		return;
	}
	if (is_stuck(c, now)) {
		replace(c, LH_ASKED_LATE, "did not answer in time: replaced");
		return;
	}
	for (a = c->asked.first; a; a = next) {
		next = a->next;
		if (a->answered == discard || now - a->asked < a->timeout) {
			before = a;
		} else if (!a->sent) {
			take_out(c, a, before);
			fail(a, LH_ASKED_LATE);
		} else {
			before = give_up(c, a, before);
		}
	}
}

/* Refuse what has waited too long.  Routes with different times share a queue. */
static void refuse_late(struct lh_pool *p, double now)
{
	struct queue all = p->waiting;
	struct lh_ask *a;

	p->waiting = (struct queue){ NULL, NULL, 0 };
	while ((a = pop(&all)))
		if (now - a->asked >= a->timeout)
			fail(a, LH_ASKED_REFUSED);
		else
			push(&p->waiting, a);
}

static void fail_late(struct lh_pool *p, double now)
{
	unsigned i;

	if (now - p->looked < LATE_EACH)
		return;
	p->looked = now;
	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].pid)
			fail_late_of(&p->process[i], now);
	if (p->waiting.first)
		refuse_late(p, now);
}

static void let_end(struct lh_pool *p, double now)
{
	unsigned i;

	for (i = 0; i < p->how.processes && !p->waiting.n; i++) {
		struct lh_pool_process *c = &p->process[i];

		if (c->pid && !c->retired && !c->asked.n) {
			shutdown(c->io.fd, SHUT_WR);
			c->retired = now;
		} else if (c->pid && c->retired && now - c->retired > RETIRE) {
			replace(c, LH_ASKED_GONE, "did not end: killed");
		}
	}
}

void lh_pool_tick(struct lh_pool *p)
{
	const double now = lh_time_monotonic();
	unsigned i;

	fail_late(p, now);
	for (i = 0; i < p->how.processes; i++)
		start_again(&p->process[i], now);
	spread(p);
	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].pid && !p->process[i].waits)
			write_lines(&p->process[i]);
	if (p->n_dead)
		collect_dead(p, now);
	if (p->retiring)
		let_end(p, now);
}

/* ---- the pool ---- */

uint64_t lh_resident(pid_t pid)
{
	char path[64], text[128];
	unsigned long long pages = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	sscanf(text, "%*u %llu", &pages);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void lh_pool_state(const struct lh_pool *p, struct lh_pool_state *st)
{
	unsigned i;

	*st = (struct lh_pool_state){ .processes = p->how.processes, .waiting = p->waiting.n,
				      .restarts = p->restarts };
	for (i = 0; i < p->how.processes; i++) {
		st->running += p->process[i].pid > 0;
		st->asked += p->process[i].asked.n;
	}
}

uint64_t lh_pool_resident(const struct lh_pool *p)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		sum += p->process[i].pid > 0 ? lh_resident(p->process[i].pid) : 0;
	return sum;
}

bool lh_pool_is(const struct lh_pool *p, const struct lh_pool_how *how)
{
	return lh_argv_same(p->argv, how->argv) && lh_argv_same(p->inherit, how->inherit) &&
	       p->how.keys == how->keys && p->how.processes == how->processes &&
	       p->how.depth == how->depth && p->how.queue == how->queue;
}

struct lh_pool *lh_pool_new(const struct lh_pool_how *how, struct lh_err *err)
{
	struct lh_pool *p = lh_calloc(1, sizeof *p, err);
	unsigned i;

	if (!p)
		return NULL;
	p->how = *how;
	lh_record_init(&p->rec);
	p->process = lh_calloc(how->processes, sizeof *p->process, err);
	p->argv = lh_argv_copy(how->argv, err);
	p->inherit = how->inherit ? lh_argv_copy(how->inherit, err) : NULL;
	if (!p->process || !p->argv || (how->inherit && !p->inherit)) {
		lh_pool_free(p);
		return NULL;
	}
	for (i = 0; i < how->processes; i++) {
		struct lh_pool_process *c = &p->process[i];

		c->pool = p;
		c->number = i;
		c->messages.fd = -1;
		lh_buf_init(&c->in, LH_ASK_MAX);
		if (start(c, err) < 0) {
			lh_pool_free(p);
			return NULL;
		}
	}
	return p;
}

void lh_pool_retire(struct lh_pool *p)
{
	p->retiring = true;
}

bool lh_pool_over(const struct lh_pool *p)
{
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].pid)
			return false;
	return !p->waiting.n && !p->n_dead;
}

void lh_pool_kill(struct lh_pool *p)
{
	struct lh_ask *a;
	unsigned i;

	p->freeing = p->retiring = true;
	for (i = 0; p->process && i < p->how.processes; i++)
		end(&p->process[i], LH_ASKED_GONE, true);
	while ((a = pop(&p->waiting)))
		fail(a, LH_ASKED_REFUSED);
}

void lh_pool_free(struct lh_pool *p)
{
	unsigned i;
	size_t n;

	lh_pool_kill(p);
	for (i = 0; p->process && i < p->how.processes; i++)
		lh_buf_free(&p->process[i].in);
	for (n = 0; n < p->n_dead; n++) {
		kill(-p->dead[n].pid, SIGKILL);
		waitpid(p->dead[n].pid, NULL, 0);
	}
	lh_argv_free(p->argv);
	lh_argv_free(p->inherit);
	lh_record_free(&p->rec);
	free(p->dead);
	free(p->process);
	free(p);
}
