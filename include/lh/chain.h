/*
 * chain - the logs of who looked at whose data, tamper-evident by HMAC.
 *
 * A log is JSON Lines, one row an access, all of one subject.  row_hmac is
 * HMAC-SHA256 over prev_chain_hash (the row_hmac of the row before; GENESIS for
 * the first) and the audit canonical form (lh/canon.h) of the row without its
 * row_hmac, both as they stand in the bytes of the line: nothing is parsed and
 * printed again.  Whoever changes, inserts, removes or moves a row breaks the
 * chain there; a tail that was cut off is seen only by who kept an anchor (the
 * number of rows and the last row_hmac) elsewhere.
 *
 *     struct lh_chain_keys keys;
 *     struct lh_chain_verdict v;
 *     if (lh_chain_keys_read(&keys, paths, n, false, err) == 0 &&
 *         lh_chain_verify(path, &(struct lh_chain_check){ .keys = &keys, .jobs = 2 }, &v, err) == 0)
 *             ... v.state, v.count, v.tip ...
 *     lh_chain_keys_free(&keys);
 *
 *     struct lh_chain_log *log = lh_chain_log_open(dir, &keys, LH_CHAIN_EACH, 60, err);
 *     lh_chain_append(log, &row, NULL, err);
 *     lh_chain_log_close(log, err);
 *
 * Keys:    after a rotation there are several: the first signs, and a row is
 *          good when its MAC fits one of them.
 * Owner:   keys outlive the logs and checks that name them.
 * Errors:  a broken chain is a verdict, not an error.  lh_chain_append gives
 *          LH_EDATA when this row (or this subject's log) is at fault and the
 *          next may go in; any other code says that the log cannot be written.
 * Threads: any number append to one lh_chain_log, and any number of processes
 *          to one folder.  A check uses up to jobs threads of its own.
 */
#ifndef LH_CHAIN_H
#define LH_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/json.h>
#include <lh/subject.h>

LH_C_BEGIN

#define LH_CHAIN_KEY_MIN 32	/* bytes of a key file */
#define LH_CHAIN_KEY_MAX 4096
#define LH_CHAIN_TIP 65		/* 64 hex digits or GENESIS, and a NUL */

struct lh_hmac;
struct lh_chain_keys {
	struct lh_hmac **key;
	size_t n;
	struct lh_chain_key_file *file;	/* that they were read from */
	size_t n_files;
	bool insecure;
};
/* From key files (crypto/secret.h): regular, no symbolic link, not for others to
 * read unless insecure, bytes as they are. */
LH_API int lh_chain_keys_read(struct lh_chain_keys *k, const char *const *path, size_t n, bool insecure, struct lh_err *err);
/* Did one of these files change since, or go? */
LH_API bool lh_chain_keys_stale(const struct lh_chain_keys *k);
/* Read them again, if so, while nobody uses the keys; -1: they stay as they are.
 * The paths must be there still. */
LH_API int lh_chain_keys_renew(struct lh_chain_keys *k, struct lh_err *err);
LH_API int lh_chain_keys_add(struct lh_chain_keys *k, const void *key, size_t n, struct lh_err *err);
LH_API void lh_chain_keys_free(struct lh_chain_keys *k);	/* wipes them */

/* ---- verify ---- */

enum lh_chain_fault {
	LH_CHAIN_WHOLE,
	LH_CHAIN_JSON,		/* no JSON object, or no LF */
	LH_CHAIN_ID,		/* another candidate_id than row 0's, or than the log's name says */
	LH_CHAIN_PREV,
	LH_CHAIN_MAC,
	LH_CHAIN_ANCHOR,	/* whole, but not what the anchor says */
};
/* "invalid JSON", "row_hmac mismatch", ... */
LH_API const char *lh_chain_fault_text(enum lh_chain_fault fault);

enum lh_chain_state {
	LH_CHAIN_ANCHORED,	/* intact, and as long and the same as when anchored */
	LH_CHAIN_INTACT,
	LH_CHAIN_TORN,		/* nothing but an unfinished last line */
	LH_CHAIN_TAMPERED,
	LH_CHAIN_UNAUTHENTICATED,	/* no row has a MAC */
};
LH_API const char *lh_chain_state_name(enum lh_chain_state state);

