/* build.c - lh-index build and upgrade: make a new INDEX, replacing the old one. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "embed/hashv1.h"
#include "memory/playbook.h"
#include "base/mem.h"
#include "base/signal.h"
#include "base/table.h"
#include "file/file.h"
#include "index.h"
#include "index/hnswlib.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "vector/vector_record.h"

/* ---- what stands there ---- */

#define LINE_MAX ((size_t)1 << 20)	/* bytes in which a first line must end */

int index_length(const char *path, uint64_t *n, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_stats st = { .live = 0 };

	if (ix)
		lh_index_get_stats(ix, &st);
	lh_index_close(ix);
	*n = st.live;
	return ix ? 0 : -1;
}

static bool is_hnswlib(const char *path)
{
	struct lh_err unused;
	struct lh_hnswlib *h = lh_hnswlib_load(path, LH_L2, &unused);

	lh_hnswlib_free(h);
	return h;
}

/* Copy the first line of a file. */
static bool read_line(const char *path, struct lh_buf *line)
{
	struct lh_mapped m;
	struct lh_err unused;
	const char *end;

	if (lh_mapped_open(&m, path, &unused) < 0)
		return false;
	end = memchr(m.p, '\n', m.n < LINE_MAX ? m.n : LINE_MAX);
	if (end)
		lh_buf_add(line, m.p, (size_t)(end - m.p));
	lh_mapped_close(&m);
	return end != NULL;
}

/* Return whether the first line has the id and metadata of a vector, and nothing else. */
static bool is_ids(const char *path)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_err unused;
	size_t i;
	bool is;

	is = read_line(path, &line) && lh_record_parse(&rec, line.p, line.len, &unused) == 0 &&
		lh_record_get(&rec, "id");
	for (i = 0; is && i < rec.n; i++)
		is = lh_value_is(&rec.member[i].key, "id", 2) ||
			lh_value_is(&rec.member[i].key, "label", 5) ||
			lh_value_is(&rec.member[i].key, "metadata", 8);
	return is;
}

static const struct lh_made made_index = { "an index", { LH_INDEX_MAGIC }, NULL };
const struct lh_made made_hnswlib = { "an index of hnswlib", { NULL }, is_hnswlib };
const struct lh_made made_ids = { "a list of ids", { NULL }, is_ids };

/* Return whether path is an index whose rows are entries of a playbook. */
static bool is_playbook(const char *path)
{
	struct lh_err unused;
	uint64_t n;

	return index_length(path, &n, &unused) == 0 && n && lh_playbook_check(path, &unused) == 0;
}

int index_replaces(struct lh_tool *tool, const char *path)
{
	if (lh_tool_replaces(tool, path, &made_index) < 0)
		return -1;
	if (!tool->force && is_playbook(path))
		return lh_tool_usage(tool, "%s: is a playbook, not an index: give another name, or "
				     "--force", path);
	return 0;
}

/* ---- parameters that stay ---- */

/* Return text, or NULL for none. */
static const char *some(const char *text)
{
	return *text ? text : NULL;
}

static int engine_number(const char *name)
{
	int i;

	for (i = LH_ENGINE_HASH; i <= LH_ENGINE_GGUF; i++)
		if (strcmp(name, lh_engine_name((enum lh_engine)i)) == 0)
			return i;
	return -1;
}

static bool hash_can(uint64_t dimension)
{
	return dimension >= LH_HASHV1_DIM_MIN && dimension <= LH_HASHV1_DIM_MAX;
}

static void keep_model(struct settings *s)
{
	const struct lh_index_params *p = &s->kept;

	s->keeps_model = true;
	s->engine = engine_number(p->engine);
	if (!s->dimension)
		s->dimension = p->dimension;
	if (s->engine != LH_ENGINE_GGUF) {
		s->model = some(p->model);
		s->kept_url = some(p->url);
		return;
	}
	s->model = some(p->url);	/* the file */
	if (!s->prefix)
		s->prefix = some(p->prefix);
	if (!s->query_prefix)
		s->query_prefix = some(p->query_prefix);
}

static void keep(struct settings *s)
{
	const struct lh_index_params *p = &s->kept;

	if (s->engine < 0 && !s->model) {
		keep_model(s);
	} else {
		/* Take the engine of the index for another model of its own, and the dimension
		 * if any engine can make it. */
		bool hash = s->engine == LH_ENGINE_HASH ||
			(s->engine < 0 && s->model && lh_hash_knows(s->model));

		if (s->engine < 0 && !hash)
			s->engine = engine_number(p->engine);
		if (hash && !s->dimension && hash_can(p->dimension))
			s->dimension = p->dimension;
	}
	s->lexical = s->lexical || p->lexical;
	s->of_persons = s->of_persons || p->persons;
	if (!s->field && !s->template) {
		s->template = some(p->text_template);
		if (!s->template)
			s->field = some(p->field);
	}
}

