/* Indexes quantized to f16 and i8, with and without the f32 vectors: what is read back,
 * its error, and the effect of compaction. */
#include "check.h"
#include "index/index_tools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(x) check_why(x, err.msg)
#define DIM 96
#define ROWS 1200

static const struct kind {
	int precision;
	bool rescore;
	double own;		/* most distance of a row from itself */
	double recall;		/* against the original vectors */
} kinds[] = {
	{ LH_F16, false, 1e-3, 0.99 },
	{ LH_I8, false, 1e-2, 0.9 },
	{ LH_F16, true, 1e-6, 0.999 },
	{ LH_I8, true, 1e-6, 0.99 },
};

static struct lh_err err;
static char dir[] = "/tmp/lh-test-precision-XXXXXX";
static char path[64], other[64];
static float data[ROWS][DIM];

/* Make row i of the test data, of unit length. */
static void point(float *v, unsigned i)
{
	uint64_t centre = i % 40 + 100, noise = i * 0x9e3779b97f4a7c15u + 1;
	unsigned d;

	for (d = 0; d < DIM; d++) {
		centre = centre * 6364136223846793005u + 1442695040888963407u;
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		v[d] = (float)((double)(centre >> 33) / (1u << 30) - 1 +
			       0.7 * ((double)(noise >> 33) / (1u << 30) - 1));
	}
	lh_vec_unit(v, DIM);
}

static void params(struct lh_index_params *p, const struct kind *k, int distance)
{
	lh_index_params_default(p);
	p->dimension = DIM;
	p->distance = distance;
	p->precision = k->precision;
	p->rescore = k->rescore;
	p->exact_below = 400;
	p->ef_construction = 60;
}

static struct lh_index_writer *writer(const char *file, const struct kind *k, int distance)
{
	struct lh_index_params p;
	struct lh_index_writer *w;

	params(&p, k, distance);
	w = lh_index_writer_new(file, &p, 1, &err);
	CHECK(w);
	return w;
}

static struct lh_index *commit(struct lh_index_writer *w, const char *file)
{
	struct lh_index *ix;

	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
	ix = lh_index_open(file, &err);
	CHECK(ix);
	return ix;
}

static struct lh_index *index_of(unsigned n, const struct kind *k, int distance)
{
	struct lh_index_writer *w = writer(path, k, distance);
	char id[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof id, "w-%u", i);
		CHECK(lh_index_put(w, id, strlen(id), data[i], DIM, NULL, 0, &err) == 0);
	}
	return commit(w, path);
}

