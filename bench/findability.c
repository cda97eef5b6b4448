/*
 * findability.c - measure filtered searches whose matches depend on the query.
 *
 *     findability SET INDEX ROWS QUERIES N
 *
 * ROWS and QUERIES are raw f32, of which the first N are asked; row i of ROWS is the i-th that
 * was put into INDEX.  Prints a line for each share of rows that match, and each way in which
 * they depend on the query:
 *
 *     SET SHARE WAY RECALL RATIO MICROSECONDS MEASURED WALKED CHOICE
 *
 * A row matches by chance.  independent: each of the same; near: the nearest hundredth by 0.9 (or
 * less, if that is more than the share), others by the rest; far: the nearest hundredth never,
 * others by the share.  RECALL is of the ten hits of an exact search.  RATIO is of the processor time
 * of a search whose filter is cached, less that of one with ten matches and 25 us, and of a scan
 * that knows the matching rows of ROWS.  MICROSECONDS are those of a
 * search, MEASURED and WALKED its rows, and CHOICE the part of searches that ended by a walk.
 */
#include "ann_data.h"
#include "vector/distance.h"
#include "index/index_tools.h"

#include <math.h>
#include <string.h>

#define K 10
#define FREE 25e-6

static const double shares[] = { .9, .5, .25, .1, .05, .01, .001, .0001 };
static const char *const ways[] = { "independent", "near", "far" };
static struct lh_err err;

struct bench {
	struct matrix rows, queries;
	struct lh_index *ix;
	struct lh_searcher *s;
	uint32_t *nth;		/* by the row's number in the index: that in rows */
	float *distance;
	uint32_t *order;	/* of the query: rows, nearest first */
	bool *match;		/* by the number in rows */
	const float **matching;
	size_t n;		/* rows that match */
};

struct cell {
	double search, ten, scan;
	size_t found, all, measured, walked, choice;
};

static void *zeros(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die("memory");
	return p;
}

static void fail(void)
{
	fprintf(stderr, "findability: %s\n", err.msg);
	exit(2);
}

