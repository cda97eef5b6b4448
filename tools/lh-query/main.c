/* lh-query: SQL over files.  See lh-query(1). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "json/bind.h"
#include "query.h"
#include "base/time.h"
#include "text/escape.h"

static const struct lh_option options[] = {
	{ 0, "wire", NULL, "one object: columns, rows, row_count", LH_FLAG(struct settings, wire) },
	{ 0, "csv", NULL, "rows as CSV", LH_FLAG(struct settings, csv) },
	{ 0, "csv-safe", NULL, "as --csv, with ' before texts that are formulas",
	  LH_FLAG(struct settings, csv_safe) },
	{ 0, "table", NULL, "rows as a table for people", LH_FLAG(struct settings, table) },
	{ 0, "catalog", "DIR", "a folder whose datasets are tables",
	  LH_TEXT(struct settings, catalog, .env = "LH_CATALOG") },
	{ 0, "store", "STORE", "where its objects are (default: as it says)",
	  LH_TEXT(struct settings, store) },
	{ 0, "keep", "NAME", "keep the rows as a dataset of the catalog, in --store",
	  LH_TEXT(struct settings, keep) },
	{ 0, "force", NULL, "--keep: replace one that is there", LH_FLAG(struct settings, force) },
	{ 0, "verify", NULL, "also compare the SHA-256 of its objects",
	  LH_FLAG(struct settings, verify) },
	{ 0, "max-rows", "N", "most rows of an answer (default: all)",
	  LH_UINT(struct settings, max_rows, 1, 1e15) },
	{ 0, "timeout", "S", "seconds a query may take (default 300; 0: any)",
	  LH_REAL(struct settings, timeout, 0, 1e9) },
	{ 0, "memory", "SIZE", "memory of the engine, K/M/G (default 256M)",
	  LH_SIZE(struct settings, memory, 1 << 20, 1e15) },
	{ 0, "sample", "N", "records that decide the columns (default 1000; 0: all)",
	  LH_UINT(struct settings, sample, 0, 1e15) },
	{ 0, "attribute", NULL, "--wire: say which tables of persons are read, and if unnamed",
	  LH_FLAG(struct settings, attribute) },
	{ 0, "persons", "TABLE", "a table of persons, also without it (repeatable)",
	  LH_TEXTS(struct settings, persons) },
	LH_NOW_OPTION,
	LH_ALLOW_EMPTY_OPTION(0),
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* ---- requests ---- */

struct request {
	struct lh_str sql;
	struct lh_value own;	/* of the request: in its error, in logs */
};
static const struct lh_bind request_members[] = {
	{ LH_BIND_STRING("sql", struct request, sql), .required = true,
	  .about = "the statement" },
	{ LH_BIND_SOME("id", struct request, own), .about = "the request, in an error" },
	{ LH_BIND_SOME("trace_id", struct request, own), .about = "the request, in logs" },
	LH_BIND_CLOSED
};

#define LATE 1.0		/* seconds after --timeout, for SQLite to end by itself */
#define DEAF 2			/* seconds after a signal */

static double late;		/* when a query has to have ended; 0: at any time */
static unsigned asked;		/* seconds since a signal asked the process to end */
static struct lh_buf late_message, late_answer;	/* what is written where it is late */

static void write_late(int fd, const struct lh_buf *text)
{
	size_t at = 0;
	ssize_t n;

	while (at < text->len && ((n = write(fd, text->p + at, text->len - at)) >= 0 ||
				  errno == EINTR))
		at += n > 0 ? (size_t)n : 0;
}

/* Once a second of a query: end the process if the query is late, if a signal has asked for it, or
 * if no one can read the answer any more. */
static void on_alarm(int sig)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	(void)sig;
	if (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)))
		lh_signal_die(SIGPIPE);
	if (lh_signal_pending() && asked++ >= DEAF)
		lh_signal_die(lh_signal_pending());
	if (late && lh_time_monotonic() > late) {
		write_late(STDERR_FILENO, &late_message);
		write_late(STDOUT_FILENO, &late_answer);
		lh_signal_exit(2);
	}
	alarm(1);
}

