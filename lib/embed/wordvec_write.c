/*
 * wordvec_write.c - compile a table: rows are written as they are read, the other
 * sections after the last one.  See wordvec.h and lhw(5).
 */
#include "wordvec_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector/quantize.h"
#include "base/table.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/xxh3.h"

#define PIECE 65536u		/* see flush in index/sections.c */
#define PAIRS_MAX ((size_t)1 << 24)	/* pairs of n-gram and word in memory */
#define TELL_EVERY 4096	/* words between two reports of progress */
#define BEFORE_FIRST 2.7	/* law of Zipf and Mandelbrot: p of rank r is c / (r + 2.7) */

struct writer {
	const struct lh_wordvec_job *job;
	struct lh_lhw_header header;
	struct lh_intern words;
	struct lh_buf rows;		/* not written yet */
	uint64_t at;			/* bytes written */
	struct lh_growable pairs;		/* u64 each: hash, word */
	bool full;			/* no room for more pairs */
	uint64_t read;			/* words */
	struct lh_wordvec_made *made;
};

/* ---- rows ---- */

static int write_out(struct writer *w, const void *p, size_t n, struct lh_err *err)
{
	const char *from = p;
	size_t piece;

	for (; n; from += piece, n -= piece, w->at += piece) {
		piece = n < PIECE ? n : PIECE;
		if (lh_pwrite_all(w->job->to, from, piece, (off_t)w->at, err) < 0)
			return lh_err_prefix(err, "%s", w->job->to_name);
	}
	return 0;
}

static int add_row(struct writer *w, const float *v, uint32_t dimension, struct lh_err *err)
{
	char *to;

	if (!w->header.dimension) {
		struct lh_lhw_header *h = &w->header;

		h->dimension = dimension;
		h->precision = (uint32_t)w->job->precision;
		h->stride = lh_lhw_stride(w->job->precision, dimension);
	}
	if (lh_quantize_check(w->job->precision, v, dimension, err) < 0)
		return -1;
	to = lh_buf_room(&w->rows, w->header.stride);
	if (!to)
		return lh_err_nomem(err);
	memset(to, 0, w->header.stride);
	lh_quantize_encode(w->job->precision, LH_IP, v, dimension, to);
	lh_buf_took(&w->rows, w->header.stride);
	if (w->rows.len < PIECE)
		return 0;
	if (write_out(w, w->rows.p, w->rows.len, err) < 0)
		return -1;
	lh_buf_reset(&w->rows);
	return 0;
}

/* Add the n-grams of a word while there is room; the first words are the most common. */
static int add_grams(struct writer *w, const struct lh_token *token, uint32_t word,
		     struct lh_err *err)
{
	uint32_t hash[LH_GRAMS_MAX];
	unsigned n = lh_wordvec_grams(token, hash);
	uint64_t *to;

	w->full = w->full || w->pairs.n / 8 + n > PAIRS_MAX;
	if (w->full || !n)
		return 0;
	if (lh_growable_room(&w->pairs, 8 * n, err) < 0)
		return -1;
	to = (uint64_t *)(void *)(w->pairs.p + w->pairs.n);
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint64_t)hash[i] << 32 | word;
	w->pairs.n += 8 * n;
	return 0;
}

/* Return whether texts are split into exactly this one word. */
static bool is_one_word(const char *word, size_t n, struct lh_token *token)
{
	const unsigned char *p = (const unsigned char *)word;
	struct lh_tokens in;
	size_t first = 1;

	if (!n)
		return false;
	if (*p > 0x7f)
		first = lh_utf8_len(p, n);
	lh_tokens_init(&in, word, first);
	if (!lh_tokens_next(&in, token))
		return false;
	lh_tokens_init(&in, word, n);
	return lh_tokens_next(&in, token) && in.p == in.end;
}

