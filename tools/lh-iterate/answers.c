/* answers.c - requests, and the model's answers from JSON Lines.  See iterate.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/rows.h"
#include "flow/flow.h"
#include "iterate.h"
#include "json/bind.h"
#include "model/http.h"

/* ---- requests ---- */

#define MEMBERS(kind_too, model_too) \
	{ LH_BIND_IGNORED("id", LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER)), \
	  .about = "the caller's, which --on-error emit repeats" }, \
	{ LH_BIND_STRING("kind", struct request, kind), .required = kind_too, \
	  .about = "what the artifact is" }, \
	{ LH_BIND_SOME("context", struct request, context), .person = true, \
	  .about = "what the validator compares it with" }, \
	{ LH_BIND_STRING("prompt", struct request, prompt), .required = true, .filled = true, \
	  .about = "what the model is asked" }, \
	{ LH_BIND_STRING("model", struct request, model), .required = model_too, .filled = true, \
	  .about = "the model" }, \
	{ LH_BIND_STRING("system", struct request, preface), \
	  .about = "instructions for the model, before the prompt" }, \
	{ LH_BIND_STRING("provider", struct request, provider), .usual = "\"ollama\"", \
	  .about = "the service of the model" }, \
	{ LH_BIND_STRING("trace_id", struct request, trace), .longest = LH_TRACE_MAX, \
	  .about = "the session, in logs and in calls" }, \
	{ LH_BIND_U64("max_iterations", struct request, max_iterations, 1, TURNS_MAX), \
	  .usual = "3", .about = "most attempts" }, \
	{ LH_BIND_NUMBER("temperature", struct request, temperature), .usual = "0.2", \
	  .about = "how freely the model answers" }, \
	{ LH_BIND_I64("max_tokens", struct request, max_tokens, INT64_MIN, INT64_MAX), \
	  .usual = "4096", \
	  .about = "most tokens of an answer" }
const struct lh_bind request_members[] = { MEMBERS(false, false), LH_BIND_END };
const struct lh_bind kind_too_members[] = { MEMBERS(true, false), LH_BIND_END };
const struct lh_bind model_too_members[] = { MEMBERS(false, true), LH_BIND_END };
const struct lh_bind both_members[] = { MEMBERS(true, true), LH_BIND_END };
const struct lh_bind wire_members[] = { MEMBERS(true, true), LH_BIND_CLOSED };

int request_read(struct request *q, const struct iterate *it, const struct lh_record *rec,
		 struct lh_buf *text, struct lh_err *err)
{
	static const char *const none[] = { NULL };
	const char *name;

	*q = (struct request){ .temperature = { "0.2", 3 },
			       .max_iterations = 3,
			       .max_tokens = 4096 };
	if (lh_bind(request_members, rec, q, text, err) < 0 ||
	    (it->wire && lh_bind_refuse_others(request_members, none, rec, err) < 0))
		return -1;
	if (!q->kind.p) {
		if (it->kind == LH_KIND_NONE)
			return lh_err_set(err, LH_EDATA, "missing \"kind\" (string)");
		name = lh_kind_name(it->kind);
		q->kind = (struct lh_str){ name, strlen(name) };
	}
	if (!q->model.p && !it->model)
		return lh_err_set(err, LH_EDATA, "missing \"model\" (string)");
	if (!q->model.p)
		q->model = (struct lh_str){ it->model, strlen(it->model) };
	if (!q->provider.n)
		q->provider = (struct lh_str){ "ollama", 6 };
	return 0;
}

/* ---- answers ---- */

struct answers {
	struct lh_tool *tool;
	char *operand;
	struct lh_input in;
	struct lh_bytes block;
	const char *at, *end;	/* the unread part of it */
	uint64_t line;
	struct lh_record rec;
	struct lh_buf text;
};

/* Open the next file: the operand, or the next member of an archive. */
static int open_next(struct answers *a, struct lh_err *err)
{
	int rc = lh_input_open(&a->in, err);

	a->line = 0;
	if (rc >= 0)
		return rc;
	err->code = err->code == LH_EINTR ? LH_EINTR : LH_EIO;
	return lh_err_prefix(err, "%s", a->operand);
}

struct answers *answers_open(struct lh_tool *tool, const char *path, struct lh_err *err)
{
	struct answers *a = lh_calloc(1, sizeof *a);

	a->tool = tool;
	a->operand = lh_strndup(path, strlen(path));
	lh_input_init(&a->in, &a->operand, 1, tool->max_line);
	if (open_next(a, err) > 0)
		return a;
	answers_close(a);
	return NULL;
}

