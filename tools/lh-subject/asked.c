/* asked.c - the persons that a command is about, their texts in rosters, and the row on who looked.
 * See subject.h. */
#include <stdlib.h>

#include "audit/chain.h"

#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "flow/flow.h"
#include "subject.h"
#include "tool/records.h"

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
	return lh_person_texts(metadata, r->s->brief ? 1 : LH_TEXT_LEAST, r->texts, r->unused, err);
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
		person_add(&who, lh_str_of(e->s->also.v[i]));
		if (!lh_utf8_valid(e->s->also.v[i], strlen(e->s->also.v[i])))
			rc = lh_tool_usage(e->tool, "--also: is not valid UTF-8");
	}
	for (i = 0; !rc && i < asked->n_also; i++)
		person_add(&who, asked->also[i]);
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
