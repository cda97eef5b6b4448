/* score.c - measures of runs.  See judge.h. */
#include "judge.h"

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

int bench_open(struct lh_tool *tool, struct bench *b, const struct settings *s)
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

void bench_close(struct bench *b)
{
	list_free(&b->qrels);
	lh_intern_free(&b->names);
	ranking_free(&b->ranking);
}

int each_run(struct lh_tool *tool, struct bench *b,
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
