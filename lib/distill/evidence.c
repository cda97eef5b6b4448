/* evidence.c - make evidence records by the table.  See evidence.h. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>

#include <lh/canon.h>
#include <lh/digest.h>
#include "evidence_parts.h"
#include "json/write.h"
#include "base/mem.h"

static const struct lh_bind integer_from_1 = {
	.to = LH_BIND_TO_WHOLE, .least = 1, .most = INT64_MAX
};
static const struct lh_bind number = {
	.to = LH_BIND_TO_F64, .min = -INFINITY, .max = INFINITY
};
static const struct lh_bind text = { .to = LH_BIND_TO_STRING };

static const struct lh_bind *schema_field(const char *name)
{
	const struct lh_bind *f = lh_evidence_members;

	while (strcmp(f->name, name))
		f++;
	return f;
}

struct lh_evidence *lh_evidence_new(const char *recorded_at)
{
	struct lh_evidence *e = lh_calloc(1, sizeof *e);
	const struct lh_evidence_rule *r;
	int s;

	e->recorded_at = lh_strndup(recorded_at, strlen(recorded_at));
	e->from_stem = LH_STREAM_NONE;
	lh_buf_puts(&e->from_end, "\",\"recorded_at\":\"");
	lh_buf_puts(&e->from_end, recorded_at);
	lh_buf_puts(&e->from_end, "\"}");
	e->timestamp = schema_field("timestamp");
	e->texts = schema_field("observer_notes");
	for (s = 0; s < LH_STREAMS; s++) {
		lh_evidence_read_id(&e->id[s][0], lh_transforms[s].run_id);
		lh_evidence_read_id(&e->id[s][1], lh_transforms[s].task_id);
		for (r = lh_transforms[s].also; r->to; r++)
			e->field[s][r - lh_transforms[s].also] = schema_field(r->to);
	}
	return e;
}

void lh_evidence_free(struct lh_evidence *e)
{
	if (!e)
		return;
	lh_buf_free(&e->from);
	lh_buf_free(&e->from_end);
	lh_buf_free(&e->canon);
	lh_buf_free(&e->scratch);
	lh_buf_free(&e->errors);
	free(e->recorded_at);
	free(e);
}

int lh_sig_hash(const struct lh_record *row, struct lh_buf *scratch, unsigned char hash[32],
		struct lh_err *err)
{
	lh_buf_reset(scratch);
	if (lh_canon_jcs_record(scratch, row, err) < 0)
		return -1;
	lh_sha256(scratch->p, scratch->len, hash);
	return 0;
}

const unsigned char *lh_evidence_hash(const struct lh_evidence *e)
{
	return e->has_hash ? e->hash : NULL;
}

/* ---- faults of the row ---- */

/* Return whether a fault of this input was reported: one input may make several
 * fields. */
static bool input_reported(const struct lh_evidence *e, const char *input)
{
	size_t i;

	for (i = 0; i < e->n_refused; i++)
		if (!strcmp(e->refused[i], input))
			return true;
	return false;
}

static void warn_input(struct lh_evidence *e, const char *input)
{
	if (e->n_refused < sizeof e->refused / sizeof *e->refused)
		e->refused[e->n_refused++] = input;
}

static void add_problem(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct lh_evidence *e = ctx;

	if (e->n_errors++ >= LH_EVIDENCE_REASONS)
		return;
	lh_buf_add(&e->errors, field->p, field->n);
	lh_buf_puts(&e->errors, ": ");
	lh_buf_add(&e->errors, problem->p, problem->n);
	lh_buf_putc(&e->errors, '\0');
}

void lh_evidence_refuse(struct lh_evidence *e, const char *field, const char *problem)
{
	if (input_reported(e, field))
		return;
	warn_input(e, field);
	add_problem(e, &(struct lh_str){ field, strlen(field) },
		    &(struct lh_str){ problem, strlen(problem) });
}

void lh_evidence_refuse_kind(struct lh_evidence *e, const char *field, const char *what,
			     const struct lh_value *v)
{
	char problem[512];

	lh_schema_expected(problem, sizeof problem, what, v);
	lh_evidence_refuse(e, field, problem);
}

