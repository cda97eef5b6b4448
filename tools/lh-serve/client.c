/* client.c - connections: accepted, slow, ended.  See connection.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lh/time.h>
#include "base/mem.h"
#include "connection.h"

#define ACCEPTS 64			/* of one turn */
#define HAS_ENDED 7			/* states of TCP from it on: the client sent its end */

/* A connection that was answered before its body: what still arrives is read and discarded,
 * since closing it at once would be a reset, which may destroy the answer on its way. */
#define LINGERS 128			/* at one time */
#define LINGER_SECONDS 10.0
#define LINGER_MAX ((uint64_t)16 << 20)	/* bytes */
#define CUT_AT_ONCE 8
#define FRESH_SECONDS 0.25		/* for the first bytes of a request to come */
#define SLOW_SECONDS 30.0	/* a body and a reader of an answer have ... */
#define SLOW_BYTES ((uint64_t)30720)	/* ... at least these bytes in that time */
#define CROWD 8			/* uploads */
#define BODY_SECONDS 900.0	/* the longest time for a body of any size */

/* ---- phases ---- */

static void unlink_client(struct connections *all, struct client *c)
{
	if (c == all->reading_last)
		all->reading_last = c->before;
	if (c->before)
		c->before->next = c->next;
	else
		*c->list = c->next;
	if (c->next)
		c->next->before = c->before;
}

static void link_client(struct connections *all, struct client *c, struct client **list)
{
	c->list = list;
	c->before = NULL;
	c->next = *list;
	if (c->next)
		c->next->before = c;
	else if (list == &all->reading)
		all->reading_last = c;
	*list = c;
	c->since = lh_time_monotonic();
}

/* Return how many bytes TCP has received on a connection; those that are used up where that
 * is not known.  *ended: the client has sent its end, which TCP counts as a byte. */
static uint64_t bytes_received(const struct client *c, bool *ended)
{
	struct tcp_info info;
	socklen_t n = sizeof info;

	memset(&info, 0, sizeof info);
	getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n);
	*ended = info.tcpi_state >= HAS_ENDED;
	return info.tcpi_bytes_received ? info.tcpi_bytes_received - *ended : c->used;
}

uint64_t client_unused(const struct client *c)
{
	bool ended;
	uint64_t n = bytes_received(c, &ended);

	return c->known && n > c->used ? n - c->used : 0;
}

void client_reading(struct connections *all, struct client *c)
{
	unlink_client(all, c);
	link_client(all, c, &all->reading);
	c->begun = c->pace.body = false;
}

void client_busy(struct connections *all, struct client *c, bool body, uint64_t length)
{
	unlink_client(all, c);
	link_client(all, c, &all->busy);
	c->fresh = false;
	c->pace = (struct pace){ .body = body, .length = length, .moved = c->since };
}

/* Close a connection: libmicrohttpd reads its end, and answers no more. */
static void cut_client(struct client *c)
{
	if (!c->cut)
		shutdown(c->fd, SHUT_RDWR);
	c->cut = true;
}

/* ---- lingering ---- */

struct lingerer {
	struct lh_watch io;
	struct connections *all;
	struct lingerer *next;
	double until;
	uint64_t n;			/* bytes read */
};

static void end_linger(struct lingerer *l)
{
	struct lingerer **at = &l->all->lingers;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	lh_loop_remove(l->all->loop, &l->io);
	close(l->io.fd);
	l->all->lingering--;
	free(l);
}

static void on_linger(struct lh_watch *io, uint32_t events)
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
static void begin_linger(struct connections *all, int fd)
{
	struct lh_err err;
	struct lingerer *l;
	int copy = all->lingering < LINGERS ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (copy < 0)
		return;
	l = lh_calloc(1, sizeof *l);
	*l = (struct lingerer){ .io = { copy, on_linger }, .all = all, .next = all->lingers,
			      .until = lh_time_monotonic() + LINGER_SECONDS };
	all->lingers = l;
	all->lingering++;
	shutdown(copy, SHUT_WR);
	if (lh_loop_add(all->loop, &l->io, EPOLLIN, &err) < 0)
		end_linger(l);
}

