/*
 * redact.c - a row without other persons' data.  See subject.h.
 *
 * A row is changed if it names other persons, or quotes records that were not found: a pair of
 * which one side is not the person's, a replay that retrieved samples of others.  In it
 *
 *     an object that names another person, and the person nowhere, is replaced as a whole;
 *     in one that names another, and the person deeper in it, each value but that is;
 *     the id of another person is, wherever it is;
 *     a text with white space, an address or a telephone is, if it is not in an object of the
 *     person and does not have what names them; a side of a pair that is the person's stays;
 *     in texts and names of members that stay, ids, names, addresses and telephones of the others
 *     are, as words;
 *     JSON in a text is cut as it would be in place of the text, and a text that has another's id
 *     as a member in another notation is replaced;
 *     a list of pairs of names and values is as an object;
 *     in an object or a list that has the person's id as a name or an element, the others are, and
 *     the value of a member that is called as another's id;
 *     where a member ROLE_id, or ROLE with what may be an id, has another's id, all members
 *     ROLE_... of the object are.
 *
 * So more is taken out than is known to be another's.
 */
#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "lineage/lineage.h"
#include "subject.h"

#define ANOTHER "[another person]"

#define NESTED 8			/* levels of JSON in texts of JSON */
#define ID_MAX 64			/* bytes of another's id in a list */

enum { OWN_OBJECT = 1, OTHER_OBJECT = 2, OWN_SCALAR = 4, OTHER_ID = 8, HAS_OWN = 16, BY_ID = 32 };

struct mark {
	const char *p;		/* the first byte of a value */
	uint64_t is;
};

struct redact {
	const struct person *who;
	const struct lh_intern *own;	/* runs and samples of the person's rows */
	struct lh_err *err;
	struct lh_map marks;
	struct word {			/* a text that may name another person */
		const char *object;	/* that it is in */
		size_t at, n;		/* in names */
	} *word;
	size_t n_words, cap_words;
	struct role {			/* members of an object that begin so are of another */
		const char *object;
		struct lh_str prefix;
	} *role;
	size_t n_roles, cap_roles;
	struct nested {			/* JSON in a text */
		const char *text;	/* the value that it is in */
		struct lh_buf line;
		struct lh_record rec;
		struct lh_value v;
	} **nested;
	size_t n_nested, cap_nested;
	unsigned depth;
	struct lh_buf names;		/* of words */
	struct lh_texts *texts;		/* those to replace, ... */
	struct span {
		size_t at, end;
	} *span;			/* ... and where they are in the text at hand */
	size_t n_spans, cap_spans;
	size_t n_keys;			/* names of members that were replaced */
	bool others;			/* another person is named */
	bool own_side[2];		/* of a pair */
	struct lh_buf string, changed;
};

static bool has_digit(struct lh_str s)
{
	size_t i = 0;

	while (i < s.n && (s.p[i] < '0' || s.p[i] > '9'))
		i++;
	return i < s.n;
}

/* Mark a value; a row has fewer of them than a map may have. */
static void mark(struct redact *r, const char *p, unsigned is)
{
	int64_t i = lh_map_add(&r->marks, &p, sizeof p, sizeof(struct mark), NULL, r->err);

	if (i >= 0)
		((struct mark *)(void *)r->marks.entry)[i].is |= is;
}

/* Mark a value that is the person's, and all that it is in. */
static void mark_own(struct redact *r, const struct lh_person_at *at, const char *p, unsigned is)
{
	mark(r, p, is | HAS_OWN);
	for (; at; at = at->up)
		mark(r, at->in->p, HAS_OWN);
}

static uint64_t marks_of(const struct redact *r, const char *p)
{
	int64_t i = lh_map_find(&r->marks, &p, sizeof p, sizeof(struct mark));

	return i < 0 ? 0 : ((const struct mark *)(const void *)r->marks.entry)[i].is;
}

/* ---- what is whose ---- */

/* Return the text of a scalar, which is valid until the next call. */
static struct lh_str text_of(struct redact *r, const struct lh_value *v)
{
	struct lh_str s = { v->p, v->n };

