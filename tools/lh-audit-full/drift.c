/*
 * drift.c - the history of the metrics: rows of baselines, how far an audit is from them, and
 * charts of all of them.  See audit.h.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "audit.h"
#include "audit/erasures.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/time.h"
#include "file/file.h"
#include "json/bind.h"
#include "text/escape.h"

/* ---- baselines ---- */

static int start(struct baselines *b, struct lh_err *err)
{
	int rc = b->fd < 0 ? lh_rows_open(b->rows, b->path, err)
		: lh_rows_open_fd(b->rows, b->fd, b->path, err);

	b->at = 0;
	/* its parent is not a folder: it does not exist */
	return rc < 0 && errno == ENOTDIR ? 0 : rc;
}

/* Read the next row that is not blank; the first line may consist of a BOM. */
static int next(struct baselines *b, struct lh_file_row *row, struct lh_err *err)
{
	int rc = lh_rows_next(b->rows, row, err);

	b->bom = 0;
	if (rc > 0 && row->line == 1) {
		b->bom = lh_mark_len(row->p, row->n);
		row->p += b->bom;
		row->n -= b->bom;
		if (b->bom && (!row->n || (row->n == 1 && *row->p == '\r'))) {
			b->bom = 0;
			rc = lh_rows_next(b->rows, row, err);
		}
	}
	b->at += rc > 0;
	return rc;
}

/* Count the rows of a file; one that does not exist has none.  fd: it is open already, and its name
 * is for messages; or -1. */
static int baselines_open(struct baselines *b, int fd, const char *name, struct lh_err *err)
{
	struct lh_file_row row;
	int rc;

	*b = (struct baselines){ .path = name, .fd = fd, .rows = lh_rows_new() };
	rc = start(b, err);
	while (rc > 0)
		rc = next(b, &row, err);
	b->n = b->at;
	return rc;
}

static int bad_row(const struct baselines *b, struct lh_err *err)
{
	size_t column = err->column;

	err->column = 0;
	if (column)
		return lh_err_prefix(err, "%s:%llu:%zu", b->path, (unsigned long long)b->line,
				     column + b->bom);
	return lh_err_prefix(err, "%s:%llu", b->path, (unsigned long long)b->line);
}

static const struct lh_bind members[] = {
	{ LH_BIND_VALUE("recorded_at", struct baselines, recorded_at, LH_BIND_IS(LH_STRING)),
	  .lax = true },
	{ LH_BIND_OBJECT("metrics", struct baselines, metrics), .required = true },
	LH_BIND_END
};

static int parse(struct baselines *b, const struct lh_file_row *row, struct lh_err *err)
{
	b->line = row->line;
	b->recorded_at.p = NULL;
	if (lh_record_parse(&b->rec, row->p, row->n, err) < 0 ||
	    lh_bind(members, &b->rec, b, NULL, err) < 0)
		return bad_row(b, err);
	return 0;
}

static int read_row(struct baselines *b, uint64_t n, struct lh_file_row *row, struct lh_err *err)
{
	int rc = 1;

	if (n <= b->at)
		rc = start(b, err);
	while (rc > 0 && b->at < n)
		rc = next(b, row, err);
	if (!rc)
		return lh_err_set(err, LH_EIO, "%s: became shorter while it was read", b->path);
	return rc < 0 ? -1 : parse(b, row, err);
}

/* Read row number n, from 1, in any order.  Of the last row, which another program may append, a
 * part may be there: it is read again until whole, or its length was the same for 200 ms. */
static int baselines_take(struct baselines *b, uint64_t n, struct lh_err *err)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	struct lh_file_row row = { .n = 0 };
	int rc = read_row(b, n, &row, err), same = 0;

	while (rc < 0 && err->code == LH_EDATA && n == b->n && same < 10) {
		size_t length = row.n;

		nanosleep(&pause, NULL);
		rc = read_row(b, n, &row, err);
		same = row.n == length ? same + 1 : 0;
	}
	return rc;
}

static void baselines_close(struct baselines *b)
{
	lh_rows_free(b->rows);
	lh_record_free(&b->rec);
	*b = (struct baselines){ .n = 0 };
}

