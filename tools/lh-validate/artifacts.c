/*
 * artifacts.c - requests in, verdicts out; stored error rows in the tagged form.  See validate.h.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/time.h"
#include "validate/validate.h"
#include "validate/validation_error.h"
#include "base/mem.h"
#include "json/bind.h"
#include "json/write.h"
#include "validate.h"

/* ---- stored errors ---- */

static void scratch_free(void *scratch)
{
	lh_buf_free(scratch);
}

static int on_stored(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct lh_value row = { .p = rec->line, .n = rec->len, .type = LH_OBJECT };
	struct lh_validation_error e;

	lh_buf_reset(worker);
	if (lh_validation_error_read(&row, worker, &e, err) < 0)
		return -1;
	lh_validation_error_json(out, &e);
	return 0;
}

int normalize_run(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_stored,
		.context_size = sizeof(struct lh_buf),
		.context_free = scratch_free });
}

/* ---- requests ---- */

#define TRACE_MAX 256	/* bytes of a record's request id that a row may have */

/* What the threads share. */
struct run {
	struct lh_tool *tool;
	const struct settings *s;
	unsigned threads;	/* that read a roster */
	struct lh_roster_choice rosters;
	struct audit *audit;	/* or NULL */
	struct lh_decisions *decisions;	/* or NULL */
	atomic_bool bad;
};

/* The state that lh_held reopens. */
struct held {
	struct run *run;
	struct lh_chosen_roster roster;
	struct lh_rules *rules;		/* or NULL */
	struct lh_judged_by by;
};

struct worker {
	struct run *run;
	struct lh_validator *validator;
	struct lh_buf scratch;	/* an unescaped kind */
	struct lh_buf trace, token;	/* unescaped: the request id, who asked */
	struct decision decision;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_validator_free(w->validator);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->trace);
	lh_buf_free(&w->token);
	decision_free(&w->decision);
}

/* Take down a look-up. */
static void looked_up(void *worker, const char *id, size_t n, bool found)
{
	struct worker *w = worker;

	if (w->run->audit)
		audit_looked_up(w->run->audit, id, n, found);
	if (w->run->decisions)
		lh_decision_id(&w->decision.ids, (struct lh_str){ id, n }, found);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct held *held = ctx;
	struct run *run = held->run;
	struct worker *w = context;

	(void)err;
	w->run = run;
	w->decision.by = &held->by;
	w->validator = lh_validator_new(&(struct lh_validate_how){
		.roster = held->roster.roster, .rules = held->rules,
		.roster_missing = run->s->roster_later && !held->roster.roster,
		.original = run->s->wire, .roster_needed = !run->s->wire,
		.sms_chars = run->s->sms_length < 0 ? run->s->wire : run->s->sms_length,
		.looked_up = run->audit || run->decisions ? looked_up : NULL, .ctx = w });
	return 0;
}

struct request {
	struct lh_str kind;
	struct lh_value artifact, context, trace, token;
};

#define KIND(must) \
	{ LH_BIND_STRING("kind", struct request, kind), .not_null = true, .required = must, \
	  .about = "what the artifact is" }
static const struct lh_bind kind_members[] = { KIND(false), LH_BIND_END };
#define ARTIFACT(must) \
	KIND(must), \
	{ LH_BIND_SOME("artifact", struct request, artifact), .null = true, \
	  .about = "what is judged" }, \
	{ LH_BIND_SOME("context", struct request, context), \
	  .about = "what the validator compares it with" }, \
	{ LH_BIND_SOME("trace_id", struct request, trace), .about = "the request, in logs" }
const struct lh_bind artifact_members[] = { ARTIFACT(false), LH_BIND_END };
const struct lh_bind wire_members[] = { ARTIFACT(true), LH_BIND_CLOSED };
/* Not described: lh-serve says with it who asked, and takes it from no client. */
static const struct lh_bind token_member[] = {
	{ LH_BIND_SOME("token", struct request, token) }, LH_BIND_END
};

/* Read the parts of a request.  With --kind a record that has no artifact is the
 * artifact itself, and its kind is a member like others. */
