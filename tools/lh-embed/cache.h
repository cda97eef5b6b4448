/*
 * cache - a cache of vectors across runs, in an SQLite file.
 *
 *     c = cache_open(path, max, err)
 *     cache_lock(c);                               (one reader's view of the file)
 *     more = cache_get(c, key, &out, err);         any number of times
 *     cache_unlock(c);
 *     cache_put(c, entry, n);
 *     cache_close(c);
 *
 * A key is made by lh_lru_key; a value is the floats returned by the engine.  Each
 * row has a checksum, and the time of its last use by a clock that ticks once per
 * transaction.  When the pages in use and those to come exceed max bytes, the rows
 * used longest ago are evicted until a sixteenth is free.  What a run finds is
 * marked as used when the run next writes, or ends.
 *
 * A file is a cache by its application id, its version and the text of its schema;
 * any other file, and a damaged one, is LH_ECORRUPT.  Once it is open, a file that
 * cannot be written or read (a full disk, a lock held by another process) costs no
 * answer: that is reported once, on stderr, and the run goes on without the file.
 *
 * Any number of processes may use one file: SQLite's write-ahead log lets them read
 * while one writes, and after a kill at any point what was committed is there.  The
 * log restarts when it is 4 MiB long, which waits for its readers; if one does not
 * end, and the log has grown to 16 MiB, nothing more is stored.
 *
 * Errors:  LH_ECORRUPT, LH_EIO naming the file; LH_ENOMEM of SQLite.
 * Threads: any number; one at a time is between lock and unlock, or in put.
 */
#ifndef CACHE_H
#define CACHE_H

#include "tool/tool.h"

struct cache;

struct cache_entry {
	const unsigned char *key;	/* 32 bytes */
	const void *p;
	size_t n;
};

/* Open the file, created with mode 0600 if absent. */
struct cache *cache_open(struct lh_tool *tool, const char *path, uint64_t max, struct lh_err *err);
/* Close; under -v also report the hits. */
void cache_close(struct cache *c);

void cache_lock(struct cache *c);
void cache_unlock(struct cache *c);
/* Append the vector to out: 1; 0 when it is not cached; -1 when the row is damaged. */
int cache_get(struct cache *c, const unsigned char key[32], struct lh_buf *out, struct lh_err *err);

/* Store all entries in one transaction. */
void cache_put(struct cache *c, const struct cache_entry *entry, size_t n);

#endif
