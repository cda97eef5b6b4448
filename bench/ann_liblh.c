/*
 * ann_liblh.c - measure the index of liblh as a library.
 *
 *     ann_liblh query INDEX QUERIES K TRUTH EF...
 *
 * The command is that of ann_hnswlib.cc; ef 0 is the default.  A row's number is that of
 * its insertion.
 */
#include "ann_data.h"
#include "index/index_tools.h"

#include <string.h>

static struct lh_err err;

static void fail(void)
{
	fprintf(stderr, "liblh: %s\n", err.msg);
	exit(2);
}

static void search(size_t k, size_t ef, uint32_t *out, struct matrix m, struct lh_searcher *s)
{
	struct lh_hit *hit = calloc(k, sizeof *hit);
	size_t i, j;
	long n;

	for (i = 0; i < m.n; i++) {
		struct lh_query q = { .vector = m.v + i * m.dim, .k = k, .ef = ef };

		n = lh_index_search(s, &q, hit, &err);
		if (n < 0)
			fail();
		for (j = 0; j < k; j++)
			out[i * k + j] = j < (size_t)n ? (uint32_t)hit[j].row : UINT32_MAX;
	}
	free(hit);
}

/* Number rows in the order of the puts, as the peers do. */
static void number_rows(const struct lh_index *ix, uint32_t *found, size_t n)
{
	uint64_t i, row, rows = lh_index_rows(ix);
	uint32_t *nth = calloc(rows, sizeof *nth);
	struct lh_row unused;

	for (i = 0; i < rows; i++) {
		if (lh_index_nth_row(ix, i, &row, &unused, &err) < 0)
			fail();
		nth[row] = (uint32_t)i;
	}
	for (i = 0; i < n; i++)
		if (found[i] != UINT32_MAX)
			found[i] = nth[found[i]];
	free(nth);
}

static struct lh_searcher *open_index(char **a, struct lh_index **ix, struct matrix *m)
{
	struct lh_searcher *s;

	*ix = lh_index_open(a[0], &err);
	s = *ix ? lh_searcher_new(*ix, &err) : NULL;
	if (!s)
		fail();
	*m = matrix_read(a[1], lh_index_get_params(*ix)->dimension);
	return s;
}

static void query(char **a)
{
	struct lh_index *ix;
	struct matrix m;
	struct lh_searcher *s = open_index(a, &ix, &m);
	size_t k = strtoul(a[2], NULL, 10);
	uint32_t *out = calloc(m.n * k, sizeof *out);
	struct clocks from, took;
	char **ef;

	for (ef = a + 4; *ef; ef++) {
		if (ef == a + 4)
			search(k, strtoul(*ef, NULL, 10), out, m, s);
		from = clocks_now();
		search(k, strtoul(*ef, NULL, 10), out, m, s);
		took = clocks_since(from);
		number_rows(ix, out, m.n * k);
		say_queries(strtol(*ef, NULL, 10), m.n, took, recall_of(a[3], out, m.n, k));
	}
	lh_searcher_free(s);
	lh_index_close(ix);
}

int main(int argc, char **argv)
{
	if (argc >= 7 && !strcmp(argv[1], "query"))
		query(argv + 2);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_liblh.c\n"), 2;
	return 0;
}
