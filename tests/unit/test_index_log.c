/* INDEX-log: acknowledged changes are there; torn and damaged ones are reported. */
#include "index/index_log.h"
#include "index_make.h"

#define DIM 4

static void verify_log(void)
{
	struct lh_index *ix = lh_index_open_base(PATH, &err);

	damages = 0;
	CHECK(ix != NULL);
	CHECK(lh_index_log_verify(ix, PATH, index_on_damage, NULL, &err) == 0);
	lh_index_close(ix);
}

/* Rows r0..rN-1; row i points along axis i % DIM, and slightly off it. */
static void vector_of(unsigned i, float *v)
{
	memset(v, 0, DIM * sizeof *v);
	v[i % DIM] = 1;
	v[(i + 1) % DIM] = (float)i / 1000;
}

static void a_row(struct index_row *r, unsigned i)
{
	snprintf(r->id, sizeof r->id, "r%u", i);
	r->dim = DIM;
	r->meta = "{\"a\":1}";
	vector_of(i, r->v);
}

static void build(unsigned n, const char *created_at)
{
	struct lh_index_params p;

	lh_index_params_default(&p);
	p.dimension = DIM;
	strcpy(p.created_at, created_at);
	index_build(&p, a_row, 0, n, 1);
}

static void put(struct lh_index_change *c, const char *id, const char *meta)
{
	struct index_row r = { .dim = DIM, .meta = meta };

	snprintf(r.id, sizeof r.id, "%s", id);
	vector_of((unsigned)strlen(id), r.v);
	index_put(c, &r);
}

static void put_one(const char *id, const char *meta)
{
	struct lh_index_change *c = index_begin();

	put(c, id, meta);
	index_end(c);
}

static struct lh_index_stats stats(void)
{
	struct lh_index *ix = lh_index_open(PATH, &err);
	struct lh_index_stats st;

	CHECK(ix != NULL);
	lh_index_get_stats(ix, &st);
	lh_index_close(ix);
	return st;
}

/* Return the metadata of an id, "" for none, NULL for an id that is not live. */
static const char *meta_of(const char *id)
{
	static char text[256];
	struct lh_index *ix = lh_index_open(PATH, &err);
	struct lh_row row;
	int64_t at;

	CHECK(ix != NULL);
	at = lh_index_find(ix, id, strlen(id), &err);
	if (at >= 0) {
		CHECK(lh_index_row(ix, (uint64_t)at, &row, &err) == 1);
		snprintf(text, sizeof text, "%.*s", (int)row.meta.n, row.meta.p);
	}
	lh_index_close(ix);
	return at >= 0 ? text : NULL;
}

static size_t read_log(char *to)
{
	size_t n;
	char *p = check_read(LOG_PATH, &n);

	memcpy(to, p, n);
	free(p);
	return n;
}

/* Four frames of one commit each: cut at every byte. */
static void a_torn_tail_is_ignored_reported_and_overwritten(void)
{
	static char log[4096];
	size_t at[5] = { 0 }, n, cut, whole;

	build(2, "t");
	for (n = 1; n <= 4; n++) {
		put_one((const char *[]){ "", "a", "bb", "ccc", "dddd" }[n], "{\"x\":[1,2]}");
		at[n] = read_log(log);
	}
	for (cut = 0; cut <= at[4]; cut++) {
		check_write(LOG_PATH, log, cut);
		for (whole = 0; whole < 4 && at[whole + 1] <= cut; whole++)
			;
		CHECK(stats().pending == whole);
		verify_log();
		if (cut == at[whole] || cut == 48)	/* 48: only the mark */
			CHECK(stats().torn_at == -1 && damages == 0);
		else
			CHECK(stats().torn_at == (int64_t)(whole || cut < 48 ? at[whole] : 48) &&
			      damages == 1 &&
			      strncmp(damage, "log: torn tail at byte ", 23) == 0);
		put_one("later", NULL);
		CHECK(stats().torn_at == -1 && stats().pending == whole + 1 && meta_of("later"));
		verify_log();
		CHECK(damages == 0);
	}
}

static void zeros_at_the_end_are_a_torn_tail(void)
{
	static char log[4096];
	size_t n;

	build(2, "t");
	put_one("a", NULL);
	n = read_log(log);
	check_write(LOG_PATH, log, n + 512);
	CHECK(stats().torn_at == (int64_t)n && stats().pending == 1);
}

/* Append three puts in one commit. */
static void put_three(void)
{
	struct lh_index_change *c = index_begin();

	put(c, "x", "{}");
	put(c, "yy", "{}");
	put(c, "zzz", "{}");
	index_end(c);
}

