/* measures.c - measures of rankings and runs, their differences, what to judge next. */
#include <stdlib.h>

#include "base/mem.h"
#include "judge.h"

/* ---- a ranking ---- */

/*
 * A document is relevant from grade 1 on.  One without a grade, or of a grade below 0, counts as
 * not relevant, but for bpref, which passes over it, and judged.  The definitions are in
 * lh-judge(1).
 */

enum kind { NDCG, AP, RR, PRECISION, RECALL, SUCCESS, BPREF, ERR, JUDGED };
enum cut { CUT_NONE, CUT_OPTIONAL, CUT_REQUIRED };

static const struct measure_table {
	const char *name;
	enum kind kind;
	enum cut cut;
} measure_table[] = {
	{ "ndcg", NDCG, CUT_OPTIONAL },	  { "ndcg_cut", NDCG, CUT_REQUIRED },
	{ "map", AP, CUT_OPTIONAL },	  { "map_cut", AP, CUT_REQUIRED },
	{ "mrr", RR, CUT_OPTIONAL },	  { "recip_rank", RR, CUT_OPTIONAL },
	{ "p", PRECISION, CUT_REQUIRED }, { "P", PRECISION, CUT_REQUIRED },
	{ "recall", RECALL, CUT_REQUIRED }, { "success", SUCCESS, CUT_REQUIRED },
	{ "bpref", BPREF, CUT_NONE },	  { "err", ERR, CUT_OPTIONAL },
	{ "judged", JUDGED, CUT_REQUIRED },
};

#define CUT_MAX 1000000

/* Read the ranks of "10"; 0 if it is not from 1 to CUT_MAX. */
static size_t read_cut(struct lh_str s)
{
	size_t cut = 0, i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && cut <= CUT_MAX; i++)
		cut = cut * 10 + (size_t)(s.p[i] - '0');
	return i == s.n && cut <= CUT_MAX ? cut : 0;
}

/* Read "ndcg@10", or as trec_eval has it "ndcg_cut_10". */
static bool read_measure(struct measure *m, struct lh_str name)
{
	struct lh_str cut;
	size_t i, n;

	for (i = 0; i < sizeof measure_table / sizeof *measure_table && name.n < sizeof m->name;
	     i++) {
		n = strlen(measure_table[i].name);
		if (name.n < n || memcmp(name.p, measure_table[i].name, n) != 0)
			continue;
		*m = (struct measure){ .kind = (int)measure_table[i].kind, .cut = SIZE_MAX };
		memcpy(m->name, name.p, name.n);
		if (name.n == n && measure_table[i].cut != CUT_REQUIRED)
			return true;
		cut = (struct lh_str){ name.p + n + 1, name.n > n ? name.n - n - 1 : 0 };
		if (cut.n && (name.p[n] == '@' || name.p[n] == '_') &&
		    measure_table[i].cut != CUT_NONE && (m->cut = read_cut(cut)) > 0)
			return true;
	}
	return false;
}

/* Read the names of --measures.  LH_EUSAGE. */
static int measures_read(struct measures *m, const char *names, struct lh_err *err)
{
	const char *p = names;
	struct lh_str name;
	size_t i;

	for (m->n = 0;; p += name.n + 1) {
		name = (struct lh_str){ p, strcspn(p, ",") };
		if (m->n == MEASURES_MAX)
			return lh_err_set(err, LH_EUSAGE, "--measures: more than %d",
					  MEASURES_MAX);
		if (!read_measure(&m->v[m->n], name))
			return lh_err_set(err, LH_EUSAGE, "--measures: \"%.*s\" is not one of "
					  "ndcg@K, map, mrr@K, p@K, recall@K, success@K, bpref, "
					  "err@K, judged@K", (int)name.n, name.p);
		for (i = 0; i < m->n; i++)
			if (strcmp(m->v[i].name, m->v[m->n].name) == 0)
				return lh_err_set(err, LH_EUSAGE, "--measures: \"%.*s\" is there "
						  "twice", (int)name.n, name.p);
		m->n++;
		if (!p[name.n])
			return 0;
	}
}

/* ---- definitions ---- */

static double gain(const struct measures *m, int32_t grade)
{
	return m->gain == GAIN_EXP ? exp2(grade) - 1 : grade;
}

