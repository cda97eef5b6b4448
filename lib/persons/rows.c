/* rows.c - the rows of an answer, appended by a process of lh-subject-audit.  See
 * persons_parts.h. */
#include "persons_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/extract.h"
#include "audit/subject.h"
#include "base/mem.h"
#include "proc/coproc.h"

#define WITHHELD "the audit log cannot be written, and there is no answer without it"
#define UNNAMED \
	"the answer shows persons without their candidate_id, and so no row can be written"
#define SECONDS 60.0		/* for a row; a log that another process holds is waited for */
#define QUEUE 1000000		/* rows that wait */
#define DEPTH 1024		/* rows in the process, which are synced together */

/* ---- the process ---- */

static void make_argv(struct lh_persons *p)
{
	static const char *const sync[] = { "each", "batch", "none" };
	const struct lh_persons_how *how = &p->how;
	const char *const words[] = {
		"lh-subject-audit", "append", "--dir", how->folder, "--sync", sync[how->sync],
		"--lock-timeout", "20", "-j1", "-q", "--on-error", "emit"
	};
	size_t n = sizeof words / sizeof *words, i;

	p->argv = lh_calloc(n + 2 * how->keys + 1, sizeof *p->argv);
	memcpy(p->argv, words, sizeof words);
	for (i = 0; i < how->keys; i++) {
		p->argv[n++] = "--key-file";
		p->argv[n++] = (char *)how->key[i];
	}
}

struct lh_persons *lh_persons_new(const struct lh_persons_how *how)
{
	struct lh_persons *p = lh_calloc(1, sizeof *p);

	p->how = *how;
	p->extract = lh_extract_new();
	make_argv(p);
	return p;
}

static void destroy(struct lh_persons *p)
{
	size_t i;

	for (i = 0; i < p->n_known; i++)
		free(p->known[i].name);
	free(p->known);
	free(p->argv);
	lh_extract_free(p->extract);
	lh_intern_free(&p->ids);
	lh_record_free(&p->body);
	lh_record_free(&p->asked);
	lh_buf_free(&p->strings);
	lh_buf_free(&p->copy);
	free(p);
}

void lh_persons_free(struct lh_persons *p)
{
	if (p && p->open)
		p->over = true;
	else if (p)
		destroy(p);
}

void lh_persons_command(const struct lh_persons *p, struct lh_pool_how *how)
{
	how->argv = p->argv;
	how->keys = LH_KEYS_AUDIT;
	how->processes = 1;		/* the order of the rows of a log */
	how->depth = DEPTH;
	how->queue = QUEUE;
}

void lh_persons_use(struct lh_persons *p, struct lh_pool *pool)
{
	p->pool = pool;
}

bool lh_persons_ready(const struct lh_persons *p)
{
	return p->pool;
}

bool lh_persons_required(const struct lh_persons *p)
{
	return p->how.required;
}

/* ---- rows ---- */

static void begin_row(struct lh_persons_row *row, const struct lh_persons_answer *a,
		      struct lh_str id)
{
	struct lh_writer w = lh_write_to(&row->ask.line);
	char daemon[256];

	snprintf(daemon, sizeof daemon, "%s%s%s", row->rows->persons->how.daemon,
		 a->who && *a->who ? "/" : "", a->who ? a->who : "");
	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", id);
	lh_write_object(&w, "accessor");
	lh_write_text(&w, "kind", "gateway_lookup");
	lh_write_text(&w, "daemon", daemon);
	lh_write_text(&w, "purpose", a->purpose);
	if (a->trace && *a->trace)
		lh_write_text(&w, "trace_id", a->trace);
	if (a->token)
		lh_write_text(&w, "token", a->token);
	lh_write_end(&w);
	lh_write_text(&w, "result", "success");
	lh_write_array(&w, "fields_accessed");
	row->members = row->ask.line.len;
}

struct lh_persons_row *lh_persons_row_of(struct lh_persons_rows *r,
					 const struct lh_persons_answer *a, struct lh_str id,
					 struct lh_err *err)
{
	struct lh_persons_row *row;
	uint32_t number;

	if (lh_intern_add(&r->persons->ids, id.p, id.n, &number, err) < 0)
		return NULL;
	if (number < r->n)
		return &r->row[number];
	lh_grow(&r->row, &r->cap, r->n + 1, sizeof *r->row);
	row = &r->row[r->n++];
	*row = (struct lh_persons_row){ .rows = r };
	begin_row(row, a, id);
	return row;
}

void lh_persons_add_member(struct lh_persons_row *row, struct lh_str name)
{
	struct lh_buf *line = &row->ask.line;

	if (memmem(line->p + row->members, line->len - row->members, name.p, name.n))
		return;
	if (line->len > row->members)
		lh_buf_putc(line, ',');
	lh_buf_add(line, name.p, name.n);
}

static void end_lines(struct lh_persons_rows *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		lh_buf_puts(&r->row[i].ask.line, "]}\n");
	}
}

/* Count and report the rows that are missing, and why the last of them is. */
static void report(const struct lh_persons_rows *r)
{
	const struct lh_persons_how *how = &r->persons->how;
	const char *why = *r->why ? strstr(r->why, LH_SUBJECT_LOG ": ") : NULL;
	char text[600];

	if (how->lost && r->n) {
		how->lost->rows += r->missing;
		how->lost->fails = r->missing;
		snprintf(how->lost->why, sizeof how->lost->why, "%s",
			 why ? why + sizeof LH_SUBJECT_LOG + 1 : r->why);
	}
	if (!r->missing || !how->warn)
		return;
	snprintf(text, sizeof text, "audit log: %zu of %s of an answer of %s not written%s%s",
		 r->missing, LH_N(r->n, "row"), r->purpose, *r->why ? ": " : "", r->why);
	how->warn(how->owner, text);
}

