/* upgrade.c - lh-index upgrade: the rows of an index, for a build in its own place. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "index.h"
#include "vector/vector_record.h"

#define BATCH 256	/* texts in a call */

struct upgrade {
	struct rows *rows;
	struct lh_index *ix;
	row_sink sink;
	void *ctx;
	struct lh_embedder *texts;	/* NULL: the vectors are kept */
	struct metadata meta;
	struct lh_buf scratch, text, vector;
	struct lh_row row[BATCH];
	size_t at[BATCH + 1];		/* of each text */
	size_t n;
};

/* Return whether two texts are one, NULL being none. */
static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Return whether the vectors would be made of the same texts by the same model. */
static bool keeps_vectors(const struct settings *s)
{
	const struct lh_index_params *was = &s->kept;
	bool known = *was->field || *was->text_template;

	if (!s->keeps_model || s->dimension != was->dimension ||
	    (s->prefix && !same(s->prefix, was->prefix)))
		return false;
	if (s->template)
		return same(s->template, was->text_template);
	return !s->field || same(s->field, known ? was->field : TEXT_FIELD);
}

/* Name the record that an error is about. */
static int about(const struct lh_row *row, struct lh_err *err)
{
	return lh_err_prefix(err, "record \"%.*s\"", (int)(row->id.n < 100 ? row->id.n : 100),
			     row->id.p);
}

/* Pass a row on. */
static int pass(struct upgrade *u, const struct lh_row *from, const float *vector, size_t n,
		const char *model, struct lh_err *err)
{
	struct row row = { .id = from->id, .meta = from->meta, .model = { model, strlen(model) },
			   .vector = vector, .n = n, .made_here = true };

	return u->sink(&row, u->ctx, err) < 0 ? about(from, err) : 0;
}

/* Embed the texts that were gathered. */
static int embed(struct upgrade *u, struct lh_err *err)
{
	struct lh_str text[BATCH];
	uint32_t dimension = 0;
	size_t i;

	if (!u->n)
		return 0;
	for (i = 0; i < u->n; i++)
		text[i] = (struct lh_str){ u->text.p + u->at[i], u->at[i + 1] - u->at[i] };
	lh_buf_reset(&u->vector);
	if (lh_embedder_embed(u->texts, text, u->n, &u->vector, &dimension, err) < 0)
		return -1;
	for (i = 0; i < u->n; i++) {
		const float *vector = (const float *)(const void *)u->vector.p + i * dimension;

		if (pass(u, &u->row[i], vector, dimension, lh_embedder_model(u->texts), err) < 0)
			return -1;
	}
	u->n = 0;
	lh_buf_reset(&u->text);
	return 0;
}

/* Read the text of a row from its metadata. */
static int read_text(struct upgrade *u, const struct lh_row *row, struct lh_str *text,
		     struct lh_err *err)
{
	struct lh_str json;

	if (metadata_read(&u->meta, row, &json, err) < 0)
		return -1;
	if (!json.p)
		return lh_err_set(err, LH_EDATA, "there is no metadata to make its text of");
	lh_buf_reset(&u->scratch);
	return lh_vector_record_text(&u->meta.scan, &u->rows->field, u->rows->template,
				     &u->scratch, text, err);
}

/* Gather the text of a row. */
static int gather(struct upgrade *u, const struct lh_row *row, struct lh_err *err)
{
	struct lh_str text;

	if (read_text(u, row, &text, err) < 0)
		return about(row, err);
	u->at[u->n] = u->text.len;
	u->row[u->n++] = *row;
	lh_buf_add(&u->text, text.p, text.n);
	u->at[u->n] = u->text.len;
	return u->n < BATCH ? 0 : embed(u, err);
}

/* Take one row; the index stays as it was if one cannot be made anew. */
static int take(struct upgrade *u, uint64_t at, const struct lh_row *row, struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_get_params(u->ix);
	float *vector = (float *)(void *)u->vector.p;

	if (u->texts)
		return gather(u, row, err);
	lh_index_vector(u->ix, at, vector);
	return pass(u, row, vector, p->dimension, p->model, err);
}

static int start(struct upgrade *u, struct lh_err *err)
{
	const struct settings *s = u->rows->settings;
	struct lh_embedder_options how = rows_engine(u->rows);

	if (lh_index_check_sums(u->ix, err) < 0 || lh_index_check_order(u->ix, err) < 0)
		return -1;
	if (keeps_vectors(s)) {
		lh_buf_room(&u->vector, s->kept.dimension * sizeof(float));
		return 0;
	}
	if (!how.engine)
		return lh_err_set(err, LH_EUSAGE, "%s", u->rows->refusal);
	if (lh_engine_here(how.engine))
		how.dimension = (uint32_t)s->dimension;
	u->texts = lh_embedder_new(&how, err);
	return u->texts ? 0 : -1;
}

static int take_all(struct upgrade *u, struct lh_tool *tool)
{
	uint64_t i, at, n = lh_index_rows(u->ix);
	struct lh_row row;
	int rc = start(u, &tool->err);

	for (i = 0; rc >= 0 && i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(u->ix, i, &at, &row, &tool->err);
		if (rc > 0)
			rc = take(u, at, &row, &tool->err);
		lh_tool_share(tool, i + 1, n);
	}
	if (rc >= 0 && u->texts)
		rc = embed(u, &tool->err);
	return rc < 0 ? lh_err_prefix(&tool->err, "%s", tool->operands[0]) : not_stopped(tool);
}

int upgrade_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx)
{
	LH_SCOPED(lh_free_local) struct upgrade *u = lh_calloc(1, sizeof *u);
	int rc = -1;

	*u = (struct upgrade){ .rows = r, .sink = sink, .ctx = ctx };
	u->ix = lh_index_open_old(tool->operands[0], &tool->err);
	if (u->ix)
		rc = take_all(u, tool);
	if (!rc)
		lh_records_absent(tool);
	lh_index_close(u->ix);
	lh_embedder_free(u->texts);
	metadata_free(&u->meta);
	lh_buf_free(&u->scratch);
	lh_buf_free(&u->text);
	lh_buf_free(&u->vector);
	return rc;
}
