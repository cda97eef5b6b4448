/* Indexes of layout qg: their rows, and what changes of them give. */
#include "index_make.h"

#include <math.h>

#define DIM_MAX 208

static unsigned dim = 96;	/* 208: with codes */

static struct lh_index_params params;

/* Row i: near one of 40 centres. */
static void point(float *v, unsigned i)
{
	index_rng = i % 40 + 100;
	for (unsigned d = 0; d < dim; d++)
		v[d] = (float)index_real();
	index_rng = i * 7919u + 1;
	for (unsigned d = 0; d < dim; d++)
		v[d] += 0.6f * (float)index_real();
}

static void near_a_centre(struct index_row *r, unsigned i)
{
	r->dim = dim;
	point(r->v, i);
}

static void build(unsigned n, unsigned jobs)
{
	index_build(&params, near_a_centre, 0, n, jobs);
}

static long ask(struct lh_searcher *s, const float *v, size_t k, bool exact, struct lh_hit *out)
{
	struct lh_query q = { .vector = v, .k = k, .exact = exact };
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
		CHECK(ask(s, v, k, true, a) == (long)k);
		CHECK(ask(s, v, k, false, b) == (long)k);
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
	struct lh_index *ix = lh_index_open(PATH, &err);
	double r;

	CHECK(ix);
	r = recall(ix, k);
	lh_index_close(ix);
	return r;
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
		check_why(index_is_sound(), damage);
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
		CHECK((ix = lh_index_open(PATH, &err)) && (s = lh_searcher_new(ix, &err)));
		CHECK(ix->rows * ix->stride >= 4 << 20);
		if (i)
			build(3600, 2);
		CHECK(ask(s, v, 10, false, hit[2 * i]) == 10);
		CHECK(i || ask(s, v, 10, false, hit[1]) == 10);
		lh_searcher_free(s);
		lh_index_close(ix);
	}
	params = was;
	for (unsigned i = 0; i < 20; i++)
		check(hit[0][i % 10].row == hit[1 + i / 10][i % 10].row &&
		      hit[0][i % 10].distance == hit[1 + i / 10][i % 10].distance);
}

/* Build, add, and compact on that many threads; returns the file. */
static void *grown(unsigned jobs, size_t *n)
{
	build(3000, jobs);
	index_add(near_a_centre, 3000, 3400);
	CHECK(recall_now(10) >= 0.98);
	CHECK(lh_index_compact(PATH, jobs, 1, &err) == 0);
	return check_read(PATH, n);
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

/* The row of that number has another vector than the one that a build gives it. */
static void replaced_row(struct index_row *r, unsigned i)
{
	near_a_centre(r, i + 500000);
}

/* As if the first rows had been put again after the others. */
static unsigned first_new;
static void moved_row(struct index_row *r, unsigned i)
{
	if (i < first_new)
		near_a_centre(r, i);
	else
		replaced_row(r, i - first_new);
	snprintf(r->id, sizeof r->id, "id-%u", i % first_new);
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
		index_add(replaced_row, 0, replaced);
		CHECK(lh_index_compact(PATH, 1 + 2 * i, 1, &err) == 0);
		p[i] = check_read(PATH, &n[i]);
	}
	check(n[0] == n[1] && !memcmp(p[0], p[1], n[0]));
	check_why(index_is_sound(), damage);
	repaired = recall_now(10);
	first_new = 3000;
	index_build(&params, moved_row, replaced, 3000 + replaced, 2);
	p[2] = check_read(PATH, &n[2]);
	built = recall_now(10);
	printf("# %u replaced: recall %.3f; built: %.3f\n", replaced, repaired, built);
	check(n[0] == n[2] && !memcmp(p[0], p[2], n[0]) == !repairs);
	check(repaired >= built - 0.015);
	for (unsigned i = 0; i < 3; i++)
		free(p[i]);
}

/* Equal vectors, more than any row has links. */
static void often_equal(struct index_row *r, unsigned i)
{
	near_a_centre(r, i % 16 ? i : i % 32);
}

