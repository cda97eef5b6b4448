/* lexical_build.c - split texts into terms, and build an inverted index. */
#include "lexical.h"

#include <stdlib.h>

#include "base/table.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- terms ---- */

void lh_term_iterator_init(struct lh_term_iterator *w, const char *text, size_t n)
{
	lh_tokens_init(&w->in, text, n);
	w->last_n = w->pair_n = 0;
}

bool lh_term_iterator_next(struct lh_term_iterator *w, struct lh_str *word)
{
	struct lh_token *t = &w->token;

	if (w->pair_n) {
		*word = (struct lh_str){ (const char *)w->pair, w->pair_n };
		w->pair_n = 0;
		return true;
	}
	if (!lh_tokens_next(&w->in, t))
		return false;
	*word = (struct lh_str){ (const char *)t->s, t->len };
	if (!t->solo) {
		word->n = lh_token_stem(t->s, t->len);
		return true;
	}
	if (t->joined) {
		memcpy(w->pair, w->last, w->last_n);
		memcpy(w->pair + w->last_n, t->s, t->len);
		w->pair_n = w->last_n + t->len;
	}
	memcpy(w->last, t->s, t->len);
	w->last_n = t->len;
	return true;
}

/* ---- postings in memory ---- */

/*
 * The postings of a term are stored in a chain of pieces in one region, each twice
 * as large as the one before, up to PIECE_MAX.  A piece begins with the offset of
 * the next one.
 */
#define PIECE_MIN 16u
#define PIECE_MAX 4096u

struct term_builder {
	uint64_t first, piece;		/* offsets of the first and last piece */
	uint32_t room, used;		/* of the last piece */
	uint32_t bytes, rows;		/* so far */
	uint32_t row, times;		/* the posting not written yet */
	uint32_t after;			/* row of the last posting written, + 1 */
};

struct lh_lexical_build {
	struct lh_intern terms;
	struct term_builder *term;
	size_t cap;
	struct lh_growable pieces;
	uint32_t *length;
	size_t cap_length;
	struct lh_lexical_head head;
	uint64_t rows;
	struct lh_buf entries;		/* the head, then the terms */
	struct lh_growable texts, postings;
};

struct lh_lexical_build *lh_lexical_build_new(void)
{
	return lh_calloc(1, sizeof(struct lh_lexical_build));
}

void lh_lexical_build_free(struct lh_lexical_build *b)
{
	if (!b)
		return;
	lh_intern_free(&b->terms);
	lh_growable_free(&b->pieces);
	lh_growable_free(&b->texts);
	lh_growable_free(&b->postings);
	lh_buf_free(&b->entries);
	free(b->term);
	free(b->length);
	free(b);
}

static void new_piece(struct lh_lexical_build *b, struct term_builder *g)
{
	uint32_t room = g->room ? 2 * g->room : PIECE_MIN;
	uint64_t at = b->pieces.n;

	if (room > PIECE_MAX)
		room = PIECE_MAX;
	lh_growable_room(&b->pieces, sizeof at + room);
	b->pieces.n += sizeof at + room;
	if (g->room)
		memcpy(b->pieces.p + g->piece, &at, sizeof at);
	else
		g->first = at;
	g->piece = at;
	g->room = room;
	g->used = 0;
}

static int add_number(struct lh_lexical_build *b, struct term_builder *g, uint64_t v,
		      struct lh_err *err)
{
	do {
		if (g->used == g->room)
			new_piece(b, g);
		b->pieces.p[g->piece + 8 + g->used++] = (char)(v < 128 ? v : v | 128);
		if (++g->bytes == UINT32_MAX)
			return lh_err_set(err, LH_EDATA, "a word is in too many rows");
		v >>= 7;
	} while (v);
	return 0;
}

/* Write the pending posting, in the form of lhv(5). */
static int add_posting(struct lh_lexical_build *b, struct term_builder *g, struct lh_err *err)
{
	uint64_t step = g->row - g->after;

	if (add_number(b, g, step << 1 | (g->times > 1), err) < 0 ||
	    (g->times > 1 && add_number(b, g, g->times, err) < 0))
		return -1;
	g->after = g->row + 1;
	g->rows++;
	return 0;
}

static int add_word(struct lh_lexical_build *b, struct lh_str word, struct lh_err *err)
{
	size_t known = b->terms.n;
	struct term_builder *g;
	uint32_t i;

	if (lh_intern_add(&b->terms, word.p, word.n, &i, err) < 0)
		return -1;
	if (i == known) {
		lh_grow(&b->term, &b->cap, known + 1, sizeof *b->term);
		b->term[i] = (struct term_builder){ .row = (uint32_t)b->rows };
	}
	g = &b->term[i];
	if (g->times && g->row != b->rows) {
		if (add_posting(b, g, err) < 0)
			return -1;
		g->times = 0;
	}
	g->row = (uint32_t)b->rows;
	g->times += g->times < UINT32_MAX;
	return 0;
}

