/* log.c - the access log: a line of JSON for each request, on stdout or in a file.  See serve.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "json/write.h"
#include "serve.h"

static void write_ms(struct lh_writer *w, const char *name, double seconds)
{
	lh_write_f64(w, name, round(seconds * 1e6) / 1e3);
}

/* Bodies, query strings and tokens are never logged: of the request only its route. */
void log_request(struct request *r)
{
	struct lh_writer w = lh_write_to(&r->server->log.text);
	const struct sockaddr *address = r->http.address;
	char time[32], remote[64] = "", client[64];
	struct sockaddr_storage proxied;

	lh_time_print(lh_time_clock(), time);
	if (address)
		address_text(address, remote, sizeof remote);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "time", time);
	lh_write_text(&w, "trace_id", r->trace);
	lh_write_text(&w, "request_id", r->id);
	lh_write_text(&w, "remote", remote);
	if (proxied_for(r, address, &proxied)) {
		address_text((struct sockaddr *)&proxied, client, sizeof client);
		lh_write_text(&w, "client", client);
	}
	lh_write_text(&w, "token", r->token);
	if (strchr(r->who, '/'))
		lh_write_text(&w, "user", strchr(r->who, '/') + 1);
	lh_write_text(&w, "route", r->route ? r->route->route->route : NULL);
	lh_write_u64(&w, "status", r->reply.status);
	write_ms(&w, "queue_ms", r->times.queue);
	write_ms(&w, "filter_ms", r->times.filter);
	lh_write_u64(&w, "bytes_in", r->http.counted);
	lh_write_u64(&w, "bytes_out", r->http.bytes_out);
	lh_write_end(&w);
	lh_buf_putc(&r->server->log.text, '\n');
}

#define LOG_MAX ((size_t)16 << 20)	/* bytes that wait for a reader */
#define LOG_END 5			/* seconds to wait for it at the end */

uint64_t count_lines(const char *p, size_t n)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < n; i++)
		count += p[i] == '\n';
	return count;
}

/* Write without waiting: a reader that is slow must not stop the service.  A pipe that poll
 * calls writable takes PIPE_BUF bytes; its flags are shared with others, and stay as they are. */
static ssize_t write_some(struct access_log *log, const char *p, size_t n);

/* Write to a file under its lock, without waiting.  Who erases rows holds the lock while the file
 * is replaced; then the log goes on in the file that has the name now. */
static ssize_t write_locked(struct access_log *log, const char *p, size_t n)
{
	struct lh_err err;
	struct stat st;
	ssize_t done;

	if (flock(log->fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	if (fstat(log->fd, &st) == 0 && !st.st_nlink) {
		LH_SCOPED(lh_free_local) char *path = lh_strndup(log->path, strlen(log->path));

		if (log_open(log, path, &err) == 0)
			return write_some(log, p, n);
		errno = ENOENT;
		done = -1;
	} else {
		done = write(log->fd, p, n);
	}
	flock(log->fd, LOCK_UN);
	return done;
}

static ssize_t write_some(struct access_log *log, const char *p, size_t n)
{
	struct pollfd f = { .fd = log->fd, .events = POLLOUT };
	struct stat st;

	if (!log->kind)
		log->kind = fstat(log->fd, &st) < 0 ? S_IFREG : st.st_mode & S_IFMT;
	if (log->kind == S_IFREG)
		return log->path ? write_locked(log, p, n) : write(log->fd, p, n);
	if (log->kind == S_IFSOCK)
		return send(log->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&f, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(log->fd, p, n > PIPE_BUF ? PIPE_BUF : n);
}

/* Drop lines that cannot be written: all but the rest of one of which a part is written. */
static void lose_lines(struct access_log *log, const char *why)
{
	const char *lf = log->part ? memchr(log->text.p, '\n', log->text.len) : NULL;
	size_t stay = lf ? (size_t)(lf + 1 - log->text.p) : 0;

	log->lost += count_lines(log->text.p + stay, log->text.len - stay);
	log->text.len = stay;
	if (!log->fails)
		lh_tool_warn(log->tool, "access log: %s; lines are lost, and counted", why);
	log->fails = true;
}

/* Write what is buffered.  A reader that is gone or slow, or a full disk, does not end the
 * service: it is reported once, and the lost lines are counted. */
void log_flush(struct access_log *log)
{
	while (log->text.len && !log->gone) {
		ssize_t n = write_some(log, log->text.p, log->text.len);

		if (n > 0) {
			log->part = log->text.p[n - 1] != '\n';
			log->text.len -= (size_t)n;
			memmove(log->text.p, log->text.p + n, log->text.len);
			if (!log->fails || log->text.len)
				continue;
			log->fails = false;
			lh_tool_message(log->tool, "access log: works again; %s lost",
					LH_N(log->lost, "line was|lines were"));
		} else if (n < 0 && errno == EAGAIN) {
			if (log->text.len > LOG_MAX)
				lose_lines(log, "its reader is too slow");
			return;
		} else if (n < 0 && errno != EINTR) {
			log->gone = errno == EPIPE;
			lose_lines(log, strerror(errno));
			return;
		}
	}
	if (log->gone) {
		log->lost += count_lines(log->text.p, log->text.len);
		lh_buf_reset(&log->text);
	}
}

/* Return what is wrong with a file for the log, or NULL: it is empty, or begins with a row, or
 * with one that was erased. */
static const char *wrong_file(int fd)
{
	static const char row[] = "{\"time\":\"", erased[] = "{\"erased\"";
	char begin[sizeof row - 1];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "not a regular file";
	n = pread(fd, begin, sizeof begin, 0);
	if (n < 0)
		return "cannot be read";
	return memcmp(begin, row, (size_t)n) && memcmp(begin, erased, (size_t)n)
		? "is not an access log" : NULL;
}

int log_open(struct access_log *log, const char *path, struct lh_err *err)
{
	const char *wrong;
	char *copy = NULL;
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
		copy = lh_strndup(path, strlen(path));
	}
	log_close(log);
	log->fd = fd;
	log->path = copy;
	return 0;
}

void log_close(struct access_log *log)
{
	if (log->fd != STDOUT_FILENO)
		close(log->fd);
	log->fd = STDOUT_FILENO;
	free(log->path);
	log->path = NULL;
	log->kind = 0;
	log->gone = false;
}

/* Wait for the reader of the log, at the end. */
void log_end(struct access_log *log)
{
	struct pollfd f = { .fd = log->fd, .events = POLLOUT };
	int i;

	for (i = 0; i < LOG_END; i++) {
		log_flush(log);
		if (!log->text.len || log->fails)
			return;
		poll(&f, 1, 1000);
	}
	lose_lines(log, "its reader is too slow");
}
