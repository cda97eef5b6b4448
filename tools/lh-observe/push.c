/* push.c - lh-observe push: send the rows after the cursor as spans of OpenTelemetry. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "crypto/secret.h"
#include "json/bind.h"
#include "json/document.h"
#include "model/http.h"
#include "run.h"

/* ---- the parts ---- */

#define HASH_HEX 32		/* digits of the hash of a row */
#define SPAN_HEX 16		/* digits of the id of a span */

/* ---- rows ---- */

struct attempt {
	uint64_t iteration;
	struct lh_str verdict, error, span_id;
	struct lh_value raw;
};

/* A row with what is sent of it. */
struct exported {
	enum lh_observe_kind kind;
	struct lh_str source, endpoint, input, output, error, trace;
	int64_t start, end;		/* milliseconds since 1970 */
	bool success;
	/* of a session */
	struct lh_str session, session_kind, model, provider, prompt, verdict;
	struct attempt *attempt;
	size_t n_attempts;
	/* made from the bytes of the row and its offset */
	char hash[HASH_HEX];
};

/* ---- batches ---- */

enum item_state { PENDING, ACCEPTED, REJECTED };

/* A row of a batch. */
struct item {
	uint64_t at, end, number;	/* offsets in the log; line number */
	size_t line, n_line;		/* its bytes, in batch.lines */
	size_t json, n_json;		/* its spans, in batch.json */
	enum item_state state;
	const char *why;		/* it was rejected */
};

struct batch {
	struct item *v;
	size_t n, cap;
	struct lh_buf lines, json;
};

struct push {
	struct run *run;
	const char *service;		/* "otlp", or "langfuse", which takes the same */
	char *url;			/* with the path */
	char *cursor_path;
	struct lh_secret secret[3];	/* the keys; the pair or the token; the pair in base64 */
	struct lh_http *http;
	struct batch batch;
	struct lh_buf body, scratch;
	struct lh_record answer;
	struct reading reading;
	struct lh_records *records;
	uint64_t line;			/* number of the last line before the cursor */
	uint64_t offset;		/* of the cursor */
	uint64_t sent, rejected;
};

/* Of a request, around the spans. */
static const char otlp_head[] =
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
	"\"value\":{\"stringValue\":\"lakehouse-tools\"}}]},\"scopeSpans\":[{\"scope\":"
	"{\"name\":\"lh-observe\",\"version\":\"" LH_VERSION "\"},\"spans\":[";
static const char otlp_tail[] = "]}]}]}";

/* ---- the cursor ---- */

/* Read the cursor, if there is one, and hold it against the log. */
static int cursor_read(struct push *p, struct lh_err *err)
{
	LH_SCOPED(lh_cursor_free) struct lh_cursor c = { 0 };
	const char *path = p->cursor_path, *name = p->service;
	int rc = p->run->s->restart ? 0 : lh_cursor_read(&c, path, err);

	if (rc <= 0)
		return rc;
	if (!lh_str_is(c.to, name, strlen(name)))
		return lh_err_set(err, LH_EUSAGE, "%s: is the cursor of another service: %.*s",
				  path, (int)(c.to.n < 40 ? c.to.n : 40), c.to.p);
	rc = lh_cursor_holds(&c, p->reading.fd, err);
	if (rc < 0)
		return lh_err_prefix(err, "%s", p->run->path);
	if (!rc)
		return lh_err_set(err, LH_EIO, "%s: was replaced or truncated: what %s "
				  "describes, %llu bytes, is not in it; --restart begins at its "
				  "start", p->run->path, path, (unsigned long long)c.offset);
	p->offset = c.offset;
	p->line = c.line;
	return 0;
}

/* Read the cursor, if there is one, and hold it against the log. */
static int cursor_write(struct push *p, uint64_t offset, uint64_t line, struct lh_err *err)
{
	if (lh_cursor_write(p->cursor_path, lh_str_of(p->service), p->reading.fd, offset,
			    line, err) < 0)
		return -1;
	p->offset = offset;
	p->line = line;
	return 0;
}

