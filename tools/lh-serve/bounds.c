/*
 * bounds.c - what requests may hold at one time: bytes of bodies and of answers, files; and how
 * large the state may become (--state-max).  See serve.h.
 *
 * Each kind has a limit for all clients together, of which one client has at most half, so that
 * no client keeps the others out.  A client is an address; of IPv6 the first 64 bits, since
 * one host has all of the rest.
 *
 * An answer is held from the filter's line to its last byte in the connection.  A connection has
 * one answer at a time, which may be of any size; of a stream the first line that is not sent is
 * that one, and more lines are asked as long as the answers fit.
 *
 * The files of the state are counted when a request that writes comes, and then again only after
 * so long that counting takes at most a part of the time; in between, the bytes of the bodies
 * that came are added.  A request beyond the limit is 507: those that read, and DELETE, go on.
 */
#include <ftw.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/time.h"
#include "serve.h"

#define SMALL 4096		/* bytes of an answer that is always sent, such as an error */

/* ---- clients ---- */

/* Find the client of a request by what tells it from others, or begin with it: behind a trusted
 * proxy the address it asks for. */
void peer_take(struct request *r)
{
	const struct sockaddr *address = r->http.address;
	struct bounds *all = &r->server->bounds;
	unsigned char key[ADDRESS_KEY] = { 0 };
	struct sockaddr_storage proxied;
	struct peer **at, *p;

	if (proxied_for(r, address, &proxied))
		address = (struct sockaddr *)&proxied;
	if (address)
		address_key(address, key);
	at = &all->peer[key[ADDRESS_KEY - 1] % PEER_LISTS];
	for (p = *at; p && memcmp(p->key, key, sizeof key); p = p->next)
		;
	if (!p) {
		p = lh_calloc(1, sizeof *p);
		memcpy(p->key, key, sizeof key);
		p->next = *at;
		*at = p;
	}
	r->peer = p;
	r->peer->requests++;
}

void peer_drop(struct request *r)
{
	struct bounds *all = &r->server->bounds;
	struct peer *p = r->peer, **at;

	if (--p->requests)
		return;
	at = &all->peer[p->key[ADDRESS_KEY - 1] % PEER_LISTS];
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

/* ---- what is held ---- */

static const uint64_t most[HELDS] = {
	[HELD_BODIES] = (uint64_t)256 << 20, [HELD_ANSWERS] = (uint64_t)256 << 20,
	[HELD_UPLOADS] = 64, [HELD_DOWNLOADS] = 64
};

/* Return whether n more fit into a limit, and into the half that a client has of it. */
static bool fits(const struct request *r, enum held of, uint64_t n)
{
	return r->server->bounds.held[of] + n <= most[of] && r->peer->held[of] + n <= most[of] / 2;
}

void hold(struct request *r, enum held of, uint64_t n)
{
	r->server->bounds.held[of] += n;
	r->peer->held[of] += n;
	r->held[of] += n;
	r->server->connections.uploads = (unsigned)r->server->bounds.held[HELD_UPLOADS];
}

bool may_hold(struct request *r, enum held of, uint64_t n)
{
	if (!fits(r, of, n))
		return false;
	hold(r, of, n);
	return true;
}

void release(struct request *r, enum held of, uint64_t n)
{
	hold(r, of, 0 - n);
}

bool answers_fit(const struct request *r, uint64_t n)
{
	const uint64_t all = r->server->bounds.held[HELD_ANSWERS];

	/* what a connection waits for alone may be of any size */
	return !all || fits(r, HELD_ANSWERS, n) ||
	       (!r->peer->held[HELD_ANSWERS] && all + n <= most[HELD_ANSWERS]);
}

bool answer_may_stay(const struct request *r, uint64_t n)
{
	return n <= SMALL || answers_fit(r, n);
}

/* ---- room ---- */

#define SHARE 20		/* counting takes at most 1/20 of the time */
#define FRESH 10.0		/* seconds until it is counted again in any case */
#define DEPTH 32		/* descriptors */

static uint64_t counted;	/* nftw has no context */

static int count_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path;
	(void)at;
	if (type == FTW_F)
		counted += (uint64_t)st->st_size;
	return 0;
}

bool state_has_room(struct request *r, uint64_t n)
{
	const uint64_t max = r->site->config.limits.state;
	struct room *room = &r->server->room;
	const double now = lh_time_monotonic(), age = now - room->at;
	const bool full = room->bytes + n > max;

	if (!max)
		return true;
	if (!room->at || age > FRESH + SHARE * room->took || (full && age > SHARE * room->took)) {
		counted = 0;
		nftw(r->site->config.state, count_file, DEPTH, FTW_PHYS);
		room->bytes = counted;
		room->at = lh_time_monotonic();
		room->took = room->at - now;
	}
	return room->bytes + n <= max;
}

int state_take(struct request *r, uint64_t n, struct lh_err *err)
{
	if (!state_has_room(r, n))
		return lh_err_data(err, 507, NO_ROOM);
	r->server->room.bytes += n;
	return 0;
}
