/* push.c - lh-observe push: send the rows after the cursor. */
#include "push.h"

#include <stdio.h>
#include <stdlib.h>

#include <lh/num.h>
#include "base/mem.h"
#include "base/signal.h"

/* ---- the account ---- */

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static int set_url(struct push *p, const char *base, const char *name, const char *path,
		   struct lh_err *err)
{
	size_t n = strlen(base);
	LH_SCOPED(lh_buf_free) struct lh_buf url = { 0 };

	if (lh_http_check_kept_url(base, err) < 0)
		return lh_err_prefix(err, "%s", name);
	if (strpbrk(base, "?#"))
		return lh_err_set(err, LH_EUSAGE, "%s: a path is added to it, so it may hold no ? "
				  "and no #", name);
	while (n && base[n - 1] == '/')
		n--;
	lh_buf_add(&url, base, n);
	lh_buf_puts(&url, path);
	p->url = lh_strndup(url.p, url.len);
	return 0;
}

static int set_secret(struct lh_secret *s, const char *a, const char *between, const char *b,
		      struct lh_err *err)
{
	size_t n = strlen(a) + strlen(between) + strlen(b);

	if (lh_secret_alloc(s, n + 1, err) < 0)
		return -1;
	s->n = (size_t)snprintf((char *)s->p, n + 1, "%s%s%s", a, between, b);
	return 0;
}

static int set_pair(struct push *p, const char *public, const char *secret, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf coded = { 0 };
	int rc;

	if (set_secret(&p->secret[0], secret, "", "", err) < 0 ||
	    set_secret(&p->secret[1], public, ":", secret, err) < 0)
		return -1;
	lh_buf_base64(&coded, p->secret[1].p, p->secret[1].n);
	lh_buf_putc(&coded, '\0');
	rc = set_secret(&p->secret[2], coded.p, "", "", err);
	if (coded.p)
		explicit_bzero(coded.p, coded.len);
	return rc;
}

static int check_key(const char *name, const char *key, struct lh_err *err)
{
	if (!key)
		return lh_err_set(err, LH_EUSAGE, "%s is not set", name);
	return lh_http_check_bearer(key, err) < 0 ? lh_err_prefix(err, "%s", name) : 0;
}

/* Read the keys and the address. */
static int push_account(struct push *p, struct lh_err *err)
{
	const char *url = p->run->s->otlp, *token = variable("LH_OTLP_TOKEN");
	const char *public = variable("LANGFUSE_PUBLIC_KEY");
	const char *secret = variable("LANGFUSE_SECRET_KEY");

	if (url) {
		if (set_url(p, url, "--otlp", "/v1/traces", err) < 0)
			return -1;
		if (!token)
			return 0;
		return check_key("LH_OTLP_TOKEN", token, err) < 0 ? -1
			: set_secret(&p->secret[1], token, "", "", err);
	}
	url = variable("LANGFUSE_URL");
	if (!url)
		return lh_err_set(err, LH_EUSAGE,
				  "LANGFUSE_URL is not set, and there is no --otlp");
	if (check_key("LANGFUSE_PUBLIC_KEY", public, err) < 0 ||
	    check_key("LANGFUSE_SECRET_KEY", secret, err) < 0 ||
	    set_url(p, url, "LANGFUSE_URL", "/api/public/otel/v1/traces", err) < 0)
		return -1;
	return set_pair(p, public, secret, err);
}

/* ---- batches ---- */

static void batch_add(struct push *p, const struct lh_log_line *line, const struct exported *e)
{
	struct batch *b = &p->batch;
	struct item *it;

	lh_grow(&b->v, &b->cap, b->n + 1, sizeof *b->v);
	it = &b->v[b->n++];
	*it = (struct item){
		.at = line->at, .end = line->end, .number = p->line, .line = b->lines.len,
		.n_line = line->n, .json = b->json.len
	};
	lh_buf_add(&b->lines, line->p, line->n);
	otlp_put(&b->json, e);
	it->n_json = b->json.len - it->json;
	if (it->n_json > p->run->s->batch_size) {
		it->state = REJECTED;
		it->why = "larger than --batch-size";
	}
}

/* Report the rejected rows. */
static int report_rejected(struct push *p)
{
	struct batch *b = &p->batch;
	size_t i;

	for (i = 0; i < b->n; i++) {
		const struct item *it = &b->v[i];

		if (it->state == ACCEPTED) {
			p->sent++;
			continue;
		}
		if (it->state == PENDING)
			continue;
		p->rejected++;
		if (lh_records_reject(p->records, &(struct lh_rejection){
			    .file = p->run->path, .line = it->number, .operand = 1,
			    .record = b->lines.p + it->line, .n = it->n_line, .code = LH_EDATA,
			    .status = 413, .why = it->why }) < 0)
			return -1;
	}
	return lh_records_delivered(p->records, b->n);
}

