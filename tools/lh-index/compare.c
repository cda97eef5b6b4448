/* compare.c - lh-index export, import and compare: indexes of the library hnswlib. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "index.h"
#include "index/hnswlib.h"
#include "index/index_tools.h"

/* ---- export ---- */

struct export {
	struct lh_index *ix;
	uint64_t *row;			/* of each label */
	uint64_t rows;
	struct lh_atomic file;
	struct ids_output ids;
};

/* Write the ids of the live rows; their labels count from 0. */
static int write_ids(struct export *x, struct lh_tool *tool)
{
	uint64_t i, n = lh_index_rows(x->ix);
	struct lh_row row;
	int rc;

	x->row = lh_calloc(n, sizeof *x->row);
	for (i = 0; i < n && !lh_stopping(); i++) {
		rc = lh_index_nth_row(x->ix, i, &x->row[x->rows], &row, &tool->err);
		if (rc > 0) {
			rc = ids_put(&x->ids, &x->rows, &row, &tool->err);
			x->rows++;
		}
		if (rc < 0)
			return lh_err_prefix(&tool->err, "%s: row %llu", tool->operands[0],
					     (unsigned long long)i);
	}
	return ids_flush(&x->ids, &tool->err) < 0 ? -1 : not_stopped(tool);
}

static void row_vector(void *ctx, uint64_t label, float *out)
{
	const struct export *x = ctx;

	lh_index_vector(x->ix, x->row[label], out);
}

static struct lh_hnswlib *index_graph(struct lh_tool *tool, const struct lh_index_params *p,
				      uint64_t rows, vector_fn *vector_of, void *ctx);

/* Build a graph of the live rows, and write it. */
static int write_graph(struct export *x, struct lh_tool *tool)
{
	struct lh_hnswlib *h = index_graph(tool, lh_index_get_params(x->ix), x->rows, row_vector,
					   x);
	int rc = h ? lh_hnswlib_save(h, x->file.tmp, &tool->err) : -1;

	lh_hnswlib_free(h);
	return rc < 0 ? lh_err_prefix(&tool->err, "%s", x->file.path) : 0;
}

/* Put both files into place, when both are on disk. */
static int commit(struct export *x, struct lh_err *err)
{
	if (fsync(x->ids.file.fd) < 0)
		return lh_err_sys(err, "%s: cannot sync", x->ids.name);
	if (fsync(x->file.fd) < 0)
		return lh_err_sys(err, "%s: cannot sync", x->file.path);
	return lh_atomic_commit(&x->ids.file, err) < 0 ? -1 : lh_atomic_commit(&x->file, err);
}

static int write_both(struct export *x, struct lh_tool *tool, const struct settings *s)
{
	if (lh_index_check_sums(x->ix, &tool->err) < 0 ||
	    lh_index_check_order(x->ix, &tool->err) < 0)
		return lh_err_prefix(&tool->err, "%s", tool->operands[0]);
	if (lh_atomic_open(&x->ids.file, s->ids, 0666, &tool->err) < 0 ||
	    lh_atomic_open(&x->file, s->hnswlib, 0666, &tool->err) < 0)
		return -1;
	if (write_ids(x, tool) < 0)
		return -1;
	return write_graph(x, tool) < 0 ? -1 : commit(x, &tool->err);
}

/* Refuse to replace INDEX, and two outputs of one name. */
static int check_names(struct lh_tool *tool, const struct settings *s)
{
	const char *index = tool->operands[0];

	if (strcmp(s->hnswlib, "-") == 0 || strcmp(s->ids, "-") == 0)
		return lh_tool_no_stream(tool, "a file");
	if (strcmp(s->hnswlib, s->ids) == 0 || same_file(s->hnswlib, s->ids))
		return lh_tool_usage(tool, "--hnswlib and --ids name one file: %s", s->ids);
	if (same_file(s->hnswlib, index) || same_file(s->ids, index))
		return lh_tool_usage(tool, "%s: is INDEX itself", index);
	if (lh_tool_replaces(tool, s->hnswlib, &made_hnswlib) < 0)
		return -1;
	return lh_tool_replaces(tool, s->ids, &made_ids);
}

