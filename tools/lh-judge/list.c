/* list.c - a run, qrels, or a folder of BEIR, in memory.  See judge.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "file/file.h"
#include "judge.h"

/* ---- reading ---- */

struct loading {
	struct reader reader;
	struct list *list;
	struct lh_intern *names;
	uint32_t query;		/* of the line before */
};

static int add_item(void *ctx, const struct judge_line *line, uint64_t number, struct lh_err *err)
{
	struct loading *in = ctx;
	struct list *l = in->list;
	struct item *item;

	if (l->n >= UINT32_MAX - 1 || line->id.n > UINT32_MAX)
		return lh_err_set(err, LH_EDATA, "more than %u documents", UINT32_MAX - 1);
	if (!(l->n && lh_str_is(lh_intern_text(in->names, in->query), line->query.p,
				line->query.n)) &&
	    lh_intern_add(in->names, line->query.p, line->query.n, &in->query, err) < 0)
		return -1;
	lh_grow(&l->item, &l->cap, l->n + 1, sizeof *l->item);
	item = &l->item[l->n++];
	item->hash = lh_xxh3_seeded(line->id.p, line->id.n, lh_seed());
	item->at = l->text.len;
	item->value = line->value;
	item->line = number;
	item->query = in->query;
	item->n = (uint32_t)line->id.n;
	lh_buf_add(&l->text, line->id.p, line->id.n);
	return 0;
}

static int on_line(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err)
{
	struct loading *in = ctx;

	(void)out;
	return read_line(&in->reader, rec, err);
}

/* ---- order ---- */

/* Compare the documents of two items, which may be of two lists. */
static int compare_documents(const struct list *l, const struct item *a, const struct list *m,
			     const struct item *b)
{
	int c = (a->hash > b->hash) - (a->hash < b->hash);

	return c ? c : lh_str_cmp(list_id(l, a), list_id(m, b));
}

static int by_document(const void *x, const void *y, void *ctx)
{
	const struct list *l = ctx;
	const struct item *a = &l->item[*(const uint32_t *)x], *b = &l->item[*(const uint32_t *)y];
	int c = compare_documents(l, a, l, b);

	return c ? c : (a->line > b->line) - (a->line < b->line);
}

/* Put the items of each query together. */
static void group_queries(struct list *l, size_t queries)
{
	size_t i, *first;

	l->first = first = lh_calloc(queries + 2, sizeof *first);
	l->order = lh_calloc(l->n + 1, sizeof *l->order);
	l->queries = queries;
	for (i = 0; i < l->n; i++)
		first[l->item[i].query + 2]++;
	for (i = 2; i < queries + 2; i++)
		first[i] += first[i - 1];
	for (i = 0; i < l->n; i++)
		l->order[first[l->item[i].query + 1]++] = (uint32_t)i;
}

/* Sort the documents of a query, and find the first line with one that was there before. */
static const struct item *sort_documents(struct list *l, uint32_t query)
{
	const struct item *twice = NULL, *a, *b;
	size_t i, n = list_count(l, query);

	qsort_r(l->order + l->first[query], n, sizeof *l->order, by_document, l);
	for (i = 1; i < n; i++) {
		a = list_item(l, query, i - 1);
		b = list_item(l, query, i);
		if (compare_documents(l, a, l, b) == 0 && (!twice || b->line < twice->line))
			twice = b;
	}
	return twice;
}

static int sort_list(struct list *l, const struct lh_intern *names, struct lh_err *err)
{
	const struct item *twice = NULL, *found;
	struct lh_str id, query;
	uint32_t q;

	group_queries(l, names->n);
	for (q = 0; q < l->queries; q++) {
		found = sort_documents(l, q);
		if (found && (!twice || found->line < twice->line))
			twice = found;
	}
	if (!twice)
		return 0;
	id = list_id(l, twice);
	query = lh_intern_text(names, twice->query);
	return lh_err_set(err, LH_EIO, "%s:%llu: document %.*s twice for query %.*s", l->file,
			  (unsigned long long)twice->line, (int)(id.n < 200 ? id.n : 200), id.p,
			  (int)(query.n < 200 ? query.n : 200), query.p);
}

