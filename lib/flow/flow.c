/* flow.c - read blocks, have them mapped, write, report.  See flow.h. */
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "pool.h"
#include "input.h"
#include "base/mem.h"
#include "file/owner.h"
#include "base/signal.h"

#define KEEP_IN ((size_t)1 << 20)	/* buffers beyond this are not kept */
#define KEEP_OUT ((size_t)8 << 20)
#define IN_FLIGHT ((size_t)16 << 20)	/* bytes of lines, unless one line is longer */

struct run {
	struct lh_tool *tool;
	const struct lh_flow *flow;
	struct lh_input in;
	struct lh_flow_pool pool;
	struct lh_record *again;	/* to find the id of a record that a sink refused */
	struct lh_flow_name *name;	/* of the open file */
	uint64_t line;			/* its next line's number */
	bool first;			/* no block has been cut from it */
	int rejects;			/* descriptor of --rejects, or -1 */
	struct lh_buf rejected;
	size_t told_operand, told;	/* messages about which operand, and how many */
	bool bad_file;
};

/* ---- rejects and messages ---- */

/* An append to a file whose last line is torn must not be glued to it. */
static int open_rejects(struct run *r)
{
	const char *path = r->tool->rejects;
	struct stat st;
	char last;

	r->rejects = -1;
	if (!path)
		return 0;
	r->rejects = lh_own_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (r->rejects < 0)
		return lh_err_sys(&r->tool->err, "%s: cannot open", path);
	if (fstat(r->rejects, &st) == 0 && S_ISREG(st.st_mode) && st.st_size) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
			lh_buf_putc(&r->rejected, '\n');
		if (fd >= 0)
			close(fd);
	}
	r->in.rejects = r->rejects;
	return 0;
}

static int write_rejects(struct run *r)
{
	int rc = lh_buf_check(&r->rejected, &r->tool->err);

	if (!rc && r->rejects >= 0 && r->rejected.len) {
		rc = lh_write_all(r->rejects, r->rejected.p, r->rejected.len, &r->tool->err);
		if (rc < 0)
			lh_err_prefix(&r->tool->err, "%s", r->tool->rejects);
	}
	lh_buf_reset(&r->rejected);
	return rc;
}

/* Why a record is rejected. */
struct why {
	size_t column;
	unsigned status;
	bool net, coded;
	const char *text;
};

static struct why why_of(const struct lh_err *err)
{
	return (struct why){ 0, lh_err_status(err), err->code == LH_ENET, err->coded, err->msg };
}

static void say_why(struct lh_tool *t, const char *file, uint64_t line, const struct why *why)
{
	char text[sizeof ((struct lh_err *)NULL)->msg + 16];

	snprintf(text, sizeof text, "%u %s", why->status, why->text);
	lh_message_at(t, file, line, why->column, why->coded ? text : why->text);
}

/* Say what is wrong with a record, but not without end. */
static void report(struct run *r, const struct lh_flow_name *name, uint64_t line, const struct why *why)
{
	struct lh_tool *t = r->tool;

	t->state->rejected++;
	if (t->state->mute) {
		lh_err_set(&t->err, LH_ECORRUPT, "%s:%llu: %s", name->text, (unsigned long long)line, why->text);
		t->err.column = why->column;
		return;
	}
	if (why->net)
		lh_tool_failed(t);
	if (t->quiet)
		return;
	if (name->operand != r->told_operand) {
		r->told_operand = name->operand;
		r->told = 0;
	}
	if (r->told < LH_MESSAGES_PER_FILE || t->verbose)
		say_why(t, name->text, line, why);
	else if (r->told == LH_MESSAGES_PER_FILE)
		lh_message_at(t, name->text, 0, 0, "further messages suppressed (--verbose shows all)");
	r->told++;
}

static void add_rejected(struct run *r, const char *line, size_t n)
{
	if (r->rejects < 0)
		return;
	lh_buf_add(&r->rejected, line, n);
	lh_buf_putc(&r->rejected, '\n');
}

