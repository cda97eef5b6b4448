/*
 * evidence_lookup - the evidence of scored runs, found beside them; not installed.
 *
 * A file of scored runs mirrors a file of evidence, so the n-th row of one
 * belongs to the n-th of the other, and both are read along.  Where the two do
 * not agree (by run id and sig_hash), the evidence is read through once, and
 * from then on rows are looked up.
 *
 *     lh_evidence_lookup_open(j, root, "data/scored-runs/2026/05/03/audits.jsonl", err);
 *     ... lh_evidence_lookup_find(j, n, &run_id, &sig, &found, err) ...
 */
#ifndef LH_EVIDENCE_LOOKUP_H
#define LH_EVIDENCE_LOOKUP_H

#include <lh/json.h>
#include "root.h"

struct lh_found {
	const struct lh_record *evidence;	/* until the next call */
	uint64_t at;
	uint32_t n;
};

struct lh_evidence_lookup *lh_evidence_lookup_new(struct lh_err *err);
void lh_evidence_lookup_free(struct lh_evidence_lookup *j);	/* NULL is fine */

/* The evidence that a file of scored runs mirrors; it may not be there. */
int lh_evidence_lookup_open(struct lh_evidence_lookup *j, const struct lh_root *root, const char *scored, struct lh_err *err);

/* Of the n-th row (from 0): 1, 0 when there is none, -1.  Rows are asked for in
 * order. */
int lh_evidence_lookup_find(struct lh_evidence_lookup *j, uint64_t n, const struct lh_str *run_id, const struct lh_str *sig, struct lh_found *found, struct lh_err *err);

/* "data/evidence/..." for "data/scored-runs/..."; to be freed. */
char *lh_evidence_lookup_path(const char *scored, struct lh_err *err);

#endif
