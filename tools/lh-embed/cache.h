/*
 * cache - a cache of vectors across runs, in an SQLite file.
 *
 *     c = cache_open(path, max, err)
 *     more = cache_get(c, key, &out, err);         any number of times
 *     cache_put(c, entry, n);
 *     cache_close(c);
 *
 * A key is made by lh_lru_key; a value is the floats returned by the engine.  Each
 * row has a checksum.  When the pages in use exceed max bytes, the rows stored longest
 * ago are dropped; the file does not get smaller, its free pages are used again.
 *
 * A file is a cache by its application id and the text of its schema; any other file,
 * and a damaged one, is LH_ECORRUPT.  A file that cannot be written or read (a full
 * disk, a lock held by another process for ten seconds) costs no answer: that is reported
 * once, on stderr, and the run goes on without the file.
 *
 * Any number of processes may use one file: SQLite's locks let them take turns, and
 * after a kill at any point its rollback journal keeps what was committed.
 *
 * Errors:  LH_ECORRUPT, LH_EIO naming the file.
 * Threads: any number.
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

/* Open the file, created with mode 0600 if absent; path stays the caller's. */
struct cache *cache_open(struct lh_tool *tool, const char *path, uint64_t max, struct lh_err *err);
/* Close; under -v also report the hits. */
void cache_close(struct cache *c);

/* Append the vector to out: 1; 0 when it is not cached; -1 when the row is damaged. */
int cache_get(struct cache *c, const unsigned char key[32], struct lh_buf *out, struct lh_err *err);

/* Store all entries in one transaction. */
void cache_put(struct cache *c, const struct cache_entry *entry, size_t n);

#endif
