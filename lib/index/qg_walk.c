/*
 * qg_walk.c - walk over the graph by the codes of its links.
 *
 * The walk keeps a buffer of the ef rows with the least estimated distances.  It visits
 * the nearest row that is not visited yet: measures it, and estimates its links by their
 * codes (vector/graph.h), without reading them.  Only visited rows can be results.
 *
 * A row may be in the buffer several times, estimated from different rows; it is visited
 * once.  The other places stay with it, so that a walk ends earlier among rows that are near
 * each other: at the same recall, fewer rows are visited than if the places were left to
 * others.  The buffer therefore has twice ef places, and four times k more for rows that are
 * measured at the end only, which is far cheaper than a visit; until k / 2 rows are visited the
 * places are left to others.  So there are enough results, nearly always.
 *
 * If no ef is named, a walk begins with few places and gets a quarter more, again and again, until
 * its answer is stable: until the last visits did not change the best rows, or the row that would
 * be visited next is too far by its estimate.  How many visits and how far depends on how much
 * nearer the nearest result is to the query than the entry, which is in the middle of all: the rows
 * near a far query are all about as far, and lie apart.  With a filter, fewer of the best rows have
 * to be stable, by the share of rows that match, and refused ones leave their places to others.
 *
 * Lifted rows (index_parts.h) are all about as far from a query: a walk is then stable if both say
 * so, and one that does not get there gives way to a scan.
 *
 * Rows of short vectors have no codes: their links are measured, and those in the buffer are there
 * once, with their distances.  A walk is then stable if both say so as well.
 *
 * Nor is a walk stable while the best are copies of each other but for a word, which the estimates
 * do not tell apart.
 *
 * If a long walk finds that the estimates are wrong by as much as the rows' distances differ, as
 * for queries of another distribution than the rows, it goes on by measuring the links.
 */
#include "searcher.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define TIMES 2		/* places of the buffer for a row that is visited, about */
#define END_TIMES 4	/* places for rows that are measured at the end only, in times of k */
/* Of a walk for which no ef is named: */
#define SPARE 64	/* places beyond k, at least, for rows that are measured at the end */
#define MORE 4		/* the places that are visited grow by so small a part, ... */
#define MORE_TIMES 16	/* ... to so many times ef at most, ... */
#define STABLE 0.5f	/* ... until this part of the visits, or less, left the best as they are, */
#define FAR 0.35f	/* or a row is farther than the best by FAR_TIMES of what they span ... */
#define FAR_TIMES 3	/* ... for what the nearest has of the distance of the entry above FAR, */
#define NEARER -0.5f	/* or by so much less than nothing at least */
#define NOISY_FROM 16	/* visits after which errors count, and ... */
#define NOISY_AFTER 128	/* ... after which estimates may be found to be noise, ... */
#define NOISY 1.2f	/* ... as their error is so many times what the best ones span */
#define NOISY_TIMES 8	/* width of a walk by measuring then, in times of ef if none is named */
#define DENSE 0.01f	/* part of the spread of the graph that close rows span at most, ... */
#define DENSE_NOISY 0.3f	/* ... and what part of that estimates are wrong by, at least */
#define LONG 512	/* visits after which it shows that rows that match are far away */
#define GIVE_UP 16	/* part of the rows after which a filtered walk without k is given up */
#define DONE UINT32_MAX	/* in the place of a row that is visited */

/* Return how many of the buffer are at most that far; a new row comes after them. */
static size_t place_of(const struct lh_walk_buffer *w, float d)
{
	const struct lh_walk_near *from = w->row;
	size_t n = w->n, half;

	/* without branches, which could not be predicted */
	for (; n > 1; n -= half) {
		half = n / 2;
		from += half * (size_t)(from[half - 1].d <= d);
	}
	return (size_t)(from - w->row) + (n && from->d <= d);
}

/* Merge n rows, nearest first, into the buffer; what does not fit is dropped. */
static void insert(struct lh_walk_buffer *w, const struct lh_walk_near *new, size_t n)
{
	size_t place[LH_QG_LANES], end = w->n, to, i;

	for (i = 0; i < n; i++)
		place[i] = place_of(w, new[i].d);
	w->n = w->n + n < w->max ? w->n + n : w->max;
	for (i = n; i--; end = place[i]) {
		to = place[i] + i + 1;
		if (end + i + 1 > w->n)
			end = w->n > i + 1 ? w->n - i - 1 : 0;
		if (end > place[i])
			memmove(w->row + to, w->row + place[i], (end - place[i]) * sizeof *w->row);
		if (to <= w->n)
			w->row[to - 1] = new[i];
	}
	if (n && place[0] < w->next)
		w->next = place[0];
}

