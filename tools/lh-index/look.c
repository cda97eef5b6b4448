/* look.c - lh-index dump, get, info, verify and compact. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/held.h"
#include "index.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "model/http.h"
#include "vector/vector_record.h"

/* ---- dump ---- */

void metadata_free(struct metadata *m)
{
	lh_record_free(&m->scan);
	lh_buf_free(&m->copy);
}

int metadata_parse(struct metadata *m, struct lh_str text, struct lh_str *json,
		   struct lh_err *err)
{
	lh_buf_reset(&m->copy);
	lh_buf_add(&m->copy, text.p, text.n);
	if (lh_record_parse(&m->scan, m->copy.p, m->copy.len, err) < 0)
		return lh_err_set(err, LH_ECORRUPT, "metadata: %s",
				  err->column ? "not JSON" : "JSON, but not an object");
	*json = (struct lh_str){ m->scan.line, m->scan.len };
	return 0;
}

int metadata_read(struct metadata *m, const struct lh_row *row, struct lh_str *json,
		  struct lh_err *err)
{
	*json = (struct lh_str){ NULL, 0 };
	if (!row->meta.n)
		return 0;
	if (memchr(row->meta.p, '\n', row->meta.n))
		return lh_err_set(err, LH_ECORRUPT, "metadata: it has a line break");
	return metadata_parse(m, row->meta, json, err);
}

int metadata_write(struct metadata *m, struct lh_writer *w, const struct lh_row *row,
		   struct lh_err *err)
{
	struct lh_str json;

	if (metadata_read(m, row, &json, err) < 0)
		return -1;
	if (json.p)
		lh_write_raw(w, "metadata", json);
	return 0;
}

/* Writes rows of an index as records, for one thread. */
struct row_writer {
	const struct lh_index *ix;
	bool with_vector, base64;
	float *vector;
	struct metadata meta;
};

static int put_vector(struct row_writer *d, struct lh_writer *w, struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_get_params(d->ix);
	size_t n = p->dimension;

	if (!lh_vec_finite(d->vector, n))
		return lh_err_set(err, LH_ECORRUPT, "vector holds NaN or infinity");
	lh_write_key(w, "vector");
	if (d->base64) {
		lh_buf_putc(w->out, '"');
		lh_buf_base64(w->out, d->vector, n * sizeof *d->vector);
		lh_buf_putc(w->out, '"');
	} else {
		lh_buf_f32s(w->out, d->vector, n);
	}
	lh_write_u64(w, "dimension", n);
	if (*p->model)
		lh_write_text(w, "model", p->model);
	if (p->persons)
		lh_write_bool(w, LH_OF_PERSONS, true);
	return 0;
}

static void row_writer_init(struct row_writer *d, const struct lh_index *ix,
			    const struct settings *s, bool with_vector)
{
	*d = (struct row_writer){ .ix = ix, .with_vector = with_vector,
				  .base64 = s->encoding == 1 };
	d->vector = lh_calloc(lh_index_get_params(ix)->dimension, sizeof *d->vector);
}

static void row_writer_free(struct row_writer *d)
{
	metadata_free(&d->meta);
	free(d->vector);
}

/* Append the record of row number at, without a line break. */
static int row_write(struct row_writer *d, uint64_t at, const struct lh_row *row,
		     struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", row->id);
	if (d->with_vector) {
		lh_index_vector(d->ix, at, d->vector);
		if (put_vector(d, &w, err) < 0)
			return -1;
	}
	if (metadata_write(&d->meta, &w, row, err) < 0)
		return -1;
	lh_write_end(&w);
	return 0;
}

int dump_rows(struct lh_tool *tool, const struct lh_index *ix, dump_fn *fn, void *ctx)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	uint64_t i, at, n = lh_index_rows(ix);
	struct lh_row row;
	int live, rc = 0;

	if (lh_index_check_order(ix, &tool->err) < 0)
		return lh_err_prefix(&tool->err, "%s", tool->operands[0]);
	for (i = 0; rc == 0 && i < n && !lh_stopping(); i++) {
		lh_buf_reset(&out);
		live = lh_index_nth_row(ix, i, &at, &row, &tool->err);
		if (live < 0 || (live && fn(ctx, at, &row, &out, &tool->err) < 0))
			rc = lh_err_prefix(&tool->err, "%s: row %llu", tool->operands[0],
					   (unsigned long long)i);
		else
			rc = lh_tool_out(tool, out.p, out.len);
		lh_tool_share(tool, i + 1, n);
	}
	return rc < 0 ? -1 : not_stopped(tool);
}

