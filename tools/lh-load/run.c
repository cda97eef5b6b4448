/* run.c - send requests in a closed or an open loop, and count the answers.  See load.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "json/write.h"
#include "load.h"
#include "tool/records.h"

/* ---- durations in bounded memory ---- */

#define BUCKETS ((uint64_t)1 << HISTOGRAM_BITS)

static unsigned bucket(uint64_t v)
{
	unsigned shift;

	if (v < BUCKETS)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HISTOGRAM_BITS;
	return (unsigned)((shift << HISTOGRAM_BITS) + (v >> shift));
}

/* Return the middle of a bucket. */
static uint64_t middle(unsigned b)
{
	unsigned shift;

	if (b < 2 * BUCKETS)
		return b;
	shift = (b >> HISTOGRAM_BITS) - 1;
	return (((b & (BUCKETS - 1)) + BUCKETS) << shift) + ((uint64_t)1 << shift) / 2;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->n++;
	h->count[bucket(ns)]++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)h->n), seen = 0, at;
	unsigned b = 0;

	if (rank < 1)
		rank = 1;
	while (b < HISTOGRAM_SIZE - 1 && (seen += h->count[b]) < rank)
		b++;
	at = middle(b);
	return at < h->max ? at : h->max;
}

/* ---- the bodies of stdin ---- */

struct reader {
	const struct target *target;
	struct requests *r;
};

static int copy_body(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	(void)context;
	(void)err;
	lh_buf_add(out, rec->line, rec->len);
	return 0;
}

/* Append a request.  Its text may still move, so only its length is set. */
static void add_request(struct requests *r, const struct target *t, const char *method,
		       struct lh_str body)
{
	lh_grow(&r->one, &r->cap, r->n + 1, sizeof *r->one);
	r->one[r->n].n = r->text.len;
	target_request(t, method, lh_str_of(t->path), body, &r->text);
	r->one[r->n].n = r->text.len - r->one[r->n].n;
	r->n++;
}

static int add_body(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct reader *reader = shared;

	(void)err;
	add_request(reader->r, reader->target, "POST", (struct lh_str){ o->text, o->n });
	return 0;
}

int requests_read(struct lh_tool *tool, const struct target *t, struct requests *r)
{
	struct reader reader = { t, r };
	char *files[] = { "-" };
	const char *p;
	size_t i;

	tool->jobs = 1;
	tool->on_error = LH_ON_ERROR_STOP;
	if (!isatty(STDIN_FILENO) &&
	    lh_records_run(tool, &(struct lh_flow){ .files = files, .n_files = 1, .map = copy_body,
						    .sink = add_body, .shared = &reader }) < 0) {
		lh_tool_failed(tool);
		return -1;
	}
	if (!r->n)
		add_request(r, t, "GET", (struct lh_str){ NULL, 0 });
	for (p = r->text.p, i = 0; i < r->n; p += r->one[i++].n)
		r->one[i].p = p;
	return 0;
}

void requests_free(struct requests *r)
{
	if (r->text.p)
		explicit_bzero(r->text.p, r->text.cap);
	lh_buf_free(&r->text);
	free(r->one);
}

/* ---- loops ---- */

#define STATUSES 1000
#define FAULT_MAX 100

static const struct share {
	const char *name;
	double of;
} shares[] = { { "p50_ms", 0.5 }, { "p90_ms", 0.9 }, { "p95_ms", 0.95 }, { "p99_ms", 0.99 } };
#define N_SHARES (sizeof shares / sizeof *shares)

/* A step: so many connections. */
struct run {
	struct lh_tool *tool;
	const struct settings *s;
	const struct requests *requests;
	struct client *client;
	size_t connections;
	uint64_t start, end, deadline;	/* deadline 0: by number alone */
	uint64_t begun, ended;		/* requests */
	size_t *idle, n_idle;		/* slots without a request; after the start for --rate */
	bool over;			/* --rate: what was due until the deadline was begun */
	uint64_t *of_slot;		/* the number of the request in a slot */
	uint64_t faults, status[STATUSES], good;
	char fault[FAULT_MAX];		/* the first */
	int rc;
	struct histogram durations;
};