/* Report a bad metric: fills *err, returns -1. */
static int baselines_bad_metric(const struct baselines *b, const struct lh_str *name,
				const char *what, struct lh_err *err)
{
	lh_err_set(err, LH_EDATA, "metric \"%.*s\" %s", name->n < 200 ? (int)name->n : 200, name->p,
		   what);
	return bad_row(b, err);
}

/* ---- drift ---- */

/* ---- the metrics of a row ---- */

static int by_name(const void *a, const void *b)
{
	return lh_str_cmp(((const struct drift_metric *)a)->name,
			  ((const struct drift_metric *)b)->name);
}

static void drift_metrics_of(struct drift_metrics *m, const struct baselines *row)
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

static void drift_metrics_free(struct drift_metrics *m)
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

static bool drift_is_large(double pct)
{
	return fabs(pct) > size_of(LARGE);
}

/* Compare now with base; the memory that they point to must outlive *d. */
static int drift_compute(struct drift *d, const struct drift_metrics *now,
		  const struct drift_metrics *base, struct lh_err *err)
{
	const struct drift_metric *m, *b = base->v, *end = b ? b + base->n : b;
	double from = 0, to = 0;

	*d = (struct drift){ .row = lh_calloc(now->n + 1, sizeof *d->row) };
	for (m = now->v; d->n < now->n; m++) {
		struct drift_row *row = &d->row[d->n];

		while (b < end && lh_str_cmp(b->name, m->name) < 0)
			b++;
		*row = (struct drift_row){ .metric = m->name, .current = { m->value.p, m->value.n },
					   .flag = DRIFT_FIRST };
		if (read_metric(&to, m, now->row, err) < 0)
			return -1;
		if (b < end && !lh_str_cmp(b->name, m->name)) {
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

static const char *const heads[COLUMNS] = { "metric", "baseline", "current", "Δ%", "flag" };

static bool is_number(int column)
{
	return column >= 1 && column <= 3;
}

/* Set *b to one field of a row, of the heads if row is NULL: return its width in characters. */
static size_t put_field(struct lh_buf *b, const struct drift_row *row, int column)
{
	size_t i, n = 0;

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
	for (i = 0; i < b->len; i++)
		n += (b->p[i] & 0xc0) != 0x80;
	return n;
}

static void put_row(struct lh_buf *out, struct lh_buf *field, const struct drift_row *row,
		    const size_t *width)
{
	int i, pad;

	for (i = 0; i < COLUMNS; i++) {
		pad = (int)(width[i] - put_field(field, row, i));
		if (i)
			lh_buf_puts(out, "  ");
		if (is_number(i))
			lh_buf_printf(out, "%*s", pad, "");
		lh_buf_add(out, field->p, field->len);
		if (!is_number(i) && i + 1 < COLUMNS)
			lh_buf_printf(out, "%*s", pad, "");
	}
	lh_buf_putc(out, '\n');
}

/* Append "5/10 metrics flagged warn, 0 first-run", and ", 2 erased" if there are such. */
static void drift_footer(struct lh_buf *out, const struct drift *d)
{
	lh_buf_printf(out, "%zu/%zu metrics flagged warn, %zu first-run", d->warned, d->n,
		      d->first);
	if (d->erased)
		lh_buf_printf(out, ", %zu erased", d->erased);
}

void drift_table(struct lh_buf *out, const struct drift *d)
{
	size_t width[COLUMNS], i, n;
	LH_SCOPED(lh_buf_free) struct lh_buf field = { 0 };
	int c;

	for (c = 0; c < COLUMNS; c++) {
		width[c] = put_field(&field, NULL, c);
		for (i = 0; i < d->n; i++) {
			n = put_field(&field, &d->row[i], c);
			width[c] = n > width[c] ? n : width[c];
		}
	}
	put_row(out, &field, NULL, width);
	for (i = 0; i < d->n; i++)
		put_row(out, &field, &d->row[i], width);
	drift_footer(out, d);
	lh_buf_putc(out, '\n');
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

/* ---- what fell because rows were erased ---- */

/* Whose rows a metric counts.  The categories of rows that were erased are not known, so the
 * metrics of all categories share what was erased. */
static const struct {
	const char *metric, *relpath;	/* the beginning of its name */
} counted[] = {
	{ "p2_evidence_rows", LH_ROOT_EVIDENCE },
	{ "p2_evidence_skips", LH_ROOT_SKIPS },
	{ "p3_", LH_ROOT_SCORED },
	{ "p4_pref_pairs", LH_ROOT_EXPORTS "/preference" },
	{ "p4_rag_rows", LH_ROOT_EXPORTS "/rag" },
	{ "p4_sft_rows", LH_ROOT_EXPORTS "/sft" },
	{ "p4_total_quarantined", LH_ROOT_EXPORTS "/quarantine" },
};
#define KINDS (sizeof counted / sizeof *counted)

static void sum_up(double gone[KINDS], const struct lh_erasures *e, const struct lh_root *root,
		   int64_t since, int64_t until)
{
	size_t i, k;

	for (i = 0; i < e->n; i++)
		for (k = 0; k < KINDS && e->v[i].finished > since && e->v[i].finished <= until; k++)
			gone[k] += (double)lh_erasure_rows(&e->v[i], lh_root_path(root),
							   lh_str_of(counted[k].relpath));
}

/* Put back at most so many rows: return how many are needed for the metric not to have fallen,
 * or 0 if the fall stays a warning. */
static double put_back(const struct drift_row *row, double rows)
{
	const char *next;
	double from, to;

	if (row->flag != DRIFT_WARN || !row->baseline.n || !row->current.n)
		return 0;
	from = lh_f64_read(row->baseline.p, row->baseline.p + row->baseline.n, &next);
	to = lh_f64_read(row->current.p, row->current.p + row->current.n, &next);
	if (from <= to)
		return 0;
	if (rows > from - to)
		rows = from - to;
	return drift_is_large((to + rows - from) / from) ? 0 : rows;
}

static void flag_falls(struct drift *d, double gone[KINDS])
{
	struct drift_row *row;
	double rows;
	size_t k;

	for (row = d->row; row < d->row + d->n; row++)
		for (k = 0; k < KINDS; k++) {
			size_t n = strlen(counted[k].metric);

			if (row->metric.n < n || memcmp(row->metric.p, counted[k].metric, n))
				continue;
			rows = put_back(row, gone[k]);
			if (rows > 0) {
				gone[k] -= rows;
				row->flag = DRIFT_ERASED;
				d->warned--;
				d->erased++;
			}
		}
}

/* Flag falls as erased.  since and until are strings of JSON, the times of base and now; without
 * one of them, or one that is no time, nothing is flagged. */
static int drift_erasures(struct drift *d, const struct lh_root *root, const char *subjects,
		   const struct lh_value *since, const struct lh_value *until,
		   struct lh_err *err)
{
	LH_SCOPED(lh_erasures_free) struct lh_erasures e = { .n = 0 };
	double gone[KINDS] = { 0 };
	int64_t from, to;

	if (!d->warned || !since->p || !until->p ||
	    lh_time_read(since->p + 1, since->n - 2, &from) < 0 ||
	    lh_time_read(until->p + 1, until->n - 2, &to) < 0)
		return 0;
	if (lh_erasures_read(&e, subjects, err) < 0)
		return -1;
	sum_up(gone, &e, root, from, to);
	flag_falls(d, gone);
	return 0;
}

/* ---- the history of an audit ---- */

#define DIGITS 21

/* Set the metrics of this audit, as if they had been read. */
static void measure(struct history *h, const uint64_t *metric)
{
	size_t i;

	h->numbers = lh_calloc(METRICS, DIGITS);
	lh_grow(&h->now.v, &h->now.cap, METRICS, sizeof *h->now.v);
	for (i = 0; i < METRICS; i++) {
		struct drift_metric *m = &h->now.v[i];
		char *to = h->numbers + i * DIGITS;

		m->name = (struct lh_str){ metric_names[i], strlen(metric_names[i]) };
		m->value = (struct lh_value){ .p = to, .type = LH_NUMBER };
		m->value.n = (size_t)snprintf(to, DIGITS, "%llu", (unsigned long long)metric[i]);
	}
	h->now.n = METRICS;
}

static int read_metrics(struct baselines *b, struct drift_metrics *m, uint64_t row,
			struct lh_err *err)
{
	if (baselines_take(b, row, err) < 0)
		return -1;
	drift_metrics_of(m, b);
	return 0;
}

/* Compare with the last row on file. */
static int compare_last(struct history *h, struct lh_err *err)
{
	int rc = baselines_open(&h->on_file, -1, h->path, err);

	if (!rc && h->on_file.n)
		rc = read_metrics(&h->on_file, &h->before, h->on_file.n, err);
	return rc ? rc : drift_compute(&h->drift, &h->now, &h->before, err);
}

/* Flag what fell because rows were erased.  Phase 5 reports a damaged receipt of an erasure;
 * what it would explain stays a warning. */
static int explain_falls(struct audit *a, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *subjects = audit_subjects(a->root, a->s);
	char at[sizeof a->recorded_at + 2];
	const struct lh_value now = {
		.p = at, .n = (size_t)snprintf(at, sizeof at, "\"%s\"", a->recorded_at),
		.type = LH_STRING
	};
	int rc = drift_erasures(&a->history.drift, a->root, subjects,
				&a->history.on_file.recorded_at, &now, err);

	return rc < 0 && !check_is_finding(err) ? -1 : 0;
}

int history_read(struct audit *a, struct lh_err *err)
{
	struct history *h = &a->history;
	struct lh_err why;

	*h = (struct history){ .path = lh_root_join(a->root, AUDIT_BASELINES) };
	measure(h, a->metric);
	if (compare_last(h, &why) == 0)
		return explain_falls(a, err);
	if (why.code == LH_EINTR) {
		*err = why;
		return -1;
	}
	h->bad = why;
	drift_free(&h->drift);
	return 0;
}

int history_append(const struct audit *a, struct lh_err *err)
{
	const struct history *h = &a->history;
	struct lh_applog log = { .fd = -1 };
	struct lh_writer w;
	LH_SCOPED(lh_buf_free) struct lh_buf row = { 0 };
	struct lh_err later;
	int rc;

	w = lh_write_to(&row);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "recorded_at", a->recorded_at);
	if (*a->git_commit)
		lh_write_text(&w, "git_commit", a->git_commit);
	metrics_write(&w, "metrics", a);
	lh_write_end(&w);
	rc = lh_root_folders(a->root, AUDIT_BASELINES, err);
	if (!rc)
		rc = lh_applog_open(&log, h->path, 0666, a->tool->lock_timeout, err);
	if (!rc)
		rc = lh_applog_append(&log, row.p, row.len, LH_SYNC_EACH, err);
	return lh_applog_close(&log, rc ? &later : err) < 0 ? -1 : rc;
}

void history_free(struct history *h)
{
	drift_free(&h->drift);
	drift_metrics_free(&h->before);
	drift_metrics_free(&h->now);
	baselines_close(&h->on_file);
	free(h->numbers);
	free(h->path);
	*h = (struct history){ .path = NULL };
}

/* ---- lh-audit-full drift: any two rows of a file ---- */

/* Return the requested row, from 1. */
static int find_row(const struct baselines *b, const char *option, int64_t asked, int64_t *out,
		    struct lh_err *err)
{
	int64_t n = (int64_t)b->n;

	*out = asked < 0 ? n + 1 + asked : asked;
	if (*out >= 1 && *out <= n)
		return 0;
	return lh_err_set(err, LH_EIO, "%s: --%s %lld: there are %lld rows", b->path, option,
			  (long long)asked, (long long)n);
}

static int print(struct lh_tool *tool, const struct settings *s, const struct drift *d)
{
	bool bad = s->fail_on_drift && d->warned;
	struct lh_writer w;
	struct lh_buf out = { 0 };

	if (bad)
		lh_tool_verdict_bad(tool);
	else if (tool->quiet)
		return 0;
	if (s->json) {
		w = lh_write_to(&out);
		drift_write(&w, NULL, d);
		lh_buf_putc(&out, '\n');
	} else {
		drift_table(&out, d);
	}
	return lh_tool_out_text(tool, &out);
}

/* Set the numbers of the rows that the settings name; 0 for none. */
static int choose(const struct settings *s, const struct baselines *b, int64_t *from, int64_t *to,
		  struct lh_err *err)
{
	if (!b->n)
		return lh_err_set(err, LH_EIO, "%s: there is no baseline", b->path);
	if (find_row(b, "to", s->to == NO_ROW ? -1 : s->to, to, err) < 0)
		return -1;
	*from = *to - 1;
	return s->from == NO_ROW ? 0 : find_row(b, "from", s->from, from, err);
}

/* Flag what fell because rows of the root, if there is one, were erased between the two. */
static int explain(struct drift *d, const struct settings *s, const struct baselines *base,
		   const struct baselines *row, struct lh_err *err)
{
	struct lh_root *root = d->warned ? lh_root_open(s->root, err) : NULL;
	LH_SCOPED(lh_free_local) char *subjects = root ? audit_subjects(root, s) : NULL;
	int rc = 0;

	if (root)
		rc = drift_erasures(d, root, subjects, &base->recorded_at, &row->recorded_at, err);
	lh_root_close(root);
	return rc;
}

static int compare(struct lh_tool *tool, const struct settings *s, int fd, const char *path)
{
	LH_SCOPED(drift_metrics_free) struct drift_metrics now = { .n = 0 }, before = { .n = 0 };
	LH_SCOPED(baselines_close) struct baselines base = { .n = 0 }, row = { .n = 0 };
	struct lh_err *err = &tool->err;
	struct drift d = { .n = 0 };
	int64_t from = 0, to = 0;
	int rc = baselines_open(&row, fd, path, err);

	if (!rc)
		rc = choose(s, &row, &from, &to, err);
	if (!rc && from) {
		rc = baselines_open(&base, fd, path, err);
		rc = rc ? rc : read_metrics(&base, &before, (uint64_t)from, err);
	}
	if (!rc)
		rc = read_metrics(&row, &now, (uint64_t)to, err);
	if (!rc)
		rc = drift_compute(&d, &now, &before, err);
	if (!rc)
		rc = explain(&d, s, &base, &row, err);
	if (!rc)
		rc = print(tool, s, &d);
	drift_free(&d);
	return rc;
}

/* Compare rows of a pipe, which is stored first, because rows are read more than
 * once, and the last first. */
static int compare_stdin(struct lh_tool *tool, const struct settings *s)
{
	int fd = memfd_create("baselines", MFD_CLOEXEC), rc = 0;
	struct lh_err *err = &tool->err;
	char block[16384];
	ssize_t n = 1;

	if (fd < 0)
		return lh_err_sys(err, "memfd_create");
	while (!rc && n > 0) {
		n = lh_read_some(STDIN_FILENO, block, sizeof block, err);
		rc = n < 0 ? lh_err_prefix(err, "-") : lh_write_all(fd, block, (size_t)n, err);
	}
	if (!rc)
		rc = compare(tool, s, fd, "-");
	close(fd);
	return rc;
}

int drift_verb(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_root *root = NULL;
	char *path = NULL;
	int rc;

	if (!s->from || !s->to)
		return lh_tool_usage(tool, "--%s: rows count from 1, or from the end as -1",
				     s->from ? "to" : "from");
	if (tool->n_operands)
		return strcmp(tool->operands[0], "-") ? compare(tool, s, -1, tool->operands[0])
			: compare_stdin(tool, s);
	root = lh_root_open(s->root, &tool->err);
	path = root ? lh_root_join(root, AUDIT_BASELINES) : NULL;
	rc = path ? compare(tool, s, -1, path) : -1;
	free(path);
	lh_root_close(root);
	return rc;
}

/* ---- charts ---- */

/* The values of each metric in the newest baselines on file and in this audit.  Rows that are not a
 * baseline, and values that are not a number or beyond a double, leave a gap. */

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

	rc = baselines_open(&b, -1, a->history.path, &why);
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