/* Make what on_alarm writes, which cannot make it: the answer to a request, and a message. */
static void make_late(const struct query *q)
{
	struct lh_err why;

	query_late(q, &why);
	lh_buf_reset(&late_message);
	lh_buf_printf(&late_message, "lh-query: %s\n", why.msg);
	lh_buf_reset(&late_answer);
	if (q->alone || q->tool->on_error != LH_ON_ERROR_EMIT)
		return;
	lh_buf_putc(&late_answer, '{');
	if (q->own)
		lh_buf_printf(&late_answer, "\"id\":%.*s,", (int)q->own->n, q->own->p);
	lh_buf_printf(&late_answer, "\"error\":{\"file\":\"-\",\"line\":%llu,\"code\":504,"
		      "\"message\":", (unsigned long long)q->requests);
	lh_escape_json(&late_answer, why.msg);
	lh_buf_puts(&late_answer, "}}\n");
}

/* Look from outside at a query that one long function may hold up: SQLite looks at the time and at
 * signals between two steps alone. */
static void guard(const struct query *q)
{
	const struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	late = q->deadline ? q->deadline + LATE : 0;
	if (late)
		make_late(q);
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
}

int query_run(struct query *q, struct lh_str sql, struct writer *w, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *text = NULL;
	int rc;

	if (memchr(sql.p, 0, sql.n))
		return lh_err_data(err, 400, "the statement contains a NUL");
	if (sql.n > SQL_LONGEST)
		return lh_err_data(err, 413, "a statement of more than %d bytes", SQL_LONGEST);
	q->bounded = q->stopped = false;
	q->deadline = q->s->timeout ? lh_time_monotonic() + q->s->timeout : 0;
	text = lh_strndup(sql.p, sql.n);
	rc = check_verb(text, err);
	if (!rc)
		rc = tables_of_catalog(q, err);
	q->unnamed = q->s->attribute;		/* what SQLite cannot find out */
	guard(q);
	if (!rc)
		rc = sqlite_run(q, text, w, err);
	alarm(0);
	return rc;
}

/* A query that fails, or a file that cannot be read, costs its request alone. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *shared, struct lh_err *err)
{
	struct query *q = shared;
	struct lh_buf text = { 0 };
	struct request request;
	struct writer w;
	int rc;

	if (lh_bind(request_members, rec, &request, &text, err) < 0) {
		lh_buf_free(&text);
		return -1;
	}
	q->own = lh_record_get(rec, "id");
	q->requests++;
	writer_init(&w, q, FORM_WIRE, out);
	rc = query_run(q, request.sql, &w, err);
	writer_free(&w);
	lh_buf_free(&text);
	if (rc < 0 && err->code != LH_EINTR && err->code != LH_ENOMEM) {
		err->status = lh_err_status(err);
		err->code = LH_EDATA;
	}
	return rc;
}

static int answer_requests(struct query *q)
{
	struct lh_tool *t = q->tool;

	t->jobs = 1;
	t->n_operands = 0;
	lh_tool_answer_each(t);
	return lh_records_run(t, &(struct lh_flow){ .map = on_request, .shared = q });
}

/* ---- one query ---- */

static void summarize(struct query *q)
{
	uint64_t records = 0, rejected = 0;
	size_t i;

	for (i = 0; i < q->n_tables; i++) {
		records += q->table[i].records;
		rejected += q->table[i].rejected;
	}
	if (rejected)
		lh_tool_warn(q->tool, "%llu of %llu records rejected", (unsigned long long)rejected,
			     (unsigned long long)records);
	if (!q->bounded)
		return;
	lh_tool_warn(q->tool, "more than %s (--max-rows)", LH_N(q->s->max_rows, "row"));
	lh_tool_verdict_bad(q->tool);
}