void lingers_close(struct connections *all)
{
	while (all->lingers)
		end_linger(all->lingers);
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
	uint64_t n = bytes_received(c, &ended);

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

/* Return whether a body has stopped, is slower than 1 KiB a second, or than all of its bytes in
 * BODY_SECONDS: of a body in chunks, those that came.  Of uploads the least speed doubles with
 * each CROWD of them, so that who holds many places needs the bandwidth for it. */
static bool is_slow_body(const struct connections *all, struct client *c, double now)
{
	const uint64_t size = c->pace.length > c->pace.came ? c->pace.length : c->pace.came;
	const double least = (double)size * SLOW_SECONDS / BODY_SECONDS;
	const uint64_t crowd = SLOW_BYTES << (c->pace.upload ? all->uploads / CROWD : 0);
	bool slow;

	if (!c->pace.body)
		return false;
	if (now - c->pace.moved >= SLOW_SECONDS)
		return true;
	if (now - c->since < SLOW_SECONDS)
		return false;
	slow = c->pace.bytes < crowd || (double)c->pace.bytes < least;
	c->pace.bytes = 0;
	c->since = now;
	return slow;
}

/* Return whether bytes wait for a client that takes less than 1 KiB a second: those that its
 * TCP confirms. */
static bool is_slow_reader(struct client *c, double now)
{
	struct tcp_info info;
	socklen_t n = sizeof info;
	int waiting = 0;

	if (!c->answering)
		return false;
	memset(&info, 0, sizeof info);
	if (ioctl(c->fd, SIOCOUTQ, &waiting) < 0 ||
	    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return false;
	if (waiting && c->pace.taking && now - c->pace.taking < SLOW_SECONDS)
		return false;
	if (waiting && c->pace.taking && info.tcpi_bytes_acked - c->pace.taken < SLOW_BYTES)
		return true;
	c->pace.taking = waiting ? now : 0;
	c->pace.taken = info.tcpi_bytes_acked;
	return false;
}

void clients_sweep(struct connections *all, double now)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	struct lingerer *l, *next;
	struct client *c;

	for (c = all->reading; c; c = c->next)
		if (is_over(c, now))
			cut_client(c);
	for (c = all->busy; c; c = c->next) {
		bool ended = false, idle = c->pace.came == c->pace.swept;

		c->pace.moved = idle ? c->pace.moved : now;
		c->pace.swept = c->pace.came;
		if (c->watched || c->pace.body)
			bytes_received(c, &ended);
		if (c->watched && ended)
			all->calls->left(c->watched);
		if (c->pace.body && idle && has_left(c, ended, now))
			cut_client(c);
		if (is_slow_body(all, c, now))
			cut_client(c);
		if (is_slow_reader(c, now)) {	/* without what waits, which it does not take */
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
			cut_client(c);
		}
	}
	for (l = all->lingers; l; l = next) {
		next = l->next;
		if (now > l->until)
			end_linger(l);
	}
	listen_pause(all, false);
}

/* ---- begin and end ---- */

struct client *client_new(struct connections *all, int fd)
{
	struct client *c = lh_calloc(1, sizeof *c);

	c->fd = fd;
	wire_add(c);
	c->fresh = c->known = true;
	link_client(all, c, &all->reading);
	all->clients++;
	return c;
}

void client_close(struct connections *all, struct client *c)
{
	unlink_client(all, c);
	wire_remove(c);
	if (c->unread)
		begin_linger(all, c->fd);
	all->clients--;
	free(c);
	listen_pause(all, false);
}

/* At the limit of connections, or of descriptors, with a client that waits: close some that
 * have been without a request for the longest time, so that slow clients cannot keep the others
 * out. */
static void make_room(struct connections *all, const struct listener *l)
{
	struct pollfd asked = { .fd = l->io.fd, .events = POLLIN };
	double now = lh_time_monotonic();
	struct client *c = all->reading_last;
	int n = 0;

	/* accept4 reports a lack of descriptors before it looks for a client */
	if (poll(&asked, 1, 0) <= 0)
		return;
	for (; c && n < CUT_AT_ONCE; c = c->before) {
		if (c->cut || has_input(c) || (c->fresh && now - c->since < FRESH_SECONDS))
			continue;
		cut_client(c);
		n++;
	}
	listen_pause(all, true);	/* until one is closed, or the next sweep */
}

void clients_accept(struct lh_watch *io, uint32_t events)
{
	struct listener *l = (struct listener *)(void *)io;
	struct connections *all = l->all;
	struct sockaddr_storage a;
	socklen_t n;
	int i, fd, one = 1;

	(void)events;
	for (i = 0; i < ACCEPTS; i++) {
		if (all->clients >= all->limit) {
			make_room(all, l);
			return;
		}
		n = sizeof a;
		fd = accept4(io->fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				make_room(all, l);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		MHD_add_connection(all->http, fd, (struct sockaddr *)&a, n);
		all->resumed = true;
	}
}

void clients_drain(struct connections *all)
{
	size_t i;

	for (i = 0; i < all->listeners; i++)
		clients_accept(&all->listener[i].io, EPOLLIN);
}