int list_read(struct lh_tool *tool, struct list *l, const char *path, bool grades,
	      struct lh_intern *names)
{
	struct loading in = { .list = l, .names = names };
	int rc;

	l->file = path;
	in.reader.grades = grades;
	in.reader.each = add_item;
	in.reader.ctx = &in;
	rc = read_file(tool, path, on_line, &in);
	lh_buf_free(&in.reader.text);
	l->in_order = !grades && in.reader.format == FORMAT_JSON;
	if (!rc && in.reader.format == FORMAT_UNKNOWN)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: is empty: not %s", path,
				grades ? "qrels" : "a run");
	return rc ? rc : sort_list(l, names, &tool->err);
}

void list_free(struct list *l)
{
	free(l->item);
	free(l->order);
	free(l->first);
	lh_buf_free(&l->text);
	*l = (struct list){ .file = NULL };
}

/* ---- a query ---- */

static int by_score(const void *x, const void *y, void *ctx)
{
	const struct list *run = ctx;
	const struct item *a = ((const struct ranked *)x)->item,
			  *b = ((const struct ranked *)y)->item;

	if (run->in_order)	/* items are in the order of their hits */
		return (a > b) - (a < b);
	if (a->value != b->value)
		return a->value < b->value ? 1 : -1;
	return lh_str_cmp(list_id(run, b), list_id(run, a));
}

static int descending(const void *x, const void *y)
{
	const int32_t a = *(const int32_t *)x, b = *(const int32_t *)y;

	return (a < b) - (a > b);
}

/* Count the grades of a query, and sort those above 0. */
static void collect_grades(struct ranking *r, const struct list *qrels, uint32_t query)
{
	size_t i, n = list_count(qrels, query);
	int32_t grade;

	r->relevant = r->nonrelevant = 0;
	lh_grow(&r->ideal, &r->cap_ideal, n + 1, sizeof *r->ideal);
	for (i = 0; i < n; i++) {
		grade = (int32_t)list_item(qrels, query, i)->value;
		if (grade > 0)
			r->ideal[r->relevant++] = grade;
		r->nonrelevant += grade == 0;
	}
	qsort(r->ideal, r->relevant, sizeof *r->ideal, descending);
}

void rank_query(struct ranking *r, const struct list *run, const struct list *qrels, uint32_t query)
{
	size_t i, j = 0, n = list_count(run, query), judged = list_count(qrels, query);
	int c = 1;

	r->n = 0;
	collect_grades(r, qrels, query);
	lh_grow(&r->v, &r->cap, n + 1, sizeof *r->v);
	for (i = 0; i < n; i++) {
		const struct item *item = list_item(run, query, i);

		/* both are in the order of their hashes */
		for (c = 1; j < judged; j += c > 0) {
			c = compare_documents(run, item, qrels, list_item(qrels, query, j));
			if (c <= 0)
				break;
		}
		r->v[r->n++] = (struct ranked){ item, j < judged && !c ?
			(int32_t)list_item(qrels, query, j)->value : UNJUDGED };
	}
	qsort_r(r->v, r->n, sizeof *r->v, by_score, (void *)(uintptr_t)run);
}

void ranking_free(struct ranking *r)
{
	free(r->v);
	free(r->ideal);
}

/* ---- a folder of BEIR ---- */

#define STEP ((size_t)1 << 20)	/* bytes written at once */

const struct lh_bind sets_out[] = { LH_OP_COUNT("records"), LH_OP_COUNT("queries"), LH_BIND_END };

static const struct lh_made made_records = { "a file of lh-judge sets", { "{\"id\":\"" }, NULL };
static const struct lh_made made_queries = { "a file of lh-judge sets", { "{\"query_id\":\"" },
					     NULL };

