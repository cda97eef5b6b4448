/*
 * once - entries that a program appends to a log once, however often it runs, and where an
 * entry is.
 *
 *     LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
 *
 *     if (lh_tlog_keyed_open(&tree, dir, paths, n, 60, err) == 0)
 *             rc = lh_tlog_append_once(tree.log, entries, n_entries, index, err);
 *
 * An entry is found by the hash of its leaf among the tiles, so that also a log that keeps no
 * entries is searched; that reads 32 bytes for each entry.  Of equal entries the first is found.
 *
 * Errors:  those of log.h.
 * Threads: as a log.
 */
#ifndef LH_TLOG_ONCE_H
#define LH_TLOG_ONCE_H

#include "base/table.h"
#include "log.h"

/* A log that is written, and the keys that sign it, from files. */
struct lh_tlog_keyed {
	struct lh_tlog *log;
	struct lh_signer **signer;
	size_t n;
};
int lh_tlog_keyed_open(struct lh_tlog_keyed *k, const char *dir, const char *const *key_file,
		       size_t n, double lock_timeout, struct lh_err *err);
void lh_tlog_keyed_close(struct lh_tlog_keyed *k);

/* Set *index to that of the first entry with that hash: 1, 0 if there is none, -1.  After some
 * searches the hashes are kept in memory. */
struct lh_tlog_finder {
	struct lh_tlog *log;
	struct lh_map map;	/* of the first size entries */
	uint64_t size;
	unsigned searches;
};
int lh_tlog_look_up(struct lh_tlog_finder *f, const uint8_t leaf[LH_TLOG_HASH], uint64_t *index,
		    struct lh_err *err);

/* Put the entries from an index on into a map, and find one there. */
int lh_tlog_index(struct lh_tlog *log, uint64_t from, struct lh_map *map, struct lh_err *err);
bool lh_tlog_index_find(const struct lh_map *map, const uint8_t leaf[LH_TLOG_HASH],
			uint64_t *index);

/* Append those of the entries that the log does not have, and set index[i] to where each is. */
int lh_tlog_append_once(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *index,
			struct lh_err *err);

/* The entry of a file that vouches for others, such as the receipt of a stage or a bundle:
 * "lh-receipt/v1 " and its SHA-256 in hex. */
#define LH_RECEIPT_ENTRY 78	/* bytes, without NUL */
void lh_receipt_entry(const uint8_t sha256[LH_TLOG_HASH], char entry[LH_RECEIPT_ENTRY]);

#endif