void answers_close(struct answers *a)
{
	if (!a)
		return;
	lh_input_free(&a->in);
	free(a->block.p);
	lh_record_free(&a->rec);
	lh_buf_free(&a->text);
	free(a->operand);
	free(a);
}

static int too_long(const struct answers *a, struct lh_err *err)
{
	return lh_err_set(err, LH_EDATA, "line is longer than %llu bytes (--max-line)",
			  (unsigned long long)a->tool->max_line);
}

/* Read the next block: 1, 0 at the end of all, -1. */
static int next_block(struct answers *a, struct lh_err *err)
{
	int rc;

	for (;;)
		switch (lh_input_next(&a->in, &a->block, err)) {
		case LH_LINES_BLOCK:
			a->at = a->block.p;
			a->end = a->at + a->block.n;
			return 1;
		case LH_LINES_WAIT:
			a->in.lines.wake = lh_signal_wake_fd();
			if (lh_lines_wait(&a->in.lines, err) < 0)
				return -1;
			break;
		case LH_LINES_ROOM:
			lh_lines_allow(&a->in.lines);
			break;
		case LH_LINES_END:
			rc = open_next(a, err);
			if (rc <= 0)
				return rc;
			break;
		case LH_LINES_LONG:
			a->line++;
			return too_long(a, err);
		case LH_LINES_PROBE:	/* handled by lh_input_next */
		case LH_LINES_ERROR:
			return lh_err_prefix(err, "%s", lh_input_name(&a->in));
		}
}

/* Read the next line that is not blank, without its end: 1, 0, -1. */
static int next_line(struct answers *a, const char **line, size_t *len, struct lh_err *err)
{
	const char *p, *lf;
	size_t n;
	int rc;

	for (;;) {
		if (a->at == a->end && (rc = next_block(a, err)) <= 0)
			return rc;
		p = a->at;
		lf = memchr(p, '\n', (size_t)(a->end - p));
		n = (size_t)((lf ? lf : a->end) - p);
		a->at = lf ? lf + 1 : a->end;
		if (++a->line == 1 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
			p += 3, n -= 3;
		if (n > a->tool->max_line)
			return too_long(a, err);
		if (!lh_line_blank(p, n)) {
			*line = p;
			*len = n;
			return 1;
		}
	}
}

struct line {
	struct lh_value content, reply;
};
static const struct lh_bind line_members[] = {
	{ LH_BIND_SOME("content", struct line, content), .null = true },
	{ LH_BIND_SOME("reply", struct line, reply) },
	LH_BIND_END
};

struct reply {
	struct lh_str content;
};
static const struct lh_bind reply_members[] = {
	{ LH_BIND_STRING("content", struct reply, content), .required = true },
	LH_BIND_END
};

/* Find the content in {"content":...}, a reply of lh-chat, or a record with such a
 * reply. */
static int content_of(struct answers *a, struct lh_str *content, struct lh_err *err)
{
	struct line line = { .content = { .p = NULL } };
	struct reply reply;
	int rc;

	if (lh_bind(line_members, &a->rec, &line, NULL, err) < 0)
		return -1;
	if (!line.content.p && line.reply.p)
		rc = lh_bind_part(reply_members, "reply", &line.reply, &reply, &a->text, err);
	else
		rc = lh_bind(reply_members, &a->rec, &reply, &a->text, err);
	*content = reply.content;
	return rc;
}

/* Insert "answers.jsonl:3: "; the record that needs the answer is not at fault. */
static int place(const struct answers *a, struct lh_err *err)
{
	const char *name = lh_input_name(&a->in);

	if (err->code != LH_EDATA)
		return -1;
	err->code = LH_EIO;
	if (err->column)
		lh_err_prefix(err, "%s:%llu:%zu", name, (unsigned long long)a->line, err->column);
	else
		lh_err_prefix(err, "%s:%llu", name, (unsigned long long)a->line);
	err->column = 0;
	return -1;
}

int answers_next(struct answers *a, struct lh_str *content, struct lh_err *err)
{
	const char *p = NULL;
	size_t n = 0;
	int rc = lh_input_name(&a->in) ? next_line(a, &p, &n, err) : 0;

	if (rc > 0 && (lh_record_parse(&a->rec, p, n, err) < 0 || content_of(a, content, err) < 0))
		rc = -1;
	return rc < 0 ? place(a, err) : rc;
}