static void a_commit_that_is_cut_has_no_effect(void)
{
	static char log[4096];
	size_t n, whole, cut;

	build(2, "t");
	put_one("a", "{}");
	n = read_log(log);
	put_three();
	whole = read_log(log);
	for (cut = n; cut <= whole; cut++) {
		check_write(LOG_PATH, log, cut);
		CHECK(stats().pending == (cut < whole ? 1 : 4));
		CHECK(stats().torn_at == (cut == n || cut == whole ? -1 : (int64_t)n));
		verify_log();
		CHECK(damages == (cut > n && cut < whole));
		put_one("later", NULL);
		CHECK(stats().pending == (cut < whole ? 2 : 5) && meta_of("later"));
		CHECK(!meta_of("x") == (cut < whole) && !meta_of("zzz") == (cut < whole));
		verify_log();
		CHECK(damages == 0);
	}
	memset(log + n + 24, 0, whole - n - 24);	/* its size is on disk, its bytes are not */
	check_write(LOG_PATH, log, whole);
	CHECK(stats().pending == 1 && stats().torn_at == (int64_t)n);
}

static void no_bit_of_a_group_may_flip(void)
{
	static char log[4096], bad[4096];
	size_t from, to, n, i;
	struct lh_index *ix;

	build(2, "t");
	put_one("a", "{}");
	from = read_log(log);
	put_three();
	to = read_log(log);
	put_one("later", "{}");
	n = read_log(log);
	for (i = from; i < to; i++) {
		memcpy(bad, log, n);
		bad[i] ^= 4;
		check_write(LOG_PATH, bad, n);
		verify_log();
		CHECK(damages >= 1);
		if (i % 8)
			continue;	/* opening waits before it reports */
		ix = lh_index_open(PATH, &err);
		CHECK(!ix && err.code == LH_ECORRUPT);
	}
}

/* A log is a mark, and then these frames. */
static void is_damage(const struct lh_buf *mark, const struct lh_buf *frames)
{
	struct lh_buf log = { 0 };
	struct lh_index *ix;

	lh_buf_add(&log, mark->p, mark->len);
	lh_buf_add(&log, frames->p, frames->len);
	CHECK(lh_buf_check(&log, &err) == 0);
	check_write(LOG_PATH, log.p, log.len);
	verify_log();
	CHECK(damages == 1);
	ix = lh_index_open(PATH, &err);
	CHECK(!ix && err.code == LH_ECORRUPT);
	lh_buf_free(&log);
}

static void a_group_holds_puts_and_deletes_only(void)
{
	struct lh_buf mark = { 0 }, group = { 0 }, deeper = { 0 }, cut = { 0 }, none = { 0 };
	struct lh_index *ix;

	build(2, "t");
	ix = lh_index_open_base(PATH, &err);
	CHECK(ix != NULL);
	lh_log_add_mark(&mark, ix->checksum, DIM);
	lh_index_close(ix);

	lh_log_add_group(&group, &mark);
	lh_buf_add(&group, mark.p, mark.len);
	is_damage(&mark, &group);	/* a mark in a group */
	lh_buf_reset(&group);

	lh_log_add_delete(&cut, (struct lh_str){ "r0", 2 });
	lh_log_add_group(&group, &cut);
	lh_buf_add(&group, cut.p, cut.len);
	is_damage(&none, &group);	/* no mark before it */
	lh_log_add_group(&deeper, &group);
	lh_buf_add(&deeper, group.p, group.len);
	is_damage(&mark, &deeper);	/* a group in a group */

	cut.len -= 8;
	lh_buf_reset(&group);
	lh_log_add_group(&group, &cut);
	lh_buf_add(&group, cut.p, cut.len);
	is_damage(&mark, &group);	/* a frame that reaches past the group */
	lh_buf_free(&mark);
	lh_buf_free(&group);
	lh_buf_free(&deeper);
	lh_buf_free(&cut);
}

/* No flipped bit passes.  Only one in the last frame's payload counts as a torn tail,
 * since what follows damage must not be overwritten. */
static void damage_is_never_silent(void)
{
	static char log[4096], bad[4096];
	size_t last, n, i;
	struct lh_index_change *c;
	struct lh_index *ix;
	bool due;

	build(2, "t");
	put_one("a", "{}");
	last = read_log(log);
	put_one("bb", "{}");
	n = read_log(log);
	for (i = 0; i < n * 8; i++) {
		memcpy(bad, log, n);
		bad[i / 8] ^= (char)(1 << i % 8);
		check_write(LOG_PATH, bad, n);
		verify_log();
		CHECK(damages >= 1);
		ix = i % 16 ? NULL : lh_index_open(PATH, &err);	/* it waits before it reports */
		if (i % 16 == 0)
			CHECK(!ix == (i / 8 < last + 16));
		lh_index_close(ix);
		if (i / 8 < 48 || (i / 8 >= last && i / 8 < last + 16)) { /* the mark, or a head */
			c = index_begin();
			put(c, "c", NULL);
			CHECK(lh_index_change_commit(c, &due, &err) < 0 &&
			      err.code == LH_ECORRUPT);
			lh_index_change_close(c);
			CHECK(read_log(bad) == n);
		}
	}
}

static void a_log_never_applies_to_another_index(void)
{
	static char log[4096];
	size_t n;

	build(2, "t");
	put_one("a", NULL);
	n = read_log(log);
	build(2, "u");
	CHECK(access(LOG_PATH, F_OK) < 0);
	/* as if the build had been killed before it removed the log */
	check_write(LOG_PATH, log, n);
	CHECK(stats().pending == 0 && !meta_of("a"));
	verify_log();
	CHECK(damages == 0);
	put_one("b", NULL);
	CHECK(stats().pending == 1 && !meta_of("a") && meta_of("b"));
}

