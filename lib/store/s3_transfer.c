/* s3_transfer.c - get and put an object of S3.  See store.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "s3.h"

/* ---- get, in as many answers as it takes ---- */

#define TRIES_MAX 100	/* also if each brings some bytes */

/* Compare what was received with the MD5 that the ETag is: 1 if it fits, 0 if the ETag is not
 * one. */
static int check_md5(struct s3 *s, const struct store_sink *to, const char *key,
		     struct lh_err *err)
{
	unsigned char sum[16];
	char hex[2 * sizeof sum];
	struct lh_md5 md5 = to->md5;

	lh_md5_end(&md5, sum);
	lh_hex(sum, sizeof sum, hex);
	if (s->reply.other_etag || !lh_store_etag_is_md5(s->reply.etag, NULL))
		return 0;
	if (memcmp(hex, s->reply.etag, sizeof hex) == 0)
		return 1;
	return lh_err_set(err, LH_ENET, "\"%s\": %s: the bytes received do not have the MD5 %s",
			  key, s->base, s->reply.etag);
}

/* Check that the object is whole: 0, 1 if more of it has to be asked for, -1.  Its length is
 * that of a 200, or the total that a 206 names. */
static int check_received(struct s3 *s, const struct store_sink *to, const char *key,
			  struct lh_err *err)
{
	int64_t length = s->reply.status == 200 ? s->reply.length : s->reply.total;
	int fits;

	if (length >= 0 && to->size < (uint64_t)length) {
		lh_err_set(err, LH_ENET, "\"%s\": %s: the answer ended after %llu of %lld bytes",
			   key, s->base, (unsigned long long)to->size, (long long)length);
		return 1;
	}
	if (length >= 0 && to->size > (uint64_t)length)
		return lh_err_set(err, LH_ENET, "\"%s\": %s: more than the %lld bytes announced",
				  key, s->base, (long long)length);
	fits = check_md5(s, to, key, err);
	if (fits < 0 || fits || length >= 0)
		return fits < 0 ? -1 : 0;
	return lh_s3_no_end(s, key, err);
}

/* Make one try to get what the sink does not have: as lh_s3_attempt. */
static int get_rest(struct s3 *s, const char *key, struct store_sink *to, const char *etag,
		    struct lh_err *err)
{
	char range[64], match[LH_ETAG_MAX + 32];
	struct s3_request rq = { .method = "GET", .key = key, .to = to, .etag = etag };

	if (to->size) {
		snprintf(range, sizeof range, "range: bytes=%llu-", (unsigned long long)to->size);
		snprintf(match, sizeof match, "if-match: \"%s\"", etag);
		rq.headers[0] = match;
		rq.headers[1] = range;
	}
	return lh_s3_attempt(s, &rq, err);
}

/* Decide after a try: 1 to try again, 0 if the object is complete, -1 with *err. */
static int judge(struct s3 *s, const char *key, struct store_sink *to, int tried,
		 struct lh_err *err)
{
	long status = s->reply.status;

	if (tried)
		return tried;
	if ((status == 200 || status == 206) && lh_s3_check_object(s, key, err) < 0)
		return -1;
	if (status == 200 || status == 206)
		return check_received(s, to, key, err);
	if ((status == 412 || status == 416) && to->size)
		return lh_store_sink_again(to) < 0 ? lh_s3_changed(key, err) : 1;
	lh_s3_refuse(s, key, err);
	return lh_s3_is_busy(status) ? 1 : -1;
}

int lh_s3_get(struct lh_store *store, const char *key, struct store_sink *to,
	      struct lh_transfer *done, struct lh_err *err)
{
	struct s3 *s = (struct s3 *)store;
	unsigned idle = 0, tries;
	uint64_t had;
	int rc = 1;

	done->etag[0] = '\0';
	for (tries = 0; tries < TRIES_MAX; tries++) {
		had = to->size;
		/* without an ETag nothing says that the rest is of the same object */
		if (had && !done->etag[0] && lh_store_sink_again(to) < 0)
			return lh_s3_changed(key, err);
		rc = judge(s, key, to, get_rest(s, key, to, done->etag, err), err);
		if (s->reply.status == 200 || s->reply.status == 206)
			snprintf(done->etag, sizeof done->etag, "%s", s->reply.etag);
		idle = to->size > had ? 0 : idle + 1;
		if (rc <= 0 || !store->opts.retries || idle > store->opts.retries)
			break;
		if (lh_s3_wait(s, idle, err) < 0)
			return -1;
	}
	return rc ? -1 : 0;
}

/* ---- put, in one request or in parts ---- */

#define PARTS_MAX 10000		/* of an upload */
#define GROW 2000		/* after so many parts they are twice as large */
#define COMPLETE_WAIT 600.0	/* seconds; S3 joins the parts before it answers */

