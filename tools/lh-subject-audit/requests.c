/* requests.c - what requests of lh-subject-audit answer; append, accesses and prove. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "audit.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "tlog/note.h"

/* ---- append ---- */

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

/* ---- accesses ---- */

/* Print a row as it is in its log. */
static int print_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_tool *tool = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	(void)err;
	lh_buf_add(&b, rec->line, rec->len);
	lh_buf_putc(&b, '\n');
	return print(tool, &b);
}

struct accesses {
	struct key_check key;
	uint64_t logs, rows;
};

/* List the rows of one log in the window; a log that is broken is reported. */
static int list_log(struct lh_tool *tool, const struct settings *s, const char *path,
		    const struct log *log, void *ctx)
{
	struct accesses *all = ctx;
	struct report r = { .tool = tool, .s = s, .log = (char *)path };
	const struct lh_chain_check c = check_of(tool, s, log->name, log->anchor);
	char error[LH_CHAIN_ERROR];

	if (lh_chain_verify(path, &c, &r.v, &tool->err) < 0 ||
	    key_settle(&all->key, tool, s, &c, path, &r.v) < 0)
		return -1;
	if (key_is_wrong(&all->key)) {
		lh_tool_verdict_bad(tool);
		return 0;
	}
	log_error(log, &r.v, error);
	if (*error) {
		log_say(tool, path, log, &r.v, error);
		lh_tool_verdict_bad(tool);
	}
	all->logs++;
	if (r.v.absent)
		return 0;
	if (report_rows(&r, print_row, tool) < 0)
		return -1;
	all->rows += r.in_window;
	return 0;
}

int audit_accesses(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	struct accesses all = { .logs = 0 };
	int rc = anchor_for(&a, tool, s);

	if (!rc)
		rc = each_log(tool, s, &a, list_log, &all, NULL);
	if (!rc && key_is_wrong(&all.key))
		return key_error(&tool->err);
	if (!rc && !all.logs)
		lh_tool_verdict_over(tool, 0, "logs", s->dir);
	else if (!rc)
		lh_tool_message(tool, "%s to the data of %s", LH_N(all.rows, "access|accesses"),
				LH_N(all.logs, "person"));
	return rc;
}

/* ---- prove ---- */

struct wanted_rows {
	struct lh_tool *tool;
	struct lh_row_proofs proofs;
	uint64_t *row;			/* in order, each once; n 0: all */
	size_t n, next;
	struct lh_buf out;
};

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Read the values of --row, and name those that are not committed. */
static void read_wanted(struct wanted_rows *w, const struct settings *s)
{
	size_t i, n = 0;

	w->row = lh_calloc(s->row.n + 1, sizeof *w->row);
	for (i = 0; i < s->row.n; i++)
		lh_tlog_size_read(lh_str_of(s->row.v[i]), INT64_MAX, &w->row[i]);
	qsort(w->row, s->row.n, sizeof *w->row, by_number);
	for (i = 0; i < s->row.n; i++) {
		if (i && w->row[i] == w->row[i - 1])
			continue;
		if (w->row[i] >= w->proofs.at.count) {
			lh_tool_warn(w->tool, "row %llu is not committed: %llu are",
				     (unsigned long long)w->row[i],
				     (unsigned long long)w->proofs.at.count);
			lh_tool_verdict_bad(w->tool);
			continue;
		}
		w->row[n++] = w->row[i];
	}
	w->n = n;
}

static int prove_row(void *ctx, uint64_t row, struct lh_str line, struct lh_str row_hmac,
		     struct lh_err *err)
{
	struct wanted_rows *w = ctx;

	if (w->n && w->row[w->next] != row)
		return 0;
	if (lh_row_proofs_add(&w->proofs, row, line, row_hmac, &w->out, err) < 0 ||
	    print(w->tool, &w->out) < 0)
		return -1;
	w->next++;
	return 0;
}

