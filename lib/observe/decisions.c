/* decisions.c - write and read the log of decisions.  See observe.h. */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/rows.h"
#include "observe.h"
#include "crypto/digest.h"

#define BEGIN "{\"schema\":\"" LH_DECISION_SCHEMA "\""	/* of each row */

struct lh_decisions {
	struct lh_tool *tool;
	bool text;
	const char *trace;		/* LH_TRACE_ID, or "" */
	pthread_mutex_t lock;		/* of what follows: flock does not exclude threads */
	struct lh_observe_log log;
	bool failing;			/* its failure is reported already */
};

/* Return whether the log is empty or begins with a row, which a crash may have cut, or with a
 * row that was erased. */
static bool is_begin(const char *p, size_t n)
{
	const char *lf = memchr(p, '\n', n);

	return !memcmp(p, BEGIN, n < sizeof BEGIN - 1 ? n : sizeof BEGIN - 1) ||
	       (lf && lh_line_erased(p, (size_t)(lf - p), NULL));
}

static int check_begin(const struct lh_decisions *d, const char *path, struct lh_err *err)
{
	char begin[LH_TOMBSTONE];
	ssize_t n;

	do
		n = pread(d->log.file.fd, begin, sizeof begin, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return lh_err_sys(err, "%s: cannot read", path);
	return is_begin(begin, (size_t)n) ? 0 :
	       lh_err_set(err, LH_EUSAGE, "--decisions: %s is not a log of decisions", path);
}

static int open_log(struct lh_decisions *d, const char *path, struct lh_err *err)
{
	if (lh_observe_open(&d->log, path, d->tool->lock_timeout, err) < 0 ||
	    check_begin(d, path, err) < 0)
		return -1;
	if (d->log.file.torn_at >= 0)
		lh_tool_message(d->tool, "%s: an incomplete line at byte %lld", path,
				(long long)d->log.file.torn_at);
	return 0;
}

int lh_decisions_open(struct lh_decisions **to, struct lh_tool *tool,
		      const struct lh_decisions_how *how)
{
	const char *trace = getenv("LH_TRACE_ID");
	struct lh_decisions *d;

	*to = NULL;
	if (!how->path)
		return how->text ? lh_tool_usage(tool, "--decisions-text: needs --decisions") : 0;
	d = lh_calloc(1, sizeof *d);
	d->tool = tool;
	d->text = how->text;
	d->trace = trace ? trace : "";
	d->log.file.fd = -1;
	pthread_mutex_init(&d->lock, NULL);
	*to = d;
	return open_log(d, how->path, &tool->err);
}

void lh_decisions_close(struct lh_decisions *d)
{
	struct lh_err unused;

	if (!d)
		return;
	lh_observe_close(&d->log, &unused);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* ---- rows ---- */

/* Write an index, as a member or an element. */
static void write_index(struct lh_writer *w, const char *member, struct lh_str name,
			const char *generation)
{
	lh_write_object(w, member);
	lh_write_str(w, "name", name);
	if (generation && *generation)
		lh_write_text(w, "generation", generation);
	else
		lh_write_null(w, "generation");
	lh_write_end(w);
}

void lh_decision_index(struct lh_writer *w, struct lh_str name, const char *generation)
{
	write_index(w, NULL, name, generation);
}

struct lh_writer lh_decision_begin(struct lh_buf *row, const struct lh_decisions *d,
				   const struct lh_decision *what)
{
	char hash[LH_SHA256_HEX], now[32];
	unsigned char sum[32];
	struct lh_writer w;

	lh_sha256(what->asked.p, what->asked.n, sum);
	lh_hex(sum, sizeof sum, hash);
	lh_tool_time(d->tool, now);
	lh_buf_reset(row);
	w = lh_write_to(row);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", LH_DECISION_SCHEMA);
	lh_write_text(&w, "ts", now);
	if (what->trace.n)
		lh_write_str(&w, "trace_id", what->trace);
	else
		lh_write_bytes(&w, "trace_id", d->trace);
	lh_write_text(&w, "tool", d->tool->name);
	lh_write_str(&w, "asked", (struct lh_str){ hash, sizeof hash });
	if (d->text)
		lh_write_str(&w, "text", what->asked);
	lh_write_text(&w, "verdict", what->verdict);
	if (what->rules)
		lh_write_text(&w, "rules", what->rules);
	else
		lh_write_null(&w, "rules");
	if (what->playbook.p)
		write_index(&w, "playbook", what->playbook, what->playbook_generation);
	else
		lh_write_null(&w, "playbook");
	return w;
}

void lh_decision_id(struct lh_buf *ids, struct lh_str id, bool found)
{
	struct lh_writer w;

	if (ids->len)
		lh_buf_putc(ids, ',');
	w = lh_write_to(ids);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", id);
	lh_write_bool(&w, "found", found);
	lh_write_end(&w);
}

void lh_decision_judged(struct lh_writer *w, struct lh_str roster, const char *version,
			const struct lh_buf *ids)
{
	lh_write_array(w, "indexes");
	if (roster.p)
		lh_decision_index(w, roster, version);
	lh_write_end(w);
	lh_write_array(w, "ids");
	if (ids->len)
		lh_write_raw(w, NULL, (struct lh_str){ ids->p, ids->len });
	lh_write_end(w);
}

int lh_decision_append(struct lh_decisions *d, const char *row, size_t n, bool alone,
		       struct lh_err *err)
{
	int rc;

	pthread_mutex_lock(&d->lock);
	rc = lh_observe_append(&d->log, row, n, err);
	if (!rc)
		d->failing = false;
	else if (alone && d->tool->on_error == LH_ON_ERROR_EMIT)
		lh_records_unavailable(d->tool, &d->failing,
				       "the log of decisions cannot be written, and there is no "
				       "answer without it", err);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

int lh_decision_end(struct lh_writer *w, struct lh_decisions *d, struct lh_err *err)
{
	lh_write_end(w);
	return lh_decision_append(d, w->out->p, w->out->len, true, err);
}

int lh_decisions_sync(struct lh_decisions *d, struct lh_err *err)
{
	int rc;

	if (!d)
		return 0;
	pthread_mutex_lock(&d->lock);
	rc = lh_observe_sync(&d->log, err);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

/* ---- reading ---- */

static const struct lh_bind row_members[] = {
	{ LH_BIND_STRING("schema", struct lh_decision_row, schema), .required = true },
	{ LH_BIND_STRING("tool", struct lh_decision_row, tool), .required = true },
	{ LH_BIND_STRING("verdict", struct lh_decision_row, verdict), .required = true },
	{ LH_BIND_STRING("trace_id", struct lh_decision_row, trace) },
	{ LH_BIND_ARRAY("ids", struct lh_decision_row, ids) },
	LH_BIND_END
};

int lh_decision_read(const struct lh_record *rec, struct lh_decision_row *row,
		     struct lh_buf *text, struct lh_err *err)
{
	memset(row, 0, sizeof *row);
	if (lh_bind(row_members, rec, row, text, err) < 0)
		return -1;
	if (!lh_str_is(row->schema, LH_DECISION_SCHEMA, sizeof LH_DECISION_SCHEMA - 1))
		return lh_err_set(err, LH_EDATA, "it is not a " LH_DECISION_SCHEMA);
	return 0;
}
