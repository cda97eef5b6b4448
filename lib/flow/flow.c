/* flow.c - read blocks, have threads map them, deliver their output in order.  See flow.h. */
#include "flow.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "flow_parts.h"

/* ---- threads ---- */

static int lh_flow_pool_init(struct lh_flow_pool *p, const struct lh_flow *flow, struct lh_err *err)
{
	size_t i;

	memset(p, 0, sizeof *p);
	p->flow = flow;
	p->jobs = (size_t)flow->jobs;
	p->slots = p->jobs > 1 ? p->jobs * 2 + 1 : 1;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->done, NULL);
	p->mappers = lh_calloc(p->jobs, sizeof *p->mappers);
	p->threads = lh_calloc(p->jobs, sizeof *p->threads);
	p->ring = lh_calloc(p->slots, sizeof *p->ring);
	for (i = 0; i < p->slots; i++) {
	}
	p->n_mappers = 1;
	return lh_flow_mapper_init(&p->mappers[0], flow, err);
}

static void lh_flow_pool_free(struct lh_flow_pool *p)
{
	size_t i;

	pthread_mutex_lock(&p->mutex);
	/* Blocks still in flight are no longer needed: end their upstream calls too. */
	__atomic_store_n(&p->quit, true, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
	for (i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	for (i = 0; i < p->n_mappers; i++)
		lh_flow_mapper_free(&p->mappers[i]);
	for (i = 0; p->ring && i < p->slots; i++)
		lh_flow_block_free(&p->ring[i]);
	free(p->mappers);
	free(p->threads);
	free(p->ring);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->mutex);
}

static void *run_thread(void *arg)
{
	struct lh_flow_mapper *m = arg;
	struct lh_flow_pool *p = m->pool;
	struct lh_flow_block *b;

	lh_stop_when(&p->quit);
	pthread_mutex_lock(&p->mutex);
	for (;;) {
		while (!p->quit && p->taken == p->tail)
			pthread_cond_wait(&p->work, &p->mutex);
		if (p->quit)
			break;
		b = &p->ring[p->taken++ % p->slots];
		pthread_mutex_unlock(&p->mutex);
		lh_flow_map_block(m, b);
		pthread_mutex_lock(&p->mutex);
		b->done = true;
		pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Start one more thread; if none can be started, continue with those that run. */
static int start(struct lh_flow_pool *p, struct lh_err *err)
{
	struct lh_flow_mapper *m = &p->mappers[p->n_threads];
	sigset_t old;
	int rc;

	if (p->n_threads == p->n_mappers) {
		p->n_mappers++;
		if (lh_flow_mapper_init(m, p->flow, err) < 0)
			return -1;
	}
	m->pool = p;
	lh_signal_block(&old);
	rc = pthread_create(&p->threads[p->n_threads], NULL, run_thread, m);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		p->n_threads++;
	else
		p->jobs = p->n_threads;
	return 0;
}

/* Return the free block to fill next, or NULL when all are in flight. */
static struct lh_flow_block *lh_flow_pool_block(struct lh_flow_pool *p)
{
	return lh_flow_pool_in_flight(p) < p->slots ? &p->ring[p->tail % p->slots] : NULL;
}

/* Submit that block to the threads.  0, 1 when no thread could be started, or -1. */
static int lh_flow_pool_submit(struct lh_flow_pool *p, struct lh_err *err)
{
	if (p->n_threads < p->jobs && p->n_threads <= lh_flow_pool_in_flight(p) &&
	    start(p, err) < 0)
		return -1;
	if (!p->n_threads)
		return 1;
	pthread_mutex_lock(&p->mutex);
	p->ring[p->tail % p->slots].done = false;
	p->tail++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->mutex);
	return 0;
}

/* Return the oldest block in flight once it is mapped, or NULL when none is in flight; if it
 * is not mapped yet, wait for it or return NULL.  Give it back after use. */
static struct lh_flow_block *lh_flow_pool_oldest(struct lh_flow_pool *p, bool wait)
{
	struct lh_flow_block *b = NULL;

	if (!lh_flow_pool_in_flight(p))
		return NULL;
	pthread_mutex_lock(&p->mutex);
	b = &p->ring[p->head % p->slots];
	while (wait && !b->done)
		pthread_cond_wait(&p->done, &p->mutex);
	if (!b->done)
		b = NULL;
	pthread_mutex_unlock(&p->mutex);
	return b;
}

static void lh_flow_pool_give_back(struct lh_flow_pool *p)
{
	p->head++;
}

/* Release all states but the newest.  No block may be in flight. */
static void lh_flow_pool_rest(struct lh_flow_pool *p)
{
	size_t i;

	for (i = 0; p->flow->held && i < p->n_mappers; i++)
		if (!lh_held_newest(p->flow->held, p->mappers[i].held))
			lh_flow_mapper_rest(&p->mappers[i]);
}

/* ---- the flow ---- */

#define KEEP_IN ((size_t)1 << 20)	/* larger buffers are not kept for reuse */
#define KEEP_OUT ((size_t)8 << 20)
#define IN_FLIGHT ((size_t)16 << 20)	/* bytes of input; more only for a longer line */

struct run {
	struct lh_flow flow;		/* with its defaults filled in */
	const struct lh_flow_hooks *hooks;
	struct lh_err *err;		/* of the run */
	struct lh_input in;
	struct lh_flow_pool pool;
	struct lh_flow_name *name;	/* of the open file */
	uint64_t line;			/* number of its next line */
	bool first;			/* no block of it has been read */
	bool bare;			/* only blank lines of it have been read */
	uint64_t done, of;		/* bytes of input, for hooks->share */
};

/* ---- output of a block ---- */

static int rejected(struct run *r, const struct lh_rejection *of)
{
	if (r->hooks->rejected)
		return r->hooks->rejected(r->flow.owner, of, r->err);
	lh_err_set(r->err, LH_ECORRUPT, "%s:%llu: %s", of->file, (unsigned long long)of->line,
		   of->why);
	r->err->column = of->column;
	return -1;
}

/* Report the rejections of lines before the byte at, from number *next on. */
static int report_rejects(struct run *r, const struct lh_flow_block *b, size_t *next, size_t at)
{
	while (*next < b->n_rejects && b->rejects[*next].at < at) {
		struct lh_rejection of = lh_flow_rejection(b, &b->rejects[(*next)++]);

		if (rejected(r, &of) < 0)
			return -1;
	}
	return 0;
}

/* Handle a failed sink: reject the record with LH_EDATA, else end the run. */
static int refused(struct run *r, const struct lh_flow_block *b, const struct lh_flow_item *item)
{
	const struct lh_err why = *r->err;
	struct lh_rejection of = {
		b->name->text, item->line, b->name->operand, b->in.p + item->at, item->n,
		why.code, why.column, lh_err_status(&why), why.coded, why.msg,
		item->line == b->opening,
	};

	return why.code == LH_EDATA ? rejected(r, &of) : -1;
}

/* Pass the outputs to the sink, and report rejections in their places between them. */
static int to_sink(struct run *r, struct lh_flow_block *b, size_t *next)
{
	struct lh_output o = { .file = b->name->text };
	size_t i, start = 0;

	for (i = 0; i < b->n_items && !lh_stopping(); i++) {
		const struct lh_flow_item *item = &b->items[i];

		if (report_rejects(r, b, next, item->at) < 0)
			return -1;
		o.text = b->out.p ? b->out.p + start : NULL;
		o.n = item->end - start;
		o.result = r->flow.result_size ? b->results + i * r->flow.result_size : NULL;
		o.line = item->line;
		start = item->end;
		if (r->flow.sink(&o, r->flow.shared, r->err) < 0 && refused(r, b, item) < 0) {
			b->records = i + 1 + *next;	/* later ones do not count */
			return -1;
		}
	}
	return 0;
}

/* Report that so many more bytes of input are done. */
static void count_bytes(struct run *r, uint64_t bytes)
{
	if (!r->hooks->share)
		return;
	if (r->in.cat)
		r->of = 0;
	r->done = r->of ? r->done + bytes : 0;
	r->hooks->share(r->flow.owner, r->done, r->of);
}

/* Write a mapped block (or its part so far) or pass it to the sink, and report its rejections. */
static int deliver(struct run *r, struct lh_flow_block *b)
{
	uint64_t records;
	size_t next = 0;
	int rc;

	if (r->flow.before_output && r->flow.before_output(r->flow.shared, r->err) < 0) {
		lh_flow_block_clear(b);
		return -1;
	}
	rc = r->flow.sink ? to_sink(r, b, &next) :
			    r->hooks->write(r->flow.owner, b->out.p, b->out.len, r->err);
	if (!rc)
		rc = report_rejects(r, b, &next, SIZE_MAX);
	records = b->records;
	lh_flow_block_clear(b);
	if (r->hooks->delivered &&
	    r->hooks->delivered(r->flow.owner, records, rc ? &(struct lh_err){ 0 } : r->err) < 0)
		rc = -1;
	return rc;
}

static int spill(void *ctx, struct lh_flow_block *b, struct lh_err *err)
{
	struct run *r = ctx;
	int rc = deliver(r, b);

	if (rc < 0)
		*err = *r->err;
	return rc;
}

/* Deliver a mapped block and make it free.  -1 when the run ends with it. */
static int finish_block(struct run *r, struct lh_flow_block *b)
{
	size_t in = b->in.n, out = b->out.len;
	int rc = 0;

	count_bytes(r, in);
	if (!lh_stopping())
		rc = deliver(r, b);
	if (!rc && b->fatal.code) {
		*r->err = b->fatal;
		rc = -1;
	}
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
	/* When output is much larger than input (vectors), smaller blocks keep the output small
	 * enough for the cache. */
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

/* Deliver all blocks and release old states before a wait. */
static int rest(struct run *r)
{
	if (drain(r) < 0)
		return -1;
	lh_flow_pool_rest(&r->pool);
	return 0;
}

/* ---- input ---- */

static uint64_t count_lf(const char *p, size_t n)
{
	const uint64_t ones = 0x0101010101010101ull, low = 0x7f7f7f7f7f7f7f7full;
	uint64_t lines = 0, word, sums, others;
	size_t i = 0, stop;

	while (n - i >= 8) {
		/* each byte of sums counts LFs; 255 words cannot overflow it */
		stop = n - i < 255 * 8 ? i + (n - i) / 8 * 8 : i + 255 * 8;
		for (sums = 0; i < stop; i += 8) {
			memcpy(&word, p + i, 8);
			word ^= ones * '\n';
			others = ((word & low) + low) | word;	/* top bits of non-LF */
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
	b->bare = r->bare;
	b->opening = 0;
	b->lines = 0;
	b->stop = false;
	b->fatal.code = b->lost.code = LH_OK;
	r->first = false;
	lh_flow_block_clear(b);
}

/* Map a block just read, on the threads, or here if nothing is in flight and no further input
 * is ready. */
static int take_block(struct run *r, struct lh_flow_block *b)
{
	struct lh_flow_pool *p = &r->pool;
	uint64_t lines;
	bool more;
	int rc;
	struct lh_held *held = r->flow.held;
	struct lh_err why;

	start_block(r, b);
	/* Choose the state that the block is mapped with: the newest, after a check for changes
	 * unless with once or for a regular file, all of whose blocks are mapped with one
	 * state. */
	if (held) {
		if (!r->flow.once && r->in.start < 0 && lh_held_look(held, &why) < 0)
			*(why.code == LH_EDATA ? &b->lost : &b->fatal) = why;
		b->held = lh_held_take(held);
	}
	more = r->in.next < r->in.n || lh_lines_ready(&r->in.lines);
	if (lh_flow_pool_in_flight(p) || (p->jobs > 1 && more)) {
		lines = count_lf(b->in.p, b->in.n);
		rc = lh_flow_pool_submit(p, r->err);
		if (rc <= 0) {
			r->line += lines;
			r->bare = false;	/* taken so: it is not mapped yet */
			return rc;
		}
	}
	p->mappers[0].spill = spill;
	p->mappers[0].ctx = r;
	lh_flow_map_block(&p->mappers[0], b);
	p->mappers[0].spill = NULL;
	r->line += b->lines;
	r->bare &= !b->opening;
	return finish_block(r, b);
}

/* Read past a line over the limit, and deliver its rejection as a block of its own. */
static int take_long(struct run *r)
{
	struct lh_flow_block *b;
	const char *p;
	ssize_t n;

	if (drain(r) < 0)
		return -1;
	while ((n = lh_lines_piece(&r->in.lines, &p, r->err)) > 0) {
		count_bytes(r, (uint64_t)n);
		if (r->hooks->long_line &&
		    r->hooks->long_line(r->flow.owner, p, (size_t)n, r->err) < 0)
			return -1;
	}
	if (n < 0)
		return -1;
	b = lh_flow_pool_block(&r->pool);
	b->in.n = 0;
	start_block(r, b);
	lh_flow_map_long(&r->pool.mappers[0], b);
	r->line++;
	r->bare = false;
	return finish_block(r, b);
}

/* Let the buffer grow for a long line, after delivering blocks while memory in flight is over
 * the bound. */
static int make_room(struct run *r)
{
	struct lh_flow_pool *p = &r->pool;
	size_t budget = r->flow.max_line > IN_FLIGHT ? (size_t)r->flow.max_line : IN_FLIGHT;
	size_t i, held = r->in.lines.want;

	for (i = p->head; i < p->tail; i++)
		held += p->ring[i % p->slots].in.cap;
	if (held > budget && lh_flow_pool_in_flight(p))
		return deliver_oldest(r);
	lh_lines_allow(&r->in.lines);
	return 0;
}

/* Handle a read error of the open file: 0 to continue with the next one, or -1. */
static int unreadable(struct run *r)
{
	struct lh_err why = *r->err;

	/* Ctrl-C ends lh-cat too: not an error to report. */
	if (why.code == LH_EINTR || lh_stopping())
		return -1;
	if (drain(r) < 0)
		return -1;
	*r->err = why;
	if (!r->hooks->unreadable)
		return lh_err_prefix(r->err, "%s", lh_input_name(&r->in));
	if (r->hooks->unreadable(r->flow.owner, lh_input_name(&r->in), r->err) < 0)
		return -1;
	lh_input_leave(&r->in);
	return 0;
}

/* Open the next file.  1, 0 at the end of the input, -1 when the run ends. */
static int next_file(struct run *r)
{
	const char *text;
	int rc;

	if (lh_input_waits(&r->in) && rest(r) < 0)
		return -1;
	while ((rc = lh_input_open(&r->in, r->err)) < 0)
		if (unreadable(r) < 0)
			return -1;
	if (!rc)
		return 0;
	lh_flow_name_drop(r->name);
	text = lh_input_name(&r->in);
	r->name = lh_calloc(1, sizeof *r->name + strlen(text) + 1);
	memcpy(r->name->text, text, strlen(text) + 1);
	r->name->refs = 1;
	r->name->operand = r->in.next;
	r->line = 1;
	r->first = r->bare = true;
	return 1;
}

/* Wait for input, after delivering all blocks in flight, one per call. */
static int wait_for_more(struct run *r)
{
	int ms;

	if (lh_flow_pool_in_flight(&r->pool))
		return deliver_oldest(r);
	ms = r->flow.hold ? r->flow.hold(r->flow.shared) : 0;
	if (ms > 0 && lh_lines_come(&r->in.lines, ms))
		return 0;
	lh_flow_pool_rest(&r->pool);
	r->in.lines.reader = r->hooks->waiting ? r->hooks->waiting(r->flow.owner, r->err) : 0;
	if (r->in.lines.reader < 0)
		return -1;
	return lh_lines_wait(&r->in.lines, r->err);
}

/* Read the open file to its end: 0, or -1 when the run ends. */
static int read_file(struct run *r)
{
	struct lh_flow_block *b;
	int rc = 0;

	while (!rc) {
		if (lh_stopping())
			return lh_err_set(r->err, LH_EINTR, "interrupted");
		while (lh_flow_pool_oldest(&r->pool, false))
			if (deliver_oldest(r) < 0)
				return -1;
		b = lh_flow_pool_block(&r->pool);
		if (!b) {
			rc = deliver_oldest(r);
			continue;
		}
		switch (lh_input_next(&r->in, &b->in, r->err)) {
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
			if (!r->flow.texts || !r->first || lh_input_archive(&r->in))
				return 0;
			b->in.n = 0;		/* an empty file is a text as well */
			rc = take_block(r, b);
			break;
		case LH_LINES_PROBE:	/* not returned by lh_input_next */
		case LH_LINES_ERROR:
			return unreadable(r);
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
	return 0;
}

/* Run the flow; fd is the descriptor of its one file, or -1. */
static int run(const struct lh_flow *flow, int fd, struct lh_err *err)
{
	static const struct lh_flow_hooks none;
	struct run r = { .flow = *flow, .hooks = flow->hooks ? flow->hooks : &none, .err = err };
	bool was = lh_signal_deferred();
	int rc;

	r.flow.jobs = flow->jobs ? flow->jobs : 1;
	r.flow.max_line = flow->max_line ? flow->max_line : LH_FLOW_MAX_LINE;
	r.flow.stop_at_reject |= !r.hooks->rejected;
	lh_signal_defer(true);
	lh_input_init(&r.in, flow->files, flow->n_files, r.flow.max_line);
	r.in.opened = fd;
	r.in.any = fd >= 0 && flow->values;	/* lh-subject searches any file */
	r.in.plain = flow->plain;
	r.in.output = flow->output;
	r.of = r.hooks->share ? lh_input_size(&r.in) : 0;
	rc = lh_flow_pool_init(&r.pool, &r.flow, err);
	if (!rc)
		rc = lh_signal_wake_open(err);
	r.in.lines.wake = lh_signal_wake_fd();
	r.in.lines.texts = flow->texts;
	r.in.lines.show = flow->show;
	r.in.lines.show_ctx = flow->shared;
	r.in.lines.max_lines = flow->one_by_one ? 1 : flow->batch ? flow->batch_max : 0;
	if (!rc)
		rc = read_all(&r);
	lh_flow_pool_free(&r.pool);
	lh_input_free(&r.in);
	lh_flow_name_drop(r.name);
	lh_signal_defer(was);
	return lh_signal_pending() ? lh_err_set(err, LH_EINTR, "interrupted") : rc;
}

int lh_flow_run(const struct lh_flow *flow, struct lh_err *err)
{
	return run(flow, -1, err);
}

int lh_flow_fd(const char *name, int fd, const struct lh_flow *flow, struct lh_err *err)
{
	struct lh_flow one = *flow;

	one.files = (char *[]){ (char *)name };
	one.n_files = 1;
	return run(&one, fd, err);
}

int lh_flow_file(const char *path, const struct lh_flow *flow, struct lh_err *err)
{
	struct lh_flow plain = *flow;
	int fd, rc;

	plain.plain = true;
	if (!strcmp(path, "-") || !strcmp(path, "/dev/stdin"))
		return lh_flow_fd("-", STDIN_FILENO, &plain, err);
	fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (fd < 0)
		return -1;
	rc = lh_flow_fd(path, fd, &plain, err);
	close(fd);
	return rc;
}
