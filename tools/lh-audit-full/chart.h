/*
 * chart.h - the history of a metric over all baselines on file and this audit.
 *
 * A chart has at most CHART_COLUMNS columns, the last for this audit alone.  If
 * there are more audits, each of the other columns represents the same number of
 * consecutive ones and shows the lowest and the highest, so that no spike is lost.
 * Rows that are not a baseline, and values that are not a number or beyond a
 * double, leave a gap.
 */
#ifndef CHART_H
#define CHART_H

#include "audit.h"

#define CHART_COLUMNS 300

struct chart_column {
	bool any;
	double low, high;
};

struct chart {
	struct chart_column column[CHART_COLUMNS];
	double low, high;	/* of all */
};

struct charts {
	uint64_t audits, unread;	/* rows and this audit; rows that are not a baseline */
	size_t columns;
	char since[11];			/* the day of the first of them; "" if unknown */
	struct chart chart[METRICS];
};

/* Read the values of all charts.  Freed with free(); NULL with *err. */
struct charts *charts_read(struct audit *a, struct lh_err *err);

/* Append a chart as an SVG element. */
void chart_print(struct lh_buf *out, const struct charts *c, const struct audit *a, int metric);

/* Append a number as its shortest text. */
void chart_number(struct lh_buf *out, double v);

#endif
