/* record.c - lh-observe record and inbox: make rows of events and messages. */
#include "base/num.h"
#include "base/time.h"
#include "json/bind.h"
#include "json/write.h"
#include "run.h"

/* Append the members that are not in the list, which ends with NULL, without braces. */
static void put_others(struct lh_buf *out, const struct lh_record *rec, const char *const *names)
{
	struct lh_writer w = { out, 1, out->len > 0 };
	size_t i, j;

	for (i = 0; i < rec->n; i++) {
		const struct lh_value *key = &rec->member[i].key, *v = &rec->member[i].val;

		for (j = 0; names[j]; j++)
			if (lh_value_is(key, names[j], strlen(names[j])))
				break;
		if (names[j])
			continue;
		lh_write_raw(&w, NULL, (struct lh_str){ key->p, key->n });
		lh_buf_putc(out, ':');
		lh_buf_add(out, v->p, v->n);
	}
}

static struct run *run_of(const struct lh_call *call)
{
	return &((struct settings *)call->settings)->run;
}

/* Append the row to the log and to out. */
static int deliver(struct run *r, const struct lh_buf *row, struct lh_buf *out, struct lh_err *err)
{
	if (run_open(r, err) < 0 || lh_observe_append(&r->log, row->p, row->len, err) < 0)
		return -1;
	lh_buf_add(out, row->p, row->len);
	return 0;
}

/* names: of the members that are in the row already; "op", which is first, is the request's, and
 * else like any unknown member. */
static int deliver_row(const struct lh_call *call, struct lh_observe_row *row,
		       const char *const *names, struct lh_buf *out, struct lh_err *err)
{
	struct run *r = run_of(call);
	char now[32];

	if (!row->timestamp.n) {
		lh_tool_time(r->tool, now);
		row->timestamp = lh_str_of(now);
	}
	put_others(&r->more, call->rec, names + !call->omit);
	row->more = (struct lh_str){ r->more.p, r->more.len };
	lh_buf_reset(&r->line);
	lh_observe_print(&r->line, row);
	return deliver(r, &r->line, out, err);
}

/* ---- events ---- */

struct event {
	struct lh_str timestamp, source, endpoint, input, output, error;
	int success;
	double duration;
	struct lh_value duration_text;
};
static const struct lh_bind event_members[] = {
	{ LH_BIND_STRING("timestamp", struct event, timestamp), LH_BIND_TIME },
	{ LH_BIND_STRING("source", struct event, source) },
	{ LH_BIND_STRING("endpoint", struct event, endpoint), .required = true, .filled = true },
	{ LH_BIND_STRING("input_summary", struct event, input) },
	{ LH_BIND_TRUTH("success", struct event, success) },
	{ LH_BIND_F64("duration_ms", struct event, duration, 0, LH_OBSERVE_MS),
	  .as_written = LH_BIND_FIELD(struct event, duration_text) },
	{ LH_BIND_STRING("output_summary", struct event, output) },
	{ LH_BIND_STRING("error", struct event, error) },
	LH_BIND_END
};
#define ROW_MEMBERS "op", "timestamp", "source", "endpoint", "success", "duration_ms", "error"
static const char *const event_names[] = { ROW_MEMBERS, "input_summary", "output_summary", NULL };

static struct lh_str source_of(const struct run *r, struct lh_str given)
{
	if (given.n)
		return given;
	return lh_str_of(r->s->source ? r->s->source : LH_OBSERVE_SOURCE);
}

static int event_row(const struct lh_call *call, struct lh_buf *out, struct lh_err *err)
{
	struct run *r = run_of(call);
	struct event e = { .success = -1 };
	struct lh_observe_row row;

	if (lh_bind(event_members, call->rec, &e, &r->strings, err) < 0)
		return -1;
	row = (struct lh_observe_row){
		.timestamp = e.timestamp, .source = source_of(r, e.source),
		.endpoint = e.endpoint, .input_summary = e.input, .output_summary = e.output,
		.error = e.error, .success = e.success < 0 ? !e.error.n : e.success,
		.duration_ms = { e.duration_text.p, e.duration_text.n },
	};
	return deliver_row(call, &row, event_names, out, err);
}

