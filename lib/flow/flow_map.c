/* flow_map.c - one block of lines through the tool's function.  See flow.h. */
#include <stdlib.h>
#include <string.h>

#include "flow_parts.h"
#include "base/mem.h"
#include "base/utf8.h"

#define SPILL ((size_t)1 << 20)		/* output held back before it is written */

/* A line of a batch whose record is parsed. */
struct line {
	size_t at, n;
	uint64_t line;
};

/* The batch that is being gathered or is with the tool. */
struct lh_batch_state {
	struct lh_batch pub;
	struct lh_flow_mapper *m;
	struct line *lines;
	size_t settled;
	size_t start;		/* where the next record's output begins in out */
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
	memset(b, 0, sizeof *b);
}

void lh_flow_put_text(struct lh_buf *out, const char *text, struct lh_buf *clean)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = strlen(text), len;

	for (; n; p += len, n -= len) {
		len = *p < 0x80 ? 1 : lh_utf8_len(p, n);
		if (len) {
			lh_buf_add(clean, p, len);
		} else {
			lh_buf_puts(clean, "\xef\xbf\xbd");
			len = 1;
		}
	}
	lh_buf_json(out, clean->p ? clean->p : "", clean->len);
}

void lh_flow_put_error(struct lh_buf *out, const char *file, uint64_t line, unsigned code, const char *text, const struct lh_record *rec)
{
	const struct lh_value *id = rec ? lh_record_get(rec, "id") : NULL;
	struct lh_buf clean;

	lh_buf_init(&clean, LH_BUF_NOMAX);
	lh_buf_putc(out, '{');
	if (id) {
		lh_buf_puts(out, "\"id\":");
		lh_buf_add(out, id->p, id->n);
		lh_buf_putc(out, ',');
	}
	lh_buf_puts(out, "\"error\":{\"file\":");
	lh_flow_put_text(out, file, &clean);
	lh_buf_puts(out, ",\"line\":");
	lh_buf_u64(out, line);
	lh_buf_puts(out, ",\"code\":");
	lh_buf_u64(out, code);
	lh_buf_puts(out, ",\"message\":");
	lh_buf_reset(&clean);
	lh_flow_put_text(out, text, &clean);
	lh_buf_puts(out, "}}\n");
	if (clean.failed)
		out->failed = clean.failed;
	lh_buf_free(&clean);
}

bool lh_flow_rejects(const struct lh_tool *tool, const struct lh_err *err)
{
	return err->code == LH_EDATA || (err->code == LH_ENET && tool->on_error == LH_ON_ERROR_EMIT);
}

static void give_up(struct lh_flow_block *b, const struct lh_err *err)
{
	if (b->fatal.code == LH_OK)
		b->fatal = *err;
}

static void refuse(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct lh_err *why)
{
	struct lh_buf text, clean;

	lh_buf_init(&text, LH_BUF_NOMAX);
	lh_buf_init(&clean, LH_BUF_NOMAX);
	lh_flow_put_text(&text, why->msg, &clean);
	m->flow->refusal(text.p ? text.p : "", text.len, lh_err_status(why), &b->out, m->worker);
	lh_buf_putc(&b->out, '\n');
	if (text.failed || clean.failed)
		b->out.failed = LH_ENOMEM;
	lh_buf_free(&text);
	lh_buf_free(&clean);
}

static void reject(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l, const struct lh_err *why, const struct lh_record *rec)
{
	struct lh_flow_reject *r;
	struct lh_err err;

	if (lh_grow(&b->rejects, &b->cap_rejects, b->n_rejects + 1, sizeof *b->rejects, &err) < 0) {
		give_up(b, &err);
		return;
	}
	r = &b->rejects[b->n_rejects++];
	*r = (struct lh_flow_reject){ l->at, l->n, l->line, why->column, b->texts.len, lh_err_status(why), why->code == LH_ENET, why->coded };
	lh_buf_add(&b->texts, why->msg, strlen(why->msg) + 1);
	if (lh_buf_check(&b->texts, &err) < 0) {
		b->n_rejects--;
		give_up(b, &err);
		return;
	}
	if (m->flow->refusal)
		refuse(m, b, why);
	else if (m->tool->on_error == LH_ON_ERROR_EMIT && !m->flow->sink)
		lh_flow_put_error(&b->out, b->name->text, l->line, lh_err_status(why), why->msg, rec);
	b->stop = m->tool->on_error == LH_ON_ERROR_STOP;
}