struct lh_chain_anchor {
	uint64_t count;
	char tip[LH_CHAIN_TIP];
};

struct lh_chain_check {
	const struct lh_chain_keys *keys;
	const char *name;	/* of the log: candidate_id must be one that has it (lh/subject.h); NULL: anything */
	const struct lh_chain_anchor *anchor;	/* or NULL */
	unsigned jobs;		/* threads; 0: one */
	uint64_t max_row;	/* bytes of a row, 0: no limit; a longer one is an error */
	double lock_timeout;	/* seconds to wait for a writer to finish its row */
	/* Every row that is broken, in order; NULL: the first will do. */
	void (*broken)(void *ctx, uint64_t row, enum lh_chain_fault fault);
	void *ctx;
};

struct lh_chain_verdict {
	uint64_t count;		/* rows of the unbroken prefix, ... */
	char tip[LH_CHAIN_TIP];	/* ... and its last row_hmac, or GENESIS */
	enum lh_chain_state state;
	enum lh_chain_fault fault;	/* the first one, */
	uint64_t row;			/* and its row, from 0; the count expected by the anchor */
	uint64_t bytes;		/* how long the log was */
	bool absent;		/* there is no such log */
};

/* "row 7: row_hmac mismatch", "anchor: expected 100 rows"; "" when all is well. */
#define LH_CHAIN_ERROR 64
LH_API void lh_chain_error(const struct lh_chain_verdict *v, char to[LH_CHAIN_ERROR]);

/* A log that is not there is a good one without rows, unless it is anchored.  One that grows is
 * verified up to the length that it has under a shared lock at the start. */
LH_API int lh_chain_verify(const char *path, const struct lh_chain_check *c, struct lh_chain_verdict *v, struct lh_err *err);

/* Append row 0's candidate_id to id: 1, or 0 when the log is not there, is
 * empty, or its first row tells none. */
LH_API int lh_chain_subject(const char *path, uint64_t max_row, double lock_timeout, struct lh_buf *id, struct lh_err *err);

/*
 * The name of the id's log in dir, with a NUL: the one that other programs give
 * it where there is such a log and row 0 has that id, else its own
 * (lh/subject.h), whether or not there is such a log.
 */
LH_API int lh_chain_log_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id, size_t n, struct lh_err *err);

/* ---- append ---- */

/* A row's texts are UTF-8; ts is RFC 3339 and kept as it is. */
struct lh_chain_row {
	struct lh_str candidate_id, ts;
	struct lh_str kind, daemon, purpose, trace_id;	/* the accessor */
	const struct lh_str *field;
	size_t n_fields;
	const char *result;	/* success, not_found, denied or error */
};
/* NULL when it is none of the four. */
LH_API const char *lh_chain_result(const char *p, size_t n);

/*
 * EACH: a row is on disk when it has been appended.  BATCH and NONE: rows are
 * gathered, and their logs locked, until lh_chain_log_flush, which must not be
 * long in coming; it writes them, and after BATCH they are on disk.
 */
enum lh_chain_sync { LH_CHAIN_EACH, LH_CHAIN_BATCH, LH_CHAIN_NONE };
struct lh_chain_log;

/* The folder of the logs; it is made when it is not there.  lock_timeout: seconds
 * that a row waits for another writer of its log. */
LH_API struct lh_chain_log *lh_chain_log_open(const char *dir, const struct lh_chain_keys *keys, enum lh_chain_sync sync, double lock_timeout, struct lh_err *err);

/*
 * Add a row to its subject's log, under flock, by one write(2), and append the
 * line (without LF) to out unless that is NULL.  A log whose last line is torn
 * or is no row of its chain, or that belongs to another candidate_id, is left
 * as it is: LH_EDATA, and the text names the offset.
 */
LH_API int lh_chain_append(struct lh_chain_log *l, const struct lh_chain_row *row, struct lh_buf *out, struct lh_err *err);

LH_API int lh_chain_log_flush(struct lh_chain_log *l, struct lh_err *err);

LH_API int lh_chain_log_close(struct lh_chain_log *l, struct lh_err *err);

/* Cut a torn last line off, and put its bytes at the end of PATH.torn: how many
 * they were, 0 when there was none, or -1. */
LH_API int64_t lh_chain_repair(const char *path, double lock_timeout, struct lh_err *err);

LH_C_END

#endif
