/*
 * measures.c - measures of a ranking, as trec_eval defines them.  See judge.h.
 *
 * A document is relevant from grade 1 on.  One without a grade, or of a grade below 0, counts as
 * not relevant, but for bpref, which passes over it, and judged.  The definitions are in
 * lh-judge(1).
 */
#include "judge.h"

enum kind { NDCG, AP, RR, PRECISION, RECALL, SUCCESS, BPREF, ERR, JUDGED };
enum cut { CUT_NONE, CUT_OPTIONAL, CUT_REQUIRED };

static const struct known {
	const char *name;
	enum kind kind;
	enum cut cut;
} known[] = {
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

	for (i = 0; i < sizeof known / sizeof *known && name.n < sizeof m->name; i++) {
		n = strlen(known[i].name);
		if (name.n < n || memcmp(name.p, known[i].name, n) != 0)
			continue;
		*m = (struct measure){ .kind = (int)known[i].kind, .cut = SIZE_MAX };
		memcpy(m->name, name.p, name.n);
		if (name.n == n && known[i].cut != CUT_REQUIRED)
			return true;
		cut = (struct lh_str){ name.p + n + 1, name.n > n ? name.n - n - 1 : 0 };
		if (cut.n && (name.p[n] == '@' || name.p[n] == '_') &&
		    known[i].cut != CUT_NONE && (m->cut = read_cut(cut)) > 0)
			return true;
	}
	return false;
}

int measures_read(struct measures *m, const char *names, struct lh_err *err)
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

double measure_value(const struct measures *m, size_t i, const struct ranking *r)
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
