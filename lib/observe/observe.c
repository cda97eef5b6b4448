/* observe.c - rows of a log: written, read as lines and as operations, and how many were sent.  See
 * observe.h. */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "json/bind.h"
#include "json/write.h"
#include "observe.h"

/* ---- lines, forwards or backwards ---- */

#define CHUNK ((size_t)256 << 10)

void lh_log_lines_open(struct lh_log_lines *l, int fd, const char *path, uint64_t at,
		       size_t longest)
{
	*l = (struct lh_log_lines){
		.fd = fd, .path = path, .longest = longest, .at = at, .from = at
	};
}

void lh_log_lines_close(struct lh_log_lines *l)
{
	lh_buf_free(&l->buf);
	lh_buf_free(&l->line);
}

/* Append up to n bytes of the file, from byte at on: how many; -1. */
static ssize_t read_at(struct lh_log_lines *l, struct lh_buf *to, size_t n, uint64_t at,
		       struct lh_err *err)
{
	char *p = lh_buf_room(to, n);
	ssize_t got;

	do
		got = pread(l->fd, p, n, (off_t)at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return lh_err_sys(err, "%s: read failed", l->path);
	lh_buf_took(to, (size_t)got);
	return got;
}

/* ---- forwards ---- */

int lh_log_lines_next(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err)
{
	size_t seen = l->skips ? 0 : (size_t)(l->at - l->from);
	const char *lf = NULL;
	ssize_t got;

	for (;;) {
		size_t used;

		if (l->buf.len > seen)
			lf = memchr(l->buf.p + seen, '\n', l->buf.len - seen);
		if (lf)
			break;
		/* Drop what was returned, and the beginning of a line that is too long. */
		used = (size_t)(l->at - l->from);
		if (l->skips || l->buf.len - used > l->longest) {
			l->skips = true;
			used = l->buf.len;
		}
		if (used)
			memmove(l->buf.p, l->buf.p + used, l->buf.len - used);
		l->buf.len -= used;
		l->from += used;
		seen = l->buf.len;
		got = read_at(l, &l->buf, CHUNK, l->from + l->buf.len, err);
		if (got <= 0)
			return (int)got;
	}
	*line = (struct lh_log_line){ .at = l->at, .whole = true };
	line->end = l->from + (uint64_t)(lf + 1 - l->buf.p);
	if (!l->skips && line->end - 1 - l->at <= l->longest) {
		line->p = l->buf.p + (l->at - l->from);
		line->n = (size_t)(line->end - 1 - l->at);
	}
	l->skips = false;
	l->at = line->end;
	return 1;
}

/* ---- backwards ---- */

/* Set *at to the offset after the last LF before byte end: 1, 0 if there is none, -1. */
static int find_start(struct lh_log_lines *l, uint64_t end, uint64_t *at, struct lh_err *err)
{
	const char *lf;
	uint64_t to;

	for (to = end; to; to = l->from) {
		if (to > l->from + l->buf.len || to <= l->from) {
			l->from = to > CHUNK ? to - CHUNK : 0;
			lh_buf_reset(&l->buf);
			if (read_at(l, &l->buf, (size_t)(to - l->from), l->from, err) < 0)
				return -1;
			if (l->buf.len < to - l->from)
				return lh_err_set(err, LH_EIO, "%s: became shorter while it was "
						  "read", l->path);
		}
		lf = memrchr(l->buf.p, '\n', (size_t)(to - l->from));
		if (lf) {
			*at = l->from + (uint64_t)(lf + 1 - l->buf.p);
			return 1;
		}
	}
	*at = 0;
	return 0;
}

/* Set the text of a line, from the chunk or the file. */
static int set_text(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err)
{
	uint64_t end = line->at + line->n;

	if (line->n > l->longest) {
		line->n = 0;
		return 0;
	}
	if (line->at >= l->from && end <= l->from + l->buf.len) {
		line->p = l->buf.p + (line->at - l->from);
		return 0;
	}
	lh_buf_reset(&l->line);
	while (l->line.len < line->n) {
		ssize_t got = read_at(l, &l->line, line->n - l->line.len, line->at + l->line.len,
				      err);

		if (got < 0)
			return -1;
		if (!got)
			return lh_err_set(err, LH_EIO, "%s: became shorter while it was read",
					  l->path);
	}
	line->p = l->line.p;
	return 0;
}

int lh_log_lines_before(struct lh_log_lines *l, struct lh_log_line *line, struct lh_err *err)
{
	uint64_t at, end = l->at;

	if (!end)
		return 0;
	*line = (struct lh_log_line){ .end = end };
	if (find_start(l, end, &at, err) < 0)
		return -1;
	if (at == end) {	/* the byte before end is LF: the line is before that */
		line->whole = true;
		end--;
		if (find_start(l, end, &at, err) < 0)
			return -1;
	}
	line->at = at;
	line->n = (size_t)(end - at);
	l->at = at;
	return set_text(l, line, err) < 0 ? -1 : 1;
}

/* ---- how much of a log was sent ---- */

/*
 * See
 * observe.h.
 */

#define CHECKED 4096			/* bytes before the offset that are hashed */
#define FILE_MAX ((size_t)1 << 20)	/* bytes of the file */

int lh_cursor_lock(struct lh_lock *lock, const char *path, double timeout, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };

