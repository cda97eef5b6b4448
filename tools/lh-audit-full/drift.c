/* drift.c - compare metrics with those of a baseline.  See drift.h. */
#include "drift.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include <lh/num.h>
#include "text/escape.h"

/* ---- the metrics of a row ---- */

static int compare(const struct lh_str *a, const struct lh_str *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int c = n ? memcmp(a->p, b->p, n) : 0;

	return c ? c : (a->n > b->n) - (a->n < b->n);
}

static int by_name(const void *a, const void *b)
{
	return compare(&((const struct drift_metric *)a)->name,
		       &((const struct drift_metric *)b)->name);
}

void drift_metrics_of(struct drift_metrics *m, const struct baselines *row)
{
	struct lh_iter it;

	*m = (struct drift_metrics){ .row = row };
	/* room for all names, so that none moves */
	lh_buf_room(&m->names, row->metrics.n);
	for (lh_iter_init(&it, &row->metrics); lh_iter_next(&it); ) {
		if (it.val.type == LH_NULL)
			continue;
		lh_grow(&m->v, &m->cap, m->n + 1, sizeof *m->v);
		lh_value_str(&it.key, &m->names, &m->v[m->n].name);
		m->v[m->n++].value = it.val;
	}
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, by_name);
}

void drift_metrics_free(struct drift_metrics *m)
{
	lh_buf_free(&m->names);
	free(m->v);
	*m = (struct drift_metrics){ .n = 0 };
}

/* ---- the comparison ---- */

#define LARGE 0.2	/* a change of more than this, either way, is a warning */

static bool is_zero(const struct lh_value *v)
{
	size_t i;

	for (i = 0; i < v->n && (v->p[i] | 0x20) != 'e'; i++)
		if (v->p[i] >= '1' && v->p[i] <= '9')
			return false;
	return true;
}

static int read_metric(double *out, const struct drift_metric *m, const struct baselines *row,
		       struct lh_err *err)
{
	if (m->value.type != LH_NUMBER)
		return baselines_bad_metric(row, &m->name, "is not a number", err);
	*out = lh_value_f64(&m->value);
	if (isinf(*out) || (*out == 0 && !is_zero(&m->value)))
		return baselines_bad_metric(row, &m->name, "is beyond the range of a double", err);
	return 0;
}

/* Return the size of the change, rounded a little beyond the error of doubles, so
 * that a half and a fifth compare as written. */
static double size_of(double pct)
{
	return fabs(pct) + 4 * DBL_EPSILON * (1 + fabs(pct));
}

bool drift_is_large(double pct)
{
	return fabs(pct) > size_of(LARGE);
}

int drift_compute(struct drift *d, const struct drift_metrics *now,
		  const struct drift_metrics *base, struct lh_err *err)
{
	const struct drift_metric *m, *b = base->v, *end = b ? b + base->n : b;
	double from = 0, to = 0;

	*d = (struct drift){ .row = lh_calloc(now->n + 1, sizeof *d->row) };
	if (!d->row)
		return -1;
	for (m = now->v; d->n < now->n; m++) {
		struct drift_row *row = &d->row[d->n];

		while (b < end && compare(&b->name, &m->name) < 0)
			b++;
		*row = (struct drift_row){ .metric = m->name, .current = { m->value.p, m->value.n },
					   .flag = DRIFT_FIRST };
		if (read_metric(&to, m, now->row, err) < 0)
			return -1;
		if (b < end && !compare(&b->name, &m->name)) {
			if (read_metric(&from, b, base->row, err) < 0)
				return -1;
			row->baseline = (struct lh_str){ b->value.p, b->value.n };
			row->has_pct = from != 0;
			if (row->has_pct)	/* no change is 0, not -0 */
				row->pct = (to - from) / from + 0.0;
			row->flag = (from == 0 ? to != 0 : drift_is_large(row->pct))
					    ? DRIFT_WARN : DRIFT_OK;
		}
		d->warned += row->flag == DRIFT_WARN;
		d->first += row->flag == DRIFT_FIRST;
		d->n++;
	}
	return 0;
}

void drift_free(struct drift *d)
{
	free(d->row);
	*d = (struct drift){ .n = 0 };
}

/* ---- output ---- */

const char *drift_flag_name(enum drift_flag flag)
{
	static const char *const name[] = {
		[DRIFT_OK] = "ok", [DRIFT_WARN] = "warn", [DRIFT_FIRST] = "first_run",
		[DRIFT_ERASED] = "erased",
	};

	return name[flag];
}