/* A record's output stands in out from start on: finish it. */
static void accept(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l, size_t start)
{
	struct lh_err err;

	if (b->out.len == start || b->out.failed)
		return;
	if (!m->flow->sink) {
		lh_buf_putc(&b->out, '\n');
		return;
	}
	if (lh_grow(&b->items, &b->cap_items, b->n_items + 1, sizeof *b->items, &err) < 0)
		give_up(b, &err);
	else
		b->items[b->n_items++] = (struct lh_flow_item){ b->out.len, l->at, l->n, l->line };
}

/* After each record: is the block still fine, and is its output to be written? */
static void finish_batch(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	struct lh_err err;

	if (lh_buf_check(&b->out, &err) < 0)
		give_up(b, &err);
	if (!b->fatal.code && m->spill && b->out.len >= SPILL && m->spill(m->ctx, b) < 0)
		give_up(b, &m->tool->err);
}

static void map_record(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l)
{
	size_t start = b->out.len;
	struct lh_err err;

	if (m->flow->map(m->records, &b->out, m->worker, &err) == 0) {
		accept(m, b, l, start);
	} else {
		b->out.len = start;
		if (err.code == LH_ECORRUPT && m->held && lh_holding_renewed(m->held)) {
			err.code = LH_EDATA;	/* it was whole, and may be so again */
			err.status = 503;
		}
		if (lh_flow_rejects(m->tool, &err))
			reject(m, b, l, &err, m->records);
		else
			give_up(b, &err);
	}
	finish_batch(m, b);
}

void lh_batch_accept(struct lh_batch *pub)
{
	struct lh_batch_state *s = pub->block->batch;

	accept(s->m, pub->block, &s->lines[s->settled++], s->start);
	s->start = pub->out->len;
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
}

/* Hand the gathered records to the tool. */
static void map_batch(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	struct lh_batch_state *s = m->state;
	struct lh_err err;

	if (!s->pub.n || b->fatal.code)
		return;
	b->batch = s;
	s->pub.block = b;
	s->pub.out = &b->out;
	s->settled = 0;
	s->start = b->out.len;
	if (m->flow->batch(&s->pub, m->worker, &err) < 0) {
		b->out.len = s->start;
		give_up(b, &err);
	} else if (s->settled != s->pub.n) {
		lh_err_set(&err, LH_ECORRUPT, "a batch of %zu records was answered with %zu", s->pub.n, s->settled);
		give_up(b, &err);
	}
	s->pub.n = 0;
	finish_batch(m, b);
}

static void bad_line(struct lh_flow_mapper *m, struct lh_flow_block *b, const struct line *l, const struct lh_err *why)
{
	size_t start;

	if (m->flow->batch)
		map_batch(m, b);	/* what stands before it comes out before it */
	start = b->out.len;
	if (!b->fatal.code && !b->stop && m->flow->bad)
		m->flow->bad(l->line, why, &b->out, m->worker);
	if (b->out.len > start)
		accept(m, b, l, start);
	else if (!b->fatal.code && !b->stop)
		reject(m, b, l, why, NULL);
	finish_batch(m, b);
}

/* "line is longer than ..." */
static int too_long(const struct lh_tool *t, const struct lh_flow *flow, struct lh_err *err)
{
	return lh_err_data(err, 413, "%s is longer than %llu bytes (--max-line)", flow->texts ? "text" : "line",
			  (unsigned long long)t->max_line);
}

