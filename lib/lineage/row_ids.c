/*
 * row_ids.c - what the rows of a root are called, and where they name persons.  See lineage.h and
 * person_ids.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto/digest.h"
#include "base/table.h"
#include "base/utf8.h"
#include "base/xxh3.h"
#include "distill/evidence.h"
#include "json/value.h"
#include "lineage.h"
#include "person_ids.h"
#include "text/texts.h"

/* ---- where a record names persons ---- */

#define IS(v, name) lh_value_is(v, name, sizeof(name) - 1)

struct walk {
	lh_person_fn *fn;
	void *ctx;
	struct lh_err *err;
};

static const char *const id_names[] = { "candidate_id", "worker_id", "subject", "answer_id" };
#define ID_NAMES (sizeof id_names / sizeof *id_names)

bool lh_person_names(const struct lh_value *key)
{
	size_t i;

	for (i = 0; i < ID_NAMES; i++)
		if (lh_value_is(key, id_names[i], strlen(id_names[i])))
			return true;
	return false;
}

bool lh_person_column(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < ID_NAMES; i++)
		if (n == strlen(id_names[i]) && !strncasecmp(name, id_names[i], n))
			return true;
	return false;
}

/* Return whether an object with this member is about a person. */
static bool of_person(const struct lh_value *key)
{
	static const char *const member[] = {
		"corpus", "metadata", "found", "name", "first_name", "last_name", "full_name",
		"email", "phone", "telephone", "candidate_id", "worker_id"
	};
	size_t i;

	for (i = 0; i < sizeof member / sizeof *member; i++)
		if (lh_value_is(key, member[i], strlen(member[i])))
			return true;
	return false;
}

static int walk_value(const struct walk *w, const struct lh_person_at *at,
		      const struct lh_value *v, bool id);

static int walk_object(const struct walk *w, const struct lh_person_at *up,
		       const struct lh_value *v, bool about)
{
	bool has_id = false, message = false, id;
	struct lh_iter it;
	int rc = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		has_id |= IS(&it.key, "id");
		message |= IS(&it.key, "sender");
	}
	for (lh_iter_init(&it, v); has_id && !about && lh_iter_next(&it); )
		about = of_person(&it.key);
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); ) {
		const struct lh_person_at at = { up, it.key, 0, v };

		id = IS(&it.key, "id") ? about : lh_person_names(&it.key);
		if (message && IS(&it.key, "subject"))
			id = false;
		rc = w->fn(w->ctx, &at, &at.key, false, w->err);
		if (!rc)
			rc = walk_value(w, &at, &it.val, id);
	}
	return rc;
}

static int walk_value(const struct walk *w, const struct lh_person_at *at,
		      const struct lh_value *v, bool id)
{
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	if (v->type == LH_STRING || v->type == LH_NUMBER)
		return w->fn(w->ctx, at, v, id, w->err);
	if (v->type == LH_OBJECT)
		return walk_object(w, at, v, false);
	if (v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); i++) {
		const struct lh_person_at element = { .up = at, .i = i, .in = v };

		rc = walk_value(w, &element, &it.val, id);
	}
	return rc;
}

int lh_person_walk(const struct lh_value *v, bool of_persons, lh_person_fn *fn, void *ctx,
		   struct lh_err *err)
{
	const struct walk w = { fn, ctx, err };

	return of_persons && v->type == LH_OBJECT ? walk_object(&w, NULL, v, true)
						  : walk_value(&w, NULL, v, false);
}

int lh_person_path(const struct lh_person_at *at, struct lh_buf *out, struct lh_err *err)
{
	if (!at)
		return 0;
	if (lh_person_path(at->up, out, err) < 0)
		return -1;
	if (at->up)
		lh_buf_putc(out, '.');
	if (!at->key.p)
		lh_buf_u64(out, at->i);
	else
		lh_value_add(&at->key, out);
	return 0;
}

bool lh_person_is_id(const struct lh_value *object, const struct lh_value *key,
		     struct lh_value *corpus)
{
	struct lh_value other;

	*corpus = (struct lh_value){ .p = NULL };
	if (!lh_person_names(key))
		return false;
	if (IS(key, "answer_id"))
		lh_value_get(object, "answer_corpus", corpus);
	return !IS(key, "subject") ||
	       !(lh_value_get(object, "sender", &other) || lh_value_get(object, "to", &other) ||
		 lh_value_get(object, "body", &other));
}