struct beir_line {
	struct lh_str id, title, text;
};
static const struct lh_bind beir_members[] = {
	{ LH_BIND_ID("_id", struct beir_line, id), .required = true, .filled = true },
	{ LH_BIND_STRING("title", struct beir_line, title) },
	{ LH_BIND_STRING("text", struct beir_line, text), .required = true },
	LH_BIND_END
};

/* A file that is converted. */
struct set {
	bool queries;
	const struct lh_intern *wanted;	/* the queries that have grades; NULL: all */
	struct lh_atomic file;
	struct lh_buf out, strings, text;
	uint64_t n;
};

static int write_some(struct set *set, struct lh_err *err)
{
	if (lh_atomic_write(&set->file, set->out.p, set->out.len, err) < 0)
		return -1;
	lh_buf_reset(&set->out);
	return 0;
}

static int convert(struct lh_record *rec, struct lh_buf *unused, void *ctx, struct lh_err *err)
{
	struct set *set = ctx;
	struct beir_line line = { .title = { NULL, 0 } };
	struct lh_writer w = lh_write_to(&set->out);

	(void)unused;
	if (*rec->line != '{')
		return lh_err_set(err, LH_EDATA, "not a JSON object");
	if (lh_bind(beir_members, rec, &line, &set->strings, err) < 0)
		return -1;
	if (set->wanted && lh_intern_find(set->wanted, line.id.p, line.id.n) < 0)
		return 0;
	lh_buf_reset(&set->text);
	if (line.title.n) {
		lh_buf_add(&set->text, line.title.p, line.title.n);
		lh_buf_putc(&set->text, ' ');
	}
	lh_buf_add(&set->text, line.text.p, line.text.n);
	lh_write_object(&w, NULL);
	lh_write_str(&w, set->queries ? "query_id" : "id", line.id);
	lh_write_str(&w, set->queries ? "query_text" : "text",
		     (struct lh_str){ set->text.p, set->text.len });
	lh_write_end(&w);
	lh_buf_putc(&set->out, '\n');
	set->n++;
	return set->out.len < STEP ? 0 : write_some(set, err);
}

/* Convert DIR/NAME to OUT/NAME. */
static int convert_file(struct lh_tool *tool, struct set *set, const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf from = { 0 }, to = { 0 };
	const struct lh_made *made = set->queries ? &made_queries : &made_records;
	struct lh_err *err = &tool->err;
	int rc;

	lh_buf_printf(&from, "%s/%s%c", tool->operands[0], name, 0);
	lh_buf_printf(&to, "%s/%s%c", tool->operands[1], name, 0);
	if (lh_tool_replaces(tool, to.p, made) < 0)
		return -1;
	rc = lh_atomic_open(&set->file, to.p, 0666, err);
	if (!rc)
		rc = read_file(tool, from.p, convert, set);
	if (!rc)
		rc = write_some(set, err);
	if (!rc)
		rc = lh_atomic_commit(&set->file, err);
	lh_atomic_close(&set->file);
	lh_buf_free(&set->out);
	lh_buf_free(&set->strings);
	lh_buf_free(&set->text);
	return rc;
}

int judge_sets(struct lh_tool *tool, void *settings)
{
	static const char *const names[] = { "records", "queries" };
	const struct settings *s = settings;
	struct set records = { .queries = false }, queries = { .queries = true };
	struct lh_intern known = { .n = 0 };
	struct list qrels = { .file = NULL };
	int rc = 0;

	if (s->qrels) {
		rc = list_read(tool, &qrels, s->qrels, true, &known);
		queries.wanted = &known;
	}
	if (!rc)
		rc = lh_own_mkdirs(tool->operands[1], 0777, &tool->err);
	if (!rc)
		rc = convert_file(tool, &records, "corpus.jsonl");
	if (!rc)
		rc = convert_file(tool, &queries, "queries.jsonl");
	if (!rc)
		rc = lh_tool_out_counts(tool, names, (uint64_t[]){ records.n, queries.n }, 2);
	list_free(&qrels);
	lh_intern_free(&known);
	return rc;
}
