/*
 * proof - one entry of a log, shown to a stranger: the text of tlog-proof.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra BASE64                       opaque, and seldom there
 *     index 73894
 *     HASH                               base64, from the leaf's sibling up to the root's child
 *     ...
 *                                        an empty line
 *     CHECKPOINT                         the signed note, up to the end
 *
 *     LH_SCOPED(lh_entry_proof_free) struct lh_entry_proof p = { .index = 0 };
 *     struct lh_cosigned judged;
 *
 *     if (lh_entry_proof_parse(&p, text, err) == 0 &&
 *         lh_entry_proof_verify(&p, leaf, policy, &judged, err) == 0)
 *             ... the entry is in the log ...
 *
 * A proof holds if its checkpoint is signed by a log of the policy, no known signature of it
 * is wrong, the witnesses that cosigned it make the quorum, and the hashes lead from the leaf
 * hash to the root of the checkpoint.  That needs no key of the log's owner and no network.
 *
 * Parsing is strict: no CR, no white space at the ends of lines, numbers without leading zeros,
 * canonical base64, at most LH_TLOG_PROOF_MAX hashes, and a note that is a checkpoint.
 *
 * Owner:   a parsed proof points into the text.
 * Errors:  LH_EDATA, with the reason, for a text that is not a proof and for a proof that does
 *          not hold.
 * Threads: any number at once.
 */
#ifndef LH_TLOG_PROOF_H
#define LH_TLOG_PROOF_H

#include "policy.h"
#include "tree.h"

struct lh_entry_proof {
	struct lh_str extra;	/* base64, as written; p NULL: none */
	uint64_t index;
	struct lh_tlog_proof path;
	struct lh_str text;	/* of the checkpoint, with its signatures */
	struct lh_note note;	/* the same, parsed */
	struct lh_checkpoint at;
};

int lh_entry_proof_parse(struct lh_entry_proof *p, struct lh_str text, struct lh_err *err);
void lh_entry_proof_free(struct lh_entry_proof *p);

/* Append the text of a proof of which extra, index, path and text are set. */
void lh_entry_proof_print(const struct lh_entry_proof *p, struct lh_buf *out);

/* Append the hashes of a proof, a line of base64 each. */
void lh_tlog_proof_print(const struct lh_tlog_proof *proof, struct lh_buf *out);

/* Verify a parsed proof of the entry with that leaf hash.  *judged is set in any case. */
int lh_entry_proof_verify(const struct lh_entry_proof *p, const uint8_t leaf[LH_TLOG_HASH],
			  const struct lh_policy *policy, struct lh_cosigned *judged,
			  struct lh_err *err);

#endif