static bool check_field(struct lh_evidence *e, const struct lh_bind *f, const char *name,
			const struct lh_value *v)
{
	size_t before = e->n_errors;
	long n;

	if (input_reported(e, name))
		return false;
	n = lh_schema_check_value(f, name, v, &e->scratch, add_problem, e);
	if (n > 0) {
		warn_input(e, name);
		e->n_errors = before + (size_t)n;	/* problems not listed count too */
	}
	return n == 0;
}

static void put_more(const struct lh_evidence *e, struct lh_buf *out)
{
	lh_buf_u64(out, e->n_errors - LH_EVIDENCE_REASONS);
	lh_buf_puts(out, " more");
}

void lh_evidence_errors(const struct lh_evidence *e, struct lh_buf *out)
{
	size_t i, n;

	lh_buf_putc(out, '[');
	for (i = 0; i < e->errors.len; i += n + 1) {
		n = strlen(e->errors.p + i);
		if (i)
			lh_buf_putc(out, ',');
		lh_buf_json(out, e->errors.p + i, n);
	}
	if (e->n_errors > LH_EVIDENCE_REASONS) {
		lh_buf_puts(out, ",\"");
		put_more(e, out);
		lh_buf_putc(out, '"');
	}
	lh_buf_putc(out, ']');
}

static int refused_error(struct lh_evidence *e, struct lh_err *err)
{
	size_t i, n;

	lh_buf_reset(&e->scratch);
	for (i = 0; i < e->errors.len; i += n + 1) {
		n = strlen(e->errors.p + i);
		if (i)
			lh_buf_puts(&e->scratch, "; ");
		lh_buf_add(&e->scratch, e->errors.p + i, n);
	}
	if (e->n_errors > LH_EVIDENCE_REASONS) {
		lh_buf_puts(&e->scratch, "; ");
		put_more(e, &e->scratch);
	}
	lh_buf_putc(&e->scratch, '\0');
	return lh_err_set(err, LH_EDATA, "%s", e->scratch.p);
}

/* ---- fields ---- */

void lh_evidence_put_scratch(struct lh_evidence *e)
{
	lh_buf_json(e->out, e->scratch.p ? e->scratch.p : "", e->scratch.len);
}

static bool is_text_or_texts(struct lh_evidence *e, const char *name, const struct lh_value *v)
{
	if (v->type == LH_STRING)
		return true;
	if (v->type == LH_ARRAY)
		return check_field(e, e->texts, name, v);
	lh_evidence_refuse_kind(e, name, "string or array of strings", v);
	return false;
}

/* Append the text of an input; false if it has none. */
static bool put_text_of(struct lh_evidence *e, const char *name, bool list, bool not_empty)
{
	const struct lh_value *v = lh_evidence_input(e, name);

	if (!v || (not_empty && lh_evidence_empty(v)))
		return false;
	if (!(list ? is_text_or_texts(e, name, v) : check_field(e, &text, name, v)))
		return true;
	if (v->type == LH_ARRAY) {
		/* Append the strings of a list, one per line, unescaped, to scratch. */
		struct lh_iter it;
		struct lh_str s;
		bool more = false;

		lh_buf_reset(&e->scratch);
		for (lh_iter_init(&it, v); lh_iter_next(&it); more = true) {
			if (more)
				lh_buf_putc(&e->scratch, '\n');
			if (!it.val.escaped)
				lh_buf_add(&e->scratch, it.val.p + 1, it.val.n - 2);
			else
				lh_value_str(&it.val, &e->scratch, &s);
		}
		if (not_empty && !e->scratch.len)
			return false;
	}
	lh_buf_puts(e->out, ",\"text\":");
	if (v->type == LH_ARRAY)
		lh_evidence_put_scratch(e);
	else
		lh_buf_add(e->out, v->p, v->n);
	return true;
}

static bool is_among(const struct lh_value *v, const char *const *list)
{
	for (; *list; list++)
		if (lh_value_is(v, *list, strlen(*list)))
			return true;
	return false;
}

