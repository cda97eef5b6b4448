/* stats.c - lh-observe stats and decisions: counts of rows. */
#include <stdlib.h>

#include "base/mem.h"
#include "observe/observe.h"
#include "run.h"

/* ---- stats ---- */

#define NAMES_MAX 65536			/* different sources, or endpoints */
#define DURATIONS_MAX (1u << 22)	/* of all endpoints together */
#define RECENT 10			/* rows of source scenario */
#define WINDOW 2000			/* rows */

struct count {
	uint64_t rows, successes;
	double *ms;
	size_t n, cap;
};

struct stats {
	uint64_t total, successes;
	struct tally sources, endpoints;
	size_t durations;
	struct lh_buf recent;
	size_t n_recent;
};

uint64_t run_number(struct lh_str text)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || n > UINT64_MAX / 20)
			return 0;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
	}
	return n;
}

uint64_t stats_window(struct lh_str text)
{
	return lh_str_is(text, "all", 3) ? UINT64_MAX : run_number(text);
}

/* Count a row under a name: its counts, or NULL; what: names such as this, in messages. */
static struct count *tally_add(struct tally *t, struct lh_str name, bool success, const char *what,
			struct lh_err *err)
{
	uint32_t i;

	if (lh_intern_add(&t->names, name.p, name.n, &i, err) < 0)
		return NULL;
	if (i >= NAMES_MAX) {
		lh_err_data(err, 413, "more than %d different %s; set a smaller window", NAMES_MAX,
			    what);
		return NULL;
	}
	if (i >= t->cap) {
		size_t had = t->cap;

		lh_grow(&t->v, &t->cap, i + 1, sizeof *t->v);
		memset(t->v + had, 0, (t->cap - had) * sizeof *t->v);
	}
	t->v[i].rows++;
	t->v[i].successes += success;
	return &t->v[i];
}

static void tally_free(struct tally *t)
{
	size_t i;

	for (i = 0; i < t->names.n && i < t->cap; i++)
		free(t->v[i].ms);
	free(t->v);
	lh_intern_free(&t->names);
}

static int add_duration(struct stats *s, struct count *c, double ms, struct lh_err *err)
{
	if (s->durations++ >= DURATIONS_MAX)
		return lh_err_data(err, 413, "more than %u durations; set a smaller window",
				   DURATIONS_MAX);
	lh_grow(&c->ms, &c->cap, c->n + 1, sizeof *c->ms);
	c->ms[c->n++] = ms;
	return 0;
}

static int add_row(struct stats *s, const struct lh_observed *o, const struct lh_log_line *line,
		   bool by_endpoint, struct lh_err *err)
{
	struct count *c;

	s->total++;
	s->successes += o->success;
	if (!tally_add(&s->sources, o->source, o->success, "sources", err))
		return -1;
	if (lh_str_is(o->source, "scenario", 8) && s->n_recent < RECENT) {
		if (s->n_recent++)
			lh_buf_putc(&s->recent, ',');
		lh_buf_add(&s->recent, line->p, line->n);
	}
	if (!by_endpoint)
		return 0;
	c = tally_add(&s->endpoints, o->endpoint, o->success, "endpoints", err);
	return !c ? -1 : o->duration_ms < 0 ? 0 : add_duration(s, c, o->duration_ms, err);
}

static int count_rows(struct reading *g, struct stats *s, uint64_t window, bool by_endpoint,
		      struct lh_err *err)
{
	struct lh_log_line line;
	struct lh_observed o;
	int rc = 0;