int index_export(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct export x = { .file = { .fd = -1 }, .ids = { s->ids, .file = { .fd = -1 } } };
	int rc;

	if (check_names(tool, s) < 0)
		return -1;
	x.ix = lh_index_open(tool->operands[0], &tool->err);
	if (!x.ix)
		return -1;
	rc = write_both(&x, tool, s);
	lh_atomic_close(&x.file);
	ids_close(&x.ids);
	free(x.row);
	lh_index_close(x.ix);
	return rc;
}

/* ---- import ---- */

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

/* ---- compare ---- */

/*
 * Both graphs are built anew, in a temporary folder, so that their times compare and the queries,
 * if they are rows of the index, are in neither.  One thread asks; rates are of its processor time,
 * after a round that warms up.
 */

#define K_MAX 100
#define HELD_PART 10	/* a row of so many is a query, ... */
#define HELD_MAX 1000	/* ... of so many at most */
#define COUNT_OF(a) (sizeof(a) / sizeof(*(a)))

enum side { OURS, THEIRS, EXACT };
static const char *const side_names[] = { "ours", "hnswlib", "exact" };
static const size_t ks[] = { 10, 100 };
static const uint32_t efs[] = { 0, 16, 32, 64, 128, 256, 512, 1024 };

static const struct lh_made made_svg = { "a picture", { "<svg xmlns=" }, NULL };
static const struct lh_made made_answers = { "answers", { "{\"results\":[" }, NULL };

