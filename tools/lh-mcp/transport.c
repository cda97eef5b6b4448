/* transport.c - serve the protocol on stdin and stdout.  See transport.h. */
#include "transport.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
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
	struct lh_watch in, out, wake;
	struct lh_mcp_lines lines;
	struct lh_buf output;
	size_t sent;			/* bytes of it that were written */
	bool begun;			/* a line was taken: no byte order mark follows */
	bool more;			/* lines may be there that were not taken */
	bool is_file;			/* stdin: it can always be read */
	bool listening;			/* for stdin */
	bool blocked;			/* stdout: the client does not read */
	bool gone, failed;		/* stdout is closed; stdin cannot be read */
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

/* Wait for stdout, or no longer.  What cannot be waited for, as a file, is written again in the
 * next turn. */
static void set_blocked(struct transport *s, bool blocked)
{
	struct lh_err ignored;

	if (s->blocked == blocked)
		return;
	s->blocked = blocked;
	if (blocked)
		lh_loop_add(&s->loop, &s->out, EPOLLOUT, &ignored);
	else
		lh_loop_remove(&s->loop, &s->out);
}

/* Write the answers. */
static int flush(struct transport *s, struct lh_err *err)
{
	ssize_t n;

	while (s->sent < s->output.len && !s->gone) {
		n = write_some(s, s->output.p + s->sent, s->output.len - s->sent);
		if (n >= 0) {
			s->sent += (size_t)n;
		} else if (errno == EAGAIN) {
			set_blocked(s, true);
			return 0;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			s->gone = true;
		} else if (errno != EINTR) {
			return lh_err_sys(err, "stdout");
		}
	}
	s->output.len = s->sent = 0;
	set_blocked(s, false);
	return 0;
}

static void on_writable(struct lh_watch *io, uint32_t events)
{
	(void)io;
	(void)events;			/* each turn writes */
}

/* ---- stdin ---- */

/* Return whether no more messages are taken for now. */
static bool is_full(const struct transport *s)
{
	return s->peer.calls >= CALLS_MAX || s->output.len - s->sent >= OUT_MAX;
}

/* Take the messages that are there. */
static void take_lines(struct transport *s)
{
	struct lh_str line;
	int got = 1;

	while (got && !is_full(s)) {
		got = lh_mcp_lines_next(&s->lines, &line);
		if (got < 0) {
			char why[80];

			snprintf(why, sizeof why, "a message has at most %zu bytes (--max-line)",
				 s->lines.max);
			lh_mcp_refuse(s->mcp, &s->peer, LH_MCP_REQUEST, why);
		} else if (got) {
			if (!s->begun && line.n >= 3 && !memcmp(line.p, "\xef\xbb\xbf", 3))
				line = (struct lh_str){ line.p + 3, line.n - 3 };
			lh_mcp_take(s->mcp, &s->peer, line);
		}
		s->begun |= got != 0;
	}
	s->more = got;
}

static int read_input(struct transport *s, struct lh_err *err)
{
	char *to = lh_mcp_lines_room(&s->lines, CHUNK);
	ssize_t n = read(STDIN_FILENO, to, CHUNK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return lh_err_sys(err, "stdin");
	lh_mcp_lines_took(&s->lines, n > 0 ? (size_t)n : 0);
	return 0;
}

static void on_readable(struct lh_watch *io, uint32_t events)
{
	struct transport *s = (struct transport *)((char *)io - offsetof(struct transport, in));

	(void)events;
	s->failed = read_input(s, &s->tool->err) < 0;
	take_lines(s);
}

/* Listen for stdin while messages are taken. */
static int listen_in(struct transport *s, struct lh_err *err)
{
	bool want = !s->lines.ended && !is_full(s);

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
	if (!s->lines.ended)
		return false;
	if (s->peer.calls || s->more) {
		s->end_at = 0;
		return false;
	}
	if (!s->end_at)
		s->end_at = lh_time_monotonic() + END_SECONDS;
	return s->output.len == s->sent || lh_time_monotonic() >= s->end_at;
}

static int turn(struct transport *s, struct lh_err *err)
{
	bool more = s->is_file && !s->lines.ended && !is_full(s);

	if (lh_loop_wait(&s->loop, more || (s->more && !is_full(s)) ? 0 : TURN_MS, err) < 0)
		return -1;
	if (more)
		on_readable(&s->in, EPOLLIN);
	else if (s->more)
		take_lines(s);
	lh_mcp_tick(s->mcp);
	if (flush(s, err) < 0)
		return -1;
	return s->failed ? -1 : listen_in(s, err);
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
	char user[LH_TOOL_USER];
	struct transport s = {
		.tool = tool, .loop = { .fd = -1 },
		.peer = { .answer = on_answer, .token = lh_tool_user(user) },
		.in = { STDIN_FILENO, on_readable }, .out = { STDOUT_FILENO, on_writable },
		.wake = { -1, on_writable },
		.lines = { .max = max_line },
	};
	int rc = lh_signal_wake_open(&tool->err);

	lh_signal_defer(true);
	if (!rc)
		rc = start(&s, how, &tool->err);
	while (!rc && !is_over(&s))
		rc = turn(&s, &tool->err);
	if (s.mcp) {
		lh_mcp_leave(s.mcp, &s.peer);
		if (!rc) {
			/* Let the filters end by themselves, for a moment. */
			const double until = lh_time_monotonic() + FILTERS_END;
			struct lh_err err;

			lh_mcp_retire(s.mcp);
			while (!lh_mcp_over(s.mcp) && lh_time_monotonic() < until &&
			       !lh_signal_pending()) {
				if (lh_loop_wait(&s.loop, TURN_MS, &err) < 0)
					break;
				lh_mcp_tick(s.mcp);
			}
		}
		lh_mcp_free(s.mcp);
	}
	lh_loop_close(&s.loop);
	lh_mcp_lines_free(&s.lines);
	lh_buf_free(&s.output);
	return rc;
}