int lh_lexical_build_add(struct lh_lexical_build *b, const char *text, size_t n, struct lh_err *err)
{
	struct lh_term_iterator words;
	struct lh_str word;
	uint32_t length = 0;

	if (b->rows >= UINT32_MAX - 1)
		return lh_err_set(err, LH_EDATA, "more than %u rows", UINT32_MAX - 1);
	lh_grow(&b->length, &b->cap_length, b->rows + 1, sizeof *b->length);
	lh_term_iterator_init(&words, text, n);
	while (lh_term_iterator_next(&words, &word)) {
		if (add_word(b, word, err) < 0)
			return -1;
		length++;
	}
	b->length[b->rows++] = length;
	b->head.words += length;
	b->head.rows += length > 0;
	return 0;
}

/* ---- the index ---- */

static int by_text(const void *a, const void *b, void *ctx)
{
	return lh_str_cmp(lh_intern_text(ctx, *(const uint32_t *)a),
			  lh_intern_text(ctx, *(const uint32_t *)b));
}

static uint64_t get_number(const unsigned char **p)
{
	uint64_t v = 0;
	unsigned shift = 0;

	for (; **p & 128; shift += 7)
		v |= (uint64_t)(*(*p)++ & 127) << shift;
	return v | (uint64_t)*(*p)++ << shift;
}

/* Make the table of the blocks of the postings at p. */
static void make_table(const unsigned char *p, uint32_t rows, char *table)
{
	const unsigned char *begin = p;
	uint32_t after = 0, i;
	uint64_t step;

	for (i = 1; i <= rows; i++) {
		step = get_number(&p);
		after += (uint32_t)(step >> 1) + 1;
		if (step & 1)
			get_number(&p);
		if (i % LH_LEXICAL_BLOCK == 0 || i == rows) {
			struct lh_lexical_skip s = { after - 1, (uint32_t)(p - begin) };

			memcpy(table, &s, sizeof s);
			table += sizeof s;
		}
	}
}

static int write_term(struct lh_lexical_build *b, uint32_t i, struct lh_err *err)
{
	struct term_builder *g = &b->term[i];
	struct lh_str text = lh_intern_text(&b->terms, i);
	struct lh_lexical_term t = { .postings = b->postings.n, .text = (uint32_t)b->texts.n };
	size_t table;
	char *to, *piece;
	uint64_t at, next;
	uint32_t left, room, n;

	if (add_posting(b, g, err) < 0)
		return -1;
	t.rows = g->rows;
	table = g->rows > LH_LEXICAL_BLOCK ? (g->rows + LH_LEXICAL_BLOCK - 1) / LH_LEXICAL_BLOCK *
						     sizeof(struct lh_lexical_skip) :
					     0;
	if (b->texts.n + text.n > UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "different words of more than 4 GiB");
	lh_buf_add(&b->entries, &t, sizeof t);
	lh_growable_add(&b->texts, text.p, text.n);
	lh_growable_room(&b->postings, table + g->bytes);
	to = b->postings.p + b->postings.n;
	/* Copy the pieces of the term into one run. */
	piece = to + table;
	at = g->first;
	left = g->bytes;
	room = PIECE_MIN;
	for (; left; left -= n, piece += n, at = next) {
		n = left < room ? left : room;
		memcpy(piece, b->pieces.p + at + 8, n);
		memcpy(&next, b->pieces.p + at, sizeof next);
		room = room < PIECE_MAX ? 2 * room : PIECE_MAX;
	}
	if (table)
		make_table((const unsigned char *)to + table, g->rows, to);
	b->postings.n += table + g->bytes;
	return 0;
}

static int write_terms(struct lh_lexical_build *b, struct lh_err *err)
{
	struct lh_lexical_term end = { 0 };
	LH_SCOPED(lh_free_local) uint32_t *order = NULL;
	uint32_t i;
	int rc = 0;

	order = lh_calloc(b->terms.n, sizeof *order);
	for (i = 0; i < b->terms.n; i++)
		order[i] = i;
	if (b->terms.n)
		qsort_r(order, b->terms.n, sizeof *order, by_text, &b->terms);
	lh_buf_add(&b->entries, &b->head, sizeof b->head);
	for (i = 0; rc == 0 && i < b->terms.n; i++)
		rc = write_term(b, order[i], err);
	end.postings = b->postings.n;
	end.text = (uint32_t)b->texts.n;
	lh_buf_add(&b->entries, &end, sizeof end);
	return rc < 0 ? -1 : 0;
}

int lh_lexical_build_finish(struct lh_lexical_build *b, struct lh_lexical *ix, struct lh_err *err)
{
	if (write_terms(b, err) < 0)
		return -1;
	lh_growable_free(&b->pieces);
	lh_intern_free(&b->terms);
	*ix = (struct lh_lexical){
		.rows = b->rows, .length = b->length, .head = b->head,
		.term = (const void *)(b->entries.p + sizeof b->head),
		.terms = (b->entries.len - sizeof b->head) / sizeof *ix->term - 1,
		.texts = b->texts.p, .texts_n = b->texts.n,
		.postings = (const void *)b->postings.p, .postings_n = b->postings.n,
	};
	return 0;
}