	lh_buf_reset(&r->string);
	if (v->type == LH_STRING)
		lh_value_str(v, &r->string, &s);
	return s;
}

static void add_word(struct redact *r, const char *object, struct lh_str s)
{
	if (s.n < 2 || s.n > LH_TEXT_MAX)
		return;
	lh_grow(&r->word, &r->cap_words, r->n_words + 1, sizeof *r->word);
	r->word[r->n_words++] = (struct word){ object, r->names.len, s.n };
	lh_buf_add(&r->names, s.p, s.n);
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
	       lh_intern_find(r->own, s.p, s.n) >= 0;
}

/* ---- other persons by the id of a map, a list or a role ---- */

static bool is_own_id(const struct redact *r, struct lh_str s)
{
	const struct lh_str id = r->who->id;

	return r->who->fold ? lh_fold_equal(s.p, s.n, id.p, id.n) : lh_str_is(s, id.p, id.n);
}

/* Return whether a text may be an id. */
static bool is_like_id(struct lh_str s)
{
	return s.n <= ID_MAX && !memchr(s.p, ' ', s.n) && has_digit(s);
}

/* Note that an object or a list has the person's id among its names or elements: the others are of
 * others. */
static void note_by_id(struct redact *r, const struct lh_value *in)
{
	struct lh_iter it;
	struct lh_str s;

	mark(r, in->p, BY_ID);
	for (lh_iter_init(&it, in); lh_iter_next(&it); ) {
		const struct lh_value *v = in->type == LH_OBJECT ? &it.key : &it.val;

		if (v->type != LH_STRING && v->type != LH_NUMBER)
			continue;
		s = text_of(r, v);
		if (is_own_id(r, s))
			continue;
		r->others = true;
		if (is_like_id(s))
			add_word(r, NULL, s);
	}
}

/* Return the beginning of a member's name before _id or Id, or all of it if the value may be an id
 * by itself; n 0: it has no such end. */
static struct lh_str role_of(const struct lh_value *key, struct lh_str value)
{
	struct lh_str s = { key->p + 1, key->n - 2 };

	if (s.n > 3 && !memcmp(s.p + s.n - 3, "_id", 3))
		s.n -= 3;
	else if (s.n > 2 && !memcmp(s.p + s.n - 2, "Id", 2))
		s.n -= 2;
	else if (!is_like_id(value))
		s.n = 0;
	return s;
}

/* Return whether a member begins with a role. */
static bool has_role(const struct lh_value *key, struct lh_str role)
{
	const char *next = key->p + 1 + role.n;

	return key->n > role.n + 3 && !memcmp(key->p + 1, role.p, role.n) &&
	       (*next == '_' || (*next >= 'A' && *next <= 'Z'));
}

/* Return whether ids with that beginning are of things. */
static bool is_thing(struct lh_str role)
{
	static const char *const thing[] = {
		"account", "agency", "answer", "assignment", "batch", "branch", "candidate",
		"category", "city", "client", "company", "corpus", "country", "customer",
		"dataset", "department", "device", "document", "employer", "event", "file",
		"group", "index", "job", "location", "message", "model", "order", "org",
		"organisation", "organization", "permit", "position", "product", "project",
		"receipt", "region", "request", "role", "run", "sample", "session", "shift",
		"site", "skill", "source", "store", "task", "team", "template", "tenant", "trace",
		"venue", "worker",
	};
	size_t i;

	for (i = 0; i < sizeof thing / sizeof *thing; i++)
		if (lh_fold_equal(role.p, role.n, thing[i], strlen(thing[i])))
			return true;
	return false;
}

/* Return whether an object says how another in a role is called or reached. */
static bool says_who(const struct lh_value *object, struct lh_str role)
{
	static const char *const end[] = { "name", "email", "phone", "telephone", "mobile" };
	struct lh_iter it;
	size_t i, n;

	for (lh_iter_init(&it, object); lh_iter_next(&it); )
		for (i = 0; has_role(&it.key, role) && i < sizeof end / sizeof *end; i++) {
			n = strlen(end[i]);
			if (it.key.n > n + 2 &&
			    lh_fold_equal(it.key.p + it.key.n - 1 - n, n, end[i], n))
				return true;
		}
	return false;
}

