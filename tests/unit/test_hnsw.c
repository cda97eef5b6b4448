/* lh_hnsw: the properties of the graph, and the errors that end its building. */
#include "check.h"
#include "vector/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "vector/quantize.h"

#define CHECK(x) check_why(x, err.msg)
#define ROWS 3000
#define DIM 24
#define M 6
#define STRIDE 192	/* 4 + 8 * 6 -> 64, 96 -> 128; the wider codes leave no gap */

static struct lh_err err;
static uint32_t level[ROWS + 1];

static struct lh_hnsw fresh(int precision)
{
	float v[DIM];
	struct lh_hnsw g = {
		.block = aligned_alloc(64, ROWS * STRIDE),
		.rows = ROWS,
		.dimension = DIM,
		.stride = STRIDE,
		.vector_at = 64,
		.distance = LH_L2,
		.precision = precision,
		.m = M,
		.ef_construction = 50,
		.level = level,
	};
	uint32_t lists = 0;

	CHECK(g.block);
	memset(g.block, 0, ROWS * STRIDE);
	srandom(3);
	for (uint32_t r = 0; r < ROWS; r++) {
		for (int i = 0; i < DIM; i++)
			v[i] = (float)random() / (float)(1 << 30);
		lh_quantize_encode(precision, LH_L2, v, DIM, (char *)g.block + r * STRIDE + 64);
		level[r] = lists;
		lists += lh_hnsw_level(5, r, M);
	}
	level[ROWS] = lists;
	g.upper = calloc(lists * (1 + M) + 16, 4);
	CHECK(g.upper);
	return g;
}

static void drop(struct lh_hnsw *g)
{
	free(g->block);
	free(g->upper);
}

static void check_list(const uint32_t *list, uint32_t max, uint32_t row, uint32_t at)
{
	CHECK(list[0] > 0 && list[0] <= max);
	for (uint32_t i = 1; i <= max; i++)
		if (i <= list[0])
			CHECK(list[i] < ROWS && list[i] != row &&
			      level[list[i] + 1] - level[list[i]] >= at);
		else
			CHECK(list[i] == 0);
	for (uint32_t i = 1; i < list[0]; i++)
		for (uint32_t j = i + 1; j <= list[0]; j++)
			CHECK(list[i] != list[j]);
}

static void check_graph(const struct lh_hnsw *graph)
{
	struct lh_hnsw g = *graph;

	CHECK(g.entry < ROWS && level[g.entry + 1] - level[g.entry] == g.top);
	for (uint32_t r = 0; r < ROWS; r++) {
		CHECK(level[r + 1] - level[r] <= g.top);
		check_list((const uint32_t *)((char *)g.block + r * STRIDE), 2 * M, r, 0);
		for (uint32_t l = level[r]; l < level[r + 1]; l++)
			if (l - level[r] + 1 < g.top)	/* a single row on a level has no links */
				check_list(g.upper + l * (1 + M), M, r, l - level[r] + 1);
	}
}

static void links_are_good(int precision, unsigned jobs)
{
	struct lh_hnsw g = fresh(precision);

	CHECK(lh_hnsw_build(&g, jobs, &err) == 0);
	check_graph(&g);
	drop(&g);
}

static void a_graph_can_be_continued(int precision)
{
	struct lh_hnsw g = fresh(precision);
	uint32_t top;

	g.rows = ROWS / 3;
	CHECK(lh_hnsw_build(&g, 1, &err) == 0);
	top = g.top;
	g.done = g.rows;
	g.rows = ROWS;
	CHECK(lh_hnsw_build(&g, 2, &err) == 0);
	CHECK(g.top >= top);
	check_graph(&g);
	drop(&g);
}

/* Count the true neighbours of a row among the rows that its links, and theirs,
 * lead to.  Random links would find 5 in 100. */
