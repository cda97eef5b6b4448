/*
 * history.h - compare this audit's metrics with earlier ones.
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

#include "drift.h"

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
