/* lh_s3_get.c - get an object from S3, in as many answers as it takes.  See store.h. */
#include <stdio.h>

#include "s3.h"

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
