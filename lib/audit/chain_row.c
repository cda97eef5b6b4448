/*
 * chain_row.c - parse one row from the bytes of its line.  See chain_parts.h.
 *
 * Rows in the form in which every writer writes them (the members in one order, no
 * white space, plain ASCII in the strings) are split and put into canonical order
 * in one pass of about 60 ns; any other valid JSON is parsed by lh_record_parse.
 */
#include "chain_parts.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/bind.h"
#include <lh/canon.h>
#include <lh/digest.h>

#define PLAIN_MAX 4096		/* longer lines use the general path */
#define STEP 16			/* bytes copied at a time; some may be too many */

void lh_chain_reader_free(struct lh_chain_reader *r)
{
	lh_record_free(&r->rec);
	lh_buf_free(&r->text);
	lh_buf_free(&r->strings);
}

/* ---- rows in the usual form ---- */

/* Return the first byte from p on that is a quote, or may not be in a plain string. */
static inline const char *plain_end(const char *p)
{
#ifdef __SSE2__
	for (;; p += STEP) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		__m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
					    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
							 _mm_cmplt_epi8(v, _mm_set1_epi8(' '))));
		int bits = _mm_movemask_epi8(stop);

		if (bits)
			return p + __builtin_ctz((unsigned)bits);
	}
#else
	while (*p >= ' ' && *p != '"' && *p != '\\' && (unsigned char)*p < 0x80)
		p++;
	return p;
#endif
}

/* memcmp for the short constants of a row. */
static inline bool equals(const char *p, const char *text, size_t n)
{
	uint64_t a, b, diff = 0;
	size_t i;

	if (n < sizeof a)
		return memcmp(p, text, n) == 0;
	for (i = 0; ; i = i + 2 * sizeof a <= n ? i + sizeof a : n - sizeof a) {
		memcpy(&a, p + i, sizeof a);
		memcpy(&b, text + i, sizeof b);
		diff |= a ^ b;
		if (i == n - sizeof a)
			return !diff;
	}
}

/* Skip the text and then a plain string at p: return its closing quote, or NULL. */
#define AFTER(p, s, text) read_plain_after(p, s, "" text, sizeof text - 1)
static inline const char *read_plain_after(const char *p, struct lh_str *s, const char *text,
					   size_t n)
{
	if (!p || !equals(p, text, n))
		return NULL;
	s->p = p + n;
	p = plain_end(s->p);
	s->n = (size_t)(p - s->p);
	return *p == '"' ? p : NULL;
}

/* Skip the strings of an array, p at its first byte: return its closing bracket, or
 * NULL. */
static inline const char *plain_array(const char *p)
{
	if (*p == ']')
		return p;
	for (;;) {
		if (*p++ != '"')
			return NULL;
		p = plain_end(p);
		if (*p++ != '"')
			return NULL;
		if (*p == ']')
			return p;
		if (*p++ != ',')
			return NULL;
	}
}

#define LITERAL(to, text) (memcpy(to, text, sizeof text - 1), (to) + sizeof text - 1)
static inline char *append_string(char *to, struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i += STEP)
		memcpy(to + i, s.p + i, STEP);
	return to + s.n;
}

struct plain {
	struct lh_str schema, ts, kind, daemon, purpose, trace_id, fields, result;
};

static size_t append_plain(char *text, const struct plain *r, const struct lh_chain_line *l)
{
	char *to = append_string(text, l->prev);

	to = append_string(LITERAL(to, "{\"accessor\":{\"daemon\":\""), r->daemon);
	to = append_string(LITERAL(to, "\",\"kind\":\""), r->kind);
	to = append_string(LITERAL(to, "\",\"purpose\":\""), r->purpose);
	to = append_string(LITERAL(to, "\",\"trace_id\":\""), r->trace_id);
	to = append_string(LITERAL(to, "\"},\"candidate_id\":\""), l->id);
	to = append_string(LITERAL(to, "\",\"fields_accessed\":["), r->fields);
	to = append_string(LITERAL(to, "],\"prev_chain_hash\":\""), l->prev);
	to = append_string(LITERAL(to, "\",\"result\":\""), r->result);
	to = append_string(LITERAL(to, "\",\"schema\":\""), r->schema);
	to = append_string(LITERAL(to, "\",\"ts\":\""), r->ts);
	to = LITERAL(to, "\"}");
	return (size_t)(to - text);
}

