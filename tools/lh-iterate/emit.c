/* emit.c - --emit-session: write session rows from their members. */
#include "iterate.h"

#include <lh/session.h>

struct worker {
	struct iterate *it;
	struct lh_session_reader reader;
};

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->it = ctx;
	lh_session_reader_init(&w->reader);
	return 0;
}

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_session_reader_free(&w->reader);
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;
	struct lh_session_row row;
	char now[32];

	if (lh_session_read(&w->reader, rec, &row, err) < 0)
		return -1;
	lh_tool_time(w->it->tool, now);
	row.timestamp = (struct lh_str){ now, strlen(now) };
	row.daemon = (struct lh_str){ w->it->daemon, strlen(w->it->daemon) };
	lh_session_print(out, &row);
	return 0;
}

int emit_run(struct lh_tool *tool, void *it)
{
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_record, .shared = it,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}
