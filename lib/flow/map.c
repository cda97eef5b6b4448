/* map.c - run the map over the lines of a block.  See flow.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/rows.h"
#include "flow_parts.h"

/* ---- lines of a block ---- */

#define SPILL ((size_t)1 << 20)		/* bytes of output; more are delivered early */

/* The place of a line: its bytes in the block, and its number. */
struct line {
	size_t at, n;
	uint64_t line;
};

/* The batch being gathered or answered. */
struct lh_batch_state {
	struct lh_batch pub;
	struct lh_flow_mapper *m;
	struct line *lines;
	size_t settled;
	size_t start;		/* offset in out of the output of the next record */
};

void lh_flow_block_clear(struct lh_flow_block *b)
{
	lh_buf_reset(&b->out);
	lh_buf_reset(&b->texts);
	b->n_rejects = b->n_items = 0;
	b->records = 0;
}

void lh_flow_name_drop(struct lh_flow_name *name)
{
	if (name && --name->refs == 0)
		free(name);
}

void lh_flow_block_free(struct lh_flow_block *b)
{
	lh_flow_name_drop(b->name);
	lh_holding_give(b->held);
	free(b->in.p);
	lh_buf_free(&b->out);
	lh_buf_free(&b->texts);
	free(b->rejects);
	free(b->items);
	free(b->results);
	memset(b, 0, sizeof *b);
}

/* Return whether an error of a map rejects its record alone. */
static bool is_rejection(const struct lh_flow_mapper *m, const struct lh_err *err)
{
	return err->code == LH_EDATA || (err->code == LH_ENET && m->flow->reject_net) ||
	       (err->code == LH_ECORRUPT && m->held && lh_holding_renewed(m->held));
}

struct lh_rejection lh_flow_rejection(const struct lh_flow_block *b, const struct lh_flow_reject *r)
{
	return (struct lh_rejection){ b->name->text, r->line, b->name->operand,
				      r->n ? b->in.p + r->at : NULL, r->n, r->code, r->column,
				      r->status, r->coded, b->texts.p + r->text,
				      r->line == b->opening };
}

static void give_up(struct lh_flow_block *b, const struct lh_err *err)
{
	if (b->fatal.code == LH_OK)
		b->fatal = *err;
}

static void reject(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l,
		   const struct lh_err *why, const struct lh_record *rec)
{
	struct lh_flow_reject *r;

	lh_grow(&b->rejects, &b->cap_rejects, b->n_rejects + 1, sizeof *b->rejects);
	r = &b->rejects[b->n_rejects++];
	*r = (struct lh_flow_reject){ l->at, l->n, l->line, why->column, b->texts.len, why->code,
				      lh_err_status(why), why->coded };
	if (why->code == LH_ECORRUPT)
		r->status = 503;	/* the state was intact before; a later retry may succeed */
	lh_buf_add(&b->texts, why->msg, strlen(why->msg) + 1);
	if (m->flow->instead) {
		struct lh_rejection of = lh_flow_rejection(b, r);

		m->flow->instead(&of, rec, &b->out, m->context);
		lh_buf_putc(&b->out, '\n');
	}
	b->stop = m->flow->stop_at_reject;
}

/* Reserve room for n more results. */
static void reserve_results(const struct lh_flow_mapper *m, struct lh_flow_block *b, size_t n)
{
	size_t size = m->flow->result_size;

	if (size)
		lh_grow(&b->results, &b->cap_results, b->n_items + n, size);
}

/* Return the result of the next item, zeroed; room is reserved. */
static void *next_result(const struct lh_flow_mapper *m, const struct lh_flow_block *b)
{
	size_t size = m->flow->result_size;

	return size ? memset(b->results + b->n_items * size, 0, size) : NULL;
}

/* Complete the output of a record, which begins at start in out. */
static void accept(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l,
		   size_t start)
{

	if (b->out.len == start && !m->flow->result_size)
		return;
	if (!m->flow->sink) {
		lh_buf_putc(&b->out, '\n');
		return;
	}
	lh_grow(&b->items, &b->cap_items, b->n_items + 1, sizeof *b->items);
	b->items[b->n_items++] = (struct lh_flow_item){ b->out.len, l->at, l->n, l->line };
}

/* After each record: deliver out if it is large; end the run if that fails. */
static void check_output(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	struct lh_err err;

	if (!b->fatal.code && m->spill && b->out.len >= SPILL && m->spill(m->ctx, b, &err) < 0)
		give_up(b, &err);
}

/* Call map or fill for the record.  1 with an output, 0 without, -1 on error. */
static int call_map(struct lh_flow_mapper *m, struct lh_flow_block *b, struct lh_err *err)
{
	if (m->flow->map)
		return m->flow->map(m->records, &b->out, m->context, err) < 0 ? -1 : 1;
	reserve_results(m, b, 1);
	return m->flow->fill(m->records, next_result(m, b), &b->out, m->context, err);
}

