/* append.c - lh-subject-audit append: records in, rows out. */
#include <stdlib.h>

#include "audit.h"
#include "base/mem.h"
#include <lh/time.h>

struct append {
	struct lh_tool *tool;
	struct lh_chain_log *log;
	struct lh_buf strings;	/* unescaped, of one record */
	struct lh_str *field;	/* its fields_accessed */
	size_t cap;
	char now[LH_TIME_LEN + 8];
};

/* ---- a record ---- */

static int wrong(struct lh_err *err, const char *in, struct lh_str key)
{
	return lh_err_set(err, LH_EDATA, "unknown member \"%s%.*s\"", in, (int)(key.n > 100 ? 100 : key.n), key.p);
}

static int take_string(struct append *a, const struct lh_value *v, const char *name, struct lh_str *to, struct lh_err *err)
{
	if (!v)
		return lh_err_set(err, LH_EDATA, "missing string field \"%s\"", name);
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a string", name);
	return lh_value_str(v, &a->strings, to, err);
}

static int take_accessor(struct append *a, const struct lh_value *v, struct lh_chain_row *row, struct lh_err *err)
{
	static const char *const names[] = { "kind", "daemon", "purpose", "trace_id" };
	struct lh_str *to[] = { &row->kind, &row->daemon, &row->purpose, &row->trace_id };
	struct lh_value got[4] = { { .p = NULL } };
	struct lh_iter it;
	char path[32];
	size_t i;

	if (!v || v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, v ? "\"accessor\" is not an object" : "missing object field \"accessor\"");
	for (lh_iter_init(&it, v); lh_iter_next(&it); got[i] = it.val) {
		for (i = 0; i < 4 && !lh_value_is(&it.key, names[i], strlen(names[i])); i++)
			;
		if (i == 4)
			return wrong(err, "accessor.", (struct lh_str){ it.key.p + 1, it.key.n - 2 });
	}
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "accessor.%s", names[i]);
		if ((got[i].p || i < 3) && take_string(a, got[i].p ? &got[i] : NULL, path, to[i], err) < 0)
			return -1;
	}
	return 0;
}

static int take_fields(struct append *a, const struct lh_value *v, struct lh_chain_row *row, struct lh_err *err)
{
	struct lh_iter it;
	size_t n = 0;

	if (!v || v->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, v ? "\"fields_accessed\" is not an array" : "missing array field \"fields_accessed\"");
	for (lh_iter_init(&it, v); lh_iter_next(&it); n++) {
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "\"fields_accessed\" holds something that is not a string");
		if (lh_grow(&a->field, &a->cap, n + 1, sizeof *a->field, err) < 0 ||
		    lh_value_str(&it.val, &a->strings, &a->field[n], err) < 0)
			return -1;
	}
	row->field = a->field;
	row->n_fields = n;
	return 0;
}

static int take_ts(struct append *a, const struct lh_value *v, struct lh_chain_row *row, struct lh_err *err)
{
	int64_t ms;

	if (!v) {
		lh_tool_time(a->tool, a->now);
		row->ts = (struct lh_str){ a->now, strlen(a->now) };
		return 0;
	}
	if (take_string(a, v, "ts", &row->ts, err) < 0)
		return -1;
	if (lh_time_read(row->ts.p, row->ts.n, &ms) < 0)
		return lh_err_set(err, LH_EDATA, "\"ts\" is not a time like 2026-05-03T12:00:00Z");
	return 0;
}

static int take_record(struct append *a, const struct lh_record *rec, struct lh_chain_row *row, struct lh_err *err)
{
	static const char *const names[] = { "candidate_id", "accessor", "fields_accessed", "result", "ts" };
	const struct lh_value *got[5] = { NULL };
	struct lh_str result;
	size_t i, k;

	*row = (struct lh_chain_row){ .n_fields = 0 };
	lh_buf_reset(&a->strings);
	/* so that no string moves another */
	if (!lh_buf_room(&a->strings, rec->len + LH_PAD))
		return lh_buf_check(&a->strings, err);
	for (k = 0; k < rec->n; k++) {
		for (i = 0; i < 5 && !lh_value_is(&rec->member[k].key, names[i], strlen(names[i])); i++)
			;
		if (i == 5)
			return wrong(err, "", (struct lh_str){ rec->member[k].key.p + 1, rec->member[k].key.n - 2 });
		got[i] = &rec->member[k].val;
	}
	if (take_string(a, got[0], names[0], &row->candidate_id, err) < 0 || take_accessor(a, got[1], row, err) < 0 ||
	    take_fields(a, got[2], row, err) < 0 || take_string(a, got[3], names[3], &result, err) < 0 ||
	    take_ts(a, got[4], row, err) < 0)
		return -1;
	row->result = lh_chain_result(result.p, result.n);
	if (!row->result)
		return lh_err_set(err, LH_EDATA, "\"result\" is \"%.*s\", not success, not_found, denied or error",
				  (int)(result.n > 100 ? 100 : result.n), result.p);
	return 0;
}

/* ---- rows ---- */

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct append *a = arg;
	struct lh_chain_row row;

	if (take_record(a, rec, &row, err) < 0)
		return -1;
	return lh_chain_append(a->log, &row, out, err);
}

/* A row is written to the output after the requested sync. */
static int before_output(void *arg, struct lh_err *err)
{
	struct append *a = arg;

	return lh_chain_log_flush(a->log, err);
}

/* The state that lh_held reopens is the keys; each append opens a log that was
 * replaced.  There is one state: one thread, and nothing is collected between
 * blocks. */
static void *keys_open(void *settings, const void *before, struct lh_err *err)
{
	struct settings *s = settings;

	return before && lh_chain_keys_renew(&s->keys, err) < 0 ? NULL : s;
}

static bool keys_stale(void *settings, const void *state)
{
	(void)settings;
	return lh_chain_keys_stale(&((const struct settings *)state)->keys);
}

static void keys_close(void *state)
{
	(void)state;
}

static int go_on(void *append, void *state, struct lh_err *err)
{
	(void)append;
	(void)state;
	(void)err;
	return 0;
}

int audit_append(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct append *a = lh_calloc(1, sizeof *a, &tool->err);
	struct lh_held_how how = { .open = keys_open, .stale = keys_stale, .close = keys_close, .ctx = settings };
	struct lh_flow flow = { .map = on_record, .before_output = before_output, .shared = a, .renew = go_on };
	struct lh_err later;
	int rc;

	if (!a)
		return -1;
	a->tool = tool;
	lh_buf_init(&a->strings, LH_BUF_NOMAX);
	tool->jobs = 1;
	a->log = lh_chain_log_open(s->dir, &s->keys, (enum lh_chain_sync)s->sync, tool->lock_timeout, &tool->err);
	flow.held = a->log ? lh_held_open(&how, &tool->err) : NULL;
	rc = flow.held ? lh_records_run(tool, &flow) : -1;
	lh_held_close(flow.held);
	if (lh_chain_log_close(a->log, rc ? &later : &tool->err) < 0)
		rc = -1;
	lh_buf_free(&a->strings);
	free(a->field);
	free(a);
	return rc;
}
