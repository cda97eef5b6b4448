/*
 * commitment - rows of a subject's log as entries of a transparency log, which strangers can
 * check without a key, and that do not show a row.
 *
 *     opening = HMAC-SHA256(secret of the subject, "open" LF || row_hmac)
 *     entry   = "lh-audit-row/v1 " || hex of SHA-256("lh-audit-row/v1" LF || opening || row)
 *
 * row is the line without its LF, row_hmac 64 hex digits, the opening 32 bytes.  Who is shown a
 * row and its opening can compute its entry; no one else can link one to the other, and with
 * the secret destroyed no one can at all.
 *
 * Next to NAME.audit.jsonl are, both of mode 0600:
 *
 *     NAME.secret    32 random bytes, made before the first row is committed
 *     NAME.commit    {"count":9,"tip":HEX,"runs":[[0,120,4],[4,200,5]]}
 *
 * The latter says which rows are where: of the first 9, rows 0 to 3 are the entries 120 to 123.
 * tip is the row_hmac of the last of them.  It is replaced as a whole.
 *
 * Owner:   a struct lh_commit is the caller's; all zero it is empty.
 * Errors:  as in chain.h.
 * Threads: one thread per struct.
 */
#ifndef LH_COMMITMENT_H
#define LH_COMMITMENT_H

#include "audit/chain.h"
#include "tlog/log.h"

#define LH_SUBJECT_SECRET ".secret"
#define LH_SUBJECT_COMMIT ".commit"
#define LH_OPENING 32		/* bytes */
#define LH_COMMIT_ENTRY 80	/* bytes of an entry, without NUL */

/* Read the secret of a subject, or make it if there is none: NULL with *err.  With make false,
 * LH_EIO if there is none. */
struct lh_hmac *lh_opening_key(const char *path, bool make, struct lh_err *err);
void lh_opening_of(const struct lh_hmac *secret, struct lh_str row_hmac,
		   uint8_t opening[LH_OPENING]);
void lh_commit_entry(const uint8_t opening[LH_OPENING], struct lh_str row,
		     char entry[LH_COMMIT_ENTRY]);

struct lh_commit {
	uint64_t count;
	char tip[LH_CHAIN_TIP];
	struct lh_commit_run {
		uint64_t row, index, rows;
	} *run;
	size_t n, cap;
};
/* Read a NAME.commit: 1; 0 if there is none; -1.  LH_EDATA: it is not one. */
int lh_commit_read(struct lh_commit *c, const char *path, struct lh_err *err);
int lh_commit_write(const struct lh_commit *c, const char *path, struct lh_err *err);
/* Add rows from count on, at entries from index on; the last of them has that row_hmac. */
void lh_commit_add(struct lh_commit *c, uint64_t index, uint64_t rows, struct lh_str tip);
/* Set *index to the entry of a row below count. */
void lh_commit_find(const struct lh_commit *c, uint64_t row, uint64_t *index);
void lh_commit_free(struct lh_commit *c);

/* Call fn for the rows from `from` to below `to` of a log, of which at least that many were
 * verified.  1 from fn ends it: 0; LH_EIO if the log has fewer. */
typedef int lh_commit_row_fn(void *ctx, uint64_t row, struct lh_str line, struct lh_str row_hmac,
			     struct lh_err *err);
int lh_commit_rows(const char *path, uint64_t from, uint64_t to, lh_commit_row_fn *fn, void *ctx,
		   struct lh_err *err);

/* ---- rows with what a stranger needs to check them ---- */

/*
 *     rc = lh_row_proofs_open(&p, dir, name, tlog, err);
 *     rc = lh_commit_rows(path, 0, p.at.count, fn, ctx, err);	(fn calls lh_row_proofs_add)
 *     lh_row_proofs_close(&p);
 *
 * Owner:   the struct is the caller's; closing one that failed to open, or is zero, does nothing.
 * Errors:  as in chain.h.
 * Threads: one thread per struct.
 */

struct lh_row_proofs {
	struct lh_tlog *tree;
	struct lh_commit at;
	struct lh_hmac *secret;
	struct lh_buf text;
};

/* Open those of the log NAME.audit.jsonl in dir; at.count is 0 if nothing of it is committed. */
int lh_row_proofs_open(struct lh_row_proofs *p, const char *dir, const char *name, const char *tlog,
		       struct lh_err *err);
void lh_row_proofs_close(struct lh_row_proofs *p);

/* Append {"row","opening","entry","proof"} and LF for a row below at.count. */
int lh_row_proofs_add(struct lh_row_proofs *p, uint64_t row, struct lh_str line,
		      struct lh_str row_hmac, struct lh_buf *out, struct lh_err *err);

#endif
