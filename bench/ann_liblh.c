/*
 * ann_liblh.c - measure the index of liblh as a library.
 *
 *     ann_liblh build DATA DIM M EFC THREADS INDEX PRECISION[+rescore]
 *     ann_liblh truth INDEX QUERIES K TRUTH
 *     ann_liblh query INDEX QUERIES K TRUTH EF...
 *
 * The commands are those of ann_hnswlib.cc; truth writes the result of an exact
 * scan.  The id of a row is its number.
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

static void set_precision(struct lh_index_params *to, const char *name)
{
	size_t n = strcspn(name, "+");

	to->rescore = !strcmp(name + n, "+rescore");
	for (to->precision = LH_F32; to->precision <= LH_I8; to->precision++)
		if (!strncmp(name, lh_precision_name(to->precision), n))
			return;
	fprintf(stderr, "liblh: no precision %s\n", name);
	exit(2);
}

static void build(char **a)
{
	struct matrix m = matrix_read(a[0], strtoul(a[1], NULL, 10));
	struct lh_index_params p;
	struct lh_index_writer *w;
	struct clocks from = clocks_now();
	char id[24];
	size_t i;

	lh_index_params_default(&p);
	p.m = (uint32_t)strtoul(a[2], NULL, 10);
	p.ef_construction = (uint32_t)strtoul(a[3], NULL, 10);
	set_precision(&p, a[6]);
	w = lh_index_writer_new(a[5], &p, 0, &err);
	if (!w)
		fail();
	for (i = 0; i < m.n; i++)
		if (lh_index_put(w, id, (size_t)sprintf(id, "%zu", i), m.v + i * m.dim, m.dim, NULL,
				 0, &err) < 0)
			fail();
	free(m.v);
	if (lh_index_commit(w, (unsigned)strtoul(a[4], NULL, 10), &err) < 0)
		fail();
	lh_index_writer_free(w);
	say_build(m.n, clocks_since(from));
}

static void search(size_t k, size_t ef, int exact, uint32_t *out, struct matrix m,
		   struct lh_searcher *s)
{
	struct lh_hit *hit = calloc(k, sizeof *hit);
	size_t i, j;
	long n;

	for (i = 0; i < m.n; i++) {
		struct lh_query q = { .vector = m.v + i * m.dim, .k = k, .ef = ef, .exact = exact };

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

static void truth(char **a)
{
	struct lh_index *ix;
	struct matrix m;
	struct lh_searcher *s = open_index(a, &ix, &m);
	size_t k = strtoul(a[2], NULL, 10);
	uint32_t *out = calloc(m.n * k, sizeof *out);
	FILE *f = fopen(a[3], "wb");

	search(k, 0, 1, out, m, s);
	number_rows(ix, out, m.n * k);
	if (!f || fwrite(out, k * sizeof *out, m.n, f) != m.n || fclose(f))
		die(a[3]);
	lh_searcher_free(s);
	lh_index_close(ix);
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
			search(k, strtoul(*ef, NULL, 10), 0, out, m, s);
		from = clocks_now();
		search(k, strtoul(*ef, NULL, 10), 0, out, m, s);
		took = clocks_since(from);
		number_rows(ix, out, m.n * k);
		say_queries(strtol(*ef, NULL, 10), m.n, took, recall_of(a[3], out, m.n, k));
	}
	lh_searcher_free(s);
	lh_index_close(ix);
}

int main(int argc, char **argv)
{
	if (argc == 9 && !strcmp(argv[1], "build"))
		build(argv + 2);
	else if (argc == 6 && !strcmp(argv[1], "truth"))
		truth(argv + 2);
	else if (argc >= 7 && !strcmp(argv[1], "query"))
		query(argv + 2);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_liblh.c\n"), 2;
	return 0;
}
