/* cursor.c - how much of a log was sent: an offset, and a hash of what is before it.  See
 * observe.h. */
#include "observe.h"

#include <errno.h>
#include <unistd.h>

#include <lh/digest.h>
#include "json/bind.h"
#include "json/write.h"

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