static int answer_one(struct query *q)
{
	const struct settings *s = q->s;
	enum form form = s->wire ? FORM_WIRE : s->csv || s->csv_safe ? FORM_CSV :
			 s->table ? FORM_TABLE : FORM_JSONL;
	struct lh_err err;
	struct writer w;
	int rc;

	q->alone = true;
	writer_init(&w, q, form, NULL);
	rc = query_run(q, lh_str_of(q->tool->operands[0]), &w, &err);
	writer_free(&w);
	if (rc < 0)
		q->tool->err = err;
	if (rc < 0 && q->stopped) {
		lh_tool_message(q->tool, "%s", err.msg);
		rc = 0;
	}
	if (!rc)
		summarize(q);
	return rc;
}

static int check(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;

	if (s->wire + (s->csv || s->csv_safe) + s->table > 1)
		return lh_tool_usage(t, "only one of --wire, --csv and --table");
	if (s->keep && (!s->catalog || !s->store || !t->n_operands || is_table(t->operands[0]) ||
			!strcmp(t->operands[0], "check")))
		return lh_tool_usage(t, "--keep requires SQL, --catalog and --store");
	if ((s->keep && (s->wire + s->csv + s->csv_safe + s->table || s->max_rows)) ||
	    (s->force && !s->keep))
		return lh_tool_usage(t, s->keep ? "--keep excludes --max-rows and other forms of "
				     "rows" : "--force requires --keep");
	if (!t->n_operands && !s->catalog)
		return lh_tool_usage(t, "missing operand: SQL, or NAME=FILE");
	return 0;
}

static int run_all(struct lh_tool *tool, void *settings)
{
	struct query q = { .tool = tool, .s = settings };
	const bool requests = !tool->n_operands || is_table(tool->operands[0]);
	const bool checks = !requests && !strcmp(tool->operands[0], "check");
	int rc;

	if (checks && tool->n_operands < 2)
		return lh_tool_usage(tool, "check: missing operand: a folder of checks");
	rc = tables_of_operands(&q, (size_t)!requests + checks);
	if (!rc && checks)
		rc = checks_run(&q, tool->operands[1]);
	else if (!rc)
		rc = requests ? answer_requests(&q) :
		     q.s->keep ? keep_rows(&q, answer_one) : answer_one(&q);
	tables_free(&q);
	return rc;
}

static const struct lh_bind column[] = { LH_OP_TEXT("name"), LH_OP_TEXT("type"), LH_BIND_END };
static const struct lh_bind out[] = {
	{ LH_BIND_ONLY("columns", LH_BIND_TO_TABLES), .required = true, .table = column },
	{ LH_BIND_ONLY("rows", LH_BIND_TO_VALUE), .required = true, .types = LH_BIND_IS(LH_ARRAY),
	  .person = true },
	LH_OP_COUNT("row_count"),
	{ LH_BIND_ONLY("truncated", LH_BIND_TO_BOOL), .about = "there are more rows" },
	{ LH_BIND_ONLY("tables", LH_BIND_TO_STRINGS), .about = "with --attribute: those of "
	  "persons that the statement uses" },
	{ LH_BIND_ONLY("unnamed", LH_BIND_TO_BOOL), .person = true,
	  .about = "with --attribute: it shows persons without their candidate_id" },
	LH_BIND_END
};

int main(int argc, char **argv)
{
	struct settings s = { .timeout = 300, .memory = 256 << 20, .sample = 1000 };
	static const struct lh_op ops[] = {
		{ "", .in = request_members, .out = out, .command = run_all }, LH_OP_END
	};
	static const struct lh_tool_spec spec = {
		.name = "lh-query",
		.synopsis = "[OPTION]... [SQL] [NAME=FILE]...",
		.summary = "run SQL over JSON Lines, indexes and logs",
		.example =
			"lh-query 'SELECT maker, count(*) n FROM p GROUP BY maker' p=products.csv",
		.options = options,
		.check = check,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
