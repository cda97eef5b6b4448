/*
 * store - objects under keys, in a folder or in S3.
 *
 *     s = lh_store_open("s3://bucket/prefix", NULL, err);
 *     rc = lh_store_put(s, "datasets/workers/1.jsonl", &(struct lh_put){ .fd = fd }, &done, err);
 *     rc = lh_store_get(s, key, fd, &done, err);
 *     rc = lh_store_list(s, "datasets/", on_object, context, err);
 *     lh_store_close(s);
 *
 * A store is a folder, or s3://BUCKET[/PREFIX].  Keys are relative to it.  A key has 1
 * to 1,024 bytes of UTF-8 (in S3 the prefix counts), no NUL, CR, LF or TAB, no "/" at
 * its beginning, and no part that is empty, "." or "..".
 *
 * A put replaces an object as a whole: whatever interrupts it, readers see the old
 * object or the new one, and afterwards no part of the new one is left.
 *
 * Folder: an object is a regular file.  Symbolic links below the folder are not
 * followed and are not objects (openat2, RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), and
 * neither are the temporary files of puts (file/file.h).  The key "a" and the key "a/b"
 * exclude each other: 409.  An ETag is made of inode, size and time of the file.
 *
 * S3: libcurl signs (SigV4), with the payload's SHA-256 in the signature, never
 * UNSIGNED-PAYLOAD; Content-MD5 is sent, and an ETag that is an MD5 is compared with
 * what was sent or received.  The environment says where and who:
 *
 *     LH_S3_ENDPOINT         http://HOST[:PORT] of another server than Amazon's; the bucket
 *                            is then part of the path
 *     AWS_REGION             us-east-1 if unset
 *     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *     LH_S3_KEY_FILE         an AWS credentials file, mode 0600, in place of these three
 *     AWS_PROFILE            its section; default if unset
 *
 * An object of more than part_size is sent in parts.  A failure aborts the upload, so
 * that its parts are not kept.  Failed connections and the statuses 429, 500, 502, 503
 * and 504 are tried again, after a doubling wait with jitter, or the Retry-After of the
 * answer.  A get that is interrupted continues from the byte it had, if the object is
 * still the same (If-Match).  Redirects are not followed.
 *
 * A change can have conditions, as those of HTTP: with If-Match only if the object has one of
 * these ETags, with If-None-Match only if it has none of them.  In a folder they are compared
 * under a lock that every put and delete of an object of the same folder takes, so that of many
 * writers with one ETag exactly one writes; and no two contents of a key have one ETag.  S3 is
 * asked if_none_match "*" of a put alone.
 *
 * Owner:   the caller owns the store; strings are copied.
 * Errors:  LH_EDATA with a status: 400 (a key), 403, 404, 409, 412 (a condition), 413
 *          (max), 501 (a condition that S3 is not asked).  LH_ENET: S3 cannot be reached or
 *          answers wrongly.  LH_EIO, LH_EUSAGE, LH_EINTR.  No message contains a
 *          secret, or the path of the folder.
 * Threads: one thread per store.
 */
#ifndef LH_OBJECT_STORE_H
#define LH_OBJECT_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include "file/file.h"

#define LH_STORE_PREFIX "s3://"
#define LH_KEY_MAX 1024
#define LH_ETAG_MAX 128		/* bytes of an ETag, with its NUL */
#define LH_STORE_PART ((uint64_t)64 << 20)	/* bytes of a part */

struct lh_store;

struct lh_store_opts {
	const char *key_file;	/* NULL: LH_S3_KEY_FILE */
	uint64_t part_size;	/* bytes of a part */
	unsigned retries;
	double timeout;		/* seconds: to connect, and without progress */
	/* Called with how many more bytes were sent to S3 or received from any store; NULL: not */
	void (*moved)(void *context, uint64_t n);
	/* Called by a list for what is there under a name that is not a key, with the reason;
	 * NULL: it is left out */
	void (*refused)(void *context, const struct lh_err *why);
	/* Called by a list of a folder for a symbolic link, which is no object; NULL: not */
	void (*linked)(void *context, const char *key);
	void *context;
};
#define LH_STORE_DEFAULTS \
	{ .part_size = LH_STORE_PART, .retries = 4, .timeout = 60 }

struct lh_object {
	const char *key;
	uint64_t size;
	const char *etag;	/* without quotes; "": the store has none */
	int64_t modified;	/* milliseconds since 1970 */
};

/* Conditions of a request: "*", or ETags in quotes as the fields of HTTP have them, divided by
 * commas; NULL: none. */
struct lh_conditions {
	const char *match;	/* only if the object has one of these; "*": if there is one */
	const char *none_match;	/* only if it has none of these; "*": if there is none */
};

struct lh_put {
	int fd;			/* read from its offset to its end, ... */
	const uint64_t *bytes;	/* ... or this many bytes, as it may grow meanwhile; NULL: all */
	struct lh_conditions when;
	uint64_t max;		/* most bytes; 0: any number */
	const unsigned char *sha256;	/* what the 32 bytes of its hash must be; or NULL */
};

/* What was sent or received. */
struct lh_transfer {
	uint64_t size;
	unsigned char sha256[32];
	char etag[LH_ETAG_MAX];
};

/* Open a store; opts NULL: LH_STORE_DEFAULTS.  A folder is made by the first put.  Nothing
 * is sent. */
