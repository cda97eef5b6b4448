/* append.c - lh-subject-audit append: records in, rows out. */
#include <stdlib.h>

#include "audit.h"
#include "lh_mem.h"
#include "lh_time.h"

#define BATCH 4096

struct append {
	struct lh_tool *tool;
	struct lh_chain_log *log;
	int sync;
	struct lh_buf strings;	/* unescaped, of one record */
	struct lh_str *field;	/* its fields_accessed */
	size_t cap;
	char now[LH_TIME_LEN + 8];
	/* what the batch's records came to: a row, or a message from a NUL on */
	struct lh_buf answers;
	struct { size_t at, n; bool bad; } answer[BATCH];
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
	if (!lh_buf_room(&a->strings, rec->len + LH_PAD))	/* so that no string moves another */
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

/* ---- a batch ---- */

/* Append one record's row: what it came to is the next answer. -1: fatal. */
static int append_one(struct append *a, const struct lh_record *rec, size_t i, struct lh_err *err)
{
	struct lh_chain_row row;
	size_t at = a->answers.len;
	int rc = take_record(a, rec, &row, err);

	if (rc == 0)
		rc = lh_chain_append(a->log, &row, &a->answers, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	if (rc < 0)
		lh_buf_add(&a->answers, err->msg, strlen(err->msg) + 1);
	a->answer[i].at = at;
	a->answer[i].n = a->answers.len - at;
	a->answer[i].bad = rc < 0;
	return lh_buf_check(&a->answers, err);
}

static void answer(struct append *a, struct lh_batch *b, size_t i)
{
	const char *p = a->answers.p + a->answer[i].at;
	struct lh_err why;

	if (a->answer[i].bad) {
		lh_err_set(&why, LH_EDATA, "%s", p);
		lh_batch_reject(b, &why);
	} else {
		lh_buf_add(b->out, p, a->answer[i].n);
		lh_batch_accept(b);
	}
}

/* A row that was added is answered, also when a later one cannot be. */
static int on_batch(struct lh_batch *b, void *arg, struct lh_err *err)
{
	struct append *a = arg;
	struct lh_err later;
	size_t i, done;
	int rc = 0;

	lh_buf_reset(&a->answers);
	for (done = 0; done < b->n && !rc; done++)
		rc = append_one(a, b->rec[done], done, err);
	done -= rc < 0;
	if (a->sync != LH_CHAIN_EACH && lh_chain_log_flush(a->log, rc ? &later : err) < 0)
		return -1;
	for (i = 0; i < done; i++)
		answer(a, b, i);
	return rc;
}

int audit_append(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct append *a = lh_calloc(1, sizeof *a, &tool->err);
	struct lh_flow flow = { .batch = on_batch, .batch_max = s->sync == LH_CHAIN_EACH ? 1 : BATCH, .ctx = a };
	struct lh_err later;
	int rc;

	if (!a)
		return -1;
	a->tool = tool;
	a->sync = s->sync;
	lh_buf_init(&a->strings, LH_BUF_NOMAX);
	lh_buf_init(&a->answers, LH_BUF_NOMAX);
	tool->jobs = 1;
	a->log = lh_chain_log_open(s->dir, &s->keys, (enum lh_chain_sync)s->sync, &tool->err);
	rc = a->log ? lh_flow_run(tool, &flow) : -1;
	if (lh_chain_log_close(a->log, rc ? &later : &tool->err) < 0)
		rc = -1;
	lh_buf_free(&a->strings);
	lh_buf_free(&a->answers);
	free(a->field);
	free(a);
	return rc;
}
