/* like.c - build --like and upgrade: keep the parameters of an index that no option changes. */
#include "index.h"
#include <lh/hashv1.h>

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
		if (hash && !s->dimension && p->dimension >= LH_HASHV1_DIM_MIN &&
		    p->dimension <= LH_HASHV1_DIM_MAX)
			s->dimension = p->dimension;
	}
	s->lexical = s->lexical || p->lexical;
	s->of_persons = s->of_persons || p->persons;
	if (!s->field && !s->template) {
		s->template = some(p->text_template);
		if (!s->template)
			s->field = some(p->field);
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
}

int settings_fill(struct settings *s, struct lh_err *err)
{
	struct lh_index_params p;
	struct lh_index *ix;

	lh_index_params_default(&p);
	if (s->like) {
		ix = s->upgrade ? lh_index_open_old(s->like, err) : lh_index_open(s->like, err);
		if (!ix)
			return -1;
		s->kept = *lh_index_get_params(ix);
		lh_index_close(ix);
		keep(s);
	}
	if (s->distance < 0)
		s->distance = p.distance;
	if (s->precision < 0)
		s->precision = p.precision;
	if (!s->m)
		s->m = p.m;
	if (!s->ef_construction)
		s->ef_construction = p.ef_construction;
	if (s->exact_below == UINT64_MAX)
		s->exact_below = p.exact_below;
	if (s->seed == UINT64_MAX)
		s->seed = p.seed;
	return 0;
}

int settings_keep(const struct settings *s, const struct lh_index_params *p, struct lh_err *err)
{
	if (!s->keeps_model || strcmp(p->model, s->kept.model) == 0)
		return 0;
	return lh_err_set(err, LH_EUSAGE, "%s: the model is %.200s, and that file has %.200s now: "
			  "name one by --engine and --model", s->like, s->kept.model, p->model);
}
