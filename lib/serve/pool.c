/* pool.c - processes of one filter, held open.  See pool.h. */
#include "pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/confine.h"
#include "process.h"
#include "routes.h"
#include "base/time.h"

#define CHUNK 65536
#define PAUSE_MIN 0.1
#define PAUSE_MAX 30.0
#define SOON 1.0		/* a start within this time is worth waiting for */
#define FRESH 10.0		/* seconds for a start */
#define RETIRE 5.0		/* to end, for a process whose input was closed */
#define QUIET 0.2		/* without an answer: look whether the process ended */
#define LATE_EACH 0.05
#define CANCELLED 0.25		/* for a process to finish what was cancelled */
#define PIECES 64		/* of one writev */
#define AHEAD 0.2		/* seconds of work that a serial process has at one time ... */
#define AHEAD_LEAST 2		/* ... but at least these lines */
#define QUEUE_SHORT 8		/* a shorter one is not divided among clients */
#define KEPT_MAX ((size_t)1 << 20)	/* bytes of memory that is used again */
#define TOO_MANY "answered more lines than it was asked: replaced"

struct queue {
	struct lh_ask *first, *last;
	uint64_t n;
};

struct lh_pool_process {
	struct lh_process child;
	struct lh_pool *pool;
	struct queue asked;		/* in order; the first unsent of them is unsent */
	struct lh_ask *unsent;
	size_t written;			/* bytes of unsent */
	bool waits;			/* for room in the socket */
	double broken;			/* when writing failed; 0: it did not */
	double retired;			/* when its input was closed; 0: it was not */
	struct lh_buf in;
	bool dormant;			/* it was not needed yet */
	bool stale;			/* it may not read what is there now: to be replaced */
	double pause, start;		/* seconds; when to start it again */
	uint64_t answers;		/* since its start */
	double progress;		/* when it answered last, or started */
	double each;			/* seconds for an answer, of the newest slow ones */
};

struct lh_pool {
	struct lh_pool_how how;
	char **argv, **inherit, *tmp[2];	/* tmp: its environment */
	struct lh_confine may;
	struct queue waiting;		/* in the order of their turns */
	uint64_t turn;			/* of the ask that was given last */
	struct lh_pool_process *process;
	struct lh_record rec;
	bool retiring, freeing;
	uint64_t restarts;
	double looked;			/* for late asks */
	struct lh_endings endings;
};

/* ---- queues ---- */

static void push_ask(struct queue *q, struct lh_ask *a)
{
	a->next = NULL;
	if (q->last)
		q->last->next = a;
	else
		q->first = a;
	q->last = a;
	q->n++;
}

static struct lh_ask *pop_ask(struct queue *q)
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

/* ---- turns ---- */

static uint64_t count_of(const struct queue *q, const void *client)
{
	const struct lh_ask *a;
	uint64_t n = 0;

	for (a = q->first; a; a = a->next)
		n += a->client == client;
	return n;
}

/* Return whether a client has as many lines in the processes as it may. */
static bool has_its_places(const struct lh_pool *p, const void *client)
{
	const unsigned depth = p->how.depth, n = p->how.processes;
	const uint64_t most = !p->how.jobs ? UINT64_MAX
			      : n > 1 ? (uint64_t)(n - 1) * depth
			      : p->how.jobs > 1 ? (p->how.jobs + 1) / 2 : UINT64_MAX;
	uint64_t has = 0;
	unsigned i;

	for (i = 0; client && most < UINT64_MAX && has < most && i < n; i++)
		has += count_of(&p->process[i].asked, client);
	return has >= most;
}

/* Return whether a client may have one more line in the queue, of which it has a part. */
static bool may_wait(const struct lh_pool *p, const void *client, unsigned part)
{
	const unsigned queue = p->how.queue;

	if (!queue)
		return true;
	if (p->waiting.n >= queue)
		return false;
	return !client || queue < QUEUE_SHORT || count_of(&p->waiting, client) < queue / part;
}

bool lh_pool_has_room(const struct lh_pool *p, const void *client)
{
	return may_wait(p, client, 4);
}

