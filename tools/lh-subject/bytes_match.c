/* bytes_match.c - texts in decoded bytes.  See bytes_parts.h. */
#include <utf8proc.h>

#include <lh/digest.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "bytes_parts.h"

#define PAIRS 65536
#define SHORTEST 24		/* characters of a pattern that are enough for the table */
#define FORMS 5			/* of a text that differ in how accents and case are written */
#define GROWS 4			/* times a text can grow by that */
#define GAP 8			/* most characters between two digits of a telephone number */

/* ---- case, and what is beside a text ---- */

/* Make the character at p small, and return its length, which stays the same. */
static size_t fold_char(const unsigned char *p, size_t n, unsigned char to[4])
{
	const unsigned char *next = p;
	size_t len = *p < 0x80 ? 1 : lh_utf8_len(p, n);

	to[0] = (unsigned char)lh_fold((char)*p);
	if (len < 2)
		return 1;
	if (lh_utf8_put((uint32_t)utf8proc_tolower((int32_t)lh_utf8_get(&next)), to) != len)
		memcpy(to, p, len);
	return len;
}

void byte_fold(struct lh_buf *out, struct lh_str text)
{
	unsigned char c[4];
	size_t i, len;

	for (i = 0; i < text.n; i += len) {
		len = fold_char((const unsigned char *)text.p + i, text.n - i, c);
		lh_buf_add(out, c, len);
	}
}

/* Return whether the character at p belongs to a word. */
static bool is_word(const unsigned char *p, size_t n)
{
	unsigned char low = *p | 0x20;

	if (*p < 0x80)
		return (low >= 'a' && low <= 'z') || (*p >= '0' && *p <= '9') || *p == '_' ||
			*p == '-';
	if (!lh_utf8_len(p, n))
		return false;
	switch (utf8proc_category((int32_t)lh_utf8_get(&p))) {
	case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_ND:
		return true;
	default:
		return false;
	}
}

/* Return whether p[at..at+len) has no word beside it. */
static bool stands_alone(const unsigned char *p, size_t n, size_t at, size_t len)
{
	size_t back = 1;

	if (at + len < n && is_word(p + at + len, n - at - len))
		return false;
	while (back < 4 && back < at && (p[at - back] & 0xc0) == 0x80)
		back++;
	return !at || !is_word(p + at - back, back);
}

/* ---- patterns ---- */

static int add_pattern(struct byte_matcher *m, const struct byte_pattern *new, struct lh_err *err)
{
	struct byte_pattern *p;

	if (lh_grow(&m->pattern, &m->cap, m->n_patterns + 1, sizeof *m->pattern, err) < 0)
		return -1;
	p = &m->pattern[m->n_patterns];
	*p = *new;
	p->value = lh_calloc(p->n, 2, err);
	if (!p->value)
		return -1;
	p->free = p->value + p->n;
	m->n_patterns++;
	return 0;
}

/* Set the bits in which a folded text and its capitals differ. */
static void set_free(const unsigned char *text, size_t n, unsigned char *free_bits)
{
	unsigned char up[4], again[4];
	const unsigned char *next;
	size_t i, k, len;

	for (i = 0; i < n; i += len) {
		next = text + i;
		len = *next < 0x80 ? 1 : lh_utf8_len(next, n - i);
		if (!len) {
			len = 1;
			continue;
		}
		k = lh_utf8_put((uint32_t)utf8proc_toupper((int32_t)lh_utf8_get(&next)), up);
		if (k != len || fold_char(up, k, again) != len || memcmp(again, text + i, len))
			continue;
		for (k = 0; k < len; k++)
			free_bits[i + k] = text[i + k] ^ up[k];
	}
}

static int add_raw(struct byte_matcher *m, size_t text, const unsigned char *free_bits,
		   struct lh_err *err)
{
	const struct lh_str s = m->target[text].text;
	struct byte_pattern *p;

	/* The table is of pairs, so a single byte is followed by any. */
	if (add_pattern(m, &(struct byte_pattern){ .text = text, .n = s.n < 2 ? 2 : s.n }, err) < 0)
		return -1;
	p = &m->pattern[m->n_patterns - 1];
	p->free[1] = 0xff;
	memcpy(p->value, s.p, s.n);
	memcpy(p->free, free_bits, s.n);
	return 0;
}

