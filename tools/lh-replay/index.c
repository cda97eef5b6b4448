/* index.c - find samples in an index.  See replay.h. */
#include "replay.h"

#include <stdlib.h>

#include <lh/index.h>
#include "base/mem.h"
#include "embed/embedder.h"

struct index {
	const struct lh_index *ix;
	const char *path;
	struct lh_embedder *texts;
	struct lh_searcher *searcher;
	struct lh_record rec;
	struct lh_buf vector;
};

bool index_asks(const struct lh_index *ix)
{
	const char *engine = lh_index_get_params(ix)->engine;

	return !strcmp(engine, lh_engine_name(LH_ENGINE_OLLAMA)) ||
		!strcmp(engine, lh_engine_name(LH_ENGINE_OPENAI));
}

struct index *index_new(const struct lh_index *ix, const char *path, struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_get_params(ix);
	struct index *x = lh_calloc(1, sizeof *x);

	x->ix = ix;
	x->path = path;
	if (p->engine[0]) {
		x->texts =
			lh_embedder_new(&(struct lh_embedder_options){ .engine = p->engine,
								       .model = p->model,
								       .url = p->url,
								       .dimension = p->dimension,
								       .prefix = p->query_prefix },
					err);
		x->searcher = x->texts ? lh_searcher_new(ix, err) : NULL;
	} else {
		lh_err_set(err, LH_EUSAGE, "it has no engine to embed text with");
	}
	if (x->searcher)
		return x;
	lh_err_prefix(err, "--index: %s", path);
	index_free(x);
	return NULL;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	lh_embedder_free(x->texts);
	lh_searcher_free(x->searcher);
	lh_record_free(&x->rec);
	lh_buf_free(&x->vector);
	free(x);
}

static int embed(struct index *x, const struct lh_str *task, struct lh_str trace,
		 struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_get_params(x->ix);
	uint32_t got;

	lh_buf_reset(&x->vector);
	if (lh_embedder_ask(x->texts,
			    &(struct lh_embedder_ask){ .text = task, .n = 1, .trace = trace },
			    &x->vector, &got, err) < 0)
		return -1;
	if (got != p->dimension)
		return lh_err_set(err, LH_ENET, "engine %s made dimension %u, not %u", p->engine,
				  got, p->dimension);
	if (p->distance == LH_COSINE && !lh_vec_unit((float *)(void *)x->vector.p, got))
		return lh_err_set(err, LH_ENET, "engine %s made a vector without a direction",
				  p->engine);
	return 0;
}

/* Convert a distance to a similarity, 1 for equal. */
static double alike(const struct lh_index_params *p, double distance)
{
	return p->distance == LH_L2 ? 1 / (1 + distance) : 1 - distance;
}

/* Add a hit; the members of a sample are in the row's metadata. */
static int put_hit(struct index *x, const struct lh_hit *hit, struct hits *hits, struct lh_err *err)
{
	struct sample s;
	struct kept *kept = NULL;
	struct lh_row row;
	double score;
	int rc = lh_index_row(x->ix, hit->row, &row, err);

	if (rc == 0)
		return lh_err_set(err, LH_ECORRUPT, "row %llu: found, but not there",
				  (unsigned long long)hit->row);
	if (rc < 0)
		return -1;
	score = alike(lh_index_get_params(x->ix), hit->distance);
	if (score <= 0)
		return 0;
	kept = kept_new(&row.id, row.meta.n ? row.meta.p : "{}", row.meta.n ? row.meta.n : 2);
	rc = lh_record_parse(&x->rec, kept->text, kept->n, err);
	if (!rc)
		rc = sample_read(&s, &x->rec, false, err);
	if (rc < 0 && err->code == LH_EDATA)
		lh_err_prefix(err, "metadata of %.*s", row.id.n < 200 ? (int)row.id.n : 200,
			      row.id.p);
	if (!rc)
		hits_put(hits, score, kept);
	kept_drop(kept);
	return rc;
}

int index_find(struct index *x, const struct lh_str *task, struct lh_str trace, struct hits *hits,
	       struct lh_err *err)
{
	struct lh_query q = { .k = HITS };
	struct lh_hit hit[HITS];
	long n = -1, i;
	int rc;

	hits_reset(hits);
	rc = embed(x, task, trace, err);
	q.vector = (const float *)(const void *)x->vector.p;
	if (!rc && (n = lh_index_search(x->searcher, &q, hit, err)) < 0)
		rc = -1;
	for (i = 0; !rc && i < n; i++)
		rc = put_hit(x, &hit[i], hits, err);
	if (rc == 0 || err->code == LH_ENOMEM || err->code == LH_EINTR)
		return rc;
	err->code = LH_ECORRUPT;	/* whatever it is, it ends the run */
	return lh_err_prefix(err, "%s", x->path);
}
