/*
 * Damaged index files: opening and searching never crash, hang or take twice the
 * memory, and verify finds the damage.
 *
 *     test_index_hostile [FLIPS [SEED]]
 *
 * FLIPS single-bit flips are tried, and as many overwritten runs of bytes: 1,500 by
 * default, 150 with LH_SCALE=check (30 with sanitizers), 10,000 with LH_SCALE=soak; a third of
 * that for indexes quantized to f16, and to i8 with f32 for rescoring.  Truncation is always
 * tried at every length; header fields too, except for f16.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "index_make.h"

#undef CHECK
#define CHECK(x) check_why(x, (fprintf(stderr, "after %s: %s\n", what, err.msg), ""))
#define ROWS 1300
#define DIM 12
#define LINKS 32

static char what[128] = "nothing yet";
static unsigned char *good;
static size_t size;

static void a_row(struct index_row *r, unsigned i)
{
	static char meta[64];

	r->dim = DIM;
	for (unsigned d = 0; d < DIM; d++)
		r->v[d] = (float)index_draw(2001) - 1000.5f;
	snprintf(meta, sizeof meta, "{\"n\":%u,\"s\":\"x\"}", i);
	r->meta = meta;
}

static void make(int precision, bool rescore)
{
	struct lh_index_params p;

	lh_index_params_default(&p);
	p.ef_construction = 40;
	p.precision = precision;
	p.rescore = rescore;
	index_build(&p, a_row, 0, ROWS, 1);
	good = check_read(PATH, &size);
}

static int every_third(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)ctx;
	(void)e;
	return row % 3 == 0 && r->meta.n != 7;
}

static void ask(struct lh_searcher *s, const float *v, size_t k, bool exact,
		struct lh_filter_cache *filter)
{
	struct lh_hit hit[40];
	struct lh_query q = { .vector = v,
			      .k = k,
			      .ef = 12,
			      .exact = exact,
			      .allow = filter ? every_third : NULL,
			      .filter_cache = filter };
	long n = lh_index_search(s, &q, hit, &err), i;

	CHECK(n >= -1 && n <= (long)k);
	CHECK(n >= 0 || err.code == LH_ECORRUPT);
	for (i = 0; i < n; i++)
		CHECK(hit[i].distance >= 0 && hit[i].distance < 1e30f &&
		      (!i || hit[i - 1].distance <= hit[i].distance));
}

/* Do everything that a reader does with the file as it is now. */
static bool search_and_verify(void)
{
	struct lh_index *ix = lh_index_open(PATH, &err);
	struct lh_searcher *s;
	struct lh_row row;
	float v[65536] = { 1, 2, 3 };

	if (!ix) {
		CHECK(err.code == LH_ECORRUPT);
		return false;
	}
	s = lh_searcher_new(ix, &err);
	CHECK(s || err.code == LH_ENOMEM || err.code == LH_EDATA);
	if (s) {
		struct lh_filter_cache *filter = lh_filter_cache_new(ix);

		v[0] = (float)index_draw(10) + 1;
		ask(s, v, 10, false, NULL);
		ask(s, v, 10, false, filter);
		ask(s, v, 40, false, filter);
		ask(s, v, 3, true, index_draw(2) ? filter : NULL);
		lh_filter_cache_free(filter);
		lh_searcher_free(s);
	}
	for (unsigned i = 0; i < 50; i++) {
		char id[16];
		int n = sprintf(id, "id-%u", (unsigned)index_draw(ROWS + 5));
		int64_t at = lh_index_find(ix, id, (size_t)n, &err);

		CHECK(at >= -2 && (at < 0 || (uint64_t)at < lh_index_rows(ix)));
		at = (int64_t)index_draw(ROWS);
		if ((uint64_t)at < lh_index_rows(ix))
			lh_index_vector(ix, (uint64_t)at, v);
		if (lh_index_row(ix, (uint64_t)at, &row, &err) == 1)
			CHECK(row.id.n <= LH_ID_MAX && lh_utf8_valid(row.id.p, row.id.n) &&
			      row.meta.n <= size);
	}
	lh_index_close(ix);
	return true;
}

static unsigned damage_found(void)
{
	damages = 0;
	if (lh_index_verify(PATH, index_on_damage, NULL, &err) == 0)
		return damages;
	CHECK(err.status == LH_INDEX_OLD);
	return 1;
}