/* Return when request number i is due. */
static uint64_t due_at(const struct run *r, uint64_t i)
{
	return r->start + (uint64_t)((double)i / r->s->rate * 1e9);
}

static bool may_begin(const struct run *r, uint64_t now)
{
	return r->begun < r->s->number && now < r->deadline && !r->rc && !lh_signal_pending();
}

static void begin(struct run *r, size_t slot, uint64_t due)
{
	r->of_slot[slot] = r->begun;
	client_send(r->client, slot, r->requests->one[r->begun++ % r->requests->n], due);
}

/* Return the number of requests that are due until the deadline. */
static uint64_t all_due(const struct run *r)
{
	double n = ceil(r->s->duration * r->s->rate);

	return n < (double)r->s->number ? (uint64_t)n : r->s->number;
}

/* Print a line of --each. */
static int print_each(struct run *r, size_t slot, const struct answer *a)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "request", r->of_slot[slot]);
	lh_write_f64(&w, "at_ms", milliseconds(a->from - r->start));
	lh_write_f64(&w, "ms", milliseconds(a->to - a->from));
	if (a->fault) {
		lh_write_text(&w, "fault", a->fault);
	} else {
		lh_write_u64(&w, "status", a->status);
		lh_write_u64(&w, "bytes", a->bytes);
	}
	lh_write_end(&w);
	return lh_tool_out_line(r->tool, &line);
}

static void on_answer(void *ctx, size_t slot, const struct answer *a)
{
	struct run *r = ctx;

	r->ended++;
	r->end = a->to;
	if (!a->fault) {
		r->status[a->status]++;
		r->good += a->status / 100 == 2;
		histogram_add(&r->durations, a->to - a->from);
	} else if (!r->faults++) {
		snprintf(r->fault, sizeof r->fault, "%s", a->fault);
	}
	if (r->s->each && !r->rc)
		r->rc = print_each(r, slot, a);
	if (r->s->rate)
		r->idle[r->n_idle++] = slot;
	else if (may_begin(r, a->to))
		begin(r, slot, 0);
}

static int loop(struct run *r)
{
	size_t i;

	for (i = 0; i < r->connections; i++)
		r->idle[r->n_idle++] = r->connections - 1 - i;
	r->start = r->end = client_clock();
	r->deadline = isfinite(r->s->duration) ? r->start + (uint64_t)(r->s->duration * 1e9)
					       : UINT64_MAX;
	while (!r->s->rate && r->n_idle && may_begin(r, r->start))
		begin(r, r->idle[--r->n_idle], 0);
	for (;;) {
		uint64_t ms, of, now, all;

		if (r->s->rate && !r->over && !r->rc && !lh_signal_pending()) {
			/* Begin what is due, as far as slots are free, and wake up for the
			 * next. */
			now = client_clock();
			all = all_due(r);
			while (r->n_idle && r->begun < all && due_at(r, r->begun) <= now)
				begin(r, r->idle[--r->n_idle], due_at(r, r->begun));
			r->over = r->begun == all || now >= r->deadline;
			if (r->n_idle && !r->over)
				client_alarm(r->client, due_at(r, r->begun));
		}
		if (lh_signal_pending() || r->rc)
			break;
		if (r->begun == r->ended && (r->s->rate ? r->over : !may_begin(r, r->end)))
			break;
		if (client_turn(r->client, &r->tool->err) < 0)
			return -1;
		ms = (client_clock() - r->start) / 1000000;
		if (isfinite(r->s->duration)) {
			of = (uint64_t)(r->s->duration * 1000);
			lh_tool_share(r->tool, ms < of ? ms : of, of);
		} else {
			lh_tool_share(r->tool, r->ended, r->s->number);
		}
	}
	return r->rc;
}

