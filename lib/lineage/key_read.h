/*
 * key_read - read the keys of the rows of a file, on threads.
 *
 * Memory:  24 bytes for each key while the part is made, 8 after it, 8 for every 64th line,
 *          and that of a flow.
 * Errors:  a line that is not a record, or is over the limit of a flow, has no keys.
 * Threads: one thread; the flow uses jobs threads of its own.
 */
#ifndef LH_KEY_READ_H
#define LH_KEY_READ_H

#include "base/xxh3.h"
#include "key_index.h"
#include "lineage.h"

/* Read the file open as fd, of which *p covers a beginning (zeroed: nothing), to its end, and
 * add to *p (own_key, own_mark, end, lines, rows, digest) whole lines.  *hash is that of the
 * bytes before p->end.  With tail a last line without LF is added too, and the digest
 * is of no use.  Call lh_key_part_finish afterwards. */
int lh_key_read(struct lh_key_part *p, int fd, const char *name, enum lh_place place,
		uint64_t jobs, struct lh_xxh3_stream *hash, bool tail, struct lh_err *err);

/* Hash the first n bytes of a file: 1, 0 if it has fewer, -1. */
int lh_key_hash(struct lh_xxh3_stream *hash, int fd, const char *name, uint64_t n,
		struct lh_err *err);

#endif
