/* s3_xml.c - the XML that S3 answers, read with expat.  See s3_xml.h. */
#include "s3_xml.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lh/time.h>
#include "base/mem.h"

#define DEPTH_MAX 16
#define TEXT_MAX ((size_t)16 << 10)	/* bytes between two tags */
#define BODY_MAX ((size_t)64 << 20)

struct reader {
	XML_Parser parser;
	struct s3_document *d;
	struct lh_buf text;	/* since the last tag */
	unsigned depth;
	bool in_object;		/* in Contents, Version or DeleteMarker */
	bool marker;		/* in DeleteMarker, which has no size */
	bool encoded;		/* keys are percent-encoded */
	bool has_key, has_size, has_time;
	struct s3_entry entry;
	struct lh_err *err;
	int rc;
};

static void fail(struct reader *r, const char *why)
{
	if (!r->rc)
		r->rc = lh_err_set(r->err, LH_ENET, "bad XML in the answer: %s", why);
	XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_doctype(void *ctx, const char *name, const char *sys, const char *pub,
			       int internal)
{
	(void)name, (void)sys, (void)pub, (void)internal;
	fail(ctx, "it has a DOCTYPE");
}

static void XMLCALL on_start(void *ctx, const char *name, const char **attributes)
{
	struct reader *r = ctx;

	(void)attributes;
	if (r->depth == 0)
		snprintf(r->d->root, sizeof r->d->root, "%s", name);
	if (++r->depth > DEPTH_MAX)
		fail(r, "it is nested too deep");
	r->marker = r->depth == 2 ? strcmp(name, "DeleteMarker") == 0 : r->marker;
	if (r->depth == 2 && (r->marker || strcmp(name, "Contents") == 0 ||
			      strcmp(name, "Version") == 0)) {
		r->in_object = true;
		r->has_key = r->has_size = r->has_time = false;
		r->entry = (struct s3_entry){ 0 };
	}
	lh_buf_reset(&r->text);
}

static void XMLCALL on_text(void *ctx, const char *p, int n)
{
	struct reader *r = ctx;

	lh_buf_add(&r->text, p, (size_t)n);
	if (r->text.failed)
		fail(r, "a text in it is too long");
}

/* Append the text as a string with NUL: where it begins. */
static size_t keep_text(struct reader *r, const char *p, size_t n)
{
	struct lh_buf *to = &r->d->text;
	size_t at = to->len;

	lh_buf_add(to, p, n);
	lh_buf_putc(to, '\0');
	return at;
}

/* Return the text of an ETag without its quotes; *n becomes its length. */
static const char *unquoted(const char *p, size_t *n)
{
	if (*n >= 2 && p[0] == '"' && p[*n - 1] == '"') {
		*n -= 2;
		return p + 1;
	}
	return p;
}

/* Take the end of an element of Contents. */
static void end_in_object(struct reader *r, const char *name, const char *p, size_t n)
{
	if (strcmp(name, "Key") == 0) {
		r->entry.key = keep_text(r, p, n);
		r->entry.n_key = n;
		r->has_key = true;
	} else if (strcmp(name, "Size") == 0) {
		uint64_t v = 0;
		size_t i;

		r->has_size = n > 0 && n <= 18;
		for (i = 0; r->has_size && i < n; i++) {
			r->has_size = p[i] >= '0' && p[i] <= '9';
			v = v * 10 + (uint64_t)(p[i] - '0');
		}
		r->entry.size = v;
		if (!r->has_size)
			fail(r, "a Size is not a number");
	} else if (strcmp(name, "ETag") == 0) {
		p = unquoted(p, &n);
		r->entry.etag = keep_text(r, p, n);
	} else if (strcmp(name, "VersionId") == 0) {
		r->entry.version = keep_text(r, p, n);
	} else if (strcmp(name, "IsLatest") == 0) {
		r->entry.latest = n == 4 && memcmp(p, "true", 4) == 0;
	} else if (strcmp(name, "LastModified") == 0) {
		r->has_time = lh_time_read(p, n, &r->entry.modified) == 0;
		if (!r->has_time)
			fail(r, "a LastModified is not a time");
	}
}

/* Copy a text of the document that must fit. */
static void copy_text(struct reader *r, char *to, size_t room, const char *p, size_t n)
{
	if (n >= room)
		fail(r, "a text in it is too long");
	else
		snprintf(to, room, "%.*s", (int)n, p);
}

/* Take the end of an element just below the root. */
static void end_member(struct reader *r, const char *name, const char *p, size_t n)
{
	struct s3_document *d = r->d;

	if (strcmp(name, "Code") == 0)
		copy_text(r, d->code, sizeof d->code, p, n);
	else if (strcmp(name, "Message") == 0)
		snprintf(d->message, sizeof d->message, "%.*s", (int)(n < 200 ? n : 200), p);
	else if (strcmp(name, "UploadId") == 0)
		copy_text(r, d->upload_id, sizeof d->upload_id, p, n);
	else if (strcmp(name, "NextContinuationToken") == 0 || strcmp(name, "NextKeyMarker") == 0)
		copy_text(r, d->token, sizeof d->token, p, n);
	else if (strcmp(name, "NextVersionIdMarker") == 0)
		copy_text(r, d->next_version, sizeof d->next_version, p, n);
	else if (strcmp(name, "IsTruncated") == 0)
		d->truncated = n == 4 && memcmp(p, "true", 4) == 0;
	else if (strcmp(name, "EncodingType") == 0)
		r->encoded = n == 3 && memcmp(p, "url", 3) == 0;
	else if (strcmp(name, "ETag") == 0) {
		p = unquoted(p, &n);
		copy_text(r, d->etag, sizeof d->etag, p, n);
	}
}

static void XMLCALL on_end(void *ctx, const char *name)
{
	struct reader *r = ctx;
	const char *p = r->text.len ? r->text.p : "";
	size_t n = r->text.len;

	if (r->rc)
		return;
	if (r->in_object && r->depth == 3) {
		end_in_object(r, name, p, n);
	} else if (r->in_object && r->depth == 2) {
		struct s3_document *d = r->d;

		r->in_object = false;
		if (!r->has_key || !(r->has_size || r->marker) || !r->has_time)
			fail(r, "a Contents without Key, Size or LastModified");
		lh_grow(&d->v, &d->cap, d->n + 1, sizeof *d->v);
		d->v[d->n++] = r->entry;
	} else if (r->depth == 2) {
		end_member(r, name, p, n);
	}
	r->depth--;
	lh_buf_reset(&r->text);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 'a' + 10 : -1;
}

static int finish(struct reader *r, enum XML_Status status)
{
	struct s3_document *d = r->d;
	size_t i;

	if (r->rc)
		return r->rc;
	if (status != XML_STATUS_OK && XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
		return lh_err_nomem(r->err);
	if (status != XML_STATUS_OK)
		return lh_err_set(r->err, LH_ENET, "bad XML in the answer: %s",
				  XML_ErrorString(XML_GetErrorCode(r->parser)));
	if (d->truncated && !d->token[0])
		return lh_err_set(r->err, LH_ENET, "a list that goes on, without a token");
	if (lh_buf_check(&d->text, r->err) < 0)
		return -1;
	for (i = 0; r->encoded && i < d->n; i++) {
		/* Decode a percent-encoded key in place. */
		struct s3_entry *e = &d->v[i];
		char *to = d->text.p + e->key, *p = to, *end = to + e->n_key;

		for (; p < end; p++) {
			if (*p == '%' && end - p > 2 && hex_digit(p[1]) >= 0 &&
			    hex_digit(p[2]) >= 0) {
				*to++ = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
				p += 2;
			} else {
				*to++ = *p == '+' ? ' ' : *p;
			}
		}
		*to = '\0';
		e->n_key = (size_t)(to - (d->text.p + e->key));
	}
	return 0;
}

int lh_s3_document_read(struct s3_document *d, const char *p, size_t n, struct lh_err *err)
{
	struct reader r = { .d = d, .err = err };
	enum XML_Status status = XML_STATUS_ERROR;
	int rc;

	d->root[0] = d->code[0] = d->message[0] = d->etag[0] = d->upload_id[0] = d->token[0] = '\0';
	d->next_version[0] = '\0';
	d->truncated = false;
	d->n = 0;
	lh_buf_reset(&d->text);
	lh_buf_putc(&d->text, '\0');	/* offset 0 is "" */
	if (n > BODY_MAX)
		return lh_err_set(err, LH_ENET, "an answer of %zu bytes", n);
	r.parser = XML_ParserCreate(NULL);
	if (!r.parser)
		return lh_err_nomem(err);
	lh_buf_init(&r.text, TEXT_MAX);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	status = XML_Parse(r.parser, p, (int)n, 1);
	rc = finish(&r, status);
	XML_ParserFree(r.parser);
	lh_buf_free(&r.text);
	return rc;
}

void lh_s3_document_free(struct s3_document *d)
{
	lh_buf_free(&d->text);
	free(d->v);
}
