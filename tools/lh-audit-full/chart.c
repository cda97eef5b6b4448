/* chart.c - draw the history of a metric.  See chart.h. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include <lh/num.h>

/* In whole units of the drawing, so that nothing depends on the notation of a
 * fraction. */
#define WIDTH 3200
#define HEIGHT 800
#define MARGIN 60	/* room for half a dot */

/* ---- the values on file ---- */

/* Return the column of audit i; the last audit has its own. */
static size_t column_of(const struct charts *c, uint64_t i)
{
	if (i + 1 == c->audits)
		return c->columns - 1;
	return (size_t)((unsigned __int128)i * (c->columns - 1) / (c->audits - 1));
}

static void add_value(struct charts *c, int metric, uint64_t i, double v)
{
	struct chart *ch = &c->chart[metric];
	struct chart_column *col = &ch->column[column_of(c, i)];

	col->low = col->any && col->low < v ? col->low : v;
	col->high = col->any && col->high > v ? col->high : v;
	col->any = true;
	ch->low = v < ch->low ? v : ch->low;
	ch->high = v > ch->high ? v : ch->high;
}

/* The metrics of a row; of one that is absent or not a number NAN. */
struct numbers {
	double metric[METRICS];
};

static int add_row(struct charts *c, const struct lh_bind *table, const struct baselines *b,
		   uint64_t i, struct lh_err *err)
{
	struct numbers n;
	int m;

	for (m = 0; m < METRICS; m++)
		n.metric[m] = NAN;
	if (lh_bind_value(table, &b->metrics, &n, NULL, err) < 0)
		return -1;
	for (m = 0; m < METRICS; m++)
		if (isfinite(n.metric[m]))
			add_value(c, m, i, n.metric[m]);
	return 0;
}

/* Read the present rows; bad ones are counted and omitted. */
static int read_rows(struct charts *c, struct baselines *b, struct lh_err *err)
{
	struct lh_bind table[METRICS + 1];
	uint64_t i;
	int m;

	for (m = 0; m < METRICS; m++) {
		table[m] = (struct lh_bind){
			LH_BIND_F64("", struct numbers, metric[0], -INFINITY, INFINITY), .lax = true
		};
		table[m].off += (size_t)m * sizeof(double);
		lh_bind_rename(&table[m], metric_names[m]);
	}
	table[m] = (struct lh_bind)LH_BIND_END;
	for (i = 0; i + 1 < c->audits; i++) {
		if (baselines_take(b, i + 1, err) == 0) {
			if (!i) {
				int64_t ms;

				if (b->recorded_at.p &&
				    lh_time_read(b->recorded_at.p + 1, b->recorded_at.n - 2,
						 &ms) == 0)
					memcpy(c->since, b->recorded_at.p + 1, sizeof c->since - 1);
			}
			if (add_row(c, table, b, i, err) < 0)
				return -1;
		} else if (err->code == LH_EDATA) {
			c->unread++;
		} else {
			return -1;
		}
	}
	return 0;
}

struct charts *charts_read(struct audit *a, struct lh_err *err)
{
	struct charts *c = lh_calloc(1, sizeof *c);
	struct lh_err why;	/* a fault of the file is not a failure here */
	struct baselines b;
	int m, rc;

	rc = baselines_open(&b, a->history.path, &why);
	c->audits = b.n + 1;
	c->columns = c->audits < CHART_COLUMNS ? (size_t)c->audits : CHART_COLUMNS;
	for (m = 0; m < METRICS; m++)
		c->chart[m].low = c->chart[m].high = (double)a->metric[m];
	if (!rc)
		rc = read_rows(c, &b, &why);
	baselines_close(&b);
	if (rc && why.code == LH_ENOMEM) {
		*err = why;
		free(c);
		return NULL;
	}
	for (m = 0; m < METRICS; m++)
		add_value(c, m, c->audits - 1, (double)a->metric[m]);
	return c;
}

/* ---- the drawing ---- */

struct frame {
	double low, high;	/* the values at the bottom and at the top */
	size_t columns;
};

static int at_y(const struct frame *f, double v)
{
	/* halves, because the whole might be beyond a double */
	double part = (v / 2 - f->low / 2) / (f->high / 2 - f->low / 2);

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return HEIGHT - MARGIN - (int)lround(part * (HEIGHT - 2 * MARGIN));
}

static int at_x(const struct frame *f, size_t column)
{
	if (f->columns < 2)
		return WIDTH - MARGIN;
	return MARGIN + (int)(column * (WIDTH - 2 * MARGIN) / (f->columns - 1));
}

/* Draw the line from column to column, broken at gaps; round ends make a single
 * column between two gaps a dot. */
static void put_line(struct lh_buf *out, const struct frame *f, const struct chart *ch)
{
	bool down = false;
	size_t i;

	lh_buf_puts(out, "<path class=\"line\" d=\"");
	for (i = 0; i < f->columns; i++) {
		const struct chart_column *col = &ch->column[i];

		if (col->any) {
			lh_buf_printf(out, "%s%d %d", down ? "L" : "M", at_x(f, i),
				      at_y(f, col->low));
			if (col->high > col->low || !down)
				lh_buf_printf(out, "V%d", at_y(f, col->high));
		}
		down = col->any;
	}
	lh_buf_puts(out, "\"/>\n");
}

void chart_number(struct lh_buf *out, double v)
{
	char *to = lh_buf_room(out, LH_F64_MAX);

	if (to)
		lh_buf_took(out, lh_f64_print(to, v));
}

void chart_print(struct lh_buf *out, const struct charts *c, const struct audit *a, int metric)
{
	const struct history *h = &a->history;
	const struct chart *ch = &c->chart[metric];
	struct frame f = { ch->low < 0 ? ch->low : 0, ch->high, c->columns };
	double base = NAN, top;

	if (h->drift.n && h->drift.row[metric].baseline.n) {
		const char *p = h->drift.row[metric].baseline.p, *next;

		base = lh_f64_read(p, p + h->drift.row[metric].baseline.n, &next);
	}
	top = base + fabs(base) / 5;
	if (isfinite(top) && f.high < top)
		f.high = top;
	if (!(f.high > f.low))
		f.high = f.low + 1;
	lh_buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t%d d%d\">\n",
		      WIDTH, HEIGHT, metric, metric);
	lh_buf_printf(out, "<title id=\"t%d\">%s over %llu audits</title>\n<desc id=\"d%d\">",
		      metric, metric_names[metric], (unsigned long long)c->audits, metric);
	lh_buf_printf(out, "%llu now; lowest ", (unsigned long long)a->metric[metric]);
	chart_number(out, ch->low);
	lh_buf_puts(out, ", highest ");
	chart_number(out, ch->high);
	lh_buf_puts(out, "</desc>\n");
	if (isfinite(top) && base != 0) {
		/* Draw the baseline, and how far from it counts as no drift. */
		int upper = at_y(&f, top), lower = at_y(&f, base - fabs(base) / 5);

		lh_buf_printf(out,
			      "<rect class=\"band\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n"
			      "<path class=\"base\" d=\"M0 %dH%d\"/>\n", upper, WIDTH,
			      lower - upper, at_y(&f, base), WIDTH);
	}
	lh_buf_printf(out, "<path class=\"floor\" d=\"M0 %dH%d\"/>\n", HEIGHT - MARGIN, WIDTH);
	put_line(out, &f, ch);
	lh_buf_printf(out, "<circle class=\"now\" cx=\"%d\" cy=\"%d\" r=\"45\"/>\n</svg>\n",
		      at_x(&f, c->columns - 1),
		      at_y(&f, (double)a->metric[metric]));
}