static int dump_row(void *writer, uint64_t at, const struct lh_row *row, struct lh_buf *out,
		    struct lh_err *err)
{
	if (row_write(writer, at, row, out, err) < 0)
		return -1;
	lh_buf_putc(out, '\n');
	return 0;
}

static int dump_records(struct lh_tool *tool, const struct settings *s, const struct lh_index *ix)
{
	LH_SCOPED(row_writer_free) struct row_writer d;

	row_writer_init(&d, ix, s, true);
	return dump_rows(tool, ix, dump_row, &d);
}

int index_dump(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_index *ix = lh_index_open(tool->operands[0], &tool->err);
	int rc;

	if (!ix)
		return -1;
	rc = s->to == FORMAT_JSONL ? dump_records(tool, s, ix) : to_run(tool, s, ix);
	lh_index_close(ix);
	return rc;
}

/* ---- get ---- */

int index_renew(struct lh_index **ix, struct lh_err *err)
{
	struct lh_index *now = lh_index_renew(*ix, err);

	if (!now)
		return -1;
	lh_index_close(*ix);
	*ix = now;
	return 0;
}

int find_row(const struct lh_index *ix, struct lh_str id, uint64_t *at, struct lh_row *row,
	     struct lh_err *err)
{
	int64_t found = lh_index_find(ix, id.p, id.n, err);

	if (found == -1)
		return lh_err_data(err, 404, "no record has the id \"%.*s\"",
				   (int)(id.n < 200 ? id.n : 200), id.p);
	*at = (uint64_t)found;
	return found < 0 || lh_index_row(ix, *at, row, err) < 0 ? -1 : 0;
}

static int write_found(struct row_writer *d, struct lh_str id, struct lh_buf *out,
		       struct lh_err *err)
{
	struct lh_row row;
	uint64_t at;

	return find_row(d->ix, id, &at, &row, err) < 0 ? -1 : row_write(d, at, &row, out, err);
}

/* ---- ids on the command line ---- */

/* Print one; an id that is not there costs itself alone. */
static int print_one(struct lh_tool *tool, struct row_writer *d, const char *id,
		     struct lh_buf *line)
{
	struct lh_err *err = &tool->err;

	lh_buf_reset(line);
	if (write_found(d, lh_str_of(id), line, err) == 0) {
		lh_buf_putc(line, '\n');
		return lh_tool_out(tool, line->p, line->len);
	}
	if (err->code != LH_EDATA)
		return lh_err_prefix(err, "%s", tool->operands[0]);
	lh_tool_warn(tool, "%s: %s", tool->operands[0], err->msg);
	lh_tool_verdict_bad(tool);
	return tool->on_error == LH_ON_ERROR_STOP ? 1 : 0;
}

static int print_operands(struct lh_tool *tool, const struct settings *s)
{
	struct lh_index *ix = lh_index_open(tool->operands[0], &tool->err);
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	struct row_writer d;
	size_t i;
	int rc = 0;

	if (!ix)
		return -1;
	row_writer_init(&d, ix, s, s->encoding >= 0);
	for (i = 0; !rc && i < s->id.n && !lh_stopping(); i++)
		rc = print_one(tool, &d, s->id.v[i], &line);
	for (i = 1; !rc && i < tool->n_operands && !lh_stopping(); i++)
		rc = print_one(tool, &d, tool->operands[i], &line);
	row_writer_free(&d);
	lh_index_close(ix);
	return rc < 0 ? -1 : not_stopped(tool);
}

/* ---- ids of records ---- */

struct getter {
	struct lh_tool *tool;
	const struct settings *s;
};

struct view {			/* a state: the index as it is now */
	const struct getter *get;
	struct lh_index *ix;
};

struct worker {
	const struct view *view;
	struct row_writer d;
	struct lh_buf id;
};