static double ndcg(const struct measures *m, const struct ranking *r, size_t cut)
{
	double sum = 0, ideal = 0;
	size_t i;

	for (i = 0; i < r->n && i < cut; i++)
		if (r->v[i].grade > 0)
			sum += gain(m, r->v[i].grade) / log2((double)i + 2);
	for (i = 0; i < r->relevant && i < cut; i++)
		ideal += gain(m, r->ideal[i]) / log2((double)i + 2);
	return ideal > 0 ? sum / ideal : 0;
}

/* Count the relevant documents among the first. */
static size_t count_relevant(const struct ranking *r, size_t cut)
{
	size_t i, n = 0;

	for (i = 0; i < r->n && i < cut; i++)
		n += r->v[i].grade > 0;
	return n;
}

static double average_precision(const struct ranking *r, size_t cut)
{
	size_t i, found = 0;
	double sum = 0;

	for (i = 0; i < r->n && i < cut; i++)
		if (r->v[i].grade > 0)
			sum += (double)++found / (double)(i + 1);
	return r->relevant ? sum / (double)r->relevant : 0;
}

static double reciprocal_rank(const struct ranking *r, size_t cut)
{
	size_t i;

	for (i = 0; i < r->n && i < cut; i++)
		if (r->v[i].grade > 0)
			return 1 / (double)(i + 1);
	return 0;
}

static double bpref(const struct ranking *r)
{
	size_t i, worse = 0, most = r->nonrelevant < r->relevant ? r->nonrelevant : r->relevant;
	double sum = 0;

	for (i = 0; i < r->n; i++) {
		if (r->v[i].grade > 0)
			sum += worse ? 1 - (double)(worse < r->relevant ? worse : r->relevant) /
					   (double)most : 1;
		worse += r->v[i].grade == 0;
	}
	return r->relevant ? sum / (double)r->relevant : 0;
}

static double expected_reciprocal_rank(const struct measures *m, const struct ranking *r,
				       size_t cut)
{
	double sum = 0, unsatisfied = 1, satisfied;
	size_t i;

	for (i = 0; i < r->n && i < cut; i++) {
		if (r->v[i].grade <= 0)
			continue;
		satisfied = (exp2(r->v[i].grade) - 1) / exp2(m->top);
		sum += unsatisfied * satisfied / (double)(i + 1);
		unsatisfied *= 1 - satisfied;
	}
	return sum;
}

static double judged(const struct ranking *r, size_t cut)
{
	size_t i, n = 0;

	for (i = 0; i < r->n && i < cut; i++)
		n += r->v[i].grade != UNJUDGED;
	return (double)n / (double)cut;
}

static double measure_value(const struct measures *m, size_t i, const struct ranking *r)
{
	const size_t cut = m->v[i].cut;

	switch ((enum kind)m->v[i].kind) {
	case NDCG:
		return ndcg(m, r, cut);
	case AP:
		return average_precision(r, cut);
	case RR:
		return reciprocal_rank(r, cut);
	case PRECISION:
		return (double)count_relevant(r, cut) / (double)cut;
	case RECALL:
		return r->relevant ? (double)count_relevant(r, cut) / (double)r->relevant : 0;
	case SUCCESS:
		return count_relevant(r, cut) > 0;
	case BPREF:
		return bpref(r);
	case ERR:
		return expected_reciprocal_rank(m, r, cut);
	case JUDGED:
		return judged(r, cut);
	}
	return 0;
}

/* ---- runs ---- */

#define UNJUDGED_RANKS 10	/* in which documents without a grade are counted */

