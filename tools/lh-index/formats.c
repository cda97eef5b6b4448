/* formats.c - the bytes that the reader of a format takes.  See formats.h. */
#include "formats.h"

#include <stdarg.h>
#include <stdio.h>

#define BLOCK ((size_t)64 << 10)

/* Read until n bytes are there, or the input ends: their number, or -1. */
static ssize_t fill(struct byte_input *in, size_t n, struct lh_err *err)
{
	size_t have = in->buf.len - in->at;
	ssize_t got = 1;
	char *to;

	if (have >= n)
		return (ssize_t)have;
	if (have)
		memmove(in->buf.p, in->buf.p + in->at, have);
	in->buf.len = have;
	in->at = 0;
	while (got > 0 && in->buf.len < n) {
		to = lh_buf_room(&in->buf, BLOCK);
		got = in->read(in->ctx, to, BLOCK, err);
		if (got > 0)
			lh_buf_took(&in->buf, (size_t)got);
	}
	return got < 0 ? -1 : (ssize_t)in->buf.len;
}

int bytes_next(struct byte_input *in, size_t n, const char **p, struct lh_err *err)
{
	ssize_t have = fill(in, n, err);

	if (have < 0)
		return -1;
	if ((size_t)have < n && have) {
		in->offset += (uint64_t)have;
		return bytes_wrong(in, err, "the file is cut off: %zu bytes are missing",
				   n - (size_t)have);
	}
	if (n && !have)
		return 0;
	*p = in->buf.p + in->at;
	in->at += n;
	in->offset += n;
	return 1;
}

int bytes_need(struct byte_input *in, size_t n, const char **p, struct lh_err *err)
{
	int rc = n ? bytes_next(in, n, p, err) : 1;

	if (!n)
		*p = "";
	if (rc == 0)
		return bytes_wrong(in, err, "the file is cut off: %zu bytes are missing", n);
	return rc < 0 ? -1 : 0;
}

int bytes_end(struct byte_input *in, struct lh_err *err)
{
	ssize_t have = fill(in, 1, err);

	if (have <= 0)
		return have < 0 ? -1 : 0;
	return bytes_wrong(in, err, "bytes after the end");
}

int bytes_wrong(const struct byte_input *in, struct lh_err *err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return lh_err_set(err, LH_ECORRUPT, "byte %llu: %s", (unsigned long long)in->offset, text);
}

void row_reader_free(struct row_reader *r)
{
	lh_buf_free(&r->in.buf);
	lh_buf_free(&r->vector);
}
