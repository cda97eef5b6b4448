/* dump.c - lh-index dump: print every live record, in the form that build reads. */
#include "index/index_tools.h"
#include <stdlib.h>

#include "index.h"
#include "vector/vector_record.h"
#include "base/mem.h"
#include "base/signal.h"
#include <lh/num.h>

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

static int put_vector(struct row_writer *d, struct lh_writer *w, struct lh_err *err)
{
	size_t n = d->p->dimension;

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
	if (*d->p->model)
		lh_write_text(w, "model", d->p->model);
	if (d->p->persons)
		lh_write_bool(w, LH_OF_PERSONS, true);
	return 0;
}

void row_writer_init(struct row_writer *d, const struct lh_index *ix, const struct settings *s,
		     bool with_vector)
{
	*d = (struct row_writer){ .p = lh_index_get_params(ix), .with_vector = with_vector,
				  .base64 = s->encoding == 1 };
	d->vector = lh_calloc(d->p->dimension, sizeof *d->vector);
}

void row_writer_free(struct row_writer *d)
{
	metadata_free(&d->meta);
	free(d->vector);
}

int row_write(struct row_writer *d, const struct lh_index *ix, uint64_t at,
	      const struct lh_row *row, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", row->id);
	if (d->with_vector) {
		lh_index_vector(ix, at, d->vector);
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

struct dump {
	const struct lh_index *ix;
	struct row_writer d;
};

static int dump_row(void *ctx, uint64_t at, const struct lh_row *row, struct lh_buf *out,
		    struct lh_err *err)
{
	struct dump *dump = ctx;

	if (row_write(&dump->d, dump->ix, at, row, out, err) < 0)
		return -1;
	lh_buf_putc(out, '\n');
	return 0;
}

static int dump_records(struct lh_tool *tool, const struct settings *s, const struct lh_index *ix)
{
	struct dump dump = { .ix = ix };
	int rc;

	row_writer_init(&dump.d, ix, s, true);
	rc = dump_rows(tool, ix, dump_row, &dump);
	row_writer_free(&dump.d);
	return rc;
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
