/*
 * watch.c - end a query that one long function holds up.  See query.h.
 *
 * The engines look at the time and at signals between two steps, and one function call may take
 * hours: instr() of long texts, for example.  A thread looks from outside, gives the engine some
 * seconds more, and then ends the process: after --timeout with the answer of code 504, after a
 * signal by that signal.  Answers that the process has, and has not written yet, go first.  A
 * query whose answer nobody can read any more is ended at once.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/signal.h"
#include "file/file.h"
#include "json/write.h"
#include "query.h"
#include <lh/time.h>

#define LOOK_NS 100000000L	/* between two looks at a query that runs */
#define LATE 5.0		/* seconds after --timeout, for the engine to end by itself */
#define DEAF 2.0		/* seconds after a signal */

static struct watch {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool started, runs;
	struct query *q;
	const struct lh_record *rec;	/* NULL: one query */
	struct lh_buf before;		/* answers of the requests before it, to be written */
	double signalled;		/* when a signal was seen; 0: none was */
} watch = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* Write the answer that the query has no time for, as --on-error emit does. */
static void write_late(const struct watch *w)
{
	const struct lh_value *id = lh_record_get(w->rec, "id");
	struct lh_buf out = { 0 };
	struct lh_writer to = lh_write_to(&out);
	struct lh_err err;

	query_is_late(w->q, &err);
	lh_write_object(&to, NULL);
	if (id)
		lh_write_raw(&to, "id", (struct lh_str){ id->p, id->n });
	lh_write_object(&to, "error");
	lh_write_text(&to, "file", "-");
	lh_write_u64(&to, "line", w->rec->number);
	lh_write_u64(&to, "code", 504);
	lh_write_bytes(&to, "message", err.msg);
	lh_write_end(&to);
	lh_write_end(&to);
	lh_buf_putc(&out, '\n');
	if (lh_tool_flush(w->q->tool) == 0 &&
	    lh_write_all(STDOUT_FILENO, w->before.p, w->before.len, &err) == 0)
		lh_write_all(STDOUT_FILENO, out.p, out.len, &err);
}

static void look(struct watch *w)
{
	const double now = lh_time_monotonic();
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)))
		lh_signal_die(SIGPIPE);
	if (lh_signal_pending() && !w->signalled)
		w->signalled = now;
	if (w->signalled && now - w->signalled > DEAF)
		lh_signal_die(lh_signal_pending());
	if (w->q->deadline && now - w->q->deadline > LATE) {
		/* End the process for a query that takes too long. The main thread is in
		 * the query, and so leaves alone what is used here. */
		struct lh_err err;

		/* of a bridge: what it asks from now on goes to another process */
		shutdown(STDIN_FILENO, SHUT_RD);
		query_is_late(w->q, &err);
		lh_tool_message(w->q->tool, "%s", err.msg);
		lh_signal_unlink();
		if (w->rec && w->q->tool->on_error == LH_ON_ERROR_EMIT)
			write_late(w);
		_exit(2);
	}
}

static void *run(void *arg)
{
	struct watch *w = arg;
	struct timespec until;

	pthread_mutex_lock(&w->mutex);
	for (;;) {
		if (!w->runs) {
			pthread_cond_wait(&w->changed, &w->mutex);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_NS;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_clockwait(&w->changed, &w->mutex, CLOCK_MONOTONIC, &until);
		if (w->runs)
			look(w);
	}
	return NULL;
}

void watch_begin(struct query *q, const struct lh_record *rec, const struct lh_buf *before)
{
	struct watch *w = &watch;

	pthread_mutex_lock(&w->mutex);
	w->q = q;
	w->rec = rec;
	lh_buf_reset(&w->before);
	if (before)
		lh_buf_add(&w->before, before->p, before->len);
	w->runs = true;
	if (!w->started) {
		/* Start the thread, in which no signal is handled; without one a query is not
		 * watched. */
		pthread_attr_t detached;
		pthread_t thread;
		sigset_t old;

		w->started = true;
		lh_signal_block(&old);
		pthread_attr_init(&detached);
		pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		pthread_create(&thread, &detached, run, w);
		pthread_attr_destroy(&detached);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->mutex);
}

void watch_end(void)
{
	pthread_mutex_lock(&watch.mutex);
	watch.runs = false;
	pthread_mutex_unlock(&watch.mutex);
}
