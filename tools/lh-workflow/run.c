/* run.c - one run of a flow: nodes are asked as soon as what they depend on is done. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "json/write.h"
#include "serve/body.h"
#include <lh/digest.h>
#include <lh/time.h>

#define OUTPUTS_MAX ((size_t)1 << 30)	/* bytes of the answers of one run */
#define SUMMARY 200		/* bytes of a request and an answer in a row of the log */
#define KEEP ((size_t)1 << 16)	/* bytes of a buffer that is used again */

enum status { WAITING, WORKING, OK, FAILED, SKIPPED };
static const char *const status_name[] = { [OK] = "ok", [FAILED] = "failed",
					   [SKIPPED] = "skipped" };

struct node {
	struct lh_ask ask;
	struct run *run;
	struct mode *mode;
	uint32_t number;
	enum status status;
	size_t waits;		/* for so many others */
	uint32_t cause;		/* of a skipped one: the node that failed */
	bool logged;		/* its row is there already */
	struct lh_buf output, error;
	char started[32];	/* "": it was not */
	char digest[LH_SHA256_HEX + 1];	/* of mode and request; "": it has none */
	double from;
	uint64_t ms;
};

struct run {
	struct engine *e;
	const struct lh_workflow *w;
	struct lh_workflow_values values;
	const struct run_to *to;
	struct lh_err *err;
	struct node *node;
	struct lh_value *output;
	uint32_t *ready;
	size_t cap_node, cap_output, cap_ready;
	size_t first, last;	/* those ready and not started: ready[first] to ready[last - 1] */
	size_t working, printed, bytes;
	uint64_t count[SKIPPED + 1];
	char id[RUN_ID_MAX + 24];
	bool failed;		/* *err says why */
	struct lh_buf line;
};

/* ---- lines ---- */

static void write_output(struct lh_writer *w, const struct node *n)
{
	if (n->output.len)
		lh_write_raw(w, "output", (struct lh_str){ n->output.p, n->output.len });
	else
		lh_write_null(w, "output");
}

static int print_result(struct run *r, const struct node *n)
{
	struct lh_writer w = lh_write_to(&r->line);

	lh_buf_reset(&r->line);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "workflow", r->w->name);
	lh_write_text(&w, "run", r->id);
	lh_write_str(&w, "id", r->w->node[n->number].id);
	lh_write_text(&w, "status", status_name[n->status]);
	write_output(&w, n);
	if (n->error.len)
		lh_write_str(&w, "error", (struct lh_str){ n->error.p, n->error.len });
	else
		lh_write_null(&w, "error");
	lh_write_text(&w, "started_at", *n->started ? n->started : NULL);
	lh_write_u64(&w, "duration_ms", n->ms);
	lh_write_end(&w);
	if (lh_buf_check(&r->line, r->err) < 0)
		return -1;
	return r->to->result(r->to->owner, &r->line, r->err);
}

/* Cut a text at a character. */
static struct lh_str summary_of(const char *p, size_t n)
{
	size_t cut = n < SUMMARY ? n : SUMMARY;

	while (cut && cut < n && (p[cut] & 0xc0) == 0x80)
		cut--;
	return (struct lh_str){ p, cut };
}

/* Write the row of a node to the log. */
static int log_node(struct run *r, const struct node *n)
{
	const struct lh_workflow_node *node = &r->w->node[n->number];
	LH_SCOPED(lh_buf_free) struct lh_buf more = { 0 };
	struct lh_writer w = { .out = &more, .objects = 1 };
	char now[32], ms[24];
	int rc;

	lh_tool_time(r->e->tool, now);
	snprintf(ms, sizeof ms, "%llu", (unsigned long long)n->ms);
	lh_write_str(&w, "workflow", r->w->name);
	lh_write_text(&w, "run", r->id);
	lh_write_str(&w, "node", node->id);
	lh_write_text(&w, "status", status_name[n->status]);
	lh_write_text(&w, "started_at", *n->started ? n->started : NULL);
	lh_write_text(&w, "request_sha256", *n->digest ? n->digest : NULL);
	write_output(&w, n);
	rc = lh_buf_check(&more, r->err);
	lh_buf_reset(&r->line);
	if (!rc) {
		lh_observe_print(&r->line, &(struct lh_observe_row){
			.timestamp = lh_str_of(now), .source = lh_str_of("workflow"),
			.endpoint = node->mode,
			.input_summary = summary_of(n->ask.line.p,
						    n->ask.line.len - (n->ask.line.len > 0)),
			.output_summary = summary_of(n->output.p, n->output.len),
			.error = { n->error.p, n->error.len }, .success = n->status == OK,
			.duration_ms = lh_str_of(ms), .more = { more.p, more.len } });
		rc = lh_buf_check(&r->line, r->err);
	}
	return rc ? -1 : lh_observe_append(r->e->log, r->line.p, r->line.len, r->err);
}