static int stopped(struct run *r)
{
	r->tool->state->stopped = true;
	if (r->tool->state->mute)
		return -1;
	lh_tool_reported(r->tool);
	r->tool->err.code = LH_EDATA;
	return -1;
}

/* ---- what comes out of a block ---- */

/* The error object that --on-error emit asks for; rec NULL: it has no id. */
static int write_error(struct run *r, const struct lh_flow_name *name, uint64_t line, const struct why *why, const struct lh_record *rec)
{
	struct lh_buf out;
	int rc;

	if (r->tool->on_error != LH_ON_ERROR_EMIT)
		return 0;
	lh_buf_init(&out, LH_BUF_NOMAX);
	lh_flow_put_error(&out, name->text, line, why->status, why->text, rec);
	rc = lh_buf_check(&out, &r->tool->err);
	if (!rc)
		rc = lh_tool_write(r->tool, out.p, out.len);
	lh_buf_free(&out);
	return rc;
}

/* With a sink, an error object is the one thing that goes to stdout. */
static int emit_error(struct run *r, const struct lh_flow_block *b, size_t at, size_t n, uint64_t line, const struct why *why)
{
	struct lh_err err;
	bool has = r->tool->on_error == LH_ON_ERROR_EMIT && n && n <= r->tool->max_line &&
		   lh_record_parse(r->again, b->in.p + at, n, &err) == 0;

	return write_error(r, b->name, line, why, has ? r->again : NULL);
}

static int refused(struct run *r, const struct lh_flow_block *b, const struct lh_flow_item *item, const struct lh_err *err)
{
	struct why why = why_of(err);

	report(r, b->name, item->line, &why);
	add_rejected(r, b->in.p + item->at, item->n);
	if (emit_error(r, b, item->at, item->n, item->line, &why) < 0 || write_rejects(r) < 0)
		return -1;
	return r->tool->on_error == LH_ON_ERROR_STOP ? stopped(r) : 0;
}

/* What the map rejected before the byte at, from *next on. */
static int report_rejects(struct run *r, const struct lh_flow_block *b, size_t *next, size_t at)
{
	for (; *next < b->n_rejects && b->rejects[*next].at < at; ++*next) {
		const struct lh_flow_reject *rej = &b->rejects[*next];
		struct why why = { rej->column, rej->status, rej->net, rej->coded, b->texts.p + rej->text };

		report(r, b->name, rej->line, &why);
		add_rejected(r, b->in.p + rej->at, rej->n);
		if (r->flow->sink && emit_error(r, b, rej->at, rej->n, rej->line, &why) < 0)
			return -1;
	}
	return write_rejects(r);
}

/* Items to the sink, and between them, where they stood, the rejects. */
static int to_sink(struct run *r, const struct lh_flow_block *b, size_t *next)
{
	struct lh_origin from = { .file = b->name->text };
	size_t i, start = 0;
	struct lh_err err;

	for (i = 0; i < b->n_items; i++) {
		const struct lh_flow_item *item = &b->items[i];

		if (report_rejects(r, b, next, item->at) < 0)
			return -1;
		from.line = item->line;
		err.code = LH_OK;
		if (r->flow->sink(b->out.p + start, item->end - start, &from, r->flow->ctx, &err) < 0) {
			if (err.code == LH_OK)
				return -1;	/* what failed was the frame, in tool->err */
			if (err.code != LH_EDATA) {
				r->tool->err = err;
				return -1;
			}
			if (refused(r, b, item, &err) < 0) {
				/* what the map has read beyond here does not count */
				r->tool->state->records -= b->records - (i + 1 + *next);
				return -1;
			}
		}
		start = item->end;
		if (lh_tool_stopping())
			break;
	}
	return 0;
}

