/* multipart.c - the file in a form.  See body.h. */
#include "body.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/mem.h"

#define BOUNDARY 70		/* most bytes */
#define PADDING 64		/* most blanks after a boundary */

enum state {
	SKIP,			/* in what is not wanted, up to a boundary */
	TAKE,			/* in the field */
	BOUND,			/* after a boundary */
	HEADER,			/* in the header of a part, from the CR LF before it on */
	OVER			/* after the last boundary */
};

struct lh_multipart {
	enum state state;
	bool found;			/* the field has begun */
	const char *field;
	int (*take)(void *ctx, const char *p, size_t n, struct lh_err *err);
	void *ctx;
	char delimiter[BOUNDARY + 5];	/* CR LF "--" boundary */
	size_t n_delimiter;
	struct lh_buf hold;		/* what came and is not done */
	size_t at;			/* bytes of it that are done */
	struct lh_buf filename;
};

static int bad_form(struct lh_err *err, const char *why)
{
	return lh_err_set(err, LH_EDATA, "the form is wrong: %s", why);
}

/* ---- headers ---- */

static bool starts_with(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Copy a parameter's value, a token or a quoted string; return the byte after it, or NULL. */
static const char *copy_value(const char *p, const char *end, struct lh_buf *to)
{
	lh_buf_reset(to);
	if (p == end || *p != '"') {
		while (p < end && *p != ';' && *p != ' ' && *p != '\t')
			lh_buf_putc(to, *p++);
		return p;
	}
	for (p++; p < end && *p != '"'; p++) {
		p += *p == '\\' && p + 1 < end;
		lh_buf_putc(to, *p);
	}
	return p < end ? p + 1 : NULL;
}

/*
 * Find the parameter `name` of a header's value p..end, after its first word; copy it to `to`.
 * 1, 0 if it is not there, -1 if the value is malformed.
 */
static int parameter(const char *p, const char *end, const char *name, struct lh_buf *to)
{
	LH_SCOPED(lh_buf_free) struct lh_buf value = { 0 };
	const char *key, *stop;
	int found = 0;

	p = memchr(p, ';', (size_t)(end - p));
	while (p && !found && (p = skip_blanks(p + 1, end)) < end) {
		key = p;
		stop = memchr(p, '=', (size_t)(end - p));
		p = stop ? copy_value(stop + 1, end, &value) : NULL;
		if (!p)
			found = -1;
		else if ((size_t)(stop - key) == strlen(name) && starts_with(key, stop, name))
			found = 1;
		else if ((p = skip_blanks(p, end)) < end && *p != ';')
			found = -1;
		else if (p == end)
			break;
	}
	if (found > 0) {
		lh_buf_reset(to);
		lh_buf_add(to, value.p, value.len);
	}
	return found;
}

/* Read the value of Content-Disposition: 1 if it is the field, 0, -1. */
static int is_field(struct lh_multipart *m, const char *p, const char *end, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	int rc;

	if (!starts_with(p, end, "form-data"))
		return bad_form(err, "a part is not form-data");
	rc = parameter(p, end, "name", &name);
	if (rc > 0)
		rc = lh_str_is((struct lh_str){ name.p ? name.p : "", name.len }, m->field,
			       strlen(m->field));
	if (rc > 0 && m->found)
		rc = bad_form(err, "the field is there twice");
	else if (rc > 0 && parameter(p, end, "filename", &m->filename) < 0)
		rc = bad_form(err, "a header of a part is malformed");
	else if (rc < 0)
		bad_form(err, "a header of a part is malformed");
	return rc;
}

/* Read the header p..end of a part, each line of which begins after a CR LF. */
static int read_header(struct lh_multipart *m, const char *p, const char *end,
		       struct lh_err *err)
{
	static const char name[] = "Content-Disposition:";
	const char *line, *stop;
	int field = 0, seen = 0;

	for (line = p; field >= 0 && line < end; line = stop) {
		line += 2;
		stop = memmem(line, (size_t)(end - line), "\r\n", 2);
		stop = stop ? stop : end;
		if (!starts_with(line, stop, name))
			continue;
		if (seen++)
			return bad_form(err, "a part has two Content-Disposition");
		line += sizeof name - 1;
		field = is_field(m, skip_blanks(line, stop), stop, err);
	}
	if (field < 0)
		return -1;
	m->state = field ? TAKE : SKIP;
	m->found |= field;
	return 0;
}

/* ---- the body ---- */

/* Each step: 1 if it came further, 0 if more bytes are needed, -1. */

static int step_content(struct lh_multipart *m, const char *p, size_t n, struct lh_err *err)
{
	const char *stop = memmem(p, n, m->delimiter, m->n_delimiter);
	size_t part = stop ? (size_t)(stop - p) : n < m->n_delimiter ? 0 : n - m->n_delimiter + 1;

	if (part && m->state == TAKE && m->take(m->ctx, p, part, err) < 0)
		return -1;
	m->at += part;
	if (!stop)
		return 0;
	m->at += m->n_delimiter;
	m->state = BOUND;
	return 1;
}

static int step_bound(struct lh_multipart *m, const char *p, size_t n, struct lh_err *err)
{
	const char *end = p + n, *q;

	if (n < 2)
		return 0;
	if (p[0] == '-' && p[1] == '-') {
		m->state = OVER;
		return 1;
	}
	q = skip_blanks(p, end);
	if (q - p > PADDING)
		return bad_form(err, "blanks after a boundary");
	if (end - q < 2)
		return 0;
	if (q[0] != '\r' || q[1] != '\n')
		return bad_form(err, "something follows a boundary on its line");
	m->at += (size_t)(q - p);
	m->state = HEADER;
	return 1;
}

static int step_header(struct lh_multipart *m, const char *p, size_t n, struct lh_err *err)
{
	const char *stop = memmem(p, n, "\r\n\r\n", 4);

	if ((stop ? (size_t)(stop - p) : n) > LH_MULTIPART_HEADER)
		return bad_form(err, "the header of a part is too large");
	if (!stop)
		return 0;
	m->at += (size_t)(stop - p) + 4;
	return read_header(m, p, stop, err) < 0 ? -1 : 1;
}

static int take_step(struct lh_multipart *m, struct lh_err *err)
{
	const char *p = m->hold.p + m->at;
	size_t n = m->hold.len - m->at;

	switch (m->state) {
	case BOUND:
		return step_bound(m, p, n, err);
	case HEADER:
		return step_header(m, p, n, err);
	case OVER:
		m->at = m->hold.len;
		return 0;
	default:
		return step_content(m, p, n, err);
	}
}

int lh_multipart_more(struct lh_multipart *m, const char *p, size_t n, struct lh_err *err)
{
	int rc;

	lh_buf_add(&m->hold, p, n);
	do
		rc = take_step(m, err);
	while (rc > 0);
	if (rc < 0)
		return -1;
	m->hold.len -= m->at;
	memmove(m->hold.p, m->hold.p + m->at, m->hold.len);
	m->at = 0;
	return 0;
}

int lh_multipart_end(struct lh_multipart *m, struct lh_err *err)
{
	if (m->state != OVER)
		return bad_form(err, "it ends before its last boundary");
	if (!m->found)
		return lh_err_set(err, LH_EDATA, "the form has no field \"%s\"", m->field);
	return 0;
}

/* ---- start and end ---- */

bool lh_is_multipart(const char *type)
{
	const size_t n = type ? strcspn(type, "; \t") : 0;

	return n == 19 && strncasecmp(type, "multipart/form-data", n) == 0;
}

static int set_boundary(struct lh_multipart *m, const char *type, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = parameter(type, type + strlen(type), "boundary", &text);

	if (rc > 0)
		rc = 0;
	if (rc <= 0 && !text.len)
		rc = bad_form(err, "its type has no boundary");
	else if (!text.len || text.len > BOUNDARY || memchr(text.p, '\r', text.len) ||
		 memchr(text.p, '\n', text.len))
		rc = bad_form(err, "its boundary must have 1 to 70 characters");
	if (!rc) {
		memcpy(m->delimiter, "\r\n--", 4);
		memcpy(m->delimiter + 4, text.p, text.len);
		m->n_delimiter = 4 + text.len;
	}
	return rc;
}

struct lh_multipart *lh_multipart_new(const char *type, const char *field,
				      int (*take)(void *ctx, const char *p, size_t n,
						  struct lh_err *err),
				      void *ctx, struct lh_err *err)
{
	struct lh_multipart *m = lh_calloc(1, sizeof *m);

	m->field = field;
	m->take = take;
	m->ctx = ctx;
	/* the first boundary may be at the very beginning */
	lh_buf_puts(&m->hold, "\r\n");
	if (set_boundary(m, type, err) < 0) {
		lh_multipart_free(m);
		return NULL;
	}
	return m;
}

struct lh_str lh_multipart_filename(const struct lh_multipart *m)
{
	return (struct lh_str){ m->filename.p, m->filename.len };
}

void lh_multipart_free(struct lh_multipart *m)
{
	if (!m)
		return;
	lh_buf_free(&m->hold);
	lh_buf_free(&m->filename);
	free(m);
}
