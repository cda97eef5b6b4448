/*
 * An index file that is written to in place while it is read: searches, a check and a
 * compaction never read outside it, and a compacted index is valid.
 *
 * Another thread changes the numbers that sizes and offsets are computed from through
 * a second mapping, and changes them back, at random moments.  It takes many tries
 * to write between two reads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "index_make.h"

#define ROWS 1200
#define DIM 8

static unsigned char *good, *good_log;
static size_t n_good, n_log;
static unsigned char *map;	/* what the writer changes, while it runs */
static bool stop, was_changed;

static uint64_t rnd(uint64_t *state, uint64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % n;
}

static void a_row(struct index_row *r, unsigned i)
{
	r->dim = DIM;
	r->meta = i < ROWS ? "{\"s\":\"some text\"}" : "{}";
	for (unsigned d = 0; d < DIM; d++)
		r->v[d] = (float)index_draw(2001) - 1000.5f;
}

static void make(void)
{
	struct lh_index_params p;

	lh_index_params_default(&p);
	p.ef_construction = 16;
	index_build(&p, a_row, 0, ROWS, 1);
	index_add(a_row, ROWS, ROWS + 20);
	good = check_read(PATH, &n_good);
	good_log = check_read(LOG_PATH, &n_log);
}

static const struct lh_index_section *section(uint32_t kind)
{
	const struct lh_index_header *h = (const void *)good;

	for (uint32_t i = 0; i < h->n_sections; i++)
		if (h->section[i].kind == kind)
			return &h->section[i];
	return NULL;
}

/* Return the offset of a word in that kind of section, of those that hold sizes or
 * offsets. */
static size_t place(uint32_t kind, uint64_t *state)
{
	const struct lh_index_section *s = section(kind);
	const struct lh_index_header *h = (const void *)good;

	CHECK(s && s->bytes);
	if (kind == LH_INDEX_ROWS)
		return s->at + rnd(state, ROWS) * h->stride + 4 * DIM + 4 * rnd(state, 32);
	return s->at + 4 * rnd(state, s->bytes / 4);
}

static void set(size_t at, uint32_t value)
{
	__atomic_store_n((uint32_t *)(void *)(map + at), value, __ATOMIC_RELAXED);
}

static void *change(void *unused)
{
	static const uint32_t kinds[] = {
		LH_INDEX_ROWS, LH_INDEX_ID_AT, LH_INDEX_META_AT, LH_INDEX_ORDER, LH_INDEX_ID_HASH,
	};
	static const uint32_t values[] = { 0, 0xffffffff, 0x7fffffff, 100000, 5 };
	static uint64_t state = 7;
	size_t at[40];

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		uint32_t kind = kinds[rnd(&state, sizeof kinds / sizeof *kinds)], was;
		uint32_t value = values[rnd(&state, 5)];

		for (unsigned i = 0; i < 40; i++) {
			at[i] = place(kind, &state);
			set(at[i], value);
		}
		__atomic_store_n(&was_changed, true, __ATOMIC_RELAXED);
		usleep((useconds_t)rnd(&state, 300));
		for (unsigned i = 0; i < 40; i++) {
			memcpy(&was, good + at[i], sizeof was);
			set(at[i], was);
		}
		usleep((useconds_t)rnd(&state, 600));
	}
	return NULL;
}

static pthread_t begin_changes(void)
{
	pthread_t t;
	int fd;

	unlink(PATH);		/* the old one is still mapped, perhaps */
	unlink(LOG_PATH);
	check_write(PATH, good, n_good);
	check_write(LOG_PATH, good_log, n_log);
	fd = open(PATH, O_RDWR);
	map = fd < 0 ? MAP_FAILED : mmap(NULL, n_good, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	close(fd);
	stop = false;
	CHECK(pthread_create(&t, NULL, change, NULL) == 0);
	return t;
}

static void end_changes(pthread_t t)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	munmap(map, n_good);
}

/* Some compactions are refused; the others give an index without a finding. */
static void a_changing_file_is_compacted_or_refused(unsigned tries)
{
	unsigned done = 0, refused = 0;

	for (unsigned i = 0; i < tries || !done || !refused; i++) {
		pthread_t t = begin_changes();
		int rc = lh_index_compact(PATH, 1, 10, &err);

		end_changes(t);
		CHECK(i < 100 * tries);
		CHECK(rc == 0 || err.code == LH_ECORRUPT);
		refused += rc < 0;
		done += rc == 0;
		if (rc == 0)
			check_why(index_is_sound(), damage);
	}
	CHECK(was_changed);
}

static void search(struct lh_index *ix, uint64_t *state)
{
	struct lh_searcher *s = lh_searcher_new(ix, &err);
	float v[DIM];
	struct lh_hit hit[10];
	struct lh_row row;
	char id[16];

	CHECK(s != NULL);
	for (unsigned i = 0; i < 100; i++) {
		struct lh_query q = { .vector = v, .k = 10, .ef = 20 };
		long n;

		for (unsigned d = 0; d < DIM; d++)
			v[d] = (float)rnd(state, 2001) - 1000.5f;
		n = lh_index_search(s, &q, hit, &err);
		CHECK(n >= -1 && n <= 10 && (n >= 0 || err.code == LH_ECORRUPT));
		while (n-- > 0)
			if (lh_index_row(ix, hit[n].row, &row, &err) == 1)
				CHECK(row.id.n <= LH_ID_MAX && row.meta.n <= n_good);
		CHECK(lh_index_find(ix, id,
				    (size_t)sprintf(id, "id-%u", (unsigned)rnd(state, ROWS)),
				    &err) < ROWS);
		CHECK(lh_index_nth_row(ix, rnd(state, ROWS), &(uint64_t){ 0 }, &row, &err) <= 1);
	}
	lh_searcher_free(s);
}

static void a_changing_file_is_read_safely(unsigned tries)
{
	uint64_t state = 3;

	for (unsigned i = 0; i < tries; i++) {
		pthread_t t = begin_changes();
		struct lh_index *ix = lh_index_open(PATH, &err);

		CHECK(ix || err.code == LH_ECORRUPT);
		if (ix)
			search(ix, &state);
		lh_index_close(ix);
		index_is_sound();
		end_changes(t);
	}
}

int main(void)
{
	const char *scale = getenv("LH_SCALE");
	unsigned tries = scale && !strcmp(scale, "soak") ? 3000 : 150;

	check_folder();
	make();
	test(a_changing_file_is_compacted_or_refused(tries));
	test(a_changing_file_is_read_safely(tries / 3));
	free(good);
	free(good_log);
	return 0;
}
