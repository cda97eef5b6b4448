/*
 * compare.c - the differences of runs to the first one.  See judge.h.
 *
 * p is that of a paired randomisation test: how many of 10,000 random changes of the signs of the
 * differences have a mean at least as far from 0, the differences themselves counted as one.  The
 * interval is that of the means of 10,000 samples of the differences, drawn with replacement.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "judge.h"

#define ROUNDS 10000
#define LOW 250			/* of the sorted means, from 1: 2.5 % */
#define HIGH 9750
#define SHOWN 5			/* queries that won or lost most */

static const struct lh_bind query_out[] = {
	LH_OP_TEXT("query_id"),
	{ LH_BIND_ONLY("difference", LH_BIND_TO_F64), .min = -1, .max = 1, .required = true },
	LH_BIND_END
};

#define NUMBER(name, words) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_F64), .min = -1, .max = 1, .required = true, \
	  .about = (words) }
#define QUERIES(name, words) \
	{ LH_BIND_ONLY(name, LH_BIND_TO_TABLES), .table = query_out, .required = true, \
	  .about = (words) }
const struct lh_bind compare_out[] = {
	LH_OP_TEXT("a"), LH_OP_TEXT("b"), LH_OP_TEXT("measure"), LH_OP_COUNT("queries"),
	NUMBER("difference", "the mean of b less that of a"),
	NUMBER("p", "how likely chance alone makes such a difference"),
	NUMBER("low", "the lower end of a 95 % interval of the difference"),
	NUMBER("high", "its upper end"),
	QUERIES("best", "queries in which b gains most"),
	QUERIES("worst", "queries in which b loses most"),
	LH_BIND_END
};

/* The differences of a measure. */
struct differences {
	double *v, *mean;	/* mean: of each round */
	uint32_t *query;
	size_t n;
};

struct comparison {
	const struct settings *s;
	const char *file;	/* the first run; NULL: none was read */
	/* The values of the first run and a later one: of measure m and query q that at
	 * m * queries + q; NaN: the query is left out. */
	double *a, *b;
	struct differences d;
};

static uint64_t next_random(uint64_t *state)	/* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static double mean_of(const struct differences *d)
{
	long double sum = 0;
	size_t i;

	for (i = 0; i < d->n; i++)
		sum += d->v[i];
	return d->n ? (double)(sum / d->n) : 0;
}

static double randomised_p(const struct differences *d, uint64_t seed)
{
	/* The same numbers added in another way may differ in their last bits. */
	const double least = fabs(mean_of(d)) * (double)d->n * (1 - 1e-12);
	uint64_t state = seed, bits = 0;
	size_t as_far = 1, round, i;

	for (round = 0; round < ROUNDS; round++) {
		double sum = 0;

		for (i = 0; i < d->n; i++) {
			bits = i % 64 ? bits >> 1 : next_random(&state);
			sum += bits & 1 ? d->v[i] : -d->v[i];
		}
		as_far += fabs(sum) >= least;
	}
	return (double)as_far / (ROUNDS + 1);
}

