/* log.c - the access log: a line of JSON for each request, on stdout.  See serve.h. */
#include <errno.h>
#include <math.h>
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
	char time[32], remote[64] = "";

	lh_time_print(lh_time_clock(), time);
	if (info && info->client_addr)
		address_text(info->client_addr, remote, sizeof remote);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "time", time);
	lh_write_text(&w, "trace_id", r->trace);
	lh_write_text(&w, "request_id", r->id);
	lh_write_text(&w, "remote", remote);
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

static uint64_t lines(const char *p, size_t n)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < n; i++)
		count += p[i] == '\n';
	return count;
}

/* Write what is buffered.  A reader that is gone, or a full disk, does not end the service: it
 * is reported once, and the lost lines are counted. */
void log_flush(struct server *s)
{
	size_t at = 0;

	while (at < s->log.len && !s->log_gone) {
		ssize_t n = write(STDOUT_FILENO, s->log.p + at, s->log.len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			lh_tool_warn(s->tool, "access log: %s; further lines are lost, and counted",
				     strerror(errno));
			s->log_gone = errno == EPIPE;
			break;
		}
		at += (size_t)n;
	}
	s->log_lost += lines(s->log.p + at, s->log.len - at);
	lh_buf_reset(&s->log);
}
