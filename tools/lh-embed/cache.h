/*
 * cache - vectors kept across runs, in an SQLite file.
 *
 *     c = cache_open(path, max, err)
 *     cache_lock(c);                               (one reader's view of the file)
 *     more = cache_get(c, key, &out, err);         any number of times
 *     cache_unlock(c);
 *     cache_put(c, entry, n);
 *     cache_close(c);
 *
 * A key is what lh_lru_key makes; a value is floats as the engine gave them.
 * Each row has a checksum, and the time it was last used by a clock that ticks
 * once a transaction; when the pages in use and those to come are more than max
 * bytes, the rows used longest ago go first, until a sixteenth is free.  What a run
 * finds is marked as used when it next writes, or ends.
 *
 * The file is one of ours by its application id, its version and the text of
 * its schema; anything else, and one that is damaged, is LH_ECORRUPT.  Once it
 * is open, a file that cannot be written or read (a full disk, somebody who
 * holds it locked) costs no answer: it is told once, on stderr, and the run goes
 * on without.
 *
 * Any number of processes may use one file: SQLite's write-ahead log lets them
 * read while one writes, and a kill at any point leaves what was committed.  The
 * log begins anew when it is 4 MiB long, which waits for those who read in it;
 * where one reads on and it has grown to 16 MiB, nothing more is kept.
 *
 * Errors:  LH_ECORRUPT, LH_EIO naming the file; LH_ENOMEM.
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

/* Makes the file, with mode 0600, if there is none. */
struct cache *cache_open(struct lh_tool *tool, const char *path, uint64_t max, struct lh_err *err);
/* Also says under -v what it was good for. */
void cache_close(struct cache *c);

void cache_lock(struct cache *c);
void cache_unlock(struct cache *c);
/* 1: appended to out; 0: it has none; -1: it is damaged. */
int cache_get(struct cache *c, const unsigned char key[32], struct lh_buf *out, struct lh_err *err);

/* All of them in one transaction. */
void cache_put(struct cache *c, const struct cache_entry *entry, size_t n);

#endif