/* Note the role whose id is the value of a member, and what it is called. */
static void note_role(struct redact *r, const struct lh_value *object, struct lh_str role,
		      struct lh_str id)
{
	struct lh_iter it;

	if (!role.n || is_thing(role) || !says_who(object, role))
		return;
	lh_grow(&r->role, &r->cap_roles, r->n_roles + 1, sizeof *r->role);
	r->role[r->n_roles++] = (struct role){ object->p, role };
	r->others = true;
	add_word(r, NULL, id);
	for (lh_iter_init(&it, object); lh_iter_next(&it); )
		if (it.val.type == LH_STRING && has_role(&it.key, role))
			add_word(r, NULL, text_of(r, &it.val));
}

/* Return whether a member is of a role that another has. */
static bool is_of_role(const struct redact *r, const struct lh_value *object,
		       const struct lh_value *key)
{
	size_t i;

	for (i = 0; i < r->n_roles; i++)
		if (r->role[i].object == object->p &&
		    (has_role(key, r->role[i].prefix) ||
		     lh_value_is(key, r->role[i].prefix.p, r->role[i].prefix.n)))
			return true;
	return false;
}

/* ---- JSON in a text ---- */

static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err);

static void nested_free(struct nested *n)
{
	lh_buf_free(&n->line);
	lh_record_free(&n->rec);
	free(n);
}

/* Read a text that is an object or a list of JSON, and note what is in it. */
static void note_nested(struct redact *r, const struct lh_value *v, struct lh_str s)
{
	const struct lh_str text = lh_trim(s.p, s.n);
	struct nested *n;
	struct lh_err unread;

	if (text.n < 2 || (*text.p != '{' && *text.p != '[') || r->depth == NESTED)
		return;
	n = lh_calloc(1, sizeof *n);
	lh_grow(&r->nested, &r->cap_nested, r->n_nested + 1, sizeof n);
	n->text = v->p;
	lh_buf_add(&n->line, text.p, text.n);
	lh_buf_room(&n->line, LH_PAD);
	if (lh_json_parse(&n->rec, n->line.p, n->line.len, &n->v, &unread) < 0) {
		nested_free(n);
		return;
	}
	r->nested[r->n_nested++] = n;
	r->depth++;
	lh_person_walk(&n->v, false, on_scalar, r, r->err);
	r->depth--;
}

static const struct nested *nested_in(const struct redact *r, const struct lh_value *v)
{
	size_t i;

	for (i = 0; i < r->n_nested; i++)
		if (r->nested[i]->text == v->p)
			return r->nested[i];
	return NULL;
}

/* ---- persons who are named in other ways than by a member ---- */

/* Return whether a text that is no JSON has an id as a member, in any notation, and another's. */
static bool says_other(const struct redact *r, struct lh_str s)
{
	static const char *const name[] = { "candidate_id", "worker_id", "answer_id" };
	const char *const end = s.p + s.n, *p, *from;
	size_t i;

	for (i = 0; i < sizeof name / sizeof *name; i++)
		for (p = s.p; (p = memmem(p, (size_t)(end - p), name[i], strlen(name[i]))); ) {
			for (p += strlen(name[i]), from = p; p < end && p - from < ID_MAX &&
			     strchr(" \t\"'\\:=>,%", *p); p++)
				;
			for (from = p; p < end && (isalnum((unsigned char)*p) || *p & 0x80 ||
						   strchr("-_.", *p)); p++)
				;
			if (is_like_id((struct lh_str){ from, (size_t)(p - from) }) &&
			    !is_own_id(r, (struct lh_str){ from, (size_t)(p - from) }))
				return true;
		}
	return false;
}

/* Note a list of pairs, ["candidate_id","w-7"] or {"name":"candidate_id","value":"w-7"}, that are
 * another's: v is such a name. */