	lh_buf_puts(&name, path);
	lh_buf_puts(&name, ".lock");
	lh_buf_putc(&name, '\0');
	return lh_lock_take(lock, name.p, path, timeout, err);
}

/* Hash what is before the offset: 1, 0 if the log is shorter, -1. */
static int hash_before(int log, uint64_t offset, char hex[LH_SHA256_HEX], struct lh_err *err)
{
	size_t n = offset < CHECKED ? (size_t)offset : CHECKED;
	unsigned char sum[32], bytes[CHECKED];
	ssize_t got = 0;

	if (n && log < 0)
		return 0;
	do
		got = n ? pread(log, bytes, n, (off_t)(offset - n)) : 0;
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return lh_err_sys(err, "read failed");
	if ((size_t)got < n)
		return 0;
	lh_sha256(bytes, n, sum);
	lh_hex(sum, sizeof sum, hex);
	return 1;
}

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("schema", struct lh_cursor, schema), .required = true },
	{ LH_BIND_STRING("to", struct lh_cursor, to), .required = true },
	{ LH_BIND_U64("offset", struct lh_cursor, offset, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("line", struct lh_cursor, line, 0, INT64_MAX), .required = true },
	{ LH_BIND_STRING("check", struct lh_cursor, check), .required = true },
	LH_BIND_END
};

int lh_cursor_read(struct lh_cursor *c, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf file = { 0 };
	struct lh_value root;
	int rc;

	*c = (struct lh_cursor){ 0 };
	lh_buf_init(&file, FILE_MAX);
	rc = lh_file_read(path, &file, err);
	if (rc <= 0)
		return rc;
	rc = lh_json_parse(&rec, file.p, file.len, &root, err);
	if (!rc)
		rc = lh_bind_value(members, &root, c, &c->text, err);
	if (!rc && !lh_str_is(c->schema, LH_CURSOR_SCHEMA, sizeof LH_CURSOR_SCHEMA - 1))
		rc = lh_err_set(err, LH_EDATA, "is not a cursor");
	if (!rc) {	/* its strings may be in the file */
		c->file = file;
		file = (struct lh_buf){ 0 };
		return 1;
	}
	if (err->code == LH_EDATA) {
		err->code = LH_ECORRUPT;
		lh_err_prefix(err, "%s", path);
	}
	return -1;
}

void lh_cursor_free(struct lh_cursor *c)
{
	lh_buf_free(&c->file);
	lh_buf_free(&c->text);
}

int lh_cursor_holds(const struct lh_cursor *c, int log, struct lh_err *err)
{
	char hex[LH_SHA256_HEX];
	int rc = hash_before(log, c->offset, hex, err);

	return rc > 0 ? lh_str_is(c->check, hex, sizeof hex) : rc;
}

int lh_cursor_write(const char *path, struct lh_str to, int log, uint64_t offset, uint64_t line,
		    struct lh_err *err)
{
	char hex[LH_SHA256_HEX];
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	int rc = hash_before(log, offset, hex, err);

	if (!rc)
		rc = lh_err_set(err, LH_EIO, "became shorter while it was read");
	if (rc < 0)
		return lh_err_prefix(err, "%s: its log", path);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", LH_CURSOR_SCHEMA);
	lh_write_str(&w, "to", to);
	lh_write_u64(&w, "offset", offset);
	lh_write_u64(&w, "line", line);
	lh_write_str(&w, "check", (struct lh_str){ hex, sizeof hex });
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	return lh_atomic_put(path, 0600, &text, err) ? -1 : 0;
}

/* Find the offset after so many lines: 1, 0 if the log has fewer, -1. */
static int after_lines(int log, const char *path, uint64_t lines, uint64_t *offset,
		       struct lh_err *err)
{
	struct lh_log_lines l;
	struct lh_log_line line;
	uint64_t n = 0;
	int rc = 1;

	lh_log_lines_open(&l, log, path, 0, 0);
	while (n < lines && (rc = lh_log_lines_next(&l, &line, err)) > 0)
		n++;
	*offset = l.at;
	lh_log_lines_close(&l);
	return rc;
}