/* Append ["PREFIX" + the text of v]. */
static bool put_mark(struct lh_evidence *e, const char *prefix, const struct lh_value *v)
{
	struct lh_str s;

	lh_buf_reset(&e->scratch);
	lh_buf_puts(&e->scratch, prefix);
	if (!v->escaped)
		lh_buf_add(&e->scratch, v->p + 1, v->n - 2);
	else
		lh_value_str(v, &e->scratch, &s);
	lh_buf_putc(e->out, '[');
	lh_evidence_put_scratch(e);
	lh_buf_putc(e->out, ']');
	return true;
}

static bool put_file(struct lh_evidence *e)
{
	if (!lh_evidence_file(e))
		return false;
	lh_buf_reset(&e->scratch);
	lh_evidence_add_identity(e, e->file_name, e->file);
	lh_buf_putc(e->out, '[');
	lh_evidence_put_scratch(e);
	lh_buf_putc(e->out, ']');
	return true;
}

static bool all_ok(struct lh_evidence *e)
{
	const struct lh_value *ok = lh_evidence_input(e, "ok"),
		*total = lh_evidence_input(e, "total");
	bool fine = true;

	if (ok)
		fine &= check_field(e, &number, "ok", ok);
	if (total)
		fine &= check_field(e, &number, "total", total);
	return ok && total && fine && lh_value_f64(total) > 0 && lh_value_equal(ok, total);
}

