/* texts.c - where texts begin in bytes.  See texts.h. */
#include "texts.h"

#include <utf8proc.h>

#include <lh/digest.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "flow/flow.h"
#include "json/bind.h"

#define FORMS 5			/* of a text that differ in how accents and case are written */
#define GAP 8			/* most characters between two digits of a telephone number */

struct form {
	struct lh_str text;		/* with small letters, if fold */
	size_t number;
	bool fold;
	char digits[32];		/* of a telephone number, else "" */
};
struct texts {
	struct form *form;
	size_t n, cap;
	size_t shortest, longest;
	bool first[256];		/* a text may begin with that byte */
	struct lh_map hashes;		/* with texts_of_hashes: of texts, ... */
	size_t *length;			/* ... and their different lengths */
	size_t n_lengths, cap_lengths;
};

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

static bool is_before_word(const unsigned char *p, size_t n, size_t at)
{
	return at < n && is_word(p + at, n - at);
}

static bool is_after_word(const unsigned char *p, size_t at)
{
	size_t back = 1;

	while (back < 4 && back < at && (p[at - back] & 0xc0) == 0x80)
		back++;
	return at && is_word(p + at - back, back);
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* ---- prepare ---- */

/* Set the digits of a text that is a telephone number. */
static void set_digits(struct form *f)
{
	size_t i, n = 0;

	for (i = 0; f->fold && i < f->text.n && n < sizeof f->digits - 1; i++)
		if (is_digit((unsigned char)f->text.p[i]))
			f->digits[n++] = f->text.p[i];
		else if (!memchr(" +-/.()", f->text.p[i], 7))
			break;
	f->digits[i == f->text.n && n >= TEXT_DIGITS ? n : 0] = '\0';
}

/* Add a text, whose memory is taken over, unless it is there. */
static int add_form(struct texts *t, const struct text *text, struct lh_str s, struct lh_err *err)
{
	const unsigned char first = (unsigned char)*s.p;
	struct form *f;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->form[i].number == text->number && lh_str_is(t->form[i].text, s.p, s.n))
			break;
	if (i < t->n || lh_grow(&t->form, &t->cap, t->n + 1, sizeof *f, err) < 0) {
		free((char *)s.p);
		return i < t->n ? 0 : -1;
	}
	f = &t->form[t->n++];
	*f = (struct form){ .text = s, .number = text->number, .fold = text->fold };
	set_digits(f);
	if (!t->shortest || t->shortest > s.n)
		t->shortest = s.n;
	if (t->longest < s.n)
		t->longest = s.n;
	if (*f->digits)
		return 0;
	t->first[first] = true;
	if (f->fold && first >= 'a' && first <= 'z')
		t->first[first ^ 0x20] = true;
	if (f->fold && first >= 0x80)
		memset(t->first + 0x80, true, 0x80);
	return 0;
}

/* Add a text as it is or, with how, in a form that is taken to be the same. */
static int add_text(struct texts *t, const struct text *text, utf8proc_option_t how,
		    struct lh_err *err)
{
	LH_SCOPED(lh_free_local) unsigned char *form = NULL;
	const unsigned char *from = (const unsigned char *)text->text.p;
	ssize_t n = (ssize_t)text->text.n;
	unsigned char c[4];
	size_t i, len;
	char *copy;

	if (how) {
		n = utf8proc_map(from, n, &form, how);
		if (n <= 0 || n > TEXT_MAX)
			return n == UTF8PROC_ERROR_NOMEM ? lh_err_nomem(err) : 0;
		from = form;
	}
	copy = lh_strndup((const char *)from, (size_t)n, err);
	if (!copy)
		return -1;
	for (i = 0; text->fold && i < (size_t)n; i += len) {
		len = fold_char(from + i, (size_t)n - i, c);
		memcpy(copy + i, c, len);
	}
	return add_form(t, text, (struct lh_str){ copy, (size_t)n }, err);
}

