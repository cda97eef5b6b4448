/* rows.c - records to rows: read, embed and pack on all threads. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "embed/hashv1.h"

#include "index.h"
#include "base/mem.h"
#include "base/signal.h"
#include "model/http.h"
#include "transformer/model_file.h"
#include "vector/vector_record.h"

/* The result of a record; its text is the floats, id, metadata, model and text, so much of
 * each. */
struct packed {
	size_t floats;
	uint32_t id_n, meta_n, model_n, text_n;
	bool made_here, clears;
};

/* A record in progress: its vector, or the text to embed. */
struct slot {
	struct lh_buf vector, text, traced;
	struct lh_value floats;		/* the record's vector, as written; p NULL: none */
	struct lh_value meta;		/* its metadata; p NULL: none, or not an object */
	struct lh_str s;		/* the text */
	struct lh_str trace;		/* id for the request; n = 0: none */
	size_t n;			/* floats; 0: only a text so far */
	bool made_here, of_persons;
	int rc;
	struct lh_err err;
};

const struct lh_bind record_in[] = {
	{ LH_BIND_SOME("vector", struct slot, floats),
	  .about = "array of numbers or base64; without it, text is embedded" },
	{ LH_BIND_OBJECT("metadata", struct slot, meta), .lax = true,
	  .about = "without this object, all other members" },
	{ LH_BIND_BOOL(LH_OF_PERSONS, struct slot, of_persons), .lax = true,
	  .about = "true: the records of the index are persons" },
	LH_BIND_END
};
static const struct lh_bind trace_members[] = {
	LH_TRACE_MEMBER(struct slot, trace),
	LH_BIND_END
};

struct worker {
	struct rows *rows;
	struct lh_embedder *texts;
	uint32_t dimension;		/* for which texts was made; 0: its own */
	struct lh_buf id, meta, model, made;
	struct slot *slot;
	struct lh_str *text;		/* of a request, ... */
	struct slot **of;		/* ... and their slots */
	size_t n_slots;
};

struct run {
	struct rows *rows;
	row_sink sink;
	void *ctx;
	struct lh_embedder *texts;		/* the sink's own, to embed again */
};

const char *engine_name(int engine)
{
	return engine < 0 ? NULL : lh_engine_name(engine);
}

static bool in_process(const struct rows *r)
{
	return !r->engine || lh_engine_here(r->engine);
}

/* A model uses its cores well only if it gets many texts. */
static uint64_t batch_of(const struct rows *r)
{
	bool gguf = r->engine && strcmp(r->engine, lh_engine_name(LH_ENGINE_GGUF)) == 0;

	return r->settings->batch ? r->settings->batch : gguf ? 256 : 64;
}

int rows_init(struct rows *r, struct lh_tool *tool, const struct settings *s,
	      struct lh_err *err)
{
	memset(r, 0, sizeof *r);
	r->tool = tool;
	r->settings = s;
	r->field.text = s->field ? s->field : TEXT_FIELD;
	if (s->template) {
		r->template = lh_template_new(s->template, err);
		if (!r->template)
			return lh_err_prefix(err, "--template");
	}
	if (s->named && r->template)
		lh_records_want_template(tool, r->template);
	else if (s->named)
		lh_records_want(tool, "--field", &r->field);
	return 0;
}

void rows_free(struct rows *r)
{
	lh_template_free(r->template);
	lh_buf_free(&r->vector);
}

static void worker_free(void *worker)
{
	struct worker *w = worker;
	size_t i;

	for (i = 0; w->slot && i < w->n_slots; i++) {
		lh_buf_free(&w->slot[i].vector);
		lh_buf_free(&w->slot[i].text);
		lh_buf_free(&w->slot[i].traced);
	}
	lh_embedder_free(w->texts);
	lh_buf_free(&w->id);
	lh_buf_free(&w->meta);
	lh_buf_free(&w->model);
	lh_buf_free(&w->made);
	free(w->slot);
	free(w->text);
	free(w->of);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct run *run = ctx;
	struct worker *w = context;

	(void)err;
	w->rows = run->rows;
	w->n_slots = in_process(w->rows) ? 1 : batch_of(w->rows);
	w->slot = lh_calloc(w->n_slots, sizeof *w->slot);
	w->text = lh_calloc(w->n_slots, sizeof *w->text);
	w->of = lh_calloc(w->n_slots, sizeof *w->of);
	return 0;
}

