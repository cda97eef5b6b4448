/* csv.c - read CSV row by row.  See csv.h. */
#include "csv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"

/* ---- the cells of a row ---- */

/*
 * 64 bytes are compared at a time, which gives a bit for each byte that may end a cell; the cells
 * are walked from bit to bit.  SSE2 is part of every x86-64, so one kernel is enough.
 *
 * A scan stops where the buffer ends, and goes on when more bytes have arrived: no byte
 * is examined twice.  A cell that begins with a quote ends at a single quote; a quote in
 * another cell is text.
 */

enum lh_csv_state {
	LH_CSV_CELL,		/* before the first byte of a cell */
	LH_CSV_PLAIN,		/* in a cell without quotes */
	LH_CSV_QUOTED,		/* in a quoted cell */
	LH_CSV_QUOTE,		/* after a quote in it */
	LH_CSV_CR,		/* after the row, and a CR that an LF may follow */
};

struct lh_csv_scan {
	const char *row, *end;	/* the row's first byte; the end of the buffer */
	const char *at;		/* the next byte to examine */
	const char *start;	/* the first byte of the cell, after its quote */
	enum lh_csv_state state;
	char delimiter, quote;	/* quote 0: cells have none */
	bool doubled;
	size_t bad_cell;	/* the first with text after its closing quote, from 1; or 0 */
	struct lh_csv_cell *cell;
	size_t n, room;		/* cells found; cells that can be stored */
};

/* Store the cell that ends before end. */
static inline void lh_csv_store(struct lh_csv_scan *s, const char *end)
{
	if (s->n < s->room)
		s->cell[s->n] = (struct lh_csv_cell){
			(uint32_t)(s->start - s->row),
			(uint32_t)(end - s->start) | (s->doubled ? LH_CSV_DOUBLED : 0) };
	s->n++;
}

struct chunk {
	const char *p;
	uint64_t ends;		/* delimiters, LFs and CRs, the first byte lowest */
	uint64_t quotes;
};

#ifdef __SSE2__
static inline uint64_t bits16(__m128i is)
{
	return (uint16_t)_mm_movemask_epi8(is);
}

static inline void load(struct chunk *c, const char *p, char delimiter)
{
	const __m128i d = _mm_set1_epi8(delimiter), lf = _mm_set1_epi8('\n'),
		cr = _mm_set1_epi8('\r'), q = _mm_set1_epi8('"');
	unsigned i;

	c->p = p;
	c->ends = c->quotes = 0;
	for (i = 0; i < 64; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + i));

		c->ends |= bits16(_mm_or_si128(_mm_cmpeq_epi8(v, d),
					       _mm_or_si128(_mm_cmpeq_epi8(v, lf),
							    _mm_cmpeq_epi8(v, cr)))) << i;
		c->quotes |= bits16(_mm_cmpeq_epi8(v, q)) << i;
	}
}
#else
static inline void load(struct chunk *c, const char *p, char delimiter)
{
	unsigned i;

	c->p = p;
	c->ends = c->quotes = 0;
	for (i = 0; i < 64; i++) {
		c->ends |= (uint64_t)(p[i] == delimiter || p[i] == '\n' || p[i] == '\r') << i;
		c->quotes |= (uint64_t)(p[i] == '"') << i;
	}
}
#endif

/* Return the first byte of at..end whose bit is set (of quotes, else of ends), or end. */
static inline const char *find_marked(struct chunk *c, const char *at, const struct lh_csv_scan *s,
				      bool quotes)
{
	uint64_t bits;
	size_t off;

	if (at >= s->end)
		return s->end;
	off = (size_t)(at - c->p);
	if (off >= 64) {
		load(c, at, s->delimiter);
		off = 0;
	}
	bits = (quotes ? c->quotes : c->ends) >> off << off;
	while (!bits) {
		if (s->end - c->p <= 64)
			return s->end;
		load(c, c->p + 64, s->delimiter);
		bits = quotes ? c->quotes : c->ends;
	}
	at = c->p + __builtin_ctzll(bits);
	return at < s->end ? at : s->end;
}

