/* Indexes of layout qg: their rows, and what changes of them give. */
#include "check.h"
#include "index/index_parts.h"
#include "base/xxh3.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(x) check_why(x, err.msg)
#define DIM_MAX 208

static unsigned dim = 96;	/* 208: with codes */

static struct lh_err err;
static char dir[] = "/tmp/lh-test-qg-XXXXXX", path[64];
static uint64_t rng = 1;
static struct lh_index_params params;
static char damage[256];

static double rnd(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (double)(rng >> 33) / (1u << 30) - 1;
}

/* Row i: near one of 40 centres. */
static void point(float *v, unsigned i)
{
	rng = i % 40 + 100;
	for (unsigned d = 0; d < dim; d++)
		v[d] = (float)rnd();
	rng = i * 7919u + 1;
	for (unsigned d = 0; d < dim; d++)
		v[d] += 0.6f * (float)rnd();
}

static void build_rows(unsigned from, unsigned to, unsigned jobs)
{
	struct lh_index_writer *w = lh_index_writer_new(path, &params, 1, &err);
	float v[DIM_MAX];
	char id[16];

	CHECK(w);
	for (unsigned i = from; i < to; i++) {
		point(v, i);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "w-%u", i), v, dim, NULL, 0, &err) ==
		      0);
	}
	CHECK(lh_index_commit(w, jobs, &err) == 0);
	lh_index_writer_free(w);
}

static void build(unsigned n, unsigned jobs)
{
	build_rows(0, n, jobs);
}

/* Put rows from one number to another; delete others. */
static void change(unsigned from, unsigned to, unsigned del_from, unsigned del_to)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM_MAX];
	char id[16];
	bool due;

	CHECK(c);
	for (unsigned i = from; i < to; i++) {
		point(v, i);
		CHECK(lh_index_change_put(c, id, (size_t)sprintf(id, "w-%u", i), v, dim, NULL, 0,
					  &err) == 0);
	}
	for (unsigned i = del_from; i < del_to; i++)
		CHECK(lh_index_change_delete(c, id, (size_t)sprintf(id, "w-%u", i), &err) == 0);
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
}

static void note(void *ctx, const char *section, const char *text)
{
	(void)ctx;
	snprintf(damage, sizeof damage, "%s: %s", section, text);
}

static bool is_sound(void)
{
	*damage = '\0';
	CHECK(lh_index_verify(path, note, NULL, &err) == 0);
	return !*damage;
}

static long ask(struct lh_searcher *s, const float *v, size_t k, bool exact,
		const uint64_t *exclude, size_t n_exclude, struct lh_hit *out)
{
	struct lh_query q = { .vector = v, .k = k, .exact = exact, .exclude = exclude,
			      .n_exclude = n_exclude };
	long n = lh_index_search(s, &q, out, &err);

	CHECK(n >= 0);
	return n;
}

/* Return the share of the true results of 50 queries that are found, out of k each. */
static double recall(struct lh_index *ix, size_t k)
{
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	struct lh_hit a[100], b[100];
	unsigned same = 0;
	float v[DIM_MAX];

	CHECK(s);
	for (unsigned i = 0; i < 50; i++) {
		point(v, 1000000 + i);
		if (params.distance == LH_COSINE)
			lh_vec_unit(v, dim);
		CHECK(ask(s, v, k, true, NULL, 0, a) == (long)k);
		CHECK(ask(s, v, k, false, NULL, 0, b) == (long)k);
		for (size_t j = 0; j < k; j++) {
			CHECK(!j || b[j - 1].distance <= b[j].distance);
			/* equal rows are results in any choice */
			same += b[j].distance <= a[k - 1].distance + 1e-6f;
		}
	}
	lh_searcher_free(s);
	return (double)same / (double)(50 * k);
}

static double recall_now(size_t k)
{
	struct lh_index *ix = lh_index_open(path, &err);
	double r;

	CHECK(ix);
	r = recall(ix, k);
	lh_index_close(ix);
	return r;
}

static void *slurp(size_t *n)
{
	FILE *f = fopen(path, "rb");
	void *p;

	CHECK(f && fseek(f, 0, SEEK_END) == 0);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n);
	CHECK(p && fread(p, 1, *n, f) == *n);
	fclose(f);
	return p;
}

