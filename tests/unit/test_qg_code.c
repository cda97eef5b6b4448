/*
 * 1-bit codes of neighbours: estimates are near the distances, sums are those of the bits,
 * and every kernel gives the same bytes.
 */
#include "check.h"
#include "base/xxh3.h"
#include "vector/graph.h"

#include "vector/distance.h"

#include <math.h>
#include <sys/mman.h>

#define CHECK(x) check_why(x, what)
#define MAX 4096
#define LANES LH_QG_LANES

static char what[100];
static const uint32_t sizes[] = { 1,   3,   63,  64,   65,	100,  128,  200,  256, 320,
				  448, 768, 769, 1000, 1024, 1028, 1088, 2048, 4000 };
#define SIZES (sizeof sizes / sizeof *sizes)

static unsigned char signs[MAX / 2], codes[MAX * 4];
static float vector[LANES + 2][MAX], turned[LANES + 2][MAX], f_add[LANES], f_rescale[LANES];
static const struct lh_qg_factors factors = { f_add, f_rescale, 1 };
static struct lh_qg_query query;
static uint32_t values_max = MAX;	/* that codes keep at most */

static double rnd(void)
{
	return (double)random() / (1 << 30) - 1;
}

/* Draw a row, its neighbours, and a query that is near the row too. */
static void draw(uint32_t n, double spread)
{
	for (uint32_t i = 0; i < n; i++) {
		vector[LANES][i] = (float)rnd();
		for (size_t r = 0; r < LANES + 2; r++)
			if (r != LANES)
				vector[r][i] = (float)(vector[LANES][i] + spread * rnd());
	}
}

static uint32_t values_of(uint32_t n)
{
	uint32_t dim = lh_qg_dimension(n);

	return dim < values_max ? dim : values_max;
}

/* Encode what was drawn; the query is the last vector. */
static void encode(uint32_t n)
{
	lh_qg_signs(n, n, signs);
	for (size_t r = 0; r < LANES + 2; r++)
		lh_qg_rotate(signs, vector[r], n, turned[r]);
	memset(codes, 0xa5, sizeof codes);
	for (unsigned r = 0; r < LANES; r++)
		lh_qg_encode(lh_qg_dimension(n), values_of(n), turned[LANES], turned[r], r, codes,
			     &f_add[r], &f_rescale[r]);
	lh_qg_query_init(&query, n, values_of(n));
	lh_qg_query_set(&query, signs, vector[LANES + 1]);
}

static bool bit_of(unsigned lane, uint32_t i)
{
	return codes[16 * (i / 4) + lane % 16] >> (i % 4 + lane / 16 * 4) & 1;
}

static void rotation_keeps_lengths_and_products(void)
{
	for (size_t s = 0; s < SIZES; s++) {
		uint32_t n = sizes[s], dim = lh_qg_dimension(n);
		double size;

		snprintf(what, sizeof what, "n %u", n);
		CHECK(dim >= n && dim % 64 == 0 && dim < n + 64);
		draw(n, 0.5);
		encode(n);
		size = lh_vec_dot_f64(vector[0], vector[0], n);
		CHECK(fabs(lh_vec_dot_f64(turned[0], turned[0], dim) - size) < 1e-5 * size);
		CHECK(fabs(lh_vec_dot_f64(turned[0], turned[1], dim) -
			   lh_vec_dot_f64(vector[0], vector[1], n)) < 1e-5 * size);
		lh_qg_query_free(&query);
	}
}

/* A vector with one value is spread over all. */
static void rotation_spreads_values(void)
{
	for (size_t s = 3; s < SIZES; s++) {
		uint32_t n = sizes[s], dim = lh_qg_dimension(n), i, large = 0;

		snprintf(what, sizeof what, "n %u", n);
		memset(vector[0], 0, sizeof vector[0]);
		vector[0][n - 1] = 1;
		lh_qg_signs(7, n, signs);
		lh_qg_rotate(signs, vector[0], n, turned[0]);
		for (i = 0; i < dim; i++)
			large += fabsf(turned[0][i]) > 0.2 / sqrt(dim);
		CHECK(large > dim / 2);
	}
}

