/* lh_lexical: words, their index, and the rows with the best scores. */
#include <math.h>

#include "check.h"
#include "lexical/lexical.h"

static struct lh_err err;

/* ---- words ---- */

static void words_are(const char *text, const char *want)
{
	struct lh_term_iterator w;
	struct lh_str word;
	char is[512] = "";
	size_t n = 0;

	lh_term_iterator_init(&w, text, strlen(text));
	while (lh_term_iterator_next(&w, &word))
		n += (size_t)snprintf(is + n, sizeof is - n, "%s%.*s", n ? " " : "", (int)word.n,
				      word.p);
	check_why(!strcmp(is, want), is);
}

static void words_are_folded_and_lose_their_endings(void)
{
	words_are("", "");
	words_are("-- ! ...", "");
	words_are("Welders WELDING the Forklift-Operators", "weld weld the forklift operat");
	words_are("Café résumé, C++ & C#", "caf resum c++ c#");
	words_are("x86_64 3.14", "x86 64 3 14");
}

static void a_script_without_spaces_gives_characters_and_pairs(void)
{
	words_are("\u6c34\u6ce5\u5de5 \u6c34 a",
		  "\u6c34 \u6ce5 \u6c34\u6ce5 \u5de5 \u6ce5\u5de5 \u6c34 a");
}

/* ---- indexes of known texts ---- */

static struct lh_lexical_build *build(const char *const *text, size_t n, struct lh_lexical *ix)
{
	struct lh_lexical_build *b = lh_lexical_build_new();
	size_t i;

	for (i = 0; i < n; i++)
		check_why(lh_lexical_build_add(b, text[i], strlen(text[i]), &err) == 0, err.msg);
	check_why(lh_lexical_build_finish(b, ix, &err) == 0, err.msg);
	return b;
}

static void no_damage(void *ctx, int run, const char *text)
{
	(void)ctx;
	(void)run;
	check_why(0, text);
}

static int all(void *ctx, uint64_t row, struct lh_err *e)
{
	(void)e;
	return !ctx || ((const char *)ctx)[row];
}

static int by_number(void *ctx, uint64_t a, uint64_t b)
{
	(void)ctx;
	return a < b ? -1 : a > b;
}

/* Return how many rows an index has for a text, of at most k; the first ones are in hit. */
static long ask(const struct lh_lexical *ix, const char *text, size_t k, struct lh_lexical_hit *hit)
{
	struct lh_lexical_query q = { 0 };
	struct lh_lexical_rows rows = { all, by_number, NULL };
	long n;

	check(lh_lexical_query_set(&q, text, strlen(text), &ix, 1, &err) == 0);
	n = lh_lexical_search(&q, k, &rows, hit, &err);
	lh_lexical_query_free(&q);
	return n;
}

static void scores_are_bm25(void)
{
	static const char *const text[] = { "red apple", "red red car and more", "", "blue car" };
	struct lh_lexical ix;
	struct lh_lexical_build *b = build(text, 4, &ix);
	struct lh_lexical_hit hit[4];

	check(ix.rows == 4 && ix.head.rows == 3 && ix.head.words == 9);
	lh_lexical_verify(&ix, no_damage, NULL);
	check(ask(&ix, "Red car!", 4, hit) == 3);
	/* both words are in 2 of 3 rows: idf ln(1.6); the mean row has 3 words */
	check(hit[0].row == 1 &&
	      fabs(hit[0].score - log(1.6) * 1.8 * (2 / (2 + 1.2) + 1 / (1 + 1.2))) < 1e-12);
	check(hit[1].row == 0 && fabs(hit[1].score - log(1.6) * 1.8 / (1 + 0.6)) < 1e-12);
	check(hit[2].row == 3 && hit[2].score == hit[1].score);
	check(ask(&ix, "Red car!", 0, hit) == 0);
	/* a word twice in the text counts twice; one that no row has does not */
	check(ask(&ix, "blue blue zebra", 4, hit) == 1);
	check(hit[0].row == 3 &&
	      fabs(hit[0].score - 2 * log(4 / 1.5) * 1.8 / (1 + 0.6)) < 1e-12);
	check(ask(&ix, "?", 4, hit) == 0);
	lh_lexical_build_free(b);
}

