/*
 * audit.c - append rows: to the worker's log for each look-up in the roster, and to the log of
 * decisions for each verdict.
 */
#include <stdlib.h>

#include "audit/chain.h"
#include "json/json.h"
#include "base/time.h"
#include "base/mem.h"
#include "json/write.h"
#include "validate.h"

/* ---- look-ups ---- */

#define GATHER 4096	/* look-ups; their logs are written and synced together */
#define MESSAGES 20	/* as many as about bad records */

struct look_up {
	size_t at, n;		/* the id, in ids, ... */
	size_t trace, token;	/* ... and bytes of the request id and the token after it */
	bool found;
	char ts[LH_TIME_LEN + 8];
};

struct audit {
	struct lh_tool *tool;
	struct lh_chain_keys keys;
	struct lh_chain_log *log;
	struct lh_str own_trace, trace;	/* of the process; of the record */
	struct lh_str token;		/* of who asked */
	struct look_up *look;	/* GATHER of them, n in use */
	size_t n;
	struct lh_buf ids;
	uint64_t lost, reported;	/* look-ups without a row, messages about them */
	uint64_t unfit;			/* those lost because no log can have such an id, ... */
	struct lh_err why_unfit;	/* ... and why, of the last one */
	struct lh_err dead;	/* .code: the run ends */
};

/* ---- open ---- */

static int open_log(struct audit *a, const struct settings *s)
{
	const char *trace = getenv("LH_TRACE_ID");
	struct lh_err *err = &a->tool->err;

	if (!s->key_file.n)
		return lh_tool_usage(a->tool,
				     "--audit-log: no key: name its file by --key-file or "
				     "LH_SUBJECT_AUDIT_KEY");
	if (trace && !lh_utf8_valid(trace, strlen(trace)))
		return lh_tool_usage(a->tool, "LH_TRACE_ID must be UTF-8");
	if (trace)
		a->own_trace = a->trace = (struct lh_str){ trace, strlen(trace) };
	if (lh_chain_keys_read(&a->keys, s->key_file.v, s->key_file.n, s->insecure_key, err) < 0)
		return -1;
	a->look = lh_calloc(GATHER, sizeof *a->look);
	a->log = lh_chain_log_open(s->audit_log, &a->keys, LH_CHAIN_BATCH, a->tool->lock_timeout,
				   err);
	return a->log ? 0 : -1;
}

struct audit *audit_open(struct lh_tool *tool, const struct settings *s)
{
	struct audit *a = lh_calloc(1, sizeof *a);

	a->tool = tool;
	if (open_log(a, s) == 0)
		return a;
	audit_close(a);
	return NULL;
}

bool audit_stale(const struct audit *a)
{
	return lh_chain_keys_stale(&a->keys);
}

int audit_renew(struct audit *a, struct lh_err *err)
{
	return lh_chain_keys_renew(&a->keys, err);
}

/* ---- rows ---- */

static void report_lost(struct audit *a, const struct look_up *l, size_t lost,
			const struct lh_err *why)
{
	struct lh_tool *t = a->tool;
	char name[LH_SUBJECT_MAX + 1];

	a->lost += lost;
	if (lh_subject_name(name, a->ids.p + l->at, l->n, &a->why_unfit) < 0)
		a->unfit += lost;
	if (t->quiet)
		return;
	if (a->reported < MESSAGES || t->verbose)
		lh_tool_warn(t, "audit log: %s of '%.*s' left no row: %s", LH_N(lost, "look-up"),
			     (int)(l->n > 100 ? 100 : l->n), a->ids.p + l->at, why->msg);
	else if (a->reported == MESSAGES)
		lh_tool_warn(t, "audit log: further messages suppressed (--verbose shows all)");
	a->reported++;
}

/* Write the n look-ups of one worker, in their order, with one write and one sync.
 * A failure concerns only this worker, unless it ends the run. */
static void write_worker(struct audit *a, const struct look_up *l, size_t n)
{
	static const struct lh_str exists = { "exists", 6 };
	struct lh_chain_row row = {
		.candidate_id = { a->ids.p + l->at, l->n },
		.accessor = { .kind = { "validator_lookup", 16 }, .daemon = { "lh-validate", 11 },
			      .purpose = { "validator_worker_lookup", 23 } },
		.field = &exists, .n_fields = 1,
	};
	struct lh_err err, later;
	size_t done;
	int rc = 0;

	for (done = 0; done < n && !rc; done++) {
		row.ts = (struct lh_str){ l[done].ts, strlen(l[done].ts) };
		row.accessor.trace_id = (struct lh_str){ a->ids.p + l[done].at + l[done].n,
							 l[done].trace };
		row.accessor.token = row.accessor.trace_id;
		row.accessor.token.p += l[done].trace;
		row.accessor.token.n = l[done].token;
		if (!l[done].token)
			row.accessor.token.p = NULL;
		row.result = l[done].found ? "success" : "not_found";
		rc = lh_chain_append(a->log, &row, NULL, &err);
	}
	done -= rc < 0;
	if (lh_chain_log_flush(a->log, rc ? &later : &err) < 0) {
		rc = -1;
		done = 0;
	}
	if (rc && err.code == LH_EINTR)
		a->dead = err;
	else if (rc)
		report_lost(a, l, n - done, &err);
}