/* Add a text as base64 has it after `shift` bytes of its group: from the character that has its
 * first bit to the one with its last. */
static int add_base64(struct byte_matcher *m, size_t text, unsigned shift,
		      const unsigned char *free_bits, struct lh_err *err)
{
	const struct lh_str s = m->target[text].text;
	struct byte_pattern new = { .text = text, .base64 = true, .shift = shift };
	struct byte_pattern *p;
	size_t i, bit, byte;

	new.n = (8 * (shift + s.n) + 5) / 6 - shift;
	if (add_pattern(m, &new, err) < 0)
		return -1;
	p = &m->pattern[m->n_patterns - 1];
	for (i = 0; i < 6 * new.n; i++) {
		bit = 6 * shift + i;
		byte = bit / 8 - shift;		/* wraps before the text */
		p->value[i / 6] = (unsigned char)(p->value[i / 6] << 1);
		p->free[i / 6] = (unsigned char)(p->free[i / 6] << 1);
		if (byte >= s.n)
			p->free[i / 6] |= 1;
		else if (free_bits[byte] >> (7 - bit % 8) & 1)
			p->free[i / 6] |= 1;
		else
			p->value[i / 6] |= (unsigned char)s.p[byte] >> (7 - bit % 8) & 1;
	}
	return 0;
}

static inline bool may_be(const struct byte_pattern *p, size_t i, unsigned char c)
{
	unsigned char v = p->base64 ? byte_base64_value[c] : c;

	return !((v ^ p->value[i]) & (unsigned char)~p->free[i]);
}

/* Enter the first characters of a pattern into the table. */
static void enter(struct byte_matcher *m, size_t number)
{
	const struct byte_pattern *p = &m->pattern[number];
	size_t i, a, b, last = m->shortest - 2;

	for (i = 0; i <= last; i++)
		for (a = 0; a < 256; a++)
			for (b = 0; b < 256 && may_be(p, i, (unsigned char)a); b++) {
				if (!may_be(p, i + 1, (unsigned char)b))
					continue;
				if (m->shift[a << 8 | b] > last - i)
					m->shift[a << 8 | b] = (unsigned char)(last - i);
				if (i == last)
					m->which[a << 8 | b] |= UINT64_C(1) << number % 64;
			}
}

/* Set the digits of a text that is a telephone number. */
static void set_digits(struct byte_target *t)
{
	size_t i, n = 0;

	for (i = 0; t->fold && i < t->text.n && n < sizeof t->digits - 1; i++)
		if (t->text.p[i] >= '0' && t->text.p[i] <= '9')
			t->digits[n++] = t->text.p[i];
		else if (!strchr(" +-/.()", t->text.p[i]))
			break;
	t->digits[i == t->text.n && n >= BYTE_DIGITS ? n : 0] = '\0';
}

static int add_target(struct byte_matcher *m, size_t i, struct lh_err *err)
{
	struct byte_target *t = &m->target[i];
	unsigned char free_bits[BYTE_TEXT_MAX] = { 0 };
	unsigned shift;

	set_digits(t);
	if (t->fold)
		set_free((const unsigned char *)t->text.p, t->text.n, free_bits);
	if (!*t->digits && add_raw(m, i, free_bits, err) < 0)
		return -1;
	for (shift = 0; shift < 3; shift++)
		if (add_base64(m, i, shift, free_bits, err) < 0)
			return -1;
	if (m->longest < t->text.n)
		m->longest = t->text.n;
	return 0;
}

/* Add a text as it is or, with how, in a form that find takes to be the same; one that is there
 * already is not added again. */