static void note_pairs(struct redact *r, const struct lh_person_at *at, const struct lh_value *v)
{
	struct lh_iter it;
	bool other = false;

	if (!at || !at->up || at->up->in->type != LH_ARRAY || v->type != LH_STRING ||
	    !lh_person_names(v))
		return;
	for (lh_iter_init(&it, at->in); !other && lh_iter_next(&it); ) {
		struct lh_str s;

		if (it.val.p == v->p || (it.val.type != LH_STRING && it.val.type != LH_NUMBER) ||
		    (at->key.p && lh_fold(it.key.p[1]) != 'v'))
			continue;
		s = text_of(r, &it.val);
		other = is_like_id(s) && !is_own_id(r, s);
	}
	r->others |= other;
	if (other)
		mark(r, at->up->in->p, OTHER_OBJECT);
}

/* ---- what is whose, of each value ---- */

/* Note a scalar or a key, an lh_person_fn. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct redact *r = ctx;
	const bool key = at && v == &at->key;
	const char *object = at && at->key.p ? at->in->p : NULL;
	struct lh_str s = text_of(r, v);
	struct seen seen;
	enum hit_by by;
	bool own;

	(void)err;
	person_has(r->who, at, v, id, s, &r->changed, &seen, &by);
	own = by != HIT_NONE;
	if (own)
		mark_own(r, at, v->p, OWN_SCALAR);
	if (!id && at && (key || !at->key.p) && is_own_id(r, s))
		note_by_id(r, at->in);
	if (!key && v->type == LH_STRING)
		note_nested(r, v, text_of(r, v));
	s = text_of(r, v);
	if (!key && !id && v->type == LH_STRING && !nested_in(r, v) && says_other(r, s)) {
		r->others = true;
		mark(r, v->p, OTHER_ID);
		return 0;
	}
	if (!key)
		note_pairs(r, at, v);
	s = text_of(r, v);
	if (object && ((own && id) || names_own(r, at, s))) {
		mark_own(r, at, object, OWN_OBJECT);
	} else if (!own && !key && id) {
		r->others = true;
		mark(r, v->p, OTHER_ID);
		add_word(r, NULL, s);
		if (object)
			mark(r, object, OTHER_OBJECT);
	} else if (!own && !key && object) {
		if (s.n)
			note_role(r, at->in, role_of(&at->key, s), s);
		if (is_name(&at->key))
			add_word(r, object, text_of(r, v));
	}
	return 0;
}

/* Set the texts to replace: the words of objects that are another's alone. */
static int keep_words(struct redact *r)
{
	LH_SCOPED(lh_free_local) struct lh_needle *text = lh_calloc(r->n_words + 1, sizeof *text);
	size_t i, n = 0;

	for (i = 0; i < r->n_words; i++) {
		const struct word *w = &r->word[i];

		if (!w->object ||
		    (marks_of(r, w->object) & (OWN_OBJECT | OTHER_OBJECT)) == OTHER_OBJECT)
			text[n++] = (struct lh_needle){ { r->names.p + w->at, w->n }, 0, true,
						   false };
	}
	r->texts = lh_texts_new(text, n, r->err);
	return r->texts ? 0 : -1;
}

/* ---- writing ---- */

static void on_word(void *ctx, size_t number, size_t at, size_t len, enum lh_text_how how)
{
	struct redact *r = ctx;

	(void)number, (void)how;
	lh_grow(&r->span, &r->cap_spans, r->n_spans + 1, sizeof *r->span);
	r->span[r->n_spans++] = (struct span){ at, at + len };
}

static int by_span(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->at != y->at ? x->at < y->at ? -1 : 1 : (x->end < y->end) - (x->end > y->end);
}

/* Set r->changed to a text with the words of others replaced: whether it has any.  own: one that is
 * such a word as a whole stays, since the person may have it too. */
static bool replace_words(struct redact *r, struct lh_str s, bool own)
{
	size_t i, from = 0;
	bool any = false;

	r->n_spans = 0;
	lh_texts_find(r->texts, (const unsigned char *)s.p, s.n, on_word, r);
	if (r->n_spans)
		qsort(r->span, r->n_spans, sizeof *r->span, by_span);
	lh_buf_reset(&r->changed);
	for (i = 0; i < r->n_spans; i++) {
		const struct span *w = &r->span[i];

		if (w->end <= from || (own && w->end - w->at == s.n))
			continue;
		if (w->at >= from) {
			lh_buf_add(&r->changed, s.p + from, w->at - from);
			lh_buf_puts(&r->changed, ANOTHER);
		}
		from = w->end;
		any = true;
	}
	lh_buf_add(&r->changed, s.p + from, s.n - from);
	return any;
}