static void view_close(void *view)
{
	lh_index_close(((struct view *)view)->ix);
	free(view);
}

static void *view_open(void *getter, const void *before, struct lh_err *err)
{
	const struct getter *get = getter;
	const struct view *was = before;
	struct view *v = lh_calloc(1, sizeof *v);

	v->get = get;
	v->ix = was ? lh_index_renew(was->ix, err) : lh_index_open(get->tool->operands[0], err);
	if (v->ix)
		return v;
	free(v);
	return NULL;
}

static bool view_stale(void *getter, const void *view)
{
	(void)getter;
	return lh_index_stale(((const struct view *)view)->ix);
}

static int worker_init(void *context, void *view, struct lh_err *err)
{
	struct worker *w = context;
	const struct settings *s = ((const struct view *)view)->get->s;

	(void)err;
	w->view = view;
	row_writer_init(&w->d, w->view->ix, s, s->encoding >= 0);
	return 0;
}

static void worker_free(void *context)
{
	struct worker *w = context;

	row_writer_free(&w->d);
	lh_buf_free(&w->id);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct worker *w = context;
	struct lh_str id;

	lh_buf_reset(&w->id);
	if (ids_read(rec, w->view->get->s->id_field, &w->id, &id, err) < 0)
		return -1;
	return write_found(&w->d, id, out, err);
}

static int print_read(struct lh_tool *tool, const struct settings *s)
{
	struct getter get = { tool, s };
	struct lh_held_how how = {
		.open = view_open, .stale = view_stale, .close = view_close, .ctx = &get
	};
	char *file[] = { (char *)(uintptr_t)s->ids };
	struct lh_flow flow = {
		.map = on_record, .ids = true, .context_size = sizeof(struct worker),
		.context_init = worker_init, .context_free = worker_free,
		.files = file, .n_files = s->ids != NULL,
	};
	int rc;

	flow.held = lh_held_open(&how, &tool->err);
	if (!flow.held)
		return -1;
	rc = lh_records_run(tool, &flow);
	lh_held_close(flow.held);
	return rc < 0 ? -1 : not_stopped(tool);
}

int index_get(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	bool given = tool->n_operands > 1 || s->id.n;

	if (given && print_operands(tool, s) < 0)
		return -1;
	return given && !s->ids ? 0 : print_read(tool, s);
}

/* ---- info, verify and compact ---- */

/* Report a failed operand, and go on with the others. */
static void operand_failed(struct lh_tool *tool, int *rc)
{
	lh_tool_warn(tool, "%s", tool->err.msg);
	tool->err.msg[0] = '\0';
	*rc = -1;
}

static void put_name(struct lh_writer *w, const char *key, const char *value)
{
	if (*value)
		lh_write_text(w, key, value);
	else
		lh_write_null(w, key);
}

static void put_origin(struct lh_writer *w, const struct lh_index_params *p)
{
	char shown[sizeof p->url + 3];

	put_name(w, "engine", p->engine);
	put_name(w, "model", p->model);
	/* Append the url of a service, the path of a table, or that or the name of a model. */
	if (lh_engine_here(p->engine) ||
	    strcmp(p->engine, lh_engine_name(LH_ENGINE_GGUF)) == 0)
		snprintf(shown, sizeof shown, "%s", p->url);
	else
		lh_http_mask(p->url, shown, sizeof shown);
	put_name(w, "url", shown);
	put_name(w, "created_at", p->created_at);
	if (p->persons)
		lh_write_bool(w, "persons", true);
	if (*p->prefix)
		lh_write_text(w, "prefix", p->prefix);
	if (*p->query_prefix)
		lh_write_text(w, "query_prefix", p->query_prefix);
	put_name(w, "field", p->field);
	put_name(w, "template", p->text_template);
	if (p->lexical) {
		lh_write_object(w, "lexical");
		lh_write_text(w, lh_lexical_source_name(p->lexical), p->lexical_of);
		lh_write_end(w);
	} else {
		lh_write_null(w, "lexical");
	}
}

