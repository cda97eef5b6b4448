/* list.c - a run, or qrels, in memory.  See judge.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/xxh3.h"
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
