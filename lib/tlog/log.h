/*
 * log - a transparency log in a folder, which any web server can serve (tlog-tiles of C2SP).
 *
 *     checkpoint             the newest signed tree: a note with origin, size and root
 *     tile/<L>/<N>[.p/<W>]   hashes; tile/entries/<N>[.p/<W>] entries, if the log keeps them
 *     checkpoints/<size>     earlier checkpoints that reached a quorum of witnesses
 *     origin, lock, pending  for writers alone
 *
 * A reader needs a checkpoint and its tiles alone, so the log may be one of another program:
 *
 *     struct lh_tlog *log = lh_tlog_open(dir, err);
 *     struct lh_tlog_nodes nodes = lh_tlog_nodes(log);
 *     lh_tlog_prove(&nodes, index, lh_tlog_head(log)->size, &proof, err);
 *
 * A writer adds entries in batches, each under the lock of the folder, and each with a checkpoint:
 *
 *     struct lh_tlog *log = lh_tlog_open_writer(dir, signers, n, LH_LOCK_TIMEOUT, err);
 *     rc = lh_tlog_append(log, entries, n_entries, &first, err);
 *     lh_tlog_close(log);
 *
 * or, with entries that arrive one by one:
 *
 *     lh_tlog_begin(log, err);              waits for other writers
 *     lh_tlog_add(log, p, n, &index, leaf, err);
 *     lh_tlog_commit(log, err);             stored and signed: now the indexes may be printed
 *
 * How:     A batch's entries and tiles are on disk first, then `pending` (its size and root, as
 *          the body of a checkpoint), then `checkpoint` is replaced.  A tree is signed only if
 *          the tiles in the folder give the root of the checkpoint that it extends, and its own.
 *          So a run that was killed has either left a pending tree, which the next writer signs
 *          and publishes before anything else, or nothing but files that the next batch
 *          replaces; and no two checkpoints contradict each other.  At last "published" is added
 *          to `pending`, by which a checkpoint that a backup brought back is recognized: nothing
 *          is signed any more.  If `pending` came back with it, only those notice who remember
 *          a later checkpoint, which is what witnesses are for.
 * Owner:   the log is the caller's to close; what it returns is its own, and valid as said.  The
 *          signers stay the caller's, and must outlive the log.
 * Errors:  LH_ECORRUPT for files that contradict each other or the format, LH_ELOCKED, LH_EIO;
 *          LH_EDATA for an entry (413) or index (404).  After an error of a writer, the batch at
 *          hand is given up and the lock released; nothing of it is reported or lost.
 * Threads: one thread per log, any number of processes per folder.
 */
#ifndef LH_TLOG_LOG_H
#define LH_TLOG_LOG_H

#include "base/buf.h"
#include "base/str.h"
#include "base/table.h"
#include "tree.h"

#define LH_TLOG_ENTRY_MAX 65535		/* bytes of an entry that is kept */
#define LH_TLOG_NOTE_MAX (1u << 20)	/* bytes of a checkpoint */

struct lh_signer;	/* note.h */
struct lh_tlog;

/* The newest checkpoint; valid until the log is closed, refreshed or written. */
struct lh_tlog_head {
	struct lh_str note;	/* the text of the file */
	struct lh_str origin;
	uint64_t size;
	uint8_t root[LH_TLOG_HASH];
	bool extended;		/* it has extension lines: not a log of ours */
};

/* Make an empty log and its checkpoint; entries: it keeps them.  The first signer must have the
 * name origin, and none may be a key of witnesses (LH_EUSAGE). */
int lh_tlog_init(const char *dir, const char *origin, bool entries,
		 struct lh_signer *const *signer, size_t n, struct lh_err *err);

struct lh_tlog *lh_tlog_open(const char *dir, struct lh_err *err);
/* For a writer; lock_timeout: seconds that a batch waits for others. */
struct lh_tlog *lh_tlog_open_writer(const char *dir, struct lh_signer *const *signer, size_t n,
				    double lock_timeout, struct lh_err *err);
void lh_tlog_close(struct lh_tlog *log);	/* gives up a batch */

/* ---- read ---- */

const struct lh_tlog_head *lh_tlog_head(const struct lh_tlog *log);
/* Read the checkpoint again. */
int lh_tlog_refresh(struct lh_tlog *log, struct lh_err *err);

/* Set *size to that of the newest checkpoint in checkpoints, 0 if there is none. */
void lh_tlog_newest_kept(struct lh_tlog *log, uint64_t *size);
/* Replace *text by the one of that size, and root by its root: 1, 0 if it is not kept, -1. */
int lh_tlog_kept(struct lh_tlog *log, uint64_t size, struct lh_buf *text,
		 uint8_t root[LH_TLOG_HASH], struct lh_err *err);

/* The nodes of the tree of the newest checkpoint, and so of every smaller one. */
struct lh_tlog_nodes lh_tlog_nodes(struct lh_tlog *log);

/* Set *hash to the hashes of a tile as the newest checkpoint has it, valid until the next call, and
 * return how many they are: 1 to 256; -1, also if the tree has no such tile. */
int lh_tlog_tile(struct lh_tlog *log, unsigned level, uint64_t n, uint8_t (**hash)[LH_TLOG_HASH],
		 struct lh_err *err);

/* Return whether entries are kept. */
bool lh_tlog_has_entries(const struct lh_tlog *log);
/* Replace *out by the bundle with the entries from 256 n on, checked to be as many as the newest
 * checkpoint has; lh_tlog_next_entry takes them from a range of it, false at the end. */
int lh_tlog_bundle(struct lh_tlog *log, uint64_t n, struct lh_buf *out, struct lh_err *err);
bool lh_tlog_next_entry(struct lh_str *rest, struct lh_str *entry);

/* ---- write ---- */

/* Append n entries, and set *first to the index of the first. */
int lh_tlog_append(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *first,
		   struct lh_err *err);

/* Begin a batch: take the lock, publish a pending tree, check the files. */
int lh_tlog_begin(struct lh_tlog *log, struct lh_err *err);
/* Add an entry: its index and, unless NULL, its hash.  One that is too long (LH_EDATA) changes
 * nothing. */
int lh_tlog_add(struct lh_tlog *log, const void *p, size_t n, uint64_t *index,
		uint8_t leaf[LH_TLOG_HASH], struct lh_err *err);
/* Store, sign and publish what was added, and release the lock.  Without entries nothing is
 * signed. */
int lh_tlog_commit(struct lh_tlog *log, struct lh_err *err);
void lh_tlog_cancel(struct lh_tlog *log);

/* Sign the tree as it is again.  Lines of others stay; lines of keys of the origin that are not
 * among the signers go.  recover: sign the newest tree that was signed, if the checkpoint is of an
 * older one. */
int lh_tlog_sign(struct lh_tlog *log, bool recover, struct lh_err *err);

/* Add to the checkpoint the lines of a note with the same body, such as one with more signatures,
 * whose keys have none there, and keep it as checkpoints/<size>: 1.  0: the log has grown by now;
 * the note is kept, and the checkpoint stays.  Any log will do, also one that was opened to be
 * read; its head stays that of before until it is refreshed. */
int lh_tlog_replace(struct lh_tlog *log, struct lh_str note, double lock_timeout,
		    struct lh_err *err);

/* ---- entries that a program appends to a log once, and where an entry is ---- */

/*
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
