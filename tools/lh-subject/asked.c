/* asked.c - the persons that a command is about, their texts in rosters, and the row on who looked.
 * See subject.h. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lh/chain.h>

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "file/rows.h"
#include "flow/flow.h"
#include "subject.h"
#include "tool/records.h"

/* ---- the texts of rosters ---- */

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
	const struct settings *s;
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
	    (s.n < LH_TEXT_LEAST && !r->s->brief))
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
	for (i = 0; i <= PART_LAST; i++) {
		lh_buf_reset(&r->names[i]);
		r->n_names[i] = 0;
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

static int read_members(struct reading *r, const struct lh_value *record)
{
	static const char alone[] = "a first or last name alone";
	uint32_t number;
	int rc = walk_members(r, record);

	if (!rc && !r->names[PART_FIRST].len != !r->names[PART_LAST].len)
		rc = lh_intern_add(r->unused, alone, sizeof alone - 1, &number, r->err);
	add_parts_of_name(r);
	return rc < 0 ? -1 : 0;
}

/* Take the texts of a row of a roster, or of the metadata of a record, if it is the person's. */
static int read_row(struct reading *r, struct lh_str id, const struct hit *h, struct lh_buf *row)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	const struct lh_value *v, *metadata;
	struct lh_value all;

	lh_buf_room(row, LH_PAD);
	if (lh_record_parse(&rec, row->p, row->len, r->err) < 0)
		return lh_err_prefix(r->err, "%s:%llu", r->s->places.v[h->place].path,
				     (unsigned long long)h->line);
	all = (struct lh_value){ rec.line, rec.len, LH_OBJECT, false };
	metadata = h->line ? &all : lh_record_get(&rec, "metadata");
	v = h->line ? lh_record_get(&rec, "candidate_id") : NULL;
	v = v ? v : lh_record_get(&rec, "id");
	if (!metadata || !v || (v->type == LH_STRING ? !lh_value_is(v, id.p, id.n)
			: !lh_str_is((struct lh_str){ v->p, v->n }, id.p, id.n)))
		return 0;
	return read_members(r, metadata);
}

/* Append the texts that name a person in the rosters among the places to who->text, each with a
 * NUL, and the names of members of the person's records that are not among them to *unused. */
static int roster_texts(struct lh_tool *tool, struct settings *s, struct person *who,
			struct lh_intern *unused, struct lh_err *err)
{
	struct reading r = { .s = s, .texts = &who->text, .unused = unused, .err = err };
	struct person alone = { .id = who->id };
	LH_SCOPED(hits_free) struct hits hits = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf row = { 0 };
	const int fd = memfd_create("rows of rosters", MFD_CLOEXEC);
	int rc = fd < 0 ? lh_err_sys(err, "memfd_create") : person_prepare(&alone, s, err);
	size_t i;

	hits.kept = fd < 0 ? 0 : fd;
	for (i = 0; !rc && i < s->places.n; i++)
		if (s->places.v[i].kind == PLACE_ROSTER)
			rc = find_in(tool, s, &alone, &hits, i, err);
	for (i = 0; !rc && i < hits.n; i++) {
		const struct hit *h = &hits.v[i];

		rc = lh_line_again(hits.kept, "temporary file", h->at, h->n, &row, err);
		if (!rc)
			rc = read_row(&r, who->id, h, &row);
	}
	person_free(&alone);
	for (i = 0; i <= PART_LAST; i++)
		lh_buf_free(&r.names[i]);
	lh_buf_free(&r.string);
	return rc;
}

/* ---- who is asked about ---- */

struct asked {
	struct lh_str id;
	const struct lh_str *also;
	size_t n_also;
	bool logged;
};
static const struct lh_bind asked_members[] = {
	{ LH_BIND_ID("candidate_id|id", struct asked, id), .required = true, .filled = true,
	  .longest = LH_TEXT_MAX },
	{ LH_BIND_STRINGS("also", struct asked, also, n_also), .each_filled = true },
	{ LH_BIND_BOOL("logged", struct asked, logged) },
	LH_BIND_END
};

struct each {
	struct lh_tool *tool;
	struct settings *s;
	person_fn *fn;
	struct lh_buf strings;
};

static void add_also(struct person *who, struct lh_str text)
{
	size_t cap = who->n_also;

	lh_grow(&who->also, &cap, who->n_also + 1, sizeof text);
	who->also[who->n_also++] = text;
}

/* Name the members of the roster that are not searched for. */
static void name_unused(struct lh_tool *tool, const struct lh_intern *unused)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };
	uint32_t i;

	for (i = 0; i < unused->n; i++) {
		const struct lh_str name = lh_intern_text(unused, i);

		lh_buf_printf(&names, "%s%.*s", i ? ", " : "", (int)name.n, name.p);
	}
	lh_buf_putc(&names, '\0');
	if (unused->n)
		lh_tool_message(tool, "not searched for, of the roster: %s", names.p);
}

