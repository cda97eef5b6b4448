/*
 * join.c - the answers of one stream, joined by their query.  See merge.h.
 *
 * What is held of a query is the one answer that its answers so far make, as a line: the
 * next one is combined with it, which gives the same as combining all at once.
 */
#include "merge.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/table.h"

struct held {
	char *line;		/* n bytes, and LH_PAD more */
	size_t n, key;		/* key: bytes of it that are the query */
	uint64_t answers;
	bool partial;
};

struct join {
	struct lh_tool *tool;
	const struct settings *s;
	struct lines in;
	struct held *held;
	size_t n, cap;
	struct lh_table by_query;
	struct answer before;		/* the one held, read again */
	struct combiner combiner;
	struct lh_buf out;
	uint64_t partial;		/* answers */
};

static struct lh_str key_of(const void *join, uint32_t i)
{
	const struct held *h = &((const struct join *)join)->held[i];

	return (struct lh_str){ h->line, h->key };
}

/* Hold what is in j->out. */
static void hold(struct join *j, struct held *h, const struct answer *a)
{
	char *line = lh_realloc(h->line, j->out.len + LH_PAD, 1);

	memcpy(line, j->out.p, j->out.len);
	memset(line + j->out.len, 0, LH_PAD);
	h->line = line;
	h->n = j->out.len;
	h->key = a->query.len;
	h->partial = j->combiner.partial;
	h->answers++;
}

static int add_query(struct join *j, struct answer *a, struct lh_err *err)
{
	struct held *h;

	lh_grow(&j->held, &j->cap, j->n + 1, sizeof *j->held);
	if (combine(&j->combiner, &a, 1, false, &j->out, err) < 0)
		return -1;
	h = &j->held[j->n++];
	memset(h, 0, sizeof *h);
	hold(j, h, a);
	lh_table_set(&j->by_query, key_of(j, (uint32_t)j->n - 1), (uint32_t)j->n - 1, key_of, j);
	return 0;
}

/* Combine an answer with the one that is held: LH_EDATA if it does not fit. */
static int add_answer(struct join *j, struct answer *a, struct lh_err *err)
{
	struct answer *both[] = { &j->before, a };
	struct lh_str query = { a->query.p, a->query.len };
	int64_t i = lh_table_find(&j->by_query, query, key_of, j);
	struct held *h;

	lh_buf_reset(&j->out);
	if (i < 0)
		return add_query(j, a, err);
	h = &j->held[i];
	if (answer_read(&j->before, h->line, h->n, err) < 0 ||
	    combine_check(&j->before, a, err) < 0 ||
	    combine(&j->combiner, both, 2, false, &j->out, err) < 0)
		return -1;
	hold(j, h, a);
	return 0;
}

static int read_answers(struct join *j, struct lh_records *records)
{
	struct lh_err why;
	enum line_is is;

	while ((is = lines_next(&j->in)) != LINE_END) {
		if (is == LINE_FAILED)
			return -1;
		if (is == LINE_ANSWER && add_answer(j, &j->in.answer, &why) < 0) {
			if (why.code != LH_EDATA) {
				j->tool->err = why;
				return -1;
			}
			if (lines_reject(&j->in, &why) < 0)
				return -1;
		}
		if (lh_records_delivered(records, lines_taken(&j->in)) < 0)
			return -1;
	}
	return 0;
}

static int write_held(struct join *j, struct held *h)
{
	struct lh_writer to;

	lh_buf_reset(&j->out);
	lh_buf_add(&j->out, h->line, h->n);
	if (!h->partial && h->answers < j->s->expect) {
		h->partial = true;
		to = lh_write_again(&j->out);
		lh_write_bool(&to, "partial", true);
		lh_write_end(&to);
	}
	lh_buf_putc(&j->out, '\n');
	j->partial += h->partial;
	return lh_tool_out(j->tool, j->out.p, j->out.len);
}

int join_run(struct lh_tool *tool, const struct settings *s, struct lh_records *records)
{
	static char *const standard_input = "-";
	struct join j = { .tool = tool, .s = s };
	size_t i;
	int rc;

	combiner_init(&j.combiner, s);
	rc = lines_open(&j.in, tool, records, (char **)&standard_input, 1);
	if (!rc)
		rc = read_answers(&j, records);
	for (i = 0; i < j.n; i++) {
		if (!rc)
			rc = write_held(&j, &j.held[i]);
		free(j.held[i].line);
	}
	report_partial(tool, j.partial, j.n, j.combiner.truncated);
	lines_close(&j.in);
	free(j.held);
	lh_table_free(&j.by_query);
	answer_free(&j.before);
	combiner_free(&j.combiner);
	lh_buf_free(&j.out);
	return rc;
}
