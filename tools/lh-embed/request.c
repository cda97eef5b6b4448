/* request.c - read the texts of a record, and write the answer.  See embed.h. */
#include "embed.h"

#include "text/escape.h"
#include "base/num.h"
#include "model/http.h"
#include "vector/vector_record.h"

#define FOR_VECTOR 32768	/* bytes; most vectors fit */

#define MANY(not_empty) \
	{ LH_BIND_ARRAY("texts", struct request, texts), .required = true, .not_null = true, \
	  .filled = not_empty, \
	  .about = "texts to embed, none of them empty" }, \
	{ LH_BIND_BOOL("partial", struct request, partial), \
	  .about = "whether one that fails has null as its vector" }, \
	{ LH_BIND_VALUE("model", struct request, model, LH_BIND_IS(LH_STRING)), \
	  .about = "the model" }
static const struct lh_bind many_members[] = { MANY(false), LH_BIND_END };
const struct lh_bind wire_members[] = {
	MANY(true),
	{ LH_BIND_ONLY("trace_id", LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
	  .about = "the request, in logs" },
	{ LH_BIND_ONLY("id", LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
	  .about = "the request, in its answer" },
	LH_BIND_CLOSED
};

/* Open {"texts":[...]}; a model of "" means none. */
static int open_many(struct request *rq, struct lh_err *err)
{
	static const char *const but[] = { "op", NULL };

	if ((rq->e->wire >= 0 && lh_bind_refuse_others(wire_members, but, rq->rec, err) < 0) ||
	    lh_bind(many_members, rq->rec, rq, NULL, err) < 0)
		return -1;
	if (rq->model.n == 2)
		rq->model.p = NULL;
	rq->many = true;
	lh_iter_init(&rq->it, &rq->texts);
	return 0;
}

/* ---- requests as other services have them ---- */

#define INPUT \
	{ LH_BIND_VALUE("input", struct request, texts, \
			LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_ARRAY)), .required = true, \
	  .filled = true, .what = "string or array of strings", \
	  .about = "a text, or several; lists of tokens are not taken" }, \
	{ LH_BIND_VALUE("model", struct request, model, LH_BIND_IS(LH_STRING)), \
	  .about = "the model" }, \
	{ LH_BIND_U64("dimensions", struct request, dimensions, 1, INT64_MAX), \
	  .about = "values of a vector: those that the model makes" }
#define IGNORED(name) \
	{ LH_BIND_IGNORED(name, LH_BIND_ANY), .about = "without effect" }
static const char *const encodings[] = { "float", "base64", NULL };
const struct lh_bind openai_in[] = {
	INPUT,
	{ LH_BIND_INDEX("encoding_format", struct request, format, encodings),
	  .about = "numbers, or the base64 of 32-bit floats" },
	IGNORED("user"), LH_BIND_END
};
const struct lh_bind ollama_in[] = {
	INPUT, IGNORED("truncate"), IGNORED("options"), IGNORED("keep_alive"), LH_BIND_END
};

/* Open {"input":...}. */
static int open_input(struct request *rq, struct lh_err *err)
{
	struct lh_iter it;

	if (lh_bind(rq->dialect == OPENAI ? openai_in : ollama_in, rq->rec, rq, NULL,
		    err) < 0)
		return -1;
	if (rq->model.n == 2)
		rq->model.p = NULL;
	rq->many = true;
	lh_iter_init(&rq->it, &rq->texts);
	it = rq->it;
	if (rq->texts.type == LH_ARRAY && lh_iter_next(&it) &&
	    (it.val.type == LH_NUMBER || it.val.type == LH_ARRAY))
		return lh_err_set(err, LH_EDATA, "\"input\" has tokens: a string or an array of "
				  "strings is expected");
	if (!rq->dimensions || rq->dimensions == rq->e->dimension)
		return 0;
	return rq->e->dimension
		? lh_err_set(err, LH_EDATA, "\"dimensions\" must be %llu, as the model makes "
			     "them", (unsigned long long)rq->e->dimension)
		: lh_err_set(err, LH_EDATA, "\"dimensions\" is not for this model, of a service");
}

static const char *const ops[] = { "stats", "models", "tags", "embeddings", "embed", NULL };
const struct lh_bind op_members[] = {
	{ LH_BIND_CHOICE("op", struct request, op, ops) },
	LH_BIND_END
};

static int open_wire(struct request *rq, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = 0;

	if (lh_record_get(rq->rec, "op"))
		rc = lh_bind(op_members, rq->rec, rq, &text, err);
	if (rc)
		return -1;
	rq->dialect = !rq->op ? OURS : rq->op == ops[3] ? OPENAI : rq->op == ops[4] ? OLLAMA : OURS;
	if (!rq->dialect)
		return rq->op ? 0 : open_many(rq, err);
	rq->op = NULL;
	return open_input(rq, err);
}

/* Read the field of --id-field: a string or a number. */
static int open_id(struct request *rq, struct lh_err *err)
{
	const char *field = rq->e->id_field;
	const struct lh_value *v = field ? lh_record_get(rq->rec, field) : NULL;

	if (!field)
		return 0;
	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing \"%s\" (string or number)", field);
	if (v->type != LH_STRING && v->type != LH_NUMBER)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string or number", field);
	rq->id = *v;
	return 0;
}