/* Take the texts of the person in the rosters, a NUL after each. */
static int from_roster(struct person *who, const struct each *e, struct lh_err *err)
{
	LH_SCOPED(lh_intern_free) struct lh_intern unused = { .n = 0 };
	const char *p, *end;
	const size_t had = who->n_also;

	if (roster_texts(e->tool, e->s, who, &unused, err) < 0)
		return -1;
	name_unused(e->tool, &unused);
	who->n_unused = unused.n;
	end = who->text.p + who->text.len;
	for (p = who->text.p; p < end; p += strlen(p) + 1)
		add_also(who, lh_str_of(p));
	if (who->n_also > had || e->s->apply || !e->s->from_roster)
		return 0;	/* an erasure that was begun has the texts in its list */
	lh_err_set(err, LH_EUSAGE, "--from-roster: no roster has a name of \"%.*s\"",
		   (int)who->id.n, who->id.p);
	if (e->tool->verb->bit != V_ERASE)
		return -1;
	lh_tool_warn(e->tool, "%s", err->msg);
	*err = (struct lh_err){ 0 };
	return 0;
}

/* ---- persons ---- */

static int call(struct each *e, const struct asked *asked)
{
	struct lh_err *err = &e->tool->err;
	struct person who = { .id = asked->id, .logged = asked->logged };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < e->s->also.n; i++) {
		add_also(&who, lh_str_of(e->s->also.v[i]));
		if (!lh_utf8_valid(e->s->also.v[i], strlen(e->s->also.v[i])))
			rc = lh_tool_usage(e->tool, "--also: is not valid UTF-8");
	}
	for (i = 0; !rc && i < asked->n_also; i++)
		add_also(&who, asked->also[i]);
	if (!rc && (e->s->from_roster || (e->tool->verb->bit == V_ERASE && !e->s->id_only)))
		rc = from_roster(&who, e, err);
	if (!rc)
		rc = person_prepare(&who, e->s, err);
	if (!rc)
		rc = e->fn(e->tool, e->s, &who);
	person_free(&who);
	return rc;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct each *e = context;
	struct asked asked = { .n_also = 0 };

	(void)out;
	if (lh_bind(asked_members, rec, &asked, &e->strings, err) < 0)
		return -1;
	if (call(e, &asked) == 0)
		return 0;
	*err = e->tool->err;
	return -1;
}

int each_person(struct lh_tool *tool, struct settings *s, person_fn *fn)
{
	struct each e = { .tool = tool, .s = s, .fn = fn };
	struct asked asked = { .n_also = 0 };
	int rc;

	if (tool->n_operands && !lh_utf8_valid(tool->operands[0], strlen(tool->operands[0])))
		return lh_tool_usage(tool, "the operand is not valid UTF-8");
	if (tool->n_operands && !*tool->operands[0])
		return lh_tool_usage(tool, "the operand is empty");
	if (places_list(s, &tool->err) < 0)
		return -1;
	if (tool->n_operands) {
		asked.id = lh_str_of(tool->operands[0]);
		return call(&e, &asked);
	}
	tool->jobs = 1;
	rc = lh_records_run(tool, &(struct lh_flow){ .map = on_record, .shared = &e });
	lh_buf_free(&e.strings);
	return rc;
}

/* ---- the row on who looked ---- */

/* List the kinds of places that have hits; return their number. */
static size_t list_kinds(const struct settings *s, const struct hits *hits,
			 struct lh_str kind[PLACE_KINDS])
{
	bool has[PLACE_KINDS] = { false };
	size_t i, n = 0;

	for (i = 0; i < hits->n; i++)
		has[s->places.v[hits->v[i].place].kind] = true;
	for (i = 0; i < PLACE_KINDS; i++)
		if (has[i])
			kind[n++] = lh_str_of(place_is[i].name);
	return n;
}

int append_row(struct lh_tool *tool, const struct settings *s, const struct lh_chain_keys *keys,
	       const struct lh_chain_row *row)
{
	struct lh_err *err = &tool->err, later;
	struct lh_chain_log *log = lh_chain_log_open(s->subjects, keys, LH_CHAIN_EACH,
						     tool->lock_timeout, err);
	struct lh_chain_row by = *row;
	char user[LH_TOOL_USER];
	int rc = -1;

	by.accessor.token = lh_str_of(lh_tool_user(user));
	if (log)
		rc = lh_chain_append(log, &by, NULL, err);
	if (log && lh_chain_log_close(log, rc ? &later : err) < 0)
		rc = -1;
	return rc;
}

int looked(struct lh_tool *tool, const struct settings *s, const struct person *who,
	   const struct hits *hits, const char *purpose)
{
	struct lh_str kind[PLACE_KINDS];
	char now[32];
	struct lh_chain_row row = {
		.candidate_id = who->id, .result = "success", .field = kind,
		.accessor = { .kind = lh_str_of("subject_request"),
			      .daemon = lh_str_of("lh-subject"), .purpose = lh_str_of(purpose) },
	};
	struct lh_chain_keys keys = { .n = 0 };
	int rc;

	if (!s->key_file.n || who->logged)
		return 0;
	if (!s->subjects) {
		lh_tool_verbose(tool, "no row on who looked: --subjects names the folder");
		return 0;
	}
	lh_tool_time(tool, now);
	row.ts = lh_str_of(now);
	row.n_fields = list_kinds(s, hits, kind);
	rc = lh_chain_keys_read(&keys, (const char *const *)s->key_file.v, s->key_file.n,
				s->insecure_key, &tool->err);
	if (!rc)
		rc = append_row(tool, s, &keys, &row);
	lh_chain_keys_free(&keys);
	return rc < 0 ? lh_err_prefix(&tool->err, "nothing is shown without its row in the log")
		      : 0;
}