bool lh_person_may_be_in(struct lh_str json)
{
	return memmem(json.p, json.n, "_id", 3) || memmem(json.p, json.n, "subject", 7) ||
	       memmem(json.p, json.n, "\\u", 2);
}

bool lh_person_of(const struct lh_person_at *at, bool id, const struct lh_value **in,
		  struct lh_value *corpus)
{
	while (at && !at->key.p)
		at = at->up;
	*in = at ? at->in : NULL;
	return id && at && lh_person_is_id(at->in, &at->key, corpus);
}

/* ---- whose data an answer has used ---- */

void lh_persons_used_reset(struct lh_persons_used *u)
{
	lh_buf_reset(&u->list);
}

void lh_persons_used_free(struct lh_persons_used *u)
{
	lh_buf_free(&u->list);
	lh_buf_free(&u->copy);
	lh_record_free(&u->scan);
}

static void write_names(struct lh_writer *w, const struct lh_value *object)
{
	struct lh_iter it;

	if (object)
		for (lh_iter_init(&it, object); lh_iter_next(&it); )
			lh_write_value(w, NULL, &it.key);
}

/* Begin an entry; id: a string or a number of JSON. */
static struct lh_writer begin_used(struct lh_persons_used *u, struct lh_str id)
{
	struct lh_writer w = lh_write_to(&u->list);

	w.comma = u->list.len > 0;
	lh_write_object(&w, NULL);
	lh_write_raw(&w, "id", id);
	return w;
}

static void end_used(struct lh_writer *w, const char *member, const struct lh_value *inside,
		     const struct lh_value *record)
{
	lh_write_array(w, "members");
	if (member)
		lh_write_text(w, NULL, member);
	if (!member && inside && inside->p != record->p)
		write_names(w, inside);
	if (!member)
		write_names(w, record);
	lh_write_end(w);
	lh_write_end(w);
}

struct using {
	struct lh_persons_used *u;
	const struct lh_value *record;
	const char *member;
	bool any;
};

/* Add a person whom a record names by a member of that name; an "id" in it may be of anything. */
static int use_named(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct using *is = ctx;
	const struct lh_value *in;
	struct lh_value corpus;
	struct lh_writer w;

	(void)err;
	if (!lh_person_of(at, id, &in, &corpus))
		return 0;
	w = begin_used(is->u, (struct lh_str){ v->p, v->n });
	if (corpus.p)
		lh_write_value(&w, "corpus", &corpus);
	end_used(&w, is->member, in, is->record);
	is->any |= !corpus.p;
	return 0;
}

void lh_persons_used_id(struct lh_persons_used *u, struct lh_str id, const char *member)
{
	struct lh_writer w;

	lh_buf_reset(&u->copy);
	lh_buf_json(&u->copy, id.p, id.n);
	w = begin_used(u, (struct lh_str){ u->copy.p, u->copy.len });
	end_used(&w, member, NULL, NULL);
}

void lh_persons_used_record(struct lh_persons_used *u, bool of_persons, struct lh_str id,
			    struct lh_str metadata, const char *member)
{
	struct using is = { .u = u, .member = member };
	struct lh_value v;
	struct lh_err unused;
	struct lh_writer w;

	if (metadata.n && (of_persons || lh_person_may_be_in(metadata))) {
		lh_buf_reset(&u->copy);
		lh_buf_add(&u->copy, metadata.p, metadata.n);
		if (lh_json_parse(&u->scan, u->copy.p, u->copy.len, &v, &unused) == 0) {
			is.record = &v;
			lh_person_walk(&v, false, use_named, &is, &unused);
		}
	}
	if (is.any || !of_persons)
		return;
	if (!is.record || member) {
		lh_persons_used_id(u, id, member ? member : "id");
		return;
	}
	w = lh_write_to(&u->list);
	w.comma = u->list.len > 0;
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", id);
	end_used(&w, NULL, NULL, is.record);
}

