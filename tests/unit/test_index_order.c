/* Rows are stored in the order that suits the graph, and returned in the order of the
 * puts. */
#include "index/index_tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "index/index_parts.h"

#define CHECK(x) check_why(x, *damage ? damage : err.msg)
#define DIM 8
#define ROWS 1200u

static struct lh_err err;
static char dir[64], path[80];
static char damage[256];

static void on_damage(void *ctx, const char *section, const char *text)
{
	(void)ctx;
	snprintf(damage, sizeof damage, "%s: %s", section, text);
}

static void vector_of(unsigned i, float *v)
{
	uint64_t x = i + 1;

	for (int d = 0; d < DIM; d++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		v[d] = (float)(x >> 40) - (float)(1 << 23);
	}
}

static void build(unsigned n, int precision, bool rescore)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	char id[16];
	float v[DIM];

	lh_index_params_default(&p);
	p.dimension = DIM;
	p.precision = precision;
	p.rescore = rescore;
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w != NULL);
	for (unsigned i = 0; i < n; i++) {
		int len = snprintf(id, sizeof id, "r%u", i);

		vector_of(i, v);
		CHECK(lh_index_put(w, id, (size_t)len, v, DIM, id + 1, (size_t)len - 1, &err) == 0);
	}
	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
}

/* Add rows from to n - 1, delete the first gone, and compact. */
static void compact_changes(unsigned from, unsigned n, unsigned gone)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	char id[16];
	float v[DIM];
	bool due;

	CHECK(c != NULL);
	for (unsigned i = from; i < n; i++) {
		int len = snprintf(id, sizeof id, "r%u", i);

		vector_of(i, v);
		CHECK(lh_index_change_put(c, id, (size_t)len, v, DIM, id + 1, (size_t)len - 1,
					  &err) == 0);
	}
	for (unsigned i = 0; i < gone; i++)
		CHECK(lh_index_change_delete(c, id, (size_t)snprintf(id, sizeof id, "r%u", i),
					     &err) == 0);
	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
	CHECK(lh_index_compact(path, 1, 1, &err) == 0);
}

/* Check the rows r<from>, r<from + 1>, ... in this order, each with its id, metadata
 * and vector. */
static void rows_are(unsigned from, unsigned n)
{
	struct lh_index *ix = lh_index_open(path, &err);
	float v[DIM], is[DIM];
	struct lh_row row;
	char id[16];
	uint64_t at;

	CHECK(ix && lh_index_rows(ix) == n);
	for (unsigned i = 0; i < n; i++) {
		size_t len = (size_t)snprintf(id, sizeof id, "r%u", from + i);

		CHECK(lh_index_nth_row(ix, i, &at, &row, &err) == 1);
		CHECK(row.id.n == len && !memcmp(row.id.p, id, len) && row.meta.n == len - 1 &&
		      !memcmp(row.meta.p, id + 1, len - 1));
		CHECK(lh_index_find(ix, id, len, &err) == (int64_t)at);
		vector_of(from + i, v);
		lh_vec_unit(v, DIM);
		lh_index_vector(ix, at, is);
		CHECK(lh_vec_dot_f64(v, is, DIM) > 0.999);
	}
	lh_index_close(ix);
	*damage = '\0';
	CHECK(lh_index_verify(path, on_damage, NULL, &err) == 0 && !*damage);
}

static void rows_are_returned_in_the_order_of_the_puts(void)
{
	for (int precision = LH_F32; precision <= LH_I8; precision++)
		for (int rescore = 0; rescore <= (precision != LH_F32); rescore++) {
			build(ROWS, precision, rescore);
			rows_are(0, ROWS);
			compact_changes(ROWS, ROWS + 300, 0);	/* continues the graph */
			rows_are(0, ROWS + 300);
			compact_changes(ROWS + 300, ROWS + 500, 100);	/* builds another graph */
			rows_are(100, ROWS + 400);
		}
}

static void *slurp(size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	void *p;

	CHECK(f && fstat(fileno(f), &st) == 0);
	*n = (size_t)st.st_size;
	p = malloc(*n);
	CHECK(p && fread(p, 1, *n, f) == *n);
	fclose(f);
	return p;
}