static void every_kind_is_found_and_sound(void)
{
	static const enum lh_precision precisions[] = { LH_F32, LH_F16, LH_I8, LH_I8 };

	for (size_t i = 0; i < 8; i++) {
		params.precision = precisions[i % 4];
		params.rescore = i % 4 == 3;
		params.distance = i < 4 ? LH_COSINE : LH_L2;
		params.m = i % 2 ? 16 : 32;
		build(check_is_small() ? 2500 : 3500, 2);
		check_why(is_sound(), damage);
		printf("# %s, %s, m %u: recall %.3f\n", lh_precision_name(params.precision),
		       lh_distance_name(params.distance), params.m, recall_now(10));
		CHECK(recall_now(10) >= 0.98 && recall_now(100) >= 0.98);
	}
	params.distance = LH_COSINE;
	params.m = 16;
}

/* The first walk reads rows, the second visits them in the map; and so does the first if another
 * file is at the path by then. */
static void a_row_is_the_same_read_and_mapped(void)
{
	const struct lh_index_params was = params;
	struct lh_hit hit[3][10];
	float v[DIM_MAX];

	params.precision = LH_F32;
	params.rescore = false;
	point(v, 1000000);
	for (unsigned i = 0; i < 2; i++) {
		struct lh_index *ix;
		struct lh_searcher *s;

		build(3500, 2);
		CHECK((ix = lh_index_open(path, &err)) && (s = lh_searcher_new(ix, &err)));
		CHECK(ix->rows * ix->stride >= 4 << 20);
		if (i)
			build(3600, 2);
		CHECK(ask(s, v, 10, false, NULL, 0, hit[2 * i]) == 10);
		CHECK(i || ask(s, v, 10, false, NULL, 0, hit[1]) == 10);
		lh_searcher_free(s);
		lh_index_close(ix);
	}
	params = was;
	check(!memcmp(hit[0], hit[1], sizeof *hit) && !memcmp(hit[0], hit[2], sizeof *hit));
}

/* Build, add, and compact on that many threads; returns the file. */
static void *grown(unsigned jobs, size_t *n)
{
	build(3000, jobs);
	change(3000, 3400, 0, 0);
	CHECK(recall_now(10) >= 0.98);
	CHECK(lh_index_compact(path, jobs, 1, &err) == 0);
	return slurp(n);
}

static void any_number_of_threads_gives_the_same_bytes(void)
{
	size_t n[2];
	void *p[2];

	for (unsigned i = 0; i < 2; i++)
		p[i] = grown(1 + 2 * i, &n[i]);
	check(n[0] == n[1] && !memcmp(p[0], p[1], n[0]));
	free(p[0]);
	free(p[1]);
}

/* Give the first n rows other vectors. */
static void replace(unsigned n)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM_MAX];
	char id[16];
	bool due;

	CHECK(c);
	for (unsigned i = 0; i < n; i++) {
		point(v, i + 500000);
		CHECK(lh_index_change_put(c, id, (size_t)sprintf(id, "w-%u", i), v, dim, NULL, 0,
					  &err) == 0);
	}
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
}

/* Build the index that replace and a compaction give, from nothing. */
static void *build_replaced(unsigned of, unsigned n, size_t *bytes)
{
	struct lh_index_writer *w = lh_index_writer_new(path, &params, 1, &err);
	float v[DIM_MAX];
	char id[16];

	CHECK(w);
	for (unsigned i = n; i < of + n; i++) {
		point(v, i < of ? i : i - of + 500000);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "w-%u", i % of), v, dim, NULL, 0,
				   &err) == 0);
	}
	CHECK(lh_index_commit(w, 2, &err) == 0);
	lh_index_writer_free(w);
	return slurp(bytes);
}

/* The graph is repaired or, if more than a quarter of the rows are gone, built again; any
 * number of threads gives the same bytes. */
static void replaced_rows_leave_no_holes(unsigned replaced, bool repairs)
{
	double repaired, built;
	size_t n[3];
	void *p[3];

	for (unsigned i = 0; i < 2; i++) {
		build(3000, 2);
		replace(replaced);
		CHECK(lh_index_compact(path, 1 + 2 * i, 1, &err) == 0);
		p[i] = slurp(&n[i]);
	}
	check(n[0] == n[1] && !memcmp(p[0], p[1], n[0]));
	check_why(is_sound(), damage);
	repaired = recall_now(10);
	p[2] = build_replaced(3000, replaced, &n[2]);
	built = recall_now(10);
	printf("# %u replaced: recall %.3f; built: %.3f\n", replaced, repaired, built);
	check(n[0] == n[2] && !memcmp(p[0], p[2], n[0]) == !repairs);
	check(repaired >= built - 0.015);
	for (unsigned i = 0; i < 3; i++)
		free(p[i]);
}