/* End a cell before end at the delimiter or line end that is next. */
static inline void end_cell(struct lh_csv_scan *s, const char *end)
{
	lh_csv_store(s, end);
	s->state = *s->at++ == '\r' ? LH_CSV_CR : LH_CSV_CELL;
}

/* Examine the byte after a quote in a quoted cell. */
static inline void after_quote(struct lh_csv_scan *s)
{
	char c = *s->at;

	if (c == '"') {
		s->doubled = true;
		s->state = LH_CSV_QUOTED;
		s->at++;
	} else if (c == '\n' || c == '\r' || c == s->delimiter) {
		end_cell(s, s->at - 1);
	} else {
		if (!s->bad_cell)
			s->bad_cell = s->n + 1;
		s->state = LH_CSV_PLAIN;
	}
}

/* Scan one cell, or what is there of it: false at the end of the buffer. */
static inline bool scan_cell(struct lh_csv_scan *s, struct chunk *c)
{
	switch (s->state) {
	case LH_CSV_CELL:
		s->doubled = false;
		s->start = s->at;
		if (*s->at == s->quote && s->quote) {
			s->start = ++s->at;
			s->state = LH_CSV_QUOTED;
			return true;
		}
		s->state = LH_CSV_PLAIN;
		/* fall through */
	case LH_CSV_PLAIN:
		s->at = find_marked(c, s->at, s, false);
		if (s->at == s->end)
			return false;
		end_cell(s, s->at);
		return true;
	case LH_CSV_QUOTED:
		s->at = find_marked(c, s->at, s, true);
		if (s->at == s->end)
			return false;
		s->at++;
		s->state = LH_CSV_QUOTE;
		return true;
	case LH_CSV_CR:
		s->at += *s->at == '\n';
		s->state = LH_CSV_CELL;
		return true;
	default:
		after_quote(s);
		return true;
	}
}

/* Scan on: true at the end of the row (at is after its line end), false at the end of the
 * buffer. */
static bool lh_csv_scan(struct lh_csv_scan *of)
{
	struct lh_csv_scan s = *of;	/* in registers: nothing else points to it */
	struct chunk c;
	bool ended = false;

	if (s.at == s.end)
		return false;
	load(&c, s.at, s.delimiter);
	while (!ended && s.at < s.end && scan_cell(&s, &c))
		ended = s.state == LH_CSV_CELL && (s.at[-1] == '\n' || s.at[-1] == '\r');
	*of = s;
	return ended;
}

/* ---- rows ---- */

#define FIRST ((size_t)256 << 10)	/* bytes of the buffer; fits the L2 cache of a core */
#define UTF8_STEP 4096			/* bytes validated at a time */
#define CTRL_Z 0x1a

struct lh_csv_reader {
	struct lh_csv_scan scan;
	struct lh_csv_cell *cell;
	size_t cell_cap;
	char *p;			/* the buffer: n bytes of cap, LH_PAD more allocated */
	size_t n, cap;
	bool begun, ended;		/* the first bytes were looked at; no more will come */
	uint64_t long_row;		/* the line of a row over max_row, not kept; or 0 */
	const char *counted;		/* up to here the line ends are in lines */
	uint64_t lines;
	bool after_cr;			/* the byte before counted is a CR */
	const char *valid;		/* up to here it is known to be UTF-8 */
	struct lh_err failed;		/* why reading ended */
};

static void start(struct lh_csv *c)
{
	struct lh_csv_reader *r = lh_calloc(1, sizeof *r);

	r->p = lh_calloc(FIRST + LH_PAD, 1);
	r->cap = FIRST;
	c->reader = r;
	lh_csv_restart(c);
}

