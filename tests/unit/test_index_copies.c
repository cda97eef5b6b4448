/* Indexes with many equal vectors: what is near them is found, and so are they. */
#include "check.h"
#include "index/index_tools.h"
#include <lh/index.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(x) check_why(x, err.msg)
#define DIM 40
#define GROUPS 4
#define COPIES 400	/* of each vector */
#define OTHERS 1200

static struct lh_err err;
static char dir[] = "/tmp/lh-test-copies-XXXXXX", path[64];
static struct lh_index_params params;
static uint64_t rng;

static float rnd(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (float)(rng >> 33) / (float)(1u << 30) - 1;
}

/* The vector of record i: a copy, or its own. */
static void point(float *v, unsigned i)
{
	bool copy = i < GROUPS * COPIES;

	rng = copy ? i % GROUPS + 1 : i * 7919u;
	for (unsigned d = 0; d < DIM; d++)
		v[d] = rnd();
	lh_vec_unit(v, DIM);
}

static void build(unsigned from, unsigned to, unsigned jobs)
{
	struct lh_index_writer *w = lh_index_writer_new(path, &params, 1, &err);
	float v[DIM];
	char id[16];

	CHECK(w);
	for (unsigned i = from; i < to; i++) {
		point(v, i);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "%05u", i), v, DIM, NULL, 0, &err) ==
		      0);
	}
	CHECK(lh_index_commit(w, jobs, &err) == 0);
	lh_index_writer_free(w);
}

/* Put some records and delete others. */
static void change(unsigned from, unsigned to, unsigned gone_from, unsigned gone_to)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM];
	char id[16];
	bool due;

	CHECK(c);
	for (unsigned i = from; i < to; i++) {
		point(v, i);
		CHECK(lh_index_change_put(c, id, (size_t)sprintf(id, "%05u", i), v, DIM, NULL, 0,
					  &err) == 0);
	}
	for (unsigned i = gone_from; i < gone_to; i++)
		CHECK(lh_index_change_delete(c, id, (size_t)sprintf(id, "%05u", i), &err) == 0);
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
}

static bool one_in_three(void *ctx, uint64_t row, const struct lh_row *r)
{
	(void)ctx;
	(void)row;
	return r->id.p[4] % 3 == 0;
}

static int allow(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)e;
	return one_in_three(ctx, row, r);
}

static void never(void *ctx, uint64_t row)
{
	(void)ctx;
	(void)row;
	CHECK(!"a row that no link leads to");
}

static void on_damage(void *ctx, const char *section, const char *text)
{
	(void)ctx;
	printf("# %s: %s\n", section, text);
	CHECK(!"damage");
}

/* Each of the records finds what --exact finds first, or one as near; with a filter, k too. */
static void all_is_found(unsigned from, unsigned to, unsigned step)
{
	struct lh_index *ix = lh_index_open(path, &err);
	struct lh_searcher *s = ix ? lh_searcher_new(ix, &err) : NULL;
	struct lh_filter_cache *cache = lh_filter_cache_new(ix, &err);
	struct lh_hit a[500], b[500];
	unsigned missed = 0;
	float v[DIM];

	CHECK(s && cache && lh_index_verify(path, on_damage, NULL, &err) == 0 &&
	      lh_index_unreached(ix, never, NULL, &err) == 0);
	for (unsigned i = from; i < to; i += step) {
		struct lh_query q = { .vector = v, .k = i % 5 ? 10 : 450 };
		long n;

		point(v, i);
		if (i % 3 == 0) {
			q.allow = allow;
			q.filter_cache = cache;
		}
		n = lh_index_search(s, &q, a, &err);
		q.exact = true;
		CHECK(n == lh_index_search(s, &q, b, &err) && n > 0);
		missed += a[0].distance > b[0].distance + 1e-6f ||
			  (i < GROUPS * COPIES && a[9].distance > b[9].distance + 1e-6f);
	}
	CHECK(missed == 0);
	lh_filter_cache_free(cache);
	lh_searcher_free(s);
	lh_index_close(ix);
}

static void set(enum lh_layout layout, enum lh_precision precision, bool rescore)
{
	params.layout = layout;
	params.precision = precision;
	params.rescore = rescore;
}

static void copies_hide_nothing(enum lh_layout layout, enum lh_precision precision, bool rescore)
{
	const unsigned n = GROUPS * COPIES + OTHERS;

	set(layout, precision, rescore);
	build(0, n, 2);
	all_is_found(0, n, 3);
	/* Others are added, some of them copies; then those that stand for copies go. */
	build(200, n - 200, 1);
	change(n - 200, n, 0, 0);
	change(0, 200, 0, 0);
	CHECK(lh_index_compact(path, 2, 1, &err) == 0);
	all_is_found(0, n, 7);
	change(0, 0, 200, 350);
	all_is_found(GROUPS * COPIES, n, 11);
	CHECK(lh_index_compact(path, 2, 1, &err) == 0);
	all_is_found(0, 200, 7);
	all_is_found(GROUPS * COPIES, n, 7);
}

/* Thousands of copies of one vector, added bit by bit. */
static void one_vector_alone_makes_an_index(enum lh_layout layout)
{
	struct lh_index *ix;
	struct lh_searcher *s;
	struct lh_hit a[100];
	float v[DIM];
	struct lh_query q = { .vector = v, .k = 100 };

	set(layout, LH_F32, false);
	params.exact_below = 10;
	build(0, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct lh_index_change *c = lh_index_change_open(path, 1, &err);
		char id[16];
		bool due;

		CHECK(c);
		point(v, 0);
		for (unsigned j = 0; j < 3000; j++)
			CHECK(lh_index_change_put(c, id, (size_t)sprintf(id, "%u", i * 3000 + j), v,
						  DIM, NULL, 0, &err) == 0);
		CHECK(lh_index_change_commit(c, &due, &err) == 0);
		lh_index_change_close(c);
		CHECK(lh_index_compact(path, 2, 1, &err) == 0);
	}
	ix = lh_index_open(path, &err);
	s = ix ? lh_searcher_new(ix, &err) : NULL;
	CHECK(s && lh_index_verify(path, on_damage, NULL, &err) == 0 &&
	      lh_index_unreached(ix, never, NULL, &err) == 0);
	CHECK(lh_index_search(s, &q, a, &err) == 100 && a[99].distance < 1e-6f);
	lh_searcher_free(s);
	lh_index_close(ix);
	params.exact_below = 1000;
}

int main(void)
{
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.lhv", dir);
	lh_index_params_default(&params);
	for (int layout = LH_LAYOUT_HNSW; layout <= LH_LAYOUT_QG; layout++) {
		test(copies_hide_nothing(layout, LH_F32, false));
		test(copies_hide_nothing(layout, LH_I8, false));
		test(copies_hide_nothing(layout, LH_I8, true));
		test(one_vector_alone_makes_an_index(layout));
	}
	unlink(path);
	strcat(path, "-lock");
	unlink(path);
	strcpy(path + strlen(path) - 4, "log");
	unlink(path);
	return rmdir(dir) != 0;
}
