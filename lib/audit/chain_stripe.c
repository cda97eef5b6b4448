/* chain_stripe.c - verify the rows of one stripe of a log.  See chain_parts.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "chain_parts.h"
#include "base/mem.h"

#define KEEP ((size_t)4 << 20)		/* a larger buffer is freed */

struct lh_chain_scanner {
	const struct lh_chain_source *src;
	struct lh_chain_reader reader;
	size_t key;			/* the key that verified last */
	char *p;
	size_t cap, len;
	struct lh_chain_stated prev;	/* row_hmac of the row before the next one */
	struct lh_chain_stated before;	/* the same, in the form in which it is stated */
};

struct lh_chain_scanner *lh_chain_scanner_new(const struct lh_chain_source *src)
{
	struct lh_chain_scanner *w = lh_calloc(1, sizeof *w);

	w->src = src;
	return w;
}

void lh_chain_scanner_free(struct lh_chain_scanner *w)
{
	if (!w)
		return;
	lh_chain_reader_free(&w->reader);
	free(w->p);
	free(w);
}

static void set_stated(struct lh_chain_stated *to, struct lh_str s)
{
	to->known = s.p != NULL;
	to->n = s.n;
	if (s.p)
		memcpy(to->s, s.p, s.n < sizeof to->s ? s.n : sizeof to->s);
}

static void add_broken(struct lh_chain_scanner *w, struct lh_chain_stripe *s, uint64_t row,
		       enum lh_chain_fault fault)
{
	if (!s->n)
		s->before = w->before;
	else if (!w->src->all)
		return;
	lh_grow(&s->broken, &s->cap, s->n + 1, sizeof *s->broken);
	s->broken[s->n++] = (struct lh_chain_broken){ row, fault };
}

static bool id_fits(const struct lh_chain_source *src, struct lh_str id)
{
	return id.p && !src->id_bad && (!src->id || lh_str_is(id, src->id, src->id_n));
}

/* Return the fault of a row, apart from its MAC. */
static enum lh_chain_fault find_fault(const struct lh_chain_scanner *w,
				      const struct lh_chain_line *l,
				      const struct lh_chain_stated *prev)
{
	if (!id_fits(w->src, l->id))
		return LH_CHAIN_ID;
	if (!prev->known || (w->prev.known && !lh_chain_same(&w->prev, prev)))
		return LH_CHAIN_PREV;
	return LH_CHAIN_WHOLE;
}

static int check_line(struct lh_chain_scanner *w, struct lh_chain_stripe *s, const char *p,
		      size_t n, struct lh_err *err)
{
	enum lh_chain_fault fault = LH_CHAIN_WHOLE;
	uint64_t row = s->rows++;
	struct lh_chain_stated prev;
	struct lh_chain_line l;

	if (lh_chain_line(&w->reader, p, n, &l, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		l = (struct lh_chain_line){ .n = 0 };
		fault = LH_CHAIN_JSON;
	}
	s->bare = s->bare && l.bare;
	set_stated(&prev, l.prev);
	if (!row)
		s->first_prev = prev;
	if (!fault)
		fault = find_fault(w, &l, &prev);
	if (!fault && !lh_chain_mac_fits(w->src->keys, &l, &w->key))
		fault = LH_CHAIN_MAC;
	if (!row)
		s->first = fault;
	else if (fault)
		add_broken(w, s, row, fault);
	set_stated(&w->before, l.mac);
	w->prev = w->before;
	w->prev.known = w->prev.known && l.mac.n == LH_CHAIN_HEX;
	s->last = w->prev;
	return 0;
}

/* Read the n bytes from offset at into the buffer, after its contents. */
static int read_more(struct lh_chain_scanner *w, int64_t at, size_t n, struct lh_err *err)
{
	char *grown;

	if (w->cap < w->len + n) {
		grown = lh_realloc(w->p, w->len + n + LH_PAD, 1);
		w->p = grown;
		w->cap = w->len + n;
	}
	if (lh_chain_pread(w->src->fd, w->src->path, w->p + w->len, n, at, err) < 0)
		return -1;
	w->len += n;
	memset(w->p + w->len, 0, LH_PAD);
	return 0;
}

/* The last line continues after the stripe: read up to its end.  from: where it
 * begins in the buffer, at: the offset of the first byte not read. */
static int read_rest(struct lh_chain_scanner *w, size_t from, int64_t at, struct lh_err *err)
{
	const struct lh_chain_source *src = w->src;
	size_t n = 4096;

	while (at < src->size) {
		if ((int64_t)n > src->size - at)
			n = (size_t)(src->size - at);
		if (read_more(w, at, n, err) < 0)
			return -1;
		at += (int64_t)n;
		if (memchr(w->p + w->len - n, '\n', n))
			return 0;
		if (src->max_row && w->len - from > src->max_row)
			return lh_chain_too_long(src->path, at - (int64_t)(w->len - from),
						 src->max_row, err);
		n = w->len;
	}
	return 0;
}

int lh_chain_scan(struct lh_chain_scanner *w, int64_t k, struct lh_chain_stripe *s,
		  struct lh_err *err)
{
	int64_t base = k * LH_CHAIN_STRIPE - (k > 0), end = (k + 1) * LH_CHAIN_STRIPE;
	size_t at = 0, mine;
	const char *lf;

	s->rows = s->n = 0;
	s->first = LH_CHAIN_WHOLE;
	s->bare = true;
	s->torn = false;
	s->last.known = false;
	w->prev.known = false;
	w->before.known = false;
	w->len = 0;
	if (w->cap > KEEP) {
		free(w->p);
		w->p = NULL;
		w->cap = 0;
	}
	if (end > w->src->size)
		end = w->src->size;
	mine = (size_t)(end - base);
	if (read_more(w, base, mine, err) < 0)
		return -1;
	if (k > 0) {	/* the byte before the stripe may end the line before */
		lf = memchr(w->p, '\n', mine);
		at = lf ? (size_t)(lf - w->p) + 1 : mine;
	}
	s->begin = base + (int64_t)at;
	if (at < mine && w->p[mine - 1] != '\n') {
		lf = memrchr(w->p + at, '\n', mine - at);
		if (read_rest(w, lf ? (size_t)(lf - w->p) + 1 : at, end, err) < 0)
			return -1;
	}
	while (at < mine) {
		lf = memchr(w->p + at, '\n', w->len - at);
		if (!lf) {
			s->torn = true;
			break;
		}
		if (check_line(w, s, w->p + at, (size_t)(lf - w->p) - at, err) < 0)
			return -1;
		at = (size_t)(lf - w->p) + 1;
	}
	return 0;
}
