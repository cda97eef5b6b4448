/* lh_qg_build and lh_qg_change: the properties of the graph, what it finds, and what
 * ends its building. */
#include "check.h"
#include "vector/graph.h"

#include <math.h>

#include "vector/quantize.h"

#define CHECK(x) check_why(x, err.msg)
#define ROWS 3000
#define DIM 24
#define STRIDE 64
#define K 10

static struct lh_err err;
static uint64_t reported;

static uint32_t state;
static float centre[30][DIM];

/* Draw from 0 to 1, the same on every machine. */
static float draw(void)
{
	state = state * 1664525 + 1013904223;
	return (float)(state >> 8) / (1 << 24);
}

static void report(void *ctx, uint64_t rows)
{
	(void)ctx;
	CHECK(rows >= reported);
	reported = rows;
}

/* Rows around 30 centres, of which equal have the same code. */
static struct lh_qg_build fresh(uint32_t rows, uint32_t degree, uint32_t equal)
{
	float v[DIM];
	struct lh_qg_build g = {
		.precision = LH_I8, .codes = aligned_alloc(64, (rows + 1) * STRIDE),
		.stride = STRIDE,
		.rows = rows,
		.dimension = DIM,
		.distance = LH_L2,
		.links = malloc((rows * degree + 1) * sizeof *g.links),
		.degree = degree,
		.ef = 100,
		.seed = 7,
		.progress = report,
	};
	uint32_t r, i, c;

	state = 9;
	reported = 0;
	CHECK(g.codes && g.links);
	for (c = 0; c < 30; c++)
		for (i = 0; i < DIM; i++)
			centre[c][i] = draw();
	for (r = 0; r < rows; r++) {
		c = r < equal ? 0 : (uint32_t)(draw() * 30) % 30;
		for (i = 0; i < DIM; i++)
			v[i] = r < equal ? centre[0][i] : centre[c][i] + (draw() - 0.5f) / 2;
		lh_quantize_encode(LH_I8, LH_L2, v, DIM, (char *)(uintptr_t)g.codes + r * STRIDE);
	}
	return g;
}

static void drop(struct lh_qg_build *g)
{
	free((void *)(uintptr_t)g->codes);
	free(g->links);
}

static uint32_t reachable(const struct lh_qg_build *g)
{
	uint32_t *queue = calloc(g->rows, sizeof *queue), at = 0, n = 0, i, to;
	bool *met = calloc(g->rows, sizeof *met);

	CHECK(queue && met && g->entry < g->rows);
	met[g->entry] = true;
	queue[n++] = g->entry;
	for (; at < n; at++)
		for (i = 0; i < g->degree; i++) {
			to = g->links[queue[at] * g->degree + i];
			if (!met[to])
				queue[n++] = to;
			met[to] = true;
		}
	free(queue);
	free(met);
	return n;
}

/* Every row has as many links as there can be, all different, and is reachable. */
static void check_graph(const struct lh_qg_build *g)
{
	uint32_t full = g->rows - 1 < g->degree ? g->rows - 1 : g->degree, r, i, j;
	const uint32_t *links;

	for (r = 0; r < g->rows; r++) {
		links = g->links + r * g->degree;
		for (i = 0; i < full; i++) {
			CHECK(links[i] < g->rows && links[i] != r);
			for (j = 0; j < i; j++)
				CHECK(links[i] != links[j]);
		}
		for (; i < g->degree; i++)
			CHECK(links[i] == r);
	}
	CHECK(reachable(g) == g->rows);
	CHECK(reported == g->rows);
}

static void links_are_good(uint32_t rows, uint32_t degree, uint32_t equal)
{
	struct lh_qg_build g = fresh(rows, degree, equal);

	CHECK(lh_qg_build(&g, 2, &err) == 0);
	check_graph(&g);
	drop(&g);
}

