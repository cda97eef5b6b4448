/*
 * bounds.c - what requests may hold at one time: bytes of bodies and of answers, files.
 * See serve.h.
 *
 * Each kind has a limit for all clients together, of which one client has at most half, so that
 * no client keeps the others out.  A client is an address; of IPv6 the first 64 bits, since
 * one host has all of the rest.
 *
 * An answer is held from the filter's line to its last byte in the connection.  A connection has
 * one answer at a time, which may be of any size; of a stream the first line that is not sent is
 * that one, and more lines are asked as long as the answers fit.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "serve.h"

#define SMALL 4096		/* bytes of an answer that is always sent, such as an error */
#define SLOW_SECONDS 30.0	/* a body and a reader of an answer have ... */
#define SLOW_BYTES 30720	/* ... at least these bytes in that time */
#define BODY_SECONDS 900.0	/* the longest time for a body of any size */

/* ---- clients ---- */

/* Find what tells the client from others: behind a trusted proxy the address it asks for. */
static void find_key(const struct request *r, const struct sockaddr *peer,
		     unsigned char key[ADDRESS_KEY])
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	char text[64];

	if (!proxied_for(r, peer, text, sizeof text))
		address_key(peer, key);
	else if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		address_key((const struct sockaddr *)&four, key);
	else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		address_key((const struct sockaddr *)&six, key);
}

/* Find the client of a request, or begin with it; without memory it has none, and only the
 * limits of all clients hold. */
void peer_take(struct request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	unsigned char key[ADDRESS_KEY] = { 0 };
	struct peer **at, *p;
	struct lh_err err;

	if (info && info->client_addr)
		find_key(r, info->client_addr, key);
	at = &r->server->peer[key[ADDRESS_KEY - 1] % PEER_LISTS];
	for (p = *at; p && memcmp(p->key, key, sizeof key); p = p->next)
		;
	if (!p) {
		p = lh_calloc(1, sizeof *p, &err);
		if (!p)
			return;
		memcpy(p->key, key, sizeof key);
		p->next = *at;
		*at = p;
	}
	p->requests++;
	r->peer = p;
}

void peer_drop(struct request *r)
{
	struct peer *p = r->peer, **at;

	r->peer = NULL;
	if (!p || --p->requests)
		return;
	at = &r->server->peer[p->key[ADDRESS_KEY - 1] % PEER_LISTS];
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

/* Return whether n more fit into a limit, and into the half of a client that has some. */
static bool fits(uint64_t all, uint64_t of_client, uint64_t n, uint64_t limit)
{
	return all + n <= limit && of_client + n <= limit / 2;
}

/* ---- bodies ---- */

bool body_hold(struct request *r, size_t n)
{
	struct server *s = r->server;

	if (!fits(s->bodies, r->peer ? r->peer->bodies : 0, n, BODIES_MAX))
		return false;
	s->bodies += n;
	r->held += n;
	if (r->peer)
		r->peer->bodies += n;
	return true;
}

void body_release(struct request *r)
{
	r->server->bodies -= r->held;
	if (r->peer)
		r->peer->bodies -= r->held;
	r->held = 0;
}

/* ---- files ---- */

bool spool_hold(struct request *r, enum spool_kind kind)
{
	static const unsigned most[SPOOLS] = { SPOOL_UPLOADS, SPOOL_UPLOADS, SPOOL_DOWNLOADS };

	if (!fits(r->server->spools[kind], r->peer ? r->peer->spools[kind] : 0, 1, most[kind]))
		return false;
	r->server->spools[kind]++;
	if (r->peer)
		r->peer->spools[kind]++;
	return true;
}

void spool_release(struct request *r, enum spool_kind kind)
{
	r->server->spools[kind]--;
	if (r->peer)
		r->peer->spools[kind]--;
}

/* ---- answers ---- */

bool answers_fit(const struct request *r, uint64_t n)
{
	const struct server *s = r->server;

	/* what a connection waits for alone may be of any size */
	return !s->answers || fits(s->answers, r->peer ? r->peer->answers : 0, n, ANSWERS_MAX) ||
	       (r->peer && !r->peer->answers && s->answers + n <= ANSWERS_MAX);
}

bool answer_may_stay(const struct request *r, uint64_t n)
{
	return n <= SMALL || answers_fit(r, n);
}

void answer_hold(struct request *r, uint64_t n)
{
	r->server->answers += n;
	r->answer_held += n;
	if (r->peer)
		r->peer->answers += n;
}

void answer_release(struct request *r, uint64_t n)
{
	r->server->answers -= n;
	r->answer_held -= n;
	if (r->peer)
		r->peer->answers -= n;
}

/* ---- speed ---- */

/* Return whether a body is slower than 1 KiB a second, or than all of its bytes in BODY_SECONDS:
 * of a body in chunks, those that came. */
bool is_slow_body(struct client *c, double now)
{
	const uint64_t size = c->length > c->came ? c->length : c->came;
	const double least = (double)size * SLOW_SECONDS / BODY_SECONDS;
	bool slow;

	if (!c->body || now - c->since < SLOW_SECONDS)
		return false;
	slow = c->bytes < SLOW_BYTES || (double)c->bytes < least;
	c->bytes = 0;
	c->since = now;
	return slow;
}

/* Return whether bytes wait for a client that takes less than 1 KiB a second: those that its
 * TCP confirms. */
bool is_slow_reader(struct client *c, double now)
{
	struct tcp_info info;
	socklen_t n = sizeof info;
	int waiting = 0;

	if (!c->answered)
		return false;
	memset(&info, 0, sizeof info);
	if (ioctl(c->fd, SIOCOUTQ, &waiting) < 0 ||
	    getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return false;
	if (waiting && c->taking && now - c->taking < SLOW_SECONDS)
		return false;
	if (waiting && c->taking && info.tcpi_bytes_acked - c->taken < SLOW_BYTES)
		return true;
	c->taking = waiting ? now : 0;
	c->taken = info.tcpi_bytes_acked;
	return false;
}