/* Return the distance that a row must be below.  Estimates of a damaged row may be NaN or
 * infinite. */
static inline float limit(const struct lh_walk_buffer *w)
{
	return w->n < w->max ? FLT_MAX : w->row[w->n - 1].d;
}

/* Collect, nearest first, the rows of a block of links that are estimated near enough; copies are
 * set aside. */
static size_t near_links(struct lh_searcher *s, const uint32_t *ids, uint32_t below,
			 const float *d, struct lh_walk_near *out)
{
	struct lh_walk_near found[LH_QG_LANES];
	float key[LH_QG_LANES];
	uint32_t j, to, n = 0, i, other, before, taken = 0;

	for (i = 0; i < LH_QG_LANES; i++)
		key[i] = INFINITY;
	for (; below; below &= below - 1) {
		j = (uint32_t)__builtin_ctz(below);
		to = lh_once32(&ids[j]);
		found[n] = (struct lh_walk_near){ d[j], to };
		if (to >= s->ix->rows || s->seen[to] == s->epoch)
			continue;
		if (lh_walk_is_copy(s, d[j], to))
			s->copies.v[s->copies.n++] = (struct cand){ d[j], to };
		else
			key[n++] = d[j];
	}
	/* Copy them nearest first; the compiler compares several at once. */
	for (i = 0; i < n; i++) {
		before = 0;
		for (other = 0; other < LH_QG_LANES; other++)
			before += (uint32_t)(key[other] < key[i]);
		while (taken >> before & 1)
			before++;
		taken |= 1u << before;
		out[before] = found[i];
	}
	return n;
}

/* Add the links of a row whose estimates are near enough. */
static void add_links(struct lh_searcher *s, const unsigned char *at, float square)
{
	const struct lh_index *ix = s->ix;
	const struct lh_index_shape *shape = &ix->shape;
	const uint32_t *ids = (const void *)(at + shape->ids_at);
	const unsigned char *codes = at + shape->codes_at;
	struct lh_walk_near new[LH_QG_LANES];
	float d[LH_QG_LANES], decoded[2 * LH_QG_LINKS_MAX];
	uint32_t links = 2 * ix->params.m, i, below;
	struct lh_qg_factors f = { decoded, decoded + links, 0 };

	memcpy(&f.unit, at + shape->unit_at, sizeof f.unit);
	if (s->qg.visited == 1)
		s->qg.spread = fmaxf(s->qg.entry, f.unit);
	lh_quantize_decode(LH_F16, at + shape->add_at, 2 * links, decoded);
	for (i = 0; i < links; i += LH_QG_LANES) {
		below = lh_qg_estimate(&s->qg.query, codes, &f, square, limit(&s->qg), d);
		codes += lh_qg_code_bytes(shape->values);
		f.add += LH_QG_LANES;
		f.rescale += LH_QG_LANES;
		insert(&s->qg, new, near_links(s, ids + i, below, d, new));
	}
}

/* Visit rows in more places: for those that other rows take that cannot be results. */
static void widen(struct lh_walk_buffer *w, size_t places)
{
	lh_grow(&w->row, &w->cap, w->max + places, sizeof *w->row);
	w->max += places;
	w->within += places;
}

/* Leave the places of a row that cannot be a result to others.  With a filter, once there are
 * enough results, that is one place for every few such rows, as the walk gets wider by itself. */
static void refuse(struct lh_searcher *s, size_t places)
{
	struct lh_walk_buffer *w = &s->qg;

	w->refused++;
	if (s->q->allow && s->best.n >= s->q->k)
		places = places && w->refused % w->every == 0;
	widen(w, places);
}

/* Note what the estimate of a visited row was wrong by. */
static void note_distance(struct lh_walk_buffer *w, float measured)
{
	float error = measured - w->estimate;

	if (w->visited == 1)
		w->entry = w->nearest = measured;
	if (w->visited > NOISY_FROM)
		w->errors += error * error;
}

/* Offer a row that is measured to the results; 1 if it may be one, 0, -1. */
static int offer(struct lh_searcher *s, struct cand c)
{
	bool beyond = s->best.n == s->best_max && c.d > s->best.v[0].d;
	int rc = beyond ? 0 : s->q->allow ? lh_filtered_search_row(s, c.row) : 1;

	if (rc > 0 && lh_walk_offer(s, c))
		s->qg.changed = s->qg.visited;
	return rc;
}