struct lh_store *lh_store_open(const char *where, const struct lh_store_opts *opts,
			       struct lh_err *err);
void lh_store_close(struct lh_store *s);

/* Return whether this names an object or a store in S3. */
static inline bool lh_store_is_s3(const char *where)
{
	return strncmp(where, LH_STORE_PREFIX, sizeof LH_STORE_PREFIX - 1) == 0;
}

/* Open the store of "s3://BUCKET/KEY", and find the key in it, a part of the text. */
struct lh_store *lh_store_of(const char *object, const struct lh_store_opts *opts,
			     const char **key, struct lh_err *err);

/* Check a key: 400 if it is not one.  n: its bytes. */
int lh_store_check_key(const char *key, size_t n, struct lh_err *err);

int lh_store_put(struct lh_store *s, const char *key, const struct lh_put *put,
		 struct lh_transfer *done, struct lh_err *err);

/* Put two objects that belong together: that of put, and, from the offset of its descriptor, the
 * one with `beside` after the key; fd -1: that one is deleted.  A reader of both sees for a moment
 * the first without the second. */
int lh_store_put_two(struct lh_store *s, const char *key, const struct lh_put *put,
		     const char *beside, int fd, struct lh_transfer done[2], struct lh_err *err);

/* Write the object to fd.  After a failure a part of it may have been written. */
int lh_store_get(struct lh_store *s, const char *key, int fd, struct lh_transfer *done,
		 struct lh_err *err);

/* Replace the file path with the object; after a failure it is as it was. */
int lh_store_get_file(struct lh_store *s, const char *key, const char *path,
		      struct lh_transfer *done, struct lh_err *err);

/* Describe an object; its strings are the store's, until the next call. */
int lh_store_head(struct lh_store *s, const char *key, struct lh_object *o, struct lh_err *err);

/* Pass every object whose key begins with prefix ("": all), in the order of the keys'
 * bytes; what has no key is for opts.refused, but an empty "folder/" of S3.  The callback
 * returns 0 to continue, 1 to stop, -1 with *err. */
int lh_store_list(struct lh_store *s, const char *prefix,
		  int (*each)(void *context, const struct lh_object *o, struct lh_err *err),
		  void *context, struct lh_err *err);

/* Delete an object: 404 if there is none.  when: NULL, or on which conditions. */
int lh_store_delete(struct lh_store *s, const char *key, const struct lh_conditions *when,
		    struct lh_err *err);

/* Return 1 if the conditions hold of an object with that ETag (NULL: there is no object), 0 if
 * the object has an ETag of none_match, -1 if it has none of match (412), or a list is none (400).
 * A change is refused at 0, too; a reader has the object already. */
int lh_conditions_check(const struct lh_conditions *when, const char *etag, struct lh_err *err);

/* Open a file without a name for bytes that are needed twice. */
int lh_store_spool(struct lh_err *err);

/* What a manifest says of an object. */
struct lh_object_said {
	const char *key;
	int64_t size;			/* -1: nothing */
	const unsigned char *sha256;	/* NULL: nothing */
};

/* Check that an open object is what is said of it, with hash also its SHA-256: 503 if not.  It is
 * at its beginning then. */
int lh_object_check(const struct lh_object_said *said, int fd, bool hash, struct lh_err *err);
/* Open a copy of an object without a name, at its beginning; 503 if it is not what is said. */
int lh_object_copy(struct lh_store *s, const struct lh_object_said *said, struct lh_err *err);
/* Open an object of a folder (lh_open_beneath); nothing leads out of it. */
int lh_object_open(int folder, const char *key, struct lh_err *err);

/* Append {"key","size","etag","modified"}. */
void lh_object_write(struct lh_buf *out, const struct lh_object *o);

/* Return 1 if both objects have the same bytes: as files are compared, or as size and ETag
 * tell; 0 if not, or if they do not tell; -1. */
int lh_store_same(struct lh_store *a, const struct lh_object *x, struct lh_store *b,
		  const struct lh_object *y, struct lh_err *err);

/* Copy an object under the same key. */
int lh_store_copy(struct lh_store *from, struct lh_store *to, const char *key,
		  struct lh_err *err);

/*
 * object_copies - local copies of objects in S3, for tools that need a file.
 *
 *     struct lh_object_copies copies = { .n = 0 };
 *     rc = lh_object_copies_take(&copies, &operand, err);	("s3://bucket/w.lhv": a path)
 *     ...
 *     lh_object_copies_free(&copies);
 *
 * A child copies into a temporary folder (lh-index fetch, lh-store sync), which is removed with
 * the struct, so that the tool itself has no HTTP client.  An object is copied once, at the start.
 *
 * Owner:   operands that are set point into the struct.
 * Errors:  LH_EIO with the child's message.
 */

struct lh_object_copies {
	struct lh_tmpdir dir;
	char **path;
	size_t n, cap;
};

/* Copy the object that "s3://..." or "NAME=s3://..." names, and what is stored with it under
 * KEY-log, and set *operand to the copy, after NAME= if that was there.  Another operand stays as
 * it is. */
int lh_object_copies_take(struct lh_object_copies *c, const char **operand, struct lh_err *err);
/* Copy all objects below s3://BUCKET/PREFIX to a folder, and set *operand to that. */
int lh_object_copies_folder(struct lh_object_copies *c, const char **operand,
			    struct lh_err *err);
void lh_object_copies_free(struct lh_object_copies *c);

#endif