int settings_fill(struct settings *s, struct lh_err *err)
{
	const struct lh_index_params *p = &s->kept;
	struct lh_index *ix;

	lh_index_params_default(&s->kept);
	if (s->like) {
		ix = s->upgrade ? lh_index_open_old(s->like, err) : lh_index_open(s->like, err);
		if (!ix)
			return -1;
		s->kept = *lh_index_get_params(ix);
		lh_index_close(ix);
		keep(s);
	}
	if (s->distance < 0)
		s->distance = p->distance;
	if (s->precision < 0) {
		s->precision = p->precision;
		s->rescore = s->rescore || p->rescore;
	}
	if (!s->m)
		s->m = p->m;
	if (!s->ef_construction)
		s->ef_construction = p->ef_construction;
	if (!s->ef_search)
		s->ef_search = p->ef_search;
	if (s->exact_below == UINT64_MAX)
		s->exact_below = p->exact_below;
	if (s->seed == UINT64_MAX)
		s->seed = p->seed;
	return 0;
}

/* Check that a model found by its file is the one that is kept. */
static int settings_keep(const struct settings *s, const struct lh_index_params *p,
			 struct lh_err *err)
{
	if (!s->keeps_model || strcmp(p->model, s->kept.model) == 0)
		return 0;
	return lh_err_set(err, LH_EUSAGE, "%s: the model is %.200s, and that file has %.200s now: "
			  "name one by --engine and --model", s->like, s->kept.model, p->model);
}

/* ---- build ---- */

struct build {
	struct rows rows;
	struct lh_index_writer *w;
	struct lh_index_params *p;	/* of the writer */
	struct lh_embedder *texts;	/* of engine gguf: its child is that of the rows too */
	uint64_t repeated;		/* records that replaced an earlier one of this input */
};

static int set_text(char *to, size_t room, const char *what, const char *from, size_t n,
		    struct lh_err *err)
{
	if (n >= room || memchr(from, 0, n))
		return lh_err_set(err, LH_EDATA, "%s of %zu bytes: at most %zu, without NUL", what,
				  n, room - 1);
	memcpy(to, from, n);
	to[n] = '\0';
	return 0;
}

/* Set the source of the words: the text that is embedded, as far as the metadata holds
 * it. */
static int start_lexical(struct lh_index_params *p, const struct settings *s, struct lh_err *err)
{
	const char *of = s->template ? s->template : s->field ? s->field : TEXT_FIELD;

	if (!s->lexical)
		return 0;
	if (!s->template && !s->field)
		memcpy(p->field, TEXT_FIELD, sizeof TEXT_FIELD);
	p->lexical = s->template ? LH_LEXICAL_TEMPLATE : LH_LEXICAL_FIELD;
	if (set_text(p->lexical_of, sizeof p->lexical_of, "", of, strlen(of), err) < 0)
		return lh_err_set(err, LH_EUSAGE,
				  "--lexical: the name of the field or the template has 1 to %zu "
				  "bytes",
				  sizeof p->lexical_of - 1);
	return 0;
}

static int start_params(struct lh_index_params *p, const struct lh_tool *tool,
			const struct settings *s, struct lh_err *err)
{
	const bool gguf = s->engine == LH_ENGINE_GGUF;
	const struct {
		char *to;
		size_t room;
		const char *what, *from;
	} text[] = {
		{ p->text_template, sizeof p->text_template, "--template", s->template },
		{ p->field, sizeof p->field, "--field", s->template ? NULL : s->field },
		{ p->engine, sizeof p->engine, "engine", engine_name(s->engine) },
		{ p->prefix, sizeof p->prefix, "--prefix", s->prefix },
		{ p->query_prefix, sizeof p->query_prefix, "--query-prefix", s->query_prefix },
		{ p->model, sizeof p->model, "--model", gguf ? NULL : s->model },
		{ p->url, sizeof p->url, "--url",
		  gguf ? NULL : s->url ? s->url : s->kept_url }
	};
	size_t i;

	lh_index_params_default(p);
	p->dimension = (uint32_t)s->dimension;
	p->distance = s->distance;
	p->precision = s->precision;
	p->rescore = s->rescore;
	p->m = (uint32_t)s->m;
	p->ef_construction = (uint32_t)s->ef_construction;
	p->ef_search = (uint32_t)s->ef_search;
	p->exact_below = (uint32_t)s->exact_below;
	p->seed = s->seed;
	p->persons = s->of_persons;
	lh_tool_time(tool, p->created_at);
	/* So that texts added later are made alike.  Without --field and --template the vectors
	 * may come from elsewhere, and the source of their texts is unknown.  --model of engine
	 * gguf is a file; set_engine reads its name. */
	for (i = 0; i < sizeof text / sizeof *text; i++)
		if (text[i].from && set_text(text[i].to, text[i].room, text[i].what, text[i].from,
					     strlen(text[i].from), err) < 0)
			return -1;
	return start_lexical(p, s, err);
}