void lh_csv_restart(struct lh_csv *c)
{
	struct lh_csv_reader *r = c->reader;

	if (!r)
		return;
	r->n = 0;
	r->begun = r->ended = r->after_cr = false;
	r->lines = r->long_row = 0;
	r->counted = r->valid = r->p;
	r->failed.code = LH_OK;
	r->scan = (struct lh_csv_scan){ .row = r->p, .at = r->p, .end = r->p };
}

void lh_csv_free(struct lh_csv *c)
{
	if (c->reader) {
		free(c->reader->p);
		free(c->reader->cell);
		free(c->reader);
	}
	c->reader = NULL;
}

/* Count the line ends up to there: LF, CR, and CRLF as one. */
static void count_to(struct lh_csv_reader *r, const char *to)
{
	const char *p, *from = r->counted;

	if (from == to)
		return;
	for (p = from; p < to && (p = memchr(p, '\n', (size_t)(to - p))); p++)
		r->lines += p > from ? p[-1] != '\r' : !r->after_cr;
	for (p = from; p < to && (p = memchr(p, '\r', (size_t)(to - p))); p++)
		r->lines++;
	r->after_cr = to[-1] == '\r';
	r->counted = to;
}

uint64_t lh_csv_line(const struct lh_csv *c)
{
	if (!c->reader->long_row)
		count_to(c->reader, c->reader->scan.row);
	return c->reader->long_row ? c->reader->long_row : c->reader->lines + 1;
}

/* ---- the buffer ---- */

/* Add d to every pointer into the buffer. */
static void move_pointers(struct lh_csv_reader *r, ptrdiff_t d)
{
	r->scan.row += d;
	r->scan.at += d;
	r->scan.start += d;
	r->counted += d;
	r->valid += d;
}

/* Pass what is there of a row over the limit to long_row, and remove it. */
static int drop_long(struct lh_csv *c, const char *end, struct lh_err *err)
{
	struct lh_csv_reader *r = c->reader;

	r->long_row = lh_csv_line(c);
	r->scan.room = 0;
	if (c->long_row && end > r->scan.row &&
	    c->long_row(c->ctx, r->scan.row, (size_t)(end - r->scan.row), err) < 0)
		return -1;
	count_to(r, end);
	r->scan.row = end;
	r->scan.start = end;	/* of no use any more: nothing is stored */
	return 0;
}

static void grow(struct lh_csv *c)
{
	struct lh_csv_reader *r = c->reader;
	size_t cap = r->cap * 2 > c->max_row + 2 ? (size_t)c->max_row + 2 : r->cap * 2;
	char *p;

	if (cap <= r->cap)
		cap = r->cap + 1;
	p = lh_calloc(cap + LH_PAD, 1);
	memcpy(p, r->p, r->n);
	free(r->p);
	move_pointers(r, p - r->p);
	r->p = p;
	r->cap = cap;
}

/* Leave out the Ctrl-Z that ends a file of DOS, unless it is in a quoted cell. */
static void drop_ctrl_z(struct lh_csv_reader *r)
{
	const char *end = r->p + r->n;

	if (r->scan.row < end && end[-1] == CTRL_Z && r->scan.state != LH_CSV_QUOTED) {
		r->n--;
		r->scan.end--;
		r->scan.at = r->scan.at < end ? r->scan.at : end - 1;
	}
}

