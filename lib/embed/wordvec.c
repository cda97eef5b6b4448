/* wordvec.c - open, check and search a mapped table of word vectors.  See wordvec.h and
 * lhw(5). */
#include "wordvec_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vector/quantize.h"
#include <lh/json.h>
#include "base/mem.h"
#include "base/bits.h"
#include "base/xxh3.h"

#define STEPS_MAX 64	/* on average, to find a word; half a step is usual */

static const char *const kinds[LH_LHW_KINDS] = {
	"rows", "weights", "word offsets", "words", "word hash", "n-gram directory", "n-grams",
};

uint32_t lh_lhw_stride(int precision, uint32_t dimension)
{
	return (uint32_t)lh_lhw_round(lh_quantize_bytes(precision, dimension), 64);
}

bool lh_wordvec_is(const void *p, size_t n)
{
	return n >= 8 && memcmp(p, LH_LHW_MAGIC, 8) == 0;
}

/* ---- opening ---- */

static int check_identity(const struct lh_lhw_header *h, size_t n, struct lh_err *err)
{
	if (!lh_wordvec_is(h, n))
		return lh_err_set(
			err, LH_ECORRUPT,
			"not a compiled table of word vectors (lh-embed --compile makes one)");
	if (n < LH_LHW_PAGE)
		return lh_err_set(err, LH_ECORRUPT, "truncated: %zu bytes, not even a header", n);
	if (h->byte_order == __builtin_bswap32(LH_LHW_BYTE_ORDER))
		return lh_err_set(err, LH_ECORRUPT, "written in the other byte order");
	if (h->byte_order != LH_LHW_BYTE_ORDER)
		return lh_err_set(err, LH_ECORRUPT, "header: the byte-order mark is damaged");
	if (h->version > LH_LHW_FORMAT)
		return lh_err_set(
			err, LH_ECORRUPT,
			"format version %u is newer than %d, the newest that this program reads",
			h->version, LH_LHW_FORMAT);
	if (h->version < 1)
		return lh_err_set(err, LH_ECORRUPT, "header: version %u", h->version);
	if (lh_xxh3(h, offsetof(struct lh_lhw_header, xxh3)) != h->xxh3)
		return lh_err_set(err, LH_ECORRUPT, "header: the checksum is wrong");
	if (h->file_bytes != n)
		return lh_err_set(err, LH_ECORRUPT, "%s: %zu bytes, the header says %llu",
				  n < h->file_bytes ? "truncated" : "too long", n,
				  (unsigned long long)h->file_bytes);
	return 0;
}

static int check_values(const struct lh_lhw_header *h, struct lh_err *err)
{
	if (h->words < 1 || h->words > LH_LHW_WORDS_MAX)
		return lh_err_set(err, LH_ECORRUPT, "header: %u words", h->words);
	if (h->dimension < 1 || h->dimension > LH_DIM_MAX)
		return lh_err_set(err, LH_ECORRUPT, "header: dimension %u", h->dimension);
	if (h->precision > LH_I8)
		return lh_err_set(err, LH_ECORRUPT, "header: precision %u", h->precision);
	if (h->stride != lh_lhw_stride((int)h->precision, h->dimension))
		return lh_err_set(err, LH_ECORRUPT, "header: stride %u does not fit dimension %u",
				  h->stride, h->dimension);
	if (h->name[LH_LHW_NAME - 1] || !*h->name || !lh_utf8_valid(h->name, strlen(h->name)))
		return lh_err_set(err, LH_ECORRUPT, "header: the name is damaged");
	return 0;
}

/* Sections must follow each other without a gap, so that none overlaps another. */
static int check_sections(const struct lh_lhw_header *h, size_t n, struct lh_err *err)
{
	uint64_t at = LH_LHW_PAGE;

	for (int i = 0; i < LH_LHW_KINDS; i++) {
		const struct lh_lhw_section *s = &h->section[i];

		if (s->at != at || s->bytes > n - at ||
		    lh_lhw_round(s->bytes, LH_LHW_PAGE) > n - at)
			return lh_err_set(err, LH_ECORRUPT,
					  "header: the place of the %s is damaged", kinds[i]);
		at += lh_lhw_round(s->bytes, LH_LHW_PAGE);
	}
	if (at != n)
		return lh_err_set(err, LH_ECORRUPT, "header: the sections end at %llu of %zu bytes",
				  (unsigned long long)at, n);
	return 0;
}

static int check_section_bytes(const struct lh_lhw_header *h, int kind, uint64_t want,
			       struct lh_err *err)
{
	if (h->section[kind].bytes == want)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: %llu bytes where there must be %llu", kinds[kind],
			  (unsigned long long)h->section[kind].bytes, (unsigned long long)want);
}

static bool is_power(uint64_t n)
{
	return n && !(n & (n - 1));
}