static int print_summary(const struct run *r, const char *url)
{
	double took = (double)(r->end - r->start) / 1e9;
	uint64_t answered = r->ended - r->faults;
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	char name[8];
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "url", url);
	lh_write_u64(&w, "concurrency", r->connections);
	lh_write_f64(&w, "duration_s", seconds(r->end - r->start));
	lh_write_u64(&w, "total", r->ended);
	lh_write_f64(&w, "rps", took > 0 ? round((double)answered / took * 10) / 10 : 0);
	lh_write_object(&w, "by_status");
	for (i = 0; i < STATUSES; i++) {
		snprintf(name, sizeof name, "%zu", i);
		if (r->status[i])
			lh_write_u64(&w, name, r->status[i]);
	}
	lh_write_end(&w);
	lh_write_u64(&w, "transport_errors", r->faults);
	for (i = 0; i < N_SHARES; i++)
		if (answered)
			lh_write_f64(&w, shares[i].name,
				     milliseconds(histogram_at(&r->durations, shares[i].of)));
		else
			lh_write_null(&w, shares[i].name);
	if (answered)
		lh_write_f64(&w, "max_ms", milliseconds(r->durations.max));
	else
		lh_write_null(&w, "max_ms");
	lh_write_end(&w);
	return lh_tool_out_line(r->tool, &line);
}

static void print_row(const struct run *r, bool first)
{
	double took = (double)(r->end - r->start) / 1e9;
	uint64_t answered = r->ended - r->faults;
	char at[N_SHARES + 1][16];
	size_t i;

	for (i = 0; i <= N_SHARES; i++)
		snprintf(at[i], sizeof at[i], answered ? "%.3f" : "-",
			 milliseconds(i < N_SHARES ? histogram_at(&r->durations, shares[i].of)
						   : r->durations.max));
	if (first)
		lh_tool_message(r->tool, "%11s %10s %10s %9s %9s %9s %9s %9s %8s %8s",
				"connections", "requests", "per second", "p50 ms", "p90 ms",
				"p95 ms", "p99 ms", "max ms", "not 2xx", "faults");
	lh_tool_message(r->tool, "%11zu %10llu %10.1f %9s %9s %9s %9s %9s %8llu %8llu",
			r->connections, (unsigned long long)r->ended,
			took > 0 ? (double)answered / took : 0, at[0], at[1], at[2], at[3],
			at[4], (unsigned long long)(answered - r->good),
			(unsigned long long)r->faults);
	if (r->faults)
		lh_tool_message(r->tool, "the first fault: %s", r->fault);
	if (r->s->rate && r->over && r->begun < all_due(r))
		lh_tool_message(r->tool,
				"%s due and not sent: all connections waited for answers",
				LH_N(all_due(r) - r->begun, "request was|requests were"));
}

static int run_step(struct run *r, const struct target *t)
{
	struct lh_err *err = &r->tool->err;

	r->idle = lh_calloc(r->connections, sizeof *r->idle);
	r->of_slot = lh_calloc(r->connections, sizeof *r->of_slot);
	r->client = client_open(&(struct client_how){
		.target = t, .slots = r->connections, .timeout = r->s->timeout,
		.done = on_answer, .ctx = r }, err);
	return r->client ? loop(r) : -1;
}

int load_run(struct lh_tool *tool, const struct settings *s, const struct target *t,
	     const struct requests *requests, const char *url)
{
	struct run *r;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < s->steps && !lh_signal_pending(); i++) {
		r = lh_calloc(1, sizeof *r);
		*r = (struct run){ .tool = tool, .s = s, .requests = requests,
				   .connections = s->step[i] };
		rc = run_step(r, t);
		if (!rc) {
			print_row(r, i == 0);
			rc = print_summary(r, url);
		}
		if (r->good < r->ended)
			lh_tool_verdict_bad(tool);
		client_close(r->client);
		free(r->idle);
		free(r->of_slot);
		free(r);
		if (!rc)
			rc = lh_tool_flush(tool);
	}
	return rc;
}
