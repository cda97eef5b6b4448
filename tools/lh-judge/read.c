/* read.c - the lines of runs and qrels.  See judge.h. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "judge.h"

#define COLUMNS 6		/* of a TREC run */

static const char beir_header[] = "query-id\tcorpus-id\tscore";

/* ---- numbers ---- */

/* Read a decimal number or an infinity, with or without a sign. */
static bool read_number(struct lh_str s, double *value)
{
	char text[128] = "", *end;

	/* without the letters of NaN and of hexadecimal numbers */
	if (!s.n || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	*value = strtod(text, &end);
	return strspn(text, "0123456789+-.eEiInNfFtTyY") == s.n && end == text + s.n;
}

static int read_value(const struct reader *r, struct lh_str s, double *value, struct lh_err *err)
{
	int n = (int)(s.n < 40 ? s.n : 40);

	if (!read_number(s, value))
		return lh_err_set(err, LH_EDATA, "the %s is not a number: %.*s",
				  r->grades ? "grade" : "score", n, s.p);
	if (r->grades && !(fabs(*value) <= GRADE_MAX && *value == trunc(*value)))
		return lh_err_set(err, LH_EDATA,
				  "the grade is not a whole number from -%d to %d: %.*s",
				  GRADE_MAX, GRADE_MAX, n, s.p);
	return 0;
}

/* ---- text ---- */

/* Split a line at white space; return the number of columns, at most one more than there is
 * room for. */
static size_t split(struct lh_str line, struct lh_str column[COLUMNS])
{
	const char *p = line.p, *end = p + line.n, *from;
	size_t n = 0;

	for (;;) {
		while (p < end && lh_is_blank(*p))
			p++;
		if (p == end || n == COLUMNS)
			return n + (p < end);
		for (from = p; p < end && !lh_is_blank(*p); p++)
			;
		column[n++] = (struct lh_str){ from, (size_t)(p - from) };
	}
}

static int read_trec(const struct reader *r, struct lh_str line, struct judge_line *out,
		     struct lh_err *err)
{
	struct lh_str column[COLUMNS];
	size_t want = r->grades ? 4 : COLUMNS, n = split(line, column);

	if (n != want)
		return lh_err_set(err, LH_EDATA, r->grades ?
				  "not a line of qrels: QUERY 0 DOCUMENT GRADE" :
				  "not a line of a run: QUERY Q0 DOCUMENT RANK SCORE TAG");
	out->query = column[0];
	out->id = column[2];
	return read_value(r, column[r->grades ? 3 : 4], &out->value, err);
}

static int read_beir(const struct reader *r, struct lh_str line, struct judge_line *out,
		     struct lh_err *err)
{
	const char *end = line.p + line.n, *first = memchr(line.p, '\t', line.n),
		   *second = first ? memchr(first + 1, '\t', (size_t)(end - first) - 1) : NULL;

	if (!second || memchr(second + 1, '\t', (size_t)(end - second) - 1))
		return lh_err_set(err, LH_EDATA, "not three columns with tabs between them: "
				  "query-id, corpus-id, score");
	out->query = lh_trim(line.p, (size_t)(first - line.p));
	out->id = lh_trim(first + 1, (size_t)(second - first) - 1);
	if (!out->query.n || !out->id.n)
		return lh_err_set(err, LH_EDATA, "a column is empty");
	return read_value(r, lh_trim(second + 1, (size_t)(end - second) - 1), &out->value, err);
}

static int read_text(struct reader *r, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_str line = { rec->line, rec->len };
	struct judge_line out;
	int rc;

	if (!lh_utf8_valid(line.p, line.n))
		return lh_err_set(err, LH_EDATA, "is not UTF-8");
	if (r->format == FORMAT_UNKNOWN) {
		r->format = lh_str_is(lh_trim(line.p, line.n), beir_header,
				      sizeof beir_header - 1) ? FORMAT_BEIR : FORMAT_TREC;
		if (r->format == FORMAT_BEIR)
			return 0;
	}
	if (r->format == FORMAT_JSON)
		return lh_err_set(err, LH_EDATA, "not a JSON object, as the lines before it are");
	rc = r->format == FORMAT_BEIR ? read_beir(r, line, &out, err) :
					read_trec(r, line, &out, err);
	return rc < 0 ? -1 : r->each(r->ctx, &out, rec->number, err);
}

/* ---- JSON Lines ---- */

struct grade_line {
	struct lh_str query, id;
	int64_t grade;
};
static const struct lh_bind grade_members[] = {
	{ LH_BIND_ID("query_id", struct grade_line, query), .required = true, .filled = true },
	{ LH_BIND_ID("id", struct grade_line, id), .required = true, .filled = true },
	{ LH_BIND_I64("grade", struct grade_line, grade, -GRADE_MAX, GRADE_MAX),
	  .required = true },
	LH_BIND_END
};

struct hit {
	struct lh_str id;
};
static const struct lh_bind hit_members[] = {
	{ LH_BIND_ID("id", struct hit, id), .required = true, .filled = true }, LH_BIND_END
};

/* An answer of lh-search, or with --flat a hit. */
struct answer {
	struct lh_str query, text, id;
	struct hit *hit;
	size_t n_hits;
	uint64_t rank;
	bool nested, flat;
};
static const struct lh_bind answer_members[] = {
	{ LH_BIND_ID("query_id", struct answer, query), .filled = true },
	{ LH_BIND_STRING("query_text|query|text", struct answer, text), .filled = true },
	{ LH_BIND_TABLES("results", struct answer, hit, n_hits, hit_members),
	  .given = LH_BIND_FIELD(struct answer, nested) },
	{ LH_BIND_ID("id", struct answer, id), .lax = true },
	{ LH_BIND_U64("rank", struct answer, rank, 1, INT64_MAX), .lax = true,
	  .given = LH_BIND_FIELD(struct answer, flat) },
	LH_BIND_END
};

static int read_grade(struct reader *r, const struct lh_record *rec, struct lh_err *err)
{
	struct grade_line line;

	if (rec->n == 1 && lh_record_get(rec, "summary"))
		return 0;	/* the last line of lh-judge ask */
	if (lh_bind(grade_members, rec, &line, &r->text, err) < 0)
		return -1;
	return r->each(r->ctx, &(struct judge_line){ line.query, line.id, (double)line.grade },
		       rec->number, err);
}

static int read_answer(struct reader *r, const struct lh_record *rec, struct lh_err *err)
{
	struct answer a = { .query = { NULL, 0 } };
	struct judge_line line = { .value = 0 };
	size_t i;

	if (lh_bind(answer_members, rec, &a, &r->text, err) < 0)
		return -1;
	line.query = a.query.p ? a.query : a.text;
	if (!line.query.p)
		return lh_err_set(err, LH_EDATA, "missing \"query_id\" or \"query_text\"");
	if (!a.nested && !(a.flat && a.id.n))
		return lh_err_set(err, LH_EDATA, "not an answer of lh-search: "
				  "no \"results\", nor \"id\" and \"rank\"");
	for (i = 0; i < (a.nested ? a.n_hits : 1); i++) {
		line.id = a.nested ? a.hit[i].id : a.id;
		if (r->each(r->ctx, &line, rec->number, err) < 0)
			return -1;
	}
	return 0;
}

int read_line(struct reader *r, const struct lh_record *rec, struct lh_err *err)
{
	if (*rec->line != '{')
		return read_text(r, rec, err);
	if (r->format == FORMAT_UNKNOWN)
		r->format = FORMAT_JSON;
	if (r->format != FORMAT_JSON)
		return lh_err_set(err, LH_EDATA, "a JSON object, unlike the lines before it");
	return r->grades ? read_grade(r, rec, err) : read_answer(r, rec, err);
}

/* ---- files ---- */

/* The maps of these files print nothing. */
static int no_output(const struct lh_output *o, void *shared, struct lh_err *err)
{
	(void)o, (void)shared, (void)err;
	return 0;
}

int read_file(struct lh_tool *tool, const char *path,
	      int (*map)(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err),
	      void *ctx)
{
	char *file = (char *)path;
	struct lh_flow flow = { .files = &file, .n_files = 1, .max_line = tool->max_line,
				.ids = true, .map = map, .sink = no_output, .shared = ctx };

	return lh_flow_run(&flow, &tool->err);
}