#define XML_TYPE "content-type: application/xml"
#define OBJECT_TYPE "content-type: application/octet-stream"

/* ---- the bytes to send ---- */

/* What is put.  A regular file is read again to be sent; of other input each part is
 * copied to the spool. */
struct source {
	const struct lh_put *put;
	off_t at;		/* of a regular file; -1: it is not one */
	int spool;		/* -1: none */
	char *chunk;
	char next;		/* a byte read ahead */
	bool has_next;
	uint64_t size;		/* bytes read, ... */
	uint64_t left;		/* ... and at most to be read */
	struct lh_sha256 sha;
};

static int source_open(struct source *f, const struct lh_put *put, struct lh_err *err)
{
	struct stat st;

	*f = (struct source){ .put = put, .at = -1, .spool = -1,
			      .left = put->bytes ? *put->bytes : UINT64_MAX };
	lh_sha256_start(&f->sha);
	if (fstat(put->fd, &st) == 0 && S_ISREG(st.st_mode))
		f->at = lseek(put->fd, 0, SEEK_CUR);
	if (f->at < 0)
		f->spool = lh_store_spool(err);
	f->chunk = lh_calloc(1, STORE_CHUNK);
	return (f->at >= 0 || f->spool >= 0) ? 0 : -1;
}

/* Read up to n bytes; 0 at the end. */
static ssize_t source_read(struct source *f, char *p, size_t n, struct lh_err *err)
{
	ssize_t got;

	if (f->at < 0 && f->has_next) {
		f->has_next = false;
		*p = f->next;
		return 1;
	}
	n = n < f->left ? n : f->left;
	if (f->at < 0)
		got = lh_read_some(f->put->fd, p, n, err);
	else
		while ((got = pread(f->put->fd, p, n, f->at)) < 0 && errno == EINTR)
			;
	if (got < 0)
		return f->at < 0 ? got : lh_err_sys(err, "read failed");
	f->left -= (size_t)got;
	f->at += f->at < 0 ? 0 : got;
	return got;
}

/* Return 1 if there is another byte, 0 at the end, -1. */
static int source_more(struct source *f, struct lh_err *err)
{
	ssize_t got = source_read(f, &f->next, 1, err);

	if (got > 0 && f->at >= 0) {
		f->at--;
		f->left++;
	} else {
		f->has_next = got > 0;
	}
	return (int)got;
}

/* Take the next n bytes of the chunk into the part. */
static int take_chunk(struct source *f, struct s3_part *part, struct lh_sha256 *sha,
		      struct lh_md5 *md5, size_t n, struct lh_err *err)
{
	f->size += n;
	if (f->put->max && f->size > f->put->max)
		return lh_store_too_large(f->put->max, err);
	if (f->spool >= 0 && lh_pwrite_all(f->spool, f->chunk, n, (off_t)part->size, err) < 0)
		return lh_err_prefix(err, "temporary file");
	part->size += n;
	lh_sha256_more(&f->sha, f->chunk, n);
	lh_sha256_more(sha, f->chunk, n);
	lh_md5_more(md5, f->chunk, n);
	return 0;
}

/* Read a part of at most limit bytes. */
static int source_part(struct source *f, uint64_t limit, struct s3_part *part, struct lh_err *err)
{
	struct lh_sha256 sha;
	struct lh_md5 md5;
	ssize_t n = 1;
	int rc = 0;

	*part = (struct s3_part){ .fd = f->at >= 0 ? f->put->fd : f->spool,
				  .at = f->at >= 0 ? f->at : 0 };
	lh_sha256_start(&sha);
	lh_md5_start(&md5);
	while (!rc && n > 0 && part->size < limit) {
		uint64_t left = limit - part->size;

		n = source_read(f, f->chunk, left < STORE_CHUNK ? left : STORE_CHUNK, err);
		rc = n < 0 ? -1 : n ? take_chunk(f, part, &sha, &md5, (size_t)n, err) : 0;
		if (!rc && lh_stopping())
			rc = lh_err_set(err, LH_EINTR, "interrupted");
	}
	lh_sha256_end(&sha, part->sha256);
	lh_md5_end(&md5, part->md5);
	return rc;
}

/* Check the whole content, after its last byte. */
static int source_check(const struct source *f, struct lh_transfer *done, struct lh_err *err)
{
	struct lh_sha256 sha = f->sha;

	lh_sha256_end(&sha, done->sha256);
	done->size = f->size;
	return lh_store_check_sha256(f->put->sha256, done->sha256, err);
}

/* ---- answers ---- */

/* Compare the ETag of an answer with the MD5 of what was sent. */
static int check_sent(struct s3 *s, const char *key, const unsigned char md5[16],
		      struct lh_err *err)
{
	char hex[32];

