/* observe.c - write rows, and append them to the log.  See observe.h. */
#include "observe.h"

#include <unistd.h>

#include "json/write.h"

static void write_given(struct lh_writer *w, const char *name, struct lh_str s)
{
	if (s.n)
		lh_write_str(w, name, s);
}

void lh_observe_print(struct lh_buf *out, const struct lh_observe_row *row)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "timestamp", row->timestamp);
	lh_write_str(&w, "source", row->source);
	lh_write_str(&w, "endpoint", row->endpoint);
	write_given(&w, "input_summary", row->input_summary);
	lh_write_bool(&w, "success", row->success);
	if (row->duration_ms.n)
		lh_write_raw(&w, "duration_ms", row->duration_ms);
	write_given(&w, "output_summary", row->output_summary);
	write_given(&w, "error", row->error);
	if (row->more.n)
		lh_write_raw(&w, NULL, row->more);
	lh_write_end(&w);
}

int lh_observe_open(struct lh_observe_log *l, const char *path, double lock_timeout,
		    struct lh_err *err)
{
	*l = (struct lh_observe_log){ .file = { .fd = -1 } };
	if (lh_applog_open(&l->file, path, 0600, lock_timeout, err) < 0)
		return -1;
	return 0;
}

int lh_observe_append(struct lh_observe_log *l, const char *row, size_t n, struct lh_err *err)
{
	l->changed = true;
	return lh_applog_append(&l->file, row, n, LH_SYNC_NONE, err);
}

int lh_observe_sync(struct lh_observe_log *l, struct lh_err *err)
{
	bool changed = l->changed;

	l->changed = false;
	if (changed && fdatasync(l->file.fd) < 0)
		return lh_err_sys(err, "%s: cannot sync", l->file.path);
	return 0;
}

int lh_observe_close(struct lh_observe_log *l, struct lh_err *err)
{
	return lh_applog_close(&l->file, err);
}
