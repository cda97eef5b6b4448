/* person.c - a person: the id, other texts, and whether a record is about them; the persons that a
 * command is about, their texts in rosters, and the row on who looked.  See subject.h. */
#include <stdlib.h>
#include <unistd.h>

#include "audit/chain.h"
#include "crypto/digest.h"

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "flow/flow.h"
#include "subject.h"
#include "text/texts.h"
#include "tool/records.h"

static bool is_number(struct lh_str id)
{
	size_t i = 0;

	while (i < id.n && ((id.p[i] >= '0' && id.p[i] <= '9') || id.p[i] == '.'))
		i++;
	return i == id.n;
}

/* Set what texts are compared by, those of who->texts. */
static void set_known(struct person *who, const struct lh_needle *text, size_t n)
{
	LH_SCOPED(lh_free_local) size_t *end = lh_calloc(n, sizeof *end);
	size_t i, j;

	who->known = lh_calloc(n, sizeof *who->known);
	for (i = 0; i < n; i++) {
		lh_needle_normal(&text[i], &who->normals, &who->known[i].kind);
		end[i] = who->normals.len;
	}
	memset(who->n_kinds, 0, sizeof who->n_kinds);
	for (i = 0; i < n; i++) {
		struct known *k = &who->known[i];
		const size_t from = i ? end[i - 1] : 0;

		k->normal = (struct lh_str){ who->normals.p + from, end[i] - from };
		j = 1;
		while (j < i && (who->known[j].kind != k->kind ||
				 !lh_str_is(who->known[j].normal, k->normal.p, k->normal.n)))
			j++;
		k->repeated = j < i;
		who->n_kinds[k->kind] += i && !k->repeated;
	}
}

int person_prepare(struct person *who, const struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_needle *text = lh_calloc(who->n_also + 1, sizeof *text);
	size_t i, n = 0;

	lh_texts_free(who->texts);
	free(who->known);
	lh_buf_free(&who->normals);
	who->known = NULL;
	text[n++] = (struct lh_needle){ who->id, 0, s->fold, true };
	for (i = 0; i < who->n_also; i++) {
		if (who->also[i].n < LH_TEXT_LEAST && !s->want.brief)
			return lh_err_set(err, LH_EUSAGE, "\"%.*s\" has fewer than %d bytes, and "
					  "is in many words; --short searches it all the same",
					  (int)who->also[i].n, who->also[i].p, LH_TEXT_LEAST);
		text[n++] = (struct lh_needle){ who->also[i], i + 1, true, false };
	}
	who->fold = s->fold;
	who->number = is_number(who->id);
	who->texts = lh_texts_new(text, n, err);
	if (!who->texts)
		return -1;
	set_known(who, text, n);
	return 0;
}

void person_add(struct person *who, struct lh_str text)
{
	size_t cap = who->n_also;

	lh_grow(&who->also, &cap, who->n_also + 1, sizeof text);
	who->also[who->n_also++] = text;
}

void person_free(struct person *who)
{
	lh_texts_free(who->texts);
	free(who->known);
	free(who->also);
	lh_buf_free(&who->text);
	lh_buf_free(&who->normals);
	*who = (struct person){ .id.p = NULL };
}

/* ---- what is searched for ---- */

/* The kinds of texts: of one in a keyed hash, of several as a member, and for people. */
static const struct {
	const char *one, *several, *words;
} kind_is[LH_TEXT_KINDS] = {
	[LH_TEXT_NAME] = { "name", "names", "name" },
	[LH_TEXT_EMAIL] = { "email", "emails", "e-mail address|e-mail addresses" },
	[LH_TEXT_TELEPHONE] = { "telephone", "telephones", "telephone" },
};

void write_kinds(struct lh_writer *w, const size_t n[LH_TEXT_KINDS])
{
	size_t i;

	for (i = 0; i < LH_TEXT_KINDS; i++)
		lh_write_u64(w, kind_is[i].several, n[i]);
}

void write_searched(struct lh_writer *w, const struct person *who, const struct lh_hmac *key)
{
	char hex[2 * LH_HASH_SIZE];
	size_t i;

	lh_write_object(w, "searched");
	lh_write_bool(w, "id", true);
	write_kinds(w, who->n_kinds);
	if (who->n_unused)
		lh_write_u64(w, "unused", who->n_unused);
	if (key)
		lh_write_array(w, "hashes");
	for (i = 1; key && i <= who->n_also; i++)
		if (person_hash(who, i, key, hex))
			lh_write_str(w, NULL, (struct lh_str){ hex, sizeof hex });
	if (key)
		lh_write_end(w);
	lh_write_end(w);
}