struct lh_embedder_options rows_engine(const struct rows *r)
{
	return (struct lh_embedder_options){
		.engine = r->engine,
		.model = r->model,
		.url = r->url,
		.own_url = r->settings->url != NULL,
		.dimension = r->cut,
		.batch = (uint32_t)batch_of(r),
		.prefix = r->prefix,
		.jobs = r->tool->jobs,
		.truncate = r->settings->truncate,
	};
}

/* Open the engine for vectors of that dimension; 0: its own. */
static int open_texts(struct lh_embedder **texts, const struct rows *r, uint32_t dimension,
		      struct lh_err *err)
{
	struct lh_embedder_options how = rows_engine(r);

	if (in_process(r))
		how.dimension = dimension;
	lh_embedder_free(*texts);
	*texts = lh_embedder_new(&how, err);
	if (*texts)
		return 0;
	if (err->code != LH_EUSAGE)
		return -1;
	err->code = LH_EDATA;	/* of this record: one with a vector may succeed */
	err->status = 500;
	return lh_err_prefix(err, "cannot embed the text");
}

static int ready_texts(struct worker *w, struct lh_err *err)
{
	uint32_t dimension = w->rows->dimension;

	if (w->texts && w->dimension == dimension)
		return 0;
	w->dimension = dimension;
	return open_texts(&w->texts, w->rows, dimension, err);
}

/* Note which of the fields that options name are in a record with a vector or in its metadata,
 * whose words are searched. */
static void look_for(struct worker *w, const struct lh_record *rec, const struct lh_value *meta)
{
	struct lh_path *path = w->rows->template ? NULL : &w->rows->field;
	struct lh_value inner;
	size_t i;

	for (i = 0; path || (w->rows->template &&
			     (path = lh_template_path(w->rows->template, i))); i++, path = NULL) {
		if (path->found)
			continue;
		if (!lh_path_find(path, rec, &inner) && meta->p &&
		    lh_value_at(meta, path->text, strlen(path->text), &inner))
			path->found = true;
	}
}

/* Read a record: its vector, or else its text. */
static int read_slot(struct worker *w, const struct lh_record *rec, struct slot *s,
		     struct lh_err *err)
{
	const struct rows *r = w->rows;

	lh_buf_reset(&s->vector);
	lh_buf_reset(&s->text);
	s->n = 0;
	s->s = (struct lh_str){ NULL, 0 };
	s->floats.p = s->meta.p = NULL;
	s->of_persons = false;
	if (lh_bind(record_in, rec, s, NULL, err) < 0)
		return -1;
	if (s->of_persons)
		atomic_store(&w->rows->of_persons, true);
	s->made_here = !s->floats.p;
	if (!s->made_here) {
		if (r->settings->named && r->settings->lexical)
			look_for(w, rec, &s->meta);
		return lh_vector_record_vector(&s->floats, &s->vector, &s->n, err);
	}
	if (!r->engine)
		return lh_err_set(err, LH_EDATA, "no vector, and %s", r->refusal);
	return lh_vector_record_text(rec, &w->rows->field, r->template, &s->text, &s->s, err);
}

/* Pack a complete record to out. */
static int pack(struct worker *w, const struct lh_record *rec, const struct slot *s,
		struct packed *p, struct lh_buf *out, struct lh_err *err)
{
	bool with_text = s->made_here && in_process(w->rows) && !w->dimension;
	struct lh_str id, model;
	struct lh_iter it;