static int check_sizes(struct lh_wordvec *t, const struct lh_lhw_header *h, struct lh_err *err)
{
	uint64_t buckets = h->section[LH_LHW_GRAM_AT].bytes / 4 - 1;
	uint64_t pairs = h->section[LH_LHW_GRAMS].bytes / 8;

	t->slots = h->section[LH_LHW_HASH].bytes / 8;
	if (check_section_bytes(h, LH_LHW_ROWS, (uint64_t)h->words * h->stride, err) < 0 ||
	    check_section_bytes(h, LH_LHW_WEIGHTS, 4 * (uint64_t)h->words, err) < 0 ||
	    check_section_bytes(h, LH_LHW_WORD_AT, 4 * ((uint64_t)h->words + 1), err) < 0 ||
	    check_section_bytes(h, LH_LHW_HASH, 8 * t->slots, err) < 0 ||
	    check_section_bytes(h, LH_LHW_GRAMS, 8 * pairs, err) < 0 ||
	    check_section_bytes(h, LH_LHW_GRAM_AT, 4 * (buckets + 1), err) < 0)
		return -1;
	if (!is_power(t->slots) || t->slots <= h->words)
		return lh_err_set(err, LH_ECORRUPT, "word hash: %llu slots for %u words",
				  (unsigned long long)t->slots, h->words);
	if (!is_power(buckets) || buckets > UINT32_MAX || pairs > UINT32_MAX)
		return lh_err_set(err, LH_ECORRUPT, "n-gram directory: %llu buckets",
				  (unsigned long long)buckets);
	t->gram_shift = 32 - (unsigned)__builtin_ctzll(buckets);
	t->grams = (uint32_t)pairs;
	return 0;
}

static int open_mapped(struct lh_wordvec *t, struct lh_err *err)
{
	const char *p = t->map.p;
	const struct lh_lhw_header *h = &t->header;

	memcpy(&t->header, p, t->map.n < sizeof t->header ? t->map.n : sizeof t->header);
	if (check_identity(h, t->map.n, err) < 0 || check_values(h, err) < 0 ||
	    check_sections(h, t->map.n, err) < 0 || check_sizes(t, h, err) < 0)
		return -1;
	t->words = h->words;
	t->dimension = h->dimension;
	t->precision = h->precision;
	t->stride = h->stride;
	t->rows = p + h->section[LH_LHW_ROWS].at;
	t->weight = (const void *)(p + h->section[LH_LHW_WEIGHTS].at);
	t->word_at = (const void *)(p + h->section[LH_LHW_WORD_AT].at);
	t->word = p + h->section[LH_LHW_WORDS].at;
	t->word_n = h->section[LH_LHW_WORDS].bytes;
	t->hash = (const void *)(p + h->section[LH_LHW_HASH].at);
	t->gram_at = (const void *)(p + h->section[LH_LHW_GRAM_AT].at);
	t->gram = (const void *)(p + h->section[LH_LHW_GRAMS].at);
	snprintf(t->model, sizeof t->model, "%s:%016llx", h->name, (unsigned long long)h->xxh3);
	return 0;
}

struct lh_wordvec *lh_wordvec_open_fd(int fd, const char *path, struct lh_err *err)
{
	struct lh_wordvec *t = lh_calloc(1, sizeof *t, err);

	if (!t)
		return NULL;
	t->path = lh_strndup(path, strlen(path), err);
	if (t->path && lh_mapped_fd(&t->map, fd, err) == 0 && open_mapped(t, err) == 0)
		return t;
	if (t->path)
		lh_err_prefix(err, "%s", path);
	lh_wordvec_close(t);
	return NULL;
}

struct lh_wordvec *lh_wordvec_open(const char *path, struct lh_err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct lh_wordvec *t;

	if (fd < 0) {
		lh_err_sys(err, "%s", path);
		return NULL;
	}
	t = lh_wordvec_open_fd(fd, path, err);
	close(fd);
	return t;
}

void lh_wordvec_close(struct lh_wordvec *t)
{
	if (!t)
		return;
	lh_mapped_close(&t->map);
	free(t->path);
	free(t);
}

uint32_t lh_wordvec_dimension(const struct lh_wordvec *t)
{
	return t->dimension;
}

const char *lh_wordvec_model(const struct lh_wordvec *t)
{
	return t->model;
}

/* ---- words ---- */

bool lh_wordvec_word(const struct lh_wordvec *t, uint32_t number, struct lh_str *out)
{
	uint32_t at = lh_once32(&t->word_at[number]), end = lh_once32(&t->word_at[number + 1]);

	if (at > end || end > t->word_n)
		return false;
	*out = (struct lh_str){ t->word + at, end - at };
	return true;
}

bool lh_wordvec_token(struct lh_str word, struct lh_token *out)
{
	struct lh_tokens in;
	struct lh_token rest;

	lh_tokens_init(&in, word.p, word.n);
	if (!lh_utf8_valid(word.p, word.n) || !lh_tokens_next(&in, out))
		return false;
	/* A word of full length whose last letter case-folds to several. */
	if (out->chars == LH_TOKEN_CHARS && lh_tokens_next(&in, &rest) &&
	    out->chars + rest.chars <= LH_TOKEN_MAX) {
		memcpy(out->s + out->len, rest.s, rest.len);
		out->len += rest.len;
		out->chars += rest.chars;
	}
	return out->len == word.n && memcmp(out->s, word.p, word.n) == 0;
}

