/* append.c - lh-subject-audit append: records in, rows out. */
#include <stdlib.h>

#include "audit.h"
#include "base/mem.h"
#include <lh/time.h>

struct append {
	struct lh_tool *tool;
	struct lh_chain_log *log;
	struct lh_buf strings;	/* of one record */
	char now[LH_TIME_LEN + 8];
};

/* ---- a record ---- */

static const char *const results[] = { "success", "not_found", "denied", "error", NULL };

static const struct lh_bind accessor[] = {
	{ LH_BIND_STRING("kind", struct lh_chain_accessor, kind), .required = true },
	{ LH_BIND_STRING("daemon", struct lh_chain_accessor, daemon), .required = true },
	{ LH_BIND_STRING("purpose", struct lh_chain_accessor, purpose), .required = true },
	{ LH_BIND_STRING("trace_id", struct lh_chain_accessor, trace_id), .not_null = true },
	{ LH_BIND_STRING("token", struct lh_chain_accessor, token), .not_null = true,
	  .filled = true },
	LH_BIND_CLOSED
};
const struct lh_bind append_members[] = {
	{ LH_BIND_STRING("candidate_id", struct lh_chain_row, candidate_id), .required = true },
	{ LH_BIND_TABLE("accessor", struct lh_chain_row, accessor, accessor), .required = true },
	{ LH_BIND_STRINGS("fields_accessed", struct lh_chain_row, field, n_fields),
	  .required = true },
	{ LH_BIND_CHOICE("result", struct lh_chain_row, result, results), .required = true },
	{ LH_BIND_STRING("ts", struct lh_chain_row, ts), .not_null = true,
	  LH_BIND_TIME },
	LH_BIND_CLOSED
};

static int read_record(struct append *a, const struct lh_record *rec, struct lh_chain_row *row,
		       struct lh_err *err)
{
	*row = (struct lh_chain_row){ .n_fields = 0 };
	if (lh_bind(append_members, rec, row, &a->strings, err) < 0)
		return -1;
	if (!row->ts.p) {
		lh_tool_time(a->tool, a->now);
		row->ts = (struct lh_str){ a->now, strlen(a->now) };
	}
	return 0;
}

/* ---- rows ---- */

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct append *a = arg;
	struct lh_chain_row row;

	if (read_record(a, rec, &row, err) < 0)
		return -1;
	return lh_chain_append(a->log, &row, out, err);
}

/* A row is written to the output after the requested sync. */
static int before_output(void *arg, struct lh_err *err)
{
	struct append *a = arg;

	return lh_chain_log_flush(a->log, err);
}

int audit_append(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_free_local) struct append *a = lh_calloc(1, sizeof *a);
	struct lh_flow flow = { .map = on_record, .before_output = before_output, .shared = a };
	struct lh_err later;
	int rc;

	a->tool = tool;
	a->log = lh_chain_log_open(s->dir, &s->keys, (enum lh_chain_sync)s->sync,
				   tool->lock_timeout, &tool->err);
	rc = a->log ? run_with_keys(tool, settings, &flow) : -1;
	if (lh_chain_log_close(a->log, rc ? &later : &tool->err) < 0)
		rc = -1;
	lh_buf_free(&a->strings);
	return rc;
}