static bool put_length(struct lh_evidence *e, const struct lh_evidence_rule *r,
		       const struct lh_value *v)
{
	struct lh_iter it;
	uint64_t n = 0;

	if (r->how == LH_EV_AMOUNT && v->type == LH_NUMBER) {
		lh_buf_add(e->out, v->p, v->n);
		return true;
	}
	if (v->type != LH_ARRAY) {
		lh_evidence_refuse_kind(e, r->from,
					r->how == LH_EV_AMOUNT ? "number or array" : "array", v);
		return false;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n++;
	lh_buf_u64(e->out, n);
	return true;
}

static bool put_count_mark(struct lh_evidence *e, const struct lh_evidence_rule *r,
			   const struct lh_value *v)
{
	int64_t count;

	if (!check_field(e, &integer_from_1, r->from, v) || !lh_value_i64(v, &count))
		return false;
	lh_buf_puts(e->out, "[\"");
	lh_buf_puts(e->out, r->text);
	lh_buf_u64(e->out, (uint64_t)count);
	lh_buf_puts(e->out, "\"]");
	return true;
}

/* Append a value as it is; an empty list of markers is omitted. */
static bool put_copy(struct lh_evidence *e, const struct lh_evidence_rule *r,
		     const struct lh_bind *f, const struct lh_value *v)
{
	size_t at = e->out->len;

	if (f && !check_field(e, f, r->from, v))
		return false;
	lh_json_compact(e->out, v->p, v->n);
	return v->type != LH_ARRAY || e->out->len != at + 2 || !strstr(r->to, "_markers");
}

static bool put_list(struct lh_evidence *e, const struct lh_evidence_rule *r,
		     const struct lh_value *v)
{
	bool one = v->type == LH_STRING;

	if (!is_text_or_texts(e, r->from, v))
		return false;
	if (one)
		lh_buf_putc(e->out, '[');
	lh_json_compact(e->out, v->p, v->n);
	if (one)
		lh_buf_putc(e->out, ']');
	return true;
}

/* Append the value that a rule gives; false if it gives none. */
static bool put_value(struct lh_evidence *e, const struct lh_evidence_rule *r,
		      const struct lh_bind *f)
{
	const struct lh_value *v = r->from ? lh_evidence_input(e, r->from) : NULL;

	if (r->from && !v)
		return false;
	switch (r->how) {
	case LH_EV_COPY:
		return put_copy(e, r, f, v);
	case LH_EV_CONST:
		lh_buf_puts(e->out, r->text);
		return true;
	case LH_EV_LIST:
		return put_list(e, r, v);
	case LH_EV_FILE:
		return put_file(e);
	case LH_EV_MARK:
		return check_field(e, &text, r->from, v) && is_among(v, r->when) != r->unless &&
			put_mark(e, r->text, v);
	case LH_EV_MARK_COUNT:
		return put_count_mark(e, r, v);
	case LH_EV_ALL_OK:
		if (!all_ok(e))
			return false;
		lh_buf_puts(e->out, "[\"");
		lh_buf_puts(e->out, r->text);
		lh_buf_puts(e->out, "\"]");
		return true;
	case LH_EV_LENGTH:
	case LH_EV_AMOUNT:
		return put_length(e, r, v);
	}
	return false;
}

static void put_metadata(struct lh_evidence *e, const struct lh_transform *t)
{
	size_t before = e->out->len, at;
	const struct lh_evidence_rule *r;
	bool any = false;

	lh_buf_puts(e->out, ",\"metadata\":");
	lh_buf_putc(e->out, '{');
	for (r = t->metadata; r < t->metadata + 4 && r->to; r++) {
		at = e->out->len;
		lh_buf_add(e->out, r->key.p + !any, r->key.n - !any);
		if (put_value(e, r, r->kind))
			any = true;
		else
			e->out->len = at;
	}
	lh_buf_putc(e->out, '}');
	if (!any)
		e->out->len = before;
}

static void put_record(struct lh_evidence *e, enum lh_stream stream)
{
	const struct lh_transform *t = &lh_transforms[stream];
	int i;
	const char *name;
	const struct lh_value *v;
	bool choice;

	lh_buf_puts(e->out, "{\"run_id\":");
	lh_evidence_put_id(e, &e->id[stream][0]);
	lh_buf_puts(e->out, ",\"task_id\":");
	lh_evidence_put_id(e, &e->id[stream][1]);
	lh_buf_puts(e->out, ",\"timestamp\":");
	v = lh_evidence_first(e, t->time, &name);
	if (v && check_field(e, e->timestamp, name, v))
		lh_buf_add(e->out, v->p, v->n);
	else if (!v && t->or_clock)
		lh_buf_json(e->out, e->recorded_at, strlen(e->recorded_at));
	else if (!v)
		lh_evidence_refuse(e, name, "missing");
	lh_buf_puts(e->out, ",\"schema_version\":");
	lh_buf_u64(e->out, lh_schema_version(lh_schema_find("evidence_record")));
	lh_buf_puts(e->out, ",\"provenance\":");
	if (e->from_stem != stream) {
		lh_buf_reset(&e->from);
		lh_buf_puts(&e->from, "{\"source_file\":\"");
		lh_buf_puts(&e->from, lh_stream_source(stream));
		lh_buf_puts(&e->from, "\",\"line_offset\":");
		e->from_stem = stream;
	}
	lh_buf_add(e->out, e->from.p, e->from.len);
	lh_buf_u64(e->out, e->off);
	lh_buf_puts(e->out, ",\"sig_hash\":\"");
	lh_buf_add(e->out, e->sig, sizeof e->sig);
	lh_buf_add(e->out, e->from_end.p, e->from_end.len);
	choice = t->text[0] && t->text[1];
	for (i = 0; t->text[i]; i++)
		if (put_text_of(e, t->text[i], t->text_list && !i, choice))
			break;
	for (i = 0; i < LH_EVIDENCE_RULES && t->also[i].to; i++) {
		/* Append a member of the record, unless the rule gives no value. */
		const struct lh_evidence_rule *r = &t->also[i];
		size_t before = e->out->len;

		lh_buf_add(e->out, r->key.p, r->key.n);
		if (!put_value(e, r, e->field[stream][i]))
			e->out->len = before;
	}
	if (t->metadata->to)
		put_metadata(e, t);
	lh_buf_putc(e->out, '}');
}

int lh_evidence_make(struct lh_evidence *e, enum lh_stream stream, const struct lh_record *row,
		     uint64_t line_offset, struct lh_buf *out, struct lh_err *err)
{
	lh_buf_reset(&e->errors);
	lh_buf_reset(&e->scratch);
	e->n_errors = e->n_refused = 0;
	e->has_hash = false;
	e->row = row;
	e->file_name = NULL;
	e->off = line_offset;
	e->out = out;
	e->err = err;
	if (lh_sig_hash(row, &e->canon, e->hash, err) < 0) {
		if (err->code == LH_EDATA)
			lh_evidence_refuse(e, "record", err->msg);
		return err->code == LH_EDATA ? refused_error(e, err) : -1;
	}
	e->has_hash = true;
	lh_hex(e->hash, sizeof e->hash, e->sig);
	put_record(e, stream);
	return e->n_errors ? refused_error(e, err) : 0;
}