/* ---- rows as they are exported ---- */

#define YEAR_0 (-62167219200000)	/* milliseconds */

static const struct lh_bind attempt_members[] = {
	{ LH_BIND_U64("iteration", struct attempt, iteration, 0, INT64_MAX) },
	{ LH_BIND_STRING("verdict_kind", struct attempt, verdict) },
	{ LH_BIND_STRING("error", struct attempt, error) },
	{ LH_BIND_STRING("span_id", struct attempt, span_id) },
	{ LH_BIND_SOME("raw", struct attempt, raw) },
	LH_BIND_END
};
static const struct lh_bind session_members[] = {
	{ LH_BIND_STRING("session_id", struct exported, session), .required = true,
	  .filled = true },
	{ LH_BIND_STRING("kind", struct exported, session_kind) },
	{ LH_BIND_STRING("model", struct exported, model) },
	{ LH_BIND_STRING("provider", struct exported, provider) },
	{ LH_BIND_STRING("prompt", struct exported, prompt) },
	{ LH_BIND_STRING("final_verdict", struct exported, verdict) },
	{ LH_BIND_TABLES("attempts", struct exported, attempt, n_attempts, attempt_members) },
	LH_BIND_END
};
static const struct lh_bind operation_members[] = {
	{ LH_BIND_STRING("input_summary", struct exported, input), .lax = true },
	{ LH_BIND_STRING("output_summary", struct exported, output), .lax = true },
	{ LH_BIND_STRING("error", struct exported, error), .lax = true },
	{ LH_BIND_STRING("trace_id", struct exported, trace), .lax = true },
	LH_BIND_END
};

static int set_times(struct exported *e, const struct lh_observed *o, struct lh_err *err)
{
	if (lh_time_read(o->timestamp.p, o->timestamp.n, &e->end) < 0)
		return lh_err_set(err, LH_EDATA, "the timestamp is not an RFC 3339 time");
	e->start = e->end;
	if (o->duration_ms > 0)
		e->start -= (int64_t)o->duration_ms;
	if (e->start < YEAR_0)
		e->start = e->end;
	return 0;
}

/* Read a row; its strings are in *text or the record.  LH_EDATA. */
static int exported_read(const struct lh_record *rec, const struct lh_observed *o,
			 const struct lh_log_line *line, struct exported *e, struct lh_buf *text,
			 struct lh_err *err)
{
	bool session = o->kind == LH_OBSERVE_SESSION;
	unsigned char sum[32];
	struct lh_sha256 sha;
	char at[32];
	int n;

	*e = (struct exported){
		.kind = o->kind, .source = o->source, .endpoint = o->endpoint,
		.success = o->success
	};
	/* Hash the row with its offset: two equal rows of a log differ. */
	n = snprintf(at, sizeof at, "%llu:", (unsigned long long)line->at);
	lh_sha256_start(&sha);
	lh_sha256_more(&sha, at, (size_t)n);
	lh_sha256_more(&sha, line->p, line->n);
	lh_sha256_end(&sha, sum);
	lh_hex(sum, HASH_HEX / 2, e->hash);
	return set_times(e, o, err) < 0 ||
	       lh_bind(session ? session_members : operation_members, rec, e, text, err) < 0
		? -1 : 0;
}

/* Make the id of the row's i-th span. */
static void exported_span(const struct exported *e, size_t i, char out[SPAN_HEX])
{
	unsigned char sum[32];
	char text[HASH_HEX + 32];
	int n = snprintf(text, sizeof text, "%.*s:%zu", HASH_HEX, e->hash, i);

	lh_sha256(text, (size_t)n, sum);
	lh_hex(sum, SPAN_HEX / 2, out);
}

