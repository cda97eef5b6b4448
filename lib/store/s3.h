/* s3 - a store in S3: its account, its calls.  Private to lib/store. */
#ifndef LH_STORE_S3_H
#define LH_STORE_S3_H

#include "crypto/secret.h"
#include "net/curl.h"
#include "s3_xml.h"
#include "store_parts.h"

/* Who signs. */
struct s3_account {
	struct lh_secret id, key, token;	/* token.p NULL: none */
};
/* Read the account from a credentials file; NULL: from the environment. */
int lh_s3_account_read(struct s3_account *a, const char *file, struct lh_err *err);
void lh_s3_account_wipe(struct s3_account *a);

/* Some bytes of a file that can be read again. */
struct s3_part {
	int fd;
	off_t at;
	uint64_t size;
	unsigned char sha256[32], md5[16];
};

struct s3_request {
	const char *method;
	const char *key;	/* relative to the store; NULL: the bucket */
	const char *query;	/* percent-encoded, its names sorted, each with "="; or NULL */
	const char *headers[4];	/* "name: value", names in lower case; up to NULL */
	const struct s3_part *part;	/* the body of a PUT; or */
	struct lh_str body;	/* that of a POST */
	struct store_sink *to;	/* where the body of a 200 or 206 goes; NULL: to the reply */
	const char *etag;	/* with bytes in the sink: of the object they are of */
	double wait;		/* seconds without progress; 0: the store's */
	bool is_abort;		/* not stopped by a signal */
};

struct s3_reply {
	long status;		/* 0: none */
	char etag[LH_ETAG_MAX];	/* without quotes */
	int64_t modified, length;	/* length -1: unknown */
	uint64_t from;		/* of a 206: the first byte's place, ... */
	int64_t total;		/* ... and the object's length; -1: unknown */
	bool page;		/* it is a text, such as a page that says "log in" */
	bool other_etag;	/* the ETag is not an MD5, because the object is encrypted */
	char region[64];	/* where the bucket is, of a redirect */
	struct lh_buf body;
};

struct s3 {
	struct lh_store store;
	struct s3_account account;
	CURL *curl;
	char *base;		/* address of the bucket, without "/" */
	char *prefix;		/* "" or "a/b/" */
	char *sigv4;
	unsigned seed;
	struct lh_buf url, line;
	struct s3_reply reply;
	struct s3_document doc;
	/* of the call that runs */
	const struct s3_request *request;
	struct lh_err *err;	/* of a callback that failed: failed is set */
	bool failed;
	uint64_t sent;
	uint64_t skip;		/* bytes to drop, which the sink has */
	bool begun;		/* the body has begun */
	char curl_why[CURL_ERROR_SIZE];
};

/* Make one try.  0: s->reply is complete; 1: it is not, and the next try may be better;
 * -1.  *err says why for 1 and -1. */
int lh_s3_attempt(struct s3 *s, const struct s3_request *rq, struct lh_err *err);

/* Try until there is an answer: 0, whatever its status. */
int lh_s3_call(struct s3 *s, const struct s3_request *rq, struct lh_err *err);

/* Wait before try n+1, n from 0; -1 if a signal asks to stop. */
int lh_s3_wait(struct s3 *s, unsigned n, struct lh_err *err);

/* Return whether the status says that a later try may be better. */
bool lh_s3_is_busy(long status);

/* Report the status of the reply as an error about the key, or the bucket if it is NULL;
 * returns -1. */
int lh_s3_refuse(struct s3 *s, const char *key, struct lh_err *err);

int lh_s3_no_condition(struct lh_err *err);		/* 501; returns -1 */
/* Check an answer of 200 about an object: refuse what no store of S3 sends, a text without an
 * ETag. */
int lh_s3_check_object(struct s3 *s, const char *key, struct lh_err *err);
/* Refuse an answer without an ETag, or one of an object that nothing tells the end of. */
int lh_s3_no_etag(struct s3 *s, const char *key, struct lh_err *err);
int lh_s3_no_end(struct s3 *s, const char *key, struct lh_err *err);

int lh_s3_changed(const char *key, struct lh_err *err);	/* returns -1 */

/* Append text percent-encoded, as signatures want it; slash: "/" stays. */
void lh_s3_encode(struct lh_buf *b, const char *p, size_t n, bool slash);

int lh_s3_put(struct lh_store *s, const char *key, const struct lh_put *put,
	      struct lh_transfer *done, struct lh_err *err);
int lh_s3_get(struct lh_store *s, const char *key, struct store_sink *to, struct lh_transfer *done,
	      struct lh_err *err);
int lh_s3_head(struct lh_store *s, const char *key, struct lh_object *o, struct lh_err *err);

#endif
