/*
 * drift.h - compare metrics with those of a baseline.
 *
 * A metric without a baseline, or whose baseline is null, is a first run.  Against
 * 0 any other number is a warning, without a percentage.  Otherwise it is a warning
 * if the number changed by more than a fifth of its baseline.  Compared metrics
 * must be numbers within the range of a double; others in the row are ignored.
 */
#ifndef DRIFT_H
#define DRIFT_H

#include "baseline.h"
#include "json/write.h"

enum drift_flag { DRIFT_OK, DRIFT_WARN, DRIFT_FIRST };

struct drift_row {
	struct lh_str metric, baseline, current;	/* numbers as written; baseline.n 0: none */
	bool has_pct;
	double pct;		/* a fraction, or infinite */
	enum drift_flag flag;
};

/* Rows in byte order of the names of their metrics. */
struct drift {
	struct drift_row *row;
	size_t n, warned, first;
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
int drift_metrics_of(struct drift_metrics *m, const struct baselines *row, struct lh_err *err);
void drift_metrics_free(struct drift_metrics *m);

/* Compare now with base; the memory that they point to must outlive *d. */
int drift_compute(struct drift *d, const struct drift_metrics *now,
		  const struct drift_metrics *base, struct lh_err *err);
void drift_free(struct drift *d);	/* an all zero struct is allowed */

const char *drift_flag_name(enum drift_flag flag);

/* Append "+583.3%": one decimal, halves away from zero; a decrease that rounds to
 * nothing is -0.0%.  "-" if there is none. */
void drift_percent(struct lh_buf *out, const struct drift_row *row);

/* Append the table and its last line, for people. */
void drift_table(struct lh_buf *out, const struct drift *d);

/* Write [{"metric":...},...]. */
void drift_write(struct lh_writer *w, const char *name, const struct drift *d);

/* Append "5/10 metrics flagged warn, 0 first-run". */
void drift_footer(struct lh_buf *out, const struct drift *d);

#endif
