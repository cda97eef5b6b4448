/* import.c - lh-index import: make INDEX from an index of the library hnswlib. */
#include "index/index_tools.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "base/mem.h"
#include "index/hnswlib.h"

#define NONE UINT32_MAX		/* an element without a row */
#define M_MIN 2			/* links that an index can have */
#define M_MAX 128
#define TOP_MAX 64

struct import {
	struct lh_hnswlib from;
	struct lh_index_writer *w;
	const char *ids;
	uint32_t *row;			/* of each element; NONE: no line of IDS so far */
	uint32_t *element;		/* of each row */
	float *vector;
	uint64_t lines;
	bool unit;			/* all vectors so far have unit length */
};

/* Add the row of an element; IDS gives each id to one label. */
static int put_row(struct import *im, uint32_t element, struct lh_str id, struct lh_str meta,
		   struct lh_err *err)
{
	uint64_t row = lh_index_writer_count(im->w);

	lh_hnswlib_vector(&im->from, element, im->vector);
	im->unit &= fabs(lh_vec_dot()(im->vector, im->vector, im->from.dimension) - 1) <= 1e-3;
	if (lh_index_put(im->w, id.p, id.n, im->vector, im->from.dimension, meta.p, meta.n, err) <
	    0)
		return -1;
	if (lh_index_writer_count(im->w) == row)
		return id_doubled(id, err);
	im->row[element] = (uint32_t)row;
	im->element[row] = element;
	return 0;
}

static int take_line(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct import *im = ctx;
	const struct ids_line *line = o->result;
	uint64_t label = line->has_label ? line->label : im->lines;
	int64_t element = lh_hnswlib_find(&im->from, label);
	struct lh_str id = { o->text, line->id_n },
		      meta = { o->text + line->id_n, o->n - line->id_n };

	im->lines++;
	if (element < 0)
		return lh_err_set(err, LH_EDATA, "there is no element of label %llu",
				  (unsigned long long)label);
	if (im->row[element] != NONE)
		return lh_err_set(err, LH_EDATA, "label %llu occurs twice",
				  (unsigned long long)label);
	if (lh_hnswlib_is_deleted(&im->from, (uint64_t)element)) {
		im->row[element] = 0;
		return 0;
	}
	return put_row(im, (uint32_t)element, id, meta, err);
}

/* Check that each element that is not deleted has got its line. */
static int check_all(const struct import *im, struct lh_err *err)
{
	uint64_t e;

	for (e = 0; e < im->from.rows; e++)
		if (im->row[e] == NONE && !lh_hnswlib_is_deleted(&im->from, e))
			return lh_err_set(err, LH_EUSAGE, "%s: no line for label %llu", im->ids,
					  (unsigned long long)lh_hnswlib_label(&im->from, e));
	return 0;
}

/* ---- the graph ---- */

static uint32_t level_of(void *ctx, uint32_t row)
{
	const struct import *im = ctx;

	return lh_hnswlib_level(&im->from, im->element[row]);
}

static uint32_t links_of(void *ctx, uint32_t row, uint32_t level, uint32_t *out)
{
	const struct import *im = ctx;
	uint32_t n = lh_hnswlib_links(&im->from, im->element[row], level, out), i;

	for (i = 0; i < n; i++)
		out[i] = im->row[out[i]];
	return n;
}

/* Return the m of an index that has room for the links of the file; 0: none has. */
static uint32_t fitting_m(const struct lh_hnswlib *from)
{
	uint32_t m = (from->max_base + 1) / 2;

	if (from->max_upper > m)
		m = from->max_upper;
	return m > M_MAX ? 0 : m < M_MIN ? M_MIN : m;
}

/* Return why the graph cannot be taken over, or NULL. */
static const char *why_not(const struct import *im)
{
	const struct lh_index_params *p = lh_index_writer_params(im->w);

	if (!fitting_m(&im->from) || im->from.top > TOP_MAX)
		return "it has more links than an index can have";
	if (im->from.deleted)
		return "elements are deleted";
	if (p->distance == LH_COSINE && !im->unit)
		return "its vectors are not of unit length";
	return NULL;
}

static int finish(struct import *im, struct lh_tool *tool)
{
	struct lh_index_given_graph graph = {
		.top = im->from.top, .level = level_of, .links = links_of, .ctx = im,
	};
	const char *reason = why_not(im);

	if (check_all(im, &tool->err) < 0)
		return -1;
	if (reason) {
		lh_tool_verbose(tool, "%s: the graph is built anew: %s", tool->operands[0], reason);
	} else if (im->from.rows) {
		graph.entry = im->row[im->from.entry];
		lh_index_writer_give_graph(im->w, &graph);
	}
	lh_index_writer_watch(im->w, show_stage, tool);
	if (lh_index_commit(im->w, (unsigned)tool->jobs, &tool->err) < 0)
		return -1;
	lh_tool_verbose(tool, "%s: %llu records of dimension %u", tool->operands[0],
			(unsigned long long)lh_index_writer_count(im->w), im->from.dimension);
	return 0;
}

/* ---- the run ---- */

static int open_import(struct import *im, const struct lh_tool *tool, const struct settings *s,
		       struct lh_err *err)
{
	struct lh_index_params params;
	uint64_t ef;

	if (lh_hnswlib_open(&im->from, s->hnswlib, err) < 0)
		return -1;
	if (s->dimension && s->dimension != im->from.dimension)
		return lh_err_set(err, LH_EUSAGE, "%s: dimension %u, expected %llu", s->hnswlib,
				  im->from.dimension, (unsigned long long)s->dimension);
	ef = im->from.ef_construction;
	lh_index_params_default(&params);
	params.dimension = im->from.dimension;
	params.distance = s->distance;
	params.layout = LH_LAYOUT_HNSW;	/* that of the file */
	params.persons = s->of_persons;
	params.ef_construction = ef < 8 ? 8 : ef > 10000 ? 10000 : (uint32_t)ef;
	if (fitting_m(&im->from))
		params.m = fitting_m(&im->from);
	lh_tool_time(tool, params.created_at);
	im->w = lh_index_writer_new(tool->operands[0], &params, s->lock_timeout, err);
	im->row = lh_calloc(im->from.rows + 1, sizeof *im->row);
	im->element = lh_calloc(im->from.rows + 1, sizeof *im->element);
	im->vector = lh_calloc(im->from.dimension, sizeof *im->vector);
	if (!im->w)
		return -1;
	memset(im->row, 0xff, im->from.rows * sizeof *im->row);
	return 0;
}

static int run(struct import *im, struct lh_tool *tool)
{
	return ids_each(tool, im->ids, take_line, im) < 0 ? -1 : finish(im, tool);
}

int index_import(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct import im = { .ids = s->ids, .unit = true };
	int rc = open_import(&im, tool, s, &tool->err);

	if (rc == 0)
		rc = run(&im, tool);
	lh_index_writer_free(im.w);
	lh_hnswlib_close(&im.from);
	free(im.row);
	free(im.element);
	free(im.vector);
	return rc;
}