/* One line without its LF. */
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
	if ((!n || *p != '{') && lh_line_blank(p, n))
		return;
	b->records++;
	l.at = (size_t)(p - b->in.p);
	l.n = n;
	len = p[n - 1] == '\r' ? n - 1 : n;
	if (len > m->tool->max_line) {
		too_long(m->tool, m->flow, &err);
		bad_line(m, b, &l, &err);
		return;
	}
	if (m->flow->batch)
		rec = m->batch[m->state->pub.n];
	rec->number = l.line;
	if (lh_record_parse(rec, p, len, &err) < 0) {
		err.column += err.column ? bom : 0;
		if (err.code == LH_EDATA)
			bad_line(m, b, &l, &err);
		else
			give_up(b, &err);
		return;
	}
	if (b->lost.code) {
		reject(m, b, &l, &b->lost, rec);
		finish_batch(m, b);
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

/* A whole file. */
static void take_text(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	static const char empty[LH_PAD];
	struct line l = { .n = b->in.n, .line = b->line };
	struct lh_err err;

	b->records++;
	b->lines++;
	if (l.n > m->tool->max_line) {
		too_long(m->tool, m->flow, &err);
		bad_line(m, b, &l, &err);
		return;
	}
	m->records->line = l.n ? b->in.p : empty;
	m->records->len = l.n;
	m->records->n = 0;
	map_record(m, b, &l);
}

static int make_worker(struct lh_flow_mapper *m, void *ctx, struct lh_err *err)
{
	m->worker = m->flow->worker_new ? m->flow->worker_new(ctx, err) : m->flow->ctx;
	return m->flow->worker_new && !m->worker ? -1 : 0;
}

void lh_flow_mapper_rest(struct lh_flow_mapper *m)
{
	if (!m->flow || !m->flow->worker_new)
		return;
	if (m->worker && m->flow->worker_free)
		m->flow->worker_free(m->worker);
	m->worker = NULL;
	lh_holding_give(m->held);
	m->held = NULL;
}

/* Have the worker stand on what the block is to be answered from. */
static int move(struct lh_flow_mapper *m, struct lh_holding *to, struct lh_err *err)
{
	int rc;

	if (m->worker && m->flow->renew) {
		rc = m->flow->renew(m->worker, lh_holding_state(to), err);
	} else {
		lh_flow_mapper_rest(m);
		rc = make_worker(m, lh_holding_state(to), err);
	}
	lh_holding_share(to);
	lh_holding_give(m->held);
	m->held = to;
	return rc;
}

void lh_flow_map_block(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	const char *p = b->in.p, *end = p + b->in.n, *lf;

	if (b->held != m->held && !b->lost.code && !b->fatal.code && move(m, b->held, &b->fatal) < 0)
		return;
	if (m->flow->texts) {
		take_text(m, b);
		return;
	}
	while (p < end && !b->fatal.code && !b->stop && !lh_tool_stopping()) {
		lf = memchr(p, '\n', (size_t)(end - p));
		take_line(m, b, p, (size_t)((lf ? lf : end) - p));
		p = lf ? lf + 1 : end;
	}
	if (m->flow->batch && !b->stop && !lh_tool_stopping())
		map_batch(m, b);
}

void lh_flow_map_long(struct lh_flow_mapper *m, struct lh_flow_block *b)
{
	struct line l = { .line = b->line };
	struct lh_err err;

	b->records++;
	b->lines++;
	too_long(m->tool, m->flow, &err);
	bad_line(m, b, &l, &err);
}

static int batch_init(struct lh_flow_mapper *m, size_t n, struct lh_err *err)
{
	size_t i;

	m->batch = lh_calloc(n, sizeof *m->batch, err);
	m->state = m->batch ? lh_calloc(1, sizeof *m->state, err) : NULL;
	if (!m->state)
		return -1;
	m->state->lines = lh_calloc(n, sizeof *m->state->lines, err);
	if (!m->state->lines)
		return -1;
	for (i = 0; i < n; i++)
		m->batch[i] = &m->records[i];
	m->state->pub.rec = m->batch;
	m->state->m = m;
	return 0;
}

int lh_flow_mapper_init(struct lh_flow_mapper *m, struct lh_tool *tool, const struct lh_flow *flow, struct lh_err *err)
{
	size_t i, n = flow->batch ? flow->batch_max : 1;

	memset(m, 0, sizeof *m);
	m->tool = tool;
	m->flow = flow;
	m->records = lh_calloc(n, sizeof *m->records, err);
	if (!m->records)
		return -1;
	for (i = 0; i < n; i++)
		lh_record_init(&m->records[i]);
	m->n_records = n;
	if (flow->batch && batch_init(m, n, err) < 0)
		return -1;
	if (!flow->held)
		return make_worker(m, flow->ctx, err);
	m->held = lh_held_take(flow->held);
	return make_worker(m, lh_holding_state(m->held), err);
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
