/*
 * export_redact.c - a row without other persons' data.  See export.h.
 *
 * A row is changed if it names other persons, or quotes records that were not found: a pair of
 * which one side is not the person's, a replay that retrieved samples of others.  In it
 *
 *     an object that names another person, and the person nowhere, is replaced as a whole;
 *     in one that names another, and the person deeper in it, each value but that is;
 *     the id of another person is, wherever it is;
 *     a text with white space is, if it is not in an object of the person and does not have
 *     what names them; a side of a pair that is the person's stays;
 *     in texts that stay, ids, names, addresses and telephones of the others are.
 *
 * So more is taken out than is known to be another's.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "export.h"
#include "lineage/lineage.h"
#include "lineage/person_ids.h"

#define ANOTHER "[another person]"

enum { OWN_OBJECT = 1, OTHER_OBJECT = 2, OWN_SCALAR = 4, OTHER_ID = 8 };

struct mark {
	const char *p;		/* the first byte of a value */
	unsigned is;
};

/* A text that may name another person, and the object that it is in. */
struct word {
	const char *object;
	struct lh_str text;
};

struct redact {
	struct export *x;
	struct lh_err *err;
	struct mark *mark;		/* sorted by p */
	size_t n, cap;
	struct word *word;
	size_t n_words, cap_words;
	struct lh_intern paths, texts;	/* of the members that are the person's; of words */
	bool own_side[2];		/* of a pair */
	struct lh_buf path, string, changed;
};

static int mark(struct redact *r, const char *p, unsigned is)
{
	if (lh_grow(&r->mark, &r->cap, r->n + 1, sizeof *r->mark, r->err) < 0)
		return -1;
	r->mark[r->n++] = (struct mark){ p, is };
	return 0;
}

/* ---- what is whose ---- */

static int text_of(struct redact *r, const struct lh_value *v, struct lh_str *s)
{
	lh_buf_reset(&r->string);
	*s = (struct lh_str){ v->p, v->n };
	return v->type == LH_STRING ? lh_value_str(v, &r->string, s, r->err) : 0;
}

static int add_word(struct redact *r, const char *object, struct lh_str s)
{
	uint32_t number;

	if (s.n < 2)
		return 0;
	if (lh_intern_add(&r->texts, s.p, s.n, &number, r->err) < 0 ||
	    lh_grow(&r->word, &r->cap_words, r->n_words + 1, sizeof *r->word, r->err) < 0)
		return -1;
	r->word[r->n_words++] = (struct word){ object, { NULL, number } };
	return 0;
}

static bool is_name(const struct lh_value *key)
{
	static const char *const name[] = {
		"name", "first_name", "last_name", "full_name", "email", "phone", "telephone",
		"mobile", "sender"
	};
	size_t i;

	for (i = 0; i < sizeof name / sizeof *name; i++)
		if (lh_value_is(key, name[i], strlen(name[i])))
			return true;
	return false;
}

/* Return whether a member says that the object in a row is of a record of the person. */
static bool names_own(const struct redact *r, const struct lh_person_at *at, struct lh_str s)
{
	return at->up && strncmp(at->key.p, "\"chosen", 7) && strncmp(at->key.p, "\"rejected", 9) &&
	       lh_intern_find(&r->x->own, s.p, s.n) >= 0;
}

/* Note a scalar or a key, an lh_person_fn. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct redact *r = ctx;
	const bool key = at && v == &at->key;
	const char *object = at && at->key.p ? at->in->p : NULL;
	struct lh_str s;
	bool own;

	lh_buf_reset(&r->path);
	if (lh_person_path(at, &r->path, err) < 0 || text_of(r, v, &s) < 0)
		return -1;
	own = !key && lh_intern_find(&r->paths, r->path.p ? r->path.p : "", r->path.len) >= 0;
	if (own && mark(r, v->p, OWN_SCALAR) < 0)
		return -1;
	if (!key && object && ((own && id) || names_own(r, at, s)))
		return mark(r, object, OWN_OBJECT);
	if (own || key)
		return 0;
	if (id)
		return mark(r, v->p, OTHER_ID) < 0 || add_word(r, NULL, s) < 0 ? -1
			: object ? mark(r, object, OTHER_OBJECT) : 0;
	return object && is_name(&at->key) ? add_word(r, object, s) : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

/* Return the first mark at p or after it. */
static size_t mark_from(const struct redact *r, const char *p)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (r->mark[mid].p < p)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static unsigned marks_of(const struct redact *r, const char *p)
{
	const size_t i = mark_from(r, p);

	return i < r->n && r->mark[i].p == p ? r->mark[i].is : 0;
}

static bool has_own(const struct redact *r, const struct lh_value *v)
{
	size_t i;

	for (i = mark_from(r, v->p); i < r->n && r->mark[i].p < v->p + v->n; i++)
		if (r->mark[i].is & (OWN_OBJECT | OWN_SCALAR))
			return true;
	return false;
}