static bool same_worker(const struct audit *a, const struct look_up *x, const struct look_up *y)
{
	return x->n == y->n && !memcmp(a->ids.p + x->at, a->ids.p + y->at, x->n);
}

/* Compare by worker, and then by the order of the look-ups. */
static int by_worker(const void *x, const void *y, void *ids)
{
	const struct look_up *a = x, *b = y;
	const char *p = ids;
	int order;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	order = memcmp(p + a->at, p + b->at, a->n);
	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

int audit_write(struct audit *a, struct lh_err *err)
{
	size_t i, end;

	if (a->n)
		qsort_r(a->look, a->n, sizeof *a->look, by_worker, a->ids.p);
	for (i = 0; i < a->n && !a->dead.code; i = end) {
		for (end = i + 1; end < a->n && same_worker(a, &a->look[i], &a->look[end]); end++)
			;
		write_worker(a, &a->look[i], end - i);
	}
	a->n = 0;
	lh_buf_reset(&a->ids);
	if (!a->dead.code)
		return 0;
	*err = a->dead;
	return -1;
}

void audit_trace(struct audit *a, struct lh_str trace, struct lh_str token)
{
	a->token = token;
	a->trace = trace.n ? trace : a->own_trace;
}

uint64_t audit_lost(const struct audit *a)
{
	return a->lost;
}

uint64_t audit_unfit(const struct audit *a)
{
	return a->unfit;
}

struct lh_str audit_why_unfit(const struct audit *a)
{
	return lh_str_of(a->why_unfit.msg);
}

void audit_looked_up(void *audit, const char *id, size_t n, bool found)
{
	struct audit *a = audit;
	struct look_up *l = &a->look[a->n];
	struct lh_err err;

	*l = (struct look_up){ .at = a->ids.len, .n = n, .trace = a->trace.n,
				.token = a->token.n, .found = found };
	lh_tool_time(a->tool, l->ts);
	lh_buf_add(&a->ids, id, n);
	lh_buf_add(&a->ids, a->trace.p, a->trace.n);
	lh_buf_add(&a->ids, a->token.p, a->token.n);
	a->n++;
	if (a->n == GATHER || a->ids.len > GATHER * 256)
		audit_write(a, &err);
}

void audit_close(struct audit *a)
{
	struct lh_err err;

	if (!a)
		return;
	audit_write(a, &err);
	if (lh_chain_log_close(a->log, &err) < 0)
		lh_tool_warn(a->tool, "audit log: %s", err.msg);
	if (a->lost)
		lh_tool_warn(a->tool, "audit log: %s left no row", LH_N(a->lost, "look-up"));
	lh_chain_keys_free(&a->keys);
	lh_buf_free(&a->ids);
	free(a->look);
	free(a);
}

/* ---- decisions ---- */

void decision_clear(struct decision *d)
{
	lh_buf_reset(&d->ids);
}

/* Return the verdict as a word. */
static const char *word(const struct lh_verdict *v)
{
	static const char *const kinds[] = {
		[LH_VAL_SCHEMA] = "schema", [LH_VAL_COMPLETENESS] = "completeness",
		[LH_VAL_CONSISTENCY] = "consistency", [LH_VAL_POLICY] = "policy",
	};

	switch (v->status) {
	case 200: return "accepted";
	case 422: return kinds[v->error.kind];
	case 503: return "unrecorded";
	default: return "bad_request";
	}
}

/* Write the request anew: what it is judged by, and nothing else. */
static void write_asked(struct lh_buf *out, const struct judged *j)
{
	struct lh_writer w;

	lh_buf_reset(out);
	w = lh_write_to(out);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "kind", j->kind);
	if (j->artifact)
		lh_write_value(&w, "artifact", j->artifact);
	if (j->context)
		lh_write_value(&w, "context", j->context);
	lh_write_end(&w);
}

int decision_write(struct decision *d, struct lh_decisions *log, const struct judged *j,
		   struct lh_err *err)
{
	const struct lh_judged_by *by = d->by;
	struct lh_writer w;

	write_asked(&d->asked, j);
	w = lh_decision_begin(&d->row, log, &(struct lh_decision){
		.asked = { d->asked.p, d->asked.len }, .trace = j->trace,
		.verdict = word(j->verdict),
		.rules = *by->rules_version ? by->rules_version : NULL });
	lh_decision_judged(&w, by->roster, by->roster_version, &d->ids);
	lh_write_str(&w, "kind", j->kind);
	return lh_decision_end(&w, log, err);
}

void decision_free(struct decision *d)
{
	lh_buf_free(&d->ids);
	lh_buf_free(&d->asked);
	lh_buf_free(&d->row);
}