static bool is_trace_hex(struct lh_str s)
{
	size_t i, zeros = 0;

	for (i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
		zeros += s.p[i] == '0';
	}
	return s.n == HASH_HEX && zeros < HASH_HEX;
}

/* Make the id of the row's trace, in hex: of its session, else of its trace_id, else its own. */
static void exported_trace(const struct exported *e, char out[HASH_HEX])
{
	struct lh_str id = e->session.n ? e->session : e->trace;
	unsigned char sum[32];

	if (!id.n) {
		memcpy(out, e->hash, HASH_HEX);
	} else if (is_trace_hex(id)) {
		memcpy(out, id.p, HASH_HEX);
	} else {
		lh_sha256(id.p, id.n, sum);
		lh_hex(sum, HASH_HEX / 2, out);
	}
}

/* Return when attempt i began, and i + 1: the duration of a session is divided evenly. */
static int64_t exported_time(const struct exported *e, size_t i)
{
	int64_t n = e->n_attempts ? (int64_t)e->n_attempts : 1, all = e->end - e->start;

	return e->start + all / n * (int64_t)i + all % n * (int64_t)i / n;
}

/* ---- batches ---- */

/* Append text without the keys. */
static void push_scrub(const struct push *p, const char *text, size_t n, size_t most,
		       struct lh_buf *out)
{
	lh_secret_scrub(p->secret, sizeof p->secret / sizeof *p->secret, text, n, most, out);
}

/* Replace the message of an error by one without the keys. */
static int scrub_error(const struct push *p, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	push_scrub(p, err->msg, strlen(err->msg), sizeof err->msg - 1, &text);
	if (text.len < sizeof err->msg) {
		memcpy(err->msg, text.p ? text.p : "", text.len);
		err->msg[text.len] = '\0';
	}
	return -1;
}

static void make_body(struct push *p, struct item **v, size_t n)
{
	size_t i;

	lh_buf_reset(&p->body);
	lh_buf_puts(&p->body, otlp_head);
	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(&p->body, ',');
		lh_buf_add(&p->body, p->batch.json.p + v[i]->json, v[i]->n_json);
	}
	lh_buf_puts(&p->body, otlp_tail);
}

static int send_items(struct push *p, struct item **v, size_t n, struct lh_err *err);

static int send_halves(struct push *p, struct item **v, size_t n, struct lh_err *err)
{
	return send_items(p, v, n / 2, err) < 0 ? -1 : send_items(p, v + n / 2, n - n / 2, err);
}

static int otlp_take(struct push *p, const struct lh_http_reply *reply, struct lh_err *err);

/* Send these items.  A request that is too large is divided. */
static int send_items(struct push *p, struct item **v, size_t n, struct lh_err *err)
{
	struct lh_http_call call = { .url = p->url };
	struct lh_http_reply reply;
	size_t i;

	make_body(p, v, n);
	if (p->body.len > p->run->s->batch_size && n > 1)
		return send_halves(p, v, n, err);
	call.body = p->body.p;
	call.n = p->body.len;
	if (!p->run->s->otlp)
		call.basic = (const char *)p->secret[1].p;
	else
		call.bearer = (const char *)p->secret[1].p;
	if (lh_http_call(p->http, &call, &reply, err) < 0)
		return scrub_error(p, err);
	if (reply.status == 413 && n > 1)
		return send_halves(p, v, n, err);
	if (reply.status == 413) {
		v[0]->state = REJECTED;
		v[0]->why = "too large for the server";
		return 0;
	}
	if (reply.status / 100 != 2) {
		lh_http_refuse(err, p->url, &reply, NULL);
		return scrub_error(p, err);
	}
	if (otlp_take(p, &reply, err) < 0)
		return scrub_error(p, err);
	for (i = 0; i < n; i++)
		v[i]->state = ACCEPTED;
	return 0;
}