static bool read_plain(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l)
{
	const char *end = p + n;
	struct plain s;
	char *text;

	if (n > PLAIN_MAX || !(text = lh_buf_room(&r->text, 2 * PLAIN_MAX)))
		return false;
	if (memcmp(end - 2, "\"}", 2) != 0)
		return false;
	p = AFTER(p, &s.schema, "{\"schema\":\"");
	p = AFTER(p, &s.ts, "\",\"ts\":\"");
	p = AFTER(p, &l->id, "\",\"candidate_id\":\"");
	p = AFTER(p, &s.kind, "\",\"accessor\":{\"kind\":\"");
	p = AFTER(p, &s.daemon, "\",\"daemon\":\"");
	p = AFTER(p, &s.purpose, "\",\"purpose\":\"");
	p = AFTER(p, &s.trace_id, "\",\"trace_id\":\"");
	if (!p || !equals(p, "\"},\"fields_accessed\":[", 22))
		return false;
	s.fields.p = p + 22;
	p = plain_array(s.fields.p);
	if (!p)
		return false;
	s.fields.n = (size_t)(p - s.fields.p);
	p = AFTER(p, &s.result, "],\"result\":\"");
	p = AFTER(p, &l->prev, "\",\"prev_chain_hash\":\"");
	p = AFTER(p, &l->mac, "\",\"row_hmac\":\"");
	if (!p || p != end - 2)
		return false;
	l->bare = false;
	l->text = text;
	l->n = append_plain(text, &s, l);
	return true;
}

/* ---- any row ---- */

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("candidate_id", struct lh_chain_line, id), .lax = true },
	{ LH_BIND_STRING("prev_chain_hash", struct lh_chain_line, prev), .lax = true },
	{ LH_BIND_STRING("row_hmac", struct lh_chain_line, mac), .lax = true },
	LH_BIND_END
};

static int read_any(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l,
		    struct lh_err *err)
{
	static const char *const skip[] = { "row_hmac" };
	struct lh_value v;

	*l = (struct lh_chain_line){ .id = { NULL, 0 } };
	if (lh_record_parse(&r->rec, p, n, err) < 0 ||
	    lh_bind(members, &r->rec, l, &r->strings, err) < 0)
		return -1;
	lh_buf_reset(&r->text);
	l->bare = !lh_record_get(&r->rec, "row_hmac");
	if (l->prev.p)
		lh_buf_add(&r->text, l->prev.p, l->prev.n);
	v = (struct lh_value){ .p = r->rec.line, .n = r->rec.len, .type = LH_OBJECT };
	if (lh_canon_audit(&r->text, &v, skip, 1, err) < 0)
		return -1;
	l->text = r->text.p;
	l->n = r->text.len;
	return 0;
}

int lh_chain_line(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l,
		  struct lh_err *err)
{
	if (n > 2 && read_plain(r, p, n, l))
		return 0;
	return read_any(r, p, n, l, err);
}

/* ---- MACs ---- */

void lh_chain_mac(const struct lh_chain_keys *k, const char *text, size_t n, char hex[LH_CHAIN_HEX])
{
	unsigned char sum[LH_CHAIN_HEX / 2];

	lh_hmac(k->key[0], text, n, NULL, 0, sum);
	lh_hex(sum, sizeof sum, hex);
}

static bool mac_fits(const unsigned char sum[LH_CHAIN_HEX / 2], struct lh_str mac)
{
	char hex[LH_CHAIN_HEX];

	lh_hex(sum, sizeof hex / 2, hex);
	return lh_const_eq(hex, mac.p, sizeof hex);
}

static bool has_macs(const struct lh_chain_line *l)
{
	return l->prev.p && l->mac.p && l->mac.n == LH_CHAIN_HEX;
}

bool lh_chain_mac_fits(const struct lh_chain_keys *k, const struct lh_chain_line *l, size_t *last)
{
	unsigned char sum[LH_CHAIN_HEX / 2];
	size_t i, at;

	for (i = 0; has_macs(l) && i < k->n; i++) {
		at = (*last + i) % k->n;
		lh_hmac(k->key[at], l->text, l->n, NULL, 0, sum);
		if (mac_fits(sum, l->mac)) {
			*last = at;
			return true;
		}
	}
	return false;
}
