/* lines.c - the answers of a file, one after the other.  See merge.h. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/signal.h"
#include "file/rows.h"
#include "merge.h"

/* ---- an answer of lh-search ---- */

#define MAX_DROPPED (N_COUNTERS + 4)

const char *const counter_names[N_COUNTERS] = {
	[PER_CORPUS_COUNTS] = "per_corpus_counts",
	[FILTER_DROPPED] = "metadata_filter_dropped",
	[PLAYBOOK_BOOSTED] = "playbook_boosted",
	[PLAYBOOK_INJECTED] = "playbook_injected",
};

static const struct lh_bind playbook_members[] = {
	{ LH_BIND_BOOL("injected", struct hit_playbook, injected), .lax = true },
	LH_BIND_END
};

static const struct lh_bind hit_members[] = {
	{ LH_BIND_STRING("id", struct hit, id), .required = true },
	{ LH_BIND_F64("distance", struct hit, distance, -INFINITY, INFINITY), .required = true },
	{ LH_BIND_F64("score", struct hit, score, -INFINITY, INFINITY),
	  .given = LH_BIND_FIELD(struct hit, has_score) },
	{ LH_BIND_STRING("corpus", struct hit, corpus),
	  .as_written = LH_BIND_FIELD(struct hit, corpus_json) },
	{ LH_BIND_TABLE("playbook", struct hit, playbook, playbook_members), .lax = true },
	LH_BIND_END
};

const struct lh_bind answer_members[] = {
	{ LH_BIND_TABLES("results", struct answer, hit, n, hit_members), .required = true,
	  .as_written = LH_BIND_FIELD(struct answer, results) },
	{ LH_BIND_U64("k", struct answer, k, 0, K_MAX) },
	{ LH_BIND_U64("per_corpus_k", struct answer, per_corpus_k, 0, K_MAX) },
	LH_BIND_END
};

void answer_free(struct answer *a)
{
	lh_record_free(&a->rec);
	lh_buf_free(&a->text);
	lh_buf_free(&a->query);
}

/* Refuse what lh-search writes that is not an answer. */
static int check_kind(const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *error = lh_record_get(rec, "error");
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str why = { NULL, 0 };
	struct lh_value v;
	int rc;

	if (lh_record_get(rec, "results"))
		return 0;
	if (lh_record_get(rec, "rank") && lh_record_get(rec, "distance"))
		return lh_err_set(err, LH_EDATA,
				  "is a hit of lh-search --flat: leave out --flat there");
	if (!error || error->type != LH_OBJECT)
		return 0;
	if (lh_value_get(error, "message", &v) && v.type == LH_STRING)
		lh_value_str(&v, &text, &why);
	rc = lh_err_set(err, LH_EDATA, "the search failed: %.*s", (int)(why.n > 500 ? 500 : why.n),
			why.p ? why.p : "");
	return rc;
}

/* Set the texts of the hits, and check their numbers. */
static int see_hits(struct answer *a, struct lh_err *err)
{
	struct lh_iter it;
	struct hit *h;
	size_t i = 0;

	for (lh_iter_init(&it, &a->results); lh_iter_next(&it); i++) {
		h = &a->hit[i];
		h->raw = (struct lh_str){ it.val.p, it.val.n };
		if (!isfinite(h->distance) || !isfinite(h->score))
			return lh_err_set(err, LH_EDATA, "results[%zu].%s is out of range", i,
					  isfinite(h->distance) ? "score" : "distance");
		if (h->has_score != a->hit[0].has_score)
			return lh_err_set(err, LH_EDATA,
					  "some hits have a score, and some have none");
	}
	return 0;
}

static int check_count(const struct lh_value *v, const char *name, struct lh_err *err)
{
	int64_t count;

	if (v->type == LH_NUMBER && lh_value_i64(v, &count) && count >= 0)
		return 0;
	return lh_err_set(err, LH_EDATA, "%s must be a whole number, 0 or more", name);
}

static int check_counts(const struct lh_value *v, const char *name, struct lh_err *err)
{
	struct lh_iter it;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "%s must be an object", name);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (check_count(&it.val, name, err) < 0)
			return -1;
	return 0;
}

/* Take a member that comes after the results: 1 if it is of the answer, 0 if of the query. */
static int take_member(struct answer *a, const struct lh_member *m, const char **name,
		       struct lh_err *err)
{
	bool *is;
	size_t i;

	for (i = 0; i < N_COUNTERS; i++) {
		*name = counter_names[i];
		if (!lh_value_is(&m->key, *name, strlen(*name)))
			continue;
		a->counter[i] = m->val;
		return (i == PER_CORPUS_COUNTS ? check_counts(&m->val, *name, err) :
						 check_count(&m->val, *name, err)) < 0 ? -1 : 1;
	}
	*name = "explain";
	if (lh_value_is(&m->key, *name, 7)) {
		a->explain = m->val;
		return 1;
	}
	*name = "truncated";
	is = lh_value_is(&m->key, *name, 9) ? &a->truncated : NULL;
	if (!is) {
		*name = "partial";
		is = lh_value_is(&m->key, *name, 7) ? &a->partial : NULL;
	}
	if (!is)
		return 0;
	if (m->val.type != LH_TRUE && m->val.type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be true or false", *name);
	*is = m->val.type == LH_TRUE;
	return 1;
}

/*
 * Part the members of the query from those of the answer.  A counter before the results is
 * the query's: lh-search passes on what it reads, and adds its own members at the end.
 */
static int see_query(struct answer *a, struct lh_err *err)
{
	const char *drop[MAX_DROPPED] = { "results" };
	size_t i, n = 1;
	int is;

	for (i = a->rec.n; i-- > 0 && a->rec.member[i].val.p != a->results.p; ) {
		is = take_member(a, &a->rec.member[i], &drop[n], err);
		if (is < 0)
			return -1;
		n += (size_t)is;
	}
	lh_buf_reset(&a->query);
	a->to_query = lh_write_record(&a->query, &a->rec, drop, n);
	while (a->query.len && strchr(" \t\r", a->query.p[a->query.len - 1]))
		a->query.len--;		/* white space of the members dropped */
	return 0;
}

int answer_read(struct answer *a, const char *p, size_t n, struct lh_err *err)
{
	a->hit = NULL;
	a->n = 0;
	a->k = a->per_corpus_k = UINT64_MAX;
	a->partial = a->truncated = false;
	a->explain.p = NULL;
	memset(a->counter, 0, sizeof a->counter);
	if (lh_record_parse(&a->rec, p, n, err) < 0 || check_kind(&a->rec, err) < 0 ||
	    lh_bind(answer_members, &a->rec, a, &a->text, err) < 0 || see_hits(a, err) < 0)
		return -1;
	return see_query(a, err);
}

/* ---- the answers of a file ---- */

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

	if (err->code == LH_EINTR)
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