void lh_persons_used_results(struct lh_persons_used *u, const struct lh_value *results)
{
	struct lh_value id, corpus;
	struct lh_err unused;
	struct lh_writer w;
	struct lh_iter it;

	for (lh_iter_init(&it, results); lh_iter_next(&it); ) {
		struct using is = { .u = u, .record = &it.val };

		lh_person_walk(&it.val, false, use_named, &is, &unused);
		if (is.any || !lh_value_get(&it.val, "id", &id) ||
		    !lh_value_get(&it.val, "corpus", &corpus) || corpus.type != LH_STRING ||
		    (id.type != LH_STRING && id.type != LH_NUMBER))
			continue;
		w = begin_used(u, (struct lh_str){ id.p, id.n });
		lh_write_value(&w, "corpus", &corpus);
		end_used(&w, NULL, NULL, &it.val);
	}
}

static void use_condition(struct lh_persons_used *u, const struct lh_value *v, bool id,
			  const char *member)
{
	struct lh_writer w;
	struct lh_iter it;

	if (id && (v->type == LH_STRING || v->type == LH_NUMBER)) {
		w = begin_used(u, (struct lh_str){ v->p, v->n });
		end_used(&w, member, NULL, NULL);
	}
	if (v->type != LH_OBJECT && v->type != LH_ARRAY)
		return;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		use_condition(u, &it.val, id || (it.object && (lh_person_names(&it.key) ||
							       IS(&it.key, "id"))), member);
}

void lh_persons_used_condition(struct lh_persons_used *u, const struct lh_value *v,
			       const char *member)
{
	use_condition(u, v, false, member);
}

void lh_persons_used_write(const struct lh_persons_used *u, struct lh_writer *w)
{
	lh_write_array(w, "persons");
	lh_buf_add(w->out, u->list.p, u->list.len);
	lh_write_end(w);
}

/* ---- by which texts a record names its person ---- */

#define PART_MAX 64		/* bytes of the name of a member that may be one of those below */
#define NAMES_MAX 8		/* first names of a person, and last ones */

enum part { PART_NONE, PART_FIRST, PART_MIDDLE, PART_LAST, PART_NAME, PART_EMAIL, PART_TELEPHONE,
	    PART_ID, PART_MEMBERS, PARTS };

/* The ends of names of members, in small letters, without what separates words; a longer one comes
 * first.  After "=" it is all of a name. */
static const struct {
	const char *end;
	enum part part;
} parts[] = {
	{ "firstname", PART_FIRST }, { "givenname", PART_FIRST }, { "forename", PART_FIRST },
	{ "=first", PART_FIRST }, { "=given", PART_FIRST },
	{ "middlename", PART_MIDDLE }, { "=middle", PART_MIDDLE },
	{ "lastname", PART_LAST }, { "surname", PART_LAST }, { "familyname", PART_LAST },
	{ "=last", PART_LAST }, { "=family", PART_LAST },
	{ "name", PART_NAME }, { "alias", PART_NAME },
	{ "email", PART_EMAIL }, { "mail", PART_EMAIL },
	{ "telephone", PART_TELEPHONE }, { "phone", PART_TELEPHONE }, { "tel", PART_TELEPHONE },
	{ "mobile", PART_TELEPHONE }, { "cell", PART_TELEPHONE }, { "fax", PART_TELEPHONE },
	{ "landline", PART_TELEPHONE }, { "whatsapp", PART_TELEPHONE },
	{ "=contact", PART_MEMBERS }, { "=contactdetail", PART_MEMBERS },
	{ "=contactinfo", PART_MEMBERS }, { "=person", PART_MEMBERS },
	{ "=personal", PART_MEMBERS }, { "=profile", PART_MEMBERS },
	{ "=candidateid", PART_ID }, { "=id", PART_ID },
	{ "=type", PARTS }, { "=label", PARTS }, { "=kind", PARTS },
	{ "=title", PARTS }, { "=prefix", PARTS }, { "=suffix", PARTS },
};
/* What may be before the end of a name: company_name and file_name are no names of the person. */
static const char *const named[] = {
	"candidate", "worker", "employee", "person", "applicant", "member", "nurse", "staff",
	"legal", "preferred", "full", "display", "nick", "maiden", "birth", "former", "previous",
	"other", "alternate", "alt", "official", "known",
};
/* What is in no name of a member with an address or a telephone of the person. */
static const char *const others[] = {
	"emergency", "supervisor", "manager", "recruiter", "client", "customer", "company",
	"employer", "agency", "referee", "reference", "referrer", "spouse", "partner", "nextofkin",
	"parent", "guardian", "mother", "father", "doctor", "host", "last",
};