static int add_word(struct writer *w, const struct lh_token *token, const float *v,
		    uint32_t dimension, struct lh_err *err)
{
	size_t before = w->words.n;
	uint32_t number;

	if (before >= LH_LHW_WORDS_MAX || w->words.text.len > UINT32_MAX - LH_TOKEN_BYTES)
		return lh_err_set(err, LH_EDATA, "more words than a table can hold");
	if (lh_intern_add(&w->words, (const char *)token->s, token->len, &number, err) < 0)
		return -1;
	if (number < before) {
		w->made->twice++;
		return 0;
	}
	if (add_row(w, v, dimension, err) < 0)
		return -1;
	return add_grams(w, token, number, err);
}

static int on_word(void *ctx, const char *word, size_t n, const float *v, uint32_t dimension,
		   struct lh_err *err)
{
	struct writer *w = ctx;
	struct lh_token token;

	if (++w->read % TELL_EVERY == 0 && w->job->progress)
		w->job->progress(w->job->ctx, w->read);
	if (!lh_utf8_valid(word, n)) {
		w->made->not_utf8++;
		return 0;
	}
	if (!is_one_word(word, n, &token)) {
		w->made->not_one++;
		return 0;
	}
	return add_word(w, &token, v, dimension, err);
}

/* ---- the other sections ---- */

static int end_section(struct writer *w, int kind, struct lh_err *err)
{
	static const char zero[LH_LHW_PAGE];
	struct lh_lhw_section *s = &w->header.section[kind];

	s->bytes = w->at - s->at;
	if (kind + 1 < LH_LHW_KINDS)
		w->header.section[kind + 1].at = lh_lhw_round(w->at, LH_LHW_PAGE);
	return write_out(w, zero, lh_lhw_round(w->at, LH_LHW_PAGE) - w->at, err);
}

static int write_section(struct writer *w, int kind, const void *p, size_t n, struct lh_err *err)
{
	return write_out(w, p, n, err) < 0 ? -1 : end_section(w, kind, err);
}

static int write_weights(struct writer *w, struct lh_err *err)
{
	size_t n = w->words.n, i;
	LH_SCOPED(lh_free_local) float *weight = lh_calloc(n, sizeof *weight, err);
	double sum = 0;

	if (!weight)
		return -1;
	for (i = 0; i < n; i++)
		sum += 1 / ((double)i + 1 + BEFORE_FIRST);
	for (i = 0; i < n; i++)
		weight[i] = (float)(LH_WORDVEC_A /
				    (LH_WORDVEC_A + 1 / sum / ((double)i + 1 + BEFORE_FIRST)));
	return write_section(w, LH_LHW_WEIGHTS, weight, n * sizeof *weight, err);
}

static int write_words(struct writer *w, struct lh_err *err)
{
	size_t n = w->words.n;
	LH_SCOPED(lh_free_local) uint32_t *at = lh_calloc(n + 1, sizeof *at, err);
	int rc;

	if (!at)
		return -1;
	for (size_t i = 0; i < n; i++)
		at[i] = (uint32_t)w->words.one[i].at;
	at[n] = (uint32_t)w->words.text.len;
	rc = write_section(w, LH_LHW_WORD_AT, at, (n + 1) * sizeof *at, err);
	return rc ? rc : write_section(w, LH_LHW_WORDS, w->words.text.p, w->words.text.len, err);
}

static int write_hash(struct writer *w, struct lh_err *err)
{
	uint64_t slots = 2, to;
	LH_SCOPED(lh_free_local) uint32_t *hash = NULL;

	while (slots < 2 * w->words.n)
		slots *= 2;
	hash = lh_calloc(slots, 8, err);
	if (!hash)
		return -1;
	for (uint32_t i = 0; i < w->words.n; i++) {
		struct lh_str word = lh_intern_text(&w->words, i);
		uint32_t sum = (uint32_t)lh_xxh3(word.p, word.n);

		for (to = sum & (slots - 1); hash[2 * to + 1]; to = (to + 1) & (slots - 1))
			;
		hash[2 * to] = sum;
		hash[2 * to + 1] = i + 1;
	}
	return write_section(w, LH_LHW_HASH, hash, 8 * slots, err);
}