/* Sort the marks, one for each place, and keep the words of others. */
static void settle(struct redact *r)
{
	size_t i, n = 0;

	if (r->n)
		qsort(r->mark, r->n, sizeof *r->mark, by_place);
	for (i = 0; i < r->n; i++)
		if (n && r->mark[n - 1].p == r->mark[i].p)
			r->mark[n - 1].is |= r->mark[i].is;
		else
			r->mark[n++] = r->mark[i];
	r->n = n;
	for (i = n = 0; i < r->n_words; i++) {
		const char *object = r->word[i].object;
		struct lh_str s = lh_intern_text(&r->texts, (uint32_t)r->word[i].text.n);

		if (object && (marks_of(r, object) & (OWN_OBJECT | OTHER_OBJECT)) != OTHER_OBJECT)
			continue;
		r->word[n++] = (struct word){ object, s };
	}
	r->n_words = n;
}

/* ---- writing ---- */

static void write_another(struct lh_buf *out)
{
	lh_buf_puts(out, "\"" ANOTHER "\"");
}

/* Return the longest word at p, 0 if there is none. */
static size_t word_at(const struct redact *r, const char *p, size_t n)
{
	size_t i, longest = 0;

	for (i = 0; i < r->n_words; i++) {
		const struct lh_str s = r->word[i].text;

		if (s.n <= n && s.n > longest && !memcmp(s.p, p, s.n))
			longest = s.n;
	}
	return longest;
}

/* Write a string that stays, with the words of others replaced; one that is such a word as a whole
 * stays in an object of the person, who may have it too. */
static int write_string(struct redact *r, const struct lh_value *v, bool own, struct lh_buf *out)
{
	struct lh_str s;
	size_t i, n;
	bool any = false;

	if (text_of(r, v, &s) < 0)
		return -1;
	lh_buf_reset(&r->changed);
	for (i = 0; i < s.n; i += n) {
		n = word_at(r, s.p + i, s.n - i);
		if (n && !(own && n == s.n)) {
			lh_buf_puts(&r->changed, ANOTHER);
			any = true;
		} else {
			n = 1;
			lh_buf_putc(&r->changed, s.p[i]);
		}
	}
	if (any)
		lh_buf_json(out, r->changed.p, r->changed.len);
	else
		lh_buf_add(out, v->p, v->n);
	return lh_buf_check(&r->changed, r->err);
}

static bool has_space(const struct lh_value *v)
{
	return memchr(v->p, ' ', v->n) || memchr(v->p, '\\', v->n);
}

/* Return whether a member is of a side of a pair that is the person's. */
static bool is_own_side(const struct redact *r, const struct lh_value *key)
{
	return key && ((r->own_side[0] && !strncmp(key->p, "\"chosen", 7)) ||
		       (r->own_side[1] && !strncmp(key->p, "\"rejected", 9)));
}

static int write_value(struct redact *r, const struct lh_value *v, const struct lh_value *key,
		       unsigned about, struct lh_buf *out);

static int write_children(struct redact *r, const struct lh_value *v, const struct lh_value *key,
			  unsigned about, struct lh_buf *out)
{
	struct lh_iter it;
	bool first = true;
	int rc = 0;

	lh_buf_putc(out, *v->p);
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); first = false) {
		if (!first)
			lh_buf_putc(out, ',');
		if (v->type == LH_OBJECT) {
			lh_buf_add(out, it.key.p, it.key.n);
			lh_buf_putc(out, ':');
		}
		rc = write_value(r, &it.val, v->type == LH_OBJECT ? &it.key : key, about, out);
	}
	lh_buf_putc(out, v->type == LH_OBJECT ? '}' : ']');
	return rc;
}

/* Write a value in an object that is the person's (OWN_OBJECT), another's (OTHER_OBJECT), or of
 * neither (0). */
static int write_value(struct redact *r, const struct lh_value *v, const struct lh_value *key,
		       unsigned about, struct lh_buf *out)
{
	const unsigned is = marks_of(r, v->p);

	if (v->type == LH_OBJECT && is & (OWN_OBJECT | OTHER_OBJECT))
		about = is & OWN_OBJECT ? OWN_OBJECT : OTHER_OBJECT;
	if (is & OTHER_ID || (about == OTHER_OBJECT && !has_own(r, v)))
		write_another(out);
	else if (v->type == LH_OBJECT || v->type == LH_ARRAY)
		return write_children(r, v, key, about, out);
	else if (v->type != LH_STRING)
		lh_buf_add(out, v->p, v->n);
	else if (!about && !(is & OWN_SCALAR) && has_space(v) && !is_own_side(r, key))
		write_another(out);
	else
		return write_string(r, v, about == OWN_OBJECT || is & OWN_SCALAR, out);
	return 0;
}

/* ---- rows that quote others ---- */

static bool is_own(const struct export *x, struct lh_str name)
{
	return name.p && lh_intern_find(&x->own, name.p, name.n) >= 0;
}

/* Return whether a row of a root quotes records that are not the person's, and note the side of a
 * pair that is. */
