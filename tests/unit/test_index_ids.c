/*
 * Ids chosen so that the low halves of their XXH3 are equal: the slots that a look-up
 * reads are counted, in memory and on disk.
 */
#include "base/table.h"
#include "index_make.h"

#define IDS 3000
#define ID_N 8
#define DIM 2
#define RUN_MAX 255

static char ids[IDS][ID_N];

/* ---- XXH3 of eight bytes, inverted ---- */

static uint64_t unshift(uint64_t v, unsigned by, uint64_t add)
{
	uint64_t was = v;

	for (unsigned i = 0; i < 64; i += by)
		was = v ^ ((was >> by) + add);
	return was;
}

/* Invert v ^ rotl(v, 49) ^ rotl(v, 24), which applied 64 times gives v again. */
static uint64_t unrotate(uint64_t v)
{
	for (unsigned i = 0; i < 63; i++)
		v ^= (v << 49 | v >> 15) ^ (v << 24 | v >> 40);
	return v;
}

static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (unsigned i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

static void text_of(uint64_t hash, uint64_t flip, uint64_t unmul, char *out)
{
	uint64_t v = unshift(hash, 28, 0) * unmul;

	v = unrotate(unshift(v, 35, ID_N) * unmul) ^ flip;
	v = v >> 32 | v << 32;
	memcpy(out, &v, ID_N);
}

static bool is_text(const char *p)
{
	for (unsigned i = 0; i < ID_N; i++)
		if (p[i] < ' ' || p[i] > '~')
			return false;
	return true;
}

/* Invert the hash, which by the same steps finds the number that its secret contributes. */
static void choose_ids(void)
{
	uint64_t unmul = inverse(0x9FB21C651E98DF25ull), flip, text, hash = 0;
	char got[ID_N];
	size_t n = 0;

	text_of(lh_xxh3("12345678", ID_N), 0, unmul, got);
	memcpy(&flip, got, ID_N);
	memcpy(&text, "12345678", ID_N);
	flip ^= text;
	flip = flip >> 32 | flip << 32;
	for (hash = 0; n < IDS; hash++) {
		text_of(hash << 32 | 0x5eed, flip, unmul, ids[n]);
		if (is_text(ids[n]))
			check((uint32_t)lh_xxh3(ids[n++], ID_N) == 0x5eed);
	}
}

/* ---- in memory ---- */

static unsigned long compared;

static struct lh_str key(uint32_t i)
{
	return (struct lh_str){ ids[i], ID_N };
}

static struct lh_str id_of(const void *ctx, uint32_t i)
{
	(void)ctx;
	compared++;
	return key(i);
}

static void a_map_does_not_compare_all_ids(void)
{
	struct lh_table m = { .n = 0 };

	for (unsigned i = 0; i < IDS; i++)
		lh_table_set(&m, key(i), i, id_of, NULL);
	for (unsigned i = 0; i < IDS; i++)
		CHECK(lh_table_find(&m, key(i), id_of, NULL) == i);
	lh_table_free(&m);
	check(compared < 2 * IDS);
}

/* ---- on disk ---- */

static void chosen(struct index_row *r, unsigned i)
{
	memcpy(r->id, ids[i], ID_N);
	r->id[ID_N] = '\0';
	r->dim = DIM;
	r->v[0] = 1;
}

static void make(unsigned n)
{
	struct lh_index_params p;

	lh_index_params_default(&p);
	p.exact_below = 2 * IDS;
	index_build(&p, chosen, 0, n, 1);
}

static void load(struct lh_buf *b)
{
	*b = (struct lh_buf){ 0 };
	CHECK(lh_file_read(PATH, b, &err) == 1);
}

static struct lh_index_section *section(struct lh_buf *b, uint32_t kind)
{
	struct lh_index_header *h = (void *)b->p;
	uint32_t i;

	for (i = 0; h->section[i].kind != kind; i++)
		check(i < h->n_sections);
	return &h->section[i];
}

/* Return the length of the longest run of used slots. */
static unsigned longest_run(void)
{
	unsigned run = 0, longest = 0;
	const struct lh_index_section *s;
	const uint32_t *slot;
	struct lh_buf b;

	load(&b);
	s = section(&b, LH_INDEX_ID_HASH);
	slot = (const void *)(b.p + s->at);
	for (uint64_t i = 0; i < 2 * (s->bytes / 8); i++) {
		run = slot[2 * (i % (s->bytes / 8)) + 1] ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	lh_buf_free(&b);
	return longest;
}

static uint64_t seed_of_file(void)
{
	struct lh_buf b;
	uint64_t seed;

	load(&b);
	memcpy(&seed, b.p + 56, sizeof seed);
	lh_buf_free(&b);
	return seed;
}

static void finds_all(void)
{
	struct lh_index *ix = lh_index_open(PATH, &err);
	struct lh_row row;
	int64_t at;

	CHECK(ix != NULL);
	for (unsigned i = 0; i < IDS; i++) {
		at = lh_index_find(ix, ids[i], ID_N, &err);
		CHECK(at >= 0 && lh_index_row(ix, (uint64_t)at, &row, &err) == 1 &&
		      memcmp(row.id.p, ids[i], ID_N) == 0);
	}
	CHECK(lh_index_find(ix, "nobody", 6, &err) == -1);
	lh_index_close(ix);
}

static void a_table_gets_a_seed_under_which_runs_are_short(void)
{
	struct lh_buf one, two;

	make(IDS);
	load(&one);
	CHECK(seed_of_file() != 0);
	check(longest_run() <= RUN_MAX);
	finds_all();
	CHECK(index_is_sound());
	make(IDS);
	load(&two);
	check(one.len == two.len && memcmp(one.p, two.p, one.len) == 0);
	lh_buf_free(&one);
	lh_buf_free(&two);
}

static void ids_that_were_not_chosen_have_seed_0(void)
{
	make(200);
	CHECK(seed_of_file() == 0);
	CHECK(index_is_sound());
}

int main(void)
{
	check_folder();
	choose_ids();
	test(a_map_does_not_compare_all_ids());
	test(ids_that_were_not_chosen_have_seed_0());
	test(a_table_gets_a_seed_under_which_runs_are_short());
	return 0;
}