/* Send the items: each is then accepted or rejected; LH_ENET if that cannot be. */
static int push_batch(struct push *p, struct lh_err *err)
{
	struct batch *b = &p->batch;
	LH_SCOPED(lh_free_local) struct item **v = lh_calloc(b->n + 1, sizeof *v);
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		if (b->v[i].state == PENDING)
			v[n++] = &b->v[i];
	return n ? send_items(p, v, n, err) : 0;
}

/* ---- spans ---- */

enum { INTERNAL = 1, SERVER = 2 };	/* kinds of a span */
enum { OK = 1, ERROR = 2 };		/* codes of a status */

/* ---- spans ---- */

static json_t *text_of(struct lh_str s)
{
	return s.n ? json_stringn_nocheck(s.p, s.n) : NULL;
}

/* 64 bits of nanoseconds are the years 1970 to 2554; what is outside is at their end. */
static json_t *nanos_of(int64_t ms)
{
	unsigned long long ns = ms > 0 ? (unsigned long long)ms : 0;

	return json_sprintf("%llu", ns < UINT64_MAX / 1000000 ? ns * 1000000
							      : (unsigned long long)UINT64_MAX);
}

static void add_attribute(json_t *span, const char *key, const char *type, json_t *value)
{
	if (value)
		json_array_append_new(json_object_get(span, "attributes"),
				      json_pack("{s:s,s:{s:o}}", "key", key, "value", type, value));
}

static void add_text(json_t *span, const char *key, struct lh_str value)
{
	add_attribute(span, key, "stringValue", text_of(value));
}

/* Add the row's i-th span, without attributes. */
static json_t *add_span(json_t *to, const struct exported *e, size_t i, json_t *name, bool good,
			struct lh_str error)
{
	char trace[HASH_HEX], id[SPAN_HEX], parent[SPAN_HEX];
	json_t *span;

	exported_trace(e, trace);
	exported_span(e, i, id);
	exported_span(e, 0, parent);
	span = json_pack("{s:s%,s:s%,s:o*,s:o,s:i,s:o,s:o,s:[],s:{s:i,s:o*}}",
			 "traceId", trace, (size_t)HASH_HEX, "spanId", id, (size_t)SPAN_HEX,
			 "parentSpanId", i ? json_stringn(parent, SPAN_HEX) : NULL, "name", name,
			 "kind", e->kind == LH_OBSERVE_ACCESS ? SERVER : INTERNAL,
			 "startTimeUnixNano", nanos_of(i ? exported_time(e, i - 1) : e->start),
			 "endTimeUnixNano", nanos_of(i ? exported_time(e, i) : e->end),
			 "attributes", "status", "code", good ? OK : ERROR,
			 "message", good ? NULL : text_of(error));
	json_array_append_new(to, span);
	return span;
}

static void add_attempt(json_t *to, const struct exported *e, size_t i)
{
	const struct attempt *a = &e->attempt[i];
	const unsigned long long iteration = a->iteration;
	const struct lh_str raw = { a->raw.p, a->raw.n };
	json_t *span = add_span(to, e, i + 1, json_sprintf("iterate.attempt[%llu]", iteration),
				lh_str_is(a->verdict, "accepted", 8), a->error);

	add_attribute(span, "lh.iteration", "intValue", json_sprintf("%llu", iteration));
	add_text(span, "gen_ai.request.model", e->model);
	add_text(span, "gen_ai.provider.name", e->provider);
	add_text(span, "lh.prompt", e->prompt);
	add_text(span, "lh.verdict", a->verdict);
	add_attribute(span, "lh.raw", "stringValue", a->raw.type == LH_STRING && raw.p
		      ? lh_document_kept(raw) : text_of(raw));
}

