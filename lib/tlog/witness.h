/*
 * witness - cosign the checkpoints of logs that have grown, and never those of two histories:
 * C2SP's tlog-witness.
 *
 * A log sends the size that the witness has cosigned last, a proof that its tree has grown from
 * that, and its checkpoint:
 *
 *     old 3
 *     HASH                               base64, at most 63
 *     ...
 *                                        an empty line
 *     CHECKPOINT                         the signed note, up to the end
 *
 *     const struct lh_witness w = { dir, policy, signer, LH_LOCK_TIMEOUT };
 *
 *     if (lh_witness_answer(&w, request, now, &status, &body, err) == 0) ...
 *
 * The answers, of which the first that applies is given:
 *
 *     400   not a request, or a tree smaller than "old"
 *     404   a log that the policy does not name
 *     403   no key of that log signed, or a signature of a known key is bad
 *     409   another size was cosigned last: it is the body
 *     422   the proof does not show that the tree has grown from the one cosigned last
 *     200   the body is the line of the cosignature
 *
 * How:     The record of a log is a note in the file state/<SHA-256 of its origin>: the body of
 *          the checkpoint, the lines of the log that were verified, and the cosignature.  It is
 *          read, checked and replaced under one lock, and is on disk before it is answered with,
 *          so that the size never goes back and no two answers contradict each other, whatever
 *          is killed.  A time is never smaller than that of the record.  A record that is
 *          damaged, or not by this key, cosigns nothing.
 * Owner:   all is the caller's.
 * Errors:  what ails the request is in the answer.  -1: the record cannot be read or written
 *          (LH_EIO, LH_ECORRUPT, LH_ELOCKED), the time is out of range (LH_EUSAGE), LH_ENOMEM.
 * Threads: any number, and any number of processes, for one state.
 */
#ifndef LH_WITNESS_H
#define LH_WITNESS_H

#include "policy.h"
#include "tree.h"

struct lh_witness_request {
	uint64_t old;
	struct lh_tlog_proof proof;
	struct lh_str text;		/* of the checkpoint, with its signatures */
	struct lh_note note;		/* the same, parsed */
	struct lh_checkpoint at;
};

/* Parse a request, which then points into the text: LH_EDATA if it is none. */
int lh_witness_request_parse(struct lh_witness_request *r, struct lh_str text, struct lh_err *err);
void lh_witness_request_free(struct lh_witness_request *r);
/* Append the text of a request of which old, proof and text are set. */
void lh_witness_request_print(const struct lh_witness_request *r, struct lh_buf *out);

struct lh_witness {
	const char *state;		/* a folder, which exists */
	const struct lh_policy *policy;	/* of its logs */
	const struct lh_signer *signer;	/* of kind LH_KEY_COSIGNER */
	double lock_timeout;
};

/* Judge a request, and cosign its checkpoint at a time, in seconds since 1970.  Sets *status and
 * replaces *body. */
int lh_witness_answer(const struct lh_witness *w, struct lh_str request, uint64_t now,
		      unsigned *status, struct lh_buf *body, struct lh_err *err);

#endif