	lh_hex(md5, 16, hex);
	if (!s->reply.etag[0])
		return lh_s3_no_etag(s, key, err);
	if (s->reply.other_etag || !lh_store_etag_is_md5(s->reply.etag, NULL) ||
	    memcmp(hex, s->reply.etag, sizeof hex) == 0)
		return 0;
	return lh_err_set(err, LH_ENET, "\"%s\": %s: the MD5 of the bytes stored is not that of "
			  "the bytes sent", key, s->base);
}

static int read_document(struct s3 *s, const char *key, const char *root, struct lh_err *err)
{
	if (lh_s3_document_read(&s->doc, s->reply.body.p, s->reply.body.len, err) < 0)
		return lh_err_prefix(err, "%s", s->base);
	return strcmp(s->doc.root, root) == 0 ? 0 : lh_s3_refuse(s, key, err);
}

/* ---- one request ---- */

static int put_whole(struct s3 *s, const char *key, const struct s3_part *part,
		     bool if_none_match, struct lh_err *err)
{
	struct s3_request rq = { .method = "PUT", .key = key, .part = part,
				 .headers = { OBJECT_TYPE,
					      if_none_match ? "if-none-match: *" : NULL } };

	if (lh_s3_call(s, &rq, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, key, err);
	return check_sent(s, key, part->md5, err);
}

/* ---- in parts ---- */

struct upload {
	struct s3 *s;
	const char *key;
	bool if_none_match;
	struct lh_buf id;	/* of the upload, percent-encoded */
	struct lh_buf query;
	struct lh_buf xml;	/* the list of parts */
	struct lh_md5 all;	/* of the MD5s of the parts */
	unsigned parts;
};

static int begin_upload(struct upload *u, struct lh_err *err)
{
	struct s3 *s = u->s;
	struct s3_request rq = { .method = "POST", .key = u->key, .query = "uploads=",
				 .headers = { OBJECT_TYPE } };

	if (lh_s3_call(s, &rq, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, u->key, err);
	if (read_document(s, u->key, "InitiateMultipartUploadResult", err) < 0)
		return -1;
	if (!s->doc.upload_id[0])
		return lh_err_set(err, LH_ENET, "%s: an upload without UploadId", s->base);
	lh_s3_encode(&u->id, s->doc.upload_id, strlen(s->doc.upload_id), false);
	lh_buf_puts(&u->xml, "<CompleteMultipartUpload "
		    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	lh_md5_start(&u->all);
	return 0;
}

/* Make the query of the upload, for a part if its number is not 0. */
static const char *upload_query(struct upload *u, unsigned part)
{
	lh_buf_reset(&u->query);
	if (part)
		lh_buf_printf(&u->query, "partNumber=%u&", part);
	lh_buf_printf(&u->query, "uploadId=%.*s", (int)u->id.len, u->id.p);
	lh_buf_putc(&u->query, '\0');
	return u->query.p;
}

static int send_part(struct upload *u, const struct s3_part *part, struct lh_err *err)
{
	struct s3 *s = u->s;
	struct s3_request rq = { .method = "PUT", .key = u->key, .part = part };

	if (++u->parts > PARTS_MAX)
		return lh_err_set(err, LH_EIO, "\"%s\": more than %d parts", u->key, PARTS_MAX);
	rq.query = upload_query(u, u->parts);
	if (lh_s3_call(s, &rq, err) < 0)
		return -1;
	if (s->reply.status != 200)
		return lh_s3_refuse(s, u->key, err);
	if (check_sent(s, u->key, part->md5, err) < 0)
		return -1;
	if (s->reply.etag[strcspn(s->reply.etag, "<>&\"")])
		return lh_err_set(err, LH_ENET, "%s: an ETag that is none", s->base);
	lh_md5_more(&u->all, part->md5, sizeof part->md5);
	lh_buf_printf(&u->xml, "<Part><PartNumber>%u</PartNumber>"
		      "<ETag>&quot;%s&quot;</ETag></Part>", u->parts, s->reply.etag);
	return 0;
}

/* Return whether the object is there as it would be after the upload, for an answer that
 * was lost. */
static bool is_stored(struct upload *u, const char *etag)
{
	struct lh_object o;
	struct lh_err ignored;

	return lh_s3_head(&u->s->store, u->key, &o, &ignored) == 0 && strcmp(o.etag, etag) == 0;
}

/* Make one try to join the parts: as lh_s3_attempt. */
static int try_complete(struct upload *u, struct lh_err *err)
{
	struct s3 *s = u->s;
	struct s3_request rq = { .method = "POST", .key = u->key, .wait = COMPLETE_WAIT,
				 .query = upload_query(u, 0), .body = { u->xml.p, u->xml.len },
				 .headers = { XML_TYPE,
					      u->if_none_match ? "if-none-match: *" : NULL } };
	int rc = lh_s3_attempt(s, &rq, err);

	if (rc)
		return rc;
	if (s->reply.status != 200) {
		lh_s3_refuse(s, u->key, err);
		return lh_s3_is_busy(s->reply.status) ? 1 : -1;
	}
	/* the status is sent before the parts are joined: the body says how that went */
	rc = read_document(s, u->key, "CompleteMultipartUploadResult", err);
	return rc && strcmp(s->doc.code, "InternalError") == 0 ? 1 : rc;
}

static int complete(struct upload *u, char etag[LH_ETAG_MAX], struct lh_err *err)
{
	struct lh_md5 all = u->all;
	unsigned char sum[16];
	unsigned n;
	int rc = 1;

	lh_md5_end(&all, sum);
	lh_hex(sum, sizeof sum, etag);
	snprintf(etag + 32, LH_ETAG_MAX - 32, "-%u", u->parts);
	lh_buf_puts(&u->xml, "</CompleteMultipartUpload>");
	for (n = 0; rc > 0; n++) {
		rc = try_complete(u, err);
		/* after an answer that was lost, also to a try that libcurl repeated */
		if (rc < 0 && (u->s->reply.status == 404 || u->s->reply.status == 412) &&
		    is_stored(u, etag))
			return 0;
		if (rc > 0 && (n >= u->s->store.opts.retries || lh_s3_wait(u->s, n, err) < 0))
			return -1;
	}
	if (!rc)
		snprintf(etag, LH_ETAG_MAX, "%s", u->s->doc.etag);
	return rc;
}

/* Send the first part, which is read, and those after it. */
static int send_parts(struct upload *u, struct source *f, struct s3_part *part,
		      struct lh_transfer *done, struct lh_err *err)
{
	uint64_t size = u->s->store.opts.part_size;
	int more = 1;

	while (more > 0) {
		if (send_part(u, part, err) < 0)
			return -1;
		more = source_more(f, err);
		if (more > 0 && source_part(f, size << u->parts / GROW, part, err) < 0)
			return -1;
	}
	if (more < 0 || source_check(f, done, err) < 0)
		return -1;
	return complete(u, done->etag, err);
}

static int put_parts(struct s3 *s, const char *key, struct source *f, struct s3_part *part,
		     struct lh_transfer *done, struct lh_err *err)
{
	struct upload u = { .s = s, .key = key, .if_none_match = f->put->when.none_match != NULL };
	bool deferred = lh_signal_deferred();
	int rc;

	lh_signal_defer(true);	/* so that a signal leaves no parts */
	rc = begin_upload(&u, err);
	if (!rc) {
		rc = send_parts(&u, f, part, done, err);
		if (rc) {
			/* Remove the parts that are stored; *err stays. */
			struct s3_request rq = { .method = "DELETE", .key = u.key, .is_abort = true,
						 .query = upload_query(&u, 0) };
			struct lh_err ignored;
			unsigned n;

			for (n = 0; rq.query && n < 3; n++)
				if (lh_s3_attempt(u.s, &rq, &ignored) == 0 &&
				    !lh_s3_is_busy(u.s->reply.status))
					break;
		}
	}
	lh_buf_free(&u.id);
	lh_buf_free(&u.query);
	lh_buf_free(&u.xml);
	lh_signal_defer(deferred);
	return rc;
}

/* 412 if the object is there.  A server that does not know if-none-match is asked too. */
static int check_absent(struct lh_store *store, const char *key, const struct lh_conditions *when,
			struct lh_err *err)
{
	struct lh_object o;

	if (lh_s3_head(store, key, &o, err) == 0)
		return lh_store_may_change(when, o.etag, key, err);
	return err->status == 404 ? 0 : -1;
}

int lh_s3_put(struct lh_store *store, const char *key, const struct lh_put *put,
	      struct lh_transfer *done, struct lh_err *err)
{
	struct s3 *s = (struct s3 *)store;
	struct s3_part part;
	struct source f;
	int rc = source_open(&f, put, err), more = 0;

	if (!rc && (put->when.match ||
		    (put->when.none_match && strcmp(put->when.none_match, "*") != 0)))
		rc = lh_s3_no_condition(err);
	if (!rc && put->when.none_match)
		rc = check_absent(store, key, &put->when, err);
	if (!rc)
		rc = source_part(&f, store->opts.part_size, &part, err);
	if (!rc) {
		more = source_more(&f, err);
		rc = more < 0 ? -1 : 0;
	}
	if (!rc && more) {
		rc = put_parts(s, key, &f, &part, done, err);
	} else if (!rc) {
		rc = source_check(&f, done, err);
		if (!rc)
			rc = put_whole(s, key, &part, put->when.none_match != NULL, err);
		snprintf(done->etag, sizeof done->etag, "%s", s->reply.etag);
	}
	if (f.spool >= 0)
		close(f.spool);
	free(f.chunk);
	return rc;
}
