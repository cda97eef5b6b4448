/* log.c - the access log: a line of JSON for each request, on stdout or in a file.  See serve.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/time.h>
#include "json/write.h"
#include "serve.h"

static void write_ms(struct lh_writer *w, const char *name, double seconds)
{
	lh_write_f64(w, name, round(seconds * 1e6) / 1e3);
}

/* Bodies, query strings and tokens are never logged: of the request only its route. */
void log_request(struct request *r)
{
	struct lh_writer w = lh_write_to(&r->server->log);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char time[32], remote[64] = "", client[64];

	lh_time_print(lh_time_clock(), time);
	if (info && info->client_addr)
		address_text(info->client_addr, remote, sizeof remote);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "time", time);
	lh_write_text(&w, "trace_id", r->trace);
	lh_write_text(&w, "request_id", r->id);
	lh_write_text(&w, "remote", remote);
	if (info && proxied_for(r, info->client_addr, client, sizeof client))
		lh_write_text(&w, "client", client);
	lh_write_text(&w, "token", r->token);
	lh_write_text(&w, "route", r->route ? r->route->route->route : NULL);
	lh_write_u64(&w, "status", r->status);
	write_ms(&w, "queue_ms", r->queue);
	write_ms(&w, "filter_ms", r->filter);
	lh_write_u64(&w, "bytes_in", r->counted);
	lh_write_u64(&w, "bytes_out", r->bytes_out);
	lh_write_end(&w);
	lh_buf_putc(&r->server->log, '\n');
}

#define LOG_MAX ((size_t)16 << 20)	/* bytes that wait for a reader */
#define LOG_END 5			/* seconds to wait for it at the end */

static uint64_t lines(const char *p, size_t n)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < n; i++)
		count += p[i] == '\n';
	return count;
}

/* Write without waiting: a reader that is slow must not stop the service.  A pipe that poll
 * calls writable takes PIPE_BUF bytes; its flags are shared with others, and stay as they are. */
static ssize_t write_some(struct server *s, const char *p, size_t n)
{
	struct pollfd f = { .fd = s->log_fd, .events = POLLOUT };
	struct stat st;

	if (!s->log_kind)
		s->log_kind = fstat(s->log_fd, &st) < 0 ? S_IFREG : st.st_mode & S_IFMT;
	if (s->log_kind == S_IFREG)
		return write(s->log_fd, p, n);
	if (s->log_kind == S_IFSOCK)
		return send(s->log_fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&f, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(s->log_fd, p, n > PIPE_BUF ? PIPE_BUF : n);
}

/* Drop lines that cannot be written: all but the rest of one of which a part is written. */
static void lose_lines(struct server *s, const char *why)
{
	const char *lf = s->log_part ? memchr(s->log.p, '\n', s->log.len) : NULL;
	size_t stay = lf ? (size_t)(lf + 1 - s->log.p) : 0;

	s->log_lost += lines(s->log.p + stay, s->log.len - stay);
	s->log.len = stay;
	if (!s->log_fails)
		lh_tool_warn(s->tool, "access log: %s; lines are lost, and counted", why);
	s->log_fails = true;
}

static void wrote(struct server *s, size_t n)
{
	s->log_part = s->log.p[n - 1] != '\n';
	s->log.len -= n;
	memmove(s->log.p, s->log.p + n, s->log.len);
	if (!s->log_fails || s->log.len)
		return;
	s->log_fails = false;
	lh_tool_message(s->tool, "access log: works again; %llu lines were lost",
			(unsigned long long)s->log_lost);
}

/* Write what is buffered.  A reader that is gone or slow, or a full disk, does not end the
 * service: it is reported once, and the lost lines are counted. */
void log_flush(struct server *s)
{
	while (s->log.len && !s->log_gone) {
		ssize_t n = write_some(s, s->log.p, s->log.len);

		if (n > 0) {
			wrote(s, (size_t)n);
		} else if (n < 0 && errno == EAGAIN) {
			if (s->log.len > LOG_MAX)
				lose_lines(s, "its reader is too slow");
			return;
		} else if (n < 0 && errno != EINTR) {
			s->log_gone = errno == EPIPE;
			lose_lines(s, strerror(errno));
			return;
		}
	}
	if (s->log_gone) {
		s->log_lost += lines(s->log.p, s->log.len);
		lh_buf_reset(&s->log);
	}
}

/* Return what is wrong with a file for the log, or NULL: it is empty, or begins with a row. */
static const char *wrong_file(int fd)
{
	static const char row[] = "{\"time\":\"";
	char begin[sizeof row - 1];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "not a regular file";
	n = pread(fd, begin, sizeof begin, 0);
	if (n < 0)
		return "cannot be read";
	return memcmp(begin, row, (size_t)n) ? "is not an access log" : NULL;
}

int log_open(struct server *s, const char *path, struct lh_err *err)
{
	const char *wrong;
	int fd = STDOUT_FILENO;

	if (path) {
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			  0600);
		if (fd < 0)
			return lh_err_sys(err, "--access-log %s", path);
		wrong = wrong_file(fd);
		if (wrong) {
			close(fd);
			return lh_err_set(err, LH_EUSAGE, "--access-log %s: %s", path, wrong);
		}
	}
	log_close(s);
	s->log_fd = fd;
	return 0;
}

void log_close(struct server *s)
{
	if (s->log_fd != STDOUT_FILENO)
		close(s->log_fd);
	s->log_fd = STDOUT_FILENO;
	s->log_kind = 0;
	s->log_gone = false;
}

/* Wait for the reader of the log, at the end. */
void log_end(struct server *s)
{
	struct pollfd f = { .fd = s->log_fd, .events = POLLOUT };
	int i;

	for (i = 0; i < LOG_END; i++) {
		log_flush(s);
		if (!s->log.len || s->log_fails)
			return;
		poll(&f, 1, 1000);
	}
	lose_lines(s, "its reader is too slow");
}