static void links_lead_to_neighbours(int precision)
{
	struct lh_hnsw g = fresh(precision);
	struct lh_quantized_query q;
	float d[ROWS];
	unsigned found = 0, asked = 0;

	CHECK(lh_hnsw_build(&g, 1, &err) == 0);
	CHECK(lh_quantized_query_init(&q, precision, LH_L2, DIM, &err) == 0);
	for (uint32_t r = 0; r < ROWS; r += 10) {
		const uint32_t *links = (const uint32_t *)((char *)g.block + r * STRIDE);
		bool met[ROWS] = { false };
		uint32_t best = r ? 0 : 1;

		lh_quantized_query_code(&q, (char *)g.block + r * STRIDE + 64);
		for (uint32_t o = 0; o < ROWS; o++) {
			d[o] = lh_quantize_row(&q, (char *)g.block + o * STRIDE + 64);
			if (o != r && d[o] < d[best])
				best = o;
		}
		for (uint32_t i = 1; i <= links[0]; i++) {
			const uint32_t *more = (const uint32_t *)((char *)g.block +
								  links[i] * STRIDE);

			met[links[i]] = true;
			for (uint32_t j = 1; j <= more[0]; j++)
				met[more[j]] = true;
		}
		asked++;
		found += met[best];
	}
	CHECK(found * 100 >= asked * 90);
	lh_quantized_query_free(&q);
	drop(&g);
}

static void one_thread_always_builds_the_same(void)
{
	struct lh_hnsw a = fresh(LH_F32), b = fresh(LH_F32);

	CHECK(lh_hnsw_build(&a, 1, &err) == 0 && lh_hnsw_build(&b, 1, &err) == 0);
	CHECK(!memcmp(a.block, b.block, ROWS * STRIDE) && a.entry == b.entry && a.top == b.top);
	CHECK(!memcmp(a.upper, b.upper, level[ROWS] * (1 + M) * 4));
	drop(&a);
	drop(&b);
}

static bool now(void)
{
	return true;
}

static void stopping_stops(void)
{
	struct lh_hnsw g = fresh(LH_F32);

	g.stop = now;
	CHECK(lh_hnsw_build(&g, 2, &err) == -1 && err.code == LH_EINTR);
	drop(&g);
}

#ifndef __SANITIZE_ADDRESS__
static void no_memory_is_an_error(void)
{
	struct lh_hnsw g = fresh(LH_F32);
	struct rlimit old, tight = { 1 << 20, 1 << 20 };
	uint32_t *many = calloc(60000001, sizeof *many);

	/* far more mutexes than the limit has room for */
	CHECK(many && getrlimit(RLIMIT_AS, &old) == 0);
	g.rows = 60000000;
	g.level = many;
	tight.rlim_max = old.rlim_max;
	CHECK(setrlimit(RLIMIT_AS, &tight) == 0);
	CHECK(lh_hnsw_build(&g, 1, &err) == -1);
	CHECK(setrlimit(RLIMIT_AS, &old) == 0);
	CHECK(err.code == LH_ENOMEM && !strcmp(err.msg, "out of memory"));
	free(many);
	drop(&g);
}
#endif

static void levels_follow_the_law(void)
{
	uint32_t n = 1000000, up = 0, top = 0, l;

	for (uint32_t r = 0; r < n; r++) {
		l = lh_hnsw_level(1, r, 16);
		up += l > 0;
		top = l > top ? l : top;
	}
	CHECK(up > n / 16 - 1500 && up < n / 16 + 1500 && top >= 4 && top <= 9);
}

int main(void)
{
	for (int p = LH_F32; p <= LH_I8; p++) {
		test(links_are_good(p, 1));
		test(links_are_good(p, 4));
		test(a_graph_can_be_continued(p));
		test(links_lead_to_neighbours(p));
	}
	test(one_thread_always_builds_the_same());
	test(stopping_stops());
#ifndef __SANITIZE_ADDRESS__
	test(no_memory_is_an_error());
#endif
	test(levels_follow_the_law());
	return 0;
}
