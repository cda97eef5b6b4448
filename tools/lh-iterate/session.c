/* session.c - one session, and its row in the log.  See iterate.h. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/extract.h"
#include "memory/session.h"
#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "iterate.h"
#include "json/write.h"

/* ---- the log ---- */

struct session_log {
	struct lh_tool *tool;
	struct lh_applog file;
	pthread_mutex_t mutex;	/* flock does not exclude threads of the same process */
	uint64_t lost;
};

struct session_log *log_open(struct lh_tool *tool, const char *path)
{
	struct lh_err err;
	struct session_log *l = lh_calloc(1, sizeof *l);

	if (lh_applog_open(&l->file, path, 0600, tool->lock_timeout, &err) == 0) {
		l->tool = tool;
		pthread_mutex_init(&l->mutex, NULL);
		if (l->file.torn_at >= 0)
			lh_tool_warn(tool, "session log %s: a torn line at byte %lld", path,
				     (long long)l->file.torn_at);
		return l;
	}
	free(l);
	lh_tool_warn(tool, "no session log: %s", err.msg);
	return NULL;
}

void log_append(struct session_log *l, const struct lh_buf *row)
{
	struct lh_err err;

	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	if (lh_applog_append(&l->file, row->p, row->len, LH_SYNC_NONE, &err) < 0 && !l->lost++)
		lh_tool_warn(l->tool, "session log: %s", err.msg);
	pthread_mutex_unlock(&l->mutex);
}

void log_close(struct session_log *l)
{
	struct lh_err err;

	if (!l)
		return;
	if (l->lost)
		lh_tool_warn(l->tool, "session log: %s could not be written",
			     LH_N(l->lost, "row"));
	if (lh_applog_close(&l->file, &err) < 0)
		lh_tool_warn(l->tool, "session log: %s", err.msg);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}

/* ---- rows ---- */

struct worker {
	struct iterate *it;
	struct lh_session_reader reader;
};

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->it = ctx;
	lh_session_reader_init(&w->reader);
	return 0;
}

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_session_reader_free(&w->reader);
}

static int on_members(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;
	struct lh_session_row row;
	char now[32];

	if (lh_session_read(&w->reader, rec, &row, err) < 0)
		return -1;
	lh_tool_time(w->it->tool, now);
	row.timestamp = (struct lh_str){ now, strlen(now) };
	row.daemon = (struct lh_str){ w->it->daemon, strlen(w->it->daemon) };
	lh_session_print(out, &row);
	return 0;
}

int emit_run(struct lh_tool *tool, void *it)
{
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_members, .shared = it,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}

/* ---- a session ---- */

#define NO_JSON \
	"\n\nYour last answer held no JSON object. Answer with one JSON object and nothing else."
#define FAILED "\n\nYour last answer failed validation with this error:\n"
#define CORRECT "\nCorrect exactly that, and answer with one JSON object and nothing else."

#define TOLD 20		/* messages about failed chats, unless -v */

enum end { GOING, ACCEPTED, BROKEN, FATAL };

struct span {			/* in a buffer that may still move */
	size_t at, n;
};

struct session {		/* one per thread, used for many sessions */
	struct iterate *it;
	bool roster;		/* there is one */
	const struct lh_judged_by *by;
	struct lh_buf ids, asked;	/* of its decision */
	struct lh_chat *chat;
	struct lh_extract *extract;
	struct lh_validator *validator;
	struct request q;
	char id[LH_SESSION_ID];
	struct lh_str trace;	/* the session's id */
	double start;
	struct lh_buf text;	/* the request's strings */
	struct lh_buf model;	/* in the form for lh_chat */
	struct lh_buf prompt;	/* the current prompt */
	struct lh_buf history;	/* its elements */
	struct lh_buf artifact, report, row;
	struct lh_buf errors;	/* texts of errors, by attempt */
	struct lh_session_attempt attempt[TURNS_MAX];
	struct span error[TURNS_MAX];
	size_t turns;
	unsigned broken;	/* why a BROKEN one ended, as an HTTP status */
};

static void session_free(void *worker)
{
	struct session *s = worker;

	lh_buf_free(&s->text);
	lh_buf_free(&s->model);
	lh_buf_free(&s->prompt);
	lh_buf_free(&s->history);
	lh_buf_free(&s->artifact);
	lh_buf_free(&s->report);
	lh_buf_free(&s->row);
	lh_buf_free(&s->errors);
	lh_buf_free(&s->ids);
	lh_buf_free(&s->asked);
	lh_chat_free(s->chat);
	lh_extract_free(s->extract);
	lh_validator_free(s->validator);
}

/* Take down whom the validator looked up. */
static void looked_up(void *session, const char *id, size_t n, bool found)
{
	lh_decision_id(&((struct session *)session)->ids, (struct lh_str){ id, n }, found);
}

