/* transport.c - serve the protocol on stdin and stdout.  See transport.h. */
#include "transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/time.h>
#include "base/signal.h"

#define CHUNK 65536
#define TURN_MS 50
#define CALLS_MAX 4096			/* in flight */
#define OUT_MAX ((size_t)8 << 20)	/* bytes that the client has not read */
#define END_SECONDS 5.0			/* for the client to read the last answers */
#define FILTERS_END 2.0			/* for the filters to end by themselves */

struct transport {
	struct lh_tool *tool;
	struct lh_loop loop;
	struct lh_mcp *mcp;
	struct lh_mcp_peer peer;
	struct lh_source in, out, wake;
	struct lh_buf input, output;
	size_t done;			/* bytes of input that were taken ... */
	size_t seen;			/* ... and of the rest those without LF */
	size_t sent;			/* bytes of output that were written */
	size_t max_line;
	bool is_file;			/* stdin: it can always be read */
	bool listening;			/* for stdin */
	bool blocked;			/* stdout: the client does not read */
	bool skipping;			/* the rest of a line that is too long */
	bool ended, gone;		/* stdin ended; stdout is closed */
	double end_at;			/* when to give up the rest */
	unsigned kind;			/* of stdout: S_IFREG ... */
};

/* ---- stdout ---- */

static void on_answer(struct lh_mcp_peer *p, struct lh_str json, int code)
{
	struct transport *s = (struct transport *)((char *)p - offsetof(struct transport, peer));

	(void)code;
	lh_buf_add(&s->output, json.p, json.n);
	lh_buf_putc(&s->output, '\n');
}

/* Write without waiting.  The flags of stdout are shared with others, and stay as they are: a
 * pipe that poll calls writable takes PIPE_BUF bytes. */
static ssize_t write_some(struct transport *s, const char *p, size_t n)
{
	struct pollfd f = { .fd = STDOUT_FILENO, .events = POLLOUT };

	if (s->kind == S_IFREG)
		return write(STDOUT_FILENO, p, n);
	if (s->kind == S_IFSOCK)
		return send(STDOUT_FILENO, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&f, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDOUT_FILENO, p, n > PIPE_BUF ? PIPE_BUF : n);
}

static int set_blocked(struct transport *s, bool blocked, struct lh_err *err)
{
	if (s->blocked == blocked)
		return 0;
	s->blocked = blocked;
	if (blocked)
		return lh_loop_add(&s->loop, &s->out, EPOLLOUT, err);
	lh_loop_remove(&s->loop, &s->out);
	return 0;
}

/* Write the answers. */
static int flush(struct transport *s, struct lh_err *err)
{
	ssize_t n;

	if (lh_buf_check(&s->output, err) < 0)
		return -1;
	while (s->sent < s->output.len && !s->gone) {
		n = write_some(s, s->output.p + s->sent, s->output.len - s->sent);
		if (n >= 0)
			s->sent += (size_t)n;
		else if (errno == EAGAIN)
			return set_blocked(s, true, err);
		else if (errno == EPIPE || errno == ECONNRESET)
			s->gone = true;
		else if (errno != EINTR)
			return lh_err_sys(err, "stdout");
	}
	s->output.len = s->sent = 0;
	return set_blocked(s, false, err);
}

static void on_writable(struct lh_source *io, uint32_t events)
{
	(void)io;
	(void)events;			/* each turn writes */
}

/* ---- stdin ---- */

static void refuse_long(struct transport *s)
{
	char why[80];

	snprintf(why, sizeof why, "a message has at most %zu bytes (--max-line)", s->max_line);
	lh_mcp_refuse(s->mcp, &s->peer, LH_MCP_REQUEST, why);
}

static bool is_blank(struct lh_str line)
{
	size_t i;

	for (i = 0; i < line.n && strchr(" \t\r", line.p[i]); i++)
		;
	return i == line.n;
}

static void take_line(struct transport *s, struct lh_str line)
{
	if (s->skipping)
		s->skipping = false;
	else if (line.n > s->max_line)
		refuse_long(s);
	else if (!is_blank(line))
		lh_mcp_take(s->mcp, &s->peer, line);
}

/* Return whether no more messages are taken for now. */
static bool is_full(const struct transport *s)
{
	return s->peer.calls >= CALLS_MAX || s->output.len - s->sent >= OUT_MAX;
}

/* Drop the beginning of a line that is too long already. */
static void drop_long(struct transport *s)
{
	if (!s->skipping && s->input.len - s->done <= s->max_line)
		return;
	if (!s->skipping)
		refuse_long(s);
	s->skipping = true;
	s->done = s->input.len;
	s->seen = 0;
}

