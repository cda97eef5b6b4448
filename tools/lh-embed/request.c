/* request.c - read the texts of a record, and write the answer.  See request.h. */
#include "request.h"

#include "text/escape.h"
#include <lh/num.h>
#include "model/trace.h"
#include "vector/vector_record.h"

#define FOR_VECTOR 32768	/* bytes; most vectors fit */

/* Read the "model" of a request; null and "" mean none. */
static int read_model(struct request *rq, struct lh_err *err)
{
	const struct lh_value *m = lh_record_get(rq->rec, "model");

	if (!m || m->type == LH_NULL || (m->type == LH_STRING && m->n == 2))
		return 0;
	if (m->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"model\" is not a string");
	rq->model = m;
	return 0;
}

static int read_partial(struct request *rq, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rq->rec, "partial");

	if (v && v->type != LH_TRUE && v->type != LH_FALSE && v->type != LH_NULL)
		return lh_err_set(err, LH_EDATA, "\"partial\" is not true or false");
	rq->partial = v && v->type == LH_TRUE;
	return 0;
}

int request_open(struct request *rq, const struct embed *e, const struct lh_record *rec, struct lh_buf *scratch, struct lh_err *err)
{
	const struct lh_value *text = e->template ? NULL : lh_record_get(rec, e->field);
	const struct lh_value *texts;

	memset(rq, 0, sizeof *rq);
	rq->e = e;
	rq->rec = rec;
	if (lh_trace_of(rec, e->trace_id, scratch, &rq->trace, &rq->own_trace, err) < 0)
		return -1;
	if (text && text->type == LH_STRING)
		return 0;
	texts = text ? NULL : lh_record_get(rec, "texts");
	if (!texts && e->template)
		return 0;
	if (!texts)
		return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", e->field);
	if (texts->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"texts\" is not an array");
	rq->many = true;
	lh_iter_init(&rq->it, texts);
	return read_partial(rq, err) < 0 ? -1 : read_model(rq, err);
}

static int bad_text(const struct request *rq)
{
	return rq->partial ? 2 : -1;
}

static int next_of_many(struct request *rq, struct lh_buf *scratch, struct lh_str *text, struct lh_err *err)
{
	if (!lh_iter_next(&rq->it))
		return rq->read ? 0 : lh_err_set(err, LH_EDATA, "empty list of texts");
	if (rq->read++ == MAX_TEXTS)
		return lh_err_data(err, 413, "more than %d texts in one request", MAX_TEXTS);
	if (rq->it.val.type != LH_STRING) {
		lh_err_set(err, LH_EDATA, "text %zu is not a string", rq->read);
		return bad_text(rq);
	}
	if (rq->it.val.n == 2) {
		lh_err_set(err, LH_EDATA, "text %zu: empty text", rq->read);
		return bad_text(rq);
	}
	return lh_value_str(&rq->it.val, scratch, text, err) < 0 ? -1 : 1;
}

int request_next(struct request *rq, struct lh_buf *scratch, struct lh_str *text, struct lh_err *err)
{
	if (rq->many)
		return next_of_many(rq, scratch, text, err);
	if (rq->done)
		return 0;
	rq->done = true;
	return lh_vector_record_text(rq->rec, rq->e->field, rq->e->template, scratch, text, err) < 0 ? -1 : 1;
}

void answer_open(struct lh_buf *out, struct request *rq)
{
	static const char *const ours[] = { "vector", "dimension", "model", "trace_id" };
	const struct lh_value *id;

	if (!rq->many) {
		/* Reserve at once what a long record takes, instead of half as much
		 * again. */
		lh_buf_room(out, rq->rec->len + FOR_VECTOR);
		lh_record_open(out, rq->rec, ours, rq->trace.n && !rq->own_trace ? 4 : 3);
		lh_buf_puts(out, "\"vector\":");
		return;
	}
	lh_buf_putc(out, '{');
	id = lh_record_get(rq->rec, "id");
	if (id) {
		lh_buf_puts(out, "\"id\":");
		lh_buf_add(out, id->p, id->n);
		lh_buf_putc(out, ',');
	}
	lh_buf_puts(out, rq->e->wire == WIRE_RUST ? "\"embeddings\":[" : "\"vectors\":[");
}

void answer_vector(struct lh_buf *out, struct request *rq, const float *v, size_t dimension)
{
	if (rq->written++)
		lh_buf_putc(out, ',');
	if (rq->e->encoding == ENCODING_ARRAY) {
		lh_buf_f32s(out, v, dimension);
		return;
	}
	lh_buf_putc(out, '"');
	lh_buf_base64(out, v, dimension * sizeof *v);
	lh_buf_putc(out, '"');
}

void answer_error(struct lh_buf *out, struct request *rq, const struct lh_err *why, struct lh_buf *errors)
{

	lh_buf_puts(out, rq->written ? ",null" : "null");
	lh_buf_puts(errors, errors->len ? ",{\"index\":" : "{\"index\":");
	lh_buf_u64(errors, rq->written++);
	lh_buf_puts(errors, ",\"code\":");
	lh_buf_u64(errors, lh_err_status(why));
	lh_buf_puts(errors, why->code == LH_ENET ? ",\"upstream\":true,\"message\":" : ",\"upstream\":false,\"message\":");
	lh_escape_json(errors, why->msg);
	lh_buf_putc(errors, '}');
}

void answer_close(struct lh_buf *out, struct request *rq, size_t dimension, const char *model, const struct lh_buf *errors)
{
	if (rq->many)
		lh_buf_putc(out, ']');
	lh_buf_puts(out, rq->many && rq->e->wire == WIRE_RUST ? ",\"dimensions\":" : ",\"dimension\":");
	lh_buf_u64(out, dimension);
	lh_buf_puts(out, ",\"model\":");
	lh_buf_json(out, model, strlen(model));
	if (errors->len) {
		lh_buf_puts(out, ",\"errors\":[");
		lh_buf_add(out, errors->p, errors->len);
		lh_buf_putc(out, ']');
	}
	if (!rq->own_trace || rq->many)
		lh_trace_put(out, rq->trace);
	if (rq->many)
		lh_buf_putc(out, '}');
	else
		lh_record_close(out, rq->rec);
}
