/*
 * fuzz_multipart - a line that is the Content-Type, and a body.
 *
 * A body gives the same bytes and the same end however it is cut; the bytes of the field are
 * a part of the body; and a body made of the field that was found gives that field again.
 */
#include "fuzz.h"

#include "serve/body.h"

static struct lh_err err;

static int take(void *ctx, const char *p, size_t n, struct lh_err *e)
{
	(void)e;
	lh_buf_add(ctx, p, n);
	return 0;
}

/* Read the body in parts whose lengths are those of the bytes of how; 0: it is good. */
static int read_parts(const char *type, const char *p, size_t n, const uint8_t *how, size_t parts,
		      struct lh_buf *out)
{
	struct lh_multipart *m = lh_multipart_new(type, "file", take, out, &err);
	size_t i = 0, part;
	int rc = m ? 0 : -1;

	lh_buf_reset(out);
	while (!rc && n) {
		part = parts ? how[i++ % parts] : n;
		part = part > n ? n : part ? part : 1;
		rc = lh_multipart_more(m, p, part, &err);
		p += part;
		n -= part;
	}
	if (!rc)
		rc = lh_multipart_end(m, &err);
	lh_multipart_free(m);
	return rc;
}

/* A form that holds only the field. */
static void make_again(const struct lh_buf *field)
{
	static struct lh_buf body, out;

	if (field->len && memmem(field->p, field->len, "\r\n--0q1", 7))
		return;
	lh_buf_reset(&body);
	lh_buf_puts(&body, "--0q1\r\nContent-Disposition: form-data; name=file\r\n\r\n");
	lh_buf_add(&body, field->p, field->len);
	lh_buf_puts(&body, "\r\n--0q1--\r\n");
	must(read_parts("multipart/form-data; boundary=\"0q1\"", body.p, body.len, NULL, 0,
			&out) == 0);
	must(out.len == field->len && (!out.len || !memcmp(out.p, field->p, out.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct lh_buf whole, cut;
	const uint8_t *lf = n ? memchr(data, '\n', n) : NULL;
	char type[256];
	size_t head;
	int rc;

	if (!lf || lf - data >= (ptrdiff_t)sizeof type || memchr(data, 0, (size_t)(lf - data)))
		return 0;
	head = (size_t)(lf - data);
	memcpy(type, data, head);
	type[head] = '\0';
	data = lf + 1;
	n -= head + 1;
	rc = read_parts(type, (const char *)data, n, NULL, 0, &whole);
	must(rc == 0 || err.code == LH_EDATA);
	must(read_parts(type, (const char *)data, n, (const uint8_t *)"\1", 1, &cut) == rc);
	must(rc || (cut.len == whole.len && (!cut.len || !memcmp(cut.p, whole.p, cut.len))));
	must(read_parts(type, (const char *)data, n, data, n, &cut) == rc);
	must(rc || (cut.len == whole.len && (!cut.len || !memcmp(cut.p, whole.p, cut.len))));
	if (rc)
		return 0;
	must(!whole.len || memmem(data, n, whole.p, whole.len));
	make_again(&whole);
	return 0;
}