	lh_buf_reset(&w->id);
	lh_buf_reset(&w->model);
	lh_buf_reset(&w->meta);
	if (lh_vector_record_id(rec, w->rows->settings->id_field, &w->id, &id, err) < 0)
		return -1;
	if (s->made_here)
		model = (struct lh_str){ lh_embedder_model(w->texts),
					 strlen(lh_embedder_model(w->texts)) };
	else if (lh_vector_record_model(rec, &w->model, &model, err) < 0)
		return -1;
	lh_vector_record_meta(rec, w->rows->settings->id_field, &w->meta);
	if (id.n > UINT32_MAX || model.n > UINT32_MAX || w->meta.len > UINT32_MAX)
		return lh_err_data(err, 413, "record over 4 GiB");
	if (s->meta.p) {
		lh_iter_init(&it, &s->meta);
		p->clears = !lh_iter_next(&it);
	}
	p->floats = s->n;
	p->made_here = s->made_here;
	p->id_n = (uint32_t)id.n;
	p->meta_n = (uint32_t)w->meta.len;
	p->model_n = (uint32_t)model.n;
	p->text_n = with_text ? (uint32_t)s->s.n : 0;
	lh_buf_add(out, s->vector.p, s->n * sizeof(float));
	lh_buf_add(out, id.p, id.n);
	lh_buf_add(out, w->meta.p, w->meta.len);
	lh_buf_add(out, model.p, model.n);
	lh_buf_add(out, s->s.p, p->text_n);
	return 0;
}

/* Embed the text of a slot. */
static int embed_one(struct worker *w, struct slot *s, struct lh_err *err)
{
	uint32_t n = 0;

	if (ready_texts(w, err) < 0 ||
	    lh_embedder_embed(w->texts, &s->s, 1, &s->vector, &n, err) < 0)
		return -1;
	s->n = n;
	return 0;
}

static int fill(struct lh_record *rec, void *packed, struct lh_buf *out, void *worker,
		struct lh_err *err)
{
	struct worker *w = worker;
	struct slot *s = w->slot;

	if (read_slot(w, rec, s, err) < 0 || (s->made_here && embed_one(w, s, err) < 0))
		return -1;
	return pack(w, rec, s, packed, out, err) < 0 ? -1 : 1;
}

static bool wants_vector(const struct slot *s, struct lh_str trace)
{
	return s->rc == 0 && s->made_here && !s->n && s->trace.n == trace.n &&
		(!trace.n || !memcmp(s->trace.p, trace.p, trace.n));
}

static void no_vector(void *worker, size_t i, const struct lh_err *why)
{
	struct worker *w = worker;

	w->of[i]->rc = -1;
	w->of[i]->err = *why;
}

/* Embed the texts of one request id, from slot i on, in one request; each may fail alone. */
static int embed_group(struct worker *w, size_t i, size_t n, struct lh_err *err)
{
	struct lh_embedder_ask ask = {
		.text = w->text, .trace = w->slot[i].trace, .bad = no_vector, .ctx = w
	};
	size_t bytes;
	uint32_t dim;
	int rc;

	for (; i < n; i++)
		if (wants_vector(&w->slot[i], ask.trace)) {
			w->text[ask.n] = w->slot[i].s;
			w->of[ask.n++] = &w->slot[i];
		}
	lh_buf_reset(&w->made);
	rc = ready_texts(w, err);
	if (rc == 0)
		rc = lh_embedder_ask(w->texts, &ask, &w->made, &dim, err);
	if (rc < 0 && err->code != LH_EDATA && err->code != LH_ENET)
		return -1;
	for (i = 0; rc < 0 && i < ask.n; i++)
		no_vector(w, i, err);
	for (i = 0, bytes = rc < 0 ? 0 : dim * sizeof(float); i < ask.n; i++) {
		struct slot *s = w->of[i];

		if (s->rc < 0)
			continue;
		lh_buf_add(&s->vector, w->made.p + i * bytes, bytes);
		s->n = dim;
		s->rc = 0;
	}
	return 0;
}

static int embed_slots(struct worker *w, size_t n, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (wants_vector(&w->slot[i], w->slot[i].trace) && embed_group(w, i, n, err) < 0)
			return -1;
	return 0;
}

/* Request ids are for services only. */
static int read_traced(struct worker *w, const struct lh_record *rec, struct slot *s,
		       struct lh_err *err)
{
	s->trace = (struct lh_str){ NULL, 0 };
	if (lh_bind(trace_members, rec, s, &s->traced, err) < 0)
		return -1;
	return read_slot(w, rec, s, err);
}