static int prove_wanted(struct wanted_rows *w, const struct settings *s, const char *name)
{
	struct lh_err *err = &w->tool->err;
	LH_SCOPED(lh_free_local) char *log = lh_subject_path(s->dir, name, LH_SUBJECT_LOG);
	uint64_t to;

	read_wanted(w, s);
	if (!s->row.n && !w->proofs.at.count) {
		lh_tool_warn(w->tool, "%s: no row of it is committed", log);
		lh_tool_verdict_bad(w->tool);
	}
	to = !s->row.n ? w->proofs.at.count : w->n ? w->row[w->n - 1] + 1 : 0;
	return to ? lh_commit_rows(log, w->n ? w->row[0] : 0, to, prove_row, w, err) : 0;
}

int audit_prove(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_free_local) char *id = operand_id(tool, s, tool->operands[0]);
	struct wanted_rows w = { .tool = tool };
	char name[LH_SUBJECT_MAX + 1];
	int rc = lh_chain_log_name(name, s->dir, id, strlen(id), &tool->err);

	if (!rc)
		rc = lh_row_proofs_open(&w.proofs, s->dir, name, s->tlog, &tool->err);
	if (!rc)
		rc = prove_wanted(&w, s, name);
	lh_row_proofs_close(&w.proofs);
	free(w.row);
	lh_buf_free(&w.out);
	return rc;
}

/* ---- requests ---- */

#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of a report */
#define TIME_MAX 63

/* ---- report ---- */