static bool has_field(const struct lh_record *rec, const char *path)
{
	const struct lh_value all = { rec->line, rec->len, LH_OBJECT, false };
	struct lh_value v;

	return lh_value_at(&all, path, strlen(path), &v);
}

int request_open(struct request *rq, const struct embed *e, const struct lh_record *rec,
		 struct lh_buf *scratch, struct lh_err *err)
{
	memset(rq, 0, sizeof *rq);
	rq->e = e;
	rq->rec = rec;
	if (lh_trace_of(rec, e->trace_id, scratch, &rq->trace, &rq->own_trace, err) < 0)
		return -1;
	if (e->wire >= 0)
		return open_wire(rq, err);
	if (!lh_record_get(rec, "texts") || (!e->template && has_field(rec, e->text->text)))
		return open_id(rq, err);
	return open_many(rq, err);
}

static int bad_text(const struct request *rq)
{
	return rq->partial ? 2 : -1;
}

static int next_of_many(struct request *rq, struct lh_buf *scratch, struct lh_str *text,
			struct lh_err *err)
{
	if (rq->texts.type == LH_STRING && !rq->read)
		rq->it.val = rq->texts;
	else if (rq->texts.type == LH_STRING || !lh_iter_next(&rq->it))
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
	lh_value_str(&rq->it.val, scratch, text);
	rq->bytes += text->n;
	return 1;
}

int request_next(struct request *rq, struct lh_buf *scratch, struct lh_str *text,
		 struct lh_err *err)
{
	if (rq->many)
		return next_of_many(rq, scratch, text, err);
	if (rq->done || rq->op)
		return 0;
	rq->done = true;
	return lh_vector_record_text(rq->rec, rq->e->text, rq->e->template, scratch, text, err) < 0
		? -1
		: 1;
}

static void write_model(struct lh_writer *w, struct lh_str model, bool tags)
{
	lh_write_object(w, NULL);
	lh_write_str(w, tags ? "name" : "id", model);
	if (tags) {
		lh_write_str(w, "model", model);
		lh_write_text(w, "modified_at", "1970-01-01T00:00:00Z");
		lh_write_u64(w, "size", 0);
		lh_write_text(w, "digest", "");
		lh_write_raw(w, "details", lh_str_of("{}"));
	} else {
		lh_write_text(w, "object", "model");
		lh_write_u64(w, "created", 0);
		lh_write_text(w, "owned_by", "lakehouse-tools");
	}
	lh_write_end(w);
}

/* Write the models, as OpenAI's service lists them, or Ollama's. */
static void write_models(struct lh_writer *w, const struct request *rq,
			 const struct lh_intern *models)
{
	const bool tags = !strcmp(rq->op, "tags");
	uint32_t i;

	if (!tags)
		lh_write_text(w, "object", "list");
	lh_write_array(w, tags ? "models" : "data");
	for (i = 0; models && i < models->n; i++)
		write_model(w, lh_intern_text(models, i), tags);
	if (!models)
		write_model(w, lh_str_of(rq->e->model), tags);
	lh_write_end(w);
	lh_write_end(w);
}

void answer_op(struct lh_buf *out, const struct request *rq, const struct lh_intern *models,
	       uint64_t hits, uint64_t misses, uint64_t size)
{
	struct lh_writer w = lh_write_to(out);
	uint64_t texts = hits + misses;

	lh_write_object(&w, NULL);
	if (strcmp(rq->op, "stats") != 0) {
		write_models(&w, rq, models);
		return;
	}
	lh_write_u64(&w, "hits", hits);
	lh_write_u64(&w, "misses", misses);
	lh_write_f64(&w, "hit_rate", texts ? (double)hits / (double)texts : 0);
	lh_write_u64(&w, "size", size);
	lh_write_u64(&w, "capacity", rq->e->cache_size);
	lh_write_end(&w);
}

