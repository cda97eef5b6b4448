/*
 * sound.c - check single rows, links and levels of an index.  Arguments are copies,
 * as the file may change while it is read.  See index_parts.h.
 */
#include "index_parts.h"

#include <math.h>

/* Return whether the i-th link of a list repeats one before it. */
static bool given_before(const uint32_t *list, uint32_t i)
{
	uint32_t j;

	for (j = 1; j < i && list[j] != list[i]; j++)
		;
	return j < i;
}

int lh_index_check_links(const struct lh_index_graph *g, const uint32_t *list, uint32_t max,
			 uint64_t row, uint32_t level, struct lh_err *err)
{
	unsigned long long at = row;
	uint32_t i, n = list[0];

	if (n > max)
		return lh_err_set(err, LH_ECORRUPT, "row %llu, level %u: %u links, at most %u", at,
				  level, n, max);
	if (!lh_index_all_zero(list + 1 + n, (max - n) * sizeof *list))
		return lh_err_set(err, LH_ECORRUPT, "row %llu, level %u: not zero after the links",
				  at, level);
	for (i = 1; i <= n; i++) {
		if (list[i] >= g->rows || list[i] == row)
			return lh_err_set(err, LH_ECORRUPT, "row %llu, level %u: a link to row %u",
					  at, level, list[i]);
		if (given_before(list, i))
			return lh_err_set(err, LH_ECORRUPT,
					  "row %llu, level %u: two links to row %u", at, level,
					  list[i]);
		if (level && g->level[list[i] + 1] - g->level[list[i]] < level)
			return lh_err_set(
				err, LH_ECORRUPT,
				"row %llu, level %u: a link to row %u, which is not there", at,
				level, list[i]);
	}
	return 0;
}

int lh_index_check_lanes(const struct lh_index *ix, const uint32_t *lanes, uint64_t row,
			 struct lh_err *err)
{
	uint32_t max = 2 * ix->params.m, list[1 + 2 * LH_INDEX_M_MAX] = { 0 }, i;
	struct lh_index_graph g = { ix->rows, NULL };

	while (list[0] < max && lanes[list[0]] != row) {
		list[list[0] + 1] = lanes[list[0]];
		list[0]++;
	}
	for (i = list[0]; i < max; i++)
		if (lanes[i] != row)
			return lh_err_set(err, LH_ECORRUPT, "row %llu: a link after the last",
					  (unsigned long long)row);
	return lh_index_check_links(&g, list, max, row, 0, err);
}

int lh_index_check_levels(const struct lh_index_graph *g, uint64_t lists, uint32_t top,
			  struct lh_err *err)
{
	uint64_t row;

	for (row = 0; row < g->rows; row++)
		if (g->level[row] > g->level[row + 1] || g->level[row + 1] - g->level[row] > top)
			break;
	if (row == g->rows && g->level[0] == 0 && g->level[row] == lists)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "row %llu: the number of its first list is wrong",
			  (unsigned long long)row);
}

int lh_index_check_row_vector(const struct lh_index_params *p, const float *v, uint64_t row,
			      struct lh_err *err)
{
	if (!lh_vec_finite(v, p->dimension))
		return lh_err_set(err, LH_ECORRUPT, "row %llu: the vector holds NaN or infinity",
				  (unsigned long long)row);
	if (p->distance == LH_COSINE && fabs(lh_vec_dot()(v, v, p->dimension) - 1) > 1e-3)
		return lh_err_set(err, LH_ECORRUPT, "row %llu: the vector is not of unit length",
				  (unsigned long long)row);
	return 0;
}

int lh_index_check_row_code(const struct lh_index_params *p, const void *code, float *v,
			    uint64_t row, struct lh_err *err)
{
	if (p->precision != LH_F32 &&
	    !lh_quantize_is_valid(p->precision, p->distance, code, p->dimension))
		return lh_err_set(err, LH_ECORRUPT, "row %llu: not a code of %s",
				  (unsigned long long)row, lh_precision_name(p->precision));
	lh_quantize_decode(p->precision, code, p->dimension, v);
	return lh_index_check_row_vector(p, v, row, err);
}

int lh_index_check_row_meta(struct lh_record *scan, struct lh_buf *copy, struct lh_str meta,
			    uint64_t row, struct lh_err *err)
{
	struct lh_value v;

	lh_buf_reset(copy);
	lh_buf_add(copy, meta.p, meta.n);
	if (meta.n && memchr(copy->p, '\n', meta.n))
		lh_err_set(err, LH_ECORRUPT, "the metadata has a line break");
	else if (!meta.n || lh_json_parse(scan, copy->p, meta.n, &v, err) == 0)
		return 0;
	else if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return lh_err_prefix(err, "row %llu", (unsigned long long)row);
}