/* Read more bytes: 1, 0 at the end of the input, -1. */
static int fill(struct lh_csv *c, struct lh_err *err)
{
	struct lh_csv_reader *r = c->reader;
	/* A CR that may end the row stays: whether it is of a CRLF is not known yet. */
	const char *end = r->p + r->n - (r->scan.state == LH_CSV_CR);
	ssize_t got;
	size_t gone;

	if (r->failed.code) {
		*err = r->failed;
		return -1;
	}
	if ((r->long_row ||
	     (r->begun && r->n - (size_t)(r->scan.row - r->p) > c->max_row + 1)) &&
	    drop_long(c, end, err) < 0)
		return -1;
	/* Remove the bytes before the row. */
	gone = (size_t)(r->scan.row - r->p);
	if (gone) {
		count_to(r, r->scan.row);
		if (r->valid < r->scan.row)
			r->valid = r->scan.row;
		r->n -= gone;
		memmove(r->p, r->p + gone, r->n);
		move_pointers(r, -(ptrdiff_t)gone);
	}
	if (r->n == r->cap)
		grow(c);
	got = c->read(c->ctx, r->p + r->n, r->cap - r->n, err);
	if (got < 0) {
		r->failed = *err;
		return -1;
	}
	r->n += (size_t)got;
	r->scan.end = r->p + r->n;
	r->ended = !got;
	if (!got && r->begun)
		drop_ctrl_z(r);
	return got > 0;
}

/* Refuse what is UTF-16 or UTF-32, by its first four bytes. */
static int refuse_wide(const struct lh_csv_reader *r, struct lh_err *err)
{
	static const struct { char bom[5]; unsigned n; const char *name; } other[] = {
		{ "\xff\xfe\0\0", 4, "UTF-32LE" }, { "\0\0\xfe\xff", 4, "UTF-32BE" },
		{ "\xff\xfe", 2, "UTF-16LE" }, { "\xfe\xff", 2, "UTF-16BE" },
	};
	size_t i;

	for (i = 0; i < sizeof other / sizeof other[0]; i++)
		if (r->n >= other[i].n && memcmp(r->p, other[i].bom, other[i].n) == 0)
			return lh_err_set(err, LH_EIO, "is %s, not UTF-8; iconv -f "
					  "%.6s -t UTF-8 converts it", other[i].name,
					  other[i].name);
	if (r->n >= 4 && !r->p[0] != !r->p[1] && !r->p[0] == !r->p[2] && !r->p[1] == !r->p[3])
		return lh_err_set(err, LH_EIO, "has NUL bytes, as UTF-16 has, not UTF-8; iconv "
				  "-f %s -t UTF-8 converts it",
				  r->p[0] ? "UTF-16LE" : "UTF-16BE");
	return 0;
}

static int lh_csv_judge(struct lh_csv *c, struct lh_str head, bool all, size_t *skip,
			struct lh_err *err);