/* The texts of a person as they are read, each with a NUL. */
struct reading {
	size_t least;				/* bytes of a text */
	struct lh_buf *texts;
	struct lh_buf names[PART_LAST + 1];	/* those of a part, each with a NUL */
	unsigned n_names[PART_LAST + 1];
	struct lh_buf string;
	struct lh_intern *unused;	/* names of members that are not searched for */
	struct lh_err *err;
};

/* A name of a member without what separates its words. */
struct member_name {
	char text[PART_MAX];
	size_t n;
	bool begins[PART_MAX];		/* a word */
};

/* Return the bytes before an end of a name, if it is a word or has five letters: else n + 1. */
static size_t before_end(const struct member_name *m, size_t n, const char *end)
{
	const size_t len = strlen(end);

	return n >= len && !memcmp(m->text + n - len, end, len) &&
	       (m->begins[n - len] || len > 4) ? n - len : n + 1;
}

/* Return the length of a name without the number of a member, and without what says that its value
 * is a number or an address. */
static size_t without_number(const struct member_name *m)
{
	static const char *const end[] = { "numbers", "number", "addresses", "address", "no",
					   "nr", "num" };
	size_t i, n = m->n, before;

	while (n && m->text[n - 1] >= '0' && m->text[n - 1] <= '9')
		n--;
	for (i = 0; i < sizeof end / sizeof *end; i++) {
		before = before_end(m, n, end[i]);
		if (before && before < n)
			return before;
	}
	return n > 4 && m->text[n - 1] == 's' && strncmp(m->text + n - 5, "alias", 5) ? n - 1 : n;
}

/* Return whether the first n bytes of a name leave what follows a part of the person. */
static bool is_of_person(const struct member_name *m, size_t n, enum part part)
{
	size_t i, at = 0, len;

	if (part == PART_EMAIL || part == PART_TELEPHONE) {
		for (i = 0; i < sizeof others / sizeof *others; i++)
			if (memmem(m->text, n, others[i], strlen(others[i])))
				return false;
		return true;
	}
	for (i = 0; at < n && i < sizeof named / sizeof *named; i++) {
		len = strlen(named[i]);
		if (len > n - at || memcmp(m->text + at, named[i], len))
			continue;
		at += len;
		i = (size_t)-1;
	}
	return at == n;
}

static enum part part_of(const struct lh_value *key)
{
	struct member_name m = { .n = 0 };
	size_t i, n, before;
	bool word = true;

	for (i = 1; i + 1 < key->n; i++) {
		const char c = lh_fold(key->p[i]);

		if (c == '_' || c == '-' || c == ' ' || c == '.') {
			word = true;
			continue;
		}
		if (m.n == sizeof m.text)
			return PART_NONE;
		m.begins[m.n] = word || (c != key->p[i] && lh_fold(key->p[i - 1]) == key->p[i - 1]);
		m.text[m.n++] = c;
		word = false;
	}
	n = without_number(&m);
	for (i = 0; i < sizeof parts / sizeof *parts; i++) {
		const char *end = parts[i].end;

		before = before_end(&m, n, end + (*end == '='));
		if (!before || (before < n && *end != '=' &&
				is_of_person(&m, before, parts[i].part)))
			return parts[i].part;
	}
	return PART_NONE;
}

/* Append a text unless it is too short to be searched: whether it was. */
static bool add_text(struct reading *r, struct lh_str s)
{
	s = lh_trim(s.p, s.n);
	if (!s.n || s.n > LH_TEXT_MAX || memchr(s.p, '\0', s.n) || s.n < r->least)
		return false;
	lh_buf_add(r->texts, s.p, s.n);
	lh_buf_putc(r->texts, '\0');
	return true;
}

static enum lh_text_kind kind_of(struct lh_str s)
{
	LH_SCOPED(lh_buf_free) struct lh_buf normal = { 0 };
	const struct lh_needle text = { s, 0, true, false };
	enum lh_text_kind kind = LH_TEXT_NAME;

	if (s.n && s.n <= LH_TEXT_MAX)
		lh_needle_normal(&text, &normal, &kind);
	return kind;
}