static void put_info(struct lh_writer *w, const char *path, const struct lh_index *ix)
{
	const struct lh_index_params *p = lh_index_get_params(ix);
	struct lh_str name = lh_index_name(path);
	struct lh_index_stats st;

	lh_index_get_stats(ix, &st);
	lh_write_object(w, NULL);
	if (lh_utf8_valid(name.p, name.n))
		lh_write_str(w, "name", name);
	else
		lh_write_null(w, "name");	/* JSON has no form for other bytes */
	lh_write_u64(w, "dimension", p->dimension);
	lh_write_u64(w, "length", st.live);
	put_name(w, "distance", lh_distance_name(p->distance));
	lh_write_u64(w, "m", p->m);
	lh_write_u64(w, "ef_construction", p->ef_construction);
	if (p->ef_search)
		lh_write_u64(w, "ef_search", p->ef_search);
	put_name(w, "precision", lh_precision_name(p->precision));
	lh_write_bool(w, "rescore", p->rescore);
	put_name(w, "layout", LH_INDEX_LAYOUT);
	put_origin(w, p);
	lh_write_u64(w, "file_bytes", st.file_bytes);
	lh_write_u64(w, "pending", st.pending);
	lh_write_u64(w, "deleted", st.deleted);
	lh_write_u64(w, "format", st.format);
	lh_write_end(w);
}

static int info_one(struct lh_tool *tool, const char *path)
{
	struct lh_index *ix = lh_index_open(path, &tool->err);
	struct lh_writer w;
	struct lh_buf line = { 0 };

	if (!ix)
		return -1;
	w = lh_write_to(&line);
	put_info(&w, path, ix);
	lh_index_close(ix);
	return lh_tool_out_line(tool, &line);
}

int index_info(struct lh_tool *tool, void *settings)
{
	size_t i;
	int rc = 0;

	(void)settings;
	for (i = 0; i < tool->n_operands; i++)
		if (info_one(tool, tool->operands[i]) < 0)
			operand_failed(tool, &rc);
	return rc;
}

struct check {
	struct lh_tool *tool;
	const char *path;
	struct lh_index *index;	/* with --reach */
	bool damaged;
};

static void on_damage(void *ctx, const char *section, const char *text)
{
	struct check *c = ctx;

	c->damaged = true;
	lh_tool_verdict_bad(c->tool);
	lh_tool_warn(c->tool, "%s: %s: %s", c->path, section, text);
}

static void on_unreached(void *ctx, uint64_t row)
{
	struct check *c = ctx;
	struct lh_row r;

	c->damaged = true;
	lh_tool_verdict_bad(c->tool);
	if (lh_index_row(c->index, row, &r, &c->tool->err) > 0)
		lh_tool_warn(c->tool, "%s: graph: row %llu, \"%.*s\": no link leads to it",
			     c->path, (unsigned long long)row, (int)r.id.n, r.id.p);
}

/* Report each live row that a walk over the graph does not get to. */
static int check_reach(struct check *c)
{
	struct lh_err *err = &c->tool->err;
	int64_t n;

	c->index = lh_index_open(c->path, err);
	n = c->index ? lh_index_unreached(c->index, on_unreached, c) : -1;
	if (n == 0 && !lh_index_has_graph(c->index))
		lh_tool_verbose(c->tool, "%s: no graph: every row is scanned", c->path);
	lh_index_close(c->index);
	return n < 0 ? -1 : 0;
}

int index_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	size_t i;
	int rc = 0;

	for (i = 0; i < tool->n_operands; i++) {
		struct check c = { .tool = tool, .path = tool->operands[i] };

		if (lh_index_verify(c.path, on_damage, &c, &tool->err) < 0 ||
		    (s->reach && check_reach(&c) < 0 && !c.damaged))
			operand_failed(tool, &rc);
		else if (!c.damaged)
			lh_tool_verbose(tool, "%s: good", c.path);
		tool->err.msg[0] = '\0';	/* it was reported already */
		lh_tool_share(tool, i + 1, tool->n_operands);
	}
	return rc;
}

int index_compact(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (lh_index_compact_watched(tool->operands[0], (unsigned)tool->jobs, s->lock_timeout,
				     show_stage, tool, &tool->err) < 0)
		return -1;
	return not_stopped(tool);
}
