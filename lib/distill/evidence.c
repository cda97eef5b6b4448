/* evidence.c - make evidence records by the table.  See evidence.h. */
#include "evidence.h"

#include <stdio.h>
#include <stdlib.h>

#include "json/canon.h"
#include "crypto/digest.h"
#include "base/mem.h"
#include "json/value.h"
#include "json/write.h"
#include "schema/schema_table.h"

/*
 * The table that describes a source stream.  run_id and task_id are templates in which {off} is
 * the line_offset, {sig} the first 12 digits of the sig_hash, {f} the row's file (else path, else
 * source_file), and {name} any other input.  All but the first two are required, except
 * {name|off}, which falls back to the offset.
 */
enum lh_evidence_how {
	LH_EV_COPY,		/* unchanged, checked */
	LH_EV_CONST,		/* .text, which is JSON */
	LH_EV_LIST,		/* a list of strings; a string is a list of one */
	LH_EV_FILE,		/* [f] */
	/* [.text + input], if the input is one of .when (or none of .unless) */
	LH_EV_MARK,
	LH_EV_MARK_COUNT,	/* [.text + input], an integer from 1 on */
	LH_EV_ALL_OK,		/* [.text] if the inputs ok and total are equal and positive */
	LH_EV_LENGTH,		/* the number of elements of the input */
	LH_EV_AMOUNT,		/* a number; of a list its length */
};

struct lh_evidence_rule {
	const char *to;			/* a field of the schema, or a key of metadata; NULL ends */
	struct lh_str key;		/* of `to`, with the comma before and the colon after it */
	const char *from;		/* the input */
	enum lh_evidence_how how;
	const char *text;
	const char *when[3];
	bool unless;
	const struct lh_bind *kind;	/* type of an input copied to metadata; NULL: any */
};

#define LH_EVIDENCE_RULES 10

struct lh_transform {
	const char *run_id, *task_id;
	const char *time[3];		/* the first that is present */
	bool or_clock;			/* else the run's recorded_at */
	/* the first that is present, and not empty if there are others */
	const char *text[3];
	bool text_list;			/* the first of them may be a list of strings: its lines */
	struct lh_evidence_rule also[LH_EVIDENCE_RULES], metadata[4];
};

struct lh_evidence {
	char *recorded_at;
	/* the field that each rule makes */
	const struct lh_bind *field[LH_STREAMS][LH_EVIDENCE_RULES];
	struct lh_evidence_id {
		struct lh_evidence_part {
			const char *before;	/* the n bytes before it */
			size_t n;
			enum { LH_EV_END, LH_EV_OFF, LH_EV_SIG, LH_EV_F, LH_EV_TS, LH_EV_INPUT } is;
			bool or_off;
			char name[24];
		} part[4];
	} id[LH_STREAMS][2];		/* run_id and task_id, parsed */
	const struct lh_bind *timestamp, *texts;
	/* provenance, from its key to the offset, and after the hash */
	struct lh_buf from, from_end;
	enum lh_stream from_stem;		/* the stream that `from` is of */
	struct lh_buf canon, scratch;
	struct lh_buf errors;		/* the first LH_EVIDENCE_REASONS, each with its NUL */
	size_t n_errors;		/* all of them */
	const char *refused[16];	/* inputs; no stream reads more */
	size_t n_refused;
	bool has_hash;
	unsigned char hash[32];
	char sig[2 * 32];

	/* of the row being converted: */
	const struct lh_record *row;
	const struct lh_value *file;	/* f, once it was searched */
	const char *file_name;
	uint64_t off;
	struct lh_buf *out;
	struct lh_err *err;
};

static bool is_empty(const struct lh_value *v)
{
	return v->type == LH_STRING && v->n == 2;
}

/* ---- which input makes which field, for each stream ---- */

static const struct lh_bind kept_text = { .to = LH_BIND_TO_STRING };
static const struct lh_bind kept_number = {
	.to = LH_BIND_TO_F64, .min = -INFINITY, .max = INFINITY
};
static const struct lh_bind kept_flag = { .to = LH_BIND_TO_BOOL };