static int access_row(const struct lh_call *call, struct lh_buf *out, struct lh_err *err)
{
	struct run *r = run_of(call);
	char ms[LH_F64_MAX];
	const struct lh_value *own = lh_record_get(call->rec, "source");
	const struct lh_str none = { NULL, 0 };
	struct lh_observed o;
	struct lh_observe_row row;

	own = own && own->type == LH_STRING && own->n > 2 ? own : NULL;	/* more than "" */
	if (lh_observe_read(call->rec, &o, &r->strings, err) < 0)
		return -1;
	if (o.timestamp.n && !lh_bind_is_time(NULL, o.timestamp))
		return lh_err_set(err, LH_EDATA,
				  "\"time\" must be a time like 2026-05-03T12:00:00Z");
	row = (struct lh_observe_row){
		.timestamp = o.timestamp, .source = source_of(r, own ? o.source : none),
		.endpoint = o.endpoint, .success = o.success,
	};
	if (o.duration_ms >= 0)
		row.duration_ms = (struct lh_str){ ms, lh_f64_print(ms, o.duration_ms) };
	return deliver_row(call, &row, (const char *const[]){ ROW_MEMBERS, NULL }, out, err);
}

/* A session row is stored as it is; "op" belongs to the request. */
static int session_row(const struct lh_call *call, struct lh_buf *out, struct lh_err *err)
{
	struct run *r = run_of(call);
	struct lh_observed o;
	struct lh_writer w;

	if (lh_observe_read(call->rec, &o, &r->strings, err) < 0)
		return -1;
	lh_buf_reset(&r->line);
	w = lh_write_record(&r->line, call->rec, &call->omit, call->omit != NULL);
	lh_write_end(&w);
	return deliver(r, &r->line, out, err);
}

int record_event(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	(void)in;
	lh_buf_reset(&run_of(call)->more);
	switch (lh_observe_kind(call->rec)) {
	case LH_OBSERVE_SESSION: return session_row(call, out, err);
	case LH_OBSERVE_ACCESS: return access_row(call, out, err);
	default: return event_row(call, out, err);
	}
}

/* ---- the inbox ---- */

#define BODY_MAX ((size_t)8 << 10)	/* bytes */
#define LINE_MAX_CHARS 256		/* code points of subject, sender and tag */

static const char *const types[] = { "email", "sms", NULL };
static const char *const endpoints[] = { "inbox.email", "inbox.sms" };
static const char *const priorities[] = { "urgent", "high", "medium", "low", "", NULL };

const struct lh_bind message_members[] = {
	{ LH_BIND_INDEX("type", struct message, type, types), .required = true },
	{ LH_BIND_STRING("sender", struct message, sender) },
	{ LH_BIND_STRING("subject", struct message, subject) },
	{ LH_BIND_STRING("body", struct message, body), .required = true, .filled = true },
	{ LH_BIND_CHOICE("priority", struct message, priority, priorities) },
	{ LH_BIND_STRING("tag", struct message, tag) },
	LH_BIND_END
};
static const char *const message_names[] = { ROW_MEMBERS, "type", "sender", "subject", "body",
					     "priority", "tag", NULL };

/* Write a text of one line: without CR and LF, truncated. */
static void write_line(struct lh_writer *w, const char *name, struct lh_str s, struct lh_buf *clean)
{
	size_t i, chars = 0;

	lh_buf_reset(clean);
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' || s.p[i] == '\n')
			continue;
		if (((unsigned char)s.p[i] & 0xc0) != 0x80 && chars++ == LINE_MAX_CHARS)
			break;
		lh_buf_putc(clean, s.p[i]);
	}
	lh_write_str(w, name, (struct lh_str){ clean->p, clean->len });
}

int record_message(const struct lh_call *call, const void *in, struct lh_buf *out,
		   struct lh_err *err)
{
	struct run *r = run_of(call);
	const struct message *m = in;
	struct lh_observe_row row = { .source = lh_str_of("inbox"), .success = true };
	struct lh_writer w = lh_write_to(&r->more);

	if (m->body.n > BODY_MAX)
		return lh_err_data(err, 413, "\"body\" must be at most %zu bytes", BODY_MAX);
	row.endpoint = lh_str_of(endpoints[m->type]);
	lh_buf_reset(&r->more);
	lh_write_text(&w, "type", types[m->type]);
	write_line(&w, "sender", m->sender, &r->line);
	write_line(&w, "subject", m->subject, &r->line);
	lh_write_str(&w, "body", m->body);
	lh_write_text(&w, "priority", m->priority && *m->priority ? m->priority : "medium");
	if (m->tag.n)
		write_line(&w, "tag", m->tag, &r->line);
	return deliver_row(call, &row, message_names, out, err);
}

/* The commands: the log is opened first, so that one that cannot be is a failure. */
int observe_record(struct lh_tool *tool, void *settings)
{
	return run_open(&((struct settings *)settings)->run, &tool->err) < 0
		? -1 : lh_op_run(tool, settings);
}