/* ---- the end of a node ---- */

static void reuse(struct lh_buf *b)
{
	if (b->cap > KEEP)
		lh_buf_free(b);
	lh_buf_reset(b);
	b->max = 0;
}

/* Record a node that is done, print those whose turn it is, and let others begin. */
static void finish(struct run *r, struct node *n, enum status status)
{
	const struct lh_workflow_edges *after = &r->w->after;
	size_t k;

	n->status = status;
	r->count[status]++;
	if (n->output.len)
		r->output[n->number] = (struct lh_value){ n->output.p, n->output.len, LH_OBJECT,
							  false };
	if (status != OK)
		r->output[n->number].p = NULL;
	if (r->failed || (r->e->log && !n->logged && log_node(r, n) < 0)) {
		r->failed = true;
		return;
	}
	reuse(&n->ask.line);	/* not needed any more; all of a run may be larger than memory */
	for (k = after->at[n->number]; k < after->at[n->number + 1]; k++)
		if (--r->node[after->to[k]].waits == 0)
			r->ready[r->last++] = after->to[k];
	while (r->printed < r->w->n) {
		const struct node *next = &r->node[r->w->order[r->printed]];

		if (next->status < OK)
			break;
		if (print_result(r, next) < 0) {
			r->failed = true;
			return;
		}
		r->printed++;
	}
}

/* Fail a node with an error; out of memory ends the run. */
static void fail_with(struct run *r, struct node *n, const struct lh_err *why)
{
	size_t len;

	if (why->code != LH_EDATA) {
		*r->err = *why;
		r->failed = true;
	}
	len = strlen(why->msg);
	lh_buf_reset(&n->error);
	lh_buf_add(&n->error, why->msg, len);
	if (lh_buf_check(&n->error, r->err) < 0)
		r->failed = true;
	finish(r, n, FAILED);
}

static void fail_text(struct run *r, struct node *n, const char *fmt, const char *name)
{
	struct lh_err why;

	lh_err_set(&why, LH_EDATA, fmt, name);
	fail_with(r, n, &why);
}

/* ---- answers ---- */

