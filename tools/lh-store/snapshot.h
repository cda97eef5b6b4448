/*
 * snapshot - what a folder or a bucket has of snapshots of a state.
 *
 *     snapshots/TIME.json	{"snapshot":TIME,"left_out":N,"files":[{"path","sha256","bytes",
 *				"record_count"}]}
 *     content/AB/SHA256	the bytes of a file, once for all snapshots that have it
 *     lock			of who writes now: in a folder one of lh_lock, in S3 an object
 *
 * A list is written after the contents that it names, and removed before them.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "manifest/manifest.h"
#include "store.h"

#define SNAPSHOTS "snapshots/"
#define CONTENT "content/"
#define CONTENT_KEY (sizeof CONTENT + 3 + 64)	/* with NUL */

/* Write the key of a content. */
void content_key(const unsigned char sha256[32], char key[CONTENT_KEY]);

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

/* Remove the snapshots that are older than so many milliseconds (0: none), but for the newest,
 * and the contents that none of the others has. */
int snapshots_expire(struct lh_tool *tool, struct lh_store *s, int64_t keep, const char *newest);

#endif