/* a name, and the key as written after another member */
#define NAMED(name) name, { ",\"" name "\":", sizeof name + 3 }
#define COPY(to, from) { NAMED(to), from, LH_EV_COPY, NULL, { NULL }, false, NULL }
#define CONST(to, text) { NAMED(to), NULL, LH_EV_CONST, "\"" text "\"", { NULL }, false, NULL }
#define HOW(to, how, from) { NAMED(to), from, LH_EV_##how, NULL, { NULL }, false, NULL }
#define MARK(to, prefix, from, ...) \
	{ NAMED(to), from, LH_EV_MARK, prefix, { __VA_ARGS__ }, false, NULL }
#define MARK_UNLESS(to, prefix, from, ...) \
	{ NAMED(to), from, LH_EV_MARK, prefix, { __VA_ARGS__ }, true, NULL }
#define COUNTED(to, prefix, from) \
	{ NAMED(to), from, LH_EV_MARK_COUNT, prefix, { NULL }, false, NULL }
#define ALL_OK(to, text) { NAMED(to), NULL, LH_EV_ALL_OK, text, { NULL }, false, NULL }
/* metadata: field and input have the same name */
#define KEEP(key, of) \
	{ NAMED(key), key, LH_EV_COPY, NULL, { NULL }, false, &kept_##of }
/* an identity, whose type was checked as such */
#define KEEP_ANY(key) { NAMED(key), key, LH_EV_COPY, NULL, { NULL }, false, NULL }

#define ROLE(role) CONST("model_role", role)
#define CONTEXT COPY("retrieved_context", "retrieved_context")
#define TOKENS \
	COPY("prompt_tokens", "prompt_tokens"), COPY("completion_tokens", "completion_tokens")

#define DISTILLED(kind) { \
	.run_id = "{run_id}:{off}", .task_id = "distilled:{run_id}", .time = { "created_at" }, \
	.text = { "text" }, \
	.also = { COPY("model_name", "extractor"), ROLE("extractor") }, \
	.metadata = { CONST("kind", kind), KEEP("verifier", text), KEEP("categorizer", text) }, \
}