const struct lh_bind score_out[] = {
	LH_OP_TEXT("run"),
	{ LH_BIND_ONLY("queries", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "that the means are over" },
	{ LH_BIND_ONLY("unjudged", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "documents without a grade within the first 10" },
	{ LH_BIND_ONLY("without_qrels", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "queries of the run that have no grades" },
	{ LH_BIND_ONLY("without_relevant", LH_BIND_TO_WHOLE), .most = INT64_MAX,
	  .about = "queries without a relevant document" },
	{ LH_BIND_ONLY("query_id", LH_BIND_TO_STRING), .about = "--each: the query" },
	{ LH_BIND_ONLY("measure", LH_BIND_TO_STRING), .about = "--each: its name" },
	{ LH_BIND_ONLY("value", LH_BIND_TO_F64), .min = 0, .max = 1, .about = "--each" },
	LH_BIND_END
};

/* ---- what the commands begin with ---- */

static int bench_open(struct lh_tool *tool, struct bench *b, const struct settings *s)
{
	size_t i;

	b->measures.gain = (enum gain)s->gain;
	if (measures_read(&b->measures, s->measures, &tool->err) < 0 ||
	    list_read(tool, &b->qrels, s->qrels, true, &b->names) < 0)
		return -1;
	b->queries = (uint32_t)b->qrels.queries;
	for (i = 0; i < b->qrels.n; i++)
		if (b->qrels.item[i].value > b->measures.top)
			b->measures.top = (int32_t)b->qrels.item[i].value;
	return 0;
}

static void bench_close(struct bench *b)
{
	list_free(&b->qrels);
	lh_intern_free(&b->names);
	ranking_free(&b->ranking);
}

/* Read the runs of the operands or standard input, one at a time. */
static int each_run(struct lh_tool *tool, struct bench *b,
	     int (*fn)(struct lh_tool *tool, struct bench *b, const struct list *run, void *ctx),
	     void *ctx)
{
	static char *just_stdin[] = { "-" };
	char **file = tool->n_operands ? tool->operands : just_stdin;
	size_t i, n = tool->n_operands ? tool->n_operands : 1;
	struct list run = { .file = NULL };
	int rc = 0;

	for (i = 0; !rc && i < n; i++) {
		rc = list_read(tool, &run, file[i], false, &b->names);
		if (!rc)
			rc = fn(tool, b, &run, ctx);
		list_free(&run);
	}
	return rc;
}

/* ---- a run ---- */

struct totals {
	long double sum[MEASURES_MAX];	/* so that 0.4044 is not printed as 0.4043999999999979 */
	uint64_t queries, unjudged, without_qrels, without_relevant;
};

static int print_value(struct lh_tool *tool, const struct bench *b, const struct list *run,
		       uint32_t query, size_t measure, double value)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "run", run->file);
	lh_write_str(&w, "query_id", lh_intern_text(&b->names, query));
	lh_write_text(&w, "measure", b->measures.v[measure].name);
	lh_write_f64(&w, "value", value);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

/* Add the values of a query to the totals. */
static int score_query(struct lh_tool *tool, const struct settings *s, struct bench *b,
		       const struct list *run, uint32_t query, struct totals *t)
{
	const struct ranking *r = &b->ranking;
	double value;
	size_t i;

	rank_query(&b->ranking, run, &b->qrels, query);
	t->queries++;
	t->without_relevant += !r->relevant;
	for (i = 0; i < r->n && i < UNJUDGED_RANKS; i++)
		t->unjudged += r->v[i].grade == UNJUDGED;
	for (i = 0; i < b->measures.n; i++) {
		value = measure_value(&b->measures, i, r);
		t->sum[i] += value;
		if (s->each && print_value(tool, b, run, query, i, value) < 0)
			return -1;
	}
	return 0;
}

static int print_totals(struct lh_tool *tool, const struct bench *b, const struct list *run,
			const struct totals *t)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "run", run->file);
	lh_write_u64(&w, "queries", t->queries);
	for (i = 0; i < b->measures.n; i++) {
		if (t->queries)
			lh_write_f64(&w, b->measures.v[i].name, (double)(t->sum[i] / t->queries));
		else
			lh_write_null(&w, b->measures.v[i].name);
	}
	lh_write_u64(&w, "unjudged", t->unjudged);
	lh_write_u64(&w, "without_qrels", t->without_qrels);
	lh_write_u64(&w, "without_relevant", t->without_relevant);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &line);
}

static int score_run(struct lh_tool *tool, struct bench *b, const struct list *run, void *settings)
{
	const struct settings *s = settings;
	struct totals t = { .queries = 0 };
	uint32_t q;

	for (q = b->queries; q < run->queries; q++)
		t.without_qrels += list_count(run, q) > 0;
	for (q = 0; q < b->queries; q++)
		if ((!s->only_answered || list_count(run, q)) &&
		    score_query(tool, s, b, run, q, &t) < 0)
			return -1;
	return print_totals(tool, b, run, &t);
}