static int add_form(struct byte_matcher *m, const struct byte_text *text, size_t number,
		    utf8proc_option_t how, struct lh_err *err)
{
	struct byte_target *t = &m->target[m->n];
	LH_SCOPED(lh_free_local) unsigned char *form = NULL;
	struct lh_str s = text->text;
	size_t at = m->bytes.len, i;

	if (how) {
		ssize_t n = utf8proc_map((const unsigned char *)s.p, (ssize_t)s.n, &form, how);

		if (n <= 0 || n > BYTE_TEXT_MAX)
			return n == UTF8PROC_ERROR_NOMEM ? lh_err_nomem(err) : 0;
		s = (struct lh_str){ (char *)form, (size_t)n };
	}
	if (text->fold)
		byte_fold(&m->bytes, s);
	else
		lh_buf_add(&m->bytes, s.p, s.n);
	if (lh_buf_check(&m->bytes, err) < 0)
		return -1;
	s = (struct lh_str){ m->bytes.p + at, m->bytes.len - at };
	for (i = 0; i < m->n; i++)
		if (m->target[i].number == number && lh_str_is(m->target[i].text, s.p, s.n))
			return 0;
	*t = (struct byte_target){ .text = s, .number = number, .fold = text->fold };
	return add_target(m, m->n++, err);
}

static int add_forms(struct byte_matcher *m, const struct byte_text *text, size_t number,
		     struct lh_err *err)
{
	static const utf8proc_option_t how[] = {
		0, UTF8PROC_COMPOSE, UTF8PROC_DECOMPOSE, UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD,
		UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD
	};
	size_t i;

	if (!text->text.n || text->text.n > BYTE_TEXT_MAX)
		return lh_err_set(err, LH_EUSAGE, "a text must have 1 to %d bytes", BYTE_TEXT_MAX);
	for (i = 0; i < (text->fold ? FORMS : 1); i++)
		if (add_form(m, text, number, how[i] | (i ? UTF8PROC_STABLE : 0), err) < 0)
			return -1;
	return 0;
}

int byte_matcher_make(struct byte_matcher *m, const struct byte_text *text, size_t n,
		      struct lh_err *err)
{
	size_t i, bytes = 0;

	m->target = lh_calloc(FORMS * n + 1, sizeof *m->target, err);
	m->shift = lh_calloc(PAIRS, 1, err);
	m->which = lh_calloc(PAIRS, sizeof *m->which, err);
	if (!m->target || !m->shift || !m->which)
		return -1;
	for (i = 0; i < n; i++)
		bytes += FORMS * GROWS * text[i].text.n;
	lh_buf_room(&m->bytes, bytes);		/* so that no text moves another */
	for (i = 0; i < n; i++)
		if (add_forms(m, &text[i], i, err) < 0)
			return -1;
	m->shortest = SHORTEST;
	for (i = 0; i < m->n_patterns; i++)
		if (m->pattern[i].n < m->shortest)
			m->shortest = m->pattern[i].n;
	memset(m->shift, (int)m->shortest - 1, PAIRS);
	for (i = 0; i < m->n_patterns; i++)
		enter(m, i);
	return 0;
}

void byte_matcher_free(struct byte_matcher *m)
{
	size_t i;

	for (i = 0; i < m->n_patterns; i++)
		free(m->pattern[i].value);
	free(m->pattern);
	free(m->target);
	free(m->shift);
	free(m->which);
	free(m->length);
	lh_buf_free(&m->bytes);
	lh_map_free(&m->hashes);
}

/* ---- a place ---- */

/* Return whether the text is at p[at], with nothing beside it. */
static bool is_text(const struct byte_target *t, const unsigned char *p, size_t n, size_t at)
{
	const unsigned char *text = (const unsigned char *)t->text.p;
	unsigned char c[4];
	size_t i, len;

	if (n - at < t->text.n)
		return false;
	if (!t->fold && memcmp(p + at, text, t->text.n))
		return false;
	for (i = 0; t->fold && i < t->text.n; i += len) {
		len = fold_char(p + at + i, n - at - i, c);
		if (i + len > t->text.n || memcmp(c, text + i, len))
			return false;
	}
	return stands_alone(p, n, at, t->text.n);
}

/* Return whether the base64 from p[at] on is of the text.  A character that separates words in
 * texts that are not base64 may also be what is beside it. */
