/*
 * commit.h - committing rows to a transparency log, a batch of many logs at a time.
 *
 * A row must become one entry, whenever the run is killed.  The entry of a row is always the
 * same, so a row is known in the tree by its hash; what has to be known is where to look.
 * DIR/.tlog says {"origin","size"}: every row of this folder that is among the first size entries
 * is in the cursor of its log.  That holds because it is written last, when every cursor of a run
 * is on disk, by one run at a time (DIR/.tlog.lock), and not by a run that passed over a log whose
 * rows it could not compute.  So a run looks at the entries from size on, before it appends: a
 * row that a killed run appended, and whose cursor it did not write, is found there and nowhere
 * else.  If a cursor is lost, its rows may be anywhere, and all entries are looked at.
 *
 * What is in the tree stays there after a power failure, so what it depends on is on disk first:
 * the rows of the log, the secret, and the names of both.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include "audit.h"
#include "audit/commitment.h"
#include "file/file.h"
#include "tlog/log.h"

/* A log with rows in the batch. */
struct committed_log {
	char *path;		/* of its cursor */
	struct lh_commit at;
	size_t first, rows;	/* in the batch */
	char tip[LH_CHAIN_TIP];
	bool changed;
};

struct batch {
	struct lh_tlog *tree;
	char (*entry)[LH_COMMIT_ENTRY];
	struct lh_str *text;
	size_t n;
	struct committed_log *log;	/* the last is the one at hand */
	size_t n_logs, cap;
	struct lh_map late;	/* the entries from `size` on */
	struct lh_lock lock;
	char *state;		/* the path of .tlog */
	uint64_t size;
	uint64_t appended;
};

/* Take the lock, finish what a killed writer of the tree began, and read .tlog.  lost: a cursor
 * is lost; none: there is neither a cursor nor a secret. */
int batch_open(struct batch *b, const char *dir, struct lh_tlog *tree, double lock_timeout,
	       struct lh_err *err);
int batch_look(struct batch *b, bool lost, bool none, struct lh_err *err);

/* Begin with a log: its cursor, which is taken over, and its path, which is copied. */
void batch_begin_log(struct batch *b, const char *cursor, struct lh_commit *at);
/* Add the entry of the next row of that log. */
int batch_add(struct batch *b, const char entry[LH_COMMIT_ENTRY], struct lh_str row_hmac,
	      struct lh_err *err);

/* Append what is left, and write .tlog unless a log was passed over. */
int batch_end(struct batch *b, bool passed_over, struct lh_err *err);
void batch_close(struct batch *b);

#endif
