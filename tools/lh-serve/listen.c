/* listen.c - listening sockets and connections.  See serve.h. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <lh/time.h>
#include "base/mem.h"
#include "serve.h"

#define LISTEN_FDS_START 3
#define BACKLOG 4096
#define ACCEPTS 64			/* of one turn */
#define HAS_ENDED 7			/* states of TCP from it on: the client sent its end */

/* A connection that was answered before its body: what still arrives is read and discarded,
 * since closing it at once would be a reset, which may destroy the answer on its way. */
#define LINGERS 128			/* at one time */
#define LINGER_SECONDS 10.0
#define LINGER_MAX ((uint64_t)16 << 20)	/* bytes */
#define CUT_AT_ONCE 8
#define FRESH_SECONDS 0.25		/* for the first bytes of a request to come */

/* ---- listening ---- */

static void on_accept(struct lh_source *io, uint32_t events);

static int add_listener(struct server *s, int fd, struct lh_err *err)
{
	struct listener *v = lh_realloc(s->listener, s->listeners + 1, sizeof *v, err);

	if (!v) {
		close(fd);
		return -1;
	}
	s->listener = v;
	v[s->listeners++] = (struct listener){ .io = { fd, on_accept }, .server = s };
	return 0;
}

/* Refuse what is neither local nor guarded by a token. */
static int may_listen(const struct site *site, const struct sockaddr *a, struct lh_err *err)
{
	char text[64];

	if (is_loopback(a) || site->token.n)
		return 0;
	address_text(a, text, sizeof text);
	return lh_err_set(err, LH_EUSAGE,
			  "%s is not a loopback address: --token-file FILE lets it listen there",
			  text);
}

static int listen_at(struct server *s, const struct addrinfo *a, struct lh_err *err)
{
	int fd, one = 1;

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return lh_err_sys(err, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		lh_err_sys(err, "cannot listen");
		close(fd);
		return -1;
	}
	return add_listener(s, fd, err);
}

/* Divide ADDR:PORT or [ADDR]:PORT. */
static int divide(const char *address, char *host, size_t n, const char **port,
		  struct lh_err *err)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;

	if (len > 2 && *address == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	} else if (colon && memchr(address, ':', len)) {
		colon = NULL;		/* an IPv6 address without brackets */
	}
	if (!colon || !len || len >= n || !colon[1] || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strtoul(colon + 1, NULL, 10) > 65535)
		return lh_err_set(err, LH_EUSAGE, "expected ADDRESS:PORT or [ADDRESS]:PORT");
	snprintf(host, n, "%.*s", (int)len, address);
	*port = colon + 1;
	return 0;
}

static int find_address(const char *address, struct addrinfo **found, struct lh_err *err)
{
	const struct addrinfo hint = { .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	const char *port = "";
	char host[256];
	int rc;

	if (divide(address, host, sizeof host, &port, err) < 0)
		return lh_err_prefix(err, "--listen %s", address);
	rc = getaddrinfo(host, port, &hint, found);
	return rc ? lh_err_set(err, LH_EUSAGE, "--listen %s: %s", address, gai_strerror(rc)) : 0;
}

static int listen_address(struct server *s, const char *address, struct lh_err *err)
{
	struct addrinfo *found, *a;
	int rc = find_address(address, &found, err);

	if (rc)
		return -1;
	for (a = found; a && !rc; a = a->ai_next)
		rc = listen_at(s, a, err);
	freeaddrinfo(found);
	return rc < 0 ? lh_err_prefix(err, "--listen %s", address) : 0;
}

static int check_address(const struct site *site, const char *address, struct lh_err *err)
{
	struct addrinfo *found, *a;
	int rc = find_address(address, &found, err);

	if (rc)
		return -1;
	for (a = found; a && !rc; a = a->ai_next)
		rc = may_listen(site, a->ai_addr, err);
	freeaddrinfo(found);
	return rc < 0 ? lh_err_prefix(err, "--listen %s", address) : 0;
}

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_storage room;
};

