/*
 * stream.c - a body of many lines: each is asked for itself, and the answers are sent in their
 * order while later lines are still in the filter.  See serve.h.
 *
 * At most WINDOW lines are asked at one time, so that one long body does not fill the queue.
 * The response is written by http.c, which asks read_stream for more; if nothing is at hand, the
 * connection is suspended until the next answer.
 *
 * A line is asked only if its answer will fit (bounds.c), being as long as the longest so far;
 * of the first one nothing is known, so only some are asked before it.  An answer that does not
 * fit after all is dropped, and its line is asked again once there is room, unless it has
 * changed something.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "json/write.h"
#include "serve.h"

#define WINDOW 64
#define FIRST_WINDOW 8		/* lines asked before the length of an answer is known */
#define STREAM_MAX ((uint64_t)16 << 20)	/* bytes of answers that it holds */
#define KEPT_MAX 65536		/* bytes of a buffer that is used again */

struct line {
	struct lh_ask ask;
	struct stream *stream;
	struct lh_buf out;		/* the answer, with its LF */
	struct lh_persons_rows rows;	/* of the persons in it */
	bool done, own_status;
	bool again;			/* it is to be asked again */
};

struct stream {
	struct request *request;
	size_t at;			/* of the next line in the body */
	struct line line[WINDOW];	/* a ring */
	uint64_t first, next;		/* lines not yet sent: first..next-1 */
	size_t sent;			/* bytes of the first one */
	uint64_t asked;			/* lines in the pool */
	uint64_t again;			/* lines to be asked again */
	uint64_t longest;		/* answer; it shrinks with each shorter one; 0: none yet */
	struct stream *next_starved, **starved;	/* NULL: it is not in server->starved */
	bool gone;			/* the client left: answers are discarded */
};

/* ---- answers ---- */

/* Asks that are still in a filter, and rows, need their memory until they are answered. */
static void free_when_done(struct stream *s)
{
	size_t i;

	if (s->asked)
		return;
	for (i = 0; i < WINDOW; i++) {
		lh_persons_rows_free(&s->line[i].rows);
		lh_buf_free(&s->line[i].out);
		lh_buf_free(&s->line[i].ask.line);
	}
	free(s);
}

static void leave_starved(struct stream *s)
{
	if (!s->starved)
		return;
	*s->starved = s->next_starved;
	if (s->next_starved)
		s->next_starved->starved = s->starved;
	s->starved = NULL;
}

static void wake_stream(struct stream *s)
{
	leave_starved(s);
	http_resume(&s->request->http);
}

/* Add the status to an error, or to nothing. */
static void add_code(struct line *l, unsigned status)
{
	struct lh_writer w;

	if (!l->out.len)
		lh_buf_puts(&l->out, "{}");
	w = lh_write_again(&l->out);
	w.comma = l->out.len > 1;
	lh_write_u64(&w, "code", status);
	lh_write_end(&w);
}

/* Write {"error":"...","code":N}. */
static void fail_line(struct line *l, unsigned status, const char *why)
{
	lh_buf_reset(&l->out);
	lh_answer_error(&l->out, why);
	add_code(l, status);
}

static void end_line(struct line *l)
{
	lh_buf_putc(&l->out, '\n');
	l->done = true;
	hold(l->stream->request, HELD_ANSWERS, l->out.len);
}

static void drop_line(struct stream *s, struct line *l)
{
	lh_buf_free(&l->out);
	l->done = false;
	l->again = true;
	s->again++;
}

/* Return whether an answer may be kept.  The first one of those that are not sent goes before
 * the others, so that no stream holds answers while it waits for room. */
static bool may_keep(struct stream *s, const struct line *l)
{
	const struct line *first = &s->line[s->first % WINDOW];
	const uint64_t n = l->out.len;
	uint64_t i;

	s->longest -= s->longest / 8;
	if (s->longest < n)
		s->longest = n;
	if (!s->request->route->route->read)
		return true;
	if (l != first)
		return !first->again && s->request->held[HELD_ANSWERS] + n <= STREAM_MAX &&
		       answer_may_stay(s->request, n);
	if (answer_may_stay(s->request, n))
		return true;
	for (i = s->first + 1; i < s->next; i++)	/* those that wait for it go */
		if (s->line[i % WINDOW].done) {
			release(s->request, HELD_ANSWERS, s->line[i % WINDOW].out.len);
			drop_line(s, &s->line[i % WINDOW]);
		}
	return answer_may_stay(s->request, n);
}

static void on_written(struct lh_persons_rows *rows, const char *withheld)
{
	struct line *l = (struct line *)((char *)rows - offsetof(struct line, rows));
	struct stream *s = l->stream;

	s->asked--;
	if (s->gone) {
		free_when_done(s);
		return;
	}
	if (withheld)
		fail_line(l, 503, withheld);
	end_line(l);
	wake_stream(s);
}

/* Append the rows of persons: true if the answer waits for them. */
static bool waits_for_rows(struct line *l)
{
	struct lh_err err;
	int rc;

	l->rows.written = on_written;
	rc = who_show(l->stream->request, &l->ask.line, &l->out, &l->rows, &err);
	if (rc < 0)
		fail_line(l, lh_err_status(&err), err.msg);
	l->stream->asked += rc > 0;
	return rc > 0;
}