static void an_empty_index_answers_nothing(void)
{
	struct lh_lexical ix;
	struct lh_lexical_build *b = build(NULL, 0, &ix);
	struct lh_lexical_hit hit[1];

	lh_lexical_verify(&ix, no_damage, NULL);
	check(ask(&ix, "red", 1, hit) == 0);
	lh_lexical_build_free(b);
}

/* ---- compared with plain counting ---- */

#define ROWS 6000
#define WORDS 400
#define LONGEST 30

static struct {
	char text[ROWS][LONGEST * 8];
	uint16_t has[ROWS][WORDS];
	uint32_t length[ROWS];
	double rows, words, having[WORDS];
} corpus;

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % below;
}

/* Common words have small numbers. */
static uint32_t draw_word(void)
{
	return draw(1 + draw(WORDS));
}

static void make_corpus(void)
{
	uint32_t row, i, n, w;
	size_t at;

	for (row = 0; row < ROWS; row++) {
		n = draw(LONGEST);
		corpus.length[row] = n;
		corpus.words += n;
		corpus.rows += n > 0;
		for (i = 0, at = 0; i < n; i++) {
			w = draw_word();
			corpus.having[w] += !corpus.has[row][w]++;
			at += (size_t)snprintf(corpus.text[row] + at, sizeof corpus.text[row] - at,
					       "q%u ", w);
		}
	}
}

static struct lh_lexical_build *build_rows(uint32_t lo, uint32_t hi, struct lh_lexical *ix)
{
	static const char *text[ROWS];
	uint32_t i;

	for (i = lo; i < hi; i++)
		text[i - lo] = corpus.text[i];
	return build(text, hi - lo, ix);
}

/* A row's score is the same, however many rows are requested. */
static void a_score_does_not_depend_on_k(void)
{
	static const char text[] = "q0 q1 q2 q3 q40 q80 q160 q320";
	struct lh_lexical ix;
	struct lh_lexical_build *b = build_rows(0, ROWS, &ix);
	struct lh_lexical_hit few[10], *many = calloc(ROWS, sizeof *many);
	long i, n;

	check(ask(&ix, text, ROWS, many) > 1000);
	for (n = 1; n <= 10; n++) {
		check(ask(&ix, text, (size_t)n, few) == n);
		for (i = 0; i < n; i++)
			check(few[i].row == many[i].row && few[i].score == many[i].score);
	}
	free(many);
	lh_lexical_build_free(b);
}

static void seeking_finds_what_reading_finds(void)
{
	struct lh_lexical ix;
	struct lh_lexical_build *b = build_rows(0, ROWS, &ix);
	struct lh_lexical_cursor c;
	int64_t term = lh_lexical_find(&ix, (struct lh_str){ "q0", 2 });
	uint32_t step, row, want;

	check(term >= 0 && ix.term[term].rows > 5 * LH_LEXICAL_BLOCK);
	check(lh_lexical_find(&ix, (struct lh_str){ "q", 1 }) == -1);
	for (step = 1; step < ROWS; step *= 3) {
		check(lh_lexical_begin(&c, &ix, (uint64_t)term) == 1);
		for (row = 0; row < ROWS; row += step) {
			for (want = row; want < ROWS && !corpus.has[want][0]; want++)
				;
			check(lh_lexical_seek(&c, row) == (want < ROWS));
			check(want == ROWS ||
			      (c.row[c.at] == want && c.times[c.at] == corpus.has[want][0]));
		}
	}
	lh_lexical_build_free(b);
}

/* ---- damage ---- */

static void count_damage(void *ctx, int run, const char *text)
{
	(void)text;
	check(run >= 0 && run < 4);
	++*(int *)ctx;
}

