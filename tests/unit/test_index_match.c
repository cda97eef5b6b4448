/* A filter cache shared by threads: results are those of one thread, and of a plain
 * check of every row, with pending changes and excluded rows. */
#include "check.h"
#include <lh/index.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define CHECK(x) check_why(x, err.msg)
#define DIM 16
#define ROWS 9000
#define K 10
#define QUERIES 40
#define LEFT 4
#define THREADS 4

static __thread struct lh_err err;
static char dir[] = "/tmp/lh-test-match-XXXXXX";
static char path[64];
static unsigned of;	/* one row in so many matches */

static void point(float *v, unsigned i)
{
	uint64_t x = i * 0x9e3779b97f4a7c15u + 1;

	for (unsigned d = 0; d < DIM; d++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		v[d] = (float)(x >> 40) / (1 << 23) - 1;
	}
	lh_vec_unit(v, DIM);
}

static unsigned number(struct lh_str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= '0' && s.p[i] <= '9')
			n = 10 * n + (unsigned)(s.p[i] - '0');
	return n;
}

static int allow(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)row;
	(void)e;
	++*(uint64_t *)ctx;
	return (number(r->meta) * 2654435761u >> 7) % of == 0;
}

/* Make 9,000 rows, of which every eleventh is deleted and every seventh has new
 * metadata, and 300 more, all in the log. */
static struct lh_index *make(void)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	struct lh_index_change *c;
	char id[16], meta[32];
	float v[DIM];
	struct lh_index *ix;
	bool due;

	lh_index_params_default(&p);
	p.dimension = DIM;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w);
	for (unsigned i = 0; i < ROWS; i++) {
		point(v, i);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "%u", i), v, DIM, meta,
				   (size_t)sprintf(meta, "{\"n\":%u}", i), &err) == 0);
	}
	CHECK(lh_index_commit(w, 2, &err) == 0);
	lh_index_writer_free(w);
	c = lh_index_change_open(path, 1, &err);
	CHECK(c);
	for (unsigned i = 0; i < ROWS + 300; i++) {
		size_t n = (size_t)sprintf(id, "%u", i);

		point(v, i);
		if (i < ROWS && i % 11 == 0)
			CHECK(lh_index_change_delete(c, id, n, &err) == 0);
		else if (i >= ROWS || i % 7 == 0)
			CHECK(lh_index_change_put(c, id, n, v, DIM, meta,
						  (size_t)sprintf(meta, "{\"n\":%u}", i + 1),
						  &err) == 0);
	}
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
	ix = lh_index_open(path, &err);
	CHECK(ix);
	return ix;
}

struct answer {
	struct lh_hit hit[K];
	uint64_t dropped;
	long n;
};

struct asker {
	const struct lh_index *ix;
	struct lh_filter_cache *filter_cache;
	bool exact;
	uint64_t calls;
	struct answer a[QUERIES];
};

static void *ask(void *arg)
{
	struct asker *x = arg;
	struct lh_searcher *s = lh_searcher_new(x->ix, &err);
	float v[DIM];

	CHECK(s);
	for (unsigned i = 0; i < QUERIES; i++) {
		uint64_t left[LEFT] = { i, i + 500, i + 500, lh_index_rows(x->ix) - 1 };
		struct lh_query q = {
			.vector = v,
			.k = K,
			.ef = 40,
			.exact = x->exact,
			.allow = allow,
			.ctx = &x->calls,
			.filter_cache = x->filter_cache,
			.exclude = left,
			.n_exclude = LEFT,
		};

		point(v, i * 77);
		x->a[i].n = lh_index_search(s, &q, x->a[i].hit, &err);
		CHECK(x->a[i].n >= 0);
		x->a[i].dropped = q.dropped;
	}
	lh_searcher_free(s);
	return NULL;
}

static bool same(const struct answer *a, const struct answer *b)
{
	if (a->n != b->n || a->dropped != b->dropped)
		return false;
	for (long i = 0; i < a->n; i++)
		if (a->hit[i].row != b->hit[i].row || a->hit[i].distance != b->hit[i].distance)
			return false;
	return true;
}

/* Check the hits, and the number refused, row by row. */
static void check_exact(const struct lh_index *ix, const struct asker *x)
{
	uint64_t calls, rows = lh_index_rows(ix);
	struct lh_row r;
	float v[DIM], q[DIM];

	for (unsigned i = 0; i < QUERIES; i += 13) {
		const struct answer *a = &x->a[i];
		uint64_t refused = 0, nearer = 0, match = 0;

		point(q, i * 77);
		for (uint64_t row = 0; row < rows; row++) {
			if (row == i || row == i + 500 || row == rows - 1 ||
			    !lh_index_row(ix, row, &r, &err))
				continue;
			if (!allow(&calls, row, &r, &err)) {
				refused++;
				continue;
			}
			match++;
			lh_index_vector(ix, row, v);
			nearer += (float)(1 - lh_vec_dot_f64(q, v, DIM)) <
				  a->hit[a->n - 1].distance;
		}
		CHECK(a->n == (match < K ? (long)match : K) && nearer == (uint64_t)a->n - 1 &&
		      a->dropped == refused);
	}
}

static void threads_agree(const struct lh_index *ix, bool exact)
{
	static struct asker alone, many[THREADS];
	struct lh_filter_cache *shared = lh_filter_cache_new(ix, &err);
	pthread_t thread[THREADS];
	uint64_t calls = 0;

	alone = (struct asker){ .ix = ix,
				.filter_cache = lh_filter_cache_new(ix, &err),
				.exact = exact };
	CHECK(shared && alone.filter_cache);
	ask(&alone);
	if (exact)
		check_exact(ix, &alone);
	for (unsigned t = 0; t < THREADS; t++) {
		many[t] = (struct asker){ .ix = ix, .filter_cache = shared, .exact = exact };
		CHECK(pthread_create(&thread[t], NULL, ask, &many[t]) == 0);
	}
	for (unsigned t = 0; t < THREADS; t++) {
		CHECK(pthread_join(thread[t], NULL) == 0);
		for (unsigned i = 0; i < QUERIES; i++)
			CHECK(same(&alone.a[i], &many[t].a[i]));
		calls += many[t].calls;
	}
	/* The work is shared: each row is evaluated once, by one thread. */
	CHECK(alone.calls <= lh_index_rows(ix) && (!exact || calls == alone.calls));
	lh_filter_cache_free(alone.filter_cache);
	lh_filter_cache_free(shared);
}

int main(void)
{
	static const unsigned each[] = { 1, 2, 8, 50, 900 };
	char file[80];
	struct lh_index *ix;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/m.lhv", dir);
	ix = make();
	for (unsigned i = 0; i < sizeof each / sizeof *each; i++) {
		of = each[i];
		test(threads_agree(ix, false));
		test(threads_agree(ix, true));
	}
	lh_index_close(ix);
	unlink(path);
	snprintf(file, sizeof file, "%s-log", path);
	unlink(file);
	snprintf(file, sizeof file, "%s-lock", path);
	unlink(file);
	rmdir(dir);
	return 0;
}
