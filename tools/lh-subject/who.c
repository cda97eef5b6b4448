/* who.c - the persons that a command is asked about.  See subject.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"
#include "flow/flow.h"
#include "subject.h"
#include "tool/records.h"

struct asked {
	struct lh_str id;
	const struct lh_str *also;
	size_t n_also;
	bool logged;
};
static const struct lh_bind asked_members[] = {
	{ LH_BIND_ID("candidate_id|id", struct asked, id), .required = true, .filled = true,
	  .longest = TEXT_MAX },
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

/* ---- the roster ---- */

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
	if (unused->n && !names.failed)
		lh_tool_message(tool, "not searched for, of the roster: %s", names.p);
}

/* Take the texts of the person in the rosters, a NUL after each. */
static int from_roster(struct person *who, const struct each *e, struct lh_err *err)
{
	LH_SCOPED(lh_intern_free) struct lh_intern unused = { .n = 0 };
	const char *p, *end;
	const size_t had = who->n_also;

	if (roster_texts(e->s, who->id, &who->text, &unused, err) < 0)
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
		if (!rc && !lh_utf8_valid(e->s->also.v[i], strlen(e->s->also.v[i])))
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
