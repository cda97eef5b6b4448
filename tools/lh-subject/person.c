/* person.c - a person: the id, other texts, and whether a record is about them.  See subject.h. */
#include <stdlib.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "lineage/person_ids.h"
#include "subject.h"

#define LEAST 4			/* bytes of a text, without --short */
#define PHONE 7			/* digits of a telephone at least */

/* A text that is searched for. */
struct wanted {
	char *text;		/* with case folded; of a telephone its digits */
	size_t n;
	bool phone;
};

struct matcher {
	struct wanted *v;
	size_t n;
	bool fold;
	char *id;			/* folded, with fold */
	size_t n_id;
	struct lh_buf text, folded;	/* of the string at hand */
	/* of the record at hand */
	struct match *m;
	struct lh_writer w;
	struct lh_map others;		/* hashes of ids */
	struct lh_str whole;
};

/* ---- texts ---- */

/* Append a text with case folded: what differs in case alone, or in how accents are composed, is
 * the same afterwards.  The text is UTF-8. */
static int fold(struct lh_str s, struct lh_buf *out, struct lh_err *err)
{
	const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t n;
	unsigned char high = 0;
	char *to = lh_buf_room(out, s.n + 1);
	size_t i;

	for (i = 0; to && i < s.n; i++) {
		const char c = s.p[i];

		high |= (unsigned char)c;
		to[i] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
	}
	if (!to || high < 0x80) {
		lh_buf_took(out, to ? s.n : 0);
		return lh_buf_check(out, err);
	}
	n = utf8proc_map((const utf8proc_uint8_t *)s.p, (utf8proc_ssize_t)s.n, &folded, how);
	if (n >= 0)
		lh_buf_add(out, folded, (size_t)n);
	free(folded);
	return n < 0 ? lh_err_set(err, LH_ENOMEM, "out of memory") : lh_buf_check(out, err);
}

/* Return whether a code point is part of a word: a letter, a digit, "_" or "-". */
static bool is_word(int32_t c)
{
	switch (c < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return true;
	default:
		return c == '_' || c == '-';
	}
}

/* Return the code point that begins at p, or ends before it; -1 at the end of the text. */
static int32_t after(const char *p, const char *end)
{
	utf8proc_int32_t c;

	return utf8proc_iterate((const utf8proc_uint8_t *)p, end - p, &c) > 0 ? c : -1;
}

static int32_t before(const char *p, const char *start)
{
	const char *at = p;

	if (p == start)
		return -1;
	do
		at--;
	while (at > start && ((unsigned char)*at & 0xc0) == 0x80);
	return after(at, p);
}

/* Return whether n bytes at p in a text are not a part of a longer word. */
static bool at_borders(struct lh_str text, const char *p, size_t n)
{
	const char *end = text.p + text.n;

	return !(is_word(after(p, p + n)) && is_word(before(p, text.p))) &&
	       !(is_word(before(p + n, p)) && is_word(after(p + n, end)));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Return whether the digits of a telephone are in a text, with no digit beside them, and between
 * them only what separates digits. */
static bool has_phone(struct lh_str text, const struct wanted *w)
{
	const char *p, *q, *end = text.p + text.n;
	size_t i;

	for (p = text.p; p < end; p++) {
		if (*p != *w->text || (p > text.p && is_digit(p[-1])))
			continue;
		for (q = p, i = 0; q < end && i < w->n; q++) {
			if (is_digit(*q) && *q != w->text[i])
				break;
			if (!is_digit(*q) && !memchr(" ()+-./", *q, 7))
				break;
			i += is_digit(*q);
		}
		if (i == w->n && (q == end || !is_digit(*q)))
			return true;
	}
	return false;
}

static bool has_text(struct lh_str text, const struct wanted *w)
{
	const char *p = text.p, *end = text.p + text.n;

	if (w->phone)
		return has_phone(text, w);
	for (; (p = memmem(p, (size_t)(end - p), w->text, w->n)); p++)
		if (at_borders(text, p, w->n))
			return true;
	return false;
}

static bool has_any(const struct matcher *x, struct lh_str folded)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (has_text(folded, &x->v[i]))
			return true;
	return false;
}

