/*
 * plans.c - corpora of several index files, which a plan of shards names.  See search.h.
 *
 * Each shard has a name of its own in struct names, all with the text of the plan, one after the
 * other; its files are opened and renewed like other indexes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "search.h"

/* ---- the names ---- */

void plan_drop(struct plan *p)
{
	lh_shard_plan_free(&p->shards);
	free(p->text);
	free(p);
}

/* Read a plan into the list. */
static struct plan *read_plan(struct names *l, struct lh_str text, const char *path,
			      struct lh_err *err)
{
	struct plan *p;

	lh_grow(&l->plan, &l->cap_plans, l->n_plans + 1, sizeof *l->plan);
	p = lh_calloc(1, sizeof *p);
	l->plan[l->n_plans++] = p;
	p->path = path;
	p->text = lh_strndup(text.p, text.n);
	return p->text && lh_shard_plan_read(&p->shards, path, err) == 0 ? p : NULL;
}

int plan_add(struct names *l, struct lh_str text, const char *path, uint64_t nearest,
	     struct lh_err *err)
{
	struct plan *p;
	struct name *c;
	size_t i;

	names_watch(l, path);
	p = read_plan(l, text, path, err);
	if (!p)
		return -1;
	if (nearest && p->shards.by != LH_SHARD_BY_CENTROID)
		return lh_err_set(err, LH_EUSAGE,
				  "--nearest: %s divides its records by hash, not by centroid",
				  path);
	for (i = 0; i < p->shards.n; i++) {
		c = names_add(l, lh_str_of(p->text));
		c->alone = false;
		c->plan = p;
		c->shard = i;
		c->path = lh_shard_plan_path(path, &p->shards, i);
	}
	return 0;
}

/* ---- the files ---- */

static int other_shard(const struct name *c, const struct lh_err *why, struct lh_err *err)
{
	return lh_err_set(err, LH_EUSAGE, "%s: %s is not the shard that the plan names: %s",
			  c->plan->path, c->plan->shards.shard[c->shard].file, why->msg);
}

int plan_check(const struct corpora *c, size_t i, struct lh_err *err)
{
	const struct name *name = &c->names->v[i];
	const struct opened *o = atomic_load(&c->v[i]), *first = NULL;
	struct lh_err why;
	size_t k;

	if (lh_shard_plan_check(&name->plan->shards, name->shard, o->ix, &why) < 0)
		return other_shard(name, &why, err);
	for (k = i - name->shard; k < i && !first; k++)
		first = atomic_load(&c->v[k]);
	if (!first || first->params->distance == o->params->distance)
		return 0;
	lh_err_set(&why, LH_EDATA, "it has distance %s, others %s",
		   lh_distance_name((int)o->params->distance),
		   lh_distance_name((int)first->params->distance));
	return other_shard(name, &why, err);
}

struct kind {
	uint64_t checksum;
	const char *file;
};

static int by_checksum(const void *a, const void *b)
{
	uint64_t x = ((const struct kind *)a)->checksum, y = ((const struct kind *)b)->checksum;

	return x < y ? -1 : x > y;
}

/* Check that no file with records is there twice, under two names. */
static int check_copies(const struct corpora *c, size_t first, struct lh_err *err)
{
	const struct plan *p = c->names->v[first].plan;
	LH_SCOPED(lh_free_local) struct kind *kind = lh_calloc(p->shards.n, sizeof *kind);
	size_t i, n = 0;
	int rc = 0;

	for (i = 0; i < p->shards.n; i++) {
		const struct opened *o = atomic_load(&c->v[first + i]);

		if (o && lh_index_rows(o->ix))
			kind[n++] = (struct kind){ lh_index_checksum(o->ix),
						   p->shards.shard[i].file };
	}
	if (n)
		qsort(kind, n, sizeof *kind, by_checksum);
	for (i = 1; rc == 0 && i < n; i++)
		if (kind[i - 1].checksum == kind[i].checksum)
			rc = lh_err_set(err, LH_EUSAGE, "%s: %s and %s are the same shard", p->path,
					kind[i - 1].file, kind[i].file);
	return rc;
}