/* Take the lines that are there. */
static void take_lines(struct transport *s)
{
	char *lf;

	while (!is_full(s) && s->done + s->seen < s->input.len) {
		lf = memchr(s->input.p + s->done + s->seen, '\n',
			    s->input.len - s->done - s->seen);
		if (!lf) {
			s->seen = s->input.len - s->done;
			break;
		}
		take_line(s, (struct lh_str){ s->input.p + s->done,
					      (size_t)(lf - s->input.p) - s->done });
		s->done = (size_t)(lf + 1 - s->input.p);
		s->seen = 0;
	}
	if (is_full(s))
		return;
	if (s->ended && s->done < s->input.len) {
		take_line(s, (struct lh_str){ s->input.p + s->done, s->input.len - s->done });
		s->done = s->input.len;
	}
	drop_long(s);
	if (!s->done)
		return;
	s->input.len -= s->done;
	memmove(s->input.p, s->input.p + s->done, s->input.len);
	s->done = 0;
}

static int read_input(struct transport *s, struct lh_err *err)
{
	char *to = lh_buf_room(&s->input, CHUNK);
	ssize_t n = to ? read(STDIN_FILENO, to, CHUNK) : 0;

	if (!to)
		return lh_buf_check(&s->input, err);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return lh_err_sys(err, "stdin");
	if (n > 0)
		lh_buf_took(&s->input, (size_t)n);
	else
		s->ended = true;
	return 0;
}

static void on_readable(struct lh_source *io, uint32_t events)
{
	struct transport *s = (struct transport *)((char *)io - offsetof(struct transport, in));

	(void)events;
	if (read_input(s, &s->tool->err) < 0)
		s->gone = true;
	take_lines(s);
}

/* Listen for stdin while messages are taken. */
static int listen_in(struct transport *s, struct lh_err *err)
{
	bool want = !s->ended && !is_full(s);

	if (s->is_file || s->listening == want)
		return 0;
	s->listening = want;
	if (want)
		return lh_loop_add(&s->loop, &s->in, EPOLLIN, err);
	lh_loop_remove(&s->loop, &s->in);
	return 0;
}

/* ---- the loop ---- */

static bool is_over(struct transport *s)
{
	if (s->gone || lh_signal_pending())
		return true;
	if (!s->ended)
		return false;
	if (s->peer.calls || s->done < s->input.len) {
		s->end_at = 0;
		return false;
	}
	if (!s->end_at)
		s->end_at = lh_time_monotonic() + END_SECONDS;
	return s->output.len == s->sent || lh_time_monotonic() >= s->end_at;
}

static int turn(struct transport *s, struct lh_err *err)
{
	bool more = s->is_file && !s->ended && !is_full(s);

	if (lh_loop_wait(&s->loop, more ? 0 : TURN_MS, err) < 0)
		return -1;
	if (more)
		on_readable(&s->in, EPOLLIN);
	lh_mcp_tick(s->mcp);
	if (flush(s, err) < 0)
		return -1;
	if (s->done < s->input.len)
		take_lines(s);
	return listen_in(s, err);
}

/* Let the filters end by themselves, for a moment. */
static void end_filters(struct transport *s)
{
	const double until = lh_time_monotonic() + FILTERS_END;
	struct lh_err err;

	lh_mcp_retire(s->mcp);
	while (!lh_mcp_over(s->mcp) && lh_time_monotonic() < until && !lh_signal_pending()) {
		if (lh_loop_wait(&s->loop, TURN_MS, &err) < 0)
			return;
		lh_mcp_tick(s->mcp);
	}
}

static int start(struct transport *s, struct lh_mcp_how *how, struct lh_err *err)
{
	struct stat st;

	if (lh_loop_open(&s->loop, err) < 0)
		return -1;
	s->kind = fstat(STDOUT_FILENO, &st) < 0 ? S_IFREG : st.st_mode & S_IFMT;
	s->is_file = lh_loop_add(&s->loop, &s->in, EPOLLIN, err) < 0;
	if (s->is_file && errno != EPERM)
		return -1;
	s->listening = !s->is_file;
	s->wake.fd = lh_signal_wake_fd();
	how->loop = &s->loop;
	s->mcp = lh_mcp_new(how, err);
	return s->mcp ? lh_loop_add(&s->loop, &s->wake, EPOLLIN, err) : -1;
}

int serve_stdio(struct lh_tool *tool, struct lh_mcp_how *how, size_t max_line)
{
	struct transport s = {
		.tool = tool, .loop = { .fd = -1 }, .peer = { .answer = on_answer },
		.in = { STDIN_FILENO, on_readable }, .out = { STDOUT_FILENO, on_writable },
		.wake = { -1, on_writable }, .max_line = max_line,
	};
	int rc = lh_signal_wake_open(&tool->err);

	lh_signal_defer(true);
	if (!rc)
		rc = start(&s, how, &tool->err);
	while (!rc && !is_over(&s))
		rc = turn(&s, &tool->err);
	if (s.mcp) {
		lh_mcp_leave(s.mcp, &s.peer);
		if (!rc)
			end_filters(&s);
		lh_mcp_free(s.mcp);
	}
	lh_loop_close(&s.loop);
	lh_buf_free(&s.input);
	lh_buf_free(&s.output);
	return rc;
}