static void a_part_for_an_index_that_never_came_is_cut_off(void)
{
	struct lh_buf b = { 0 };
	static char log[8192];
	size_t n;
	float v[DIM] = { 1 };

	build(2, "t");
	put_one("a", NULL);
	n = read_log(log);
	lh_buf_add(&b, log, n);
	lh_log_add_mark(&b, 12345, DIM);
	lh_log_add_put(&b, (struct lh_str){ "ghost", 5 }, v, DIM, NULL);
	check_write(LOG_PATH, b.p, b.len);
	CHECK(stats().pending == 1 && !meta_of("ghost"));
	put_one("b", NULL);
	CHECK(stats().pending == 2 && !meta_of("ghost") && meta_of("a") && meta_of("b"));
	CHECK(read_log(log) < b.len + 80);
	lh_buf_free(&b);
}

/* Make a log of two parts, each with a put, in the file that the log is. */
static void write_parts(uint64_t first, const char *a, uint64_t second, const char *b)
{
	struct lh_buf log = { 0 };
	float v[DIM] = { 1 };

	lh_log_add_mark(&log, first, DIM);
	lh_log_add_put(&log, (struct lh_str){ a, 1 }, v, DIM, NULL);
	lh_log_add_mark(&log, second, DIM);
	lh_log_add_put(&log, (struct lh_str){ b, 1 }, v, DIM, NULL);
	check_write(LOG_PATH, log.p, log.len);
	lh_buf_free(&log);
}

static bool renewed_has(struct lh_index *ix, const char *id)
{
	struct lh_index *now = lh_index_renew(ix, &err);
	int64_t at;

	CHECK(now != NULL);
	at = lh_index_find(now, id, 1, &err);
	lh_index_close(now);
	lh_index_close(ix);
	return at >= 0;
}

static void what_replaces_other_parts_is_read_again(void)
{
	struct lh_index *ix;
	uint64_t sum;

	build(2, "t");
	put_one("a", NULL);
	ix = lh_index_open(PATH, &err);
	CHECK(ix != NULL);
	sum = lh_index_identity(ix).checksum;
	lh_index_close(ix);

	/* The part of another index is cut off, for one of the same length. */
	write_parts(sum, "a", 12345, "x");
	ix = lh_index_open(PATH, &err);
	CHECK(ix != NULL);
	put_one("b", NULL);
	CHECK(renewed_has(ix, "b"));

	/* The log was replaced, and the new one has the inode of the one that was read. */
	write_parts(12345, "x", sum, "a");
	ix = lh_index_open(PATH, &err);
	CHECK(ix != NULL);
	write_parts(sum, "b", sum, "a");
	CHECK(renewed_has(ix, "b"));
}

static void put_many(struct lh_index_change *c, unsigned from, unsigned n)
{
	char id[16];

	for (unsigned i = from; i < from + n; i++) {
		snprintf(id, sizeof id, "p%u", i);
		put(c, id, NULL);
	}
}

/* Two writers: the second is refused, with its changes kept, until there is room. */
static void a_full_log_makes_writers_wait(void)
{
	struct lh_index_change *a, *b;
	uint64_t before;
	bool due;

	build(5, "t");
	a = index_begin();
	b = index_begin();
	put_many(a, 0, 1999);
	CHECK(lh_index_change_try(a, &due, &err) == 0 && due);
	put_many(a, 1999, 1);
	CHECK(lh_index_change_try(a, &due, &err) == 0 && due);
	put_many(b, 2000, 300);
	before = lh_index_change_bytes(b);
	CHECK(lh_index_change_try(b, &due, &err) == 1 && due);
	CHECK(lh_index_change_bytes(b) == before && stats().pending == 2000);
	put_many(a, 5000, 1);
	CHECK(lh_index_change_commit(a, &due, &err) == 0);
	CHECK(lh_index_make_room(PATH, 1, 1, &err) == 0);
	CHECK(stats().pending == 0 && stats().base == 2006);
	CHECK(lh_index_change_try(b, &due, &err) == 0 && due && lh_index_change_bytes(b) == 0);
	CHECK(stats().live == 2306 && stats().pending == 300);
	lh_index_change_close(a);
	lh_index_change_close(b);
}

int main(void)
{
	check_folder();
	test(a_torn_tail_is_ignored_reported_and_overwritten());
	test(zeros_at_the_end_are_a_torn_tail());
	test(a_commit_that_is_cut_has_no_effect());
	test(no_bit_of_a_group_may_flip());
	test(a_group_holds_puts_and_deletes_only());
	test(damage_is_never_silent());
	test(a_log_never_applies_to_another_index());
	test(a_part_for_an_index_that_never_came_is_cut_off());
	test(what_replaces_other_parts_is_read_again());
	test(a_full_log_makes_writers_wait());
	return 0;
}
