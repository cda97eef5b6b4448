/*
 * The outputs of lh-gen: one function per kind, which appends row number i (from 0)
 * of the stream with that seed, each line with its LF.
 */
#ifndef GEN_H
#define GEN_H

#include "staffing/staffing.h"
#include "tool/op.h"

void gen_worker(struct lh_buf *out, uint64_t seed, uint64_t i);

/* Append one line; with LH_JOB_ORDER_STYLES a line in each style. */
void gen_query(struct lh_buf *out, uint64_t seed, uint64_t i, enum lh_job_order_style style);

/* Do the same for the demand in a file of records; "-" is stdin. */
int gen_queries_from(struct lh_tool *tool, const char *file, enum lh_job_order_style style);

enum draft_kind { DRAFT_FILL, DRAFT_EMAIL, DRAFT_SMS, DRAFT_PLAYBOOK, DRAFT_ALL };

/* Drafts about the first n workers of that seed. */
struct gen_drafts;
struct gen_drafts *gen_drafts_new(uint64_t seed, unsigned n, enum draft_kind kinds);
void gen_drafts_free(struct gen_drafts *g);
/* Append draft number i. */
void gen_draft(struct gen_drafts *g, struct lh_buf *out, uint64_t i);

#endif
