/* push.h - the parts of lh-observe push. */
#ifndef PUSH_H
#define PUSH_H

#include "crypto/secret.h"
#include "model/http.h"
#include "run.h"

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

/* Read a row; its strings are in *text or the record.  LH_EDATA. */
int exported_read(const struct lh_record *rec, const struct lh_observed *o,
		  const struct lh_log_line *line, struct exported *e, struct lh_buf *text,
		  struct lh_err *err);
/* Make the id of the row's i-th span. */
void exported_span(const struct exported *e, size_t i, char out[SPAN_HEX]);
/* Make the id of the row's trace, in hex: of its session, else of its trace_id, else its own. */
void exported_trace(const struct exported *e, char out[HASH_HEX]);
/* Return when attempt i began, and i + 1: the duration of a session is divided evenly. */
int64_t exported_time(const struct exported *e, size_t i);

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

/* Append the spans of a row, with commas between them. */
void otlp_put(struct lh_buf *out, const struct exported *e);
extern const char otlp_head[], otlp_tail[];	/* of a request, around the spans */
/* Read the answer to a request, whose status is 2xx. */
int otlp_take(struct push *p, const struct lh_http_reply *reply, struct lh_err *err);

/* Append text without the keys. */
void push_scrub(const struct push *p, const char *text, size_t n, size_t most, struct lh_buf *out);
/* Send the items: each is then accepted or rejected; LH_ENET if that cannot be. */
int push_batch(struct push *p, struct lh_err *err);

/* Read the cursor, if there is one, and hold it against the log. */
int cursor_read(struct push *p, struct lh_err *err);
int cursor_write(struct push *p, uint64_t offset, uint64_t line, struct lh_err *err);

#endif