int listen_check(const struct site *site, const struct server *s, struct lh_err *err)
{
	char *const *address = site->config.listen;
	union address a;
	size_t i;

	for (; address && *address; address++)
		if (check_address(site, *address, err) < 0)
			return -1;
	for (i = 0; s && i < s->listeners; i++) {
		socklen_t len = sizeof a;

		if (getsockname(s->listener[i].io.fd, &a.any, &len) == 0 &&
		    may_listen(site, &a.any, err) < 0)
			return -1;
	}
	return 0;
}

static int take_socket(struct server *s, int fd, struct lh_err *err)
{
	union address a;
	socklen_t len = sizeof a, n = sizeof(int);
	int listens = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) < 0 || !listens ||
	    getsockname(fd, &a.any, &len) < 0)
		return lh_err_set(err, LH_EUSAGE, "LISTEN_FDS: descriptor %d does not listen", fd);
	if (may_listen(s->site, &a.any, err) < 0)
		return lh_err_prefix(err, "LISTEN_FDS");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return add_listener(s, fd, err);
}

/* Take over the sockets that systemd opened: LISTEN_FDS of them, from descriptor 3 on. */
static int take_sockets(struct server *s, struct lh_err *err)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int fd, end;

	if (!pid || !n || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	end = LISTEN_FDS_START + (int)strtol(n, NULL, 10);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (fd = LISTEN_FDS_START; fd < end; fd++)
		if (take_socket(s, fd, err) < 0)
			return -1;
	return 0;
}

/* Say where it listens: with port 0 it is not known otherwise. */
static void say_addresses(struct server *s)
{
	union address a;
	size_t i;

	for (i = 0; i < s->listeners; i++) {
		socklen_t len = sizeof a;
		char text[64];

		if (getsockname(s->listener[i].io.fd, &a.any, &len) < 0)
			continue;
		address_text(&a.any, text, sizeof text);
		if (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6)
			lh_tool_message(s->tool,
					a.any.sa_family == AF_INET6 ? "listening on http://[%s]:%u"
								    : "listening on http://%s:%u",
					text, ntohs(a.four.sin_port));
		else
			lh_tool_message(s->tool, "listening on a local socket");
	}
}

int listen_all(struct server *s, char *const *address, struct lh_err *err)
{
	static char *const standard[] = { (char *)"127.0.0.1:3110", NULL };
	size_t i;

	if (take_sockets(s, err) < 0)
		return -1;
	if (!address || !*address)
		address = s->listeners ? standard + 1 : standard;
	for (; *address; address++)
		if (listen_address(s, *address, err) < 0)
			return -1;
	for (i = 0; i < s->listeners; i++)
		if (lh_loop_add(&s->loop, &s->listener[i].io, EPOLLIN, err) < 0)
			return -1;
	say_addresses(s);
	return 0;
}

void listen_close(struct server *s)
{
	size_t i;

	for (i = 0; i < s->listeners; i++) {
		lh_loop_remove(&s->loop, &s->listener[i].io);
		close(s->listener[i].io.fd);
	}
	free(s->listener);
	s->listener = NULL;
	s->listeners = 0;
}

static void pause_listening(struct server *s, bool pause)
{
	size_t i;

	for (i = 0; i < s->listeners; i++) {
		if (s->listener[i].paused == pause)
			continue;
		s->listener[i].paused = pause;
		lh_loop_change(&s->loop, &s->listener[i].io, pause ? 0 : EPOLLIN);
	}
}

/* ---- connections ---- */

static void unlink_client(struct server *s, struct client *c)
{
	if (c == s->reading_last)
		s->reading_last = c->before;
	if (c->before)
		c->before->next = c->next;
	else
		*c->list = c->next;
	if (c->next)
		c->next->before = c->before;
}

static void link_client(struct client *c, struct client **list)
{
	c->list = list;
	c->before = NULL;
	c->next = *list;
	if (c->next)
		c->next->before = c;
	*list = c;
}