/* Send the batch, and move the cursor after it; after a failure, to the first row that was
 * not accepted. */
static int deliver(struct push *p, uint64_t end, uint64_t line, struct lh_err *err)
{
	struct batch *b = &p->batch;
	struct lh_err later;
	size_t i;

	if (push_batch(p, err) == 0) {
		if (report_rejected(p) < 0 || cursor_write(p, end, line, err) < 0)
			return -1;
		b->n = 0;
		lh_buf_reset(&b->lines);
		lh_buf_reset(&b->json);
		return 0;
	}
	for (i = 0; i < b->n && b->v[i].state == ACCEPTED; i++)
		;
	if (i) {
		p->sent += i;
		cursor_write(p, b->v[i - 1].end, b->v[i - 1].number, &later);
	}
	return -1;
}

/* Add the line to the batch, which is sent when it is full. */
static int add_line(struct push *p, const struct lh_log_line *line, struct lh_err *err)
{
	struct batch *b = &p->batch;
	const struct settings *s = p->run->s;
	struct lh_observed o;
	struct exported e;
	int rc = reading_row(&p->reading, line, &o, err);

	if (rc <= 0)
		return rc;
	if (exported_read(&p->reading.rec, &o, line, &e, &p->scratch, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		reading_skip(&p->reading, line, err->msg);
		return 0;
	}
	batch_add(p, line, &e);
	return b->n >= s->batch || b->json.len >= s->batch_size ? 1 : 0;
}

static int send_rows(struct push *p, struct lh_err *err)
{
	struct lh_log_line line;
	uint64_t end = p->offset;
	int rc;

	if (p->reading.fd < 0)
		return 0;
	while ((rc = lh_log_lines_next(&p->reading.lines, &line, err)) > 0) {
		p->line++;
		end = line.end;
		rc = add_line(p, &line, err);
		if (rc > 0)
			rc = deliver(p, end, p->line, err);
		if (rc < 0)
			return -1;
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	return rc < 0 ? -1 : end > p->offset ? deliver(p, end, p->line, err) : 0;
}

/* ---- the command ---- */

static int open_all(struct push *p, struct lh_err *err)
{
	const struct settings *s = p->run->s;
	struct lh_http_opts opts = {
		.timeout = s->timeout, .retries = (unsigned)s->retries, .stopping = lh_stopping
	};

	if (reading_open(&p->reading, p->run, err) < 0) {
		p->reading.fd = -1;
		return -1;
	}
	if (cursor_read(p, err) < 0)
		return -1;
	lh_log_lines_open(&p->reading.lines, p->reading.fd, p->run->path, p->offset,
			  p->run->tool->max_line);
	p->http = lh_http_new(&opts, err);
	if (p->http)
		p->records = lh_records_begin(p->run->tool);
	return p->records ? 0 : -1;
}

static int push_all(struct push *p, struct lh_err *err)
{
	static const char *const names[] = { "sent", "rejected", "skipped", "offset" };
	struct lh_tool *tool = p->run->tool;
	int rc = open_all(p, err);

	if (!rc)
		rc = send_rows(p, err);
	rc = lh_records_end(p->records, rc);
	if (p->reading.skipped)
		reading_report(&p->reading);
	return rc ? rc : lh_tool_out_counts(tool, names, (uint64_t[]){
		p->sent, p->rejected, p->reading.skipped, p->offset }, 4);
}

static void push_free(struct push *p)
{
	size_t i;

	reading_close(&p->reading);
	lh_http_free(p->http);
	for (i = 0; i < sizeof p->secret / sizeof *p->secret; i++)
		lh_secret_wipe(&p->secret[i]);
	free(p->url);
	free(p->cursor_path);
	free(p->batch.v);
	lh_buf_free(&p->batch.lines);
	lh_buf_free(&p->batch.json);
	lh_buf_free(&p->body);
	lh_buf_free(&p->scratch);
	lh_record_free(&p->answer);
}

static void name_cursor(struct push *p)
{
	const struct settings *s = p->run->s;
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	if (s->cursor)
		lh_buf_puts(&path, s->cursor);
	else
		lh_buf_printf(&path, "%s.%scursor", p->run->path, s->otlp ? "otlp." : "");
	p->cursor_path = lh_strndup(path.p, path.len);
}

int observe_push(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct lh_lock lock = { .fd = -1 };
	struct push p = { .reading = { .fd = -1 }, .run = &s->run };
	int rc;

	p.service = s->otlp ? "otlp" : "langfuse";
	rc = push_account(&p, err);
	name_cursor(&p);
	if (!rc)
		rc = lh_cursor_lock(&lock, p.cursor_path, tool->lock_timeout, err);
	if (!rc)
		rc = push_all(&p, err);
	lh_lock_drop(&lock);
	push_free(&p);
	return rc;
}