int judge_score(struct lh_tool *tool, void *settings)
{
	struct bench b = { .queries = 0 };
	int rc = bench_open(tool, &b, settings);

	if (!rc)
		rc = each_run(tool, &b, score_run, settings);
	bench_close(&b);
	return rc;
}

/* ---- differences to the first run ---- */

/*
 * p is that of a paired randomisation test: how many of 10,000 random changes of the signs of the
 * differences have a mean at least as far from 0, the differences themselves counted as one.  The
 * interval is that of the means of 10,000 samples of the differences, drawn with replacement.
 */

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

/* ---- what has not been judged yet ---- */

const struct lh_bind pool_out[] = {
	LH_OP_TEXT("query_id"),
	{ LH_BIND_ONLY("id", LH_BIND_TO_STRING), .required = true, .person = true },
	LH_BIND_END
};

/* A document to judge: where its id is, and its best rank in any run. */
struct candidate {
	uint32_t query, rank;
	size_t at, n;
};

struct pool {
	uint64_t depth;
	struct lh_buf text;	/* "QUERY-NUMBER ID" of each, without the blank */
	struct candidate *v;
	size_t n, cap;
	struct lh_table seen;
};

static struct lh_str key_of(const void *ctx, uint32_t i)
{
	const struct pool *p = ctx;

	return (struct lh_str){ p->text.p + p->v[i].at, p->v[i].n };
}

/* Add a document, or improve its rank. */
static void add_candidate(struct pool *p, uint32_t query, struct lh_str id, uint32_t rank)
{
	const size_t at = p->text.len;
	struct lh_str key;
	int64_t known;

	lh_buf_add(&p->text, &query, sizeof query);
	lh_buf_add(&p->text, id.p, id.n);
	lh_grow(&p->v, &p->cap, p->n + 1, sizeof *p->v);
	key = (struct lh_str){ p->text.p + at, p->text.len - at };
	known = lh_table_find(&p->seen, key, key_of, p);
	if (known >= 0) {
		p->text.len = at;
		if (rank < p->v[known].rank)
			p->v[known].rank = rank;
		return;
	}
	p->v[p->n] = (struct candidate){ query, rank, at, key.n };
	lh_table_set(&p->seen, key, (uint32_t)p->n++, key_of, p);
}

static int pool_run(struct lh_tool *tool, struct bench *b, const struct list *run, void *pool)
{
	const struct ranking *r = &b->ranking;
	struct pool *p = pool;
	uint32_t q, i;

	(void)tool;
	for (q = 0; q < run->queries; q++) {
		rank_query(&b->ranking, run, &b->qrels, q);
		for (i = 0; i < r->n && i < p->depth; i++)
			if (r->v[i].grade == UNJUDGED)
				add_candidate(p, q, list_id(run, r->v[i].item), i + 1);
	}
	return 0;
}

/* The best rank first; of equal ones the query that is first in the qrels and runs. */
static int by_rank(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->query != b->query)
		return a->query < b->query ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static int print_pool(struct lh_tool *tool, const struct bench *b, struct pool *p)
{
	size_t i;
	int rc = 0;

	if (p->n)
		qsort(p->v, p->n, sizeof *p->v, by_rank);
	for (i = 0; !rc && i < p->n; i++) {
		const struct candidate *c = &p->v[i];
		struct lh_buf line = { 0 };
		struct lh_writer w = lh_write_to(&line);

		lh_write_object(&w, NULL);
		lh_write_str(&w, "query_id", lh_intern_text(&b->names, c->query));
		lh_write_str(&w, "id", (struct lh_str){ p->text.p + c->at + sizeof c->query,
							c->n - sizeof c->query });
		lh_write_end(&w);
		rc = lh_tool_out_line(tool, &line);
	}
	return rc;
}

int judge_pool(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct bench b = { .queries = 0 };
	struct pool p = { .depth = s->depth };
	int rc = s->qrels ? list_read(tool, &b.qrels, s->qrels, true, &b.names) : 0;

	if (!rc)
		rc = each_run(tool, &b, pool_run, &p);
	if (!rc)
		rc = print_pool(tool, &b, &p);
	lh_table_free(&p.seen);
	lh_buf_free(&p.text);
	free(p.v);
	bench_close(&b);
	return rc;
}
