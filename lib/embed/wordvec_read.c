/*
 * wordvec_read.c - read tables of word vectors as written by GloVe and word2vec.
 *
 *     GloVe            one line per word: the word, then its values
 *     word2vec text    the same after a line of two numbers: words, dimension
 *     word2vec binary  after that line, per word: the word, a blank, its values
 *                      as little-endian f32, often a line feed
 */
#include "wordvec_file.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/mem.h"
#include <lh/num.h>
#include <lh/distance.h>

#define BLOCK ((size_t)1 << 20)
#define LINE_MAX_BYTES ((size_t)4 << 20)	/* LH_DIM_MAX values and a word */
#define WORD_MAX 4096
/* bytes of the first row that distinguish text from binary */
#define LOOK_BYTES 65536

struct table {
	int fd;
	const char *name;
	struct lh_buf in;	/* input; not yet parsed from at on */
	size_t at;
	bool end;
	uint64_t line, rows;	/* so far */
	uint64_t expected_rows;	/* rows, by the header */
	bool header;
	uint32_t dimension;
	float *v;
	lh_wordvec_row_fn put;
	void *ctx;
};

static int bad_line(const struct table *t, struct lh_err *err)
{
	return lh_err_prefix(err, "%s:%llu", t->name, (unsigned long long)t->line);
}

static int bad_row(const struct table *t, struct lh_err *err)
{
	return lh_err_prefix(err, "%s: word %llu", t->name, (unsigned long long)t->rows + 1);
}

/* Pass a row on.  Its place is added to what the callback refuses, but not to a full
 * disk. */
static int pass_row(struct table *t, const char *word, size_t n,
		    int (*place)(const struct table *, struct lh_err *), struct lh_err *err)
{
	if (t->put(t->ctx, word, n, t->v, t->dimension, err) == 0)
		return 0;
	return err->code == LH_EDATA ? place(t, err) : -1;
}

/* ---- bytes ---- */

static size_t bytes_left(const struct table *t)
{
	return t->in.len - t->at;
}

/* Read until n bytes are available from at on, or the file ends. */
static int fill_input(struct table *t, size_t n, struct lh_err *err)
{
	while (bytes_left(t) < n && !t->end) {
		char *to;
		ssize_t got;

		if (t->at) {
			memmove(t->in.p, t->in.p + t->at, bytes_left(t));
			t->in.len -= t->at;
			t->at = 0;
		}
		to = lh_buf_room(&t->in, BLOCK);
		if (!to)
			return lh_err_nomem(err);
		got = lh_read_some(t->fd, to, BLOCK, err);
		if (got < 0)
			return lh_err_prefix(err, "%s", t->name);
		t->end = got == 0;
		lh_buf_took(&t->in, (size_t)got);
	}
	return 0;
}

/* Read a line without its end: 1, 0 at the end of the file, -1. */
static int next_line(struct table *t, struct lh_str *line, struct lh_err *err)
{
	size_t seen = 0;
	char *lf;

	for (;;) {
		if (fill_input(t, seen + 1, err) < 0)
			return -1;
		lf = memchr(t->in.p + t->at + seen, '\n', bytes_left(t) - seen);
		if (lf || t->end || bytes_left(t) > LINE_MAX_BYTES)
			break;
		seen = bytes_left(t);
	}
	if (!bytes_left(t))
		return 0;
	t->line++;
	line->p = t->in.p + t->at;
	line->n = lf ? (size_t)(lf - line->p) : bytes_left(t);
	if (line->n > LINE_MAX_BYTES) {
		lh_err_set(err, LH_ECORRUPT,
			   "a line of more than %zu bytes: this is not a table of word vectors",
			   LINE_MAX_BYTES);
		return bad_line(t, err);
	}
	t->at += line->n + (lf != NULL);
	return 1;
}

/* ---- a line ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct lh_str trim(struct lh_str s)
{
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_blank(*s.p))
		s.p++, s.n--;
	return s;
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Return the end of the JSON number at p, or NULL. */
static const char *number_end(const char *p, const char *end)
{
	const char *from;

	p += p < end && *p == '-';
	from = p;
	p = digits(p, end);
	if (p == from || (*from == '0' && p - from > 1))
		return NULL;
	if (p < end && *p == '.') {
		from = ++p;
		p = digits(p, end);
		if (p == from)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '-' || *p == '+');
		from = p;
		p = digits(p, end);
		if (p == from)
			return NULL;
	}
	return p;
}