/* Set n->error to the message of a body {"error":"message"}, else to "status N". */
static void set_error(struct run *r, struct node *n, const struct lh_answer *a)
{
	LH_SCOPED(lh_record_free) struct lh_record body = { 0 };
	const struct lh_value *message = NULL;
	struct lh_str text = { NULL, 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_err ignored;

	lh_buf_reset(&n->error);
	if (lh_record_parse(&body, a->body.p, a->body.n, &ignored) == 0)
		message = lh_record_get(&body, "error");
	if (message && message->type == LH_STRING &&
	    lh_value_str(message, &scratch, &text, &ignored) == 0 && text.n)
		lh_buf_add(&n->error, text.p, text.n);
	else
		lh_buf_printf(&n->error, "status %u", a->status);
	if (lh_buf_check(&n->error, r->err) < 0)
		r->failed = true;
}

/* Return whether an answer is an error object, {"error":{"message":...}}. */
static bool is_error(const struct lh_record *rec)
{
	const struct lh_value *error = lh_record_get(rec, "error");
	struct lh_value message;

	return error && error->type == LH_OBJECT && lh_value_get(error, "message", &message) &&
	       message.type == LH_STRING;
}

/* Return whether a request may have a status of its own, which the mode may give back. */
static bool has_status(const struct node *n)
{
	const struct lh_buf *line = &n->ask.line;

	return memmem(line->p, line->len, "\"status\"", 8) ||
	       memmem(line->p, line->len, "\"code\"", 6);
}

static void take_answer(struct run *r, struct node *n, const struct lh_record *rec)
{
	struct lh_answer a = { .status = 200, .body = { rec->line, rec->len } };
	struct lh_err err;
	const bool read = n->mode->own || is_error(rec);

	if (read && lh_answer_read(rec, has_status(n), &a, &err) < 0) {
		fail_with(r, n, &err);
	} else if (r->bytes + a.body.n > OUTPUTS_MAX) {
		fail_text(r, n, "the answers of this run are larger than %s", "1G");
	} else {
		r->bytes += a.body.n;
		lh_buf_reset(&n->output);
		lh_buf_add(&n->output, a.body.p, a.body.n);
		if (lh_buf_check(&n->output, r->err) < 0)
			r->failed = true;
		if (a.status >= 400)
			set_error(r, n, &a);
		finish(r, n, a.status < 400 ? OK : FAILED);
	}
	lh_answer_free(&a);
}

static void on_answer(struct lh_ask *ask, enum lh_asked how, const struct lh_record *rec)
{
	struct node *n = (struct node *)((char *)ask - offsetof(struct node, ask));
	struct run *r = n->run;

	r->working--;
	if (!r->e->tool->now)
		n->ms = (uint64_t)((lh_time_monotonic() - n->from) * 1000);
	switch (how) {
	case LH_ASKED_ANSWERED:
		mode_answered(n->mode);
		take_answer(r, n, rec);
		break;
	case LH_ASKED_LATE:
		fail_text(r, n, "mode \"%s\" did not answer in time", n->mode->name);
		break;
	case LH_ASKED_GONE:
		fail_text(r, n, "the process of mode \"%s\" ended before it answered",
			  n->mode->name);
		break;
	default:
		fail_text(r, n, "mode \"%s\" is down", n->mode->name);
	}
}

/* ---- the beginning of a node ---- */

/* Take over what the log has of a node: true if that is its result. */
static bool take_recorded(struct run *r, struct node *n)
{
	struct recorded_node was;
	int found = r->e->recorded ? recorded_find(r->e->recorded, r->id,
						   r->w->node[n->number].id, &was, r->err) : 0;

	if (found < 0)
		r->failed = true;
	if (found <= 0)
		return false;
	if (!*n->digest) {		/* it is decided without a request */
		n->logged = !was.digest.n;
		return false;
	}
	if (!lh_str_is(was.digest, n->digest, LH_SHA256_HEX))
		return false;
	n->logged = true;
	n->ms = was.duration_ms;
	snprintf(n->started, sizeof n->started, "%.*s", (int)was.started_at.n, was.started_at.p);
	if (was.output.p)
		lh_buf_add(&n->output, was.output.p, was.output.n);
	lh_buf_add(&n->error, was.error.p, was.error.n);
	if (lh_buf_check(&n->output, r->err) < 0 || lh_buf_check(&n->error, r->err) < 0)
		r->failed = true;
	finish(r, n, lh_str_is(was.status, "ok", 2) ? OK : FAILED);
	return true;
}

/* Skip a node if one that it depends on is not done well. */
static bool skip(struct run *r, struct node *n)
{
	const struct lh_workflow_edges *before = &r->w->before;
	size_t k;

	for (k = before->at[n->number]; k < before->at[n->number + 1]; k++) {
		const struct node *on = &r->node[before->to[k]];

		if (on->status == OK)
			continue;
		n->cause = on->status == SKIPPED ? on->cause : on->number;
		lh_buf_printf(&n->error, "upstream node %.*s failed",
			      (int)r->w->node[n->cause].id.n, r->w->node[n->cause].id.p);
		take_recorded(r, n);
		finish(r, n, SKIPPED);
		return true;
	}
	return false;
}

static double timeout_of(const struct run *r, const struct node *n)
{
	const double own = r->w->node[n->number].timeout;

	return own > 0 ? own : r->e->s->timeout > 0 ? r->e->s->timeout : n->mode->timeout;
}

static void start(struct run *r, struct node *n)
{
	const struct lh_workflow_node *node = &r->w->node[n->number];
	struct lh_err err;
	unsigned char hash[32];
	struct lh_sha256 s;

	if (skip(r, n))
		return;
	lh_tool_time(r->e->tool, n->started);
	n->ask.line.max = r->e->tool->max_line;
	if (lh_workflow_request(r->w, n->number, &r->values, &n->ask.line, &err) < 0) {
		lh_buf_reset(&n->ask.line);
		take_recorded(r, n);
		fail_with(r, n, &err);
		return;
	}
	n->ask.line.max = 0;
	lh_buf_putc(&n->ask.line, '\n');
	if (lh_buf_check(&n->ask.line, r->err) < 0) {
		r->failed = true;
		return;
	}
	lh_sha256_start(&s);
	lh_sha256_more(&s, node->mode.p, node->mode.n);
	lh_sha256_more(&s, "\n", 1);
	lh_sha256_more(&s, n->ask.line.p, n->ask.line.len);
	lh_sha256_end(&s, hash);
	lh_hex(hash, sizeof hash, n->digest);
	n->digest[LH_SHA256_HEX] = '\0';
	if (take_recorded(r, n))
		return;
	n->mode = modes_find(&r->e->modes, node->mode);
	n->ask.timeout = timeout_of(r, n);
	n->ask.read = n->mode->read;
	n->ask.answered = on_answer;
	n->from = lh_time_monotonic();
	n->status = WORKING;
	if (modes_ask(&r->e->modes, n->mode, &n->ask, &err) < 0)
		fail_with(r, n, &err);
	else
		r->working++;
}

/* ---- the run ---- */

static int prepare(struct run *r, const struct lh_workflow *w, struct lh_err *err)
{
	const size_t had = r->cap_node;
	uint32_t i;

	if (lh_grow(&r->node, &r->cap_node, w->n, sizeof *r->node, err) < 0)
		return -1;
	if (r->cap_node > had)
		memset(r->node + had, 0, (r->cap_node - had) * sizeof *r->node);
	if (lh_grow(&r->output, &r->cap_output, w->n, sizeof *r->output, err) < 0 ||
	    lh_grow(&r->ready, &r->cap_ready, w->n, sizeof *r->ready, err) < 0)
		return -1;
	r->first = r->last = r->working = r->printed = r->bytes = 0;
	memset(r->count, 0, sizeof r->count);
	r->failed = false;
	for (i = 0; i < w->n; i++) {
		struct node *n = &r->node[i];

		reuse(&n->ask.line);
		reuse(&n->output);
		reuse(&n->error);
		n->run = r;
		n->number = i;
		n->status = WAITING;
		n->waits = w->before.at[i + 1] - w->before.at[i];
		n->logged = false;
		*n->started = *n->digest = '\0';
		n->ms = 0;
		r->output[i] = (struct lh_value){ .p = NULL };
		if (!n->waits)
			r->ready[r->last++] = i;
	}
	return 0;
}

static int work(struct run *r)
{
	while (!r->failed && (r->first < r->last || r->working)) {
		while (!r->failed && r->first < r->last && r->working < r->e->jobs)
			start(r, &r->node[r->ready[r->first++]]);
		if (r->failed || !r->working)
			continue;
		if (lh_stopping()) {
			r->failed = true;
			lh_err_set(r->err, LH_EINTR, "interrupted");
		} else if (lh_tool_flush(r->e->tool) < 0) {
			r->failed = true;
			*r->err = r->e->tool->err;
		} else if (modes_turn(&r->e->modes, r->err) < 0) {
			r->failed = true;
		}
	}
	return r->failed ? -1 : 0;
}

int engine_run(struct engine *e, const struct lh_workflow *w, const struct lh_value *input,
	       const struct run_to *to, struct lh_buf *last, struct lh_err *err)
{
	const double from = lh_time_monotonic();
	struct run *r = e->run;
	uint64_t number;
	struct lh_writer line;

	if (!r)
		r = e->run = lh_calloc(1, sizeof *r, err);
	if (!r || prepare(r, w, err) < 0)
		return -1;
	r->e = e;
	r->w = w;
	r->to = to;
	r->err = err;
	r->values = (struct lh_workflow_values){ *input, r->output };
	number = ++r->e->runs;
	if (number == 1)
		snprintf(r->id, sizeof r->id, "%s", r->e->base);
	else
		snprintf(r->id, sizeof r->id, "%s.%llu", r->e->base, (unsigned long long)number);
	if (work(r) < 0) {
		struct lh_err why = *err;

		modes_kill(&e->modes);	/* nothing of this run is asked any more */
		*err = why;
		return -1;
	}
	line = lh_write_to(last);
	lh_write_object(&line, NULL);
	lh_write_str(&line, "workflow", r->w->name);
	lh_write_text(&line, "run", r->id);
	lh_write_text(&line, "status", r->count[OK] == r->w->n ? "ok" : "failed");
	lh_write_u64(&line, "nodes", r->w->n);
	lh_write_u64(&line, "ok", r->count[OK]);
	lh_write_u64(&line, "failed", r->count[FAILED]);
	lh_write_u64(&line, "skipped", r->count[SKIPPED]);
	lh_write_u64(&line, "duration_ms",
		     e->tool->now ? 0 : (uint64_t)((lh_time_monotonic() - from) * 1000));
	lh_write_end(&line);
	if (r->count[OK] < w->n)
		lh_tool_verdict_bad(e->tool);
	return lh_buf_check(last, err);
}

void run_free(struct run *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->cap_node; i++) {
		lh_buf_free(&r->node[i].ask.line);
		lh_buf_free(&r->node[i].output);
		lh_buf_free(&r->node[i].error);
	}
	lh_buf_free(&r->line);
	free(r->node);
	free(r->output);
	free(r->ready);
	free(r);
}