static int session_init(void *context, void *ctx, struct lh_err *err)
{
	const struct held *held = ctx;
	struct iterate *it = held->it;
	struct session *s = context;

	(void)err;
	s->it = it;
	s->roster = held->roster.roster;
	s->by = &held->by;
	s->extract = lh_extract_new();
	s->validator = lh_validator_new(&(struct lh_validate_how){
		.roster = held->roster.roster, .rules = held->rules,
		.roster_missing = it->rosters.later && !held->roster.roster,
		.looked_up = it->decisions ? looked_up : NULL, .ctx = s });
	if (!it->answers)
		s->chat = lh_chat_new(&(struct lh_chat_how){
			.timeout = it->timeout, .retries = (unsigned)it->retries,
			.stopping = lh_stopping,
			.no_files = it->tool->on_error == LH_ON_ERROR_EMIT }, held->keys);
	return 0;
}

static uint64_t since(const struct session *s, double start)
{
	double now = lh_time_monotonic();

	return s->it->tool->now || now < start ? 0 : (uint64_t)((now - start) * 1000);
}

/* ---- a turn ---- */

/* Return the model's name with the provider as its prefix, as lh_chat requires. */
static struct lh_str model_name(struct session *s)
{
	const struct lh_str *p = &s->q.provider, *m = &s->q.model;

	if ((p->n == 6 && memcmp(p->p, "ollama", 6) == 0) ||
	    (m->n > p->n && m->p[p->n] == '/' && memcmp(m->p, p->p, p->n) == 0))
		return *m;
	lh_buf_reset(&s->model);
	lh_buf_add(&s->model, p->p, p->n);
	lh_buf_putc(&s->model, '/');
	lh_buf_add(&s->model, m->p, m->n);
	return (struct lh_str){ s->model.p, s->model.len };
}

static int ask(struct session *s, struct lh_str *content, struct lh_err *err)
{
	struct lh_chat_message m[] = { { { "system", 6 }, s->q.preface },
				       { { "user", 4 }, { s->prompt.p, s->prompt.len } } };
	struct lh_chat_request ask = { .model = model_name(s),
				       .message = s->q.preface.n ? m : m + 1,
				       .n = s->q.preface.n ? 2 : 1,
				       .temperature = s->q.temperature,
				       .max_tokens = s->q.max_tokens,
				       .think = -1,
				       .trace = s->trace };
	struct lh_chat_reply reply;

	if (lh_chat_ask(s->chat, &ask, &reply, err) < 0)
		return -1;
	*content = reply.content;
	return 0;
}

/* Append an error's text, which may have any bytes, as UTF-8. */
static void put_clean(struct lh_buf *out, const char *text)
{
	bool valid = lh_utf8_valid(text, strlen(text));

	for (; *text; text++)
		lh_buf_putc(out, valid || !(*text & 0x80) ? *text : '?');
}

/* There is no answer: end the session, and the run if no other session could continue. */
static enum end no_answer(struct session *s, const struct lh_err *why)
{
	struct iterate *it = s->it;
	bool over = !why->status && why->code != LH_EDATA && why->code != LH_ENET;
	char code[16] = "";
	uint64_t before;

	if (why->status)
		snprintf(code, sizeof code, "%u ", why->status);
	lh_buf_puts(&s->errors, code);
	put_clean(&s->errors, why->msg);
	if (over)
		return FATAL;
	s->broken = why->status ? why->status : 502;
	before = atomic_fetch_add(&it->broken, 1);
	if (why->code == LH_ENET)
		lh_tool_record_failed(it->tool);
	if (before < TOLD || it->tool->verbose)
		lh_tool_message(it->tool, "session %.*s: %s%s",
				(int)(s->trace.n < 200 ? s->trace.n : 200), s->trace.p, code,
				why->msg);
	else if (before == TOLD)
		lh_tool_message(it->tool, "further messages suppressed (--verbose shows all)");
	return BROKEN;
}

static enum end answer(struct session *s, struct lh_str *content, struct lh_err *err)
{
	int rc;

	if (!s->it->answers)
		return ask(s, content, err) < 0 ? no_answer(s, err) : GOING;
	rc = answers_next(s->it->answers, content, err);
	if (rc > 0)
		return GOING;
	if (rc == 0) {
		atomic_fetch_add(&s->it->unanswered, 1);
		lh_err_set(err, LH_EDATA, "answers exhausted");
	}
	return no_answer(s, err);
}

/* Validate the object found: its verdict, and its error in every form needed. */
static int judge_answer(struct session *s, const struct lh_value *found, bool *good,
			struct lh_err *err)
{
	double start = lh_time_monotonic();
	struct lh_verdict verdict;
	struct lh_value artifact;

