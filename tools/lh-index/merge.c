/* merge.c - lh-index merge: copy rows that DEST lacks from other indexes. */
#include "index/index_tools.h"
#include <stdio.h>
#include <stdlib.h>

#include "index.h"
#include "base/mem.h"
#include "base/signal.h"

struct merge {
	struct changes to;
	float *vector;
};

static const char *or_none(const char *s)
{
	return *s ? s : "none";
}

int index_same_kind(const char *path, const struct lh_index_params *want,
		    const struct lh_index_params *has, struct lh_err *err)
{
	if (want->dimension != has->dimension)
		return lh_err_set(err, LH_EUSAGE, "%s: dimension %u, expected %u", path,
				  has->dimension, want->dimension);
	if (want->distance != has->distance)
		return lh_err_set(err, LH_EUSAGE, "%s: distance %s, expected %s", path,
				  lh_distance_name(has->distance),
				  lh_distance_name(want->distance));
	if (strcmp(want->model, has->model) != 0)
		return lh_err_set(err, LH_EUSAGE, "%s: model %s, expected %s", path,
				  or_none(has->model), or_none(want->model));
	return 0;
}

/* Check that all sources fit before anything is written. */
static int check_all(const struct merge *m, struct lh_tool *tool)
{
	size_t i;
	int rc = 0;

	for (i = 1; rc == 0 && i < tool->n_operands; i++) {
		struct lh_index *src = lh_index_open(tool->operands[i], &tool->err);

		rc = src ? index_same_kind(tool->operands[i], lh_index_change_params(m->to.c),
					   lh_index_get_params(src), &tool->err)
			 : -1;
		lh_index_close(src);
	}
	return rc;
}

static int merge_row(struct merge *m, const struct lh_index *src, uint64_t at,
		     const struct lh_row *row, struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_change_params(m->to.c);

	lh_index_vector(src, at, m->vector);
	if (lh_index_change_put_new(m->to.c, row->id.p, row->id.n, m->vector, p->dimension,
				    row->meta.n ? row->meta.p : "{}", row->meta.n ? row->meta.n : 2,
				    err) < 0)
		return lh_err_prefix(err, "row %llu", (unsigned long long)at);
	return changes_store_some(&m->to, err);
}

static int merge_one(struct merge *m, const char *path, struct lh_err *err)
{
	struct lh_index *src = lh_index_open(path, err);
	struct lh_row row;
	uint64_t i, at, n;
	int rc = src ? index_same_kind(path, lh_index_change_params(m->to.c),
				       lh_index_get_params(src), err)
		     : -1;

	if (rc == 0 && lh_index_check_order(src, err) < 0)
		rc = lh_err_prefix(err, "%s", path);
	n = src ? lh_index_rows(src) : 0;
	for (i = 0; rc == 0 && i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(src, i, &at, &row, err);
		if (rc > 0)
			rc = merge_row(m, src, at, &row, err);
		if (rc < 0)
			lh_err_prefix(err, "%s", path);
	}
	lh_index_close(src);
	return rc;
}

static int merge_all(struct merge *m, struct lh_tool *tool, const struct settings *s)
{
	const struct lh_index_tally *tally = lh_index_change_tally(m->to.c);
	size_t i;

	if (check_all(m, tool) < 0)
		return -1;
	for (i = 1; i < tool->n_operands; i++)
		if (merge_one(m, tool->operands[i], &tool->err) < 0 || not_stopped(tool) < 0)
			return -1;
	if (changes_finish(&m->to, tool, s) < 0)
		return -1;
	return lh_tool_out_counts(tool, (const char *const[]){ "merged", "skipped" },
			   (uint64_t[]){ tally->added, tally->existing }, 2);
}

int index_merge(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct merge m = { .vector = NULL };
	int rc;

	m.to.c = lh_index_change_open(tool->operands[0], s->lock_timeout, &tool->err);
	if (m.to.c)
		m.vector = lh_calloc(lh_index_change_params(m.to.c)->dimension, sizeof *m.vector,
				     &tool->err);
	rc = m.vector ? merge_all(&m, tool, s) : -1;
	lh_index_change_close(m.to.c);
	free(m.vector);
	return rc;
}
