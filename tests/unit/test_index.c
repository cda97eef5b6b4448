/* lh_index: rows that are put are found again, exactly and by the graph. */
#include "check.h"
#include "index/index_tools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(x) check_why(x, err.msg)
#define DIM 48

static struct lh_err err;
static char dir[] = "/tmp/lh-test-lhv-XXXXXX";
static char path[64];
static enum lh_layout layout;

static uint64_t rng = 1;

static double rnd(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (double)(rng >> 33) / (1u << 30) - 1;
}

/* Make a point near one of 40 centres, as vectors of texts are. */
static void point(float *v, unsigned i, unsigned dim)
{
	uint64_t keep = rng;
	unsigned d;

	rng = i % 40 + 100;
	for (d = 0; d < dim; d++)
		v[d] = (float)rnd();
	rng = keep;
	for (d = 0; d < dim; d++)
		v[d] += 0.7f * (float)rnd();
}

static void put(struct lh_index_writer *w, const char *id, const float *v, unsigned dim,
		const char *meta)
{
	CHECK(lh_index_put(w, id, strlen(id), v, dim, meta, meta ? strlen(meta) : 0, &err) == 0);
}

static struct lh_index *index_of(unsigned n, int distance, unsigned exact_below, unsigned jobs)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	float v[DIM];
	char id[32], meta[64];
	struct lh_index *ix;

	lh_index_params_default(&p);
	p.layout = layout;
	p.distance = distance;
	if (distance == LH_IP)
		p.layout = LH_LAYOUT_HNSW;
	p.dimension = DIM;
	p.exact_below = exact_below;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w);
	rng = 7;
	for (unsigned i = 0; i < n; i++) {
		point(v, i, DIM);
		snprintf(id, sizeof id, "w-%u", i);
		snprintf(meta, sizeof meta, "{\"n\":%u}", i);
		put(w, id, v, DIM, i % 3 ? meta : NULL);
	}
	CHECK(lh_index_commit(w, jobs, &err) == 0);
	lh_index_writer_free(w);
	ix = lh_index_open(path, &err);
	CHECK(ix);
	return ix;
}

static long ask(struct lh_index *ix, const float *v, size_t k, bool exact, struct lh_hit *out)
{
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	struct lh_query q = { .vector = v, .k = k, .exact = exact };
	long n;

	CHECK(s);
	n = lh_index_search(s, &q, out, &err);
	CHECK(n >= 0);
	lh_searcher_free(s);
	return n;
}

static void rows_come_back(unsigned n)
{
	struct lh_index *ix = index_of(n, LH_COSINE, 1000, 1);
	struct lh_index_stats st;
	struct lh_row row;
	char id[32], meta[64];
	uint64_t at;
	float v[DIM];

	lh_index_get_stats(ix, &st);
	CHECK(st.live == n && st.base == n && lh_index_rows(ix) == n);
	CHECK(st.format == (layout ? 4 : 1) && st.torn_at == -1);
	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof id, "w-%u", i);
		snprintf(meta, sizeof meta, "{\"n\":%u}", i);
		CHECK(lh_index_nth_row(ix, i, &at, &row, &err) == 1);
		CHECK(lh_index_find(ix, id, strlen(id), &err) == (int64_t)at);
		CHECK(row.id.n == strlen(id) && !memcmp(row.id.p, id, row.id.n));
		CHECK(row.meta.n == (i % 3 ? strlen(meta) : 0) &&
		      !memcmp(row.meta.p, meta, row.meta.n));
		lh_index_vector(ix, at, v);
		CHECK(fabs(lh_vec_dot_f64(v, v, DIM) - 1) < 1e-6);
	}
	CHECK(lh_index_find(ix, "w-x", 3, &err) == -1);
	CHECK(lh_index_row(ix, n, &row, &err) == 0);
	lh_index_close(ix);
}

static double recall(struct lh_index *ix, unsigned n, int distance)
{
	struct lh_hit a[10], b[10];
	unsigned same = 0, all = 0;
	float v[DIM];

	for (unsigned i = 0; i < 100; i++) {
		point(v, i, DIM);
		if (distance == LH_COSINE)
			lh_vec_unit(v, DIM);
		long x = ask(ix, v, 10, true, a), y = ask(ix, v, 10, false, b);

		CHECK(x == (n < 10 ? n : 10) && y == x);
		for (long j = 0; j < x; j++) {
			CHECK(!j || a[j - 1].distance <= a[j].distance);
			for (long l = 0; l < y; l++)
				same += a[j].row == b[l].row;
			all++;
		}
	}
	return all ? (double)same / all : 1;
}

