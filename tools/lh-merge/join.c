/* join.c - answers that belong together: of files in step, or of one stream.  See merge.h. */
#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/table.h"
#include "merge.h"

/* ---- files in step ---- */

#define OTHER_FILES 64		/* descriptors for other things */
#define SMALL 65536		/* lines between two reports of progress */

struct step {
	struct lh_tool *tool;
	const struct settings *s;
	struct lines *file;
	size_t n, opened;
	struct answer **answer;		/* of this step, NULL where a line was rejected */
	struct combiner combiner;
	struct lh_buf out;
	uint64_t answers, partial;
};

static int open_files(struct step *t, struct lh_records *records)
{
	struct lh_tool *tool = t->tool;
	struct rlimit limit;

	/* Allow as many descriptors as there are files, if the system lets us; an open that
	 * fails says so. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < t->n + OTHER_FILES) {
		limit.rlim_cur = limit.rlim_max < t->n + OTHER_FILES ? limit.rlim_max
								     : t->n + OTHER_FILES;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	t->file = lh_calloc(t->n, sizeof *t->file);
	t->answer = lh_calloc(t->n, sizeof(*t->answer));
	for (; t->opened < t->n; t->opened++) {
		struct lines *l = &t->file[t->opened];

		if (lines_open(l, tool, records, &tool->operands[t->opened], t->n) == 0)
			continue;
		lines_close(l);
		return -1;
	}
	return 0;
}

/* Read the next line of each file: 1, 0 at the end of all, -1. */
static int next_lines(struct step *t)
{
	struct lines *first = NULL;	/* one that has a line, and one that has ended */
	struct lines *ended = NULL;
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct lines *l = &t->file[i];
		enum line_is is = lines_next(l);

		if (is == LINE_FAILED)
			return -1;
		t->answer[i] = is == LINE_ANSWER ? &l->answer : NULL;
		if (is == LINE_END && !ended)
			ended = l;
		else if (is != LINE_END && !first)
			first = l;
		if (first && ended)
			return lines_fail(first, "has no counterpart: %s ends after line %llu",
					  *ended->in.operands, (unsigned long long)ended->line);
	}
	return first != NULL;
}

/* Check that all answers of the step belong together.  Return how many there are, or -1. */
static ssize_t check_step(struct step *t)
{
	struct lines *first = NULL;
	struct lh_err why;
	ssize_t n = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!t->answer[i])
			continue;
		n++;
		if (first && combine_check(&first->answer, t->answer[i], &why) < 0)
			return lines_fail(&t->file[i], "%s (compared with %s:%llu)", why.msg,
					  lh_input_name(&first->in),
					  (unsigned long long)first->line);
		if (!first || !first->answer.n)	/* hits show whether there are scores */
			first = &t->file[i];
	}
	return n;
}

static int write_step(struct step *t)
{
	ssize_t n = check_step(t);
	bool partial = n < (ssize_t)t->n || (uint64_t)n < t->s->expect;

	if (n <= 0)
		return (int)n;
	lh_buf_reset(&t->out);
	if (combine(&t->combiner, t->answer, t->n, partial, &t->out, &t->tool->err) < 0)
		return t->tool->err.code == LH_EDATA ? lines_fail(t->file, "%s", t->tool->err.msg) :
						       -1;
	t->answers++;
	t->partial += t->combiner.partial;
	lh_buf_putc(&t->out, '\n');
	return lh_tool_out(t->tool, t->out.p, t->out.len);
}

static int report(struct step *t, struct lh_records *records)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < t->opened; i++)
		n += lines_taken(&t->file[i]);
	return lh_records_delivered(records, n);
}

int step_run(struct lh_tool *tool, const struct settings *s, struct lh_records *records)
{
	struct step t = { .tool = tool, .s = s, .n = tool->n_operands };
	uint64_t steps = 0;
	size_t i;
	int rc;

	combiner_init(&t.combiner, s);
	rc = open_files(&t, records);
	while (!rc && (rc = next_lines(&t)) > 0) {
		rc = write_step(&t);
		if (!rc && ++steps * t.n >= SMALL) {
			rc = report(&t, records);
			steps = 0;
		}
	}
	if (report(&t, records) < 0)
		rc = -1;
	report_partial(tool, t.partial, t.answers, t.combiner.truncated);
	for (i = 0; i < t.opened; i++)
		lines_close(&t.file[i]);
	free(t.file);
	free(t.answer);
	combiner_free(&t.combiner);
	lh_buf_free(&t.out);
	return rc;
}

/* ---- one stream ---- */

/*
 * What is held of a query is the one answer that its answers so far make, as a line: the
 * next one is combined with it, which gives the same as combining all at once.
 */

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