/* Append the spans of a row, with commas between them. */
static void otlp_put(struct lh_buf *out, const struct exported *e)
{
	LH_SCOPED(lh_document_free) json_t *spans = json_array();
	json_t *span = add_span(spans, e, 0, text_of(e->endpoint), e->success, e->error);
	size_t i;

	add_text(span, "lh.source", e->source);
	add_text(span, "lh.input_summary", e->input);
	add_text(span, "lh.output_summary", e->output);
	add_text(span, "lh.trace_id", e->trace);
	add_text(span, "lh.session_id", e->session);
	add_text(span, "lh.kind", e->session_kind);
	add_text(span, "gen_ai.request.model", e->model);
	add_text(span, "gen_ai.provider.name", e->provider);
	add_text(span, "lh.verdict", e->verdict);
	for (i = 0; i < e->n_attempts; i++)
		add_attempt(spans, e, i);
	json_array_foreach(spans, i, span) {
		lh_buf_puts(out, i ? "," : "");
		lh_document_write(out, span);
	}
}

/* ---- answers ---- */

struct partial {
	struct lh_str rejected, message;
};
static const struct lh_bind partial_members[] = {
	{ LH_BIND_ID("rejectedSpans", struct partial, rejected) },
	{ LH_BIND_STRING("errorMessage", struct partial, message) },
	LH_BIND_END
};
struct answer {
	struct partial partial;
};
static const struct lh_bind answer_members[] = {
	{ LH_BIND_TABLE("partialSuccess", struct answer, partial, partial_members) },
	LH_BIND_END
};

/* Read the answer to a request, whose status is 2xx. */
static int otlp_take(struct push *p, const struct lh_http_reply *reply, struct lh_err *err)
{
	struct answer a = { 0 };
	struct lh_value root;

	if (reply->len && (lh_json_parse(&p->answer, reply->body, reply->len, &root, err) < 0 ||
			   lh_bind_value(answer_members, &root, &a, &p->scratch, err) < 0))
		return lh_http_refuse(err, p->url, reply, "not an answer of an OTLP server");
	if (a.partial.rejected.n || a.partial.message.n) {
		/* The server does not say which spans it does not take, and they must not be
		 * sent again. */
		LH_SCOPED(lh_buf_free) struct lh_buf why = { 0 };
		uint64_t rejected = run_number(a.partial.rejected);

		push_scrub(p, a.partial.message.p, a.partial.message.n, 200, &why);
		lh_tool_warn(p->run->tool, "%s rejected: %.*s", LH_N(rejected, "span"),
			     (int)why.len, why.p ? why.p : "");
		p->rejected += rejected;
		if (rejected)
			lh_tool_verdict_bad(p->run->tool);
	}
	return 0;
}

/* ---- the account ---- */

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static int set_url(struct push *p, const char *base, const char *name, const char *path,
		   struct lh_err *err)
{
	size_t n = strlen(base);
	LH_SCOPED(lh_buf_free) struct lh_buf url = { 0 };

	if (lh_http_check_kept_url(base, err) < 0)
		return lh_err_prefix(err, "%s", name);
	if (strpbrk(base, "?#"))
		return lh_err_set(err, LH_EUSAGE, "%s: a path is added to it, so it may hold no ? "
				  "and no #", name);
	while (n && base[n - 1] == '/')
		n--;
	lh_buf_add(&url, base, n);
	lh_buf_puts(&url, path);
	p->url = lh_strndup(url.p, url.len);
	return 0;
}

static void set_secret(struct lh_secret *s, const char *a, const char *between, const char *b)
{
	size_t n = strlen(a) + strlen(between) + strlen(b);

	lh_secret_alloc(s, n + 1);
	s->n = (size_t)snprintf((char *)s->p, n + 1, "%s%s%s", a, between, b);
}

static void set_pair(struct push *p, const char *public, const char *secret)
{
	LH_SCOPED(lh_buf_free) struct lh_buf coded = { 0 };

	set_secret(&p->secret[0], secret, "", "");
	set_secret(&p->secret[1], public, ":", secret);
	lh_buf_base64(&coded, p->secret[1].p, p->secret[1].n);
	lh_buf_putc(&coded, '\0');
	set_secret(&p->secret[2], coded.p, "", "");
	explicit_bzero(coded.p, coded.len);
}