int64_t lh_wordvec_find(const struct lh_wordvec *t, uint32_t hash, const void *s, size_t n)
{
	struct lh_str is;

	for (uint64_t tried = 0; tried < t->slots; tried++) {
		const uint32_t *slot = t->hash + 2 * ((hash + tried) & (t->slots - 1));
		uint32_t word = lh_once32(&slot[1]);

		if (!word || word > t->words)
			return -1;
		if (slot[0] == hash && lh_wordvec_word(t, word - 1, &is) && is.n == n &&
		    memcmp(is.p, s, n) == 0)
			return word - 1;
	}
	return -1;
}

/* ---- checking ---- */

static int damaged(const char *what, uint64_t at, struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "%s: number %llu is damaged", what,
			  (unsigned long long)at);
}

static int check_bytes(const struct lh_wordvec *t, struct lh_err *err)
{
	const struct lh_lhw_header *h = &t->header;

	for (int i = 0; i < LH_LHW_KINDS; i++) {
		const struct lh_lhw_section *s = &h->section[i];
		uint64_t end = lh_lhw_round(s->bytes, LH_LHW_PAGE);

		if (lh_xxh3(t->map.p + s->at, s->bytes) != s->xxh3)
			return lh_err_set(err, LH_ECORRUPT, "%s: the checksum is wrong", kinds[i]);
		for (uint64_t at = s->bytes; at < end; at++)
			if (t->map.p[s->at + at])
				return lh_err_set(err, LH_ECORRUPT, "%s: the padding is not zero",
						  kinds[i]);
	}
	return 0;
}

/* Looking up a word must take a few steps, not as many as there are slots. */
static int check_hash(const struct lh_wordvec *t, struct lh_err *err)
{
	uint64_t steps = 0;

	for (uint64_t i = 0; i < t->slots; i++)
		if (t->hash[2 * i + 1])
			steps += (i - t->hash[2 * i]) & (t->slots - 1);
	if (steps / STEPS_MAX > t->words)
		return lh_err_set(err, LH_ECORRUPT, "%s: its words are far from where they belong",
				  kinds[LH_LHW_HASH]);
	return 0;
}

static int check_words(const struct lh_wordvec *t, struct lh_err *err)
{
	struct lh_token token;
	struct lh_str word;

	if (t->word_at[0] || t->word_at[t->words] != t->word_n)
		return damaged(kinds[LH_LHW_WORD_AT], 0, err);
	for (uint32_t i = 0; i < t->words; i++) {
		if (!lh_wordvec_word(t, i, &word))
			return damaged(kinds[LH_LHW_WORD_AT], i, err);
		if (!lh_wordvec_token(word, &token))
			return damaged(kinds[LH_LHW_WORDS], i, err);
		if (lh_wordvec_find(t, (uint32_t)lh_xxh3(word.p, word.n), word.p, word.n) != i)
			return damaged(kinds[LH_LHW_HASH], i, err);
		if (!(t->weight[i] > 0 && t->weight[i] <= 1))
			return damaged(kinds[LH_LHW_WEIGHTS], i, err);
		if (!lh_quantize_is_valid((int)t->precision, LH_IP, t->rows + (size_t)i * t->stride,
					  t->dimension))
			return damaged(kinds[LH_LHW_ROWS], i, err);
	}
	return 0;
}

static int check_grams(const struct lh_wordvec *t, struct lh_err *err)
{
	uint64_t buckets = (uint64_t)1 << (32 - t->gram_shift), bucket;
	const uint32_t *g = t->gram;

	for (bucket = 0; bucket < buckets; bucket++)
		if (t->gram_at[bucket] > t->gram_at[bucket + 1])
			return damaged(kinds[LH_LHW_GRAM_AT], bucket, err);
	if (t->gram_at[0] || t->gram_at[buckets] != t->grams)
		return damaged(kinds[LH_LHW_GRAM_AT], 0, err);
	for (uint32_t i = 0; i < t->grams; i++, g += 2) {
		bucket = (uint64_t)g[0] >> t->gram_shift;
		if (g[1] >= t->words || i < t->gram_at[bucket] || i >= t->gram_at[bucket + 1] ||
		    (i && (g[-2] > g[0] || (g[-2] == g[0] && g[-1] >= g[1]))))
			return damaged(kinds[LH_LHW_GRAMS], i, err);
	}
	return 0;
}

int lh_wordvec_verify(const struct lh_wordvec *t, struct lh_err *err)
{
	if (check_bytes(t, err) < 0 || check_hash(t, err) < 0 || check_words(t, err) < 0 ||
	    check_grams(t, err) < 0)
		return lh_err_prefix(err, "%s", t->path);
	return 0;
}
