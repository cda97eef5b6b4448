/* who.c - the persons that a command is asked about.  See subject.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "flow/flow.h"
#include "index/index_tools.h"
#include "subject.h"
#include "texts.h"
#include "tool/records.h"

struct asked {
	struct lh_str id;
	const struct lh_str *also;
	size_t n_also;
};
static const struct lh_bind asked_members[] = {
	{ LH_BIND_ID("candidate_id|id", struct asked, id), .required = true, .filled = true,
	  .longest = TEXT_MAX },
	{ LH_BIND_STRINGS("also", struct asked, also, n_also), .each_filled = true },
	LH_BIND_END
};

struct each {
	struct lh_tool *tool;
	struct settings *s;
	person_fn *fn;
	struct lh_buf strings;
};

static int add_also(struct person *who, struct lh_str text, struct lh_err *err)
{
	size_t cap = who->n_also;

	if (lh_grow(&who->also, &cap, who->n_also + 1, sizeof text, err) < 0)
		return -1;
	who->also[who->n_also++] = text;
	return 0;
}

/* ---- the roster ---- */

/* Append what names the person of a record, each with a NUL. */
static int take_names(const struct lh_record *rec, struct lh_buf *text, struct lh_err *err)
{
	static const char *const member[] = {
		"name", "full_name", "email", "phone", "telephone", "mobile"
	};
	LH_SCOPED(lh_buf_free) struct lh_buf decoded = { 0 };
	const struct lh_value *v;
	struct lh_str s;
	size_t i;

	for (i = 0; i < sizeof member / sizeof *member; i++) {
		v = lh_record_get(rec, member[i]);
		if (!v || v->type != LH_STRING || v->n <= 2)
			continue;
		lh_buf_reset(&decoded);
		if (lh_value_str(v, &decoded, &s, err) < 0)
			return -1;
		lh_buf_add(text, s.p, s.n);
		lh_buf_putc(text, '\0');
	}
	return lh_buf_check(text, err);
}

/* Take the names of a record of a roster that is the person's. */
static int fill(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	const struct person *who = context;
	const struct lh_value *v = lh_record_get(rec, "candidate_id");
	const struct lh_str id = who->id;

	(void)result;
	v = v ? v : lh_record_get(rec, "id");
	if (!v || !(v->type == LH_STRING ? lh_value_is(v, id.p, id.n)
					 : lh_str_is((struct lh_str){ v->p, v->n }, id.p, id.n)))
		return 0;
	return take_names(rec, out, err) < 0 ? -1 : 1;
}

static int sink(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct person *who = shared;

	lh_buf_add(&who->text, o->text, o->n);
	return lh_buf_check(&who->text, err);
}

static int take_metadata(struct person *who, struct lh_str meta, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };

	lh_buf_add(&line, meta.p, meta.n);
	if (!lh_buf_room(&line, LH_PAD))
		return lh_buf_check(&line, err);
	return lh_record_parse(&rec, line.p, line.len, err) < 0 ? -1
		: take_names(&rec, &who->text, err);
}

/* Look in a roster that is an index: 1, 0 if it is none, -1. */
static int look_in_index(struct person *who, const char *path, struct lh_err *err)
{
	struct lh_index *ix;
	struct lh_row row;
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc = fd < 0 ? -1 : lh_index_is(fd);
	int64_t at;

	if (fd >= 0)
		close(fd);
	if (rc <= 0)
		return rc;
	ix = lh_index_open(path, err);
	at = ix ? lh_index_find(ix, who->id.p, who->id.n, err) : -2;
	if (at >= 0) {
		rc = lh_index_row(ix, (uint64_t)at, &row, err);
		if (rc > 0 && row.meta.n)
			rc = take_metadata(who, row.meta, err);
	}
	lh_index_close(ix);
	return at == -2 || rc < 0 ? -1 : 1;
}

static int from_roster(struct person *who, const struct each *e, struct lh_err *err)
{
	const struct settings *s = e->s;
	struct lh_flow flow = { .fill = fill, .result_size = 1, .sink = sink, .shared = who,
				.jobs = 1, .n_files = 1 };
	const char *p, *end;
	size_t i, had = who->n_also;
	int rc;

	for (i = 0; i < s->places.n; i++) {
		if (s->places.v[i].kind != PLACE_ROSTER)
			continue;
		rc = look_in_index(who, s->places.v[i].path, err);
		flow.files = &s->places.v[i].path;
		if (rc < 0 || (!rc && lh_flow_run(&flow, err) < 0))
			return -1;
	}
	end = who->text.p + who->text.len;
	for (p = who->text.p; p < end; p += strlen(p) + 1)
		if (strlen(p) >= TEXT_LEAST && add_also(who, lh_str_of(p), err) < 0)
			return -1;
	if (who->n_also > had || s->apply)
		return 0;	/* an erasure that was begun has the texts in its journal */
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
	struct person who = { .id = asked->id };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < e->s->also.n; i++) {
		rc = add_also(&who, lh_str_of(e->s->also.v[i]), err);
		if (!rc && !lh_utf8_valid(e->s->also.v[i], strlen(e->s->also.v[i])))
			rc = lh_tool_usage(e->tool, "--also: is not valid UTF-8");
	}
	for (i = 0; !rc && i < asked->n_also; i++)
		rc = add_also(&who, asked->also[i], err);
	if (!rc && e->s->from_roster)
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
