/*
 * receipt_parts.h - between receipt_claims.c, which reads receipts, receipt_check.c, which
 * compares files with them, and receipt_erased.c, which looks at what was erased.
 */
#ifndef LH_RECEIPT_PARTS_H
#define LH_RECEIPT_PARTS_H

#include "erasures.h"
#include "receipt.h"

/* A receipt that was read. */
struct listed {
	struct lh_str path, sha256;
	uint64_t bytes, records;
};
struct side {
	struct listed *file;
	size_t n;
	uint64_t records;
	struct lh_str hash;
};
struct counts {
	uint64_t accepted, rejected, quarantined, skipped;
};
struct validation {
	bool passed;
};
struct erased {
	struct lh_str id;	/* of the receipt of an erasure */
	uint64_t rows;
};
struct receipt {
	struct lh_str run_id, stage, timestamp, git_commit;
	struct side in, out;
	struct counts stats;
	struct validation validation;
	struct erased *erased;
	size_t n_erased;
};

/* What a receipt says of a file. */
struct claim {
	char *path;
	uint64_t bytes;
	unsigned char sha256[32];
	unsigned from, order;	/* its receipt, and that one's place in time */
};

struct claims {
	struct claim *v;	/* by path, and then in time */
	size_t n, cap;
	char *receipt[LH_STAGES];	/* the newest of each stage, relative; NULL: none */
};

/* Read the newest receipt of each stage, and report the faults of receipts and summary. */
int lh_claims_read(struct claims *c, struct lh_receipts *what, struct lh_err *err);
void lh_claims_free(struct claims *c);

/* Report what a receipt names as erased and no receipt of an erasure does. */
void lh_receipt_erased(struct lh_receipts *c, const char *relpath, const struct receipt *r);

/* Report tombstones of a source that no receipt of an erasure explains. */
int lh_receipt_tombstones(struct lh_receipts *c, const char *source, struct lh_err *err);

void lh_receipt_report(struct lh_receipts *c, enum lh_receipt_fault what, const char *fmt, ...)
	LH_PRINTF(3, 4);

/* Report *err, whose message may begin with the root's path; -1 if it is not about the
 * contents of the root. */
int lh_receipt_finding(struct lh_receipts *c, enum lh_receipt_fault what, const char *relpath,
		       struct lh_err *err);

#endif
