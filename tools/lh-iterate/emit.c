/* emit.c - --emit-session: write session rows from their members. */
#include "iterate.h"

#include <stdlib.h>

#include "base/mem.h"
#include <lh/session.h>

struct worker {
	struct iterate *it;
	struct lh_session_reader reader;
};

static void *worker_new(void *ctx, struct lh_err *err)
{
	struct worker *w = lh_calloc(1, sizeof *w, err);

	if (w) {
		w->it = ctx;
		lh_session_reader_init(&w->reader);
	}
	return w;
}

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_session_reader_free(&w->reader);
	free(w);
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

int emit_run(struct iterate *it)
{
	return lh_records_run(it->tool, &(struct lh_flow){
		.map = on_record, .worker_new = worker_new, .worker_free = worker_free, .shared = it });
}