/* Measure links of a row without codes, and add those that are near enough. */
static int measure_block(struct lh_searcher *s, const uint32_t *ids)
{
	const struct lh_index *ix = s->ix;
	struct lh_walk_near new[LH_QG_LANES];
	const void *codes[LH_QG_LANES];
	float d[LH_QG_LANES] = { 0 }, measured[LH_QG_LANES], max = limit(&s->qg);
	uint32_t row[LH_QG_LANES], lane[LH_QG_LANES], below = 0, n = 0, i, to;

	/* without branches, which could not be predicted */
	for (i = 0; i < LH_QG_LANES; i++) {
		to = lh_once32(&ids[i]);
		row[n] = to < ix->rows ? to : 0;
		lane[n] = i;
		codes[n] = lh_index_code(ix, row[n]);
		__builtin_prefetch(codes[n]);
		n += (uint32_t)(to < ix->rows) & (uint32_t)(s->seen[row[n]] != s->epoch);
	}
	n = (uint32_t)lh_walk_spend(s, n, lh_index_code_bytes(&ix->params));
	if (n)
		lh_quantize_rows(&s->code, codes, n, measured);
	for (i = 0; i < n; i++) {
		d[lane[i]] = lh_walk_squared(s, measured[i]);
		below |= (uint32_t)(d[lane[i]] < max) << lane[i];
		if (offer(s, (struct cand){ measured[i], row[i] }) < 0)
			return -1;
	}
	insert(&s->qg, new, near_links(s, ids, below, d, new));
	for (i = 0; i < n; i++)
		s->seen[row[i]] = s->epoch;
	return 0;
}

/* Follow the links of a row without codes, which has been measured and offered. */
static int follow(struct lh_searcher *s, uint32_t row, bool is_copy)
{
	const struct lh_index *ix = s->ix;
	struct lh_walk_copies *copies = &s->copies;
	const uint32_t *ids = (const void *)(ix->block + row * ix->stride + ix->shape.ids_at);
	uint32_t i;

	lh_walk_count(s, 2 * ix->params.m * sizeof *ids);
	note_distance(&s->qg, s->qg.estimate);
	if (lh_walk_excluded(s->q, row) || lh_index_hidden(ix, row) ||
	    (s->q->allow && lh_filter_cache_allows(s->q, row, s->err) <= 0)) {
		refuse(s, !is_copy);
	} else {
		copies->offered += is_copy;
		s->qg.nearest = fminf(s->qg.nearest, s->qg.estimate);
	}
	lh_grow(&copies->v, &copies->cap, copies->n + FRESH_MAX, sizeof *copies->v);
	copies->of = (struct cand){ s->qg.estimate, row };
	for (i = 0; i < 2 * ix->params.m; i += LH_QG_LANES)
		if (measure_block(s, ids + i) < 0)
			return -1;
	return 0;
}

/* Find the nearest row that is not visited; false when all are that are to be. */
static bool find_next(struct lh_searcher *s)
{
	struct lh_walk_buffer *w = &s->qg;
	size_t from;

	for (;;) {
		while (w->next < w->n && w->row[w->next].row == DONE)
			w->next++;
		for (from = w->next; from < w->n && from < w->within; from++)
			if (w->row[from].row != DONE &&
			    (w->measured || s->seen[w->row[from].row] != s->epoch))
				break;
			else
				w->row[from].row = DONE;
		if (2 * w->visited >= s->q->k || from == w->next)
			break;
		/* what moves here may be visited as well */
		memmove(w->row + w->next, w->row + from, (w->n - from) * sizeof *w->row);
		w->n -= from - w->next;
	}
	w->next = from;
	return from < w->n && from < w->within;
}

/* Return what the estimates of the visited rows are wrong by, in the mean. */
static float mean_error(const struct lh_walk_buffer *w)
{
	return sqrtf(w->errors / (float)(w->visited - NOISY_FROM));
}

/* Return the squared distance of the farthest of the best. */
static float farthest_best(const struct lh_searcher *s)
{
	return s->best.n < s->best_max ? FLT_MAX : lh_walk_squared(s, s->best.v[0].d);
}

/* Return whether the estimates of the visited rows say little about the distances of the best. */
static bool is_noisy(const struct lh_searcher *s)
{
	return mean_error(&s->qg) > NOISY * (farthest_best(s) - s->qg.nearest);
}

/* Return whether the best lie close together, near the query, and estimates say little about which
 * of them are nearest: there are many copies, each with something of its own. */