static void on_line(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct line *l = (struct line *)((char *)a - offsetof(struct line, ask));
	struct stream *s = l->stream;
	const char *why;
	unsigned status;

	s->asked--;
	if (s->gone) {
		free_when_done(s);
		return;
	}
	take_times(s->request, a->asked, a->sent);
	if (how != LH_ASKED_ANSWERED) {
		status = asked_status(how, &why);
		fail_line(l, status, why);
	} else {
		read_answer(rec, l->own_status, &status, &l->out);
		if (status >= 400 || status == 204)
			add_code(l, status);
	}
	if (!may_keep(s, l))
		drop_line(s, l);
	else if (how != LH_ASKED_REFUSED && waits_for_rows(l))
		return;
	else
		end_line(l);
	wake_stream(s);
}

/* ---- asking ---- */

/* Take the next line of the body that is not blank; false at its end. */
static bool next_line(struct stream *s, struct lh_str *line)
{
	const struct lh_buf *body = &s->request->body.text;

	while (s->at < body->len) {
		const char *p = body->p + s->at, *lf = memchr(p, '\n', body->len - s->at);
		size_t n = lf ? (size_t)(lf - p) : body->len - s->at;

		s->at += n + (lf != NULL);
		while (n && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (n) {
			*line = (struct lh_str){ p, n };
			return true;
		}
	}
	return false;
}

static void send_line(struct stream *s, struct line *l)
{
	const char *why;
	unsigned status;

	if (lh_pool_ask(s->request->route->pool->pool, &l->ask) < 0) {
		status = asked_status(LH_ASKED_REFUSED, &why);
		fail_line(l, status, why);
		end_line(l);
	} else {
		s->asked++;
	}
}

static void ask_line(struct stream *s, struct lh_str text)
{
	struct line *l = &s->line[s->next++ % WINDOW];
	const struct lh_route *route = s->request->route->route;
	struct lh_err err;

	l->stream = s;
	l->done = l->again = false;
	lh_buf_reset(&l->out);
	lh_buf_reset(&l->ask.line);
	l->ask.timeout = route->limits.timeout;
	l->ask.read = route->read;
	l->ask.client = s->request->peer;
	l->ask.answered = on_line;
	if (make_line(s->request, text, false, &l->ask.line, &err) < 0) {
		fail_line(l, lh_err_status(&err), err.msg);
		end_line(l);
	} else {
		l->own_status = s->request->own_status;
		send_line(s, l);
	}
}

/* Return whether there is room for the answer to one more line. */
static bool has_room(const struct stream *s)
{
	const uint64_t more = (s->asked + 1) * s->longest, held = s->request->held[HELD_ANSWERS];

	if (!lh_pool_has_room(s->request->route->pool->pool, s->request->peer))
		return false;
	if (s->asked && !s->longest && s->asked >= FIRST_WINDOW)
		return false;
	if ((s->asked || held) && held + more > STREAM_MAX)
		return false;
	return answers_fit(s->request, more ? more : 1);
}

static bool has_more(const struct stream *s)
{
	return s->again || (s->next - s->first < WINDOW && s->at < s->request->body.text.len);
}

/* Ask for more lines, as far as the window and the room for answers go. */
static void ask_more(struct stream *s)
{
	struct server *server = s->request->server;
	struct lh_str line;
	uint64_t i;

	while (!s->gone && has_more(s) && has_room(s)) {
		for (i = s->first; s->again && !s->line[i % WINDOW].again; i++)
			;
		if (s->again) {		/* the first of those whose answers were dropped */
			s->line[i % WINDOW].again = false;
			s->again--;
			send_line(s, &s->line[i % WINDOW]);
		} else if (next_line(s, &line)) {
			ask_line(s, line);
		}
	}
	if (s->gone || s->asked || !has_more(s) || s->starved)
		return;
	s->next_starved = server->starved;
	if (s->next_starved)
		s->next_starved->starved = &s->next_starved;
	server->starved = s;
	s->starved = &server->starved;
}

void streams_wake(struct server *server)
{
	struct stream *s, *next;

	for (s = server->starved; s; s = next) {
		next = s->next_starved;
		if (has_room(s))
			wake_stream(s);
	}
}

/* ---- the response ---- */

static ssize_t read_stream(void *request, uint64_t at, char *to, size_t max)
{
	struct request *r = request;
	struct stream *s = r->work.of;
	size_t n = 0, part;

	(void)at;
	ask_more(s);
	while (n < max && s->first < s->next && s->line[s->first % WINDOW].done) {
		struct line *l = &s->line[s->first % WINDOW];

		part = l->out.len - s->sent;
		if (part > max - n)
			part = max - n;
		memcpy(to + n, l->out.p + s->sent, part);
		n += part;
		s->sent += part;
		if (s->sent < l->out.len)
			break;
		s->sent = 0;
		s->first++;
		release(r, HELD_ANSWERS, l->out.len);
		if (l->out.cap > KEPT_MAX)
			lh_buf_free(&l->out);
		ask_more(s);
	}
	r->http.bytes_out += n;
	if (n)
		return (ssize_t)n;
	if (s->first == s->next && !has_more(s))
		return READ_END;
	r->http.suspended = true;
	return 0;
}

/* The request ends: answers to what is still asked are discarded. */
static void end_stream(void *stream)
{
	struct stream *s = stream;

	s->gone = true;
	leave_starved(s);
	free_when_done(s);
}

void stream_start(struct request *r)
{
	struct stream *s = lh_calloc(1, sizeof *s);

	s->request = r;
	r->work.of = s;
	r->work.free = end_stream;
	r->reply.read = read_stream;
	r->reply.size = SIZE_UNKNOWN;
	r->reply.type = "application/x-ndjson";
	ask_more(s);
	answer(r, 200);
}
