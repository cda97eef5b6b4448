/* held.c - reopen state when its files changed.  See held.h. */
#include "held.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"

struct lh_holding {
	atomic_uint refs;
	bool used;		/* a block of records was given it */
	bool renewed_since;		/* opened after one for which that is true */
	void *state;
	void (*close)(void *state);
};

struct lh_held {
	struct lh_held_how how;
	struct lh_holding *now;
	bool failing;		/* reported to how.failed */
};

/* ---- stamps ---- */

#define TICKS 20000000	/* ns, several ticks of the clock of file times */

static bool is_recent(const struct timespec *mtime)
{
	struct timespec now;
	int64_t age;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	age = now.tv_sec - mtime->tv_sec;
	if (age < 0 || age > 1)
		return false;
	age = age * 1000000000 + now.tv_nsec - mtime->tv_nsec;
	return age >= 0 && age < TICKS;
}

void lh_stamp_take(struct lh_stamp *s, const char *path)
{
	struct stat st;

	*s = (struct lh_stamp){ .there = stat(path, &st) == 0 };
	if (!s->there)
		return;
	s->stream = !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->size = st.st_size;
	s->mtime = st.st_mtim;
	s->recent = is_recent(&s->mtime);
}

bool lh_stamp_same(const struct lh_stamp *a, const struct lh_stamp *b)
{
	return a->there == b->there && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

bool lh_stamp_fits(const struct lh_stamp *s, const char *path)
{
	struct lh_stamp now;

	if (s->stream)
		return true;
	lh_stamp_take(&now, path);
	return !s->recent && lh_stamp_same(s, &now);
}

/* ---- generations ---- */

static struct lh_holding *open_one(const struct lh_held_how *how, const void *before,
				   struct lh_err *err)
{
	struct lh_holding *g = lh_calloc(1, sizeof *g);

	atomic_init(&g->refs, 1);
	g->close = how->close;
	g->state = how->open(how->ctx, before, err);
	if (g->state)
		return g;
	free(g);
	return NULL;
}

struct lh_held *lh_held_open(const struct lh_held_how *how, struct lh_err *err)
{
	struct lh_held *h = lh_calloc(1, sizeof *h);

	h->how = *how;
	h->now = open_one(how, NULL, err);
	if (h->now)
		return h;
	free(h);
	return NULL;
}

void *lh_held_state(const struct lh_held *h)
{
	return h->now->state;
}

void lh_held_close(struct lh_held *h)
{
	if (!h)
		return;
	lh_holding_give(h->now);
	free(h);
}

int lh_held_look(struct lh_held *h, struct lh_err *err)
{
	bool under_way = h->now->used;
	struct lh_holding *g;

	h->now->used = true;
	if (!h->how.stale(h->how.ctx, h->now->state))
		return 0;
	g = open_one(&h->how, h->now->state, err);
	if (g) {
		h->failing = false;
		g->renewed_since = under_way;
		g->used = true;
		lh_holding_give(h->now);
		h->now = g;
		return 0;
	}
	if (err->code != LH_EINTR) {
		if (h->how.failed) {
			if (!h->failing)
				h->how.failed(h->how.ctx, err);
			h->failing = true;
			lh_err_set(err, LH_EDATA,
				   "not possible at present: a file is missing or damaged");
		}
		err->code = LH_EDATA;
		err->column = 0;
		err->status = 503;
	}
	return -1;
}

struct lh_holding *lh_held_take(struct lh_held *h)
{
	lh_holding_share(h->now);
	return h->now;
}

bool lh_held_newest(const struct lh_held *h, const struct lh_holding *g)
{
	return h->now == g;
}

void lh_holding_share(struct lh_holding *g)
{
	atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
}

void lh_holding_give(struct lh_holding *g)
{
	if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) > 1)
		return;
	g->close(g->state);
	free(g);
}

bool lh_holding_renewed(const struct lh_holding *g)
{
	return g->renewed_since;
}

void *lh_holding_state(const struct lh_holding *g)
{
	return g->state;
}