	lh_buf_reset(&s->artifact);
	lh_extract_put(&s->artifact, found);
	artifact = (struct lh_value){ s->artifact.p, s->artifact.len, LH_OBJECT, false };
	if (lh_validate(s->validator, &s->q.kind, &artifact, s->q.context.p ? &s->q.context : NULL,
			false, &verdict, err) < 0)
		return -1;
	if (verdict.status == 400)
		return lh_err_set(err, LH_EDATA, "%.*s", (int)verdict.message.n, verdict.message.p);
	lh_buf_reset(&s->report);
	lh_verdict_json(&s->report, &verdict, since(s, start), true);
	*good = verdict.status == 200;
	if (!*good)
		lh_validation_error_text(&s->errors, &verdict.error);
	return 0;
}

static enum end turn(struct session *s, struct lh_err *err)
{
	const char *status = LH_SESSION_NO_JSON;
	size_t from = s->errors.len;
	struct lh_buf *error = NULL;
	struct lh_value found;
	struct lh_str content;
	bool good = false;
	enum end end = answer(s, &content, err);
	int rc;

	if (end == GOING) {
		rc = lh_extract(s->extract, content.p, content.n, &found, err);
		if (rc > 0) {
			rc = judge_answer(s, &found, &good, err);
			error = good ? NULL : &s->report;
			status = good ? LH_SESSION_ACCEPTED : LH_SESSION_FAILED;
		}
		if (rc < 0) {
			put_clean(&s->errors, err->msg);
			end = FATAL;
		}
	}
	if (end == GOING) {
		/* Append an element to the history; error is JSON or empty. */
		struct lh_writer w = { &s->history, 0, s->history.len > 0 };

		lh_write_object(&w, NULL);
		lh_write_u64(&w, "iteration", s->turns);
		lh_write_str(&w, "raw", content);
		lh_write_object(&w, "status");
		lh_write_text(&w, "kind", status);
		if (error)
			lh_write_raw(&w, "error", (struct lh_str){ error->p, error->len });
		lh_write_end(&w);
		lh_write_end(&w);
	}
	if (end == GOING && !good) {
		lh_buf_puts(&s->prompt, error ? FAILED : NO_JSON);
		if (error) {
			lh_buf_add(&s->prompt, error->p, error->len);
			lh_buf_puts(&s->prompt, CORRECT);
		}
	}
	/* The error of the turn is what was added to errors since from. */
	s->attempt[s->turns] = (struct lh_session_attempt){
		.iteration = s->turns, .verdict_kind = end == GOING ? status : LH_SESSION_INFRA,
	};
	s->error[s->turns++] = (struct span){ from, s->errors.len - from };
	return end == GOING && good ? ACCEPTED : end;
}

/* ---- a session ---- */

static void put_output(struct session *s, struct lh_buf *out, enum end end)
{
	const struct span *error = &s->error[s->turns - 1];
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	if (end == ACCEPTED) {
		lh_write_raw(&w, "artifact", (struct lh_str){ s->artifact.p, s->artifact.len });
		lh_write_raw(&w, "validation", (struct lh_str){ s->report.p, s->report.len });
	} else if (end == BROKEN) {
		lh_write_str(&w, "error",
			     (struct lh_str){ error->n ? s->errors.p + error->at : "", error->n });
	} else {
		lh_write_key(&w, "error");
		lh_buf_printf(out, "\"max iterations reached (%llu)\"",
			      (unsigned long long)s->q.max_iterations);
	}
	lh_write_u64(&w, "iterations", s->turns);
	lh_write_array(&w, "history");
	lh_buf_add(out, s->history.p, s->history.len);
	lh_write_end(&w);
	lh_write_str(&w, "trace_id", s->trace);
	lh_write_u64(&w, "status", end == ACCEPTED ? 200 : end == BROKEN ? s->broken : 422);
	lh_write_end(&w);
}

static void log_row(struct session *s, enum end end)
{
	struct iterate *it = s->it;
	struct lh_session_row row = { .session_id = s->trace,
				      .daemon = { it->daemon, strlen(it->daemon) },
				      .kind = s->q.kind,
				      .model = s->q.model,
				      .provider = s->q.provider,
				      .prompt = lh_session_prompt(s->q.prompt.p, s->q.prompt.n),
				      .iterations = s->turns,
				      .max_iterations = s->q.max_iterations,
				      .attempt = s->attempt,
				      .n_attempts = s->turns,
				      .final_verdict = end == ACCEPTED ? LH_SESSION_ACCEPTED
					      : end == GOING	       ? LH_SESSION_EXHAUSTED
								       : LH_SESSION_INFRA,
				      .grounded = -1,
				      .duration_ms = since(s, s->start) };
	char now[32];
	size_t i;

	if (!it->log)
		return;
	lh_tool_time(it->tool, now);
	row.timestamp = (struct lh_str){ now, strlen(now) };
	if (end == ACCEPTED)
		row.artifact = (struct lh_str){ s->artifact.p, s->artifact.len };
	/* Every candidate of an accepted fill is in the roster. */
	if (end == ACCEPTED && s->roster && row.kind.n == 4 && memcmp(row.kind.p, "fill", 4) == 0)
		row.grounded = 1;
	for (i = 0; i < s->turns; i++)
		s->attempt[i].error =
			(struct lh_str){ s->error[i].n ? s->errors.p + s->error[i].at : NULL,
					 s->error[i].n };
	lh_buf_reset(&s->row);
	lh_session_print(&s->row, &row);
	log_append(it->log, &s->row);
}

