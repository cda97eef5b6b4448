/*
 * fuzz_lexical - a hostile inverted index: a valid one with bytes replaced, checked and
 * searched in memory without a spare byte.  Input that begins with T is texts
 * instead, which are indexed and must then be found.
 */
#include "fuzz.h"

#include "lexical/lexical.h"

#define ROWS 700
#define RUNS 4

static struct lh_err err;
static char *good[RUNS], *image[RUNS];
static size_t size[RUNS];

static void take(int run, const void *p, size_t n)
{
	good[run] = malloc(n);
	image[run] = malloc(n);
	size[run] = n;
	never(!good[run] || !image[run]);
	memcpy(good[run], p, n);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct lh_lexical_build *b = lh_lexical_build_new();
	struct lh_lexical ix;
	char text[80];

	(void)argc;
	(void)argv;
	for (unsigned i = 0; b && i < ROWS; i++) {
		int n = snprintf(text, sizeof text, "all all%s r%u m%u \u6c34\u6ce5",
				 i % 2 ? "" : " even", i % 90, i % 7);

		never(lh_lexical_build_add(b, text, i % 50 ? (size_t)n : 0, &err) < 0);
	}
	never(lh_lexical_build_finish(b, &ix, &err) < 0);
	take(0, ix.length, 4 * ix.rows);
	take(1, ix.term - 1, sizeof ix.head + (ix.terms + 1) * sizeof *ix.term);
	take(2, ix.texts, ix.texts_n);
	take(3, ix.postings, ix.postings_n);
	lh_lexical_build_free(b);
	return 0;
}

static int allow(void *ctx, uint64_t row, struct lh_err *e)
{
	(void)ctx;
	(void)e;
	return row % 3 != 0;
}

static int order(void *ctx, uint64_t a, uint64_t b)
{
	(void)ctx;
	return a < b ? -1 : a > b;
}

/* Return the number of rows found. */
static long ask(const struct lh_lexical *ix, const char *text, size_t n, bool must)
{
	struct lh_lexical_query q = { 0 };
	struct lh_lexical_rows rows = { allow, order, NULL };
	struct lh_lexical_hit hit[9];
	long got;

	never(lh_lexical_query_set(&q, text, n, &ix, 1, &err) < 0);
	got = lh_lexical_search(&q, 9, &rows, hit, &err);
	never(got < 0 && (must || err.code != LH_ECORRUPT));
	for (long i = 0; i < got; i++)
		never(hit[i].row >= ix->rows || hit[i].row % 3 == 0 ||
		      !__builtin_isfinite(hit[i].score) || (i && hit[i - 1].score < hit[i].score));
	lh_lexical_query_free(&q);
	return got;
}

static void on_damage(void *ctx, int run, const char *text)
{
	++*(int *)ctx;
	never(run < 0 || run >= RUNS || !*text);
}

static void seek(const struct lh_lexical *ix, uint32_t step)
{
	struct lh_lexical_cursor c;
	uint64_t i;

	for (i = 0; i < ix->terms; i++) {
		uint32_t row = 0;
		int rc = lh_lexical_begin(&c, ix, i);

		for (; rc > 0; row += step) {
			rc = lh_lexical_seek(&c, row);
			never(rc > 0 && (c.row[c.at] < row || c.row[c.at] >= ix->rows));
		}
	}
}

/* Apply groups of four bytes: an offset (high byte first), a run, a value. */
static void damaged(const uint8_t *data, size_t n)
{
	struct lh_str run[RUNS];
	struct lh_lexical ix;
	int damage = 0, i;

	for (i = 0; i < RUNS; i++) {
		memcpy(image[i], good[i], size[i]);
		run[i] = (struct lh_str){ image[i], size[i] };
	}
	for (; n >= 4; data += 4, n -= 4)
		image[data[2] % RUNS][(data[0] * 256u + data[1]) % size[data[2] % RUNS]] =
			(char)data[3];
	never(lh_lexical_open(&ix, ROWS, run) != LH_LEXICAL_GOOD);
	lh_lexical_verify(&ix, on_damage, &damage);
	ask(&ix, "all even r1 m2 \u6c34\u6ce5", strlen("all even r1 m2 \u6c34\u6ce5"), !damage);
	ask(&ix, "r70 m1", 6, !damage);
	seek(&ix, 7);
}

static void texts(const char *text, size_t n)
{
	struct lh_lexical_build *b;
	struct lh_lexical ix;
	int damage = 0;

	if (!lh_utf8_valid(text, n))
		return;
	b = lh_lexical_build_new();
	for (int i = 0; b && i < 3; i++)
		never(lh_lexical_build_add(b, text,
					   i == 1 ? n : n / 2 * (size_t)lh_utf8_valid(text, n / 2),
					   &err) < 0);
	never(!b || lh_lexical_build_finish(b, &ix, &err) < 0);
	lh_lexical_verify(&ix, on_damage, &damage);
	never(damage);
	never(ask(&ix, text, n, true) < (ix.length[1] > 0));
	lh_lexical_build_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n && *data == 'T')
		texts((const char *)data + 1, n - 1);
	else
		damaged(data, n);
	return 0;
}