/* Return how many bytes TCP has received on a connection; those that are used up where that
 * is not known.  *ended: the client has sent its end, which TCP counts as a byte. */
static uint64_t received(const struct client *c, bool *ended)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	memset(&info, 0, sizeof info);
	getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n);
	*ended = info.tcpi_state >= HAS_ENDED;
	return info.tcpi_bytes_received ? info.tcpi_bytes_received - *ended : c->used;
}

static bool has_ended(const struct client *c)
{
	bool ended;

	received(c, &ended);
	return ended;
}

uint64_t client_unused(const struct client *c)
{
	bool ended;
	uint64_t n = received(c, &ended);

	return c->known && n > c->used ? n - c->used : 0;
}

void client_reading(struct server *s, struct client *c)
{
	unlink_client(s, c);
	link_client(c, &s->reading);
	if (!c->next)
		s->reading_last = c;
	c->since = lh_time_monotonic();
	c->begun = c->body = c->answered = false;
}

void client_busy(struct server *s, struct client *c, bool body)
{
	unlink_client(s, c);
	link_client(c, &s->busy);
	c->since = lh_time_monotonic();
	c->fresh = false;
	c->body = body;
	c->bytes = c->swept = c->came = 0;
	c->taking = 0;
}

/* Close a connection: libmicrohttpd reads its end, and answers no more. */
static void cut(struct client *c)
{
	if (!c->cut)
		shutdown(c->fd, SHUT_RDWR);
	c->cut = true;
}

/* Close a connection without what waits in it, which its client does not take. */
static void reset(struct client *c)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	cut(c);
}

/* ---- lingering ---- */

struct lingerer {
	struct lh_source io;
	struct server *server;
	struct lingerer *next;
	double until;
	uint64_t n;			/* bytes read */
};

static void end_linger(struct lingerer *l)
{
	struct lingerer **at = &l->server->lingers;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	lh_loop_remove(&l->server->loop, &l->io);
	close(l->io.fd);
	l->server->lingering--;
	free(l);
}