static void few_rows_are_linked_with_all_others(void)
{
	struct lh_qg_build g;

	for (uint32_t rows = 1; rows <= 40; rows++)
		links_are_good(rows, 32, rows / 2);
	g = fresh(0, 32, 0);
	CHECK(lh_qg_build(&g, 2, &err) == 0);
	drop(&g);
}

struct near {
	float d;
	uint32_t row;
	bool done;
};

/* Keep the ef nearest of those that links lead to from the entry; returns how many. */
static size_t walk(const struct lh_qg_build *g, const struct lh_quantized_query *q,
		   struct near *best, size_t ef)
{
	bool met[ROWS] = { false };
	size_t n = 0, at, i, j;
	uint32_t row = g->entry;
	float d;

	met[row] = true;
	best[n++] = (struct near){ lh_quantize_row(q, (const char *)g->codes + row * STRIDE), row,
				   false };
	for (at = 0; at < n; at++) {
		if (best[at].done)
			continue;
		best[at].done = true;
		for (i = 0, row = best[at].row; i < g->degree; i++) {
			uint32_t to = g->links[row * g->degree + i];

			if (met[to])
				continue;
			met[to] = true;
			d = lh_quantize_row(q, (const char *)g->codes + to * STRIDE);
			for (j = n; j > 0 && best[j - 1].d > d; j--)
				if (j < ef)
					best[j] = best[j - 1];
			if (j < ef)
				best[j] = (struct near){ d, to, false };
			n += n < ef;
		}
		at = (size_t)-1;	/* from the nearest again */
	}
	return n;
}

/* Count the K nearest that walks with a short list find, in 1000. */
static unsigned recall(const struct lh_qg_build *g)
{
	struct lh_quantized_query q;
	struct near best[40];
	unsigned found = 0, asked = 0, nearer;
	float v[DIM], d[ROWS];

	state = 10;
	lh_quantized_query_init(&q, LH_I8, LH_L2, DIM);
	for (uint32_t t = 0; t < 200; t++) {
		for (uint32_t i = 0; i < DIM; i++)
			v[i] = centre[t % 30][i] + draw() - 0.5f;
		lh_quantized_query_set(&q, v);
		for (uint32_t r = 0; r < g->rows; r++)
			d[r] = lh_quantize_row(&q, (const char *)g->codes + r * STRIDE);
		CHECK(walk(g, &q, best, 40) == 40);
		for (uint32_t i = 0; i < K; i++) {
			nearer = 0;
			for (uint32_t r = 0; r < g->rows; r++)
				nearer += d[r] < best[i].d;
			found += nearer < K;
			asked++;
		}
	}
	lh_quantized_query_free(&q);
	return found * 1000 / asked;
}

static void walks_find_the_nearest(void)
{
	struct lh_qg_build g = fresh(ROWS, 32, 0);
	unsigned good, bad;

	CHECK(lh_qg_build(&g, 1, &err) == 0);
	good = recall(&g);
	for (uint32_t i = 0; i < ROWS * 32; i++)	/* the measure: random links find little */
		g.links[i] = (uint32_t)(draw() * ROWS) % ROWS;
	bad = recall(&g);
	CHECK(good >= 990 && bad < 600);
	drop(&g);
}

static void any_number_of_threads_builds_the_same(uint32_t equal)
{
	struct lh_qg_build a = fresh(ROWS, 32, equal), b = a;

	CHECK(lh_qg_build(&a, 1, &err) == 0);
	b.links = malloc(ROWS * 32 * sizeof *b.links);
	for (unsigned jobs = 1; jobs <= 3; jobs++) {
		reported = 0;
		CHECK(b.links && lh_qg_build(&b, jobs, &err) == 0);
		CHECK(a.entry == b.entry && !memcmp(a.links, b.links, ROWS * 32 * sizeof *b.links));
	}
	free(b.links);
	drop(&a);
}

