/* lexical.c - read an inverted index, with every step checked. */
#include "lexical.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/bits.h"
#include <lh/str.h>

int lh_lexical_open(struct lh_lexical *ix, uint64_t rows, const struct lh_str run[4])
{
	uint64_t left = run[1].n - sizeof ix->head;

	if (run[0].n != 4 * rows)
		return LH_LEXICAL_BAD_LENGTHS;
	if (run[1].n < sizeof ix->head + sizeof *ix->term || left % sizeof *ix->term)
		return LH_LEXICAL_BAD_TERMS;
	*ix = (struct lh_lexical){
		.rows = rows,
		.length = (const void *)run[0].p,
		.term = (const void *)(run[1].p + sizeof ix->head),
		.terms = left / sizeof *ix->term - 1,
		.texts = run[2].p,
		.texts_n = run[2].n,
		.postings = (const void *)run[3].p,
		.postings_n = run[3].n,
	};
	memcpy(&ix->head, run[1].p, sizeof ix->head);
	return LH_LEXICAL_GOOD;
}

/* Read a term by its number; false when its offsets are damaged. */
static bool read_term(const struct lh_lexical *ix, uint64_t i, struct lh_str *text)
{
	uint32_t at = lh_once32(&ix->term[i].text), end = lh_once32(&ix->term[i + 1].text);

	if (at > end || end > ix->texts_n)
		return false;
	*text = (struct lh_str){ ix->texts + at, end - at };
	return true;
}