/* Equal vectors, more than any row has links. */
static void equal_vectors_do_not_cut_the_graph(void)
{
	struct lh_index_writer *w = lh_index_writer_new(path, &params, 1, &err);
	float v[DIM_MAX];
	char id[16];

	CHECK(w);
	for (unsigned i = 0; i < 4000; i++) {
		point(v, i % 16 ? i : i % 32);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "w-%u", i), v, dim, NULL, 0, &err) ==
		      0);
	}
	CHECK(lh_index_commit(w, 2, &err) == 0);
	lh_index_writer_free(w);
	check_why(is_sound(), damage);
	printf("# recall %.3f\n", recall_now(10));
	CHECK(recall_now(10) >= 0.97);
}

#define WRONG_CODES "rows: row 17: the codes of its links are wrong"

static void write_all(const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	CHECK(f && fwrite(p, n, 1, f) == 1 && fclose(f) == 0);
}

/* Change a byte of a row, or make its unit so many times larger, with checksums that fit; what
 * the file was, it is again. */
static void falsify(size_t offset, float times, const char *message)
{
	size_t n;
	unsigned char *was = slurp(&n), *p = slurp(&n);
	struct lh_index_header *h = (void *)p;
	struct lh_index_section *s = h->section + 1;
	unsigned char *at = p + s->at + 17 * h->stride + offset;
	_Float16 *factor = (void *)(at + sizeof(float));

	*at ^= times == 1;
	for (unsigned i = 0; times > 1 && i < 4 * params.m; i++)
		factor[i] = (_Float16)((float)factor[i] / times);
	if (times > 1)
		*(float *)(void *)at *= times;
	s->xxh3 = lh_xxh3(p + s->at, s->bytes);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
	write_all(p, n);
	check_why(!is_sound() && strstr(damage, message), damage);
	write_all(was, n);
	free(was);
	free(p);
}

/* Row i with a length from 0.1 to 10. */
static void mixed(float *v, unsigned i)
{
	float length;

	point(v, i);
	lh_vec_unit(v, dim);
	rng = i * 31u + 7;
	rnd();
	length = (float)exp(2.3025851 * rnd());
	for (unsigned d = 0; d < dim; d++)
		v[d] *= length;
}

/* Return the share of the greatest products that are found without an ef; row LONG, if it is there
 * and has the greatest, is first. */
#define LONG 4200
static double recall_of_products(bool with_long)
{
	struct lh_index *ix = lh_index_open(path, &err);
	struct lh_searcher *s = ix ? lh_searcher_new(ix, &err) : NULL;
	struct lh_hit a[10], b[10];
	int64_t row = ix ? lh_index_find(ix, "w-4200", 6, &err) : -1;
	unsigned same = 0, first = 0;
	float v[DIM_MAX];

	CHECK(s);
	for (unsigned i = 0; i < 100; i++) {
		mixed(v, 1000000 + i);
		CHECK(ask(s, v, 10, true, NULL, 0, a) == 10 && ask(s, v, 10, false, NULL, 0, b) ==
									10);
		for (unsigned j = 0; j < 10; j++)
			same += b[j].distance <= a[9].distance + 1e-6f * fabsf(a[9].distance);
		first += (int64_t)a[0].row == row;
		check((int64_t)a[0].row != row || b[0].row == a[0].row);
	}
	check((first > 20) == with_long);
	lh_searcher_free(s);
	lh_index_close(ix);
	return same / 1000.0;
}

static void put_mixed(unsigned from, unsigned to)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM_MAX];
	char id[16];
	bool due;

	CHECK(c);
	for (unsigned i = from; i < to; i++) {
		mixed(v, i);
		for (unsigned d = 0; i == LONG && d < dim; d++)
			v[d] *= 1000;
		CHECK(lh_index_change_put(c, id, (size_t)sprintf(id, "w-%u", i), v, dim, NULL, 0,
					  &err) == 0);
	}
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
}

/* By inner product: rows of mixed length, with one that is a thousand times longer, which is
 * found before and after a compaction; and rows are added to the graph. */
static void products_are_found(enum lh_precision precision)
{
	struct lh_index_params p = params;
	double r[4];

	p.distance = LH_IP;
	p.precision = precision;
	p.rescore = false;
	p.dimension = dim;
	CHECK(unlink(path) == 0 && lh_index_create(path, &p, 1, &err) == 0);
	put_mixed(check_is_small() ? 1500 : 0, 4000);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(lh_index_compact(path, 2, 1, &err) == 0);
		check_why(is_sound(), damage);
		r[i] = recall_of_products(i == 2);
		if (i < 2)
			put_mixed(4000 + 200 * i, 4200 + 201 * i);
		else if (i == 2)
			change(0, 0, LONG, LONG + 1);
		check(i == 3 || recall_of_products(i == 1) >= 0.98);
	}
	printf("# %s: recall %.3f, with more rows %.3f, with a long one %.3f, without it %.3f\n",
	       lh_precision_name(precision), r[0], r[1], r[2], r[3]);
	check(r[0] >= 0.98 && r[1] >= 0.98 && r[2] >= 0.98 && r[3] >= 0.98);
}

