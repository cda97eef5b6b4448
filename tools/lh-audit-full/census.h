/*
 * census.h - the interface between census.c, which reads rows, and judge.c, which
 * checks them.
 *
 * A judge checks one row that parses and returns its findings as a set of enum
 * finding_id bits, or -1 with *err.  It runs on several threads, each with its own
 * category counts and scratch.
 */
#ifndef CENSUS_H
#define CENSUS_H

#include "audit.h"

#define BIT(finding) (1 << (finding))

typedef int judge_fn(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch,
		     struct lh_err *err);

judge_fn judge_nothing, judge_scored;
extern judge_fn *const judge_export[LH_EXPORTERS];

/* Return the fault of a row with that finding; begins with a space. */
const char *finding_text(enum finding_id id);

#endif