/* Write a string or a number that stays. */
static void write_scalar(struct redact *r, const struct lh_value *v, bool own, struct lh_buf *out)
{
	struct lh_str s = text_of(r, v);

	if ((v->type == LH_STRING || s.n >= LH_TEXT_DIGITS) && replace_words(r, s, own))
		lh_buf_json(out, r->changed.p, r->changed.len);
	else
		lh_buf_add(out, v->p, v->n);
}

/* Write the name of a member; those that are replaced stay different.  all: it is another's as a
 * whole.  Returns whether it is that, also by its words. */
static bool write_key(struct redact *r, const struct lh_value *key, bool all, struct lh_buf *out)
{
	const bool changed = replace_words(r, text_of(r, key), false) || all;

	if (all) {
		lh_buf_reset(&r->changed);
		lh_buf_puts(&r->changed, ANOTHER);
	}
	all = changed && lh_str_is((struct lh_str){ r->changed.p, r->changed.len }, ANOTHER,
				   sizeof ANOTHER - 1);
	if (changed && r->n_keys++)
		lh_buf_printf(&r->changed, " %zu", r->n_keys);
	if (changed)
		lh_buf_json(out, r->changed.p, r->changed.len);
	else
		lh_buf_add(out, key->p, key->n);
	lh_buf_putc(out, ':');
	return all;
}

/* Return whether a text may be prose, an address or a telephone. */
static bool may_name(const struct lh_value *v)
{
	return memchr(v->p, ' ', v->n) || memchr(v->p, '\\', v->n) || memchr(v->p, '@', v->n) ||
	       v->p[1] == '+';
}

/* Return whether a member is of a side of a pair that is the person's. */
static bool is_own_side(const struct redact *r, const struct lh_value *key)
{
	return key && ((r->own_side[0] && !strncmp(key->p, "\"chosen", 7)) ||
		       (r->own_side[1] && !strncmp(key->p, "\"rejected", 9)));
}

static void write_value(struct redact *r, const struct lh_value *v, const struct lh_value *key,
			unsigned about, struct lh_buf *out);

/* Return whether a member or an element is another's where the person's id is one of them. */
static bool is_beside(struct redact *r, const struct lh_value *in, const struct lh_iter *it)
{
	const bool object = in->type == LH_OBJECT;

	if (!(marks_of(r, in->p) & BY_ID) ||
	    (!object && it->val.type != LH_STRING && it->val.type != LH_NUMBER))
		return false;
	return !is_own_id(r, text_of(r, object ? &it->key : &it->val));
}

static void write_children(struct redact *r, const struct lh_value *v, const struct lh_value *key,
			   unsigned about, struct lh_buf *out)
{
	const bool object = v->type == LH_OBJECT;
	struct lh_iter it;
	bool first = true, others;

	lh_buf_putc(out, *v->p);
	for (lh_iter_init(&it, v); lh_iter_next(&it); first = false) {
		if (!first)
			lh_buf_putc(out, ',');
		others = is_beside(r, v, &it);
		if (object)
			others = write_key(r, &it.key, others, out) || is_of_role(r, v, &it.key);
		if (others)
			lh_buf_puts(out, "\"" ANOTHER "\"");
		else
			write_value(r, &it.val, object ? &it.key : key, about, out);
	}
	lh_buf_putc(out, object ? '}' : ']');
}

/* Write a value in an object that is the person's (OWN_OBJECT), another's (OTHER_OBJECT), or of
 * neither (0). */
