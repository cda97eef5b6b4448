/* validate.c - a validation from kind and context to verdict.  See validate.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>

#include "validate/validation_error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"
#include "text/spelling.h"
#include "validate_parts.h"

/* ---- versions ---- */

int lh_judged_by(struct lh_judged_by *by, const struct lh_chosen_roster *roster,
		 const struct lh_rules *rules, struct lh_err *err)
{
	*by = (struct lh_judged_by){ .roster = { NULL, 0 } };
	if (rules)
		lh_rules_version(rules, by->rules_version);
	if (!roster->roster)
		return 0;
	by->roster = lh_index_name(roster->path);
	return lh_roster_version(roster->roster, by->roster_version, err);
}

/* ---- validations ---- */

const char *const lh_kind_names[] = {
	[LH_KIND_FILL] = "fill", [LH_KIND_EMAIL] = "email", [LH_KIND_SMS] = "sms",
	[LH_KIND_PLAYBOOK] = "playbook",
	NULL
};

enum lh_kind lh_kind_read(const char *p, size_t n)
{
	size_t i;

	for (i = 0; lh_kind_names[i]; i++)
		if (strlen(lh_kind_names[i]) == n && !memcmp(lh_kind_names[i], p, n))
			return (enum lh_kind)i;
	return LH_KIND_NONE;
}

const char *lh_kind_name(enum lh_kind kind)
{
	return lh_kind_names[kind];
}

struct lh_validator *lh_validator_new(const struct lh_validate_how *how)
{
	struct lh_validator *v = lh_calloc(1, sizeof *v);

	v->how = *how;
	/* prevents prepared collisions */
	if (getrandom(&v->seen.seed, sizeof v->seen.seed, GRND_NONBLOCK) != sizeof v->seen.seed)
		v->seen.seed = (uintptr_t)v * 0x9e3779b97f4a7c15ull;
	return v;
}

void lh_validator_free(struct lh_validator *v)
{
	if (!v)
		return;
	lh_buf_free(&v->text);
	lh_buf_free(&v->folded);
	lh_buf_free(&v->found);
	lh_buf_free(&v->scratch);
	lh_buf_free(&v->field);
	lh_buf_free(&v->message);
	lh_buf_free(&v->findings);
	free(v->seen.slot);
	free(v);
}

/* ---- verdicts and findings ---- */

/* Format without printf, which would end at a NUL. */
static void append_format(struct lh_buf *b, const char *fmt, va_list ap)
{
	const struct lh_str *s;
	const char *q;
	int64_t d;

	for (; *(q = strchrnul(fmt, '%')); fmt = q + 2) {
		lh_buf_add(b, fmt, (size_t)(q - fmt));
		if (q[1] == 's') {
			s = va_arg(ap, const struct lh_str *);
			lh_buf_add(b, s->p, s->n);
			continue;
		}
		d = va_arg(ap, int64_t);
		if (q[1] == 'd' && d < 0)
			lh_buf_putc(b, '-');
		lh_buf_u64(b, q[1] == 'd' && d < 0 ? -(uint64_t)d : (uint64_t)d);
	}
	lh_buf_puts(b, fmt);
}

void lh_val_at(struct lh_validator *v, const char *fmt, ...)
{
	va_list ap;

	lh_buf_reset(&v->field);
	va_start(ap, fmt);
	append_format(&v->field, fmt, ap);
	va_end(ap);
}

int lh_val_error(struct lh_validator *v, enum lh_validation_error_kind kind, const char *fmt, ...)
{
	va_list ap;

	lh_buf_reset(&v->message);
	va_start(ap, fmt);
	append_format(&v->message, fmt, ap);
	va_end(ap);
	v->out->status = 422;
	v->out->error.kind = kind;
	return 1;
}

/* Set the verdict: a bad request.  Returns 1. */
static int refuse(struct lh_validator *v, const char *fmt, ...)
{
	va_list ap;

	lh_buf_reset(&v->message);
	va_start(ap, fmt);
	append_format(&v->message, fmt, ap);
	va_end(ap);
	v->out->status = 400;
	return 1;
}

void lh_val_warn(struct lh_validator *v, const char *fmt, ...)
{
	struct lh_buf *b = &v->findings;
	struct lh_writer w;
	va_list ap;

	lh_buf_reset(&v->message);
	va_start(ap, fmt);
	append_format(&v->message, fmt, ap);
	va_end(ap);
	w = (struct lh_writer){ b, 0, b->len > 1 };
	lh_write_object(&w, NULL);
	lh_write_str(&w, "field", (struct lh_str){ v->field.p, v->field.len });
	lh_write_text(&w, "severity", "warning");
	lh_write_str(&w, "message", (struct lh_str){ v->message.p, v->message.len });
	lh_write_end(&w);
}