static void every_size_is_searched(void)
{
#ifdef __SANITIZE_ADDRESS__	/* recall is the plain build's: here the same paths over less */
	static const unsigned sizes[] = { 0, 1, 2, 31, 32, 33, 999, 1000, 1001, 2000 };
#else
	static const unsigned sizes[] = { 0, 1, 2, 31, 32, 33, 999, 1000, 1001, 6000 };
#endif

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (int d = LH_COSINE; d <= LH_IP; d++) {
			struct lh_index *ix = index_of(sizes[i], d, 1000, 2);
			double r = recall(ix, sizes[i], d);

			printf("# %u rows, %s: recall %.4f\n", sizes[i], lh_distance_name(d), r);
			CHECK(r >= 0.99);
			lh_index_close(ix);
			ix = index_of(sizes[i], d, 0, 2);
			CHECK(recall(ix, sizes[i], d) >= 0.99);
			lh_index_close(ix);
		}
}

static void a_row_finds_itself(void)
{
	struct lh_hit hit[3];
	float v[DIM];

	for (int d = LH_COSINE; d <= LH_L2; d++) {
		struct lh_index *ix = index_of(2000, d, 1000, 2);

		for (unsigned i = 0; i < 2000; i += 7) {
			lh_index_vector(ix, i, v);
			CHECK(ask(ix, v, 1, false, hit) == 1);
			CHECK(hit[0].row == i && hit[0].distance >= 0 && hit[0].distance <= 1e-6f);
		}
		lh_index_close(ix);
	}
}

static void *slurp(size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	void *p;

	CHECK(f && fstat(fileno(f), &st) == 0);
	*n = (size_t)st.st_size;
	p = malloc(*n);
	CHECK(p && fread(p, 1, *n, f) == *n);
	fclose(f);
	return p;
}

static void one_thread_gives_the_same_bytes(void)
{
	size_t n[2];
	void *p[2];

	for (int i = 0; i < 2; i++) {
		lh_index_close(index_of(3000, LH_COSINE, 1000, 1));
		p[i] = slurp(&n[i]);
	}
	CHECK(n[0] == n[1] && !memcmp(p[0], p[1], n[0]));
	free(p[0]);
	free(p[1]);
}

static void the_last_of_an_id_wins(void)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	struct lh_index *ix;
	struct lh_row row;
	float v[2];

	lh_index_params_default(&p);
	p.layout = layout;
	p.distance = LH_L2;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w);
	put(w, "a", (float[]){ 1, 2 }, 2, "{\"v\":1}");
	put(w, "b", (float[]){ 3, 4 }, 2, "{\"v\":2}");
	put(w, "a", (float[]){ 5, 6 }, 2, "{\"v\":\"longer\"}");
	put(w, "b", (float[]){ 7, 8 }, 2, NULL);
	CHECK(lh_index_writer_count(w) == 2);
	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
	ix = lh_index_open(path, &err);
	CHECK(ix && lh_index_row(ix, 0, &row, &err) == 1);
	lh_index_vector(ix, 0, v);
	CHECK(v[0] == 5 && row.meta.n == 14 && !memcmp(row.meta.p, "{\"v\":\"longer\"}", 14));
	lh_index_vector(ix, 1, v);
	CHECK(lh_index_row(ix, 1, &row, &err) == 1 && v[1] == 8 && row.meta.n == 0);
	lh_index_close(ix);
}

static void refused(struct lh_index_writer *w, const char *id, size_t id_len, const float *v,
		    size_t n, const char *why)
{
	CHECK(lh_index_put(w, id, id_len, v, n, NULL, 0, &err) == -1);
	CHECK(err.code == LH_EDATA && strstr(err.msg, why));
}

static void bad_rows_are_refused(void)
{
	char id[LH_ID_MAX + 1];
	struct lh_index_params p;
	struct lh_index_writer *w;

	memset(id, 'x', sizeof id);
	lh_index_params_default(&p);
	p.layout = layout;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w);
	refused(w, "a", 1, (float[]){ 0, 0 }, 2, "zero vector");
	CHECK(lh_index_writer_params(w)->dimension == 0);
	refused(w, "a", 1, (float[]){ 0 }, 0, "dimension");
	put(w, "a", (float[]){ 1, 0 }, 2, NULL);
	refused(w, "", 0, (float[]){ 1, 0 }, 2, "empty id");
	refused(w, id, sizeof id, (float[]){ 1, 0 }, 2, "at most 1024");
	CHECK(lh_index_put(w, id, LH_ID_MAX, (float[]){ 1, 0 }, 2, NULL, 0, &err) == 0);
	refused(w, "\xff", 1, (float[]){ 1, 0 }, 2, "UTF-8");
	refused(w, "b", 1, (float[]){ 1, 0, 0 }, 3, "dimension 3");
	refused(w, "b", 1, (float[]){ 1, NAN }, 2, "NaN");
	refused(w, "b", 1, (float[]){ 1, INFINITY }, 2, "infinity");
	put(w, "tiny", (float[]){ 1e-45f, 0 }, 2, NULL);
	put(w, "vast", (float[]){ 3e38f, 3e38f }, 2, NULL);
	CHECK(lh_index_writer_count(w) == 4);
	lh_index_writer_free(w);
}

