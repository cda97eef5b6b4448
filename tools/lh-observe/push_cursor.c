/* push_cursor.c - how much of a log was sent: an offset, and a hash of what is before it. */
#include <unistd.h>

#include <lh/digest.h>
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "push.h"

#define CHECKED 4096		/* bytes before the offset that are hashed */
#define FILE_MAX ((size_t)1 << 20)	/* bytes of the file */

struct cursor {
	struct lh_str schema, to, check;
	uint64_t offset, line;
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("schema", struct cursor, schema), .required = true },
	{ LH_BIND_STRING("to", struct cursor, to), .required = true },
	{ LH_BIND_U64("offset", struct cursor, offset, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("line", struct cursor, line, 0, INT64_MAX), .required = true },
	{ LH_BIND_STRING("check", struct cursor, check), .required = true },
	LH_BIND_END
};

/* Hash what is before the offset: 1, 0 if the log is shorter, -1. */
static int hash_before(struct push *p, uint64_t offset, char hex[LH_SHA256_HEX],
		       struct lh_err *err)
{
	size_t n = offset < CHECKED ? (size_t)offset : CHECKED;
	unsigned char sum[32], bytes[CHECKED];
	ssize_t got = 0;

	if (n && p->reading.fd < 0)
		return 0;
	if (n)
		got = pread(p->reading.fd, bytes, n, (off_t)(offset - n));
	if (got < 0)
		return lh_err_sys(err, "%s: read failed", p->run->path);
	if ((size_t)got < n)
		return 0;
	lh_sha256(bytes, n, sum);
	lh_hex(sum, sizeof sum, hex);
	return 1;
}

static int check(struct push *p, const struct cursor *c, struct lh_err *err)
{
	const char *path = p->cursor_path;
	char hex[LH_SHA256_HEX];
	int rc;

	if (!lh_str_is(c->schema, CURSOR_SCHEMA, strlen(CURSOR_SCHEMA)))
		return lh_err_set(err, LH_ECORRUPT, "%s: is not a cursor", path);
	if (!lh_str_is(c->to, p->service->name, strlen(p->service->name)))
		return lh_err_set(err, LH_EUSAGE, "%s: is the cursor of another service: %.*s",
				  path, (int)(c->to.n < 40 ? c->to.n : 40), c->to.p);
	rc = hash_before(p, c->offset, hex, err);
	if (rc > 0 && lh_str_is(c->check, hex, sizeof hex)) {
		p->offset = c->offset;
		p->line = c->line;
		return 0;
	}
	return rc < 0 ? -1 : lh_err_set(err, LH_EIO, "%s: was replaced or truncated: what %s "
					"describes, %llu bytes, is not in it; --restart begins at "
					"its start", p->run->path, path,
					(unsigned long long)c->offset);
}

int cursor_read(struct push *p, struct lh_err *err)
{
	struct cursor c = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value root;
	int rc;

	if (p->run->s->restart)
		return 0;
	lh_buf_init(&text, FILE_MAX);
	rc = lh_file_read(p->cursor_path, &text, err);
	if (rc > 0) {
		rc = lh_json_parse(&p->answer, text.p, text.len, &root, err);
		if (!rc)
			rc = lh_bind_value(members, &root, &c, &p->scratch, err);
		if (rc < 0 && err->code == LH_EDATA) {
			err->code = LH_ECORRUPT;
			lh_err_prefix(err, "%s", p->cursor_path);
		}
		if (!rc)
			rc = check(p, &c, err);
	}
	return rc;
}

int cursor_write(struct push *p, uint64_t offset, uint64_t line, struct lh_err *err)
{
	char hex[LH_SHA256_HEX];
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);
	int rc = hash_before(p, offset, hex, err);

	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_set(err, LH_EIO, "%s: became shorter while it was read",
						p->run->path);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", CURSOR_SCHEMA);
	lh_write_text(&w, "to", p->service->name);
	lh_write_u64(&w, "offset", offset);
	lh_write_u64(&w, "line", line);
	lh_write_str(&w, "check", (struct lh_str){ hex, sizeof hex });
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	rc = lh_atomic_put(p->cursor_path, 0600, &text, err);
	if (rc)
		return -1;
	p->offset = offset;
	p->line = line;
	return 0;
}
