/* log_parts.h - what the files of a log share: log.c and publish.c. */
#ifndef LH_TLOG_LOG_PARTS_H
#define LH_TLOG_LOG_PARTS_H

#include "file/file.h"
#include "log.h"
#include "note.h"

#define TILES_CACHED 16

struct cached_tile {
	uint64_t n;
	unsigned level, width;	/* width 0: none */
	uint8_t hash[LH_TLOG_TILE][LH_TLOG_HASH];
};

struct lh_tlog {
	char *dir;
	struct lh_buf note;	/* the text of the checkpoint, into which head points */
	struct lh_tlog_head head;
	uint64_t view;		/* the size of the tree that is read: that of head, or a pending
				   one */
	bool entries;
	struct lh_buf path, file;
	struct cached_tile *cache;

	/* of a writer */
	struct lh_signer *const *signer;
	size_t n_signers;
	double lock_timeout;
	struct lh_lock lock;
	struct lh_tlog_edge *edge;	/* of the batch at hand */
	int folder;			/* descriptor of dir, opened before the batch is written;
					   or -1 */
	struct lh_buf bundle;		/* of the entries after the last full one */
	bool wrote;			/* files that no checkpoint refers to yet */
};

/* Return the path of a file in the folder, valid until the next call; NULL: no memory. */
const char *lh_tlog_file(struct lh_tlog *log, const char *name);
const char *lh_tlog_tile_file(struct lh_tlog *log, int level, uint64_t n, unsigned width);

/* Forget the tiles that were read. */
void lh_tlog_forget(struct lh_tlog *log);

/* ---- publish.c ---- */

/* Check that the files are those of the checkpoint and publish a pending tree.  resign: the
 * checkpoint need not be signed by one of the signers, and one that is too old is replaced if
 * recover. */
enum lh_tlog_purpose { LH_TLOG_EXTEND, LH_TLOG_RESIGN, LH_TLOG_RECOVER };
int lh_tlog_settle(struct lh_tlog *log, enum lh_tlog_purpose why, struct lh_err *err);

/* Sign a tree that extends that of head, and whose files are on disk, and publish it.  others:
 * further signature lines. */
int lh_tlog_publish(struct lh_tlog *log, const struct lh_checkpoint *tree, struct lh_str others,
		    struct lh_err *err);

/* Remove the tiles and bundles that the tree of head has not: a batch left them that failed or was
 * killed.  They stay if a pending tree has them, or that cannot be told. */
void lh_tlog_sweep(struct lh_tlog *log);

/* Call fn for the path of each file that a tree of a size has and one of a smaller size has not:
 * its tiles and, with entries, its bundles.  full: full ones alone.  last: the next one is not in
 * the same folder. */
int lh_tlog_each_new(struct lh_tlog *log, uint64_t older, uint64_t size, bool full,
		     int (*fn)(const char *path, bool last, struct lh_err *err),
		     struct lh_err *err);

#endif