void put_kinds(struct lh_buf *out, const size_t n[LH_TEXT_KINDS])
{
	size_t i, before = 0, left = 0;

	for (i = 0; i < LH_TEXT_KINDS; i++)
		left += n[i] > 0;
	for (i = 0; i < LH_TEXT_KINDS; i++)
		if (n[i])
			lh_buf_printf(out, "%s%s", !before++ ? "" : before == left ? " and " : ", ",
				      LH_N(n[i], kind_is[i].words));
}

void put_searched(struct lh_buf *out, const struct person *who)
{
	if (!who->n_also) {
		lh_buf_puts(out, "searched for the id alone; names, e-mail addresses and "
			    "telephones were not searched");
		return;
	}
	lh_buf_puts(out, "searched for the id, ");
	put_kinds(out, who->n_kinds);
	if (who->n_unused)
		lh_buf_printf(out, "; %s not searched for",
			      LH_N(who->n_unused,
				   "member of the roster was|members of the roster were"));
}

int print_line(struct lh_tool *tool, struct settings *s, struct lh_buf *line)
{
	if (!s->lines)
		return lh_tool_out_line(tool, line);
	lh_buf_add(s->lines, line->p, line->len);
	lh_buf_putc(s->lines, '\n');
	lh_buf_free(line);
	return 0;
}

void set_status(struct lh_tool *tool, struct settings *s, int status)
{
	s->status = status > s->status ? status : s->status;
	if (!s->lines && status == 1)
		lh_tool_verdict_bad(tool);
	else if (!s->lines)
		lh_tool_failed(tool);
}

int end_summary(struct lh_tool *tool, struct settings *s, struct lh_writer *w,
		struct lh_buf *sentence)
{
	lh_buf_putc(sentence, '\0');
	lh_write_text(w, "sentence", sentence->p);
	lh_write_end(w);
	if (print_line(tool, s, w->out) < 0)
		return -1;
	if (isatty(STDERR_FILENO))
		lh_tool_message(tool, "%s", sentence->p);
	return 0;
}

void put_snapshots(struct lh_buf *out, const struct settings *s, const struct extent *in)
{
	if (!s->snapshots.n)
		lh_buf_puts(out, "; snapshots were not looked at");
	else
		lh_buf_printf(out, "; %s looked at", LH_N(in->snapshots,
			      "snapshot was|snapshots were"));
}

bool person_hash(const struct person *who, size_t i, const struct lh_hmac *key,
		char hex[2 * LH_HASH_SIZE])
{
	const struct known *k = &who->known[i];
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	unsigned char sum[LH_HASH_SIZE];

	if (k->repeated)
		return false;
	lh_buf_printf(&text, "lh-subject text %s%c", kind_is[k->kind].one, '\0');
	lh_buf_add(&text, k->normal.p, k->normal.n);
	lh_hmac(key, text.p, text.len, NULL, 0, sum);
	lh_hex(sum, sizeof sum, hex);
	return true;
}

bool person_is_quick(const struct person *who)
{
	return !who->n_also && !who->fold;
}

bool person_may_be_in(const struct person *who, const char *p, size_t n)
{
	return n && (memchr(p, '\\', n) || memchr(p, '%', n) ||
		     memmem(p, n, who->id.p, who->id.n));
}

/* ---- match ---- */

struct matching {
	const struct person *who;
	struct match *m;
	struct lh_writer w;
	struct lh_map others;		/* hashes of ids */
	struct lh_buf text, decoded;	/* of the string at hand */
};

static void on_text(void *ctx, size_t number, size_t at, size_t len, enum lh_text_how how)
{
	struct seen *s = ctx;

	(void)at, (void)len;
	s->id |= !number;
	if (number && (!s->text || how < s->how))
		s->how = how;
	s->text = s->text ? s->text : number;
}

void person_look(const struct person *who, struct lh_str s, struct lh_buf *buf, struct seen *seen)
{
	static const char sign[] = "\\%";
	size_t i;

	*seen = (struct seen){ .id = false };
	lh_texts_find(who->texts, (const unsigned char *)s.p, s.n, on_text, seen);
	for (i = 0; i < 2 && !seen->id; i++) {
		if (!s.n || !memchr(s.p, sign[i], s.n))
			continue;
		lh_text_unescape(s, sign[i], buf);
		lh_texts_find(who->texts, (const unsigned char *)buf->p, buf->len, on_text, seen);
	}
}

/* Return whether a string is as a whole one of the texts of numbers [from, to). */
static bool is_known(const struct person *who, size_t from, size_t to, struct lh_str s,
		    struct lh_buf *buf)
{
	const struct lh_needle text = { s, 0, true, !from };
	enum lh_text_kind kind;
	size_t i;

