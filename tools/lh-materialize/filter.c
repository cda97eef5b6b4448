/* filter.c - rows of one stream in, evidence out. */
#include "materialize.h"

struct filter {
	enum lh_stream stream;
	char recorded_at[LH_TIME_LEN + 1];
};

struct worker {
	enum lh_stream stream;
	struct lh_evidence *e;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_evidence_free(w->e);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct filter *f = ctx;
	struct worker *w = context;

	(void)err;
	w->stream = f->stream;
	w->e = lh_evidence_new(f->recorded_at);
	return 0;
}

static int on_row(struct lh_record *row, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;

	return lh_evidence_make(w->e, w->stream, row, row->number - 1, out, err);
}

int filter_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *at = s->run.recorded_at ? s->run.recorded_at : tool->now;
	struct filter f = { .stream = lh_stream_read(s->source, strlen(s->source)) };
	int64_t ms;

	if (f.stream == LH_STREAM_NONE)
		return unknown_source(tool, "--source", s->source, strlen(s->source));
	if (!at || lh_time_read(at, strlen(at), &ms) < 0)
		ms = lh_time_clock();
	lh_time_print(ms, f.recorded_at);
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_row, .shared = &f, .tombstones = true,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}
