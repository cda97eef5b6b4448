/* person_texts.c - the texts that a record of a roster names its person by.  See person_ids.h. */
#include "person_ids.h"

#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/utf8.h"
#include "text/texts.h"

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
	if (!s.n || s.n > LH_TEXT_MAX || memchr(s.p, '\0', s.n) ||
	    s.n < r->least)
		return false;
	lh_buf_add(r->texts, s.p, s.n);
	lh_buf_putc(r->texts, '\0');
	return true;
}

static enum lh_text_kind kind_of(struct lh_str s)
{
	LH_SCOPED(lh_buf_free) struct lh_buf normal = { 0 };
	const struct lh_sought text = { s, 0, true, false };
	enum lh_text_kind kind = LH_TEXT_NAME;

	if (s.n && s.n <= LH_TEXT_MAX)
		lh_sought_normal(&text, &normal, &kind);
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