/* Copy the runs of an index to memory of their own without a spare byte. */
static void take_runs(const struct lh_lexical *ix, struct lh_str run[4], char *mem[4])
{
	size_t n[4] = { 4 * ix->rows, sizeof ix->head + (ix->terms + 1) * sizeof *ix->term,
			ix->texts_n, ix->postings_n };
	int i;

	for (i = 0; i < 4; i++)
		mem[i] = calloc(n[i], 1);
	memcpy(mem[0], ix->length, n[0]);
	memcpy(mem[1], &ix->head, sizeof ix->head);
	memcpy(mem[1] + sizeof ix->head, ix->term, n[1] - sizeof ix->head);
	memcpy(mem[2], ix->texts, n[2]);
	memcpy(mem[3], ix->postings, n[3]);
	for (i = 0; i < 4; i++)
		run[i] = (struct lh_str){ mem[i], n[i] };
}

/* A damaged index answers every query, or reports the damage. */
static void use(const struct lh_lexical *ix)
{
	struct lh_lexical_hit hit[10];
	long n = ask(ix, "q0 q1 q2 q7 q30 q100 q300", 10, hit), i;

	check(n >= 0 || err.code == LH_ECORRUPT);
	for (i = 0; i < n; i++)
		check(hit[i].row < ix->rows && isfinite(hit[i].score));
}

static void no_bit_that_flips_goes_unnoticed_or_does_harm(void)
{
	struct lh_lexical ix, opened;
	struct lh_lexical_build *b = build_rows(0, 900, &ix);
	struct lh_str run[4];
	char *mem[4];
	int i, r, damage;

	take_runs(&ix, run, mem);
	check(lh_lexical_open(&opened, ix.rows, run) == LH_LEXICAL_GOOD);
	lh_lexical_verify(&opened, no_damage, NULL);
	use(&opened);
	for (i = 0; i < 4000; i++) {
		uint32_t at, bit = draw(8);

		r = (int)draw(4);
		at = draw((uint32_t)run[r].n);
		mem[r][at] ^= (char)(1 << bit);
		damage = 0;
		check(lh_lexical_open(&opened, ix.rows, run) == LH_LEXICAL_GOOD);
		lh_lexical_verify(&opened, count_damage, &damage);
		check(damage > 0 || r == 1 || r == 2);	/* another word may be as good */
		use(&opened);
		mem[r][at] ^= (char)(1 << bit);
	}
	run[0].n -= 4;
	check(lh_lexical_open(&opened, ix.rows, run) == LH_LEXICAL_BAD_LENGTHS);
	run[0].n += 4;
	for (run[1].n = 0; run[1].n < 40; run[1].n++)
		check(lh_lexical_open(&opened, ix.rows, run) ==
		      (run[1].n == 32 ? LH_LEXICAL_GOOD : LH_LEXICAL_BAD_TERMS));
	for (i = 0; i < 4; i++)
		free(mem[i]);
	lh_lexical_build_free(b);
}

static void only_the_first_words_of_a_long_text_count(void)
{
	static const char *const text[] = { "alpha", "omega" };
	struct lh_lexical ix;
	const struct lh_lexical *part = &ix;
	struct lh_lexical_build *b = build(text, 2, &ix);
	struct lh_lexical_query q = { 0 };
	struct lh_buf long_text = { 0 };
	int i;

	lh_buf_puts(&long_text, "alpha ");
	for (i = 1; i < LH_LEXICAL_QUERY_WORDS; i++)
		lh_buf_printf(&long_text, "z%d ", i);
	lh_buf_puts(&long_text, "alpha omega");
	check(lh_lexical_query_set(&q, long_text.p, long_text.len, &part, 1, &err) == 0);
	check(q.n == 1);
	lh_buf_free(&long_text);
	lh_lexical_query_free(&q);
	lh_lexical_build_free(b);
}

int main(void)
{
	test(words_are_folded_and_lose_their_endings());
	test(a_script_without_spaces_gives_characters_and_pairs());
	test(scores_are_bm25());
	test(an_empty_index_answers_nothing());
	make_corpus();
	test(a_score_does_not_depend_on_k());
	test(seeking_finds_what_reading_finds());
	test(no_bit_that_flips_goes_unnoticed_or_does_harm());
	test(only_the_first_words_of_a_long_text_count());
	return 0;
}