/* ---- n-grams ---- */

/* Sort by the high 32 bits, eight at a time, stably. */
static void sort_pairs(uint64_t *pair, uint64_t *to, size_t n)
{
	for (unsigned shift = 32; shift < 64; shift += 8) {
		size_t at[257] = { 0 };
		uint64_t *swap = pair;

		for (size_t i = 0; i < n; i++)
			at[(pair[i] >> shift & 255) + 1]++;
		for (unsigned i = 0; i < 256; i++)
			at[i + 1] += at[i];
		for (size_t i = 0; i < n; i++)
			to[at[pair[i] >> shift & 255]++] = pair[i];
		pair = to;
		to = swap;
	}
}

/* Remove repeated pairs and, of each n-gram, all words but the first; returns how many
 * are left. */
static size_t thin_pairs(uint64_t *pair, size_t n)
{
	size_t left = 0, same = 0;

	for (size_t i = 0; i < n; i++) {
		if (left && pair[left - 1] == pair[i])
			continue;
		same = left && pair[left - 1] >> 32 == pair[i] >> 32 ? same + 1 : 1;
		if (same <= LH_GRAM_WORDS)
			pair[left++] = pair[i];
	}
	return left;
}

static int write_directory(struct writer *w, const uint64_t *pair, size_t n, struct lh_err *err)
{
	unsigned bits = 2;
	LH_SCOPED(lh_free_local) uint32_t *at = NULL;
	size_t i = 0;

	while (((size_t)4 << bits) < n)
		bits++;
	at = lh_calloc(((size_t)1 << bits) + 1, sizeof *at, err);
	if (!at)
		return -1;
	for (size_t bucket = 0; bucket <= (size_t)1 << bits; bucket++) {
		while (i < n && pair[i] >> (64 - bits) < bucket)
			i++;
		at[bucket] = (uint32_t)i;
	}
	return write_section(w, LH_LHW_GRAM_AT, at, (((size_t)1 << bits) + 1) * sizeof *at, err);
}

static int write_pairs(struct writer *w, struct lh_err *err)
{
	uint64_t *pair = (uint64_t *)(void *)w->pairs.p;
	size_t n = w->pairs.n / 8;
	struct lh_growable room = { .n = 0 };
	int rc;

	if (lh_growable_room(&room, 8 * n, err) < 0)
		return -1;
	sort_pairs(pair, (uint64_t *)(void *)room.p, n); /* four passes: back in place */
	lh_growable_free(&room);
	n = thin_pairs(pair, n);
	rc = write_directory(w, pair, n, err);
	for (size_t i = 0; i < n; i++)
		pair[i] = pair[i] >> 32 | pair[i] << 32;
	return rc < 0 ? -1 : write_section(w, LH_LHW_GRAMS, pair, 8 * n, err);
}

/* ---- the whole file ---- */

/* Name the table after the file, without the extensions of tables; a name that cannot
 * be stored becomes "table". */
static void set_name(struct lh_lhw_header *h, const char *path)
{
	static const char *const endings[] = { ".txt", ".vec", ".bin", ".lhw" };
	const char *slash = strrchr(path, '/'), *p = slash ? slash + 1 : path;
	size_t n = strlen(p);

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (n > 4 && strcmp(p + n - 4, endings[i]) == 0) {
			n -= 4;
			break;
		}
	if (n >= LH_LHW_NAME)
		n = LH_LHW_NAME - 1;
	while (n && !lh_utf8_valid(p, n))
		n--;
	if (!n || strcmp(p, "-") == 0) {
		p = "table";
		n = 5;
	}
	memcpy(h->name, p, n);
}

