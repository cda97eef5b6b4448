/*
 * chain - the audit logs of subjects (who accessed whose data), tamper-evident by
 * HMAC.
 *
 * A log is JSON Lines, one row per access, all of one subject.  row_hmac is
 * HMAC-SHA256 over prev_chain_hash (the row_hmac of the row before; GENESIS in the
 * first row) and the audit canonical form (json/canon.h) of the row without its
 * row_hmac.  Both are taken from the bytes of the line: nothing is parsed and
 * printed again.  Changing, inserting, removing or moving a row breaks the chain
 * there.  A tail that was cut off is detected only by a stored anchor (the number
 * of rows and the last row_hmac).
 *
 *     struct lh_chain_keys keys;
 *     struct lh_chain_check check = { .keys = &keys, .jobs = 2 };
 *     struct lh_chain_verdict v;
 *     if (lh_chain_keys_read(&keys, paths, n, false, err) == 0 &&
 *         lh_chain_verify(path, &check, &v, err) == 0)
 *             ... v.state, v.count, v.tip ...
 *     lh_chain_keys_free(&keys);
 *
 *     struct lh_chain_log *log = lh_chain_log_open(dir, &keys, LH_CHAIN_EACH, 60, err);
 *     lh_chain_append(log, &row, NULL, err);
 *     lh_chain_log_close(log, err);
 *
 * Keys:    after a rotation there are several: the first signs, and a row is good if its
 *          MAC verifies under one of them.
 * Owner:   keys outlive the logs and checks that use them.
 * Errors:  a broken chain is a verdict, not an error.  lh_chain_append gives LH_EDATA if
 *          this row (or the log of this subject) is at fault and the next row may be
 *          accepted; any other code means that the log cannot be written.
 * Threads: any number append to one lh_chain_log, and any number of processes to one
 *          folder.  A check uses up to jobs threads of its own.
 */
#ifndef LH_CHAIN_H
#define LH_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/json.h"
#include "audit/subject.h"

#define LH_CHAIN_KEY_MIN 32	/* bytes of a key file */
#define LH_CHAIN_KEY_MAX 4096
#define LH_CHAIN_TIP 65		/* 64 hex digits or GENESIS, and a NUL */

struct lh_hmac;
struct lh_chain_keys {
	struct lh_hmac **key;
	size_t n;
	struct lh_chain_key_file *file;	/* the files that they were read from */
	size_t n_files;
	bool insecure;
};
/* Read key files (crypto/secret.h): regular, not a symbolic link, not readable by
 * others unless insecure; the key is the bytes of the file. */
int lh_chain_keys_read(struct lh_chain_keys *k, const char *const *path, size_t n,
		       bool insecure, struct lh_err *err);
/* Return whether one of the files has changed or is gone. */
bool lh_chain_keys_stale(const struct lh_chain_keys *k);
/* Read changed files again, while no thread uses the keys; -1: the keys are
 * unchanged.  The paths must still be valid. */
int lh_chain_keys_renew(struct lh_chain_keys *k, struct lh_err *err);
/* Return whether a key fits the last row of a log, as the next append will ask: 1; 0: it does not;
 * -1: not known, as of a log without a whole row. */
int lh_chain_keys_fit(const struct lh_chain_keys *k, const char *path);
void lh_chain_keys_add(struct lh_chain_keys *k, const void *key, size_t n);
void lh_chain_keys_free(struct lh_chain_keys *k);	/* wipes them */

/* ---- verify ---- */

enum lh_chain_fault {
	LH_CHAIN_WHOLE,
	LH_CHAIN_JSON,		/* not a JSON object */
	LH_CHAIN_ID,		/* another candidate_id than in row 0 or in the name of the log */
	LH_CHAIN_PREV,
	LH_CHAIN_MAC,
	LH_CHAIN_ANCHOR,	/* intact, but not what the anchor states */
	LH_CHAIN_CUT,		/* the last line, without its LF */
	LH_CHAIN_NO_ROWS,	/* the log is there without a row, and not anchored so */
	LH_CHAIN_BLANK,		/* a blank line before a row, "invalid JSON" too */
	LH_CHAIN_MARK,		/* a row behind a byte order mark, "invalid JSON" too */
};
/* Return "invalid JSON", "row_hmac mismatch", ... */
const char *lh_chain_fault_text(enum lh_chain_fault fault);

enum lh_chain_state {
	LH_CHAIN_ANCHORED,	/* intact, and not shortened or rewritten since it was anchored */
	LH_CHAIN_INTACT,
	LH_CHAIN_TORN,		/* intact except for an incomplete last line */
	LH_CHAIN_TAMPERED,
	LH_CHAIN_UNAUTHENTICATED,	/* no row has a MAC */
	LH_CHAIN_EMPTY,		/* no row is left, or none was written */
	LH_CHAIN_STATES
};
const char *lh_chain_state_name(enum lh_chain_state state);