static const struct lh_transform lh_transforms[LH_STREAMS] = {
	[LH_DISTILLED_FACTS] = DISTILLED("fact"),
	[LH_DISTILLED_PROCEDURES] = DISTILLED("procedure"),
	[LH_DISTILLED_CONFIG_HINTS] = DISTILLED("config_hint"),
	[LH_CONTRACT_ANALYSES] = {
		.run_id = "contract:{permit_id}:{off}", .task_id = "permit:{permit_id}",
		.time = { "ts" }, .text = { "analysis" },
		.also = {
			ROLE("executor"),
			COPY("observer_verdict", "observer_verdict"),
			COPY("observer_notes", "observer_notes"),
			COPY("failure_markers", "failure_markers"),
			CONTEXT,
			COPY("cost_usd", "cost_usd"),
			COPY("latency_ms", "duration_ms"),
		},
		.metadata = { KEEP("contractor", text) },
	},
	[LH_MODE_EXPERIMENTS] = {
		.run_id = "mode:{off}:{ts}", .task_id = "{task_class}:{f}", .time = { "ts" },
		.text = { "response" },
		.also = {
			COPY("model_name", "model"),
			ROLE("executor"),
			CONTEXT,
			TOKENS,
			COPY("latency_ms", "latency_ms"),
		},
		.metadata = { KEEP_ANY("task_class"), KEEP("mode", text) },
	},
	[LH_SCRUM_REVIEWS] = {
		.run_id = "scrum:{f}:{off}", .task_id = "scrum_review:{f}",
		.time = { "reviewed_at" },
		.text = { "suggestions_preview", "text" },
		.also = {
			COPY("model_name", "accepted_model"),
			ROLE("executor"),
			HOW("source_files", FILE, NULL),
			COUNTED("success_markers", "accepted_on_attempt_", "accepted_on_attempt"),
		},
		.metadata = { KEEP("tree_split_fired", flag) },
	},
	[LH_OBSERVER_ESCALATIONS] = {
		.run_id = "escalation:{off}", .task_id = "escalation:{sig}", .time = { "ts" },
		.text = { "analysis" },
		.also = { COPY("model_name", "model"), ROLE("reviewer"), TOKENS },
		.metadata = { KEEP("trigger", text) },
	},
	[LH_AUDIT_FACTS] = {
		.run_id = "audit_facts:{llm_team_run_id}:{off}", .task_id = "pr:{pr_number}",
		.time = { "extracted_at", "ts" },
		.text = { "facts" }, .text_list = true,
		.also = { ROLE("extractor") },
		.metadata = {
			KEEP("source", text),
			HOW("entity_count", LENGTH, "entities"),
			HOW("relationship_count", LENGTH, "relationships"),
		},
	},
	[LH_AUTO_APPLY] = {
		.run_id = "auto_apply:{off}", .task_id = "auto_apply:{f}", .time = { "ts" },
		.or_clock = true,
		.also = {
			ROLE("applier"),
			HOW("source_files", FILE, NULL),
			MARK("success_markers", "", "action", "committed"),
			MARK_UNLESS("failure_markers", "", "action", "committed"),
		},
	},
	[LH_OBSERVER_REVIEWS] = {
		.run_id = "observer:{off}:{ts}", .task_id = "observer_review:{f}", .time = { "ts" },
		.text = { "notes", "review" }, .text_list = true,
		.also = {
			ROLE("reviewer"),
			COPY("observer_verdict", "verdict"),
			HOW("observer_notes", LIST, "notes"),
			COPY("observer_confidence", "confidence"),
		},
		.metadata = { KEEP("attempt", number) },
	},
	[LH_AUDITS] = {
		.run_id = "{finding_id}", .task_id = "phase:{phase}", .time = { "ts" },
		.text = { "evidence", "topic" },
		.also = {
			ROLE("reviewer"),
			MARK("success_markers", "audit_severity_", "severity", "info", "low"),
			MARK_UNLESS("failure_markers", "audit_severity_", "severity", "info",
				    "low"),
		},
		.metadata = { KEEP("topic", text), KEEP("resolution", text) },
	},
	[LH_OUTCOMES] = {
		.run_id = "outcome:{run_id|off}", .task_id = "outcome:{sig}",
		.time = { "created_at" },
		.also = { ROLE("executor"), ALL_OK("success_markers", "all_events_ok") },
		.metadata = { HOW("gap_signals", AMOUNT, "gap_signals"),
			      KEEP("elapsed_secs", number) },
	},
};

static const struct lh_bind integer_from_1 = {
	.to = LH_BIND_TO_WHOLE, .least = 1, .most = INT64_MAX
};
static const struct lh_bind number = {
	.to = LH_BIND_TO_F64, .min = -INFINITY, .max = INFINITY
};
static const struct lh_bind a_text = { .to = LH_BIND_TO_STRING };