static void codes_are_the_signs_of_differences(void)
{
	for (size_t s = 0; s < SIZES; s++) {
		uint32_t n = sizes[s], dim = lh_qg_dimension(n), i;

		draw(n, 0.5);
		encode(n);
		for (unsigned r = 0; r < LANES; r++) {
			double square = 0, size = 0, along = 0, add, o;

			snprintf(what, sizeof what, "n %u, lane %u", n, r);
			for (i = 0; i < dim; i++) {
				o = turned[r][i] - turned[LANES][i];
				square += o * o;
				if (i >= values_of(n))
					continue;
				CHECK(bit_of(r, i) == (o > 0));
				size += fabs(o) / 2;
				along += (bit_of(r, i) - 0.5) * turned[LANES][i];
			}
			add = square + 2 * square * along / size;
			CHECK(fabs(f_add[r] - add) <
			      1e-4 * (square + fabs(square * along / size)));
			CHECK(fabs(f_rescale[r] + 2 * square / size) < 1e-4 * square / size);
		}
		lh_qg_query_free(&query);
	}
}

static void one_lane_is_recoded_alone(void)
{
	static unsigned char before[MAX * 4];
	uint32_t n = 768, i;

	draw(n, 0.5);
	encode(n);
	memcpy(before, codes, sizeof codes);
	lh_qg_encode(n, n, turned[LANES], turned[3], 20, codes, &f_add[20], &f_rescale[20]);
	CHECK(f_add[20] == f_add[3] && f_rescale[20] == f_rescale[3]);
	for (i = 0; i < n; i++)
		CHECK(bit_of(20, i) == bit_of(3, i));
	lh_qg_encode(n, n, turned[LANES], turned[20], 20, codes, &f_add[20], &f_rescale[20]);
	CHECK(!memcmp(before, codes, sizeof codes));
	lh_qg_query_free(&query);
}

static void a_neighbour_that_is_equal_adds_nothing(void)
{
	float out[LANES];

	draw(300, 0);
	encode(300);
	for (size_t r = 0; r < LANES; r++)
		CHECK(f_add[r] == 0 && f_rescale[r] == 0);
	check(lh_qg_estimate(&query, codes, &factors, 2.5f, 2.5f, out) == 0);
	for (size_t r = 0; r < LANES; r++)
		CHECK(out[r] == 2.5f);
	lh_qg_query_free(&query);
}

static void sums_are_those_of_the_bits(void)
{
	uint32_t sums[LANES], sum, n, i;

	for (size_t s = 0; s < SIZES; s++) {
		n = sizes[s];
		draw(n, 0.5);
		encode(n);
		lh_qg_sums(&query, codes, sums);
		for (unsigned r = 0; r < LANES; r++) {
			double product = 0, half = 0, is;

			snprintf(what, sizeof what, "n %u, lane %u", n, r);
			for (sum = 0, i = 0; i < query.dim; i += 4)
				sum += query.table[4 * i + bit_of(r, i) + 2 * bit_of(r, i + 1) +
						   4 * bit_of(r, i + 2) + 8 * bit_of(r, i + 3)];
			CHECK(sums[r] == sum);
			for (i = 0; i < query.dim; i++) {
				product += bit_of(r, i) * query.rotated[i];
				half += query.rotated[i] / 2;
			}
			is = query.bias + query.delta * (double)sums[r];
			/* half a step for every table */
			CHECK(fabs(is - (product - half)) <= query.delta * query.dim / 8 + 1e-4);
		}
		memset(query.table, 255, 4 * (size_t)query.dim);
		lh_qg_sums(&query, codes, sums);
		for (unsigned r = 0; r < LANES; r++)
			CHECK(sums[r] == 255 * (query.dim / 4));
		lh_qg_query_free(&query);
	}
}

/* Draw often, and hold the error of estimates against bounds. */
static void estimates_are_within(double mean, double greatest)
{
	float out[LANES];
	double is, from, off = 0, worst = 0, error;
	uint32_t below;

	for (int i = 0; i < 100; i++) {
		draw(768, 0.5);
		encode(768);
		from = lh_vec_l2sq_f64(vector[LANES], vector[LANES + 1], 768);
		below = lh_qg_estimate(&query, codes, &factors, (float)from, (float)from, out);
		for (size_t r = 0; r < LANES; r++) {
			CHECK((below >> r & 1) == (out[r] < (float)from));
			is = lh_vec_l2sq_f64(vector[r], vector[LANES + 1], 768);
			error = (out[r] - is) / is;
			off += error / (100 * LANES);
			worst = fmax(worst, fabs(error));
		}
		lh_qg_query_free(&query);
	}
	snprintf(what, sizeof what, "mean %g, worst %g", off, worst);
	CHECK(fabs(off) < mean && worst < greatest);
}

