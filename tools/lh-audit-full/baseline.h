/*
 * baseline.h - the metrics of earlier audits, one row each:
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
 */
#ifndef BASELINE_H
#define BASELINE_H

#include <lh/json.h>
#include "file/rows.h"

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

#endif