static bool is_dense(const struct lh_searcher *s)
{
	const struct lh_walk_buffer *w = &s->qg;
	float span = farthest_best(s) - w->nearest;

	return !s->lifted && span > 0 && span < DENSE * w->spread && w->visited > NOISY_FROM &&
	       w->nearest < FAR * w->spread && mean_error(w) > DENSE_NOISY * span;
}

/* Return whether a walk is not worth it to go on to a row so far away by its estimate. */
static bool is_stable(const struct lh_searcher *s, float estimate)
{
	const struct lh_walk_buffer *w = &s->qg;
	float farthest = farthest_best(s), far = w->nearest / w->entry;
	float times = fmaxf(FAR_TIMES / (float)s->share * (far - FAR), NEARER);
	float more = farthest + times * (farthest - w->nearest);
	bool still = (float)(w->visited - w->changed) > fminf(far, STABLE) * (float)w->visited;

	return s->lifted || w->measured ? still && estimate >= more : still || estimate >= more;
}

static bool is_widest(const struct lh_walk_buffer *w, size_t ef)
{
	return w->within >= TIMES * MORE_TIMES * ef;
}

/* Return whether to scan instead, since a lifted walk is not stable when it has come to its end, or
 * since matches are far from the query: of the visited rows far fewer match than of all. */
static bool is_lost(const struct lh_searcher *s, size_t ef)
{
	const struct lh_walk_buffer *w = &s->qg;
	double many = s->share * (double)w->visited / 1.5;

	return (s->q->allow && w->visited > LONG && (double)(w->visited - w->refused) < many) ||
	       (s->lifted && is_widest(w, ef));
}

/* Let more places be visited; false if it is not worth it. */
static bool go_on(struct lh_searcher *s, size_t ef)
{
	struct lh_walk_buffer *w = &s->qg;

	if (w->next >= w->n || is_widest(w, ef) ||
	    (s->best.n == s->best_max && !is_dense(s) && is_stable(s, w->row[w->next].d)))
		return false;
	widen(w, w->within / MORE + 1);
	return true;
}

static int visit(struct lh_searcher *s, uint32_t row, bool is_copy)
{
	struct lh_walk_copies *copies = &s->copies;
	const struct lh_index *ix = s->ix;
	struct cand c = { 0, row };
	const unsigned char *at;
	int rc;

	if (!lh_walk_spend(s, 1, lh_index_code_bytes(&ix->params)))
		return 0;
	lh_walk_count(s, ix->stride - lh_index_code_bytes(&ix->params));
	at = lh_walk_row(s, row, ix->stride);
	c.d = lh_quantize_row(&s->code, at);
	note_distance(&s->qg, lh_walk_squared(s, c.d));
	if (lh_walk_squared(s, c.d) < farthest_best(s))
		s->qg.changed = s->qg.visited;
	rc = s->q->allow ? lh_filtered_search_row(s, row) : 1;
	if (rc < 0)
		return -1;
	if (rc && lh_walk_offer(s, c)) {
		copies->offered += is_copy;
		s->qg.nearest = fminf(s->qg.nearest, lh_walk_squared(s, c.d));
	} else {
		refuse(s, is_copy ? 0 : TIMES);
	}
	lh_grow(&copies->v, &copies->cap, copies->n + FRESH_MAX, sizeof *copies->v);
	copies->of = (struct cand){ lh_walk_squared(s, c.d), row };
	add_links(s, at, lh_walk_squared(s, c.d));
	return 0;
}

static int begin(struct lh_searcher *s, size_t ef, size_t spare, bool adapt)
{
	struct cand first = { 0, s->ix->entry };
	struct lh_walk_buffer *w = &s->qg;

	w->n = w->next = w->within = w->visited = w->changed = w->refused = 0;
	w->errors = 0;
	w->every = !adapt ? 1 : s->ix->signs ? 3 : 2;
	w->max = spare;
	w->measured = !s->ix->signs;
	widen(w, w->measured ? ef : TIMES * ef);
	lh_walk_keep(s, lh_scan_candidates(s));
	lh_walk_epoch(s);
	if (w->measured) {
		first = lh_walk_entry(s);
		s->seen[first.row] = s->epoch;
		if (offer(s, first) < 0)
			return -1;
		first.d = lh_walk_squared(s, first.d);
	} else {
		lh_qg_query_set(&w->query, s->ix->signs, s->lifted ? s->lifted : s->q->vector);
	}
	insert(w, &(struct lh_walk_near){ first.d, first.row }, 1);
	return 0;
}