/* Cut off and return the last field of s. */
static struct lh_str last_field(struct lh_str *s)
{
	size_t n = s->n;
	struct lh_str field;

	while (n && !is_blank(s->p[n - 1]))
		n--;
	field = (struct lh_str){ s->p + n, s->n - n };
	s->n = n;
	*s = trim(*s);
	return field;
}

static bool is_number(struct lh_str f)
{
	return f.n && number_end(f.p, f.p + f.n) == f.p + f.n;
}

/* Count the numbers at the end of a line, after a word. */
static uint32_t count_numbers(struct lh_str s)
{
	uint32_t n = 0;

	for (s = trim(s); s.n && n <= LH_DIM_MAX; n++) {
		struct lh_str f = last_field(&s);

		if (!s.n || !is_number(f))
			break;
	}
	return n;
}

/* Read the values of a line to t->v; s becomes the word before them. */
static int read_values(struct table *t, struct lh_str *s, struct lh_err *err)
{
	struct lh_str all = *s, word = *s;
	const char *p, *end = all.p + all.n, *next;
	uint32_t n;

	for (n = 0; n < t->dimension && word.n; n++)
		last_field(&word);
	p = word.p + word.n;
	if (!word.n || is_number(last_field(&(struct lh_str){ word.p, word.n })))
		if (count_numbers(all) != t->dimension)
			return lh_err_set(err, LH_ECORRUPT,
					  "%u numbers after the word, expected %u",
					  count_numbers(all), t->dimension);
	for (n = 0; n < t->dimension; n++, p = next) {
		while (p < end && is_blank(*p))
			p++;
		next = number_end(p, end);
		if (!next || (next < end && !is_blank(*next)))
			return lh_err_set(err, LH_ECORRUPT, "value %u is not a number", n + 1);
		t->v[n] = lh_f32_read(p, next, &next);
		if (!__builtin_isfinite(t->v[n]))
			return lh_err_set(err, LH_ECORRUPT, "value %u is beyond the range of f32",
					  n + 1);
	}
	*s = word;
	return 0;
}

static int read_line(struct table *t, struct lh_str s, struct lh_err *err)
{
	if (t->header && t->rows == t->expected_rows) {
		lh_err_set(err, LH_ECORRUPT,
			   "the first line promises %llu words, and here is one more",
			   (unsigned long long)t->expected_rows);
		return bad_line(t, err);
	}
	if (read_values(t, &s, err) < 0)
		return bad_line(t, err);
	t->rows++;
	return pass_row(t, s.p, s.n, bad_line, err);
}

static int read_lines(struct table *t, struct lh_err *err)
{
	struct lh_str s;
	int more;

	while ((more = next_line(t, &s, err)) > 0) {
		s = trim(s);
		if (s.n && read_line(t, s, err) < 0)
			return -1;
	}
	return more;
}

/* ---- binary rows ---- */

static int read_binary_row(struct table *t, struct lh_err *err)
{
	size_t bytes = t->dimension * sizeof *t->v, n;
	const char *p, *blank;

	if (fill_input(t, 1, err) == 0 && bytes_left(t) && t->in.p[t->at] == '\n')
		t->at++;
	if (fill_input(t, WORD_MAX + 1 + bytes, err) < 0)
		return -1;
	p = t->in.p + t->at;
	blank = memchr(p, ' ', bytes_left(t) < WORD_MAX ? bytes_left(t) : WORD_MAX);
	if (!blank && bytes_left(t) >= WORD_MAX) {
		lh_err_set(err, LH_ECORRUPT, "no blank after it in %d bytes", WORD_MAX);
		return bad_row(t, err);
	}
	if (!blank || bytes_left(t) - (size_t)(blank + 1 - p) < bytes)
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: truncated: %llu words, the first line promises %llu",
				  t->name, (unsigned long long)t->rows,
				  (unsigned long long)t->expected_rows);
	n = (size_t)(blank - p);
	memcpy(t->v, blank + 1, bytes);
	if (!lh_vec_finite(t->v, t->dimension)) {
		lh_err_set(err, LH_ECORRUPT, "NaN or infinity among its values");
		return bad_row(t, err);
	}
	if (pass_row(t, p, n, bad_row, err) < 0)
		return -1;
	t->at += n + 1 + bytes;
	t->rows++;
	return 0;
}

