/* store - the settings and commands of lh-store. */
#ifndef STORE_H
#define STORE_H

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

/* Print {"key":KEY,WHAT:true}. */
int store_print_done(struct lh_tool *tool, const char *what, const char *key);

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

#endif
