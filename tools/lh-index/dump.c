/* dump.c - lh-index dump: print every live record, in the form that build reads. */
#include "index/index_tools.h"
#include <stdlib.h>

#include "index.h"
#include "base/mem.h"
#include "base/signal.h"
#include <lh/num.h>

struct dump {
	const struct lh_index_params *p;
	bool base64;
	struct lh_buf line;
	float *vector;
	struct metadata meta;
};

void metadata_init(struct metadata *m)
{
	*m = (struct metadata){ .copy = { 0 } };
	lh_record_init(&m->scan);
}

void metadata_free(struct metadata *m)
{
	lh_record_free(&m->scan);
	lh_buf_free(&m->copy);
}

int metadata_write(struct metadata *m, struct lh_writer *w, const struct lh_row *row,
		   struct lh_err *err)
{
	if (!row->meta.n)
		return 0;
	lh_buf_reset(&m->copy);
	lh_buf_add(&m->copy, row->meta.p, row->meta.n);
	if (lh_buf_check(&m->copy, err) < 0)
		return -1;
	if (lh_record_parse(&m->scan, m->copy.p, m->copy.len, err) < 0) {
		if (err->code == LH_ENOMEM)
			return -1;
		return lh_err_set(err, LH_ECORRUPT, "metadata: not JSON");
	}
	lh_write_raw(w, "metadata", (struct lh_str){ m->scan.line, m->scan.len });
	return 0;
}

static int put_vector(struct dump *d, struct lh_writer *w, struct lh_err *err)
{
	size_t n = d->p->dimension;

	if (!lh_vec_finite(d->vector, n))
		return lh_err_set(err, LH_ECORRUPT, "vector holds NaN or infinity");
	lh_write_key(w, "vector");
	if (d->base64) {
		lh_buf_putc(&d->line, '"');
		lh_buf_base64(&d->line, d->vector, n * sizeof *d->vector);
		lh_buf_putc(&d->line, '"');
	} else {
		lh_buf_f32s(&d->line, d->vector, n);
	}
	return 0;
}

static int dump_row(struct dump *d, const struct lh_row *row, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&d->line);

	lh_buf_reset(&d->line);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", row->id);
	if (put_vector(d, &w, err) < 0)
		return -1;
	lh_write_u64(&w, "dimension", d->p->dimension);
	if (*d->p->model)
		lh_write_text(&w, "model", d->p->model);
	if (metadata_write(&d->meta, &w, row, err) < 0)
		return -1;
	lh_write_end(&w);
	lh_buf_putc(&d->line, '\n');
	return lh_buf_check(&d->line, err);
}

static int dump_all(struct dump *d, struct lh_tool *tool, const struct lh_index *ix)
{
	uint64_t i, at, n = lh_index_rows(ix);
	struct lh_row row;
	int live;

	if (lh_index_check_order(ix, &tool->err) < 0)
		return lh_err_prefix(&tool->err, "%s", tool->operands[0]);
	for (i = 0; i < n && !lh_stopping(); i++) {
		live = lh_index_nth_row(ix, i, &at, &row, &tool->err);
		if (live > 0)
			lh_index_vector(ix, at, d->vector);
		if (live < 0 || (live && dump_row(d, &row, &tool->err) < 0))
			return lh_err_prefix(&tool->err, "%s: row %llu", tool->operands[0],
					     (unsigned long long)i);
		if (live && lh_tool_out(tool, d->line.p, d->line.len) < 0)
			return -1;
	}
	return not_stopped(tool);
}

int index_dump(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_index *ix = lh_index_open(tool->operands[0], &tool->err);
	struct dump d = { .base64 = s->encoding == 1 };
	int rc;

	if (!ix)
		return -1;
	d.p = lh_index_get_params(ix);
	metadata_init(&d.meta);
	d.vector = lh_calloc(d.p->dimension, sizeof *d.vector, &tool->err);
	rc = d.vector ? dump_all(&d, tool, ix) : -1;
	metadata_free(&d.meta);
	lh_buf_free(&d.line);
	free(d.vector);
	lh_index_close(ix);
	return rc;
}