/* ---- filters ---- */

struct every {
	unsigned of, at;
	uint64_t calls;
};

static int every_nth(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	struct every *x = ctx;

	(void)r;
	(void)e;
	x->calls++;
	return (row * 2654435761u >> 7) % x->of == x->at;
}

static int none(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)ctx;
	(void)row;
	(void)r;
	(void)e;
	return 0;
}

static int broken(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)ctx;
	(void)row;
	(void)r;
	return lh_err_set(e, LH_ECORRUPT, "broken");
}

static bool same_hits(const struct lh_hit *a, const struct lh_hit *b, long n)
{
	while (n-- > 0)
		if (a[n].row != b[n].row || a[n].distance != b[n].distance)
			return false;
	return true;
}

static void filters_find_k_whenever_there_are_k(void)
{
	static const unsigned of[] = { 1, 2, 5, 15, 18, 22, 30, 300, 3000 };
	struct lh_index *ix = index_of(12000, LH_COSINE, 1000, 2);
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	struct lh_hit a[10], b[10];
	float v[DIM];

	CHECK(s);
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		unsigned same = 0, all = 0;
		struct lh_filter_cache *used = lh_filter_cache_new(ix, &err);
		uint64_t dropped = 0;

		CHECK(used);
		for (unsigned j = 0; j < 50; j++) {
			struct lh_filter_cache *fresh = lh_filter_cache_new(ix, &err);
			struct every f = { of[i], 0, 0 };
			struct lh_query q = { .vector = v,
					      .k = 10,
					      .ef = 128,
					      .exact = true,
					      .allow = every_nth,
					      .ctx = &f,
					      .filter_cache = fresh };
			struct lh_hit c[10];
			uint64_t met;
			long x, y;

			CHECK(fresh);

			point(v, j, DIM);
			lh_vec_unit(v, DIM);
			x = lh_index_search(s, &q, a, &err);
			CHECK(x == 10 || of[i] > 1000);
			CHECK(f.calls == 12000);
			q.exact = false;
			q.filter_cache = used;
			y = lh_index_search(s, &q, b, &err);
			CHECK(y == x);
			CHECK(of[i] > 1 ? q.dropped > 0 : q.dropped == 0);
			dropped += met = q.dropped;
			/* Results do not depend on what is cached. */
			f.calls = 0;
			q.filter_cache = fresh;
			CHECK(lh_index_search(s, &q, c, &err) == y && same_hits(b, c, y));
			CHECK(q.dropped == met && f.calls == 0);
			lh_filter_cache_free(fresh);
			for (long m = 0; m < x; m++, all++)
				for (long l = 0; l < y; l++)
					same += a[m].row == b[l].row;
		}
		printf("# one in %u: recall %.3f, %llu dropped a query\n", of[i],
		       (double)same / all, (unsigned long long)dropped / 50);
		lh_filter_cache_free(used);
		CHECK(same >= all * (of[i] < 20 ? 0.95 : 1));
	}
	lh_searcher_free(s);
	lh_index_close(ix);
}

static void a_filter_may_refuse_all_or_fail(void)
{
	struct lh_index *ix = index_of(6000, LH_COSINE, 1000, 2);
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	struct lh_hit hit[10];
	float v[DIM];
	struct lh_filter_cache *refused = lh_filter_cache_new(ix, &err),
			       *damaged = lh_filter_cache_new(ix, &err);
	uint64_t left[] = { 0, 17, 5999 };
	struct lh_query q = { .vector = v, .k = 10, .allow = none, .filter_cache = refused };

	CHECK(s && refused && damaged);
	lh_index_vector(ix, 0, v);
	CHECK(lh_index_search(s, &q, hit, &err) == 0 && q.dropped == 6000);
	q.exclude = left;
	q.n_exclude = 3;
	CHECK(lh_index_search(s, &q, hit, &err) == 0 && q.dropped == 5997);
	q.allow = broken;
	q.filter_cache = damaged;
	CHECK(lh_index_search(s, &q, hit, &err) == -1 && err.code == LH_ECORRUPT);
	CHECK(lh_index_search(s, &q, hit, &err) == -1 && err.code == LH_ECORRUPT);
	lh_filter_cache_free(refused);
	lh_filter_cache_free(damaged);
	q.allow = NULL;
	CHECK(lh_index_search(s, &q, hit, &err) == 10 && hit[0].row != 0 && q.dropped == 0);
	q.n_exclude = 0;
	CHECK(lh_index_search(s, &q, hit, &err) == 10 && hit[0].row == 0);
	q.k = 0;
	CHECK(lh_index_search(s, &q, hit, &err) == 0);
	lh_searcher_free(s);
	lh_index_close(ix);
}