/* Append each piece of a text between characters of `ends` that is of a kind: whether one is. */
static bool add_pieces(struct reading *r, struct lh_str s, const char *ends, enum lh_text_kind kind)
{
	size_t i, from = 0;
	bool added = false;

	for (i = 0; i <= s.n; i++) {
		const struct lh_str piece = lh_trim(s.p + from, i - from);

		if (i < s.n && !strchr(ends, s.p[i]))
			continue;
		from = i + 1;
		if (piece.n && kind_of(piece) == kind)
			added |= add_text(r, piece);
	}
	return added;
}

static bool has_digit(struct lh_str s)
{
	size_t i = 0;

	while (i < s.n && !(s.p[i] >= '0' && s.p[i] <= '9'))
		i++;
	return i < s.n;
}

/* Append what a string of a part names the person by: the numbers or addresses in it, else all. */
static bool add_string(struct reading *r, enum part part, struct lh_str s)
{
	static const char letters[] = ",;/|:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (part <= PART_LAST) {
		s = lh_trim(s.p, s.n);
		if (!s.n || memchr(s.p, '\0', s.n) || r->n_names[part]++ >= NAMES_MAX)
			return false;
		lh_buf_add(&r->names[part], s.p, s.n);
		lh_buf_putc(&r->names[part], '\0');
		return true;
	}
	if (part == PART_TELEPHONE && kind_of(s) != LH_TEXT_TELEPHONE &&
	    add_pieces(r, s, letters, LH_TEXT_TELEPHONE))
		return true;
	if (part == PART_EMAIL && add_pieces(r, s, " ,;:<>|\t\n", LH_TEXT_EMAIL))
		return true;
	if (part == PART_TELEPHONE && s.n && s.n <= LH_TEXT_MAX && !has_digit(s))
		return false;	/* a word such as "mobile", which is in many texts */
	return add_text(r, s);
}

static bool add_value(struct reading *r, enum part part, const struct lh_value *v)
{
	struct lh_str s = { v->p, v->n };
	bool added = false;
	enum part inner;
	char digits[24];
	struct lh_iter it;
	int64_t whole;

	if (v->type == LH_OBJECT || v->type == LH_ARRAY) {
		for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
			inner = v->type == LH_OBJECT ? part_of(&it.key) : part;
			if (inner != PARTS)
				added |= add_value(r, part == PART_NAME && inner &&
						   inner <= PART_LAST ? inner : part, &it.val);
		}
		return added;
	}
	if (v->type == LH_NUMBER && lh_value_i64(v, &whole)) {
		snprintf(digits, sizeof digits, "%lld", (long long)whole);
		s = lh_str_of(digits);
	}
	lh_buf_reset(&r->string);
	if (v->type == LH_STRING)
		lh_value_str(v, &r->string, &s);
	return v->type == LH_STRING || v->type == LH_NUMBER ? add_string(r, part, s) : true;
}

/* Append each first name with each last one, and with the middle name between them. */
static void add_parts_of_name(struct reading *r)
{
	const struct lh_buf *first = &r->names[PART_FIRST], *last = &r->names[PART_LAST];
	const struct lh_buf *middle = &r->names[PART_MIDDLE];
	const char *f, *l;
	int i;

	for (f = first->p; f < first->p + first->len; f += strlen(f) + 1)
		for (l = last->p; l < last->p + last->len; l += strlen(l) + 1)
			for (i = 0; i < 2 && (!i || middle->len); i++) {
				lh_buf_reset(&r->string);
				lh_buf_printf(&r->string, "%s %s%s%s", f, i ? middle->p : "",
					      i ? " " : "", l);
				add_text(r, (struct lh_str){ r->string.p, r->string.len });
			}
}

/* Append what names the person of an object, or of those of a list, and note which members do
 * not. */
static int walk_members(struct reading *r, const struct lh_value *in)
{
	struct lh_iter it;
	uint32_t number;
	int rc = 0;

	for (lh_iter_init(&it, in); rc >= 0 && lh_iter_next(&it); ) {
		const enum part part = in->type == LH_ARRAY ? PART_MEMBERS : part_of(&it.key);
		const bool members = part == PART_MEMBERS &&
				     (it.val.type == LH_OBJECT || it.val.type == LH_ARRAY);

		if (part == PART_ID || it.val.type == LH_NULL)
			continue;
		if (members)
			rc = walk_members(r, &it.val);
		else if ((!part || part >= PART_MEMBERS || !add_value(r, part, &it.val)) &&
			 in->type == LH_OBJECT && it.val.type != LH_TRUE &&
			 it.val.type != LH_FALSE)
			rc = lh_intern_add(r->unused, it.key.p + 1, it.key.n - 2, &number, r->err);
	}
	return rc < 0 ? -1 : 0;
}