static void truncated_files_are_refused(void)
{
	for (size_t n = 0; n < size; n = n < 200 ? n + 1 : (n / 4096 + 1) * 4096) {
		snprintf(what, sizeof what, "cut at %zu", n);
		check_write(PATH, good, n);
		CHECK(!search_and_verify() && damage_found());
		CHECK(strstr(err.msg, n < 8 ? "not an index" : "truncated"));
	}
	check_write(PATH, good, size - 1);
	CHECK(!search_and_verify() && strstr(err.msg, "truncated") && damage_found());
	check_write(PATH, good, size);
	CHECK(search_and_verify() && !damage_found());
}

static void any_flipped_bit_is_noticed(unsigned flips)
{
	int fd = open(PATH, O_WRONLY);
	unsigned char byte;
	uint64_t at;

	CHECK(fd >= 0);
	for (unsigned i = 0; i < flips; i++) {
		/* every other flip in the header, parameters and tables */
		at = i % 2 ? index_draw(size) : i % 4 ? index_draw(8192)
					      : size - 1 - index_draw(size / 3);
		byte = good[at] ^ (unsigned char)(1u << index_draw(8));
		snprintf(what, sizeof what, "byte %llu set to %u", (unsigned long long)at, byte);
		CHECK(pwrite(fd, &byte, 1, (off_t)at) == 1);
		search_and_verify();
		CHECK(damage_found());
		CHECK(pwrite(fd, good + at, 1, (off_t)at) == 1);
	}
	close(fd);
}

static void overwritten_runs_do_no_harm(unsigned smears)
{
	unsigned char *bad = malloc(size);
	int fd = open(PATH, O_WRONLY);

	CHECK(bad && fd >= 0);
	memcpy(bad, good, size);
	for (unsigned i = 0; i < smears; i++) {
		uint64_t n = 1 + index_draw(index_draw(4) ? 64 : 20000),
			 at = LH_INDEX_PAGE + index_draw(size - LH_INDEX_PAGE), j;
		unsigned kind = (unsigned)index_draw(4);

		if (n > size - at)
			n = size - at;
		for (j = 0; j < n; j++)
			bad[at + j] = kind == 0 ? 0 :
				      kind == 1 ? 0xff :
				      kind == 2 ? (unsigned char)index_draw(256) :
						  (unsigned char)index_draw(5);
		snprintf(what, sizeof what, "%llu bytes at %llu smeared", (unsigned long long)n,
			 (unsigned long long)at);
		CHECK(pwrite(fd, bad + at, n, (off_t)at) == (ssize_t)n);
		search_and_verify();
		CHECK(damage_found() || !memcmp(bad + at, good + at, n));
		memcpy(bad + at, good + at, n);
		CHECK(pwrite(fd, bad + at, n, (off_t)at) == (ssize_t)n);
	}
	close(fd);
	free(bad);
}

/* Return whether the kind of section hides the order: the file is then one whose rows
 * are stored in the order of the puts.  Or one that is empty, which is as good as none. */
static bool hides_order(const struct lh_index_header *h)
{
	const struct lh_index_header *was = (const void *)good;

	for (uint32_t i = 0; i < was->n_sections && i < h->n_sections; i++)
		if ((was->section[i].kind == LH_INDEX_ORDER || !was->section[i].bytes) &&
		    h->section[i].kind > LH_INDEX_ORDER)
			return true;
	return false;
}

/* Return whether only the entry of a walk differs, which may be any row. */
static bool begins_elsewhere(const struct lh_index_header *h)
{
	struct lh_index_header as = *h;

	as.entry = ((const struct lh_index_header *)(const void *)good)->entry;
	as.xxh3 = ((const struct lh_index_header *)(const void *)good)->xxh3;
	return !memcmp(&as, good, sizeof as) && !as.top && h->entry < ROWS;
}

/* With the checksum recomputed, so that what it protects is reached. */
/* In make check every other value, from the first or the second. */
static void extreme_header_fields_do_no_harm(bool second)
{
	static const uint64_t extremes[] = { 0,	       1,	   7,	       4096,
					     1u << 31, 1ull << 32, 1ull << 63, UINT64_MAX };
	unsigned char page[LH_INDEX_PAGE];
	struct lh_index_header *h = (void *)page;
	int fd = open(PATH, O_WRONLY);
	size_t at, i, wide;

	CHECK(fd >= 0);
	for (at = 8; at < 128 + 12 * sizeof(struct lh_index_section); at += 4)
		for (i = check_is_small() && second; i < sizeof extremes / sizeof *extremes;
		     i += 1 + check_is_small())
			for (wide = 4; wide <= 8; wide += 4) {
				memcpy(page, good, sizeof page);
				memcpy(page + at, &extremes[i], wide);
				snprintf(what, sizeof what, "header byte %zu set to %llx", at,
					 (unsigned long long)extremes[i]);
				CHECK(pwrite(fd, page, sizeof page, 0) == sizeof page);
				search_and_verify();
				CHECK(damage_found() || !memcmp(page, good, sizeof page));
				h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
				CHECK(pwrite(fd, page, sizeof page, 0) == sizeof page);
				search_and_verify();
				CHECK(damage_found() || !memcmp(page, good, sizeof page) ||
				      hides_order(h) || begins_elsewhere(h));
			}
	CHECK(pwrite(fd, good, LH_INDEX_PAGE, 0) == LH_INDEX_PAGE);
	close(fd);
}