static int check_key(const char *name, const char *key, struct lh_err *err)
{
	if (!key)
		return lh_err_set(err, LH_EUSAGE, "%s is not set", name);
	return lh_http_check_bearer(key, err) < 0 ? lh_err_prefix(err, "%s", name) : 0;
}

/* Read the keys and the address. */
static int push_account(struct push *p, struct lh_err *err)
{
	const char *url = p->run->s->otlp, *token = variable("LH_OTLP_TOKEN");
	const char *public = variable("LANGFUSE_PUBLIC_KEY");
	const char *secret = variable("LANGFUSE_SECRET_KEY");

	if (url) {
		if (set_url(p, url, "--otlp", "/v1/traces", err) < 0)
			return -1;
		if (!token)
			return 0;
		if (check_key("LH_OTLP_TOKEN", token, err) < 0)
			return -1;
		set_secret(&p->secret[1], token, "", "");
		return 0;
	}
	url = variable("LANGFUSE_URL");
	if (!url)
		return lh_err_set(err, LH_EUSAGE,
				  "LANGFUSE_URL is not set, and there is no --otlp");
	if (check_key("LANGFUSE_PUBLIC_KEY", public, err) < 0 ||
	    check_key("LANGFUSE_SECRET_KEY", secret, err) < 0 ||
	    set_url(p, url, "LANGFUSE_URL", "/api/public/otel/v1/traces", err) < 0)
		return -1;
	set_pair(p, public, secret);
	return 0;
}

/* ---- batches ---- */

static void batch_add(struct push *p, const struct lh_log_line *line, const struct exported *e)
{
	struct batch *b = &p->batch;
	struct item *it;

	lh_grow(&b->v, &b->cap, b->n + 1, sizeof *b->v);
	it = &b->v[b->n++];
	*it = (struct item){
		.at = line->at, .end = line->end, .number = p->line, .line = b->lines.len,
		.n_line = line->n, .json = b->json.len
	};
	lh_buf_add(&b->lines, line->p, line->n);
	otlp_put(&b->json, e);
	it->n_json = b->json.len - it->json;
	if (it->n_json > p->run->s->batch_size) {
		it->state = REJECTED;
		it->why = "larger than --batch-size";
	}
}

/* Report the rejected rows. */
static int report_rejected(struct push *p)
{
	struct batch *b = &p->batch;
	size_t i;

	for (i = 0; i < b->n; i++) {
		const struct item *it = &b->v[i];

		if (it->state == ACCEPTED) {
			p->sent++;
			continue;
		}
		if (it->state == PENDING)
			continue;
		p->rejected++;
		if (lh_records_reject(p->records, &(struct lh_rejection){
			    .file = p->run->path, .line = it->number, .operand = 1,
			    .record = b->lines.p + it->line, .n = it->n_line, .code = LH_EDATA,
			    .status = 413, .why = it->why }) < 0)
			return -1;
	}
	return lh_records_delivered(p->records, b->n);
}

/* Send the batch, and move the cursor after it; after a failure, to the first row that was
 * not accepted. */
static int deliver(struct push *p, uint64_t end, uint64_t line, struct lh_err *err)
{
	struct batch *b = &p->batch;
	struct lh_err later;
	size_t i;

	if (push_batch(p, err) == 0) {
		if (report_rejected(p) < 0 || cursor_write(p, end, line, err) < 0)
			return -1;
		b->n = 0;
		lh_buf_reset(&b->lines);
		lh_buf_reset(&b->json);
		return 0;
	}
	for (i = 0; i < b->n && b->v[i].state == ACCEPTED; i++)
		;
	if (i) {
		p->sent += i;
		cursor_write(p, b->v[i - 1].end, b->v[i - 1].number, &later);
	}
	return -1;
}