/* Add an ask to those that wait: after the asks of other clients that are as many turns away. */
static void wait_turn(struct lh_pool *p, struct lh_ask *a)
{
	struct queue *q = &p->waiting;
	struct lh_ask *x, *before = NULL;

	a->turn = !a->client && q->last ? q->last->turn : p->turn;
	for (x = a->client ? q->first : NULL; x; x = x->next)
		if (x->client == a->client && x->turn >= a->turn)
			a->turn = x->turn + 1;
	if (!q->last || q->last->turn <= a->turn) {
		push_ask(q, a);
		return;
	}
	for (x = q->first; x->turn <= a->turn; x = x->next)
		before = x;
	a->next = x;
	if (before)
		before->next = a;
	else
		q->first = a;
	q->n++;
}

static void discard_answer(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	(void)how;
	(void)rec;
	lh_buf_free(&a->line);
	free(a);
}

static void fail_ask(struct lh_ask *a, enum lh_asked how)
{
	a->answered(a, how, NULL);
}

/* ---- the end of a process ---- */

/* Return whether an ask may go to another process: none has begun with it, or it changes nothing
 * and was not the one that the process was working on. */
static bool may_ask_again(const struct lh_ask *a, bool first)
{
	return a->answered != discard_answer && !a->only && !a->again &&
	       (!a->sent || (a->read && !first));
}

