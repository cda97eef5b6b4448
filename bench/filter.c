/*
 * filter.c - compare a filtered search with an exact scan of the matching rows.
 *
 *     filter INDEX QUERIES FILTER ROUNDS
 *
 * QUERIES are raw f32, FILTER is JSON.  The scan knows the matching rows of the
 * index, which must be f32, and measures them in place.  Search and scan run in turn
 * for each query.  Prints for FILTER: matching rows, recall@10, processor time of
 * the first search; then, as medians over the rounds, of a search and of a scan,
 * and their ratio.
 */
#include "ann_data.h"
#include "filter/metadata_filter.h"
#include "index/index_parts.h"

#include <string.h>

#define K 10

static struct lh_err err;

static void fail(void)
{
	fprintf(stderr, "filter: %s\n", err.msg);
	exit(2);
}

static int allow(void *filter, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)row;
	return lh_filter_match(filter, r->meta.p, r->meta.n, e);
}

static struct lh_filter *compile(const char *text)
{
	struct lh_filter *f = lh_filter_new();
	struct lh_record scan;
	struct lh_value v;
	struct lh_buf padded = { 0 };

	lh_record_init(&scan);
	lh_buf_puts(&padded, text);
	if (lh_buf_check(&padded, &err) < 0 ||
	    lh_json_parse(&scan, padded.p, padded.len, &v, &err) < 0 ||
	    lh_filter_compile(f, &v, &err) < 0)
		fail();
	lh_record_free(&scan);
	lh_buf_free(&padded);
	return f;
}

struct matching {
	const float **row;
	uint64_t *number;
	float *distance;
	size_t n;
};

static struct matching matching_of(const struct lh_index *ix, struct lh_filter *f)
{
	uint64_t rows = lh_index_rows(ix), i;
	struct matching m = { calloc(rows, sizeof *m.row), calloc(rows, sizeof *m.number),
			      calloc(rows, sizeof *m.distance), 0 };
	struct lh_row r;

	if (!m.row || !m.number || !m.distance)
		die("filter");
	for (i = 0; i < rows; i++) {
		if (lh_index_row(ix, i, &r, &err) <= 0 ||
		    lh_filter_match(f, r.meta.p, r.meta.n, &err) <= 0)
			continue;
		m.row[m.n] = lh_index_code(ix, i);
		m.number[m.n++] = i;
	}
	return m;
}

static void scan(struct matching *m, const float *query, size_t dim, uint64_t *out, size_t *found)
{
	float best[K];
	size_t i, at, n = 0;

	lh_vec_dot_rows()(query, m->row, m->n, dim, m->distance);
	for (i = 0; i < m->n; i++) {
		if (n == K && m->distance[i] <= best[K - 1])
			continue;
		for (at = n < K ? n++ : K - 1; at && best[at - 1] < m->distance[i]; at--) {
			best[at] = best[at - 1];
			out[at] = out[at - 1];
		}
		best[at] = m->distance[i];
		out[at] = m->number[i];
	}
	*found = n;
}

struct times {
	double scan, search, first;
	size_t same, all;
};

static void round_of(struct lh_searcher *s, struct lh_query *q, struct matching *m,
		     struct matrix queries, struct times *t)
{
	struct lh_hit hit[K];
	uint64_t truth[K];
	size_t i, j, found;
	double from;
	long n;

	memset(t, 0, sizeof *t);
	for (i = 0; i < queries.n; i++) {
		q->vector = queries.v + i * queries.dim;
		from = processor_time();
		scan(m, q->vector, queries.dim, truth, &found);
		t->scan += processor_time() - from;
		from = processor_time();
		n = lh_index_search(s, q, hit, &err);
		t->search += processor_time() - from;
		if (n < 0)
			fail();
		if (!i)
			t->first = t->search;
		for (j = 0; j < found; j++)
			for (long l = 0; l < n; l++)
				t->same += truth[j] == hit[l].row;
		t->all += found;
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, by_size);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 5 ? strtoul(argv[4], NULL, 10) : 0, i;
	double *scans = calloc(rounds, sizeof *scans), *searches = calloc(rounds, sizeof *searches),
	       *ratios = calloc(rounds, sizeof *ratios);
	struct lh_index *ix = rounds ? lh_index_open(argv[1], &err) : NULL;
	struct lh_searcher *s = ix ? lh_searcher_new(ix, &err) : NULL;
	struct lh_query q = { .k = K,
			      .allow = allow,
			      .filter_cache = s ? lh_filter_cache_new(ix) : NULL };
	struct matching m;
	struct matrix queries;
	struct times t;
	double first = 0;

	if (!rounds)
		return fprintf(stderr, "usage: filter INDEX QUERIES FILTER ROUNDS\n"), 2;
	if (!q.filter_cache || !scans || !searches || !ratios)
		fail();
	q.ctx = compile(argv[3]);
	queries = matrix_read(argv[2], lh_index_get_params(ix)->dimension);
	m = matching_of(ix, q.ctx);
	for (i = 0; i < rounds; i++) {
		round_of(s, &q, &m, queries, &t);
		if (!i)
			first = t.first;
		scans[i] = t.scan / (double)queries.n;
		searches[i] = t.search / (double)queries.n;
		ratios[i] = t.scan / t.search;
	}
	printf("%zu\t%.4f\t%.2f\t%.3f\t%.3f\t%.2f\n", m.n, (double)t.same / (double)t.all,
	       1e3 * first, 1e3 * median(searches, rounds), 1e3 * median(scans, rounds),
	       median(ratios, rounds));
	return 0;
}
