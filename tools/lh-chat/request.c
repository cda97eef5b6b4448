/* request.c - records into questions, replies into records.  See request.h. */
#include "request.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/trace.h"

#define KEEP ((size_t)1 << 20)	/* bytes of scratch that are kept */

void request_init(struct request *rq)
{
	memset(rq, 0, sizeof *rq);
	lh_buf_init(&rq->scratch, LH_BUF_NOMAX);
}

void request_free(struct request *rq)
{
	free(rq->message);
	lh_buf_free(&rq->scratch);
}

/* The member of that name; null is as good as none. */
static const struct lh_value *get(const struct lh_record *rec, const char *name)
{
	const struct lh_value *v = lh_record_get(rec, name);

	return v && v->type != LH_NULL ? v : NULL;
}

/* The string of that name: 1, 0 when there is none, -1 when it is something else. */
static int get_string(struct request *rq, const struct lh_record *rec, const char *name, struct lh_str *out, struct lh_err *err)
{
	const struct lh_value *v = get(rec, name);

	if (!v)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a string", name);
	return lh_value_str(v, &rq->scratch, out, err) < 0 ? -1 : 1;
}

static struct lh_chat_message *add(struct request *rq, struct lh_err *err)
{
	if (lh_grow(&rq->message, &rq->cap, rq->ask.n + 1, sizeof *rq->message, err) < 0)
		return NULL;
	rq->ask.message = rq->message;
	return &rq->message[rq->ask.n++];
}

static int read_message(struct request *rq, const struct lh_value *v, struct lh_err *err)
{
	size_t i = rq->ask.n;
	struct lh_chat_message *m;
	struct lh_value role, content;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "messages[%zu] is not an object", i);
	if (!lh_value_get(v, "role", &role) || role.type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "messages[%zu]: missing string \"role\"", i);
	if (!lh_value_is(&role, "system", 6) && !lh_value_is(&role, "user", 4) && !lh_value_is(&role, "assistant", 9))
		return lh_err_set(err, LH_EDATA, "messages[%zu]: unknown role %.*s (expected system, user or assistant)", i,
				  (int)(role.n < 60 ? role.n : 60), role.p);
	if (!lh_value_get(v, "content", &content) || content.type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "messages[%zu]: missing string \"content\"", i);
	m = add(rq, err);
	if (!m || lh_value_str(&role, &rq->scratch, &m->role, err) < 0)
		return -1;
	return lh_value_str(&content, &rq->scratch, &m->content, err);
}

static int read_messages(struct request *rq, const struct lh_value *messages, struct lh_err *err)
{
	struct lh_iter it;

	if (messages->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"messages\" is not an array");
	for (lh_iter_init(&it, messages); lh_iter_next(&it); )
		if (read_message(rq, &it.val, err) < 0)
			return -1;
	return rq->ask.n ? 0 : lh_err_set(err, LH_EDATA, "\"messages\" is empty");
}

static int read_prompt(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_str text;
	int has = get_string(rq, rec, "system", &text, err);
	struct lh_chat_message *m;

	if (has > 0) {
		m = add(rq, err);
		if (!m)
			return -1;
		*m = (struct lh_chat_message){ { "system", 6 }, text };
	}
	if (has < 0 || get_string(rq, rec, "prompt", &text, err) < 0)
		return -1;
	if (!text.n)
		return lh_err_set(err, LH_EDATA, "\"prompt\" is empty");
	m = add(rq, err);
	if (!m)
		return -1;
	*m = (struct lh_chat_message){ { "user", 4 }, text };
	return 0;
}

static int read_texts(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *messages = get(rec, "messages");
	int has = get_string(rq, rec, "model", &rq->ask.model, err);

	if (has < 0)
		return -1;
	if (!has)
		return lh_err_set(err, LH_EDATA, "missing string field \"model\"");
	if (!rq->ask.model.n)
		return lh_err_set(err, LH_EDATA, "\"model\" is empty");
	if (messages && get(rec, "prompt"))
		return lh_err_set(err, LH_EDATA, "\"messages\" and \"prompt\" exclude each other");
	if (messages && get(rec, "system"))
		return lh_err_set(err, LH_EDATA, "\"system\" goes with \"prompt\", not with \"messages\"");
	if (messages)
		return read_messages(rq, messages, err);
	if (!get(rec, "prompt"))
		return lh_err_set(err, LH_EDATA, "missing \"messages\" or \"prompt\"");
	return read_prompt(rq, rec, err);
}

static int read_settings(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *temperature = get(rec, "temperature"), *max = get(rec, "max_tokens");
	const struct lh_value *format = get(rec, "format"), *think = get(rec, "think");

	if (temperature && temperature->type != LH_NUMBER)
		return lh_err_set(err, LH_EDATA, "\"temperature\" is not a number");
	if (temperature)
		rq->ask.temperature = (struct lh_str){ temperature->p, temperature->n };
	if (max && (max->type != LH_NUMBER || !lh_value_i64(max, &rq->ask.max_tokens)))
		return lh_err_set(err, LH_EDATA, "\"max_tokens\" is not a whole number");
	if (format && !lh_value_is(format, "json", 4))
		return lh_err_set(err, LH_EDATA, "\"format\" is not \"json\"");
	rq->ask.json = format != NULL;
	if (think && think->type != LH_TRUE && think->type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"think\" is not true or false");
	rq->ask.think = !think ? -1 : think->type == LH_TRUE;
	return 0;
}

int request_read(struct request *rq, const struct lh_record *rec, struct lh_err *err)
{
	bool own;
	int rc;

	memset(&rq->ask, 0, sizeof rq->ask);
	if (rq->scratch.cap > KEEP)
		lh_buf_free(&rq->scratch);
	lh_buf_reset(&rq->scratch);
	if (memchr(rec->line, '\\', rec->len))
		lh_buf_room(&rq->scratch, rec->len);	/* so that nothing in it moves */
	rc = lh_buf_check(&rq->scratch, err);
	if (!rc)
		rc = read_texts(rq, rec, err);
	if (!rc)
		rc = read_settings(rq, rec, err);
	if (!rc)
		rc = lh_trace_of(rec, rq->trace_id, &rq->scratch, &rq->ask.trace, &own, err);
	if (rc < 0 && err->code == LH_EDATA) {
		err->status = lh_err_status(err);
		err->coded = true;
	}
	return rc;
}

static void put_member(struct lh_buf *out, const char *name, struct lh_str s)
{
	lh_buf_puts(out, name);
	lh_buf_json(out, s.p, s.n);
}

static void put_count(struct lh_buf *out, const char *name, uint64_t n)
{
	lh_buf_puts(out, name);
	lh_buf_u64(out, n);
}

void request_answer(struct lh_buf *out, const struct lh_record *rec, const struct request *rq, const struct lh_chat_reply *reply, bool wire)
{
	if (!wire) {
		lh_record_open(out, rec, (const char *[]){ "reply" }, 1);
		lh_buf_puts(out, "\"reply\":");
	}
	put_member(out, "{\"model\":", rq->ask.model);
	put_member(out, ",\"content\":", reply->content);
	put_member(out, ",\"provider\":", reply->provider);
	put_count(out, ",\"input_tokens\":", reply->input_tokens);
	put_count(out, ",\"output_tokens\":", reply->output_tokens);
	put_member(out, ",\"finish_reason\":", reply->finish_reason);
	put_count(out, ",\"latency_ms\":", reply->latency_ms);
	lh_trace_put(out, rq->ask.trace);
	lh_buf_putc(out, '}');
	if (!wire)
		lh_record_close(out, rec);
}