static int ascending(const void *x, const void *y)
{
	const double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static void sort_bootstrap_means(struct differences *d, uint64_t seed)
{
	uint64_t state = ~seed;
	size_t round, i;

	for (round = 0; round < ROUNDS; round++) {
		double sum = 0;

		for (i = 0; i < d->n; i++)
			sum += d->v[(next_random(&state) >> 32) * d->n >> 32];
		d->mean[round] = d->n ? sum / (double)d->n : 0;
	}
	qsort(d->mean, ROUNDS, sizeof *d->mean, ascending);
}

/* Write the queries with the greatest differences of a sign, equal ones in the order of the
 * qrels. */
static void write_queries(struct lh_writer *w, const char *name, const struct bench *b,
			  const struct differences *d, double sign)
{
	size_t top[SHOWN], n = 0, i, at;

	for (i = 0; i < d->n; i++) {
		if (d->v[i] * sign <= 0)
			continue;
		for (at = n; at && d->v[top[at - 1]] * sign < d->v[i] * sign; at--)
			if (at < SHOWN)
				top[at] = top[at - 1];
		if (at < SHOWN)
			top[at] = i;
		n += n < SHOWN;
	}
	lh_write_array(w, name);
	for (i = 0; i < n; i++) {
		lh_write_object(w, NULL);
		lh_write_str(w, "query_id", lh_intern_text(&b->names, d->query[top[i]]));
		lh_write_f64(w, "difference", d->v[top[i]]);
		lh_write_end(w);
	}
	lh_write_end(w);
}

static int compare_measure(struct lh_tool *tool, const struct bench *b, const struct list *run,
			   struct comparison *c, size_t measure)
{
	const double *v = c->a + measure * b->queries, *w = c->b + measure * b->queries;
	struct differences *d = &c->d;
	struct lh_buf line = { 0 };
	struct lh_writer to = lh_write_to(&line);
	double mean;
	uint32_t q;

	for (d->n = 0, q = 0; q < b->queries; q++)
		if (!isnan(w[q] - v[q])) {
			d->query[d->n] = q;
			d->v[d->n++] = w[q] - v[q];
		}
	mean = mean_of(d);
	if (!measure && mean < c->s->fail_below)
		lh_tool_verdict_bad(tool);
	sort_bootstrap_means(d, c->s->seed);
	lh_write_object(&to, NULL);
	lh_write_bytes(&to, "a", c->file);
	lh_write_bytes(&to, "b", run->file);
	lh_write_text(&to, "measure", b->measures.v[measure].name);
	lh_write_u64(&to, "queries", d->n);
	lh_write_f64(&to, "difference", mean);
	lh_write_f64(&to, "p", randomised_p(d, c->s->seed));
	lh_write_f64(&to, "low", d->mean[LOW - 1]);
	lh_write_f64(&to, "high", d->mean[HIGH - 1]);
	write_queries(&to, "best", b, d, 1);
	write_queries(&to, "worst", b, d, -1);
	lh_write_end(&to);
	return lh_tool_out_line(tool, &line);
}

/* Keep the values of the first run, and compare those of a later one. */
static int compare_run(struct lh_tool *tool, struct bench *b, const struct list *run, void *ctx)
{
	struct comparison *c = ctx;
	double *v = c->file ? c->b : c->a;
	uint32_t q;
	size_t m;

	for (q = 0; q < b->queries; q++) {
		rank_query(&b->ranking, run, &b->qrels, q);
		for (m = 0; m < b->measures.n; m++)
			v[m * b->queries + q] = c->s->only_answered && !list_count(run, q) ?
				(double)NAN : measure_value(&b->measures, m, &b->ranking);
	}
	for (m = 0; c->file && m < b->measures.n; m++)
		if (compare_measure(tool, b, run, c, m) < 0)
			return -1;
	c->file = c->file ? c->file : run->file;
	return 0;
}

int judge_compare(struct lh_tool *tool, void *settings)
{
	struct comparison c = { .s = settings };
	struct bench b = { .queries = 0 };
	int rc = bench_open(tool, &b, settings);
	size_t n = b.queries;

	if (!rc) {
		c.a = lh_calloc(n * b.measures.n, sizeof *c.a);
		c.b = lh_calloc(n * b.measures.n, sizeof *c.b);
		c.d.v = lh_calloc(n, sizeof *c.d.v);
		c.d.query = lh_calloc(n, sizeof *c.d.query);
		c.d.mean = lh_calloc(ROUNDS, sizeof *c.d.mean);
		rc = each_run(tool, &b, compare_run, &c);
	}
	free(c.a);
	free(c.b);
	free(c.d.v);
	free(c.d.query);
	free(c.d.mean);
	bench_close(&b);
	return rc;
}