/* Add a text that has "ss" with "ß" for each, which case folding takes to be the same. */
static int add_sharp_s(struct texts *t, const struct text *text, struct lh_err *err)
{
	const char *p = text->text.p, *end = p + text->text.n;
	LH_SCOPED(lh_buf_free) struct lh_buf form = { 0 };
	struct text to = *text;

	for (; p < end; p++)
		if (end - p > 1 && lh_fold(p[0]) == 's' && lh_fold(p[1]) == 's') {
			lh_buf_puts(&form, "ß");
			p++;
		} else {
			lh_buf_putc(&form, *p);
		}
	to.text = (struct lh_str){ form.p, form.len };
	return lh_buf_check(&form, err) < 0 ? -1 : add_text(t, &to, 0, err);
}

static int add_texts(struct texts *t, const struct text *text, size_t n, struct lh_err *err)
{
	static const utf8proc_option_t how[FORMS] = {
		0, UTF8PROC_COMPOSE, UTF8PROC_DECOMPOSE, UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD,
		UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD
	};
	size_t i, k;

	for (i = 0; i < n; i++) {
		if (!text[i].text.n || text[i].text.n > TEXT_MAX)
			return lh_err_set(err, LH_EDATA, "a text must have 1 to %d bytes",
					  TEXT_MAX);
		for (k = 0; k < (text[i].fold ? FORMS : 1); k++)
			if (add_text(t, &text[i], how[k] | (k ? UTF8PROC_STABLE : 0), err) < 0)
				return -1;
		if (text[i].fold && add_sharp_s(t, &text[i], err) < 0)
			return -1;
	}
	return 0;
}

struct texts *texts_new(const struct text *text, size_t n, struct lh_err *err)
{
	struct texts *t = lh_calloc(1, sizeof *t, err);

	if (t && add_texts(t, text, n, err) == 0)
		return t;
	texts_free(t);
	return NULL;
}

void texts_free(struct texts *t)
{
	if (!t)
		return;
	while (t->n)
		free((char *)t->form[--t->n].text.p);
	free(t->form);
	free(t->length);
	lh_map_free(&t->hashes);
	free(t);
}

size_t texts_shortest(const struct texts *t)
{
	return t->shortest;
}

size_t texts_longest(const struct texts *t)
{
	return t->longest;
}

size_t texts_length(const struct texts *t, size_t number)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->form[i].number == number)
			return t->form[i].text.n;
	return SIZE_MAX;
}

const void *texts_hash(const struct texts *t, size_t number)
{
	return t->hashes.entry + LH_HASH_SIZE * number;
}

/* ---- hashes ---- */

struct marker {
	struct lh_str sha256;
	uint64_t bytes;
};
static const struct lh_bind marker_members[] = {
	{ LH_BIND_STRING("sha256", struct marker, sha256), .required = true,
	  .is = lh_bind_is_sha256, .what = "SHA-256 in hex" },
	{ LH_BIND_U64("bytes", struct marker, bytes, 1, TEXT_MAX), .required = true },
	LH_BIND_END
};

static int read_marker(struct lh_record *rec, void *result, struct lh_buf *text, void *context,
		       struct lh_err *err)
{
	struct marker *marker = result;
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };

	(void)context;
	if (lh_bind(marker_members, rec, marker, &strings, err) < 0)
		return -1;
	lh_buf_add(text, marker->sha256.p, marker->sha256.n);
	return 1;
}

static int add_marker(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct texts *t = shared;
	const size_t bytes = ((const struct marker *)o->result)->bytes;
	unsigned char hash[LH_HASH_SIZE];
	size_t i;

	lh_unhex(o->text, o->n, hash);
	if (lh_hashset_add(&t->hashes, hash, NULL, err) < 0)
		return -1;
	for (i = 0; i < t->n_lengths && t->length[i] != bytes; i++)
		;
	if (i < t->n_lengths)
		return 0;
	if (lh_grow(&t->length, &t->cap_lengths, i + 1, sizeof *t->length, err) < 0)
		return -1;
	t->length[t->n_lengths++] = bytes;
	t->shortest = t->shortest && t->shortest < bytes ? t->shortest : bytes;
	t->longest = t->longest > bytes ? t->longest : bytes;
	return 0;
}