#define TIME(name) \
	{ LH_BIND_STRING(#name, struct wanted, name), .longest = TIME_MAX, .is = is_end, \
	  .what = TIME_WHAT }

/* A check of a member: a time, a day or a month. */
static bool is_end(const struct lh_value *v, struct lh_str text)
{
	char to[WINDOW_TIME];

	(void)v;
	return window_read(text.p, text.n, false, to);
}
const struct lh_bind report_members[] = {
	{ LH_BIND_STRING("id", struct wanted, id), .required = true, .filled = true,
	  .no_nul = true, .path = true, .safe = true },
	TIME(from),
	TIME(to),
	LH_BIND_END
};

const struct lh_bind report_out[] = {
	LH_OP_TEXT("schema"),
	{ LH_BIND_ONLY("candidate_id", LH_BIND_TO_STRING), .required = true, .person = true },
	LH_OP_TEXT("generated_at"),
	{ LH_BIND_ONLY("manifest", LH_BIND_TO_VALUE), .types = LH_BIND_ANY, .null = true,
	  .person = true },
	{ LH_BIND_ONLY("audit_log", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_OBJECT),
	  .required = true, .person = true, .about = "the accesses, and whether they are whole" },
	LH_OP_TEXT("completeness_attestation"),
	LH_BIND_END
};

/* Return the time of an end of the window, NULL for an absent one. */
static const char *as_time(struct lh_str s, bool end, char to[WINDOW_TIME])
{
	return s.p && window_read(s.p, s.n, end, to) ? to : NULL;
}

static int check_size(struct report *r, struct lh_buf *out)
{
	if (out->len > ANSWER_MAX)
		return lh_err_data(&r->tool->err, 413,
				   "the report is larger than %zuM; set \"from\" and \"to\"",
				   ANSWER_MAX >> 20);
	return 0;
}

static int write_report(struct report *r, struct lh_buf *out, struct lh_err *err)
{
	int rc = report_find(r);

	if (rc > 0 && r->v.fault == LH_CHAIN_ANCHOR)
		return lh_err_data(err, 503, "the log contradicts its anchor: %s", r->error);
	if (rc > 0)
		rc = report_json(r, out, check_size);
	else if (rc == 0)
		return lh_err_data(err, 404, "unknown id \"%s\"", r->id);
	if (rc < 0)
		*err = r->tool->err;
	r->tool->err.msg[0] = '\0';
	if (rc < 0 && r->wrong_key)
		return lh_err_data(err, 503, WRONG_KEY);
	if (rc < 0 && err->code == LH_EDATA && !err->status)
		err->code = LH_ECORRUPT;	/* a manifest is wrong, not the request */
	return rc;
}

int answer_report(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	const struct wanted *w = in;
	struct settings s = *(const struct settings *)call->settings;
	LH_SCOPED(lh_free_local) char *given = lh_strndup(w->id.p, w->id.n), *id = NULL;
	char from[WINDOW_TIME], to[WINDOW_TIME], now[32], name[LH_SUBJECT_MAX + 1];
	struct report r = { .tool = call->tool, .s = &s, .generated_at = now };
	int rc;

	if (lh_subject_name(name, w->id.p, w->id.n, err) < 0)
		return -1;
	s.from = as_time(w->from, false, from);
	s.to = as_time(w->to, true, to);
	if (window_is_backwards(s.from, s.to))
		return lh_err_data(err, 400, "\"from\" is after \"to\"");
	lh_tool_time(call->tool, now);
	r.id = id = operand_id(call->tool, &s, given);
	rc = write_report(&r, out, err);
	report_free(&r);
	return rc;
}

/* ---- health ---- */

struct health {
	uint64_t logs, rows, broken;
	struct lh_buf error;	/* of the first broken log */
	struct key_check key;
};

static int check_log(struct lh_tool *tool, const struct settings *s, const char *path,
		     const struct log *log, void *ctx)
{
	const struct lh_chain_check c = check_of(tool, s, log->name, log->anchor);
	struct lh_chain_verdict v;
	struct health *h = ctx;
	char error[LH_CHAIN_ERROR];

	h->logs++;
	if (lh_chain_verify(path, &c, &v, &tool->err) < 0)
		return -1;
	h->rows += v.count;
	key_look(&h->key, &c, path, &v);
	log_error(log, &v, error);
	if (*error && !h->broken++)
		lh_buf_printf(&h->error, "%s: %s", log->name, error);
	return 0;
}

/* Verify the logs of the folder.  One that does not exist yet has none. */
static void check_folder(struct lh_tool *tool, struct settings *s, struct health *h)
{
	struct lh_err *err = &tool->err;
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	uint64_t failures = 0;
	int rc;

	if (access(s->dir, F_OK) < 0 && errno == ENOENT && !s->seen)
		return;
	s->seen = true;
	err->msg[0] = '\0';
	rc = anchor_for(&a, tool, s);
	if (!rc)
		rc = each_log(tool, s, &a, check_log, h, &failures);
	if (key_is_wrong(&h->key)) {
		lh_buf_reset(&h->error);
		lh_buf_puts(&h->error, WRONG_KEY);
	}
	if (rc == 0 && !failures)
		return;
	if (err->msg[0])
		lh_tool_warn(tool, "%s", err->msg);
	if (!h->broken)
		lh_buf_puts(&h->error, "some logs cannot be read");
	h->broken += failures ? failures : 1;
}

const struct lh_bind health_members[] = {
	LH_OP_COUNT("logs"), LH_OP_COUNT("count"), LH_OP_COUNT("broken"),
	{ LH_BIND_ONLY("verified", LH_BIND_TO_BOOL), .required = true },
	LH_OP_TEXT("error"),
	LH_BIND_END
};

int answer_health(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	struct health h = { .logs = 0 };
	struct lh_writer w;

	(void)in;
	(void)err;
	check_folder(call->tool, call->settings, &h);
	w = lh_write_to(out);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "mode", "verify");
	lh_write_u64(&w, "logs", h.logs);
	lh_write_u64(&w, "count", h.rows);
	lh_write_bool(&w, "verified", !h.broken);
	lh_write_u64(&w, "broken", h.broken);
	lh_write_str(&w, "error", (struct lh_str){ h.error.p, h.error.len });
	lh_write_u64(&w, "status", h.broken ? 503 : 200);
	lh_write_end(&w);
	lh_buf_free(&h.error);
	return 0;
}

int refuse_request(const struct lh_call *call, struct lh_err *err)
{
	if (err->code == LH_EDATA || err->code == LH_EINTR)
		return -1;
	lh_tool_warn(call->tool, "%s", err->msg);
	return lh_err_data(err, 503, "the log cannot be read at present");
}

int audit_requests(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;

	s->seen = access(s->dir, F_OK) == 0;
	return run_with_keys(tool, s, &(struct lh_flow){ .map = NULL });
}