static double uniform(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static int by_distance(const void *a, const void *b, void *distance)
{
	const float *d = distance, x = d[*(const uint32_t *)a], y = d[*(const uint32_t *)b];

	return x > y ? -1 : x < y;
}

static void sort_rows(struct bench *b, const float *query)
{
	for (size_t i = 0; i < b->rows.n; i++) {
		b->matching[i] = b->rows.v + i * b->rows.dim;
		b->order[i] = (uint32_t)i;
	}
	lh_vec_dot_rows()(query, b->matching, b->rows.n, b->rows.dim, b->distance);
	qsort_r(b->order, b->rows.n, sizeof *b->order, by_distance, b->distance);
}

/* Draw the rows that match. */
static void draw(struct bench *b, double share, unsigned way, uint64_t seed)
{
	double rows = (double)b->rows.n, near = floor(rows / 100), p[2] = { share, share };

	if (way == 1)
		p[0] = fmin(.9, share * rows / near);
	if (way == 2)
		p[0] = 0;
	p[1] = fmin(1, (share * rows - p[0] * near) / (rows - near));
	b->n = 0;
	for (size_t i = 0; i < b->rows.n; i++) {
		b->match[b->order[i]] = uniform(&seed) < p[(double)i >= near];
	}
	for (size_t i = 0; i < b->rows.n; i++)
		if (b->match[i])
			b->matching[b->n++] = b->rows.v + i * b->rows.dim;
}

static int allow(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	const struct bench *b = ctx;

	(void)r;
	(void)e;
	return b->match[b->nth[row]];
}

/* Return the processor time of a scan of the matching rows for the ten nearest. */
static double scan(struct bench *b, const float *query)
{
	double from = processor_time();
	float best[K] = { 0 };
	volatile float last;
	size_t i, at, n = 0;

	lh_vec_dot_rows()(query, b->matching, b->n, b->rows.dim, b->distance);
	for (i = 0; i < b->n; i++) {
		if (n == K && b->distance[i] <= best[K - 1])
			continue;
		for (at = n < K ? n++ : K - 1; at && best[at - 1] < b->distance[i]; at--)
			best[at] = best[at - 1];
		best[at] = b->distance[i];
	}
	last = best[K - 1];
	(void)last;
	return processor_time() - from;
}

/* Return the processor time of a search whose filter is known. */
static double search(struct bench *b, const float *query, bool exact, struct lh_hit *hit, long *n,
		     struct lh_query *q)
{
	double from;

	*q = (struct lh_query){ .vector = query, .k = K, .allow = allow, .ctx = b, .exact = exact,
				.filter_cache = lh_filter_cache_new(b->ix) };
	if (lh_index_search(b->s, q, hit, &err) < 0)
		fail();
	from = processor_time();
	*n = lh_index_search(b->s, q, hit, &err);
	from = processor_time() - from;
	lh_filter_cache_free(q->filter_cache);
	return from;
}

static void ask(struct bench *b, const float *query, struct cell *c)
{
	struct lh_hit hit[K], truth[K];
	struct lh_query q;
	long hits, n, i;

	c->scan += scan(b, query);
	c->search += search(b, query, false, hit, &hits, &q);
	c->measured += q.work.measured;
	c->walked += q.work.walked;
	c->choice += !q.work.filter_scanned;
	search(b, query, true, truth, &n, &q);
	c->all += (size_t)n;
	for (i = 0; i < hits; i++)
		c->found += hit[i].distance <= truth[n - 1].distance;
	memset(b->match, 0, b->rows.n * sizeof *b->match);
	for (i = 0; i < K; i++)
		b->match[(size_t)i * (b->rows.n / K)] = true;
	c->ten += search(b, query, false, hit, &hits, &q);
}

static void number_rows(struct bench *b)
{
	struct lh_row unused;
	uint64_t i, row;

	for (i = 0; i < b->rows.n; i++) {
		if (lh_index_nth_row(b->ix, i, &row, &unused, &err) < 0)
			fail();
		b->nth[row] = (uint32_t)i;
	}
}

static void print(const char *set, size_t asked, const struct cell *c, double share,
		  const char *way)
{
	double ours = c->search - c->ten - FREE * (double)asked;

	printf("%s\t%g\t%s\t%.4f\t%.2f\t%.0f\t%.0f\t%.0f\t%.2f\n", set, share, way,
	       c->all ? (double)c->found / (double)c->all : 1, fmax(ours, 0) / c->scan,
	       1e6 * c->search / (double)asked, (double)c->measured / (double)asked,
	       (double)c->walked / (double)asked, (double)c->choice / (double)asked);
}

int main(int argc, char **argv)
{
	struct cell cell[sizeof shares / sizeof *shares][3] = { 0 };
	struct bench b = { .ix = argc == 6 ? lh_index_open(argv[2], &err) : NULL };
	size_t asked = argc == 6 ? strtoul(argv[5], NULL, 10) : 0, i, s, w;

	if (!asked)
		return fprintf(stderr, "usage: see the head of bench/findability.c\n"), 2;
	b.s = b.ix ? lh_searcher_new(b.ix, &err) : NULL;
	if (!b.s)
		fail();
	b.rows = matrix_read(argv[3], lh_index_get_params(b.ix)->dimension);
	b.queries = matrix_read(argv[4], b.rows.dim);
	b.nth = zeros(lh_index_rows(b.ix), sizeof *b.nth);
	b.distance = zeros(b.rows.n, sizeof *b.distance);
	b.order = zeros(b.rows.n, sizeof *b.order);
	b.match = zeros(b.rows.n, sizeof *b.match);
	b.matching = zeros(b.rows.n, sizeof *b.matching);
	number_rows(&b);
	asked = asked < b.queries.n ? asked : b.queries.n;
	for (i = 0; i < asked; i++) {
		const float *query = b.queries.v + i * b.rows.dim;

		sort_rows(&b, query);
		for (s = 0; s < sizeof shares / sizeof *shares; s++)
			for (w = 0; w < 3; w++) {
				draw(&b, shares[s], w, 24 * i + 3 * s + w);
				ask(&b, query, &cell[s][w]);
			}
	}
	for (s = 0; s < sizeof shares / sizeof *shares; s++)
		for (w = 0; w < 3; w++)
			print(argv[1], asked, &cell[s][w], shares[s], ways[w]);
	lh_index_close(b.ix);
	return 0;
}