/* Look at the first row; step over a BOM and a line sep=X. */
static int begin(struct lh_csv *c, struct lh_err *err)
{
	struct lh_csv_reader *r = c->reader;
	int more = r->failed.code ? fill(c, err) : 1, rc = 0;
	size_t bom, skip = 0;

	while (more > 0 && r->n < 4)
		more = fill(c, err);
	if (more >= 0)
		rc = refuse_wide(r, err);
	bom = r->n >= 3 && memcmp(r->p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (more >= 0 && !rc) {
		rc = lh_csv_judge(c, (struct lh_str){ r->p + bom, r->n - bom }, !more, &skip,
				  err);
		if (!rc)
			more = fill(c, err);
	}
	if (more < 0)
		return -1;
	if (rc < 0) {
		r->failed = *err;
		return -1;
	}
	r->scan.at = r->p + bom + skip;
	r->scan.delimiter = c->first.delimiter;
	r->scan.quote = lh_csv_quoted(c) ? '"' : 0;
	if (r->ended)
		drop_ctrl_z(r);
	r->begun = true;
	return 0;
}

/* ---- rows ---- */

/* Return whether the row, which ends at end, is UTF-8.  Some kilobytes are validated ahead. */
static bool row_is_utf8(struct lh_csv_reader *r, const char *end)
{
	const char *from = r->scan.row, *to = r->p + r->n, *bad;

	if (end <= r->valid)
		return true;
	if (from < r->valid)
		from = r->valid;
	if (to - end > UTF8_STEP)
		to = end + UTF8_STEP;
	bad = lh_utf8_bad(from, to);
	r->valid = bad;
	return bad >= end;
}

/* Make room for the cells that the buffer may hold. */
static void reserve_cells(struct lh_csv *c)
{
	struct lh_csv_reader *r = c->reader;
	size_t n = r->scan.n + (size_t)(r->scan.end - r->scan.at) + 1;

	if (r->long_row)
		return;
	if (n > c->max_cells)
		n = c->max_cells;
	if (r->cell_cap < n)
		lh_grow(&r->cell, &r->cell_cap, n, sizeof *r->cell);
	r->scan.cell = r->cell;
	r->scan.room = r->cell_cap < c->max_cells ? r->cell_cap : c->max_cells;
}

/* End the last row of the input, which has no LF.  Return whether there is one. */
static bool end_of_input(struct lh_csv *c, bool *unclosed)
{
	struct lh_csv_scan *s = &c->reader->scan;
	const char *end = s->at;

	if (s->state == LH_CSV_CELL && !s->n && s->at == s->row && !c->reader->long_row)
		return false;
	*unclosed = s->state == LH_CSV_QUOTED;
	if (s->state == LH_CSV_CR)
		return true;
	if (s->state == LH_CSV_CELL) {
		s->doubled = false;
		s->start = end;
	}
	lh_csv_store(s, end - (s->state == LH_CSV_QUOTE));
	return true;
}

/* Find the end of the row: 1, 0 at the end of the input, -1.  *end: before its LF, or its CR
 * alone. */
static int find_end(struct lh_csv *c, const char **end, bool *unclosed, struct lh_err *err)
{
	struct lh_csv_reader *r = c->reader;
	int more;

	*unclosed = false;
	for (;;) {
		reserve_cells(c);
		if (lh_csv_scan(&r->scan)) {
			*end = r->scan.at - 1;
			return 1;
		}
		more = r->ended ? 0 : fill(c, err);
		if (more < 0)
			return -1;
		if (!more) {
			*end = r->scan.at;
			return end_of_input(c, unclosed);
		}
	}
}

/* Reject the row over max_row that ends at end. */
static int reject_long(struct lh_csv *c, const char *end, struct lh_err *err)
{
	if (drop_long(c, end, err) < 0)
		return -1;
	c->n = 0;
	return lh_err_data(err, 413, "row is longer than %llu bytes (--max-line)",
			   (unsigned long long)c->max_row);
}

/* Check the row that was found. */
static int check_row(struct lh_csv *c, const char *end, bool unclosed, struct lh_err *err)
{
	struct lh_csv_reader *r = c->reader;

	if (r->long_row || c->n > c->max_row)
		return reject_long(c, end, err);
	if (unclosed)
		return lh_err_set(err, LH_EDATA, "the quote of cell %zu is not closed", c->cells);
	if (r->scan.bad_cell)
		return lh_err_set(err, LH_EDATA, "text after the closing quote of cell %zu",
				  r->scan.bad_cell);
	if (!row_is_utf8(r, end))
		return lh_err_set(err, LH_EDATA, "invalid UTF-8%s",
				  lh_utf8_advice(r->scan.row, end));
	return 1;
}

/* Return whether a row is blank, the CR of a CRLF and what printers and DOS need apart. */
static bool is_blank(const char *p, size_t n)
{
	n -= n && p[n - 1] == '\r';
	return !n || (n == 1 && (*p == CTRL_Z || *p == '\f'));
}

int lh_csv_next(struct lh_csv *c, struct lh_err *err)
{
	struct lh_csv_reader *r = c->reader;
	const char *end;
	bool unclosed;
	int rc;

	if (!r)
		start(c);
	r = c->reader;
	if (!r->begun && begin(c, err) < 0)
		return -1;
	r->long_row = 0;
	do {
		/* Step over the row that was read last. */
		r->scan.row = r->scan.at;
		r->scan.n = r->scan.bad_cell = 0;
		r->scan.state = LH_CSV_CELL;
		rc = find_end(c, &end, &unclosed, err);
		if (rc <= 0)
			return rc;
		c->n = (size_t)(end - r->scan.row);
	} while (!r->long_row && is_blank(r->scan.row, c->n));
	c->row = r->scan.row;
	c->cell = r->cell;
	c->cells = r->scan.n;
	return check_row(c, end, unclosed, err);
}

struct lh_str lh_csv_undouble(struct lh_str raw, struct lh_buf *scratch)
{
	const char *p = raw.p, *end = p + raw.n, *quote;

	lh_buf_reset(scratch);
	while ((quote = memchr(p, '"', (size_t)(end - p)))) {
		lh_buf_add(scratch, p, (size_t)(quote + 1 - p));
		p = quote + 2 < end ? quote + 2 : end;
	}
	lh_buf_add(scratch, p, (size_t)(end - p));
	return (struct lh_str){ scratch->p, scratch->len };
}

/* ---- what the first row tells ---- */

#define FIRST_MAX 4096		/* bytes that are looked at */
#define N_DELIMITERS 4

static const char delimiters[N_DELIMITERS] = { ',', ';', '|', '\t' };

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* Count the delimiters outside of quotes in the first row; return its length. */
static size_t count_delimiters(struct lh_str s, unsigned count[N_DELIMITERS])
{
	bool begins = true, quoted = false;
	const char *d;
	size_t i;

	memset(count, 0, N_DELIMITERS * sizeof *count);
	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			quoted = c != '"';
		} else if (c == '"' && (begins || s.p[i - 1] == '"')) {
			quoted = true;
			begins = false;
		} else if (is_line_end(c)) {
			break;
		} else {
			d = memchr(delimiters, c, N_DELIMITERS);
			begins = d != NULL;
			if (d)
				count[d - delimiters]++;
		}
	}
	return i;
}