/* Keep why a row is missing, such as where the log is broken, without a folder. */
static void say_why(struct lh_persons_rows *r, const struct lh_value *error)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value message;
	struct lh_str s = { NULL, 0 };
	const char *slash;

	if (lh_value_get(error, "message", &message) && message.type == LH_STRING)
		lh_value_str(&message, &text, &s);
	slash = s.n ? memrchr(s.p, '/', s.n) : NULL;
	if (slash)
		s = (struct lh_str){ slash + 1, s.n - (size_t)(slash + 1 - s.p) };
	snprintf(r->why, sizeof r->why, "%.*s", (int)s.n, s.p);
}

/* Return what the client is told of rows that are missing: who audits, why, too. */
static const char *say_withheld(struct lh_persons_rows *r)
{
	snprintf(r->told, sizeof r->told, WITHHELD "%s%s", r->to_auditor && *r->why ? ": " : "",
		 r->to_auditor ? r->why : "");
	return r->told;
}

static void on_row(struct lh_ask *a, enum lh_asked how, const struct lh_record *rec)
{
	struct lh_persons_row *row = (struct lh_persons_row *)((char *)a -
		offsetof(struct lh_persons_row, ask));
	struct lh_persons_rows *r = row->rows;
	struct lh_persons *p = r->persons;
	const bool answered = how == LH_ASKED_ANSWERED;
	const struct lh_value *error = answered ? lh_record_get(rec, "error") : NULL;

	r->missing += !answered || error;
	if (error)
		say_why(r, error);
	else if (!answered && !*r->why)
		snprintf(r->why, sizeof r->why, "lh-subject-audit append does not answer");
	if (--r->open)
		return;
	report(r);
	r->written(r, !r->missing || !p->how.required ? r->withheld : say_withheld(r));
	if (!--p->open && p->over)
		destroy(p);
}

int lh_persons_show(struct lh_persons *p, struct lh_persons_rows *r,
		    const struct lh_persons_answer *a, struct lh_err *err)
{
	bool unnamed = false;
	int rc;
	struct lh_pool *pool;
	size_t i;

	lh_persons_rows_free(r);
	r->persons = p;
	r->open = r->missing = 0;
	r->withheld = NULL;
	r->to_auditor = a->route && lh_persons_run_by(a->route, "lh-subject-audit");
	r->why[0] = '\0';
	snprintf(r->purpose, sizeof r->purpose, "%s", a->purpose);
	rc = lh_persons_asked(r, a, err);
	if (!rc)
		rc = lh_persons_find(r, a, &unnamed, err);
	lh_intern_free(&p->ids);
	if (!rc)
		end_lines(r);
	if (!rc && unnamed) {
		char text[200];

		snprintf(text, sizeof text,
			 "audit log: an answer of %s shows persons without their candidate_id",
			 r->purpose);
		if (p->how.lost && !p->how.required)
			p->how.lost->rows++;
		if (p->how.warn)
			p->how.warn(p->how.owner, text);
		if (p->how.required)	/* the rows of what was asked are written all the same */
			r->withheld = UNNAMED;
	}
	if (rc)
		return -1;
	pool = r->persons->pool;
	for (i = 0; i < r->n; i++) {
		r->row[i].ask.timeout = SECONDS;
		r->row[i].ask.answered = on_row;
		if (pool && lh_pool_ask(pool, &r->row[i].ask) == 0)
			r->open++;
		else
			r->missing++;
	}
	if (r->open) {
		p->open++;
		return 1;
	}
	report(r);
	if (r->missing && p->how.required)
		r->withheld = WITHHELD;
	return r->withheld ? lh_err_data(err, 503, "%s", r->withheld) : 0;
}

void lh_persons_rows_free(struct lh_persons_rows *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		lh_buf_free(&r->row[i].ask.line);
	free(r->row);
	r->row = NULL;
	r->n = r->cap = 0;
}

/* Cut a text off the end of an object; return whether it was there. */
static bool cut_end(struct lh_buf *body, const char *member, size_t n)
{
	if (body->len < n || memcmp(body->p + body->len - n, member, n) != 0)
		return false;
	body->len -= n;
	lh_buf_putc(body, '}');
	return true;
}

/* Cut the array that is the last member of an answer: the last of that name is the filter's own,
 * behind all that it shows. */
static void cut_array(struct lh_buf *body, const char *begin, struct lh_buf *array)
{
	const size_t n = strlen(begin);
	const char *p;
	size_t at;

	if (body->len < n + 2 || memcmp(body->p + body->len - 2, "]}", 2) != 0)
		return;
	for (at = body->len - n; at && memcmp(body->p + at, begin, n) != 0; at--)
		;
	if (!at)
		return;
	p = body->p + at + n - 1;
	lh_buf_add(array, p, body->len - 1 - (size_t)(p - body->p));
	body->len = at;
	lh_buf_putc(body, '}');
}

void lh_persons_cut(struct lh_buf *body, struct lh_persons_said *said)
{
	static const char last[] = "," LH_JSON("unnamed":true) "}";

	said->unnamed = cut_end(body, last, sizeof last - 1);
	cut_array(body, ",\"tables\":[", &said->tables);
	if (!said->tables.len)
		cut_array(body, ",\"persons\":[", &said->used);
}

void lh_persons_said_free(struct lh_persons_said *said)
{
	lh_buf_free(&said->tables);
	lh_buf_free(&said->used);
}
