/* artifacts.c - requests in, verdicts out. */
#include "validate.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "json/write.h"
#include <lh/time.h>
#include <lh/validate.h>

/* What the threads share. */
struct run {
	struct lh_tool *tool;
	const struct settings *s;
	unsigned threads;	/* that read a roster */
	struct audit *audit;	/* or NULL */
	atomic_bool bad;
};

/* The state that lh_held reopens. */
struct held {
	struct run *run;
	struct lh_roster *roster;	/* or NULL */
	struct lh_rules *rules;		/* or NULL */
};

struct worker {
	struct run *run;
	struct lh_validator *validator;
	struct lh_buf scratch;	/* an unescaped kind */
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_validator_free(w->validator);
	lh_buf_free(&w->scratch);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct held *held = ctx;
	struct run *run = held->run;
	struct worker *w = context;

	w->run = run;
	w->validator = lh_validator_new(&(struct lh_validate_how){
		.roster = held->roster, .rules = held->rules,
		.looked_up = run->audit ? audit_looked_up : NULL, .ctx = run->audit }, err);
	return w->validator ? 0 : -1;
}

struct request {
	struct lh_str kind;
	struct lh_value artifact, context;
};

static const struct lh_bind members[] = {
	{ LH_BIND_SOME("artifact", struct request, artifact), .null = true },
	{ LH_BIND_SOME("context", struct request, context) },
	LH_BIND_END
};
static const struct lh_bind kind_members[] = {
	{ LH_BIND_STRING("kind", struct request, kind), .not_null = true },
	LH_BIND_END
};

/* Read the parts of a request.  With --kind a record that has no artifact is the
 * artifact itself, and its kind is a member like others. */
static int read_request(struct request *rq, struct worker *w, const struct lh_record *rec,
			struct lh_err *err)
{
	int given = w->run->s->kind;

	*rq = (struct request){ .kind = { NULL, 0 } };
	if (lh_bind(members, rec, rq, NULL, err) < 0)
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

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	static const char *const drop[] = { "verdict" };
	struct worker *w = arg;
	bool wire = w->run->s->wire, required = w->run->s->audit_required;
	double start = lh_time_monotonic();
	struct lh_verdict verdict;
	struct lh_writer to;
	struct request rq;
	uint64_t lost = required ? audit_lost(w->run->audit) : 0;
	uint64_t unfit = required ? audit_unfit(w->run->audit) : 0;

	if (read_request(&rq, w, rec, err) < 0)
		return -1;
	if (lh_validate(w->validator, &rq.kind, rq.artifact.p ? &rq.artifact : NULL,
			rq.context.p ? &rq.context : NULL, true, &verdict, err) < 0)
		return -1;
	if (required && require_rows(w->run, lost, unfit, &verdict, err) < 0)
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

/* Record the look-ups before their verdicts are written. */
static int before_output(void *ctx, struct lh_err *err)
{
	struct run *run = ctx;

	return run->audit ? audit_write(run->audit, err) : 0;
}

static void held_close(void *state)
{
	struct held *h = state;

	lh_rules_free(h->rules);
	lh_roster_close(h->roster);
	free(h);
}

static int held_read(struct held *h, const struct held *was, struct lh_err *err)
{
	const struct settings *s = h->run->s;
	unsigned jobs = h->run->threads;

	if (was && h->run->audit && audit_renew(h->run->audit, err) < 0)
		return -1;
	if (s->roster)
		h->roster = was ? lh_roster_renew(was->roster, jobs, err)
			: lh_roster_open(s->roster, jobs, err);
	if (s->roster && !h->roster)
		return -1;
	if (s->rules)
		h->rules = was ? lh_rules_renew(was->rules, err) : lh_rules_open(s->rules, err);
	return s->rules && !h->rules ? -1 : 0;
}

static void *held_open(void *run, const void *before, struct lh_err *err)
{
	struct held *h = lh_calloc(1, sizeof *h, err);

	if (!h)
		return NULL;
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

	return (h->roster && lh_roster_stale(h->roster)) ||
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

	if (run->s->audit_log && !(run->audit = audit_open(run->tool, run->s)))
		return -1;
	if (run->s->roster && !strcmp(run->s->roster, "-") && lh_tool_reads_stdin(run->tool))
		return lh_tool_usage(run->tool,
				     "--roster: standard input is where the records come from");
	*held = lh_held_open(&how, &run->tool->err);
	return *held ? 0 : -1;
}

int artifacts_run(struct lh_tool *tool, const struct settings *s)
{
	struct run run = { .tool = tool, .s = s, .threads = (unsigned)tool->jobs };
	struct lh_held *held = NULL;
	int rc = open_files(&run, &held);

	if (run.audit)
		tool->jobs = 1;		/* a worker's rows are in the order of the records */
	if (!rc)
		rc = lh_records_run(tool, &(struct lh_flow){
			.map = on_record, .before_output = before_output, .shared = &run,
			.held = held,
			.context_size = sizeof(struct worker), .context_init = worker_init,
			.context_free = worker_free });
	audit_close(run.audit);
	if (atomic_load(&run.bad))
		lh_tool_verdict_bad(tool);
	lh_held_close(held);
	return rc;
}