int64_t lh_lexical_find(const struct lh_lexical *ix, struct lh_str text)
{
	uint64_t lo = 0, hi = ix->terms, mid;
	struct lh_str is;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (!read_term(ix, mid, &is))
			return -1;
		c = lh_str_cmp(text, is);
		if (!c)
			return (int64_t)mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

/* ---- postings ---- */

int lh_lexical_begin(struct lh_lexical_cursor *c, const struct lh_lexical *ix, uint64_t term)
{
	const struct lh_lexical_term *t = &ix->term[term];
	uint64_t at = lh_once64(&t->postings), end = lh_once64(&t[1].postings), table = 0;
	uint32_t rows = lh_once32(&t->rows), blocks;

	if (at > end || end > ix->postings_n || !rows || rows > ix->rows)
		return -1;
	blocks = (rows - 1) / LH_LEXICAL_BLOCK + 1;
	if (blocks > 1)
		table = blocks * sizeof(struct lh_lexical_skip);
	if (table > end - at)
		return -1;
	c->ix = ix;
	c->table = table ? ix->postings + at : NULL;
	c->p = ix->postings + at + table;
	c->end = ix->postings + end;
	c->block = c->before = c->at = c->n = 0;
	c->blocks = blocks;
	c->left = rows;
	return lh_lexical_next_block(c);
}

/* Read a number of at most 33 bits; false when it is longer or reaches past the end. */
static inline bool get_number(const unsigned char **p, const unsigned char *end, uint64_t *out)
{
	uint64_t v = 0;
	unsigned shift;

	for (shift = 0; shift < 35 && *p < end; shift += 7) {
		unsigned char b = *(*p)++;

		v |= (uint64_t)(b & 127) << shift;
		if (b < 128) {
			*out = v;
			return true;
		}
	}
	return false;
}

int lh_lexical_next_block(struct lh_lexical_cursor *c)
{
	uint32_t i, n = c->left < LH_LEXICAL_BLOCK ? c->left : LH_LEXICAL_BLOCK;
	const unsigned char *p = c->p;
	uint64_t after = c->before, step, times;

	c->at = c->n = 0;
	for (i = 0; i < n; i++) {
		if (!get_number(&p, c->end, &step))
			return -1;
		after += (step >> 1) + 1;
		times = 1;
		if ((step & 1) && !get_number(&p, c->end, &times))
			return -1;
		if (after > c->ix->rows || !times || times > UINT32_MAX)
			return -1;
		c->row[i] = (uint32_t)after - 1;
		c->times[i] = (uint32_t)times;
	}
	c->p = p;
	c->n = n;
	c->left -= n;
	c->block++;
	c->before = (uint32_t)after;
	return n > 0;
}

static struct lh_lexical_skip block_skip(const struct lh_lexical_cursor *c, uint32_t block)
{
	struct lh_lexical_skip s;

	memcpy(&s, c->table + block * sizeof s, sizeof s);
	return s;
}

/* Move to the block that may hold the row, if that is not the next one. */
static int skip_to(struct lh_lexical_cursor *c, uint32_t row)
{
	const unsigned char *begin = c->table + c->blocks * sizeof(struct lh_lexical_skip);
	uint32_t lo = c->block, hi = c->blocks - 1, mid;
	struct lh_lexical_skip s;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (block_skip(c, mid).row < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->block)
		return 0;
	s = block_skip(c, lo - 1);
	if (s.row >= c->ix->rows || s.row < c->before || s.end > (size_t)(c->end - begin))
		return -1;
	c->left -= (lo - c->block) * LH_LEXICAL_BLOCK;
	c->block = lo;
	c->before = s.row + 1;
	c->p = begin + s.end;
	return 0;
}

int lh_lexical_seek(struct lh_lexical_cursor *c, uint32_t row)
{
	int rc;

	while (c->n && c->row[c->n - 1] < row) {
		if (c->table && c->block < c->blocks && skip_to(c, row) < 0)
			return -1;
		rc = lh_lexical_next_block(c);
		if (rc <= 0)
			return rc;
	}
	while (c->at < c->n && c->row[c->at] < row)
		c->at++;
	return c->at < c->n;
}

/* ---- checking ---- */

struct check {
	const struct lh_lexical *ix;
	void (*damage)(void *ctx, int run, const char *text);
	void *ctx;
	uint32_t *words;	/* of each row, counted from the postings */
};

LH_PRINTF(3, 4)
static void report(const struct check *c, int run, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->damage(c->ctx, run, text);
}

/* Check the postings of a term, all of them. */
static bool check_postings(struct check *c, uint64_t term)
{
	struct lh_lexical_cursor at;
	uint32_t i;
	int rc;

	for (rc = lh_lexical_begin(&at, c->ix, term); rc > 0; rc = lh_lexical_next_block(&at)) {
		if (at.table) {
			struct lh_lexical_skip s = block_skip(&at, at.block - 1);

			if (s.row != at.before - 1 ||
			    at.p != at.table + at.blocks * sizeof s + s.end)
				return false;
		}
		for (i = 0; i < at.n; i++)
			if (__builtin_add_overflow(c->words[at.row[i]], at.times[i],
						   &c->words[at.row[i]]))
				return false;
	}
	return rc == 0 && at.p == at.end;
}

static void check_terms(struct check *c)
{
	const struct lh_lexical *ix = c->ix;
	const struct lh_lexical_term *end = &ix->term[ix->terms];
	struct lh_str before = { "", 0 }, text;
	uint64_t i;

	if (ix->term->text || ix->term->postings)
		report(c, 1, "the first term does not begin at 0");
	for (i = 0; i < ix->terms; i++, before = text) {
		if (!read_term(ix, i, &text)) {
			report(c, 1, "term %llu: its place is wrong", (unsigned long long)i);
			return;
		}
		if (lh_str_cmp(before, text) >= 0)
			report(c, 2, "term %llu: not in order", (unsigned long long)i);
		else if (!lh_utf8_valid(text.p, text.n))
			report(c, 2, "term %llu: not UTF-8", (unsigned long long)i);
		if (!check_postings(c, i))
			report(c, 3, "term %llu: its postings are wrong", (unsigned long long)i);
	}
	if (end->rows || end->text != ix->texts_n || end->postings != ix->postings_n)
		report(c, 1, "the end is wrong");
}

void lh_lexical_verify(const struct lh_lexical *ix,
		       void (*damage)(void *ctx, int run, const char *text), void *ctx)
{
	struct check c = { .ix = ix, .damage = damage, .ctx = ctx };
	uint64_t row, words = 0, rows = 0;

	c.words = lh_calloc(ix->rows, sizeof *c.words);
	check_terms(&c);
	for (row = 0; row < ix->rows; row++) {
		words += ix->length[row];
		rows += ix->length[row] > 0;
		if (ix->length[row] != c.words[row])
			report(&c, 0, "row %llu: %u words, its terms have %u",
			       (unsigned long long)row, ix->length[row], c.words[row]);
	}
	if (words != ix->head.words || rows != ix->head.rows)
		report(&c, 1, "the sums are wrong");
	free(c.words);
}
