/*
 * receipt_parts.h - between receipt_claims.c, which reads receipts, and receipt_check.c,
 * which compares files with them.
 */
#ifndef LH_RECEIPT_PARTS_H
#define LH_RECEIPT_PARTS_H

#include "receipt.h"

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

void lh_receipt_report(struct lh_receipts *c, enum lh_receipt_fault what, const char *fmt, ...)
	LH_PRINTF(3, 4);

/* Report *err, whose message may begin with the root's path; -1 if it is not about the
 * contents of the root. */
int lh_receipt_finding(struct lh_receipts *c, enum lh_receipt_fault what, const char *relpath,
		       struct lh_err *err);

#endif