static int read_request(struct request *rq, struct worker *w, const struct lh_record *rec,
			struct lh_err *err)
{
	const char *const but[] = { w->run->audit ? "token" : NULL, NULL };
	int given = w->run->s->kind;

	*rq = (struct request){ .kind = { NULL, 0 } };
	if (lh_bind(artifact_members + 1, rec, rq, NULL, err) < 0 ||
	    lh_bind(token_member, rec, rq, NULL, err) < 0 ||
	    (w->run->s->wire && given < 0 &&
	     lh_bind_refuse_others(wire_members, but, rec, err) < 0))
		return -1;
	if (!rq->artifact.p && given >= 0)
		rq->artifact =
			(struct lh_value){ .p = rec->line, .n = rec->len, .type = LH_OBJECT };
	else if (lh_bind(kind_members, rec, rq, &w->scratch, err) < 0)
		return -1;
	if (rq->kind.p)
		return 0;
	if (given < 0)
		return lh_err_set(err, LH_EDATA, "missing \"kind\" (string)");
	rq->kind.p = lh_kind_name((enum lh_kind)given);
	rq->kind.n = strlen(rq->kind.p);
	return 0;
}

static uint64_t since(const struct run *run, double start)
{
	return run->tool->now ? 0 : (uint64_t)((lh_time_monotonic() - start) * 1000);
}

/* With --audit-required: the look-ups for this verdict are on record by now; if
 * not, that becomes the verdict.  An id that no log can have is the record's fault. */
static int require_rows(struct run *run, uint64_t lost, uint64_t unfit,
			struct lh_verdict *verdict, struct lh_err *err)
{
	if (audit_write(run->audit, err) < 0)
		return -1;
	lost = audit_lost(run->audit) - lost;
	unfit = audit_unfit(run->audit) - unfit;
	if (lost && lost == unfit)
		*verdict = (struct lh_verdict){ .status = 400,
						.message = audit_why_unfit(run->audit) };
	else if (lost)
		*verdict = (struct lh_verdict){ .status = 503, .message = lh_str_of(
			"a look-up left no row in the audit log") };
	return 0;
}

/* Set the request id that the rows of a record have, and the token of who asked. */
static void take_trace(struct worker *w, const struct request *rq, struct lh_str *trace)
{
	const struct lh_value *v = &rq->trace;
	struct lh_str token = { NULL, 0 };

	lh_buf_reset(&w->trace);
	lh_buf_reset(&w->token);
	if (v->p && v->type == LH_STRING)
		lh_value_str(v, &w->trace, trace);
	if (trace->n > TRACE_MAX)
		*trace = (struct lh_str){ NULL, 0 };
	if (rq->token.p && rq->token.type == LH_STRING)
		lh_value_str(&rq->token, &w->token, &token);
	if (w->run->audit)
		audit_trace(w->run->audit, *trace, token);
}

/* Judge a request, and append the row of the decision. */
static int judge(struct worker *w, const struct request *rq, struct lh_verdict *verdict,
		 struct lh_err *err)
{
	const struct lh_value *artifact = rq->artifact.p ? &rq->artifact : NULL,
			      *context = rq->context.p ? &rq->context : NULL;
	struct run *run = w->run;
	bool required = run->s->audit_required;
	uint64_t lost = required ? audit_lost(run->audit) : 0;
	uint64_t unfit = required ? audit_unfit(run->audit) : 0;
	struct lh_str trace = { NULL, 0 };

	if (run->audit || run->decisions)
		take_trace(w, rq, &trace);
	decision_clear(&w->decision);
	if (lh_validate(w->validator, &rq->kind, artifact, context, true, verdict, err) < 0 ||
	    (required && require_rows(run, lost, unfit, verdict, err) < 0))
		return -1;
	return run->decisions ? decision_write(&w->decision, run->decisions,
					       &(struct judged){ rq->kind, trace, artifact,
								 context, verdict }, err) : 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	static const char *const drop[] = { "verdict" };
	struct worker *w = arg;
	bool wire = w->run->s->wire;
	double start = lh_time_monotonic();
	struct lh_verdict verdict;
	struct lh_writer to;
	struct request rq;

