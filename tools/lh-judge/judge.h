/*
 * judge - is a search good: the parts of lh-judge.
 *
 *     main.c      options and commands
 *     read.c      the lines of runs and qrels, in five formats
 *     list.c      a run, or qrels, in memory: by query, then by document; a folder of BEIR as
 *                 records and queries
 *     measures.c  the names of measures, and what they say about a ranking and about runs, by query
 *                 and as means; the differences of two runs; what has not been judged yet
 *     ask.c       grades by a language model
 *
 * Memory: 40 bytes and the ids for each line of the qrels and of the run in hand, 4 bytes
 *         for each of their lines, and each query once.  compare holds the values of two runs,
 *         8 bytes for each measure and query.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <math.h>

#include "base/table.h"
#include "json/bind.h"
#include "json/write.h"
#include "tool/op.h"

enum { V_SCORE = 1, V_COMPARE = 2, V_POOL = 4, V_ASK = 8, V_SETS = 16 };

enum gain { GAIN_LINEAR, GAIN_EXP };

struct settings {
	const char *qrels, *measures, *model, *queries, *records, *field;
	int gain;
	bool each, only_answered;
	uint64_t seed, depth, retries;
	double fail_below, timeout;
};

/* ---- read.c ---- */

#define GRADE_MAX 1000		/* also of negative ones: 2^1000 is a double */

/* A line of a run, or of qrels: the score or the grade of a document for a query.  The texts are
 * valid until the next line. */
struct judge_line {
	struct lh_str query, id;
	double value;
};
typedef int judge_line_fn(void *ctx, const struct judge_line *line, uint64_t number,
			  struct lh_err *err);

enum judge_format { FORMAT_UNKNOWN, FORMAT_JSON, FORMAT_TREC, FORMAT_BEIR };

struct reader {
	bool grades;			/* of qrels, not of a run */
	enum judge_format format;	/* of the file, by its first line */
	judge_line_fn *each;
	void *ctx;
	struct lh_buf text;
};

/* Read a line, without its LF or CR; of JSON that starts with '{' it is parsed.  -1: LH_EDATA. */
int read_line(struct reader *r, const struct lh_record *rec, struct lh_err *err);

/* Run map over the lines of a file, in order: 0, or -1 with "file:line: reason". */
int read_file(struct lh_tool *tool, const char *path,
	      int (*map)(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err),
	      void *ctx);

/* ---- list.c ---- */

struct item {
	uint64_t hash, at;	/* of the document's id; its place in the text */
	double value;		/* the score or the grade */
	uint64_t line;
	uint32_t query, n;	/* n: bytes of the id */
};

struct list {
	const char *file;
	struct item *item;
	size_t n, cap;
	struct lh_buf text;	/* the ids */
	bool in_order;		/* lines of lh-search: their order is the ranking */
	/* The items of query q, by hash, are those of order from first[q] to first[q + 1]. */
	uint32_t *order;
	size_t *first, queries;
};

/* Read the qrels, or a run, of a file.  Its queries are added to the names of all. */
int list_read(struct lh_tool *tool, struct list *l, const char *path, bool grades,
	      struct lh_intern *names);
void list_free(struct list *l);

static inline size_t list_count(const struct list *l, uint32_t query)
{
	return query < l->queries ? l->first[query + 1] - l->first[query] : 0;
}

static inline const struct item *list_item(const struct list *l, uint32_t query, size_t i)
{
	return &l->item[l->order[l->first[query] + i]];
}

static inline struct lh_str list_id(const struct list *l, const struct item *item)
{
	return (struct lh_str){ l->text.p + item->at, item->n };
}

#define UNJUDGED INT32_MIN	/* the grade of a document that has none */

/* The documents of a run for one query, the best first, and the grades of the query. */
struct ranking {
	struct ranked {
		const struct item *item;
		int32_t grade;		/* or UNJUDGED */
	} *v;
	size_t n, cap;
	int32_t *ideal;			/* the grades above 0, the highest first */
	size_t relevant, cap_ideal;
	size_t nonrelevant;		/* documents of grade 0 */
};

/* Fill a ranking, whose memory is reused. */
void rank_query(struct ranking *r, const struct list *run, const struct list *qrels,
		uint32_t query);
void ranking_free(struct ranking *r);

/* ---- measures.c ---- */

struct measure {
	char name[32];		/* as asked for */
	int kind;
	size_t cut;		/* ranks that count; SIZE_MAX: all */
};

#define MEASURES_MAX 64

struct measures {
	struct measure v[MEASURES_MAX];
	size_t n;
	enum gain gain;
	int32_t top;		/* the greatest grade of the qrels, for err */
};

/* The qrels, the names of all queries and the measures of a command. */
struct bench {
	struct list qrels;
	struct lh_intern names;		/* first those of the qrels */
	uint32_t queries;		/* that have qrels */
	struct measures measures;
	struct ranking ranking;
};

/* ---- the commands ---- */

extern const struct lh_bind score_out[], compare_out[], pool_out[], ask_members[], ask_out[],
	sets_out[];
lh_op_command judge_score, judge_compare, judge_pool, judge_ask, judge_sets;

#endif