static void write_value(struct redact *r, const struct lh_value *v, const struct lh_value *key,
			unsigned about, struct lh_buf *out)
{
	const uint64_t is = marks_of(r, v->p);
	const struct nested *nested = v->type == LH_STRING ? nested_in(r, v) : NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (is & (OWN_OBJECT | OTHER_OBJECT))
		about = is & OWN_OBJECT ? OWN_OBJECT : OTHER_OBJECT;
	if (is & OTHER_ID || (about == OTHER_OBJECT && !(is & HAS_OWN))) {
		lh_buf_puts(out, "\"" ANOTHER "\"");
	} else if (v->type == LH_OBJECT || v->type == LH_ARRAY) {
		write_children(r, v, key, about, out);
	} else if (nested) {
		write_value(r, &nested->v, NULL, about, &text);
		lh_buf_json(out, text.p, text.len);
	} else if (v->type == LH_STRING && !about && !(is & OWN_SCALAR) && may_name(v) &&
		   !is_own_side(r, key)) {
		lh_buf_puts(out, "\"" ANOTHER "\"");
	} else {
		write_scalar(r, v, about == OWN_OBJECT || is & OWN_SCALAR, out);
	}
}

/* ---- rows that quote others ---- */

static bool is_own(const struct redact *r, struct lh_str name)
{
	return name.p && lh_intern_find(r->own, name.p, name.n) >= 0;
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
		rc = !is_own(r, ids.retrieved[i]);
	for (i = 0; rc >= 0 && ids.n_sides == 2 && i < 2; i++) {
		r->own_side[i] = is_own(r, ids.side[i].run);
		rc |= !r->own_side[i];
	}
	lh_row_ids_free(&ids);
	return rc;
}

int redact_note(struct lh_intern *own, enum place_kind kind, struct lh_str text, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct lh_row_ids ids = { .n_sides = 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	uint32_t number;
	int rc = 0;

	if (kind != PLACE_EVIDENCE && kind != PLACE_SCORED && kind != PLACE_RAG &&
	    kind != PLACE_SFT)
		return 0;
	lh_buf_add(&line, text.p, text.n);
	lh_buf_room(&line, LH_PAD);
	if (lh_record_parse(&rec, line.p, line.len, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	rc = lh_row_ids_read(&ids, (enum lh_place)(kind - PLACE_SOURCE), &rec, err);
	if (!rc && ids.id.p)
		rc = lh_intern_add(own, ids.id.p, ids.id.n, &number, err);
	if (!rc && ids.side[0].run.p)
		rc = lh_intern_add(own, ids.side[0].run.p, ids.side[0].run.n, &number, err);
	lh_row_ids_free(&ids);
	return rc;
}

/* ---- a row ---- */

static int redact(struct redact *r, enum place_kind kind, const struct lh_value *v,
		  const struct lh_record *rec, struct lh_buf *out)
{
	const bool record = kind == PLACE_ROSTER || kind == PLACE_INDEX ||
			    kind == PLACE_KEPT;
	const int rc = rec->n ? quotes_others(r, kind, rec) : 0;

	if (rc < 0)
		return -1;
	lh_person_walk(v, record, on_scalar, r, r->err);
	if (!rc && !r->others)
		return 0;
	if (keep_words(r) < 0)
		return -1;
	write_value(r, v, NULL, 0, out);
	return 1;
}

static void redact_free(struct redact *r)
{
	while (r->n_nested)
		nested_free(r->nested[--r->n_nested]);
	free(r->nested);
	free(r->role);
	free(r->word);
	lh_map_free(&r->marks);
	lh_buf_free(&r->names);
	lh_texts_free(r->texts);
	free(r->span);
	lh_buf_free(&r->string);
	lh_buf_free(&r->changed);
}

int redact_row(const struct person *who, const struct lh_intern *own, enum place_kind kind,
	       struct lh_str text, struct lh_buf *out, struct lh_err *err)
{
	LH_SCOPED(redact_free) struct redact r = { .who = who, .own = own, .err = err };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_value v;
	int rc = lh_record_parse(&rec, text.p, text.n, err);

	if (rc == 0)
		v = (struct lh_value){ rec.line, rec.len, LH_OBJECT, false };
	else if (err->code == LH_EDATA)
		rc = lh_json_parse(&rec, text.p, text.n, &v, err);
	if (rc < 0)	/* it is not JSON, and names are not known in it */
		return err->code == LH_EDATA ? 0 : -1;
	return redact(&r, kind, &v, &rec, out);
}