int lh_person_texts(const struct lh_value *record, size_t least, struct lh_buf *texts,
		    struct lh_intern *unused, struct lh_err *err)
{
	static const char alone[] = "a first or last name alone";
	struct reading r = { .least = least, .texts = texts, .unused = unused, .err = err };
	uint32_t number;
	size_t i;
	int rc = walk_members(&r, record);

	if (!rc && !r.names[PART_FIRST].len != !r.names[PART_LAST].len)
		rc = lh_intern_add(unused, alone, sizeof alone - 1, &number, err);
	add_parts_of_name(&r);
	for (i = 0; i <= PART_LAST; i++)
		lh_buf_free(&r.names[i]);
	lh_buf_free(&r.string);
	return rc < 0 ? -1 : 0;
}

/* ---- what the rows of a root are called ---- */

/* A row, or the source_record of a refusal. */
struct row {
	struct lh_str id;
	struct lh_row_side side[2];
	struct retrieved {
		const struct lh_str *id;
		size_t n;
	} retrieved;
};

#define RUN(name, i) { LH_BIND_STRING(name, struct row, side[i].run), .lax = true, .filled = true }
#define FROM(i) \
	{ LH_BIND_TABLE("provenance", struct row, side[i].from, lh_provenance_members), \
	  .lax = true }
#define ID(name) { LH_BIND_STRING(name, struct row, id), .lax = true, .filled = true }

static const struct lh_bind skip_members[] = {
	{ LH_BIND_STRING("source_file", struct row, side[0].from.source_file), .lax = true,
	  .filled = true },
	{ LH_BIND_SOME("line_offset", struct row, side[0].from.line_offset) },
	{ LH_BIND_STRING("sig_hash", struct row, side[0].from.sig_hash), .lax = true,
	  .filled = true },
	LH_BIND_END
};
static const struct lh_bind evidence_members[] = { RUN("run_id", 0), FROM(0), LH_BIND_END };
static const struct lh_bind scored_members[] = {
	RUN("evidence_run_id", 0), FROM(0), LH_BIND_END
};
static const struct lh_bind sample_members[] = {
	ID("id"), RUN("source_run_id", 0), FROM(0), LH_BIND_END
};
static const struct lh_bind pair_members[] = {
	ID("id"), RUN("chosen_run_id", 0), FROM(0), RUN("rejected_run_id", 1), LH_BIND_END
};

/* The scored run that a refusal has unchanged. */
static const struct lh_bind refused_run[] = {
	{ LH_BIND_STRING("evidence_run_id|run_id", struct lh_row_side, run), .lax = true,
	  .filled = true },
	{ LH_BIND_TABLE("provenance", struct lh_row_side, from, lh_provenance_members),
	  .lax = true },
	LH_BIND_END
};
static const struct lh_bind refused_members[] = {
	RUN("evidence_run_id|run_id", 0), FROM(0),
	{ LH_BIND_TABLE("chosen", struct row, side[0], refused_run), .lax = true },
	{ LH_BIND_TABLE("rejected", struct row, side[1], refused_run), .lax = true },
	LH_BIND_END
};
struct refusal {
	struct row of;
};
static const struct lh_bind refusal_members[] = {
	{ LH_BIND_TABLE("source_record", struct refusal, of, refused_members), .lax = true },
	LH_BIND_END
};

static const struct lh_bind retrieved_members[] = {
	{ LH_BIND_STRINGS("rag_ids", struct retrieved, id, n), .lax = true },
	LH_BIND_END
};
static const struct lh_bind replay_members[] = {
	ID("recorded_run_id"),
	{ LH_BIND_TABLE("retrieved_artifacts", struct row, retrieved, retrieved_members),
	  .lax = true },
	LH_BIND_END
};