/* Write what the session was asked. */
static void write_asked(struct session *s)
{
	struct lh_writer w;

	lh_buf_reset(&s->asked);
	w = lh_write_to(&s->asked);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "kind", s->q.kind);
	lh_write_str(&w, "prompt", s->q.prompt);
	if (s->q.context.p)
		lh_write_value(&w, "context", &s->q.context);
	lh_write_end(&w);
}

/* Append how the session ended to the log of decisions. */
static int decide(struct session *s, enum end end, struct lh_err *err)
{
	const struct lh_judged_by *by = s->by;
	struct lh_writer w;

	if (!s->it->decisions)
		return 0;
	write_asked(s);
	w = lh_decision_begin(&s->row, s->it->decisions, &(struct lh_decision){
		.asked = { s->asked.p, s->asked.len }, .trace = s->trace,
		.verdict = end == ACCEPTED ? LH_SESSION_ACCEPTED
			 : end == GOING	   ? LH_SESSION_EXHAUSTED : LH_SESSION_INFRA,
		.rules = *by->rules_version ? by->rules_version : NULL });
	lh_decision_judged(&w, by->roster, by->roster_version, &s->ids);
	lh_write_str(&w, "kind", s->q.kind);
	lh_write_u64(&w, "iterations", s->turns);
	return lh_decision_end(&w, s->it->decisions, err);
}

/* Check the part of the request that only the validator knows, with an empty
 * artifact, which no kind accepts. */
static int check_kind_and_context(struct session *s, struct lh_err *err)
{
	static const char none[2 + LH_PAD] = "{}";
	struct lh_verdict verdict;

	if (lh_validate(s->validator, &s->q.kind, &(struct lh_value){ none, 2, LH_OBJECT, false },
			s->q.context.p ? &s->q.context : NULL, false, &verdict, err) < 0)
		return -1;
	return verdict.status == 400
		? lh_err_set(err, LH_EDATA, "%.*s", (int)verdict.message.n, verdict.message.p)
		: 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *session, struct lh_err *err)
{
	struct session *s = session;
	uint64_t number = atomic_fetch_add(&s->it->records, 1) + 1;
	struct iterate *it = s->it;
	enum end end = GOING;
	int64_t ms;

	s->start = lh_time_monotonic();
	if (request_read(&s->q, it, rec, &s->text, err) < 0 || check_kind_and_context(s, err) < 0)
		return -1;
	s->trace = s->q.trace.n ? s->q.trace : it->trace;
	if (!s->trace.n) {
		if (it->tool->now && lh_time_read(it->tool->now, strlen(it->tool->now), &ms) == 0)
			lh_session_mint_at(s->id, ms, number);
		else
			lh_session_mint(s->id);
		s->trace = (struct lh_str){ s->id, strlen(s->id) };
	}
	atomic_fetch_add(&it->sessions, 1);
	lh_buf_reset(&s->prompt);
	lh_buf_add(&s->prompt, s->q.prompt.p, s->q.prompt.n);
	lh_buf_reset(&s->history);
	lh_buf_reset(&s->errors);
	lh_buf_reset(&s->ids);
	for (s->turns = 0; end == GOING && s->turns < s->q.max_iterations; )
		end = turn(s, err);
	log_row(s, end);
	if (end == FATAL || decide(s, end, err) < 0)
		return -1;
	if (end != ACCEPTED)
		atomic_fetch_add(&it->refused, 1);
	put_output(s, out, end);
	return 0;
}

/* Wait until the decisions are on disk before they are answered. */
static int before_output(void *it, struct lh_err *err)
{
	return lh_decisions_sync(((struct iterate *)it)->decisions, err);
}

int sessions_run(struct iterate *it, struct lh_held *held)
{
	return lh_records_run(it->tool, &(struct lh_flow){
		.map = on_record, .one_by_one = true, .held = held,
		.before_output = before_output, .shared = it,
		.context_size = sizeof(struct session), .context_init = session_init,
		.context_free = session_free });
}