struct lh_chain_anchor {
	uint64_t count;
	char tip[LH_CHAIN_TIP];
};

struct lh_chain_check {
	const struct lh_chain_keys *keys;
	/* name of the log: candidate_id must be one with that name (subject.h);
	 * NULL: any */
	const char *name;
	const struct lh_chain_anchor *anchor;	/* or NULL */
	unsigned jobs;		/* threads; 0: one */
	uint64_t max_row;	/* bytes of a row, 0: no limit; a longer one is an error */
	double lock_timeout;	/* seconds to wait for a writer to finish its row */
	/* Called for every broken row, in order; NULL: stop at the first. */
	void (*broken)(void *ctx, uint64_t row, enum lh_chain_fault fault);
	void *ctx;
};

struct lh_chain_verdict {
	uint64_t count;		/* rows before the first fault, ... */
	char tip[LH_CHAIN_TIP];	/* ... and the row_hmac of the last of them, or GENESIS */
	enum lh_chain_state state;
	enum lh_chain_fault fault;	/* the first fault, ... */
	/* ... and its row, from 0; for LH_CHAIN_ANCHOR the anchored count */
	uint64_t row;
	uint64_t bytes;		/* size of the log */
	bool absent;		/* the log does not exist */
	bool torn;		/* its last line is incomplete, whatever the first fault is */
};

/* Print "row 7: row_hmac mismatch" or "anchor: expected 100 rows"; "" if the log is
 * intact. */
#define LH_CHAIN_ERROR 64
void lh_chain_error(const struct lh_chain_verdict *v, char to[LH_CHAIN_ERROR]);

/* Verify a log.  One that does not exist is intact and has no rows, unless it is
 * anchored; of one that is there without rows it is not known what it had.  One that
 * grows is verified up to its length at the start, which is
 * read under a shared lock. */
int lh_chain_verify(const char *path, const struct lh_chain_check *c,
		    struct lh_chain_verdict *v, struct lh_err *err);

/* Append row 0's candidate_id to id: 1, or 0 if the log does not exist, is empty,
 * or its first row has none. */
int lh_chain_subject(const char *path, uint64_t max_row, double lock_timeout,
		     struct lh_buf *id, struct lh_err *err);

/* Set name to the name of the id's log in dir, with a NUL: the name that other
 * programs give it if that log exists and row 0 has that id, else its own
 * (subject.h), whether or not that log exists. */
int lh_chain_log_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id,
		      size_t n, struct lh_err *err);

/* ---- append ---- */

/* A row to append.  Its texts are UTF-8; ts is RFC 3339 and written unchanged. */
struct lh_chain_row {
	struct lh_str candidate_id, ts;
	struct lh_chain_accessor {
		struct lh_str kind, daemon, purpose, trace_id;
		struct lh_str token;	/* name of that of the client; p NULL: none */
	} accessor;
	const struct lh_str *field;
	size_t n_fields;
	const char *result;	/* success, not_found, denied or error */
};

/*
 * When rows are on disk.  EACH: after lh_chain_append.  BATCH and NONE: rows are
 * collected, with their logs locked, until lh_chain_log_flush, which must follow
 * soon and writes them; after it they are on disk with BATCH, several logs being synced
 * at one time, and in the page cache with NONE.
 */
enum lh_chain_sync { LH_CHAIN_EACH, LH_CHAIN_BATCH, LH_CHAIN_NONE };
struct lh_chain_log;

/* Open the folder of the logs; it is created if it does not exist.  lock_timeout:
 * seconds that a row waits for another writer of its log. */
struct lh_chain_log *lh_chain_log_open(const char *dir, const struct lh_chain_keys *keys,
				       enum lh_chain_sync sync, double lock_timeout,
				       struct lh_err *err);

/*
 * Append a row to its subject's log, under flock, with one write(2), and the line
 * (without LF) to out unless that is NULL.  A log whose last line is incomplete or
 * not a row of its chain, or that belongs to another candidate_id, is not changed:
 * LH_EDATA, and the message has the offset.
 */
int lh_chain_append(struct lh_chain_log *l, const struct lh_chain_row *row,
		    struct lh_buf *out, struct lh_err *err);

int lh_chain_log_flush(struct lh_chain_log *l, struct lh_err *err);

int lh_chain_log_close(struct lh_chain_log *l, struct lh_err *err);

/* Cut off an incomplete last line and append its bytes to PATH.torn: return their
 * number, 0 if there was none, -1 on error. */
int64_t lh_chain_repair(const char *path, double lock_timeout, struct lh_err *err);

#endif