static void k_may_exceed_the_rows(void)
{
	struct lh_hit *hit = calloc(LH_K_MAX, sizeof *hit);
	struct lh_index *ix = index_of(1500, LH_COSINE, 1000, 2);
	float v[DIM];

	CHECK(hit);
	lh_index_vector(ix, 3, v);
	CHECK(ask(ix, v, LH_K_MAX, false, hit) == 1500);
	CHECK(ask(ix, v, 1500, false, hit) == 1500);
	CHECK(ask(ix, v, 1499, false, hit) == 1499);
	free(hit);
	lh_index_close(ix);
}

/* 300 equal rows: their ids decide which of them are returned. */
static void ties_go_by_id(void)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	struct lh_index *ix;
	struct lh_hit hit[5];
	char id[16];

	lh_index_params_default(&p);
	p.layout = layout;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(id, sizeof id, "%03u", (i * 7 + 150) % 300);
		put(w, id, (float[]){ 3, 4, 5 }, 3, NULL);
	}
	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
	ix = lh_index_open(path, &err);
	CHECK(ix);
	CHECK(ask(ix, (float[]){ 1, 0, 0 }, 5, false, hit) == 5);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(id, sizeof id, "%03u", i);
		CHECK(hit[i].row == (uint64_t)lh_index_find(ix, id, 3, &err));
	}
	lh_index_close(ix);
}

/* Ids w-0 to w-99 move, w-100 to w-199 are deleted, new-0 to new-49 are added. */
static void change(void)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM];
	char id[32];
	bool due;

	CHECK(c);
	for (int i = 0; i < 250; i++) {
		snprintf(id, sizeof id, "%s-%d", i < 200 ? "w" : "new", i < 200 ? i : i - 200);
		point(v, (unsigned)i, DIM);
		if (i < 100 || i >= 200)
			CHECK(lh_index_change_put(c, id, strlen(id), v, DIM, NULL, 0, &err) == 0);
		else
			CHECK(lh_index_change_delete(c, id, strlen(id), &err) == 0);
	}
	CHECK(lh_index_change_commit(c, &due, &err) == 0 && !due);
	lh_index_change_close(c);
}

static void changes_show_at_once(void)
{
	struct lh_index *ix = index_of(3000, LH_COSINE, 1000, 2);
	struct lh_index_stats st;
	struct lh_hit hit[100];
	struct lh_row row;
	float v[DIM];

	lh_index_close(ix);
	change();
	ix = lh_index_open(path, &err);
	CHECK(ix);
	lh_index_get_stats(ix, &st);
	CHECK(st.live == 2950 && st.base == 3000 && st.pending == 150 && st.deleted == 100);
	CHECK(lh_index_find(ix, "w-150", 5, &err) == -1 &&
	      lh_index_find(ix, "new-7", 5, &err) >= 3000);
	CHECK(lh_index_find(ix, "w-50", 4, &err) >= 3000 &&
	      lh_index_find(ix, "w-250", 5, &err) < 3000);
	CHECK(recall(ix, 2950, LH_COSINE) >= 0.99);
	for (unsigned i = 0; i < 40; i++) {
		point(v, i, DIM);
		lh_vec_unit(v, DIM);
		CHECK(ask(ix, v, 100, false, hit) == 100);
		for (int j = 0; j < 100; j++) {
			CHECK(lh_index_row(ix, hit[j].row, &row, &err) == 1);
			CHECK(lh_index_find(ix, row.id.p, row.id.n, &err) == (int64_t)hit[j].row);
		}
	}
	lh_index_close(ix);
	ix = index_of(10, LH_COSINE, 1000, 1);
	lh_index_get_stats(ix, &st);
	CHECK(st.live == 10 && st.pending == 0);
	lh_index_close(ix);
}

static void test_layout(enum lh_layout is)
{
	layout = is;
	printf("# layout %s\n", lh_layout_name(is));
	test(rows_come_back(0));
	test(rows_come_back(500));
	test(rows_come_back(1500));
	test(every_size_is_searched());
	test(a_row_finds_itself());
	test(one_thread_gives_the_same_bytes());
	test(the_last_of_an_id_wins());
	test(bad_rows_are_refused());
	test(filters_find_k_whenever_there_are_k());
	test(a_filter_may_refuse_all_or_fail());
	test(k_may_exceed_the_rows());
	test(ties_go_by_id());
	test(changes_show_at_once());
}

int main(void)
{
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.lhv", dir);
	test_layout(LH_LAYOUT_HNSW);
	test_layout(LH_LAYOUT_QG);
	unlink(path);
	strcat(path, "-lock");
	unlink(path);
	return rmdir(dir) != 0;
}
