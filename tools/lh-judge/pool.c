/* pool.c - what has not been judged yet, in an order that helps most.  See judge.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "judge.h"

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