	lh_buf_reset(buf);
	lh_needle_normal(&text, buf, &kind);
	for (i = from; i < to; i++)
		if (kind == who->known[i].kind && buf->len &&
		    (i && kind == LH_TEXT_TELEPHONE
			? lh_texts_one_telephone(s, who->also[i - 1])
			: lh_str_is(who->known[i].normal, buf->p, buf->len)))
			return true;
	return false;
}

static void add_member(struct matching *x, const struct lh_person_at *at, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_person_path(at, &path, err);
	lh_write_str(&x->w, NULL, (struct lh_str){ path.p, path.len });
}

/* Count the id of another person, unless it was; a row has fewer than a map may have. */
static void count_other(struct matching *x, struct lh_str id, struct lh_err *err)
{
	const struct lh_key key = { lh_xxh3(id.p, id.n), lh_xxh3_seeded(id.p, id.n, 1) };
	const size_t known = x->others.n;

	lh_keymap_at(&x->others, &key, err);
	x->m->others += x->others.n > known;
}

void person_has(const struct person *who, const struct lh_person_at *at, const struct lh_value *v,
		bool id, struct lh_str text, struct lh_buf *buf, struct seen *seen,
		enum hit_by *by)
{
	const bool sender = at && at->key.p && v != &at->key && lh_value_is(&at->key, "sender", 6);
	bool is = false;

	*seen = (struct seen){ .id = false };
	*by = HIT_ID;
	if (id)
		is = who->fold ? is_known(who, 0, 1, text, buf)
			       : lh_str_is(text, who->id.p, who->id.n);
	if (!is && sender && who->n_also)
		is = is_known(who, 1, who->n_also + 1, text, buf);
	if (is)
		return;
	person_look(who, text, buf, seen);
	*by = seen->text || (seen->id && !who->number) ? HIT_TEXT
		: seen->id && who->thorough ? HIT_NUMBER : HIT_NONE;
}

/* Look at a string or a number, an lh_person_fn. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	struct matching *x = ctx;
	struct lh_str text = { v->p, v->n };
	struct seen seen;
	enum hit_by by;

	lh_buf_reset(&x->text);
	if (v->type == LH_STRING)
		lh_value_str(v, &x->text, &text);
	person_has(x->who, at, v, id, text, &x->decoded, &seen, &by);
	if (seen.text && (!x->m->also || seen.how < x->m->how))
		x->m->how = seen.how;
	x->m->also |= seen.text > 0;
	x->m->by = by < x->m->by ? by : x->m->by;
	if (by != HIT_NONE)
		add_member(x, at, err);
	else if (id && text.n)
		count_other(x, text, err);
	return 0;
}

static struct matching match_begin(const struct person *who, struct match *m)
{
	struct matching x = { .who = who, .m = m };

	m->by = HIT_NONE;
	m->also = false;
	m->how = LH_TEXT_SURE;
	m->others = 0;
	lh_buf_reset(&m->members);
	x.w = lh_write_to(&m->members);
	lh_write_array(&x.w, NULL);
	return x;
}

static bool match_end(struct matching *x)
{
	lh_write_end(&x->w);
	lh_map_free(&x->others);
	lh_buf_free(&x->text);
	lh_buf_free(&x->decoded);
	return x->m->by != HIT_NONE;
}

bool person_match(const struct person *who, const struct lh_value *v, bool record, struct match *m)
{
	struct matching x = match_begin(who, m);
	struct lh_err unused;

	lh_person_walk(v, record, on_scalar, &x, &unused);
	return match_end(&x);
}

bool person_match_bytes(const struct person *who, const char *p, size_t n, struct match *m)
{
	struct matching x = match_begin(who, m);
	struct seen seen;

	person_look(who, (struct lh_str){ p, n }, &x.decoded, &seen);
	m->by = seen.id ? HIT_ID : seen.text ? HIT_TEXT : HIT_NONE;
	m->also = seen.text;
	m->how = seen.how;
	return match_end(&x);
}

/* ---- the texts of rosters ---- */

struct reading {
	const struct settings *s;
	struct lh_str id;			/* of the person */
	struct lh_buf *texts;			/* a NUL after each */
	struct lh_intern *unused;		/* names of members that are not searched for */
};

/* Take the texts of a row of a roster, or of the metadata of a record, if it is the person's. */
static int read_row(void *ctx, struct hit *h, struct lh_str row, struct lh_err *err)
{
	struct reading *r = ctx;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	const struct lh_value *v, *metadata;
	struct lh_value all;

	lh_buf_add(&text, row.p, row.n);
	lh_buf_room(&text, LH_PAD);
	if (lh_record_parse(&rec, text.p, text.len, err) < 0)
		return lh_err_prefix(err, "%s:%llu", r->s->places.v[h->place].path,
				     (unsigned long long)h->line);
	all = (struct lh_value){ rec.line, rec.len, LH_OBJECT, false };
	metadata = h->line ? &all : lh_record_get(&rec, "metadata");
	v = h->line ? lh_record_get(&rec, "candidate_id") : NULL;
	v = v ? v : lh_record_get(&rec, "id");
	if (!metadata || !v || (v->type == LH_STRING ? !lh_value_is(v, r->id.p, r->id.n)
			: !lh_str_is((struct lh_str){ v->p, v->n }, r->id.p, r->id.n)))
		return 0;
	return lh_person_texts(metadata, r->s->want.brief ? 1 : LH_TEXT_LEAST, r->texts, r->unused,
			       err);
}