static void map_record(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l)
{
	size_t start = b->out.len;
	struct lh_err err;
	int rc = call_map(m, b, &err);

	if (rc > 0)
		accept(m, b, l, start);
	else
		b->out.len = start;
	if (rc < 0 && is_rejection(m, &err))
		reject(m, b, l, &err, m->records);
	else if (rc < 0)
		give_up(b, &err);
	check_output(m, b);
}

void lh_batch_accept(struct lh_batch *pub)
{
	struct lh_batch_state *s = pub->block->batch;

	accept(s->m, pub->block, &s->lines[s->settled++], s->start);
	s->start = pub->out->len;
	pub->result = next_result(s->m, pub->block);
}

void lh_batch_reject(struct lh_batch *pub, const struct lh_err *why)
{
	struct lh_batch_state *s = pub->block->batch;
	struct lh_flow_block *b = pub->block;

	pub->out->len = s->start;
	if (!b->stop)
		reject(s->m, b, &s->lines[s->settled], why, pub->rec[s->settled]);
	s->settled++;
	s->start = pub->out->len;
	pub->result = next_result(s->m, pub->block);
}

/* Call the batch function for the gathered records. */
static void map_batch(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	struct lh_batch_state *s = m->state;
	struct lh_err err;

	if (!s->pub.n || b->fatal.code)
		return;
	reserve_results(m, b, s->pub.n + 1);
	b->batch = s;
	s->pub.block = b;
	s->pub.out = &b->out;
	s->pub.result = next_result(m, b);
	s->settled = 0;
	s->start = b->out.len;
	if (m->flow->batch(&s->pub, m->context, &err) < 0) {
		b->out.len = s->start;
		give_up(b, &err);
	} else if (s->settled != s->pub.n) {
		lh_err_set(&err, LH_ECORRUPT, "a batch of %zu records was answered with %zu",
			   s->pub.n, s->settled);
		give_up(b, &err);
	}
	s->pub.n = 0;
	check_output(m, b);
}

/* Return a line as flow->bad gets it. */
static struct lh_bad_line line_of(const struct lh_flow_mapper *m, const struct lh_flow_block *b,
				  const struct line *l, const struct lh_err *why)
{
	const char *p = l->n ? b->in.p + l->at : NULL;
	size_t n = p && p[l->n - 1] == '\r' ? l->n - 1 : l->n;

	if (n > m->flow->max_line)
		p = NULL;
	return (struct lh_bad_line){ l->line, p, p ? n : 0, why };
}

static void bad_line(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l,
		     const struct lh_err *why)
{
	struct lh_bad_line bad;
	size_t start;

	if (m->flow->batch)
		map_batch(m, b);	/* the records before it are output first */
	if (b->fatal.code || b->stop)
		return;
	start = b->out.len;
	if (!m->flow->bad) {
		reject(m, b, l, why, NULL);
	} else {
		reserve_results(m, b, 1);
		bad = line_of(m, b, l, why);
		m->flow->bad(&bad, next_result(m, b), &b->out, m->context);
		accept(m, b, l, start);
	}
	check_output(m, b);
}

/* Set the error of a line over the limit.  Returns -1. */
static int too_long(const struct lh_flow *flow, struct lh_err *err)
{
	return lh_err_data(err, 413, "%s is longer than %llu bytes (--max-line)",
			   flow->texts ? "text" : "line",
			  (unsigned long long)flow->max_line);
}

/* Return whether a line is text, and not meant for JSON. */
static bool is_text(const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p == end || !strchr("{[\"", *p);
}

/* Parse a line as a record, or with flow->values as any value. */
static int parse(const struct lh_flow *flow, struct lh_record *rec, const char *p, size_t n,
		 struct lh_err *err)
{
	struct lh_value v;

	if (flow->ids && is_text(p, n)) {
		rec->n = 0;
		rec->line = p;
		rec->len = n;
		return 0;
	}
	if (!flow->values) {
		if (lh_record_parse(rec, p, n, err) < 0)
			return -1;
		if (flow->lines) {
			rec->line = p;
			rec->len = n;
		}
		return 0;
	}
	if (lh_json_parse(rec, p, n, &v, err) < 0)
		return -1;
	rec->line = v.p;
	rec->len = v.n;
	return 0;
}

/* Reject a line over the limit. */
static void long_line(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l)
{
	struct lh_err err;

	b->records++;
	too_long(m->flow, &err);
	bad_line(m, b, l, &err);
}

