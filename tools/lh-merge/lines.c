/* lines.c - the answers of a file, one after the other.  See merge.h. */
#include "merge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/signal.h"
#include "file/rows.h"

#define BLOCKS ((size_t)16 << 20)	/* bytes, for the blocks of all files */
#define BLOCK_LEAST ((size_t)16 << 10)

int lines_open(struct lines *l, struct lh_tool *tool, struct lh_records *records, char **operand,
	       size_t n_operands)
{
	size_t target = BLOCKS / n_operands;

	memset(l, 0, sizeof *l);
	l->tool = tool;
	l->records = records;
	lh_records_hint(records);
	lh_input_init(&l->in, operand, 1, tool->max_line);
	l->in.output = lh_records_output(records);
	if (target < l->in.lines.target)
		l->in.lines.target = target > BLOCK_LEAST ? target : BLOCK_LEAST;
	if (lh_input_open(&l->in, &tool->err) < 0)
		return lh_err_prefix(&tool->err, "%s", *operand);
	l->open = l->first = true;
	return 0;
}

void lines_close(struct lines *l)
{
	lh_input_free(&l->in);
	free(l->block.p);
	answer_free(&l->answer);
}

int lines_fail(const struct lines *l, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return lh_err_set(&l->tool->err, LH_EIO, "%s:%llu: %s", lh_input_name(&l->in),
			  (unsigned long long)l->line, text);
}

uint64_t lines_taken(struct lines *l)
{
	uint64_t n = l->taken;

	l->taken = 0;
	return n;
}

int lines_reject(struct lines *l, const struct lh_err *why)
{
	return lh_records_reject(l->records, &(struct lh_rejection){
		.file = lh_input_name(&l->in), .line = l->line, .operand = 1,
		.record = l->record, .n = l->n, .code = why->code, .column = why->column,
		.status = lh_err_status(why), .coded = why->coded, .why = why->msg,
		.opening = l->line == 1 });
}

static enum line_is too_long(struct lines *l)
{
	struct lh_err why;

	lh_err_data(&why, 413, "line is longer than %llu bytes (--max-line)",
		    (unsigned long long)l->tool->max_line);
	return lines_reject(l, &why) < 0 ? LINE_FAILED : LINE_REJECTED;
}

static enum line_is long_line(struct lines *l)
{
	const char *p;
	ssize_t n;

	l->line++;
	l->taken++;
	l->n = 0;
	while ((n = lh_lines_piece(&l->in.lines, &p, &l->tool->err)) > 0)
		if (lh_records_long_line(l->records, p, (size_t)n) < 0)
			return LINE_FAILED;
	return n < 0 ? LINE_FAILED : too_long(l);
}

static int fail_reading(struct lines *l)
{
	struct lh_err *err = &l->tool->err;

	if (err->code == LH_EINTR || err->code == LH_ENOMEM)
		return -1;
	return lh_err_prefix(err, "%s", lh_input_name(&l->in));
}

/* Begin the next member of an archive: 1, 0 if there is none, -1. */
static int next_member(struct lines *l)
{
	int rc = lh_input_open(&l->in, &l->tool->err);

	if (rc < 0)
		return fail_reading(l);
	l->open = rc > 0;
	l->first = true;
	l->line = rc > 0 ? 0 : l->line;
	return rc;
}

static int wait_for_more(struct lines *l)
{
	if (lh_tool_flush(l->tool) < 0)
		return -1;
	return lh_lines_wait(&l->in.lines, &l->tool->err);
}

/* Read the next block: LINE_ANSWER if there is one. */
static enum line_is next_block(struct lines *l)
{
	int rc = 0;

	while (rc >= 0) {
		if (lh_stopping()) {
			lh_err_set(&l->tool->err, LH_EINTR, "interrupted");
			break;
		}
		switch (l->open ? lh_input_next(&l->in, &l->block, &l->tool->err) : LH_LINES_END) {
		case LH_LINES_BLOCK:
			l->p = l->block.p;
			l->end = l->block.p + l->block.n;
			return LINE_ANSWER;
		case LH_LINES_WAIT:
			rc = wait_for_more(l);
			break;
		case LH_LINES_ROOM:
			lh_lines_allow(&l->in.lines);
			break;
		case LH_LINES_LONG:
			return long_line(l);
		case LH_LINES_END:
			rc = l->open ? next_member(l) : 0;
			if (!rc)
				return LINE_END;
			break;
		default:
			rc = fail_reading(l);
		}
	}
	return LINE_FAILED;
}

/* Take the next line of the block: LINE_END if it is blank. */
static enum line_is take_line(struct lines *l)
{
	const char *p = l->p, *lf = memchr(p, '\n', (size_t)(l->end - p));
	size_t n = (size_t)((lf ? lf : l->end) - p), mark;
	struct lh_err why;

	l->p = lf ? lf + 1 : l->end;
	l->line++;
	mark = l->first ? lh_mark_len(p, n) : 0;
	p += mark;
	n -= mark;
	l->first = false;
	if (lh_line_blank(p, n))
		return LINE_END;
	l->record = p;
	l->n = n;
	l->taken++;
	if (n > l->tool->max_line + (p[n - 1] == '\r'))
		return too_long(l);
	if (answer_read(&l->answer, p, n, &why) == 0)
		return LINE_ANSWER;
	if (why.code == LH_EDATA)
		return lines_reject(l, &why) < 0 ? LINE_FAILED : LINE_REJECTED;
	l->tool->err = why;
	return LINE_FAILED;
}

enum line_is lines_next(struct lines *l)
{
	enum line_is is;

	for (;;) {
		while (l->p < l->end) {
			is = take_line(l);
			if (is != LINE_END)
				return is;
		}
		is = next_block(l);
		if (is != LINE_ANSWER)
			return is;
	}
}