static void check_message(size_t at, uint32_t value, const char *message)
{
	unsigned char page[LH_INDEX_PAGE];
	int fd = open(PATH, O_WRONLY);

	memcpy(page, good, sizeof page);
	memcpy(page + at, &value, sizeof value);
	CHECK(fd >= 0 && pwrite(fd, page, sizeof page, 0) == sizeof page);
	CHECK(!search_and_verify() && strstr(err.msg, message) && damage_found());
	CHECK(pwrite(fd, good, sizeof page, 0) == sizeof page);
	close(fd);
}

static void other_kinds_of_file_have_a_message_each(void)
{
	check_message(0, 0x04034b50, "not an index: the magic number is wrong");
	check_message(8, 5, "format version 5 is newer than 4, the newest that this program reads");
	check_message(12, 0x04030201, "written in the other byte order");
	check_message(24, 5, "header: the checksum is wrong");
}

/* All links to one row, with valid checksums: no compaction may copy them. */
static void a_link_given_twice_is_damage(void)
{
	unsigned char *bad = malloc(size);
	struct lh_index_header *h = (void *)bad;
	struct lh_index_section *s = h->section + 1;
	struct lh_index_change *c;
	struct index_row new = { .id = "new", .v = { 1 }, .dim = DIM };
	uint32_t links[LINKS];
	size_t ids_at = 4 * DIM;

	CHECK(bad);
	memcpy(bad, good, size);
	CHECK(s->kind == LH_INDEX_ROWS);
	for (uint32_t row = 0; row < ROWS; row++) {
		for (unsigned i = 0; i < LINKS; i++)
			links[i] = row == 7 ? 8 : 7;
		memcpy(bad + s->at + row * h->stride + ids_at, links, sizeof links);
	}
	s->xxh3 = lh_xxh3(bad + s->at, s->bytes);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
	snprintf(what, sizeof what, "links given twice");
	check_write(PATH, bad, size);
	free(bad);
	CHECK(search_and_verify());
	c = index_begin();
	index_put(c, &new);
	index_end(c);
	CHECK(lh_index_compact(PATH, 1, 1, &err) < 0);
	CHECK(err.code == LH_ECORRUPT && strstr(err.msg, "two links to row"));
	CHECK(damage_found());
	CHECK(unlink(LOG_PATH) == 0);
	check_write(PATH, good, size);
}

static long peak(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void run_all(int precision, bool rescore, unsigned flips)
{
	long before;

	free(good);
	make(precision, rescore);
	CHECK(search_and_verify() && !damage_found());
	before = peak();
	truncated_files_are_refused();
	if (precision != LH_F16)
		extreme_header_fields_do_no_harm(precision == LH_I8);
	any_flipped_bit_is_noticed(flips);
	overwritten_runs_do_no_harm(flips);
	CHECK(search_and_verify() && !damage_found());
	printf("# %s, %zu bytes, %u flips and smears, peak %ld KiB, %ld before\n",
	       lh_precision_name(precision), size, flips, peak(), before);
#ifndef __SANITIZE_ADDRESS__
	CHECK(peak() < 2 * before);
#endif
}

int main(int argc, char **argv)
{
	const char *scale = getenv("LH_SCALE");
	unsigned flips = argc > 1 ? (unsigned)atoi(argv[1]) :
			 scale && !strcmp(scale, "soak") ? 10000 :
			 !check_is_small() ? 1500 :
#ifdef __SANITIZE_ADDRESS__
			 30;
#else
			 150;
#endif

	alarm(3600);	/* a hang is a failure */
	check_folder();
	if (argc > 2)
		index_rng = strtoull(argv[2], NULL, 10);
	test(run_all(LH_F32, false, flips));
	test(other_kinds_of_file_have_a_message_each());
	test(a_link_given_twice_is_damage());
	test_full(run_all(LH_F16, false, flips / 3));
	test(run_all(LH_I8, true, flips / 3));
	free(good);
	return 0;
}