/* Set the model and where it is, as the engine names them. */
static int set_engine(struct build *b, const struct lh_embedder *t, struct lh_err *err)
{
	struct lh_index_params *p = b->p;
	const char *model = lh_embedder_model(t), *url = lh_embedder_url(t);

	b->rows.model = p->model;
	b->rows.url = p->url;
	b->rows.dimension = p->dimension = lh_embedder_dimension(t);
	if (set_text(p->model, sizeof p->model, "model", model, strlen(model), err) < 0)
		return -1;
	return set_text(p->url, sizeof p->url, "path of the model", url, strlen(url), err);
}

/* Set up engine gguf: the model says by a first vector which one it is. */
static int start_gguf(struct build *b, const struct settings *s, struct lh_err *err)
{
	struct rows *r = &b->rows;
	struct lh_str text = { "a", 1 };
	LH_SCOPED(lh_buf_free) struct lh_buf vector = { 0 };
	struct lh_embedder_options how;
	uint32_t dimension;
	int rc;

	r->engine = engine_name(s->engine);
	r->url = s->model;
	r->prefix = s->prefix;
	r->cut = (uint32_t)s->dimension;
	how = rows_engine(r);
	b->texts = lh_embedder_new(&how, err);
	rc = b->texts ? lh_embedder_embed(b->texts, &text, 1, &vector, &dimension, err) : -1;
	return rc < 0 ? -1 : set_engine(b, b->texts, err);
}

/* Choose the engine that embeds texts: the one given, or hash unless the model says
 * otherwise. */
static int start_engine(struct build *b, const struct settings *s, struct lh_err *err)
{
	struct rows *r = &b->rows;

	if (s->engine == LH_ENGINE_GGUF)
		return start_gguf(b, s, err);
	if (s->engine < 0 && s->model && !lh_hash_knows(s->model)) {
		snprintf(r->refusal, sizeof r->refusal,
			 "no engine for the model %s: name one by --engine", s->model);
		return 0;
	}
	r->engine = s->engine < 0 ? "hash" : engine_name(s->engine);
	r->model = s->model;
	r->url = s->url ? s->url : s->kept_url;
	if (s->engine >= 0 && strcmp(r->engine, "hash") == 0) {
		if (s->model && !lh_hash_knows(s->model))
			return lh_err_set(err, LH_EUSAGE,
					  "--model %s: the hash engine has %s alone", s->model,
					  LH_HASH_MODELS);
		if (s->dimension && !hash_can(s->dimension))
			return lh_err_set(err, LH_EUSAGE,
					  "--dimension %llu: the hash engine makes %d to %d",
					  (unsigned long long)s->dimension, LH_HASHV1_DIM_MIN,
					  LH_HASHV1_DIM_MAX);
		if (!s->model)
			memcpy(b->p->model, LH_HASH_MODEL, sizeof LH_HASH_MODEL);
	}
	return 0;
}

static int store(const struct row *row, void *ctx, struct lh_err *err)
{
	struct build *b = ctx;
	struct lh_index_params *p = b->p;
	uint64_t count = lh_index_writer_count(b->w);
	char model[sizeof p->model];

	if (row_fits(row, p->dimension, p->model, err) < 0 ||
	    set_text(model, sizeof model, "model", row->model.p, row->model.n, err) < 0)
		return -1;
	if (lh_index_put(b->w, row->id.p, row->id.n, row->vector, row->n, row->meta.p,
			 row->clears ? 0 : row->meta.n, err) < 0)
		return -1;
	if (lh_index_writer_count(b->w) == count) {
		if (b->rows.settings->from != FORMAT_JSONL)
			return id_doubled(row->id, err);
		b->repeated++;
	}
	if (!*p->model)
		memcpy(p->model, model, sizeof model);
	if (!b->rows.dimension && !b->rows.model && lh_hash_knows(p->model))
		b->rows.model = p->model;	/* later texts are made alike */
	b->rows.dimension = p->dimension;
	return 0;
}

