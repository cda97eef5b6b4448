/* store - the settings and commands of lh-store. */
#ifndef STORE_H
#define STORE_H

#include "manifest/manifest.h"
#include "store/store.h"
#include "tool/op.h"

enum {
	V_PUT = 1, V_GET = 2, V_HEAD = 4, V_LIST = 8, V_DELETE = 16, V_SYNC = 32,
	V_REQUESTS = 64, V_SNAPSHOT = 128, V_SNAPSHOTS = 256, V_RESTORE = 512, V_VERIFY = 1024
};

#define INDEX_LOG "-log"	/* after the name of an index: its pending changes */

struct settings {
	struct lh_store_opts opts;
	uint64_t retries;
	bool if_none_match, missing_ok, remove, dry_run, replace;
	const char *age, *as_of;
	int64_t keep;		/* milliseconds, from age; 0: all snapshots */
	struct lh_tool *tool;
	uint64_t moved, of;	/* bytes received and sent, of all; of 0: not known */
	struct lh_store *store;	/* the first operand, once it is open */
	struct lh_buf key, file, match, none_match;	/* of a request, with NUL */
};

/* Open the store that an operand names. */
struct lh_store *store_operand(struct lh_tool *tool, const struct settings *s, size_t i);
/* Open s->store. */
int store_open(struct settings *s);

/* Append {"key","size","sha256","etag"}. */
void transfer_write(struct lh_buf *out, const char *key, const struct lh_transfer *done);

lh_op_command store_sync, store_snapshot, store_snapshots, store_restore, store_verify;

extern const struct lh_op store_ops[];

/* The operations of requests, by their records. */
extern const struct lh_bind object_members[], list_members[];
struct request {
	struct lh_str key, file, prefix, match, none_match;
};
lh_op_fn put_object, get_object, list_objects, delete_object;

/* ---- snapshots ---- */

/*
 * What a folder or a bucket has of snapshots of a state.
 *
 *     snapshots/TIME.json	{"snapshot":TIME,"left_out":N,"files":[{"path","sha256","bytes",
 *				"record_count"}]}
 *				{"sha256":HASH}, of the bytes of the line before
 *     content/AB/SHA256	the bytes of a file, once for all snapshots that have it
 *     lock			of who writes now: in a folder one of lh_lock, in S3 an object
 *
 * A list is written after the contents that it names, and removed before them.
 */

#define SNAPSHOTS "snapshots/"
#define CONTENT "content/"
#define CONTENT_KEY (sizeof CONTENT + 3 + 64)	/* with NUL */

/* Write the key of a content. */
void content_key(const unsigned char sha256[32], char key[CONTENT_KEY]);

/* Write the last line of a list, by which it is known that none of its bytes has changed. */
#define LIST_SUM (sizeof "{\"sha256\":\"\"}\n" - 1 + 64)
void list_sum(const char *list, size_t n, char line[LIST_SUM]);

/* The contents that are there, sorted by hash. */
struct contents {
	struct content {
		unsigned char sha256[32];
		uint64_t bytes;
		bool wanted;		/* by a list */
	} *v;
	size_t n, cap;
};
int contents_list(struct contents *c, struct lh_store *s, struct lh_err *err);
/* Return the content of that hash, if it has that many bytes, or NULL. */
struct content *contents_has(const struct contents *c, const unsigned char sha256[32],
			     uint64_t bytes);

/* Put an object that is a text; is_new: only if there is none (412). */
int store_put_text(struct lh_store *s, const char *key, const struct lh_buf *text, bool is_new,
		   struct lh_err *err);

/* Let no other process write snapshots there. */
int snapshots_lock(struct lh_tool *tool, struct lh_store *s, const char *dest,
		   struct lh_lock *lock);
void snapshots_unlock(struct lh_store *s, struct lh_lock *lock);

/* Remove the snapshots that are older than so many milliseconds (0: none), but not the newest, nor
 * the one before it, as the clock may be wrong; and the contents that none of the others has. */
int snapshots_expire(struct lh_tool *tool, struct lh_store *s, int64_t keep, const char *newest);

#endif