/* Refuse what is often taken for a table, by its first bytes. */
static int refuse(struct lh_str head, struct lh_err *err)
{
	static const struct { const char *begin, *what; } others[] = {
		{ "<!doctype html", "a page of HTML" }, { "<html", "a page of HTML" },
		{ "<head", "a page of HTML" }, { "<body", "a page of HTML" },
		{ "<table", "a page of HTML" }, { "<meta", "a page of HTML" },
		{ "<!--", "a page of HTML" }, { "<?xml", "XML" }, { "%PDF-", "a PDF file" },
	};
	/* bytes that no text in UTF-8 begins with */
	static const struct { const char *begin; size_t n; const char *what; } files[] = {
		{ "SQLite format 3\0", 16, "an SQLite database, which lh-query reads" },
		{ "\x93NUMPY", 6, "an array of NumPy, which lh-index reads" },
		{ "\x89LHV", 4, "an index, which lh-search reads" },
		{ "GGUF\2\0\0\0", 8, "a model in GGUF" }, { "GGUF\3\0\0\0", 8, "a model in GGUF" },
		{ "\x89PNG", 4, "a picture" }, { "\xff\xd8\xff", 3, "a picture" },
	};
	size_t i, n;

	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		if (head.n >= files[i].n && !memcmp(head.p, files[i].begin, files[i].n))
			return lh_err_set(err, LH_EIO, "is %s, not a table", files[i].what);
	while (head.n && (is_line_end(*head.p) || *head.p == ' ' || *head.p == '\t')) {
		head.p++;
		head.n--;
	}
	for (i = 0; i < sizeof others / sizeof others[0]; i++) {
		n = strlen(others[i].begin);
		if (head.n >= n && strncasecmp(head.p, others[i].begin, n) == 0)
			return lh_err_set(err, LH_EIO, "is %s, not a table; save it as CSV in "
					  "UTF-8", others[i].what);
	}
	return 0;
}

