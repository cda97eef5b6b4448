/* step.c - files read in step: the i-th answers of all belong together.  See merge.h. */
#include "merge.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"

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
