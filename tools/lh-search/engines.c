/* engines.c - embed the text of a query, once for all corpora of the same engine.  See
 * search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "search.h"

/* Find or add the engine of an open index. */
static struct engine *take(struct worker *w, const struct opened *o)
{
	struct engine *e;

	for (e = w->engines; e; e = e->next)
		if (e->key.len == o->engine.len && !memcmp(e->key.p, o->engine.p, e->key.len))
			break;
	if (!e) {
		e = lh_calloc(1, sizeof *e);
		lh_buf_add(&e->key, o->engine.p, o->engine.len);
		e->next = w->engines;
		w->engines = e;
	}
	e->users++;
	return e;
}

void engine_give(struct worker *w, struct engine *e)
{
	struct engine **at = &w->engines;

	if (!e || --e->users)
		return;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	lh_embedder_free(e->texts);
	lh_buf_free(&e->key);
	lh_buf_free(&e->made);
	free(e);
}

/* A model that cannot be read is the user's to repair before the start; in a folder, it may come
 * back. */
static int not_started(const struct corpus_search *s, struct lh_err *err)
{
	const char *model = s->open->params->url;
	size_t n = strlen(model);

	if (s->name->alone && n && strncmp(err->msg, model, n) == 0)
		lh_err_set(err, err->code, "the model of its engine cannot be read");
	if (s->name->alone && (err->code == LH_EIO || err->code == LH_ECORRUPT)) {
		err->code = LH_EDATA;
		err->status = 502;
	}
	if (err->code == LH_EUSAGE) {
		err->code = LH_EDATA;
		err->status = 500;	/* not the fault of the query */
	}
	return lh_err_prefix(err, "corpus \"%s\"", s->name->text);
}

static bool is_gguf(const struct corpus_search *s)
{
	return strcmp(s->open->params->engine, lh_engine_name(LH_ENGINE_GGUF)) == 0;
}

static int start(const struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct lh_index_params *p = s->open->params;
	const struct settings *set = w->run->set;
	struct lh_embedder_options how = {
		.engine = p->engine, .model = p->model, .url = p->url, .dimension = p->dimension,
		.prefix = p->query_prefix, .jobs = w->run->tool->jobs
	};

	if (!p->engine[0])
		return lh_err_set(err, LH_EDATA,
				  "corpus \"%s\" has no engine to embed text with: give a "
				  "query_vector",
				  s->name->text);
	if (is_gguf(s) && set->model)
		how.url = set->model;
	if (is_gguf(s) && set->query_prefix)
		how.prefix = set->query_prefix;
	s->engine->texts = lh_embedder_new(&how, err);
	return s->engine->texts || is_gguf(s) ? 0 : not_started(s, err);
}

/* A model that is gone, or is another one now, is an error of each query by text, and the run
 * fails, but for --on-error emit; queries that bring a vector are answered. */
static int no_model(const struct worker *w, const struct corpus_search *s, struct lh_err *err)
{
	if (err->code == LH_EINTR || err->code == LH_EDATA)
		return -1;
	err->code = LH_EDATA;
	err->status = s->name->alone ? 502 : 500;
	lh_tool_record_failed(w->run->tool);
	if (s->name->alone)
		lh_err_data(err, 502, "the model of its engine cannot be used");
	return lh_err_prefix(err, "corpus \"%s\"", s->name->text);
}

static int ask_engine(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	struct lh_embedder_ask ask = { .text = &w->reader.q.text,
				       .n = 1,
				       .trace = w->reader.q.trace };
	struct engine *e = s->engine;
	uint32_t got;
	int rc = 0;

	lh_buf_reset(&e->made);
	if (!e->texts && start(w, s, err) < 0)
		return -1;
	rc = e->texts ? lh_embedder_ask(e->texts, &ask, &e->made, &got, err) : -1;
	if (rc < 0)
		return is_gguf(s) ? no_model(w, s, err) : -1;
	if (got != s->open->params->dimension)
		return lh_err_data(err, 502, "engine %s made dimension %u, corpus \"%s\" has %u",
				   s->open->params->engine, got, s->name->text,
				   s->open->params->dimension);
	return 0;
}

int embed(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	size_t dimension = s->open->params->dimension;
	struct engine *e;

	if (!s->engine)
		s->engine = take(w, s->open);
	e = s->engine;
	if (!e)
		return -1;
	if (!e->texts || e->query != w->query) {
		if (ask_engine(w, s, err) < 0)
			return -1;
		e->query = w->query;
	}
	memcpy(s->vector, e->made.p, dimension * sizeof *s->vector);
	return 0;
}