/* Return the length of a line sep=X, without its line end, and set *delimiter to X; or 0. */
static size_t sep_line(struct lh_str s, char *delimiter)
{
	const bool quoted = s.n && *s.p == '"';
	const size_t n = 5 + 2 * quoted;
	char x;

	if (s.n < n || strncasecmp(s.p + quoted, "sep=", 4) ||
	    (quoted && s.p[n - 1] != '"') || (s.n > n && !is_line_end(s.p[n])))
		return 0;
	x = s.p[4 + quoted];
	if (x == '"' || is_line_end(x) || !x || x & 0x80)
		return 0;
	*delimiter = x;
	return n;
}

/* Return whether the row after the first one, of n bytes, has as many of a delimiter; -1: more
 * bytes may tell. */
static int repeats(struct lh_str s, size_t n, bool all, size_t delimiter, unsigned times)
{
	unsigned count[N_DELIMITERS];
	size_t i = n;

	while (i < s.n && is_line_end(s.p[i]))
		i++;
	s.p += i;
	s.n -= i;
	if (count_delimiters(s, count) == s.n && !all)
		return -1;
	return s.n && count[delimiter] == times;
}

/* Set what the delimiters of the first row, of n bytes, tell: 0, or -1 if more bytes may change
 * it.  Of another delimiter that is not the only one, the second row has to have as many: a name
 * may have some, as in "tags (a;b;c)". */
static int judge_row(struct lh_csv *c, struct lh_str s, size_t n, bool all,
		     const unsigned count[N_DELIMITERS])
{
	const char *known = memchr(delimiters, c->first.delimiter, N_DELIMITERS);
	const size_t usual = (size_t)(known - delimiters);
	struct lh_csv_first *f = &c->first;
	size_t i, best = !usual;
	bool alone = true;
	int plainly;

	for (i = 0; i < N_DELIMITERS; i++)
		best = i != usual && count[i] > count[best] ? i : best;
	for (i = 0; i < N_DELIMITERS; i++)
		alone &= i == best || i == usual || count[i] < count[best];
	if (!count[best])
		return 0;
	f->lonely = !count[usual];
	f->other = delimiters[best];
	if (!c->guess || !alone || count[best] <= count[usual])
		return 0;
	plainly = f->lonely ? 1 : repeats(s, n, all, best, count[best]);
	if (plainly <= 0)
		return plainly;
	f->delimiter = f->guessed = f->other;
	f->other = 0;
	f->lonely = false;
	return 0;
}

/* Judge the first bytes of an input, after its BOM; all: there are no more.  1, 0 if more bytes
 * may change the answer, -1 with *err if this is no table.  Set c->first, and *skip to where a
 * line sep=X ends. */
static int lh_csv_judge(struct lh_csv *c, struct lh_str head, bool all, size_t *skip,
			struct lh_err *err)
{
	unsigned count[N_DELIMITERS];
	size_t blank = 0, n, of_sep;
	char sep = 0;

	if (head.n > FIRST_MAX)
		head.n = FIRST_MAX;
	all |= head.n == FIRST_MAX;
	while (blank < head.n && is_line_end(head.p[blank]))
		blank++;
	head.p += blank;
	head.n -= blank;
	n = count_delimiters(head, count);
	if (n == head.n && !all)
		return 0;
	if (refuse((struct lh_str){ head.p, n }, err) < 0)
		return -1;
	of_sep = sep_line(head, &sep);
	*skip = of_sep ? blank + of_sep : 0;
	c->first = (struct lh_csv_first){
		.delimiter = c->delimiter ? c->delimiter : sep ? sep : c->tsv ? '\t' : ',' };
	if (!c->delimiter && !sep && judge_row(c, head, n, all, count) < 0)
		return 0;
	c->first.in_quotes = !of_sep && head.n && *head.p == '"' && !lh_csv_quoted(c);
	return 1;
}