/* ---- prepare ---- */

/* Take a text: of one that is made of digits and what separates them only the digits count. */
static int want(struct matcher *x, struct lh_str also, struct lh_err *err)
{
	struct wanted *w = &x->v[x->n];
	size_t i, digits = 0, others = 0;

	lh_buf_reset(&x->folded);
	if (fold(also, &x->folded, err) < 0)
		return -1;
	for (i = 0; i < also.n; i++) {
		digits += is_digit(also.p[i]);
		others += !is_digit(also.p[i]) && !memchr(" ()+-./", also.p[i], 7);
	}
	w->text = lh_strndup(x->folded.p, x->folded.len, err);
	if (!w->text)
		return -1;
	x->n++;
	w->n = x->folded.len;
	w->phone = digits >= PHONE && !others;
	for (i = w->n = w->phone ? 0 : w->n; w->phone && i < also.n; i++)
		if (is_digit(also.p[i]))
			w->text[w->n++] = also.p[i];
	return 0;
}

int person_prepare(struct person *who, const struct settings *s, struct lh_err *err)
{
	struct matcher *x = lh_calloc(1, sizeof *x, err);
	size_t i;

	who->matcher = x;
	if (!x)
		return -1;
	x->v = lh_calloc(who->n_also + 1, sizeof *x->v, err);
	if (!x->v)
		return -1;
	for (i = 0; i < who->n_also; i++) {
		if (who->also[i].n < LEAST && !s->brief)
			return lh_err_set(err, LH_EUSAGE, "\"%.*s\" has fewer than %d bytes, and "
					  "is in many words; --short searches it all the same",
					  (int)who->also[i].n, who->also[i].p, LEAST);
		if (!who->also[i].n)
			return lh_err_set(err, LH_EUSAGE, "--also: the text is empty");
		if (want(x, who->also[i], err) < 0)
			return -1;
	}
	x->fold = s->fold;
	lh_buf_reset(&x->folded);
	if (fold(who->id, &x->folded, err) < 0)
		return -1;
	x->id = lh_strndup(x->folded.p, x->folded.len, err);
	x->n_id = x->folded.len;
	return x->id ? 0 : -1;
}

static void matcher_free(struct matcher *x)
{
	if (!x)
		return;
	while (x->n)
		free(x->v[--x->n].text);
	free(x->v);
	free(x->id);
	lh_buf_free(&x->text);
	lh_buf_free(&x->folded);
	lh_map_free(&x->others);
	free(x);
}

void person_free(struct person *who)
{
	matcher_free(who->matcher);
	free(who->also);
	lh_buf_free(&who->text);
	*who = (struct person){ .id.p = NULL };
}

bool person_is_quick(const struct person *who)
{
	return !who->matcher->n && !who->matcher->fold;
}

/* ---- match ---- */

/* Set the text of a string or a number, as it is or folded. */
static int read_text(struct matcher *x, const struct lh_value *v, struct lh_str *text,
		     struct lh_str *folded, struct lh_err *err)
{
	*text = *folded = (struct lh_str){ v->p, v->n };
	lh_buf_reset(&x->text);
	if (v->type == LH_STRING && lh_value_str(v, &x->text, text, err) < 0)
		return -1;
	if (!x->n && !x->fold)
		return 0;
	lh_buf_reset(&x->folded);
	if (fold(*text, &x->folded, err) < 0)
		return -1;
	*folded = (struct lh_str){ x->folded.p, x->folded.len };
	return 0;
}

static int add_member(struct matcher *x, const struct lh_person_at *at, struct lh_err *err)
{
	struct lh_buf path = { 0 };
	int rc = lh_person_path(at, &path, err);

	if (!rc)
		lh_write_str(&x->w, NULL, (struct lh_str){ path.p, path.len });
	lh_buf_free(&path);
	return rc;
}

