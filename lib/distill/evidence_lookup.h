/*
 * evidence_lookup - find the evidence of each scored run.
 *
 * A file of scored runs mirrors a file of evidence: the n-th row of one belongs to
 * the n-th of the other, and both are read in parallel.  If a pair of rows does not
 * match (by run id and sig_hash), the evidence is read through once, and from then
 * on rows are looked up.
 *
 *     lh_evidence_lookup_open(j, root, "data/scored-runs/2026/05/03/audits.jsonl", err);
 *     ... lh_evidence_lookup_find(j, n, &run_id, &sig, &found, err) ...
 */
#ifndef LH_EVIDENCE_LOOKUP_H
#define LH_EVIDENCE_LOOKUP_H

#include "json/json.h"
#include "root.h"

struct lh_found {
	const struct lh_record *evidence;	/* until the next call */
	uint64_t at;
	uint32_t n;
};

struct lh_evidence_lookup *lh_evidence_lookup_new(void);
void lh_evidence_lookup_free(struct lh_evidence_lookup *j);	/* NULL is allowed */

/* Open the evidence that a file of scored runs mirrors; it need not exist. */
int lh_evidence_lookup_open(struct lh_evidence_lookup *j, const struct lh_root *root,
			    const char *scored, struct lh_err *err);

/* Find the evidence of the n-th row (from 0): 1, 0 if there is none, -1.  Call in
 * the order of rows. */
int lh_evidence_lookup_find(struct lh_evidence_lookup *j, uint64_t n, const struct lh_str *run_id,
			    const struct lh_str *sig, struct lh_found *found, struct lh_err *err);

/* Return "data/evidence/..." for "data/scored-runs/..."; the caller frees it. */
char *lh_evidence_lookup_path(const char *scored);

#endif
