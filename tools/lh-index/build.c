/* build.c - lh-index build: make a new INDEX, replacing the old one. */
#include "index/index_tools.h"
#include <stdio.h>
#include <unistd.h>

#include "index.h"
#include <lh/hashv1.h>

struct build {
	struct rows rows;
	struct lh_index_writer *w;
	struct lh_index_params *p;	/* of the writer */
	struct lh_embedder *texts;	/* of engine gguf: its child is that of the rows too */
	uint64_t repeated;		/* records that replaced an earlier one of this input */
};

static bool hash_can(uint64_t dimension)
{
	return dimension >= LH_HASHV1_DIM_MIN && dimension <= LH_HASHV1_DIM_MAX;
}

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

/* Set the source of the texts, so that texts added later are made alike.  Without an
 * option the vectors may come from elsewhere, and their source is unknown. */
static int start_source(struct lh_index_params *p, const struct settings *s, struct lh_err *err)
{
	if (s->template)
		return set_text(p->text_template, sizeof p->text_template, "--template",
				s->template, strlen(s->template), err);
	if (s->field)
		return set_text(p->field, sizeof p->field, "--field", s->field, strlen(s->field),
				err);
	if (s->lexical)
		memcpy(p->field, TEXT_FIELD, sizeof TEXT_FIELD);
	return 0;
}

/* Set the source of the words: the text that is embedded, as far as the metadata holds
 * it. */
static int start_lexical(struct lh_index_params *p, const struct settings *s, struct lh_err *err)
{
	const char *of = s->template ? p->text_template : p->field;

	if (!s->lexical)
		return 0;
	p->lexical = s->template ? LH_LEXICAL_TEMPLATE : LH_LEXICAL_FIELD;
	if (set_text(p->lexical_of, sizeof p->lexical_of, s->template ? "--template" : "--field",
		     of, strlen(of), err) < 0)
		return lh_err_set(err, LH_EUSAGE,
				  "--lexical: the name of the field or the template has 1 to %zu "
				  "bytes",
				  sizeof p->lexical_of - 1);
	return 0;
}

static int start_params(struct lh_index_params *p, const struct lh_tool *tool,
			const struct settings *s, struct lh_err *err)
{
	const char *engine = engine_name(s->engine), *url = s->url ? s->url : s->kept_url;

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
	if (start_source(p, s, err) < 0 || start_lexical(p, s, err) < 0)
		return -1;
	if (engine)
		set_text(p->engine, sizeof p->engine, "engine", engine, strlen(engine), err);
	if (s->prefix && set_text(p->prefix, sizeof p->prefix, "--prefix", s->prefix,
				  strlen(s->prefix), err) < 0)
		return -1;
	if (s->query_prefix && set_text(p->query_prefix, sizeof p->query_prefix, "--query-prefix",
					s->query_prefix, strlen(s->query_prefix), err) < 0)
		return -1;
	if (s->engine == LH_ENGINE_GGUF)
		return 0;	/* --model is a file; set_engine reads its name */
	if (s->model &&
	    set_text(p->model, sizeof p->model, "--model", s->model, strlen(s->model), err) < 0)
		return -1;
	if (url && set_text(p->url, sizeof p->url, "--url", url, strlen(url), err) < 0)
		return -1;
	return 0;
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

void settle_params(struct lh_index_params *p, uint64_t count)
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

static int finish(struct build *b, struct lh_tool *tool, const struct settings *s,
		  build_finish *then)
{
	uint64_t count = lh_index_writer_count(b->w);
	const char *path = tool->operands[0];

	/* A shard may have no record, if the input has any and no index loses all of its own. */
	if (!count && !s->allow_empty && (!atomic_load(&b->rows.others) || length_of(path)))
		return refuse_empty(path, &tool->err);
	settle_params(b->p, count);
	b->p->persons |= atomic_load(&b->rows.of_persons);
	if (then(tool, s, b->w) < 0)
		return -1;
	if (b->repeated)
		lh_tool_message(tool, "%llu record%s of the same id",
				(unsigned long long)b->repeated,
				b->repeated > 1 ? "s replaced earlier ones" :
						  " replaced an earlier one");
	return 0;
}

/* Nothing was added to the old index meanwhile: the writer holds the lock. */
static int write_index(struct lh_tool *tool, const struct settings *s, struct lh_index_writer *w)
{
	uint64_t count = lh_index_writer_count(w), had;
	const char *path = tool->operands[0];

	(void)s;
	had = length_of(path);
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

static int read_rows(struct build *b, struct lh_tool *tool, const struct settings *s)
{
	if (tool->verb->bit == V_UPGRADE)
		return upgrade_run(&b->rows, tool, store, b);
	return s->from == FORMAT_JSONL ? rows_run(&b->rows, tool, store, b) :
					 from_run(&b->rows, tool, store, b);
}

int build_run(struct lh_tool *tool, const struct settings *s, bool as_f32, build_finish *then)
{
	struct lh_index_params params;
	struct build b = { .w = NULL };
	int rc = rows_init(&b.rows, tool, s, &tool->err);

	if (rc == 0 && tool->verb->bit == V_BUILD)
		rc = lh_tool_shard(tool, &b.rows.shard);
	if (rc == 0)
		rc = start_params(&params, tool, s, &tool->err);
	if (rc == 0) {
		b.p = &params;
		params.rescore |= as_f32 && params.precision != LH_F32;
		b.rows.dimension = params.dimension;
		rc = start_engine(&b, s, &tool->err);
	}
	if (rc == 0)
		rc = settings_keep(s, &params, &tool->err);
	if (rc == 0 && s->estimate) {
		rc = estimate_run(&b.rows, &params, tool);
	} else if (rc == 0) {
		b.w = lh_index_writer_new(tool->operands[0], &params, s->lock_timeout, &tool->err);
		rc = b.w ? 0 : -1;
	}
	if (rc == 0 && b.w) {
		b.p = lh_index_writer_params(b.w);
		rc = read_rows(&b, tool, s);
	}
	if (rc == 0 && b.w)
		rc = finish(&b, tool, s, then);
	lh_index_writer_free(b.w);
	lh_embedder_free(b.texts);
	rows_free(&b.rows);
	return rc;
}

int index_build(struct lh_tool *tool, void *settings)
{
	return build_run(tool, settings, false, write_index);
}

int index_upgrade(struct lh_tool *tool, void *settings)
{
	return build_run(tool, settings, false, write_index);
}