void drift_percent(struct lh_buf *out, const struct drift_row *row)
{
	if (!row->has_pct || isinf(row->pct * 1000)) {
		lh_buf_putc(out, '-');
		return;
	}
	lh_buf_printf(out, "%c%.1f%%", row->pct < 0 ? '-' : '+',
		      floor(size_of(row->pct) * 1000 + 0.5) / 10);
}

#define COLUMNS 5
#define GAP 2

static const char *const heads[COLUMNS] = { "metric", "baseline", "current", "Δ%", "flag" };

static bool is_number(int column)
{
	return column >= 1 && column <= 3;
}

/* Append one field of a row; of the heads if row is NULL. */
static void put_text(struct lh_buf *b, const struct drift_row *row, int column)
{
	lh_buf_reset(b);
	if (!row)
		lh_buf_puts(b, heads[column]);
	else if (column == 0)
		lh_escape_column(b, row->metric.p, row->metric.n);
	else if (column == 1 && !row->baseline.n)
		lh_buf_putc(b, '-');
	else if (column == 1)
		lh_buf_add(b, row->baseline.p, row->baseline.n);
	else if (column == 2)
		lh_buf_add(b, row->current.p, row->current.n);
	else if (column == 3)
		drift_percent(b, row);
	else
		lh_buf_puts(b, drift_flag_name(row->flag));
}

/* The same for a table, which fails with it; return its width in characters. */
static size_t put_field(struct lh_buf *out, struct lh_buf *b, const struct drift_row *row,
			int column)
{
	size_t i, n = 0;

	put_text(b, row, column);
	if (b->failed)
		out->failed = b->failed;
	for (i = 0; i < b->len; i++)
		n += (b->p[i] & 0xc0) != 0x80;
	return n;
}

static void put_spaces(struct lh_buf *out, size_t n)
{
	char *to = lh_buf_room(out, n);

	if (to) {
		memset(to, ' ', n);
		lh_buf_took(out, n);
	}
}

static void put_row(struct lh_buf *out, struct lh_buf *field, const struct drift_row *row,
		    const size_t *width)
{
	int i;

	for (i = 0; i < COLUMNS; i++) {
		size_t n = put_field(out, field, row, i), pad;

		if (out->failed)
			return;
		pad = width[i] - n;
		if (is_number(i))
			put_spaces(out, pad);
		lh_buf_add(out, field->p, field->len);
		if (i + 1 < COLUMNS)
			put_spaces(out, is_number(i) ? GAP : pad + GAP);
	}
	lh_buf_putc(out, '\n');
}

void drift_table(struct lh_buf *out, const struct drift *d)
{
	size_t width[COLUMNS], i, n;
	LH_SCOPED(lh_buf_free) struct lh_buf field = { 0 };
	int c;

	for (c = 0; c < COLUMNS; c++) {
		width[c] = put_field(out, &field, NULL, c);
		for (i = 0; i < d->n; i++) {
			n = put_field(out, &field, &d->row[i], c);
			width[c] = n > width[c] ? n : width[c];
		}
	}
	put_row(out, &field, NULL, width);
	for (i = 0; i < d->n; i++)
		put_row(out, &field, &d->row[i], width);
	drift_footer(out, d);
	lh_buf_putc(out, '\n');
}

void drift_footer(struct lh_buf *out, const struct drift *d)
{
	lh_buf_printf(out, "%zu/%zu metrics flagged warn, %zu first-run", d->warned, d->n,
		      d->first);
	if (d->erased)
		lh_buf_printf(out, ", %zu erased", d->erased);
}

void drift_write(struct lh_writer *w, const char *name, const struct drift *d)
{
	const struct drift_row *row;

	lh_write_array(w, name);
	for (row = d->row; row < d->row + d->n; row++) {
		lh_write_object(w, NULL);
		lh_write_str(w, "metric", row->metric);
		if (row->baseline.n)
			lh_write_raw(w, "baseline", row->baseline);
		else
			lh_write_null(w, "baseline");
		lh_write_raw(w, "current", row->current);
		if (row->has_pct && isfinite(row->pct))
			lh_write_f64(w, "pct", row->pct);
		else
			lh_write_null(w, "pct");
		lh_write_text(w, "flag", drift_flag_name(row->flag));
		lh_write_end(w);
	}
	lh_write_end(w);
}