/* Set the parameters that are still open after all records. */
static void settle_params(struct lh_index_params *p, uint64_t count)
{
	if (!p->dimension)
		p->dimension = LH_HASHV1_DIM;
	if (!count && !*p->model && !*p->engine && hash_can(p->dimension))
		/* so that texts can be added later */
		memcpy(p->model, LH_HASH_MODEL, sizeof LH_HASH_MODEL);
	if (!*p->engine && lh_hash_knows(p->model) && hash_can(p->dimension))
		memcpy(p->engine, "hash", sizeof "hash");
	if (!*p->model && strcmp(p->engine, "ollama") == 0)
		/* the default, for queries too */
		memcpy(p->model, LH_OLLAMA_MODEL, sizeof LH_OLLAMA_MODEL);
}

/* An empty input usually means that an earlier command failed. */
static int refuse_empty(const char *path, struct lh_err *err)
{
	return lh_err_set(err, LH_EIO,
			  "%s: no good record came in, so it %s (--allow-empty makes an empty "
			  "index)",
			  path, access(path, F_OK) == 0 ? "stays as it was" : "is not made");
}

/* Nothing was added to the old index meanwhile: the writer holds the lock. */
static int write_index(struct lh_tool *tool, struct lh_index_writer *w)
{
	uint64_t count = lh_index_writer_count(w), had;
	const char *path = tool->operands[0];
	struct lh_err unused;

	index_length(path, &had, &unused);
	lh_index_writer_watch(w, show_stage, tool);
	if (lh_index_commit(w, (unsigned)tool->jobs, &tool->err) < 0)
		return -1;
	if (count < had - had / 2)
		lh_tool_warn(tool, "%s: it had %s, and has %llu now", path, LH_N(had, "record"),
			     (unsigned long long)count);
	lh_tool_verbose(tool, "%s: %s of dimension %u", path, LH_N(count, "record"),
			lh_index_writer_params(w)->dimension);
	return 0;
}

static int finish(struct build *b, struct lh_tool *tool, const struct settings *s)
{
	uint64_t count = lh_index_writer_count(b->w);
	const char *path = tool->operands[0];

	if (!count && !s->allow_empty && !s->upgrade)
		return refuse_empty(path, &tool->err);
	settle_params(b->p, count);
	b->p->persons |= atomic_load(&b->rows.of_persons);
	if (write_index(tool, b->w) < 0)
		return -1;
	if (b->repeated)
		lh_tool_message(tool, "%llu record%s of the same id",
				(unsigned long long)b->repeated,
				b->repeated > 1 ? "s replaced earlier ones" :
						  " replaced an earlier one");
	return 0;
}

static int upgrade_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx);

static int read_rows(struct build *b, struct lh_tool *tool, const struct settings *s)
{
	if (tool->verb->bit == V_UPGRADE)
		return upgrade_run(&b->rows, tool, store, b);
	return s->from == FORMAT_JSONL ? rows_run(&b->rows, tool, store, b) :
					 from_run(&b->rows, tool, store, b);
}

int index_build(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_index_params params;
	struct build b = { .w = NULL };
	int rc = rows_init(&b.rows, tool, s, &tool->err);

	if (rc == 0)
		rc = start_params(&params, tool, s, &tool->err);
	if (rc == 0) {
		b.p = &params;
		b.rows.dimension = params.dimension;
		rc = start_engine(&b, s, &tool->err);
	}
	if (rc == 0)
		rc = settings_keep(s, &params, &tool->err);
	if (rc == 0) {
		b.w = lh_index_writer_new(tool->operands[0], &params, s->lock_timeout, &tool->err);
		rc = b.w ? 0 : -1;
	}
	if (rc == 0 && b.w) {
		b.p = lh_index_writer_params(b.w);
		rc = read_rows(&b, tool, s);
	}
	if (rc == 0 && b.w)
		rc = finish(&b, tool, s);
	lh_index_writer_free(b.w);
	lh_embedder_free(b.texts);
	rows_free(&b.rows);
	return rc;
}

/* ---- upgrade ---- */

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

/* Read the rows of operand [0] itself: its vectors, or new ones of the texts. */
static int upgrade_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx)
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