/* Rows are added to a graph of done; threads do not matter. */
static void rows_can_be_added(uint32_t done, uint32_t rows, uint32_t equal)
{
	struct lh_qg_build g = fresh(rows, 32, equal);
	uint32_t *one = malloc(rows * 32 * sizeof *one), *old = malloc(rows * 32 * sizeof *old);
	uint32_t entry, same = 0;

	CHECK(one && old);
	for (unsigned jobs = 1; jobs <= 3; jobs++) {
		reported = 0;
		g.rows = done;
		CHECK(lh_qg_build(&g, 2, &err) == 0);
		entry = g.entry;
		memcpy(old, g.links, rows * 32 * sizeof *old);
		g.rows = rows;
		reported = 0;
		CHECK(lh_qg_change(&g, done, NULL, jobs, &err) == 0);
		check_graph(&g);
		CHECK(done <= 32 || entry == g.entry);
		if (jobs == 1)
			memcpy(one, g.links, rows * 32 * sizeof *one);
		CHECK(!memcmp(one, g.links, rows * 32 * sizeof *one));
	}
	for (uint32_t i = 0; i < done * 32; i++)
		same += old[i] == g.links[i];
	if (rows == done + 1)	/* few lists change, and of those one link */
		CHECK(same < done * 32 && same >= done * 32 - 33);
	free(one);
	free(old);
	drop(&g);
}

static void added_rows_are_found(void)
{
	struct lh_qg_build g = fresh(ROWS, 32, 0);
	uint32_t to_added = 0, i;

	g.rows = ROWS / 2;
	CHECK(lh_qg_build(&g, 1, &err) == 0);
	g.rows = ROWS;
	CHECK(lh_qg_change(&g, ROWS / 2, NULL, 1, &err) == 0);
	CHECK(recall(&g) >= 980);
	for (i = 0; i < ROWS * 32; i++)
		to_added += g.links[i] >= ROWS / 2;
	printf("# %u of %u links are to the half that was added\n", to_added, ROWS * 32);
	CHECK(to_added > ROWS * 32 * 9 / 20);
	drop(&g);
}

/* Few rows are added at once, and all that is near them is among them. */
static void added_rows_of_a_new_kind_are_linked_with_each_other(void)
{
	struct lh_qg_build g = fresh(ROWS, 32, 0);
	uint32_t first = ROWS - ROWS / 33, among = 0, r, i;
	char *codes = (char *)(uintptr_t)g.codes;
	float v[DIM];

	for (r = first; r < ROWS; r++) {
		lh_quantize_decode(LH_I8, codes + r * STRIDE, DIM, v);
		for (i = 0; i < DIM; i++)
			v[i] += 4;
		lh_quantize_encode(LH_I8, LH_L2, v, DIM, codes + r * STRIDE);
	}
	g.rows = first;
	CHECK(lh_qg_build(&g, 1, &err) == 0);
	g.rows = ROWS;
	CHECK(lh_qg_change(&g, first, NULL, 1, &err) == 0);
	for (i = first * 32; i < ROWS * 32; i++)
		among += g.links[i] >= first;
	printf("# %u of %u links are among the rows that were added\n", among, ROWS / 33 * 32);
	CHECK(among > ROWS / 33 * 32 / 2);
	drop(&g);
}

/* Put the codes and lists of the rows that stay first, and the lists of the others in gone,
 * as lh_qg_change expects them, and the codes of the others last.  more rows will be added. */
static uint32_t take_away(struct lh_qg_build *g, bool (*leaves)(uint32_t row), uint32_t more,
			  uint32_t *gone)
{
	uint32_t n = g->rows, kept = 0, left = 0, *number = malloc(n * sizeof *number), r, i, *to;
	uint32_t *old = malloc(n * g->degree * sizeof *old);
	char *codes = malloc(n * STRIDE), *into = (char *)(uintptr_t)g->codes;

	CHECK(number && old && codes);
	memcpy(old, g->links, n * g->degree * sizeof *old);
	memcpy(codes, g->codes, n * STRIDE);
	for (r = 0; r < n; r++)
		kept += !leaves(r);
	for (r = 0, i = 0; r < n; r++)
		number[r] = leaves(r) ? kept + more + left++ : i++;
	for (r = 0; r < n; r++) {
		to = leaves(r) ? gone + (number[r] - kept - more) * g->degree :
				 g->links + number[r] * g->degree;
		for (i = 0; i < g->degree; i++)
			to[i] = number[old[r * g->degree + i]];
		memcpy(into + (leaves(r) ? number[r] - more : number[r]) * STRIDE,
		       codes + r * STRIDE, STRIDE);
	}
	g->entry = number[g->entry];
	g->rows = kept + more;
	free(number);
	free(old);
	free(codes);
	return kept;
}

