/* store_parts - what the two kinds of stores share.  Private to lib/store. */
#ifndef LH_STORE_PARTS_H
#define LH_STORE_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/digest.h"
#include "store.h"

/* ---- MD5, which S3 uses to check what was sent and as the ETag of an object ---- */

struct lh_md5 {
	uint32_t state[23];	/* libcrypto's */
};
void lh_md5_start(struct lh_md5 *m);
void lh_md5_more(struct lh_md5 *m, const void *p, size_t n);
void lh_md5_end(struct lh_md5 *m, unsigned char out[16]);

/* ---- both kinds ---- */

#define STORE_CHUNK ((size_t)256 << 10)		/* bytes of a read */

/* Where the bytes of a get go. */
struct store_sink {
	int fd;
	const struct lh_store_opts *opts;
	bool own;		/* fd is a new file, which may be emptied to start again */
	uint64_t size;		/* bytes written */
	struct lh_sha256 sha;
	struct lh_md5 md5;
};
void lh_store_sink_start(struct store_sink *to);
int lh_store_sink_more(struct store_sink *to, const void *p, size_t n, struct lh_err *err);
/* Start again at the first byte: 0, -1 if the bytes are gone already. */
int lh_store_sink_again(struct store_sink *to);

typedef int (*store_each)(void *context, const struct lh_object *o, struct lh_err *err);

/* A kind of store; keys are checked, and the members of *done except etag are filled by the
 * callers for a get. */
struct store_kind {
	int (*put)(struct lh_store *s, const char *key, const struct lh_put *put,
		   struct lh_transfer *done, struct lh_err *err);
	int (*get)(struct lh_store *s, const char *key, struct store_sink *to,
		   struct lh_transfer *done, struct lh_err *err);
	int (*head)(struct lh_store *s, const char *key, struct lh_object *o, struct lh_err *err);
	int (*list)(struct lh_store *s, const char *prefix, store_each each, void *context,
		    struct lh_err *err);
	int (*remove)(struct lh_store *s, const char *key, const struct lh_conditions *when,
		      struct lh_err *err);
	/* Open the object as a file; NULL: there are no files */
	int (*open)(struct lh_store *s, const char *key, struct lh_err *err);
	void (*close)(struct lh_store *s);
};

struct lh_store {
	const struct store_kind *kind;
	struct lh_store_opts opts;
	char etag[LH_ETAG_MAX];		/* of the last head */
};

struct lh_store *lh_store_folder_open(const char *path);
struct lh_store *lh_store_s3_open(const char *where, const struct lh_store_opts *opts,
				  struct lh_err *err);

int lh_store_no_object(const char *key, struct lh_err *err);	/* 404; returns -1 */
int lh_store_exists(const char *key, struct lh_err *err);		/* 412; returns -1 */
/* Check the conditions of a change (or NULL); etag NULL: there is no object. */
int lh_store_may_change(const struct lh_conditions *when, const char *etag, const char *key,
			struct lh_err *err);
int lh_store_too_large(uint64_t max, struct lh_err *err);		/* 413; returns -1 */
/* Check that the content had the hash wanted, or NULL. */
int lh_store_check_sha256(const unsigned char *wanted, const unsigned char *had,
			  struct lh_err *err);

/* Return whether an ETag is the MD5 of an object that was sent in one part, 32 hex digits;
 * or with parts not NULL of one of several, whose number follows. */
bool lh_store_etag_is_md5(const char *etag, unsigned *parts);

#endif
