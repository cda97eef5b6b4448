/*
 * charts.c - the history of each metric, drawn: its values in the newest baselines on file and
 * in this audit.  Rows that are not a baseline, and values that are not a number or beyond a
 * double, leave a gap.
 */
#include "audit.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"

/* In whole units of the drawing, so that nothing depends on the notation of a
 * fraction. */
#define WIDTH 3200
#define HEIGHT 800
#define MARGIN 60	/* room for half a dot */

/* Set the values of an audit by the members of a row; NAN where there is none. */
static void add_row(struct charts *c, const struct lh_value *metrics)
{
	struct lh_value v;
	double x;
	int m;

	for (m = 0; m < METRICS; m++) {
		x = lh_value_get(metrics, metric_names[m], &v) && v.type == LH_NUMBER
			? lh_value_f64(&v) : NAN;
		c->value[m][c->n] = isfinite(x) ? x : NAN;
	}
	c->n++;
}

/* Read the newest rows; bad ones are counted and omitted. */
static int read_rows(struct charts *c, struct baselines *b, struct lh_err *err)
{
	uint64_t i = b->n > CHART_AUDITS - 1 ? b->n - (CHART_AUDITS - 1) : 0;

	for (; i < b->n; i++) {
		if (baselines_take(b, i + 1, err) == 0)
			add_row(c, &b->metrics);
		else if (err->code == LH_EDATA)
			c->unread++;
		else
			return -1;
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
	if (!rc)
		rc = read_rows(c, &b, &why);
	baselines_close(&b);
	if (rc && !check_is_finding(&why)) {
		*err = why;
		free(c);
		return NULL;
	}
	for (m = 0; m < METRICS; m++)
		c->value[m][c->n] = (double)a->metric[m];
	c->n++;
	return c;
}

struct frame {
	double low, high;	/* the values at the bottom and at the top */
	size_t n;
};

static int at_y(const struct frame *f, double v)
{
	/* halves, because the whole might be beyond a double */
	double part = (v / 2 - f->low / 2) / (f->high / 2 - f->low / 2);

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return HEIGHT - MARGIN - (int)lround(part * (HEIGHT - 2 * MARGIN));
}

static int at_x(const struct frame *f, size_t i)
{
	return f->n < 2 ? WIDTH - MARGIN : MARGIN + (int)(i * (WIDTH - 2 * MARGIN) / (f->n - 1));
}

/* Draw the line, broken at gaps; round ends make a single audit between two gaps a dot. */
static void put_line(struct lh_buf *out, const struct frame *f, const double *value)
{
	bool down = false;
	size_t i;

	lh_buf_puts(out, "<path class=\"line\" d=\"");
	for (i = 0; i < f->n; i++) {
		if (!isnan(value[i]))
			lh_buf_printf(out, "%s%d %d%s", down ? "L" : "M", at_x(f, i),
				      at_y(f, value[i]), down ? "" : "h0");
		down = !isnan(value[i]);
	}
	lh_buf_puts(out, "\"/>\n");
}

static void put_number(struct lh_buf *out, double v)
{
	lh_buf_took(out, lh_f64_print(lh_buf_room(out, LH_F64_MAX), v));
}

void chart_print(struct lh_buf *out, const struct charts *c, const struct audit *a, int metric)
{
	const struct drift *d = &a->history.drift;
	const double *value = c->value[metric];
	double low = (double)a->metric[metric], high = low, base = NAN, top;
	struct frame f = { .n = c->n };
	const char *next;
	size_t i;

	for (i = 0; i < c->n; i++) {
		low = value[i] < low ? value[i] : low;
		high = value[i] > high ? value[i] : high;
	}
	if (d->n && d->row[metric].baseline.n)
		base = lh_f64_read(d->row[metric].baseline.p,
				   d->row[metric].baseline.p + d->row[metric].baseline.n, &next);
	top = base + fabs(base) / 5;
	f.low = low < 0 ? low : 0;
	f.high = isfinite(top) && high < top ? top : high;
	if (!(f.high > f.low))
		f.high = f.low + 1;
	lh_buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t%d "
		      "d%d\">\n<title id=\"t%d\">%s over %s</title>\n<desc id=\"d%d\">%llu now; "
		      "lowest ", WIDTH, HEIGHT, metric, metric, metric, metric_names[metric],
		      LH_N(c->n, "audit"), metric, (unsigned long long)a->metric[metric]);
	put_number(out, low);
	lh_buf_puts(out, ", highest ");
	put_number(out, high);
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
	put_line(out, &f, value);
	lh_buf_printf(out, "<circle class=\"now\" cx=\"%d\" cy=\"%d\" r=\"45\"/>\n</svg>\n",
		      at_x(&f, c->n - 1), at_y(&f, value[c->n - 1]));
	lh_buf_puts(out, "<p class=\"small\">highest ");
	put_number(out, high);
	lh_buf_puts(out, "</p>\n");
}