static bool no_tenth(uint32_t row)
{
	return row % 10 == 3;
}

static bool no_first(uint32_t row)
{
	return row < ROWS / 3;
}

/* Around the first centre: with it goes every link of many rows. */
static bool no_cluster(uint32_t row)
{
	return row >= 40 && row < 500;
}

static uint32_t the_entry;

static bool not_the_entry(uint32_t row)
{
	return row == the_entry;
}

/* Rows are taken away and others added; threads do not matter. */
static void rows_can_be_taken(uint32_t rows, uint32_t degree, uint32_t equal,
			      bool (*leaves)(uint32_t row), uint32_t more)
{
	struct lh_qg_build g = fresh(rows, degree, equal), one;
	uint32_t *gone = malloc(rows * degree * sizeof *gone), kept;
	size_t bytes = rows * degree * sizeof *g.links;

	CHECK(gone && lh_qg_build(&g, 2, &err) == 0);
	the_entry = g.entry;
	kept = take_away(&g, leaves, more, gone);
	CHECK(kept < rows);
	one = g;
	one.links = malloc(2 * bytes);
	CHECK(one.links);
	memcpy(one.links, g.links, bytes);
	for (unsigned jobs = 1; jobs <= 3; jobs++) {
		struct lh_qg_build b = g;

		b.links = jobs == 1 ? one.links : one.links + rows * degree;
		memcpy(b.links, g.links, bytes);
		reported = 0;
		CHECK(lh_qg_change(&b, kept, gone, jobs, &err) == 0);
		check_graph(&b);
		CHECK(!memcmp(one.links, b.links, b.rows * degree * sizeof *b.links));
	}
	free(one.links);
	free(gone);
	drop(&g);
}

#ifndef __SANITIZE_ADDRESS__	/* minutes under it */
/* Put the rows in the opposite order. */
static void turn_round(struct lh_qg_build *g)
{
	char *codes = (char *)(uintptr_t)g->codes, row[STRIDE], *other;

	for (uint32_t r = 0; r < g->rows / 2; r++) {
		other = codes + (g->rows - 1 - r) * STRIDE;
		memcpy(row, codes + r * STRIDE, STRIDE);
		memcpy(codes + r * STRIDE, other, STRIDE);
		memcpy(other, row, STRIDE);
	}
}

/* Return the recall of a graph built from nothing. */
static unsigned built_recall(const struct lh_qg_build *g)
{
	struct lh_qg_build b = *g;
	unsigned found;

	b.links = malloc(g->rows * g->degree * sizeof *b.links);
	reported = 0;
	CHECK(b.links && lh_qg_build(&b, 2, &err) == 0);
	found = recall(&b);
	free(b.links);
	return found;
}

/* Each graph, repaired or built, may by chance miss all that a query asks for, 5 in 1000; the
 * mean of four does not. */
static void a_repaired_graph_finds_as_much(bool (*leaves)(uint32_t row), uint32_t more,
					   unsigned times)
{
	uint32_t *gone = malloc(ROWS * 32 * sizeof *gone), kept;
	unsigned repaired = 0, built = 0;
	struct lh_qg_build g;

	CHECK(gone);
	for (unsigned seed = 1; seed <= 4; seed++) {
		g = fresh(ROWS, 32, 0);
		g.seed = seed;
		CHECK(lh_qg_build(&g, 2, &err) == 0);
		for (unsigned i = 0; i < times; i++) {
			kept = take_away(&g, leaves, more, gone);
			reported = 0;
			CHECK(lh_qg_change(&g, kept, gone, 2, &err) == 0);
		}
		check_graph(&g);
		repaired += recall(&g);
		built += built_recall(&g);
		drop(&g);
	}
	printf("# repaired %u, built %u of 4000\n", repaired, built);
	CHECK(repaired + 12 >= built && built >= 3960);
	free(gone);
}