int plans_check(const struct corpora *c, struct lh_err *err)
{
	size_t i, k;

	for (i = 0; i < c->names->n; i++) {
		const struct plan *p = c->names->v[i].plan;

		if (!p || c->names->v[i].shard)
			continue;
		for (k = 0; k < p->shards.n && !atomic_load(&c->v[i + k]); k++)
			;
		if (k == p->shards.n)
			return lh_err_set(err, LH_EIO, "%s: none of its shards can be read",
					  p->path);
		if (check_copies(c, i, err) < 0)
			return -1;
	}
	return 0;
}

void plan_report(struct lh_tool *tool, const struct name *c, const struct lh_err *why)
{
	lh_tool_warn(tool, "%s: answers are partial: %s", c->plan->path, why->msg);
	lh_tool_verdict_bad(tool);
}

/* ---- a query ---- */

/* Return whether a shard is among the nearest: fewer than that many are nearer. */
static bool is_nearest(const double *distance, size_t n, size_t i, uint64_t nearest)
{
	uint64_t nearer = 0;
	size_t k;

	for (k = 0; k < n && nearer < nearest; k++)
		nearer += distance[k] < distance[i] || (distance[k] == distance[i] && k < i);
	return nearer < nearest && distance[i] < INFINITY;
}

/* Mark the nearest shards of the plan that the seat s belongs to. */
static void mark_nearest(struct worker *w, const struct corpus_search *s)
{
	const struct lh_shard_plan *p = &s->name->plan->shards;
	size_t i, first = (size_t)(s - w->seat) - s->name->shard;
	LH_SCOPED(lh_free_local) double *distance = lh_calloc(p->n, sizeof *distance);

	for (i = 0; i < p->n; i++)
		distance[i] = !p->shard[i].centroid ? INFINITY :
			lh_shard_plan_distance(s->open->params->distance, p->shard[i].centroid,
					       s->vector, p->dimension);
	for (i = 0; i < p->n; i++) {
		bool is_open = atomic_load(&w->run->corpora.v[first + i]) != NULL;

		/* One without a centroid is empty, if it can be looked at. */
		w->seat[first + i].skipped = p->shard[i].centroid ?
			!is_nearest(distance, p->n, i, w->nearest) : is_open;
	}
}

/* Order chosen corpora: those that are left out come last. */
static int left_out_last(const void *a, const void *b)
{
	const struct corpus_search *x = *(struct corpus_search *const *)a,
				   *y = *(struct corpus_search *const *)b;

	return x->skipped != y->skipped ? x->skipped - y->skipped : by_seat(a, b);
}

/* The first chosen seat of each plan stands for all: the vectors of the others are its. */
void plans_choose(struct worker *w)
{
	const struct plan *last = NULL;
	size_t i, n = 0;

	for (i = 0; i < w->n_chosen; i++) {
		struct corpus_search *s = w->chosen[i];

		if (s->name->plan && s->name->plan != last) {
			size_t k, first;

			if (w->nearest)
				mark_nearest(w, s);
			/* Note whether a shard of this plan that the query asks for is missing. */
			first = (size_t)(s - w->seat) - s->name->shard;
			for (k = 0; k < s->name->plan->shards.n; k++)
				w->partial |= !w->seat[first + k].skipped &&
					      !atomic_load(&w->run->corpora.v[first + k]);
		}
		last = s->name->plan;
		n += !s->skipped;
	}
	w->n_named = w->n_chosen;
	if (n < w->n_named)
		qsort(w->chosen, w->n_named, sizeof(*w->chosen), left_out_last);
	w->n_chosen = n;
}

bool plans_widen(struct worker *w)
{
	bool more = false;
	size_t i;

	for (i = w->n_chosen; i < w->n_named; i++)
		more |= w->nearest < w->chosen[i]->name->plan->shards.n &&
			*taken_of(w, w->chosen[i]) < w->reader.q.per_corpus_k;
	if (more) {
		w->nearest *= 2;
		w->n_chosen = w->n_named;
		qsort(w->chosen, w->n_named, sizeof(*w->chosen), by_seat);
	}
	return more;
}

int plan_failed(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	if (!s->name->plan || err->code != LH_ECORRUPT)
		return -1;
	if (!atomic_exchange(&s->open->damaged, true))
		plan_report(w->run->tool, s->name, err);
	w->partial = true;
	s->n = 0;
	return 0;
}