/* ---- strings, context, workers ---- */

void lh_val_str(struct lh_validator *v, const struct lh_value *val, struct lh_str *out)
{
	lh_value_str(val, &v->text, out);
}

bool lh_val_blank(const struct lh_str *s)
{
	return !lh_trim(s->p, s->n).n;
}

bool lh_val_same(const struct lh_str *a, const struct lh_str *b)
{
	struct lh_str x = lh_trim(a->p, a->n), y = lh_trim(b->p, b->n);

	return lh_fold_equal(x.p, x.n, y.p, y.n);
}

void lh_val_same_name(struct lh_validator *v, const struct lh_str *a, const struct lh_str *b,
		      bool *same)
{
	*same = lh_val_same(a, b);
	if (*same || v->how.original)
		return;
	*same = lh_names_alike(&v->folded, *a, *b);
}

void lh_val_fold(struct lh_validator *v, const struct lh_str *s, struct lh_str *out)
{
	size_t i, from = v->folded.len;
	char *to = lh_buf_room(&v->folded, s->n + 1);

	if (!to)
		return;
	for (i = 0; i < s->n; i++)
		to[i] = lh_fold(s->p[i]);
	lh_buf_took(&v->folded, s->n);
	*out = (struct lh_str){ v->folded.p + from, s->n };
}

int lh_val_need(struct lh_validator *v, const char *name, struct lh_str *out)
{
	struct lh_value val;

	if (lh_value_get(v->artifact, name, &val) && val.type == LH_STRING) {
		lh_val_str(v, &val, out);
		if (!lh_val_blank(out))
			return 0;
	}
	lh_val_at(v, name);
	return lh_val_error(v, LH_VAL_SCHEMA, "missing");
}

static bool context_member(const struct lh_validator *v, const char *name, struct lh_value *val)
{
	return v->context && lh_value_get(v->context, name, val) && val->type != LH_NULL;
}

int lh_val_context_str(struct lh_validator *v, const char *name, struct lh_str *out)
{
	struct lh_value val;

	*out = (struct lh_str){ NULL, 0 };
	if (!context_member(v, name, &val))
		return 0;
	if (val.type != LH_STRING)
		return refuse(v, "context.%s must be a string",
				     &(struct lh_str){ name, strlen(name) });
	lh_val_str(v, &val, out);
	if (lh_val_blank(out))
		out->n = 0;
	return 0;
}

int lh_val_context_count(struct lh_validator *v, bool *set, int64_t *out)
{
	struct lh_value val;

	*set = context_member(v, "target_count", &val);
	if (*set && (val.type != LH_NUMBER || !lh_value_i64(&val, out)))
		return refuse(v, "context.target_count must be a whole number");
	return 0;
}

static int no_roster(struct lh_validator *v)
{
	return lh_err_data(v->err, 503, "there is no roster yet");
}

int lh_val_worker(struct lh_validator *v, const struct lh_str *id, struct lh_worker *w, bool *found)
{
	int rc;

	*found = false;
	if (!v->how.roster && v->how.roster_missing)
		return no_roster(v);
	if (!v->how.roster)
		return v->how.roster_needed ?
			lh_err_set(v->err, LH_EUSAGE, "no roster was given (--roster)") : 0;
	lh_buf_reset(&v->found);
	rc = lh_roster_find(v->how.roster, id->p, id->n, &v->found, w, v->err);
	if (rc < 0)
		return -1;
	*found = rc > 0;
	if (*found)
		id = &w->candidate_id;
	if (v->how.looked_up)
		v->how.looked_up(v->how.ctx, id->p, id->n, *found);
	return 0;
}

/* ---- the run ---- */

static int on_rule(void *ctx, const struct lh_rule_hit *hit, struct lh_err *err)
{
	struct lh_validator *v = ctx;

	(void)err;
	if (hit->action == LH_RULE_REJECT || hit->action == LH_RULE_BLOCK)
		return lh_val_error(v, LH_VAL_POLICY, "%s", &hit->message);
	if (hit->action == LH_RULE_REDACT) {
		lh_val_at(v, "%s", &hit->field);
		lh_val_warn(v, "%s", &hit->message);
	}
	return 0;
}

static int run_rules(struct lh_validator *v, enum lh_kind kind)
{
	static const enum lh_task task[] = {
		[LH_KIND_FILL] = LH_TASK_FILL, [LH_KIND_EMAIL] = LH_TASK_EMAIL,
		[LH_KIND_SMS] = LH_TASK_EMAIL, [LH_KIND_PLAYBOOK] = LH_TASK_OTHER,
	};

	if (!v->how.rules)
		return 0;
	lh_buf_reset(&v->scratch);
	return lh_rules_run(v->how.rules, task[kind], v->artifact, v->context, &v->scratch, on_rule,
			    v, v->err);
}