/* Find and prefetch the row that is likely to be visited next, unless it is the one before. */
static uint32_t look_ahead(struct lh_searcher *s, uint32_t before)
{
	uint32_t row;

	if (!find_next(s))
		return DONE;
	row = s->qg.row[s->qg.next].row;
	if (row != before && s->qg.measured)
		lh_walk_prefetch(s->ix, row);
	else if (row != before && !s->reads)
		lh_prefetch(s->ix->block + row * s->ix->stride, s->ix->stride);
	return row;
}

/* Take the next row; false if all are visited. */
static bool next_row(struct lh_searcher *s, uint32_t *row, bool *is_copy)
{
	struct lh_walk_near *near;
	struct cand copy;

	while ((*is_copy = lh_walk_next_copy(s, &copy))) {
		*row = copy.row;
		s->qg.estimate = lh_walk_squared(s, copy.d);
		if (s->qg.measured || s->seen[copy.row] != s->epoch)
			return true;
	}
	if (!find_next(s))
		return false;
	near = s->qg.row + s->qg.next;
	*row = near->row;
	s->qg.estimate = near->d;
	near->row = DONE;
	return true;
}

/* Return a distance above which a row is hardly a result, by its estimate: beyond the k nearest by
 * the mean error. */
static float far_enough(struct lh_searcher *s)
{
	if (s->best.n < s->q->k || s->qg.visited <= NOISY_FROM)
		return FLT_MAX;
	return lh_walk_squared(s, lh_walk_kth(s)) + mean_error(&s->qg);
}

/* Measure the rows of the buffer that are not visited, and add them to todo if that is set. */
static int measure_others(struct lh_searcher *s, bool todo)
{
	const struct lh_walk_buffer *w = &s->qg;
	uint32_t rows[FRESH_MAX], row, n = 0;
	float far = todo ? FLT_MAX : far_enough(s);
	size_t i;
	int rc;

	for (i = 0; i < w->n; i++) {
		row = w->row[i].d < far ? w->row[i].row : DONE;
		if (row != DONE && s->seen[row] != s->epoch) {
			s->seen[row] = s->epoch;
			rc = s->q->allow ? lh_filtered_search_row(s, row) : 1;
			if (rc < 0)
				return -1;
			rows[n] = row;
			n += (uint32_t)rc;
		}
		if (n == FRESH_MAX || (n && i + 1 == w->n)) {
			lh_walk_measure(s, rows, n, todo);
			n = 0;
		}
	}
	return 0;
}

/* Go on with the walk by measuring, with ef candidates.  The copies that are set aside are all
 * of the row visited last. */
static int measure_links(struct lh_searcher *s, size_t ef)
{
	struct lh_walk_copies *copies = &s->copies;
	size_t keep = lh_scan_candidates(s), i, n = 0;
	struct cand *c;

	copies->of.d = lh_quantize_row(&s->code, lh_index_code(s->ix, copies->of.row));
	for (i = 0; i < copies->n; i++) {
		c = copies->v + i;
		if (s->seen[c->row] == s->epoch)
			continue;
		s->seen[c->row] = s->epoch;
		copies->v[n++] = (struct cand){ copies->of.d, c->row };
	}
	copies->n = n;
	lh_walk_keep(s, ef > keep ? ef : keep);
	if (measure_others(s, true) < 0)
		return -1;
	return lh_walk_on(s);
}

int lh_walk_qg(struct lh_searcher *s, size_t ef, bool adapt)
{
	size_t k = s->q->k, end = adapt && (END_TIMES - 1) * k < SPARE ? k + SPARE : END_TIMES * k;
	struct lh_walk_buffer *w = &s->qg;
	uint32_t row, ahead;
	bool is_copy;

	if (begin(s, adapt ? ef / 2 : ef, end, adapt) < 0)
		return -1;
	while (!s->q->truncated) {
		if (!next_row(s, &row, &is_copy)) {
			if (adapt && is_lost(s, ef))
				return 0;
			if (adapt && go_on(s, ef))
				continue;
			break;
		}
		s->seen[row] = s->epoch;
		w->visited++;
		ahead = look_ahead(s, DONE);
		if ((w->measured ? follow(s, row, is_copy) : visit(s, row, is_copy)) < 0)
			return -1;
		if (!s->q->allow && w->visited == NOISY_AFTER && is_noisy(s))
			return adapt && s->lifted ?
				       0 :
				       measure_links(s, adapt ? NOISY_TIMES * ef : ef);
		look_ahead(s, ahead);
		if (s->best.n < k &&
		    w->visited > s->ix->rows / (s->q->allow ? GIVE_UP : 4))
			return 0;
	}
	if (!w->measured && measure_others(s, false) < 0)
		return -1;
	return s->q->truncated || s->best.n >= s->q->k;
}