static int read_binary(struct table *t, struct lh_err *err)
{
	while (t->rows < t->expected_rows)
		if (read_binary_row(t, err) < 0)
			return -1;
	if (fill_input(t, 2, err) < 0)
		return -1;
	if (bytes_left(t) > 1 || (bytes_left(t) == 1 && t->in.p[t->at] != '\n'))
		return lh_err_set(
			err, LH_ECORRUPT,
			"%s: more bytes after the %llu words that the first line promises",
			t->name, (unsigned long long)t->expected_rows);
	return 0;
}

/* ---- recognizing the form ---- */

static bool read_uint(struct lh_str f, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f.n; i++) {
		if (f.p[i] < '0' || f.p[i] > '9' || n > max / 10)
			return false;
		n = n * 10 + (uint64_t)(f.p[i] - '0');
	}
	*out = n;
	return f.n && n <= max;
}

/* Parse a first line of just "WORDS DIMENSION". */
static bool is_header(struct table *t, struct lh_str s)
{
	struct lh_str dimension = last_field(&s), words = last_field(&s);
	uint64_t d;

	if (s.n || !read_uint(words, LH_LHW_WORDS_MAX, &t->expected_rows) ||
	    !read_uint(dimension, LH_DIM_MAX, &d) || !d)
		return false;
	t->dimension = (uint32_t)d;
	return true;
}

/* Return whether text follows the header: a valid line, or at least text. */
static bool is_text(const struct table *t)
{
	const unsigned char *p = (const unsigned char *)t->in.p + t->at;
	size_t n = bytes_left(t) < LOOK_BYTES ? bytes_left(t) : LOOK_BYTES;
	const char *lf = memchr(p, '\n', bytes_left(t));
	struct lh_str s = { (const char *)p, lf ? (size_t)(lf - (const char *)p) : bytes_left(t) };

	if (count_numbers(s) == t->dimension)
		return true;
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
			return false;
	return true;
}

static int set_dimension(struct table *t, struct lh_str first, struct lh_err *err)
{
	if (!t->header)
		t->dimension = count_numbers(first);
	if (!t->dimension || t->dimension > LH_DIM_MAX)
		return lh_err_set(err, LH_ECORRUPT, "not a table of word vectors: %s",
				  t->dimension ? "more than 65536 numbers in a line" :
						 "no line of a word and its values");
	t->v = lh_calloc(t->dimension, sizeof *t->v, err);
	return t->v ? 0 : -1;
}

static int read_table(struct table *t, struct lh_err *err)
{
	struct lh_str s;
	int more, rc;

	if (fill_input(t, 512, err) < 0)
		return -1;
	if (lh_archive_kind(t->in.p, t->in.len))
		return lh_err_set(err, LH_EDATA,
				  "%s: is compressed: give what zcat or the like makes of it",
				  t->name);
	t->at = lh_mark_len(t->in.p, bytes_left(t));
	do {
		more = next_line(t, &s, err);
	} while (more > 0 && !trim(s).n);
	if (more < 0)
		return -1;
	if (!more)
		return lh_err_set(err, LH_ECORRUPT, "%s: empty", t->name);
	s = trim(s);
	t->header = is_header(t, s);
	if (set_dimension(t, s, err) < 0)
		return bad_line(t, err);
	if (!t->header && read_line(t, s, err) < 0)
		return -1;
	if (t->header && fill_input(t, LOOK_BYTES, err) < 0)
		return -1;
	if (t->header && t->expected_rows && !is_text(t))
		return read_binary(t, err);
	rc = read_lines(t, err);
	if (rc == 0 && t->header && t->rows < t->expected_rows)
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: truncated: %llu words, the first line promises %llu",
				  t->name, (unsigned long long)t->rows,
				  (unsigned long long)t->expected_rows);
	return rc;
}

int lh_wordvec_read(int fd, const void *head, size_t head_n, const char *name,
		    lh_wordvec_row_fn put, void *ctx, struct lh_err *err)
{
	struct table t = { .fd = fd, .name = name, .put = put, .ctx = ctx };
	int rc;

	lh_buf_add(&t.in, head, head_n);
	rc = lh_buf_check(&t.in, err);
	if (!rc)
		rc = read_table(&t, err);
	lh_buf_free(&t.in);
	free(t.v);
	return rc;
}