/* Append the texts that name a person in the rosters among the places to who->text, each with a
 * NUL, and the names of members of the person's records that are not among them to *unused. */
static int roster_texts(struct lh_tool *tool, struct settings *s, struct person *who,
			struct lh_intern *unused, struct lh_err *err)
{
	struct reading r = { .s = s, .id = who->id, .texts = &who->text, .unused = unused };
	struct person alone = { .id = who->id };
	LH_SCOPED(hits_free) struct hits hits = { .row = read_row, .ctx = &r };
	int rc = person_prepare(&alone, s, err);
	size_t i;

	for (i = 0; !rc && i < s->places.n; i++)
		if (s->places.v[i].kind == PLACE_ROSTER)
			rc = find_in(tool, s, &alone, &hits, i, err);
	person_free(&alone);
	return rc;
}

/* ---- who is asked about ---- */

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
	unsigned command;
	person_fn *fn;
	struct lh_buf strings;
};

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
		person_add(who, lh_str_of(p));
	if (who->n_also > had || e->s->want.apply || !e->s->want.from_roster)
		return 0;	/* an erasure that was begun has the texts in its list */
	lh_err_set(err, LH_EUSAGE, "--from-roster: no roster has a name of \"%.*s\"",
		   (int)who->id.n, who->id.p);
	if (e->s->snapshot) {		/* the state may have had it */
		*err = (struct lh_err){ 0 };
		return 0;
	}
	if (e->command != V_ERASE && !e->s->snapshots.n)
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
		person_add(&who, lh_str_of(e->s->also.v[i]));
		if (!lh_utf8_valid(e->s->also.v[i], strlen(e->s->also.v[i])))
			rc = lh_tool_usage(e->tool, "--also: is not valid UTF-8");
	}
	for (i = 0; !rc && i < asked->n_also; i++)
		person_add(&who, asked->also[i]);
	if (!rc && (e->s->want.from_roster || (e->command == V_ERASE && !e->s->want.id_only)))
		rc = from_roster(&who, e, err);
	if (!rc)
		rc = person_prepare(&who, e->s, err) < 0 ? -1 : e->fn(e->tool, e->s, &who);
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

int each_person(struct lh_tool *tool, struct settings *s, unsigned command, person_fn *fn)
{
	struct each e = { .tool = tool, .s = s, .command = command, .fn = fn };
	struct asked asked = { .n_also = 0 };
	int rc;

	if (s->asked)
		return places_list(s, &tool->err) < 0 ? -1 : call(&e, s->asked);
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

int read_keys(struct lh_tool *tool, const struct settings *s, struct lh_chain_keys *keys)
{
	return lh_chain_keys_read(keys, (const char *const *)s->key_file.v, s->key_file.n,
				  s->insecure_key, &tool->err);
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
	   const struct hits *hits, bool in_snapshots, const char *purpose)
{
	struct lh_str kind[PLACE_KINDS + 1];
	char now[32];
	struct lh_chain_row row = {
		.candidate_id = who->id, .result = "success", .field = kind,
		.accessor = { .kind = lh_str_of("subject_request"),
			      .daemon = lh_str_of("lh-subject"), .purpose = lh_str_of(purpose) },
	};
	struct lh_chain_keys keys = { .n = 0 };
	size_t i, k;
	int rc;

	if (!s->key_file.n || who->logged)
		return 0;
	if (!s->subjects) {
		lh_tool_verbose(tool, "no row on who looked: --subjects names the folder");
		return 0;
	}
	lh_tool_time(tool, now);
	row.ts = lh_str_of(now);
	for (k = 0; k < PLACE_KINDS; k++) {
		for (i = 0; i < hits->n && s->places.v[hits->v[i].place].kind != k; i++)
			;
		if (i < hits->n)
			kind[row.n_fields++] = lh_str_of(place_is[k].name);
	}
	if (in_snapshots)
		kind[row.n_fields++] = lh_str_of("snapshot");
	rc = read_keys(tool, s, &keys) < 0 ? -1 : append_row(tool, s, &keys, &row);
	lh_chain_keys_free(&keys);
	return rc < 0 ? lh_err_prefix(&tool->err, "nothing is shown without its row in the log")
		      : 0;
}