/* Write, sink and report what a mapped block (or its part so far) gave. */
static int deliver(struct run *r, struct lh_flow_block *b)
{
	size_t next = 0;
	int rc;

	if (r->flow->before_output && r->flow->before_output(r->flow->ctx, &r->tool->err) < 0) {
		lh_flow_block_clear(b);
		return -1;
	}
	r->tool->state->records += b->records;
	rc = r->flow->sink ? to_sink(r, b, &next) : lh_tool_write(r->tool, b->out.p, b->out.len);
	if (!rc)
		rc = report_rejects(r, b, &next, SIZE_MAX);
	lh_flow_block_clear(b);
	lh_progress_tick(r->tool);
	return rc;
}

static int spill(void *ctx, struct lh_flow_block *b)
{
	return deliver(ctx, b);
}

/* A block is mapped: deliver it, and see whether the run ends with it. */
static int finish_block(struct run *r, struct lh_flow_block *b)
{
	size_t in = b->in.n, out = b->out.len;
	int rc = 0;

	if (b->out.failed)
		lh_buf_reset(&b->out);
	if (!lh_tool_stopping())
		rc = deliver(r, b);
	if (!rc && b->fatal.code) {
		r->tool->err = b->fatal;
		rc = -1;
	}
	if (!rc && b->stop)
		rc = stopped(r);
	lh_flow_name_drop(b->name);
	b->name = NULL;
	lh_holding_give(b->held);
	b->held = NULL;
	if (b->in.cap > KEEP_IN) {
		free(b->in.p);
		b->in = (struct lh_bytes){ NULL, 0, 0 };
	}
	if (b->out.cap > KEEP_OUT)
		lh_buf_free(&b->out);
	/* Where little text becomes much, as vectors do, smaller blocks keep the
	 * output in the cache and bounded. */
	r->in.lines.target = LH_LINES_BLOCK_MAX;
	if (out > in * 4)
		r->in.lines.target = LH_LINES_FIRST;
	return rc;
}

/* Deliver the oldest block in flight. */
static int deliver_oldest(struct run *r)
{
	struct lh_flow_block *b = lh_flow_pool_oldest(&r->pool, true);
	int rc = finish_block(r, b);

	lh_flow_pool_give_back(&r->pool);
	return rc;
}

static int drain(struct run *r)
{
	while (lh_flow_pool_in_flight(&r->pool))
		if (deliver_oldest(r) < 0)
			return -1;
	return 0;
}

/* Nothing is in flight, and nothing old is held, while we wait. */
static int rest(struct run *r)
{
	if (drain(r) < 0)
		return -1;
	lh_flow_pool_rest(&r->pool);
	return 0;
}

/* ---- what goes in ---- */