int lh_cursor_move(const char *path, int before, int after, struct lh_err *err)
{
	LH_SCOPED(lh_cursor_free) struct lh_cursor c = { 0 };
	uint64_t offset;
	int rc = lh_cursor_read(&c, path, err);

	if (rc > 0)
		rc = lh_cursor_holds(&c, before, err);
	if (rc > 0)
		rc = after_lines(after, path, c.line, &offset, err);
	if (rc > 0 && lh_cursor_write(path, c.to, after, offset, c.line, err) < 0)
		rc = -1;
	return rc;
}

/* ---- writing ---- */

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

/* ---- observed ---- */

static const char session_schema[] = "session.iterate.v1";

enum lh_observe_kind lh_observe_kind(const struct lh_record *rec)
{
	const struct lh_value *schema = lh_record_get(rec, "schema");

	if (schema && schema->type == LH_STRING &&
	    lh_value_is(schema, session_schema, sizeof session_schema - 1))
		return LH_OBSERVE_SESSION;
	if (!lh_record_get(rec, "endpoint") && lh_record_get(rec, "time") &&
	    lh_record_get(rec, "route") && lh_record_get(rec, "status"))
		return LH_OBSERVE_ACCESS;
	return LH_OBSERVE_OPERATION;
}

/* The members of all kinds. */
struct row {
	struct lh_str timestamp, source, endpoint, error, verdict;
	int success;
	double duration, queue, filter;
	int64_t status;
};

static const struct lh_bind operation_members[] = {
	{ LH_BIND_STRING("timestamp", struct row, timestamp) },
	{ LH_BIND_STRING("source", struct row, source) },
	{ LH_BIND_STRING("endpoint", struct row, endpoint), .required = true, .filled = true },
	{ LH_BIND_TRUTH("success", struct row, success) },
	{ LH_BIND_F64("duration_ms", struct row, duration, 0, LH_OBSERVE_MS) },
	{ LH_BIND_STRING("error", struct row, error) },
	LH_BIND_END
};
static const struct lh_bind access_members[] = {
	{ LH_BIND_STRING("timestamp|time", struct row, timestamp) },
	{ LH_BIND_STRING("source", struct row, source) },
	{ LH_BIND_STRING("route", struct row, endpoint) },
	{ LH_BIND_I64("status", struct row, status, 0, 999), .required = true },
	{ LH_BIND_F64("queue_ms", struct row, queue, 0, LH_OBSERVE_MS) },
	{ LH_BIND_F64("filter_ms", struct row, filter, 0, LH_OBSERVE_MS) },
	LH_BIND_END
};
static const struct lh_bind session_members[] = {
	{ LH_BIND_STRING("timestamp", struct row, timestamp), .required = true },
	{ LH_BIND_STRING("final_verdict", struct row, verdict), .required = true },
	{ LH_BIND_F64("duration_ms", struct row, duration, 0, LH_OBSERVE_MS) },
	LH_BIND_END
};
static const struct lh_bind *const members_of[] = {
	[LH_OBSERVE_OPERATION] = operation_members,
	[LH_OBSERVE_ACCESS] = access_members,
	[LH_OBSERVE_SESSION] = session_members,
};

#define IS(s, text) lh_str_is(s, text, sizeof(text) - 1)

int lh_observe_read(const struct lh_record *rec, struct lh_observed *o, struct lh_buf *text,
		    struct lh_err *err)
{
	struct row r = { .success = -1, .duration = -1, .queue = -1, .filter = -1,
			 .timestamp = { "", 0 } };

	o->kind = lh_observe_kind(rec);
	if (lh_bind(members_of[o->kind], rec, &r, text, err) < 0)
		return -1;
	o->timestamp = r.timestamp;
	o->source = r.source.n ? r.source : lh_str_of(LH_OBSERVE_SOURCE);
	o->endpoint = r.endpoint;
	o->duration_ms = r.duration;
	o->success = r.success < 0 ? !r.error.n : r.success;
	if (o->kind == LH_OBSERVE_ACCESS) {
		if (!r.endpoint.n)
			o->endpoint = lh_str_of(LH_OBSERVE_NO_ROUTE);
		if (r.queue >= 0 || r.filter >= 0)
			o->duration_ms = fmin(round((fmax(r.queue, 0) + fmax(r.filter, 0)) * 1e3) /
					      1e3, LH_OBSERVE_MS);
		o->success = r.status < 400;
	} else if (o->kind == LH_OBSERVE_SESSION) {
		o->source = lh_str_of(LH_OBSERVE_ITERATE);
		o->endpoint = lh_str_of(LH_OBSERVE_SESSION_NAME);
		o->success = IS(r.verdict, "accepted");
	}
	return 0;
}