struct texts *texts_of_hashes(const char *path, struct lh_err *err)
{
	struct texts *t = lh_calloc(1, sizeof *t, err);

	if (t && lh_flow_file(path, &(struct lh_flow){
			.fill = read_marker, .result_size = sizeof(struct marker),
			.sink = add_marker, .shared = t }, err) == 0)
		return t;
	texts_free(t);
	return NULL;
}

/* Hash each word, and each sequence of words, that has one of the lengths. */
static void find_hashes(const struct texts *t, const unsigned char *p, size_t n, texts_fn *fn,
			void *ctx)
{
	unsigned char hash[LH_HASH_SIZE];
	int64_t number;
	size_t i, k;
	bool word = false, before;

	for (i = 0; i < n; i++) {
		before = word;
		word = is_word(p + i, n - i) || (word && (p[i] & 0xc0) == 0x80);
		if (before || !word)
			continue;
		for (k = 0; k < t->n_lengths; k++) {
			if (t->length[k] > n - i || is_before_word(p, n, i + t->length[k]))
				continue;
			lh_sha256(p + i, t->length[k], hash);
			number = lh_hashset_find(&t->hashes, hash);
			if (number >= 0)
				fn(ctx, (size_t)number, i, t->length[k], false);
		}
	}
}

/* ---- find ---- */

/* Return whether the text is at p, with no word after it. */
static bool is_text(const struct form *f, const unsigned char *p, size_t n)
{
	unsigned char c[4];
	size_t i, len;

	if (n < f->text.n || (!f->fold && memcmp(p, f->text.p, f->text.n)))
		return false;
	for (i = 0; f->fold && i < f->text.n; i += len) {
		len = fold_char(p + i, n - i, c);
		if (i + len > f->text.n || memcmp(c, f->text.p + i, len))
			return false;
	}
	return !is_before_word(p, n, f->text.n);
}

/* Find the digits of a telephone number, with few other characters between them and no digit
 * beside them. */
static void find_digits(const struct form *f, const unsigned char *p, size_t n, texts_fn *fn,
			void *ctx)
{
	const unsigned char *at = p, *end = p + n, *q;
	const char *digits = f->digits;
	size_t i, gap;

	for (; (at = memchr(at, digits[0], (size_t)(end - at))); at++) {
		if (at > p && is_digit(at[-1]))
			continue;
		for (i = 1, q = at + 1, gap = 0; digits[i] && q < end && gap <= GAP; q++)
			if (*q == (unsigned char)digits[i]) {
				i++;
				gap = 0;
			} else if (memchr(" +-/.()", *q, 7)) {
				gap++;
			} else {
				break;
			}
		if (!digits[i] && (q == end || !is_digit(*q)))
			fn(ctx, f->number, (size_t)(at - p), (size_t)(q - at), false);
	}
}

void texts_find(const struct texts *t, const unsigned char *p, size_t n, texts_fn *fn, void *ctx)
{
	size_t i, k;

	for (i = 0; t->n && i < n; i++) {
		if (!t->first[p[i]])
			continue;
		for (k = 0; k < t->n; k++) {
			const struct form *f = &t->form[k];

			if (!*f->digits && is_text(f, p + i, n - i))
				fn(ctx, f->number, i, f->text.n, is_after_word(p, i));
		}
	}
	for (k = 0; k < t->n; k++)
		if (*t->form[k].digits)
			find_digits(&t->form[k], p, n, fn, ctx);
	if (t->n_lengths)
		find_hashes(t, p, n, fn, ctx);
}