static const struct lh_bind *const members[LH_PLACES] = {
	[LH_PLACE_SKIP] = skip_members,
	[LH_PLACE_EVIDENCE] = evidence_members,
	[LH_PLACE_SCORED] = scored_members,
	[LH_PLACE_RAG] = sample_members,
	[LH_PLACE_SFT] = sample_members,
	[LH_PLACE_PREFERENCE] = pair_members,
	[LH_PLACE_QUARANTINE] = refusal_members,
	[LH_PLACE_REPLAY] = replay_members,
};

void lh_row_ids_free(struct lh_row_ids *ids)
{
	lh_buf_free(&ids->text);
	lh_buf_free(&ids->scratch);
}

static bool is_sig(struct lh_str s)
{
	unsigned char hash[32];

	return s.p && lh_unhex(s.p, s.n, hash);
}

static int read_source(struct lh_row_ids *ids, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_row_side *side = ids->side;
	unsigned char hash[32];

	if (lh_sig_hash(rec, &ids->scratch, hash, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	lh_hex(hash, sizeof hash, ids->sig);
	*side = (struct lh_row_side){ .from = { .sig_hash = { ids->sig, 64 }, .line = -1 } };
	ids->n_sides = 1;
	return 0;
}

int lh_row_ids_read(struct lh_row_ids *ids, enum lh_place place, const struct lh_record *rec,
		    struct lh_err *err)
{
	struct refusal r = { .of.id.p = NULL };
	size_t i;

	ids->id = (struct lh_str){ NULL, 0 };
	ids->n_sides = ids->n_retrieved = 0;
	if (place == LH_PLACE_SOURCE)
		return read_source(ids, rec, err);
	if (!members[place])
		return 0;
	if (lh_bind(members[place], rec, place == LH_PLACE_QUARANTINE ? (void *)&r : &r.of,
		    &ids->text, err) < 0)
		return -1;
	ids->id = r.of.id;
	ids->retrieved = r.of.retrieved.id;
	ids->n_retrieved = r.of.retrieved.n;
	for (i = 0; i < 2; i++) {
		struct lh_row_side *side = &ids->side[i];

		*side = r.of.side[i];
		lh_provenance_set_line(&side->from);
		if (!is_sig(side->from.sig_hash))
			side->from.sig_hash = (struct lh_str){ NULL, 0 };
		if (side->run.p || side->from.sig_hash.p || side->from.source_file.p)
			ids->n_sides = i + 1;
	}
	return 0;
}

/* ---- keys ---- */

uint32_t lh_row_key(enum lh_key_kind kind, struct lh_str text)
{
	uint32_t v = 0;
	int i;

	if (kind != LH_KEY_SIG)
		return (uint32_t)lh_xxh3_seeded(text.p, text.n, kind + 1);
	for (i = 0; i < 8; i++)
		v = v << 4 | (uint32_t)(text.p[i] <= '9' ? text.p[i] - '0' : text.p[i] - 'a' + 10);
	return v;
}

uint32_t lh_row_line_key(struct lh_str source_file, int64_t line)
{
	return (uint32_t)(lh_row_key(LH_KEY_LINE, source_file) +
			  (uint64_t)line * 0x9e3779b97f4a7c15u);
}

static void add_key(struct lh_buf *out, uint32_t key)
{
	lh_buf_add(out, &key, sizeof key);
}

int lh_row_keys(struct lh_row_ids *ids, enum lh_place place, const struct lh_record *rec,
		struct lh_buf *out, struct lh_err *err)
{
	const struct lh_row_side *side;
	size_t i;

	if (lh_row_ids_read(ids, place, rec, err) < 0)
		return -1;
	if (ids->id.p)
		add_key(out, lh_row_key(LH_KEY_ID, ids->id));
	for (side = ids->side; side < ids->side + ids->n_sides; side++) {
		if (side->run.p)
			add_key(out, lh_row_key(LH_KEY_RUN, side->run));
		if (side->from.sig_hash.p)
			add_key(out, lh_row_key(LH_KEY_SIG, side->from.sig_hash));
		if ((place == LH_PLACE_SKIP || place == LH_PLACE_EVIDENCE) &&
		    side->from.source_file.p && side->from.line >= 0)
			add_key(out, lh_row_line_key(side->from.source_file, side->from.line));
	}
	for (i = 0; i < ids->n_retrieved; i++)
		if (ids->retrieved[i].p)
			add_key(out, lh_row_key(LH_KEY_RETRIEVED, ids->retrieved[i]));
	return 0;
}