/* Compute the checksums by reading back what was written. */
static int write_header(struct writer *w, struct lh_err *err)
{
	struct lh_lhw_header *h = &w->header;
	struct lh_mapped map;

	memcpy(h->magic, LH_LHW_MAGIC, 8);
	h->version = LH_LHW_FORMAT;
	h->byte_order = LH_LHW_BYTE_ORDER;
	h->file_bytes = w->at;
	h->words = (uint32_t)w->words.n;
	if (lh_mapped_fd(&map, w->job->to, err) < 0)
		return lh_err_prefix(err, "%s", w->job->to_name);
	for (int i = 0; i < LH_LHW_KINDS; i++)
		h->section[i].xxh3 = lh_xxh3(map.p + h->section[i].at, h->section[i].bytes);
	lh_mapped_close(&map);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_lhw_header, xxh3));
	w->made->words = h->words;
	w->made->dimension = h->dimension;
	w->at = 0;
	return write_out(w, h, sizeof *h, err);
}

static int finish(struct writer *w, struct lh_err *err)
{
	if (!w->words.n)
		return lh_err_set(err, LH_ECORRUPT, "%s: no word in it that a text could have",
				  w->job->from_name);
	if (write_section(w, LH_LHW_ROWS, w->rows.p, w->rows.len, err) < 0 ||
	    write_weights(w, err) < 0 || write_words(w, err) < 0 || write_hash(w, err) < 0 ||
	    write_pairs(w, err) < 0)
		return -1;
	return write_header(w, err);
}

/* Read a compiled table as one more form of input. */
static int read_compiled(struct writer *w, struct lh_err *err)
{
	struct lh_wordvec *t = lh_wordvec_open_fd(w->job->from, w->job->from_name, err);
	LH_SCOPED(lh_free_local) float *v = t ? lh_calloc(t->dimension, sizeof *v, err) : NULL;
	int rc = v ? lh_wordvec_verify(t, err) : -1;
	struct lh_token token;
	struct lh_str word;

	for (uint32_t i = 0; !rc && i < t->words; i++) {
		lh_quantize_decode((int)t->precision, t->rows + (size_t)i * t->stride, t->dimension,
				   v);
		if (!lh_wordvec_word(t, i, &word) || !lh_wordvec_token(word, &token))
			rc = lh_err_set(err, LH_ECORRUPT, "%s: changed while it was read",
					w->job->from_name);
		else if ((rc = add_word(w, &token, v, t->dimension, err)) < 0 &&
			 err->code == LH_EDATA)
			lh_err_prefix(err, "%s: word %u", w->job->from_name, i + 1);
	}
	if (!rc)
		memcpy(w->header.name, t->header.name, LH_LHW_NAME);
	lh_wordvec_close(t);
	return rc;
}

int lh_wordvec_compile(const struct lh_wordvec_job *job, struct lh_wordvec_made *made,
		       struct lh_err *err)
{
	struct writer w = { .job = job, .at = LH_LHW_PAGE, .made = made };
	char head[8];
	ssize_t n = 0, got = 1;
	int rc = 0;

	*made = (struct lh_wordvec_made){ 0 };
	set_name(&w.header, job->from_name);
	w.header.section[0].at = LH_LHW_PAGE;
	while (n < (ssize_t)sizeof head && got > 0)
		if ((got = lh_read_some(job->from, head + n, sizeof head - (size_t)n, err)) > 0)
			n += got;
	if (got < 0)
		rc = lh_err_prefix(err, "%s", job->from_name);
	else if (lh_wordvec_is(head, (size_t)n))
		rc = read_compiled(&w, err);
	else
		rc = lh_wordvec_read(job->from, head, (size_t)n, job->from_name, on_word, &w, err);
	if (!rc)
		rc = finish(&w, err);
	lh_growable_free(&w.pairs);
	lh_buf_free(&w.rows);
	lh_intern_free(&w.words);
	return rc;
}
