/* import.c - lh-index import: make INDEX from an index of the library hnswlib. */
#include "index/index_tools.h"
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "base/mem.h"
#include "index/hnswlib.h"

struct import {
	struct lh_hnswlib *from;
	struct lh_hnswlib_shape shape;
	struct lh_index_writer *w;
	const char *ids;
	bool *taken;			/* of each element: there was a line of IDS */
	float *vector;
	uint64_t lines;
};

/* Add the row of an element; IDS gives each id to one label. */
static int put_row(struct import *im, const struct lh_hnswlib_element *e, struct lh_str id,
		   struct lh_str meta, struct lh_err *err)
{
	uint64_t row = lh_index_writer_count(im->w);
	uint32_t n = im->shape.dimension;

	memcpy(im->vector, e->vector, n * sizeof *im->vector);
	if (lh_index_put(im->w, id.p, id.n, im->vector, n, meta.p, meta.n, err) < 0)
		return -1;
	return lh_index_writer_count(im->w) == row ? id_doubled(id, err) : 0;
}

static int take_line(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct import *im = ctx;
	const struct ids_line *line = o->result;
	uint64_t label = line->has_label ? line->label : im->lines;
	int64_t at = lh_hnswlib_find(im->from, label);
	struct lh_str id = { o->text, line->id_n },
		      meta = { o->text + line->id_n, o->n - line->id_n };
	struct lh_hnswlib_element e;

	im->lines++;
	if (at < 0)
		return lh_err_set(err, LH_EDATA, "there is no element of label %llu",
				  (unsigned long long)label);
	if (im->taken[at])
		return lh_err_set(err, LH_EDATA, "label %llu occurs twice",
				  (unsigned long long)label);
	im->taken[at] = true;
	e = lh_hnswlib_element(im->from, (uint64_t)at);
	return e.deleted ? 0 : put_row(im, &e, id, meta, err);
}

/* Check that each element that is not deleted has got its line. */
static int check_all(const struct import *im, struct lh_err *err)
{
	struct lh_hnswlib_element e;
	uint64_t i;

	for (i = 0; i < im->shape.rows; i++) {
		e = lh_hnswlib_element(im->from, i);
		if (!im->taken[i] && !e.deleted)
			return lh_err_set(err, LH_EUSAGE, "%s: no line for label %llu", im->ids,
					  (unsigned long long)e.label);
	}
	return 0;
}

static int finish(struct import *im, struct lh_tool *tool)
{
	if (check_all(im, &tool->err) < 0)
		return -1;
	lh_index_writer_watch(im->w, show_stage, tool);
	if (lh_index_commit(im->w, (unsigned)tool->jobs, &tool->err) < 0)
		return -1;
	lh_tool_verbose(tool, "%s: %s of dimension %u", tool->operands[0],
			LH_N(lh_index_writer_count(im->w), "record"), im->shape.dimension);
	return 0;
}

/* ---- the run ---- */

static int open_import(struct import *im, const struct lh_tool *tool, const struct settings *s,
		       struct lh_err *err)
{
	struct lh_index_params params;
	uint32_t ef;

	im->from = lh_hnswlib_load(s->hnswlib, (enum lh_distance)s->distance, err);
	if (!im->from)
		return lh_err_prefix(err, "%s", s->hnswlib);
	im->shape = lh_hnswlib_get_shape(im->from);
	if (s->dimension && s->dimension != im->shape.dimension)
		return lh_err_set(err, LH_EUSAGE, "%s: dimension %u, expected %llu", s->hnswlib,
				  im->shape.dimension, (unsigned long long)s->dimension);
	ef = im->shape.ef_construction;
	lh_index_params_default(&params);
	params.dimension = im->shape.dimension;
	params.distance = s->distance;
	params.persons = s->of_persons;
	params.ef_construction = ef < 8 ? 8 : ef > 10000 ? 10000 : ef;
	params.m = lh_index_nearest_m(im->shape.m);
	lh_tool_time(tool, params.created_at);
	im->w = lh_index_writer_new(tool->operands[0], &params, s->lock_timeout, err);
	im->taken = lh_calloc(im->shape.rows + 1, sizeof *im->taken);
	im->vector = lh_calloc(im->shape.dimension, sizeof *im->vector);
	return im->w ? 0 : -1;
}

int index_import(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct import im = { .ids = s->ids };
	int rc = open_import(&im, tool, s, &tool->err);

	if (rc == 0)
		rc = ids_each(tool, im.ids, take_line, &im);
	if (rc >= 0)
		rc = finish(&im, tool);
	lh_index_writer_free(im.w);
	lh_hnswlib_free(im.from);
	free(im.taken);
	free(im.vector);
	return rc;
}
