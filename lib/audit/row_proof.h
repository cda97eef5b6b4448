/*
 * row_proof - rows of a subject's log with what a stranger needs to check them: that a
 * transparency log (tlog/log.h) has them.
 *
 *     rc = lh_row_proofs_open(&p, dir, name, tlog, err);
 *     rc = lh_commit_rows(path, 0, p.at.count, fn, ctx, err);	(fn calls lh_row_proofs_add)
 *     lh_row_proofs_close(&p);
 *
 * Owner:   the struct is the caller's; closing one that failed to open, or is zero, does nothing.
 * Errors:  as in lh/chain.h.
 * Threads: one thread per struct.
 */
#ifndef LH_ROW_PROOF_H
#define LH_ROW_PROOF_H

#include "commitment.h"
#include "tlog/log.h"

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
