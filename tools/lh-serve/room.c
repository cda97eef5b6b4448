/*
 * room.c - how large the state may become (--state-max).  See serve.h.
 *
 * The files of the state are counted when a request that writes comes, and then again only after
 * so long that counting takes at most a part of the time; in between, the bytes of the bodies
 * that came are added.  A request beyond the limit is 507: those that read, and DELETE, go on.
 */
#include <ftw.h>

#include "base/time.h"
#include "serve.h"

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