/* Give what a process had, and did not answer, to the others or back to the callers. */
static void lose_asks(struct lh_pool_process *c, enum lh_asked how)
{
	struct lh_pool *p = c->pool;
	struct queue lost = c->asked, again = { NULL, NULL, 0 };
	struct lh_ask *a;
	bool first = true;

	c->asked = (struct queue){ NULL, NULL, 0 };
	c->unsent = NULL;
	c->written = 0;
	for (; (a = pop_ask(&lost)); first = false) {
		if (!p->freeing && may_ask_again(a, first)) {
			a->again = a->sent != 0;
			a->sent = 0;
			push_ask(&again, a);
		} else {
			fail_ask(a, first ? how : LH_ASKED_GONE);
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

static double longer_pause(double pause)
{
	return !pause ? PAUSE_MIN : pause < PAUSE_MAX / 2 ? pause * 2 : PAUSE_MAX;
}

/* Drop a process that ended, or has to (at_once), and plan its next start. */
static void end_process(struct lh_pool_process *c, enum lh_asked how, bool at_once)
{
	struct lh_pool *p = c->pool;

	if (!c->child.pid)
		return;
	c->child.wanted = c->stale;
	lh_process_leave(&c->child, &p->endings, at_once);
	lh_buf_reset(&c->in);
	c->waits = false;
	c->pause = c->stale ? 0 : c->answers ? PAUSE_MIN : longer_pause(c->pause);
	c->start = lh_time_monotonic() + c->pause;
	lose_asks(c, how);
}

/* ---- start ---- */

static void on_io(struct lh_watch *s, uint32_t events);

/* Let the processes that may not read what has come since their start be replaced. */
static void look_for_stale(struct lh_pool *p)
{
	unsigned i;

	if (!p->how.may || !lh_confine_stale(&p->may))
		return;
	for (i = 0; i < p->how.processes; i++)
		p->process[i].stale = p->process[i].child.pid;
}

static int start_process(struct lh_pool_process *c, struct lh_err *err)
{
	struct lh_pool *p = c->pool;
	struct lh_confined confined;
	struct lh_spawn how = { .argv = p->argv, .keys = p->how.keys, .inherit = p->inherit,
				.env = p->tmp[0] ? p->tmp : NULL };
	int rc;

	look_for_stale(p);
	if (p->how.may && lh_confined_make(&confined, &p->may, err) < 0)
		return -1;
	how.confined = p->how.may ? &confined : NULL;
	rc = lh_process_start(&c->child, &how, on_io, err);
	if (p->how.may)
		lh_confined_end(&confined);
	if (rc < 0)
		return -1;
	c->stale = false;
	c->answers = 0;
	c->each = 0;
	c->progress = lh_time_monotonic();
	c->broken = c->retired = 0;
	return 0;
}

/* Start a process; one that does not start is tried again later. */
static void start_or_wait(struct lh_pool_process *c, double now)
{
	struct lh_pool *p = c->pool;
	struct lh_err err;

	c->dormant = false;
	if (start_process(c, &err) == 0)
		return;
	if (p->how.ended)
		p->how.ended(p->how.owner, err.msg);
	c->pause = longer_pause(c->pause);
	c->start = now + c->pause;
}

/* Start a process that was not needed yet, unless one has nothing to do. */
static void wake_dormant(struct lh_pool *p, double now)
{
	struct lh_pool_process *dormant = NULL;
	unsigned i;

	for (i = p->how.processes; i--; ) {
		struct lh_pool_process *c = &p->process[i];

		if (c->child.pid && !c->retired && !c->stale && !c->broken && !c->asked.n)
			return;
		dormant = c->dormant ? c : dormant;
	}
	if (dormant)
		start_or_wait(dormant, now);
}

/* ---- asking ---- */

/* Give a process a line; it is written by the next tick. */
static void give_ask(struct lh_pool_process *c, struct lh_ask *a)
{
	push_ask(&c->asked, a);
	c->child.has_record = true;
	if (!c->unsent)
		c->unsent = a;
}

/* Return whether a process may have one more line. */
static bool has_room(const struct lh_pool *p, const struct lh_pool_process *c)
{
	const uint64_t n = c->asked.n;

	return n < p->how.depth &&
	       (p->how.jobs != 1 || n < AHEAD_LEAST || (c->each && (double)n * c->each < AHEAD));
}

static struct lh_pool_process *least_busy(const struct lh_pool *p)
{
	struct lh_pool_process *best = NULL;
	unsigned i;

	for (i = 0; i < p->how.processes; i++) {
		struct lh_pool_process *c = &p->process[i];

		if (c->child.pid && !c->retired && !c->stale && !c->broken && has_room(p, c) &&
		    (!best || c->asked.n < best->asked.n))
			best = c;
	}
	return best;
}

/* Return whether a process runs or will soon. */
static bool is_up(const struct lh_pool *p)
{
	const double now = lh_time_monotonic();
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].child.pid || p->process[i].start - now < SOON)
			return true;
	return false;
}

static void begin_ask(struct lh_ask *a, struct lh_pool_process *only)
{
	a->asked = lh_time_monotonic();
	a->sent = 0;
	a->again = false;
	a->cancelled = 0;
	a->only = only;
}

int lh_pool_ask(struct lh_pool *p, struct lh_ask *a)
{
	struct lh_pool_process *c;

	if (p->retiring)
		return -1;
	look_for_stale(p);
	wake_dormant(p, lh_time_monotonic());
	c = p->waiting.first || has_its_places(p, a->client) ? NULL : least_busy(p);
	if (!c && (!may_wait(p, a->client, 2) || !is_up(p)))
		return -1;
	begin_ask(a, NULL);
	if (c)
		give_ask(c, a);
	else
		wait_turn(p, a);
	return 0;
}

int lh_pool_ask_one(struct lh_pool *p, unsigned i, struct lh_ask *a)
{
	if (i >= p->how.processes || p->retiring)
		return -1;
	if (p->process[i].dormant)
		start_or_wait(&p->process[i], lh_time_monotonic());
	if (!p->process[i].child.pid || p->process[i].retired)
		return -1;
	begin_ask(a, &p->process[i]);
	give_ask(&p->process[i], a);
	return 0;
}

/* ---- writing ---- */

/* Collect the unwritten bytes of a process. */
static int unwritten_pieces(const struct lh_pool_process *c, struct iovec *v)
{
	const struct lh_ask *a;
	int n = 0;

	for (a = c->unsent; a && n < PIECES; a = a->next, n++) {
		size_t from = n ? 0 : c->written;

		v[n] = (struct iovec){ a->line.p + from, a->line.len - from };
	}
	return n;
}

static void note_written(struct lh_pool_process *c, size_t n)
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
	lh_loop_change(c->pool->how.loop, &c->child.io, EPOLLIN | (waits ? EPOLLOUT : 0));
}