static void on_linger(struct lh_source *io, uint32_t events)
{
	struct lingerer *l = (struct lingerer *)(void *)io;
	char text[65536];
	ssize_t n = recv(io->fd, text, sizeof text, MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	l->n += n > 0 ? (uint64_t)n : 0;
	if (n <= 0 || l->n > LINGER_MAX)
		end_linger(l);
}

/* Keep a copy of a descriptor that is being closed, and read it to its end. */
static void linger(struct server *s, int fd)
{
	struct lh_err err;
	struct lingerer *l;
	int copy = s->lingering < LINGERS ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (copy < 0)
		return;
	l = lh_calloc(1, sizeof *l, &err);
	if (!l) {
		close(copy);
		return;
	}
	*l = (struct lingerer){ .io = { copy, on_linger }, .server = s, .next = s->lingers,
			      .until = lh_time_monotonic() + LINGER_SECONDS };
	s->lingers = l;
	s->lingering++;
	shutdown(copy, SHUT_WR);
	if (lh_loop_add(&s->loop, &l->io, EPOLLIN, &err) < 0)
		end_linger(l);
}

static void sweep_lingers(struct server *s, double now)
{
	struct lingerer *l, *next;

	for (l = s->lingers; l; l = next) {
		next = l->next;
		if (now > l->until)
			end_linger(l);
	}
}

void lingers_close(struct server *s)
{
	while (s->lingers)
		end_linger(s->lingers);
}

/* ---- slow connections, and those that ended ---- */

/* Bytes have come that are not read yet: most likely a request. */
static bool has_input(const struct client *c)
{
	int n = 0;

	return ioctl(c->fd, FIONREAD, &n) == 0 && n > 0;
}

/* Return whether a client has ended, and libmicrohttpd does not see it: if the end comes with
 * the last bytes, both are one event, and it does not read on. */
static bool has_left(struct client *c, bool ended, double now)
{
	c->left |= ended && !has_input(c) && now - c->since > 1;
	return c->left;
}

/* Return whether a connection without a request has been so for too long, or has ended. */
static bool is_over(struct client *c, double now)
{
	bool ended;
	uint64_t n = received(c, &ended);

	if (has_left(c, ended, now))
		return true;
	if (c->fresh || c->begun)
		return now - c->since > HEADER_SECONDS;
	if (!c->known) {
		c->used = n;
		c->known = true;
	} else if (n != c->used) {
		c->begun = true;
		c->since = now;
	}
	return !c->begun && now - c->since > IDLE_SECONDS;
}

void clients_sweep(struct server *s, double now)
{
	struct client *c;

	for (c = s->reading; c; c = c->next)
		if (is_over(c, now))
			cut(c);
	for (c = s->busy; c; c = c->next) {
		bool ended = (c->mcp || c->body) && has_ended(c);
		bool idle = c->bytes == c->swept;	/* no body since the last sweep */

		c->swept = c->bytes;
		if (c->mcp && ended)
			mcp_left(c->mcp);
		if (c->body && idle && has_left(c, ended, now))
			cut(c);
		if (is_slow_body(c, now))
			cut(c);
		if (is_slow_reader(c, now))
			reset(c);
	}
	sweep_lingers(s, now);
	pause_listening(s, false);
}

static void close_client(struct server *s, struct client *c)
{
	unlink_client(s, c);
	wire_remove(c);
	if (c->unread)
		linger(s, c->fd);
	s->clients--;
	free(c);
	pause_listening(s, false);
}

void on_connection(void *server, struct MHD_Connection *conn, void **context,
		   enum MHD_ConnectionNotificationCode what)
{
	struct server *s = server;
	const union MHD_ConnectionInfo *info;
	struct client *c = *context;
	struct lh_err err;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (c) {
			http_closed(s, conn, c);
			close_client(s, c);
		}
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	c = info ? lh_calloc(1, sizeof *c, &err) : NULL;
	*context = c;
	if (!c)
		return;
	c->fd = info->connect_fd;
	wire_add(c);
	c->fresh = c->known = true;
	c->since = lh_time_monotonic();
	link_client(c, &s->reading);
	if (!c->next)
		s->reading_last = c;
	s->clients++;
}

/* A client waits to be accepted: accept4 reports a lack of descriptors before it looks. */
static bool is_asked(const struct listener *l)
{
	struct pollfd p = { .fd = l->io.fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* At the limit of connections, or of descriptors, with a client that waits: close some that
 * have been without a request for the longest time, so that slow clients cannot keep the others
 * out. */
static void make_room(struct server *s, const struct listener *l)
{
	double now = lh_time_monotonic();
	struct client *c = s->reading_last;
	int n = 0;

	if (!is_asked(l))
		return;
	for (; c && n < CUT_AT_ONCE; c = c->before) {
		if (c->cut || has_input(c) || (c->fresh && now - c->since < FRESH_SECONDS))
			continue;
		cut(c);
		n++;
	}
	pause_listening(s, true);	/* until one is closed, or the next sweep */
}

static void on_accept(struct lh_source *io, uint32_t events)
{
	struct listener *l = (struct listener *)(void *)io;
	struct server *s = l->server;
	struct sockaddr_storage a;
	socklen_t n;
	int i, fd, one = 1;

	(void)events;
	for (i = 0; i < ACCEPTS; i++) {
		if (s->clients >= s->limit) {
			make_room(s, l);
			return;
		}
		n = sizeof a;
		fd = accept4(io->fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				make_room(s, l);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		MHD_add_connection(s->http, fd, (struct sockaddr *)&a, n);
		s->resumed = true;
	}
}

void listen_drain(struct server *s)
{
	size_t i;

	for (i = 0; i < s->listeners; i++)
		on_accept(&s->listener[i].io, EPOLLIN);
}

/* ---- systemd ---- */

void notify_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (!n || n >= sizeof a.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}