static void wrong_codes_are_damage(void)
{
	struct lh_index_shape shape;

	params.precision = LH_I8;
	build(2000, 1);
	CHECK(is_sound());
	params.dimension = dim;
	params.code_values = lh_qg_code_values(dim, params.precision);
	lh_index_get_shape(&params, true, &shape);
	falsify(shape.codes_at + 100, 1, WRONG_CODES);
	falsify(shape.unit_at + 1, 1, WRONG_CODES);
	falsify(shape.add_at + 1, 1, WRONG_CODES);
	falsify(shape.rescale_at + 1, 1, WRONG_CODES);
	falsify(shape.stride - 1, 1, WRONG_CODES);
	falsify(shape.ids_at + 3, 1, "rows: row 17: a link to row ");
	falsify(shape.unit_at, 32, WRONG_CODES);
}

#define PICTURE 512

/* A picture or a text: what it means is in the first 64 values, how it is in others. */
static void picture(float *v, unsigned i, bool text)
{
	memset(v, 0, PICTURE * sizeof *v);
	rng = i % 40 + 100;
	for (unsigned d = 0; d < 64; d++)
		v[d] = (float)rnd();
	rng = i * 7919u + 1;
	for (unsigned d = 0; d < 64; d++)
		v[d] += 0.6f * (float)rnd();
	for (unsigned d = 0; d < 128; d++)
		v[(text ? 192 : 64) + d] = 1 + (float)rnd();
}

static void estimates_that_are_noise_give_way_to_measures(void)
{
	struct lh_index_params p = params;
	struct lh_index_writer *w;
	struct lh_query q = { .k = 10 };
	struct lh_hit exact[10], found[10];
	struct lh_searcher *s;
	struct lh_index *ix;
	unsigned same = 0, texts = 50;
	float v[PICTURE];
	char id[16];

	p.dimension = 0;
	CHECK(w = lh_index_writer_new(path, &p, 1, &err));
	for (unsigned i = 0; i < 6000; i++) {
		picture(v, i, false);
		CHECK(lh_index_put(w, id, (size_t)sprintf(id, "p-%u", i), v, PICTURE, NULL, 0,
				   &err) == 0);
	}
	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
	CHECK(ix = lh_index_open(path, &err));
	CHECK(s = lh_searcher_new(ix, &err));
	q.vector = v;
	for (unsigned i = 0; i < texts; i++) {
		picture(v, 1000000 + i, true);
		lh_vec_unit(v, PICTURE);
		CHECK(ask(s, v, 10, true, NULL, 0, exact) == 10);
		q.ef = 150;
		CHECK(lh_index_search(s, &q, found, &err) == 10);
		check(q.work.measured > 4 * q.work.walked && q.work.restarts == 0);
		for (unsigned j = 0; j < 10; j++)
			same += found[j].distance <= exact[9].distance + 1e-6f;
	}
	printf("# recall %.3f\n", same / (10.0 * texts));
	check(same >= 490);	/* 470 by estimates alone */
	lh_searcher_free(s);
	lh_index_close(ix);
}

int main(void)
{
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.lhv", dir);
	lh_index_params_default(&params);
	params.ef_construction = 60;
	test(every_kind_is_found_and_sound());
	dim = DIM_MAX;
	test(a_row_is_the_same_read_and_mapped());
	test_full(every_kind_is_found_and_sound());
	test(wrong_codes_are_damage());
	params.dimension = 0;
	test_full(any_number_of_threads_gives_the_same_bytes());
	dim = 96;
	test_full(any_number_of_threads_gives_the_same_bytes());
	test_full(replaced_rows_leave_no_holes(30, true));
	test_full(replaced_rows_leave_no_holes(750, true));
	test_plain(replaced_rows_leave_no_holes(751, false));
	test(equal_vectors_do_not_cut_the_graph());
	test_plain(products_are_found(LH_F32));
	test(products_are_found(LH_I8));
	test_plain(estimates_that_are_noise_give_way_to_measures());
	unlink(path);
	strcat(path, "-lock");
	unlink(path);
	strcpy(path + strlen(path) - 4, "log");
	unlink(path);
	return rmdir(dir) != 0;
}