static uint64_t count_lf(const char *p, size_t n)
{
	const uint64_t ones = 0x0101010101010101ull, low = 0x7f7f7f7f7f7f7f7full;
	uint64_t lines = 0, word, sums, others;
	size_t i = 0, stop;

	while (n - i >= 8) {
		/* a count in each byte of a word, which 255 words cannot overflow */
		stop = n - i < 255 * 8 ? i + (n - i) / 8 * 8 : i + 255 * 8;
		for (sums = 0; i < stop; i += 8) {
			memcpy(&word, p + i, 8);
			word ^= ones * '\n';
			others = ((word & low) + low) | word;	/* tops of the bytes that are none */
			sums += ~others >> 7 & ones;
		}
		sums = (sums & 0x00ff00ff00ff00ffull) + (sums >> 8 & 0x00ff00ff00ff00ffull);
		lines += (sums * 0x0001000100010001ull) >> 48;
	}
	for (; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

static void start_block(struct run *r, struct lh_flow_block *b)
{
	b->name = r->name;
	b->name->refs++;
	b->line = r->line;
	b->first = r->first;
	b->lines = 0;
	b->stop = false;
	b->fatal.code = b->lost.code = LH_OK;
	r->first = false;
	lh_flow_block_clear(b);
}

/* What is this block answered from?  From what there was at the start, where a
 * file is the input: when we come to its records is but a matter of timing. */
static void hold(struct run *r, struct lh_flow_block *b)
{
	struct lh_held *held = r->flow->held;

	if (!held)
		return;
	if (!r->tool->once && r->in.start < 0 && lh_held_look(held, &b->lost) < 0 && b->lost.code != LH_EDATA)
		b->fatal = b->lost;
	b->held = lh_held_take(held);
}

/* A block of lines was read into the pool's free block: map it here when there
 * is nothing to share out, else on the threads. */
static int take_block(struct run *r, struct lh_flow_block *b)
{
	struct lh_flow_pool *p = &r->pool;
	uint64_t lines;
	bool more;
	int rc;

	start_block(r, b);
	hold(r, b);
	more = r->in.next < r->in.n || lh_lines_ready(&r->in.lines);
	if (lh_flow_pool_in_flight(p) || (p->jobs > 1 && more)) {
		lines = count_lf(b->in.p, b->in.n);
		rc = lh_flow_pool_submit(p, &r->tool->err);
		if (rc <= 0) {
			r->line += lines;
			return rc;
		}
	}
	p->mappers[0].spill = spill;
	p->mappers[0].ctx = r;
	lh_flow_map_block(&p->mappers[0], b);
	p->mappers[0].spill = NULL;
	r->line += b->lines;
	return finish_block(r, b);
}

/* A line over the limit: nothing of it is kept, and what there is to say about
 * it makes a block of its own. */
static int take_long(struct run *r)
{
	struct lh_tool *t = r->tool;
	struct lh_flow_block *b;
	const char *p;
	ssize_t n;

	if (drain(r) < 0)
		return -1;
	while ((n = lh_lines_piece(&r->in.lines, &p, &t->err)) > 0)
		if (r->rejects >= 0 && lh_write_all(r->rejects, p, (size_t)n, &t->err) < 0)
			return lh_err_prefix(&t->err, "%s", t->rejects);
	if (n < 0)
		return -1;
	b = lh_flow_pool_block(&r->pool);
	b->in.n = 0;
	start_block(r, b);
	lh_flow_map_long(&r->pool.mappers[0], b);
	r->line++;
	return finish_block(r, b);
}

/* May the line that is being read grow beside what is in flight? */
static int make_room(struct run *r)
{
	struct lh_flow_pool *p = &r->pool;
	size_t budget = r->tool->max_line > IN_FLIGHT ? (size_t)r->tool->max_line : IN_FLIGHT;
	size_t i, held = r->in.lines.want;

	for (i = p->head; i < p->tail; i++)
		held += p->ring[i % p->slots].in.cap;
	if (held > budget && lh_flow_pool_in_flight(p))
		return deliver_oldest(r);
	lh_lines_allow(&r->in.lines);
	return 0;
}

/* The open file cannot be read (further): say so, remember it, go on behind. */
static int bad_file(struct run *r)
{
	struct lh_err err = r->tool->err;

	/* A Ctrl-C ends lh-cat as well: that is no news. */
	if (err.code == LH_EINTR || err.code == LH_ENOMEM || lh_tool_stopping())
		return -1;
	if (drain(r) < 0)
		return -1;
	if (r->tool->state->mute)
		return lh_err_prefix(&r->tool->err, "%s", lh_input_name(&r->in));
	lh_message_at(r->tool, lh_input_name(&r->in), 0, 0, err.msg);
	r->bad_file = true;
	lh_input_leave(&r->in);
	return 0;
}

/* Open the next file: 1, 0 at the end, -1 when the run ends here. */
static int next_file(struct run *r)
{
	const char *text;
	int rc;

	if (lh_input_waits(&r->in) && rest(r) < 0)
		return -1;
	while ((rc = lh_input_open(&r->in)) < 0)
		if (bad_file(r) < 0)
			return -1;
	if (!rc)
		return 0;
	lh_flow_name_drop(r->name);
	text = lh_input_name(&r->in);
	r->name = lh_calloc(1, sizeof *r->name + strlen(text) + 1, &r->tool->err);
	if (!r->name)
		return -1;
	memcpy(r->name->text, text, strlen(text) + 1);
	r->name->refs = 1;
	r->name->operand = r->in.next;
	r->line = 1;
	r->first = true;
	return 1;
}

/* Nothing to read just now: first let out all that is finished. */
static int wait_for_more(struct run *r)
{
	if (lh_flow_pool_in_flight(&r->pool))
		return deliver_oldest(r);
	lh_flow_pool_rest(&r->pool);
	if (lh_tool_flush(r->tool) < 0)
		return -1;
	return lh_lines_wait(&r->in.lines, &r->tool->err);
}

/* The open file to its end: 0, or -1 when the run ends here. */
static int read_file(struct run *r)
{
	struct lh_flow_block *b;
	int rc = 0;

	while (!rc) {
		if (lh_tool_stopping())
			return lh_err_set(&r->tool->err, LH_EINTR, "interrupted");
		while (lh_flow_pool_oldest(&r->pool, false))
			if (deliver_oldest(r) < 0)
				return -1;
		b = lh_flow_pool_block(&r->pool);
		if (!b) {
			rc = deliver_oldest(r);
			continue;
		}
		switch (lh_input_next(&r->in, &b->in)) {
		case LH_LINES_BLOCK:
			rc = take_block(r, b);
			break;
		case LH_LINES_WAIT:
			rc = wait_for_more(r);
			break;
		case LH_LINES_ROOM:
			rc = make_room(r);
			break;
		case LH_LINES_LONG:
			rc = take_long(r);
			break;
		case LH_LINES_END:
			if (!r->flow->texts || !r->first || lh_input_archive(&r->in))
				return 0;
			b->in.n = 0;		/* an empty file is a text too */
			rc = take_block(r, b);
			break;
		case LH_LINES_PROBE:	/* lh_input_next keeps that to itself */
		case LH_LINES_ERROR:
			return bad_file(r);
		}
	}
	return rc;
}

static int read_all(struct run *r)
{
	int rc;

	while ((rc = next_file(r)) > 0)
		if (read_file(r) < 0)
			return -1;
	if (rc < 0 || drain(r) < 0)
		return -1;
	return r->bad_file ? lh_tool_reported(r->tool) : 0;
}

int lh_flow_run(struct lh_tool *tool, const struct lh_flow *flow)
{
	struct run r = { .tool = tool, .flow = flow, .rejects = -1 };
	bool was = lh_signal_deferred();
	struct lh_record again;
	int rc;

	lh_record_init(&again);
	r.again = &again;
	lh_buf_init(&r.rejected, LH_BUF_NOMAX);
	lh_signal_defer(true);
	lh_input_init(&r.in, tool, flow->operands ? flow->operands : tool->operands,
		      flow->operands ? flow->n_operands : tool->n_operands);
	rc = lh_flow_pool_init(&r.pool, tool, flow, &tool->err);
	if (!rc)
		rc = lh_signal_wake_open(&tool->err);
	if (!rc)
		rc = open_rejects(&r);
	r.in.lines.wake = lh_signal_wake_fd();
	r.in.lines.texts = flow->texts;
	r.in.lines.show = flow->show;
	r.in.lines.show_ctx = flow->ctx;
	r.in.plain = flow->plain;
	r.in.lines.max_lines = flow->batch ? flow->batch_max : 0;
	if (!rc)
		rc = read_all(&r);
	lh_flow_pool_free(&r.pool);
	lh_input_free(&r.in);
	lh_flow_name_drop(r.name);
	lh_buf_free(&r.rejected);
	lh_record_free(&again);
	if (r.rejects >= 0 && close(r.rejects) < 0 && errno != EINTR && !rc)
		rc = lh_err_sys(&tool->err, "%s: close failed", tool->rejects);
	lh_signal_defer(was);
	if (lh_signal_pending())
		rc = lh_err_set(&tool->err, LH_EINTR, "interrupted");
	return rc;
}
