/*
 * history.h - the metrics of earlier audits, and how far this one is from them.
 *
 * Baselines are rows of a file:
 *
 *     {"recorded_at":"...","git_commit":"...","metrics":{"p3_accepted":353,...}}
 *
 * Other programs append to the same file.  So it is only ever appended to, and a
 * row needs only to be one JSON object whose metrics are an object; everything else
 * in it is ignored.
 *
 *     rc = baselines_open(&b, path, err);
 *     if (!rc && b.n && baselines_take(&b, b.n, err) == 0)
 *             ... b.metrics ...
 *     baselines_close(&b);
 *
 * Errors: 0, or -1 with *err, whose text names the file and the line; LH_EDATA for a
 *         bad row.
 *
 * Drift compares metrics with those of a baseline.
 *
 * A metric without a baseline, or whose baseline is null, is a first run.  Against
 * 0 any other number is a warning, without a percentage.  Otherwise it is a warning
 * if the number changed by more than a fifth of its baseline.  Compared metrics
 * must be numbers within the range of a double; others in the row are ignored.
 *
 * A fall is no warning if there is none once the rows are put back that receipts of erasures
 * (audit/erasures.h) name, of erasures that ended between the two rows.
 *
 * An audit's history:
 *
 *     rc = history_read(&audit, err);          after the metrics are counted
 *     ... history.drift, history.bad ...
 *     rc = history_append(&audit, err);        --append-baseline; last of all
 *     history_free(&audit.history);
 *
 * A file of baselines that cannot be read, or whose last row is bad, does not
 * prevent the checks: history_read then returns 0 with the reason in history.bad
 * and no row of drift, and nothing is appended.  The caller reports it after
 * printing the checks, and ends with 2.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "json/json.h"

#include "distill/root.h"
#include "file/rows.h"
#include "json/write.h"

struct baselines {
	const char *path;	/* borrowed */
	int fd;			/* of the file, borrowed; or -1: path is opened */
	uint64_t n;		/* rows at the opening; blank lines do not count */
	struct lh_rows *rows;
	uint64_t at;		/* rows read so far */
	size_t bom;		/* length of the BOM before the row that was read last */

	/* the row read last, valid until the next */
	uint64_t line;
	struct lh_record rec;
	struct lh_value metrics;	/* an object */
	struct lh_value recorded_at;	/* a string, or p NULL */
};

/* Count the rows of the file; one that does not exist has none. */
int baselines_open(struct baselines *b, const char *path, struct lh_err *err);

/* The same with a regular file that is open, and whose name is for messages. */
int baselines_open_fd(struct baselines *b, int fd, const char *name, struct lh_err *err);

/* Read row number row, from 1, in any order. */
int baselines_take(struct baselines *b, uint64_t row, struct lh_err *err);
void baselines_close(struct baselines *b);

/* Report a bad metric: fills *err, returns -1. */
int baselines_bad_metric(const struct baselines *b, const struct lh_str *name, const char *what,
			 struct lh_err *err);

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

struct audit;

struct history {
	char *path;
	struct baselines on_file;	/* with its last row read, unless it is a first run */
	struct drift_metrics now, before;
	struct drift drift;
	struct lh_err bad;		/* code LH_OK: no fault */
	char *numbers;			/* of now */
};

int history_read(struct audit *a, struct lh_err *err);
int history_append(const struct audit *a, struct lh_err *err);
void history_free(struct history *h);

#endif