/* Rows are added in many small batches, half of them with the same code: links back to them
 * take the places of others. */
static void links_back_do_not_lose_rows(void)
{
	struct lh_qg_build g = fresh(ROWS, 32, 600);
	unsigned added, built;

	turn_round(&g);
	g.rows = ROWS - 1200;
	CHECK(lh_qg_build(&g, 2, &err) == 0);
	while (g.rows < ROWS) {
		g.rows += 40;
		reported = 0;
		CHECK(lh_qg_change(&g, g.rows - 40, NULL, 2, &err) == 0);
		check_graph(&g);
	}
	added = recall(&g);
	built = built_recall(&g);
	printf("# added %u, built %u\n", added, built);
	CHECK(added + 5 >= built && built >= 990);
	drop(&g);
}
#endif

static bool at_once(void)
{
	return true;
}

static unsigned polls;

static bool later(void)
{
	return ++polls > 50;
}

static void stopping_stops(bool (*stop)(void), unsigned jobs)
{
	struct lh_qg_build g = fresh(ROWS, 32, 0);

	polls = 0;
	g.stop = stop;
	CHECK(lh_qg_build(&g, jobs, &err) == -1 && err.code == LH_EINTR);
	CHECK(reported < ROWS);
	drop(&g);
}

int main(void)
{
	test(few_rows_are_linked_with_all_others());
	test_plain(links_are_good(ROWS, 32, 0));
	test_full(links_are_good(ROWS, 64, 0));
	test(links_are_good(ROWS, 32, 700));
	test(links_are_good(ROWS, 8, ROWS));
	test(links_are_good(ROWS, 1, 500));
	test_plain(walks_find_the_nearest());
	test_plain(any_number_of_threads_builds_the_same(0));
	test_full(any_number_of_threads_builds_the_same(500));
	test_plain(rows_can_be_added(1000, 1500, 0));
	test(rows_can_be_added(1000, 1500, 400));
	test(rows_can_be_added(1000, 1001, 0));
	test(rows_can_be_added(20, 100, 0));
	test(rows_can_be_added(33, 100, 50));
	test_plain(added_rows_are_found());
	test(added_rows_of_a_new_kind_are_linked_with_each_other());
	test(rows_can_be_taken(ROWS, 32, 0, no_tenth, 0));
	test_plain(rows_can_be_taken(ROWS, 32, 0, no_first, ROWS / 3));
	test_full(rows_can_be_taken(ROWS, 64, 0, no_tenth, ROWS / 10));
	test(rows_can_be_taken(ROWS, 8, ROWS, no_tenth, 100));
	test(rows_can_be_taken(ROWS, 32, 500, no_cluster, 0));
	test_full(rows_can_be_taken(ROWS, 32, 500, no_cluster, 460));
	test(rows_can_be_taken(ROWS, 1, 500, no_tenth, 20));
	test_plain(rows_can_be_taken(ROWS, 32, 0, not_the_entry, 0));
	test_full(rows_can_be_taken(ROWS, 32, 0, not_the_entry, 1));
	test(rows_can_be_taken(36, 32, 0, no_tenth, 4));
	test(rows_can_be_taken(37, 32, 9, no_tenth, 0));
#ifndef __SANITIZE_ADDRESS__
	test(links_back_do_not_lose_rows());
	test_full(a_repaired_graph_finds_as_much(no_first, ROWS / 3, 1));
	test_full(a_repaired_graph_finds_as_much(no_tenth, ROWS / 10, 10));
#endif
	test(stopping_stops(at_once, 2));
	test(stopping_stops(later, 1));
	return 0;
}
