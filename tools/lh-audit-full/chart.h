/*
 * chart.h - how a metric went over all baselines on file, and this audit.
 *
 * A chart has CHART_COLUMNS columns at most, the last for this audit alone.
 * Where there are more audits, each of the others stands for as many in a row
 * and shows the lowest and the highest of them, so that no spike is lost.  Rows
 * that are no baseline, and values that are no number or beyond a double, leave
 * a gap.
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
	uint64_t audits, unread;	/* rows and this audit; rows that are no baseline */
	size_t columns;
	char since[11];			/* the day of the first of them; "" when it does not say */
	struct chart chart[METRICS];
};

/* Freed with free(); NULL with *err. */
struct charts *charts_read(struct audit *a, struct lh_err *err);

/* As an SVG element for a page. */
void chart_print(struct lh_buf *out, const struct charts *c, const struct audit *a, int metric);

/* A number as its shortest text. */
void chart_number(struct lh_buf *out, double v);

#endif