static void on_damage_never(void *ctx, const char *section, const char *text)
{
	(void)ctx;
	printf("test_index_precision: %s: %s\n", section, text);
	exit(1);
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

static double distance(int metric, const float *a, const float *b)
{
	if (metric == LH_L2)
		return sqrt(lh_vec_l2sq_f64(a, b, DIM));
	return 1 - lh_vec_dot_f64(a, b, DIM);
}

/* Return which point a row is. */
static unsigned point_of(const struct lh_index *ix, uint64_t at)
{
	struct lh_row row;
	char id[32] = "";

	CHECK(lh_index_row(ix, at, &row, &err) == 1 && row.id.n < sizeof id);
	memcpy(id, row.id.p, row.id.n);
	return (unsigned)atoi(id + 2);
}

/* Count the hits among the ten points nearest by these distances. */
static unsigned right(const struct lh_index *ix, const double *d, unsigned n,
		      const struct lh_hit *hit, long got)
{
	unsigned hits = 0, nearer;

	for (long j = 0; j < got; j++) {
		double mine = d[point_of(ix, hit[j].row)];

		nearer = 0;
		for (unsigned i = 0; i < n; i++)
			nearer += d[i] < mine;
		hits += nearer < 10;
	}
	return hits;
}

static void neighbours_are_found(unsigned n, const struct kind *k, int metric)
{
	struct lh_index *ix = index_of(n, k, metric);
	unsigned same[2] = { 0, 0 }, all = 0;
	struct lh_hit hit[10];
	double d[ROWS];
	float v[DIM];
	long got;

	for (unsigned i = 0; i < 30; i++) {
		point(v, 1000003 * i + 17);
		for (unsigned j = 0; j < n; j++)
			d[j] = distance(metric, v, data[j]);
		for (int exact = 0; exact < 2; exact++) {
			got = ask(ix, v, 10, exact, hit);
			CHECK(got == (n < 10 ? n : 10));
			same[exact] += right(ix, d, n, hit, got);
			for (long j = 0; j < got; j++) {
				CHECK(fabs(hit[j].distance - d[point_of(ix, hit[j].row)]) <=
				      (k->rescore ? 1e-6 : 0.02));
				CHECK(!j || hit[j - 1].distance <= hit[j].distance);
			}
		}
		all += (unsigned)got;
	}
	printf("# %s%s, %s, %u rows: recall %.4f, exact %.4f\n", lh_precision_name(k->precision),
	       k->rescore ? " rescore" : "", lh_distance_name(metric), n,
	       all ? (double)same[0] / all : 1, all ? (double)same[1] / all : 1);
	CHECK(same[0] >= k->recall * all && same[1] >= k->recall * all);
	CHECK(!k->rescore || same[1] == all);
	CHECK(lh_index_verify(path, on_damage_never, NULL, &err) == 0);
	lh_index_close(ix);
}

static void a_row_finds_itself(const struct kind *k, int metric)
{
	struct lh_index *ix = index_of(700, k, metric);
	struct lh_hit hit[1];
	float v[DIM];

	for (unsigned i = 0; i < 700; i += 7) {
		point(v, i);
		CHECK(ask(ix, v, 1, i % 2, hit) == 1);
		CHECK(point_of(ix, hit[0].row) == i && hit[0].distance >= 0);
		CHECK(metric == LH_L2 ? hit[0].distance <= 0.05 : hit[0].distance <= k->own);
		lh_index_vector(ix, hit[0].row, v);	/* as stored */
		CHECK(ask(ix, v, 1, true, hit) == 1);
		CHECK(point_of(ix, hit[0].row) == i &&
		      hit[0].distance <=
			      (metric == LH_L2 || k->precision == LH_I8 ? 1e-6 : k->own));
	}
	lh_index_close(ix);
}

static void *slurp(const char *file, size_t *n)
{
	FILE *f = fopen(file, "rb");
	struct stat st;
	void *p;

	CHECK(f && fstat(fileno(f), &st) == 0);
	*n = (size_t)st.st_size;
	p = malloc(*n + 1);
	CHECK(p && fread(p, 1, *n, f) == *n);
	fclose(f);
	return p;
}

static void same_bytes(void)
{
	size_t n[2];
	void *a = slurp(path, &n[0]), *b = slurp(other, &n[1]);

	CHECK(n[0] == n[1] && !memcmp(a, b, n[0]));
	free(a);
	free(b);
}

/* An index written from what was read is the same. */
static void reading_and_writing_again_changes_nothing(const struct kind *k, int metric)
{
	struct lh_index *ix = index_of(600, k, metric);
	struct lh_index_writer *w = writer(other, k, metric);
	struct lh_row row;
	uint64_t at;
	float v[DIM];

	for (uint64_t i = 0; i < 600; i++) {
		CHECK(lh_index_nth_row(ix, i, &at, &row, &err) == 1);
		lh_index_vector(ix, at, v);
		CHECK(lh_index_put(w, row.id.p, row.id.n, v, DIM, NULL, 0, &err) == 0);
	}
	lh_index_close(commit(w, other));
	lh_index_close(ix);
	same_bytes();
}

static void change(unsigned from, unsigned n)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM];
	char id[32];
	bool due;

	CHECK(c);
	for (unsigned i = from; i < from + n; i++) {
		point(v, i);
		snprintf(id, sizeof id, "w-%u", i);
		CHECK(lh_index_change_put(c, id, strlen(id), v, DIM, "{}", 2, &err) == 0);
	}
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
}

/* Pending rows are f32; after compaction they are as if built with the others, and rows
 * put again with the same vector stay where they are. */