	while (s->total < window && (rc = lh_log_lines_before(&g->lines, &line, err)) > 0) {
		rc = reading_row(g, &line, &o, err);
		if (rc > 0)
			rc = add_row(s, &o, &line, by_endpoint, err);
		if (rc < 0)
			break;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- output ---- */

struct named {
	struct lh_str name;
	struct count *count;
};

static int by_name(const void *a, const void *b)
{
	return lh_str_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* Return the counts in the order of their names; the caller frees them. */
static struct named *in_order(const struct tally *t)
{
	struct named *v = lh_calloc(t->names.n + 1, sizeof *v);
	uint32_t i;

	for (i = 0; i < t->names.n; i++)
		v[i] = (struct named){ lh_intern_text(&t->names, i), &t->v[i] };
	qsort(v, t->names.n, sizeof *v, by_name);
	return v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The nearest rank: the smallest value that p percent of the values do not exceed. */
static void write_rank(struct lh_writer *w, const char *name, const struct count *c, unsigned p)
{
	if (c->n)
		lh_write_f64(w, name, c->ms[(c->n * p + 99) / 100 - 1]);
	else
		lh_write_null(w, name);
}

/* Write the counts in the order of the names; whole: with successes and durations. */
static void tally_write(struct lh_writer *w, const char *name, struct tally *t, bool whole)
{
	LH_SCOPED(lh_free_local) struct named *order = in_order(t);
	size_t i;

	lh_write_object(w, name);
	for (i = 0; i < t->names.n; i++) {
		lh_write_key_str(w, order[i].name);
		if (whole) {
			struct count *c = order[i].count;

			if (c->n)
				qsort(c->ms, c->n, sizeof *c->ms, by_value);
			lh_write_object(w, NULL);
			lh_write_u64(w, "total", c->rows);
			lh_write_u64(w, "successes", c->successes);
			lh_write_u64(w, "failures", c->rows - c->successes);
			write_rank(w, "p50", c, 50);
			write_rank(w, "p95", c, 95);
			write_rank(w, "p99", c, 99);
			lh_write_end(w);
		} else {
			lh_write_u64(w, NULL, order[i].count->rows);
		}
	}
	lh_write_end(w);
}

static void write_stats(struct stats *s, bool by_endpoint, struct lh_buf *out)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "total", s->total);
	lh_write_u64(&w, "successes", s->successes);
	lh_write_u64(&w, "failures", s->total - s->successes);
	tally_write(&w, "by_source", &s->sources, false);
	lh_write_array(&w, "recent_scenario_ops");
	lh_buf_add(out, s->recent.p, s->recent.len);
	lh_write_end(&w);
	if (by_endpoint)
		tally_write(&w, "by_endpoint", &s->endpoints, true);
	lh_write_end(&w);
}

static int stats_write(struct run *r, uint64_t window, bool by_endpoint, struct lh_buf *out,
		struct lh_err *err)
{
	struct stats s = { 0 };
	struct reading g;
	int rc;

	if (reading_open(&g, r, err) < 0)
		return -1;
	rc = count_rows(&g, &s, window, by_endpoint, err);
	if (!rc)
		write_stats(&s, by_endpoint, out);
	reading_report(&g);
	reading_close(&g);
	tally_free(&s.sources);
	tally_free(&s.endpoints);
	lh_buf_free(&s.recent);
	return rc;
}

static const char *const groupings[] = { "endpoint", NULL };
const struct lh_bind stats_members[] = {
	{ LH_BIND_ID("window", struct query, window), .about = "count the newest rows: how many, "
	  "or \"all\"" },
	{ LH_BIND_INDEX("by", struct query, by, groupings),
	  .given = LH_BIND_FIELD(struct query, by_endpoint),
	  .about = "count and time each endpoint, too" },
	LH_BIND_END
};

int answer_stats(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	const struct query *q = in;
	uint64_t window = q->window.p ? stats_window(q->window) : WINDOW;

	if (!window)
		return lh_err_set(err, LH_EDATA, "\"window\" must be a number from 1 or \"all\"");
	return stats_write(&((struct settings *)call->settings)->run, window, q->by_endpoint, out,
			   err);
}

/* The command: its options are the members of a request. */
int observe_stats(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const struct query q = { .window = { s->window, s->window ? strlen(s->window) : 0 },
				 .by_endpoint = s->by == 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	if (answer_stats(&(struct lh_call){ .tool = tool, .settings = settings }, &q, &out,
			 &tool->err) == 0)
		return lh_tool_out_line(tool, &out);
	return -1;
}

/* ---- decisions ---- */

struct decisions {
	uint64_t total;
	struct tally tools, verdicts;
	struct lh_buf name;	/* scratch */
};

static bool is_text(struct lh_str s, const char *text)
{
	return !text || lh_str_is(s, text, strlen(text));
}

/* Return whether one of the ids, objects with "id", is this one. */
static bool has_id(const struct lh_value *ids, const char *id, struct lh_buf *scratch)
{
	struct lh_iter it, member;
	struct lh_str text;

	if (!ids->p)
		return false;
	for (lh_iter_init(&it, ids); lh_iter_next(&it); ) {
		if (it.val.type != LH_OBJECT)
			continue;
		for (lh_iter_init(&member, &it.val); lh_iter_next(&member); ) {
			if (member.val.type != LH_STRING || !lh_value_is(&member.key, "id", 2))
				continue;
			lh_buf_reset(scratch);
			lh_value_str(&member.val, scratch, &text);
			if (is_text(text, id))
				return true;
		}
	}
	return 0;
}

/* Return whether a row is among those that are asked for. */
static bool is_asked(const struct settings *s, const struct lh_decision_row *row,
		    struct lh_buf *scratch)
{
	if (!is_text(row->tool, s->tool) || !is_text(row->trace, s->trace))
		return false;
	return !s->id || has_id(&row->ids, s->id, scratch);
}

static int count(struct decisions *d, const struct lh_decision_row *row, struct lh_err *err)
{
	d->total++;
	lh_buf_reset(&d->name);
	lh_buf_add(&d->name, row->tool.p, row->tool.n);
	lh_buf_putc(&d->name, ' ');
	lh_buf_add(&d->name, row->verdict.p, row->verdict.n);
	if (!tally_add(&d->tools, row->tool, true, "tools", err) ||
	    !tally_add(&d->verdicts, (struct lh_str){ d->name.p, d->name.len }, true, "verdicts",
		       err))
		return -1;
	return 0;
}

/* Count or print the row that was parsed. */
static int take(struct reading *g, struct decisions *d, const struct lh_log_line *line,
		struct lh_err *err)
{
	const struct settings *s = g->run->s;
	struct lh_decision_row row;

	if (lh_decision_read(&g->rec, &row, &g->text, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		reading_skip(g, line, err->msg);
		return 0;
	}
	if (!is_asked(s, &row, &d->name))
		return 0;
	if (!s->list)
		return count(d, &row, err);
	if (lh_tool_out(g->run->tool, line->p, line->n) < 0)
		return -1;
	return lh_tool_out(g->run->tool, "\n", 1);
}

static int read_rows(struct reading *g, struct decisions *d, struct lh_err *err)
{
	struct lh_log_line line;
	int rc;

	reading_from(g, 0);
	while ((rc = lh_log_lines_next(&g->lines, &line, err)) > 0) {
		rc = reading_parse(g, &line, err);
		if (rc > 0)
			rc = take(g, d, &line, err);
		if (rc < 0)
			break;
	}
	return rc;
}

static int print_counts(struct lh_tool *tool, struct decisions *d)
{
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "total", d->total);
	tally_write(&w, "by_tool", &d->tools, false);
	tally_write(&w, "by_verdict", &d->verdicts, false);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &out);
}

int observe_decisions(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct decisions d = { .total = 0 };
	struct reading g;
	int rc = 0;

	if (reading_open(&g, &s->run, &tool->err) < 0)
		return -1;
	if (g.fd >= 0)
		rc = read_rows(&g, &d, &tool->err);
	if (!rc && !s->list)
		rc = print_counts(tool, &d);
	reading_report(&g);
	reading_close(&g);
	tally_free(&d.tools);
	tally_free(&d.verdicts);
	lh_buf_free(&d.name);
	return rc;
}