static int count_other(struct matcher *x, struct lh_str id, struct lh_err *err)
{
	const struct lh_key key = { lh_xxh3(id.p, id.n), lh_xxh3_seeded(id.p, id.n, 1) };
	const size_t known = x->others.n;

	if (!lh_keymap_at(&x->others, &key, err))
		return -1;
	x->m->others += x->others.n > known;
	return 0;
}

/* Look at a string or a number, an lh_person_fn. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct person *who = ctx;
	struct matcher *x = who->matcher;
	struct lh_str text, folded;
	bool by_id = false, sender;
	size_t i;

	sender = at && at->key.p && v != &at->key && lh_value_is(&at->key, "sender", 6);
	if (!id && !x->n)
		return 0;
	if (read_text(x, v, &text, &folded, err) < 0)
		return -1;
	if (id)
		by_id = x->fold ? lh_str_is(folded, x->id, x->n_id)
				: lh_str_is(text, who->id.p, who->id.n);
	for (i = 0; sender && !by_id && i < x->n; i++)
		by_id = x->v[i].n == folded.n && has_text(folded, &x->v[i]);
	if (by_id || has_any(x, folded)) {
		x->m->by_id |= by_id;
		x->m->by_text |= !by_id;
		return add_member(x, at, err);
	}
	return id && text.n ? count_other(x, text, err) : 0;
}

static void match_begin(struct person *who, struct match *m)
{
	struct matcher *x = who->matcher;

	m->by_id = m->by_text = false;
	m->others = 0;
	lh_buf_reset(&m->members);
	x->m = m;
	x->w = lh_write_to(&m->members);
	lh_map_free(&x->others);
	lh_write_array(&x->w, NULL);
}

static int match_end(struct person *who, int rc, struct lh_err *err)
{
	struct matcher *x = who->matcher;

	lh_write_end(&x->w);
	if (rc < 0 || lh_buf_check(&x->m->members, err) < 0)
		return -1;
	return x->m->by_id || x->m->by_text;
}

int person_match(struct person *who, const struct lh_value *v, struct match *m,
		 struct lh_err *err)
{
	match_begin(who, m);
	return match_end(who, lh_person_walk(v, false, on_scalar, who, err), err);
}

int person_match_record(struct person *who, const struct lh_value *v, struct match *m,
			struct lh_err *err)
{
	match_begin(who, m);
	return match_end(who, lh_person_walk(v, true, on_scalar, who, err), err);
}

/* Return whether the id is in bytes that are not JSON, as a word or, as JSON writes it, in
 * quotes. */
static int has_id(struct person *who, struct lh_str bytes, struct lh_str folded,
		  struct lh_err *err)
{
	struct matcher *x = who->matcher;
	struct wanted w = { x->fold ? x->id : (char *)who->id.p, x->fold ? x->n_id : who->id.n,
			    false };

	if (has_text(x->fold ? folded : bytes, &w))
		return 1;
	lh_buf_reset(&x->text);
	lh_buf_json(&x->text, w.text, w.n);
	if (lh_buf_check(&x->text, err) < 0)
		return -1;
	return memmem(bytes.p, bytes.n, x->text.p, x->text.len) != NULL;
}

int person_match_bytes(struct person *who, const char *p, size_t n, struct match *m,
		       struct lh_err *err)
{
	struct matcher *x = who->matcher;
	const struct lh_str bytes = { p, n };
	struct lh_str folded = bytes;
	int rc = 0;

	match_begin(who, m);
	if ((x->n || x->fold) && lh_utf8_valid(p, n)) {
		lh_buf_reset(&x->folded);
		rc = fold(bytes, &x->folded, err);
		folded = (struct lh_str){ x->folded.p, x->folded.len };
	}
	if (!rc)
		rc = has_id(who, bytes, folded, err);
	m->by_id = rc > 0;
	m->by_text = rc == 0 && has_any(x, folded);
	return match_end(who, rc, err);
}
