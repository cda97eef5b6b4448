/* Searches that find fewer than asked, or are stopped: against a check of every row, in both
 * layouts, with deleted, pending and excluded rows. */
#include "check.h"
#include <lh/index.h>

#include <time.h>
#include <unistd.h>

#define CHECK(x) check_why(x, err.msg)
#define DIM 64
#define ROWS 4000
#define PENDING 100
#define QUERIES 8
#define NEAR 100	/* rows near a query */

static struct lh_err err;
static char path[] = "/tmp/lh-test-limits-XXXXXX";
static bool match[ROWS + PENDING];
static const uint64_t exclude[] = { 5, 6, 6, ROWS };

static uint64_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Make point i, near one of 40 centres. */
static void point(float *v, unsigned i)
{
	uint64_t at = i % 40 + 1, own = i + 1000;

	for (unsigned d = 0; d < DIM; d++)
		v[d] = (float)(draw(&at) % 2001) / 1000 + (float)(draw(&own) % 2001) / 1500 - 1.67f;
	lh_vec_unit(v, DIM);
}

/* Make an index of which every eleventh row is deleted, and others are in the log. */
static struct lh_index *make(enum lh_layout layout)
{
	struct lh_index_writer *w;
	struct lh_index_change *c;
	struct lh_index_params p;
	struct lh_index *ix;
	char id[16];
	float v[DIM];
	bool due;

	lh_index_params_default(&p);
	p.dimension = DIM;
	p.layout = layout;
	p.precision = LH_I8;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w);
	for (unsigned i = 0; i < ROWS; i++) {
		point(v, i);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "%u", i), v, DIM, "", 0, &err) == 0);
	}
	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
	c = lh_index_change_open(path, 1, &err);
	CHECK(c);
	for (unsigned i = 0; i < ROWS + PENDING; i++) {
		size_t n = (size_t)sprintf(id, "%u", i);

		point(v, i);
		if (i >= ROWS)
			CHECK(lh_index_change_put(c, id, n, v, DIM, "", 0, &err) == 0);
		else if (i % 11 == 0)
			CHECK(lh_index_change_delete(c, id, n, &err) == 0);
	}
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
	ix = lh_index_open(path, &err);
	CHECK(ix);
	return ix;
}

static int allow(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)ctx;
	(void)r;
	(void)e;
	return match[row];
}

static struct lh_query query(const struct lh_index *ix, const float *v, size_t k)
{
	struct lh_query q = { .vector = v, .k = k, .ef = 60, .allow = allow,
			      .exclude = exclude, .n_exclude = 4 };

	q.filter_cache = lh_filter_cache_new(ix, &err);
	CHECK(q.filter_cache);
	return q;
}

enum way { INDEPENDENT, NEARBY, FAR, WAYS };

/* Let a share of the rows match, and return how many live rows can be hits. */
static long choose(struct lh_searcher *s, const struct lh_index *ix, const float *v, double share,
		   enum way way)
{
	struct lh_query q = { .vector = v, .k = NEAR, .exact = true };
	struct lh_hit near[NEAR];
	struct lh_row r;
	uint64_t seed = 1;
	long n = 0;

	for (uint64_t row = 0; row < lh_index_rows(ix); row++)
		match[row] = (double)(draw(&seed) % 100000) < share * 100000;
	CHECK(lh_index_search(s, &q, near, &err) == NEAR);
	for (unsigned i = 0; way != INDEPENDENT && i < NEAR && share > 0; i++)
		match[near[i].row] = way == NEARBY && i % 10;
	for (uint64_t row = 0; row < lh_index_rows(ix); row++)
		n += match[row] && row != 5 && row != 6 && row != ROWS &&
		     lh_index_row(ix, row, &r, &err) == 1;
	return n;
}

static void check_hits(const struct lh_query *q, const struct lh_hit *hit, long n)
{
	for (long i = 0; i < n; i++)
		CHECK(match[hit[i].row] && hit[i].row != 5 && hit[i].row != ROWS &&
		      (!i || hit[i].distance >= hit[i - 1].distance));
	CHECK((q->work.measured >= (uint64_t)n || q->truncated) &&
	      q->work.bytes_read >= q->work.measured * DIM);
}

static const double shares[] = { 1, .9, .5, .25, .1, .05, .01, .001, 0 };