static int batch(struct lh_batch *b, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	size_t i;

	for (i = 0; i < b->n; i++)
		w->slot[i].rc = read_traced(w, b->rec[i], &w->slot[i], &w->slot[i].err);
	if (embed_slots(w, b->n, err) < 0)
		return -1;
	for (i = 0; i < b->n; i++) {
		struct slot *s = &w->slot[i];

		if (s->rc == 0)
			s->rc = pack(w, b->rec[i], s, b->result, b->out, &s->err);
		if (s->rc < 0 && !lh_records_rejects(w->rows->tool, &s->err)) {
			*err = s->err;
			return -1;
		}
		if (s->rc < 0)
			lh_batch_reject(b, &s->err);
		else
			lh_batch_accept(b);
	}
	return 0;
}

/* Return whether the row's vector was made by that model. */
static bool is_of(const struct row *row, const char *model)
{
	return !model ||
		(row->model.n == strlen(model) && !memcmp(row->model.p, model, row->model.n));
}

/* Embed a text again that was embedded before dimension and model were known. */
static int embed_again(struct run *run, struct row *row, struct lh_err *err)
{
	struct rows *r = run->rows;
	uint32_t n = 0;

	if (!row->text.n || !r->dimension || (r->dimension == row->n && is_of(row, r->model)))
		return 0;
	if (!run->texts && open_texts(&run->texts, r, r->dimension, err) < 0)
		return -1;
	lh_buf_reset(&r->vector);
	if (lh_embedder_embed(run->texts, &row->text, 1, &r->vector, &n, err) < 0)
		return -1;
	row->vector = (const float *)(const void *)r->vector.p;
	row->n = n;
	row->model = (struct lh_str){ lh_embedder_model(run->texts),
				      strlen(lh_embedder_model(run->texts)) };
	return 0;
}

static int on_row(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct run *run = ctx;
	struct lh_buf *copy = &run->rows->vector;
	const struct packed *is = o->result;
	const char *p = o->text;
	struct row row;

	lh_buf_reset(copy);
	lh_buf_add(copy, p, is->floats * sizeof(float));
	p += is->floats * sizeof(float);
	row.vector = (const float *)(const void *)copy->p;
	row.n = is->floats;
	row.made_here = is->made_here;
	row.clears = is->clears;
	row.id = (struct lh_str){ p, is->id_n };
	row.meta = (struct lh_str){ p += is->id_n, is->meta_n };
	row.model = (struct lh_str){ p += is->meta_n, is->model_n };
	row.text = (struct lh_str){ p + is->model_n, is->text_n };
	if (embed_again(run, &row, err) < 0)
		return -1;
	return run->sink(&row, run->ctx, err);
}

int rows_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx)
{
	struct run run = { .rows = r, .sink = sink, .ctx = ctx };
	struct lh_flow flow = {
		.result_size = sizeof(struct packed),
		.sink = on_row, .shared = &run, .files = tool->operands + 1,
		.n_files = tool->n_operands - 1,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free,
	};
	int rc;

	if (in_process(r)) {
		flow.fill = fill;
	} else {
		flow.batch = batch;
		flow.batch_max = batch_of(r);
	}
	rc = lh_records_run(tool, &flow);
	lh_embedder_free(run.texts);
	return rc < 0 ? -1 : not_stopped(tool);
}

int not_stopped(struct lh_tool *tool)
{
	return lh_stopping() ? lh_err_set(&tool->err, LH_EINTR, "interrupted") : 0;
}

int row_fits(const struct row *row, uint32_t dimension, const char *model, struct lh_err *err)
{
	if (dimension && row->n != dimension)
		return lh_err_set(err, LH_EDATA, "dimension %zu, expected %u", row->n, dimension);
	if (*model && row->model.n &&
	    !lh_model_same(row->model, (struct lh_str){ model, strlen(model) }))
		return lh_err_data(err, 409, "model \"%.*s\", expected \"%s\"",
				   (int)(row->model.n < 256 ? row->model.n : 256), row->model.p,
				   model);
	return 0;
}

/* ---- shared ---- */

void show_stage(void *ctx, const char *stage, uint64_t done, uint64_t of)
{
	struct lh_tool *tool = ctx;

	lh_tool_doing(tool, stage);
	lh_tool_share(tool, done, of);
}

bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}