static void compaction_gives_what_a_build_does(const struct kind *k, int metric)
{
	struct lh_index *ix = index_of(600, k, metric);
	struct lh_index_stats st;
	struct lh_hit hit[1];
	float v[DIM], w[DIM];

	lh_index_close(ix);
	change(590, 60);
	ix = lh_index_open(path, &err);
	CHECK(ix);
	point(v, 630);
	CHECK(ask(ix, v, 1, false, hit) == 1);
	CHECK(hit[0].distance <= 1e-6f && hit[0].row >= 600);
	lh_index_vector(ix, hit[0].row, w);
	CHECK(!memcmp(v, w, sizeof v));
	lh_index_close(ix);
	CHECK(lh_index_compact(path, 1, 1, &err) == 0);
	CHECK(lh_index_verify(path, on_damage_never, NULL, &err) == 0);
	CHECK(rename(path, other) == 0);
	ix = index_of(650, k, metric);
	lh_index_get_stats(ix, &st);
	CHECK(st.live == 650 && st.pending == 0);
	lh_index_close(ix);
	same_bytes();
}

static void f16_has_its_bounds(void)
{
	struct lh_index_writer *w = writer(path, &kinds[0], LH_L2);
	struct lh_index_change *c;
	float v[DIM] = { 65504 };

	CHECK(lh_index_put(w, "a", 1, v, DIM, NULL, 0, &err) == 0);
	v[7] = -65505;
	CHECK(lh_index_put(w, "b", 1, v, DIM, NULL, 0, &err) == -1 && err.code == LH_EDATA);
	CHECK(strstr(err.msg, "f16"));
	lh_index_close(commit(w, path));
	c = lh_index_change_open(path, 1, &err);
	CHECK(c && lh_index_change_put(c, "b", 1, v, DIM, NULL, 0, &err) == -1 &&
	      err.code == LH_EDATA);
	lh_index_change_close(c);
	w = writer(path, &kinds[0], LH_COSINE);
	CHECK(lh_index_put(w, "b", 1, v, DIM, NULL, 0, &err) == 0);
	lh_index_writer_free(w);
}

/* A change checked for one precision may not fit another. */
static void a_change_is_for_one_precision(void)
{
	struct lh_index_change *c;
	float v[DIM] = { 1e6f };
	bool due;

	lh_index_close(index_of(3, &kinds[1], LH_L2));
	c = lh_index_change_open(path, 1, &err);
	CHECK(c && lh_index_change_put(c, "big", 3, v, DIM, NULL, 0, &err) == 0);
	lh_index_close(index_of(3, &kinds[0], LH_L2));
	CHECK(lh_index_change_commit(c, &due, &err) == -1 && strstr(err.msg, "precision f16"));
	lh_index_change_close(c);
}

static void rescore_is_for_codes(void)
{
	struct lh_index_params p;

	params(&p, &(struct kind){ .precision = LH_F32, .rescore = true }, LH_COSINE);
	CHECK(!lh_index_writer_new(path, &p, 1, &err) && err.code == LH_EUSAGE);
	p.precision = LH_I8 + 1;
	CHECK(!lh_index_writer_new(path, &p, 1, &err) && err.code == LH_EUSAGE);
}

int main(void)
{
	static const unsigned sizes[] = { 0, 1, 200, ROWS };

	for (unsigned i = 0; i < ROWS; i++)
		point(data[i], i);
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.lhv", dir);
	snprintf(other, sizeof other, "%s/b.lhv", dir);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (int metric = LH_COSINE; metric <= LH_IP; metric++) {
			for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
				test(neighbours_are_found(sizes[j], &kinds[i], metric));
			if (metric != LH_IP)
				test(a_row_finds_itself(&kinds[i], metric));
			test(reading_and_writing_again_changes_nothing(&kinds[i], metric));
			test(compaction_gives_what_a_build_does(&kinds[i], metric));
		}
	test(f16_has_its_bounds());
	test(a_change_is_for_one_precision());
	test(rescore_is_for_codes());
	unlink(path);
	unlink(other);
	strcat(path, "-lock");
	strcat(other, "-lock");
	unlink(path);
	unlink(other);
	return rmdir(dir) != 0;
}
