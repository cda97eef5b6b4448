/*
 * drift.h - compare metrics with those of a baseline.
 *
 * A metric without a baseline, or whose baseline is null, is a first run.  Against
 * 0 any other number is a warning, without a percentage.  Otherwise it is a warning
 * if the number changed by more than a fifth of its baseline.  Compared metrics
 * must be numbers within the range of a double; others in the row are ignored.
 *
 * A fall is no warning if there is none once the rows are put back that receipts of erasures
 * (distill/erasures.h) name, of erasures that ended between the two rows.
 */
#ifndef DRIFT_H
#define DRIFT_H

#include "baseline.h"
#include "distill/root.h"
#include "json/write.h"

enum drift_flag { DRIFT_OK, DRIFT_WARN, DRIFT_FIRST, DRIFT_ERASED };

struct drift_row {
	struct lh_str metric, baseline, current;	/* numbers as written; baseline.n 0: none */
	bool has_pct;
	double pct;		/* a fraction, or infinite */
	enum drift_flag flag;
};

/* Rows in byte order of the names of their metrics. */
struct drift {
	struct drift_row *row;
	size_t n, warned, first, erased;
};

struct drift_metric {
	struct lh_str name;
	struct lh_value value;
};

/* The metrics of a row, sorted by name. */
struct drift_metrics {
	struct drift_metric *v;
	size_t n, cap;
	struct lh_buf names;	/* those that had to be unescaped */
	const struct baselines *row;	/* their row; NULL: they were just measured */
};
void drift_metrics_of(struct drift_metrics *m, const struct baselines *row);
void drift_metrics_free(struct drift_metrics *m);

/* Compare now with base; the memory that they point to must outlive *d. */
int drift_compute(struct drift *d, const struct drift_metrics *now,
		  const struct drift_metrics *base, struct lh_err *err);
/* Flag falls as erased.  since and until are strings of JSON, the times of base and now; without
 * one of them, or one that is no time, nothing is flagged. */
int drift_erasures(struct drift *d, const struct lh_root *root, const char *subjects,
		   const struct lh_value *since, const struct lh_value *until,
		   struct lh_err *err);
/* Return whether a change, as a fraction, is more than a fifth. */
bool drift_is_large(double pct);
void drift_free(struct drift *d);	/* an all zero struct is allowed */

const char *drift_flag_name(enum drift_flag flag);

/* Append "+583.3%": one decimal, halves away from zero; a decrease that rounds to
 * nothing is -0.0%.  "-" if there is none. */
void drift_percent(struct lh_buf *out, const struct drift_row *row);

/* Append the table and its last line, for people. */
void drift_table(struct lh_buf *out, const struct drift *d);

/* Write [{"metric":...},...]. */
void drift_write(struct lh_writer *w, const char *name, const struct drift *d);

/* Append "5/10 metrics flagged warn, 0 first-run", and ", 2 erased" if there are such. */
void drift_footer(struct lh_buf *out, const struct drift *d);

#endif