static bool is_base64(const struct byte_target *t, unsigned shift, const unsigned char *p, size_t n,
		      size_t at)
{
	unsigned char bytes[BYTE_TEXT_MAX + 16];
	size_t start, len, back, made, chars = (8 * (shift + t->text.n) + 5) / 6;

	if (at < shift)
		return false;
	start = at - shift;
	for (len = 0; len < shift; len++)
		if (byte_base64_value[p[start + len]] > 63)
			return false;
	for (back = 0; back < 8 && back < start &&
	     byte_base64_value[p[start - back - 1]] < 64; back++)
		;
	back -= back % 4;
	len = back + chars + 8;
	made = byte_decode_base64(p + start - back, len < n - start + back ? len : n - start + back,
				  bytes);
	if (made < back / 4 * 3 + shift + t->text.n)
		return false;
	if (is_text(t, bytes, made, back / 4 * 3 + shift))
		return true;
	return back && !shift && strchr("+/-_", p[start - 1]) &&
		is_text(t, bytes + back / 4 * 3, made - back / 4 * 3, 0);
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Find the digits of a telephone number, with few other characters between them and no digit
 * beside them. */
static void match_digits(const struct byte_matcher *m, size_t text, const unsigned char *p,
			 size_t n, byte_found_fn *fn, void *ctx)
{
	const char *digits = m->target[text].digits;
	const unsigned char *at = p, *end = p + n, *q;
	size_t i, gap;

	for (; (at = memchr(at, digits[0], (size_t)(end - at))); at++) {
		if (at > p && is_digit(at[-1]))
			continue;
		for (i = 1, q = at + 1, gap = 0; digits[i] && q < end && gap <= GAP; q++)
			if (*q == (unsigned char)digits[i]) {
				i++;
				gap = 0;
			} else if (*q && strchr(" +-/.()", *q)) {
				gap++;
			} else {
				break;
			}
		if (!digits[i] && (q == end || !is_digit(*q)))
			fn(ctx, m->target[text].number, (size_t)(at - p), false);
	}
}

/* Hash each word, and each sequence of words, that has one of the lengths. */
static void match_hashes(const struct byte_matcher *m, const unsigned char *p, size_t n,
			 byte_found_fn *fn, void *ctx)
{
	unsigned char hash[32];
	int64_t number;
	size_t i, k;
	bool word = false, before;

	for (i = 0; i < n; i++) {
		before = word;
		word = is_word(p + i, n - i) || (word && (p[i] & 0xc0) == 0x80);
		if (before || !word)
			continue;
		for (k = 0; k < m->n_lengths; k++) {
			if (m->length[k] > n - i || !stands_alone(p, n, i, m->length[k]))
				continue;
			lh_sha256(p + i, m->length[k], hash);
			number = lh_hashset_find(&m->hashes, hash);
			if (number >= 0)
				fn(ctx, (size_t)number, i, false);
		}
	}
}

/* Try the patterns that can begin at p[at]. */
static void try_patterns(const struct byte_matcher *m, uint64_t which, const unsigned char *p,
			 size_t n, size_t at, byte_found_fn *fn, void *ctx)
{
	const struct byte_pattern *q;
	size_t i, k;

	for (i = 0; i < m->n_patterns; i++) {
		q = &m->pattern[i];
		if (!(which >> i % 64 & 1))
			continue;
		for (k = 0; k < m->shortest && may_be(q, k, p[at + k]); k++)
			;
		if (k == m->shortest &&
		    (q->base64 ? is_base64(&m->target[q->text], q->shift, p, n, at)
			       : is_text(&m->target[q->text], p, n, at)))
			fn(ctx, m->target[q->text].number, at, q->base64);
	}
}

void byte_match(const struct byte_matcher *m, const unsigned char *p, size_t n, byte_found_fn *fn,
		void *ctx)
{
	size_t i = m->shortest - 2, shift, pair;

	if (m->n_lengths) {
		match_hashes(m, p, n, fn, ctx);
		return;
	}
	/* The pair of the last byte has one more, which every buffer has. */
	while (m->n_patterns && i < n) {
		pair = (size_t)p[i] << 8 | p[i + 1];
		shift = m->shift[pair];
		if (!shift)
			try_patterns(m, m->which[pair], p, n, i + 2 - m->shortest, fn, ctx);
		i += shift + !shift;
	}
	for (i = 0; i < m->n; i++)
		if (*m->target[i].digits)
			match_digits(m, i, p, n, fn, ctx);
}