/* Kill a process, and report why; another one is started. */
static void replace_process(struct lh_pool_process *c, enum lh_asked how, const char *why)
{
	char text[200];

	snprintf(text, sizeof text, "%s[%u] %s", c->pool->argv[0], c->child.number, why);
	if (c->pool->how.ended)
		c->pool->how.ended(c->pool->how.owner, text);
	end_process(c, how, true);
}

/* Return whether something that a process wrote is still to be read. */
static bool has_output(const struct lh_pool_process *c)
{
	char byte;

	return recv(c->child.io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Return whether a process that has one line at a time wrote something before it gets the next
 * one: that would be taken for its answer. */
static bool has_spoken(const struct lh_pool_process *c)
{
	return c->pool->how.depth == 1 && c->unsent == c->asked.first && !c->written &&
	       (c->in.len || has_output(c));
}

static void write_lines(struct lh_pool_process *c)
{
	struct iovec v[PIECES];
	struct msghdr m = { .msg_iov = v };
	ssize_t n;

	if (c->unsent && has_spoken(c)) {
		replace_process(c, LH_ASKED_GONE, TOO_MANY);
		return;
	}
	while (c->unsent && !c->broken) {
		m.msg_iovlen = (size_t)unwritten_pieces(c, v);
		n = sendmsg(c->child.io.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			set_waits(c, errno == EAGAIN);
			/* what it has answered is still to be read, up to its end */
			c->broken = errno == EAGAIN ? 0 : lh_time_monotonic();
			return;
		}
		note_written(c, (size_t)n);
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

/* Note how long an answer took.  A slow one counts at once, a fast one by and by. */
static void note_time(struct lh_pool_process *c, double seconds)
{
	const double less = c->each * 7 / 8;

	c->each = seconds > less ? seconds : less;
	if (c->each <= 0)
		c->each = 1e-6;
}

/* Note whether a process works.  One that answers that it cannot, by no fault of who asked, has
 * said on its stderr why. */
static void note_health(struct lh_pool_process *c)
{
	struct lh_pool *p = c->pool;
	const struct lh_value *error = lh_record_get(&p->rec, "error");
	struct lh_err why;

	if (error && lh_coproc_refusal(error, &why) < 0 && why.status >= 500)
		lh_process_failed(&c->child, &p->endings);
	else
		p->endings.told[0] = '\0';
}

/* Answer by the complete lines at hand; false if the process was ended for one. */
static bool answer_ask(struct lh_pool_process *c)
{
	struct lh_pool *p = c->pool;
	const pid_t pid = c->child.pid;
	const double now = lh_time_monotonic();
	char *lf;
	size_t at = 0;
	struct lh_err err;

	if (lines_in(c) > sent_lines(c)) {
		replace_process(c, LH_ASKED_GONE, TOO_MANY);
		return false;
	}
	while ((lf = memchr(c->in.p + at, '\n', c->in.len - at))) {
		struct lh_str line = { c->in.p + at, (size_t)(lf - c->in.p) - at };
		struct lh_ask *a;

		if (lh_record_parse(&p->rec, line.p, line.n, &err) < 0) {
			replace_process(c, LH_ASKED_GONE,
					"answered with what is not a JSON object: replaced");
			return false;
		}
		at += line.n + 1;
		c->answers++;
		a = c->asked.first;
		note_time(c, now - (c->progress > a->sent ? c->progress : a->sent));
		note_health(c);
		c->progress = now;
		a = pop_ask(&c->asked);
		a->answered(a, LH_ASKED_ANSWERED, &p->rec);
		if (line.n > KEPT_MAX)
			lh_record_free(&p->rec);
		if (c->child.pid != pid)
			return false;
		if (at == c->in.len)
			break;
	}
	c->in.len -= at;
	if (c->in.len)
		memmove(c->in.p, c->in.p + at, c->in.len);
	else if (c->in.cap > KEPT_MAX)
		lh_buf_free(&c->in);
	return true;
}

static void on_io(struct lh_watch *s, uint32_t events)
{
	struct lh_pool_process *c = (struct lh_pool_process *)((char *)s -
		offsetof(struct lh_pool_process, child.io));
	ssize_t n;
	char *to;

	if (events & EPOLLOUT)
		write_lines(c);
	if (!c->child.pid || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	to = lh_buf_room(&c->in, CHUNK);
	n = to ? recv(s->fd, to, CHUNK, MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!to) {
		replace_process(c, LH_ASKED_GONE, "answered with too long a line: replaced");
		return;
	}
	if (n <= 0) {
		end_process(c, LH_ASKED_GONE, false);
		return;
	}
	lh_buf_took(&c->in, (size_t)n);
	if (memchr(to, '\n', (size_t)n))
		answer_ask(c);
}

/* ---- time ---- */

/* Put an ask that discards its answer in the place of one in a process. */
static struct lh_ask *replace_ask(struct lh_pool_process *c, struct lh_ask *a,
				  struct lh_ask *before)
{
	struct lh_ask *in_place = lh_calloc(1, sizeof *in_place);

	*in_place = *a;
	in_place->answered = discard_answer;
	a->line = (struct lh_buf){ 0 };
	if (before)
		before->next = in_place;
	else
		c->asked.first = in_place;
	if (c->asked.last == a)
		c->asked.last = in_place;
	if (c->unsent == a)
		c->unsent = in_place;
	return in_place;
}

/* Fail an ask that is late in a process which goes on: what it still answers is discarded.
 * Return what is now in its place. */
static struct lh_ask *give_up(struct lh_pool_process *c, struct lh_ask *a, struct lh_ask *before)
{
	struct lh_ask *in_place = replace_ask(c, a, before);

	fail_ask(a, LH_ASKED_LATE);
	return in_place;
}

/* Take an ask of which nothing was written out of its queue; c: its process, or NULL. */
static void take_out(struct queue *q, struct lh_pool_process *c, struct lh_ask *a,
		     struct lh_ask *before)
{
	if (before)
		before->next = a->next;
	else
		q->first = a->next;
	if (q->last == a)
		q->last = before;
	if (c && c->unsent == a)
		c->unsent = a->next;
	q->n--;
}

/* Return whether a process is still at work on what was cancelled, and can be replaced without a
 * loss: the others that it has will be asked again. */
static bool works_for_nothing(const struct lh_pool_process *c, double now)
{
	const struct lh_ask *a = c->asked.first;

	if (!a || !a->cancelled || !a->read || now - a->cancelled < CANCELLED)
		return false;
	for (a = a->next; a; a = a->next)
		if (a->answered != discard_answer && !may_ask_again(a, false))
			return false;
	return true;
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
 * its input, and all that it wrote was read: it may have answered just before. */
static bool is_over(const struct lh_pool_process *c, double now)
{
	const struct lh_ask *a = c->asked.first;
	const bool due = c->broken
		? now - c->broken > LH_PROCESS_GRACE
		: a && a->sent && now - a->sent > QUIET && now - c->progress > QUIET &&
		  lh_process_has_ended(&c->child);

	return due && !has_output(c);
}

static void fail_late_of(struct lh_pool_process *c, double now)
{
	struct lh_ask *a, *next, *before = NULL;

	if (is_over(c, now)) {
		end_process(c, LH_ASKED_GONE, false);
		return;
	}
	if (works_for_nothing(c, now)) {
		c->pause = 0;
		end_process(c, LH_ASKED_GONE, true);
		return;
	}
	if (is_stuck(c, now)) {
		replace_process(c, LH_ASKED_LATE, "did not answer in time: replaced");
		return;
	}
	for (a = c->asked.first; a; a = next) {
		next = a->next;
		if (a->answered == discard_answer || now - a->asked < a->timeout) {
			before = a;
		} else if (!a->sent) {
			take_out(&c->asked, c, a, before);
			fail_ask(a, LH_ASKED_LATE);
		} else {
			before = give_up(c, a, before);
		}
	}
}

/* Return the queue that an ask is in, its process (NULL while it waits) and what is before it. */
static struct queue *find_ask(struct lh_pool *p, const struct lh_ask *a, struct lh_pool_process **c,
			      struct lh_ask **before)
{
	struct lh_ask *x;
	unsigned i;

	for (i = 0; i <= p->how.processes; i++) {
		struct queue *q = i ? &p->process[i - 1].asked : &p->waiting;

		*c = i ? &p->process[i - 1] : NULL;
		*before = NULL;
		for (x = q->first; x && x != a; x = x->next)
			*before = x;
		if (x)
			return q;
	}
	return NULL;
}

void lh_pool_cancel(struct lh_pool *p, struct lh_ask *a)
{
	struct lh_pool_process *c;
	struct lh_ask *before;
	struct queue *q = find_ask(p, a, &c, &before);

	if (!q)
		return;
	if (!c || !a->sent)
		take_out(q, c, a, before);
	else
		replace_ask(c, a, before)->cancelled = lh_time_monotonic();
}

static void fail_late(struct lh_pool *p, double now)
{
	unsigned i;

	if (now - p->looked < LATE_EACH)
		return;
	p->looked = now;
	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].child.pid)
			fail_late_of(&p->process[i], now);
	if (p->waiting.first) {
		/* Refuse what has waited too long.  Routes with different times share a queue. */
		struct queue all = p->waiting;
		struct lh_ask *a;

		p->waiting = (struct queue){ NULL, NULL, 0 };
		while ((a = pop_ask(&all)))
			if (now - a->asked >= a->timeout)
				fail_ask(a, LH_ASKED_REFUSED);
			else
				push_ask(&p->waiting, a);
	}
}

/* Take the next ask whose client may have one more in the processes; NULL: there is none. */
static struct lh_ask *next_ask(struct lh_pool *p)
{
	struct lh_ask *a, *before = NULL;
	const void *full = NULL;

	for (a = p->waiting.first; a; before = a, a = a->next) {
		if (a->client && a->client == full)
			continue;
		if (!has_its_places(p, a->client))
			break;
		full = a->client;
	}
	if (!a)
		return NULL;
	take_out(&p->waiting, NULL, a, before);
	p->turn = a->turn > p->turn ? a->turn : p->turn;
	return a;
}

/* Let the processes end that are stale; all of them, once nothing waits for the pool. */
static void let_end(struct lh_pool *p, double now)
{
	const bool all = p->retiring && !p->waiting.n;
	unsigned i;

	for (i = 0; i < p->how.processes; i++) {
		struct lh_pool_process *c = &p->process[i];

		if (!all && !c->stale)
			continue;
		if (c->child.pid && !c->retired && !c->asked.n) {
			shutdown(c->child.io.fd, SHUT_WR);
			c->retired = now;
		} else if (c->child.pid && c->retired && now - c->retired > RETIRE) {
			replace_process(c, LH_ASKED_GONE, "did not end: killed");
		}
	}
}

void lh_pool_tick(struct lh_pool *p)
{
	const double now = lh_time_monotonic();
	struct lh_pool_process *c;
	struct lh_ask *a;
	unsigned i;

	fail_late(p, now);
	for (i = 0; i < p->how.processes; i++) {
		c = &p->process[i];
		if (c->child.pid || c->dormant || (p->retiring && !p->waiting.n) || now < c->start)
			continue;
		p->restarts++;		/* its pause is over */
		start_or_wait(c, now);
	}
	if (p->waiting.first)
		wake_dormant(p, now);
	while (p->waiting.first && (c = least_busy(p)) && (a = next_ask(p)))
		give_ask(c, a);
	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].child.pid && !p->process[i].waits)
			write_lines(&p->process[i]);
	lh_endings_collect(&p->endings, now);
	let_end(p, now);
}

/* ---- the pool ---- */

/* Return whether a process starts, or will when it is needed. */
static bool is_fresh(const struct lh_pool_process *c, double now)
{
	return c->dormant || (c->child.pid && !c->answers && now - c->progress < FRESH);
}

void lh_pool_state(const struct lh_pool *p, struct lh_pool_state *st)
{
	const double now = lh_time_monotonic();
	unsigned i;

	*st = (struct lh_pool_state){ .processes = p->how.processes, .waiting = p->waiting.n,
				      .restarts = p->restarts };
	for (i = 0; i < p->how.processes; i++) {
		st->running += p->process[i].child.pid > 0;
		st->fresh += is_fresh(&p->process[i], now);
		st->asked += p->process[i].asked.n;
	}
}

uint64_t lh_pool_resident(const struct lh_pool *p)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		sum += p->process[i].child.pid > 0 ? lh_resident(p->process[i].child.pid) : 0;
	return sum;
}

bool lh_pool_is(const struct lh_pool *p, const struct lh_pool_how *how)
{
	return lh_argv_same(p->argv, how->argv) && lh_argv_same(p->inherit, how->inherit) &&
	       p->how.keys == how->keys && p->how.processes == how->processes &&
	       p->how.depth == how->depth && p->how.queue == how->queue &&
	       p->how.jobs == how->jobs &&
	       p->how.longest == how->longest &&
	       !p->how.may == !how->may &&
	       (!how->may || lh_confine_same(&p->may, how->may));
}

static char *tmp_variable(const char *tmp)
{
	const size_t n = sizeof "TMPDIR=" + strlen(tmp);
	char *to = lh_calloc(n, 1);

	snprintf(to, n, "TMPDIR=%s", tmp);
	return to;
}

struct lh_pool *lh_pool_new(const struct lh_pool_how *how, struct lh_err *err)
{
	struct lh_pool *p = lh_calloc(1, sizeof *p);
	unsigned i;

	p->how = *how;
	lh_record_init(&p->rec);
	p->process = lh_calloc(how->processes, sizeof *p->process);
	p->argv = lh_argv_copy(how->argv);
	p->inherit = how->inherit ? lh_argv_copy(how->inherit) : NULL;
	p->tmp[0] = how->tmp ? tmp_variable(how->tmp) : NULL;
	if (how->may) {
		p->may = *how->may;
		*how->may = (struct lh_confine){ .n = 0 };
	}
	p->endings = (struct lh_endings){ .name = p->argv[0], .ended = how->ended,
					  .owner = how->owner };
	for (i = 0; i < how->processes; i++) {
		struct lh_pool_process *c = &p->process[i];

		c->pool = p;
		lh_process_init(&c->child, how->loop, i);
		c->child.tail.line = how->message;
		c->child.tail.owner = how->message_of;
		lh_buf_init(&c->in, how->longest ? how->longest : LH_ASK_MAX);
		c->dormant = how->lazy;
		if (!how->lazy && start_process(c, err) < 0) {
			lh_pool_free(p);
			return NULL;
		}
	}
	return p;
}

void lh_pool_warm(struct lh_pool *p)
{
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].dormant)
			start_or_wait(&p->process[i], lh_time_monotonic());
}

void lh_pool_retire(struct lh_pool *p)
{
	p->retiring = p->endings.wanted = true;
}

bool lh_pool_over(const struct lh_pool *p)
{
	unsigned i;

	for (i = 0; i < p->how.processes; i++)
		if (p->process[i].child.pid)
			return false;
	return !p->waiting.n && !p->endings.n;
}

void lh_pool_kill(struct lh_pool *p)
{
	struct lh_ask *a;
	unsigned i;

	p->freeing = p->retiring = p->endings.wanted = true;
	for (i = 0; p->process && i < p->how.processes; i++)
		end_process(&p->process[i], LH_ASKED_GONE, true);
	while ((a = pop_ask(&p->waiting)))
		fail_ask(a, LH_ASKED_REFUSED);
}

void lh_pool_free(struct lh_pool *p)
{
	unsigned i;

	lh_pool_kill(p);
	for (i = 0; p->process && i < p->how.processes; i++)
		lh_buf_free(&p->process[i].in);
	lh_endings_free(&p->endings);
	lh_argv_free(p->argv);
	lh_argv_free(p->inherit);
	lh_confine_free(&p->may);
	free(p->tmp[0]);
	lh_record_free(&p->rec);
	free(p->process);
	free(p);
}