static int quotes_others(struct redact *r, enum place_kind kind, const struct lh_record *rec)
{
	struct lh_row_ids ids = { .n_sides = 0 };
	size_t i;
	int rc = 0;

	if (kind != PLACE_PREFERENCE && kind != PLACE_QUARANTINE && kind != PLACE_REPLAYS)
		return 0;
	if (lh_row_ids_read(&ids, (enum lh_place)(kind - PLACE_SOURCE), rec, r->err) < 0)
		rc = -1;
	for (i = 0; !rc && i < ids.n_retrieved; i++)
		rc = !is_own(r->x, ids.retrieved[i]);
	for (i = 0; rc >= 0 && ids.n_sides == 2 && i < 2; i++) {
		r->own_side[i] = is_own(r->x, ids.side[i].run);
		rc |= !r->own_side[i];
	}
	lh_row_ids_free(&ids);
	return rc;
}

int export_note_own(struct export *x, enum place_kind kind, struct lh_str text)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct lh_row_ids ids = { .n_sides = 0 };
	struct lh_record rec;
	uint32_t number;
	int rc = 0;

	if (kind != PLACE_EVIDENCE && kind != PLACE_SCORED && kind != PLACE_RAG &&
	    kind != PLACE_SFT)
		return 0;
	lh_buf_add(&line, text.p, text.n);
	if (!lh_buf_room(&line, LH_PAD))
		return lh_buf_check(&line, x->err);
	lh_record_init(&rec);
	if (lh_record_parse(&rec, line.p, line.len, x->err) == 0)
		rc = lh_row_ids_read(&ids, (enum lh_place)(kind - PLACE_SOURCE), &rec, x->err);
	else if (x->err->code != LH_EDATA)
		rc = -1;
	if (!rc && ids.id.p)
		rc = lh_intern_add(&x->own, ids.id.p, ids.id.n, &number, x->err);
	if (!rc && ids.side[0].run.p)
		rc = lh_intern_add(&x->own, ids.side[0].run.p, ids.side[0].run.n, &number, x->err);
	lh_row_ids_free(&ids);
	lh_record_free(&rec);
	return rc;
}

/* ---- a row ---- */

/* Take the paths of the members in which find found the person. */
static int read_paths(struct redact *r, const char *members)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_record rec;
	struct lh_value v;
	struct lh_iter it;
	struct lh_str s;
	uint32_t number;
	int rc;

	lh_buf_puts(&text, members);
	if (!lh_buf_room(&text, LH_PAD))
		return lh_buf_check(&text, r->err);
	lh_record_init(&rec);
	rc = lh_json_parse(&rec, text.p, text.len, &v, r->err);
	for (lh_iter_init(&it, rc ? &(struct lh_value){ "[]", 2, LH_ARRAY, false } : &v);
	     !rc && lh_iter_next(&it); ) {
		rc = text_of(r, &it.val, &s);
		if (!rc)
			rc = lh_intern_add(&r->paths, s.p, s.n, &number, r->err);
	}
	lh_record_free(&rec);
	return rc;
}

static int redact(struct redact *r, const struct export_row *row, const struct lh_value *v,
		  const struct lh_record *rec, struct lh_buf *out)
{
	const struct hit *h = &r->x->hits.v[row->hit];
	const enum place_kind kind = r->x->s->places.v[h->place].kind;
	const bool record = kind == PLACE_ROSTER || kind == PLACE_INDEX;
	size_t i;
	int rc = rec->n ? quotes_others(r, kind, rec) : 0;

	if (rc < 0 || (!rc && !h->others))
		return rc;
	if (read_paths(r, h->members) < 0 || lh_person_walk(v, record, on_scalar, r, r->err) < 0)
		return -1;
	settle(r);
	for (i = 0; i < r->n && !(r->mark[i].is & OTHER_ID); i++)
		;
	if (!rc && i == r->n)
		return 0;
	if (write_value(r, v, NULL, 0, out) < 0)
		return -1;
	return lh_buf_check(out, r->err) < 0 ? -1 : 1;
}

static void redact_free(struct redact *r)
{
	free(r->mark);
	free(r->word);
	lh_intern_free(&r->paths);
	lh_intern_free(&r->texts);
	lh_buf_free(&r->path);
	lh_buf_free(&r->string);
	lh_buf_free(&r->changed);
}

int export_redact(struct export *x, const struct export_row *row, struct lh_str text,
		  struct lh_buf *out)
{
	const struct place *p = &x->s->places.v[x->hits.v[row->hit].place];
	struct redact r = { .x = x, .err = x->err };
	struct lh_record rec;
	struct lh_value v;
	int rc;

	if (place_is_own(p, x->who->id))
		return 0;
	lh_record_init(&rec);
	rc = lh_record_parse(&rec, text.p, text.n, x->err);
	if (rc == 0)
		v = (struct lh_value){ rec.line, rec.len, LH_OBJECT, false };
	else if (x->err->code == LH_EDATA)
		rc = lh_json_parse(&rec, text.p, text.n, &v, x->err);
	if (rc == 0)
		rc = redact(&r, row, &v, &rec, out);
	else if (x->err->code == LH_EDATA)
		rc = 0;		/* it is not JSON, and names are not known in it */
	redact_free(&r);
	lh_record_free(&rec);
	return rc;
}