static void compaction_makes_the_file_that_a_build_makes(void)
{
	size_t n, m;
	void *a, *b;

	build(ROWS + 300, LH_F32, false);
	a = slurp(&n);
	build(ROWS, LH_F32, false);
	compact_changes(ROWS, ROWS + 200, 0);
	compact_changes(ROWS + 200, ROWS + 300, 0);
	b = slurp(&m);
	CHECK(n == m && !memcmp(a, b, n));
	free(a);
	free(b);
}

/* In random order 1 link in 30 would lead to one of the 64 rows around. */
static void rows_that_link_are_stored_near_each_other(void)
{
	struct lh_index *ix;
	unsigned near = 0, links = 0;

	build(ROWS, LH_F32, false);
	ix = lh_index_open_base(path, &err);
	CHECK(ix != NULL);
	for (uint32_t row = 0; row < ROWS; row++) {
		const uint32_t *list = (const void *)(ix->block + row * ix->stride);

		for (uint32_t i = 1; i <= list[0]; i++, links++)
			near += list[i] - row + 32 <= 64;
	}
	printf("# %u of %u links lead near\n", near, links);
	CHECK(near > links / 8);
	lh_index_close(ix);
}

static struct lh_index_section *order_of(struct lh_index_header *h)
{
	for (uint32_t i = 0; i < h->n_sections; i++)
		if (h->section[i].kind == LH_INDEX_ORDER)
			return &h->section[i];
	CHECK(!"an order");
	return NULL;
}

static void poke(const void *p, size_t n, uint64_t at)
{
	FILE *f = fopen(path, "r+b");

	CHECK(f && fseek(f, (long)at, SEEK_SET) == 0 && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

static void damage_of_the_order_is_reported(void)
{
	struct lh_index_header *h;
	struct lh_index *ix;
	struct lh_row row;
	uint64_t at;
	size_t n;

	build(ROWS, LH_F32, false);
	h = slurp(&n);
	at = order_of(h)->at;
	poke(&(uint32_t){ ROWS }, 4, at + 4 * 7);
	ix = lh_index_open(path, &err);
	CHECK(ix && lh_index_nth_row(ix, 6, &at, &row, &err) == 1);
	CHECK(lh_index_nth_row(ix, 7, &at, &row, &err) == -1 && err.code == LH_ECORRUPT);
	lh_index_close(ix);
	*damage = '\0';
	CHECK(lh_index_verify(path, on_damage, NULL, &err) == 0 && !strncmp(damage, "order: ", 7));
	poke((char *)h + order_of(h)->at, 4, order_of(h)->at + 4 * 7);	/* a row twice */
	CHECK(lh_index_verify(path, on_damage, NULL, &err) == 0 && strstr(damage, "order: entry"));
	free(h);
}

/* A file of the version before orders. */
static void a_file_without_an_order_is_read(void)
{
	struct lh_index_header *h;
	struct lh_index *ix;
	struct lh_row row;
	uint64_t at;
	size_t n;

	build(ROWS, LH_F32, false);
	h = slurp(&n);
	order_of(h)->kind = 1000;
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
	poke(h, sizeof *h, 0);
	free(h);
	ix = lh_index_open(path, &err);
	CHECK(ix && lh_index_nth_row(ix, 7, &at, &row, &err) == 1 && at == 7);
	lh_index_close(ix);
	compact_changes(ROWS, ROWS + 10, 0);
	*damage = '\0';
	CHECK(lh_index_verify(path, on_damage, NULL, &err) == 0 && !*damage);
	ix = lh_index_open(path, &err);
	CHECK(ix && lh_index_nth_row(ix, ROWS + 9, &at, &row, &err) == 1);
	CHECK(row.id.n == 5 && !memcmp(row.id.p, "r1209", 5));
	lh_index_close(ix);
}

int main(void)
{
	/* In memory if possible. */
	snprintf(dir, sizeof dir, "%s/lh-order-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/o.lhv", dir);
	test(rows_are_returned_in_the_order_of_the_puts());
	test(compaction_makes_the_file_that_a_build_makes());
	test(rows_that_link_are_stored_near_each_other());
	test(damage_of_the_order_is_reported());
	test(a_file_without_an_order_is_read());
	unlink(path);
	strcat(path, "-lock");
	unlink(path);
	strcpy(strrchr(path, '-'), "-log");
	unlink(path);
	CHECK(rmdir(dir) == 0);
	return 0;
}