	if (read_request(&rq, w, rec, err) < 0 || judge(w, &rq, &verdict, err) < 0)
		return -1;
	if (verdict.status != 200)
		atomic_store_explicit(&w->run->bad, true, memory_order_relaxed);
	if (wire) {
		lh_verdict_json(out, &verdict, since(w->run, start), true);
		put_status(out, verdict.status);
		return 0;
	}
	to = lh_write_record(out, rec, drop, 1);
	lh_write_key(&to, "verdict");
	lh_verdict_json(out, &verdict, since(w->run, start), false);
	lh_write_end(&to);
	return 0;
}

/* Record the look-ups and decisions before their verdicts are written. */
static int before_output(void *ctx, struct lh_err *err)
{
	struct run *run = ctx;

	if (run->audit && audit_write(run->audit, err) < 0)
		return -1;
	return lh_decisions_sync(run->decisions, err);
}

static void held_close(void *state)
{
	struct held *h = state;

	lh_rules_free(h->rules);
	lh_roster_close(h->roster.roster);
	free(h);
}

static int held_read(struct held *h, const struct held *was, struct lh_err *err)
{
	const struct settings *s = h->run->s;
	unsigned jobs = h->run->threads;

	if (was && h->run->audit && audit_renew(h->run->audit, err) < 0)
		return -1;
	if (lh_roster_choose(&h->run->rosters, was ? &was->roster : NULL, &h->roster, jobs, err) <
	    0)
		return -1;
	if (s->rules)
		h->rules = was ? lh_rules_renew(was->rules, err) : lh_rules_open(s->rules, err);
	if (s->rules && !h->rules)
		return -1;
	return h->run->decisions ? lh_judged_by(&h->by, &h->roster, h->rules, err) : 0;
}

static void *held_open(void *run, const void *before, struct lh_err *err)
{
	struct held *h = lh_calloc(1, sizeof *h);

	h->run = run;
	if (held_read(h, before, err) == 0)
		return h;
	held_close(h);
	return NULL;
}

static bool held_stale(void *ctx, const void *state)
{
	const struct run *run = ctx;
	const struct held *h = state;

	return lh_roster_choice_stale(&run->rosters, &h->roster) ||
		(h->rules && lh_rules_stale(h->rules)) ||
	       (run->audit && audit_stale(run->audit));
}

static void held_failed(void *run, const struct lh_err *why)
{
	lh_tool_warn(((struct run *)run)->tool, "%s", why->msg);
}

static int open_files(struct run *run, struct lh_held **held)
{
	struct lh_held_how how = { .open = held_open, .stale = held_stale, .close = held_close,
				   .failed = run->s->wire ? held_failed : NULL, .ctx = run };
	const char *first;

	if ((run->s->audit_log && !(run->audit = audit_open(run->tool, run->s))) ||
	    lh_decisions_open(&run->decisions, run->tool, &run->s->decisions) < 0)
		return -1;
	if (run->rosters.n && lh_tool_reads_stdin(run->tool) &&
	    (first = lh_roster_first(&run->rosters)) && !strcmp(first, "-"))
		return lh_tool_usage(run->tool,
				     "--roster: standard input is where the records come from");
	*held = lh_held_open(&how, &run->tool->err);
	return *held ? 0 : -1;
}

int artifacts_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct run run = { .tool = tool, .s = s, .threads = (unsigned)tool->jobs,
			   .rosters = { s->roster.v, s->roster.n, s->roster_later } };
	struct lh_held *held = NULL;
	int rc = open_files(&run, &held);

	if (run.audit || run.decisions)
		tool->jobs = 1;		/* rows are in the order of the records */
	if (!rc)
		rc = lh_records_run(tool, &(struct lh_flow){
			.map = on_record, .before_output = before_output, .shared = &run,
			.held = held,
			.context_size = sizeof(struct worker), .context_init = worker_init,
			.context_free = worker_free });
	audit_close(run.audit);
	lh_decisions_close(run.decisions);
	if (atomic_load(&run.bad))
		lh_tool_verdict_bad(tool);
	lh_held_close(held);
	return rc;
}
