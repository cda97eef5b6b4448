/* records.c - run a flow as a tool does.  See records.h. */
#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "flow/flow.h"
#include "frame.h"
#include "text/escape.h"

#define MESSAGES_PER_OPERAND 20
#define MESSAGES_ALIKE 3	/* equal ones in a row; of the others the number is given */

struct lh_records {
	struct lh_tool *tool;
	bool has_sink;
	bool json_lines;		/* the records are lines of JSON */
	int fd;				/* of --rejects, or 0 */
	struct lh_buf lines;		/* rejected lines, not yet written to fd */
	struct lh_str header;		/* to write before the first rejected line; or n 0 */
	struct lh_record again;		/* a rejected line parsed again, for its id */
	size_t operand, messages;	/* the last operand with messages, and their number */
	char why[sizeof ((struct lh_err *)NULL)->msg];	/* the last message, ... */
	size_t alike;			/* ... how often it came in a row, ... */
	char alike_in[256];		/* ... and in which file */
	bool unreadable;		/* a file could not be read */
	bool warned;			/* of paths that none of the first records has */
	struct lh_flow_hooks hooks;
};

/* ---- rejected lines ---- */

/* Open --rejects.  If its last line has no LF, end that line first. */
static int open_rejects(struct lh_records *r)
{
	const char *path = r->tool->rejects;
	struct stat st;
	char last;
	int fd;

	if (!path)
		return 0;
	fd = lh_own_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return lh_err_sys(&r->tool->err, "%s: cannot open", path);
	r->fd = fd;
	if (fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
			lh_buf_putc(&r->lines, '\n');
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static int write_rejects(struct lh_records *r, const char *p, size_t n, struct lh_err *err)
{
	if (!r->fd || !n || lh_write_all(r->fd, p, n, err) == 0)
		return 0;
	return lh_err_prefix(err, "%s", r->tool->rejects);
}

static int flush_rejects(struct lh_records *r, struct lh_err *err)
{
	int rc = write_rejects(r, r->lines.p, r->lines.len, err);

	lh_buf_reset(&r->lines);
	return rc;
}

/* Begin an empty file of rejected lines with the header. */
static void add_header(struct lh_records *r)
{
	if (!r->header.n)
		return;
	lh_buf_add(&r->lines, r->header.p, r->header.n);
	lh_buf_putc(&r->lines, '\n');
	r->header.n = 0;
}

/* ---- reporting a rejection ---- */

/* Say how many messages were as those before them, and which options may help. */
static void report_alike(struct lh_records *r)
{
	struct lh_tool *t = r->tool;
	const char *hint = "";
	char text[sizeof r->why + 128];
	size_t more = r->alike > MESSAGES_ALIKE ? r->alike - MESSAGES_ALIKE : 0;

	r->alike = 0;
	if (!more)
		return;
	if (strncmp(r->why, "missing \"text\" ", 15) == 0 && lh_tool_has_option(t, "field"))
		hint = lh_tool_has_option(t, "template") ? " (--field NAME or --template '{...}')"
							 : " (--field NAME)";
	snprintf(text, sizeof text, "%zu more: %s%s", more, r->why, hint);
	lh_message_at(t, LH_STYLE_BAD, r->alike_in, 0, 0, text);
	r->messages++;
}

/* Return whether the message was given often enough just before; remember it. */
static bool is_alike(struct lh_records *r, const struct lh_rejection *of)
{
	if (!r->alike || strcmp(r->why, of->why)) {
		report_alike(r);
		snprintf(r->why, sizeof r->why, "%s", of->why);
		snprintf(r->alike_in, sizeof r->alike_in, "%s", of->file);
	}
	return ++r->alike > MESSAGES_ALIKE;
}

/* Report a rejected record, up to a number of messages per operand. */
static void report(struct lh_records *r, const struct lh_rejection *of)
{
	char text[sizeof ((struct lh_err *)NULL)->msg + 16];
	struct lh_tool *t = r->tool;
	const char *hint = NULL;

	t->state->rejected++;
	if (of->code == LH_ENET)
		lh_tool_record_failed(t);
	if (t->quiet)
		return;
	if (of->operand != r->operand) {
		report_alike(r);
		r->operand = of->operand;
		r->messages = 0;
	}
	if (!t->verbose && r->messages < MESSAGES_PER_OPERAND && is_alike(r, of))
		return;
	snprintf(text, sizeof text, "%u %s", of->status, of->why);
	if (r->messages < MESSAGES_PER_OPERAND || t->verbose)
		lh_message_at(t, LH_STYLE_BAD, of->file, of->line, of->column,
			      of->coded ? text : of->why);
	else if (r->messages == MESSAGES_PER_OPERAND)
		lh_message_at(t, LH_STYLE_HEADING, of->file, 0, 0,
			      "further messages suppressed (--verbose shows all)");
	r->messages++;
	/* Say what to do with a file that is not JSON Lines; its other lines are then as bad. */
	if (r->json_lines && of->opening && of->n)
		hint = lh_hint_of((struct lh_str){ of->record, of->n });
	if (!hint)
		return;
	lh_message_at(r->tool, LH_STYLE_WARN, of->file, 0, 0, hint);
	r->messages = MESSAGES_PER_OPERAND;
	r->alike = 0;
}

/* Append the error object of --on-error emit; rec NULL: without an id. */
static void put_error(const struct lh_rejection *of, const struct lh_record *rec,
		      struct lh_buf *out, void *context)
{
	const struct lh_value *id = rec ? lh_record_get(rec, "id") : NULL;

	(void)context;
	lh_buf_putc(out, '{');
	if (id) {
		lh_buf_puts(out, "\"id\":");
		lh_buf_add(out, id->p, id->n);
		lh_buf_putc(out, ',');
	}
	lh_buf_puts(out, "\"error\":{\"file\":");
	lh_escape_json(out, of->file);
	lh_buf_printf(out, ",\"line\":%llu,\"code\":%u,\"message\":", (unsigned long long)of->line,
		      of->status);
	lh_escape_json(out, of->why);
	lh_buf_puts(out, "}}");
}

/* Write an error object to stdout at once, for a flow with a sink. */
static int write_error(struct lh_records *r, const struct lh_rejection *of)
{
	bool parses = of->n && of->n <= r->tool->max_line &&
		      lh_record_parse(&r->again, of->record, of->n, &(struct lh_err){ 0 }) == 0;
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	put_error(of, parses ? &r->again : NULL, &out, NULL);
	lh_buf_putc(&out, '\n');
	return lh_tool_write(r->tool, out.p, out.len);
}

/* ---- paths that no record has ---- */

void lh_records_want(struct lh_tool *tool, const char *option, struct lh_path *path)
{
	struct lh_path **last = &tool->state->wanted;

	while (*last)
		last = &(*last)->next;
	*last = path;
	path->option = option;
	path->next = NULL;
}

void lh_records_want_template(struct lh_tool *tool, const struct lh_template *t)
{
	struct lh_path *path;
	size_t i;

	for (i = 0; t && (path = lh_template_path(t, i)); i++)
		lh_records_want(tool, "--template", path);
}

/* Report the paths that none of the first records had, of which later ones may be done too. */
static void report_late(struct lh_tool *t)
{
	const struct lh_path *p;

	for (p = t->state->wanted; p; p = p->next)
		if (p->asked && !p->early)
			lh_tool_warn(t, "%s: none of the first %d records has \"%.400s\"",
				     p->option, LH_PATH_EARLY, p->text);
}

void lh_records_absent(struct lh_tool *t)
{
	const struct lh_path *p;

	for (p = t->state->wanted; p; p = p->next) {
		if (!p->asked || p->found)
			continue;
		lh_tool_warn(t, "%s: no record has \"%.400s\"", p->option, p->text);
		lh_tool_verdict_bad(t);
	}
}

/* ---- hooks ---- */

static int on_rejected(void *owner, const struct lh_rejection *of, struct lh_err *err)
{
	struct lh_records *r = owner;

	report(r, of);
	if (r->fd) {
		add_header(r);
		lh_buf_add(&r->lines, of->record, of->n);
		lh_buf_putc(&r->lines, '\n');
	}
	if (r->has_sink && r->tool->on_error == LH_ON_ERROR_EMIT && write_error(r, of) < 0)
		return -1;
	if (r->tool->on_error != LH_ON_ERROR_STOP)
		return 0;
	if (flush_rejects(r, err) < 0)
		return -1;
	r->tool->state->stopped = true;
	lh_tool_reported(r->tool);
	err->code = LH_EDATA;
	return -1;
}

static int on_long_line(void *owner, const char *p, size_t n, struct lh_err *err)
{
	return write_rejects(owner, p, n, err);
}

static int on_unreadable(void *owner, const char *file, struct lh_err *err)
{
	struct lh_records *r = owner;

	lh_message_at(r->tool, LH_STYLE_BAD, file, 0, 0, err->msg);
	r->unreadable = true;
	return 0;
}

static int on_write(void *owner, const char *p, size_t n, struct lh_err *err)
{
	(void)err;
	return lh_tool_write(((struct lh_records *)owner)->tool, p, n);
}

static void on_share(void *owner, uint64_t done, uint64_t of)
{
	struct lh_tool_state *s = ((struct lh_records *)owner)->tool->state;

	s->progress.done = done;
	s->progress.of = of;
}

static int on_delivered(void *owner, uint64_t records, struct lh_err *err)
{
	struct lh_records *r = owner;
	int rc = flush_rejects(r, err);

	lh_tool_progress(r->tool, r->tool->state->records + records);
	if (!r->warned && r->tool->state->records >= LH_PATH_EARLY) {
		r->warned = true;
		report_late(r->tool);
	}
	return rc;
}

static int on_waiting(void *owner, struct lh_err *err)
{
	(void)err;
	return lh_tool_flush(((struct lh_records *)owner)->tool);
}

static const struct lh_flow_hooks hooks = {
	on_rejected, on_long_line, on_unreadable, on_write, on_share, on_delivered, on_waiting,
};

/* ---- the run ---- */

bool lh_records_rejects(const struct lh_tool *tool, const struct lh_err *err)
{
	return err->code == LH_EDATA ||
	       (err->code == LH_ENET && tool->on_error == LH_ON_ERROR_EMIT);
}

int lh_records_unavailable(struct lh_tool *tool, bool *reported, const char *why,
			   struct lh_err *err)
{
	if ((err->code == LH_EDATA && err->status != 503) || err->code == LH_EINTR)
		return -1;
	if (!*reported)
		lh_tool_warn(tool, "%s", err->msg);
	*reported = true;
	return lh_err_data(err, err->code == LH_ENET ? 502 : 503, "%s", why);
}

/* Initialize, and open --rejects. */
static int begin(struct lh_records *r, struct lh_tool *tool, bool has_sink)
{
	r->tool = tool;
	r->has_sink = has_sink;
	lh_record_init(&r->again);
	return open_rejects(r);
}

/* Free everything but the struct, at the end of a run with the result rc: the result. */
static int finish(struct lh_records *r, int rc)
{
	struct lh_tool *t = r->tool;

	report_alike(r);
	if (r->fd && close(r->fd) < 0 && errno != EINTR && !rc)
		rc = lh_err_sys(&t->err, "%s: close failed", t->rejects);
	lh_buf_free(&r->lines);
	lh_record_free(&r->again);
	return rc;
}

static void fill(struct lh_records *r, struct lh_flow *f)
{
	struct lh_tool *t = r->tool;

	if (!f->files) {
		f->files = t->operands;
		f->n_files = t->n_operands;
	}
	f->jobs = t->jobs;
	f->max_line = t->max_line;
	f->once = t->once;
	f->output = r->fd;
	f->reject_net |= t->on_error == LH_ON_ERROR_EMIT;
	f->stop_at_reject = t->on_error == LH_ON_ERROR_STOP;
	if (t->on_error == LH_ON_ERROR_EMIT && !f->sink && !f->instead)
		f->instead = put_error;
	r->hooks = hooks;
	if (!lh_tool_shows_progress(t))
		r->hooks.share = NULL;
	f->hooks = &r->hooks;
	f->owner = r;
}

int lh_records_run(struct lh_tool *tool, const struct lh_flow *flow)
{
	struct lh_records r = { 0 };
	struct lh_flow f = *flow;
	int rc = begin(&r, tool, flow->sink != NULL);

	r.json_lines = !flow->texts;
	fill(&r, &f);
	if (!rc && !f.n_files && isatty(STDIN_FILENO))
		lh_tool_message(tool, "reading JSONL from the terminal");
	if (!rc)
		rc = lh_flow_run(&f, &tool->err);
	tool->state->progress.of = 0;
	if (!rc)
		lh_records_absent(tool);
	tool->state->wanted = NULL;
	if (!rc && r.unreadable)
		rc = lh_tool_reported(tool);
	return finish(&r, rc);
}

/* ---- a loop without a flow ---- */

struct lh_records *lh_records_begin(struct lh_tool *tool)
{
	struct lh_records *r = lh_calloc(1, sizeof *r);

	if (begin(r, tool, true) < 0) {
		lh_records_end(r, -1);
		return NULL;
	}
	return r;
}

void lh_records_hint(struct lh_records *r)
{
	r->json_lines = true;
}

int lh_records_output(const struct lh_records *r)
{
	return r->fd;
}

void lh_records_header(struct lh_records *r, struct lh_str header)
{
	struct stat st;

	if (r->fd && fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
		r->header = header;
}

int lh_records_reject(struct lh_records *r, const struct lh_rejection *of)
{
	return on_rejected(r, of, &r->tool->err);
}

int lh_records_long_line(struct lh_records *r, const char *p, size_t n)
{
	if (!r->fd)
		return 0;
	add_header(r);
	return flush_rejects(r, &r->tool->err) < 0 ? -1 : write_rejects(r, p, n, &r->tool->err);
}

int lh_records_delivered(struct lh_records *r, uint64_t records)
{
	return on_delivered(r, records, &r->tool->err);
}

int lh_records_end(struct lh_records *r, int rc)
{
	if (!r)
		return rc;
	if (flush_rejects(r, &r->tool->err) < 0)
		rc = -1;
	rc = finish(r, rc);
	free(r);
	return rc;
}