static const struct lh_bind *schema_field(const char *name)
{
	const struct lh_bind *f = lh_evidence_members;

	while (strcmp(f->name, name))
		f++;
	return f;
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

static void refuse(struct lh_evidence *e, const char *field, const char *problem)
{
	if (input_reported(e, field))
		return;
	warn_input(e, field);
	add_problem(e, &(struct lh_str){ field, strlen(field) },
		    &(struct lh_str){ problem, strlen(problem) });
}

static void refuse_kind(struct lh_evidence *e, const char *field, const char *what,
			     const struct lh_value *v)
{
	char problem[512];

	lh_schema_expected(problem, sizeof problem, what, v);
	refuse(e, field, problem);
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

/* ---- the inputs of a row, and the ids made of them ---- */

/* Append scratch as a JSON string. */
static void put_scratch(struct lh_evidence *e)
{
	lh_buf_json(e->out, e->scratch.p ? e->scratch.p : "", e->scratch.len);
}

static const struct lh_value *input_of(const struct lh_evidence *e, const char *name)
{
	const struct lh_value *v = lh_record_get(e->row, name);

	return v && v->type != LH_NULL ? v : NULL;
}

static const struct lh_value *first_of(const struct lh_evidence *e, const char *const *names,
					 const char **name)
{
	const struct lh_value *v;

	for (*name = *names; *names; names++) {
		v = input_of(e, *names);
		if (v && !is_empty(v)) {
			*name = *names;
			return v;
		}
	}
	return NULL;
}

static const struct lh_value *file_of(struct lh_evidence *e)
{
	static const char *const names[] = { "file", "path", "source_file", NULL };

	if (!e->file_name)
		e->file = first_of(e, names, &e->file_name);
	return e->file;
}

static void add_identity(struct lh_evidence *e, const char *name, const struct lh_value *v)
{
	if (!v || is_empty(v))
		refuse(e, name, "missing");
	else if (v->type == LH_NUMBER)
		lh_buf_add(&e->scratch, v->p, v->n);
	else if (v->type != LH_STRING)
		refuse_kind(e, name, "string or number", v);
	else
		lh_value_add(v, &e->scratch);
}

static void read_id(struct lh_evidence_id *id, const char *template)
{
	struct lh_evidence_part *part = id->part;
	const char *open, *close, *bar;

	for (; (open = strchr(template, '{')); template = close + 1, part++) {
		close = strchr(open, '}');
		bar = memchr(open, '|', (size_t)(close - open));
		part->before = template;
		part->n = (size_t)(open - template);
		part->or_off = bar != NULL;
		memcpy(part->name, open + 1, (size_t)((bar ? bar : close) - open - 1));
		part->is = !strcmp(part->name, "off") ? LH_EV_OFF : !strcmp(part->name, "sig")
			? LH_EV_SIG :
			   !strcmp(part->name, "f") ? LH_EV_F : !strcmp(part->name, "ts")
				   ? LH_EV_TS : LH_EV_INPUT;
	}
	part->before = template;
	part->n = strlen(template);
	part->is = LH_EV_END;
}

static void add_part(struct lh_evidence *e, const struct lh_evidence_part *part)
{
	const struct lh_value *v;

	switch (part->is) {
	case LH_EV_OFF:
		lh_buf_u64(&e->scratch, e->off);
		break;
	case LH_EV_SIG:
		lh_buf_add(&e->scratch, e->sig, 12);
		break;
	case LH_EV_F:
		v = file_of(e);
		add_identity(e, e->file_name, v);
		break;
	case LH_EV_TS:
		v = input_of(e, part->name);
		if (!v || v->type == LH_STRING)		/* else it is refused as a time */
			add_identity(e, part->name, v);
		break;
	case LH_EV_INPUT:
		v = input_of(e, part->name);
		if (part->or_off && (!v || is_empty(v)))
			lh_buf_u64(&e->scratch, e->off);
		else
			add_identity(e, part->name, v);
		break;
	case LH_EV_END:
		break;
	}
}

static void put_id(struct lh_evidence *e, const struct lh_evidence_id *id)
{
	const struct lh_evidence_part *part = id->part;

	lh_buf_reset(&e->scratch);
	for (;; part++) {
		lh_buf_add(&e->scratch, part->before, part->n);
		if (part->is == LH_EV_END)
			break;
		add_part(e, part);
	}
	put_scratch(e);
}

/* ---- fields ---- */

static bool is_text_or_texts(struct lh_evidence *e, const char *name, const struct lh_value *v)
{
	if (v->type == LH_STRING)
		return true;
	if (v->type == LH_ARRAY)
		return check_field(e, e->texts, name, v);
	refuse_kind(e, name, "string or array of strings", v);
	return false;
}

/* Append the text of an input; false if it has none. */
static bool put_text_of(struct lh_evidence *e, const char *name, bool list, bool not_empty)
{
	const struct lh_value *v = input_of(e, name);

	if (!v || (not_empty && is_empty(v)))
		return false;
	if (!(list ? is_text_or_texts(e, name, v) : check_field(e, &a_text, name, v)))
		return true;
	if (v->type == LH_ARRAY) {
		/* Append the strings of a list, one per line, unescaped, to scratch. */
		struct lh_iter it;
		bool more = false;

		lh_buf_reset(&e->scratch);
		for (lh_iter_init(&it, v); lh_iter_next(&it); more = true) {
			if (more)
				lh_buf_putc(&e->scratch, '\n');
			lh_value_add(&it.val, &e->scratch);
		}
		if (not_empty && !e->scratch.len)
			return false;
	}
	lh_buf_puts(e->out, ",\"text\":");
	if (v->type == LH_ARRAY)
		put_scratch(e);
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
	lh_buf_reset(&e->scratch);
	lh_buf_puts(&e->scratch, prefix);
	lh_value_add(v, &e->scratch);
	lh_buf_putc(e->out, '[');
	put_scratch(e);
	lh_buf_putc(e->out, ']');
	return true;
}

static bool put_file(struct lh_evidence *e)
{
	if (!file_of(e))
		return false;
	lh_buf_reset(&e->scratch);
	add_identity(e, e->file_name, e->file);
	lh_buf_putc(e->out, '[');
	put_scratch(e);
	lh_buf_putc(e->out, ']');
	return true;
}

static bool all_ok(struct lh_evidence *e)
{
	const struct lh_value *ok = input_of(e, "ok"),
		*total = input_of(e, "total");
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
		refuse_kind(e, r->from,
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
	const struct lh_value *v = r->from ? input_of(e, r->from) : NULL;

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
		return check_field(e, &a_text, r->from, v) && is_among(v, r->when) != r->unless &&
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
	put_id(e, &e->id[stream][0]);
	lh_buf_puts(e->out, ",\"task_id\":");
	put_id(e, &e->id[stream][1]);
	lh_buf_puts(e->out, ",\"timestamp\":");
	v = first_of(e, t->time, &name);
	if (v && check_field(e, e->timestamp, name, v))
		lh_buf_add(e->out, v->p, v->n);
	else if (!v && t->or_clock)
		lh_buf_json(e->out, e->recorded_at, strlen(e->recorded_at));
	else if (!v)
		refuse(e, name, "missing");
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

/* ---- a converter ---- */

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
		read_id(&e->id[s][0], lh_transforms[s].run_id);
		read_id(&e->id[s][1], lh_transforms[s].task_id);
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
			refuse(e, "record", err->msg);
		return err->code == LH_EDATA ? refused_error(e, err) : -1;
	}
	e->has_hash = true;
	lh_hex(e->hash, sizeof e->hash, e->sig);
	put_record(e, stream);
	return e->n_errors ? refused_error(e, err) : 0;
}

/* ---- the row that a record comes from ---- */

struct holder {
	struct lh_provenance from;
};

const struct lh_bind lh_provenance_members[] = {
	{ LH_BIND_STRING("source_file", struct lh_provenance, source_file), .lax = true,
	  .filled = true },
	{ LH_BIND_SOME("line_offset", struct lh_provenance, line_offset), .null = true },
	{ LH_BIND_STRING("sig_hash", struct lh_provenance, sig_hash), .lax = true, .filled = true },
	{ LH_BIND_STRING("recorded_at", struct lh_provenance, recorded_at), .lax = true,
	  .filled = true },
	LH_BIND_END
};

static const struct lh_bind record_members[] = {
	{ LH_BIND_TABLE("provenance", struct holder, from, lh_provenance_members), .lax = true },
	LH_BIND_END
};

void lh_provenance_set_line(struct lh_provenance *p)
{
	const struct lh_value *offset = &p->line_offset;
	int64_t line;

	p->line = -1;
	if (offset->p && offset->type == LH_NUMBER && lh_value_i64(offset, &line) && line >= 0)
		p->line = line;
}

int lh_provenance_read(const struct lh_record *rec, struct lh_provenance *p, struct lh_buf *text,
		       struct lh_err *err)
{
	struct holder holder = { .from.line_offset.p = NULL };

	if (lh_bind(record_members, rec, &holder, text, err) < 0)
		return -1;
	*p = holder.from;
	lh_provenance_set_line(p);
	return 0;
}