/* Without a limit, fewer hits are all that match, and of ten 0.95 are found. */
static void finds_all_that_match(const struct lh_index *ix, enum way way)
{
	static const size_t ks[] = { 1, 10, 300, LH_K_MAX };
	static struct lh_hit hit[LH_K_MAX], exact[10];
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	float v[DIM];

	for (unsigned share = 0; share < sizeof shares / sizeof *shares; share++) {
		long found = 0, all = 0, walked = 0;

		for (unsigned i = 0; i < QUERIES * 4; i++) {
			size_t k = ks[i % 4];
			struct lh_query q = query(ix, v, k);
			long n, matching;

			point(v, 10000 + i);
			matching = choose(s, ix, v, shares[share], way);
			n = lh_index_search(s, &q, hit, &err);
			CHECK(n == (matching < (long)k ? matching : (long)k) && !q.truncated);
			check_hits(&q, hit, n);
			walked += q.work.filter_walked;
			CHECK(q.work.filter_walked ? q.work.walked > 0 && q.work.ef >= k :
						     q.work.filter_scanned);
			if (k == 10) {
				q.exact = true;
				CHECK(lh_index_search(s, &q, exact, &err) == n);
				all += n;
				for (long h = 0; h < n; h++)
					found += hit[h].distance <= exact[n - 1].distance;
			}
			lh_filter_cache_free(q.filter_cache);
		}
		CHECK((double)found >= .95 * (double)all);
		CHECK(shares[share] < .5 || walked > 0);
	}
	lh_searcher_free(s);
}

static bool same_hits(const struct lh_hit *a, const struct lh_hit *b)
{
	for (unsigned i = 0; i < 10; i++)
		if (a[i].row != b[i].row || a[i].distance != b[i].distance)
			return false;
	return true;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A search that a limit stops says so; one that does not is the same as without a limit. */
static void limits_are_kept(const struct lh_index *ix, bool filtered, bool exact)
{
	static const uint64_t budgets[] = { 1, 2, 40, 400, 1000, 3000, 1000000 };
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	struct lh_hit hit[10], want[10];
	unsigned stopped = 0, done = 0;
	float v[DIM];

	for (unsigned i = 0; i < 7 * 5; i++) {
		struct lh_query q = query(ix, v, 10);
		long n, all;

		point(v, 10000 + i);
		choose(s, ix, v, filtered ? shares[1 + i % 5] : 1, INDEPENDENT);
		if (!filtered)
			q.allow = NULL;
		q.exact = exact;
		all = lh_index_search(s, &q, want, &err);
		CHECK(all == 10 && !q.truncated);
		q.budget = budgets[i % 7];
		n = lh_index_search(s, &q, hit, &err);
		CHECK(n >= 0 && q.work.measured <= q.budget && (n == all || q.truncated));
		check_hits(&q, hit, n);
		CHECK(q.truncated || same_hits(hit, want));
		CHECK(q.budget > 1 || q.truncated);
		stopped += q.truncated;
		done += !q.truncated;
		q.budget = 0;
		q.deadline_ns = 1;
		n = lh_index_search(s, &q, hit, &err);
		CHECK(n >= 0 && q.truncated && q.work.measured == 0);
		q.deadline_ns = now() + INT64_C(3600000000000);
		CHECK(lh_index_search(s, &q, hit, &err) == all && !q.truncated &&
		      same_hits(hit, want));
		lh_filter_cache_free(q.filter_cache);
	}
	CHECK(stopped >= 10 && done >= 5);
	lh_searcher_free(s);
}

static void remove_index(void)
{
	static const char *const with[] = { "", "-log", "-lock" };
	char file[80];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(file, sizeof file, "%s%s", path, with[i]);
		unlink(file);
	}
}

int main(void)
{
	CHECK(close(mkstemp(path)) == 0);
	for (enum lh_layout layout = LH_LAYOUT_HNSW; layout <= LH_LAYOUT_QG; layout++) {
		struct lh_index *ix = make(layout);

		for (enum way way = INDEPENDENT; way < WAYS; way++)
			test(finds_all_that_match(ix, way));
		for (int exact = 0; exact < 2; exact++) {
			test(limits_are_kept(ix, false, exact));
			test(limits_are_kept(ix, true, exact));
		}
		lh_index_close(ix);
		remove_index();
	}
	return 0;
}