/* The error of one bit a value is about the distance from the row to both, by sqrt(n). */
static void estimates_are_near_distances(void)
{
	estimates_are_within(0.005, 0.15);
}

static void sums_that_overflow_have_no_estimates(void)
{
	float out[LANES];

	draw(100, 0.5);
	for (size_t i = 0; i < 100; i++)
		vector[LANES + 1][i] = i % 2 ? 3e38f : -3e38f;
	encode(100);
	check(lh_qg_estimate(&query, codes, &factors, 1, 1e30f, out) == 0);
	for (size_t r = 0; r < LANES; r++)
		CHECK(!isfinite(out[r]));
	lh_qg_query_free(&query);
}

/* ---- kernels ---- */

static uint64_t (*digest)[SIZES];	/* of each kernel, shared with its process */

static uint64_t digest_of(uint32_t n)
{
	struct lh_xxh3_stream all;
	float out[LANES];
	uint32_t below;

	srandom(n);
	draw(n, 0.3);
	encode(n);
	below = lh_qg_estimate(&query, codes, &factors, 1, 1.5f, out);
	lh_xxh3_begin(&all);
	lh_xxh3_add(&all, &below, sizeof below);
	for (size_t r = 0; r < LANES + 2; r++)
		lh_xxh3_add(&all, turned[r], query.dim * sizeof *turned[r]);
	lh_xxh3_add(&all, codes, lh_qg_code_bytes(query.dim));
	lh_xxh3_add(&all, f_add, sizeof f_add);
	lh_xxh3_add(&all, f_rescale, sizeof f_rescale);
	lh_xxh3_add(&all, query.table, 4 * (size_t)query.dim);
	lh_xxh3_add(&all, &query.delta, sizeof query.delta);
	lh_xxh3_add(&all, &query.bias, sizeof query.bias);
	lh_xxh3_add(&all, out, sizeof out);
	lh_qg_query_free(&query);
	return lh_xxh3_end(&all);
}

static uint64_t *digests;		/* of the kernel that runs */

static void with(const char *kernel)
{
	(void)kernel;
	sums_are_those_of_the_bits();
	codes_are_the_signs_of_differences();
	sums_that_overflow_have_no_estimates();
	for (size_t s = 0; s < SIZES; s++)
		digests[s] = digest_of(sizes[s]);
}

static void kernels_give_the_same_bytes(uint32_t part)
{
	values_max = part;
	digest = mmap(NULL, sizeof *digest * 3, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	check(digest != MAP_FAILED);
	for (size_t i = 0; i < 3; i++) {
		digests = digest[i];
		check_kernel((const char *[]){ "portable", "avx2", "avx512" }[i], with);
	}
	for (size_t s = 0; s < SIZES; s++) {
		snprintf(what, sizeof what, "n %u", sizes[s]);
		CHECK(digest[0][s] && digest[0][s] == digest[1][s] && digest[0][s] == digest[2][s]);
	}
	values_max = MAX;
}

/* A part of the values estimates all, with a larger error. */
static void a_part_stands_for_all(void)
{
	values_max = lh_qg_code_values(768, LH_I8);
	check(values_max == 240 && lh_qg_code_values(256, LH_F32) == 256 &&
	      lh_qg_code_values(257, LH_F32) == 240 && lh_qg_code_values(768, LH_F16) == 384 &&
	      lh_qg_code_values(768, LH_F32) == 480 &&
	      lh_qg_code_values(1024, LH_I8) == 320 && !lh_qg_code_values(199, LH_F32) &&
	      lh_qg_code_values(200, LH_I8) == 112);
	estimates_are_within(0.01, 0.4);
	values_max = MAX;
}

int main(void)
{
	test(kernels_give_the_same_bytes(MAX));
	test(kernels_give_the_same_bytes(48));
	test(a_part_stands_for_all());
	test(rotation_keeps_lengths_and_products());
	test(rotation_spreads_values());
	test(codes_are_the_signs_of_differences());
	test(one_lane_is_recoded_alone());
	test(a_neighbour_that_is_equal_adds_nothing());
	test(sums_are_those_of_the_bits());
	test(estimates_are_near_distances());
	test(sums_that_overflow_have_no_estimates());
	return 0;
}