static int judge_artifact(struct lh_validator *v, enum lh_kind kind)
{
	int rc;

	switch (kind) {
	case LH_KIND_FILL:
		rc = lh_validate_fill(v);
		break;
	case LH_KIND_PLAYBOOK:
		rc = lh_validate_playbook(v);
		break;
	default:
		rc = lh_validate_message(v, kind == LH_KIND_SMS);
	}
	return rc ? rc : run_rules(v, kind);
}

/* Find the context, and allocate room for every string of the request, so that none
 * moves while it is used. */
static int open_request(struct lh_validator *v, const struct lh_value *context, bool own_context,
			struct lh_value *own)
{
	if (context && context->type == LH_NULL)
		context = NULL;
	if (!context && own_context && lh_value_get(v->artifact, "_context", own) &&
	    own->type != LH_NULL)
		context = own;
	if (context && context->type != LH_OBJECT)
		return refuse(v, "context must be an object");
	v->context = context;
	if (!lh_buf_room(&v->text, v->artifact->n + (context ? context->n : 0)))
		return 0;
	return 0;
}

static int decide_verdict(struct lh_validator *v, const struct lh_str *name,
			  const struct lh_value *context, bool own_context)
{
	enum lh_kind kind = lh_kind_read(name->p, name->n);
	struct lh_value own, inner;
	int rc;

	if (kind == LH_KIND_NONE) {
		lh_buf_json(&v->scratch, name->p, name->n);
		return refuse(v, "unknown kind %s (expected fill, email, sms or playbook)",
				     &(struct lh_str){ v->scratch.p, v->scratch.len });
	}
	if (!v->artifact || v->artifact->type != LH_OBJECT)
		return refuse(v, "artifact must be an object");
	if (kind == LH_KIND_EMAIL && lh_value_get(v->artifact, "kind", &inner) &&
	    lh_value_is(&inner, "sms", 3))
		kind = LH_KIND_SMS;
	rc = open_request(v, context, own_context, &own);
	if (!rc && kind == LH_KIND_FILL && v->how.roster_missing)
		rc = no_roster(v);
	if (!rc)
		rc = judge_artifact(v, kind);
	v->context = NULL;
	return rc;
}

int lh_validate(struct lh_validator *v, const struct lh_str *kind, const struct lh_value *artifact,
		const struct lh_value *context, bool own_context, struct lh_verdict *out,
		struct lh_err *err)
{
	memset(out, 0, sizeof *out);
	v->artifact = artifact;
	v->out = out;
	v->err = err;
	lh_buf_reset(&v->text);
	lh_buf_reset(&v->scratch);
	lh_buf_reset(&v->field);
	lh_buf_reset(&v->message);
	lh_buf_reset(&v->findings);
	lh_buf_putc(&v->findings, '[');
	if (decide_verdict(v, kind, context, own_context) < 0)
		return -1;
	lh_buf_putc(&v->findings, ']');
	if (!out->status) {
		out->status = 200;
		out->findings = (struct lh_str){ v->findings.p, v->findings.len };
		return 0;
	}
	out->message = out->error.reason = (struct lh_str){ v->message.p, v->message.len };
	if (out->error.kind == LH_VAL_SCHEMA)
		out->error.field = (struct lh_str){ v->field.p, v->field.len };
	return 0;
}

/* The value that comes next: a report, an error of a kind, or a message. */
static void append_inside(struct lh_writer *w, const char *name, const struct lh_verdict *d,
			  uint64_t elapsed_ms)
{
	if (d->status == 422) {
		lh_write_key(w, name);
		lh_validation_error_json(w->out, &d->error);
		return;
	}
	lh_write_object(w, name);
	if (d->status == 200) {
		lh_write_raw(w, "findings", d->findings);
		lh_write_u64(w, "elapsed_ms", elapsed_ms);
	} else {
		lh_write_str(w, "message", d->message);
	}
	lh_write_end(w);
}

void lh_verdict_json(struct lh_buf *out, const struct lh_verdict *d, uint64_t elapsed_ms, bool wire)
{
	struct lh_writer w = lh_write_to(out);

	if (wire) {
		append_inside(&w, NULL, d, elapsed_ms);
		return;
	}
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "status", (uint64_t)d->status);
	append_inside(&w, d->status == 200 ? "report" : "error", d, elapsed_ms);
	lh_write_end(&w);
}
