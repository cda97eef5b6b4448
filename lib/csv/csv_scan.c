/*
 * csv_scan.c - find the cells of a row.  See csv_scan.h.
 *
 * 64 bytes are compared at a time, which gives a bit for each byte that may end a cell;
 * the cells are walked from bit to bit.  SSE2 is part of every x86-64, so one kernel is
 * enough.
 */
#include "csv_scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

bool lh_csv_scan(struct lh_csv_scan *of)
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
