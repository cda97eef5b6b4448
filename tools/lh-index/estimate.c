/* estimate.c - lh-index build --estimate: the size of an index that is not made.
 *
 * All records are read; no text is embedded but one, if the engine alone knows how many values
 * its vectors have. */
#include <ctype.h>
#include <string.h>

#include <lh/digest.h>
#include "base/table.h"
#include "index.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "vector/vector_record.h"

/* What a record adds; its id is the text. */
struct share {
	size_t n;		/* values of its vector; 0: none */
	uint64_t meta_bytes, words;
};

struct worker {
	struct rows *rows;
	struct lh_buf id, text, meta, vector;
};

struct estimate {
	struct rows *rows;
	struct lh_index_params *p;
	struct lh_index_contents all;
	struct lh_map ids;
};

static int worker_init(void *worker, void *shared, struct lh_err *err)
{
	(void)err;
	((struct worker *)worker)->rows = ((const struct estimate *)shared)->rows;
	return 0;
}

static void worker_free(void *worker)
{
	struct worker *w = worker;

	lh_buf_free(&w->id);
	lh_buf_free(&w->text);
	lh_buf_free(&w->meta);
	lh_buf_free(&w->vector);
}

static uint64_t count_words(struct lh_str s)
{
	uint64_t n = 0;
	bool in = false;
	size_t i;

	for (i = 0; i < s.n; i++) {
		bool letter = (s.p[i] & 0x80) || isalnum((unsigned char)s.p[i]);

		n += letter && !in;
		in = letter;
	}
	return n;
}

static int fill(struct lh_record *rec, void *share, struct lh_buf *out, void *worker,
		struct lh_err *err)
{
	struct worker *w = worker;
	struct rows *r = w->rows;
	const struct lh_value *vector = lh_record_get(rec, "vector");
	struct share *s = share;
	struct lh_str id, text = { NULL, 0 };

	lh_buf_reset(&w->id);
	lh_buf_reset(&w->text);
	lh_buf_reset(&w->meta);
	lh_buf_reset(&w->vector);
	if (lh_vector_record_id(rec, r->settings->id_field, &w->id, &id, err) < 0)
		return -1;
	if (vector && vector->type != LH_NULL) {
		if (lh_vector_record_vector(vector, &w->vector, &s->n, err) < 0)
			return -1;
	} else if (!r->engine) {
		return lh_err_set(err, LH_EDATA, "no vector, and %s", r->refusal);
	} else if (lh_vector_record_text(rec, &r->field, r->template, &w->text, &text, err) < 0) {
		return -1;
	}
	lh_vector_record_meta(rec, r->settings->id_field, &w->meta);
	s->meta_bytes = w->meta.len;
	if (r->settings->lexical)
		s->words = count_words(text.n ? text : (struct lh_str){ w->meta.p, w->meta.len });
	lh_buf_add(out, id.p, id.n);
	return 1;
}

static int on_share(const struct lh_output *o, void *estimate, struct lh_err *err)
{
	struct estimate *e = estimate;
	const struct share *s = o->result;
	unsigned char hash[LH_HASH_SIZE];
	bool is_new;

	if (s->n && e->p->dimension && s->n != e->p->dimension)
		return lh_err_set(err, LH_EDATA, "dimension %zu, expected %u", s->n,
				  e->p->dimension);
	if (s->n)
		e->p->dimension = (uint32_t)s->n;
	lh_sha256(o->text, o->n, hash);
	if (lh_hashset_add(&e->ids, hash, &is_new, err) < 0)
		return -1;
	if (!is_new)
		return 0;	/* it replaces a record, and is about as large */
	e->all.rows++;
	e->all.id_bytes += o->n;
	e->all.meta_bytes += s->meta_bytes;
	e->all.words += s->words;
	return 0;
}

/* Ask the engine how many values its vectors have; the hash engine makes what is asked for. */
static int find_dimension(struct estimate *e, struct lh_err *err)
{
	struct lh_str text = { "a", 1 };
	LH_SCOPED(lh_buf_free) struct lh_buf vector = { 0 };
	struct lh_embedder_options how;
	struct lh_embedder *t;
	int rc;

	if (e->p->dimension || !e->all.rows || !strcmp(e->rows->engine, "hash"))
		return 0;
	how = rows_engine(e->rows);
	t = lh_embedder_new(&how, err);
	rc = t ? lh_embedder_embed(t, &text, 1, &vector, &e->p->dimension, err) : -1;
	lh_embedder_free(t);
	return rc;
}

static int print(struct estimate *e, struct lh_tool *tool)
{
	const uint64_t bytes = lh_index_estimate(e->p, &e->all);
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "index", tool->operands[0]);
	lh_write_u64(&w, "records", e->all.rows);
	lh_write_u64(&w, "dimension", e->p->dimension);
	lh_write_text(&w, "precision", lh_precision_name(e->p->precision));
	lh_write_text(&w, "layout", LH_INDEX_LAYOUT);
	lh_write_u64(&w, "metadata_bytes", e->all.meta_bytes);
	lh_write_u64(&w, "bytes", bytes);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

int estimate_run(struct rows *r, struct lh_index_params *p, struct lh_tool *tool)
{
	struct estimate e = { .rows = r, .p = p };
	int rc;

	if (r->settings->from != FORMAT_JSONL)
		return lh_tool_usage(tool, "--estimate reads JSON Lines: leave out --from");
	rc = lh_records_run(tool, &(struct lh_flow){
		.fill = fill, .result_size = sizeof(struct share), .sink = on_share, .shared = &e,
		.files = tool->operands + 1, .n_files = tool->n_operands - 1,
		.shard = r->shard, .shard_key = r->settings->id_field, .others = &r->others,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
	rc = rc < 0 ? -1 : not_stopped(tool);
	if (!rc)
		rc = find_dimension(&e, &tool->err);
	if (!rc) {
		settle_params(p, e.all.rows);
		rc = print(&e, tool);
	}
	lh_map_free(&e.ids);
	return rc;
}