/* Add the line to the batch, which is sent when it is full. */
static int add_line(struct push *p, const struct lh_log_line *line, struct lh_err *err)
{
	struct batch *b = &p->batch;
	const struct settings *s = p->run->s;
	struct lh_observed o;
	struct exported e;
	int rc = reading_row(&p->reading, line, &o, err);

	if (rc <= 0)
		return rc;
	if (exported_read(&p->reading.rec, &o, line, &e, &p->scratch, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		reading_skip(&p->reading, line, err->msg);
		return 0;
	}
	batch_add(p, line, &e);
	return b->n >= s->batch || b->json.len >= s->batch_size ? 1 : 0;
}

static int send_rows(struct push *p, struct lh_err *err)
{
	struct lh_log_line line;
	uint64_t end = p->offset;
	int rc;

	if (p->reading.fd < 0)
		return 0;
	while ((rc = lh_log_lines_next(&p->reading.lines, &line, err)) > 0) {
		p->line++;
		end = line.end;
		rc = add_line(p, &line, err);
		if (rc > 0)
			rc = deliver(p, end, p->line, err);
		if (rc < 0)
			return -1;
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	return rc < 0 ? -1 : end > p->offset ? deliver(p, end, p->line, err) : 0;
}

/* ---- the command ---- */

static int open_all(struct push *p, struct lh_err *err)
{
	const struct settings *s = p->run->s;
	struct lh_http_opts opts = {
		.timeout = s->timeout, .retries = (unsigned)s->retries, .stopping = lh_stopping
	};

	if (reading_open(&p->reading, p->run, err) < 0) {
		p->reading.fd = -1;
		return -1;
	}
	if (cursor_read(p, err) < 0)
		return -1;
	lh_log_lines_open(&p->reading.lines, p->reading.fd, p->run->path, p->offset,
			  p->run->tool->max_line);
	p->http = lh_http_new(&opts, err);
	if (p->http)
		p->records = lh_records_begin(p->run->tool);
	return p->records ? 0 : -1;
}

static int push_all(struct push *p, struct lh_err *err)
{
	static const char *const names[] = { "sent", "rejected", "skipped", "offset" };
	struct lh_tool *tool = p->run->tool;
	int rc = open_all(p, err);

	if (!rc)
		rc = send_rows(p, err);
	rc = lh_records_end(p->records, rc);
	if (p->reading.skipped)
		reading_report(&p->reading);
	return rc ? rc : lh_tool_out_counts(tool, names, (uint64_t[]){
		p->sent, p->rejected, p->reading.skipped, p->offset }, 4);
}

static void push_free(struct push *p)
{
	size_t i;

	reading_close(&p->reading);
	lh_http_free(p->http);
	for (i = 0; i < sizeof p->secret / sizeof *p->secret; i++)
		lh_secret_wipe(&p->secret[i]);
	free(p->url);
	free(p->cursor_path);
	free(p->batch.v);
	lh_buf_free(&p->batch.lines);
	lh_buf_free(&p->batch.json);
	lh_buf_free(&p->body);
	lh_buf_free(&p->scratch);
	lh_record_free(&p->answer);
}

static void name_cursor(struct push *p)
{
	const struct settings *s = p->run->s;
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	if (s->cursor)
		lh_buf_puts(&path, s->cursor);
	else
		lh_buf_printf(&path, "%s.%scursor", p->run->path, s->otlp ? "otlp." : "");
	p->cursor_path = lh_strndup(path.p, path.len);
}

int observe_push(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct lh_lock lock = { .fd = -1 };
	struct push p = { .reading = { .fd = -1 }, .run = &s->run };
	int rc;

	p.service = s->otlp ? "otlp" : "langfuse";
	rc = push_account(&p, err);
	name_cursor(&p);
	if (!rc)
		rc = lh_cursor_lock(&lock, p.cursor_path, tool->lock_timeout, err);
	if (!rc)
		rc = push_all(&p, err);
	lh_lock_drop(&lock);
	push_free(&p);
	return rc;
}
