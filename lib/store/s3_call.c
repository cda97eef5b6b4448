/*
 * s3_call.c - signed calls to S3 with libcurl, and the XML that it answers.  See s3.h and s3_xml.h.
 */
#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "s3.h"
#include "s3_xml.h"

/* ---- the XML that S3 answers, read with expat ---- */

#define DEPTH_MAX 16
#define TEXT_MAX ((size_t)16 << 10)	/* bytes between two tags */
#define BODY_MAX ((size_t)64 << 20)

struct reader {
	XML_Parser parser;
	struct s3_document *d;
	struct lh_buf text;	/* since the last tag */
	unsigned depth;
	bool in_object;		/* in Contents */
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
	if (r->depth == 2 && strcmp(name, "Contents") == 0) {
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

/* Take what a page of a list says of those that follow.  A server that spells true in
 * another way must not make a list end, by which sync --delete deletes. */
static void take_truncated(struct reader *r, const char *p, size_t n)
{
	bool yes = n == 4 && memcmp(p, "true", 4) == 0;

	if (!yes && !(n == 5 && memcmp(p, "false", 5) == 0))
		fail(r, "IsTruncated is neither true nor false");
	r->d->truncated |= yes;
}

/* Take the token by which the next page is asked for, where there is one. */
static void take_token(struct reader *r, const char *p, size_t n)
{
	if (!n)
		return;
	copy_text(r, r->d->token, sizeof r->d->token, p, n);
	r->d->truncated = true;
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
	else if (strcasecmp(name, "NextContinuationToken") == 0)
		take_token(r, p, n);
	else if (strcasecmp(name, "IsTruncated") == 0)
		take_truncated(r, p, n);
	else if (strcasecmp(name, "NextMarker") == 0)
		d->truncated |= n > 0;
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
		if (!r->has_key || !r->has_size || !r->has_time)
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

/* ---- the keys that sign ---- */

#define FILE_MAX ((size_t)64 << 10)

/* Check that a header can contain it; the message does not show it. */
static int check_visible(const struct lh_secret *v, const char *name, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->p[i] <= ' ' || v->p[i] >= 0x7f)
			return lh_err_set(err, LH_EUSAGE, "%s holds white space, control or "
					  "non-ASCII characters", name);
	return 0;
}

static int set(struct lh_secret *to, const char *p, size_t n, const char *name, struct lh_err *err)
{
	lh_secret_wipe(to);
	if (!n)
		return 0;
	lh_secret_alloc(to, n);
	memcpy(to->p, p, n);
	to->n = n;
	return check_visible(to, name, err);
}

static int set_variable(struct lh_secret *to, const char *name, struct lh_err *err)
{
	const char *v = getenv(name);

	return set(to, v ? v : "", v ? strlen(v) : 0, name, err);
}

static struct lh_str trimmed(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return (struct lh_str){ p, (size_t)(end - p) };
}

static bool is_word(struct lh_str s, const char *word)
{
	return lh_str_is(s, word, strlen(word));
}

/* Take NAME = VALUE of the section. */
static int read_line(struct s3_account *a, struct lh_str line, struct lh_err *err)
{
	static const char *const names[] = { "aws_access_key_id", "aws_secret_access_key",
					     "aws_session_token" };
	struct lh_secret *to[] = { &a->id, &a->key, &a->token };
	const char *eq = line.n ? memchr(line.p, '=', line.n) : NULL;
	struct lh_str name, value;
	size_t i;

	if (!eq || *line.p == '#' || *line.p == ';')
		return 0;
	name = trimmed(line.p, eq);
	value = trimmed(eq + 1, line.p + line.n);
	for (i = 0; i < sizeof to / sizeof *to; i++)
		if (is_word(name, names[i]))
			return set(to[i], value.p, value.n, names[i], err);
	return 0;
}

static int read_file(struct s3_account *a, const char *path, struct lh_err *err)
{
	const char *profile = getenv("AWS_PROFILE");
	struct lh_str rest, line;
	struct lh_secret file;
	bool mine = false;
	int rc = 0;

	if (lh_secret_read(&file, path, FILE_MAX, false, err) < 0)
		return -1;
	profile = profile && *profile ? profile : "default";
	rest = (struct lh_str){ (const char *)file.p, file.n };
	while (!rc && lh_next_line(&rest, &line)) {
		line = trimmed(line.p, line.p + line.n);
		if (line.n > 1 && *line.p == '[' && line.p[line.n - 1] == ']')
			mine = is_word(trimmed(line.p + 1, line.p + line.n - 1), profile);
		else if (mine)
			rc = read_line(a, line, err);
	}
	lh_secret_wipe(&file);
	if (!rc && (!a->id.n || !a->key.n))
		rc = lh_err_set(err, LH_EUSAGE, "%s: no aws_access_key_id and "
				"aws_secret_access_key in [%s]", path, profile);
	return rc;
}

int lh_s3_account_read(struct s3_account *a, const char *file, struct lh_err *err)
{
	const char *from = getenv("LH_S3_KEY_FILE");

	if (!file && from && *from)
		file = from;
	if (file)
		return read_file(a, file, err);
	if (set_variable(&a->id, "AWS_ACCESS_KEY_ID", err) < 0 ||
	    set_variable(&a->key, "AWS_SECRET_ACCESS_KEY", err) < 0 ||
	    set_variable(&a->token, "AWS_SESSION_TOKEN", err) < 0)
		return -1;
	if (!a->id.n || !a->key.n)
		return lh_err_set(err, LH_EUSAGE, "no keys for S3: set AWS_ACCESS_KEY_ID and "
				  "AWS_SECRET_ACCESS_KEY, or name a credentials file");
	return 0;
}

void lh_s3_account_wipe(struct s3_account *a)
{
	lh_secret_wipe(&a->id);
	lh_secret_wipe(&a->key);
	lh_secret_wipe(&a->token);
}

/* ---- calls ---- */

/*
 * libcurl's CURLOPT_AWS_SIGV4 of 7.88, Debian 12's, signs path and query as they are in
 * the URL.  So both are made here in the canonical form: percent-encoded with upper case
 * digits, names of the query sorted, each with "=".  It takes the hash of the payload from
 * the header x-amz-content-sha256, else it would sign UNSIGNED-PAYLOAD.  It signs the
 * headers given here sorted as whole lines, and also one without a value, which it does
 * not send: so there is none of these, and no name that another continues with "-".
 */

#define SLOWEST 100L			/* bytes a second; slower is no progress */

void lh_s3_encode(struct lh_buf *b, const char *p, size_t n, bool slash)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	size_t i;

	for (i = 0; i < n; i++)
		if ((p[i] && strchr(plain, p[i])) || (slash && p[i] == '/'))
			lh_buf_putc(b, p[i]);
		else
			lh_buf_printf(b, "%%%02X", (unsigned char)p[i]);
}

int lh_s3_changed(const char *key, struct lh_err *err)
{
	return lh_err_set(err, LH_ENET, "\"%s\": the object changed while it was received", key);
}

int lh_s3_no_etag(struct s3 *s, const char *key, struct lh_err *err)
{
	return lh_err_set(err, LH_ENET, "\"%s\": %s: the answer has no ETag, as S3 always has: is "
			  "this another server?", key, s->base);
}

int lh_s3_check_object(struct s3 *s, const char *key, struct lh_err *err)
{
	return s->reply.page && !s->reply.etag[0] ? lh_s3_no_etag(s, key, err) : 0;
}

int lh_s3_no_end(struct s3 *s, const char *key, struct lh_err *err)
{
	return lh_err_set(err, LH_ENET, "\"%s\": %s: nothing tells whether the object is whole: "
			  "the answer has no length, and no MD5", key, s->base);
}

bool lh_s3_is_busy(long status)
{
	return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* ---- libcurl's callbacks ---- */

static size_t on_send(char *to, size_t size, size_t n, void *arg)
{
	struct s3 *s = arg;
	const struct s3_part *part = s->request->part;
	uint64_t left = part->size - s->sent;
	ssize_t got;

	n *= size;
	if (!left)
		return 0;
	do
		got = pread(part->fd, to, left < n ? left : n, part->at + (off_t)s->sent);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		if (got < 0)
			lh_err_sys(s->err, "read failed");
		else
			lh_err_set(s->err, LH_EIO, "the file became shorter while it was sent");
		s->failed = true;
		return CURL_READFUNC_ABORT;
	}
	s->sent += (uint64_t)got;
	if (s->store.opts.moved)
		s->store.opts.moved(s->store.opts.context, (uint64_t)got);
	return (size_t)got;
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct s3 *s = arg;

	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	s->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Handle the beginning of an object's body, of which the sink may have the first bytes:
 * they stay only if the object is the same. */
static int begin_body(struct s3 *s, long status)
{
	struct store_sink *to = s->request->to;
	const char *etag = s->request->etag;
	bool same = etag && *etag && strcmp(etag, s->reply.etag) == 0;

	s->begun = true;
	if (lh_s3_check_object(s, s->request->key, s->err) < 0)
		return -1;
	if (status == 200 && s->reply.length < 0 &&
	    (s->reply.other_etag || !lh_store_etag_is_md5(s->reply.etag, NULL)))
		return lh_s3_no_end(s, s->request->key, s->err);
	if (!to->size)
		return status == 200 ? 0 :
		       lh_err_set(s->err, LH_ENET, "\"%s\": %s: a part of the object, which was "
				  "not asked for", s->request->key, s->base);
	if (same && status == 206 && s->reply.from == to->size)
		return 0;
	if (same && status == 200)
		s->skip = to->size;
	else if (status == 206 || lh_store_sink_again(to) < 0)
		return lh_s3_changed(s->request->key, s->err);
	return 0;
}

/* Pass a piece of an object on, without the bytes that the sink has. */
static int pass_on(struct s3 *s, long status, const char *p, size_t n)
{
	size_t drop;

	if (!s->begun && begin_body(s, status) < 0)
		return -1;
	drop = s->skip < n ? (size_t)s->skip : n;
	s->skip -= drop;
	return n == drop ? 0 : lh_store_sink_more(s->request->to, p + drop, n - drop, s->err);
}

static size_t on_receive(char *p, size_t size, size_t n, void *arg)
{
	struct s3 *s = arg;
	long status = 0;

	n *= size;
	lh_curl.getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (s->request->to && (status == 200 || status == 206)) {
		s->failed = pass_on(s, status, p, n) < 0;
		return s->failed ? 0 : n;
	}
	lh_buf_add(&s->reply.body, p, n);
	if (!s->reply.body.failed)
		return n;
	lh_err_set(s->err, LH_ENET, "answer longer than %zu bytes", s->reply.body.max);
	s->failed = true;
	return 0;
}

/* Copy a value of n bytes, without quotes around it. */
static void copy_value(char *to, size_t room, const char *p, size_t n)
{
	if (n >= 2 && p[0] == '"' && p[n - 1] == '"') {
		p++;
		n -= 2;
	}
	snprintf(to, room, "%.*s", (int)(n < room ? n : 0), p);
}

static int64_t read_http_date(const char *value)
{
	struct tm tm = { 0 };

	return strptime(value, "%a, %d %b %Y %H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* Read a length, which has nothing but digits; -1 if it is none. */
static int64_t read_length(const char *value)
{
	size_t n = strspn(value, "0123456789");

	return n && n < 19 && !value[n] ? strtoll(value, NULL, 10) : -1;
}

static void start_reply(struct s3_reply *re)
{
	struct lh_buf body = re->body;

	lh_buf_reset(&body);
	*re = (struct s3_reply){ .length = -1, .total = -1, .body = body };
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct s3 *s = arg;
	char line[1024], *value;
	size_t len = n * size;

	if (len > 5 && strncasecmp(p, "HTTP/", 5) == 0)
		start_reply(&s->reply);
	while (len && (p[len - 1] == '\r' || p[len - 1] == '\n' || p[len - 1] == ' '))
		len--;
	if (len >= sizeof line)
		return n * size;
	memcpy(line, p, len);
	line[len] = '\0';
	value = strchr(line, ':');
	if (value) {
		struct s3_reply *re = &s->reply;

		*value++ = '\0';
		value += strspn(value, " \t");
		if (strcasecmp(line, "etag") == 0) {
			copy_value(re->etag, sizeof re->etag, value, strlen(value));
		} else if (strcasecmp(line, "last-modified") == 0) {
			re->modified = read_http_date(value);
		} else if (strcasecmp(line, "content-type") == 0) {
			re->page = strncasecmp(value, "text/", 5) == 0 ||
				   strncasecmp(value, "application/json", 16) == 0 ||
				   strncasecmp(value, "application/xhtml", 17) == 0;
		} else if (strcasecmp(line, "content-length") == 0) {
			re->length = read_length(value);
		} else if (strcasecmp(line, "content-range") == 0 &&
			   strncmp(value, "bytes ", 6) == 0) {
			re->from = strtoull(value + 6, NULL, 10);
			value = strchr(value, '/');
			re->total = value ? read_length(value + 1) : -1;
		} else if (strcasecmp(line, "x-amz-server-side-encryption") == 0) {
			re->other_etag |= strcmp(value, "AES256") != 0;
		} else if (strcasecmp(line,
				      "x-amz-server-side-encryption-customer-algorithm") == 0) {
			re->other_etag = true;
		} else if (strcasecmp(line, "x-amz-bucket-region") == 0) {
			copy_value(re->region, sizeof re->region, value, strlen(value));
		}
	}
	return n * size;
}

/* ---- a call ---- */

static int add_line(struct s3 *s, struct curl_slist **list)
{
	struct curl_slist *more;

	lh_buf_putc(&s->line, '\0');
	more = lh_curl.slist_append(*list, s->line.p);
	if (!more)
		return -1;
	*list = more;
	lh_buf_reset(&s->line);
	return 0;
}

/* Make the headers, all of which are signed. */
static int make_headers(struct s3 *s, const struct s3_request *rq, struct curl_slist **list)
{
	unsigned char sha[32];
	char hex[LH_SHA256_HEX];
	size_t i;

	for (i = 0; i < sizeof rq->headers / sizeof *rq->headers && rq->headers[i]; i++) {
		lh_buf_puts(&s->line, rq->headers[i]);
		if (add_line(s, list) < 0)
			return -1;
	}
	if (rq->part) {
		lh_buf_puts(&s->line, "content-md5: ");
		lh_buf_base64(&s->line, rq->part->md5, sizeof rq->part->md5);
		if (add_line(s, list) < 0)
			return -1;
		memcpy(sha, rq->part->sha256, sizeof sha);
	} else {
		lh_sha256(rq->body.n ? rq->body.p : "", rq->body.n, sha);
	}
	lh_hex(sha, sizeof sha, hex);
	lh_buf_printf(&s->line, "x-amz-content-sha256: %.*s", (int)sizeof hex, hex);
	if (add_line(s, list) < 0)
		return -1;
	if (!s->account.token.n)
		return 0;
	lh_buf_printf(&s->line, "x-amz-security-token: %s", (const char *)s->account.token.p);
	return add_line(s, list);
}

static void make_url(struct s3 *s, const struct s3_request *rq)
{
	lh_buf_reset(&s->url);
	lh_buf_puts(&s->url, s->base);
	lh_buf_putc(&s->url, '/');
	if (rq->key) {
		lh_s3_encode(&s->url, s->prefix, strlen(s->prefix), true);
		lh_s3_encode(&s->url, rq->key, strlen(rq->key), true);
	}
	if (rq->query) {
		lh_buf_putc(&s->url, '?');
		lh_buf_puts(&s->url, rq->query);
	}
	lh_buf_putc(&s->url, '\0');
}

static int set_method(struct s3 *s, const struct s3_request *rq)
{
	CURL *c = s->curl;
	int bad = 0;

	if (rq->part) {
		bad |= lh_curl.setopt(c, CURLOPT_UPLOAD, 1L);
		bad |= lh_curl.setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->part->size);
	} else if (strcmp(rq->method, "POST") == 0) {
		bad |= lh_curl.setopt(c, CURLOPT_POST, 1L);
		bad |= lh_curl.setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
		bad |= lh_curl.setopt(c, CURLOPT_POSTFIELDS, rq->body.n ? rq->body.p : "");
	} else if (strcmp(rq->method, "HEAD") == 0) {
		bad |= lh_curl.setopt(c, CURLOPT_NOBODY, 1L);
	} else if (strcmp(rq->method, "GET") != 0) {
		bad |= lh_curl.setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
	}
	return bad ? -1 : 0;
}

static int set_callbacks(struct s3 *s, const struct s3_request *rq)
{
	CURL *c = s->curl;
	int bad = lh_curl_set_callbacks(c, on_receive, s, rq->is_abort ? NULL : lh_stopping,
					s->curl_why);

	bad |= lh_curl.setopt(c, CURLOPT_READFUNCTION, on_send);
	bad |= lh_curl.setopt(c, CURLOPT_READDATA, s);
	bad |= lh_curl.setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
	bad |= lh_curl.setopt(c, CURLOPT_SEEKDATA, s);
	bad |= lh_curl.setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	bad |= lh_curl.setopt(c, CURLOPT_HEADERDATA, s);
	return bad ? -1 : 0;
}

static int set_call(struct s3 *s, const struct s3_request *rq, struct curl_slist *headers)
{
	double wait = rq->wait > 0 ? rq->wait : s->store.opts.timeout;
	CURL *c = s->curl;
	int bad;

	lh_curl.reset(c);
	bad = lh_curl_set_safe(c) | set_callbacks(s, rq) | set_method(s, rq);
	bad |= lh_curl_set_proxy(c, s->url.p);
	bad |= lh_curl.setopt(c, CURLOPT_URL, s->url.p);
	bad |= lh_curl.setopt(c, CURLOPT_PATH_AS_IS, 1L);
	bad |= lh_curl.setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	bad |= lh_curl.setopt(c, CURLOPT_HTTPHEADER, headers);
	bad |= lh_curl.setopt(c, CURLOPT_AWS_SIGV4, s->sigv4);
	bad |= lh_curl.setopt(c, CURLOPT_USERNAME, (const char *)s->account.id.p);
	bad |= lh_curl.setopt(c, CURLOPT_PASSWORD, (const char *)s->account.key.p);
	bad |= lh_curl.setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(s->store.opts.timeout * 1000));
	bad |= lh_curl.setopt(c, CURLOPT_LOW_SPEED_LIMIT, SLOWEST);
	bad |= lh_curl.setopt(c, CURLOPT_LOW_SPEED_TIME, (long)(wait + 0.999));
	return bad ? -1 : 0;
}

/* Report why there is no complete answer: 1 if the next may be. */
static int report_incomplete(struct s3 *s, CURLcode rc, struct lh_err *err)
{
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (s->failed)
		return -1;
	if (rc == CURLE_OUT_OF_MEMORY)
		return lh_err_nomem(err);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		snprintf(s->curl_why, sizeof s->curl_why, "no progress within %g s",
			 s->store.opts.timeout);
	lh_curl_remove_duration(s->curl_why);
	lh_err_set(err, LH_ENET, "%s: %s", s->base,
		   s->curl_why[0] ? s->curl_why : lh_curl.strerror(rc));
	return lh_curl_is_transient(rc) ? 1 : -1;
}

int lh_s3_attempt(struct s3 *s, const struct s3_request *rq, struct lh_err *err)
{
	struct curl_slist *headers = NULL;
	CURLcode rc;
	int bad;

	lh_buf_reset(&s->line);
	start_reply(&s->reply);
	s->request = rq;
	s->err = err;
	s->failed = false;
	s->sent = s->skip = 0;
	s->begun = false;
	s->curl_why[0] = '\0';
	make_url(s, rq);
	bad = make_headers(s, rq, &headers) < 0 || set_call(s, rq, headers) < 0;
	rc = bad ? CURLE_OUT_OF_MEMORY : lh_curl_perform(s->curl);
	lh_curl.getinfo(s->curl, CURLINFO_RESPONSE_CODE, &s->reply.status);
	lh_curl.slist_free_all(headers);
	return rc == CURLE_OK ? 0 : report_incomplete(s, rc, err);
}

int lh_s3_wait(struct s3 *s, unsigned n, struct lh_err *err)
{
	return lh_curl_wait(s->curl, n, s->store.opts.timeout, &s->seed, lh_stopping) < 0
		? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

int lh_s3_call(struct s3 *s, const struct s3_request *rq, struct lh_err *err)
{
	unsigned n;
	int rc;

	for (n = 0;; n++) {
		rc = lh_s3_attempt(s, rq, err);
		if (rc < 0 || (rc == 0 && !lh_s3_is_busy(s->reply.status)) ||
		    n >= s->store.opts.retries)
			return rc ? -1 : 0;
		if (lh_s3_wait(s, n, err) < 0)
			return -1;
	}
}

/* ---- answers that are errors ---- */

static int report_status(struct s3 *s, const char *key, struct lh_err *err)
{
	const struct lh_secret secret[] = { s->account.key, s->account.token };
	size_t n = s->account.token.n ? 2 : 1;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	long status = s->reply.status;

	if (key)
		lh_buf_printf(&b, "\"%s\": ", key);
	lh_buf_printf(&b, "%s: HTTP %ld", s->base, status);
	/* Append what the server says, without the account's secrets. */
	if (s->doc.code[0]) {
		lh_buf_putc(&b, ' ');
		lh_secret_scrub(secret, n, s->doc.code, strlen(s->doc.code), 64, &b);
	}
	if (s->doc.message[0]) {
		lh_buf_puts(&b, ": ");
		lh_secret_scrub(secret, n, s->doc.message, strlen(s->doc.message), 200, &b);
	}
	if (status / 100 == 3)
		lh_buf_puts(&b, ": a redirect, which is not followed");
	if (s->reply.region[0] && status / 100 != 2)
		lh_buf_printf(&b, "; the bucket is in AWS_REGION=%s", s->reply.region);
	lh_err_set(err, LH_ENET, "%.*s", (int)b.len, b.p);
	if (status == 403)
		err->status = 403;
	return -1;
}

int lh_s3_refuse(struct s3 *s, const char *key, struct lh_err *err)
{
	struct lh_err ignored;

	/* Read Code and Message of the body, if it is an Error. */
	s->doc.code[0] = s->doc.message[0] = '\0';
	if (s->reply.body.len)
		lh_s3_document_read(&s->doc, s->reply.body.p, s->reply.body.len, &ignored);
	if (s->reply.status == 404 && key && strcmp(s->doc.code, "NoSuchBucket") != 0)
		return lh_store_no_object(key, err);
	if (s->reply.status == 412 && key)
		return lh_store_exists(key, err);
	return report_status(s, key, err);
}
