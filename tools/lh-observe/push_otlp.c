/* push_otlp.c - rows as spans of OpenTelemetry, OTLP/HTTP with JSON. */
#include <stdio.h>

#include "json/bind.h"
#include "json/write.h"
#include "push.h"

enum { INTERNAL = 1, SERVER = 2 };	/* kinds of a span */
enum { OK = 1, ERROR = 2 };		/* codes of a status */

/* ---- spans ---- */

/* 64 bits of nanoseconds are the years 1970 to 2554; what is outside is at their end. */
static void write_nanos(struct lh_writer *w, const char *name, int64_t ms)
{
	unsigned long long ns = ms > 0 ? (unsigned long long)ms : 0;
	char text[32];

	ns = ns < UINT64_MAX / 1000000 ? ns * 1000000 : UINT64_MAX;
	snprintf(text, sizeof text, "%llu", ns);
	lh_write_text(w, name, text);
}

static void write_attribute(struct lh_writer *w, const char *key, struct lh_str value)
{
	if (!value.n)
		return;
	lh_write_object(w, NULL);
	lh_write_text(w, "key", key);
	lh_write_object(w, "value");
	lh_write_str(w, "stringValue", value);
	lh_write_end(w);
	lh_write_end(w);
}

static void begin_span(struct lh_writer *w, const struct exported *e, size_t i, const char *name)
{
	char trace[HASH_HEX], span[SPAN_HEX];

	exported_trace(e, trace);
	exported_span(e, i, span);
	lh_write_object(w, NULL);
	lh_write_str(w, "traceId", (struct lh_str){ trace, HASH_HEX });
	lh_write_str(w, "spanId", (struct lh_str){ span, SPAN_HEX });
	if (i) {
		exported_span(e, 0, span);
		lh_write_str(w, "parentSpanId", (struct lh_str){ span, SPAN_HEX });
		lh_write_text(w, "name", name);
	} else {
		lh_write_str(w, "name", e->endpoint);
	}
	lh_write_u64(w, "kind", e->kind == LH_OBSERVE_ACCESS ? SERVER : INTERNAL);
	write_nanos(w, "startTimeUnixNano", i ? exported_time(e, i - 1) : e->start);
	write_nanos(w, "endTimeUnixNano", i ? exported_time(e, i) : e->end);
	lh_write_array(w, "attributes");
}

static void end_span(struct lh_writer *w, bool good, struct lh_str error)
{
	lh_write_end(w);
	lh_write_object(w, "status");
	lh_write_u64(w, "code", good ? OK : ERROR);
	if (!good && error.n)
		lh_write_str(w, "message", error);
	lh_write_end(w);
	lh_write_end(w);
}

static void put_attempt(struct lh_writer *w, const struct exported *e, size_t i)
{
	const struct attempt *a = &e->attempt[i];
	char name[64];
	char text[32];

	snprintf(name, sizeof name, "iterate.attempt[%llu]", (unsigned long long)a->iteration);
	begin_span(w, e, i + 1, name);
	snprintf(text, sizeof text, "%llu", (unsigned long long)a->iteration);
	lh_write_object(w, NULL);
	lh_write_text(w, "key", "lh.iteration");
	lh_write_object(w, "value");
	lh_write_text(w, "intValue", text);
	lh_write_end(w);
	lh_write_end(w);
	write_attribute(w, "gen_ai.request.model", e->model);
	write_attribute(w, "gen_ai.provider.name", e->provider);
	write_attribute(w, "lh.prompt", e->prompt);
	write_attribute(w, "lh.verdict", a->verdict);
	if (a->raw.p) {
		lh_write_object(w, NULL);
		lh_write_text(w, "key", "lh.raw");
		lh_write_object(w, "value");
		if (a->raw.type == LH_STRING)
			lh_write_value(w, "stringValue", &a->raw);
		else
			lh_write_str(w, "stringValue", (struct lh_str){ a->raw.p, a->raw.n });
		lh_write_end(w);
		lh_write_end(w);
	}
	end_span(w, lh_str_is(a->verdict, "accepted", 8), a->error);
}

void otlp_put(struct lh_buf *out, const struct exported *e)
{
	struct lh_writer w = lh_write_to(out);
	size_t i;

	begin_span(&w, e, 0, NULL);
	write_attribute(&w, "lh.source", e->source);
	write_attribute(&w, "lh.input_summary", e->input);
	write_attribute(&w, "lh.output_summary", e->output);
	write_attribute(&w, "lh.trace_id", e->trace);
	write_attribute(&w, "lh.session_id", e->session);
	write_attribute(&w, "lh.kind", e->session_kind);
	write_attribute(&w, "gen_ai.request.model", e->model);
	write_attribute(&w, "gen_ai.provider.name", e->provider);
	write_attribute(&w, "lh.verdict", e->verdict);
	end_span(&w, e->success, e->error);
	for (i = 0; i < e->n_attempts; i++)
		put_attempt(&w, e, i);
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

int otlp_take(struct push *p, const struct lh_http_reply *reply, struct lh_err *err)
{
	struct answer a = { 0 };
	struct lh_value root;

	if (reply->len && (lh_json_parse(&p->answer, reply->body, reply->len, &root, err) < 0 ||
			   lh_bind_value(answer_members, &root, &a, &p->scratch, err) < 0))
		return err->code == LH_ENOMEM ? -1
			: lh_http_refuse(err, p->url, reply, "not an answer of an OTLP server");
	if (a.partial.rejected.n || a.partial.message.n) {
		/* The server does not say which spans it does not take, and they must not be
		 * sent again. */
		LH_SCOPED(lh_buf_free) struct lh_buf why = { 0 };
		uint64_t rejected = run_number(a.partial.rejected);

		push_scrub(p, a.partial.message.p, a.partial.message.n, 200, &why);
		lh_tool_warn(p->run->tool, "%llu spans rejected: %.*s",
			     (unsigned long long)rejected, (int)why.len, why.p ? why.p : "");
		p->rejected += rejected;
		if (rejected)
			lh_tool_verdict_bad(p->run->tool);
	}
	return 0;
}

const char otlp_head[] =
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
	"\"value\":{\"stringValue\":\"lakehouse-tools\"}}]},\"scopeSpans\":[{\"scope\":"
	"{\"name\":\"lh-observe\",\"version\":\"" LH_VERSION "\"},\"spans\":[";
const char otlp_tail[] = "]}]}]}";