/* Map one line, given without its LF. */
static void take_line(struct lh_flow_mapper *m, struct lh_flow_block *b, const char *p, size_t n)
{
	struct line l = { .line = b->line + b->lines };
	struct lh_record *rec = m->records;
	size_t bom = 0, len;
	struct lh_err err;

	if (b->first && !b->lines && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		bom = 3;
	b->lines++;
	p += bom;
	n -= bom;
	if (!n || *p != '{' ? lh_line_blank(p, n)
			    : m->flow->tombstones && lh_line_erased(p, n, NULL))
		return;
	if (b->bare && !b->opening)
		b->opening = l.line;
	l.at = (size_t)(p - b->in.p);
	l.n = n;
	len = p[n - 1] == '\r' ? n - 1 : n;
	if (len > m->flow->max_line) {
		long_line(m, b, &l);
		return;
	}
	if (m->flow->batch)
		rec = m->batch[m->state->pub.n];
	rec->number = l.line;
	b->records++;
	if (parse(m->flow, rec, p, len, &err) < 0) {
		err.column += err.column ? bom : 0;
		if (err.code == LH_EDATA)
			bad_line(m, b, &l, &err);
		else
			give_up(b, &err);
		return;
	}
	if (b->lost.code) {
		reject(m, b, &l, &b->lost, rec);
		check_output(m, b);
		return;
	}
	if (!m->flow->batch) {
		map_record(m, b, &l);
		return;
	}
	m->state->lines[m->state->pub.n++] = l;
	if (m->state->pub.n == m->flow->batch_max)
		map_batch(m, b);
}

/* Map a whole file as one text. */
static void take_text(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	static const char empty[LH_PAD];
	struct line l = { .n = b->in.n, .line = b->line };
	struct lh_err err;

	b->records++;
	b->lines++;
	if (l.n > m->flow->max_line) {
		too_long(m->flow, &err);
		bad_line(m, b, &l, &err);
		return;
	}
	m->records->line = l.n ? b->in.p : empty;
	m->records->len = l.n;
	m->records->n = 0;
	map_record(m, b, &l);
}

void lh_flow_mapper_rest(struct lh_flow_mapper *m)
{
	if (!m->flow || !m->flow->context_size)
		return;
	if (m->context && m->flow->context_free)
		m->flow->context_free(m->context);
	free(m->context);
	m->context = NULL;
	lh_holding_give(m->held);
	m->held = NULL;
}

static int make_context(struct lh_flow_mapper *m, void *from, struct lh_err *err)
{
	const struct lh_flow *f = m->flow;

	m->context = f->context_size ? lh_calloc(1, f->context_size) : f->shared;
	if (f->context_size && !m->context)
		return -1;
	if (!f->context_init || f->context_init(m->context, from, err) == 0)
		return 0;
	lh_flow_mapper_rest(m);
	return -1;
}

/* Return whether the context uses the state of the block. */
static bool is_ready(const struct lh_flow_mapper *m, const struct lh_flow_block *b)
{
	return b->held == m->held && (m->context || !m->flow->context_size);
}

/* Make the context use that state. */
static int move(struct lh_flow_mapper *m, struct lh_holding *to, struct lh_err *err)
{
	int rc;

	if (m->context && m->flow->renew) {
		rc = m->flow->renew(m->context, lh_holding_state(to), err);
	} else {
		lh_flow_mapper_rest(m);
		rc = make_context(m, lh_holding_state(to), err);
	}
	lh_holding_share(to);
	lh_holding_give(m->held);
	m->held = to;
	return rc;
}

void lh_flow_map_block(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	const char *p = b->in.p, *end = p + b->in.n, *lf;

	if (!is_ready(m, b) && !b->lost.code && !b->fatal.code &&
	    move(m, b->held, &b->fatal) < 0)
		return;
	if (m->flow->texts) {
		take_text(m, b);
		return;
	}
	while (p < end && !b->fatal.code && !b->stop && !lh_stopping()) {
		lf = memchr(p, '\n', (size_t)(end - p));
		take_line(m, b, p, (size_t)((lf ? lf : end) - p));
		p = lf ? lf + 1 : end;
	}
	if (m->flow->batch && !b->stop && !lh_stopping())
		map_batch(m, b);
}

void lh_flow_map_long(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	b->lines++;
	long_line(m, b, &(struct line){ .line = b->line });
}

static void batch_init(struct lh_flow_mapper *m, size_t n)
{
	size_t i;

	m->batch = lh_calloc(n, sizeof *m->batch);
	m->state = lh_calloc(1, sizeof *m->state);
	m->state->lines = lh_calloc(n, sizeof *m->state->lines);
	for (i = 0; i < n; i++)
		m->batch[i] = &m->records[i];
	m->state->pub.rec = m->batch;
	m->state->m = m;
}

int lh_flow_mapper_init(struct lh_flow_mapper *m, const struct lh_flow *flow, struct lh_err *err)
{
	size_t n = flow->batch ? flow->batch_max : 1;

	memset(m, 0, sizeof *m);
	m->flow = flow;
	m->records = lh_calloc(n, sizeof *m->records);
	m->n_records = n;
	if (flow->batch)
		batch_init(m, n);
	if (!flow->held)
		return make_context(m, flow->shared, err);
	m->held = lh_held_take(flow->held);
	return make_context(m, lh_holding_state(m->held), err);
}

void lh_flow_mapper_free(struct lh_flow_mapper *m)
{
	size_t i;

	lh_flow_mapper_rest(m);
	lh_holding_give(m->held);
	for (i = 0; i < m->n_records; i++)
		lh_record_free(&m->records[i]);
	free(m->records);
	if (m->state)
		free(m->state->lines);
	free(m->state);
	free(m->batch);
	memset(m, 0, sizeof *m);
}