/* Begin the record with what is added, without members of these names. */
static void open_record(struct lh_buf *out, struct request *rq)
{
	const char *ours[5] = { rq->e->each ? "vectors" : "vector", "dimension", "model" };
	size_t n = 3;

	if (rq->trace.n && !rq->own_trace)
		ours[n++] = "trace_id";
	if (rq->id.p)
		ours[n++] = "id";
	/* Reserve at once what a long record takes, instead of half as much again. */
	lh_buf_room(out, rq->rec->len + FOR_VECTOR);
	rq->to = lh_write_record(out, rq->rec, ours, n);
	if (rq->id.type == LH_NUMBER)
		lh_write_str(&rq->to, "id", (struct lh_str){ rq->id.p, rq->id.n });
	else if (rq->id.p)
		lh_write_value(&rq->to, "id", &rq->id);
	if (rq->e->each)
		lh_write_array(&rq->to, "vectors");
}

void answer_open(struct lh_buf *out, struct request *rq)
{
	const struct lh_value *id;

	if (!rq->many) {
		open_record(out, rq);
		return;
	}
	rq->to = lh_write_to(out);
	lh_write_object(&rq->to, NULL);
	id = lh_record_get(rq->rec, "id");
	if (id)
		lh_write_value(&rq->to, "id", id);
	if (rq->dialect == OPENAI)
		lh_write_text(&rq->to, "object", "list");
	lh_write_array(&rq->to, rq->dialect == OPENAI ? "data"
		       : rq->dialect || rq->e->wire == WIRE_RUST ? "embeddings" : "vectors");
}

void answer_vector(struct lh_buf *out, struct request *rq, const float *v, size_t dimension)
{
	const bool object = rq->dialect == OPENAI;
	const bool base64 = rq->dialect ? rq->format : rq->e->encoding != ENCODING_ARRAY;

	if (object) {
		lh_write_object(&rq->to, NULL);
		lh_write_text(&rq->to, "object", "embedding");
		lh_write_u64(&rq->to, "index", rq->written);
	}
	rq->written++;
	lh_write_key(&rq->to, object ? "embedding" : rq->many || rq->e->each ? NULL : "vector");
	if (base64) {
		lh_buf_putc(out, '"');
		lh_buf_base64(out, v, dimension * sizeof *v);
		lh_buf_putc(out, '"');
	} else {
		lh_buf_f32s(out, v, dimension);
	}
	if (object)
		lh_write_end(&rq->to);
}

void answer_error(struct request *rq, const struct lh_err *why, struct lh_buf *errors)
{
	struct lh_writer w = { errors, 0, errors->len > 0 };

	lh_write_null(&rq->to, NULL);
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "index", rq->written++);
	lh_write_u64(&w, "code", lh_err_status(why));
	lh_write_bool(&w, "upstream", why->code == LH_ENET);
	lh_write_key(&w, "message");
	lh_escape_json(errors, why->msg);
	lh_write_end(&w);
}

/* Close an answer as another service writes it.  Its tokens are estimated, of four bytes each. */
static void close_dialect(struct request *rq, const char *model)
{
	struct lh_writer *w = &rq->to;
	const uint64_t tokens = (rq->bytes + 3) / 4;

	lh_write_end(w);
	lh_write_text(w, "model", model);
	if (rq->dialect == OPENAI) {
		lh_write_object(w, "usage");
		lh_write_u64(w, "prompt_tokens", tokens);
		lh_write_u64(w, "total_tokens", tokens);
		lh_write_end(w);
	} else {
		lh_write_u64(w, "total_duration", 0);
		lh_write_u64(w, "load_duration", 0);
		lh_write_u64(w, "prompt_eval_count", tokens);
	}
	lh_write_end(w);
}

void answer_close(struct request *rq, size_t dimension, const char *model,
		  const struct lh_buf *errors)
{
	struct lh_writer *w = &rq->to;

	if (rq->dialect) {
		close_dialect(rq, model);
		return;
	}
	if (rq->many || rq->e->each)
		lh_write_end(w);
	lh_write_u64(w, rq->many && rq->e->wire == WIRE_RUST ? "dimensions" : "dimension",
		     dimension);
	lh_write_text(w, "model", model);
	if (errors->len) {
		lh_write_array(w, "errors");
		lh_buf_add(w->out, errors->p, errors->len);
		lh_write_end(w);
	}
	if (rq->e->wire < 0 && (!rq->own_trace || rq->many))
		lh_trace_write(w, rq->trace);
	lh_write_end(w);
}
