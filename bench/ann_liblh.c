/*
 * ann_liblh.c - the index of liblh, driven as a library.
 *
 *     ann_liblh build DATA DIM M EFC THREADS INDEX
 *     ann_liblh truth INDEX QUERIES K TRUTH
 *     ann_liblh query INDEX QUERIES K EF TRUTH ROUNDS
 *
 * build says rows/s and peak MiB, query says queries/s of each round, then
 * recall.  Rows have their number as id.
 */
#include "ann_data.h"
#include "lh_lhv.h"

#include <string.h>

static struct lh_err err;

static void fail(void)
{
	fprintf(stderr, "liblh: %s\n", err.msg);
	exit(2);
}

static void build(char **a)
{
	struct matrix m = matrix_read(a[0], strtoul(a[1], NULL, 10));
	struct lh_lhv_params p;
	struct lh_lhv_writer *w;
	double from = now();
	char id[24];
	size_t i;

	lh_lhv_params_default(&p);
	p.m = (uint32_t)strtoul(a[2], NULL, 10);
	p.ef_construction = (uint32_t)strtoul(a[3], NULL, 10);
	w = lh_lhv_writer_new(a[5], &p, 0, &err);
	if (!w)
		fail();
	for (i = 0; i < m.n; i++)
		if (lh_lhv_put(w, id, (size_t)sprintf(id, "%zu", i), m.v + i * m.dim, m.dim, NULL, 0, &err) < 0)
			fail();
	free(m.v);
	if (lh_lhv_commit(w, (unsigned)strtoul(a[4], NULL, 10), &err) < 0)
		fail();
	lh_lhv_writer_free(w);
	printf("%.1f rows/s, peak %ld MiB\n", (double)m.n / (now() - from), peak_mib());
}

static void search(size_t k, size_t ef, int exact, uint32_t *out, struct matrix m, struct lh_searcher *s)
{
	struct lh_hit *hit = calloc(k, sizeof *hit);
	size_t i, j;
	long n;

	for (i = 0; i < m.n; i++) {
		struct lh_query q = { .vector = m.v + i * m.dim, .k = k, .ef = ef, .exact = exact };

		n = lh_lhv_search(s, &q, hit, &err);
		if (n < 0)
			fail();
		for (j = 0; j < k; j++)
			out[i * k + j] = j < (size_t)n ? (uint32_t)hit[j].row : UINT32_MAX;
	}
	free(hit);
}

static void query(char **a, int exact)
{
	struct lh_lhv *ix = lh_lhv_open(a[0], &err);
	struct lh_searcher *s = ix ? lh_searcher_new(ix, &err) : NULL;
	size_t k = strtoul(a[2], NULL, 10), ef = exact ? 0 : strtoul(a[3], NULL, 10);
	struct matrix m;
	uint32_t *out;
	FILE *f;
	double from;

	if (!s)
		fail();
	m = matrix_read(a[1], lh_lhv_get_params(ix)->dimension);
	out = calloc(m.n * k, sizeof *out);
	for (long rounds = exact ? 1 : strtol(a[5], NULL, 10); rounds > 0; rounds--) {
		from = now();
		search(k, ef, exact, out, m, s);
		printf("%.1f queries/s\n", (double)m.n / (now() - from));
		fflush(stdout);
	}
	if (exact) {
		f = fopen(a[3], "wb");
		if (!f || fwrite(out, k * sizeof *out, m.n, f) != m.n || fclose(f))
			die(a[3]);
	} else {
		printf("recall %.4f, peak %ld MiB\n", recall_of(a[4], out, m.n, k), peak_mib());
	}
	lh_searcher_free(s);
	lh_lhv_close(ix);
}

int main(int argc, char **argv)
{
	if (argc == 8 && !strcmp(argv[1], "build"))
		build(argv + 2);
	else if (argc == 6 && !strcmp(argv[1], "truth"))
		query(argv + 2, 1);
	else if (argc == 8 && !strcmp(argv[1], "query"))
		query(argv + 2, 0);
	else
		return fprintf(stderr, "usage: see the head of bench/ann_liblh.c\n"), 2;
	return 0;
}
