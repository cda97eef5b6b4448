/* drift_erased.c - what fell because rows were erased.  See drift.h. */
#include "drift.h"

#include <string.h>

#include "distill/erasures.h"
#include <lh/num.h>
#include <lh/time.h>

/* Whose rows a metric counts.  The categories of rows that were erased are not known, so the
 * metrics of all categories share what was erased. */
static const struct {
	const char *metric, *relpath;	/* the beginning of its name */
} counted[] = {
	{ "p2_evidence_rows", LH_ROOT_EVIDENCE },
	{ "p2_evidence_skips", LH_ROOT_SKIPS },
	{ "p3_", LH_ROOT_SCORED },
	{ "p4_pref_pairs", LH_ROOT_EXPORTS "/preference" },
	{ "p4_rag_rows", LH_ROOT_EXPORTS "/rag" },
	{ "p4_sft_rows", LH_ROOT_EXPORTS "/sft" },
	{ "p4_total_quarantined", LH_ROOT_EXPORTS "/quarantine" },
};
#define KINDS (sizeof counted / sizeof *counted)

static void sum_up(double gone[KINDS], const struct lh_erasures *e, const struct lh_root *root,
		   int64_t since, int64_t until)
{
	size_t i, k;

	for (i = 0; i < e->n; i++)
		for (k = 0; k < KINDS && e->v[i].finished > since && e->v[i].finished <= until; k++)
			gone[k] += (double)lh_erasure_rows(&e->v[i], root,
							   lh_str_of(counted[k].relpath));
}

/* Put back at most so many rows: return how many are needed for the metric not to have fallen,
 * or 0 if the fall stays a warning. */
static double put_back(const struct drift_row *row, double rows)
{
	const char *next;
	double from, to;

	if (row->flag != DRIFT_WARN || !row->baseline.n || !row->current.n)
		return 0;
	from = lh_f64_read(row->baseline.p, row->baseline.p + row->baseline.n, &next);
	to = lh_f64_read(row->current.p, row->current.p + row->current.n, &next);
	if (from <= to)
		return 0;
	if (rows > from - to)
		rows = from - to;
	return drift_is_large((to + rows - from) / from) ? 0 : rows;
}

static void flag_falls(struct drift *d, double gone[KINDS])
{
	struct drift_row *row;
	double rows;
	size_t k;

	for (row = d->row; row < d->row + d->n; row++)
		for (k = 0; k < KINDS; k++) {
			size_t n = strlen(counted[k].metric);

			if (row->metric.n < n || memcmp(row->metric.p, counted[k].metric, n))
				continue;
			rows = put_back(row, gone[k]);
			if (rows > 0) {
				gone[k] -= rows;
				row->flag = DRIFT_ERASED;
				d->warned--;
				d->erased++;
			}
		}
}

int drift_erasures(struct drift *d, const struct lh_root *root, const char *subjects,
		   const struct lh_value *since, const struct lh_value *until,
		   struct lh_err *err)
{
	LH_SCOPED(lh_erasures_free) struct lh_erasures e = { .n = 0 };
	double gone[KINDS] = { 0 };
	int64_t from, to;

	if (!d->warned || !since->p || !until->p ||
	    lh_time_read(since->p + 1, since->n - 2, &from) < 0 ||
	    lh_time_read(until->p + 1, until->n - 2, &to) < 0)
		return 0;
	if (lh_erasures_read(&e, subjects, err) < 0)
		return -1;
	sum_up(gone, &e, root, from, to);
	flag_falls(d, gone);
	return 0;
}
