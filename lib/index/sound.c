/*
 * sound.c - check single rows and links of an index.  Arguments are copies,
 * as the file may change while it is read.  See index_parts.h.
 */
#include "index_parts.h"

#include <math.h>

/* Return whether the i-th link repeats one before it. */
static bool given_before(const uint32_t *lanes, uint32_t i)
{
	uint32_t j;

	for (j = 0; j < i && lanes[j] != lanes[i]; j++)
		;
	return j < i;
}

int lh_index_check_lanes(const struct lh_index *ix, const uint32_t *lanes, uint64_t row,
			 struct lh_err *err)
{
	uint32_t max = 2 * ix->params.m, n = 0, i;
	unsigned long long at = row;

	while (n < max && lanes[n] != row)
		n++;
	for (i = n; i < max; i++)
		if (lanes[i] != row)
			return lh_err_set(err, LH_ECORRUPT, "row %llu: a link after the last", at);
	for (i = 0; i < n; i++) {
		if (lanes[i] >= ix->rows)
			return lh_err_set(err, LH_ECORRUPT, "row %llu: a link to row %u", at,
					  lanes[i]);
		if (given_before(lanes, i))
			return lh_err_set(err, LH_ECORRUPT, "row %llu: two links to row %u", at,
					  lanes[i]);
	}
	return 0;
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