static void equal_vectors_do_not_cut_the_graph(void)
{
	index_build(&params, often_equal, 0, 4000, 2);
	check_why(index_is_sound(), damage);
	printf("# recall %.3f\n", recall_now(10));
	CHECK(recall_now(10) >= 0.97);
}

#define WRONG_CODES "rows: row 17: the codes of its links are wrong"

/* Change a byte of a row, or make its unit so many times larger, with checksums that fit; what
 * the file was, it is again. */
static void falsify(size_t offset, float times, const char *message)
{
	size_t n;
	unsigned char *was = check_read(PATH, &n), *p = check_read(PATH, &n);
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
	check_write(PATH, p, n);
	check_why(!index_is_sound() && strstr(damage, message), damage);
	check_write(PATH, was, n);
	free(was);
	free(p);
}

#define LONG 4200

/* Row i with a length from 0.1 to 10, or a thousand times longer. */
static void mixed(struct index_row *r, unsigned i)
{
	float length;

	near_a_centre(r, i);
	lh_vec_unit(r->v, dim);
	index_rng = i * 31u + 7;
	index_real();
	length = (float)exp(2.3025851 * index_real()) * (i == LONG ? 1000 : 1);
	for (unsigned d = 0; d < dim; d++)
		r->v[d] *= length;
}

/* Return the share of the greatest products that are found without an ef; row LONG, if it is there
 * and has the greatest, is first. */
static double recall_of_products(bool with_long)
{
	struct lh_index *ix = lh_index_open(PATH, &err);
	struct lh_searcher *s = ix ? lh_searcher_new(ix, &err) : NULL;
	struct lh_hit a[10], b[10];
	int64_t row = ix ? lh_index_find(ix, "id-4200", 7, &err) : -1;
	unsigned same = 0, first = 0;

	CHECK(s);
	for (unsigned i = 0; i < 100; i++) {
		struct index_row q = index_row(mixed, 1000000 + i);

		CHECK(ask(s, q.v, 10, true, a) == 10 && ask(s, q.v, 10, false, b) == 10);
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

static void forget_the_long_one(void)
{
	struct lh_index_change *c = index_begin();

	CHECK(lh_index_change_delete(c, "id-4200", 7, &err) == 0);
	index_end(c);
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
	CHECK(unlink(PATH) == 0 && lh_index_create(PATH, &p, 1, &err) == 0);
	index_add(mixed, check_is_small() ? 1500 : 0, 4000);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(lh_index_compact(PATH, 2, 1, &err) == 0);
		check_why(index_is_sound(), damage);
		r[i] = recall_of_products(i == 2);
		if (i < 2)
			index_add(mixed, 4000 + 200 * i, 4200 + 201 * i);
		else if (i == 2)
			forget_the_long_one();
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
	CHECK(index_is_sound());
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
	index_rng = i % 40 + 100;
	for (unsigned d = 0; d < 64; d++)
		v[d] = (float)index_real();
	index_rng = i * 7919u + 1;
	for (unsigned d = 0; d < 64; d++)
		v[d] += 0.6f * (float)index_real();
	for (unsigned d = 0; d < 128; d++)
		v[(text ? 192 : 64) + d] = 1 + (float)index_real();
}

static void picture_row(struct index_row *r, unsigned i)
{
	r->dim = PICTURE;
	picture(r->v, i, false);
}

static void estimates_that_are_noise_give_way_to_measures(void)
{
	struct lh_index_params p = params;
	struct lh_query q = { .k = 10 };
	struct lh_hit exact[10], found[10];
	struct lh_searcher *s;
	struct lh_index *ix;
	unsigned same = 0, texts = 50;
	float v[PICTURE];

	p.dimension = 0;
	index_build(&p, picture_row, 0, 6000, 1);
	CHECK(ix = lh_index_open(PATH, &err));
	CHECK(s = lh_searcher_new(ix, &err));
	q.vector = v;
	for (unsigned i = 0; i < texts; i++) {
		picture(v, 1000000 + i, true);
		lh_vec_unit(v, PICTURE);
		CHECK(ask(s, v, 10, true, exact) == 10);
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
	check_folder();
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
	return 0;
}