struct compare {
	struct lh_tool *tool;
	const struct lh_index *ix;
	struct lh_index_params p;
	struct lh_tmpdir dir;
	uint64_t *row, rows;		/* the row of each label */
	struct lh_buf query;		/* f32 */
	size_t queries;
	struct lh_index *ours;
	struct lh_searcher *searcher;
	uint64_t *label;		/* of each row of ours */
	struct lh_hnswlib *theirs;
	double build_s[3], bytes[3];
	uint64_t *truth, *found;	/* K_MAX labels of each query */
	float distance[K_MAX];		/* of hnswlib's answer */
	size_t *truths;			/* how many */
	struct lh_buf lines, curves;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the library ---- */

struct graph_rows {
	struct lh_tool *tool;
	uint64_t rows;
	vector_fn *vector_of;
	void *ctx;
};

static void vector_of_row(void *ctx, uint64_t row, float *out)
{
	const struct graph_rows *g = ctx;

	g->vector_of(g->ctx, row, out);
}

static void show_rows(void *ctx, uint64_t rows)
{
	const struct graph_rows *g = ctx;

	show_stage(g->tool, "hnswlib", rows, g->rows);
}

/* A damaged vector would be no further from one row than from another. */
static int check_vectors(const struct graph_rows *g, uint32_t n)
{
	LH_SCOPED(lh_free_local) float *v = lh_calloc(n, sizeof *v);
	uint64_t row;

	for (row = 0; row < g->rows; row++) {
		g->vector_of(g->ctx, row, v);
		if (!lh_vec_finite(v, n))
			return lh_err_set(&g->tool->err, LH_ECORRUPT,
					  "rows: record %llu: the vector holds NaN or infinity",
					  (unsigned long long)row);
	}
	return 0;
}

static struct lh_hnswlib *index_graph(struct lh_tool *tool, const struct lh_index_params *p,
				      uint64_t rows, vector_fn *vector_of, void *ctx)
{
	struct graph_rows g = { tool, rows, vector_of, ctx };
	struct lh_hnswlib_shape shape = { p->distance, p->dimension, p->m, p->ef_construction,
					  rows };
	struct lh_hnswlib *h;

	if (check_vectors(&g, p->dimension) < 0)
		return NULL;
	h = lh_hnswlib_new(&shape);
	if (lh_hnswlib_add(h, vector_of_row, &g, (unsigned)tool->jobs, lh_stopping, show_rows,
			   &tool->err) == 0)
		return h;
	lh_hnswlib_free(h);
	return NULL;
}

/* ---- rows and queries ---- */

static void vector_of(void *ctx, uint64_t label, float *out)
{
	const struct compare *c = ctx;

	lh_index_vector(c->ix, c->row[label], out);
}

static void add_query(struct compare *c, const float *v)
{
	float *to = (float *)(void *)lh_buf_room(&c->query, c->p.dimension * sizeof *v);

	memcpy(to, v, c->p.dimension * sizeof *v);
	if (c->p.distance != LH_COSINE || lh_vec_unit(to, c->p.dimension)) {
		c->query.len += c->p.dimension * sizeof *v;
		c->queries++;
	}
}

static int take_query(const struct row *row, void *ctx, struct lh_err *err)
{
	struct compare *c = ctx;

	if (row_fits(row, c->p.dimension, c->p.model, err) < 0)
		return -1;
	add_query(c, row->vector);
	return 0;
}

/* Number the live rows; without QUERIES some of them are the queries. */
static int choose_rows(struct compare *c, bool hold)
{
	uint64_t i, at, n = lh_index_rows(c->ix), step = n / HELD_MAX;
	LH_SCOPED(lh_free_local) float *v = lh_calloc(c->p.dimension, sizeof *v);
	struct lh_row row;
	int live;

	step = step > HELD_PART ? step : HELD_PART;
	c->row = lh_calloc(n, sizeof *c->row);
	for (i = 0; i < n; i++) {
		live = lh_index_nth_row(c->ix, i, &at, &row, &c->tool->err);
		if (live < 0)
			return -1;
		if (!live)
			continue;
		if (hold && i % step == step - 1 && c->queries < HELD_MAX) {
			lh_index_vector(c->ix, at, v);
			add_query(c, v);
		} else {
			c->row[c->rows++] = at;
		}
	}
	if (c->rows && c->queries)
		return 0;
	return lh_err_set(&c->tool->err, LH_EUSAGE, "there are too few %s to compare",
			  c->rows ? "queries" : "records");
}

static int read_queries(struct compare *c, const struct settings *s)
{
	struct settings own = *s;
	struct rows rows;
	int rc = rows_like(&rows, c->tool, &own, &c->p, &c->tool->err);

	if (rc == 0)
		rc = rows_run(&rows, c->tool, take_query, c);
	rows_free(&rows);
	return rc;
}

/* ---- building ---- */

static int build_ours(struct compare *c)
{
	LH_SCOPED(lh_free_local) float *v = lh_calloc(c->p.dimension, sizeof *v);
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/ours.lhv", c->dir.path);
	double from = seconds(CLOCK_MONOTONIC);
	struct lh_err *err = &c->tool->err;
	struct lh_index_writer *w = lh_index_writer_new(path, &c->p, 0, err);
	struct lh_index_stats st;
	struct lh_row row;
	int rc = w ? 0 : -1;
	uint64_t i, at;
	char id[24];

	for (i = 0; rc == 0 && i < c->rows && !lh_stopping(); i++) {
		vector_of(c, i, v);
		rc = lh_index_put(w, id, (size_t)snprintf(id, sizeof id, "%llu",
							  (unsigned long long)i),
				  v, c->p.dimension, NULL, 0, err);
	}
	if (rc == 0)
		lh_index_writer_watch(w, show_stage, c->tool);
	if (rc == 0)
		rc = lh_index_commit(w, (unsigned)c->tool->jobs, err);
	lh_index_writer_free(w);
	c->build_s[OURS] = seconds(CLOCK_MONOTONIC) - from;
	c->ours = rc == 0 ? lh_index_open(path, err) : NULL;
	c->searcher = c->ours ? lh_searcher_new(c->ours, err) : NULL;
	if (!c->searcher)
		return -1;
	lh_index_get_stats(c->ours, &st);
	c->bytes[OURS] = (double)st.section_bytes / (double)c->rows;
	c->bytes[EXACT] = (double)(c->p.dimension * sizeof *v);
	c->label = lh_calloc(c->rows, sizeof *c->label);
	for (i = 0; i < c->rows; i++) {
		if (lh_index_nth_row(c->ours, i, &at, &row, err) < 0)
			return -1;
		c->label[at] = i;
	}
	return 0;
}

static int build_theirs(struct compare *c)
{
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/theirs.bin", c->dir.path);
	double from = seconds(CLOCK_MONOTONIC);
	struct stat st;

	c->theirs = index_graph(c->tool, &c->p, c->rows, vector_of, c);
	if (!c->theirs)
		return -1;
	c->build_s[THEIRS] = seconds(CLOCK_MONOTONIC) - from;
	if (lh_hnswlib_save(c->theirs, path, &c->tool->err) < 0 || stat(path, &st) < 0)
		return -1;
	c->bytes[THEIRS] = (double)st.st_size / (double)c->rows;
	return 0;
}

/* ---- measuring ---- */

/* Answer query i: the labels of the k nearest. */
static long answer(struct compare *c, enum side side, size_t i, size_t k, uint32_t ef,
		   uint64_t *labels)
{
	const float *v = (const float *)(const void *)c->query.p + i * c->p.dimension;
	struct lh_query q = { .vector = v, .k = k, .ef = ef, .exact = side == EXACT };
	struct lh_hit hit[K_MAX];
	long n, j;

	if (side == THEIRS)
		return (long)lh_hnswlib_search(c->theirs, v, k, ef, labels, c->distance);
	n = lh_index_search(c->searcher, &q, hit, &c->tool->err);
	for (j = 0; j < n; j++)
		labels[j] = c->label[hit[j].row];
	return n;
}

static size_t same_labels(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
	size_t i, j, same = 0;

	for (i = 0; i < n; i++)
		for (j = 0; j < m; j++)
			same += a[i] == b[j];
	return same;
}

/* Answer all queries; the seconds that they took, or -1. */
static double answer_all(struct compare *c, enum side side, size_t k, uint32_t ef, size_t *same)
{
	double from = seconds(CLOCK_THREAD_CPUTIME_ID);
	size_t i;
	long n;

	*same = 0;
	for (i = 0; i < c->queries; i++) {
		n = answer(c, side, i, k, ef, c->found);
		if (n < 0 || lh_stopping())
			return -1;
		if (side == EXACT) {
			memcpy(c->truth + i * K_MAX, c->found, (size_t)n * sizeof *c->found);
			c->truths[i] = (size_t)n;
		}
		*same += same_labels(c->found, (size_t)n, c->truth + i * K_MAX, c->truths[i]);
	}
	return seconds(CLOCK_THREAD_CPUTIME_ID) - from;
}

static void put_point(struct compare *c, enum side side, size_t k, uint32_t ef, double recall,
		      double rate)
{
	struct lh_writer w = lh_write_to(&c->lines);

	if (isatty(STDOUT_FILENO)) {
		lh_buf_printf(&c->lines, "%4zu  %-8s", k, side_names[side]);
		lh_buf_printf(&c->lines, ef ? "%6u" : side == OURS ? "  auto" : "     -", ef);
		lh_buf_printf(&c->lines, "  %6.4f  %11.1f  %11.1f  %8.2f\n", recall, rate,
			      c->bytes[side], c->build_s[side]);
		return;
	}
	lh_write_object(&w, NULL);
	lh_write_u64(&w, "k", k);
	lh_write_text(&w, "side", side_names[side]);
	if (ef)
		lh_write_u64(&w, "ef", ef);
	else
		lh_write_null(&w, "ef");
	lh_write_f64(&w, "recall", recall);
	lh_write_f64(&w, "queries_per_s", round(rate * 10) / 10);
	lh_write_f64(&w, "bytes_a_row", round(c->bytes[side] * 10) / 10);
	lh_write_f64(&w, "build_s", round(c->build_s[side] * 1000) / 1000);
	lh_write_u64(&w, "rows", c->rows);
	lh_write_u64(&w, "dimension", c->p.dimension);
	lh_write_u64(&w, "threads", c->tool->jobs);
	lh_write_end(&w);
	lh_buf_putc(&c->lines, '\n');
}

/* ---- the curves: recall from 0.5 on, and queries a second on a scale of powers of ten ---- */

static double across(double recall)
{
	return 60 + 520 * (fmax(recall, 0.5) - 0.5) / 0.5;
}

static double up(double rate)
{
	return 380 - 60 * fmin(fmax(log10(rate), 0), 6);
}

static void begin_curves(struct compare *c)
{
	int i;

	lh_buf_printf(&c->curves, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		      "viewBox=\"0 0 640 420\" font-family=\"sans-serif\" font-size=\"12\">\n");
	for (i = 0; i <= 6; i++)
		lh_buf_printf(&c->curves,
			      "<text x=\"50\" y=\"%d\" text-anchor=\"end\">1e%d</text>\n",
			      384 - 60 * i, i);
	for (i = 5; i <= 10; i++)
		lh_buf_printf(&c->curves, "<text x=\"%d\" y=\"400\">%.1f</text>\n", 104 * i - 470,
			      i / 10.0);
	lh_buf_printf(&c->curves, "<path d=\"M60 20V380H580\" fill=\"none\" stroke=\"#888\"/>\n"
		      "<text x=\"60\" y=\"416\">recall, and queries a second</text>\n");
}

static void put_curve(struct compare *c, enum side side, size_t k, const double *recall,
		      const double *rate, size_t n)
{
	static const char *const colours[] = { "#06c", "#c30", "#555" };
	size_t i;

	lh_buf_printf(&c->curves, "<polyline fill=\"none\" stroke=\"%s\"%s points=\"",
		      colours[side], k > 10 ? " stroke-dasharray=\"4\"" : "");
	for (i = 0; i < n; i++)
		lh_buf_printf(&c->curves, "%.1f,%.1f ", across(recall[i]), up(rate[i]));
	lh_buf_printf(&c->curves, "\"/>\n");
	for (i = 0; i < n; i++)
		lh_buf_printf(&c->curves, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
			      across(recall[i]), up(rate[i]), colours[side]);
	lh_buf_printf(&c->curves, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s, k %zu</text>\n",
		      fmin(across(recall[0]) + 6, 520), up(rate[0]) - 6, colours[side],
		      side_names[side], k);
}

/* Measure a side with all efs that it can be asked with, twice each: the first warms up. */
static int measure(struct compare *c, enum side side, size_t k)
{
	double recall[COUNT_OF(efs)], rate[COUNT_OF(efs)], s = 0;
	size_t i, n = 0, truths = 0, same, round;

	for (i = 0; i < COUNT_OF(efs); i++) {
		if (side == EXACT ? i > 0 : side == THEIRS ? efs[i] < k : efs[i] && efs[i] < k)
			continue;
		for (round = 0; round < 2; round++)
			if ((s = answer_all(c, side, k, efs[i], &same)) < 0)
				return -1;
		for (truths = 0, round = 0; round < c->queries; round++)
			truths += c->truths[round];
		recall[n] = truths ? (double)same / (double)truths : 1;
		rate[n] = (double)c->queries / fmax(s, 1e-9);
		put_point(c, side, k, efs[i], recall[n], rate[n]);
		n++;
		lh_tool_doing(c->tool, side_names[side]);
	}
	put_curve(c, side, k, recall, rate, n);
	return lh_tool_out_text(c->tool, &c->lines);
}

static int measure_all(struct compare *c)
{
	static const enum side order[] = { EXACT, OURS, THEIRS };
	size_t i, j;

	c->truth = lh_calloc(c->queries * K_MAX, sizeof *c->truth);
	c->truths = lh_calloc(c->queries, sizeof *c->truths);
	c->found = lh_calloc(K_MAX, sizeof *c->found);
	begin_curves(c);
	if (isatty(STDOUT_FILENO))
		lh_buf_printf(&c->lines, "   k  side        ef  recall    queries/s  "
			      "bytes a row  build, s\n");
	for (i = 0; i < COUNT_OF(ks); i++)
		for (j = 0; j < COUNT_OF(order); j++)
			if (measure(c, order[j], ks[i]) < 0)
				return -1;
	lh_buf_printf(&c->curves, "</svg>\n");
	return 0;
}

/* ---- the run ---- */

/* Write what hnswlib answers with the greatest ef, a line for each query. */
static int put_answers(struct compare *c, const char *path)
{
	struct lh_writer w;
	struct lh_row row;
	size_t i;
	long n, j;

	for (i = 0; i < c->queries; i++) {
		n = answer(c, THEIRS, i, K_MAX, efs[COUNT_OF(efs) - 1], c->found);
		w = lh_write_to(&c->lines);
		lh_write_object(&w, NULL);
		lh_write_array(&w, "results");
		for (j = 0; j < n; j++) {
			if (lh_index_row(c->ix, c->row[c->found[j]], &row, &c->tool->err) < 0)
				return -1;
			lh_write_object(&w, NULL);
			lh_write_str(&w, "id", row.id);
			lh_write_f32(&w, "distance", c->p.distance == LH_L2 ?
						     sqrtf(c->distance[j]) : c->distance[j]);
			lh_write_end(&w);
		}
		lh_write_end(&w);
		lh_write_end(&w);
		lh_buf_putc(&c->lines, '\n');
	}
	return lh_atomic_put(path, 0666, &c->lines, &c->tool->err);
}

static int run(struct compare *c, const struct settings *s)
{
	struct lh_err *err = &c->tool->err;

	if ((s->out && lh_tool_replaces(c->tool, s->out, &made_svg) < 0) ||
	    (s->answers && lh_tool_replaces(c->tool, s->answers, &made_answers) < 0))
		return -1;
	if (lh_index_check_order(c->ix, err) < 0)
		return -1;
	if (c->tool->n_operands > 1 && read_queries(c, s) < 0)
		return -1;
	if (choose_rows(c, c->tool->n_operands == 1) < 0 || build_ours(c) < 0 ||
	    build_theirs(c) < 0 || measure_all(c) < 0)
		return -1;
	if (s->answers && put_answers(c, s->answers) < 0)
		return -1;
	return s->out ? lh_atomic_put(s->out, 0666, &c->curves, err) : 0;
}

int index_compare(struct lh_tool *tool, void *settings)
{
	struct compare c = { .tool = tool, .dir = { NULL, -1 } };
	bool was = lh_signal_deferred();
	struct lh_index *ix;
	int rc;

	c.ix = ix = lh_index_open(tool->operands[0], &tool->err);
	if (!ix)
		return -1;
	c.p = *lh_index_get_params(ix);
	c.p.lexical = LH_LEXICAL_NONE;
	c.p.repaired = 0;
	lh_signal_defer(true);
	rc = lh_tmpdir_make(&c.dir, "lh-index", &tool->err);
	if (rc == 0) {
		rc = run(&c, settings);
		if (lh_tmpdir_remove(&c.dir, rc < 0 ? &(struct lh_err){ 0 } : &tool->err) < 0)
			rc = -1;
	}
	lh_signal_defer(was);
	lh_hnswlib_free(c.theirs);
	lh_searcher_free(c.searcher);
	lh_index_close(c.ours);
	lh_index_close(ix);
	free(c.row);
	free(c.label);
	free(c.truth);
	free(c.truths);
	free(c.found);
	lh_buf_free(&c.query);
	lh_buf_free(&c.lines);
	lh_buf_free(&c.curves);
	return rc < 0 ? -1 : not_stopped(tool);
}
